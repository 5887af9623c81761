// Each check on receipt: MS-PPGRH 2.2.2 with 3.1.5.1.1 and 3.1.5.2, and 3.1.7.27 for records. Each
// case breaks one thing in a good message, by hand.
import * as assert from 'uvu/assert'
import { decodeRecord } from '#lib/wire/graph/codec.js'
import * as payloads from '#lib/wire/graph/payloads.js'
import { GraphMessageReader } from '#lib/wire/graph/stream-reader.js'
import type { GraphStreamItem } from '#lib/wire/graph/stream-reader.js'
import * as golden from '../../../golden/graph.js'
import { hex, patched, spliced } from '../../../helpers/hex.js'
import { suite } from '../../../harness.js'

const test = suite('graph receive checks')
const dialect = { stringOrder: 'big-endian' } as const
const readerOptions = { ...dialect, graphId: 'g1', maxMessage: 70_000_000 }

function read(bytes: Uint8Array): GraphStreamItem | undefined {
  const reader = new GraphMessageReader(readerOptions)
  reader.push(bytes)
  return reader.next()
}

/** Also that nothing follows: a connection that broke the rules is not listened to. */
function refuses(bytes: Uint8Array, code: string, why: string): void {
  const reader = new GraphMessageReader(readerOptions)
  reader.push(bytes)
  assert.equal(reader.next(), { kind: 'error', code: `ERR_PEERNET_${code}` }, why)
  reader.push(message('sync-end'))
  assert.is(reader.next(), undefined, why)
  assert.is(reader.buffered, 0)
}

function accepts(bytes: Uint8Array, why: string): GraphStreamItem & { kind: 'message' } {
  const item = read(bytes)
  assert.ok(item?.kind === 'message', why)
  return item
}

function message(name: string): Uint8Array {
  const vector = golden.messageVectors.find((candidate) => candidate.name === name)
  assert.ok(vector, name)
  return vector.bytes
}

/** Another Message Size, and so many bytes more or fewer at the end. */
function resized(bytes: Uint8Array, size: number): Uint8Array {
  const copy = new Uint8Array(size)
  copy.set(bytes.subarray(0, size))
  return patched(copy, 0, size >>> 24, (size >> 16) & 0xff, (size >> 8) & 0xff, size & 0xff)
}

test('G-007 G-008 G-085 the header: size, version, type; what is reserved is ignored', () => {
  const good = message('sync-end')
  refuses(patched(good, 0, 0, 0, 0, 7), 'BAD_LENGTH', 'Message Size below 8')
  refuses(patched(good, 0, 0, 0, 0, 0), 'BAD_LENGTH', 'Message Size 0')
  for (const version of [0, 0x0f, 0x11, 0xff]) {
    refuses(patched(good, 4, version), 'BAD_VERSION', `version ${version}`)
  }
  for (const type of [0, 0x0f, 0x10, 0xff]) {
    refuses(patched(good, 5, type), 'UNKNOWN_MESSAGE_TYPE', `type ${type} (GA-34)`)
  }
  accepts(patched(good, 6, 0xff, 0xff), 'reserved')
  refuses(resized(good, 11), 'TRUNCATED', 'SYNC_END below 12')
})

test('every message below its fixed part is refused', () => {
  // [name, size of the fixed part as the receive checks have it]
  const fixed: [string, number][] = [
    ['auth-info', 16],
    ['connect', 24],
    ['welcome', 32],
    ['refuse-busy', 12],
    ['disconnect', 12],
    ['solicit-new-all', 12],
    ['solicit-time', 20],
    ['solicit-hash', 20],
    ['advertise-nothing', 24],
    ['request-nothing', 16],
    ['sync-end', 12],
    ['ping', 28],
    ['ack', 12],
  ]
  for (const [name, size] of fixed) {
    for (const short of [8, size - 1]) refuses(resized(message(name), short), 'TRUNCATED', name)
  }
  refuses(resized(golden.floodBytes, 15), 'TRUNCATED', 'FLOOD below 16')
})

