// The mode machine of MS-PNRP 3.1.4.2 against a context whose synchronization only takes notes.
import * as assert from 'uvu/assert'
import { type Endpoint } from '#lib/core/endpoint.js'
import { milliseconds, NEVER } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import { SeededRng } from '#lib/core/rng.js'
import { RouteCache } from '#lib/native/route-cache.js'
import { CloudContext } from '#lib/pnrp/context.js'
import { CloudDiscovery } from '#lib/pnrp/cloud-discovery.js'
import { Dialect } from '#lib/pnrp/dialect.js'
import type { CloudScope } from '#lib/pnrp/interface.js'
import type { CloudParts, ConversationOutcome } from '#lib/pnrp/parts.js'
import { test } from '../../harness.js'

const TARGETS: Record<string, string> = {
  global: 'urn:Microsoft Windows Peer Name Resolution Protocol: V4:IPV6:Global',
  'site-local': 'urn:Microsoft Windows Peer Name Resolution Protocol: V4:IPV6:SiteLocal',
  'link-local': 'urn:Microsoft Windows Peer Name Resolution Protocol: V4:IPV6:LinkLocal',
}
const PREFIX = { global: [0x20, 1], 'site-local': [0xfe, 0xc0], 'link-local': [0xfe, 0x80] }

function node(n: number, scope: CloudScope = 'global', port = 3540): Endpoint {
  const address = new Uint8Array(16)
  if (scope !== 'loopback') address.set(PREFIX[scope])
  address[15] = n
  return { address, port }
}
const nodes = (...numbers: number[]) => numbers.map((n) => node(n))

class Bench {
  readonly contacted: number[] = []
  readonly registrations = { size: 0 }
  readonly context: CloudContext
  readonly discovery: CloudDiscovery

  constructor(readonly scope: CloudScope = 'global') {
    this.context = new CloudContext({
      scope,
      rng: new SeededRng(1),
      cache: new RouteCache({ capacity: 32, maxAddresses: 1 }),
      dialect: new Dialect(),
      resolveOnly: false,
    })
    this.discovery = new CloudDiscovery(this.context)
    const start = (to: Endpoint) => {
      this.contacted.push(to.address[15] as number)
    }
    this.context.parts = {
      synchronization: { start },
      registrations: this.registrations,
      discovery: this.discovery,
    } as unknown as CloudParts
    this.context.localEndpoints = [node(1, scope)]
  }

  effects(): string[] {
    const out: string[] = []
    for (let e = this.context.effects.shift(); e; e = this.context.effects.shift()) {
      out.push(e.type === 'ssdp-search' ? `search ${e.searchTarget}` : e.type)
    }
    return out
  }

  /** Since the last call. */
  contacts(): number[] {
    return this.contacted.splice(0)
  }

  wait(us: number): void {
    const { timers } = this.context
    const until = this.context.now + us
    while (timers.next() <= until) {
      this.context.now = Math.max(this.context.now, timers.next())
      timers.takeDue(this.context.now)?.onTimer()
    }
    this.context.now = until
  }

  ends(n: number, outcome: ConversationOutcome): void {
    this.discovery.conversationEnded(node(n, this.scope), outcome)
  }

  seeds(...numbers: number[]): void {
    this.discovery.handleLocalEvent({ type: 'seeds', endpoints: nodes(...numbers) })
  }

  reply(n: number, searchTarget = TARGETS[this.scope] ?? ''): void {
    const endpoint = node(n, this.scope)
    this.discovery.handleLocalEvent({ type: 'ssdp-response', searchTarget, endpoint })
  }

  dropped(reason: string): number {
    return this.context.counters.get(`drop.${reason}`)
  }
}

test('PNRP-3.1.4.2-1 PNRP-3.1.4.2-2 LocalOOB: a conversation with each last-used node', () => {
  const { bench, discovery } = withBench()
  discovery.open([], nodes(2, 3, 4))
  assert.equal(bench.contacts(), [2, 3, 4])
  assert.equal(bench.effects(), [])
  assert.is(discovery.mode, 'ssdp')
})

test('PNRP-3.1.4.2-3 an answer ends the round; the next one begins with the next mode', () => {
  const { bench, discovery } = withBench()
  discovery.open([], nodes(2, 3))
  bench.ends(3, 'answered')
  bench.wait(milliseconds(5000))
  assert.equal(bench.effects(), [])
  assert.is(discovery.mode, 'ssdp')
  assert.is(bench.context.timers.next(), NEVER)
  discovery.round()
  assert.equal(bench.effects(), [`search ${TARGETS['global']}`])
})

