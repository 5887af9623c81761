import type { Certificate } from './certificate.js'
import { mayExtend, type Role } from './roles.js'

/**
 * May the holder of `delegator` (a PnrpClassifiersList) hand on `classifier` under `role`?
 * MS-PNRP 2.2.3.5.1.5.1: an empty list permits everything.
 */
export function isClassifierDelegated(
  classifier: string,
  role: Role,
  delegator: readonly string[],
): boolean {
  if (delegator.length === 0) return true
  return mayExtend(role)
    ? delegator.some((granted) => classifier.startsWith(granted))
    : delegator.includes(classifier)
}

/**
 * May the holder of `delegator` hand on this whole list? An empty one asks for every classifier:
 * legal below an empty list, and below one with "" for the roles that may extend (N-49).
 */
export function isListDelegated(
  list: readonly string[],
  role: Role,
  delegator: readonly string[],
): boolean {
  if (list.length > 0) return list.every((one) => isClassifierDelegated(one, role, delegator))
  return delegator.length === 0 || (mayExtend(role) && delegator.includes(''))
}

/** The roles of a certificate, if the extension is there and holds none but defined ones. */
export function knownRoles({ roles }: Certificate): readonly Role[] | undefined {
  const known = roles?.filter((role) => role !== 'unknown')
  return known?.length === roles?.length ? known : undefined
}

/** What the roles together allow; a root without the extension has no more than a member's. */
export function effectiveRole(certificate: Certificate): Role {
  return knownRoles(certificate)?.find(mayExtend) ?? 'member'
}

/** What a certificate grants; a missing list, which only a root may have, is empty (N-46). */
export function grantedList({ classifiers }: Certificate): readonly string[] {
  return classifiers ?? []
}

/**
 * May the holder of a chain's last certificate publish `classifier`? The last step of MS-PNRP
 * 3.1.5.10 names no role: it is the one that this certificate grants.
 */
export function mayPublish(leaf: Certificate, classifier: string): boolean {
  return isClassifierDelegated(classifier, effectiveRole(leaf), grantedList(leaf))
}
