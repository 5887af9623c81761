// Every vector decodes to what it says and is what encoding that gives.
import * as assert from 'uvu/assert'
import * as codec from '#lib/wire/codec.js'
import { test } from '../harness.js'
import { same } from '../helpers/readable.js'
import { omit } from '../helpers/wire.js'
import { messageVectors } from './messages.js'
import {
  bufferVectors,
  cpaVectors,
  payloadVectors,
  revokeFlood,
  revokeWithoutNonce,
} from './structures.js'

for (const { name, bytes, message } of messageVectors) {
  test(`${name}, both ways`, () => {
    same(codec.decodeMessage(bytes), { ok: true, message })
    same(codec.encodeMessage(message), bytes)
  })
}

test('flood-revoke, both ways', () => {
  same(codec.decodeMessage(revokeFlood.bytes), { ok: true, message: revokeFlood.message })
  same(codec.encodeMessage(revokeFlood.message), revokeFlood.bytes)
})

for (const { name, bytes, cpa } of cpaVectors) {
  test(`${name}, both ways`, () => {
    const signedLength = bytes.length - 136
    const revokeNonce = 'present'
    same(codec.decodeCpa(bytes), { ok: true, cpa, signedLength, revokeNonce })
    same(codec.encodeCpa(cpa), bytes)
    same(codec.encodeCpa(omit(cpa, 'signature')), bytes.slice(0, signedLength))
  })
}

test('a revoke CPA without nonce, both ways', () => {
  const decoded = codec.decodeCpa(revokeWithoutNonce)
  assert.ok(decoded.ok)
  assert.is(decoded.revokeNonce, 'absent')
  same(decoded.cpa, cpaVectors.find(({ name }) => name === 'cpa-smallest-revoke')?.cpa)
  same(codec.encodeCpa(decoded.cpa, { revokeNonce: 'absent' }), revokeWithoutNonce)
})

for (const { name, bytes, payload } of payloadVectors) {
  test(`${name}, both ways`, () => {
    const signedLength = bytes.length - 136
    same(codec.decodeExtendedPayload(bytes), { ok: true, payload, signedLength })
    same(codec.encodeExtendedPayload(payload), bytes)
    same(codec.encodeExtendedPayload(omit(payload, 'signature')), bytes.slice(0, signedLength))
  })
}

for (const { name, bytes, buffer } of bufferVectors) {
  test(`${name}, both ways`, () => {
    same(codec.decodeAuthorityBuffer(bytes), { ok: true, buffer })
    same(codec.encodeAuthorityBuffer(buffer), bytes)
  })
}

test.run()