test('PNRP-3.1.4.2-4 without an answer the round goes on after a wait', () => {
  const { bench, discovery } = withBench()
  discovery.open([], nodes(2))
  bench.wait(LIMITS.discoveryRememberedUs - 1)
  assert.equal(bench.effects(), [])
  bench.wait(1)
  assert.equal(bench.effects(), [`search ${TARGETS['global']}`])
  bench.wait(LIMITS.discoverySearchUs)
  assert.equal(bench.effects(), ['lookup-seeds'])
})

test('PNRP-3.1.4.2-4 it goes on at once when all that were asked have nobody to offer', () => {
  const { bench, discovery } = withBench()
  discovery.open([], nodes(2, 3))
  bench.ends(2, 'empty')
  bench.wait(0)
  assert.equal(bench.effects(), [])
  bench.ends(3, 'refused')
  bench.wait(0)
  assert.equal(bench.effects(), [`search ${TARGETS['global']}`])
})

test('PNRP-3.1.4.1-9 PNRP-3.1.4.2-5 PNRP-3.1.4.2-6 without endpoints SSDP at once', () => {
  const { bench, discovery } = withBench()
  discovery.open([], [])
  assert.equal(bench.effects(), [`search ${TARGETS['global']}`])
  assert.is(discovery.mode, 'seed-server')
})

test('PNRP-3.1.4.2-7 the round rests after the search', () => {
  const { bench, discovery } = withBench()
  discovery.open(nodes(9), [])
  bench.effects()
  bench.wait(LIMITS.discoverySearchUs - 1)
  assert.equal(bench.effects(), [])
  assert.equal(bench.contacts(), [])
})

test('PNRP-3.1.4.2.2-2 PNRP-3.1.4.2.2-3 the search target has one of three scope words', () => {
  for (const scope of ['global', 'site-local', 'link-local'] as const) {
    const { bench, discovery } = withBench(scope)
    discovery.open([], [])
    assert.equal(bench.effects(), [`search ${TARGETS[scope]}`])
  }
})

test('a loopback cloud has nobody to search for and goes straight to its seeds', () => {
  const { bench, discovery } = withBench('loopback')
  discovery.open([node(1, 'loopback', 3542)], [])
  assert.equal(bench.effects(), ['lookup-seeds'])
  assert.is(bench.contacts().length, 1)
})

test('PNRP-3.1.4.2-8 PNRP-3.1.4.2.1-1 seeds given at opening: a conversation with each', () => {
  const { bench, discovery } = withBench()
  discovery.open(nodes(7, 8), [])
  bench.wait(LIMITS.discoverySearchUs)
  assert.equal(bench.contacts(), [7])
  assert.is(discovery.mode, 'local-oob')
  bench.wait(LIMITS.discoverySeedUs)
  assert.equal(bench.contacts(), [8])
  bench.wait(milliseconds(10_000))
  assert.equal(bench.contacts(), [])
  assert.is(discovery.mode, 'local-oob')
  assert.is(bench.context.timers.next(), NEVER)
})

test('a cloud that has only seeds reaches one in well under a second, also past a dead one', () => {
  const { bench, discovery } = withBench()
  discovery.open(nodes(7, 8), [])
  bench.wait(milliseconds(600))
  assert.equal(bench.contacts(), [7, 8])
})

test('PNRP-3.1.4.2.1-2 PNRP-3.1.4.2.1-4 seed names are looked up each time they are used', () => {
  const { bench, discovery } = withBench()
  discovery.open([], [])
  bench.wait(LIMITS.discoverySearchUs)
  assert.equal(bench.effects().slice(1), ['lookup-seeds'])
  bench.seeds(5, 6)
  assert.equal(bench.contacts(), [5])
  bench.ends(5, 'answered')
  discovery.round()
  bench.wait(LIMITS.discoverySearchUs)
  assert.equal(bench.effects().slice(1), ['lookup-seeds'])
  assert.equal(bench.contacts(), [6])
})

test('PNRP-3.1.4.2.1-3 with no seed at all the mode returns to LocalOOB', () => {
  for (const answer of [true, false]) {
    const { bench, discovery } = withBench()
    discovery.open([], [])
    bench.wait(LIMITS.discoverySearchUs)
    if (answer) bench.seeds()
    else bench.wait(LIMITS.seedLookupUs)
    assert.is(discovery.mode, 'local-oob')
    assert.equal(bench.contacts(), [])
    bench.wait(LIMITS.ssdpSearchUs)
    assert.is(bench.context.timers.next(), NEVER)
  }
})

