import { uninitializedBytes } from '../core/bytes.js'
import { GatheredBytes } from '../core/gathered-bytes.js'
import { LIMITS } from '../core/limits.js'

const USUAL_HEAD = 512

/** One answer of HTTP/1.0 or 1.1 (RFC 9112), put together from the pieces that arrive. */
export class AnswerReader {
  /** `bad`: not HTTP, cut off, or longer than it may be. */
  state: 'head' | 'length' | 'chunks' | 'rest' | 'done' | 'bad' = 'head'
  status = 0
  /** Once `done`: the same connection may carry another exchange. */
  isReusable = false
  /** Once `done`; of an answer with another status than 200 nothing is read. */
  body: Uint8Array = new Uint8Array(0)
  readonly #limit: number
  readonly #memory: (length: number) => Uint8Array
  /** What is there of the head, or of a line between chunks. */
  #text = ''
  #at = 0
  readonly #gathered: GatheredBytes
  #chunks = 0
  /** Bytes of the chunk to come; undefined between chunks, 'last' behind the last. */
  #chunk: number | 'end' | 'last' | undefined

  /** `memory`: for the body of an answer that says how long it is. */
  constructor(limit: number, memory: (length: number) => Uint8Array = uninitializedBytes) {
    this.#limit = limit
    this.#memory = memory
    this.#gathered = new GatheredBytes(limit)
  }

  /** Takes the next bytes, which may be used for something else afterwards. */
  push(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length && this.state !== 'bad') {
      if (this.state === 'done') {
        // Nobody asked for more.
        this.isReusable = false
        return
      }
      at = this.#take(bytes, at)
    }
  }

  /** The connection has ended. */
  end(): void {
    if (this.state === 'rest') this.#finish()
    else if (this.state !== 'done') this.state = 'bad'
    this.isReusable = false
  }

  #take(bytes: Buffer, at: number): number {
    switch (this.state) {
      case 'head':
        return this.#takeHead(bytes, at)
      case 'length': {
        const taken = bytes.subarray(at, at + this.body.length - this.#at)
        this.body.set(taken, this.#at)
        this.#at += taken.length
        if (this.#at === this.body.length) this.state = 'done'
        return at + taken.length
      }
      case 'chunks':
        return this.#takeChunk(bytes, at)
      default:
        return this.#keep(bytes.subarray(at)) ? bytes.length : at
    }
  }

  #takeHead(bytes: Buffer, at: number): number {
    const before = this.#text.length
    const taken = Math.min(bytes.length, at + USUAL_HEAD)
    this.#text += bytes.toString('latin1', at, taken)
    const end = this.#text.indexOf('\r\n\r\n')
    if (end < 0) {
      if (this.#text.length >= LIMITS.retrievalHeadBytes) this.state = 'bad'
      return taken
    }
    this.#readHead(this.#text.slice(0, end))
    this.#text = ''
    return at + end + 4 - before
  }

  #readHead(head: string): void {
    const match = /^HTTP\/1\.([01]) (\d{3})(?: |\r|$)/.exec(head)
    this.status = Number(match?.[2])
    if (match === null || this.status === 101) {
      this.state = 'bad'
      return
    }
    // RFC 9110 15.2: the real one is still to come.
    if (this.status < 200) return
    const connection = fields(head, 'connection').join().toLowerCase()
    this.isReusable = match[1] === '1' ? !connection.includes('close') : false
    if (this.status !== 200) {
      this.isReusable = false
      this.state = 'done'
      return
    }
    const codings = fields(head, 'transfer-encoding')
    const lengths = fields(head, 'content-length')
    if (codings.length > 0) {
      const isChunked = codings.join().toLowerCase() === 'chunked' && lengths.length === 0
      this.state = isChunked ? 'chunks' : 'bad'
    } else if (lengths.length > 0) this.#readLength(lengths)
    else this.state = 'rest'
  }

  #readLength(lengths: readonly string[]): void {
    const [text = ''] = lengths
    const length = /^\d{1,15}$/.test(text) ? Number(text) : Infinity
    if (length > this.#limit || lengths.some((other) => other !== text)) {
      this.state = 'bad'
      return
    }
    this.body = this.#memory(length)
    this.state = length === 0 ? 'done' : 'length'
  }

  /** RFC 9112 7.1. */
  #takeChunk(bytes: Buffer, at: number): number {
    if (typeof this.#chunk === 'number') {
      const part = bytes.subarray(at, at + this.#chunk)
      if (!this.#keep(part)) return at
      this.#chunk -= part.length
      if (this.#chunk === 0) this.#chunk = 'end'
      return at + part.length
    }
    const found = bytes.indexOf(10, at)
    const end = found < 0 ? bytes.length : found + 1
    this.#text += bytes.toString('latin1', at, Math.min(end, at + LIMITS.retrievalHeadBytes))
    if (this.#text.length >= LIMITS.retrievalHeadBytes) this.state = 'bad'
    else if (found >= 0) this.#takeLine(this.#text.trimEnd())
    return end
  }

  #takeLine(line: string): void {
    this.#text = ''
    if (this.#chunk === 'last') {
      // Fields behind the last chunk are passed over.
      if (line === '') this.#finish()
      return
    }
    if (this.#chunk === 'end') {
      this.#chunk = undefined
      if (line !== '') this.state = 'bad'
      return
    }
    const digits = /^([0-9a-fA-F]{1,8})[ \t]*(?:;|$)/.exec(line)?.[1]
    this.#chunks += 1
    // Chunks of a byte or two are the work of somebody who wants to keep us busy.
    if (digits === undefined || this.#chunks > LIMITS.retrievalChunks) this.state = 'bad'
    else this.#chunk = digits.replace(/^0+/, '') === '' ? 'last' : parseInt(digits, 16)
  }

  #keep(part: Uint8Array): boolean {
    if (this.#gathered.push(part)) return true
    this.state = 'bad'
    return false
  }

  #finish(): void {
    this.body = this.#gathered.take()
    this.state = 'done'
  }
}

/** The values of a field, blanks taken off. */
function fields(head: string, name: string): string[] {
  const found = head.matchAll(new RegExp(`\\r\\n${name}:[ \\t]*([^\\r\\n]*)`, 'gi'))
  return Array.from(found, ([, value = '']) => value.trimEnd())
}
