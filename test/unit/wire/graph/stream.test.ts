// The stream of one connection, MS-PPGRH 2.2.1.1: however frames and chunks cut it, the same comes
// out.
// test-limit: 120s
import * as assert from 'uvu/assert'
import { guid, guidText } from '#lib/core/guid.js'
import { concatBytes, toHex } from '#lib/core/bytes.js'
import {
  encodeGraphMessage,
  encodeRecord,
  floodHeader,
  recordFields,
} from '#lib/wire/graph/codec.js'
import {
  FloodCutter,
  frame,
  framedFlood,
  frameMessage,
  unframedFlood,
} from '#lib/wire/graph/frames.js'
import type { RecordFields } from '#lib/wire/graph/record.js'
import {
  GraphMessageReader,
  GraphStreamReader,
  type GraphStreamItem,
} from '#lib/wire/graph/stream-reader.js'
import * as golden from '../../../golden/graph.js'
import { plainMessage } from '../../../helpers/graph-wire.js'
import { hex, patched } from '../../../helpers/hex.js'
import { suite } from '../../../harness.js'

const test = suite('graph streams')
const dialect = { stringOrder: 'big-endian' } as const
const options = { ...dialect, graphId: 'g1', maxFrame: 16_379, maxMessage: 63_177_024 }
const newReader = (maxFrame = options.maxFrame) => new GraphStreamReader({ ...options, maxFrame })

/** An item as plain data, at once: what it borrows is gone later. */
function plainItem(item: GraphStreamItem): unknown {
  if (item.kind === 'frame') return { kind: 'frame', bytes: toHex(item.bytes) }
  return item.kind === 'message' ? plainMessage(item.message) : item
}

type Reader = GraphStreamReader | GraphMessageReader

/** Pushes a copy of the chunk, takes all items, and spoils the copy: nothing may depend on it. */
function feed(reader: Reader, chunk: Uint8Array): unknown[] {
  const copy = new Uint8Array(chunk)
  const items: unknown[] = []
  reader.push(copy)
  for (let item = reader.next(); item !== undefined; item = reader.next()) {
    items.push(plainItem(item))
  }
  copy.fill(0xee)
  return items
}

const messages: Uint8Array[] = [
  ...golden.messageVectors.map(({ bytes }) => bytes),
  golden.floodBytes,
  encodeGraphMessage({ type: 'FLOOD', record: encodeRecord(golden.full.fields, dialect) }),
  concatBytes(floodHeader(89), new Uint8Array(89)), // a record that is none
  encodeGraphMessage({ type: 'FLOOD', record: encodeRecord(golden.tombstone.fields, dialect) }),
]

const framed = (maxFrame: number): Uint8Array =>
  concatBytes(...messages.flatMap((message) => frameMessage(message, maxFrame)))

const expected: unknown[] = messages.flatMap((message) => {
  const reader = new GraphMessageReader(options)
  return feed(reader, message)
})

test('one message after the other is what is expected of the others', () => {
  assert.is(expected.length, messages.length)
  const kinds = new Set(expected.map((item) => (item as { kind?: string }).kind))
  assert.equal(kinds, new Set([undefined, 'dropped']))
})

test('G-004 a stream cut in two at any byte gives the same messages', () => {
  const stream = framed(options.maxFrame)
  for (let cut = 0; cut <= stream.length; cut++) {
    const reader = newReader()
    const items = [...feed(reader, stream.subarray(0, cut)), ...feed(reader, stream.subarray(cut))]
    assert.equal(items, expected, `cut at ${cut}`)
    assert.is(reader.buffered, 0)
  }
})

test('G-004 frames of any size, in chunks of any size, give the same messages', () => {
  for (const maxFrame of [1, 2, 3, 5, 7, 8, 9, 13, 16, 31, 64, 127, 128, 129, 1000]) {
    const stream = framed(maxFrame)
    for (const size of [1, 2, 3, 7, 10, 11, 64, 1000, stream.length]) {
      const reader = newReader(maxFrame)
      const items: unknown[] = []
      for (let at = 0; at < stream.length; at += size) {
        items.push(...feed(reader, stream.subarray(at, at + size)))
      }
      assert.equal(items, expected, `frames of ${maxFrame}, chunks of ${size}`)
      assert.is(reader.buffered, 0)
    }
  }
})