test('G-018 G-076 AUTH_INFO: type, order of the offsets, strings', () => {
  const good = message('auth-info')
  const named = message('auth-info-direct')
  for (const type of [0, 3, 0xff]) refuses(patched(good, 8, type), 'BAD_VALUE', `type ${type}`)
  accepts(patched(good, 9, 0xff), 'reserved')
  refuses(patched(good, 11, 0x13), 'BAD_LENGTH', 'graph offset = source offset')
  refuses(patched(good, 11, 0x14), 'BAD_LENGTH', 'graph offset > source offset')
  refuses(patched(good, 11, 0x0f), 'BAD_LENGTH', 'graph ID inside the fixed part')
  refuses(patched(good, 13, 0x19), 'BAD_LENGTH', 'source offset = destination offset')
  refuses(patched(good, 15, 0x1a), 'BAD_LENGTH', 'destination offset > Message Size')
  refuses(patched(named, 14, 0xff, 0xff), 'BAD_LENGTH', 'destination offset far outside')
  refuses(patched(good, 16, 0, 0, 0), 'BAD_TEXT', 'an empty graph ID')
  refuses(patched(good, 13, 0x18, 0, 0x19), 'BAD_TEXT', 'a NUL inside the graph ID')
  refuses(patched(good, 24, 0x65), 'BAD_TEXT', 'a source without its NUL')
  refuses(patched(good, 20, 0), 'BAD_TEXT', 'a NUL inside the source')
  refuses(patched(good, 20, 0xff), 'BAD_TEXT', 'a source that is not UTF-8')
  refuses(patched(good, 20, 0xed, 0xa0, 0x80), 'BAD_TEXT', 'a surrogate in UTF-8')
  refuses(
    hex`00000017 10 01 0000 01 00 0010 0013 0015 673100 6100 0000`,
    'BAD_TEXT',
    'a destination of two NULs',
  )
  refuses(
    hex`00000016 10 01 0000 01 00 0010 0013 0015 673100 6100 00`,
    'BAD_TEXT',
    'an empty destination',
  )
  refuses(hex`00000014 10 01 0000 01 00 0010 0012 0013 6700 00 00`, 'BAD_TEXT', 'an empty source')
})

test('a graph ID of 255 characters is the longest, whatever their length in UTF-8', () => {
  const authInfo = (graph: string): Uint8Array => {
    const text = new TextEncoder().encode(`${graph}\0`)
    const size = 16 + text.length + 2
    const at = (offset: number): number[] => [offset >> 8, offset & 0xff]
    const offsets = [...at(16), ...at(16 + text.length), ...at(size)]
    const head = [0, 0, ...at(size), 0x10, 1, 0, 0, 1, 0, ...offsets]
    return new Uint8Array([...head, ...text, 0x61, 0])
  }
  for (const unit of ['a', '\u00e9', '\u20ac', '\ufffd']) {
    accepts(authInfo(unit.repeat(255)), unit)
    refuses(authInfo(unit.repeat(256)), 'BAD_TEXT', unit)
  }
  accepts(authInfo('\u{1f600}'.repeat(127)), 'two units each')
  refuses(authInfo('\u{1f600}'.repeat(128)), 'BAD_TEXT', 'two units each')
})

test('G-019 G-086 CONNECT: addresses and name inside, U with addresses, families', () => {
  const good = message('connect-update')
  const named = message('connect-direct-named')
  refuses(patched(good, 9, 0), 'BAD_COUNT', 'U without addresses')
  refuses(patched(good, 9, 2), 'BAD_LENGTH', 'more addresses than there is room for')
  refuses(patched(good, 11, 0x19), 'BAD_LENGTH', 'addresses beyond the name')
  refuses(patched(good, 11, 0x17), 'BAD_LENGTH', 'addresses inside the fixed part')
  refuses(patched(good, 10, 0xff, 0xff), 'BAD_LENGTH', 'addresses far outside')
  refuses(patched(good, 13, 0x2b), 'BAD_LENGTH', 'the name before the end of the addresses')
  refuses(patched(good, 13, 0x2d), 'BAD_LENGTH', 'the name outside')
  refuses(patched(good, 25, 0x18), 'BAD_VALUE', 'a family other than 0x0017 (GA: constant)')
  refuses(patched(named, 44, 0, 2), 'BAD_VALUE', 'the family of the second address')
  refuses(patched(named, 68, 0x61), 'BAD_TEXT', 'a name without NUL')
  const item = accepts(patched(message('connect'), 8, 0xf2), 'undefined bits')
  assert.equal(item.message, {
    ...{ type: 'CONNECT', update: false, direct: false, neighborList: false },
    ...{ nodeId: 0x0102030405060708n, addresses: [] },
  })
  accepts(patched(message('connect'), 14, 0xff, 0xff), 'reserved')
})

