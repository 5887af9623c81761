// The graph database on disk: what was acknowledged is there again, damage is found and kept.
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { ClassicLevel } from 'classic-level'
import { PeernetError } from '#lib/core/errors.js'
import { LIMITS } from '#lib/core/limits.js'
import { SeededRng } from '#lib/core/rng.js'
import type { GraphWrite } from '#lib/graph/interface.js'
import { LevelPieces } from '#lib/storage/level-pieces.js'
import { LevelRecordStore } from '#lib/storage/level-record-store.js'
import { VolatileRecordStore } from '#lib/storage/volatile-record-store.js'
import type { GraphIdentity } from '#lib/storage/record-store.js'
import { crc32c, damageOfLog } from '#lib/storage/level-log.js'
import type { GraphRecord } from '#lib/wire/graph/record.js'
import { test } from '../../harness.js'
import { GRAPH_ID, idOf, makeRecord, manyRecords } from '../../support/stored-records.js'

const identity: GraphIdentity = {
  graphId: GRAPH_ID,
  peerId: 'ada',
  stringOrder: 'big-endian',
  properties: { scope: 'global', maxRecordSize: 1024 },
}

const put = (record: GraphRecord, autorefresh = false): GraphWrite => ({
  type: 'put',
  record,
  autorefresh,
})

let home = ''
let count = 0
const fresh = (): string => path.join(home, `store-${count++}`)

test.before(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'peernet-store-'))
})
test.after(() => rm(home, { recursive: true, force: true }))

async function rejection(promise: Promise<unknown>): Promise<PeernetError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof PeernetError) return error
    throw error
  }
  throw new Error('it was not rejected')
}

/** Every file of a store with its bytes, LevelDB's lock and diary aside. */
function content(directory: string): Record<string, string> {
  const names = readdirSync(directory).filter((name) => !/^LO(CK|G)/.test(name))
  return Object.fromEntries(
    names.sort().map((name) => [name, readFileSync(path.join(directory, name), 'latin1')]),
  )
}

async function filled(records: readonly GraphRecord[], batch = 10): Promise<string> {
  const directory = fresh()
  const store = await LevelRecordStore.create(directory, identity)
  for (let i = 0; i < records.length; i += batch) {
    await store.write(records.slice(i, i + batch).map((record) => put(record)))
  }
  await store.close()
  return directory
}

const flip = (file: string, at: number): void => {
  const bytes = readFileSync(file)
  bytes[at] = (bytes[at] as number) ^ 0x10
  writeFileSync(file, bytes)
}

const bytesOf = (records: readonly { readonly record: GraphRecord }[]): string[] =>
  records.map(({ record }) => Buffer.from(record.bytes).toString('hex')).sort()

test('G-059 records, autorefresh, clock and identity are there again', async () => {
  const directory = fresh()
  const store = await LevelRecordStore.create(directory, identity)
  await store.write([put(makeRecord(1)), put(makeRecord(2), true), put(makeRecord(3))])
  await store.write([{ type: 'remove', id: idOf(3) }, put(makeRecord(1, { version: 2 }))])
  await store.write([{ type: 'clock', peerTimeDelta: -12_345n, leftAt: 99n }])
  await store.close()
  const again = await LevelRecordStore.open(directory)
  assert.equal(again.identity, identity)
  const { records, clock } = await again.load()
  assert.equal(
    bytesOf(records),
    bytesOf([makeRecord(1, { version: 2 }), makeRecord(2)].map((record) => ({ record }))),
  )
  assert.equal(
    records.map(({ autorefresh }) => autorefresh),
    [false, true],
  )
  assert.equal({ delta: clock?.peerTimeDelta, left: clock?.leftAt }, { delta: -12_345n, left: 99n })
  await again.close()
})

