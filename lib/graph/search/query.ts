import { PeernetError } from '../../core/errors.js'
import type { AttributeType } from '../../wire/graph/attributes.js'

export const COMPARISONS = [
  'equal',
  'notequal',
  'less',
  'greater',
  'lessorequal',
  'greaterorequal',
] as const

export type Comparison = (typeof COMPARISONS)[number]

/**
 * One condition. It holds for a record that has an attribute of this name and type whose value
 * compares so; a record without the attribute fulfils none, not even `notequal`.
 */
export interface Clause {
  readonly kind: 'clause'
  /** Of an attribute, or a reserved one that stands for a field of the record. */
  readonly attribute: string
  readonly type: AttributeType
  readonly compare: Comparison
  /** Text as in XML: in a string that is compared for equality, `*` and `?` are wildcards. */
  readonly value: string
}

/** A search as both the XML language and the typed filter say it. */
export type Query = Clause | { readonly kind: 'and' | 'or'; readonly parts: readonly Query[] }

export function invalidSearch(message: string): never {
  throw new PeernetError('ERR_PEERNET_INVALID_SEARCH', message)
}
