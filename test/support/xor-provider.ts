// A security provider for tests: both sides exchange a nonce, and from there on every frame is
// XORed with a key stream and carries a checksum under the key. It hides nothing from anybody, but
// what it does to the streams is what TLS does: tokens first, frames that cannot be read without
// it, a rejected frame when a bit has changed, and output that may come later.
import { concatBytes, equalBytes } from '#lib/core/bytes.js'
import type {
  GraphSecurityProvider,
  RecordVerdict,
  SecuritySession,
  SessionOutput,
} from '#lib/graph/security-provider.js'
import { sha1 } from '#lib/native/digest.js'
import type { GraphRecord } from '#lib/wire/graph/record.js'

const MAC = 8

export interface XorOptions {
  /** Tokens that the initiator sends before it is content; 1 by default. */
  readonly rounds?: number
  /** Output stays inside until `release`. */
  readonly late?: boolean
  readonly maxFrame?: number
  /** Fails to protect what this says. */
  readonly refuseToProtect?: (plain: Uint8Array) => boolean
  readonly validate?: (record: GraphRecord) => RecordVerdict
}

export class XorProvider implements GraphSecurityProvider {
  readonly name = 'xor'
  readonly maxFrame: number
  readonly sessions: XorSession[] = []
  readonly options: XorOptions

  constructor(options: XorOptions = {}) {
    this.options = options
    this.maxFrame = options.maxFrame ?? 16_348
  }

  openSession(wanted: Parameters<GraphSecurityProvider['openSession']>[0]): XorSession {
    const session = new XorSession(this.options, this.maxFrame, wanted)
    this.sessions.push(session)
    return session
  }

  validate(record: GraphRecord): RecordVerdict {
    return this.options.validate?.(record) ?? 'valid'
  }

  secure(): Uint8Array {
    return new Uint8Array(0)
  }
}

/** Tokens are their round's number and eight bytes of nonce. */
const tokenOf = (round: number, initiator: boolean): Uint8Array =>
  new Uint8Array([round, ...new Array<number>(8).fill(initiator ? 0xa5 : 0x3c)])

export class XorSession implements SecuritySession {
  readonly wanted: Parameters<GraphSecurityProvider['openSession']>[0]
  closed = false
  readonly #options: XorOptions
  readonly #maxFrame: number
  #output: SessionOutput[] = []
  #held: SessionOutput[] = []
  #round = 0
  #complete = false
  #sent = 0
  #received = 0

  constructor(options: XorOptions, maxFrame: number, wanted: XorSession['wanted']) {
    this.#options = options
    this.#maxFrame = maxFrame
    this.wanted = wanted
  }

  start(): void {
    if (this.wanted.initiator) this.#put({ type: 'frame', bytes: tokenOf(0, true) })
  }

  receive(frame: Uint8Array): void {
    if (this.#complete) this.#open(frame)
    else this.#negotiate(frame)
  }

  protect(plain: Uint8Array): void {
    if (this.#options.refuseToProtect?.(plain) === true) {
      this.#put({ type: 'dropped', why: 'refused' })
      return
    }
    const most = this.#maxFrame - MAC
    for (let at = 0; at < plain.length; at += most) {
      const part = xor(plain.subarray(at, at + most), this.#sent)
      const mac = macOf(part, this.#sent++)
      this.#put({ type: 'frame', bytes: concatBytes(mac, part) })
    }
  }

  poll(): SessionOutput | undefined {
    return this.#output.shift()
  }

  close(): void {
    this.closed = true
  }

  /** What was held back can be polled now. */
  release(): void {
    this.#output.push(...this.#held.splice(0))
  }

  #put(output: SessionOutput): void {
    if (this.#options.late === true) this.#held.push(output)
    else this.#output.push(output)
  }

  #negotiate(token: Uint8Array): void {
    const rounds = this.#options.rounds ?? 1
    if (!equalBytes(token, tokenOf(this.#round, !this.wanted.initiator))) {
      this.#put({ type: 'failed', why: 'bad token' })
      return
    }
    if (!this.wanted.initiator) {
      this.#put({ type: 'frame', bytes: tokenOf(this.#round, false) })
    }
    this.#round++
    if (this.#round === rounds) {
      this.#complete = true
      this.#put({ type: 'complete' })
    } else if (this.wanted.initiator) {
      this.#put({ type: 'frame', bytes: tokenOf(this.#round, true) })
    }
  }

  #open(frame: Uint8Array): void {
    const [mac, part] = [frame.subarray(0, MAC), frame.subarray(MAC)]
    if (equalBytes(mac, macOf(part, this.#received))) {
      this.#put({ type: 'plain', bytes: xor(part, this.#received) })
    } else {
      this.#put({ type: 'dropped', why: 'bad mac' })
    }
    this.#received++
  }
}

function xor(bytes: Uint8Array, counter: number): Uint8Array {
  const key = sha1(new Uint8Array([0x99, counter, counter >> 8]))
  return bytes.map((byte, i) => byte ^ (key[i % key.length] as number))
}

function macOf(bytes: Uint8Array, counter: number): Uint8Array {
  return sha1(concatBytes(new Uint8Array([0x66, counter, counter >> 8]), bytes)).slice(0, MAC)
}
