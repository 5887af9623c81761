// In a mount namespace of its own: a cache on a disk of two mebibytes.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { runOnPool } from '#lib/io/block-runner.js'
import { fetchContent } from '#lib/runtime/content/fetch-content.js'
import { BlockStore } from '#lib/storage/block-store.js'
import { ReplayStore } from '#lib/storage/replay-store.js'
import { sampleContent } from './content-checker.js'
import { blockOf, SHA256, segmentsOf, VERSION_2 } from './content-scene.js'
import { clearScene, fetched, OFFER, sha, startOrigin, warm } from './distribution-scene.js'
import { offering, settled, startHosted } from './hosted-scene.js'

const [home = ''] = process.argv.slice(2)
let disks = 0

/** Another empty disk. */
function disk(): string {
  const name = path.join(home, `disk-${++disks}`)
  mkdirSync(name)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', name])
  if (mounted.status !== 0) throw new Error(mounted.stderr.toString())
  return name
}

const BOTH = {
  ...OFFER,
  'X-P2P-PeerDistEx': 'MinContentInformation=1.0, MaxContentInformation=2.0',
}
const big = sampleContent(6_000_001)

/** The download does not notice; what the cache has is right. */
async function download(): Promise<void> {
  for (const version of [1, 2] as const) {
    const origin = await startOrigin({ version })
    origin.content = big
    origin.extra = { ETag: '"big"' }
    await warm(origin, BOTH)
    const cache = new BlockStore({ directory: path.join(disk(), 'cache'), run: runOnPool })
    const got = await fetched(origin, { cache, version })
    assert.is(sha(got.bytes), sha(big))
    const { failedWrites, lastFailure } = await cache.statistics()
    assert.ok(failedWrites > 0)
    assert.is(lastFailure, 'ENOSPC')
    const again = await fetched(origin, { cache, version })
    assert.is(sha(again.bytes), sha(big))
    await cache.close()
  }
}

/** A full disk makes room for new content in place of old at once, open files notwithstanding. */
async function makeRoom(): Promise<void> {
  const cache = new BlockStore({ directory: path.join(disk(), 'cache'), run: runOnPool })
  for (let seed = 1; seed <= 12; seed++) {
    const bytes = sampleContent(400_000, seed)
    for (const segment of segmentsOf(bytes, SHA256, randomBytes(32))) {
      for (let block = 0; block < segment.blockCount; block++) {
        const kept = await cache.put(segment, block, blockOf(bytes, segment, block))
        assert.ok(kept, `content ${seed}, block ${block}`)
      }
    }
  }
  const { evicted, failedWrites } = await cache.statistics()
  assert.ok(evicted > 0 && failedWrites > 0)
  await cache.close()
}

/** As it comes and as it is verified: a hosted cache keeps what it can and goes on. */
async function hostedCache(): Promise<void> {
  for (const version of [1, 2] as const) {
    const hosted = await startHosted({}, disk())
    const origin = await startOrigin({ version })
    origin.content = big
    origin.extra = { ETag: '"big"' }
    await warm(origin, BOTH)
    const cache = new BlockStore({ directory: path.join(home, `own-${version}`), run: runOnPool })
    const offers = await offering(hosted, cache, { version })
    await fetched(origin, { cache, hostedCache: offers, version })
    await settled(offers, hosted)
    assert.ok((hosted.hosted.statistics().counters['drop.hosted-pull.disk'] ?? 0) > 0)
    const got = await fetched(origin, { hostedCache: { at: hosted.at }, version })
    assert.is(sha(got.bytes), sha(big))
    await hosted.close()
    await offers.close()
    await cache.close()
  }
}

/** The newest of what comes one after the other is there. */
async function replay(): Promise<void> {
  const store = await ReplayStore.open({ directory: path.join(disk(), 'replay') })
  const [segment] = segmentsOf(big.subarray(0, 60_000), VERSION_2)
  assert.ok(segment)
  for (let i = 0; i < 60; i++) {
    const one = { segmentId: randomBytes(32), segmentBytes: 60_000, version: 2 } as const
    const sealed = { cipher: 1, iv: randomBytes(16), block: randomBytes(60_016) } as const
    if (!(await store.put(one, 0, sealed, 'a'))) assert.ok(await store.put(one, 0, sealed, 'a'))
    const found = await store.read(one.segmentId, 0)
    assert.ok(found && Buffer.from(found.block).equals(sealed.block))
  }
  assert.is(store.statistics().lastFailure, 'ENOSPC')
  store.close()
}

/** Where the content itself has no room it is said, and nothing is left. */
async function output(): Promise<void> {
  const origin = await startOrigin()
  origin.content = big
  origin.extra = { ETag: '"big"' }
  const place = disk()
  writeFileSync(path.join(place, 'other'), 'x')
  const got = await fetchContent(origin.url)
  try {
    await got.saveTo(path.join(place, 'file'))
    assert.unreachable('there is no room')
  } catch (error) {
    const { cause, code, message } = error as Error & { code?: string; cause?: { code?: string } }
    assert.equal([code, cause?.code], ['ERR_PEERNET_SYSTEM', 'ENOSPC'])
    assert.match(message, /cannot write .*file/)
  }
  assert.equal(readdirSync(place), ['other'])
}

for (const part of [download, makeRoom, hostedCache, replay, output]) {
  await part()
  process.stdout.write(`${part.name}\n`)
}
await clearScene()
