import * as assert from 'uvu/assert'
import { GatheredBytes } from '#lib/core/gathered-bytes.js'
import { test } from '../../harness.js'

test('pieces of one byte take no more room than twice their bytes, and are kept as they were', () => {
  const gathered = new GatheredBytes(100_000)
  const piece = new Uint8Array(1)
  for (let i = 0; i < 100_000; i++) {
    piece[0] = i & 0xff
    assert.ok(gathered.push(piece))
  }
  const all = gathered.take()
  assert.is(all.length, 100_000)
  assert.ok(all.every((byte, i) => byte === (i & 0xff)))
  assert.ok(all.buffer.byteLength <= 100_000)
})

test('a piece too many is refused, and nothing is held any more', () => {
  const gathered = new GatheredBytes(3)
  assert.ok(gathered.push(Uint8Array.of(1, 2, 3)))
  assert.ok(gathered.push(new Uint8Array(0)))
  assert.not.ok(gathered.push(Uint8Array.of(4)))
  assert.is(gathered.take().buffer.byteLength, 0)
})

test.run()
