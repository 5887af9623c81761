import { concatBytes } from '../core/bytes.js'
import { Deadlines } from '../core/deadlines.js'
import type { Endpoint } from '../core/endpoint.js'
import type { Instant } from '../core/instant.js'
import { networkKey } from '../core/ipv6.js'
import { LIMITS } from '../core/limits.js'
import { GraphStreamReader } from '../wire/graph/stream-reader.js'
import { authenticationTimeout } from './authentication-timer.js'
import type { ConnectionId } from './interface.js'

/** What the bytes of a connection say. */
export type AcceptorVerdict =
  /** Hand it to that graph: the local event 'accepted', then these bytes as its first message. */
  | { readonly type: 'graph'; readonly graphId: string; readonly bytes: Uint8Array }
  /** Destroy it. `why` is for counting. */
  | { readonly type: 'reject'; readonly why: string }

/** A connection that has not said which graph it wants. */
interface Stranger {
  readonly connection: ConnectionId
  readonly network: string
  readonly reader: GraphStreamReader
  readonly chunks: Uint8Array[]
  bytes: number
}

/**
 * The sans-IO part of a listener that several graphs share (MS-PPGRH 3.1.5.1.1): keeps connections
 * until their AUTH_INFO is complete. Strangers cost a bounded number of bytes each, are bounded in
 * number, and get no longer than the Authentication Timer allows (3.1.2, GA-06).
 *
 * A connection is forgotten when its verdict is given, when it times out, or by `closed`.
 */
export class GraphAcceptor {
  readonly #strangers = new Map<ConnectionId, Stranger>()
  /** How many of each address, a /64 counting as one. */
  readonly #networks = new Map<string, number>()
  readonly #timers = new Deadlines<Stranger>()

  /** Connections that wait for their AUTH_INFO. */
  get size(): number {
    return this.#strangers.size
  }

  /** A connection came in; false: there are too many, destroy it. */
  accept(now: Instant, connection: ConnectionId, remote: Endpoint): boolean {
    const network = networkKey(remote.address)
    const count = this.#networks.get(network) ?? 0
    if (this.#strangers.size >= LIMITS.graphUnidentified) return false
    if (count >= LIMITS.graphUnidentifiedPerAddress) return false
    const stranger: Stranger = { connection, network, reader: newReader(), chunks: [], bytes: 0 }
    this.#timers.set(stranger, now + authenticationTimeout(this.#strangers.size))
    this.#strangers.set(connection, stranger)
    this.#networks.set(network, count + 1)
    return true
  }

  /** Its bytes, whose memory is only valid during the call; undefined: wait for more. */
  handleBytes(
    _now: Instant,
    connection: ConnectionId,
    chunk: Uint8Array,
  ): AcceptorVerdict | undefined {
    const stranger = this.#strangers.get(connection)
    if (stranger === undefined) return undefined
    const verdict = judge(stranger, chunk)
    if (verdict !== undefined) this.#forget(stranger)
    return verdict
  }

  /** The connection is gone. */
  closed(connection: ConnectionId): void {
    const stranger = this.#strangers.get(connection)
    if (stranger !== undefined) this.#forget(stranger)
  }

  /** Those that took too long: destroy them. */
  handleTimeout(now: Instant): ConnectionId[] {
    const late: ConnectionId[] = []
    for (;;) {
      const stranger = this.#timers.takeDue(now)
      if (stranger === undefined) return late
      late.push(stranger.connection)
      this.#forget(stranger)
    }
  }

  pollTimeout(): Instant {
    return this.#timers.next()
  }

  #forget(stranger: Stranger): void {
    const { connection, network } = stranger
    this.#timers.cancel(stranger)
    this.#strangers.delete(connection)
    const count = (this.#networks.get(network) ?? 1) - 1
    if (count === 0) this.#networks.delete(network)
    else this.#networks.set(network, count)
  }
}

/** No frame or message of a stranger may be longer than an AUTH_INFO. */
function newReader(): GraphStreamReader {
  return new GraphStreamReader({
    maxFrame: LIMITS.graphAuthInfoBytes,
    maxMessage: LIMITS.graphAuthInfoBytes,
    stringOrder: 'big-endian',
    graphId: '',
  })
}

function judge(stranger: Stranger, chunk: Uint8Array): AcceptorVerdict | undefined {
  stranger.reader.push(chunk)
  const item = stranger.reader.next()
  stranger.bytes += chunk.length
  if (item === undefined) {
    // Copied after it was looked at: what is judged at once needs no copy of its own.
    stranger.chunks.push(new Uint8Array(chunk))
    return stranger.bytes > LIMITS.graphStrangerBytes
      ? { type: 'reject', why: 'too-long' }
      : undefined
  }
  if (item.kind !== 'message') {
    return { type: 'reject', why: 'code' in item ? item.code : 'not-auth-info' }
  }
  const { message } = item
  if (message.type !== 'AUTH_INFO') return { type: 'reject', why: 'not-auth-info' }
  const bytes = concatBytes(...stranger.chunks, chunk)
  return { type: 'graph', graphId: message.graphId, bytes }
}
