import { equalBytes, isAllZero } from '../core/bytes.js'
import { sha1 } from '../native/digest.js'
import type { CachedEntry } from '../native/route-cache.js'
import { decodeCpa } from '../wire/codec.js'
import type { CertifiedPeerAddress, PnrpId } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import { cpaIdentities, type CpaIdentity } from './cpa-identity.js'
import { learnFrom } from './cpa-validation.js'

/**
 * Why a revoke was not carried out. 'unknown': no entry of that ID is cached, so that there is
 * nothing to remove. 'key': the entry was validated with another key, or without seeing one; then
 * it should be asked again at once.
 */
export type RevokeRefusal =
  'malformed' | 'not-a-revoke' | 'nonce' | 'expired' | 'unknown' | 'key' | 'signature' | 'busy'

export type RevokeVerdict =
  | { readonly ok: true; readonly pnrpId: PnrpId; readonly entry: CachedEntry }
  | { readonly ok: false; readonly reason: RevokeRefusal; readonly entry?: CachedEntry }

/**
 * Validates a revoke CPA from a FLOOD, MS-PNRP 3.1.5.5 with N-28: there is no INQUIRE and no chain
 * to hold it against, so the key has to be the one that was seen when the entry was validated.
 * `done` runs now, or inside a later handler.
 */
export function validateRevoke(
  context: CloudContext,
  received: Uint8Array,
  done: (verdict: RevokeVerdict) => void,
): void {
  const refuse = (reason: RevokeRefusal, entry?: CachedEntry): void => {
    context.counters.add(`refused.revoke.${reason}`)
    done({ ok: false, reason, ...(entry === undefined ? {} : { entry }) })
  }
  const bytes = received.slice()
  // N-29
  const decoded = decodeCpa(bytes, { revokeNonce: 'auto' })
  if (!decoded.ok) {
    refuse('malformed')
    return
  }
  const { cpa, signedLength, revokeNonce } = decoded
  const { signature, publicKey } = cpa
  if (!cpa.revoke) {
    refuse('not-a-revoke')
    return
  }
  if (!isAllZero(cpa.nonce)) {
    refuse('nonce')
    return
  }
  if (context.fileTime() > cpa.notAfter) {
    refuse('expired')
    return
  }
  const found = cachedIdentity(context, cpa)
  if (found === undefined) {
    refuse('unknown')
    return
  }
  const { entry, identity } = found
  const seen = entry.keyHash
  if (seen === undefined || !equalBytes(seen, sha1(publicKey))) {
    refuse('key', entry)
    return
  }
  const items = [{ publicKey, data: bytes.subarray(0, signedLength), signature }]
  context.crypto({ kind: 'verify', id: context.newJobId(), items }, (result) => {
    if (result.kind !== 'verified') {
      refuse(result.kind === 'refused' ? 'signature' : 'busy', entry)
      return
    }
    learnFrom(context, identity)
    context.learn('signatureByteOrder', result.byteOrder)
    context.learn('revokeNonce', revokeNonce)
    done({ ok: true, pnrpId: identity.pnrpId, entry })
  })
}

/** The cached entry that the CPA is for, in whatever byte order names one. */
function cachedIdentity(
  context: CloudContext,
  cpa: CertifiedPeerAddress,
): { entry: CachedEntry; identity: CpaIdentity } | undefined {
  for (const identity of cpaIdentities(cpa)) {
    const entry = context.cache.get(identity.pnrpId)
    if (entry !== undefined) return { entry, identity }
  }
  return undefined
}
