import { GraphDatabase, type DatabaseLimits } from './database.js'
import type { StoredRecord } from './machine.js'
import { isPersisted } from './record-drafts.js'
import type { GraphSecurityProvider } from './security-provider.js'
import { RecordValidation, type ValidationRules } from './validation.js'

export interface Restored {
  readonly database: GraphDatabase
  /** Stored records that were left out, by reason. */
  readonly refused: Readonly<Record<string, number>>
}

/**
 * The database of a graph that is opened again (MS-PPGRH 3.1.4.2): each record is validated first,
 * and what nodes say of themselves is left out. A record that has expired lapses by itself when the
 * machine has got the time.
 */
export function restoreDatabase(
  stored: Iterable<StoredRecord>,
  rules: ValidationRules,
  options: {
    readonly security?: GraphSecurityProvider | undefined
    readonly limits?: Partial<DatabaseLimits>
  } = {},
): Restored {
  const validation = new RecordValidation()
  const refused: Record<string, number> = {}
  const refuse = (why: string): void => {
    refused[why] = (refused[why] ?? 0) + 1
  }
  const sound: StoredRecord[] = []
  for (const each of stored) {
    const { record } = each
    const fault = isPersisted(record.type) ? validation.faultOf(record, rules, 0n) : 'not-persisted'
    const verdict = options.security?.validate(record) ?? 'valid'
    if (fault !== undefined) refuse(fault)
    else if (verdict !== 'valid') refuse('not-valid')
    else sound.push(each)
  }
  const database = new GraphDatabase(options.limits)
  const room = database.load(sound)
  for (let lost = sound.length - room; lost > 0; lost--) refuse('no-room')
  return { database, refused }
}
