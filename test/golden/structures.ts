// Structures written down byte by byte from MS-PNRP 2.2.3.1, 2.2.3.2, 2.2.3.3 and 2.2.2.6.1, each
// with what it says. Numbers in comments are offsets. The signatures are filler: the codec does not
// verify them.
import type {
  AuthorityBuffer,
  CertifiedPeerAddress,
  ExtendedPayload,
  FloodMessage,
} from '#lib/wire/messages.js'
import { counting, hex, spliced } from '../helpers/hex.js'
import { addressOne, addressTwo } from './messages.js'

const location = counting(0x10, 16)
/** The same as a number with its least significant byte first. */
const locationOnWire = hex`1f1e1d1c1b1a19181716151413121110`
const nonce = counting(0xa0, 16)
const classifierHash = counting(0x60, 20)
const authority = counting(0x80, 20)
const authorityOnWire = hex`93929190 8f8e8d8c 8b8a8988 87868584 83828180`
const pnrpId = counting(0x20, 32)
const pnrpIdOnWire = hex`
  3f3e3d3c3b3a39383736353433323130 2f2e2d2c2b2a29282726252423222120`
const signature = counting(0x00, 128)

/** DER: SEQUENCE of 0x89 { INTEGER of 0x81 with a leading zero, INTEGER 65537 }. */
const publicKey = hex`30 81 89 02 81 81 00 ${counting(0x80, 128)} 02 03 010001`

/** 2.2.3.1.4: 9 + 20 + 140 = 169 = 0xa9 bytes; the OID is dotted ASCII text. */
const publicKeyOnWire = hex`
  a900 1400 0000 8c00 00
  31 2e 32 2e 38 34 30 2e 31 31 33 35 34 39 2e 31 2e 31 2e 31
  ${publicKey}`

/** 2.2.3.2: 0x88 bytes, 0x80 of signature, CALG_SHA1. */
const signatureOnWire = hex`8800 8000 04800000 ${signature}`

export interface CpaVector {
  readonly name: string
  readonly bytes: Uint8Array
  readonly cpa: CertifiedPeerAddress
}

/** 2024-01-01T00:00:00Z = 133485408000000000 ticks = 0x01da3c457689c000. */
const notAfter = 133_485_408_000_000_000n
const notAfterOnWire = hex`00c0 8976 453c da01`

