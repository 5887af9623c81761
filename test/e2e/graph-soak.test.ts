// test-limit: 120s
// The soak of acceptance 7 of the graphing issue still runs: three rounds of two seconds with six
// nodes. `npm run graph:soak` does it for an hour.
import { spawnSync } from 'node:child_process'
import * as assert from 'uvu/assert'
import { test } from '../harness.js'

interface Line {
  readonly round?: number
  readonly equalAfterMs?: number | null
  readonly published?: number
  readonly killed?: number
  readonly verdict?: string
  readonly failures?: readonly string[]
}

test('nodes that close, are killed or lose connections end up with the same database and no handles', () => {
  const run = spawnSync(process.execPath, ['build/js/bench/graph-soak.js', '--quick'], {
    encoding: 'utf8',
  })
  assert.is(run.status, 0, run.stdout + run.stderr)
  const lines = run.stdout
    .trimEnd()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)
  const rounds = lines.filter(({ round }) => round !== undefined)
  assert.is(rounds.length, 3)
  assert.ok(rounds.every(({ equalAfterMs }) => typeof equalAfterMs === 'number'))
  assert.ok((rounds.at(-1)?.published ?? 0) > 0)
  assert.ok((rounds.at(-1)?.killed ?? 0) > 0, 'a process was killed')
  assert.equal(lines.at(-1)?.failures, [])
})

test.run()
