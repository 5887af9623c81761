import * as assert from 'uvu/assert'
import type { Guid } from '#lib/core/guid.js'
import { FIXED_RECORD_ID, RECORD_TYPE } from '#lib/graph/constants.js'
import { DEFAULT_GRAPH_DIALECT } from '#lib/graph/dialect.js'
import { contentSize, RecordValidation, type RecordFault } from '#lib/graph/validation.js'
import { floodHeader } from '#lib/wire/graph/codec.js'
import { encodeContact, encodePresence, encodeSignature } from '#lib/wire/graph/payloads.js'
import type { GraphRecord, RecordFields } from '#lib/wire/graph/record.js'
import { TestNode } from '../../support/graph-node.js'
import {
  fields,
  HOUR,
  record,
  recordId,
  SECOND,
  T0,
  version,
  wordsOf,
} from '../../support/graph-records.js'
import { test } from '../../harness.js'

const RULES = { graphId: 'g1', maxRecordSize: 1024, dialect: DEFAULT_GRAPH_DIALECT }

/** A record that says this, though no codec would have let it through. */
function claimed(changes: Partial<RecordFields>, bytes = new Uint8Array(98)): GraphRecord {
  const said = fields(changes)
  const size = bytes.length + said.payload.length
  const self: GraphRecord = { ...said, ...wordsOf(said), bytes, size, retain: () => self }
  return self
}

function faultOf(changes: Partial<RecordFields>, now = T0): RecordFault | undefined {
  return new RecordValidation().faultOf(claimed(changes), RULES, now)
}

test('G-171 a sound record passes, also at the limits', () => {
  assert.is(faultOf({}), undefined)
  assert.is(faultOf({ payload: new Uint8Array(1024) }), undefined)
  const creatorId = 'c'.repeat(255)
  const modified = { lastModifiedBy: 'b'.repeat(255), modificationTime: T0 + 1n }
  assert.is(faultOf({ creatorId, ...modified }), undefined)
  assert.is(faultOf({ modificationTime: T0 + 1n, expirationTime: T0 + 2n }), undefined)
})

test('G-171 each rule of MS-PPGRH 3.1.7.27 discards a record', () => {
  const cases: [RecordFault, Partial<RecordFields>][] = [
    ['creator', { creatorId: '' }],
    ['creator', { creatorId: 'c'.repeat(256) }],
    ['record-id', { id: recordId('bob') }],
    ['modifier', { lastModifiedBy: 'b'.repeat(256), modificationTime: T0 + 1n }],
    ['expiration-time', { expirationTime: T0 }],
    ['modification-time', { creationTime: T0, modificationTime: T0 - 1n }],
    ['graph-id', { graphId: 'g2' }],
    ['deleted-payload', { deleted: true, payload: Uint8Array.of(1) }],
    ['size', { payload: new Uint8Array(1025) }],
    ['unmodified-modifier', { lastModifiedBy: 'bob' }],
    ['attributes', { attributes: '<attributes><attribute/></attributes>' }],
    // GA-58
    ['expired', { expirationTime: T0 + SECOND }],
  ]
  for (const [fault, changes] of cases) assert.is(faultOf(changes, T0 + SECOND), fault)
  const validation = new RecordValidation()
  assert.is(validation.faultOf(claimed({}, new Uint8Array(89)), RULES, T0), 'short')
})

/** A FLOOD with this PEER_RECORD, as a stranger may write it. */
function flood(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([floodHeader(bytes.length), bytes])
}

test('G-171 G-116 what the wire form breaks of 3.1.7.27 is dropped without ACK or FLOOD', () => {
  // Offsets of a record by "alice" in "g1" without modifier and security data (2.2.1.9).
  const good = record()
  const broken: [string, (bytes: Uint8Array) => Uint8Array][] = [
    ['fewer than 90 bytes', (bytes) => bytes.slice(0, 89)],
    ['creator length 1', (bytes) => (bytes.set([0, 0, 0, 1], 40), bytes)],
    ['creator length 257', (bytes) => (bytes.set([0, 0, 1, 1], 40), bytes)],
    ['record ID', (bytes) => (bytes.set([0xff], 16), bytes)],
    ['modifier length 1', (bytes) => (bytes.set([0, 0, 0, 1], 56), bytes)],
    ['expiration = modification', (bytes) => (bytes.copyWithin(72, 80, 88), bytes)],
    ['modification before creation', (bytes) => (bytes.set([0], 81), bytes)],
    ['graph ID length 1', (bytes) => (bytes.set([0, 0, 0, 1], 88), bytes)],
    ['graph ID', (bytes) => (bytes.set([0x32], 93), bytes)],
    ['protocol version', (bytes) => (bytes.set([0x01, 0x01], 98), bytes)],
    [
      'attributes',
      (bytes) => Buffer.concat([bytes.slice(0, 104), Buffer.from('0000000200410000', 'hex')]),
    ],
  ]
  const [node, peer] = [new TestNode(), new TestNode()]
  const link = peer.connect(node, { start: false }).other
  for (const [what, change] of broken) {
    node.receive(link, flood(change(good.bytes.slice())))
    assert.is(node.database.size, 0, what)
  }
  assert.equal([node.links.acks, node.links.sent, node.links.ended], [[], [], []])
  node.receive(link, flood(good.bytes.slice()))
  assert.is(node.database.size, 1, 'the record itself is sound')
  assert.is(node.links.acks.length, 1)
})

