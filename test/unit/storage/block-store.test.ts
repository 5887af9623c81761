// The cache of blocks on a real disk. What is right is known from the content itself.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { runOnPool } from '#lib/io/block-runner.js'
import { BlockStore } from '#lib/storage/block-store.js'
import type { BlockStoreOptions } from '#lib/storage/stored-blocks.js'
import { blockOf, SHA256, segmentsOf, VERSION_2 } from '../../helpers/content-scene.js'
import { sampleContent } from '../../helpers/content-checker.js'
import { test } from '../../harness.js'

const content = sampleContent(300_001)
const SECRET = new Uint8Array(32).fill(7)
const made: string[] = []
const directory = (): string => {
  const name = mkdtempSync(path.join(tmpdir(), 'peernet-cache-'))
  made.push(name)
  return name
}
test.after(() => {
  for (const name of made) rmSync(name, { recursive: true, force: true })
})

const openStore = (name: string, options: Partial<BlockStoreOptions> = {}): BlockStore =>
  new BlockStore({ directory: name, run: runOnPool, ...options })

const filesIn = (name: string): string[] =>
  readdirSync(name, { recursive: true, encoding: 'utf8' })
    .map((entry) => path.join(name, entry))
    .filter((entry) => statSync(entry).isFile())

const same = (found: { readonly bytes: Uint8Array } | undefined, wanted: Uint8Array): boolean =>
  found !== undefined && Buffer.from(found.bytes).equals(wanted)

async function fill(store: BlockStore, bytes: Uint8Array, secret = SECRET): Promise<void> {
  for (const segment of segmentsOf(bytes, SHA256, secret)) {
    for (let block = 0; block < segment.blockCount; block++) {
      assert.ok(await store.put(segment, block, blockOf(bytes, segment, block)))
    }
  }
}

test('blocks of both versions come back, in this process and in the next', async () => {
  const name = directory()
  const store = openStore(name)
  const all = [SHA256, VERSION_2].flatMap((scheme) => segmentsOf(content, scheme, SECRET))
  for (const segment of all) {
    for (let block = 0; block < segment.blockCount; block++) {
      assert.is(await store.held(segment.id).then((held) => held?.isComplete ?? false), false)
      assert.ok(await store.put(segment, block, blockOf(content, segment, block)))
    }
  }
  await store.close()
  const next = openStore(name)
  for (const segment of all) {
    const held = await next.held(segment.id)
    assert.equal(held?.blocks, [{ index: 0, count: segment.blockCount }])
    assert.equal(held?.secret, segment.secret)
    for (let block = 0; block < segment.blockCount; block++) {
      const found = await next.read(segment.id, block, segment.blockHash(block))
      assert.ok(same(found, blockOf(content, segment, block)))
    }
  }
  for (const file of filesIn(name)) assert.is(statSync(file).mode & 0o777, 0o600)
  await next.close()
})

test('D-024 a block that was damaged on the disk is not handed out, and can be stored again', async () => {
  const name = directory()
  const store = openStore(name)
  await fill(store, content)
  const [segment] = segmentsOf(content, SHA256, SECRET)
  assert.ok(segment)
  const [file = ''] = filesIn(name)
  const bytes = readFileSync(file)
  const at = bytes.length - 10
  bytes[at] = (bytes[at] as number) ^ 1
  writeFileSync(file, bytes)
  const last = segment.blockCount - 1
  assert.is(await store.read(segment.id, last), undefined)
  assert.is((await store.held(segment.id))?.isComplete, false)
  assert.ok(same(await store.read(segment.id, 0), blockOf(content, segment, 0)))
  assert.is((await store.statistics()).corrupt, 1)
  assert.ok(await store.put(segment, last, blockOf(content, segment, last)))
  assert.ok(same(await store.read(segment.id, last), blockOf(content, segment, last)))
  await store.close()
})

