import { fromHex, toHex } from '../core/bytes.js'
import { checkArgument, PeernetError } from '../core/errors.js'
import type { Endpoint } from '../core/endpoint.js'
import type { CloudEvent, RegistrationSpec } from '../pnrp/interface.js'
import type { AppEndpoint, PnrpId } from '../wire/messages.js'
import { parseAddress } from '../core/address-text.js'
import type { ServiceEndpoint } from './resolution.js'

/** MS-PNRP 2.2.3.1: FriendlyName is 1..78 bytes, 39 UTF-16 units. */
const COMMENT_UNITS = 39
/** MS-PNRP 2.2.3.1.2: 1..10 application endpoints. */
const APP_ENDPOINTS = 10
/** MS-PNRP 2.2.3.3: binary payload, and text including String Type and NUL. */
const PAYLOAD_BYTES = 4096
const PAYLOAD_TEXT_MINIMUM = 6

/** An endpoint that follows this node's addresses as they change. */
export interface AutoEndpoint {
  readonly address: 'auto'
  readonly port: number
  readonly protocol?: 'tcp' | 'udp' | number
}

export interface RegisterOptions {
  /** Where the application listens; 1..10, or none when there is a payload. */
  readonly endpoints?: readonly (
    | AutoEndpoint
    | (Omit<ServiceEndpoint, 'protocol'> & { readonly protocol?: 'tcp' | 'udp' | number })
  )[]
  /** At most 39 UTF-16 units, shown to whoever resolves the name. */
  readonly comment?: string
  /** At most 4096 bytes; a string travels as UTF-8 text of 3 bytes at least. */
  readonly payload?: string | Uint8Array
  /** 16 hex digits: upper half of the service location, to be found as "nearest". */
  readonly locationPrefix?: string
}

/** What the signer of a name contributes to its registration. */
export type SignerSpec = Pick<
  RegistrationSpec,
  'authority' | 'keyId' | 'publicKey' | 'certificateChain'
>

/** The machine's registration out of the caller's options. Throws ERR_PEERNET_INVALID_ARG. */
export function toSpec(
  classifier: string,
  options: RegisterOptions,
  signer: SignerSpec,
  localEndpoints: readonly Endpoint[],
): RegistrationSpec {
  const appEndpoints = toAppEndpoints(options.endpoints ?? [], localEndpoints)
  checkArgument(
    appEndpoints.length > 0 || options.payload !== undefined,
    'a registration needs an endpoint or a payload',
  )
  return {
    ...signer,
    classifier,
    appEndpoints,
    ...(options.comment === undefined ? {} : { friendlyName: toFriendlyName(options.comment) }),
    ...(options.payload === undefined ? {} : { extendedPayload: toPayload(options.payload) }),
    ...(options.locationPrefix === undefined
      ? {}
      : { locationPrefix: toPrefix(options.locationPrefix) }),
  }
}

function toAppEndpoints(
  endpoints: NonNullable<RegisterOptions['endpoints']>,
  localEndpoints: readonly Endpoint[],
): AppEndpoint[] {
  const out: AppEndpoint[] = []
  const list: unknown = endpoints
  checkArgument(Array.isArray(list), 'endpoints is a list')
  for (const endpoint of endpoints) {
    checkArgument(
      typeof (endpoint as Partial<AutoEndpoint> | null)?.address === 'string',
      'an endpoint is { address, port, protocol }',
    )
    const { address, port, protocol = 'tcp' } = endpoint
    checkArgument(
      Number.isInteger(port) && port >= 0 && port <= 65_535,
      `not a port number: ${port}`,
    )
    const number = protocol === 'tcp' ? 6 : protocol === 'udp' ? 17 : protocol
    checkArgument(
      Number.isInteger(number) && number >= 0 && number <= 255,
      `not a protocol number: ${String(protocol)}`,
    )
    if (address === 'auto') {
      for (const local of localEndpoints) {
        out.push({ address: local.address, port, protocol: number })
      }
      continue
    }
    const parsed = parseAddress(address)
    checkArgument(parsed !== undefined, `not an IPv6 address: ${address}`)
    out.push({ address: parsed.address, port, protocol: number })
  }
  checkArgument(out.length <= APP_ENDPOINTS, `at most ${APP_ENDPOINTS} endpoints`)
  return out
}

