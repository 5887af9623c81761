// MS-PPGRH 3.1.7.4, 3.1.7.10.5, 3.1.7.17, 3.1.7.20, 3.1.6.9, 3.1.4.6: presence.
import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import { RECORD_TYPE } from '#lib/graph/constants.js'
import { ticks } from '#lib/graph/peer-time.js'
import { decodePresence, encodePresence } from '#lib/wire/graph/payloads.js'
import { test } from '../../harness.js'
import {
  host,
  MaintenanceHarness,
  type HarnessOptions,
} from '../../support/graph-maintenance-harness.js'

const NODE = 0x77n
const EVERYONE = 0xffff_ffff

function harnessWith(max: number, more: HarnessOptions = {}): MaintenanceHarness {
  const properties = { maxPresenceRecords: max }
  const harness = new MaintenanceHarness({ nodeId: NODE, properties, ...more })
  harness.receiveSignature(1n, { expirationTime: harness.context.peerTime + ticks(900) })
  for (const n of [200, 201, 202]) harness.neighbor(n)
  return harness
}

const own = (harness: MaintenanceHarness) => harness.own(RECORD_TYPE.presence)

function payloadOf(harness: MaintenanceHarness) {
  const decoded = decodePresence(own(harness)?.payload ?? new Uint8Array(0), {
    stringOrder: 'big-endian',
  })
  return decoded.ok ? decoded.payload : undefined
}

test('G-161 G-141 G-036 everyone: who listens publishes at once', () => {
  const harness = harnessWith(EVERYONE, { properties: { presenceLifetimeS: 700 } })
  assert.is(own(harness), undefined)
  harness.listen(host(1), host(2))
  const record = own(harness)
  assert.ok(record)
  assert.equal(payloadOf(harness), {
    nodeId: NODE,
    attributes: '',
    addresses: [host(1), host(2)],
  })
  assert.is(record.expirationTime, harness.context.peerTime + ticks(700))
  assert.is(harness.autorefresh.get(record.id), true)
})

test('G-161 who no longer listens deletes its presence', () => {
  const harness = harnessWith(EVERYONE)
  harness.listen(host(1))
  harness.listen()
  assert.is(own(harness), undefined)
})

test('G-161 expired or deleted: published again (GA-57)', () => {
  const harness = harnessWith(EVERYONE)
  harness.listen(host(1))
  const record = own(harness)
  assert.ok(record)
  harness.expire(record)
  assert.ok(own(harness))
  harness.receiveDeletion(own(harness) as never)
  harness.run(1)
  assert.ok(own(harness))
})

test('G-036 none: only when the application asks', () => {
  const harness = harnessWith(0)
  harness.listen(host(1))
  harness.run(700)
  assert.is(own(harness), undefined)
  harness.maintenance.setPresence(true)
  assert.ok(own(harness))
  harness.maintenance.setPresence(false)
  assert.is(own(harness), undefined)
})

test('G-067 G-141 what the application asked for is not refreshed, but comes again', () => {
  const harness = harnessWith(0)
  harness.listen(host(1))
  harness.maintenance.setPresence(true)
  const record = own(harness)
  assert.ok(record)
  assert.is(harness.autorefresh.get(record.id), false)
  harness.expire(record)
  const again = own(harness)
  assert.ok(again)
  assert.is(harness.autorefresh.get(again.id), true)
})

test('G-067 asked before it listens: published as soon as it does', () => {
  const harness = harnessWith(0)
  harness.maintenance.setPresence(true)
  assert.is(own(harness), undefined)
  harness.listen(host(1))
  assert.ok(own(harness))
})

test('G-051 G-135 G-161 below the maximum: published after 30 to 180 s', () => {
  const delays = new Set<number>()
  for (let seed = 1; seed <= 60; seed++) {
    const harness = harnessWith(3, { seed })
    harness.receivePresence(1)
    harness.listen(host(9))
    const start = harness.context.now
    while (own(harness) === undefined) harness.run(1)
    delays.add((harness.context.now - start) / 1e6)
  }
  assert.ok(Math.min(...delays) >= 30 && Math.max(...delays) <= 180)
  assert.ok(Math.min(...delays) < 55 && Math.max(...delays) > 155 && delays.size > 30)
})

test('G-135 filled up by others meanwhile: not published', () => {
  const harness = harnessWith(3)
  const expirationTime = harness.context.peerTime + ticks(900)
  harness.receivePresence(1, { expirationTime })
  harness.listen(host(9))
  harness.receivePresence(2, { expirationTime })
  harness.receivePresence(3, { expirationTime })
  harness.run(290)
  assert.is(own(harness), undefined)
})

test('G-135 G-161 more than ten above the maximum: deleted after a while, unless it changed', () => {
  const crowd = (harness: MaintenanceHarness, count: number) => {
    const expirationTime = harness.context.peerTime + ticks(900)
    return Array.from({ length: count }, (_, n) =>
      harness.receivePresence(n + 1, { expirationTime }),
    )
  }
  const present = (): MaintenanceHarness => {
    const harness = harnessWith(3)
    harness.listen(host(99))
    while (own(harness) === undefined) harness.run(1)
    return harness
  }
  // 13 in all are not more than 3 + 10.
  const full = present()
  crowd(full, 12)
  full.run(600)
  assert.ok(own(full))
  const overfull = present()
  crowd(overfull, 13)
  overfull.listen(host(99))
  overfull.run(29)
  assert.ok(own(overfull))
  overfull.run(152)
  assert.is(own(overfull), undefined)
  const relieved = present()
  const [first] = crowd(relieved, 13)
  relieved.listen(host(99))
  relieved.receiveDeletion(first as never)
  relieved.run(181)
  assert.ok(own(relieved))
})

