import { createHash, generateKeyPairSync, sign } from 'node:crypto'
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
} from '#lib/security/der.js'
import { bmpString, derTime, universalString } from '#lib/security/der-text.js'
import { Oid } from '#lib/security/oids.js'
import type { ChainCheck } from '#lib/pnrp/crypto-port.js'
import { writeChain } from '#lib/security/certificate-chain.js'

/**
 * Makes certificates piece by piece, so that tests can put anything in any place. Its own keys sign
 * with node:crypto, not with the code under test.
 */

export interface TestKey {
  /** RSASSA-PKCS1-v1_5 with SHA-1. */
  sign(data: Uint8Array): Uint8Array
  /** DER RSAPublicKey. */
  readonly publicKey: Uint8Array
  readonly authority: Uint8Array
}

export function makeKey(modulusLength = 1024): TestKey {
  const pair = generateKeyPairSync('rsa', { modulusLength, publicExponent: 65537 })
  const publicKey = new Uint8Array(pair.publicKey.export({ type: 'pkcs1', format: 'der' }))
  const authority = new Uint8Array(createHash('sha1').update(publicKey).digest())
  return { sign: (data) => sign('sha1', data, pair.privateKey), publicKey, authority }
}

/** An extension: OID, critical, DER of the value. */
export type TestExtension = readonly [string, boolean, Uint8Array]

/** The elements of a TBSCertificate; each can be replaced. */
export interface TestCertificate {
  version: Uint8Array
  serial: Uint8Array
  algorithm: Uint8Array
  issuer: Uint8Array
  notBefore: Uint8Array
  notAfter: Uint8Array
  subject: Uint8Array
  publicKeyInfo: Uint8Array
  /** Between the key and the extensions. */
  uniqueIds: Uint8Array
  extensions: TestExtension[]
  outerAlgorithm: Uint8Array
  /** Appended inside the certificate, behind the signature. */
  trailer: Uint8Array
  signer: TestKey
}

export const nothing = new Uint8Array(0)
export const NOW = Date.UTC(2026, 10, 22, 12, 0, 0)
const DAY = 86_400_000

export const otherName = (typeId: string, value: Uint8Array): Uint8Array =>
  der(contextTag(0), objectIdentifier(typeId), der(contextTag(0), value))
export const peerNames = (...names: string[]): Uint8Array =>
  sequence(...names.map((name) => otherName(Oid.PEER_NAME_VALUE, universalString(name))))
export const classifierList = (...names: string[]): Uint8Array =>
  sequence(...names.map((name) => otherName(Oid.CLASSIFIER_VALUE, universalString(name))))
export const roleList = (...uuids: string[]): Uint8Array =>
  sequence(...uuids.map((uuid) => octetString(Buffer.from(uuid, 'hex'))))
export const commonName = (value: Uint8Array): Uint8Array =>
  sequence(der(Tag.SET, sequence(objectIdentifier(Oid.COMMON_NAME), value)))
export const algorithm = (oid: string): Uint8Array => sequence(objectIdentifier(oid), derNull())
export const keyInfo = (publicKey: Uint8Array, oid: string = Oid.RSA_ENCRYPTION): Uint8Array =>
  sequence(algorithm(oid), bitString(publicKey))

export const ADMIN = '04387127aa56450a8ce54f565c6790f4'
export const MEMBER = 'f12dc4c708574ca093fcb1bb19a3d8c2'
export const INVITING_MEMBER = '4370fd89dc184cfb8dbf9853a8a9f905'

const typeValue = (type: number): Uint8Array => octetString(Uint8Array.of(type, 0, 0, 0))

function common(type: number, peerName: string, subjectAlt: string, issuerAlt: string) {
  return [
    [Oid.CERTIFICATE_TYPE, true, typeValue(type)],
    [Oid.CERTIFICATE_VERSION, true, octetString(Uint8Array.of(1, 0, 2, 0))],
    [Oid.PEER_NAME, true, peerNames(peerName)],
    [Oid.SUBJECT_ALT_NAME, false, peerNames(subjectAlt)],
    [Oid.ISSUER_ALT_NAME, false, peerNames(issuerAlt)],
  ] as TestExtension[]
}

