// Messages, records and payloads against bytes derived by hand (test/golden/graph.ts).
import * as assert from 'uvu/assert'
import { toHex } from '#lib/core/bytes.js'
import {
  decodeRecord,
  encodeGraphMessage,
  encodeRecord,
  recordFields,
} from '#lib/wire/graph/codec.js'
import { frameMessage } from '#lib/wire/graph/frames.js'
import * as payloads from '#lib/wire/graph/payloads.js'
import { GraphStreamReader } from '#lib/wire/graph/stream-reader.js'
import * as golden from '../../../golden/graph.js'
import { suite } from '../../../harness.js'

const test = suite('golden graph vectors')
const dialect = { stringOrder: 'big-endian' } as const
const options = { ...dialect, graphId: 'g1', maxFrame: 16_379, maxMessage: 1_000_000 }

test('G-001 G-002 G-007 G-008 G-018 G-019 G-020 G-021 G-023 G-026 G-028 G-031 every message is written and read as derived by hand', () => {
  for (const { name, message, bytes } of golden.messageVectors) {
    assert.is(toHex(encodeGraphMessage(message)), toHex(bytes), name)
    const reader = new GraphStreamReader(options)
    for (const piece of frameMessage(bytes, options.maxFrame)) reader.push(piece)
    assert.equal(reader.next(), { kind: 'message', message }, name)
    assert.is(reader.next(), undefined)
    assert.is(reader.buffered, 0)
  }
  const types = new Set(golden.messageVectors.map(({ bytes }) => bytes[5]))
  assert.is(types.size, 13, 'all but FLOOD')
})

test('G-011 G-012 G-013 G-014 G-015 G-016 records are written and read as derived by hand', () => {
  for (const { name, fields, bytes } of golden.recordVectors) {
    assert.is(toHex(encodeRecord(fields, dialect).bytes), toHex(bytes), name)
    const decoded = decodeRecord(bytes, dialect, 'g1')
    assert.ok(decoded.ok, name)
    assert.equal(recordFields(decoded.record), fields, name)
    assert.is(toHex(decoded.record.retain().bytes), toHex(bytes), name)
    assert.equal(recordFields(decoded.record), fields, name)
  }
  assert.is(golden.signature.bytes.length, 116)
})

test('G-001 a graph of the other dialect writes strings the other way round (GA-01)', () => {
  const little = { stringOrder: 'little-endian' } as const
  const { fields, bytes } = golden.full
  assert.is(toHex(encodeRecord(fields, little).bytes), toHex(golden.fullLittleEndian))
  const native = decodeRecord(golden.fullLittleEndian, little, 'g1')
  assert.ok(native.ok)
  assert.equal(recordFields(native.record), fields)
  // what came in the other order is turned: the same record has the same bytes at every node
  const turned = decodeRecord(golden.fullLittleEndian, dialect, 'g1')
  assert.ok(turned.ok)
  assert.equal(recordFields(turned.record), fields)
  assert.is(toHex(turned.record.bytes), toHex(bytes))
})

test('G-028 a FLOOD is 12 bytes and its record', () => {
  const record = encodeRecord(golden.signature.fields, dialect)
  assert.is(toHex(encodeGraphMessage({ type: 'FLOOD', record })), toHex(golden.floodBytes))
  const reader = new GraphStreamReader(options)
  for (const piece of frameMessage(golden.floodBytes, options.maxFrame)) reader.push(piece)
  const item = reader.next()
  assert.ok(item?.kind === 'message' && item.message.type === 'FLOOD')
  assert.equal(recordFields(item.message.record), golden.signature.fields)
})

test('G-010 G-034 G-038 G-039 internal payloads are written and read as derived by hand', () => {
  const { infoVector, contactVector, presenceVector } = golden
  assert.is(toHex(payloads.encodeGraphInfo(infoVector.payload, dialect)), toHex(infoVector.bytes))
  assert.equal(payloads.decodeGraphInfo(infoVector.bytes, dialect), {
    ok: true,
    payload: infoVector.payload,
  })
  assert.is(toHex(payloads.encodeContact(contactVector.payload)), toHex(contactVector.bytes))
  assert.equal(payloads.decodeContact(contactVector.bytes), {
    ok: true,
    payload: contactVector.payload,
  })
  const presence = payloads.encodePresence(presenceVector.payload, dialect)
  assert.is(toHex(presence), toHex(presenceVector.bytes))
  assert.equal(payloads.decodePresence(presenceVector.bytes, dialect), {
    ok: true,
    payload: presenceVector.payload,
  })
  const signature = payloads.encodeSignature({ signature: 0x0102030405060708n })
  assert.is(toHex(signature), '0102030405060708')
  assert.equal(payloads.decodeSignature(signature), {
    ok: true,
    payload: { signature: 0x0102030405060708n },
  })
})

test('G-009 PEER_IN6_ADDRESS_EX is an address and a name', () => {
  const { payload, bytes } = golden.addressExVector
  assert.is(toHex(payloads.encodeAddressEx(payload)), toHex(bytes))
  assert.equal(payloads.decodeAddressEx(bytes), { ok: true, payload })
})

test.run()
