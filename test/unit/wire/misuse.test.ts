// What a caller does wrong must not reach memory: the binding checks every argument.
import * as assert from 'uvu/assert'
import { addon } from '#lib/native/addon.js'
import * as codec from '#lib/wire/codec.js'
import { BatchDecoder, BatchEncoder, makeSpans } from '#lib/wire/batch.js'
import { ROW_WORDS } from '#lib/wire/rows.js'
import { messageVector } from '../../golden/messages.js'
import { test } from '../../harness.js'
import { throwsInvalid } from '../../helpers/wire.js'

type Loose = Record<string, (...values: unknown[]) => unknown>
const native = addon as unknown as Loose

function misused(name: string, ...values: unknown[]): void {
  assert.throws(
    () => native[name]?.(...values),
    (error: { code: string }) => error.code === 'ERR_PEERNET_INVALID_ARG',
    `${name}(${values.map(String).join(', ')})`,
  )
}

const bytes = new Uint8Array(8)

test('single calls refuse what is no byte array, and lengths beyond the shared array', () => {
  const inputs = [
    undefined,
    null,
    'text',
    {},
    -1,
    1e9,
    new Uint16Array(4),
    new DataView(bytes.buffer),
  ]
  for (const input of inputs) {
    misused('decodeMessage', input, 0)
    misused('decodeAuthority', input)
    misused('decodeCpa', input, 0, 0)
    misused('decodeExtendedPayload', input)
    misused('messageType', input)
  }
  misused('decodeMessage', bytes)
  misused('decodeMessage')
  misused('encodeCpa')
  misused('sliceFits', 1, 2)
})

test('batches refuse tables that do not fit each other', () => {
  const rows = new Int32Array(2 * ROW_WORDS)
  const spans = new Int32Array(4)
  misused('decodeBatch', bytes, rows, spans, 2, 3, 0)
  misused('decodeBatch', bytes, rows, spans, 1, 1, 0)
  misused('decodeBatch', bytes, rows, spans, 0xffffffff, 2, 0)
  misused('decodeBatch', bytes, rows, new Uint8Array(16), 2, 2, 0)
  misused('decodeBatch', bytes, rows.subarray(1), spans, 2, 2, 0)
  misused('encodeBatch', bytes, rows, spans, 2, 3, bytes)
  misused('encodeBatch', bytes, rows, spans, 2, 2, undefined)
  assert.is(native['decodeBatch']?.(bytes, rows, spans, 2, 0, 0), 0)
})

test('spans outside the slab make malformed rows, not reads', () => {
  const decoder = new BatchDecoder(4)
  const spans = makeSpans(4)
  spans.words.set([9, 0, 0, 9, 8, 1, -1, -1])
  assert.is(decoder.decode(bytes, spans, 4), 0)
  for (let index = 0; index < 4; index++) {
    decoder.seek(index)
    assert.is(decoder.code, 1, 'TRUNCATED')
  }
})

test('rows that point outside the source are refused by the encoder', () => {
  const encoder = new BatchEncoder(1, 64)
  const out = new Uint8Array(2048)
  const spans = makeSpans(1)
  // every word in turn points far away, whatever the message type
  for (const type of [1, 2, 3, 4, 7, 8, 9, 11]) {
    for (let word = 4; word < ROW_WORDS; word++) {
      for (const value of [65, 0x7fffffff, -1, -36]) {
        encoder.clear()
        encoder.begin(type, 1)
        encoder.set(4, 0x3ff)
        encoder.set(12, 1)
        encoder.set(15, 1)
        encoder.set(word, value)
        const written = encoder.encode(out, spans)
        assert.ok(written >= 0 && written <= out.length)
      }
    }
  }
})

test('an output too small is refused', () => {
  const encoder = new BatchEncoder(1, 64)
  const spans = makeSpans(1)
  encoder.begin(9, 1)
  for (let size = 0; size < 20; size++) {
    assert.is(encoder.encode(new Uint8Array(size), spans), 0)
    assert.is(addon.codecLayout['ERR_PEERNET_NO_BUFFER'], encoder.rows[0])
  }
  assert.is(encoder.encode(new Uint8Array(20), spans), 20)
})