test('writes of one turn are one batch, and those that wait go together', async () => {
  const directory = fresh()
  const store = await LevelRecordStore.create(directory, identity)
  const done: number[] = []
  const writes = Array.from({ length: 500 }, (_, i) =>
    store.write([put(makeRecord(i % 50, { version: i + 1 }))]).then(() => done.push(i)),
  )
  await Promise.all(writes)
  assert.equal(
    done,
    Array.from({ length: 500 }, (_, i) => i),
  )
  assert.is(store.size, 50)
  await store.close()
  const [log] = readdirSync(directory).filter((name) => name.endsWith('.log'))
  const bytes = readFileSync(path.join(directory, log ?? '')).length
  assert.ok(bytes < 50_000, `${bytes} bytes for 50 records: versions in between were written`)
  const again = await LevelRecordStore.open(directory)
  assert.ok((await again.load()).records.every(({ record }) => record.version > 450))
  await again.close()
})

test('attack, versions for a slow disk: those in between are neither kept nor written', async () => {
  const directory = fresh()
  const store = await LevelRecordStore.create(directory, identity)
  // Three times what is written at a time.
  const size = 1024 * 1024
  const versions = (3 * LIMITS.graphStoreBatchBytes) / size
  const payload = new SeededRng(1).bytes(size)
  await Promise.all(
    Array.from({ length: versions }, (_, i) =>
      store.write([put(makeRecord(1, { version: i + 1, payload }))]),
    ),
  )
  await store.close()
  let bytes = 0
  for (const name of readdirSync(directory)) bytes += statSync(path.join(directory, name)).size
  assert.ok(bytes < 1.5 * size, `${bytes} bytes`)
  const again = await LevelRecordStore.open(directory)
  assert.equal(
    (await again.load()).records.map(({ record }) => record.version),
    [versions],
  )
  await again.close()
})

/** Pieces of large records in a store that is closed. */
async function piecesIn(directory: string): Promise<Buffer[]> {
  const db = new ClassicLevel<Buffer, Buffer>(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  })
  const keys = await db.keys({ gte: Buffer.from('\x01p'), lt: Buffer.from('\x01q') }).all()
  await db.close()
  return keys
}

test('a large record is stored in pieces, and replaced and removed with them', async () => {
  const size = Math.round(2.5 * LIMITS.graphStorePieceBytes)
  const large = (n: number, version: number): GraphRecord =>
    makeRecord(n, { version, payload: new Uint8Array(size).fill(version) })
  const directory = fresh()
  const store = await LevelRecordStore.create(directory, identity)
  const all = [put(large(1, 1)), put(makeRecord(2)), put(large(3, 1)), put(large(4, 1))]
  await Promise.all(all.map((write) => store.write([write])))
  await store.write([put(large(1, 2), true), { type: 'remove', id: idOf(3) }])
  await store.write([put(makeRecord(4, { version: 2 }))])
  await store.close()
  assert.is((await piecesIn(directory)).length, 3)
  const again = await LevelRecordStore.open(directory)
  const { records } = await again.load()
  assert.equal(
    records.map(({ autorefresh }) => autorefresh),
    [true, false, false],
  )
  const expected = [large(1, 2), makeRecord(2), makeRecord(4, { version: 2 })]
  assert.equal(bytesOf(records), bytesOf(expected.map((record) => ({ record }))))
  // What was read is replaced like what was written.
  await again.write([put(makeRecord(1, { version: 3 }))])
  await again.close()
  assert.equal(await piecesIn(directory), [])
})

test('pieces that a dying process left behind are swept up, and missing ones are damage', async () => {
  const payload = new Uint8Array(2 * LIMITS.graphStorePieceBytes)
  const directory = await filled([makeRecord(1, { payload })])
  const db = new ClassicLevel<Buffer, Buffer>(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  })
  // It died before the entry of the next version was written, and before that of another record.
  const pieces = new LevelPieces(db)
  pieces.changed(idOf(1), { generation: 1, length: payload.length, checksum: 0 })
  for (const id of [idOf(1), idOf(2)]) await pieces.write(id, payload)
  await db.close()
  assert.is((await piecesIn(directory)).length, 7)
  const again = await LevelRecordStore.open(directory)
  assert.is((await again.load()).records[0]?.record.payload.length, payload.length)
  await again.close()
  const left = await piecesIn(directory)
  assert.is(left.length, 3)
  const holed = new ClassicLevel<Buffer, Buffer>(directory, { keyEncoding: 'buffer' })
  await holed.del(left[1] as Buffer, { sync: true })
  await holed.close()
  const error = await rejection(LevelRecordStore.open(directory))
  assert.is(error.code, 'ERR_PEERNET_STATE_CORRUPT')
  assert.match(error.message, /large record/)
})

