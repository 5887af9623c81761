import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import * as constants from '#lib/wire/constants.js'
import { test } from '../../harness.js'

test('generated constants are what spec/fields says', () => {
  const check = spawnSync(process.execPath, ['spec/tools/generate.mjs', '--check'], {
    encoding: 'utf8',
  })
  assert.is(check.status, 0, check.stderr)
})

test('C and TypeScript constants are the same numbers', () => {
  const header = readFileSync('native/core/pnrp_const.h', 'utf8')
  const inC = [...header.matchAll(/^#define PN_\w+ (0x[0-9A-Fa-f]+|\d+)u$/gm)].map((match) =>
    Number(match[1]),
  )
  const inTypescript = Object.values(constants).flatMap((group) => Object.values<number>(group))
  assert.ok(inC.length > 100)
  const ascending = (a: number, b: number): number => a - b
  assert.equal(inC.sort(ascending), inTypescript.sort(ascending))
})

// Values copied by hand from MS-PNRP 2.2.1, 2.2.2.6 and 2.2.2.8, not through the table.
test('a sample of values as the specification prints them', () => {
  assert.is(constants.WireValue.IDENTIFIER, 81)
  assert.is(constants.MessageType.LOOKUP, 11)
  assert.is(constants.FieldId.IPV6_ENDPOINT_ARRAY, 158)
  assert.is(constants.WireLimit.AUTHORITY_BUFFER, 0x91e4)
  assert.is(constants.WireLimit.FRAGMENT, 1188)
  assert.is(constants.WireLimit.FRAGMENTS, Math.ceil(37348 / 1188))
  assert.is(constants.ResolveCriteria.UPPER_BITS, 8)
})

test.run()
