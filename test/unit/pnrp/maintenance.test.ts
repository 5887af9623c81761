// MS-PNRP 3.1.6.2 and 3.2.6.2: what a node does unasked.
import * as assert from 'uvu/assert'
import { sameEndpoint } from '#lib/core/endpoint.js'
import { minutes, seconds } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import { askNow } from '#lib/pnrp/liveness.js'
import { ResolveCriteria, ResolveReason, type PnrpId, type RouteEntry } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import {
  at,
  entry,
  globalAt,
  offset,
  PublisherHarness,
  toId,
  toNumber,
  type Sent,
} from '../../support/publisher-harness.js'

/** A node that knows so many others, evenly spread. */
function cloudOf(count: number): {
  harness: PublisherHarness
  id: PnrpId
  place: (n: number) => PnrpId
} {
  const harness = new PublisherHarness()
  const id = harness.register()
  const place = (n: number): PnrpId => offset(id, (BigInt(n) << 256n) / BigInt(count + 1))
  for (let n = 1; n <= count; n++) harness.admit(place(n), at(4000 + n))
  harness.context.exchanges.clear()
  harness.sent()
  harness.resolves.length = 0
  return { harness, id, place }
}

const isPing = (sent: Sent): boolean => sent.reason === 'ping'

/**
 * Lets time pass in small steps; only nodes on `dead` ports leave liveness checks and leaf set
 * probes unanswered (`deafTo` 'pings': the checks only).
 */
function passWithDead(
  harness: PublisherHarness,
  us: number,
  dead: readonly number[],
  deafTo: 'all' | 'pings' = 'all',
): Sent[] {
  const seen: Sent[] = []
  const until = harness.context.now + us
  while (harness.context.now < until) {
    harness.pass(100_000)
    for (const sent of harness.sent()) {
      seen.push(sent)
      const deaf = deafTo === 'all' || isPing(sent)
      if (deaf && dead.includes(sent.to.port)) continue
      if (sent.message.type === 'INQUIRE' || sent.message.type === 'LOOKUP') harness.reply(sent)
    }
  }
  return seen
}

test('PNRP-3.1.6.2-1 with no other member known discovery is invoked', () => {
  const harness = new PublisherHarness({ seeds: [at(9000)] })
  harness.register()
  harness.maintenance.tick()
  assert.is(harness.discoveryRounds, 1)
  harness.cache(toId(5n), at(4001))
  harness.maintenance.tick()
  assert.is(harness.discoveryRounds, 1)
})

test('liveness: an entry that nothing else proved is asked within 22 s, by a plain INQUIRE', () => {
  const { harness, place } = cloudOf(1)
  harness.pass(seconds(22) + LIMITS.livenessTickUs)
  const pings = harness.sent().filter(isPing)
  assert.ok(pings.length >= 1)
  const [first] = pings
  assert.ok(first?.message.type === 'INQUIRE')
  assert.equal(first.message.validatePnrpId, place(1))
  const { wantCpa, wantCertificateChain, wantExtendedPayload } = first.message
  assert.equal([wantCpa, wantCertificateChain, wantExtendedPayload], [false, false, false])
  assert.is(first.message.nonce, undefined)
})

test('liveness: half a minute after a node of a small cloud died, the cache does not hold it', () => {
  for (const count of [1, 5, 31, 50]) {
    const { harness } = cloudOf(count)
    // A steady state first, then one dies.
    passWithDead(harness, seconds(41), [])
    const { size } = harness.context.cache
    const victim = harness.context.cache.random(1234567)
    assert.ok(victim)
    passWithDead(harness, seconds(30), [victim.port])
    assert.not.ok(harness.context.cache.has(victim.pnrpId), `of ${count}`)
    assert.is(harness.context.cache.size, size - 1)
  }
})

