// Hostile datagrams at the door of a machine: each is dropped, counted by reason, and answered by
// nothing (MS-PNRP 3.1.5.2, 3.1.5.5, 3.2.5.2 to 3.2.5.6). Offsets are those of MS-PNRP 2.2.2.
import * as assert from 'uvu/assert'
import { encodeMessage } from '#lib/wire/codec.js'
import type { PnrpMessage } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import { CloudHarness } from '../../support/cloud-harness.js'
import { endpoint, entry, id } from '../../support/route-entries.js'

const FROM = endpoint(50)

const SOLICIT: PnrpMessage = {
  type: 'SOLICIT',
  messageId: 1,
  solicitType: 0,
  routeEntry: entry(id(0x20), 50),
  hashedNonce: new Uint8Array(20),
}
const REQUEST: PnrpMessage = {
  type: 'REQUEST',
  messageId: 1,
  nonce: new Uint8Array(16),
  pnrpIds: [id(0x20)],
}
const FLOOD: PnrpMessage = {
  type: 'FLOOD',
  messageId: 1,
  doNotAck: false,
  validatePnrpId: id(0x20),
  routeEntry: entry(id(0x20), 50),
  floodedList: [FROM],
}
const INQUIRE: PnrpMessage = {
  type: 'INQUIRE',
  messageId: 1,
  wantCpa: false,
  wantExtendedPayload: false,
  wantCertificateChain: false,
  validatePnrpId: id(0x20),
  nonce: new Uint8Array(16),
}
const LOOKUP: PnrpMessage = {
  type: 'LOOKUP',
  messageId: 1,
  acceptNotCloser: false,
  precision: 0,
  resolveCriteria: 1,
  resolveReasonCode: 0,
  targetPnrpId: id(0x30),
  validatePnrpId: id(),
  routeEntry: entry(id(0x20), 50),
  flaggedPath: [FROM],
}

/** Writes these bytes into the datagram. */
function patched(message: PnrpMessage, at: number, ...bytes: readonly number[]): Uint8Array {
  const datagram = encodeMessage(message)
  datagram.set(bytes, at)
  return datagram
}

/** Nothing comes of the datagram but a count. */
function dropped(datagram: Uint8Array, what = ''): void {
  const h = new CloudHarness({ cached: [entry(id(0x40), 60)] })
  h.deliverBytes(FROM, datagram)
  assert.equal(h.sent, [], what)
  const counts = Object.entries(h.counters)
  assert.is(counts.length, 1, what)
  assert.match(counts[0]?.[0] as string, /^drop\.malformed\.ERR_PEERNET_/, what)
}

/** The good message is acted on: the test above would see it. */
function heeded(message: PnrpMessage): void {
  const h = new CloudHarness({ cached: [entry(id(0x40), 60)] })
  h.deliverBytes(FROM, encodeMessage(message))
  assert.is(h.counter(`received.${message.type}`), 1)
}

/** The datagram cut off at every length. */
function droppedWhenTruncated(message: PnrpMessage): void {
  const whole = encodeMessage(message)
  for (let length = 0; length < whole.length; length++) {
    dropped(whole.slice(0, length), `${message.type} of ${length} bytes`)
  }
}

test('PNRP-3.1.5.2-1 a datagram without a conforming header is dropped', () => {
  heeded(INQUIRE)
  for (const [at, byte] of [
    [1, 0x11], // FieldID
    [3, 0x0d], // Length
    [4, 0x50], // Identifier
    [5, 3], // VersionMajor
    [6, 1], // VersionMinor
  ] as const) {
    dropped(patched(INQUIRE, at, byte), `byte ${at}`)
  }
  dropped(new Uint8Array(0))
})

test('PNRP-3.1.5.2-4 unknown message types are dropped', () => {
  for (const type of [0x00, 0x05, 0x06, 0x0a, 0x0c, 0xff]) {
    dropped(patched(INQUIRE, 7, type), `type ${type}`)
  }
})

test('PNRP-3.1.5.5-1 a malformed FLOOD is dropped, and not acknowledged', () => {
  heeded(FLOOD)
  droppedWhenTruncated(FLOOD)
  dropped(patched(FLOOD, 14, 0, 8), 'Length of the controls')
  dropped(patched(FLOOD, 60 + 37, 2), 'Address Count')
})

test('PNRP-3.2.5.3-1 a malformed SOLICIT is dropped', () => {
  heeded(SOLICIT)
  droppedWhenTruncated(SOLICIT)
  dropped(patched(SOLICIT, 17, 2), 'SolicitType')
})

test('PNRP-3.2.5.4-1 a malformed REQUEST is dropped', () => {
  heeded(REQUEST)
  droppedWhenTruncated(REQUEST)
  dropped(patched(REQUEST, 36, 0, 2), 'NumEntries')
})

test('PNRP-3.2.5.6-1 a malformed INQUIRE is dropped', () => {
  heeded(INQUIRE)
  const whole = encodeMessage(INQUIRE)
  for (let length = 0; length < whole.length; length++) {
    // Without the nonce element, at 56 bytes, it is a message of its own; at 57 that message with
    // a final zero byte, which N-07 lets pass.
    if (length !== 56 && length !== 57) dropped(whole.slice(0, length), `${length} bytes`)
  }
  dropped(patched(INQUIRE, 14, 0, 5), 'Length of the flags')
})

test('PNRP-3.2.5.2-1 PNRP-3.2.5.2-3 a LOOKUP with an element missing, cut or out of order is dropped', () => {
  heeded(LOOKUP)
  droppedWhenTruncated(LOOKUP)
  dropped(patched(LOOKUP, 24, 0, 0x39), 'Validate twice')
  dropped(patched(LOOKUP, 60, 0, 0x38), 'Target twice')
})

test('PNRP-3.2.5.2-2 PNRP-3.2.5.2-3 a LOOKUP with a value out of its range is dropped', () => {
  dropped(patched(LOOKUP, 20, 3), 'ResolveCriteria')
  dropped(patched(LOOKUP, 100 + 32, 5), 'version of the route entry')
  dropped(patched(LOOKUP, 100 + 37, 0), 'Address Count')
  dropped(patched(LOOKUP, 160 - 3, 0x13), 'EntryLength of the Flagged Path')
})

test.run()
