// Datagrams written down byte by byte from the layouts of MS-PNRP 2.2.1 and 2.2.2, each with what
// it says. Numbers in comments are offsets. Nothing here was produced by the codec under test.
import type { PnrpMessage } from '#lib/wire/messages.js'
import { counting, hex } from '../helpers/hex.js'

export interface MessageVector {
  readonly name: string
  readonly bytes: Uint8Array
  readonly message: PnrpMessage
}

/** 2001:db8::1 and ::2. */
export const addressOne = hex`2001 0db8 00*11 01`
export const addressTwo = hex`2001 0db8 00*11 02`

const idA = counting(0x00, 32)
const idB = counting(0x40, 32)
const idC = counting(0x80, 32)
const nonce = counting(0xa0, 16)
const hashedNonce = counting(0xc0, 20)

const entryOfOne = { pnrpId: idC, port: 3540, addresses: [addressOne] }
const entryOfTwo = { pnrpId: idC, port: 3541, addresses: [addressOne, addressTwo] }

/** ROUTING_ENTRY element, 4 + 38 + 16 = 58 = 0x3a bytes, and two of padding. */
const routeOfOne = hex`
  009a 003a
  ${idC}
  04 00             # version
  0dd4              # port 3540
  00 01             # Flags, Address Count
  ${addressOne}
  0000              # padding`

/** 4 + 38 + 32 = 74 = 0x4a bytes. */
const routeOfTwo = hex`
  009a 004a
  ${idC}
  04 00 0dd5 00 02
  ${addressOne} ${addressTwo}
  0000`

