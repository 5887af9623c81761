// The contract of `peernet pnrp decode` and `encode`: lib/wire/json.ts and spec/decode.schema.json.
import { readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { encodeAuthorityBuffer, encodeMessage, splitAuthority } from '#lib/wire/codec.js'
import { decodeLine, encodeLine } from '#lib/wire/json.js'
import { messageVector, messageVectors } from '../../golden/messages.js'
import {
  bufferVector,
  cpaVectors,
  payloadVectors,
  revokeFlood,
  revokeWithoutNonce,
} from '../../golden/structures.js'
import { test } from '../../harness.js'
import { patched } from '../../helpers/hex.js'
import { schemaErrors } from '../../helpers/json-schema.js'
import { omit, u16 } from '../../helpers/wire.js'

type Line = Record<string, unknown>
const schema = JSON.parse(readFileSync('spec/decode.schema.json', 'utf8')) as Line
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function decode(bytes: Uint8Array): Line {
  const line = JSON.parse(decodeLine(toHex(bytes))) as Line
  assert.equal(schemaErrors(schema, line), [])
  return line
}

const encode = (value: unknown) => JSON.parse(encodeLine(JSON.stringify(value))) as Line

const plain = { leafSet: false, busy: false, notFound: false }
/** One AUTHORITY with these fields in its buffer. */
function authorityWith(fields: object): Uint8Array {
  const buffer = encodeAuthorityBuffer({ ...plain, ...fields })
  const ids = { messageId: 1, ackedMessageId: 2 }
  const message = { type: 'AUTHORITY', ...ids, size: buffer.length, offset: 0, buffer } as const
  return encodeMessage(message, { asReceived: true })
}

const datagrams: [string, Uint8Array][] = [
  ...messageVectors.map(({ name, bytes }): [string, Uint8Array] => [name, bytes]),
  ['flood-revoke', revokeFlood.bytes],
  [
    'flood-revoke-without-nonce',
    encodeMessage({ ...revokeFlood.message, revokeCpa: revokeWithoutNonce }),
  ],
  ['authority-full', authorityWith(bufferVector('buffer-full').buffer)],
  ['authority-route', authorityWith(bufferVector('buffer-route').buffer)],
  ...cpaVectors
    .filter(({ cpa }) => !cpa.revoke)
    .map(({ name, bytes }): [string, Uint8Array] => [name, authorityWith({ cpa: bytes })]),
  ...payloadVectors.map(({ name, bytes }): [string, Uint8Array] => [
    name,
    authorityWith({ extendedPayload: bytes }),
  ]),
  ...splitAuthority(3, 4, new Uint8Array(3000).fill(7)).map(
    (bytes, index): [string, Uint8Array] => [`fragment-${index}`, bytes],
  ),
]

for (const [name, bytes] of datagrams) {
  test(`${name} is printed by the schema, built again and encoded to itself`, () => {
    const line = decode(bytes)
    assert.is(line['ok'], true)
    assert.is(line['reencoded'], toHex(bytes))
    assert.equal(encode(line), { ok: true, hex: toHex(bytes) })
    assert.equal(encode(omit(line, 'ok', 'reencoded')), { ok: true, hex: toHex(bytes) })
  })
}

test('a LOOKUP is printed as the contract says', () => {
  const { bytes } = messageVector('lookup-full')
  const id = (first: number) => toHex(new Uint8Array(32).map((_, index) => first + index))
  assert.equal(decode(bytes), {
    ok: true,
    type: 'LOOKUP',
    messageId: 12,
    flags: 2,
    acceptNotCloser: true,
    precision: 17,
    resolveCriteria: 8,
    resolveReasonCode: 2,
    targetPnrpId: id(0),
    validatePnrpId: '00'.repeat(32),
    routeEntry: { pnrpId: id(0x80), port: 3540, usable: true, addresses: ['2001:db8::1'] },
    flaggedPath: ['[2001:db8::1]:3540', '[2001:db8::2]:65535'],
    reencoded: toHex(bytes),
  })
})

test('an AUTHORITY is printed with everything nested, a fragment with its bytes', () => {
  const line = decode(authorityWith(bufferVector('buffer-full').buffer))
  assert.is(line['classifier'], 'f\u00e9\ud83d')
  assert.is(line['certificateChain'], '3003020100')
  assert.is((line['extendedPayload'] as Line)['notAfter'], '133485408000000000')
  assert.equal((line['extendedPayload'] as Line)['payload'], { kind: 'binary', data: '010203' })
  assert.equal((line['cpa'] as Line)['serviceAddresses'], ['[2001:db8::1]:3540'])
  assert.not.ok('buffer' in line)
  const fragment = decode(messageVector('authority-fragment').bytes)
  assert.equal([fragment['size'], fragment['offset'], fragment['buffer']], [1190, 1188, 'aabb'])
})

test('an entry that must not be used is printed as such, and encoded as it was', () => {
  const bytes = patched(messageVector('lookup-full').bytes, 134, 0, 80)
  const line = decode(bytes)
  assert.is((line['routeEntry'] as Line)['usable'], false)
  assert.is(line['reencoded'], toHex(bytes))
})

test('a fault is reported with its code and offset, also one inside', () => {
  const refusal = (bytes: Uint8Array) => {
    const { ok, code, offset } = decode(bytes)
    assert.is(ok, false)
    return [code, offset]
  }
  const { bytes } = messageVector('lookup-full')
  assert.equal(refusal(new Uint8Array(0)), ['ERR_PEERNET_TRUNCATED', 0])
  assert.equal(refusal(patched(bytes, 20, 3)), ['ERR_PEERNET_BAD_VALUE', 20])
  const cpa = cpaVectors[0]?.bytes
  assert.ok(cpa)
  const carrier = authorityWith({ cpa })
  // 28 prefix, 8 flags, 4 element head; the fault is 2 bytes into the CPA
  assert.equal(refusal(patched(carrier, 42, 9)), ['ERR_PEERNET_BAD_VERSION', 42])
  // R set in an AUTHORITY's CPA
  assert.equal(refusal(patched(carrier, 46, 0x09)), ['ERR_PEERNET_BAD_FLAGS', 46])
  const payload = payloadVectors[0]?.bytes
  assert.ok(payload)
  assert.equal(refusal(patched(authorityWith({ extendedPayload: payload }), 43, 9)), [
    'ERR_PEERNET_BAD_VERSION',
    42,
  ])
  assert.equal(refusal(patched(authorityWith({}), 28 + 1, 9)), ['ERR_PEERNET_UNEXPECTED_FIELD', 28])
  // a slice that does not fit its Size: short, and too long
  const [first] = splitAuthority(1, 2, new Uint8Array(2000)) as [Uint8Array]
  assert.equal(refusal(first.slice(0, -1)), ['ERR_PEERNET_BAD_SPLIT', 24])
  assert.is(u16(first, 24), 2000)
  assert.equal(refusal(patched(first, 24, 0x04, 0xa3)), ['ERR_PEERNET_BAD_SPLIT', 24])
})

test('a line that is no hex text is reported where it stops being one', () => {
  for (const [text, offset] of [
    ['zz', 0],
    ['00xx', 1],
    ['001', 1],
    ['00 10', 1],
  ] as const) {
    const line = JSON.parse(decodeLine(text)) as Line
    assert.equal(schemaErrors(schema, line), [])
    assert.equal([line['code'], line['offset']], ['ERR_PEERNET_MALFORMED', offset])
  }
  const { bytes } = messageVector('ack-plain')
  assert.is(decodeLine(` ${toHex(bytes).toUpperCase()}\r\n`), decodeLine(toHex(bytes)))
})

test('encode names what is wrong', () => {
  const ack = { type: 'ACK', messageId: 1, ackedMessageId: 2 }
  const lookup = decode(messageVector('lookup-full').bytes)
  const { routeEntry } = lookup as { routeEntry: Line }
  const cases: [unknown, RegExp][] = [
    [null, /object/],
    [[ack], /object/],
    [{ ...ack, ok: false }, /failure/],
    [{ ...ack, type: 'PING' }, /type/],
    [{ ...ack, messageId: 2 ** 32 }, /messageId/],
    [{ ...ack, messageId: '1' }, /messageId/],
    [{ type: 'ACK', messageId: 1 }, /ackedMessageId is missing/],
    [{ ...ack, notfound: true }, /notfound is not a member/],
    [{ ...ack, flags: 1, notFound: false }, /contradict/],
    [{ ...ack, flags: 2 }, /flags/],
    [{ ...ack, notFound: 1 }, /notFound/],
    [{ ...lookup, targetPnrpId: 'xy' }, /targetPnrpId has to be hex/],
    [{ ...lookup, targetPnrpId: '00' }, /targetPnrpId/],
    [{ ...lookup, flaggedPath: [] }, /BAD_COUNT/],
    [{ ...lookup, flaggedPath: ['1.2.3.4:5'] }, /flaggedPath/],
    [{ ...lookup, flaggedPath: ['[fe80::1%lo]:5000'] }, /flaggedPath/],
    [{ ...lookup, flaggedPath: '[::1]:5000' }, /array/],
    [{ ...lookup, routeEntry: { ...routeEntry, addresses: ['::1%1'] } }, /addresses/],
    [{ ...lookup, routeEntry: { ...routeEntry, port: 65536 } }, /routeEntry.port/],
    [{ ...lookup, routeEntry: { ...routeEntry, extra: 1 } }, /routeEntry.extra/],
    [{ ...ack, type: 'AUTHORITY', offset: 1188 }, /buffer/],
  ]
  for (const [value, message] of cases) {
    const line = encode(value)
    assert.equal([line['ok'], line['code']], [false, 'ERR_PEERNET_INVALID_ARG'])
    assert.match(line['message'] as string, message)
    assert.equal(schemaErrors(schema, line), [])
  }
  assert.is((JSON.parse(encodeLine('{"type":')) as Line)['code'], 'ERR_PEERNET_MALFORMED')
})

test('encode takes named flags, the flags number, or neither', () => {
  const ack = { type: 'ACK', messageId: 1, ackedMessageId: 2 }
  const [with_, without] = [encode({ ...ack, notFound: true }), encode(ack)]
  assert.equal(encode({ ...ack, flags: 1 }), with_)
  assert.equal(encode({ ...ack, flags: 1, notFound: true }), with_)
  assert.equal(encode({ ...ack, flags: 0 }), without)
})

test('a CPA stands only where its kind belongs', () => {
  const flood = decode(revokeFlood.bytes)
  const authority = decode(authorityWith({ cpa: cpaVectors[0]?.bytes }))
  const swapped = [
    { ...flood, revokeCpa: authority['cpa'] },
    { ...authority, cpa: flood['revokeCpa'] },
  ]
  for (const value of swapped) assert.match(encode(value)['message'] as string, /revoke has to be/)
})

test('the schema is not satisfied by anything', () => {
  const line = decode(messageVector('lookup-full').bytes)
  const wrong = [
    { ...line, targetPnrpId: 'AB'.repeat(32) },
    { ...line, flaggedPath: [] },
    { ...line, extra: 1 },
    { ...line, ok: false },
    { ...line, messageId: -1 },
    {},
  ]
  for (const value of wrong) assert.ok(schemaErrors(schema, value).length > 0)
})

test.run()