test('liveness: nodes that all publish the same name are not taken for a big cloud', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  // The upper half of their IDs is the same, so that they all lie in one corner of the ring.
  for (let n = -6; n <= 6; n++) {
    if (n !== 0) harness.admit(offset(id, BigInt(n) << 100n), at(4000 + n))
  }
  harness.context.exchanges.clear()
  harness.sent()
  passWithDead(harness, seconds(61), [])
  const asked = passWithDead(harness, seconds(25), []).filter(isPing)
  assert.is(new Set(asked.map(({ to }) => to.port)).size, 12)
})

test('liveness: the load is level, and modest', () => {
  const { harness } = cloudOf(50)
  passWithDead(harness, seconds(60), [])
  const perTick: number[] = []
  for (let i = 0; i < 40; i++) {
    perTick.push(passWithDead(harness, LIMITS.livenessTickUs, []).filter(isPing).length)
  }
  const total = perTick.reduce((a, b) => a + b)
  // 50 entries each 22 s: 2.3 a second, 5.7 a tick.
  assert.ok(total / 40 <= 6.5, `${total / 40} a tick`)
  assert.ok(Math.max(...perTick) <= 9, perTick.join(' '))
})

test('liveness: entries that all came at once are asked a few at a time', () => {
  const tick = seconds(2.5)
  let left = 50
  const asked: number[] = []
  for (let slack = seconds(22); left > 0; slack -= tick) {
    assert.ok(slack >= 0, 'in time')
    const now = askNow(Array<number>(left).fill(slack), tick)
    asked.push(now)
    left -= now
  }
  assert.ok(Math.max(...asked) <= 7, asked.join(' '))
})

test('liveness: a node that misses one check is asked again before it is given up', () => {
  const { harness, place } = cloudOf(3)
  const missed = (): boolean =>
    passWithDead(harness, seconds(0.5), [4002], 'pings').some(
      (sent) => isPing(sent) && sent.to.port === 4002,
    )
  for (let i = 0; i < 60 && !missed(); i++);
  // First transmission seen; unanswered it is repeated, then asked anew, and that one is answered.
  harness.pass(seconds(2))
  const again = harness.sent().filter((sent) => isPing(sent) && sent.to.port === 4002)
  const last = again.at(-1)
  assert.ok(last)
  harness.reply(last)
  assert.ok(harness.context.cache.has(place(2)))
  passWithDead(harness, seconds(60), [])
  assert.ok(harness.context.cache.has(place(2)))
})

test('liveness: a node that proves itself to others meanwhile is not lost', () => {
  const { harness, place } = cloudOf(3)
  for (let i = 0; i < 400 && harness.context.cache.size === 3; i++) {
    for (const sent of passWithDead(harness, 100_000, [4002], 'pings')) {
      // Whenever it is asked by this part, another part hears from it a moment later.
      if (isPing(sent) && sent.to.port === 4002) {
        harness.context.cache.touch(place(2), harness.context.now + 1)
      }
    }
  }
  assert.ok(harness.context.cache.has(place(2)))
  assert.is(harness.counter('cache.removed-dead'), 0)
})

test('liveness: N removes the entry, an answer proves it', () => {
  const { harness, place } = cloudOf(2)
  const asked = (port: number): Sent => {
    for (let i = 0; i < 300; i++) {
      const seen = passWithDead(harness, 100_000, [4001, 4002], 'pings')
      const ping = seen.find((sent) => isPing(sent) && sent.to.port === port)
      if (ping !== undefined) return ping
    }
    throw new Error('never asked')
  }
  harness.reply(asked(4001), { notFound: true })
  assert.not.ok(harness.context.cache.has(place(1)))
  harness.reply(asked(4002))
  assert.is(harness.context.cache.get(place(2))?.validatedAt, harness.context.now)
})

test('liveness: with a node all its entries go', () => {
  const { harness, id } = cloudOf(4)
  const twin = offset(id, 12345n)
  harness.admit(twin, at(4002))
  harness.context.exchanges.clear()
  harness.sent()
  passWithDead(harness, seconds(40), [4002])
  assert.not.ok(harness.context.cache.has(twin))
  assert.is(harness.context.cache.size, 3)
})

