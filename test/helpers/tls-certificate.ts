// A certificate for TLS on this host, made when it is needed: no private key lies about.
import { generateKeyPairSync, sign } from 'node:crypto'
import {
  bitString,
  contextTag,
  der,
  derTrue,
  objectIdentifier,
  octetString,
  sequence,
  Tag,
} from '#lib/security/der.js'
import { derTime } from '#lib/security/der-text.js'

const DAY = 86_400_000
const pem = (label: string, bytes: Uint8Array): string => {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

export interface TlsPair {
  readonly key: string
  readonly cert: string
}

/** Signed by itself, for ::1, further IPv6 addresses (16 bytes each) and `localhost`. */
export function tlsCertificate(...addresses: readonly Uint8Array[]): TlsPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = sequence(objectIdentifier('1.2.840.10045.4.3.2')) // ecdsa-with-SHA256
  const text = der(Tag.UTF8_STRING, Buffer.from('peernet test'))
  const name = sequence(der(Tag.SET, sequence(objectIdentifier('2.5.4.3'), text)))
  const loopback = Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0))
  const names = sequence(
    der(contextTag(2, true), Buffer.from('localhost')),
    ...[loopback, ...addresses].map((address) => der(contextTag(7, true), address)),
  )
  const body = sequence(
    der(contextTag(0), der(Tag.INTEGER, Uint8Array.of(2))),
    der(Tag.INTEGER, Uint8Array.of(1, ...crypto.getRandomValues(new Uint8Array(8)))),
    algorithm,
    name,
    sequence(derTime(Date.now() - DAY), derTime(Date.now() + DAY)),
    name,
    new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    der(
      contextTag(3),
      sequence(
        sequence(objectIdentifier('2.5.29.17'), octetString(names)),
        // It is its own authority.
        sequence(objectIdentifier('2.5.29.19'), derTrue(), octetString(sequence(derTrue()))),
      ),
    ),
  )
  const certificate = sequence(body, algorithm, bitString(sign('sha256', body, privateKey)))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: pem('CERTIFICATE', certificate),
  }
}
