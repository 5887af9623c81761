// Message elements, MS-PNRP 2.2: FieldID, Length, content, padding.
import * as assert from 'uvu/assert'
import { FieldId } from '#lib/wire/constants.js'
import { decodeMessage, encodeMessage } from '#lib/wire/codec.js'
import { messageVector, messageVectors } from '../../golden/messages.js'
import { bufferVectors, revokeFlood } from '../../golden/structures.js'
import { test } from '../../harness.js'
import { hex, patched, spliced } from '../../helpers/hex.js'
import { bufferRefused, decoded, decodedBuffer, refused, u16 } from '../../helpers/wire.js'
import { same } from '../../helpers/readable.js'

const ids = new Set<number>(Object.values(FieldId))

/** Walks the elements of a message or buffer by their Lengths alone. */
function elementsOf(bytes: Uint8Array, end = bytes.length) {
  const elements: { at: number; field: number; length: number }[] = []
  for (let at = 0; at < end;) {
    const length = u16(bytes, at + 2)
    elements.push({ at, field: u16(bytes, at), length })
    assert.ok(length >= 4, `Length ${length} at ${at}`)
    at += length + (-length & 3)
  }
  return elements
}

const walked = [
  ...messageVectors.map(({ name, bytes, message }) => {
    const encoded = encodeMessage(message)
    return { name, bytes: encoded, end: message.type === 'AUTHORITY' ? 28 : bytes.length }
  }),
  { name: 'flood-revoke', bytes: encodeMessage(revokeFlood.message), end: undefined },
  ...bufferVectors.map(({ name, bytes }) => ({ name, bytes, end: undefined })),
]

test('PNRP-2.2-1 PNRP-2.2-3 elements stand at multiples of 4', () => {
  for (const { name, bytes, end } of walked) {
    for (const { at, field } of elementsOf(bytes, end)) {
      assert.is(at % 4, 0, name)
      assert.ok(ids.has(field), `${name}: ${field.toString(16)} at ${at}`)
    }
  }
})

test('PNRP-2.2-2 Length counts FieldID, Length and content, not the padding', () => {
  const lookup = elementsOf(encodeMessage(messageVector('lookup-full').message))
  const lengths = lookup.map(({ at, length }) => [at, length])
  // 12 header, 12 controls, 36 target, 36 validate, 58 route entry (60 with padding), 48 endpoints
  assert.equal(lengths, [
    ...[
      [0, 12],
      [12, 12],
      [24, 36],
      [60, 36],
    ],
    ...[
      [96, 58],
      [156, 48],
    ],
  ])
})

test('PNRP-2.2-4 the same FieldID means the same element in every message', () => {
  // digest 2.2, copied by hand
  const table: [number, string][] = [
    [0x0010, 'PNRP_HEADER'],
    [0x0018, 'PNRP_HEADER_ACKED'],
    [0x0030, 'PNRP_ID'],
    [0x0038, 'TARGET_PNRP_ID'],
    [0x0039, 'VALIDATE_PNRP_ID'],
    [0x0040, 'FLAGS_FIELD'],
    [0x0043, 'FLOOD_CONTROLS'],
    [0x0044, 'SOLICIT_CONTROLS'],
    [0x0045, 'LOOKUP_CONTROLS'],
    [0x005a, 'EXTENDED_PAYLOAD'],
    [0x0060, 'PNRP_ID_ARRAY'],
    [0x0080, 'CERT_CHAIN'],
    [0x0084, 'WCHAR'],
    [0x0085, 'CLASSIFIER'],
    [0x0092, 'HASHED_NONCE'],
    [0x0093, 'NONCE'],
    [0x0098, 'SPLIT_CONTROLS'],
    [0x009a, 'ROUTING_ENTRY'],
    [0x009b, 'VALIDATE_CPA'],
    [0x009c, 'REVOKE_CPA'],
    [0x009d, 'IPV6_ENDPOINT'],
    [0x009e, 'IPV6_ENDPOINT_ARRAY'],
  ]
  same(Object.fromEntries(table.map(([id, name]) => [name, id])), FieldId)
  // an element that belongs elsewhere is refused, whatever stands around it
  for (const { bytes, message } of messageVectors) {
    const end = message.type === 'AUTHORITY' ? 28 : bytes.length
    for (const { at, field } of elementsOf(bytes, end).slice(1)) {
      for (const other of ids) {
        if (other === field) continue
        const changed = patched(bytes, at, other >> 8, other & 0xff)
        assert.not.ok(decodeMessage(changed).ok, `${message.type}: ${other} for ${field}`)
      }
    }
  }
})

