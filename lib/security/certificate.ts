import { equalBytes, isAllZero } from '../core/bytes.js'
import { LIMITS } from '../core/limits.js'
import type { ChainRefusal } from '../pnrp/crypto-port.js'
import { contextTag, DerReader, MalformedDer, Tag } from './der.js'
import { readTime, readUnicode } from './der-text.js'
import { Oid } from './oids.js'
import { roleOf, type Role } from './roles.js'
import { WireLength } from '../wire/constants.js'

/** PnrpCertificateType, MS-PNRP 2.2.3.5.1.1 (MS-PPSEC adds 3, identity). */
export const CertificateType = { MEMBER: 1, ROOT: 2 } as const

/** PnrpCertificateVersion "1.2", MS-PNRP 2.2.3.5.1.2. */
export const CERTIFICATE_VERSION: Uint8Array = Uint8Array.of(0x01, 0x00, 0x02, 0x00)

/** What a PNRP certificate says, MS-PNRP 2.2.3.5. Byte fields are views into the input. */
export interface Certificate {
  /** 16 bytes. */
  readonly serial: Uint8Array
  /** Common names, without the NUL that ends them on the wire. */
  readonly subject: string
  readonly issuer: string
  readonly subjectAltName: string | undefined
  readonly issuerAltName: string | undefined
  /** Milliseconds since 1970 UTC. */
  readonly notBefore: number
  readonly notAfter: number
  /** DER RSAPublicKey, 140 bytes. */
  readonly publicKey: Uint8Array
  readonly type: number | undefined
  readonly version: Uint8Array | undefined
  readonly peerName: string | undefined
  /** Undefined without PnrpRole; 'unknown' stands for a GUID that MS-PNRP does not define. */
  readonly roles: readonly (Role | 'unknown')[] | undefined
  /** Undefined without PnrpClassifiersList. */
  readonly classifiers: readonly string[] | undefined
  /** The first critical extension that nobody here understands. */
  readonly unknownCritical: string | undefined
  /** The whole Certificate element. */
  readonly bytes: Uint8Array
  /** What the issuer signed: TBSCertificate. */
  readonly signed: Uint8Array
  /** 128 bytes. */
  readonly signature: Uint8Array
}

/** Thrown while reading; `reason` is the refusal to report. */
export class RefusedCertificate extends Error {
  constructor(readonly reason: ChainRefusal) {
    super(reason)
  }
}

interface Extension {
  readonly critical: boolean
  readonly value: Uint8Array
}

/** Reads one Certificate element. Throws MalformedDer on anything else. */
export function readCertificate(reader: DerReader): Certificate {
  const { bytes, inside: certificate } = reader.whole(Tag.SEQUENCE)
  const tbs = certificate.whole(Tag.SEQUENCE)
  const body = readBody(tbs.inside)
  readAlgorithm(certificate, Oid.SHA1_WITH_RSA)
  const signature = certificate.bitString()
  if (signature.length !== WireLength.SIGNATURE_DATA) throw new MalformedDer('signature length')
  certificate.end()
  return { ...body, bytes, signed: tbs.bytes, signature }
}

/** RFC 2459 4.1.2, with the constraints of MS-PNRP 2.2.3.5. */
function readBody(tbs: DerReader): Omit<Certificate, 'bytes' | 'signed' | 'signature'> {
  const version = tbs.inside(contextTag(0))
  if (!equalBytes(version.content(Tag.INTEGER), Uint8Array.of(2))) throw new MalformedDer('not v3')
  version.end()
  const serial = readSerial(tbs.content(Tag.INTEGER))
  readAlgorithm(tbs, Oid.SHA1_WITH_RSA)
  const issuer = readName(tbs.inside(Tag.SEQUENCE))
  const validity = tbs.inside(Tag.SEQUENCE)
  const notBefore = readTime(validity)
  const notAfter = readTime(validity)
  validity.end()
  const subject = readName(tbs.inside(Tag.SEQUENCE))
  const publicKey = readPublicKey(tbs.inside(Tag.SEQUENCE))
  for (const tag of [contextTag(1, true), contextTag(2, true)]) readEmptyUniqueId(tbs, tag)
  const extensions = readExtensions(tbs.inside(contextTag(3)))
  tbs.end()
  return {
    serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKey,
    ...readKnownExtensions(extensions),
  }
}

