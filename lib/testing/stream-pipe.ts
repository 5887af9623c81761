import { Queue } from '../core/queue.js'
import { milliseconds, type Instant } from '../core/instant.js'
import type { Happening } from './kernel.js'
import type { SimStream, StreamFailure } from './sim-stream.js'

/** What travels through a pipe besides bytes. */
type Signal = 'data' | 'accepted' | 'fin'

interface Segment {
  readonly signal: Signal
  readonly pieces: readonly Uint8Array[]
  readonly bytes: number
}

/** What a pipe needs of the network around it. */
export interface PipeNetwork {
  readonly now: Instant
  readonly bufferBytes: number
  readonly dataTimeoutUs: number
  /** How long the next piece of at most so many bytes may be. */
  cut(pipe: Pipe, bytes: number): number
  /** When a piece that leaves now arrives. */
  arrival(pipe: Pipe, bytes: number): Instant
  latencyUs(pipe: Pipe): number
  /** Can the receiver be reached now; if not, when is it worth another try? */
  reach(pipe: Pipe): 'open' | 'dead' | 'cut' | Instant
  post(at: Instant, host: number, happening: Happening): void
  /** Tells a stream, after the way there, that the other side knows nothing of it. */
  sendReset(to: SimStream, from: SimStream): void
  logSent(pipe: Pipe, pieces: readonly Uint8Array[], bytes: number): void
  logArrived(pipe: Pipe, bytes: number): void
  isUp(stream: SimStream): boolean
  /** Ends a stream and tells its host. */
  fail(stream: SimStream, why: StreamFailure): void
}

const FIRST_RETRY_US = milliseconds(200)
const LONGEST_RETRY_US = milliseconds(60_000)

