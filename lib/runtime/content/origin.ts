import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { MISSING_DATA } from '../../content/http-coding.js'
import { PeernetError } from '../../core/errors.js'
import { LIMITS } from '../../core/limits.js'

const REDIRECTS = 5

type RequestHeaders = Readonly<Record<string, string>>

/** Fields that prove who asks: they are for the server that they were meant for. */
const CREDENTIALS = new Set(['authorization', 'cookie', 'proxy-authorization'])

/** What of the headers meant for one server may go to another one. */
export function headersAt(to: URL, from: URL, headers: RequestHeaders): RequestHeaders {
  if (to.origin === from.origin) return headers
  const rest = Object.entries(headers).filter(([name]) => !CREDENTIALS.has(name.toLowerCase()))
  return Object.fromEntries(rest)
}

/**
 * A GET; follows redirects, but not from HTTPS to HTTP: content information travels over the
 * channel that authorised the client. Rejects with ERR_PEERNET_ABORTED,
 * ERR_PEERNET_CONTENT_UNAVAILABLE, ERR_PEERNET_INVALID_ARG.
 */
export async function get(
  url: URL,
  headers: RequestHeaders,
  signal: AbortSignal | undefined,
): Promise<{ readonly response: IncomingMessage; readonly url: URL }> {
  let at = url
  for (let hops = 0; hops <= REDIRECTS; hops++) {
    const response = await once(at, headersAt(at, url, headers), signal)
    const { statusCode = 0 } = response
    const target = response.headers.location
    if (![301, 302, 303, 307, 308].includes(statusCode) || target === undefined) {
      return { response, url: at }
    }
    // Nobody reads what comes along, however long it is.
    response.destroy()
    at = redirected(at, target)
  }
  throw unavailable(`${url.href} redirects too often`)
}

function redirected(at: URL, target: string): URL {
  const next = URL.canParse(target, at.href) ? new URL(target, at) : undefined
  const isAllowed =
    next?.protocol === 'https:' || (next?.protocol === 'http:' && at.protocol === 'http:')
  if (next !== undefined && isAllowed) return next
  throw unavailable(`${at.href} redirects to where nothing is fetched from`)
}

export function unavailable(message: string, cause?: unknown): PeernetError {
  return new PeernetError('ERR_PEERNET_CONTENT_UNAVAILABLE', message, { cause })
}

function once(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  const start = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const options = { headers, ...(signal === undefined ? {} : { signal }) }
    let request: ClientRequest
    try {
      request = start(url, options, resolve)
    } catch (cause) {
      const message = `the headers make no request: ${String(cause)}`
      reject(new PeernetError('ERR_PEERNET_INVALID_ARG', message, { cause }))
      return
    }
    request.setTimeout(LIMITS.fetchOriginMs, () => {
      request.destroy(new Error('the server sends nothing'))
    })
    request.on('error', (cause) => {
      reject(
        signal?.aborted === true
          ? new PeernetError('ERR_PEERNET_ABORTED', 'the download was aborted', {
              cause: signal.reason,
            })
          : unavailable(`${url.href} cannot be fetched`, cause),
      )
    })
    request.end()
  })
}

/** What became of a range: its bytes, none for now, or other content than before. */
export type RangeAnswer =
  | { readonly kind: 'bytes'; readonly bytes: AsyncIterable<Uint8Array> }
  | { readonly kind: 'gone' }
  | { readonly kind: 'changed' }

/**
 * Bytes of content of `total` bytes that peers lacked (T 2.2). A server without ranges sends all,
 * of which the beginning is skipped.
 */
export async function getRange(
  url: URL,
  range: { readonly start: number; readonly end: number; readonly total: number | undefined },
  options: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<RangeAnswer> {
  const { start, end, total } = range
  const wanted = { ...options.headers, ...MISSING_DATA, Range: `bytes=${start}-${end - 1}` }
  let response: IncomingMessage
  try {
    response = (await get(url, wanted, options.signal)).response
  } catch {
    return { kind: 'gone' }
  }
  const { statusCode, headers } = response
  const refuse = (kind: 'gone' | 'changed'): RangeAnswer => {
    response.destroy()
    return { kind }
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return refuse('changed')
  if (statusCode === 206) {
    const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '')
    const isRange = match !== null && Number(match[1]) === start && Number(match[2]) === end - 1
    const isSame = total === undefined || match?.[3] === '*' || Number(match?.[3]) === total
    return isRange && isSame
      ? { kind: 'bytes', bytes: slice(response, 0, end - start) }
      : refuse('changed')
  }
  if (statusCode === 200) {
    const length = headers['content-length']
    const isSame = total === undefined || length === undefined || Number(length) === total
    if (!isSame) return refuse('changed')
    return { kind: 'bytes', bytes: slice(response, start, end) }
  }
  return refuse(statusCode === 412 || statusCode === 416 ? 'changed' : 'gone')
}

async function* slice(
  response: IncomingMessage,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  let at = 0
  try {
    for await (const part of response as AsyncIterable<Uint8Array>) {
      const from = Math.max(0, start - at)
      const bytes = part.subarray(from, Math.max(from, end - at))
      at += part.length
      if (bytes.length > 0) yield bytes
      if (at >= end) return
    }
  } finally {
    response.destroy()
  }
}