test('reassembly state has to be a block that fits', () => {
  misused('splitInit', bytes, 1, 1, 1, 1)
  misused('splitInit', new Uint8Array(1 << 16).subarray(1), 1, 1, 1, 1)
  misused('splitInit', bytes, 0, 1, 1, 1)
  misused('splitAccept', new Uint8Array(0), 0, 0, 0, 0, 0)
  misused('splitAccept', undefined, 0, 0, 0, 0, 0)
  misused('splitDrop', bytes)
  // not made by splitInit: its numbers do not fit its length
  misused('splitDrop', bytes, 1)
  misused('splitClear', new Uint8Array(4096).fill(1))
})

test('a detached buffer is empty, not memory', () => {
  const datagram = messageVector('ack-plain').bytes.slice()
  assert.is(addon.decodeMessage(datagram, 0), 0)
  structuredClone(datagram.buffer, { transfer: [datagram.buffer] })
  assert.is(addon.decodeMessage(datagram, 0), -1, 'TRUNCATED')
})

test('objects of the wrong shape throw ERR_PEERNET_INVALID_ARG', () => {
  const { message } = messageVector('inquire-all')
  throwsInvalid(() => codec.encodeMessage({ ...message, messageId: '1' } as never))
  throwsInvalid(() =>
    codec.encodeMessage({ ...message, validatePnrpId: new Uint8Array(31) } as never),
  )
  throwsInvalid(() => codec.encodeMessage({ ...message, nonce: [] } as never))
})

test('an unknown type gives an error, not the message that was encoded last', () => {
  codec.encodeMessage(messageVector('request-one').message)
  for (const type of ['NOPE', 'toString', undefined, 3]) {
    throwsInvalid(() => codec.encodeMessage({ type, messageId: 1 } as never))
  }
})

test('what is no Uint8Array is refused, whatever its length', () => {
  const { message, bytes: datagram } = messageVector('inquire-all')
  const others = [
    undefined,
    null,
    12,
    'x'.repeat(datagram.length),
    [...datagram],
    Uint16Array.from(datagram),
    new DataView(datagram.slice().buffer),
    datagram.slice().buffer,
    { length: datagram.length },
  ]
  for (const other of others) {
    throwsInvalid(() => codec.decodeMessage(other as never))
    throwsInvalid(() => codec.messageTypeOf(other as never))
    throwsInvalid(() => codec.decodeAuthorityBuffer(other as never))
    throwsInvalid(() => codec.decodeCpa(other as never))
    throwsInvalid(() => codec.decodeExtendedPayload(other as never))
  }
  for (const nonce of ['0123456789abcdef', new Array(16).fill(1), new Uint16Array(16), null]) {
    throwsInvalid(() => codec.encodeMessage({ ...message, nonce } as never))
  }
})

test('lists count what they give, not what they say', () => {
  const { message } = messageVector('request-one')
  const [id] = message.type === 'REQUEST' ? message.pnrpIds : []
  const encode = (pnrpIds: unknown): Uint8Array =>
    codec.encodeMessage({ ...message, pnrpIds } as never)
  const one = encode([id])
  assert.equal(encode(new Set([id])), one)
  assert.equal(encode({ length: 5, [Symbol.iterator]: () => [id].values() }), one)
})

test('a getter that uses the codec is refused: it would overwrite the fields before it', () => {
  const { message, bytes: datagram } = messageVector('inquire-all')
  const { nonce } = message as { nonce: Uint8Array }
  const nosy = (use: () => void) => ({
    ...message,
    get nonce() {
      use()
      return nonce
    },
  })
  throwsInvalid(() => codec.encodeMessage(nosy(() => codec.encodeMessage(message))))
  throwsInvalid(() => codec.encodeMessage(nosy(() => codec.decodeMessage(datagram))))
  assert.equal(codec.encodeMessage(nosy(() => undefined)), datagram)
})

test('a result that is transferred takes no other result away', () => {
  const { message, bytes: datagram } = messageVector('inquire-all')
  const [one, other] = [codec.encodeMessage(message), codec.encodeMessage(message)]
  try {
    structuredClone(one.buffer, { transfer: [one.buffer as ArrayBuffer] })
  } catch {
    // newer Nodes say so; older ones copy
  }
  assert.equal(other, datagram)
})

test('a batch is not encoded over its own fields', () => {
  const encoder = new BatchEncoder(1, 256)
  const spans = makeSpans(1)
  encoder.begin(9, 1)
  for (const out of [encoder.source, encoder.source.subarray(255), new Uint8Array(0)]) {
    const encode = () => encoder.encode(out, spans)
    if (out.length === 0) assert.is(encode(), 0)
    else assert.throws(encode, (e: { code: string }) => e.code === 'ERR_PEERNET_INVALID_ARG')
  }
})

test.run()
