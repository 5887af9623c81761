// Arbitrary messages and structures of MS-PNRP 2.2, limits included, for fast-check.
import fc from 'fast-check'
import { encodeAuthorityBuffer, encodeCpa, encodeExtendedPayload } from '#lib/wire/codec.js'
import type {
  AuthorityBuffer,
  CertifiedPeerAddress,
  ExtendedPayload,
  PnrpMessage,
  ResolveCriteria,
} from '#lib/wire/messages.js'

export const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length, size: 'max' })
const someBytes = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength, size: 'medium' })

const id = bytes(32)
const address = fc.oneof(bytes(16), fc.constant(new Uint8Array(16)))
const port = fc.integer({ min: 1025, max: 65535 })
const uint32 = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 0x80000000, 0xffffffff))
const fileTime = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn })
const endpoint = fc.record({ address, port })
const units = (minLength: number, maxLength: number) =>
  fc
    .array(fc.integer({ min: 1, max: 0xffff }), { minLength, maxLength, size: 'medium' })
    .map((codes) => String.fromCharCode(...codes))

export const routeEntry = fc.record({
  pnrpId: id,
  port,
  addresses: fc.array(address, { minLength: 1, maxLength: 20 }),
})

const list = (minLength: number) => fc.array(endpoint, { minLength, maxLength: 22, size: 'medium' })
const ids = fc.array(id, { maxLength: 40, size: 'medium' })

/** A record whose `optional` members may be missing. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }, ...optional: (keyof T)[]) {
  const requiredKeys = Object.keys(model).filter((key) => !optional.includes(key as keyof T))
  return fc.record(model, { requiredKeys: requiredKeys as (keyof T)[] }) as fc.Arbitrary<T>
}

/** RSAPublicKey of 140 bytes with an arbitrary modulus of 1024 bits. */
const publicKey = bytes(128).map((modulus) => {
  const head = [0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00]
  const key = new Uint8Array([...head, ...modulus, 0x02, 0x03, 0x01, 0x00, 0x01])
  key[7] = (key[7] as number) | 0x80
  return key
})

const signature = bytes(128)
const appEndpoint = fc.record({ address, port: fc.nat(65535), protocol: fc.nat(65535) })

export const liveCpa: fc.Arbitrary<CertifiedPeerAddress> = fc
  .tuple(
    record<CertifiedPeerAddress>(
      {
        revoke: fc.constant(false),
        hasExtendedPayload: fc.boolean(),
        notAfter: fileTime,
        serviceLocation: bytes(16),
        nonce: bytes(16),
        binaryAuthority: bytes(20).map((hash) => hash.fill(1, 0, 1)),
        classifierHash: bytes(20),
        friendlyName: someBytes(1, 78),
        friendlyNameIsUtf8: fc.boolean(),
        serviceAddresses: fc.array(endpoint, { minLength: 1, maxLength: 4 }),
        appEndpoints: fc.array(appEndpoint, { minLength: 1, maxLength: 10 }),
        publicKey,
        signature,
      },
      'binaryAuthority',
      'friendlyName',
      'appEndpoints',
    ),
    fc.boolean(),
  )
  .map(([cpa, hasHash]) => {
    // A or C, and U only with F
    const { classifierHash, ...rest } = cpa
    const named =
      hasHash || rest.binaryAuthority === undefined
        ? { ...rest, classifierHash: classifierHash as Uint8Array }
        : rest
    return { ...named, friendlyNameIsUtf8: cpa.friendlyNameIsUtf8 && 'friendlyName' in cpa }
  })

export const revokeCpa: fc.Arbitrary<CertifiedPeerAddress> = fc
  .tuple(liveCpa, fc.boolean())
  .map(([cpa, bare]) => ({
    ...cpa,
    revoke: true,
    nonce: new Uint8Array(16),
    ...(bare ? { serviceAddresses: [] } : {}),
  }))

export const cpa = fc.oneof(liveCpa, revokeCpa)

const utf8Text = fc
  .string({ minLength: 3, maxLength: 1000, unit: 'binary', size: 'medium' })
  .map((text) => text.replaceAll('\0', '\u0001'))

export const extendedPayload: fc.Arbitrary<ExtendedPayload> = fc.record({
  notAfter: fileTime,
  pnrpId: id,
  nonce: bytes(16),
  payload: fc.oneof(
    fc.record({ kind: fc.constant('binary' as const), data: someBytes(1, 4096) }),
    fc.record({
      kind: fc.constant('text' as const),
      encoding: fc.constant('utf-16' as const),
      text: units(1, 2047),
    }),
    fc.record({
      kind: fc.constant('text' as const),
      encoding: fc.constant('utf-8' as const),
      text: utf8Text,
    }),
  ),
  signature,
})

