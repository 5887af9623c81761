import { formatEndpoint } from '../core/address-text.js'
import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import type { GraphEvent as MachineEvent } from '../graph/interface.js'
import { DirectConnection, type DirectHost } from './direct-connection.js'
import { EventStream } from './event-stream.js'
import { nodeIdText } from './graph-events.js'

type ConnectionEvent = Extract<MachineEvent, { type: 'connection' }>

/** The direct connections of one graph object, and who waits for them. */
export class DirectConnections {
  readonly #host: DirectHost
  readonly #allow: (allow: boolean) => void
  readonly #open = new Map<number, DirectConnection>()
  readonly #waiting = new Set<EventStream<DirectConnection>>()

  /** @param allow has incoming ones accepted, or refused (MS-PPGRH 3.1.4.7) */
  constructor(host: DirectHost, allow: (allow: boolean) => void) {
    this.#host = {
      ...host,
      disconnect: (connection) => {
        this.#open.delete(connection)
        // Its end has to be seen.
        host.pause(connection, false)
        host.disconnect(connection)
      },
    }
    this.#allow = allow
  }

  get(connection: number): DirectConnection | undefined {
    return this.#open.get(connection)
  }

  /** Those that come in from now on. */
  listen(): EventStream<DirectConnection> {
    const onReturn = (): void => {
      this.#waiting.delete(stream)
      if (this.#waiting.size === 0) this.#allow(false)
    }
    // Another reader may have got it.
    const onLost = (direct: DirectConnection): void => {
      if (this.#waiting.size <= 1) direct.destroy()
    }
    const stream: EventStream<DirectConnection> = new EventStream(
      LIMITS.graphDirectWaiting,
      onReturn,
      { onLost },
    )
    this.#waiting.add(stream)
    if (this.#waiting.size === 1) this.#allow(true)
    return stream
  }

  changed(event: ConnectionEvent): void {
    const { change, connection, incoming, remote, nodeId, peerId, end } = event
    if (change !== 'connected') {
      this.#open.get(connection)?.over(end)
      this.#open.delete(connection)
      return
    }
    const direct = new DirectConnection(this.#host, {
      connection,
      incoming,
      remote: formatEndpoint(remote),
      ...(nodeId === undefined ? {} : { nodeId: nodeIdText(nodeId) }),
      ...(peerId === undefined ? {} : { peerId }),
    })
    this.#open.set(connection, direct)
    // One that nobody listens to must not bring the process down when its peer vanishes.
    direct.on('error', () => {})
    if (incoming) for (const stream of this.#waiting) stream.push(direct)
  }

  received(connection: number, dataType: Guid, data: Uint8Array): void {
    this.#open.get(connection)?.receive(dataType, data)
  }

  /** The graph is closed. */
  end(): void {
    for (const direct of this.#open.values()) direct.over('leaving')
    this.#open.clear()
    for (const stream of this.#waiting) stream.end()
    this.#waiting.clear()
  }
}
