// MS-PNRP 3.2.4.1. Expected IDs are computed here from SHA-1 and the formulas of 3.1.4.4.1, not by
// the code under test.
import * as assert from 'uvu/assert'
import { hours, milliseconds, minutes, seconds } from '#lib/core/instant.js'
import { sha1 } from '#lib/native/digest.js'
import { ResolveCriteria, ResolveReason } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import {
  at,
  globalAt,
  offset,
  otherId,
  publicKey,
  PublisherHarness,
} from '../../support/publisher-harness.js'

const states = (harness: PublisherHarness): string[] =>
  harness.eventsOf('registration').map((event) => event.state)

const failure = (harness: PublisherHarness): string | undefined =>
  harness.eventsOf('registration-failed')[0]?.code

test('PNRP-3.2.4.1-10 PNRP-3.2.4.1-11 the ID is P2P ID, address prefix and a random suffix', () => {
  const ids = [1, 2].map((seed) =>
    new PublisherHarness({ seed, scope: 'global', endpoints: [globalAt(5)] }).register({
      classifier: 'other',
    }),
  )
  for (const id of ids) {
    // otherId is 0.other worked out by hand: the first 16 bytes are its P2P ID.
    assert.equal(id.subarray(0, 16), otherId(new Uint8Array(16)).subarray(0, 16))
    assert.equal(id.subarray(16, 24), globalAt(5).address.subarray(0, 8))
  }
  assert.not.equal(ids[0]?.subarray(24), ids[1]?.subarray(24))
})

test('PNRP-3.2.4.1-6 the caller may choose the prefix, and add a friendly name and a payload', () => {
  const harness = new PublisherHarness()
  const locationPrefix = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  const id = harness.register({
    locationPrefix,
    friendlyName: { bytes: Buffer.from('Ada'), utf8: true },
    extendedPayload: { kind: 'binary', data: Uint8Array.of(7) },
  })
  assert.equal(id.subarray(16, 24), locationPrefix)
})

test('PNRP-3.2.4.1-12 the new ID is on the Locally Registered PNRP ID List', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  assert.is(harness.registrations.find(id)?.handle, 1)
  assert.is(harness.registrations.size, 1)
})

test('PNRP-3.2.4.1-13 PNRP-3.2.4.1-14 PNRP-3.2.4.1-15 PNRP-3.2.4.1-16 PNRP-3.2.4.1-17 the registration walk', () => {
  const harness = new PublisherHarness({ endpoints: [at(3541)] })
  harness.cache(offset(new Uint8Array(32), 5n), at(4000))
  const id = harness.register()
  const walk = harness.endResolve()
  assert.equal(walk.target, offset(id, 1n))
  assert.is(walk.criteria, ResolveCriteria.NONE)
  assert.is(walk.reason, ResolveReason.REGISTRATION)
  assert.is(walk.pickBestMatchFromLocalIds, false)
  assert.equal(walk.initialBestMatch, { pnrpId: id, port: 3541, addresses: [at(1).address] })
})

test('PNRP-3.2.4.1-18 the first ID makes the node publish one of its addresses in SSDP', () => {
  const harness = new PublisherHarness({ scope: 'global', endpoints: [globalAt(5), globalAt(6)] })
  harness.register()
  harness.register({ classifier: 'second' })
  assert.equal(harness.effects(), [
    {
      type: 'ssdp-announce',
      // 3.1.4.2.2, letter by letter
      searchTarget: 'urn:Microsoft Windows Peer Name Resolution Protocol: V4:IPV6:Global',
      endpoint: globalAt(5),
    },
  ])
})

test('on loopback nothing is published by multicast', () => {
  const harness = new PublisherHarness()
  harness.register()
  assert.equal(harness.effects(), [])
})

test('PNRP-3.2.4.1-7 registering fails while there is no local address', () => {
  const harness = new PublisherHarness({ endpoints: [] })
  assert.throws(() => harness.register())
  assert.is(failure(harness), 'ERR_PEERNET_NO_ADDRESS')
})

