// Model-based: random operation sequences on the shipping cache and on a naive BigInt model that
// sorts a Map at each question. Which entry is evicted is the cache's own choice; the model checks
// that the choice was lawful and then follows it.
// test-limit: 120s
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { toHex } from '#lib/core/bytes.js'
import type { Endpoint } from '#lib/core/endpoint.js'
import { RouteCache, type CachedEntry } from '#lib/native/route-cache.js'
import { test } from '../harness.js'

const RING = 1n << 256n
const SIDE = 2
const PER_LEVEL = 10
const CAPACITY = 16
const mod = (n: bigint): bigint => ((n % RING) + RING) % RING
const toBytes = (n: bigint): Uint8Array =>
  new Uint8Array(Buffer.from(mod(n).toString(16).padStart(64, '0'), 'hex'))
const toBigInt = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes)}`)

interface ModelEntry {
  id: bigint
  port: number
  hosts: number[]
  validatedAt: number
  keyed: boolean
}

interface Model {
  entries: Map<bigint, ModelEntry>
  locals: Set<bigint>
  clock: number
}

const addressOf = (host: number): Uint8Array => {
  const address = new Uint8Array(16)
  address.set([0x20, 0x01, 0x0d, 0xb8])
  address[15] = host
  return address
}
const keyOf = (id: bigint): Uint8Array => toBytes(id).slice(12)
const endpointOf = (host: number, port: number): Endpoint => ({ address: addressOf(host), port })

// ---- the naive answers ----

const clockwise = (from: bigint, to: bigint): bigint => mod(to - from)
const distance = (a: bigint, b: bigint): bigint => {
  const d = mod(a - b)
  return d < RING - d ? d : RING - d
}
const nearer =
  (target: bigint) =>
  (a: bigint, b: bigint): number => {
    const [da, db] = [distance(a, target), distance(b, target)]
    return da < db ? -1 : da > db ? 1 : a < b ? -1 : a > b ? 1 : 0
  }
const idsOf = (model: Model): bigint[] => [...model.entries.keys()]

/** IDs met when walking from `id`, nearest first. */
function walk(ids: bigint[], id: bigint, up: boolean): bigint[] {
  const steps = (x: bigint): bigint => (up ? clockwise(id, x) : clockwise(x, id))
  return ids.filter((x) => x !== id).sort((a, b) => (steps(a) < steps(b) ? -1 : 1))
}

const leafMembers = (ids: bigint[], local: bigint): bigint[] => [
  ...walk(ids, local, true).slice(0, SIDE),
  ...walk(ids, local, false).slice(0, SIDE),
]
const localsWithLeaf = (model: Model, ids: bigint[], id: bigint): bigint[] =>
  [...model.locals].filter((local) => leafMembers(ids, local).includes(id))
const limitOf = (model: Model): number => CAPACITY + 2 * SIDE * Math.max(0, model.locals.size - 1)

/** The level of an ID around the local ID nearest to it, as "local/level". */
function levelOf(model: Model, id: bigint): string {
  const [local] = [...model.locals].sort(nearer(id))
  if (local === undefined) return 'all'
  let level = 0
  for (let d = Number(distance(id, local)) * 10; d <= 2 ** 255; d *= 10) level++
  return `${local}/${level}`
}

const excludes = (model: Model, id: bigint, excluded: readonly Endpoint[]): boolean => {
  const entry = model.entries.get(id) as ModelEntry
  return excluded.some(
    ({ address, port }) => port === entry.port && entry.hosts.includes(address[15] as number),
  )
}

// ---- comparing ----

const ids = (entries: readonly { pnrpId: Uint8Array }[]): bigint[] =>
  entries.map(({ pnrpId }) => toBigInt(pnrpId))
const sorted = (list: bigint[]): bigint[] => [...list].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))

function sameEntry(actual: CachedEntry | undefined, expected: ModelEntry | undefined): void {
  assert.is(actual === undefined, expected === undefined)
  if (actual === undefined || expected === undefined) return
  assert.is(toBigInt(actual.pnrpId), expected.id)
  assert.is(actual.port, expected.port)
  assert.equal(actual.addresses, expected.hosts.map(addressOf))
  assert.is(actual.validatedAt, expected.validatedAt)
  assert.equal(actual.keyHash, expected.keyed ? keyOf(expected.id) : undefined)
}

// ---- commands ----

type Command = fc.Command<Model, RouteCache>

const command = (
  name: string,
  run: (model: Model, cache: RouteCache) => void,
  check: (model: Model) => boolean = () => true,
): Command => ({ check, run, toString: () => name })

function followEviction(model: Model, cache: RouteCache, id: bigint, evicted?: Uint8Array): void {
  if (evicted === undefined) return
  const gone = toBigInt(evicted)
  const all = idsOf(model)
  assert.ok(all.includes(gone), 'evicted something that was there')
  assert.is.not(gone, id)
  assert.equal(localsWithLeaf(model, all, gone), [], 'a leaf set member was evicted')
  const level = levelOf(model, id)
  const crowd = all.filter((x) => levelOf(model, x) === level).length
  assert.ok(
    all.length > limitOf(model) || (crowd > PER_LEVEL && levelOf(model, gone) === level),
    'evicted without need',
  )
  model.entries.delete(gone)
  assert.is(cache.has(evicted), false)
}

const insert = (id: bigint, port: number, hosts: number[], keyed: boolean): Command =>
  command(`insert(${id}, ${port}, ${hosts.join()}, ${keyed})`, (model, cache) => {
    const entry = { id, port, hosts: hosts.slice(0, 3), validatedAt: ++model.clock, keyed }
    const known = model.entries.has(id)
    const forecast = cache.wouldKeep(toBytes(id))
    const result = cache.insert(
      { pnrpId: toBytes(id), port, addresses: hosts.map(addressOf) },
      entry.validatedAt,
      keyed ? keyOf(id) : undefined,
    )
    assert.is(forecast.keep, result.inserted || result.replaced, 'wouldKeep tells the truth')
    assert.is(result.replaced, known && !model.locals.has(id))
    if (model.locals.has(id)) {
      assert.is(result.inserted, false)
      assert.equal(forecast, { keep: false, leaf: false })
      return
    }
    model.entries.set(id, entry)
    const leafOf = localsWithLeaf(model, idsOf(model), id)
    assert.is(forecast.leaf, leafOf.length > 0)
    if (leafOf.length > 0) assert.ok(result.inserted || result.replaced, 'leaf members are kept')
    if (result.inserted || result.replaced) {
      followEviction(model, cache, id, result.evicted)
      const after = localsWithLeaf(model, idsOf(model), id)
      assert.equal(sorted(result.leafOf.map(toBigInt)), sorted(after))
    } else {
      const level = levelOf(model, id)
      const crowd = idsOf(model).filter((x) => levelOf(model, x) === level).length
      assert.ok(crowd > PER_LEVEL || model.entries.size > limitOf(model), 'refused without need')
      model.entries.delete(id)
    }
    assert.is(cache.size, model.entries.size)
  })

/** Many at once, so that levels and the whole cache overflow. */
const insertMany = (from: bigint, step: bigint, count: number): Command => {
  const each = Array.from({ length: count }, (_, i) =>
    insert(mod(from + BigInt(i) * step), 3540, [1 + (i % 5)], false),
  )
  return command(`insertMany(${from}, ${step}, ${count})`, (model, cache) => {
    for (const one of each) one.run(model, cache)
  })
}

const remove = (id: bigint): Command =>
  command(`remove(${id})`, (model, cache) => {
    assert.is(cache.remove(toBytes(id)), model.entries.delete(id))
  })

const removeEndpoint = (host: number, port: number): Command =>
  command(`removeEndpoint(${host}, ${port})`, (model, cache) => {
    const endpoint = endpointOf(host, port)
    const gone = idsOf(model).filter((id) => excludes(model, id, [endpoint]))
    assert.is(cache.removeEndpoint(endpoint), gone.length)
    for (const id of gone) model.entries.delete(id)
  })

const addLocal = (id: bigint): Command =>
  command(`addLocal(${id})`, (model, cache) => {
    cache.addLocal(toBytes(id))
    model.locals.add(id)
    model.entries.delete(id)
  })

const removeLocal = (id: bigint): Command =>
  command(`removeLocal(${id})`, (model, cache) => {
    const leaves = [...model.locals].filter((x) => x !== id)
    const members = leaves.flatMap((local) => leafMembers(idsOf(model), local))
    cache.removeLocal(toBytes(id))
    model.locals.delete(id)
    // The room for its leaf set goes: what no longer fits is dropped, never a leaf member.
    const kept = new Set(ids(cache.entries()))
    assert.ok(members.every((member) => kept.has(member)))
    assert.is(kept.size, Math.min(model.entries.size, limitOf(model)))
    for (const known of idsOf(model)) if (!kept.has(known)) model.entries.delete(known)
  })

const touch = (id: bigint, keyed: boolean): Command =>
  command(`touch(${id})`, (model, cache) => {
    const at = ++model.clock
    const entry = model.entries.get(id)
    const touched = cache.touch(toBytes(id), at, keyed ? keyOf(id) : undefined)
    assert.is(touched, entry !== undefined)
    if (entry === undefined) return
    entry.validatedAt = at
    entry.keyed ||= keyed
  })

const ask = (a: bigint, b: bigint, hosts: [number, number][], count: number): Command =>
  command(`ask(${a}, ${b}, ${JSON.stringify(hosts)}, ${count})`, (model, cache) => {
    const all = idsOf(model)
    const excluded = hosts.map(([host, port]) => endpointOf(host, port))
    const [bytesA, bytesB] = [toBytes(a), toBytes(b)]
    const free = all.filter((id) => !excludes(model, id, excluded))
    const near = [...free].sort(nearer(a))
    assert.equal(ids(cache.closest(bytesA, count, excluded)), near.slice(0, count))
    const closer = near.filter((id) => nearer(a)(id, b) < 0)
    assert.equal(ids(cache.closest(bytesA, count, excluded, bytesB)), closer.slice(0, count))
    sameEntry(cache.above(bytesA, excluded), model.entries.get(walk(free, a, true)[0] ?? -1n))
    sameEntry(cache.below(bytesA, excluded), model.entries.get(walk(free, a, false)[0] ?? -1n))
    sameEntry(cache.get(bytesA), model.entries.get(a))
    const between = all.filter((x) => x !== a && clockwise(a, x) < (clockwise(a, b) || RING))
    assert.is(cache.countBetween(bytesA, bytesB), between.length)
    const leaf = [...model.locals].some((local) => leafMembers([...all, a], local).includes(a))
    assert.is(cache.inLeafRange(bytesA), leaf || model.locals.has(a))
    assert.equal(sorted(cache.leafOf(bytesA).map(toBigInt)), sorted(leafLocals(model, all, a)))
    const { smaller, greater } = cache.leafSet(bytesA)
    assert.equal(ids(greater), walk(all, a, true).slice(0, SIDE))
    assert.equal(ids(smaller), walk(all, a, false).slice(0, SIDE))
  })

const leafLocals = (model: Model, all: bigint[], id: bigint): bigint[] =>
  model.entries.has(id) ? localsWithLeaf(model, all, id) : []

const list = (count: number, random: number): Command =>
  command(`list(${count}, ${random})`, (model, cache) => {
    const all = sorted(idsOf(model))
    const entries = cache.entries()
    assert.equal(ids(entries), all)
    for (const entry of entries) sameEntry(entry, model.entries.get(toBigInt(entry.pnrpId)))
    const spread = cache.spread(count).map(toBigInt)
    assert.is(new Set(spread).size, Math.min(count, all.length))
    assert.ok(spread.every((id) => model.entries.has(id)))
    const picked = cache.random(random)
    sameEntry(picked, model.entries.get(all[random % all.length] ?? -1n))
    scanned(model, cache, all)
  })

/** A scan, and what can be asked of a place. */
function scanned(model: Model, cache: RouteCache, all: readonly bigint[]): void {
  const seen: bigint[] = []
  cache.scan((place, pnrpId, validatedAt) => {
    const id = toBigInt(pnrpId)
    assert.is(place, seen.push(id) - 1)
    assert.is(validatedAt, model.entries.get(id)?.validatedAt)
  })
  assert.equal(seen, all)
  for (const [place, id] of all.entries()) {
    sameEntry(cache.entryAt(place), model.entries.get(id))
    assert.is(cache.isLeafAt(place), localsWithLeaf(model, idsOf(model), id).length > 0)
  }
  assert.is(cache.entryAt(all.length), undefined)
  assert.is(cache.isLeafAt(all.length), false)
}

/** A gap is a real one: no cached ID shares the precision's prefix with the target. */
const gap = (): Command =>
  command('gap', (model, cache) => {
    for (const local of model.locals) {
      const found = cache.largestGap(toBytes(local))
      if (found === undefined) continue
      const shift = BigInt(256 - found.precision)
      const prefix = toBigInt(found.target) >> shift
      assert.is(
        idsOf(model).find((id) => id >> shift === prefix),
        undefined,
      )
    }
  })

// IDs crowd around a few points, so that locals, neighbours and wrap-around all happen.
const id = fc
  .tuple(
    fc.constantFrom(0n, 1n, 5n, 1n << 200n, 1n << 255n, -3n),
    fc.integer({ min: -25, max: 25 }),
  )
  .chain(([base, offset]) =>
    fc.constantFrom(mod(base + BigInt(offset)), mod(base + (BigInt(offset) << 240n)), mod(base)),
  )
const anyId = fc.oneof(id, fc.bigInt({ min: 0n, max: RING - 1n }))
const host = fc.integer({ min: 1, max: 5 })
const port = fc.integer({ min: 3540, max: 3542 })
const hosts = fc.array(host, { minLength: 1, maxLength: 4 })
const insertion = fc.tuple(anyId, port, hosts, fc.boolean()).map((a) => insert(...a))

const commands = fc.commands(
  [
    insertion,
    fc
      .tuple(anyId, fc.integer({ min: 0, max: 255 }), fc.integer({ min: 5, max: 30 }))
      .map(([from, bit, count]) => insertMany(from, (1n << BigInt(bit)) + 1n, count)),
    fc.tuple(anyId).map(([x]) => remove(x)),
    fc.tuple(host, port).map((a) => removeEndpoint(...a)),
    id.map(addLocal),
    id.map(removeLocal),
    fc.tuple(anyId, fc.boolean()).map((a) => touch(...a)),
    fc
      .tuple(anyId, anyId, fc.array(fc.tuple(host, port), { maxLength: 3 }), fc.nat({ max: 30 }))
      .map((a) => ask(...a)),
    fc.tuple(fc.nat({ max: 12 }), fc.nat()).map((a) => list(...a)),
    fc.constant(gap()),
  ],
  { maxCommands: 60, size: 'max' },
)

test('PNRP-3.2.1.1-2 the cache answers as a sorted list would, and keeps every leaf set', () => {
  fc.assert(
    fc.property(commands, (all) => {
      const cache = new RouteCache({
        capacity: CAPACITY,
        maxAddresses: 3,
        entriesPerLevel: PER_LEVEL,
        leafSetSide: SIDE,
      })
      const model: Model = { entries: new Map(), locals: new Set(), clock: 0 }
      fc.modelRun(() => ({ model, real: cache }), all)
    }),
    { numRuns: 200 },
  )
})

test.run()
