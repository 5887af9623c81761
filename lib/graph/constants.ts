import { guid, type Guid } from '../core/guid.js'

/** Reserved record types, MS-PPGRH 2.2.3. */
export const RECORD_TYPE = {
  graphInfo: guid('00000100-0000-0000-0000-000000000000'),
  signature: guid('00000200-0000-0000-0000-000000000000'),
  contact: guid('00000300-0000-0000-0000-000000000000'),
  presence: guid('00000400-0000-0000-0000-000000000000'),
} as const

/** Record IDs that are the same in every graph, 2.2.3.1 and 2.2.3.2. */
export const FIXED_RECORD_ID = {
  graphInfo: guid('6c796768-7732-406b-bc6e-5e9c0d864580'),
  signature: guid('4c515c94-4252-494f-8440-34cc79769c81'),
} as const

/** PT2PT with this type and no payload asks nothing but TCP's acknowledgement, 2.2.4.1, GA-25. */
export const PING_TYPE: Guid = guid('0ccbb0d2-be41-4bd6-914b-058ec5dcce64')

const RESERVED: ReadonlySet<Guid> = new Set(Object.values(RECORD_TYPE))

/** Types that applications never publish, 1.8. */
export function isReservedType(type: Guid): boolean {
  return RESERVED.has(type)
}
