import { endpointKey, type Endpoint } from '../core/endpoint.js'
import { addressKind, commonAddressBits } from '../core/ipv6.js'
import { LIMITS } from '../core/limits.js'
import type { DatagramPort } from '../io/datagram-port.js'

/**
 * The ports of one node, one for each local address (at most four), and the choice among them: an
 * answer leaves by the port that the question came in at, because its receiver compares addresses
 * (N-35); whatever else goes where it went before, or by the address most like the destination.
 */
export class NodePorts {
  #ports: DatagramPort[] = []
  /** Of nodes with several ports; the least recent is forgotten first. */
  readonly #paths = new Map<string, DatagramPort>()

  get all(): readonly DatagramPort[] {
    return this.#ports
  }

  add(port: DatagramPort): void {
    this.#ports.push(port)
  }

  remove(port: DatagramPort): void {
    this.#ports = this.#ports.filter((other) => other !== port)
    for (const [key, path] of this.#paths) if (path === port) this.#paths.delete(key)
    port.close()
  }

  /** Something came from there by this port. */
  remember(from: Endpoint, port: DatagramPort): void {
    if (this.#ports.length < 2) return
    const key = endpointKey(from)
    this.#paths.delete(key)
    if (this.#paths.size >= LIMITS.rememberedPaths) {
      for (const oldest of this.#paths.keys()) {
        this.#paths.delete(oldest)
        break
      }
    }
    this.#paths.set(key, port)
  }

  /** The port to send by; undefined without ports. */
  choose(to: Endpoint): DatagramPort | undefined {
    if (this.#ports.length < 2) return this.#ports[0]
    return this.#paths.get(endpointKey(to)) ?? this.#nearest(to.address)
  }

  /** RFC 3484 5, rules 2 and 8: the same kind of address, then the longest common prefix. */
  #nearest(to: Uint8Array): DatagramPort | undefined {
    const kind = addressKind(to)
    let best: DatagramPort | undefined
    let bestBits = -1
    for (const port of this.#ports) {
      const sameKind = addressKind(port.address) === kind ? 129 : 0
      const bits = sameKind + commonAddressBits(port.address, to)
      if (bits > bestBits) {
        best = port
        bestBits = bits
      }
    }
    return best
  }

  close(): void {
    for (const port of this.#ports) port.close()
    this.#paths.clear()
  }
}
