// The fuzzers' first inputs: the golden vectors. `node build/js/test/golden/write-corpus.js` writes
// them below test/fuzz/corpus; corpus.test.ts checks that they are there.
import { encodeAuthorityBuffer, encodeMessage, splitAuthority } from '#lib/wire/codec.js'
import { concatBytes } from '#lib/core/bytes.js'
import { encodeGraphMessage, encodeRecord } from '#lib/wire/graph/codec.js'
import { frameMessage } from '#lib/wire/graph/frames.js'
import { hex } from '../helpers/hex.js'
import * as graph from './graph.js'
import { messageVectors } from './messages.js'
import {
  bufferVectors,
  cpaVectors,
  payloadVectors,
  revokeFlood,
  revokeWithoutNonce,
} from './structures.js'

const wholeAuthorities = bufferVectors.map(({ name, buffer }): [string, Uint8Array] => {
  const bytes = encodeAuthorityBuffer(buffer)
  return [`whole-${name}`, splitAuthority(1, 2, bytes)[0] as Uint8Array]
})

const floods = graph.recordVectors.map(({ name, fields }): [string, Uint8Array] => {
  const record = encodeRecord(fields, { stringOrder: 'big-endian' })
  return [`flood-${name}`, encodeGraphMessage({ type: 'FLOOD', record })]
})
const messages = graph.messageVectors.map(({ name, bytes }): [string, Uint8Array] => [name, bytes])

/** See graph_messages.c: what it is read as, then the bytes. */
const graphMessages = new Map<string, Uint8Array>([
  ...[...messages, ...floods].map(([name, b]): [string, Uint8Array] => [name, hex`00 ${b}`]),
  ...graph.recordVectors.map(({ name, bytes }): [string, Uint8Array] => [
    `record-${name}`,
    hex`02 ${bytes}`,
  ]),
  ['record-turned', hex`02 ${graph.fullLittleEndian}`],
  ['record-little-endian', hex`03 ${graph.fullLittleEndian}`],
  ['graph-info', hex`04 ${graph.infoVector.bytes}`],
  ['signature', hex`06 0102030405060708`],
  ['contact', hex`08 ${graph.contactVector.bytes}`],
  ['presence', hex`0a ${graph.presenceVector.bytes}`],
  ['address-ex', hex`0c ${graph.addressExVector.bytes}`],
])

const all = [...messages, ...floods].map(([, bytes]) => bytes)
const stream = (maxFrame: number): Uint8Array =>
  concatBytes(...all.flatMap((bytes) => frameMessage(bytes, maxFrame)))

/** See graph_frames.c: how it is read, how it is cut, then the stream. */
const graphFrames = new Map<string, Uint8Array>([
  ['one-frame-each', hex`00 1f ${stream(16_379)}`],
  ['frames-of-64', hex`09 04 ${stream(64)}`],
  ['frames-of-7', hex`0c 00 ${stream(7)}`],
  ['tokens', hex`01 02 0001 aa 0003 bbccdd 0000`],
  ['plain', hex`02 09 ${concatBytes(...all)}`],
  ['surplus', hex`00 00 000d 0000000c 10 0c 0000 01 00 0000 00`],
])

/** Directory below test/fuzz/corpus → file name → content. */
export const corpus: Readonly<Record<string, ReadonlyMap<string, Uint8Array>>> = {
  message: new Map([
    ...messageVectors.map(({ name, bytes }): [string, Uint8Array] => [name, bytes]),
    ['flood-revoke', revokeFlood.bytes],
    [
      'flood-revoke-bare',
      encodeMessage({ ...revokeFlood.message, revokeCpa: revokeWithoutNonce }),
    ],
    ...wholeAuthorities,
  ]),
  authority: new Map(bufferVectors.map(({ name, bytes }) => [name, bytes])),
  cpa: new Map([
    ...cpaVectors.map(({ name, bytes }): [string, Uint8Array] => [name, bytes]),
    ['cpa-revoke-bare', revokeWithoutNonce],
  ]),
  extended_payload: new Map(payloadVectors.map(({ name, bytes }) => [name, bytes])),
  // see reassembly.c: contexts, slots, per source; then operation, who, where, shape
  reassembly: new Map([
    ['in-order', hex`07 3f 07 00 04 0b 00 00 04 03 00 00 04 13 00`],
    ['two-senders', hex`03 0f 01 00 00 00 00 00 01 00 00 00 00 08 00 00 01 08 00`],
    ['overrun', hex`00 03 00 00 00 03 00 00 00 03 f9 00 00 03 ee f0 00 ff`],
    ['no-room', hex`07 00 07 00 00 04 00 00 04 04 00 00 08 0c 00 fc`],
  ]),
  graph_messages: graphMessages,
  graph_frames: graphFrames,
}
