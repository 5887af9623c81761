// MS-PPGRH 2.2.3.1, 3.1.7.7, 3.1.7.10.2: what is published about the graph.
import * as assert from 'uvu/assert'
import { guidText } from '#lib/core/guid.js'
import { RECORD_TYPE } from '#lib/graph/constants.js'
import { ticks } from '#lib/graph/peer-time.js'
import { decodeGraphInfo } from '#lib/wire/graph/payloads.js'
import { test } from '../../harness.js'
import { host, MaintenanceHarness, PROPERTIES } from '../../support/graph-maintenance-harness.js'

const dialect = { stringOrder: 'big-endian' } as const

function creator(): MaintenanceHarness {
  const harness = new MaintenanceHarness({ peerId: 'carol', creates: true, fresh: true })
  harness.maintenance.start()
  return harness
}

const info = (harness: MaintenanceHarness) => harness.ofType(RECORD_TYPE.graphInfo)[0]

function payloadOf(harness: MaintenanceHarness) {
  const decoded = decodeGraphInfo(info(harness)?.payload ?? new Uint8Array(0), dialect)
  return decoded.ok ? decoded.payload : undefined
}

test('G-144 G-032 G-033 G-053 the creator publishes Graph Info', () => {
  const harness = creator()
  const record = info(harness)
  assert.ok(record)
  assert.is(guidText(record.type), '00000100-0000-0000-0000-000000000000')
  assert.is(guidText(record.id), '6c796768-7732-406b-bc6e-5e9c0d864580')
  assert.is(record.creatorId, 'carol')
  assert.is(record.expirationTime, harness.context.peerTime + ticks(300))
  assert.is(harness.autorefresh.get(record.id), true)
  assert.equal(payloadOf(harness), PROPERTIES)
})

test('attack, the last version of Graph Info: the creator puts it right ten seconds later', () => {
  const harness = creator()
  // 1,700,000,000 s of Unix time and 1000 s of the machine, since 1601, in tens.
  const last = (11_644_473_600 + 1_700_000_000 + 1000) / 10
  const friendlyName = "mallory's"
  harness.receiveGraphInfo({ friendlyName }, { lastModifiedBy: 'mallory', version: last })
  harness.run(9)
  assert.is(payloadOf(harness)?.friendlyName, friendlyName)
  harness.run(3)
  assert.is(payloadOf(harness)?.friendlyName, PROPERTIES.friendlyName)
  assert.is(info(harness)?.version, last + 1)
})

test('G-055 nobody else does', () => {
  const harness = new MaintenanceHarness({ peerId: 'alice' })
  harness.maintenance.start()
  harness.listen(host(1))
  harness.run(1000)
  assert.is(info(harness), undefined)
})

test('G-149 presence lifetime, presence records and record size are taken over', () => {
  const harness = new MaintenanceHarness({ properties: { creatorId: '' } })
  const values = { presenceLifetimeS: 600, maxPresenceRecords: 12, maxRecordSize: 4096 }
  harness.receiveGraphInfo({ ...values, friendlyName: 'f', comment: 'c' })
  const { properties } = harness.context
  assert.equal(properties, { ...PROPERTIES, ...values, friendlyName: 'f', comment: 'c' })
  assert.equal(harness.drain(), [{ type: 'properties', properties }])
  // A refresh says nothing new.
  harness.receiveGraphInfo({ ...values, friendlyName: 'f', comment: 'c' }, { version: 2 })
  assert.equal(harness.drain(), [])
})

test('G-035 G-037 G-149 zeros stand for 300 s and 60 MB', () => {
  const harness = new MaintenanceHarness()
  harness.receiveGraphInfo({ presenceLifetimeS: 0, maxRecordSize: 0 })
  assert.is(harness.context.properties.presenceLifetimeS, 300)
  assert.is(harness.context.properties.maxRecordSize, 62_914_560)
})