test('G-020 G-096 WELCOME: addresses, peer ID and name inside and in order', () => {
  const good = message('welcome-referral-named')
  refuses(patched(good, 24, 2), 'BAD_LENGTH', 'more addresses than there is room for')
  refuses(patched(good, 27, 0x21), 'BAD_LENGTH', 'addresses reach into the peer ID')
  refuses(patched(good, 27, 0x1f), 'BAD_LENGTH', 'addresses inside the fixed part')
  refuses(patched(good, 29, 0x33), 'BAD_LENGTH', 'the peer ID before the end of the addresses')
  refuses(patched(good, 31, 0x34), 'BAD_LENGTH', 'name offset = peer ID offset')
  refuses(patched(good, 31, 0x33), 'BAD_LENGTH', 'name offset < peer ID offset')
  refuses(patched(good, 31, 0x3d), 'BAD_LENGTH', 'name offset > Message Size')
  refuses(patched(good, 55, 0x62), 'BAD_TEXT', 'a peer ID without NUL')
  refuses(patched(good, 59, 0x62), 'BAD_TEXT', 'a name without NUL')
  accepts(patched(good, 25, 0xff), 'reserved')
  refuses(hex`00000020 10 03 0000 00*16 00 00 0000 0020 0020`, 'BAD_LENGTH', 'no peer ID')
})

test('G-021 G-023 G-103 G-106 REFUSE and DISCONNECT: codes and addresses', () => {
  const refuse = message('refuse-busy')
  const disconnect = message('disconnect-referral')
  for (const code of [0, 5, 0xff]) refuses(patched(refuse, 8, code), 'BAD_VALUE', `code ${code}`)
  for (const reason of [0, 4]) refuses(patched(disconnect, 8, reason), 'BAD_VALUE', `${reason}`)
  for (const good of [refuse, disconnect]) {
    refuses(patched(good, 9, 2), 'BAD_LENGTH', 'too many addresses')
    refuses(patched(good, 11, 0x0d), 'BAD_LENGTH', 'addresses reach outside')
    refuses(patched(good, 11, 0x0b), 'BAD_LENGTH', 'addresses inside the fixed part')
    refuses(patched(good, 12, 0x17, 0), 'BAD_VALUE', 'a little-endian family')
  }
  refuses(patched(message('disconnect'), 11, 0x0d), 'BAD_LENGTH', 'an offset outside')
})

test('G-024 G-107 G-111 G-112 SOLICITs: counts and record types', () => {
  const included = message('solicit-new-included')
  const excluded = message('solicit-new-excluded')
  refuses(patched(included, 9, 1), 'BAD_COUNT', 'inclusions and exclusions')
  refuses(patched(excluded, 8, 2, 0), 'BAD_COUNT', 'two inclusions')
  refuses(patched(excluded, 9, 3), 'BAD_LENGTH', 'more types than there is room for')
  refuses(patched(excluded, 11, 0x0d), 'BAD_LENGTH', 'types reach outside')
  refuses(patched(excluded, 11, 0x0b), 'BAD_LENGTH', 'types inside the fixed part')
  refuses(patched(message('solicit-time'), 9, 1), 'BAD_COUNT', 'both in SOLICIT_TIME')
  refuses(patched(message('solicit-time'), 8, 0, 2), 'BAD_LENGTH', 'too many in SOLICIT_TIME')
  const hash = message('solicit-hash-excluding')
  refuses(patched(hash, 8, 1), 'BAD_COUNT', 'both in SOLICIT_HASH')
  refuses(patched(hash, 9, 2), 'BAD_LENGTH', 'types reach into the ranges')
  refuses(patched(hash, 15, 2), 'BAD_LENGTH', 'more ranges than there is room for (GA-22)')
  refuses(patched(hash, 12, 0xff, 0xff, 0xff, 0xff), 'BAD_LENGTH', '2^32 - 1 ranges')
  // 0x06666667 * 40 = 2^32 + 24: a product of 32 bits would be 24
  refuses(patched(hash, 12, 0x06, 0x66, 0x66, 0x67), 'BAD_LENGTH', 'a product that overflows')
  refuses(patched(hash, 17, 0x25), 'BAD_LENGTH', 'ranges reach outside')
  refuses(patched(hash, 16, 0xff, 0xff), 'BAD_LENGTH', 'ranges far outside')
})

