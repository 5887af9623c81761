// Every message and structure encodes, decodes and compares equal.
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import * as codec from '#lib/wire/codec.js'
import { decodeLine, encodeLine } from '#lib/wire/json.js'
import type { PnrpMessage } from '#lib/wire/messages.js'
import { suite } from '../harness.js'
import { same } from '../helpers/readable.js'
import { omit } from '../helpers/wire.js'
import * as arbitrary from '../helpers/wire-arbitraries.js'

const test = suite('round trip')
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const each = Object.entries(arbitrary.messages as Record<string, fc.Arbitrary<PnrpMessage>>)
for (const [type, messages] of each) {
  test(`${type} decodes to what was encoded`, () => {
    fc.assert(
      fc.property(messages, (message) => {
        same(codec.decodeMessage(codec.encodeMessage(message)), { ok: true, message })
      }),
    )
  })
}

test('AUTHORITY_BUFFER decodes to what was encoded', () => {
  fc.assert(
    fc.property(arbitrary.authorityBuffer, (buffer) => {
      same(codec.decodeAuthorityBuffer(codec.encodeAuthorityBuffer(buffer)), { ok: true, buffer })
    }),
  )
})

test('CPA decodes to what was encoded, and the signed bytes are its beginning', () => {
  fc.assert(
    fc.property(arbitrary.cpa, (cpa) => {
      const bytes = codec.encodeCpa(cpa)
      const outcome = codec.decodeCpa(bytes)
      assert.ok(outcome.ok)
      same(outcome.cpa, cpa)
      same(codec.encodeCpa(omit(cpa, 'signature')), bytes.subarray(0, outcome.signedLength))
    }),
  )
})

test('a revoke CPA without nonce decodes to what was encoded', () => {
  fc.assert(
    fc.property(arbitrary.revokeCpa, (cpa) => {
      const bytes = codec.encodeCpa(cpa, { revokeNonce: 'absent' })
      const outcome = codec.decodeCpa(bytes)
      assert.ok(outcome.ok)
      assert.is(outcome.revokeNonce, 'absent')
      same(outcome.cpa, cpa)
    }),
  )
})

test('EXTENDED_PAYLOAD decodes to what was encoded', () => {
  fc.assert(
    fc.property(arbitrary.extendedPayload, (payload) => {
      const bytes = codec.encodeExtendedPayload(payload)
      const outcome = codec.decodeExtendedPayload(bytes)
      assert.ok(outcome.ok)
      same(outcome.payload, payload)
      const signed = codec.encodeExtendedPayload(omit(payload, 'signature'))
      same(signed, bytes.subarray(0, outcome.signedLength))
    }),
  )
})

test('a buffer cut into datagrams is put together again in any order', () => {
  const plan = fc.tuple(
    fc.uint8Array({ minLength: 6, maxLength: 9000, size: 'max' }),
    fc.infiniteStream(fc.nat()),
  )
  fc.assert(
    fc.property(plan, ([buffer, chances]) => {
      const reassembler = new codec.Reassembler({ contextsPerNode: 1, bytesTotal: 16 * 1188 })
      const from = { address: new Uint8Array(16), port: 5000 }
      const datagrams = codec.splitAuthority(1, 2, buffer)
      let complete: Uint8Array | undefined
      while (datagrams.length > 0) {
        assert.is(complete, undefined)
        const [datagram] = datagrams.splice(chances.next().value % datagrams.length, 1)
        const outcome = codec.decodeMessage(datagram as Uint8Array)
        assert.ok(outcome.ok && outcome.message.type === 'AUTHORITY')
        const result = reassembler.accept(from, outcome.message)
        if ('buffer' in result) complete = result.buffer
      }
      same(complete, buffer)
    }),
  )
})

test('an answer encoded in one go is the same as one encoded in steps', () => {
  fc.assert(
    fc.property(arbitrary.authorityBuffer, fc.nat(), fc.nat(), (buffer, id, acked) => {
      const steps = codec.splitAuthority(id, acked, codec.encodeAuthorityBuffer(buffer))
      same(codec.encodeAnswer(id, acked, buffer), steps)
    }),
  )
})

test('a renewed CPA is one that was encoded with that nonce and expiry', () => {
  fc.assert(
    fc.property(arbitrary.liveCpa, arbitrary.liveCpa, (cpa, { nonce, notAfter }) => {
      const unsigned = omit(cpa, 'signature')
      const expected = codec.encodeCpa({ ...unsigned, nonce, notAfter })
      same(codec.renewedCpa(codec.encodeCpa(unsigned), nonce, notAfter), expected)
    }),
  )
})

test('a printed line is built again and encoded to the same datagram', () => {
  fc.assert(
    fc.property(arbitrary.anyMessage, (message) => {
      const hex = hexOf(codec.encodeMessage(message, { asReceived: true }))
      const line = decodeLine(hex)
      const { ok, reencoded } = JSON.parse(line) as { ok: boolean; reencoded: string }
      if (message.type === 'AUTHORITY' && !ok) return // filler in place of a whole buffer
      assert.is(reencoded, hex)
      assert.equal(JSON.parse(encodeLine(line)), { ok: true, hex })
    }),
  )
})

test.run()