function toFriendlyName(comment: string): { bytes: Uint8Array; utf8: boolean } {
  checkArgument(
    typeof comment === 'string' && comment.length >= 1 && comment.length <= COMMENT_UNITS,
    `a comment has 1 to ${COMMENT_UNITS} UTF-16 units`,
  )
  return { bytes: new Uint8Array(Buffer.from(comment, 'utf16le')), utf8: false }
}

function toPayload(payload: string | Uint8Array): NonNullable<RegistrationSpec['extendedPayload']> {
  if (typeof payload !== 'string') {
    checkArgument(
      (payload as unknown) instanceof Uint8Array &&
        payload.length >= 1 &&
        payload.length <= PAYLOAD_BYTES,
      `a binary payload has 1 to ${PAYLOAD_BYTES} bytes`,
    )
    return { kind: 'binary', data: Uint8Array.from(payload) }
  }
  checkArgument(!payload.includes('\0'), 'a text payload has no NUL character')
  // 2 bytes String Type, the text, 1 byte NUL (N-44).
  const length = 2 + Buffer.byteLength(payload, 'utf8') + 1
  checkArgument(
    length >= PAYLOAD_TEXT_MINIMUM && length <= PAYLOAD_BYTES + 2,
    `a text payload has ${PAYLOAD_TEXT_MINIMUM - 3} to ${PAYLOAD_BYTES - 1} UTF-8 bytes`,
  )
  return { kind: 'text', encoding: 'utf-8', text: payload }
}

function toPrefix(hex: string): Uint8Array {
  const bytes = fromHex(hex)
  checkArgument(bytes?.length === 8, 'locationPrefix is 16 hex digits')
  return bytes
}

export type RegistrationStatus = 'announcing' | 'registered' | 'lonely'

export interface RegistrationHooks {
  readonly update: (options: RegisterOptions) => void
  readonly unregister: () => void
}

/**
 * A published name. It stays published, following address changes, until `close()`, which tells the
 * neighbours to forget it.
 */
export class Registration {
  readonly peerName: string
  readonly #hooks: RegistrationHooks
  readonly ready: Promise<void>
  #options: RegisterOptions
  #pnrpId: PnrpId | undefined
  #status: RegistrationStatus = 'announcing'
  #settleReady!: () => void
  #failReady!: (error: PeernetError) => void
  #closing: Promise<void> | undefined
  #settleClosed: (() => void) | undefined
  #ended = false

  /** Use `cloud.register`. */
  constructor(peerName: string, options: RegisterOptions, hooks: RegistrationHooks) {
    this.peerName = peerName
    this.#options = options
    this.#hooks = hooks
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = resolve
      this.#failReady = reject
    })
    this.ready.catch(() => {})
  }

  /** 64 hex digits; known once announced. */
  get pnrpId(): string | undefined {
    return this.#pnrpId === undefined ? undefined : toHex(this.#pnrpId)
  }

  /** 'lonely': published, but no other node knows it yet because the cloud has no other. */
  get status(): RegistrationStatus {
    return this.#status
  }

  get options(): RegisterOptions {
    return this.#options
  }

  /** Replaces endpoints, comment and payload; the name and its PNRP ID stay. */
  update(options: RegisterOptions): void {
    if (this.#closing !== undefined || this.#ended) {
      throw new PeernetError('ERR_PEERNET_CLOSED', `${this.peerName} is unregistered`)
    }
    this.#hooks.update(options)
    this.#options = options
  }

  /** Unregisters: resolves when the neighbours were told. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#ended
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#settleClosed = resolve
          this.#hooks.unregister()
        })
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Feeds a machine event about this registration. */
  handleEvent(
    event: Extract<CloudEvent, { type: 'registration' | 'unregistered' | 'registration-failed' }>,
  ): void {
    switch (event.type) {
      case 'registration':
        this.#pnrpId = event.pnrpId
        this.#status = event.state
        if (event.state !== 'announcing') this.#settleReady()
        return
      case 'registration-failed':
        this.#ended = true
        this.#failReady(new PeernetError(event.code, event.message))
        return
      case 'unregistered':
        this.ended()
    }
  }

  /** Nothing is published any more. */
  ended(): void {
    this.#ended = true
    this.#failReady(new PeernetError('ERR_PEERNET_CLOSED', `${this.peerName} is unregistered`))
    this.#settleClosed?.()
  }
}
