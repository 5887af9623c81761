// test-limit: 120s
// The long runs of bench/sim still run: once, small. Their figures come from `npm run sim:long` and
// `npm run sim:hops`.
import { spawnSync } from 'node:child_process'
import * as assert from 'uvu/assert'
import { test } from '../harness.js'

interface Line {
  readonly ok?: boolean
  readonly missed?: number
  readonly case?: string
  readonly value?: number
}

function linesOf(script: string, ...args: string[]): Line[] {
  const run = spawnSync(process.execPath, [`build/js/bench/sim/${script}.js`, '--quick', ...args], {
    encoding: 'utf8',
  })
  assert.is(run.status, 0, run.stdout + run.stderr)
  return run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

test('the long run covers every scenario', () => {
  const lines = linesOf('long', '--seeds', '1')
  assert.is(lines.filter(({ ok }) => ok === true).length, 6)
  assert.is(lines.at(-1)?.missed, 0)
})

test('hops and packets are counted', () => {
  const lines = linesOf('hops')
  const lookups = lines.find((line) => line.case?.endsWith('lookups') === true)?.value ?? -1
  const packets = lines.find((line) => line.case?.endsWith(' packets') === true)?.value ?? -1
  // An INQUIRE and its answer at least: in a small cloud the match is often cached already.
  assert.ok(lookups >= 0 && lookups < 3, `${lookups}`)
  assert.ok(packets >= 2 && packets < 10, `${packets}`)
})

test.run()
