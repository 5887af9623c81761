import { LIMITS } from '../core/limits.js'
import { CERTIFICATE_VERSION, CertificateType } from './certificate.js'
import {
  bitString,
  contextTag,
  der,
  derNull,
  derTrue,
  objectIdentifier,
  octetString,
  sequence,
  Tag,
} from './der.js'
import { bmpString, derTime, universalString } from './der-text.js'
import { Oid } from './oids.js'
import { roleUuid, type Role } from './roles.js'

/** What a new certificate shall say; the caller answers for lengths and syntax. */
export interface CertificateFields {
  /** 16 bytes, of which the first is 0x01..0x7f so that DER keeps all of them and adds none. */
  readonly serial: Uint8Array
  readonly subject: string
  readonly issuer: string
  readonly subjectAltName: string
  readonly issuerAltName: string
  /** Milliseconds since 1970 UTC; seconds are what remains. */
  readonly notBefore: number
  readonly notAfter: number
  /** DER RSAPublicKey, 140 bytes. */
  readonly publicKey: Uint8Array
  readonly type: 'root' | 'member'
  readonly peerName: string
  /** Absent in a root. */
  readonly role?: Role
  /** Absent in a root. */
  readonly classifiers?: readonly string[]
}

/** A serial number from 16 random bytes. */
export function serialFrom(random: Uint8Array): Uint8Array {
  const serial = new Uint8Array(random.subarray(0, LIMITS.serialBytes))
  serial[0] = (serial[0] as number) & 0x7f || 1
  return serial
}

/** TBSCertificate, the bytes that the issuer signs. */
export function writeTbsCertificate(fields: CertificateFields): Uint8Array {
  return sequence(
    der(contextTag(0), der(Tag.INTEGER, Uint8Array.of(2))),
    der(Tag.INTEGER, fields.serial),
    signatureAlgorithm(),
    name(fields.issuer),
    sequence(derTime(fields.notBefore), derTime(fields.notAfter)),
    name(fields.subject),
    sequence(
      sequence(objectIdentifier(Oid.RSA_ENCRYPTION), derNull()),
      bitString(fields.publicKey),
    ),
    der(contextTag(3), sequence(...extensions(fields))),
  )
}

/** Certificate out of a TBSCertificate and its 128-byte signature. */
export function writeCertificate(tbs: Uint8Array, signature: Uint8Array): Uint8Array {
  return sequence(tbs, signatureAlgorithm(), bitString(signature))
}

function signatureAlgorithm(): Uint8Array {
  return sequence(objectIdentifier(Oid.SHA1_WITH_RSA), derNull())
}

/** N-48: one common name, ended by NUL. */
function name(text: string): Uint8Array {
  const attribute = sequence(objectIdentifier(Oid.COMMON_NAME), bmpString(`${text}\0`))
  return sequence(der(Tag.SET, attribute))
}

function extensions(fields: CertificateFields): Uint8Array[] {
  const type = Buffer.alloc(4)
  type.writeUInt32LE(fields.type === 'root' ? CertificateType.ROOT : CertificateType.MEMBER)
  const list = [
    critical(Oid.CERTIFICATE_TYPE, octetString(type)),
    critical(Oid.CERTIFICATE_VERSION, octetString(CERTIFICATE_VERSION)),
    critical(Oid.PEER_NAME, sequence(otherName(Oid.PEER_NAME_VALUE, fields.peerName))),
    plain(Oid.SUBJECT_ALT_NAME, sequence(otherName(Oid.PEER_NAME_VALUE, fields.subjectAltName))),
    plain(Oid.ISSUER_ALT_NAME, sequence(otherName(Oid.PEER_NAME_VALUE, fields.issuerAltName))),
  ]
  if (fields.role !== undefined) {
    list.push(critical(Oid.ROLE, sequence(octetString(roleUuid(fields.role)))))
  }
  if (fields.classifiers !== undefined) {
    const names = fields.classifiers.map((one) => otherName(Oid.CLASSIFIER_VALUE, one))
    list.push(critical(Oid.CLASSIFIERS, sequence(...names)))
  }
  return list
}

function critical(oid: string, value: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(oid), derTrue(), octetString(value))
}

function plain(oid: string, value: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(oid), octetString(value))
}

/** GeneralName of choice otherName. */
function otherName(typeId: string, text: string): Uint8Array {
  return der(contextTag(0), objectIdentifier(typeId), der(contextTag(0), universalString(text)))
}