test('G-004 every message in frames of every size it can have, cut in two at any byte', () => {
  for (const [index, message] of messages.entries()) {
    for (let maxFrame = 1; maxFrame <= message.length; maxFrame++) {
      const stream = concatBytes(...frameMessage(message, maxFrame))
      const cut = (maxFrame * 7919) % (stream.length + 1)
      const reader = newReader(maxFrame)
      const items = [
        ...feed(reader, stream.subarray(0, cut)),
        ...feed(reader, stream.subarray(cut)),
      ]
      assert.equal(items, [expected[index]], `message ${index}, frames of ${maxFrame}, cut ${cut}`)
    }
  }
})

test('messages without frames, cut anywhere, give the same', () => {
  const stream = concatBytes(...messages)
  for (let cut = 0; cut <= stream.length; cut++) {
    const reader = new GraphMessageReader(options)
    const items = [...feed(reader, stream.subarray(0, cut)), ...feed(reader, stream.subarray(cut))]
    assert.equal(items, expected, `cut at ${cut}`)
  }
})

test('more messages in one chunk than one native call decodes', () => {
  const one = frame(encodeGraphMessage({ type: 'SYNC_END', final: true }))
  for (const count of [63, 64, 65, 128, 129, 1000]) {
    const reader = newReader()
    const chunk = concatBytes(...Array.from({ length: count }, () => one), one.subarray(0, 5))
    assert.is(feed(reader, chunk).length, count)
    assert.is(feed(reader, one.subarray(5)).length, 1)
  }
})

test('G-004 G-006 frames of no bytes and frames above the maximum break the stream (GA-03)', () => {
  const error = (code: string) => [{ kind: 'error', code: `ERR_PEERNET_${code}` }]
  assert.equal(feed(newReader(), hex`0000`), error('BAD_FRAME'))
  assert.equal(feed(newReader(100), hex`0065`), error('BAD_FRAME'))
  assert.equal(feed(newReader(), hex`3ffc`), error('BAD_FRAME'))
  for (const maxFrame of [16_379, 16_348, 32_768]) {
    const most = [maxFrame >> 8, maxFrame & 255]
    assert.equal(feed(newReader(maxFrame), new Uint8Array(most)), [])
    assert.equal(feed(newReader(maxFrame - 1), new Uint8Array(most)), error('BAD_FRAME'))
  }
  // in the middle of a message, and in frames of a provider
  const [head = hex``, ...rest] = frameMessage(golden.floodBytes, 20)
  const reader = newReader()
  feed(reader, concatBytes(head, rest[0] ?? hex``))
  assert.equal(feed(reader, hex`0000`), error('BAD_FRAME'))
  const tokens = newReader()
  tokens.mode = 'frames'
  assert.equal(feed(tokens, hex`0001 aa 0000`), [
    { kind: 'frame', bytes: 'aa' },
    ...error('BAD_FRAME'),
  ])
})

test('a frame that holds more than its message breaks the stream (2.2.1.1)', () => {
  const error = [{ kind: 'error', code: 'ERR_PEERNET_SURPLUS_BYTES' }]
  const end = encodeGraphMessage({ type: 'SYNC_END', final: true })
  for (const surplus of [hex`00`, end]) {
    const whole = frame(concatBytes(end, surplus))
    for (let cut = 0; cut < whole.length; cut++) {
      const reader = newReader()
      const items = [...feed(reader, whole.subarray(0, cut)), ...feed(reader, whole.subarray(cut))]
      assert.equal(items, error, `cut at ${cut}`)
    }
  }
  const parts = concatBytes(frame(end.subarray(0, 6)), frame(concatBytes(end.subarray(6), end)))
  assert.equal(feed(newReader(), parts), error)
})

test('an error is given once, after what came before it; then nothing is read or kept', () => {
  const end = frame(encodeGraphMessage({ type: 'SYNC_END', final: true }))
  const reader = newReader()
  const items = feed(reader, concatBytes(end, end, hex`0000`, end))
  assert.is(items.length, 3)
  assert.equal(items[2], { kind: 'error', code: 'ERR_PEERNET_BAD_FRAME' })
  assert.equal(feed(reader, end), [])
  assert.is(reader.buffered, 0)
})

