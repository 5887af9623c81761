import { equalBytes } from '../core/bytes.js'
import type { Certificate } from './certificate.js'

/**
 * The certificates root first (N-46: the SET of a PKCS #7 message has no order of its own).
 *
 * The walk starts at the certificate of the CPA's key and follows IssuerAltName to SubjectAltName.
 * If that does not use up all certificates, something in the chain is broken: then the order in
 * which they lie there is kept, so that the checks can name what it is, as long as the CPA's key
 * comes last. Otherwise undefined.
 */
export function orderChain(
  certificates: readonly Certificate[],
  cpaPublicKey: Uint8Array,
): readonly Certificate[] | undefined {
  const leaves = certificates.filter(({ publicKey }) => equalBytes(publicKey, cpaPublicKey))
  // The key may have been delegated to more than once; the usual place of the leaf is the last.
  for (const leaf of leaves.reverse()) {
    const path = pathFrom(leaf, certificates)
    if (path.length === certificates.length) return path
  }
  const [leaf] = leaves
  return leaf === undefined || leaf === certificates.at(-1) ? certificates : undefined
}

function pathFrom(leaf: Certificate, certificates: readonly Certificate[]): Certificate[] {
  const unused = new Set(certificates)
  const path: Certificate[] = []
  let next: Certificate | undefined = leaf
  while (next !== undefined) {
    const child: Certificate = next
    unused.delete(child)
    path.unshift(child)
    next = parentOf(child, [...unused])
  }
  return path
}

/** Of several candidates the one whose subject is the child's issuer. */
function parentOf(child: Certificate, candidates: Certificate[]): Certificate | undefined {
  const named = candidates.filter(
    ({ subjectAltName }) => subjectAltName !== undefined && subjectAltName === child.issuerAltName,
  )
  return named.findLast(({ subject }) => subject === child.issuer) ?? named.at(-1)
}