test('PNRP-3.2.4.1-2 PNRP-3.2.4.1-9 an unsecured name needs a classifier, and any name its syntax', () => {
  // N-45: "0." is no name.
  const broken = ['', 'a\0b', 'x'.repeat(150)]
  for (const classifier of broken) {
    const harness = new PublisherHarness()
    assert.throws(() => harness.register({ classifier }))
    assert.is(failure(harness), 'ERR_PEERNET_INVALID_PEER_NAME', JSON.stringify(classifier))
  }
  const harness = new PublisherHarness()
  harness.register({ classifier: 'x'.repeat(149) })
  assert.is(failure(harness), undefined)
})

test('PNRP-3.2.4.1-3 PNRP-3.2.4.1-4 a secure or delegated name needs no classifier', () => {
  const authority = sha1(publicKey(1))
  for (const certificateChain of [undefined, Uint8Array.of(0x30, 0)]) {
    const harness = new PublisherHarness()
    const id = harness.register({
      classifier: '',
      authority,
      ...(certificateChain === undefined ? {} : { certificateChain }),
    })
    // N-45: H of an empty classifier is SHA-1 of zero bytes.
    const hash = sha1(new Uint8Array(0))
    const p2pId = sha1(Buffer.concat([hash, authority, hash, Buffer.from('PNRP')])).subarray(0, 16)
    assert.equal(id.subarray(0, 16), p2pId)
  }
  const harness = new PublisherHarness()
  assert.throws(() => harness.register({ certificateChain: Uint8Array.of(0x30, 0) }))
  assert.is(failure(harness), 'ERR_PEERNET_INVALID_PEER_NAME')
})

test('PNRP-3.2.4.1-5 endpoints are needed unless there is an extended payload', () => {
  const without = new PublisherHarness()
  assert.throws(() => without.register({ appEndpoints: [] }))
  assert.is(failure(without), 'ERR_PEERNET_INVALID_ARG')
  const withPayload = new PublisherHarness()
  withPayload.register({
    appEndpoints: [],
    extendedPayload: { kind: 'text', encoding: 'utf-8', text: 'hello' },
  })
  assert.is(failure(withPayload), undefined)
})

test('what cannot be put on the wire is refused when it is registered, not when it is asked for', () => {
  const tooLong = { bytes: new Uint8Array(79), utf8: true } // 2.2.3.1: 1 to 78 bytes
  const tooMuch = new Uint8Array(37_348) // 2.2.2.6: a chain fills the AUTHORITY_BUFFER alone
  for (const spec of [
    { friendlyName: tooLong },
    { authority: sha1(publicKey(1)), certificateChain: tooMuch },
    { extendedPayload: { kind: 'binary', data: new Uint8Array(4097) } as const },
    { locationPrefix: new Uint8Array(7) },
  ]) {
    const harness = new PublisherHarness()
    assert.throws(() => harness.register(spec))
    assert.is(failure(harness), 'ERR_PEERNET_INVALID_ARG')
    assert.is(harness.registrations.size, 0)
  }
})

test('a resolve-only node registers nothing', () => {
  const harness = new PublisherHarness({ resolveOnly: true })
  assert.throws(() => harness.register())
  assert.is(failure(harness), 'ERR_PEERNET_INVALID_ARG')
})

test('a registration is announcing, then registered when a node answered the walk', () => {
  const harness = new PublisherHarness()
  harness.cache(offset(new Uint8Array(32), 5n), at(4000))
  harness.register()
  assert.equal(states(harness), ['announcing'])
  harness.endResolve({ usefulHops: 2 })
  assert.equal(states(harness), ['registered'])
})

test('with nobody in sight a registration is lonely, and it is announced to the first neighbour', () => {
  const harness = new PublisherHarness()
  harness.exhausted = true
  const id = harness.register()
  assert.equal(states(harness), ['announcing', 'lonely'])
  assert.is(harness.resolves.length, 0)
  harness.admit(offset(id, 1n << 200n), at(4000))
  harness.pass(milliseconds(40))
  assert.is(harness.resolves.length, 0, 'others may come with it')
  harness.pass(milliseconds(20))
  harness.endResolve({ usefulHops: 1 })
  assert.equal(states(harness), ['registered'])
})

test('while discovery is under way a registration waits for it, but not for ever', () => {
  const harness = new PublisherHarness()
  harness.register()
  harness.pass(seconds(4))
  assert.equal(states(harness), ['announcing'])
  harness.pass(seconds(2))
  assert.equal(states(harness), ['lonely'])
})