test('G-113 G-114 ADVERTISE and REQUEST: ranges and abstracts', () => {
  const good = message('advertise')
  refuses(patched(good, 11, 2), 'BAD_LENGTH', 'ranges reach into the abstracts')
  refuses(patched(good, 15, 3), 'BAD_LENGTH', 'abstracts reach outside')
  refuses(patched(good, 17, 0x17), 'BAD_LENGTH', 'ranges inside the fixed part')
  refuses(patched(good, 17, 0x19), 'BAD_LENGTH', 'ranges reach into the abstracts')
  refuses(patched(good, 23, 0x4b), 'BAD_LENGTH', 'abstracts begin inside the ranges')
  refuses(patched(good, 20, 0, 0, 1, 0), 'BAD_LENGTH', 'abstracts outside')
  // 0x04ec4ec5 * 52 = 2^32 + 4, 0x0ccccccd * 20 = 2^32 + 4
  refuses(patched(good, 8, 0x04, 0xec, 0x4e, 0xc5), 'BAD_LENGTH', 'a product that overflows')
  refuses(patched(good, 12, 0x0c, 0xcc, 0xcc, 0xcd), 'BAD_LENGTH', 'a product that overflows')
  accepts(patched(good, 18, 0xff, 0xff), 'reserved')
  const request = message('request')
  refuses(patched(request, 11, 2), 'BAD_LENGTH', 'too many abstracts')
  refuses(patched(request, 15, 0x11), 'BAD_LENGTH', 'abstracts reach outside')
  refuses(patched(request, 15, 0x0f), 'BAD_LENGTH', 'abstracts inside the fixed part')
  refuses(patched(request, 12, 0xff, 0xff, 0xff, 0xff), 'BAD_LENGTH', 'an offset far outside')
  refuses(patched(request, 8, 0x0c, 0xcc, 0xcc, 0xcd), 'BAD_LENGTH', 'a product that overflows')
  accepts(resized(message('request-nothing'), 16), 'an empty REQUEST of 16 bytes (GA-20)')
})

test('G-115 FLOOD: the offset, and Reserved2 (GA-29)', () => {
  const good = golden.floodBytes
  refuses(patched(good, 11, 1), 'BAD_VALUE', 'Reserved2')
  refuses(patched(good, 9, 0x0b), 'BAD_LENGTH', 'the record inside the fixed part')
  refuses(patched(good, 8, 0xff), 'BAD_LENGTH', 'the record outside')
  const moved = patched(spliced(good, 12, 0, hex`0000`), 0, 0, 0, 0, 0x82)
  accepts(patched(moved, 9, 14), 'bytes before the record')
})

test('G-127 PT2PT: the offset; an empty payload is one', () => {
  const good = message('pt2pt')
  refuses(patched(good, 9, 0x1b), 'BAD_LENGTH', 'data inside the fixed part')
  refuses(patched(good, 9, 0x20), 'BAD_LENGTH', 'data outside')
  accepts(patched(good, 10, 0xff, 0xff), 'reserved')
  const item = accepts(patched(good, 9, 0x1f), 'data at the end')
  assert.ok(item.message.type === 'PT2PT' && item.message.data.length === 0)
})

test('G-031 G-126 ACK: entries inside; only the lowest bit counts', () => {
  const good = message('ack-two')
  refuses(patched(good, 9, 3), 'BAD_LENGTH', 'too many')
  refuses(patched(good, 11, 0x0d), 'BAD_LENGTH', 'entries reach outside')
  refuses(patched(good, 11, 0x0b), 'BAD_LENGTH', 'entries inside the fixed part')
  refuses(patched(good, 8, 0xff, 0xff), 'BAD_LENGTH', '65535 of them')
  const item = accepts(patched(good, 28, 0xff, 0xff, 0xff, 0xfe), 'other bits')
  assert.ok(item.message.type === 'ACK')
  assert.equal(
    item.message.acks.map(({ useful }) => useful),
    [false, true],
  )
})

