import { endpointKey, type Endpoint } from '../core/endpoint.js'
import { milliseconds, NEVER, type Instant } from '../core/instant.js'

const REMEMBERED_MAX = 4096

interface Firewall {
  readonly timeoutUs: number
  /** When the host last sent to an endpoint, oldest first. */
  readonly lastSent: Map<string, Instant>
}

/**
 * Stateful filters before some hosts, as home routers have them: a packet comes in only from an
 * endpoint to which the host has sent shortly before (RFC 4787 5, address and port-dependent).
 */
export class Firewalls {
  readonly #firewalls = new Map<number, Firewall>()

  /** Puts a filter before a host. @param timeoutMs how long a sent packet lets answers in */
  add(host: number, timeoutMs: number): void {
    this.#firewalls.set(host, { timeoutUs: milliseconds(timeoutMs), lastSent: new Map() })
  }

  remove(host: number): void {
    this.#firewalls.delete(host)
  }

  sent(now: Instant, host: number, to: Endpoint): void {
    const firewall = this.#firewalls.size === 0 ? undefined : this.#firewalls.get(host)
    if (firewall === undefined) return
    const key = endpointKey(to)
    firewall.lastSent.delete(key)
    firewall.lastSent.set(key, now)
    if (firewall.lastSent.size <= REMEMBERED_MAX) return
    const oldest = firewall.lastSent.keys().next()
    if (oldest.done !== true) firewall.lastSent.delete(oldest.value)
  }

  admits(now: Instant, host: number, from: Endpoint): boolean {
    const firewall = this.#firewalls.size === 0 ? undefined : this.#firewalls.get(host)
    if (firewall === undefined) return true
    const sentAt = firewall.lastSent.get(endpointKey(from)) ?? -NEVER
    return now - sentAt <= firewall.timeoutUs
  }
}