test('G-161 a forced presence is not counted away', () => {
  const harness = harnessWith(3)
  harness.listen(host(99))
  harness.maintenance.setPresence(true)
  for (let n = 1; n <= 20; n++) harness.receivePresence(n)
  harness.run(250)
  assert.ok(own(harness))
})

test('G-152 the presence list adds, replaces and removes by record ID, and tells', () => {
  const harness = harnessWith(EVERYONE)
  harness.drain()
  const changes = (): [string, bigint, string][] =>
    harness
      .drain()
      .flatMap((event) =>
        event.type === 'node'
          ? [[event.change, event.node.nodeId, event.node.attributes] as [string, bigint, string]]
          : [],
      )
  const record = harness.receivePresence(5)
  assert.equal(changes(), [['connected', 5n, '']])
  harness.receive({ ...record, version: 2, modificationTime: record.modificationTime + 1n })
  assert.equal(changes(), [])
  harness.receivePresence(5, { id: record.id, version: 3 }, '<x/>')
  assert.equal(changes(), [['updated', 5n, '<x/>']])
  assert.is(harness.maintenance.nodes.length, 1)
  assert.equal(harness.maintenance.nodes[0]?.addresses, [host(5)])
  assert.is(harness.maintenance.nodes[0]?.peerId, 'p5')
  const other = harness.receivePresence(6, { id: record.id, version: 4 })
  assert.equal(changes(), [
    ['disconnected', 5n, '<x/>'],
    ['connected', 6n, ''],
  ])
  harness.receiveDeletion(other)
  assert.equal(changes(), [['disconnected', 6n, '']])
  assert.equal(harness.maintenance.nodes, [])
})

test('G-164 an expired presence leaves the list, and the application is told', () => {
  const harness = harnessWith(EVERYONE)
  const record = harness.receivePresence(5)
  harness.drain()
  harness.expire(record)
  assert.equal(harness.maintenance.nodes, [])
  assert.equal(
    harness.drain().map((event) => event.type === 'node' && [event.change, event.node.nodeId]),
    [['disconnected', 5n]],
  )
})

test('node attributes are part of the own presence', () => {
  const harness = harnessWith(EVERYONE)
  assert.is(harness.maintenance.setNodeAttributes('<attributes/>'), undefined)
  harness.listen(host(1))
  assert.is(payloadOf(harness)?.attributes, '<attributes/>')
  harness.maintenance.setNodeAttributes('now')
  assert.is(payloadOf(harness)?.attributes, 'now')
  assert.is(own(harness)?.version, 2)
  for (const bad of ['\0', '\ud800', 'x'.repeat(LIMITS.graphNodeAttributeUnits + 1)]) {
    assert.is(harness.maintenance.setNodeAttributes(bad)?.code, 'ERR_PEERNET_INVALID_ARG')
  }
  assert.is(payloadOf(harness)?.attributes, 'now')
})

test('who overwrites our presence is corrected', () => {
  const harness = harnessWith(EVERYONE)
  harness.listen(host(1))
  const record = own(harness)
  assert.ok(record)
  const forged = { nodeId: 666n, attributes: '', addresses: [host(66)] }
  const payload = encodePresence(forged, { stringOrder: 'big-endian' })
  harness.receive({ ...record, version: 2, lastModifiedBy: 'mallory', payload })
  harness.run(1)
  assert.is(payloadOf(harness)?.nodeId, NODE)
})

test('the presence list, its addresses and attributes are bounded', () => {
  const harness = harnessWith(0)
  for (let n = 0; n < LIMITS.graphPresenceEntries + 9; n++) harness.receivePresence(n & 0xff)
  assert.is(harness.maintenance.nodes.length, LIMITS.graphPresenceEntries)
  assert.is(harness.context.counters.get('graph.presence-list-full'), 9)
  const small = harnessWith(0)
  const addresses = Array.from({ length: 40 }, (_, n) => host(n))
  const dialect = { stringOrder: 'big-endian' } as const
  const payload = encodePresence({ nodeId: 1n, attributes: '', addresses }, dialect)
  small.receivePresence(1, { payload })
  assert.is(small.maintenance.nodes[0]?.addresses.length, LIMITS.graphNodeAddresses)
  small.receivePresence(2, {}, 'x'.repeat(LIMITS.graphNodeAttributeUnits + 1))
  assert.is(small.maintenance.nodes.length, 1)
})

test('G-074 a node that leaves deletes its presence record', () => {
  const harness = harnessWith(EVERYONE)
  harness.listen(host(1))
  harness.maintenance.withdraw()
  assert.is(own(harness), undefined)
  harness.run(1000)
  assert.is(own(harness), undefined)
})

test.run()