test('GA-03 Message Size is bounded for each type', () => {
  const claims = (type: number, size: number): Uint8Array =>
    hex`00000000 10 00 0000`.map((byte, i) =>
      i === 5 ? type : i < 4 ? (size >> (24 - 8 * i)) & 0xff : byte,
    )
  for (const type of [1, 2, 3, 4, 5, 6, 7, 12]) {
    refuses(claims(type, 65_536), 'MESSAGE_TOO_LONG', `type ${type}`)
    assert.is(read(claims(type, 65_535)), undefined, `type ${type}`)
  }
  for (const [type, most] of [
    [8, 4_063_232],
    [9, 4_194_304],
    [10, 1_048_576],
    [14, 4_194_304],
  ] as const) {
    refuses(claims(type, most + 1), 'MESSAGE_TOO_LONG', `type ${type}`)
    assert.is(read(claims(type, most)), undefined, `type ${type}`)
  }
  for (const type of [11, 13]) {
    refuses(claims(type, 70_000_001), 'MESSAGE_TOO_LONG', `type ${type}`)
    assert.is(read(claims(type, 70_000_000)), undefined, `type ${type}`)
  }
})

const flood = (record: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(12 + record.length)
  bytes.set(hex`00000000 10 0b 0000 000c 0000`)
  bytes.set(record, 12)
  return resized(bytes, bytes.length)
}

function dropsRecord(record: Uint8Array, code: string, why: string): void {
  const expected = { ok: false, code: `ERR_PEERNET_${code}` }
  assert.equal(decodeRecord(record, dialect, 'g1'), expected, why)
  const reader = new GraphMessageReader(readerOptions)
  reader.push(flood(record))
  reader.push(message('sync-end'))
  assert.equal(reader.next(), { kind: 'dropped', code: expected.code }, why)
  assert.ok(reader.next()?.kind === 'message', `the connection stays: ${why}`)
}

test('G-011 G-013 G-016 G-116 a record whose lengths do not close is dropped', () => {
  const { bytes } = golden.full
  assert.ok(decodeRecord(bytes, dialect, 'g1').ok)
  dropsRecord(bytes.subarray(0, 89), 'TRUNCATED', 'below 90 bytes')
  dropsRecord(hex`${bytes} 00`, 'TRAILING_BYTES', 'a byte too many')
  dropsRecord(patched(bytes, 43, 1), 'BAD_LENGTH', 'a creator of one unit')
  dropsRecord(patched(bytes, 43, 0), 'BAD_LENGTH', 'no creator')
  dropsRecord(patched(bytes, 42, 1, 1), 'BAD_LENGTH', 'a creator of 257 units')
  dropsRecord(patched(bytes, 42, 1, 0), 'TRUNCATED', 'a creator of 256 units that are not there')
  dropsRecord(patched(bytes, 40, 0x80), 'BAD_LENGTH', 'a creator of 2^31 units')
  dropsRecord(patched(bytes, 55, 1), 'BAD_LENGTH', 'a modifier of one unit')
  dropsRecord(patched(bytes, 54, 1, 1), 'BAD_LENGTH', 'a modifier of 257 units')
  dropsRecord(patched(bytes, 64, 0xff), 'TRUNCATED', 'security data of 4 GB')
  dropsRecord(patched(bytes, 67, 3), 'BAD_LENGTH', 'security data that eats the times')
  dropsRecord(patched(bytes, 97, 1), 'BAD_LENGTH', 'a graph ID of one unit')
  dropsRecord(patched(bytes, 104, 2), 'BAD_VERSION', 'protocol version 0x0200')
  dropsRecord(patched(bytes, 105, 0x10), 'BAD_VERSION', 'the version of the header')
  dropsRecord(patched(bytes, 106, 0xff), 'TRUNCATED', 'a payload of 4 GB')
  dropsRecord(patched(bytes, 111, 0x80), 'BAD_LENGTH', 'attributes of 2^31 units')
  dropsRecord(patched(bytes, 111, 0x7f), 'TRUNCATED', 'attributes of nearly 2^31 units')
  dropsRecord(patched(bytes, 114, 0x0d), 'TRAILING_BYTES', 'attributes a unit short')
})

