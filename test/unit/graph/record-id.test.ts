import * as assert from 'uvu/assert'
import type { Guid } from '#lib/core/guid.js'
import { LIMITS } from '#lib/core/limits.js'
import { SeededRng } from '#lib/core/rng.js'
import { RecordIdCheck, RecordIds } from '#lib/graph/record-id.js'
import { test } from '../../harness.js'

const id = (high: string): Guid =>
  Buffer.from(`${high}0123456789abcdef`, 'hex').toString('latin1') as Guid
const hex = (guid: Guid): string => Buffer.from(guid, 'latin1').toString('hex')

/** For "alice", from the digest (C.2): MD5 folded, by encoding. */
const ALICE = {
  le: '6c728687afe4b8fa',
  be: '0fc45415becb2f47',
  beNul: '551f483f411fcd1d',
  leNul: 'facec19f511806f7',
}

test('G-137 the high half is the folded MD5 of the creator, UTF-16LE without NUL (GA-09)', () => {
  const made = new RecordIds('alice', new SeededRng(1)).create()
  assert.is(hex(made).slice(0, 16), ALICE.le)
})

test('G-137 the low half is a random GUID folded', () => {
  const random = new SeededRng(7).bytes(16)
  const folded = random.slice(0, 8).map((byte, i) => byte ^ (random[i + 8] as number))
  const made = new RecordIds('alice', new SeededRng(7)).create()
  assert.is(hex(made).slice(16), Buffer.from(folded).toString('hex'))
})

test('G-171 Record IDs are accepted in every form that a creator may have hashed', () => {
  const check = new RecordIdCheck()
  for (const high of Object.values(ALICE)) assert.ok(check.belongs(id(high), 'alice'), high)
  // The same as little-endian GUIDs: 4, 2 and 2 bytes turned round.
  assert.ok(check.belongs(id('8786726ce4affab8'), 'alice'))
  assert.ok(check.belongs(id('1554c40fcbbe472f'), 'alice'))
})

test('G-171 attack: a Record ID of somebody else’s is refused', () => {
  const check = new RecordIdCheck()
  const bobs = new RecordIds('bob', new SeededRng(3)).create()
  assert.ok(check.belongs(bobs, 'bob'))
  assert.not(check.belongs(bobs, 'alice'))
  assert.not(check.belongs(id(ALICE.le), 'bob'))
  assert.not(check.belongs(id('0000000000000000'), 'alice'))
  // Knowing one creator's hashes does not mix up another's.
  assert.ok(check.belongs(id(ALICE.leNul), 'alice'))
  assert.not(check.belongs(id(ALICE.leNul), 'bob'))
})

test('attack: many creators do not grow what is remembered, and none is judged wrong', () => {
  const check = new RecordIdCheck()
  const rng = new SeededRng(5)
  for (let n = 0; n < 2 * LIMITS.graphKnownCreators; n++) {
    assert.ok(check.belongs(new RecordIds(`peer-${n}`, rng).create(), `peer-${n}`))
  }
  assert.is(check.size, LIMITS.graphKnownCreators)
  assert.ok(check.belongs(id(ALICE.be), 'alice'))
})

test.run()