test('G-037 attributes count with two bytes a character and their NUL', () => {
  assert.is(contentSize({ payload: new Uint8Array(3), attributes: '' }), 3)
  assert.is(contentSize({ payload: new Uint8Array(3), attributes: 'abc' }), 11)
})

test('GA-10 graph info and signature have their own Record IDs, and no others', () => {
  const payload = encodeSignature({ signature: 1n })
  const { signature } = RECORD_TYPE
  assert.is(faultOf({ type: signature, id: FIXED_RECORD_ID.signature, payload }), undefined)
  assert.is(faultOf({ type: signature, id: recordId(), payload }), 'record-id')
  assert.is(faultOf({ type: signature, id: FIXED_RECORD_ID.graphInfo, payload }), 'record-id')
  assert.is(faultOf({ type: RECORD_TYPE.graphInfo, id: recordId() }), 'record-id')
  // And nobody else may use them.
  assert.is(faultOf({ id: FIXED_RECORD_ID.signature }), 'record-id')
  const contact = encodeContact({ signature: 1n, nodeId: 2n, addresses: [] })
  const forged = { type: RECORD_TYPE.contact, id: FIXED_RECORD_ID.graphInfo, payload: contact }
  assert.is(faultOf(forged), 'record-id')
})

test('attack: forged internal records that nobody can read are dropped', () => {
  const types = [
    ['signature', FIXED_RECORD_ID.signature],
    ['graphInfo', FIXED_RECORD_ID.graphInfo],
    ['contact', undefined],
    ['presence', undefined],
  ] as const
  for (const [name, id] of types) {
    const type: Guid = RECORD_TYPE[name]
    for (const payload of [new Uint8Array(0), new Uint8Array(7), new Uint8Array(500).fill(0xff)]) {
      const changes = { type, payload, ...(id === undefined ? {} : { id }) }
      assert.is(faultOf(changes), 'internal-payload', name)
    }
    // A tombstone has no payload.
    assert.is(faultOf({ type, deleted: true, ...(id === undefined ? {} : { id }) }), undefined)
  }
})

test('attack: contact and presence of another creator need that creator’s Record ID', () => {
  const presence = encodePresence({ nodeId: 2n, attributes: '', addresses: [] }, RULES.dialect)
  const contact = encodeContact({ signature: 1n, nodeId: 2n, addresses: [] })
  for (const [type, payload] of [
    [RECORD_TYPE.presence, presence],
    [RECORD_TYPE.contact, contact],
  ] as const) {
    assert.is(faultOf({ type, payload, creatorId: 'bob', id: recordId('bob') }), undefined)
    assert.is(faultOf({ type, payload, creatorId: 'bob', id: recordId('eve') }), 'record-id')
  }
})

test('attack: lying times are no reason to drop a record, unless nobody could sync it (GA-47)', () => {
  const future = 9_000_000_000_000_000_000n
  const times = { creationTime: future, modificationTime: future }
  assert.is(faultOf({ ...times, expirationTime: future + HOUR }), undefined)
  assert.is(faultOf({ expirationTime: 0x7fffffffffffffffn }), undefined)
  assert.is(faultOf({ expirationTime: 0x8000000000000000n }), 'time-range')
})

test('G-040 names that stand for fields of a record are refused', () => {
  const named = (name: string) =>
    `<attributes><attribute name="${name}" type="string">x</attribute></attributes>`
  assert.is(faultOf({ attributes: named('colour') }), undefined)
  for (const name of ['peercreatorid', 'peerrecordid', 'peerlastmodificationtime']) {
    assert.is(faultOf({ attributes: named(name) }), 'attributes')
  }
})

test('what was made by this house is sound', () => {
  const made = record({ attributes: '<attributes/>', payload: new Uint8Array(10) })
  const validation = new RecordValidation()
  assert.is(validation.faultOf(made, RULES, T0), undefined)
  assert.is(validation.faultOf(version(made, 2), RULES, T0), undefined)
})

test.run()