test('a store has one owner: the second gets a clear error and changes nothing', async () => {
  const directory = fresh()
  const store = await LevelRecordStore.create(directory, identity)
  const error = await rejection(LevelRecordStore.open(directory))
  assert.is(error.code, 'ERR_PEERNET_STATE_LOCKED')
  assert.match(error.message, directory)
  // So it is when a log goes between being listed and being read.
  const log = path.join(directory, '000999.log')
  symlinkSync('gone', log)
  const late = await rejection(LevelRecordStore.open(directory))
  assert.is(late.code, 'ERR_PEERNET_STATE_LOCKED')
  unlinkSync(log)
  await store.write([put(makeRecord(1))])
  await store.close()
  const again = await LevelRecordStore.open(directory)
  assert.is(again.size, 1)
  await again.close()
})

test('creating over a graph, and opening none, are errors', async () => {
  const directory = await filled([makeRecord(1)])
  assert.is(
    (await rejection(LevelRecordStore.create(directory, identity))).code,
    'ERR_PEERNET_GRAPH_EXISTS',
  )
  assert.is((await rejection(LevelRecordStore.open(fresh()))).code, 'ERR_PEERNET_GRAPH_NOT_FOUND')
})

test('a flipped bit anywhere in the log is found, named, and left as it is', async () => {
  const whole = await filled(manyRecords(60))
  const [log] = readdirSync(whole).filter((name) => name.endsWith('.log')) as [string]
  const length = readFileSync(path.join(whole, log)).length
  // 5: the upper byte of the first record's length.
  for (const at of [
    5,
    ...Array.from({ length: 23 }, (_, i) => 3 + Math.floor((i * length) / 24)),
  ]) {
    const directory = fresh()
    await copyDirectory(whole, directory)
    flip(path.join(directory, log), at)
    const before = content(directory)
    const error = await rejection(LevelRecordStore.open(directory))
    assert.is(error.code, 'ERR_PEERNET_STATE_CORRUPT', `byte ${at}`)
    assert.match(error.message, log)
    assert.equal(content(directory), before)
  }
})

test('a flipped bit in a table, a missing table, a missing manifest: the same', async () => {
  const whole = await filled(manyRecords(3000), 3000)
  // Opening moves the log into a table.
  await (await LevelRecordStore.open(whole)).close()
  const names = readdirSync(whole)
  const table = names.find((name) => name.endsWith('.ldb')) as string
  const size = readFileSync(path.join(whole, table)).length
  const damages: ((directory: string) => void)[] = [
    ...[0.01, 0.3, 0.6, 0.9].map((share) => (directory: string) => {
      flip(path.join(directory, table), Math.floor(size * share))
    }),
    (directory) => {
      rmSync(path.join(directory, table))
    },
    (directory) => {
      rmSync(path.join(directory, 'CURRENT'))
    },
    (directory) => {
      flip(path.join(directory, names.find((name) => name.startsWith('MANIFEST')) as string), 20)
    },
    (directory) => {
      writeFileSync(
        path.join(directory, table),
        readFileSync(path.join(directory, table)).subarray(0, size / 2),
      )
    },
  ]
  for (const [i, damage] of damages.entries()) {
    const directory = fresh()
    await copyDirectory(whole, directory)
    damage(directory)
    const before = content(directory)
    const error = await rejection(LevelRecordStore.open(directory))
    assert.is(error.code, 'ERR_PEERNET_STATE_CORRUPT', `damage ${i}`)
    assert.match(error.message, directory)
    assert.equal(content(directory), before, `damage ${i}`)
  }
})

