// Payloads that are too long to be copied in one turn, and the records that are made around them.
// Expected: the record that the same fields give when their payload is copied by the encoder.
import * as assert from 'uvu/assert'
import type { PeernetError } from '#lib/core/errors.js'
import { LIMITS } from '#lib/core/limits.js'
import { isLargePayload, withPayloadCopied } from '#lib/runtime/large-payload.js'
import { encodeRecord } from '#lib/wire/graph/codec.js'
import { framedFlood } from '#lib/wire/graph/frames.js'
import { payloadRoom } from '#lib/wire/graph/payload-room.js'
import * as golden from '../../golden/graph.js'
import { suite } from '../../harness.js'

const test = suite('large payloads')
const orders = ['big-endian', 'little-endian'] as const
const STEP = LIMITS.graphCopyTurnBytes
const { fields } = golden.full

/** Counts what is read of it at once. */
class Watched extends Uint8Array {
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array
  }

  most = 0
  #turn = 0

  override subarray(from: number, to: number): Uint8Array<ArrayBuffer> {
    const part = super.subarray(from, to)
    if (this.#turn === 0) setImmediate(() => (this.#turn = 0))
    this.#turn += part.length
    this.most = Math.max(this.most, this.#turn)
    return part
  }
}

function filled(length: number): Watched {
  const payload = new Watched(length)
  for (let i = 0; i < length; i += 251) payload[i] = i
  return payload
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: unknown) => (error as PeernetError).code,
  )
}

test('no turn copies more than its share, and the record is made around the copy', async () => {
  for (const length of [STEP + 1, 3 * STEP, 5 * STEP - 7]) {
    const payload = filled(length)
    const { payload: copy } = await withPayloadCopied({ ...fields, payload }, undefined)
    assert.is(payload.most, STEP)
    assert.ok(Buffer.from(copy).equals(payload))
    for (const stringOrder of orders) {
      const plain = encodeRecord({ ...fields, payload }, { stringOrder })
      const room = payloadRoom(length, fields.attributes.length)
      room.set(copy)
      const record = encodeRecord({ ...fields, payload: room }, { stringOrder })
      assert.ok(Buffer.from(record.bytes).equals(plain.bytes))
      assert.is(record.bytes.buffer, room.buffer, 'it is not copied again')
      assert.is(record.payload.byteOffset, room.byteOffset)
    }
  }
})

test('a room is for one record; what does not fit around it is copied with it', () => {
  const [stringOrder] = orders
  const payload = filled(1000)
  const changes = [
    { securityData: new Uint8Array(20_000) },
    { attributes: '<attributes>' + ' '.repeat(20_000) + '</attributes>' },
  ]
  for (const change of changes) {
    const room = payloadRoom(payload.length, 0)
    room.set(payload)
    const record = encodeRecord({ ...fields, ...change, payload: room }, { stringOrder })
    const plain = encodeRecord({ ...fields, ...change, payload }, { stringOrder })
    assert.ok(Buffer.from(record.bytes).equals(plain.bytes))
    assert.is.not(record.bytes.buffer, room.buffer)
    // It is still free.
    const fitting = encodeRecord({ ...fields, payload: room }, { stringOrder })
    assert.is(fitting.bytes.buffer, room.buffer)
    const second = encodeRecord({ ...fields, payload: room, version: 7 }, { stringOrder })
    assert.is.not(second.bytes.buffer, room.buffer)
    assert.is(fitting.version, fields.version)
    // There is room for the head of a frame, too.
    const sent = framedFlood(fitting, 16_379)
    assert.ok(sent)
    assert.is(sent.buffer, room.buffer)
    assert.ok(Buffer.from(sent.subarray(14)).equals(fitting.bytes))
  }
})

test('attributes that are known beforehand have room', () => {
  const attributes = ' '.repeat(100_000)
  const room = payloadRoom(10, attributes.length)
  const record = encodeRecord({ ...fields, attributes, payload: room }, { stringOrder: orders[0] })
  assert.is(record.bytes.buffer, room.buffer)
})

test('what is taken away or given up meanwhile is not published', async () => {
  const payload = filled(3 * STEP)
  const taken = withPayloadCopied({ payload }, undefined)
  structuredClone(payload.buffer, { transfer: [payload.buffer] })
  assert.is(await codeOf(taken), 'ERR_PEERNET_INVALID_ARG')
  const abort = new AbortController()
  const given = withPayloadCopied({ payload: filled(3 * STEP) }, abort.signal)
  abort.abort()
  assert.is(await codeOf(given), 'ERR_PEERNET_ABORTED')
})

test('short ones are copied at once, and too long ones not at all', () => {
  const max = 4 * STEP
  for (const [length, large] of [
    [0, false],
    [STEP, false],
    [STEP + 1, true],
    [max - 1, true],
    [max, false],
  ] as const) {
    assert.is(isLargePayload({ payload: new Uint8Array(length) }, max), large, `${length}`)
  }
  assert.not.ok(isLargePayload({}, max))
})

test.run()