test('a walk that nobody answers makes the name lonely, and is tried again', () => {
  const harness = new PublisherHarness()
  harness.cache(offset(new Uint8Array(32), 5n), at(4000))
  harness.register()
  harness.endResolve({ usefulHops: 0, lookups: 1 })
  assert.equal(states(harness), ['announcing', 'lonely'])
  harness.pass(seconds(3))
  assert.is(harness.resolves.length, 0, 'not at once')
  harness.pass(seconds(7))
  harness.endResolve({ usefulHops: 1 })
  assert.equal(states(harness), ['registered'])
})

test('the walk is repeated soon after from a far entry, as long as the leaf set changes', () => {
  const harness = new PublisherHarness()
  harness.everybodyLives = true
  const id = harness.register()
  // A full leaf set around the ID, and far entries on the other side of the ring.
  for (let i = 1n; i <= 5n; i++) {
    harness.cache(offset(id, i), at(4000 + Number(i)))
    harness.cache(offset(id, -i), at(4100 + Number(i)))
  }
  const far = [1n, 2n, 3n, 4n].map((i) =>
    harness.cache(offset(id, (1n << 255n) + (i << 200n)), at(4200 + Number(i))),
  )
  harness.registrations.neighboursChanged([])
  harness.pass(seconds(1))
  assert.is(harness.endResolve().initialNextHop, undefined)
  harness.pass(seconds(1))
  assert.is(harness.resolves.length, 0, 'not at once')
  harness.pass(seconds(3))
  const start = harness.endResolve().initialNextHop
  assert.ok(
    far.some((entry) => entry.port === start?.port),
    'starts far from the leaf set',
  )
  // Nothing has changed since: that was all.
  harness.pass(minutes(5))
  assert.is(harness.resolves.length, 0)

  const changing = new PublisherHarness()
  changing.everybodyLives = true
  const other = changing.register()
  for (let i = 1n; i <= 20n; i++) changing.cache(offset(other, i << 240n), at(4000 + Number(i)))
  changing.registrations.neighboursChanged([])
  changing.pass(seconds(1))
  for (let walk = 1; walk <= 4; walk++) {
    changing.registrations.neighboursChanged([other])
    changing.endResolve()
    changing.pass(minutes(1))
  }
  assert.is(changing.resolves.length, 0, 'the walk and three repetitions')
})

test('N-54 the walk is run again every 24 hours', () => {
  const harness = new PublisherHarness()
  harness.everybodyLives = true
  const neighbour = offset(new Uint8Array(32), 5n)
  harness.cache(neighbour, at(4000))
  const id = harness.register()
  for (let walk = 1; walk <= 4; walk++) {
    harness.endResolve()
    harness.pass(minutes(1))
  }
  // Without the neighbour nothing else has to be simulated meanwhile.
  harness.context.cache.remove(neighbour)
  harness.pass(hours(21))
  harness.cache(neighbour, at(4000))
  assert.is(harness.resolves.length, 0)
  harness.pass(hours(3))
  const daily = harness.endResolve()
  assert.equal(daily.target, offset(id, 1n))
  assert.is(daily.initialNextHop, undefined, 'from the start')
})

test('PNRP-3.2.7.2-1 PNRP-3.2.7.2-2 N-57 new addresses are announced for every ID, which stays', () => {
  const harness = new PublisherHarness({ scope: 'global', endpoints: [globalAt(5)] })
  harness.cache(offset(new Uint8Array(32), 5n), globalAt(99))
  const ids = ['a', 'b'].map((classifier) => harness.register({ classifier }))
  harness.endResolve()
  harness.endResolve()
  harness.effects()
  harness.context.localEndpoints = [globalAt(7, 2)]
  harness.registrations.addressesChanged()
  const walks = [harness.endResolve(), harness.endResolve()]
  const targets = walks.map((walk) => Buffer.from(walk.target).toString('hex')).sort()
  assert.equal(targets, ids.map((id) => Buffer.from(offset(id, 1n)).toString('hex')).sort())
  for (const walk of walks) {
    assert.equal(walk.initialBestMatch?.addresses, [globalAt(7, 2).address])
  }
  assert.equal(
    harness.effects().map((effect) => (effect.type === 'ssdp-announce' ? effect.endpoint : effect)),
    [globalAt(7, 2)],
  )
})