/** Chain, payload and CPA as they come, or opaque bytes in their place. */
export const authorityBuffer: fc.Arbitrary<AuthorityBuffer> = record<AuthorityBuffer>(
  {
    leafSet: fc.boolean(),
    busy: fc.boolean(),
    notFound: fc.boolean(),
    certificateChain: someBytes(1, 3000),
    classifier: units(0, 149),
    extendedPayload: fc.oneof(extendedPayload.map(encodeExtendedPayload), someBytes(1, 100)),
    routeEntry,
    cpa: fc.oneof(
      liveCpa.map((fields) => encodeCpa(fields)),
      someBytes(1, 100),
    ),
  },
  'certificateChain',
  'classifier',
  'extendedPayload',
  'routeEntry',
  'cpa',
)

/** The same with well-formed content, which `decode` looks into. */
export const wellFormedBuffer: fc.Arbitrary<AuthorityBuffer> = fc
  .tuple(
    authorityBuffer,
    extendedPayload.map(encodeExtendedPayload),
    liveCpa.map((c) => encodeCpa(c)),
  )
  .map(([buffer, payload, certified]) => ({
    ...buffer,
    ...('extendedPayload' in buffer ? { extendedPayload: payload } : {}),
    ...('cpa' in buffer ? { cpa: certified } : {}),
  }))

const messageId = uint32
const ackedMessageId = uint32
type Of<Type extends PnrpMessage['type']> = Extract<PnrpMessage, { type: Type }>
const type = <Type extends string>(name: Type) => fc.constant(name)

const slice = fc
  .tuple(fc.integer({ min: 6, max: 37348 }), fc.nat(31), fc.nat(255))
  .map(([size, index, fill]) => {
    const offset = (index % Math.ceil(size / 1188)) * 1188
    const buffer = new Uint8Array(Math.min(1188, size - offset)).fill(fill)
    return { size, offset, buffer }
  })

export const messages = {
  SOLICIT: record<Of<'SOLICIT'>>(
    {
      ...{ type: type('SOLICIT'), messageId, routeEntry, hashedNonce: bytes(20) },
      solicitType: fc.constantFrom(0 as const, 1 as const),
    },
    'solicitType',
    'routeEntry',
  ),
  ADVERTISE: record<Of<'ADVERTISE'>>({
    ...{ type: type('ADVERTISE'), messageId, ackedMessageId, pnrpIds: ids, hashedNonce: bytes(20) },
  }),
  REQUEST: record<Of<'REQUEST'>>({
    ...{ type: type('REQUEST'), messageId, nonce: bytes(16), pnrpIds: ids },
  }),
  FLOOD: record<Of<'FLOOD'>>(
    {
      ...{ type: type('FLOOD'), messageId, doNotAck: fc.boolean(), validatePnrpId: id },
      revokeCpa: revokeCpa.map((fields) => encodeCpa(fields)),
      ...{ routeEntry, floodedList: list(0) },
    },
    'revokeCpa',
    'routeEntry',
  ),
  INQUIRE: record<Of<'INQUIRE'>>(
    {
      ...{ type: type('INQUIRE'), messageId, wantCpa: fc.boolean() },
      ...{ wantExtendedPayload: fc.boolean(), wantCertificateChain: fc.boolean() },
      ...{ validatePnrpId: id, nonce: bytes(16) },
    },
    'nonce',
  ),
  AUTHORITY: fc
    .tuple(messageId, ackedMessageId, slice)
    .map(([own, acked, place]): Of<'AUTHORITY'> => ({
      ...{ type: 'AUTHORITY', messageId: own, ackedMessageId: acked, ...place },
    })),
  ACK: record<Of<'ACK'>>({ type: type('ACK'), messageId, ackedMessageId, notFound: fc.boolean() }),
  LOOKUP: record<Of<'LOOKUP'>>(
    {
      ...{ type: type('LOOKUP'), messageId, acceptNotCloser: fc.boolean() },
      precision: fc.nat(0xffff),
      resolveCriteria: fc.constantFrom<ResolveCriteria>(0, 1, 2, 4, 8),
      resolveReasonCode: fc.nat(3),
      ...{ targetPnrpId: id, validatePnrpId: id, routeEntry, flaggedPath: list(1) },
    },
    'routeEntry',
  ),
}

/** An unfragmented AUTHORITY whose buffer `decode` understands. */
export const wholeAuthority: fc.Arbitrary<Of<'AUTHORITY'>> = fc
  .tuple(messageId, ackedMessageId, wellFormedBuffer)
  .map(([own, acked, fields]) => {
    const buffer = encodeAuthorityBuffer(fields)
    const place = { size: buffer.length, offset: 0, buffer }
    return { type: 'AUTHORITY', messageId: own, ackedMessageId: acked, ...place }
  })

export const anyMessage: fc.Arbitrary<PnrpMessage> = fc.oneof(
  ...Object.values(messages as Record<string, fc.Arbitrary<PnrpMessage>>),
  wholeAuthority,
)
