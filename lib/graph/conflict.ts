import { compareBytes } from '../core/bytes.js'
import type { GraphRecord } from '../wire/graph/record.js'

/**
 * The order of records with the same ID, MS-PPGRH 3.1.7.32: above 0 if `a` is newer than `b`, below
 * 0 if it is older, 0 if they are the same. It is a total order over the wire forms of records, so
 * that nodes agree whatever they receive first.
 */
export function compareRecords(a: GraphRecord, b: GraphRecord): number {
  if (a.version !== b.version) return a.version - b.version
  // The empty string is the lowest, which is the rule that an updated record wins.
  if (a.lastModifiedBy !== b.lastModifiedBy) return a.lastModifiedBy < b.lastModifiedBy ? -1 : 1
  if (a.modificationTime !== b.modificationTime) {
    return a.modificationTime < b.modificationTime ? -1 : 1
  }
  if (a.securityData.length !== b.securityData.length) {
    return a.securityData.length - b.securityData.length
  }
  // GA-55: what is left decides last, or nodes would differ for ever.
  return compareBytes(a.securityData, b.securityData) || compareBytes(a.bytes, b.bytes)
}
