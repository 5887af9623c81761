// What the cache keeps, and that it is good enough to find anything in log10(n) steps. The
// answers to queries are checked against a naive model in test/property/route-cache.test.ts.
// test-limit: 120s
import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import * as assert from 'uvu/assert'
import { toHex } from '#lib/core/bytes.js'
import type { Endpoint } from '#lib/core/endpoint.js'
import { LIMITS } from '#lib/core/limits.js'
import { below, SeededRng } from '#lib/core/rng.js'
import { addon } from '#lib/native/addon.js'
import { addSmall, spanAsNumber } from '#lib/native/ring.js'
import { RouteCache, type RouteCacheOptions } from '#lib/native/route-cache.js'
import { test } from '../../harness.js'

const options: RouteCacheOptions = { capacity: 256, maxAddresses: 1 }
const WHOLE = 2 ** 256

const address = (n: number): Uint8Array => {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(12, n)
  bytes[0] = 0x20
  return bytes
}
const entryOf = (pnrpId: Uint8Array, n = 1, port = 3540) => ({
  pnrpId,
  port,
  addresses: [address(n)],
})

/** The ID at this part (0 <= x < 1, in steps of 2^-32) of the ring. */
const at = (x: number): Uint8Array => {
  const bytes = new Uint8Array(32)
  new DataView(bytes.buffer).setUint32(0, Math.round(x * 2 ** 32))
  return bytes
}

/** Offers every ID as the admission of route entries does: only what would be kept is inserted. */
function offer(cache: RouteCache, ids: readonly Uint8Array[], now = 0): void {
  for (const [n, id] of ids.entries()) {
    if (cache.wouldKeep(id).keep) cache.insert(entryOf(id, n), now)
  }
}

function shuffled<T>(list: readonly T[], rng: SeededRng): T[] {
  const out = [...list]
  for (let i = out.length - 1; i > 0; i--) {
    const j = below(rng, i + 1)
    ;[out[i], out[j]] = [out[j] as T, out[i] as T]
  }
  return out
}

/** Nodes with one ID each; a node's cache is filled, in an order of its own, when first asked. */
class Ring {
  readonly ids: readonly Uint8Array[]
  readonly #caches = new Map<string, RouteCache>()
  readonly #rng = new SeededRng(20261122)