test('PNRP-3.1.4.2.1-7 PNRP-3.1.4.2.1-8 N-38 the seed index moves on and wraps', () => {
  const { bench, discovery } = withBench()
  bench.seeds(5, 6, 7)
  const next = () => discovery.nextSeed()?.address[15]
  assert.equal([next(), next(), next(), next()], [5, 6, 7, 5])
  bench.seeds(8)
  assert.equal([next(), next()], [8, 8])
  bench.seeds()
  assert.is(next(), undefined)
})

test('N-66 a seed is reached at the port configured for it', () => {
  const { discovery } = withBench()
  discovery.handleLocalEvent({ type: 'seeds', endpoints: [node(5, 'global', 4001)] })
  assert.is(discovery.nextSeed()?.port, 4001)
})

test('a node that is its own seed does not talk to itself', () => {
  const { bench, discovery } = withBench()
  bench.seeds(1, 5)
  assert.is(discovery.nextSeed()?.address[15], 5)
  assert.is(discovery.nextSeed()?.address[15], 5)
  bench.seeds(1)
  assert.is(discovery.nextSeed(), undefined)
})

test('N-67 seeds and last-used nodes: 32 and 10 at most, none of another scope', () => {
  const { bench, discovery } = withBench()
  const many = Array.from({ length: 50 }, (_, i) => node(i + 2))
  discovery.open(many, [node(9, 'link-local'), ...many])
  assert.is(bench.contacts().length, 10)
  assert.is(discovery.remembered.length, 10)
  const seeds = new Set(Array.from({ length: 60 }, () => discovery.nextSeed()?.address[15]))
  assert.is(seeds.size, LIMITS.seeds)
})

test('PNRP-3.1.5.1-1 PNRP-3.1.4.2.2-4 a response with another ST is dropped', () => {
  const { bench, discovery } = withBench()
  bench.reply(5)
  assert.is(bench.dropped('ssdp-search-target'), 1)
  discovery.open([], [])
  bench.reply(5, TARGETS['link-local'])
  assert.is(bench.dropped('ssdp-search-target'), 2)
  assert.equal(bench.contacts(), [])
  bench.reply(5)
  assert.equal(bench.contacts(), [5])
})

test('PNRP-3.1.5.1-3 PNRP-3.1.5.1-4 PNRP-3.1.5.1-5 the first five responses are used', () => {
  const { bench, discovery } = withBench()
  discovery.open([], [])
  for (let n = 10; n < 18; n++) bench.reply(n)
  assert.equal(bench.contacts(), [10, 11, 12, 13, 14])
  assert.is(bench.dropped('ssdp-enough'), 3)
})

test('PNRP-3.1.4.2.2-1 the count of responses starts anew with each search', () => {
  const { bench, discovery } = withBench()
  discovery.open([], [])
  for (let n = 10; n < 16; n++) bench.reply(n)
  bench.ends(10, 'answered')
  bench.contacts()
  discovery.round() // seeds
  bench.seeds()
  discovery.round() // LocalOOB has nobody, so SSDP again
  bench.reply(20)
  assert.equal(bench.contacts(), [20])
})

test('responses that lead to this node itself or nowhere are not counted among the five', () => {
  const { bench, discovery } = withBench()
  discovery.open([], [])
  bench.reply(1)
  discovery.handleLocalEvent({
    type: 'ssdp-response',
    searchTarget: TARGETS['global'] ?? '',
    endpoint: node(3, 'link-local'),
  })
  for (let n = 10; n < 15; n++) bench.reply(n)
  assert.equal(bench.contacts(), [10, 11, 12, 13, 14])
  assert.is(bench.dropped('ssdp-own'), 1)
  assert.is(bench.dropped('ssdp-endpoint'), 1)
})

test('without multicast the seeds follow at once, and the reason is told', () => {
  const { bench, discovery } = withBench()
  discovery.open(nodes(7), [])
  discovery.handleLocalEvent({ type: 'ssdp-unavailable', reason: 'switched off' })
  bench.wait(0)
  assert.equal(bench.contacts(), [7])
  assert.is(
    discovery.describe(),
    'multicast search is not possible (switched off), the seed did not answer',
  )
})

