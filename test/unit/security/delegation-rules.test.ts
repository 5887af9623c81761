import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { isClassifierDelegated, isListDelegated } from '#lib/security/delegation-rules.js'
import type { Role } from '#lib/security/roles.js'
import { test } from '../../harness.js'

const EXTENDING: Role[] = ['admin', 'inviting-member']
const EMPTY_LIST = 'the empty list'

function isLegal(request: string, role: Role, delegator: readonly string[]): boolean {
  return request === EMPTY_LIST
    ? isListDelegated([], role, delegator)
    : isClassifierDelegated(request, role, delegator) && isListDelegated([request], role, delegator)
}

// The table of MS-PNRP 2.2.3.5.1.5.1. Its fourth row lists "cheese" as legal and as illegal: it is
// legal by the rule above the table (N-49).
const rows: { delegator: string[]; extends: boolean; legal: string[]; illegal: string[] }[] = [
  { delegator: [], extends: true, legal: ['', 'fish', 'anything', EMPTY_LIST], illegal: [] },
  { delegator: [], extends: false, legal: ['', 'fish', 'anything', EMPTY_LIST], illegal: [] },
  {
    delegator: ['', 'fish'],
    extends: true,
    legal: ['', 'fish', 'anything', EMPTY_LIST],
    illegal: [],
  },
  {
    delegator: ['', 'fish'],
    extends: false,
    legal: ['', 'fish'],
    illegal: [EMPTY_LIST, 'fish food'],
  },
  {
    delegator: ['fish', 'cheese'],
    extends: true,
    legal: ['fish', 'fish food', 'cheese', 'cheese-like'],
    illegal: [EMPTY_LIST, 'ham', ''],
  },
  {
    delegator: ['fish', 'cheese'],
    extends: false,
    legal: ['fish', 'cheese'],
    illegal: [EMPTY_LIST, 'fish food', 'cheese-like', ''],
  },
]

test('PNRP-2.2.3.5.1.5.1-1 PNRP-2.2.3.5.1.5.1-2 PNRP-2.2.3.5.1.5.1-3 the table of examples', () => {
  for (const row of rows) {
    for (const role of row.extends ? EXTENDING : (['member'] as const)) {
      const title = `${JSON.stringify(row.delegator)} ${role}`
      for (const one of row.legal) assert.ok(isLegal(one, role, row.delegator), `${title}: ${one}`)
      for (const one of row.illegal)
        assert.not(isLegal(one, role, row.delegator), `${title}: ${one}`)
    }
  }
})

test('a list is delegated when each of its classifiers is', () => {
  const lists = fc.array(fc.constantFrom('', 'a', 'ab', 'b', 'ba'), { minLength: 1, maxLength: 4 })
  const roles = fc.constantFrom<Role>('admin', 'member', 'inviting-member')
  fc.assert(
    fc.property(lists, roles, fc.array(fc.constantFrom('', 'a', 'b')), (list, role, delegator) => {
      const each = list.every((one) => isClassifierDelegated(one, role, delegator))
      assert.is(isListDelegated(list, role, delegator), each)
    }),
  )
})

test('classifiers are compared unit by unit', () => {
  assert.not(isClassifierDelegated('Fish', 'admin', ['fish']))
  assert.not(isClassifierDelegated('e\u0301', 'member', ['\u00e9']))
})

test.run()