// RFC 3484 rule 9: of two addresses, the one that shares more bits with ours (…::1) is taken. So a
// node at …::2 is reached there although its entry names somebody else's address first.
const ours = globalAt(1)
const honest = globalAt(0xff00)
const attacker = globalAt(2)
const entryOfBoth = (pnrpId: PnrpId): RouteEntry => ({
  pnrpId,
  port: 3540,
  addresses: [honest.address, attacker.address],
})

test('liveness: only what is reached at the silent endpoint goes, not what else its entry names', () => {
  const harness = new PublisherHarness({ scope: 'global', endpoints: [ours] })
  const id = harness.register()
  const places = [1n, 2n, 3n, 4n].map((n) => offset(id, n << 253n)) as [
    PnrpId,
    PnrpId,
    PnrpId,
    PnrpId,
  ]
  const [first, second, evil, twin] = places
  harness.admit(first, honest)
  harness.admit(second, honest)
  harness.context.cache.insert(entryOfBoth(evil), harness.context.now)
  harness.context.cache.insert(entryOfBoth(twin), harness.context.now)
  harness.context.exchanges.clear()
  harness.sent()
  const until = harness.context.now + seconds(40)
  while (harness.context.now < until) {
    harness.pass(100_000)
    for (const sent of harness.sent()) {
      if (isPing(sent) ? !sameEndpoint(sent.to, attacker) : sent.message.type === 'LOOKUP') {
        harness.reply(sent)
      }
    }
  }
  const left = places.map((pnrpId) => harness.context.cache.has(pnrpId))
  assert.equal(left, [true, true, false, false], 'all share a port, and the first address')
})

test('a lost node is looked for, and a flooded one listed, where it was reached', () => {
  const harness = new PublisherHarness({ scope: 'global', endpoints: [ours] })
  const id = harness.register()
  const evil = entryOfBoth(offset(id, 1n << 254n))
  harness.context.cache.insert(evil, harness.context.now)
  harness.flooding.entryCached(evil, { via: 'RESOLVE', from: attacker })
  assert.equal(harness.sole('FLOOD').message.floodedList, [ours, attacker])
  harness.maintenance.nodeLost(evil.pnrpId)
  assert.equal(harness.submitted.at(-1)?.origin.from, attacker)
  harness.maintenance.tick()
  assert.equal(harness.solicited, [attacker])
})

test('liveness in a big cloud: leaf set within half a minute, the rest slowly, under one a second', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  const gap = 1n << 244n // about 4096 nodes
  for (let n = 1; n <= 5; n++) {
    harness.admit(offset(id, gap * BigInt(n)), at(4000 + n))
    harness.admit(offset(id, -gap * BigInt(n)), at(4100 + n))
  }
  for (let n = 1; n <= 40; n++) harness.admit(offset(id, (BigInt(n) << 256n) / 41n), at(4200 + n))
  harness.context.exchanges.clear()
  harness.sent()
  passWithDead(harness, minutes(4), [])
  const pings = passWithDead(harness, minutes(2), []).filter(isPing)
  assert.ok(pings.length < 120, `${pings.length} in two minutes`)
  const leaf = new Map<number, number>()
  for (const { to } of pings) if (to.port < 4200) leaf.set(to.port, (leaf.get(to.port) ?? 0) + 1)
  assert.is(leaf.size, 10)
  for (const [port, count] of leaf) assert.ok(count >= 3, `${port} ${count} times`)
})