test('a damaged store that several open at once is left as it was', async () => {
  const whole = await filled(manyRecords(3000), 3000)
  // Opening moves the log into a table, which LevelDB reads again only when it is asked to.
  await (await LevelRecordStore.open(whole)).close()
  const table = readdirSync(whole).find((name) => name.endsWith('.ldb')) as string
  flip(path.join(whole, table), 1000)
  for (let round = 0; round < 5; round++) {
    const directory = fresh()
    await copyDirectory(whole, directory)
    const before = content(directory)
    const errors = await Promise.all(
      [1, 2, 3, 4].map(async (n) => {
        // Each a little later than the one before.
        for (let turn = 0; turn < n * (round + 1); turn++) await stat(directory)
        return (await rejection(LevelRecordStore.open(directory))).code
      }),
    )
    const allowed = ['ERR_PEERNET_STATE_CORRUPT', 'ERR_PEERNET_STATE_LOCKED']
    assert.ok(errors.includes('ERR_PEERNET_STATE_CORRUPT'))
    assert.equal(
      errors.filter((code) => !allowed.includes(code)),
      [],
    )
    assert.equal(content(directory), before)
  }
})

test('who opens a store has it for himself, until he is gone', async () => {
  const directory = await filled([makeRecord(1)])
  const place = path.join(directory, '.before-opening')
  const claimOf = (pid: number | undefined): void => {
    mkdirSync(place)
    writeFileSync(path.join(place, 'owner'), `${pid} a-claim`)
  }
  claimOf(process.ppid)
  const error = await rejection(LevelRecordStore.open(directory))
  assert.is(error.code, 'ERR_PEERNET_STATE_LOCKED')
  // For ever? The number may be another's by now.
  const old = (Date.now() - LIMITS.graphOpeningMs) / 1000 - 1
  utimesSync(place, old, old)
  await (await LevelRecordStore.open(directory)).close()
  // That process is gone; another one had our number; its claim says nothing.
  const { pid } = spawnSync(process.execPath, ['--version'])
  for (const owner of [pid, process.pid, undefined]) {
    claimOf(owner)
    cpSync(place, `${place}.left-behind`, { recursive: true })
    await (await LevelRecordStore.open(directory)).close()
    assert.equal(
      readdirSync(directory).filter((name) => name.startsWith('.')),
      [],
    )
  }
})

test('a write that a dying process did not finish is no damage', async () => {
  const whole = await filled(manyRecords(20), 1)
  const [log] = readdirSync(whole).filter((name) => name.endsWith('.log')) as [string]
  const bytes = readFileSync(path.join(whole, log))
  for (const cut of [1, 5, 100, 300]) {
    const directory = fresh()
    await copyDirectory(whole, directory)
    writeFileSync(path.join(directory, log), bytes.subarray(0, bytes.length - cut))
    const store = await LevelRecordStore.open(directory)
    assert.is(store.size, 19, `${cut} bytes cut off`)
    await store.write([put(makeRecord(100))])
    await store.close()
  }
})

test('a batch that went missing between others is noticed', async () => {
  // A whole log whose second batch is gone: what LevelDB leaves when it skips what it cannot read.
  const directory = await filled(manyRecords(30))
  const [log] = readdirSync(directory).filter((name) => name.endsWith('.log')) as [string]
  const file = path.join(directory, log)
  const bytes = readFileSync(file)
  const first = 7 + bytes.readUInt16LE(4)
  const second = first + 7 + bytes.readUInt16LE(first + 4)
  writeFileSync(file, Buffer.concat([bytes.subarray(0, first), bytes.subarray(second)]))
  const error = await rejection(LevelRecordStore.open(directory))
  assert.is(error.code, 'ERR_PEERNET_STATE_CORRUPT')
  assert.match(error.message, /30 records were written, 20 are there/)
})

test('a graph in memory has a store that is never behind and keeps nothing', async () => {
  const store = new VolatileRecordStore(identity)
  assert.is(store.write(), undefined)
  assert.equal((await store.load()).records, [])
  await store.setProperties({ scope: 'link-local' })
  assert.is(store.identity.properties['scope'], 'link-local')
})

test('CRC-32C is that of RFC 3720, and an empty log is whole', () => {
  // RFC 3720 B.4: 32 bytes of zeroes, and of ones.
  assert.is(crc32c(new Uint8Array(32)), 0x8a9136aa)
  assert.is(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43)
  assert.is(damageOfLog(Buffer.alloc(0)), undefined)
})

async function copyDirectory(from: string, to: string): Promise<void> {
  const { mkdir } = await import('node:fs/promises')
  await mkdir(to)
  for (const name of readdirSync(from)) copyFileSync(path.join(from, name), path.join(to, name))
}

test.run()