test('a file that is none of ours, or was cut off, is replaced', async () => {
  const name = directory()
  const [segment] = segmentsOf(content, SHA256, SECRET)
  assert.ok(segment)
  const first = openStore(name)
  await fill(first, content)
  await first.close()
  const [file = ''] = filesIn(name)
  const whole = readFileSync(file)
  for (const bytes of [Buffer.alloc(0), whole.subarray(0, 100), Buffer.alloc(5000, 3)]) {
    writeFileSync(file, bytes)
    const store = openStore(name)
    assert.is(await store.read(segment.id, 0), undefined)
    assert.ok(await store.put(segment, 0, blockOf(content, segment, 0)))
    assert.ok(same(await store.read(segment.id, 0), blockOf(content, segment, 0)))
    await store.close()
  }
  // Rows that promise blocks behind the end of the file.
  writeFileSync(file, whole.subarray(0, 5000))
  const store = openStore(name)
  assert.is(await store.read(segment.id, 1), undefined)
  await store.close()
})

test('two stores write the same and other blocks at once', async () => {
  const name = directory()
  const stores = [openStore(name), openStore(name)]
  const other = sampleContent(300_001, 9)
  await Promise.all(stores.flatMap((store) => [fill(store, content), fill(store, other)]))
  for (const store of stores) {
    for (const bytes of [content, other]) {
      for (const segment of segmentsOf(bytes, SHA256, SECRET)) {
        for (let block = 0; block < segment.blockCount; block++) {
          assert.ok(same(await store.read(segment.id, block), blockOf(bytes, segment, block)))
        }
      }
    }
    await store.close()
  }
})

test('what was used least recently goes when there is too much, and what is too old', async () => {
  const name = directory()
  let now = Date.now()
  const options = { maxBytes: 1_000_000, maxAgeMs: 86_400_000, now: () => now }
  const store = openStore(name, options)
  const contents = [1, 2, 3, 4].map((seed) => sampleContent(300_001, seed))
  const idOf = (bytes: Uint8Array): Uint8Array =>
    (segmentsOf(bytes, SHA256, SECRET)[0] as { id: Uint8Array }).id
  for (const bytes of contents.slice(0, 3)) {
    await fill(store, bytes)
    now += 60_000
    assert.ok(await store.read(idOf(bytes), 0))
  }
  now += 60_000
  assert.ok(await store.read(idOf(contents[0] as Uint8Array), 0))
  await fill(store, contents[3] as Uint8Array)
  now += 60_000
  assert.ok(await store.read(idOf(contents[3] as Uint8Array), 0))
  const { bytes, segments } = await store.statistics()
  assert.ok(bytes <= 1_000_000 && segments === 2, `${bytes} bytes, ${segments} segments`)
  assert.ok(await store.held(idOf(contents[0] as Uint8Array)), 'the one used again is there')
  assert.is(await store.held(idOf(contents[1] as Uint8Array)), undefined)
  now += 2 * 86_400_000
  assert.is((await store.statistics()).segments, 0)
  await store.close()
})

test('a segment that another process evicted can be stored again', async () => {
  const name = directory()
  const [one, other] = [openStore(name), openStore(name)]
  await fill(one, content)
  assert.is(await other.flush(), 1)
  const [segment] = segmentsOf(content, SHA256, SECRET)
  assert.ok(segment)
  assert.is(await one.held(segment.id), undefined)
  assert.ok(await one.put(segment, 1, blockOf(content, segment, 1)))
  assert.ok(same(await other.read(segment.id, 1), blockOf(content, segment, 1)))
  await one.close()
  await other.close()
})

test('a disk that refuses makes blocks missing, not downloads failing', async () => {
  const name = path.join(directory(), 'cache')
  writeFileSync(name, 'a file where the directory should be')
  const store = openStore(name)
  const [segment] = segmentsOf(content, SHA256, SECRET)
  assert.ok(segment)
  assert.is(await store.put(segment, 0, blockOf(content, segment, 0)), false)
  assert.is(await store.read(segment.id, 0), undefined)
  const { failedWrites, lastFailure } = await store.statistics()
  assert.is(failedWrites, 1)
  assert.is(lastFailure, 'ENOTDIR')
  await store.close()
})

test('only IDs of the lengths that exist make names', async () => {
  const name = directory()
  const store = openStore(name)
  const before = await store.statistics()
  for (const length of [0, 1, 31, 33, 65]) {
    assert.is(await store.read(new Uint8Array(length).fill(0x2e), 0), undefined)
    assert.is(await store.held(new Uint8Array(length).fill(0x2f)), undefined)
  }
  assert.is((await store.statistics()).failedReads - before.failedReads, 10)
  assert.equal(filesIn(name), [])
  await store.close()
})

test.run()
