// Every truncation of every message is refused, or is itself a well-formed shorter form. The
// shorter forms are listed here, with the reason why each of them is one.
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import * as codec from '#lib/wire/codec.js'
import { decodeJson } from '#lib/wire/json.js'
import type { PnrpMessage } from '#lib/wire/messages.js'
import { messageVector, messageVectors } from '../golden/messages.js'
import { bufferVector, revokeFlood } from '../golden/structures.js'
import { suite } from '../harness.js'
import { same } from '../helpers/readable.js'
import { decoded, omit } from '../helpers/wire.js'
import { anyMessage, wholeAuthority } from '../helpers/wire-arbitraries.js'

const test = suite('truncation')

/** Lengths below the full one at which the beginning of the bytes is accepted. */
function shorterForms(bytes: Uint8Array, accepts: (start: Uint8Array) => boolean): number[] {
  return Array.from(bytes.keys()).filter((length) => accepts(bytes.slice(0, length)))
}

const isDatagram = (bytes: Uint8Array): boolean => decodeJson(bytes).ok
const isBuffer = (bytes: Uint8Array): boolean => codec.decodeAuthorityBuffer(bytes).ok

/** The only messages that end with an optional element. */
const SHORTER: Record<string, number[]> = {
  // without the nonce; the first byte of the nonce's FieldID is a final zero byte (N-07)
  'inquire-all': [56, 57],
  // without the flags; the same
  'ack-not-found': [20, 21],
}

const vectors = [...messageVectors, { name: 'flood-revoke', ...revokeFlood }]
for (const { name, bytes } of vectors) {
  test(`${name} has no shorter forms but those listed`, () => {
    assert.equal(shorterForms(bytes, isDatagram), SHORTER[name] ?? [])
  })
}

test('a shorter form says the same without what is missing', () => {
  const inquire = messageVector('inquire-all')
  const rest = omit(decoded(inquire.bytes, 'INQUIRE'), 'nonce')
  for (const length of [56, 57]) {
    same(codec.decodeMessage(inquire.bytes.slice(0, length)), { ok: true, message: rest })
  }
})

test('AUTHORITY_BUFFER may end after each element, with or without its padding', () => {
  const { bytes } = bufferVector('buffer-full')
  assert.equal(shorterForms(bytes, isBuffer), [
    ...[6, 7, 8, 9], // flags, its two bytes of padding, the first zero of the next FieldID
    ...[17, 18, 19, 20], // the chain, three bytes of padding
    ...[38, 39, 40, 41], // the classifier, two, and the first zero of the next FieldID
    ...[257, 258, 259, 260], // the extended payload, three
    ...[318, 319, 320, 321], // the route entry, two, and the first zero of the next FieldID
  ])
  same(codec.decodeAuthorityBuffer(bytes.slice(0, 41)), {
    ok: true,
    buffer: {
      ...{ leafSet: false, busy: false, notFound: false },
      certificateChain: bytes.slice(12, 17),
      classifier: 'f\u00e9\ud83d',
    },
  })
})

test('an AUTHORITY cut short no longer fits its Size', () => {
  fc.assert(
    fc.property(wholeAuthority, ({ messageId, ackedMessageId, buffer }) => {
      const reassembler = new codec.Reassembler({ contextsPerNode: 1, bytesTotal: 32 * 1188 })
      const from = { address: new Uint8Array(16), port: 5000 }
      const [bytes] = codec.splitAuthority(messageId, ackedMessageId, buffer) as [Uint8Array]
      for (let length = 0; length < bytes.length; length++) {
        const start = bytes.slice(0, length)
        assert.not.ok(isDatagram(start), `${length} of ${bytes.length}`)
        const outcome = codec.decodeMessage(start)
        if (!outcome.ok || outcome.message.type !== 'AUTHORITY') continue
        assert.equal(reassembler.accept(from, outcome.message), { dropped: 'not-full' })
      }
    }),
    { numRuns: 20 },
  )
})

test('arbitrary messages have no other shorter forms', () => {
  const known: Partial<Record<PnrpMessage['type'], number[]>> = {
    INQUIRE: [56, 57],
    ACK: [20, 21],
    // a buffer longer than a fragment in one datagram (accepted, never sent) looks like its first
    // fragment when it is cut to 28 + 1188
    AUTHORITY: [1216],
  }
  fc.assert(
    fc.property(anyMessage, (message) => {
      const bytes = codec.encodeMessage(message, { asReceived: true })
      for (const length of shorterForms(bytes, isDatagram)) {
        const isKnown = known[message.type]?.includes(length) === true
        assert.ok(isKnown, `${message.type} cut to ${length}`)
      }
    }),
    { numRuns: 60, endOnFailure: true },
  )
})

test.run()