export const cpaVectors: readonly CpaVector[] = [
  {
    // 48 + 20 + 4 + 18 + 4 + 169 + 136 = 399 = 0x018f
    name: 'cpa-smallest-live',
    bytes: hex`
      8f01 00 02 00 04                 # 0: CPA Length; versions, minor before major
      08 00                            # 6: C, Reserved
      ${notAfterOnWire}                # 8
      ${locationOnWire}                # 16
      ${nonce}                         # 32
      ${classifierHash}                # 48
      0100 1200                        # 68: one service address of 18 bytes
      0dd4 ${addressOne}               # 72: big-endian inside
      0000 0400                        # 90: no payload, Total Bytes 4
      ${publicKeyOnWire}               # 94
      ${signatureOnWire}               # 263`,
    cpa: {
      revoke: false,
      hasExtendedPayload: false,
      notAfter,
      serviceLocation: location,
      nonce,
      classifierHash,
      friendlyNameIsUtf8: false,
      serviceAddresses: [{ address: addressOne, port: 3540 }],
      publicKey,
      signature,
    },
  },
  {
    // 48 + 20 + 4 + 0 + 4 + 169 + 136 = 381 = 0x017d
    name: 'cpa-smallest-revoke',
    bytes: hex`
      7d01 00 02 00 04
      05 00                            # 6: A, R
      ${notAfterOnWire}
      ${locationOnWire}
      00*16                            # 32: a revoke CPA's nonce is zero
      ${authorityOnWire}               # 48
      0000 1200                        # 68: no service address
      0000 0400
      ${publicKeyOnWire}
      ${signatureOnWire}`,
    cpa: {
      revoke: true,
      hasExtendedPayload: false,
      notAfter,
      serviceLocation: location,
      nonce: new Uint8Array(16),
      binaryAuthority: authority,
      friendlyNameIsUtf8: false,
      serviceAddresses: [],
      publicKey,
      signature,
    },
  },
  {
    // 48 + 20 + 20 + (2 + 78) + (4 + 72) + (4 + 206) + 169 + 136 = 759 = 0x02f7
    name: 'cpa-largest',
    bytes: hex`
      f702 00 02 00 04
      3e 00                            # 6: X 20, F 10, C 08, A 04, U 02
      ffffffff ffffffff                # 8
      ${locationOnWire}
      ${nonce}
      ${authorityOnWire}               # 48
      ${classifierHash}                # 68
      4e00 61*78                       # 88: 78 bytes of "a"
      0400 1200                        # 168: four service addresses
      0dd4 ${addressOne}
      0dd4 ${addressTwo}
      0dd4 ${addressOne}
      0dd4 ${addressTwo}
      0100 d200                        # 244: one payload, 4 + 206 = 210
      01000000 c800                    # 248: Type 1, 10 * 20 = 200 bytes
      ${addressOne} 0050 0600          # 254: port 80 in network order, TCP
      ${addressTwo} 1f90 1100          # port 8080, UDP
      ${addressOne} 0051 0600 ${addressOne} 0052 0600 ${addressOne} 0053 0600
      ${addressOne} 0054 0600 ${addressOne} 0055 0600 ${addressOne} 0056 0600
      ${addressOne} 0057 0600 ${addressOne} 0058 ff00
      ${publicKeyOnWire}               # 454
      ${signatureOnWire}               # 623`,
    cpa: {
      revoke: false,
      hasExtendedPayload: true,
      notAfter: 0xffff_ffff_ffff_ffffn,
      serviceLocation: location,
      nonce,
      binaryAuthority: authority,
      classifierHash,
      friendlyName: hex`61*78`,
      friendlyNameIsUtf8: true,
      serviceAddresses: [addressOne, addressTwo, addressOne, addressTwo].map((address) => ({
        address,
        port: 3540,
      })),
      appEndpoints: [
        { address: addressOne, port: 80, protocol: 6 },
        { address: addressTwo, port: 8080, protocol: 17 },
        ...[81, 82, 83, 84, 85, 86, 87].map((port) => ({ address: addressOne, port, protocol: 6 })),
        { address: addressOne, port: 88, protocol: 255 },
      ],
      publicKey,
      signature,
    },
  },
  {
    // UTF-16LE friendly name "Ada", five more bytes would be UTF-8: 399 + 2 + 6 = 407 = 0x0197
    name: 'cpa-friendly',
    bytes: hex`
      9701 00 02 00 04
      18 00                            # 6: F, C
      ${notAfterOnWire} ${locationOnWire} ${nonce} ${classifierHash}
      0600 4100 6400 6100              # 68
      0100 1200 0dd4 ${addressOne}
      0000 0400
      ${publicKeyOnWire}
      ${signatureOnWire}`,
    cpa: {
      revoke: false,
      hasExtendedPayload: false,
      notAfter,
      serviceLocation: location,
      nonce,
      classifierHash,
      friendlyName: hex`4100 6400 6100`,
      friendlyNameIsUtf8: false,
      serviceAddresses: [{ address: addressOne, port: 3540 }],
      publicKey,
      signature,
    },
  },
]

/** The smallest revoke CPA without its nonce (N-29): CPA Length 381 - 16 = 365 = 0x016d. */
export const revokeWithoutNonce = (() => {
  const shorter = spliced(cpaVector('cpa-smallest-revoke').bytes, 32, 16)
  shorter.set([0x6d, 0x01])
  return shorter
})()

export function cpaVector(name: string): CpaVector {
  const vector = cpaVectors.find((candidate) => candidate.name === name)
  if (vector === undefined) throw new Error(`no vector ${name}`)
  return vector
}

export interface PayloadVector {
  readonly name: string
  readonly bytes: Uint8Array
  readonly payload: ExtendedPayload
}

