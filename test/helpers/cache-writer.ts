// Fills the cache directory given until it is killed; test/unit/storage/block-store-kill.test.ts.
import { randomBytes } from 'node:crypto'
import { BlockStore } from '#lib/storage/block-store.js'
import { runOnPool } from '#lib/io/block-runner.js'
import { sampleContent } from './content-checker.js'
import { blockOf, SHA256, VERSION_2, segmentsOf } from './content-scene.js'

const [directory = '', secret = ''] = process.argv.slice(2)
const store = new BlockStore({ directory, run: runOnPool, maxBytes: 4_000_000 })
const content = sampleContent(1_500_000)
const key = Buffer.from(secret, 'hex')
const others = segmentsOf(content, SHA256, randomBytes(32))
const all = [...segmentsOf(content, SHA256, key), ...segmentsOf(content, VERSION_2, key)]
process.stdout.write('ready\n')
for (;;) {
  for (const segment of [...all, ...others]) {
    for (let block = 0; block < segment.blockCount; block++) {
      await store.put(segment, block, blockOf(content, segment, block))
    }
  }
  await store.flush()
}