test('G-149 a deleted one changes nothing, and what was taken over outlives its record (GA-27)', () => {
  const harness = new MaintenanceHarness()
  const record = harness.receiveGraphInfo({ maxPresenceRecords: 12 })
  harness.receiveDeletion(record)
  assert.is(harness.context.properties.maxPresenceRecords, 12)
  harness.expire(record)
  assert.is(harness.context.properties.maxPresenceRecords, 12)
})

test('G-033 Graph ID and creator never change (GA-43)', () => {
  const harness = new MaintenanceHarness()
  harness.receiveGraphInfo({ graphId: 'g2', maxPresenceRecords: 1 })
  harness.receiveGraphInfo({ creatorId: 'mallory', maxPresenceRecords: 2 })
  assert.equal(harness.context.properties, PROPERTIES)
  assert.is(harness.context.counters.get('graph.foreign-graph-info'), 2)
})

test('attack: whoever writes Graph Info does not change what addresses count', () => {
  const harness = new MaintenanceHarness()
  harness.receiveGraphInfo({ scope: 'link-local', deferExpiration: true, maxPresenceRecords: 12 })
  assert.equal(harness.context.properties, { ...PROPERTIES, maxPresenceRecords: 12 })
  const joiner = new MaintenanceHarness({ properties: { creatorId: '' } })
  joiner.receiveGraphInfo({ scope: 'link-local' })
  assert.is(joiner.context.properties.scope, 'link-local')
})

test('G-034 G-035 G-036 the creator changes what may change, within its ranges', () => {
  const harness = creator()
  harness.drain()
  const changes = {
    friendlyName: 'f'.repeat(255),
    comment: 'c'.repeat(511),
    presenceLifetimeS: 0,
    maxPresenceRecords: 0,
  }
  assert.is(harness.maintenance.setProperties(changes), undefined)
  const now = { ...PROPERTIES, ...changes, presenceLifetimeS: 300 }
  assert.equal(payloadOf(harness), now)
  assert.is(info(harness)?.version, 2)
  assert.equal(harness.drain(), [{ type: 'properties', properties: now }])
  for (const bad of [
    { friendlyName: 'f'.repeat(256) },
    { friendlyName: '\0' },
    { comment: 'c'.repeat(512) },
    { comment: 'a\0b' },
    { presenceLifetimeS: 299 },
    { presenceLifetimeS: -1 },
    { presenceLifetimeS: 0x1_0000_0000 },
    { maxPresenceRecords: -1 },
    { maxPresenceRecords: 1.5 },
  ]) {
    assert.is(harness.maintenance.setProperties(bad)?.code, 'ERR_PEERNET_INVALID_ARG')
  }
  assert.equal(payloadOf(harness), now)
})

test('only the creator changes properties', () => {
  const harness = new MaintenanceHarness({ peerId: 'alice' })
  const failure = harness.maintenance.setProperties({ comment: 'mine' })
  assert.is(failure?.code, 'ERR_PEERNET_NOT_AUTHORIZED')
  assert.equal(harness.context.properties, PROPERTIES)
})

test('G-144 what another made of the creator’s Graph Info is put right', () => {
  const harness = creator()
  const forged = { version: 2, lastModifiedBy: 'mallory' }
  harness.receiveGraphInfo({ maxPresenceRecords: 1 }, forged)
  assert.equal(harness.context.properties, PROPERTIES)
  harness.run(1)
  assert.equal(payloadOf(harness), PROPERTIES)
  assert.is(info(harness)?.version, 3)
})

test('the creator’s other device is believed', () => {
  const harness = creator()
  harness.receiveGraphInfo({ comment: 'new' }, { version: 2, lastModifiedBy: 'carol' })
  assert.is(harness.context.properties.comment, 'new')
})

test('GA-27 the creator publishes it again when it has gone', () => {
  const harness = creator()
  const record = info(harness)
  assert.ok(record)
  harness.expire(record)
  assert.ok(info(harness))
})

test.run()
