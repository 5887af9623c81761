// Blocks of a hosted cache that nobody there can decrypt, on a real disk (MS-PCHC, DA-27).
import { randomBytes } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import {
  ReplayStore,
  type ReplaySegment,
  type ReplayStoreOptions,
  type SealedBlock,
} from '#lib/storage/replay-store.js'
import { test } from '../../harness.js'

const made: string[] = []
const directory = (): string => {
  const name = mkdtempSync(path.join(tmpdir(), 'peernet-replay-'))
  made.push(name)
  return name
}
test.after(() => {
  for (const name of made) rmSync(name, { recursive: true, force: true })
})

const open = (name: string, options: Partial<ReplayStoreOptions> = {}): Promise<ReplayStore> =>
  ReplayStore.open({ directory: name, ...options })

const filesIn = (name: string): string[] =>
  readdirSync(name, { recursive: true, encoding: 'utf8' })
    .map((entry) => path.join(name, entry))
    .filter((entry) => statSync(entry).isFile())

function short(segmentBytes = 50_000): ReplaySegment {
  return { segmentId: randomBytes(32), segmentBytes, version: 2 }
}

function sealed(length = 50_000): SealedBlock {
  const padded = length - (length % 16) + 16
  return { cipher: 1, iv: randomBytes(16), block: randomBytes(padded) }
}

const same = (found: SealedBlock | undefined, wanted: SealedBlock): boolean =>
  found?.cipher === wanted.cipher &&
  Buffer.from(found.iv).equals(wanted.iv) &&
  Buffer.from(found.block).equals(wanted.block)

test('D-107 blocks come back byte for byte, in this process and in the next', async () => {
  const name = directory()
  const store = await open(name)
  const long: ReplaySegment = { segmentId: randomBytes(32), segmentBytes: 200_000, version: 1 }
  const blocks = [0, 1, 3].map((index) => ({ index, one: sealed(index === 3 ? 3392 : 65_536) }))
  for (const { index, one } of blocks) assert.ok(await store.put(long, index, one, 'a'))
  const [other, its] = [short(), { ...sealed(), cipher: 3 } as const]
  assert.ok(await store.put(other, 0, its, 'b'))
  const check = async (one: ReplayStore): Promise<void> => {
    for (const { index, one: wanted } of blocks) {
      assert.ok(same(await one.read(long.segmentId, index), wanted))
    }
    assert.ok(same(await one.read(other.segmentId, 0), its))
    assert.is(await one.read(long.segmentId, 2), undefined)
    const ranges = [
      { index: 0, count: 2 },
      { index: 3, count: 1 },
    ]
    assert.equal(one.held(long.segmentId)?.blocks, ranges)
    assert.is(one.held(long.segmentId)?.isComplete, false)
    assert.is(one.held(other.segmentId)?.isComplete, true)
    assert.is(one.held(randomBytes(32)), undefined)
  }
  await check(store)
  assert.is(store.held(other.segmentId)?.source, 'b')
  const before = store.statistics()
  store.close()
  const next = await open(name)
  await check(next)
  assert.is(next.held(other.segmentId)?.source, undefined)
  assert.equal(next.statistics(), before)
  for (const file of filesIn(name)) assert.is(statSync(file).mode & 0o777, 0o600)
})

test('a block that was damaged on the disk is not handed out', async () => {
  const damages: [string, (bytes: Buffer) => Buffer][] = [
    ['one bit of the block', (b) => Buffer.from(b.fill((b[1000] ?? 0) ^ 1, 1000, 1001))],
    ['one bit of the IV', (b) => Buffer.from(b.fill((b[20] ?? 0) ^ 1, 20, 21))],
    ['the cipher', (b) => Buffer.from(b.fill(2, 8, 9))],
    ['cut off', (b) => b.subarray(0, 4000)],
    ['nothing left', () => Buffer.alloc(0)],
    ['something else', () => Buffer.alloc(60_000, 7)],
  ]
  for (const [what, damage] of damages) {
    const name = directory()
    const store = await open(name)
    const segment = short()
    await store.put(segment, 0, sealed(), 'a')
    const [file = ''] = filesIn(name)
    writeFileSync(file, damage(readFileSync(file)))
    assert.is(await store.read(segment.segmentId, 0), undefined, what)
    assert.is(store.held(segment.segmentId), undefined, what)
    assert.is(store.statistics().corrupt, 1)
    assert.equal([filesIn(name), store.statistics().bytes], [[], 0])
    const again = sealed()
    assert.ok(await store.put(segment, 0, again, 'a'))
    assert.ok(same(await store.read(segment.segmentId, 0), again))
  }
})

