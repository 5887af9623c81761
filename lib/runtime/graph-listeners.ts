import type { Socket } from 'node:net'
import { bytesKey } from '../core/bytes.js'
import { Counters } from '../core/counters.js'
import { PeernetError } from '../core/errors.js'
import { formatEndpoint } from '../core/address-text.js'
import type { Instant } from '../core/instant.js'
import { GraphAcceptor } from '../graph/acceptor.js'
import { TcpListener, TcpStream, type StreamOwner } from '../io/tcp.js'
import type { TurnNode, Turns } from './turns.js'

/** Where a graph listens. */
export interface ListenAddress {
  readonly address: Uint8Array
  /** Interface index of a link-local address, else 0. */
  readonly scopeId: number
}

/** A graph that takes connections over. */
export interface GraphUser {
  readonly graphId: string
  /** Its bytes so far are those of its first message; they are valid during the call only. */
  adopt(stream: TcpStream, bytes: Uint8Array): void
}

interface Shared {
  readonly listener: Promise<TcpListener>
  readonly users: Map<string, GraphUser>
}

/**
 * The listening sockets of all graphs of a process. Graphs may share a port: AUTH_INFO says which
 * one a stranger wants (MS-PPGRH 3.1.5.1.1).
 */
export class GraphListeners implements TurnNode, StreamOwner {
  readonly counters = new Counters()
  readonly #turns: Turns
  readonly #acceptor = new GraphAcceptor()
  readonly #shared = new Map<string, Shared>()
  /** Connections that have not said what they want, and where they came in. */
  readonly #strangers = new Map<number, { readonly stream: TcpStream; readonly at: Shared }>()
  #nextStranger = 1

  constructor(turns: Turns) {
    this.#turns = turns
  }

  /**
   * Listens for a graph; port 0 is any free one. Returns the port. Rejects as `TcpListener.open`
   * does, and with ERR_PEERNET_PORT_IN_USE when a node of the same graph listens there.
   */
  async open(user: GraphUser, where: ListenAddress, port: number): Promise<number> {
    const known = this.#shared.get(keyOf(where, port))
    if (known?.users.has(user.graphId) === true) {
      throw new PeernetError(
        'ERR_PEERNET_PORT_IN_USE',
        `a node of this graph listens on ${formatEndpoint({ ...where, port })} already; ` +
          'choose another port (0: any free one)',
      )
    }
    if (known !== undefined) {
      known.users.set(user.graphId, user)
      return (await known.listener).local.port
    }
    const users = new Map([[user.graphId, user]])
    const late: { shared?: Shared } = {}
    const listener = TcpListener.open({ ...where, port }, (socket) => {
      if (late.shared !== undefined) this.#welcome(socket, late.shared)
    })
    const shared: Shared = { listener, users }
    late.shared = shared
    if (port !== 0) this.#shared.set(keyOf(where, port), shared)
    try {
      const { local } = await listener
      this.#shared.set(keyOf(where, local.port), shared)
      return local.port
    } catch (error) {
      if (port !== 0) this.#shared.delete(keyOf(where, port))
      throw error
    }
  }

  /** Listens no more for this graph; the last one closes the socket. */
  close(user: GraphUser, where: ListenAddress, port: number): void {
    const key = keyOf(where, port)
    const shared = this.#shared.get(key)
    if (shared?.users.get(user.graphId) !== user) return
    shared.users.delete(user.graphId)
    if (shared.users.size > 0) return
    this.#shared.delete(key)
    void shared.listener.then((listener) => {
      listener.close()
    })
    for (const [id, { stream, at }] of this.#strangers) {
      if (at !== shared) continue
      stream.destroy()
      this.#forget(id)
    }
    this.#arm()
  }

  // --- StreamOwner, for strangers

  streamConnected(): void {
    // Only accepted streams are here.
  }

  streamWritten(): void {
    // Nothing is written to strangers.
  }

  streamData(stream: TcpStream, chunk: Uint8Array): void {
    const now = this.#turns.clock.now()
    const verdict = this.#acceptor.handleBytes(now, stream.tag, chunk)
    if (verdict === undefined) return
    const stranger = this.#strangers.get(stream.tag)
    this.#strangers.delete(stream.tag)
    this.#arm()
    const user = verdict.type === 'graph' ? stranger?.at.users.get(verdict.graphId) : undefined
    if (verdict.type === 'graph' && user !== undefined) {
      user.adopt(stream, verdict.bytes)
      return
    }
    // 3.1.5.1.1: no answer to who asks for what is not here.
    this.counters.add(`refused.${verdict.type === 'reject' ? verdict.why : 'unknown-graph'}`)
    stream.destroy()
  }

  streamClosed(stream: TcpStream): void {
    this.#acceptor.closed(stream.tag)
    this.#forget(stream.tag)
    this.#arm()
  }

  // --- TurnNode

  pump(): void {
    // It has nothing to say.
  }

  wallClock(): void {
    // It does not care.
  }

  timeout(now: Instant): void {
    for (const id of this.#acceptor.handleTimeout(now)) {
      this.counters.add('refused.silent')
      this.#strangers.get(id)?.stream.destroy()
      this.#forget(id)
    }
    this.#arm()
  }

  #welcome(socket: Socket, at: Shared): void {
    const stream = TcpStream.accepted(socket, this)
    stream.tag = this.#nextStranger++
    if (!this.#acceptor.accept(this.#turns.clock.now(), stream.tag, stream.remote)) {
      this.counters.add('refused.too-many')
      stream.destroy()
      return
    }
    this.#strangers.set(stream.tag, { stream, at })
    this.#arm()
  }

  #forget(id: number): void {
    this.#acceptor.closed(id)
    this.#strangers.delete(id)
  }

  #arm(): void {
    this.#turns.setDeadline(this, this.#acceptor.pollTimeout())
  }
}

function keyOf({ address, scopeId }: ListenAddress, port: number): string {
  return `${bytesKey(address)}%${scopeId}|${port}`
}