function base(key: TestKey, signer: TestKey): Omit<TestCertificate, 'subject' | 'issuer'> {
  return {
    version: der(contextTag(0), der(Tag.INTEGER, Uint8Array.of(2))),
    serial: der(Tag.INTEGER, createHash('md5').update(key.publicKey).digest().fill(1, 0, 1)),
    algorithm: algorithm(Oid.SHA1_WITH_RSA),
    notBefore: derTime(NOW - DAY),
    notAfter: derTime(NOW + DAY),
    publicKeyInfo: keyInfo(key.publicKey),
    uniqueIds: nothing,
    extensions: [],
    outerAlgorithm: algorithm(Oid.SHA1_WITH_RSA),
    trailer: nothing,
    signer,
  }
}

const unicode = (text: string): Uint8Array => commonName(bmpString(`${text}\0`))

export function rootCertificate(key: TestKey, peerName: string): TestCertificate {
  return {
    ...base(key, key),
    issuer: unicode('root'),
    subject: unicode('root'),
    extensions: common(2, peerName, 'alt 0', 'alt 0'),
  }
}

/** The certificate number `index` of a chain, signed by the key before it. */
export function memberCertificate(
  index: number,
  key: TestKey,
  signer: TestKey,
  peerName: string,
  options: { role?: string; classifiers?: readonly string[] } = {},
): TestCertificate {
  const { role = ADMIN, classifiers = [] } = options
  return {
    ...base(key, signer),
    issuer: unicode(index === 1 ? 'root' : `member ${index - 1}`),
    subject: unicode(`member ${index}`),
    extensions: [
      ...common(1, peerName, `alt ${index}`, `alt ${index - 1}`),
      [Oid.ROLE, true, roleList(role)],
      [Oid.CLASSIFIERS, true, classifierList(...classifiers)],
    ],
  }
}

/** Replaces an extension's value; `undefined` removes the extension. */
export function setExtension(
  certificate: TestCertificate,
  oid: string,
  value: Uint8Array | undefined,
  critical = true,
): void {
  const at = certificate.extensions.findIndex(([one]) => one === oid)
  const replacement: TestExtension[] = value === undefined ? [] : [[oid, critical, value]]
  if (at < 0) certificate.extensions.push(...replacement)
  else certificate.extensions.splice(at, 1, ...replacement)
}

export function encodeCertificate(certificate: TestCertificate): Uint8Array {
  const extensions = certificate.extensions.map(([oid, critical, value]) =>
    critical
      ? sequence(objectIdentifier(oid), derTrue(), octetString(value))
      : sequence(objectIdentifier(oid), octetString(value)),
  )
  const tbs = sequence(
    certificate.version,
    certificate.serial,
    certificate.algorithm,
    certificate.issuer,
    sequence(certificate.notBefore, certificate.notAfter),
    certificate.subject,
    certificate.publicKeyInfo,
    certificate.uniqueIds,
    der(contextTag(3), sequence(...extensions)),
  )
  const signature = certificate.signer.sign(tbs)
  return sequence(tbs, certificate.outerAlgorithm, bitString(signature), certificate.trailer)
}

/** A valid chain of three (root, admin, member) that tests bend. */
export interface TestChain {
  readonly keys: ChainKeys
  readonly root: TestCertificate
  readonly middle: TestCertificate
  readonly leaf: TestCertificate
}

type ChainKeys = readonly [TestKey, TestKey, TestKey]

let ownKeys: ChainKeys | undefined

function testKeys(): ChainKeys {
  ownKeys ??= [makeKey(), makeKey(), makeKey()]
  return ownKeys
}

/** Root (everything) -> admin ("fish", "cheese") -> member ("fish", "cheese-like"). */
export function goodChain(keys: ChainKeys = testKeys()): TestChain {
  const [first, second, third] = keys
  const name = `${Buffer.from(first.authority).toString('hex')}.`
  return {
    keys,
    root: rootCertificate(first, name),
    middle: memberCertificate(1, second, first, name, { classifiers: ['fish', 'cheese'] }),
    leaf: memberCertificate(2, third, second, name, {
      role: ADMIN,
      classifiers: ['fish', 'cheese-like'],
    }),
  }
}

/** The check that a resolver would make of this chain. */
export function checkOf(chain: TestChain, changes: Partial<ChainCheck> = {}): ChainCheck {
  const certificates = [chain.root, chain.middle, chain.leaf].map(encodeCertificate)
  return {
    chain: writeChain(certificates),
    cpaPublicKey: chain.keys[2].publicKey,
    binaryAuthority: chain.keys[0].authority,
    classifier: 'fish',
    wallMs: NOW,
    ...changes,
  }
}
