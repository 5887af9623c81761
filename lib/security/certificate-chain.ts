import { equalBytes } from '../core/bytes.js'
import type { ChainRefusal } from '../pnrp/crypto-port.js'
import { readCertificate, RefusedCertificate, type Certificate } from './certificate.js'
import { contextTag, der, DerReader, MalformedDer, objectIdentifier, sequence, Tag } from './der.js'
import { Oid } from './oids.js'
import { WireLimit } from '../wire/constants.js'

/**
 * Certificates of a PKCS #7 v1.5 SignedData that carries nothing else (RFC 2315 9.1, MS-PNRP
 * 2.2.3.5), in the order in which they lie there; or why the bytes are none.
 */
export function readChain(bytes: Uint8Array): readonly Certificate[] | ChainRefusal {
  if (bytes.length > WireLimit.AUTHORITY_BUFFER) return 'chain-malformed'
  try {
    const outer = new DerReader(bytes)
    const certificates = readContentInfo(outer)
    outer.end()
    return certificates
  } catch (error) {
    if (error instanceof RefusedCertificate) return error.reason
    if (error instanceof MalformedDer) return 'chain-malformed'
    throw error
  }
}

function readContentInfo(outer: DerReader): Certificate[] {
  const contentInfo = outer.inside(Tag.SEQUENCE)
  if (contentInfo.objectIdentifier() !== Oid.PKCS7_SIGNED_DATA) {
    throw new MalformedDer('not SignedData')
  }
  const explicit = contentInfo.inside(contextTag(0))
  contentInfo.end()
  const signedData = explicit.inside(Tag.SEQUENCE)
  explicit.end()
  return readSignedData(signedData)
}

/** Digest algorithms, CRLs and signers mean nothing here: their presence is tolerated. */
function readSignedData(signedData: DerReader): Certificate[] {
  const version = signedData.content(Tag.INTEGER)
  if (!equalBytes(version, Uint8Array.of(1))) throw new MalformedDer('version')
  signedData.inside(Tag.SET)
  const content = signedData.inside(Tag.SEQUENCE)
  if (content.objectIdentifier() !== Oid.PKCS7_DATA) throw new MalformedDer('content type')
  const list = signedData.inside(contextTag(0))
  if (signedData.nextTag === contextTag(1)) signedData.skip()
  signedData.inside(Tag.SET)
  signedData.end()
  const certificates: Certificate[] = []
  while (!list.atEnd) {
    if (certificates.length === WireLimit.CERTIFICATES)
      throw new RefusedCertificate('chain-too-long')
    certificates.push(readCertificate(list))
  }
  if (certificates.length === 0) throw new MalformedDer('no certificates')
  return certificates
}

/** PKCS #7 SignedData of whole certificates, root first. */
export function writeChain(certificates: readonly Uint8Array[]): Uint8Array {
  return sequence(
    objectIdentifier(Oid.PKCS7_SIGNED_DATA),
    der(
      contextTag(0),
      sequence(
        der(Tag.INTEGER, Uint8Array.of(1)),
        der(Tag.SET),
        sequence(objectIdentifier(Oid.PKCS7_DATA)),
        der(contextTag(0), ...certificates),
        der(Tag.SET),
      ),
    ),
  )
}