test('G-012 G-015 G-171 a record that contradicts itself is dropped', () => {
  const { bytes } = golden.full
  const dead = golden.tombstone.bytes
  dropsRecord(patched(bytes, 32, 0, 0, 0, 0), 'BAD_VALUE', 'version 0')
  dropsRecord(patched(bytes, 39, 2), 'BAD_PAYLOAD', 'a tombstone with a payload')
  const [created, expires, modified] = [70, 78, 86]
  dropsRecord(patched(bytes, modified + 6, 0), 'BAD_VALUE', 'unmodified, but with a modifier')
  dropsRecord(patched(bytes, created + 6, 2), 'BAD_VALUE', 'modified before it was created')
  dropsRecord(patched(bytes, expires + 6, 1), 'BAD_VALUE', 'expires when it was modified')
  dropsRecord(patched(bytes, expires, 0), 'BAD_VALUE', 'expires before it was modified')
  // times are unsigned
  const late = patched(patched(patched(dead, 60, 0x80), 68, 0x80), 76, 0x80)
  assert.ok(decodeRecord(late, dialect, 'g1').ok)
})

test('G-171 the strings of a record have one NUL, at the end, and no lone surrogates (GA-42)', () => {
  const { bytes } = golden.full
  dropsRecord(patched(bytes, 51, 1), 'BAD_TEXT', 'a creator without NUL')
  dropsRecord(patched(bytes, 47, 0), 'BAD_TEXT', 'a NUL inside the creator')
  dropsRecord(patched(bytes, 46, 0xd8), 'BAD_TEXT', 'a high surrogate alone')
  dropsRecord(patched(bytes, 46, 0xdc), 'BAD_TEXT', 'a low surrogate alone')
  dropsRecord(patched(bytes, 58, 0xde, 0, 0xd8, 0x3d), 'BAD_TEXT', 'a pair the wrong way round')
  dropsRecord(patched(bytes, 60, 0xd8), 'BAD_TEXT', 'two high surrogates')
  dropsRecord(patched(bytes, 142, 1), 'BAD_TEXT', 'attributes without NUL')
  dropsRecord(patched(bytes, 116, 0), 'BAD_TEXT', 'a NUL inside the attributes')
  const empty = patched(spliced(bytes, 117, 26), 111, 0, 0, 0, 1, 0, 0)
  const decoded = decodeRecord(empty, dialect, 'g1')
  assert.ok(decoded.ok && decoded.record.attributes === '', 'attributes of a lone NUL')
})

test('G-171 a record of another graph is dropped (GA-01: in either byte order)', () => {
  const { bytes } = golden.full
  dropsRecord(patched(bytes, 99, 0x68), 'WRONG_GRAPH', 'h1')
  dropsRecord(patched(golden.fullLittleEndian, 100, 0x32), 'WRONG_GRAPH', 'g2, little-endian')
  dropsRecord(patched(bytes, 102, 0, 0x32), 'WRONG_GRAPH', 'g1 and no end')
  assert.ok(decodeRecord(patched(bytes, 99, 0x68), dialect).ok, 'unless any graph will do')
  const mixed = patched(golden.fullLittleEndian, 44, 0, 0x7a)
  assert.ok(decodeRecord(mixed, dialect, 'g1').ok, 'a text of that order, if an odd one')
  dropsRecord(patched(golden.fullLittleEndian, 47, 0xd8), 'BAD_TEXT', 'judged in its own order')
})

test('what a record reserves is ignored, and goes on as it came', () => {
  const odd = patched(golden.full.bytes, 36, 0xff, 0xff, 0xff, 0xfd)
  const decoded = decodeRecord(odd, dialect, 'g1')
  assert.ok(decoded.ok)
  assert.is(decoded.record.deleted, false)
  assert.equal(decoded.record.bytes, odd)
})