test('what was used least recently goes when there is too much, and what is too old', async () => {
  const name = directory()
  let now = Date.now()
  const store = await open(name, { maxBytes: 170_000, maxAgeMs: 86_400_000, now: () => now })
  const segments = [short(), short(), short(), short()]
  for (const segment of segments.slice(0, 3)) await store.put(segment, 0, sealed(), 'a')
  now += 60_000
  assert.ok(await store.read((segments[0] as ReplaySegment).segmentId, 0))
  await store.put(segments[3] as ReplaySegment, 0, sealed(), 'a')
  const held = segments.map(({ segmentId }) => store.held(segmentId) !== undefined)
  assert.equal(held, [true, false, true, true])
  const { bytes, evicted } = store.statistics()
  assert.ok(bytes <= 170_000 && evicted === 1 && filesIn(name).length === 3)
  store.close()
  // The order of use outlives the process. The disk's own clock may give two files one time.
  const third = Buffer.from((segments[2] as ReplaySegment).segmentId).toString('hex')
  const file = filesIn(name).find((one) => one.includes(third)) as string
  utimesSync(file, new Date(now - 120_000), new Date(now - 120_000))
  now += 1000
  const next = await open(name, { maxBytes: 120_000, now: () => now })
  const left = segments.map(({ segmentId }) => next.held(segmentId) !== undefined)
  assert.equal(left, [true, false, false, true])
  now += LIMITS.cacheAgeMs + 1
  await next.trim()
  assert.equal([next.statistics().segments, filesIn(name)], [0, []])
})

test('who says something else of a segment begins it anew; a block given again replaces', async () => {
  const name = directory()
  const store = await open(name)
  const segment = short()
  await store.put(segment, 0, sealed(), 'liar')
  const right = sealed(70_000)
  await store.put({ ...segment, segmentBytes: 70_000 }, 0, right, 'a')
  assert.ok(same(await store.read(segment.segmentId, 0), right))
  assert.is(filesIn(name).length, 1)
  const newer = sealed(70_000)
  await store.put({ ...segment, segmentBytes: 70_000 }, 0, newer, 'b')
  assert.ok(same(await store.read(segment.segmentId, 0), newer))
  assert.is(store.held(segment.segmentId)?.source, 'b')
  assert.is(store.statistics().bytes, 73_728)
})

test('foreign files, remains of a crash and impossible names in the directory do no harm', async () => {
  const name = directory()
  const id = randomBytes(32).toString('hex')
  const part = path.join(name, id.slice(0, 2))
  mkdirSync(part)
  const foreign = ['readme', `${id}-2-100-1.rpl`, `${id}-1-1-0.seg`, `${id}-3-100-0.rpl`]
  for (const one of foreign) writeFileSync(path.join(part, one), 'x')
  const remains = path.join(part, `${id}-2-100-0.rpl.00112233aabb.tmp`)
  writeFileSync(remains, 'half')
  const store = await open(name)
  assert.is(store.statistics().segments, 0)
  assert.equal(readdirSync(part).sort(), foreign.sort())
  const odd = { segmentId: randomBytes(31), segmentBytes: 100, version: 2 } as const
  assert.is(await store.put(odd, 0, sealed(100), 'a'), false)
  assert.is(await store.put(short(100), 0, { ...sealed(100), iv: randomBytes(8) }, 'a'), false)
})

test('a disk that refuses makes puts fail, and says why', async () => {
  const name = directory()
  const store = await open(name)
  const segment = short()
  const key = Buffer.from(segment.segmentId).toString('hex')
  writeFileSync(path.join(name, key.slice(0, 2)), 'a file where a directory should be')
  assert.is(await store.put(segment, 0, sealed(), 'a'), false)
  const { failedWrites, lastFailure } = store.statistics()
  assert.equal([failedWrites, lastFailure], [1, 'EEXIST'])
  assert.is(store.held(segment.segmentId), undefined)
  const taken = path.join(name, 'taken')
  writeFileSync(taken, '')
  try {
    await open(taken)
    assert.unreachable('a file is no directory')
  } catch (error) {
    assert.is((error as { code?: string }).code, 'ERR_PEERNET_SYSTEM')
  }
})

test.run()