export const messageVectors: readonly MessageVector[] = [
  {
    name: 'solicit-minimal',
    bytes: hex`
      0010 000c 51 04 00 01 11223344   # 0: header, SOLICIT
      0092 0018 ${hashedNonce}         # 12: 4 + 20`,
    message: { type: 'SOLICIT', messageId: 0x11223344, hashedNonce },
  },
  {
    name: 'solicit-full',
    bytes: hex`
      0010 000c 51 04 00 01 ffffffff
      0044 0006 00 01 0000             # 12: Reserved, SolicitType LOCAL, padding
      ${routeOfOne}                    # 20
      0092 0018 ${hashedNonce}         # 80`,
    message: {
      type: 'SOLICIT',
      messageId: 0xffffffff,
      solicitType: 1,
      routeEntry: entryOfOne,
      hashedNonce,
    },
  },
  {
    name: 'advertise-empty',
    bytes: hex`
      0010 000c 51 04 00 02 00000001
      0018 0008 11223344               # 12: Message ID of the SOLICIT
      0060 000c 0000 0008 0030 0020    # 20: 12 + 0, none, 8 + 0
      0092 0018 ${hashedNonce}         # 32`,
    message: {
      type: 'ADVERTISE',
      messageId: 1,
      ackedMessageId: 0x11223344,
      pnrpIds: [],
      hashedNonce,
    },
  },
  {
    name: 'advertise-two',
    bytes: hex`
      0010 000c 51 04 00 02 00000002
      0018 0008 11223344
      0060 004c 0002 0048 0030 0020    # 20: 12 + 64, two, 8 + 64
      ${idA} ${idB}                    # 32
      0092 0018 ${hashedNonce}         # 96`,
    message: {
      type: 'ADVERTISE',
      messageId: 2,
      ackedMessageId: 0x11223344,
      pnrpIds: [idA, idB],
      hashedNonce,
    },
  },
  {
    name: 'request-one',
    bytes: hex`
      0010 000c 51 04 00 03 80000000
      0093 0014 ${nonce}               # 12: 4 + 16
      0060 002c 0001 0028 0030 0020    # 32: 12 + 32, one, 8 + 32
      ${idA}                           # 44`,
    message: { type: 'REQUEST', messageId: 0x80000000, nonce, pnrpIds: [idA] },
  },
  {
    name: 'flood-empty',
    bytes: hex`
      0010 000c 51 04 00 04 00000003
      0043 0007 0000 00 00             # 12: flags, Reserved2, padding
      0039 0024 00*32                  # 20: nothing carried, so zero
      009e 000c 0000 0008 009d 0012    # 56: no endpoints`,
    message: {
      type: 'FLOOD',
      messageId: 3,
      doNotAck: false,
      validatePnrpId: new Uint8Array(32),
      floodedList: [],
    },
  },
  {
    name: 'flood-route',
    bytes: hex`
      0010 000c 51 04 00 04 00000004
      0043 0007 0001 00 00             # 12: D
      0039 0024 ${idA}                 # 20
      ${routeOfTwo}                    # 56: 76 bytes
      009e 001e 0001 001a 009d 0012    # 132: 12 + 18, one, 8 + 18
      0dd4 ${addressTwo}               # 144: port first`,
    message: {
      type: 'FLOOD',
      messageId: 4,
      doNotAck: true,
      validatePnrpId: idA,
      routeEntry: entryOfTwo,
      floodedList: [{ address: addressTwo, port: 3540 }],
    },
  },
  {
    name: 'inquire-plain',
    bytes: hex`
      0010 000c 51 04 00 07 00000005
      0040 0006 0000 0000              # 12: no flags, padding
      0039 0024 ${idB}                 # 20`,
    message: {
      type: 'INQUIRE',
      messageId: 5,
      wantCpa: false,
      wantExtendedPayload: false,
      wantCertificateChain: false,
      validatePnrpId: idB,
    },
  },
  {
    name: 'inquire-all',
    bytes: hex`
      0010 000c 51 04 00 07 00000006
      0040 0006 001c 0000              # 12: A 10, X 08, C 04
      0039 0024 ${idB}                 # 20
      0093 0014 ${nonce}               # 56`,
    message: {
      type: 'INQUIRE',
      messageId: 6,
      wantCpa: true,
      wantExtendedPayload: true,
      wantCertificateChain: true,
      validatePnrpId: idB,
      nonce,
    },
  },
  {
    name: 'authority-flags',
    bytes: hex`
      0010 000c 51 04 00 08 00000007
      0018 0008 00000006               # 12: Message ID of the INQUIRE
      0098 0008 0008 0000              # 20: Size 8, Offset 0
      0040 0006 0001 0000              # 28: N, padding`,
    message: {
      type: 'AUTHORITY',
      messageId: 7,
      ackedMessageId: 6,
      size: 8,
      offset: 0,
      buffer: hex`0040 0006 0001 0000`,
    },
  },
  {
    name: 'authority-fragment',
    bytes: hex`
      0010 000c 51 04 00 08 00000008
      0018 0008 00000006
      0098 0008 04a6 04a4              # 20: Size 1190, Offset 1188
      aabb                             # 28: the last two bytes`,
    message: {
      type: 'AUTHORITY',
      messageId: 8,
      ackedMessageId: 6,
      size: 1190,
      offset: 1188,
      buffer: hex`aabb`,
    },
  },
  {
    name: 'ack-plain',
    bytes: hex`
      0010 000c 51 04 00 09 00000009
      0018 0008 00000004               # 12: Message ID of the FLOOD`,
    message: { type: 'ACK', messageId: 9, ackedMessageId: 4, notFound: false },
  },
  {
    name: 'ack-not-found',
    bytes: hex`
      0010 000c 51 04 00 09 0000000a
      0018 0008 00000004
      0040 0006 0001                   # 20: N, no padding in an ACK`,
    message: { type: 'ACK', messageId: 10, ackedMessageId: 4, notFound: true },
  },
  {
    name: 'lookup-plain',
    bytes: hex`
      0010 000c 51 04 00 0b 0000000b
      0045 000c 0000 0000 01 00 0000   # 12: flags, Precision, ANY_PEERNAME, APP_REQUEST, Reserved2
      0038 0024 ${idA}                 # 24
      0039 0024 ${idB}                 # 60
      009e 001e 0001 001a 009d 0012    # 96
      0dd4 ${addressOne}               # 108`,
    message: {
      type: 'LOOKUP',
      messageId: 11,
      acceptNotCloser: false,
      precision: 0,
      resolveCriteria: 1,
      resolveReasonCode: 0,
      targetPnrpId: idA,
      validatePnrpId: idB,
      flaggedPath: [{ address: addressOne, port: 3540 }],
    },
  },
  {
    name: 'lookup-full',
    bytes: hex`
      0010 000c 51 04 00 0b 0000000c
      0045 000c 0002 0011 08 02 0000   # 12: A, 17 bits, UPPER_BITS, CACHE_MAINTENANCE
      0038 0024 ${idA}                 # 24
      0039 0024 00*32                  # 60
      ${routeOfOne}                    # 96
      009e 0030 0002 002c 009d 0012    # 156: 12 + 36, two, 8 + 36
      0dd4 ${addressOne}               # 168
      ffff ${addressTwo}               # 186`,
    message: {
      type: 'LOOKUP',
      messageId: 12,
      acceptNotCloser: true,
      precision: 17,
      resolveCriteria: 8,
      resolveReasonCode: 2,
      targetPnrpId: idA,
      validatePnrpId: new Uint8Array(32),
      routeEntry: entryOfOne,
      flaggedPath: [
        { address: addressOne, port: 3540 },
        { address: addressTwo, port: 65535 },
      ],
    },
  },
]

export function messageVector(name: string): MessageVector {
  const vector = messageVectors.find((candidate) => candidate.name === name)
  if (vector === undefined) throw new Error(`no vector ${name}`)
  return vector
}