test('PNRP-2.2-5 integers are big-endian unless their definition says otherwise', () => {
  const bytes = encodeMessage({
    type: 'LOOKUP',
    messageId: 0x01020304,
    acceptNotCloser: true,
    precision: 0x0506,
    resolveCriteria: 8,
    resolveReasonCode: 0,
    targetPnrpId: new Uint8Array(32),
    validatePnrpId: new Uint8Array(32),
    flaggedPath: [{ address: new Uint8Array(16), port: 0x0708 }],
  })
  assert.equal([...bytes.slice(8, 12)], [1, 2, 3, 4])
  assert.equal([...bytes.slice(16, 20)], [0, 2, 5, 6])
  assert.equal([...bytes.slice(108, 110)], [7, 8])
  const acked = decoded(hex`0010 000c 51 04 00 09 00000000 0018 0008 01020304`, 'ACK')
  assert.is(acked.ackedMessageId, 0x01020304)
})

test('an element cannot be shorter than its own head or longer than the datagram', () => {
  const flood = messageVector('flood-route').bytes
  for (const length of [0, 1, 3, 4]) refused(patched(flood, 58, 0, length), 'BAD_LENGTH', 58)
  refused(patched(flood, 58, 0xff, 0xff), 'TRUNCATED', 60)
})

test('N-07 padding inside a message is passed over whatever it holds', () => {
  const flood = messageVector('flood-route')
  // 19: after FLOOD_CONTROLS; 130, 131: after the route entry
  const bytes = patched(patched(flood.bytes, 19, 0xff), 130, 0xff, 0xff)
  same(decodeMessage(bytes), { ok: true, message: flood.message })
})

test('N-07 up to three final zero bytes are accepted, other trailing bytes are not', () => {
  for (const { name, bytes, message } of messageVectors) {
    if (message.type === 'AUTHORITY') continue
    for (const zeros of [1, 2, 3]) {
      const longer = spliced(bytes, bytes.length, 0, new Uint8Array(zeros))
      same(decodeMessage(longer), { ok: true, message }, name)
      longer[longer.length - 1] = 1
      refused(longer, 'TRAILING_BYTES', bytes.length)
    }
    const fourZeros = spliced(bytes, bytes.length, 0, new Uint8Array(4))
    refused(fourZeros, 'TRAILING_BYTES', bytes.length)
  }
})

test('N-07 a final element that owns padding may come without it, or with any', () => {
  const flags = hex`0040 0006 0001`
  assert.ok(decodedBuffer(flags).notFound)
  assert.ok(decodedBuffer(hex`${flags} 00`).notFound)
  assert.ok(decodedBuffer(hex`${flags} ffff`).notFound)
  assert.ok(decodedBuffer(hex`${flags} ffff 00`).notFound)
  bufferRefused(hex`${flags} 0000 01`, 'TRAILING_BYTES', 8)
  bufferRefused(hex`${flags} 0000 0000`, 'TRAILING_BYTES', 8)
  const route = bufferVectors.find(({ name }) => name === 'buffer-route')
  assert.ok(route)
  same(decodedBuffer(route.bytes.slice(0, -2)), route.buffer)
  same(decodedBuffer(patched(route.bytes, 66, 0xaa, 0xbb)), route.buffer)
})

test('decoded byte fields are plain views into the datagram', () => {
  const inquiry = Buffer.from(messageVector('inquire-all').bytes)
  const { nonce } = decoded(inquiry, 'INQUIRE')
  assert.is(nonce?.constructor, Uint8Array)
  assert.is(nonce?.buffer, inquiry.buffer)
  // But IDs and addresses, which outlive it.
  const datagram = Buffer.from(messageVector('lookup-full').bytes)
  const { flaggedPath, routeEntry, targetPnrpId } = decoded(datagram, 'LOOKUP')
  for (const field of [
    targetPnrpId,
    routeEntry?.pnrpId,
    routeEntry?.addresses[0],
    flaggedPath[0]?.address,
  ]) {
    assert.is(field?.constructor, Uint8Array)
    assert.is.not(field?.buffer, datagram.buffer)
  }
})

test.run()