test('AUTH_INFO, then frames of a provider, even in one chunk, whatever they hold', () => {
  const first = messages[0] as Uint8Array
  const tokens = [hex`16`, hex`0000000010`, new Uint8Array(300).fill(0xff), hex`160301`]
  const stream = concatBytes(frame(first), ...tokens.map(frame))
  for (let cut = 0; cut <= stream.length; cut++) {
    const reader = newReader()
    const items: unknown[] = []
    for (const chunk of [stream.subarray(0, cut), stream.subarray(cut)]) {
      reader.push(chunk)
      for (let item = reader.next(); item !== undefined; item = reader.next()) {
        items.push(plainItem(item))
        reader.mode = 'frames'
      }
    }
    const frames = tokens.map((bytes) => ({ kind: 'frame', bytes: toHex(bytes) }))
    assert.equal(items, [expected[0], ...frames], `cut at ${cut}`)
  }
})

test('readers that take turns do not disturb each other', () => {
  const streams = [framed(16_379), framed(50), concatBytes(...messages)]
  const readers = [newReader(), newReader(), new GraphMessageReader(options)]
  const items: unknown[][] = [[], [], []]
  readers.forEach((reader, i) => reader.push(streams[i] as Uint8Array))
  for (let busy = true; busy;) {
    busy = false
    for (const [i, reader] of readers.entries()) {
      const item = reader.next()
      if (item === undefined) continue
      busy = true
      items[i]?.push(plainItem(item))
    }
  }
  for (const list of items) assert.equal(list, expected)
})

test('a chunk that comes before the last one was read to its end is not lost', () => {
  const stream = framed(40)
  const reader = newReader(40)
  const items: unknown[] = []
  for (let at = 0; at < stream.length; at += 100) {
    reader.push(stream.subarray(at, at + 100))
    const item = reader.next()
    if (item !== undefined) items.push(plainItem(item))
  }
  assert.ok(reader.buffered > 0)
  for (let item = reader.next(); item !== undefined; item = reader.next()) {
    items.push(plainItem(item))
  }
  assert.equal(items, expected)
})

test('`buffered` says what is kept of an incomplete message', () => {
  const reader = newReader()
  const stream = frame(golden.floodBytes)
  feed(reader, stream.subarray(0, 1))
  assert.is(reader.buffered, 0, 'half a frame size')
  feed(reader, stream.subarray(1, 50))
  assert.is(reader.buffered, 48)
  assert.is(feed(reader, stream.subarray(50)).length, 1)
  assert.is(reader.buffered, 0)
})

const large = (size: number): RecordFields => ({
  ...golden.signature.fields,
  payload: new Uint8Array(size).map((_, i) => i * 31),
})

test('attack, lying sizes: a Message Size of 60 MB costs no memory', () => {
  const before = process.memoryUsage()
  const readers = Array.from({ length: 200 }, () => {
    const reader = newReader()
    const head = hex`03c00000 10 0b 0000 000c 0000 00*100`
    feed(reader, frame(head).subarray(0, 60))
    return reader
  })
  const after = process.memoryUsage()
  const grown = Math.max(after.rss - before.rss, after.arrayBuffers - before.arrayBuffers)
  // a named first piece of 64 KiB each: 13 MB, not 12 GB
  assert.ok(grown < 40_000_000, `${grown} bytes`)
  assert.is(
    readers.reduce((sum, reader) => sum + reader.buffered, 0),
    200 * 58,
  )
})

test('a buffer that is read into again changes nothing that was read from it', () => {
  // As node:net does with `onread`: always the same Buffer. Both types fall into one slot of the
  // memory for types.
  const types = ['00000100-0000-0000-0000-000000000001', '00000200-0000-0000-0000-000000000001']
  const buffer = Buffer.alloc(65_536)
  const reader = newReader()
  const read = types.map((type) => {
    const framed = framedFlood(encodeRecord({ ...large(100), type: guid(type) }, dialect), 16_379)
    assert.ok(framed)
    buffer.set(framed)
    reader.push(buffer.subarray(0, framed.length))
    const item = reader.next()
    assert.ok(item?.kind === 'message' && item.message.type === 'FLOOD')
    return guidText(item.message.record.type)
  })
  assert.equal(read, types)
})

