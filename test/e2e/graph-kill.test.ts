// test-limit: 120s
// Acceptance 5 of the graphing issue in short: `npm run graph:kill` does it in full.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { test } from '../harness.js'
import { killDuringWrites } from '../support/graph-killer.js'

const KILLS = 10
const WRITES = 1000

test('ten kills at random moments lose no acknowledged record and leave a readable store', async () => {
  const home = await mkdtemp(path.join(tmpdir(), 'peernet-kill-'))
  try {
    const directory = path.join(home, 'graph')
    const rounds = await killDuringWrites({ directory, kills: KILLS, writes: WRITES, seed: 1 })
    assert.is(rounds.length, KILLS)
    assert.equal(
      rounds.flatMap(({ lost }) => lost),
      [],
    )
    const last = rounds.at(-1)
    assert.ok((last?.total ?? 0) > KILLS, `${last?.total} records were acknowledged`)
    assert.ok((last?.stored ?? 0) >= (last?.total ?? 0))
  } finally {
    await rm(home, { recursive: true, force: true })
  }
})

test.run()