export const payloadVectors: readonly PayloadVector[] = [
  {
    name: 'payload-binary',
    bytes: hex`
      d500                             # 0: 74 + 3 + 136 = 213
      00 02 0000                       # 2: minor, major, Reserved
      4d00                             # 6: Signature Offset = 74 + 3 = 77
      ${notAfterOnWire}                # 8
      ${pnrpIdOnWire}                  # 16
      ${nonce}                         # 48
      0100 0d00                        # 64: one payload, 10 + 3
      03000080 0300                    # 68: type binary, 3 bytes
      010203                           # 74
      ${signatureOnWire}               # 77`,
    payload: {
      notAfter,
      pnrpId,
      nonce,
      payload: { kind: 'binary', data: hex`010203` },
      signature,
    },
  },
  {
    name: 'payload-utf16',
    bytes: hex`
      da00                             # 0: 74 + 8 + 136 = 218
      00 02 0000
      5200                             # 6: 74 + 8 = 82
      ${notAfterOnWire} ${pnrpIdOnWire} ${nonce}
      0100 1200                        # 64: 10 + 8
      02000080 0800                    # 68: type string, String Type and six bytes
      0000                             # 74: UTF-16
      4800 e900 0000                   # 76: "Hé" and NUL, little-endian
      ${signatureOnWire}`,
    payload: {
      notAfter,
      pnrpId,
      nonce,
      payload: { kind: 'text', encoding: 'utf-16', text: 'H\u00e9' },
      signature,
    },
  },
  {
    name: 'payload-utf8',
    bytes: hex`
      d800                             # 0: 74 + 6 + 136 = 216
      00 02 0000
      5000                             # 6: 80
      ${notAfterOnWire} ${pnrpIdOnWire} ${nonce}
      0100 1000                        # 64: 10 + 6
      02000080 0600
      0100                             # 74: UTF-8
      48 c3a9 00                       # 76: "Hé" and NUL
      ${signatureOnWire}`,
    payload: {
      notAfter,
      pnrpId,
      nonce,
      payload: { kind: 'text', encoding: 'utf-8', text: 'H\u00e9' },
      signature,
    },
  },
]

export function payloadVector(name: string): PayloadVector {
  const vector = payloadVectors.find((candidate) => candidate.name === name)
  if (vector === undefined) throw new Error(`no vector ${name}`)
  return vector
}

export interface BufferVector {
  readonly name: string
  readonly bytes: Uint8Array
  readonly buffer: AuthorityBuffer
}

const smallestCpa = cpaVector('cpa-smallest-live').bytes
const binaryPayload = payloadVector('payload-binary').bytes

export const bufferVectors: readonly BufferVector[] = [
  {
    name: 'buffer-flags',
    bytes: hex`0040 0006 0209 0000     # L, B and N`,
    buffer: { leafSet: true, busy: true, notFound: true },
  },
  {
    name: 'buffer-route',
    bytes: hex`
      0040 0006 0000 0000
      009a 003a ${pnrpId} 04 00 0dd4 00 01 ${addressOne} 0000`,
    buffer: {
      leafSet: false,
      busy: false,
      notFound: false,
      routeEntry: { pnrpId, port: 3540, addresses: [addressOne] },
    },
  },
  {
    name: 'buffer-full',
    bytes: hex`
      0040 0006 0000 0000              # 0
      0080 0009 3003020100 000000      # 8: a chain of 5 bytes, 3 of padding
      0085 0012 0003 000e 0084 0002    # 20: 12 + 6, three units, 8 + 6
      0066 00e9 d83d 0000              # 32: "f", "é", a lone surrogate; big-endian; padding
      005a 00d9 ${binaryPayload}       # 40: 4 + 213 = 217 = 0xd9
      000000
      009a 003a ${pnrpId} 04 00 0dd4 00 01 ${addressOne} 0000
      009b 0193 ${smallestCpa}         # 4 + 399 = 403 = 0x193; no padding`,
    buffer: {
      leafSet: false,
      busy: false,
      notFound: false,
      certificateChain: hex`3003020100`,
      classifier: 'f\u00e9\ud83d',
      extendedPayload: binaryPayload,
      routeEntry: { pnrpId, port: 3540, addresses: [addressOne] },
      cpa: smallestCpa,
    },
  },
]

export function bufferVector(name: string): BufferVector {
  const vector = bufferVectors.find((candidate) => candidate.name === name)
  if (vector === undefined) throw new Error(`no vector ${name}`)
  return vector
}

/** A FLOOD with the smallest revoke CPA: 4 + 381 = 385 = 0x181, three bytes of padding. */
export const revokeFlood: { readonly bytes: Uint8Array; readonly message: FloodMessage } = {
  bytes: hex`
    0010 000c 51 04 00 04 00000020
    0043 0007 0000 00 00
    0039 0024 ${pnrpId}
    009c 0181 ${cpaVector('cpa-smallest-revoke').bytes} 000000
    009e 000c 0000 0008 009d 0012`,
  message: {
    type: 'FLOOD',
    messageId: 0x20,
    doNotAck: false,
    validatePnrpId: pnrpId,
    revokeCpa: cpaVector('cpa-smallest-revoke').bytes,
    floodedList: [],
  },
}