test('a record of 20 MB comes through, in time that grows with its size', () => {
  const record = encodeRecord(large(20_000_000), dialect)
  const cutter = new FloodCutter(record, 16_379)
  const reader = newReader()
  let item: GraphStreamItem | undefined
  let frames = 0
  for (let pieces = cutter.next(); pieces !== undefined; pieces = cutter.next()) {
    frames++
    for (const piece of pieces) reader.push(piece)
    item = reader.next()
  }
  assert.is(frames, Math.ceil((record.bytes.length + 12) / 16_379))
  assert.is(cutter.left, 0)
  assert.ok(item?.kind === 'message' && item.message.type === 'FLOOD')
  const received = item.message.record
  assert.ok(Buffer.from(received.bytes).equals(record.bytes))
  const { buffer } = received.bytes
  assert.is(received.retain().bytes.buffer, buffer, 'what was gathered for it is its own')
  assert.ok(buffer.byteLength < record.bytes.length + 100, 'and no more than that')
  assert.is(framedFlood(received, 16_379), undefined)
})

test('a small record is sent on in one frame, made once, right before its bytes', () => {
  for (const fields of [golden.signature.fields, large(3000), large(9000)]) {
    const record = encodeRecord(fields, dialect)
    const message = encodeGraphMessage({ type: 'FLOOD', record })
    const sent = framedFlood(record, 16_379)
    assert.ok(sent)
    assert.is(toHex(sent), toHex(frame(message)))
    assert.is(framedFlood(record, 16_379), sent)
    assert.is(sent.buffer, record.bytes.buffer)
    assert.is(toHex(unframedFlood(record)), toHex(message))
    assert.is(framedFlood(record, record.bytes.length + 12), sent)
    assert.is(framedFlood(record, record.bytes.length + 11), undefined)
    // and received: in one piece, and gathered
    for (const cut of [0, 1, 20]) {
      const reader = newReader()
      reader.push(new Uint8Array(sent.subarray(0, cut)))
      assert.is(reader.next(), undefined)
      reader.push(new Uint8Array(sent.subarray(cut)))
      const item = reader.next()
      assert.ok(item?.kind === 'message' && item.message.type === 'FLOOD')
      const again = framedFlood(item.message.record.retain(), 16_379)
      assert.is(toHex(again ?? hex``), toHex(sent), `cut at ${cut}`)
      assert.equal(recordFields(item.message.record), fields)
    }
  }
})

test('what is reserved in the header of a FLOOD is not sent on', () => {
  const odd = patched(golden.floodBytes, 6, 0xab, 0xcd)
  for (const cut of [0, 30]) {
    const reader = newReader()
    reader.push(frame(odd).subarray(0, cut))
    assert.is(reader.next(), undefined)
    reader.push(frame(odd).subarray(cut))
    const item = reader.next()
    assert.ok(item?.kind === 'message' && item.message.type === 'FLOOD')
    const sent = framedFlood(item.message.record.retain(), 16_379)
    assert.is(toHex(sent ?? hex``), toHex(frame(golden.floodBytes)))
  }
})

test('frames of a message are views when it is large, one piece when it is small', () => {
  const small = golden.floodBytes
  assert.equal(frameMessage(small, 16_379), [frame(small)])
  const message = new Uint8Array(40_000).fill(7)
  const pieces = frameMessage(message, 16_379)
  assert.equal(
    pieces.map(({ length }) => length),
    [2, 16_379, 2, 16_379, 2, 7242],
  )
  assert.ok(pieces.filter((_, i) => i % 2 === 1).every((p) => p.buffer === message.buffer))
  assert.is(toHex(concatBytes(...frameMessage(small, 50))).slice(0, 4), '0032')
})

test('bounds that make no sense are refused', () => {
  const isMisuse = (error: { code?: string }): boolean => error.code === 'ERR_PEERNET_INVALID_ARG'
  for (const maxFrame of [0, 32_769, 1.5]) assert.throws(() => newReader(maxFrame), isMisuse)
  for (const maxMessage of [7, 2 ** 31, NaN]) {
    assert.throws(() => new GraphMessageReader({ ...options, maxMessage }), isMisuse)
  }
  const graphId = 'x'.repeat(256)
  assert.throws(() => new GraphMessageReader({ ...options, graphId }), isMisuse)
  assert.throws(() => frame(new Uint8Array(0)), isMisuse)
  assert.throws(() => frame(new Uint8Array(65_536)), isMisuse)
  const record = encodeRecord(golden.signature.fields, dialect)
  assert.throws(() => new FloodCutter(record, 12), isMisuse)
})

test.run()
