import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import * as constants from '#lib/wire/constants.js'
import * as graphConstants from '#lib/wire/graph/constants.js'
import { test } from '../../harness.js'

test('generated constants are what spec/fields says', () => {
  const check = spawnSync(process.execPath, ['spec/tools/generate.mjs', '--check'], {
    encoding: 'utf8',
  })
  assert.is(check.status, 0, check.stderr)
})

const ascending = (a: number, b: number): number => a - b

function numbersInC(file: string): number[] {
  const defined = /^#define PN_\w+ (0x[0-9A-Fa-f]+|\d+)u$/gm
  return [...readFileSync(file, 'utf8').matchAll(defined)].map((match) => Number(match[1]))
}

function numbersIn(module: Record<string, Record<string, number>>): number[] {
  return Object.values(module).flatMap((group) => Object.values(group))
}

test('C and TypeScript constants are the same numbers', () => {
  const inC = numbersInC('native/core/pnrp_const.h')
  assert.ok(inC.length > 100)
  assert.equal(inC.sort(ascending), numbersIn(constants).sort(ascending))
  const graphInC = numbersInC('native/core/graph_const.h')
  assert.ok(graphInC.length > 70)
  assert.equal(graphInC.sort(ascending), numbersIn(graphConstants).sort(ascending))
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
  // MS-PPGRH 2.2.1.2, 2.2.1.9, 2.2.2.2, 2.2.3.1, 3.1.1
  assert.is(graphConstants.GraphMessageType.ACK, 14)
  assert.is(graphConstants.GraphValue.RECORD_VERSION, 256)
  assert.is(graphConstants.GraphConnectFlag.U, 8)
  assert.is(graphConstants.GraphBound.RECORD_SIZE, 60 * 1024 * 1024)
  assert.is(graphConstants.GraphBound.FRAME_MOST, 32768)
})

test.run()
