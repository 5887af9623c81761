// What is encoded and decoded: the two messages that a resolve lives on.
import { encodeAuthorityBuffer, encodeCpa, encodeMessage, splitAuthority } from '#lib/wire/codec.js'
import type {
  AuthorityBuffer,
  CertifiedPeerAddress,
  LookupMessage,
  RouteEntry,
} from '#lib/wire/messages.js'

/** Bytes without meaning, the same in every run. */
function filler(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + seed * 13) & 0xff)
}

/** 2001:db8::host, of the range for documentation. */
function address(host: number): Uint8Array {
  const bytes = new Uint8Array(16)
  bytes.set([0x20, 0x01, 0x0d, 0xb8])
  bytes[15] = host
  return bytes
}

/** A DER RSAPublicKey of 1024 bits in form; nobody verifies with it. */
function publicKey(): Uint8Array {
  const modulus = filler(128, 9)
  modulus[0] = 0x80 | (modulus[0] as number)
  return Uint8Array.of(0x30, 0x81, 0x89, 2, 0x81, 0x81, 0, ...modulus, 2, 3, 1, 0, 1)
}

export const routeEntry: RouteEntry = { pnrpId: filler(32, 1), port: 3540, addresses: [address(1)] }

/** The second LOOKUP of a walk: with a best match, and two nodes asked already. */
export const lookup = {
  type: 'LOOKUP',
  messageId: 0,
  acceptNotCloser: false,
  precision: 128,
  resolveCriteria: 4,
  resolveReasonCode: 1,
  targetPnrpId: filler(32, 2),
  validatePnrpId: filler(32, 3),
  routeEntry,
  flaggedPath: [
    { address: address(2), port: 3540 },
    { address: address(3), port: 49737 },
  ],
} as const satisfies LookupMessage

/** The answer for a secure name: one address of the node, one endpoint of the application. */
export const cpa = {
  revoke: false,
  hasExtendedPayload: false,
  notAfter: 133_000_000_000_000_000n,
  serviceLocation: filler(16, 4),
  nonce: filler(16, 5),
  binaryAuthority: filler(20, 6),
  classifierHash: filler(20, 7),
  friendlyName: filler(20, 8),
  friendlyNameIsUtf8: false,
  serviceAddresses: [{ address: address(1), port: 3540 }],
  appEndpoints: [{ address: address(1), port: 8080, protocol: 6 }],
  publicKey: publicKey(),
  signature: filler(128, 10),
} as const satisfies CertifiedPeerAddress

export const acked = 0x1234
export const classifier = 'printer'

const buffer: AuthorityBuffer = {
  leafSet: false,
  busy: false,
  notFound: false,
  classifier,
  routeEntry,
}

export function encodeLookup(messageId: number): Uint8Array {
  return encodeMessage({ ...lookup, messageId })
}

export function encodeAnswer(messageId: number): Uint8Array {
  const whole = encodeAuthorityBuffer({ ...buffer, cpa: encodeCpa(cpa) })
  return splitAuthority(messageId, acked, whole)[0] as Uint8Array
}
