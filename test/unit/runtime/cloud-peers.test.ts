// Names of content in a cloud, with a cloud that only writes down what is asked of it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import type { ContentSegment } from '#lib/content/content-info.js'
import { LIMITS } from '#lib/core/limits.js'
import { runOnPool } from '#lib/io/block-runner.js'
import type { Cloud } from '#lib/runtime/cloud.js'
import { CloudPeers, segmentName } from '#lib/runtime/content/cloud-peers.js'
import type { PeerOffer } from '#lib/runtime/content/download-peers.js'
import { BlockStore } from '#lib/storage/block-store.js'
import { sampleContent } from '../../helpers/content-checker.js'
import { SHA256, segmentsOf } from '../../helpers/content-scene.js'
import { test } from '../../harness.js'

const home = mkdtempSync(path.join(tmpdir(), 'peernet-names-'))
test.after(() => {
  rmSync(home, { recursive: true, force: true })
})

interface Endpoint {
  readonly address: string
  readonly port: number
  readonly protocol: string
}

class FakeCloud {
  readonly closed = false
  readonly zone = 'e0'
  readonly registered = new Set<string>()
  readonly resolved: string[] = []
  endpoints: Endpoint[] = []

  constructor(readonly scope: string) {}

  register(name: { toString(): string }, { endpoints }: { endpoints: unknown }) {
    assert.equal(endpoints, [{ address: 'auto', port: 8008 }])
    const text = name.toString()
    this.registered.add(text)
    const close = (): Promise<void> => {
      this.registered.delete(text)
      return Promise.resolve()
    }
    return Promise.resolve({ close })
  }

  async *resolve(
    name: { toString(): string },
    _options: { signal?: AbortSignal } = {},
  ): AsyncGenerator<unknown> {
    this.resolved.push(name.toString())
    await Promise.resolve()
    const record = { endpoints: this.endpoints, nodes: ['[::1]:3540'] }
    yield { type: 'step' }
    yield { type: 'record', record }
  }
}

let made = 0
const cacheOf = (): BlockStore =>
  new BlockStore({ directory: path.join(home, `${++made}`), run: runOnPool })

/** A content of one block, in the cache. */
async function stored(cache: BlockStore, bytes: number): Promise<ContentSegment> {
  const content = sampleContent(bytes)
  const [segment] = segmentsOf(content, SHA256, new Uint8Array(32)) as [ContentSegment]
  assert.ok(await cache.put(segment, 0, content))
  return segment
}

const peersIn = (cloud: FakeCloud, cache: BlockStore): Promise<CloudPeers> =>
  CloudPeers.of({ cloud: cloud as unknown as Cloud, cache, port: 8008 })

test('a peer has only so many names, those of the latest contents, and none when it is closed', async () => {
  const [cloud, cache] = [new FakeCloud('global'), cacheOf()]
  const peers = await peersIn(cloud, cache)
  const ids: Uint8Array[] = []
  for (let i = 0; i < LIMITS.cloudNames + 6; i++) {
    const { id } = await stored(cache, 100 + i)
    ids.push(id)
    await peers.publish([id])
  }
  const latest = ids.slice(-LIMITS.cloudNames).map((id) => segmentName(id).toString())
  assert.equal([...cloud.registered].sort(), latest.sort())
  await peers.publish([new Uint8Array(32)])
  assert.not.ok(cloud.registered.has(segmentName(new Uint8Array(32)).toString()), 'not held')
  await peers.close()
  assert.is(cloud.registered.size, 0)
  await cache.close()
})

test('names lead to addresses of the cloud’s own scope, and to TCP alone', async () => {
  const endpoints = [
    ...['2001:db8::1', 'fe80::1', '::1', 'ff02::1', '::ffff:10.0.0.1', '::'].map((address) => ({
      ...{ address, port: 80, protocol: 'tcp' },
    })),
    { address: '2001:db8::2', port: 80, protocol: 'udp' },
  ]
  const expected = {
    global: ['[2001:db8::1]:80'],
    'link-local': ['[fe80::1%e0]:80'],
    loopback: ['[::1]:80'],
  }
  for (const [scope, places] of Object.entries(expected)) {
    const [cloud, cache, abort] = [new FakeCloud(scope), cacheOf(), new AbortController()]
    cloud.endpoints = endpoints
    const peers = await peersIn(cloud, cache)
    const ids = Array.from({ length: 9 }, (_, i) => new Uint8Array(32).fill(i + 1))
    const found: string[] = []
    const search = {
      ...({ version: 1, signal: abort.signal, wanted: () => [] } as const),
      again: () => new Promise<void>(() => undefined),
      roundOver: () => {
        abort.abort()
      },
    }
    for await (const offer of peers.find(ids, search)) found.push((offer as PeerOffer).at)
    assert.equal([...new Set(found)], places, scope)
    // Only the first segments of a content have names.
    assert.equal(
      cloud.resolved,
      ids.slice(0, LIMITS.cloudSegments).map((id) => segmentName(id).toString()),
    )
    await peers.close()
    await cache.close()
  }
})

test('nobody waits long for a slow cloud', async () => {
  const [cloud, cache, abort] = [new FakeCloud('global'), cacheOf(), new AbortController()]
  let ended = 0
  cloud.resolve = async function* (_name, { signal }: { signal?: AbortSignal } = {}) {
    yield { type: 'step' }
    await new Promise((resolve) => signal?.addEventListener('abort', resolve))
    ended += 1
  }
  const peers = await peersIn(cloud, cache)
  const found: unknown[] = []
  let rounds = 0
  const search = {
    ...({ version: 1, signal: abort.signal, wanted: () => [] } as const),
    again: () => new Promise<void>(() => undefined),
    roundOver: () => {
      rounds += 1
      abort.abort()
    },
  }
  for await (const offer of peers.find([new Uint8Array(32)], search)) found.push(offer)
  assert.ok(rounds > 0)
  assert.equal(found, [])
  assert.is(ended, 1)
  await peers.close()
  await cache.close()
})

test.run()