/** A 16-byte number: 16 octets, or 17 when DER puts 00 before a high bit. */
function readSerial(content: Uint8Array): Uint8Array {
  const padded = content.length === 17 && content[0] === 0 && (content[1] as number) >= 0x80
  const serial = padded ? content.subarray(1) : content
  if (serial.length !== LIMITS.serialBytes) throw new MalformedDer('serial number length')
  return serial
}

function readAlgorithm(parent: DerReader, oid: string): void {
  const algorithm = parent.inside(Tag.SEQUENCE)
  if (algorithm.objectIdentifier() !== oid) throw new MalformedDer(`algorithm is not ${oid}`)
  if (!algorithm.atEnd && algorithm.content(Tag.NULL).length !== 0) throw new MalformedDer('NULL')
  algorithm.end()
}

/** One RDN with one Unicode common name; it may end in one NUL (N-48), which is not part of it. */
function readName(name: DerReader): string {
  const set = name.inside(Tag.SET)
  name.end()
  const attribute = set.inside(Tag.SEQUENCE)
  set.end()
  if (attribute.objectIdentifier() !== Oid.COMMON_NAME) throw new MalformedDer('not a common name')
  const text = readUnicode(attribute).replace(/\0$/, '')
  attribute.end()
  return checkName(text)
}

function checkName(text: string): string {
  if (text.length > LIMITS.certificateNameUnits || text.includes('\0')) {
    throw new MalformedDer('name')
  }
  return text
}

const SPKI_KEY_HEAD = Uint8Array.of(0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00)

/** The same kind of key as in MS-PNRP 2.2.3.1.4. */
function readPublicKey(info: DerReader): Uint8Array {
  readAlgorithm(info, Oid.RSA_ENCRYPTION)
  const key = info.bitString()
  info.end()
  const head = key.subarray(0, SPKI_KEY_HEAD.length)
  if (key.length !== WireLength.PUBLIC_KEY_DATA || !equalBytes(head, SPKI_KEY_HEAD)) {
    throw new MalformedDer('not a 1024-bit RSA key')
  }
  return key
}

/** "Empty with a length of 0 bytes": absent, or a BIT STRING of nothing. */
function readEmptyUniqueId(tbs: DerReader, tag: number): void {
  if (tbs.nextTag !== tag) return
  const content = tbs.content(tag)
  if (content.length > 1 || !isAllZero(content)) throw new MalformedDer('unique identifier')
}

function readExtensions(explicit: DerReader): Map<string, Extension> {
  const list = explicit.inside(Tag.SEQUENCE)
  explicit.end()
  const extensions = new Map<string, Extension>()
  while (!list.atEnd) {
    const extension = list.inside(Tag.SEQUENCE)
    const oid = extension.objectIdentifier()
    const critical = extension.nextTag === Tag.BOOLEAN && extension.boolean()
    if (!critical && MUST_BE_CRITICAL.has(oid)) throw new MalformedDer('not critical')
    const value = extension.content(Tag.OCTET_STRING)
    extension.end()
    // RFC 2459 4.2: at most one of a kind.
    if (extensions.has(oid)) throw new MalformedDer('an extension twice')
    extensions.set(oid, { critical, value })
  }
  return extensions
}

type Extensions = Pick<
  Certificate,
  | 'type'
  | 'version'
  | 'peerName'
  | 'roles'
  | 'classifiers'
  | 'subjectAltName'
  | 'issuerAltName'
  | 'unknownCritical'
>

/** MS-PNRP 2.2.3.5.1. */
const MUST_BE_CRITICAL: ReadonlySet<string> = new Set([
  Oid.CERTIFICATE_TYPE,
  Oid.CERTIFICATE_VERSION,
  Oid.PEER_NAME,
  Oid.ROLE,
  Oid.CLASSIFIERS,
])

const UNDERSTOOD: ReadonlySet<string> = new Set([
  ...MUST_BE_CRITICAL,
  Oid.SUBJECT_ALT_NAME,
  Oid.ISSUER_ALT_NAME,
  Oid.SUBJECT_ALT_NAME_OLD,
  Oid.ISSUER_ALT_NAME_OLD,
  Oid.IDENTITY_FLAGS,
  Oid.GROUPING_FLAGS,
])

