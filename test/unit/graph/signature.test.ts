// MS-PPGRH 3.1.7.6, 3.1.7.11, 3.1.7.19, 3.1.6.4: the signature of the graph.
import * as assert from 'uvu/assert'
import { seconds } from '#lib/core/instant.js'
import { guidText } from '#lib/core/guid.js'
import { RECORD_TYPE } from '#lib/graph/constants.js'
import { ticks } from '#lib/graph/peer-time.js'
import { signatureBackoff } from '#lib/graph/signature.js'
import { decodeSignature } from '#lib/wire/graph/payloads.js'
import { test } from '../../harness.js'
import { MaintenanceHarness } from '../../support/graph-maintenance-harness.js'

const NODE = 0x4000n

function harnessWith(nodeId = NODE): MaintenanceHarness {
  return new MaintenanceHarness({ nodeId })
}

const published = (harness: MaintenanceHarness): bigint | undefined => {
  const own = harness.own(RECORD_TYPE.signature)
  const decoded = own === undefined ? undefined : decodeSignature(own.payload)
  return decoded?.ok === true ? decoded.payload.signature : undefined
}

/** Node ID with these top 8 bits. */
const top8 = (n: number): bigint => BigInt(n) << 56n

test('G-154 without a signature record the back-off grows with the node ID', () => {
  // Digest C.2, derived from 29.9 * (1 - e^(-N/65536)) + 0.1
  assert.is(signatureBackoff(top8(0), 8), seconds(0.1))
  assert.is(Math.round(signatureBackoff(top8(128), 8) / 100), 1583)
  assert.is(Math.round(signatureBackoff(top8(255), 8) / 100), 2161)
  assert.is(Math.round(signatureBackoff(0xffffn << 48n, 16) / 100), 190_002)
})

test('G-153 a live record that is not above the own node ID settles it', () => {
  for (const value of [NODE, NODE - 1n, 0n]) {
    const harness = harnessWith()
    harness.receiveSignature(value)
    harness.run(60)
    assert.is(published(harness), undefined)
  }
})

test('G-130 G-154 G-150 a greater signature is replaced after 0.1 s', () => {
  const harness = harnessWith()
  harness.receiveSignature(NODE + 1n)
  assert.is(harness.nextTimer, 0.1)
  harness.run(0.09)
  assert.is(published(harness), undefined)
  harness.run(0.02)
  assert.is(published(harness), NODE)
  assert.is(harness.own(RECORD_TYPE.signature)?.version, 2)
})

test('G-130 the timer looks again before it publishes, and rests for 24 hours', () => {
  const harness = harnessWith()
  harness.receiveSignature(NODE + 1n)
  harness.run(0.05)
  harness.receiveSignature(NODE - 1n, { version: 2 })
  harness.run(0.06)
  assert.is(published(harness), undefined)
  // Nobody renews the record, nor tells of its expiry: only the timer would notice.
  harness.run(86_399.9)
  assert.is(published(harness), undefined)
  harness.run(0.2)
  assert.is(published(harness), NODE)
})

test('G-154 a deleted signature record is followed by one of the next version (GA-26, GA-53)', () => {
  const harness = harnessWith(top8(255))
  const record = harness.receiveSignature(5n, { version: 7 })
  harness.receiveDeletion(record)
  harness.run(0.216)
  assert.is(published(harness), undefined)
  harness.run(0.001)
  assert.is(published(harness), top8(255))
  assert.is(harness.own(RECORD_TYPE.signature)?.version, 9)
})

test('G-163 an expired signature record is replaced, by the lowest first', () => {
  const harness = harnessWith()
  harness.expire(harness.receiveSignature(5n))
  assert.is(harness.nextTimer, 0.1)
  harness.run(0.1)
  assert.is(published(harness), NODE)
})

test('G-143 the signature record: fixed ID, own node ID, 300 s, refreshed by itself', () => {
  const harness = harnessWith()
  harness.receiveSignature(NODE + 1n)
  harness.run(0.1)
  const [record] = harness.ofType(RECORD_TYPE.signature)
  assert.ok(record)
  // 2.2.3.2
  assert.is(guidText(record.id), '4c515c94-4252-494f-8440-34cc79769c81')
  assert.is(record.expirationTime, harness.context.peerTime + ticks(300))
  assert.equal([...record.payload], [0, 0, 0, 0, 0, 0, 0x40, 0])
  assert.is(harness.autorefresh.get(record.id), true)
})

test('G-130 several reasons do not put the timer off', () => {
  const harness = harnessWith()
  harness.receiveSignature(NODE + 9n)
  for (let version = 2; version < 12; version++) {
    harness.run(0.009)
    harness.receiveSignature(NODE + 9n, { version })
  }
  harness.run(0.02)
  assert.is(published(harness), NODE)
})

test('a node that never synchronised leaves the signature to those who know', () => {
  const harness = new MaintenanceHarness({ nodeId: 1n, fresh: true })
  harness.neighbor(7)
  harness.run(60)
  assert.is(published(harness), undefined)
  harness.context.neverConnected = false
  harness.maintenance.synchronized()
  harness.run(0.1)
  assert.is(published(harness), 1n)
})

test('a node that comes back waits for what its first neighbour brings', () => {
  const harness = new MaintenanceHarness({ nodeId: 1n })
  harness.neighbor(7)
  harness.run(5)
  assert.is(published(harness), undefined)
  harness.receiveSignature(0n)
  harness.maintenance.synchronized()
  harness.run(5)
  assert.is(published(harness), undefined)
  // Nor does it wait for ever.
  const other = new MaintenanceHarness({ nodeId: 1n })
  other.neighbor(7)
  other.run(30.2)
  assert.is(published(other), 1n)
})

test('a forged signature that claims to live for ever is replaced', () => {
  const harness = harnessWith()
  const { peerTime } = harness.context
  harness.receiveSignature(0n, { expirationTime: peerTime + ticks(10 * 365 * 86_400) })
  harness.run(1)
  assert.is(published(harness), NODE)
  const record = harness.own(RECORD_TYPE.signature)
  assert.is(record?.expirationTime, peerTime + ticks(300.1))
})

test('a signature record of another shape counts as none', () => {
  const harness = harnessWith()
  harness.receiveSignature(0n, { payload: new Uint8Array(7) })
  harness.run(1)
  assert.is(published(harness), NODE)
})

test('G-074 a node that leaves deletes the signature record if it is its own', () => {
  const harness = harnessWith()
  harness.receiveSignature(NODE + 1n)
  harness.run(1)
  harness.maintenance.withdraw()
  assert.equal(harness.ofType(RECORD_TYPE.signature), [])
  const other = harnessWith()
  other.receiveSignature(NODE - 1n)
  other.maintenance.withdraw()
  assert.is(other.ofType(RECORD_TYPE.signature).length, 1)
})

test('attack, the last version of the signature: another node takes over ten seconds later', () => {
  const harness = new MaintenanceHarness({ nodeId: 5n })
  harness.maintenance.start()
  const last = (11_644_473_600 + 1_700_000_000 + 1000) / 10
  harness.receiveSignature(9n, { version: last })
  harness.run(9)
  assert.is(harness.maintenance.signature, 9n)
  harness.run(3)
  assert.is(harness.maintenance.signature, 5n)
})

test.run()