test('PNRP-3.2.1.1-2 a leaf set that changed is completed by asking its members', () => {
  const { harness, id, place } = cloudOf(20)
  harness.registrations.neighboursChanged([id])
  harness.pass(seconds(1.5))
  // Some have been retransmitted by now.
  const all = harness.sentOf('LOOKUP')
  const probes = all.filter(
    ({ message }, i) => all.findIndex((one) => one.message.messageId === message.messageId) === i,
  )
  assert.is(probes.length, 2, 'one member on each side')
  // 21 places around the ring: the fifth members are at 5/21 and 16/21 from us, half way 5/42.
  const targets = probes.map(({ message }) => toNumber(offset(message.targetPnrpId, -toNumber(id))))
  const near = (a: bigint, b: bigint): boolean => a - b < 1n << 200n && b - a < 1n << 200n
  const half = (5n << 256n) / 42n
  assert.ok(targets.some((target) => near(target, half)))
  assert.ok(targets.some((target) => near(target, (1n << 256n) - half)))
  for (const { message } of probes) {
    assert.is(message.resolveReasonCode, ResolveReason.CACHE_MAINTENANCE)
    assert.is(message.acceptNotCloser, true)
    assert.equal(message.routeEntry, entry(id, at(3540)))
    const flagged = message.flaggedPath.map(({ port }) => port)
    assert.is(flagged[0], 3540)
    assert.is(flagged.length, 10, 'we and the nine others')
    assert.ok(message.flaggedPath.length <= 22)
  }
  const news = entry(offset(place(1), -5n), at(7000))
  harness.reply(probes[0] as Sent, { routeEntry: news })
  assert.equal(harness.submitted.at(-1), {
    entry: news,
    origin: { via: 'AUTHORITY', from: probes[0]?.to },
  })
})

test('a member that does not answer such a question leaves the cache and the gap is asked about', () => {
  const { harness, id } = cloudOf(20)
  harness.registrations.neighboursChanged([id])
  harness.pass(seconds(2))
  const [probe] = harness.sentOf('LOOKUP')
  const member = probe?.message.validatePnrpId as PnrpId
  harness.pass(seconds(2))
  assert.not.ok(harness.context.cache.has(member))
  // It was in the leaf set: so others are asked who takes its place.
  harness.pass(seconds(2))
  assert.ok(harness.sentOf('LOOKUP').length > 0)
})

test('each tick asks one leaf set member about one of our IDs, of a few at most', () => {
  const { harness } = cloudOf(20)
  harness.maintenance.tick()
  assert.is(harness.sentOf('LOOKUP').length, 1)
  for (let i = 0; i < 20; i++) harness.register({ classifier: `name ${i}` })
  harness.maintenance.tick()
  assert.is(harness.sentOf('LOOKUP').length, LIMITS.leafProbesPerTurn)
})

test('a node that was lost is remembered, asked again, and forgotten once it is back', () => {
  const { harness, place } = cloudOf(20)
  harness.maintenance.nodeLost(place(3))
  assert.not.ok(harness.context.cache.has(place(3)))
  assert.equal(harness.submitted.at(-1)?.entry.pnrpId, place(3), 'at once: packets get lost')
  harness.submitted.length = 0
  harness.maintenance.tick()
  assert.equal(
    harness.submitted.map((submitted) => submitted.entry.pnrpId),
    [place(3)],
  )
  harness.cache(place(3), at(4003))
  harness.submitted.length = 0
  harness.maintenance.tick()
  assert.equal(harness.submitted, [])
})

test('when one of the lost returns all others are asked at once', () => {
  const { harness, place } = cloudOf(20)
  for (const n of [3, 4, 5, 6]) harness.maintenance.nodeLost(place(n))
  harness.submitted.length = 0
  harness.maintenance.tick()
  assert.is(harness.submitted.length, 1)
  harness.cache(place(4), at(4004))
  harness.submitted.length = 0
  harness.maintenance.tick()
  assert.is(harness.submitted.length, 3)
})

