// Killed at any moment a hosted cache has each block as it came, or not at all.
// `PEERNET_KILLS=100 node test/run.mjs replay-store-kill` does it a hundred times.
// test-limit: 120s
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { ReplayStore } from '#lib/storage/replay-store.js'
import { sealedOf } from '../../helpers/replay-writer.js'
import { test } from '../../harness.js'

const writer = fileURLToPath(new URL('../../helpers/replay-writer.js', import.meta.url))
const kills = Number(process.env['PEERNET_KILLS'] ?? '4')
const directory = mkdtempSync(path.join(tmpdir(), 'peernet-replay-kill-'))
test.after(() => {
  rmSync(directory, { recursive: true, force: true })
})

test('D-107 after SIGKILL each block is as it came, or not there, and the cache goes on', async () => {
  let found = 0
  for (let round = 0; round < kills; round++) {
    const child = spawn(process.execPath, [writer, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    await new Promise((resolve) => setTimeout(resolve, 5 + ((round * 37) % 90)))
    child.kill('SIGKILL')
    await once(child, 'exit')
    const store = await ReplayStore.open({ directory, maxBytes: 2_000_000 })
    const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    assert.ok(!names.some((name) => name.endsWith('.tmp')), 'what was half written is gone')
    const files = names.filter((name) => name.endsWith('.rpl'))
    assert.is(store.statistics().segments, files.length)
    for (const name of files) {
      const segmentId = Buffer.from(path.basename(name).slice(0, 64), 'hex')
      const sealed = await store.read(segmentId, 0)
      const wanted = sealedOf(segmentId)
      assert.ok(sealed && Buffer.from(sealed.block).equals(wanted.block), name)
      assert.ok(Buffer.from(sealed.iv).equals(wanted.iv))
      found += 1
    }
    assert.is(store.statistics().corrupt, 0)
    store.close()
  }
  assert.ok(found > 0)
})

test.run()
