// The header, MS-PNRP 2.2.1, and the gate of 3.1.5.2.
import * as assert from 'uvu/assert'
import { decodeMessage, encodeMessage, messageTypeOf } from '#lib/wire/codec.js'
import { messageVector, messageVectors } from '../../golden/messages.js'
import { test } from '../../harness.js'
import { hex, patched, spliced } from '../../helpers/hex.js'
import { decoded, refused, throwsInvalid } from '../../helpers/wire.js'

const ack = messageVector('ack-plain').bytes

test('PNRP-2.2.1-1 a message starts with FieldID 0x0010', () => {
  refused(patched(ack, 0, 0x01), 'BAD_HEADER', 0)
  refused(patched(ack, 1, 0x18), 'BAD_HEADER', 0)
})

test('PNRP-2.2.1-2 the header Length is 12', () => {
  for (const length of [0, 11, 13, 0x10c]) {
    refused(patched(ack, 2, length >> 8, length & 0xff), 'BAD_HEADER', 2)
  }
})

test('PNRP-2.2.1-3 the Identifier is 0x51', () => {
  for (const identifier of [0x00, 0x50, 0x52, 0xd1]) {
    refused(patched(ack, 4, identifier), 'BAD_HEADER', 4)
  }
})

test('PNRP-2.2.1-4 PNRP-2.2.1-5 the version is 4.0 and no other (N-37)', () => {
  refused(patched(ack, 5, 3), 'BAD_VERSION', 5)
  refused(patched(ack, 5, 5), 'BAD_VERSION', 5)
  refused(patched(ack, 6, 1), 'BAD_VERSION', 5)
})

test('PNRP-2.2.1-6 PNRP-3.1.5.2-4 there are eight message types, others are refused', () => {
  const known = new Map([
    [0x01, 'solicit-minimal'],
    [0x02, 'advertise-two'],
    [0x03, 'request-one'],
    [0x04, 'flood-route'],
    [0x07, 'inquire-all'],
    [0x08, 'authority-flags'],
    [0x09, 'ack-plain'],
    [0x0b, 'lookup-full'],
  ])
  for (let type = 0; type < 256; type++) {
    const name = known.get(type)
    if (name === undefined) {
      refused(patched(ack, 7, type), 'UNKNOWN_MESSAGE_TYPE', 7)
      assert.is(messageTypeOf(patched(ack, 7, type)), undefined)
    } else {
      const { bytes, message } = messageVector(name)
      assert.is(bytes[7], type)
      assert.is(messageTypeOf(bytes), type)
      decoded(bytes, message.type)
    }
  }
})

test('the Message ID is a big-endian 32-bit number', () => {
  for (const messageId of [0, 1, 0x01020304, 0x7fffffff, 0x80000000, 0xffffffff]) {
    const id = [
      messageId >>> 24,
      (messageId >>> 16) & 255,
      (messageId >>> 8) & 255,
      messageId & 255,
    ]
    assert.is(decoded(patched(ack, 8, ...id), 'ACK').messageId, messageId)
    const bytes = encodeMessage({ type: 'ACK', messageId, ackedMessageId: 0, notFound: false })
    assert.equal([...bytes.slice(8, 12)], id)
  }
  for (const messageId of [-1, 2 ** 32, 1.5, NaN]) {
    const message = { type: 'ACK', messageId, ackedMessageId: 0, notFound: false } as const
    throwsInvalid(() => encodeMessage(message), /messageId/)
  }
})

test('the gate looks at the header only, and at the whole header', () => {
  assert.is(messageTypeOf(hex`0010 000c 51 04 00 0b 00000000`), 0x0b)
  for (let length = 0; length < 12; length++) {
    assert.is(messageTypeOf(ack.slice(0, length)), undefined)
    refused(ack.slice(0, length), 'TRUNCATED')
  }
})

test('PNRP-2.1-1 one datagram is exactly one message', () => {
  for (const first of messageVectors) {
    if (first.message.type === 'AUTHORITY') continue // takes the rest as its slice (2.2.2.6)
    for (const second of messageVectors) {
      const both = spliced(second.bytes, 0, 0, first.bytes)
      assert.not.ok(decodeMessage(both).ok, `${first.name} and ${second.name}`)
    }
  }
})

test.run()
