import { concatBytes } from '../../core/bytes.js'
import { decodeMessage, headerOf, InvalidRecord, Malformed, type DecodeOptions } from './decode.js'
import type { GraphMessage } from './messages.js'
import type { StringOrder } from './text.js'

export interface GraphReaderOptions {
  readonly maxMessage: number
  readonly stringOrder: StringOrder
  readonly graphId: string
}

export interface GraphStreamOptions extends GraphReaderOptions {
  readonly maxFrame: number
}

export type GraphStreamItem =
  | { readonly kind: 'message'; readonly message: GraphMessage }
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }
  /** A FLOOD whose record is none: it is dropped and counted, the connection stays (3.1.7.27). */
  | { readonly kind: 'dropped'; readonly code: string }
  /** The stream cannot be read any further: the connection ends. */
  | { readonly kind: 'error'; readonly code: string }

const EMPTY = new Uint8Array(0)

abstract class Reader {
  #input: Uint8Array = EMPTY
  #at = 0
  #message: Uint8Array[] = []
  #have = 0
  #dead = false
  readonly #maxMessage: number
  readonly #options: DecodeOptions

  constructor(options: GraphReaderOptions) {
    this.#maxMessage = options.maxMessage
    this.#options = options
  }

  /** Bytes kept for what is not complete yet. */
  get buffered(): number {
    return this.#input.length - this.#at + this.#have
  }

  /** The bytes that came in. They are looked at until `next` gives undefined. */
  push(chunk: Uint8Array): void {
    if (this.#dead) return
    const rest = this.#input.subarray(this.#at)
    this.#input = rest.length === 0 ? chunk : concatBytes(rest, chunk)
    this.#at = 0
  }

  next(): GraphStreamItem | undefined {
    if (this.#dead) return undefined
    try {
      const item = this.read()
      if (item === undefined) {
        this.#input = this.#input.slice(this.#at)
        this.#at = 0
      }
      return item
    } catch (error) {
      if (error instanceof InvalidRecord) return { kind: 'dropped', code: error.code }
      if (!(error instanceof Malformed)) throw error
      this.#dead = true
      this.#input = EMPTY
      this.#message = []
      this.#have = this.#at = 0
      return { kind: 'error', code: error.code }
    }
  }

  protected abstract read(): GraphStreamItem | undefined

  protected get left(): number {
    return this.#input.length - this.#at
  }

  protected peekU16(): number {
    return ((this.#input[this.#at] as number) << 8) | (this.#input[this.#at + 1] as number)
  }

  protected take(length: number): Uint8Array {
    this.#at += length
    return this.#input.subarray(this.#at - length, this.#at)
  }

  /** Adds bytes to the message under way; the message when it is complete. */
  protected add(bytes: Uint8Array): GraphStreamItem | undefined {
    this.#message.push(bytes.slice())
    this.#have += bytes.length
    if (this.#have < 8) return undefined
    const whole = this.#message.length === 1 ? bytes : concatBytes(...this.#message)
    this.#message = [whole]
    const size = headerOf(whole, 0, this.#maxMessage)
    if (this.#have < size) return undefined
    if (this.#have > size) throw new Malformed('ERR_PEERNET_SURPLUS_BYTES')
    this.#message = []
    this.#have = 0
    return { kind: 'message', message: decodeMessage(whole, this.#options, true) }
  }

  /** Bytes that the message under way still wants; 8 for its header at first. */
  protected get wanted(): number {
    if (this.#have < 8) return 8 - this.#have
    return headerOf(this.#message[0] as Uint8Array, 0, this.#maxMessage) - this.#have
  }
}

/** Reads one connection's stream of frames (2.2.1.1). */
export class GraphStreamReader extends Reader {
  /** 'frames' after AUTH_INFO under a security provider. */
  mode: 'messages' | 'frames' = 'messages'
  readonly #maxFrame: number

  constructor(options: GraphStreamOptions) {
    super(options)
    this.#maxFrame = options.maxFrame
  }

  protected read(): GraphStreamItem | undefined {
    while (this.left >= 2) {
      const size = this.peekU16()
      // GA-03
      if (size === 0 || size > this.#maxFrame) throw new Malformed('ERR_PEERNET_BAD_FRAME')
      if (this.left < 2 + size) return undefined
      this.take(2)
      const bytes = this.take(size)
      if (this.mode === 'frames') return { kind: 'frame', bytes }
      const item = this.add(bytes)
      if (item !== undefined) return item
    }
    return undefined
  }
}

/** The same without frames: what a provider's session gives out as 'plain'. */
export class GraphMessageReader extends Reader {
  protected read(): GraphStreamItem | undefined {
    while (this.left > 0) {
      const item = this.add(this.take(Math.min(this.left, this.wanted)))
      if (item !== undefined) return item
    }
    return undefined
  }
}