function readKnownExtensions(extensions: Map<string, Extension>): Extensions {
  /** Applies a reader to the whole value of the first of these extensions that is there. */
  const read = <T>(reader: (value: DerReader) => T, ...oids: string[]): T | undefined => {
    const value = oids.map((oid) => extensions.get(oid)).find((found) => found !== undefined)
    if (value === undefined) return undefined
    const inside = new DerReader(value.value)
    const result = reader(inside)
    inside.end()
    return result
  }
  checkFlags(read((value) => value.content(Tag.OCTET_STRING), Oid.IDENTITY_FLAGS))
  checkFlags(read((value) => value.content(Tag.OCTET_STRING), Oid.GROUPING_FLAGS))
  const type = read((value) => value.content(Tag.OCTET_STRING), Oid.CERTIFICATE_TYPE)
  if (type !== undefined && type.length !== 4) throw new RefusedCertificate('chain-malformed')
  return {
    type: type === undefined ? undefined : Buffer.from(type).readUInt32LE(),
    version: read((value) => value.content(Tag.OCTET_STRING), Oid.CERTIFICATE_VERSION),
    peerName: read(readPeerName, Oid.PEER_NAME),
    roles: read(readRoles, Oid.ROLE),
    classifiers: read(readClassifiers, Oid.CLASSIFIERS),
    subjectAltName: read(readAltName, Oid.SUBJECT_ALT_NAME_OLD, Oid.SUBJECT_ALT_NAME),
    issuerAltName: read(readAltName, Oid.ISSUER_ALT_NAME_OLD, Oid.ISSUER_ALT_NAME),
    unknownCritical: findUnknownCritical(extensions),
  }
}

/** MS-PPSEC: both flag words are zero. */
function checkFlags(value: Uint8Array | undefined): void {
  if (value === undefined) return
  if (value.length !== 4 || !isAllZero(value)) throw new MalformedDer('unknown flags')
}

function findUnknownCritical(extensions: Map<string, Extension>): string | undefined {
  for (const [oid, { critical, value }] of extensions) {
    if (!critical || UNDERSTOOD.has(oid)) continue
    if (oid === Oid.EXTENDED_KEY_USAGE && isForPeers(value)) continue
    return oid
  }
  return undefined
}

/** An extended key usage is understood when it allows peer authentication (MS-PPSEC 2.2.5.1). */
function isForPeers(value: Uint8Array): boolean {
  const usages = new DerReader(value).inside(Tag.SEQUENCE)
  let found = false
  while (!usages.atEnd) found = usages.objectIdentifier() === Oid.PEER_AUTHENTICATION || found
  return found
}

/** GeneralName of choice otherName: `typeId` (if given) and a Unicode string. */
function readOtherName(reader: DerReader, typeId?: string): string {
  const other = reader.inside(contextTag(0))
  const oid = other.objectIdentifier()
  if (typeId !== undefined && oid !== typeId) throw new MalformedDer('type-id')
  const explicit = other.inside(contextTag(0))
  other.end()
  const text = readUnicode(explicit)
  explicit.end()
  return text
}

/** MS-PNRP 2.2.3.5.1.3; the syntax of the name is judged with the chain. */
function readPeerName(value: DerReader): string {
  const names = value.inside(Tag.SEQUENCE)
  const text = readOtherName(names, Oid.PEER_NAME_VALUE)
  names.end()
  return text
}

/** MS-PNRP 2.2.3.5.1.4. */
function readRoles(value: DerReader): (Role | 'unknown')[] {
  const list = value.inside(Tag.SEQUENCE)
  const roles: (Role | 'unknown')[] = []
  do roles.push(roleOf(list.content(Tag.OCTET_STRING)) ?? 'unknown')
  while (!list.atEnd)
  return roles
}

/** MS-PNRP 2.2.3.5.1.5; N-70: a zero-length string stands for the empty classifier. */
function readClassifiers(value: DerReader): string[] {
  const list = value.inside(Tag.SEQUENCE)
  const classifiers: string[] = []
  while (!list.atEnd) classifiers.push(readOtherName(list, Oid.CLASSIFIER_VALUE))
  return classifiers
}

/**
 * MS-PNRP 2.2.3.5.1: a Unicode string. The text names no GeneralName choice; one otherName of any
 * type-id is read, and a directoryName with a common name.
 */
function readAltName(value: DerReader): string {
  const names = value.inside(Tag.SEQUENCE)
  const directory = names.optional(contextTag(4))
  const text =
    directory === undefined
      ? readOtherName(names).replace(/\0$/, '')
      : readName(directory.inside(Tag.SEQUENCE))
  names.end()
  return checkName(text)
}