test('exhausted: only when all modes were tried and nothing is under way', () => {
  const { bench, discovery } = withBench()
  assert.is(discovery.exhausted, false)
  discovery.open(nodes(7), [])
  bench.wait(LIMITS.discoverySearchUs)
  bench.wait(LIMITS.discoverySeedUs)
  assert.is(discovery.exhausted, false) // the search may still be answered
  bench.ends(7, 'unanswered')
  assert.is(discovery.exhausted, false)
  // The timer makes the cloud look again at that very moment.
  bench.wait(bench.context.timers.next() - bench.context.now)
  assert.is(bench.context.now, LIMITS.ssdpSearchUs)
  assert.is(discovery.exhausted, true)
  assert.is(bench.context.timers.next(), NEVER)
  assert.is(discovery.describe(), 'nobody answered the multicast search, the seed did not answer')
  bench.ends(12, 'answered')
  assert.is(discovery.exhausted, false)
})

test('exhausted: a conversation that never reports its end does not count for ever', () => {
  const { bench, discovery } = withBench('loopback')
  discovery.open([node(5, 'loopback')], [])
  bench.discovery.handleLocalEvent({ type: 'seeds', endpoints: [node(1, 'loopback', 4000)] })
  assert.is(bench.contacts().length, 1)
  bench.wait(milliseconds(1999))
  assert.is(discovery.exhausted, false)
  bench.wait(milliseconds(1))
  assert.is(discovery.exhausted, true)
})

test('describe says what was tried and how it went', () => {
  const { bench, discovery } = withBench()
  assert.is(discovery.describe(), 'nobody has been asked yet')
  discovery.open(nodes(7, 8), nodes(2, 3))
  bench.wait(LIMITS.discoveryRememberedUs)
  const asked = 'none of 2 last-used nodes answered, nobody has answered the multicast search yet'
  assert.is(discovery.describe(), asked)
  bench.reply(9)
  bench.ends(9, 'empty')
  bench.wait(LIMITS.discoverySearchUs + LIMITS.discoverySeedUs)
  bench.ends(8, 'answered')
  assert.is(
    discovery.describe(),
    'none of 2 last-used nodes answered, ' +
      'the node found by multicast answered but knows nobody else, 1 of 2 seeds answered',
  )
  bench.context.localEndpoints = []
  assert.is(discovery.describe(), 'this host has no address in the cloud')
})

test('without a local address nothing is sent', () => {
  const { bench, discovery } = withBench()
  bench.context.localEndpoints = []
  discovery.open(nodes(7), nodes(2))
  bench.wait(milliseconds(9999))
  assert.equal(bench.contacts(), [])
  assert.equal(bench.effects(), [])
})

test('a round under way is not started twice', () => {
  const { bench, discovery } = withBench()
  discovery.open([], nodes(2))
  discovery.round()
  discovery.round()
  assert.equal(bench.contacts(), [2])
})

test('closing forgets everything', () => {
  const { bench, discovery } = withBench()
  discovery.open(nodes(7), nodes(2))
  discovery.close()
  bench.wait(milliseconds(9999))
  bench.contacts()
  bench.reply(5)
  assert.equal(bench.contacts(), [])
  assert.equal(discovery.remembered, [])
  assert.is(discovery.nextSeed(), undefined)
})

function withBench(scope?: CloudScope) {
  const bench = new Bench(scope)
  return { bench, discovery: bench.discovery }
}

test('a node asked before we had an ID, and that knew nobody, hears of us when we have one', () => {
  const bench = new Bench()
  bench.discovery.open([], nodes(7))
  assert.equal(bench.contacts(), [7])
  bench.ends(7, 'empty')
  assert.equal(bench.contacts(), [])
  bench.registrations.size = 1
  bench.discovery.introduce()
  assert.equal(bench.contacts(), [7])
  // It has heard of us; in a moment it may have heard of others.
  bench.ends(7, 'empty')
  assert.equal(bench.contacts(), [])
  for (const delayUs of LIMITS.reintroduceUs) {
    bench.wait(delayUs)
    assert.equal(bench.contacts(), [7])
    bench.ends(7, 'empty')
  }
  bench.wait(10_000_000)
  assert.equal(bench.contacts(), [])
})

test('an ID registered while a conversation is under way is shown in another one', () => {
  const bench = new Bench()
  bench.discovery.open([], nodes(7))
  bench.registrations.size = 1
  bench.discovery.introduce()
  assert.equal(bench.contacts(), [7])
  bench.ends(7, 'empty')
  assert.equal(bench.contacts(), [7])
})

test.run()