/** One direction of a simulated connection: bytes in order, bounded buffers, retransmission. */
export class Pipe implements Happening {
  readonly number: number
  readonly from: SimStream
  /** Set when the other end exists. */
  to: SimStream | undefined
  /** Pieces cut so far: counts the luck that this pipe has drawn. */
  cuts = 0
  lastArrival: Instant = 0
  readonly #network: PipeNetwork
  /** In the writing process: the buffers were full. */
  readonly #waiting = new Queue<Uint8Array>()
  #waitingBytes = 0
  /** Bytes of the first waiting piece that have gone on. */
  #waitingOffset = 0
  /** Taken, to be sent by the next `flush`. */
  #unsent: Uint8Array[] = []
  #unsentBytes = 0
  /** On their way, in order. */
  readonly #flying = new Queue<Segment>()
  /** Of those: how many have come to the receiver's door. */
  #arrived = 0
  #flyingBytes = 0
  /** Delivered, but the writer does not know yet. */
  readonly #acks = new Queue<{ readonly bytes: number; readonly at: Instant }>()
  #unackedBytes = 0
  #refillPlanned = false
  #blockedSince: Instant | undefined
  #retryUs = FIRST_RETRY_US
  #finWanted = false
  #finSent = false
  #broken = false
  readonly #refill: Happening = {
    happen: (now) => {
      this.#refillPlanned = false
      this.#takeWaiting(now)
    },
  }
  readonly #retry: Happening = {
    happen: (now) => {
      this.#retryNow(now)
    },
  }

  constructor(network: PipeNetwork, number: number, from: SimStream) {
    this.#network = network
    this.number = number
    this.from = from
  }

  /** Bytes that the writing process still holds. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Takes bytes; returns how many of them the network took at once. */
  write(pieces: readonly Uint8Array[]): number {
    if (this.#broken || this.#finWanted) return 0
    let taken = 0
    for (const piece of pieces) taken += this.#take(piece)
    if (this.#waitingBytes > 0) this.#planRefill()
    return taken
  }

  /** Sends what was written. One piece arrives for many small writes. */
  flush(): void {
    let pieces = this.#unsent
    let bytes = this.#unsentBytes
    this.#unsent = []
    this.#unsentBytes = 0
    while (bytes > 0) {
      const size = this.#network.cut(this, bytes)
      const [head, tail] = size === bytes ? [pieces, []] : split(pieces, size)
      this.#send({ signal: 'data', pieces: head, bytes: size })
      pieces = tail
      bytes -= size
    }
    if (this.#finWanted && !this.#finSent && this.#waitingBytes === 0) {
      this.#finSent = true
      this.#send({ signal: 'fin', pieces: [], bytes: 0 })
    }
  }

  /** The answer to a connection attempt: what was written arrives after it. */
  accept(): void {
    this.#send({ signal: 'accepted', pieces: [], bytes: 0 })
  }

  /** No more bytes after those written. */
  finish(): void {
    this.#finWanted = true
    this.flush()
  }

  /** Forgets what the network has not taken yet. */
  abandon(): void {
    this.#waiting.clear()
    this.#waitingBytes = 0
    this.#waitingOffset = 0
  }

  /** Nothing arrives any more. */
  break(): void {
    this.#broken = true
    this.abandon()
    this.#flying.clear()
    this.#unsent = []
    this.#unsentBytes = 0
    this.#arrived = 0
  }

  /** The next segment has come to the receiver's door. */
  happen(now: Instant): void {
    if (this.#broken) return
    this.#arrived++
    if (this.#blockedSince === undefined) this.#deliver(now)
  }

  #take(piece: Uint8Array): number {
    const { bufferBytes } = this.#network
    this.#reap()
    const used = this.#unsentBytes + this.#flyingBytes + this.#unackedBytes
    const room = this.#waitingBytes > 0 ? 0 : Math.max(0, bufferBytes - used)
    const taken = Math.min(room, piece.length)
    if (taken > 0) {
      this.#unsent.push(taken === piece.length ? piece : piece.subarray(0, taken))
      this.#unsentBytes += taken
    }
    if (taken < piece.length) {
      this.#waiting.push(taken === 0 ? piece : piece.subarray(taken))
      this.#waitingBytes += piece.length - taken
    }
    return taken
  }

  /** Moves waiting bytes on as far as there is room, and tells the writer. */
  #takeWaiting(now: Instant): void {
    if (this.#broken || this.#waitingBytes === 0) return
    this.#reap()
    let room =
      this.#network.bufferBytes - this.#unsentBytes - this.#flyingBytes - this.#unackedBytes
    let moved = 0
    while (room > 0 && this.#waitingBytes > 0) {
      const piece = this.#waiting.first as Uint8Array
      const size = Math.min(room, piece.length - this.#waitingOffset)
      this.#unsent.push(piece.subarray(this.#waitingOffset, this.#waitingOffset + size))
      this.#unsentBytes += size
      this.#waitingOffset += size
      if (this.#waitingOffset === piece.length) {
        this.#waiting.shift()
        this.#waitingOffset = 0
      }
      this.#waitingBytes -= size
      room -= size
      moved += size
    }
    this.flush()
    if (this.#waitingBytes > 0) this.#planRefill()
    if (moved > 0) this.from.hearWritten(now, moved)
  }

  #planRefill(): void {
    // What still flies plans it on arrival.
    const next = this.#acks.first
    if (this.#refillPlanned || next === undefined) return
    this.#refillPlanned = true
    this.#network.post(next.at, this.from.host, this.#refill)
  }

  #reap(): void {
    const { now } = this.#network
    for (let next = this.#acks.first; next && next.at <= now; next = this.#acks.first) {
      this.#acks.shift()
      this.#unackedBytes -= next.bytes
    }
  }

  #send(segment: Segment): void {
    const network = this.#network
    network.logSent(this, segment.pieces, segment.bytes)
    const at = Math.max(this.lastArrival, network.arrival(this, segment.bytes))
    this.lastArrival = at
    this.#flying.push(segment)
    this.#flyingBytes += segment.bytes
    network.post(at, this.to?.host ?? -1, this)
  }

  #deliver(now: Instant): void {
    while (this.#arrived > 0) {
      const reach = this.#network.reach(this)
      if (reach !== 'open') {
        this.#blocked(now, reach)
        return
      }
      this.#blockedSince = undefined
      this.#retryUs = FIRST_RETRY_US
      this.#arrived--
      const segment = this.#flying.shift() as Segment
      this.#flyingBytes -= segment.bytes
      this.#hand(now, segment)
    }
  }

  #hand(now: Instant, segment: Segment): void {
    const network = this.#network
    network.logArrived(this, segment.bytes)
    if (segment.bytes > 0) {
      this.#acks.push({ bytes: segment.bytes, at: now + network.latencyUs(this) })
      this.#unackedBytes += segment.bytes
      if (this.#waitingBytes > 0) this.#planRefill()
    }
    const to = this.to as SimStream
    if (segment.signal === 'accepted') to.hearAccepted(now)
    else if (segment.signal === 'fin') to.hearEnd(now)
    else if (!to.hearData(now, segment.pieces, segment.bytes)) network.sendReset(this.from, to)
  }

  #blocked(now: Instant, reach: 'dead' | 'cut' | Instant): void {
    if (reach === 'dead') {
      if (this.to !== undefined) this.#network.sendReset(this.from, this.to)
      this.break()
      return
    }
    this.#blockedSince ??= now
    const at = reach === 'cut' ? now + this.#retryUs : reach
    if (reach === 'cut') this.#retryUs = Math.min(this.#retryUs * 2, LONGEST_RETRY_US)
    else this.#blockedSince = now
    this.#network.post(at, this.to?.host ?? -1, this.#retry)
  }

  #retryNow(now: Instant): void {
    if (this.#broken || this.#blockedSince === undefined) return
    // A dead writer does not send again.
    if (!this.#network.isUp(this.from)) {
      this.break()
      return
    }
    if (
      this.#network.reach(this) === 'cut' &&
      now - this.#blockedSince >= this.#network.dataTimeoutUs
    ) {
      this.break()
      this.#network.fail(this.from, 'timed-out')
      return
    }
    this.#deliver(now)
  }
}

/** The first bytes of a list of pieces, and the rest. */
function split(pieces: readonly Uint8Array[], bytes: number): [Uint8Array[], Uint8Array[]] {
  let left = bytes
  for (const [i, piece] of pieces.entries()) {
    if (left < piece.length) {
      const head = pieces.slice(0, i)
      if (left > 0) head.push(piece.subarray(0, left))
      return [head, [piece.subarray(left), ...pieces.slice(i + 1)]]
    }
    left -= piece.length
  }
  return [[...pieces], []]
}
