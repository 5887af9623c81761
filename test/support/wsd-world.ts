// Discovery on a link under virtual time: what a machine sends is handed on by the test.
import type { Endpoint } from '#lib/core/endpoint.js'
import { SeededRng } from '#lib/core/rng.js'
import { WsdAgent, type WsdAgentOptions, type WsdTransmit } from '#lib/discovery/wsd/agent.js'
import type { ClientEvent } from '#lib/discovery/wsd/client.js'
import { hostAddress, type WsdLink } from '#lib/discovery/wsd/links.js'
import type { DiscoveryMessage, Probe, ProbeMatches } from '#lib/discovery/wsd/messages.js'
import { decodeDiscovery } from '#lib/discovery/wsd/read.js'
import type { AvailableSegment } from '#lib/discovery/wsd/responder.js'
import { encodeDiscovery } from '#lib/discovery/wsd/write.js'

export function address(text: string): Uint8Array {
  const bytes = hostAddress(text)
  if (bytes === undefined) throw new Error(`no address: ${text}`)
  return bytes
}

export const at = (host: string, port: number): Endpoint => ({ address: address(host), port })

export const segment = (byte: number, length = 32): Uint8Array => new Uint8Array(length).fill(byte)

/** A link with addresses of both families. */
export function linkWith(number: number, name = 'eth0'): WsdLink {
  return {
    name,
    addresses: [
      { address: address(`192.0.2.${number}`), prefixBits: 96 + 24 },
      { address: address(`fe80::${number}`), prefixBits: 64 },
      { address: address(`2001:db8::${number}`), prefixBits: 64 },
    ],
  }
}

export function uuid(number: number): string {
  return `urn:uuid:00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
}

export function probe(number: number, ids: readonly Uint8Array[], version: 1 | 2 = 1): Probe {
  return { type: 'probe', version, messageId: uuid(number), segmentIds: ids }
}

/** A cache of segments, by their first byte. */
export class Shelf {
  readonly #held = new Map<number, AvailableSegment>()

  put(byte: number, blocks: number, isComplete = true, ageMs = 0): void {
    this.#held.set(byte, { blocks, isComplete, ageMs })
  }

  remove(byte: number): void {
    this.#held.delete(byte)
  }

  get(id: Uint8Array): AvailableSegment | undefined {
    return this.#held.get(id[0] as number)
  }
}

/** An agent with its polls taken together. */
export class Host {
  readonly agent: WsdAgent
  readonly shelf = new Shelf()
  readonly stored: number[] = []

  constructor(number: number, options: Partial<WsdAgentOptions> = {}) {
    this.agent = new WsdAgent({ rng: new SeededRng(number), ...options })
    this.agent.setLinks([linkWith(number)])
  }

  announces(port = 8008, wallMs = 1_000_000, storedInstance?: number): void {
    this.agent.announce({ segments: this.shelf, port, wallMs, storedInstance })
    for (let one = this.agent.pollEffect(); one !== undefined; one = this.agent.pollEffect()) {
      this.stored.push(one.instanceId)
    }
  }

  hears(now: number, from: Endpoint, message: DiscoveryMessage | Uint8Array, zone = ''): void {
    const bytes = message instanceof Uint8Array ? message : encodeDiscovery(message)
    this.agent.handleDatagram(now, from, zone, bytes)
  }

  sent(): WsdTransmit[] {
    const all: WsdTransmit[] = []
    for (let out = this.agent.pollTransmit(); out !== undefined; out = this.agent.pollTransmit()) {
      all.push(out)
    }
    return all
  }

  /** Advances to `now`, timer by timer; what was sent meanwhile, with its moment. */
  runTo(now: number): (WsdTransmit & { readonly at: number })[] {
    const all: (WsdTransmit & { readonly at: number })[] = []
    for (;;) {
      const next = this.agent.pollTimeout()
      if (next > now) return all
      this.agent.handleTimeout(next)
      all.push(...this.sent().map((out) => ({ ...out, at: next })))
    }
  }

  events(): ClientEvent[] {
    const all: ClientEvent[] = []
    for (let one = this.agent.pollEvent(); one !== undefined; one = this.agent.pollEvent()) {
      all.push(one)
    }
    return all
  }

  count(name: string): number {
    return this.agent.counters.get(name)
  }
}

export function probeIn(out: WsdTransmit | undefined): Probe {
  const message = out && decodeDiscovery(out.data)
  if (typeof message !== 'object' || message.type !== 'probe') throw new Error('no probe')
  return message
}

export function answerIn(out: WsdTransmit | undefined): ProbeMatches {
  const message = out && decodeDiscovery(out.data)
  if (typeof message !== 'object' || message.type !== 'probe-matches') throw new Error('no answer')
  return message
}
