// Revoke CPAs received in FLOODs: MS-PNRP 3.1.5.5 with N-28, passed on as in 4.3 (N-30).
import * as assert from 'uvu/assert'
import type { Endpoint } from '#lib/core/endpoint.js'
import { sha1 } from '#lib/native/digest.js'
import type { PnrpId } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import {
  at,
  flood,
  offset,
  otherId,
  publicKey,
  PublisherHarness,
  revokeOf,
  type SentOf,
} from '../../support/publisher-harness.js'

const LEAVING = at(6000)
/** Of the name that leaves: 0.other. */
const LOCATION = Uint8Array.from({ length: 16 }, (_, i) => i)
const GONE = otherId(LOCATION)

/**
 * The ID that leaves is our next neighbour; we are on this side of it. Seven more lie behind us, on
 * ports 4001 …, and seven beyond it, on 4101 …
 */
function beside(side: 'smaller' | 'greater'): {
  harness: PublisherHarness
  id: PnrpId
  gone: PnrpId
} {
  const harness = new PublisherHarness()
  const id = harness.register({ classifier: 'other' })
  const towards = (steps: number): PnrpId =>
    offset(id, BigInt(side === 'smaller' ? steps : -steps) << 40n)
  // Another registration of the same name: only the service location differs.
  const gone = towards(1)
  assert.equal(gone, otherId(gone.subarray(16)))
  for (let i = 1; i <= 7; i++) {
    harness.cache(towards(-i), at(4000 + i))
    harness.cache(towards(1 + i), at(4100 + i))
  }
  harness.cache(gone, LEAVING, publicKey(9))
  return { harness, id, gone }
}

function revokeFrom(
  harness: PublisherHarness,
  revokeCpa: Uint8Array,
  from: Endpoint = LEAVING,
  floodedList: readonly Endpoint[] = [LEAVING],
): SentOf<'FLOOD'>[] {
  const [local] = [...harness.registrations.all()]
  const validatePnrpId = local?.pnrpId ?? new Uint8Array(32)
  harness.flooding.handleFlood(from, flood({ validatePnrpId, revokeCpa, floodedList }))
  harness.crypto()
  return harness.sentOf('FLOOD')
}

test('PNRP-3.1.5.5-4 PNRP-3.1.5.5-5 PNRP-3.1.5.5-6 a valid revoke removes the entry of its ID', () => {
  const harness = new PublisherHarness()
  harness.register()
  harness.cache(GONE, LEAVING, publicKey(9))
  harness.cache(offset(GONE, 1n), at(4001))
  revokeFrom(harness, revokeOf(GONE, 9))
  assert.not.ok(harness.context.cache.has(GONE))
  assert.ok(harness.context.cache.has(offset(GONE, 1n)))
  assert.is(harness.counter('cache.removed-revoked'), 1)
})

test('N-28 a revoke by another key removes nothing, and the node is asked at once', () => {
  const harness = new PublisherHarness()
  harness.register()
  const cached = harness.cache(GONE, LEAVING, publicKey(9))
  assert.equal(revokeFrom(harness, revokeOf(GONE, 8)), [])
  assert.ok(harness.context.cache.has(GONE))
  assert.equal(
    harness.rechecked.map((entry) => entry.pnrpId),
    [cached.pnrpId],
  )
})

test('N-28 nor does one for an entry whose key was never seen', () => {
  const harness = new PublisherHarness()
  harness.register()
  harness.context.cache.insert({ pnrpId: GONE, port: 6000, addresses: [LEAVING.address] }, 0)
  revokeFrom(harness, revokeOf(GONE, 9))
  assert.ok(harness.context.cache.has(GONE))
  assert.is(harness.rechecked.length, 1)
})

test('N-28 forged, expired and live CPAs are no revokes', () => {
  const harness = new PublisherHarness()
  harness.register()
  harness.cache(GONE, LEAVING, publicKey(9))
  const live = { revoke: false, serviceAddresses: [LEAVING] }
  const forgeries = [
    revokeOf(GONE, 9, { signature: new Uint8Array(128).fill(7) }),
    revokeOf(GONE, 9, { notAfter: 1n }),
    revokeOf(GONE, 9, live),
    Uint8Array.of(1, 2, 3),
  ]
  for (const forged of forgeries) {
    assert.equal(revokeFrom(harness, forged), [])
    assert.ok(harness.context.cache.has(GONE))
  }
})

test('a revoke of an ID that is not cached costs no signature check', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  harness.flooding.handleFlood(
    LEAVING,
    flood({ validatePnrpId: id, revokeCpa: revokeOf(GONE, 9), doNotAck: true }),
  )
  assert.equal(harness.jobs(), [])
})

test('signature checks of revokes are bounded', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  harness.cache(GONE, LEAVING, publicKey(9))
  const revokeCpa = revokeOf(GONE, 9, { signature: new Uint8Array(128) })
  for (let i = 0; i < 100; i++) {
    harness.flooding.handleFlood(LEAVING, flood({ validatePnrpId: id, revokeCpa }))
  }
  assert.is(harness.jobs().length, 64)
  assert.is(harness.counter('drop.revokes-full'), 36)
})

for (const side of ['smaller', 'greater'] as const) {
  test(`N-30 a revoke passes on away from the ID that left, from its ${side} side`, () => {
    const { harness, id, gone } = beside(side)
    assert.equal(harness.context.cache.leafOf(gone), [id], 'it was in our leaf set')
    const revoke = revokeOf(gone, 9)
    const [onward, ...others] = revokeFrom(harness, revoke)
    assert.equal(others, [])
    assert.is(onward?.to.port, 4001)
    assert.equal(onward?.message.revokeCpa, revoke)
    assert.is(onward?.message.doNotAck, false)
    assert.is(onward?.message.routeEntry, undefined)
    const listed = onward?.message.floodedList.map(({ port }) => port)
    assert.equal(listed, [LEAVING.port, 3540, 4001])
  })
}

test('N-30 nodes of the Already Flooded List are skipped', () => {
  const { harness, gone } = beside('smaller')
  const floodedList = [LEAVING, at(4001), at(4002)]
  const [onward] = revokeFrom(harness, revokeOf(gone, 9), LEAVING, floodedList)
  assert.is(onward?.to.port, 4003)
})

test('N-30 a revoke that has come far enough is not passed on', () => {
  const { harness, gone } = beside('smaller')
  const floodedList = Array.from({ length: 22 }, (_, i) => at(7000 + i))
  assert.equal(revokeFrom(harness, revokeOf(gone, 9), at(7000), floodedList), [])
  assert.not.ok(harness.context.cache.has(gone))
})

test('N-30 a revoke of an ID outside all leaf sets is carried out and not passed on', () => {
  const { harness } = beside('smaller')
  const far = otherId(LOCATION, 'elsewhere')
  harness.cache(far, LEAVING, publicKey(9))
  assert.equal(harness.context.cache.leafOf(far), [])
  const classifierHash = sha1(Buffer.from('elsewhere', 'utf16le'))
  assert.equal(revokeFrom(harness, revokeOf(far, 9, { classifierHash })), [])
  assert.not.ok(harness.context.cache.has(far))
})

test.run()
