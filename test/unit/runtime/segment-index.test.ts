// What discovery may answer for, beside what the cache has.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import type { ContentSegment } from '#lib/content/content-info.js'
import { LIMITS } from '#lib/core/limits.js'
import { runOnPool } from '#lib/io/block-runner.js'
import { SegmentIndex } from '#lib/runtime/content/segment-index.js'
import { BlockStore } from '#lib/storage/block-store.js'
import { sampleContent } from '../../helpers/content-checker.js'
import { blockOf, SHA256, segmentsOf, VERSION_2 } from '../../helpers/content-scene.js'
import { test } from '../../harness.js'

const content = sampleContent(400_001)
const SECRET = new Uint8Array(32).fill(9)
const [one] = segmentsOf(content, SHA256, SECRET) as [ContentSegment]
const others = segmentsOf(content, VERSION_2, SECRET)
const home = mkdtempSync(path.join(tmpdir(), 'peernet-index-'))
test.after(() => {
  rmSync(home, { recursive: true, force: true })
})

let made = 0
const put = (store: BlockStore, segment: ContentSegment, block: number): Promise<boolean> =>
  store.put(segment, block, blockOf(content, segment, block))

async function indexOf(store: BlockStore, now: () => number): Promise<SegmentIndex> {
  const index = new SegmentIndex(store, now)
  await index.loaded
  return index
}

async function scene(body: (stores: BlockStore[], now: { ms: number }) => Promise<void>) {
  const directory = path.join(home, `${++made}`)
  const now = { ms: 1_000_000 }
  const options = { directory, run: runOnPool, now: () => now.ms, maxBytes: 2_000_000 }
  const stores = [new BlockStore(options), new BlockStore(options)]
  try {
    await body(stores, now)
  } finally {
    for (const store of stores) await store.close()
  }
}

test('D-090 what is stored and evicted here is known at once', async () => {
  await scene(async ([store], now) => {
    assert.ok(store)
    const index = await indexOf(store, () => now.ms)
    assert.is(index.get(one.id), undefined)
    await put(store, one, 0)
    now.ms += 500
    assert.equal(index.get(one.id), { blocks: 1, isComplete: false, ageMs: 500 })
    for (let block = 1; block < one.blockCount; block++) await put(store, one, block)
    assert.equal(index.get(one.id), { blocks: 7, isComplete: true, ageMs: 500 })
    await store.flush()
    assert.is(index.get(one.id), undefined)
    index.close()
  })
})

test('D-090 what is evicted by size is answered for no more', async () => {
  await scene(async ([store], now) => {
    assert.ok(store)
    const small = new BlockStore({ directory: store.directory, run: runOnPool, maxBytes: 1 })
    const index = await indexOf(small, () => now.ms)
    for (const segment of others) await put(small, segment, 0)
    await small.trim()
    for (const segment of others) assert.is(index.get(segment.id), undefined)
    assert.is(index.size, 0)
    index.close()
    await small.close()
  })
})

test('what another process stores or evicts is known at the second question', async () => {
  await scene(async ([here, there], now) => {
    assert.ok(here && there)
    await put(there, one, 2)
    const index = await indexOf(here, () => now.ms)
    assert.is(index.get(one.id)?.blocks, 1, 'what was there before is known from the start')
    await put(there, one, 3)
    now.ms += LIMITS.cacheIndexMs + 1
    index.get(one.id)
    await index.settled()
    assert.is(index.get(one.id)?.blocks, 2)
    const [fresh] = others as [ContentSegment]
    assert.is(index.get(fresh.id), undefined)
    await index.settled()
    await put(there, fresh, 0)
    assert.is(index.get(fresh.id), undefined, 'looked up a moment ago')
    now.ms += LIMITS.cacheIndexMs + 1
    index.get(fresh.id)
    await index.settled()
    assert.equal(index.get(fresh.id)?.isComplete, true)
    await there.flush()
    now.ms += LIMITS.cacheIndexMs + 1
    index.get(fresh.id)
    index.get(one.id)
    await index.settled()
    assert.is(index.get(fresh.id), undefined)
    assert.is(index.get(one.id), undefined)
    index.close()
  })
})

test('questions for nonsense keep the disk quiet and the memory small', async () => {
  await scene(async ([store], now) => {
    assert.ok(store)
    const index = await indexOf(store, () => now.ms)
    let lookups = 0
    const held = store.held.bind(store)
    store.held = (id) => {
      lookups += 1
      return held(id)
    }
    for (let i = 0; i < 1000; i++) {
      const id = new Uint8Array(32)
      new DataView(id.buffer).setUint32(0, i)
      assert.is(index.get(id), undefined)
    }
    assert.is(lookups, LIMITS.cacheIndexLookups)
    await index.settled()
    index.close()
  })
})

test.run()
