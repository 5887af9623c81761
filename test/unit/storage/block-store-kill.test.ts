// The cache of blocks after its writers were killed. `PEERNET_KILLS=100 node test/run.mjs
// block-store-kill` does it a hundred times.
// test-limit: 300s
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { runOnPool } from '#lib/io/block-runner.js'
import { BlockStore } from '#lib/storage/block-store.js'
import { blockOf, SHA256, segmentsOf, VERSION_2 } from '../../helpers/content-scene.js'
import { sampleContent } from '../../helpers/content-checker.js'
import { test } from '../../harness.js'

const writer = fileURLToPath(new URL('../../helpers/cache-writer.js', import.meta.url))
const kills = Number(process.env['PEERNET_KILLS'] ?? '4')

/** Two writers of one directory, killed a moment after both are at work. */
async function killedWriters(directory: string, secret: string, afterMs: number): Promise<void> {
  const children = [0, 1].map(() =>
    spawn(process.execPath, [writer, directory, secret], { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  await Promise.all(
    children.map(({ stdout }) => new Promise((resolve) => stdout.once('data', resolve))),
  )
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  const ended = children.map((child) => new Promise((resolve) => child.once('exit', resolve)))
  for (const child of children) child.kill('SIGKILL')
  await Promise.all(ended)
}

test('D-024 after SIGKILL of two writers every block read is right and the cache works', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'peernet-kill-'))
  const secret = 'aa55'.repeat(8)
  const content = sampleContent(1_500_000)
  const key = Buffer.from(secret, 'hex')
  const segments = [...segmentsOf(content, SHA256, key), ...segmentsOf(content, VERSION_2, key)]
  let found = 0
  try {
    for (let round = 0; round < kills; round++) {
      await killedWriters(directory, secret, 5 + ((round * 37) % 90))
      const store = new BlockStore({ directory, run: runOnPool })
      for (const segment of segments) {
        for (let block = 0; block < segment.blockCount; block++) {
          const bytes = blockOf(content, segment, block)
          const stored = await store.read(segment.id, block)
          if (stored !== undefined) {
            found += 1
            assert.ok(Buffer.from(stored.bytes).equals(bytes), `block ${block} of round ${round}`)
          }
          assert.ok(await store.put(segment, block, bytes))
          const again = await store.read(segment.id, block, segment.blockHash(block))
          assert.ok(again && Buffer.from(again.bytes).equals(bytes))
        }
      }
      const { failedReads, failedWrites } = await store.statistics()
      assert.equal([failedReads, failedWrites], [0, 0])
      await store.close()
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
  assert.ok(found > 0, 'the writers wrote something that was read')
})

test.run()
