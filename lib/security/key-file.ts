import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { PeernetError } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import {
  der,
  DerReader,
  MalformedDer,
  objectIdentifier,
  octetString,
  sequence,
  Tag,
} from './der.js'

/**
 * Private keys under a password: PKCS #8 EncryptedPrivateKeyInfo with PBES2 (RFC 8018), scrypt
 * (RFC 7914) and AES-256-CBC; `openssl pkey` reads the same. CBC does not tell a wrong password
 * from damage: the caller compares the key with the authority it expects.
 */

const PBES2 = '1.2.840.113549.1.5.13'
const SCRYPT = '1.3.6.1.4.1.11591.4.11'
const AES_256_CBC = '2.16.840.1.101.3.4.1.42'

/** 16 MiB and some tens of milliseconds for each guess; what openssl's -scrypt uses too. */
const COST = { N: 16_384, r: 8, p: 1 } as const

interface ScryptCost {
  readonly N: number
  readonly r: number
  readonly p: number
}

const derive = promisify<string, Uint8Array, number, object, Buffer>(scrypt)

function deriveKey(password: string, salt: Uint8Array, cost: ScryptCost): Promise<Buffer> {
  return derive(password.normalize('NFC'), salt, 32, { ...cost, maxmem: LIMITS.scryptBytes })
}

/** Encrypts a DER PrivateKeyInfo. */
export async function sealKey(privateKeyInfo: Uint8Array, password: string): Promise<Uint8Array> {
  const salt = randomBytes(16)
  const iv = randomBytes(16)
  const cipher = createCipheriv('aes-256-cbc', await deriveKey(password, salt, COST), iv)
  const sealed = Buffer.concat([cipher.update(privateKeyInfo), cipher.final()])
  const kdf = sequence(
    objectIdentifier(SCRYPT),
    sequence(octetString(salt), integer(COST.N), integer(COST.r), integer(COST.p)),
  )
  const encryption = sequence(objectIdentifier(AES_256_CBC), octetString(iv))
  return sequence(sequence(objectIdentifier(PBES2), sequence(kdf, encryption)), octetString(sealed))
}

/**
 * The DER PrivateKeyInfo inside. Throws ERR_PEERNET_IDENTITY_CORRUPT for other structures and
 * ERR_PEERNET_WRONG_PASSWORD when the padding is wrong.
 */
export async function openKey(sealed: Uint8Array, password: string): Promise<Uint8Array> {
  const { salt, cost, iv, data } = readSealed(sealed)
  const decipher = createDecipheriv('aes-256-cbc', await deriveKey(password, salt, cost), iv)
  try {
    return new Uint8Array(Buffer.concat([decipher.update(data), decipher.final()]))
  } catch (cause) {
    throw wrongPassword(cause)
  }
}

export function wrongPassword(cause?: unknown): PeernetError {
  return new PeernetError('ERR_PEERNET_WRONG_PASSWORD', 'the password is wrong', { cause })
}

interface Sealed {
  readonly salt: Uint8Array
  readonly cost: ScryptCost
  readonly iv: Uint8Array
  readonly data: Uint8Array
}

function readSealed(bytes: Uint8Array): Sealed {
  try {
    return parseSealed(bytes)
  } catch (cause) {
    if (!(cause instanceof MalformedDer)) throw cause
    throw new PeernetError(
      'ERR_PEERNET_IDENTITY_CORRUPT',
      `not a key under scrypt and AES-256: ${cause.message}`,
      { cause },
    )
  }
}

function parseSealed(bytes: Uint8Array): Sealed {
  const outer = new DerReader(bytes)
  const info = outer.inside(Tag.SEQUENCE)
  outer.end()
  const scheme = info.inside(Tag.SEQUENCE)
  const data = info.content(Tag.OCTET_STRING)
  info.end()
  expect(scheme, PBES2)
  const parameters = scheme.inside(Tag.SEQUENCE)
  scheme.end()
  const kdf = parameters.inside(Tag.SEQUENCE)
  const encryption = parameters.inside(Tag.SEQUENCE)
  parameters.end()
  expect(kdf, SCRYPT)
  const { salt, cost } = readScrypt(kdf.inside(Tag.SEQUENCE))
  expect(encryption, AES_256_CBC)
  const iv = encryption.content(Tag.OCTET_STRING)
  if (iv.length !== 16) throw new MalformedDer('initialisation vector')
  return { salt, cost, iv, data }
}

function expect(reader: DerReader, oid: string): void {
  if (reader.objectIdentifier() !== oid) throw new MalformedDer(`${oid} is wanted`)
}

function readScrypt(parameters: DerReader): Pick<Sealed, 'salt' | 'cost'> {
  const salt = parameters.content(Tag.OCTET_STRING)
  const cost = {
    N: smallInteger(parameters),
    r: smallInteger(parameters),
    p: smallInteger(parameters),
  }
  if (!parameters.atEnd && smallInteger(parameters) !== 32) throw new MalformedDer('key length')
  parameters.end()
  const powerOfTwo = cost.N > 1 && (cost.N & (cost.N - 1)) === 0
  const memory = 128 * cost.r * (cost.N + cost.p)
  // A file from elsewhere must not be able to ask for minutes or gigabytes.
  if (!powerOfTwo || cost.r < 1 || cost.p < 1 || cost.p > 16 || memory > LIMITS.scryptBytes / 2) {
    throw new MalformedDer('scrypt parameters')
  }
  return { salt, cost }
}

function smallInteger(reader: DerReader): number {
  const content = reader.content(Tag.INTEGER)
  if (content.length < 1 || content.length > 4 || (content[0] as number) >= 0x80) {
    throw new MalformedDer('INTEGER')
  }
  return content.reduce((value, octet) => value * 256 + octet, 0)
}

function integer(value: number): Uint8Array {
  const hex = value.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return (bytes[0] as number) >= 0x80
    ? der(Tag.INTEGER, Uint8Array.of(0), bytes)
    : der(Tag.INTEGER, bytes)
}