test('only a few lost nodes are remembered, those of leaf sets first, and not for ever', () => {
  const { harness, place } = cloudOf(60)
  // The far ones first; then the leaf set, which must push them out.
  for (let n = 15; n <= 45; n++) harness.maintenance.nodeLost(place(n))
  for (const n of [1, 2, 3, 4, 5, 60, 59, 58, 57, 56]) harness.maintenance.nodeLost(place(n))
  harness.submitted.length = 0
  const ask = (): void => {
    for (let i = 0; i < 40; i++) harness.maintenance.tick()
  }
  ask()
  const asked = new Set(harness.submitted.map(({ entry: { port } }) => port))
  assert.is(asked.size, LIMITS.lostNodes)
  for (const n of [1, 2, 3, 58, 59, 60]) assert.ok(asked.has(4000 + n), `${n}`)
  harness.context.now += LIMITS.lostNodeUs
  harness.submitted.length = 0
  ask()
  assert.equal(harness.submitted, [])
})

test('PNRP-3.2.6.2-2 with an empty cache nodes known of old are solicited', () => {
  const { harness, place } = cloudOf(5)
  for (let n = 1; n <= 5; n++) harness.maintenance.nodeLost(place(n))
  assert.is(harness.context.cache.size, 0)
  harness.maintenance.tick()
  assert.is(harness.solicited.length, LIMITS.rejoinConversations)
  assert.is(harness.discoveryRounds, 1)
})

test('a node that lost all others is lonely, and announces itself to the next it meets', () => {
  const { harness, id, place } = cloudOf(2)
  harness.endResolves()
  harness.exhausted = true
  harness.events()
  for (const n of [1, 2]) harness.maintenance.nodeLost(place(n))
  const [event] = harness.eventsOf('registration')
  assert.is(event?.state, 'lonely')
  harness.admit(place(1), at(4001))
  harness.pass(seconds(1))
  assert.equal(harness.endResolve().target, offset(id, 1n))
  assert.is(harness.eventsOf('registration')[0]?.state, 'registered')
})

test('PNRP-3.2.6.2-3 PNRP-3.2.6.2-4 PNRP-6-6 a wide gap is filled by a resolve of its middle', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  // A dense neighbourhood (so there must be many nodes), 30 entries in one half, none in the other.
  for (let n = 1; n <= 5; n++) {
    harness.cache(offset(id, BigInt(n) << 240n), at(4100 + n))
    harness.cache(offset(id, -(BigInt(n) << 240n)), at(4200 + n))
  }
  for (let n = 1; n <= 30; n++) harness.cache(offset(id, BigInt(n) << 250n), at(4000 + n))
  harness.resolves.length = 0
  harness.maintenance.tick()
  const [request] = harness.resolves.filter(
    ({ reason }) => reason === ResolveReason.CACHE_MAINTENANCE,
  )
  assert.ok(request)
  assert.is(request.criteria, ResolveCriteria.UPPER_BITS)
  assert.is(request.pickBestMatchFromLocalIds, false)
  // The gap runs from 30/64 to the whole: its middle is at 47/64.
  const clockwise = toNumber(offset(request.target, -toNumber(id)))
  const middle = Number(clockwise >> 246n) / 1024
  assert.ok(Math.abs(middle - 47 / 64) < 0.1, `${middle}`)
  assert.ok(request.precision >= 1 && request.precision <= 4, `${request.precision} bits`)
})

test('PNRP-6-4 a resolve-only node looks for ten entries, and less and less for those that are not', () => {
  const harness = new PublisherHarness({ resolveOnly: true })
  harness.cache(toId(5n), at(4001))
  let asked = 0
  for (let tick = 0; tick < 200; tick++) {
    harness.maintenance.tick()
    for (const { reason } of harness.resolves.splice(0)) {
      assert.is(reason, ResolveReason.CACHE_MAINTENANCE)
      asked++
    }
  }
  assert.ok(asked >= 3 && asked <= 10, `${asked} times in 200 ticks`)
  for (let n = 1; n <= 10; n++) harness.cache(offset(toId(0n), BigInt(n) << 252n), at(4100 + n))
  for (let tick = 0; tick < 100; tick++) harness.maintenance.tick()
  assert.equal(harness.resolves, [])
})

test.run()