  constructor(readonly size: number) {
    this.ids = Array.from({ length: size }, () => this.#rng.bytes(32))
  }

  cacheOf(id: Uint8Array): RouteCache {
    let cache = this.#caches.get(toHex(id))
    if (cache === undefined) {
      cache = new RouteCache(options)
      cache.addLocal(id)
      offer(cache, shuffled(this.ids, this.#rng))
      this.#caches.set(toHex(id), cache)
    }
    return cache
  }

  /** LOOKUPs of a greedy walk: each node names the nearest it knows that is nearer than itself. */
  #walk(from: Uint8Array, to: Uint8Array): number {
    let here = from
    for (let lookups = 0; lookups < 50; lookups++) {
      if (toHex(here) === toHex(to)) return lookups
      const [next] = this.cacheOf(here).closest(to, 1, undefined, here)
      if (next === undefined) throw new Error('the walk is stuck')
      here = next.pnrpId
    }
    throw new Error('the walk goes on and on')
  }

  /** Mean and 99th percentile over random pairs. */
  measure(walks: number): { mean: number; p99: number } {
    const pick = (): Uint8Array => this.ids[below(this.#rng, this.size)] as Uint8Array
    const counts = Array.from({ length: walks }, () => this.#walk(pick(), pick()))
    const sum = counts.reduce((a, b) => a + b)
    const p99 = counts.sort((a, b) => a - b)[Math.floor(walks * 0.99)] as number
    return { mean: sum / walks, p99 }
  }
}

// Prototypes with ideal caches of 20 entries per level took 2.5 (p99 4) at 10^3 and 3.5 (p99 5) at
// 10^4 LOOKUPs, give or take a quarter.
test('PNRP-3.2.1.1-1 a walk takes about log10(n) LOOKUPs at a thousand nodes', () => {
  const { mean, p99 } = new Ring(1000).measure(300)
  assert.ok(mean > 1.5 && mean <= 2.5 * 1.25, `mean ${mean}`)
  assert.ok(p99 <= 4, `p99 ${p99}`)
})

test('PNRP-3.2.1.1-1 a walk takes about log10(n) LOOKUPs at ten thousand nodes', () => {
  const { mean, p99 } = new Ring(10_000).measure(60)
  assert.ok(mean > 2.5 && mean <= 3.5 * 1.25, `mean ${mean}`)
  assert.ok(p99 <= 5, `p99 ${p99}`)
})

test('PNRP-3.2.1.1-2 the leaf set is the five true neighbours on each side', () => {
  const rng = new SeededRng(5)
  const ids = Array.from({ length: 3000 }, () => rng.bytes(32))
  const local = rng.bytes(32)
  const cache = new RouteCache(options)
  cache.addLocal(local)
  offer(cache, ids)
  const span = (id: Uint8Array) => spanAsNumber(local, id)
  const expected = [...ids].sort((a, b) => span(a) - span(b)).map(toHex)
  const { greater, smaller } = cache.leafSet(local)
  assert.equal(
    greater.map((entry) => toHex(entry.pnrpId)),
    expected.slice(0, 5),
  )
  assert.equal(
    smaller.map((entry) => toHex(entry.pnrpId)),
    expected.slice(-5).reverse(),
  )
})

test('PNRP-3.2.1.1-2 each of many local IDs brings room for its leaf set', () => {
  const rng = new SeededRng(6)
  const locals = Array.from({ length: 60 }, () => rng.bytes(32))
  const ids = Array.from({ length: 4000 }, () => rng.bytes(32))
  const cache = new RouteCache({ capacity: 20, maxAddresses: 1, entriesPerLevel: 10 })
  for (const local of locals) cache.addLocal(local)
  offer(cache, ids)
  for (const local of locals) {
    const span = (id: Uint8Array) => spanAsNumber(local, id)
    const nearest = [...ids].sort((a, b) => span(a) - span(b)).map(toHex)
    const { greater, smaller } = cache.leafSet(local)
    const held = [...greater, ...smaller].map((entry) => toHex(entry.pnrpId))
    assert.equal(held, [...nearest.slice(0, 5), ...nearest.slice(-5).reverse()])
  }
  assert.ok(cache.size <= 20 + 59 * 10, String(cache.size))
})

/** Largest arc without an entry, as a part of the ring. */
function widestGap(cache: RouteCache): number {
  const ids = cache.entries().map((entry) => entry.pnrpId)
  const gaps = ids.map((id, i) => spanAsNumber(id, ids[(i + 1) % ids.length] as Uint8Array))
  return Math.max(...gaps) / WHOLE
}

test('PNRP-3.2.1.1-3 PNRP-6-4 without local IDs ten entries or more, evenly spread', () => {
  const rng = new SeededRng(8)
  const cache = new RouteCache(options)
  offer(
    cache,
    Array.from({ length: 2000 }, () => rng.bytes(32)),
  )
  assert.ok(cache.size >= 10 && cache.size <= 20, String(cache.size))
  assert.ok(widestGap(cache) < 3 / 20, `gap ${widestGap(cache)}`)
})

test('PNRP-3.2.1.1-3 with a local ID ten entries or more are spread over the ring', () => {
  const rng = new SeededRng(9)
  const cache = new RouteCache(options)
  cache.addLocal(rng.bytes(32))
  offer(
    cache,
    Array.from({ length: 5000 }, () => rng.bytes(32)),
  )
  assert.ok(widestGap(cache) < 1 / 8, `gap ${widestGap(cache)}`)
})

test('PNRP-3.2.1.1-3 a small cloud is cached whole', () => {
  const rng = new SeededRng(10)
  for (const size of [1, 5, 9, 20]) {
    const cache = new RouteCache(options)
    cache.addLocal(rng.bytes(32))
    offer(
      cache,
      Array.from({ length: size }, () => rng.bytes(32)),
    )
    assert.is(cache.size, size)
  }
})

test('PNRP-6-5 each level covers a tenth of the one above and holds up to entriesPerLevel', () => {
  const rng = new SeededRng(11)
  const local = rng.bytes(32)
  const cache = new RouteCache({ ...options, entriesPerLevel: 16 })
  cache.addLocal(local)
  offer(
    cache,
    Array.from({ length: 20_000 }, () => rng.bytes(32)),
  )
  // 20,000 IDs: the leaf set spans 10 / 20,000 of the ring, so levels 0..2 lie outside it.
  const perLevel = new Map<number, number>()
  for (const { pnrpId } of cache.entries()) {
    const up = spanAsNumber(local, pnrpId)
    const level = Math.floor(Math.log10(WHOLE / 2 / Math.min(up, WHOLE - up)))
    perLevel.set(level, (perLevel.get(level) ?? 0) + 1)
  }
  for (const level of [0, 1, 2]) assert.is(perLevel.get(level), 16, `level ${level}`)
  assert.ok(cache.size <= 3 * 16 + 16 + 10)
})

test('eviction takes the least recently validated of equally dense entries', () => {
  // Nine close pairs, equally dense, two single entries and a wide gap; pair 7 is the oldest.
  const cache = new RouteCache({ capacity: 20, maxAddresses: 1, entriesPerLevel: 20 })
  for (let i = 0; i < 9; i++) {
    cache.insert(entryOf(at(i * 0.08)), i === 7 ? 1 : 100 + i)
    cache.insert(entryOf(at(i * 0.08 + 0.01)), i === 7 ? 2 : 200 + i)
  }
  cache.insert(entryOf(at(0.72)), 0)
  cache.insert(entryOf(at(0.8)), 0)
  assert.is(cache.size, 20)
  const { inserted, evicted } = cache.insert(entryOf(at(0.9)), 999)
  assert.ok(inserted)
  assert.equal(evicted, at(7 * 0.08))
})

test('a newcomer that spreads no better than what is there is refused', () => {
  const cache = new RouteCache({ capacity: 20, maxAddresses: 1, entriesPerLevel: 20 })
  for (let i = 0; i < 20; i++) cache.insert(entryOf(at(i / 20)), i)
  assert.equal(cache.wouldKeep(at(0.026)), { keep: false, leaf: false })
  assert.equal(cache.insert(entryOf(at(0.026)), 99), {
    inserted: false,
    replaced: false,
    leafOf: [],
  })
  assert.is(cache.size, 20)
})

test('an entry that comes again with other addresses replaces the old one', () => {
  const local = at(0.5)
  const cache = new RouteCache({ ...options, maxAddresses: 2 })
  cache.addLocal(local)
  const id = at(0.51)
  const key = new Uint8Array(20).fill(7)
  assert.equal(cache.insert(entryOf(id, 1), 10, key).leafOf, [local])
  const again = cache.insert({ pnrpId: id, port: 4000, addresses: [address(2), address(3)] }, 20)
  assert.equal(again, { inserted: false, replaced: true, leafOf: [local] })
  assert.equal(cache.get(id), {
    pnrpId: id,
    port: 4000,
    addresses: [address(2), address(3)],
    validatedAt: 20,
  })
})

test('N-65 exclusion goes by address and port together, over all addresses of an entry', () => {
  const cache = new RouteCache({ ...options, maxAddresses: 2 })
  cache.insert({ pnrpId: at(0.1), port: 3540, addresses: [address(1), address(2)] }, 0)
  cache.insert(entryOf(at(0.2), 1, 3541), 0)
  const nearest = (...exclude: Endpoint[]) => cache.closest(at(0.1), 5, exclude).map((e) => e.port)
  assert.equal(nearest(), [3540, 3541])
  assert.equal(nearest({ address: address(2), port: 3540 }), [3541])
  assert.equal(nearest({ address: address(2), port: 3541 }), [3540, 3541])
  assert.equal(nearest({ address: address(1), port: 3541 }), [3540])
  assert.is(cache.removeEndpoint({ address: address(2), port: 3541 }), 0)
  assert.is(cache.removeEndpoint({ address: address(2), port: 3540 }), 1)
  assert.is(cache.size, 1)
})

test('PNRP-3.2.5.3-5 spread names IDs all around the ring, and others each time', () => {
  const rng = new SeededRng(12)
  const cache = new RouteCache(options)
  cache.addLocal(at(0.3))
  offer(
    cache,
    Array.from({ length: 2000 }, () => rng.bytes(32)),
  )
  const seen = new Set<string>()
  for (let turn = 0; turn < 20; turn++) {
    const ids = cache.spread(5)
    assert.is(ids.length, 5)
    const places = ids.map((id) => spanAsNumber(at(0), id) / WHOLE).sort((a, b) => a - b)
    const gaps = places.map((place, i) => (places[i + 1] ?? (places[0] as number) + 1) - place)
    assert.ok(Math.max(...gaps) < 0.4, gaps.join())
    for (const id of ids) seen.add(toHex(id))
  }
  assert.ok(seen.size > 10, `${seen.size} different IDs`)
})

test('PNRP-6-6 a hole in a level is offered for filling, thrice at most until it changes', () => {
  const rng = new SeededRng(13)
  const local = at(0.25)
  const cache = new RouteCache(options)
  cache.addLocal(local)
  const inHole = (id: Uint8Array) => {
    const place = spanAsNumber(at(0), id) / WHOLE
    return place > 0.6 && place < 0.8
  }
  const ids = Array.from({ length: 4000 }, () => rng.bytes(32))
  offer(
    cache,
    ids.filter((id) => !inHole(id)),
  )
  for (let i = 0; i < 3; i++) {
    const gap = cache.largestGap(local)
    assert.ok(gap !== undefined && inHole(gap.target))
    assert.ok(gap.precision >= 2 && gap.precision <= 4, String(gap.precision))
  }
  const next = cache.largestGap(local)
  assert.ok(next === undefined || !inHole(next.target))
  offer(cache, [at(0.7)])
  const smaller = cache.largestGap(local)
  assert.ok(smaller !== undefined && inHole(smaller.target))
})

test('a cloud whose members are all in the leaf set has no gap to fill', () => {
  const rng = new SeededRng(14)
  const local = rng.bytes(32)
  const cache = new RouteCache(options)
  cache.addLocal(local)
  assert.is(cache.largestGap(local), undefined)
  offer(
    cache,
    Array.from({ length: 10 }, () => rng.bytes(32)),
  )
  assert.is(cache.largestGap(local), undefined)
})

test('local IDs are never in the cache', () => {
  const cache = new RouteCache(options)
  cache.insert(entryOf(at(0.5)), 0)
  cache.addLocal(at(0.5))
  assert.is(cache.has(at(0.5)), false)
  assert.equal(cache.wouldKeep(at(0.5)), { keep: false, leaf: false })
  assert.is(cache.insert(entryOf(at(0.5)), 0).inserted, false)
  cache.addLocal(at(0.5))
  cache.removeLocal(at(0.5))
  assert.ok(cache.insert(entryOf(at(0.5)), 0).inserted)
})

test('what the cache returns stays as it is', () => {
  const cache = new RouteCache(options)
  cache.insert(entryOf(at(0.5)), 5)
  const first = cache.get(at(0.5))
  cache.insert({ ...entryOf(at(0.5)), addresses: [address(2)] }, 6)
  cache.get(at(0.5))
  cache.closest(at(0), 1)
  assert.equal(first, { ...entryOf(at(0.5)), validatedAt: 5 })
  first?.pnrpId.fill(9)
  assert.equal(cache.get(at(0.5))?.pnrpId, at(0.5))
})

test('one of the nearest is chosen among those that closest gives', () => {
  const cache = new RouteCache(options)
  cache.addLocal(at(0.9))
  for (const place of [0.1, 0.2, 0.3, 0.4]) cache.insert(entryOf(at(place)), 5)
  const chosen = (count: number, index: number, closerThan?: Uint8Array) =>
    cache.oneOfClosest(at(0.12), count, [], closerThan, (found, nearest) => {
      assert.equal(nearest.slice(), at(0.1))
      assert.is(found, closerThan === undefined ? count : 2)
      return index
    })
  assert.equal(chosen(3, 0)?.pnrpId, at(0.1))
  assert.equal(chosen(3, 1)?.pnrpId, at(0.2))
  assert.equal(chosen(3, 2)?.pnrpId, at(0.3))
  assert.equal(chosen(4, 1, at(0.3))?.pnrpId, at(0.2))
  assert.is(new RouteCache(options).oneOfClosest(at(0), 3, [], undefined, () => 0), undefined)
})

test('memory grows with the entries, below 130 bytes each, and never beyond the capacity', () => {
  const rng = new SeededRng(15)
  const cache = new RouteCache({ capacity: 4096, maxAddresses: 1, entriesPerLevel: 1000 })
  const empty = cache.bytes
  assert.ok(empty < 1200, `${empty} bytes when empty`)
  cache.addLocal(rng.bytes(32))
  const ids = Array.from({ length: 20_000 }, () => rng.bytes(32))
  offer(cache, ids.slice(0, 500))
  assert.ok(cache.bytes / cache.size < 130, `${cache.bytes / cache.size} bytes an entry`)
  offer(cache, ids)
  assert.ok(cache.size <= 4096)
  assert.ok(cache.bytes < 4096 * 100)
})

test('an empty cache answers every question', () => {
  const cache = new RouteCache(options)
  assert.is(cache.random(7), undefined)
  assert.equal(cache.entries(), [])
  assert.equal(cache.spread(5), [])
  assert.equal(cache.closest(at(0), 5), [])
  assert.is(cache.above(at(0)), undefined)
  assert.is(cache.countBetween(at(0.1), at(0.9)), 0)
  assert.equal(cache.leafSet(at(0)), { smaller: [], greater: [] })
  assert.is(cache.inLeafRange(at(0)), false)
  assert.is(cache.largestGap(at(0)), undefined)
  cache.insert(entryOf(at(0.5)), 0)
  cache.clear()
  assert.is(cache.size, 0)
  assert.is(cache.has(at(0.5)), false)
})

const isInvalid = (error: { code?: string }): boolean => error.code === 'ERR_PEERNET_INVALID_ARG'

test('misuse throws ERR_PEERNET_INVALID_ARG', () => {
  const cache = new RouteCache(options)
  const short = new Uint8Array(31)
  const tooMany = Array.from({ length: 129 }, () => ({ address: address(1), port: 1025 }))
  const bad: (() => unknown)[] = [
    () => new RouteCache({ capacity: 19, maxAddresses: 1 }),
    () => new RouteCache({ capacity: 65_535, maxAddresses: 1 }),
    () => new RouteCache({ capacity: 256.5, maxAddresses: 1 }),
    () => new RouteCache({ capacity: 256, maxAddresses: 5 }),
    () => new RouteCache({ ...options, entriesPerLevel: 9 }),
    () => new RouteCache({ ...options, leafSetSide: 0 }),
    () => cache.get(short),
    () => cache.insert({ pnrpId: short, port: 1, addresses: [address(1)] }, 0),
    () => cache.insert({ pnrpId: at(0), port: 1, addresses: [] }, 0),
    () => cache.insert({ pnrpId: at(0), port: 1, addresses: [short] }, 0),
    () => cache.touch(at(0), 0, short),
    () => cache.closest(at(0), 1, tooMany),
    () => {
      addon.cacheSize({})
    },
    () => {
      addon.cacheInsert(1 as unknown as object)
    },
    () => RouteCache.prototype.clear.call({} as RouteCache),
  ]
  for (const run of bad) assert.throws(run, isInvalid, run.toString())
})

test('more local IDs than the limit throw ERR_PEERNET_LIMIT', () => {
  const cache = new RouteCache(options)
  for (let i = 0; i < LIMITS.localRegistrations; i++) cache.addLocal(addSmall(at(0.5), i))
  assert.throws(
    () => cache.addLocal(at(0.1)),
    (error: { code?: string }) => error.code === 'ERR_PEERNET_LIMIT',
  )
  // All of them see the same neighbour: the list of local IDs is longer than one page.
  const { leafOf } = cache.insert(entryOf(at(0.7)), 0)
  assert.is(leafOf.length, LIMITS.localRegistrations)
  assert.is(new Set(leafOf.map(toHex)).size, LIMITS.localRegistrations)
})

test('a worker thread has caches and a shared array of its own', async () => {
  const source = `
    import('#lib/native/route-cache.js').then(({ RouteCache }) => {
      const { parentPort } = require('node:worker_threads')
      const cache = new RouteCache({ capacity: 64, maxAddresses: 1 })
      const pnrpId = new Uint8Array(32).fill(3)
      cache.insert({ pnrpId, port: 3540, addresses: [new Uint8Array(16)] }, 1)
      parentPort.postMessage([cache.size, cache.random(0).pnrpId[31]])
    })`
  const worker = new Worker(source, { eval: true })
  const [message] = (await once(worker, 'message')) as [number[]]
  assert.equal(message, [1, 3])
  await worker.terminate()
})

test.run()