test('an address change during a walk is announced after it', () => {
  const harness = new PublisherHarness()
  harness.cache(offset(new Uint8Array(32), 5n), at(4000))
  harness.register()
  harness.context.localEndpoints = [at(3600)]
  harness.registrations.addressesChanged()
  assert.is(harness.endResolve().initialBestMatch?.port, 3540)
  assert.is(harness.endResolve().initialBestMatch?.port, 3600)
})

test('an update changes content, not the name', () => {
  const harness = new PublisherHarness()
  harness.cache(offset(new Uint8Array(32), 5n), at(4000))
  const id = harness.register()
  harness.endResolve()
  harness.events()
  const registration = harness.registrations.find(id)
  assert.ok(registration)
  const spec = registration.spec
  const appEndpoints = [{ address: at(1).address, port: 9, protocol: 17 }]
  harness.registrations.update(1, { ...spec, appEndpoints })
  assert.equal(harness.registrations.find(id)?.spec.appEndpoints, appEndpoints)
  assert.equal(states(harness), ['registered'])
  assert.is(harness.resolves.length, 0)
  harness.registrations.update(1, { ...spec, classifier: 'renamed' })
  assert.is(harness.eventsOf('update-failed')[0]?.code, 'ERR_PEERNET_INVALID_ARG')
  assert.is(harness.registrations.find(id)?.spec.classifier, 'test')
})

test('whoever unregisters what is not there is told at once', () => {
  const harness = new PublisherHarness()
  harness.registrations.unregister(9)
  assert.equal(harness.eventsOf('unregistered'), [{ type: 'unregistered', handle: 9 }])
})

test('a walk that is cancelled says nothing about the name', () => {
  const harness = new PublisherHarness()
  harness.cache(offset(new Uint8Array(32), 5n), at(4000))
  harness.register()
  harness.events()
  harness.endResolve({ outcome: 'cancelled', usefulHops: 0 })
  assert.equal(harness.events(), [])
})

test('many names are announced a few at a time', () => {
  const harness = new PublisherHarness()
  harness.cache(offset(new Uint8Array(32), 5n), at(4000))
  for (let i = 0; i < 100; i++) harness.register({ classifier: `name ${i}` })
  assert.is(harness.resolves.length, 32)
  const targets = new Set<string>()
  for (let i = 0; i < 100; i++) {
    targets.add(Buffer.from(harness.endResolve().target).toString('hex'))
    assert.ok(harness.resolves.length <= 32)
  }
  assert.is(targets.size, 100)
})

test('N-02 when the classifier encoding is learned, names are registered under it as well', () => {
  const harness = new PublisherHarness()
  const before = harness.register()
  harness.events()
  assert.ok(harness.context.dialect.learn('classifierEncoding', 'utf-16be'))
  harness.registrations.dialectChanged()
  harness.registrations.dialectChanged()
  assert.is(harness.registrations.size, 2, 'once')
  assert.ok(harness.registrations.find(before), 'whoever taught us cannot take the name away')
  // "test" in UTF-16BE, hashed here.
  const hash = sha1(Buffer.from('\0t\0e\0s\0t', 'latin1'))
  const name = Buffer.concat([hash, new Uint8Array(20), hash, Buffer.from('PNRP')])
  const p2pId = sha1(name).subarray(0, 16)
  const other = [...harness.registrations.all()].find(({ pnrpId }) => pnrpId !== before)
  assert.equal(other?.pnrpId.subarray(0, 16), p2pId)
  assert.equal(other?.classifierHash, hash)
  assert.equal(harness.events(), [], 'the higher layer knows one registration')

  const appEndpoints = [{ address: at(1).address, port: 9, protocol: 17 }]
  const spec = harness.registrations.find(before)?.spec
  assert.ok(spec)
  harness.registrations.update(1, { ...spec, appEndpoints })
  assert.equal(other?.spec.appEndpoints, appEndpoints)
  harness.registrations.unregister(1)
  assert.is(harness.registrations.size, 0)
  assert.is(harness.eventsOf('unregistered').length, 1)
})

test.run()
