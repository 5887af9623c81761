import { fromHex, toHex } from '../core/bytes.js'

/** What a certificate lets its subject do, MS-PNRP 2.2.3.5.1.4. */
export type Role = 'admin' | 'member' | 'inviting-member'

/** The role GUIDs as their documents print them; 16 bytes in that order go on the wire (N-47). */
const PRINTED: readonly (readonly [Role, string])[] = [
  ['admin', '04387127aa56450a8ce54f565c6790f4'],
  ['member', 'f12dc4c708574ca093fcb1bb19a3d8c2'],
  ['inviting-member', '4370fd89dc184cfb8dbf9853a8a9f905'],
  // The value that MS-PNRP prints for roleInvitingMember is another object's (N-47): read only.
  ['inviting-member', 'dd15f41ffc4e4922b0354c06a754d01d'],
]

/** A GUID structure as Windows keeps it in memory: its first three fields little-endian. */
function inMemoryLayout(printed: string): string {
  const bytes = fromHex(printed) as Uint8Array
  bytes.subarray(0, 4).reverse()
  bytes.subarray(4, 6).reverse()
  bytes.subarray(6, 8).reverse()
  return toHex(bytes)
}

const ROLES: ReadonlyMap<string, Role> = new Map(
  PRINTED.flatMap(([role, printed]) => [
    [printed, role],
    [inMemoryLayout(printed), role],
  ]),
)

/** The role of 16 RoleUuid bytes in either layout; undefined when none is defined for them. */
export function roleOf(uuid: Uint8Array): Role | undefined {
  return ROLES.get(toHex(uuid))
}

/** RoleUuid, 16 bytes in printed order. */
export function roleUuid(role: Role): Uint8Array {
  const [, printed] = PRINTED.find(([name]) => name === role) as (typeof PRINTED)[number]
  return fromHex(printed) as Uint8Array
}

/** Whether the role may hand on what it has, or anything that begins with it. */
export function mayExtend(role: Role): boolean {
  return role !== 'member'
}
