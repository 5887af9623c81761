// The fuzzers' first inputs: the golden vectors. `node build/js/test/golden/write-corpus.js` writes
// them below test/fuzz/corpus; corpus.test.ts checks that they are there.
import { encodeAuthorityBuffer, encodeMessage, splitAuthority } from '#lib/wire/codec.js'
import { hex } from '../helpers/hex.js'
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
}