test('G-034 G-035 G-037 Graph Info: sizes, ranges, strings', () => {
  const { bytes } = golden.infoVector
  const fails = (broken: Uint8Array, code: string, why: string): void => {
    const expected = { ok: false, code: `ERR_PEERNET_${code}` }
    assert.equal(payloads.decodeGraphInfo(broken, dialect), expected, why)
  }
  const passes = (good: Uint8Array, why: string): void => {
    assert.ok(payloads.decodeGraphInfo(good, dialect).ok, why)
  }
  fails(patched(bytes, 3, 0x3d), 'BAD_LENGTH', 'Size')
  fails(bytes.subarray(0, 61), 'BAD_LENGTH', 'cut short')
  for (const scope of [0, 4]) fails(patched(bytes, 11, scope), 'BAD_VALUE', `scope ${scope}`)
  for (const scope of [1, 2]) passes(patched(bytes, 11, scope), `scope ${scope}`)
  passes(patched(bytes, 4, 0xff, 0xff, 0xff, 0xff), 'reserved flags')
  fails(patched(bytes, 15, 1), 'BAD_LENGTH', 'a graph ID of one unit')
  fails(patched(bytes, 14, 1, 1), 'BAD_LENGTH', 'a graph ID of 257 units')
  fails(patched(bytes, 20, 0, 1), 'BAD_TEXT', 'a graph ID without NUL')
  fails(patched(bytes, 40, 1, 1), 'BAD_LENGTH', 'a friendly name of 257 units')
  fails(patched(bytes, 48, 2, 1), 'BAD_LENGTH', 'a comment of 513 units')
  fails(patched(bytes, 48, 1, 0), 'TRUNCATED', 'a comment of 256 units that are not there')
  const numbers = 50
  assert.is(bytes.length, numbers + 12)
  fails(patched(bytes, numbers, 0, 0, 1, 0x2b), 'BAD_VALUE', 'a lifetime of 299 s')
  passes(patched(bytes, numbers, 0, 0, 0, 0), 'the default lifetime')
  fails(patched(bytes, numbers + 8, 0, 0, 3, 0xff), 'BAD_VALUE', 'record size 1,023')
  passes(patched(bytes, numbers + 8, 0, 0, 4, 0), 'record size 1,024')
  fails(patched(bytes, numbers + 8, 3, 0xc0, 0, 1), 'BAD_VALUE', 'record size 62,914,561')
  passes(patched(bytes, numbers + 8, 0, 0, 0, 0), 'the default record size')
})

test('G-010 G-038 G-039 contact, presence and signature: counts, addresses, lengths', () => {
  const contact = golden.contactVector.bytes
  const fails = (outcome: { ok: boolean; code?: string }, code: string, why: string): void => {
    assert.equal(outcome, { ok: false, code: `ERR_PEERNET_${code}` }, why)
  }
  const { decodeContact, decodePresence, decodeSignature } = payloads
  fails(decodeContact(patched(contact, 19, 2)), 'TRUNCATED', 'more addresses than there are')
  fails(decodeContact(patched(contact, 16, 0x80)), 'TRUNCATED', '2^31 addresses')
  // 2^27 * 32 = 2^32
  fails(decodeContact(patched(contact, 16, 8, 0, 0, 1)), 'TRUNCATED', 'a product that overflows')
  fails(decodeContact(patched(contact, 19, 0)), 'TRAILING_BYTES', 'fewer addresses')
  fails(decodeContact(patched(contact, 23, 0x1c)), 'BAD_VALUE', 'Size of an address')
  fails(decodeContact(patched(contact, 25, 0x0a)), 'BAD_VALUE', 'the family of another system')
  fails(decodeContact(contact.subarray(0, 19)), 'TRUNCATED', 'cut short')
  assert.ok(decodeContact(patched(contact, 28, 1, 2, 3, 4)).ok, 'Flow Info')
  assert.ok(decodeContact(patched(contact, 51, 3)).ok, 'Zero: a scope, on Windows')
  const presence = golden.presenceVector.bytes
  fails(decodePresence(patched(presence, 11, 2), dialect), 'BAD_TEXT', 'attributes without NUL')
  fails(decodePresence(patched(presence, 8, 0x7f), dialect), 'TRUNCATED', 'long attributes')
  fails(decodePresence(patched(presence, 8, 0x80), dialect), 'BAD_LENGTH', '2^31 units')
  for (const length of [0, 7]) {
    fails(decodeSignature(new Uint8Array(length)), 'TRUNCATED', `${length} bytes`)
  }
  fails(decodeSignature(new Uint8Array(9)), 'TRAILING_BYTES', '9 bytes')
  const named = golden.addressExVector.bytes
  fails(payloads.decodeAddressEx(patched(named, 1, 2)), 'BAD_VALUE', 'family')
  fails(payloads.decodeAddressEx(named.subarray(0, 19)), 'TRUNCATED', 'no address')
  fails(payloads.decodeAddressEx(named.subarray(0, 20)), 'BAD_TEXT', 'no name')
  fails(payloads.decodeAddressEx(named.subarray(0, 23)), 'BAD_TEXT', 'a name without NUL')
  fails(payloads.decodeAddressEx(hex`${named} 00`), 'BAD_TEXT', 'two NULs')
})

test.run()
