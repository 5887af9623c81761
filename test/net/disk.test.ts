// A full disk under the cache, under a hosted cache and under the content itself.
// test-limit: 120s
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { skipUnless, test } from '../harness.js'

const script = fileURLToPath(new URL('../helpers/full-disk.js', import.meta.url))

test('disk full: downloads go on, caches make room, and what has no room is said', () => {
  const probe = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()])
  const why = 'disks of their own need root, unshare and mount'
  skipUnless(probe.status === 0, why, { neverInCi: true })
  const home = mkdtempSync(path.join(tmpdir(), 'peernet-disk-'))
  try {
    const command = ['-m', process.execPath, '--enable-source-maps', script, home]
    const run = spawnSync('unshare', command, { encoding: 'utf8', timeout: 110_000 })
    assert.is(run.status, 0, run.stdout + run.stderr)
    const parts = ['download', 'makeRoom', 'hostedCache', 'replay', 'output']
    assert.equal(run.stdout.trim().split('\n'), parts)
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
})

test.run()
