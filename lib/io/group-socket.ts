import { Buffer } from 'node:buffer'
import dgram from 'node:dgram'
import type { Counters } from '../core/counters.js'
import type { Endpoint } from '../core/endpoint.js'
import {
  formatHost,
  hostAddress,
  isMapped,
  isLinkLocal,
  WSD_GROUP_4,
  WSD_GROUP_6,
  type WsdLink,
} from '../discovery/wsd/links.js'

export interface GroupSocketOptions {
  readonly family: 4 | 6
  /** 0: a free port of our own; else one shared with other programs. */
  readonly port: number
  readonly counters: Counters
  readonly receive: (from: Endpoint, zone: string, bytes: Uint8Array) => void
}

/** Groups of WS-Discovery are for the link (SOAP-over-UDP: a TTL of 1). */
const HOPS = 1

/** Addresses are text here: no name is ever looked up. */
function noLookup(
  host: string,
  _options: unknown,
  done: (error: null, address: string, family: number) => void,
): void {
  done(null, host, 0)
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'UNKNOWN'

/**
 * A UDP socket of one family for WS-Discovery: DatagramPort is for IPv6 alone, and this traffic is
 * light. What the system refuses is counted, not thrown.
 */
export class GroupSocket {
  readonly #options: GroupSocketOptions
  readonly #socket: dgram.Socket
  /** Interfaces whose group has been joined, with what the system knows them by. */
  readonly #joined = new Map<string, string>()
  #closed = false

  private constructor(options: GroupSocketOptions, socket: dgram.Socket) {
    this.#options = options
    this.#socket = socket
    socket.on('message', (bytes, source) => {
      this.#onMessage(bytes, source)
    })
    socket.on('error', (error) => {
      options.counters.add(`refused.wsd-receive-${codeOf(error)}`)
    })
    socket.setMulticastTTL(HOPS)
    socket.setMulticastLoopback(true)
    socket.unref()
  }

  /** Undefined, and counted, when the system has no such socket for us. */
  static async open(options: GroupSocketOptions): Promise<GroupSocket | undefined> {
    const { counters, family, port } = options
    try {
      const socket = dgram.createSocket({
        type: family === 4 ? 'udp4' : 'udp6',
        ipv6Only: family === 6,
        reuseAddr: port !== 0,
        lookup: noLookup,
      })
      await new Promise<void>((resolve, reject) => {
        socket.once('error', (error) => {
          socket.close()
          reject(error)
        })
        const address = family === 4 ? '0.0.0.0' : '::'
        socket.bind({ address, port, exclusive: true }, () => {
          socket.removeAllListeners('error')
          resolve()
        })
      })
      return new GroupSocket(options, socket)
    } catch (error) {
      counters.add(`refused.wsd-port-${family}-${codeOf(error)}`)
      return undefined
    }
  }

  get port(): number {
    return this.#socket.address().port
  }

  /** Joins the group where interfaces have come, leaves it where they have gone or changed. */
  join(links: readonly WsdLink[]): void {
    const wanted = new Map<string, string>()
    for (const link of links) {
      const handle = this.#handleOf(link)
      if (handle !== undefined) wanted.set(link.name, handle)
    }
    for (const [name, handle] of this.#joined) {
      if (wanted.get(name) === handle) continue
      this.#joined.delete(name)
      // An interface that no longer exists has taken the membership along.
      this.#attempt('leave', (group) => {
        this.#socket.dropMembership(group, handle)
      })
    }
    for (const [name, handle] of wanted) {
      if (this.#joined.has(name)) continue
      const isJoined = this.#attempt('join', (group) => {
        this.#socket.addMembership(group, handle)
      })
      if (isJoined) this.#joined.set(name, handle)
    }
  }

  /** `link`: where to leave by. */
  send(to: Endpoint, link: WsdLink | undefined, data: Uint8Array): void {
    if (this.#closed) return
    const { counters, family } = this.#options
    const isGroup = to.address[0] === 0xff || to === WSD_GROUP_4
    const handle = link && this.#handleOf(link)
    try {
      if (family === 4 && isGroup && handle !== undefined) {
        this.#socket.setMulticastInterface(handle)
      }
      const isZoned = family === 6 && (isGroup || isLinkLocal(to.address))
      const host = formatHost(to.address) + (isZoned && link ? `%${link.name}` : '')
      this.#socket.send(Buffer.from(data), to.port, host, (error) => {
        if (error !== null) counters.add(`refused.wsd-send-${codeOf(error)}`)
      })
    } catch (error) {
      counters.add(`refused.wsd-send-${codeOf(error)}`)
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
  }

  /** IPv4 knows interfaces by an address, IPv6 by the zone. */
  #handleOf({ addresses, name }: WsdLink): string | undefined {
    const isFour = this.#options.family === 4
    const own = addresses.find(({ address }) => isMapped(address) === isFour)
    if (own === undefined) return undefined
    return isFour ? formatHost(own.address) : `::%${name}`
  }

  #attempt(what: 'join' | 'leave', work: (group: string) => void): boolean {
    const group = this.#options.family === 4 ? WSD_GROUP_4 : WSD_GROUP_6
    try {
      work(formatHost(group.address))
      return true
    } catch (error) {
      this.#options.counters.add(`refused.wsd-${what}-${codeOf(error)}`)
      return false
    }
  }

  #onMessage(bytes: Uint8Array, { address: text, port }: dgram.RemoteInfo): void {
    const [host = '', zone = ''] = text.split('%')
    const address = hostAddress(host)
    if (!this.#closed && address !== undefined && port > 0) {
      this.#options.receive({ address, port }, isLinkLocal(address) ? zone : '', bytes)
    }
  }
}
