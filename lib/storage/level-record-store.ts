import { readdir, readFile, rm, rmdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { PeernetError } from '../core/errors.js'
import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import type { GraphWrite } from '../graph/interface.js'
import type { StoredRecord } from '../graph/machine.js'
import { decodeRecord } from '../wire/graph/codec.js'
import { makeDirectory, systemCode } from './atomic-file.js'
import {
  AFTER_RECORDS_KEY,
  checksumOf,
  CLOCK_KEY,
  clockValue,
  FIRST_FOREIGN_KEY,
  FIRST_RECORD_KEY,
  IDENTITY_KEY,
  idOfKey,
  opened,
  readClock,
  readTally,
  recordBytes,
  recordKey,
  recordValue,
  sealed,
  TALLY_KEY,
  tallyValue,
  type Tally,
} from './level-entries.js'
import { damageOfLog } from './level-log.js'
import { LevelPieces, readSet, writeSet, type PieceSet } from './level-pieces.js'
import type { GraphIdentity, LoadedStore, RecordStore } from './record-store.js'
import { StoreSnapshot } from './store-snapshot.js'
import { WaitingWrites, type WrittenTogether } from './waiting-writes.js'

type Database = ClassicLevel<Buffer, Buffer>

type Operation =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: Buffer }

/** Records read from LevelDB at a time. */
const READ_AT_ONCE = 4096
const READ_BYTES = 4 * 1024 * 1024

/**
 * A graph's database in a LevelDB of its own. Each write is synced to the disk before it counts;
 * those that come while one is under way go together in the next (group commit).
 */
export class LevelRecordStore implements RecordStore {
  readonly directory: string
  readonly volatile = false
  identity: GraphIdentity
  readonly #db: Database
  readonly #pieces: LevelPieces
  #loaded: LoadedStore | undefined
  /** Checksum of each stored record, for the tally. */
  readonly #checksums: Map<Guid, number>
  #tally: Tally
  readonly #waiting = new WaitingWrites()
  #running: Promise<void> | undefined
  /** It is new; what there was in its directory before, or undefined if there was none. */
  #made: { readonly before: readonly string[] | undefined } | undefined

  private constructor(
    directory: string,
    identity: GraphIdentity,
    db: Database,
    content: Omit<Content, 'identity'>,
  ) {
    this.directory = directory
    this.identity = identity
    this.#db = db
    this.#pieces = content.pieces
    this.#loaded = content.loaded
    this.#checksums = content.checksums
    this.#tally = content.tally
  }

  /**
   * Makes an empty store. Throws ERR_PEERNET_GRAPH_EXISTS, ERR_PEERNET_STATE_LOCKED,
   * ERR_PEERNET_PERMISSION, ERR_PEERNET_SYSTEM.
   */
  static async create(directory: string, identity: GraphIdentity): Promise<LevelRecordStore> {
    if (await LevelRecordStore.exists(directory)) {
      throw new PeernetError('ERR_PEERNET_GRAPH_EXISTS', `${directory} holds a graph already`)
    }
    const before = await readdir(directory).catch(() => undefined)
    await makeDirectory(directory)
    const db = await openDatabase(directory, true)
    const tally: Tally = { count: 0, sum: 0 }
    const loaded = { records: [], clock: undefined }
    const content = { loaded, checksums: new Map<Guid, number>(), tally }
    const pieces = new LevelPieces(db)
    const store = new LevelRecordStore(directory, identity, db, { ...content, pieces })
    store.#made = { before }
    try {
      await db.batch(
        [
          { type: 'put', key: IDENTITY_KEY, value: identityValue(identity) },
          { type: 'put', key: TALLY_KEY, value: tallyValue(tally) },
        ],
        { sync: true },
      )
    } catch (error) {
      await store.abandon()
      throw systemError(directory, error)
    }
    return store
  }

  /** Is there a store, be it whole or damaged? */
  static async exists(directory: string): Promise<boolean> {
    const names = await readdir(directory).catch(() => [] as string[])
    return names.some((name) => name === 'CURRENT' || name.startsWith('MANIFEST-'))
  }

  /**
   * Opens a store and reads it. Throws ERR_PEERNET_GRAPH_NOT_FOUND, ERR_PEERNET_STATE_LOCKED when
   * another process, or this one, has it open, ERR_PEERNET_STATE_CORRUPT when it is damaged; then
   * all files are left, or put back, as they were.
   */
  static async open(directory: string): Promise<LevelRecordStore> {
    if (!(await LevelRecordStore.exists(directory))) {
      throw new PeernetError('ERR_PEERNET_GRAPH_NOT_FOUND', `${directory} holds no graph`)
    }
    const snapshot = await StoreSnapshot.take(directory).catch((error: unknown) => {
      throw error instanceof PeernetError ? error : systemError(directory, error)
    })
    let db: Database
    try {
      await checkLogs(directory)
    } catch (error) {
      await snapshot?.drop()
      throw error
    }
    try {
      db = await openDatabase(directory, false)
    } catch (error) {
      // A database that somebody else has open is none of our business.
      if (isLocked(error)) await snapshot?.drop()
      else await snapshot?.restore()
      throw error
    }
    try {
      const content = await readAll(directory, db)
      await snapshot?.drop()
      return new LevelRecordStore(directory, content.identity, db, content)
    } catch (error) {
      await db.close()
      await snapshot?.restore()
      throw error
    }
  }

  /** Records stored. */
  get size(): number {
    return this.#tally.count
  }

  async setProperties(properties: GraphIdentity['properties']): Promise<void> {
    this.identity = { ...this.identity, properties }
    try {
      await this.#db.put(IDENTITY_KEY, identityValue(this.identity), { sync: true })
    } catch (error) {
      throw systemError(this.directory, error)
    }
  }

  load(): Promise<LoadedStore> {
    const loaded = this.#loaded ?? { records: [], clock: undefined }
    // The machine holds them from here on.
    this.#loaded = undefined
    return Promise.resolve(loaded)
  }

  write(writes: readonly GraphWrite[]): Promise<void> {
    const written = this.#waiting.add(writes, (id) => this.#checksums.has(id))
    this.#running ??= this.#run()
    return written
  }

  async close(): Promise<void> {
    await this.#running
    await this.#db.close()
  }

  async abandon(): Promise<void> {
    await this.close()
    if (this.#made === undefined) return
    const { before } = this.#made
    for (const name of await readdir(this.directory)) {
      if (before?.includes(name) !== true) await rm(join(this.directory, name), { force: true })
    }
    if (before === undefined) await rmdir(this.directory)
  }

  async #run(): Promise<void> {
    // Whatever this turn still writes goes with it.
    await Promise.resolve()
    for (;;) {
      const together = this.#waiting.take()
      if (together === undefined) break
      try {
        await this.#commit(together)
        this.#waiting.written()
      } catch (error) {
        this.#waiting.failed(systemError(this.directory, error))
      }
    }
    this.#running = undefined
  }

  async #commit({ records, clock }: WrittenTogether): Promise<void> {
    if (records.size === 0 && clock === undefined) return
    const operations: Operation[] = []
    if (clock !== undefined) {
      operations.push({ type: 'put', key: CLOCK_KEY, value: clockValue(clock) })
    }
    const tally = { ...this.#tally }
    const changed: Change[] = []
    for (const [id, write] of records) {
      const key = recordKey(id)
      const before = this.#checksums.get(id)
      if (before !== undefined) add(tally, -1, -before)
      operations.push(...this.#pieces.removal(id))
      if (write.type === 'remove') {
        operations.push({ type: 'del', key })
        changed.push({ id })
        continue
      }
      const { bytes } = write.record
      const set = LevelPieces.wants(bytes) ? await this.#pieces.write(id, bytes) : undefined
      const { autorefresh } = write
      const value = recordValue(key, set === undefined ? bytes : writeSet(set), {
        autorefresh,
        inPieces: set !== undefined,
      })
      const checksum = checksumOf(value)
      add(tally, 1, checksum)
      operations.push({ type: 'put', key, value })
      changed.push(set === undefined ? { id, checksum } : { id, checksum, set })
    }
    operations.push({ type: 'put', key: TALLY_KEY, value: tallyValue(tally) })
    await this.#db.batch(operations, { sync: true })
    this.#tally = tally
    for (const { id, checksum, set } of changed) {
      if (checksum === undefined) this.#checksums.delete(id)
      else this.#checksums.set(id, checksum)
      this.#pieces.changed(id, set)
    }
  }
}

/** What a batch makes of a record; without a checksum it is gone. */
interface Change {
  readonly id: Guid
  readonly checksum?: number
  readonly set?: PieceSet
}

function add(tally: Tally, count: number, sum: number): void {
  tally.count += count
  tally.sum = (tally.sum + sum) >>> 0
}

/** Damaged logs are found before LevelDB opens, reads what it can and deletes them. */
async function checkLogs(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.log')) continue
    const path = join(directory, name)
    const log = await readFile(path).catch((error: unknown) => {
      // Whoever has the database open is done with it; LevelDB will tell that it is in use.
      if (systemCode(error) === 'ENOENT') return undefined
      throw systemError(directory, error)
    })
    const at = log && damageOfLog(log)
    if (at !== undefined) throw corrupt(path, `damaged at byte ${at}`)
  }
}

async function openDatabase(directory: string, create: boolean): Promise<Database> {
  const db: Database = new ClassicLevel(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    createIfMissing: create,
    errorIfExists: create,
    // The records are in memory already. With LevelDB's 4 MB, a process with many graphs would grow
    // for ten minutes or more until their buffers are full, and again as they get out of step.
    writeBufferSize: LIMITS.graphStoreBufferBytes,
  })
  try {
    await db.open()
    return db
  } catch (error) {
    await db.close()
    const { cause } = error as { cause?: unknown }
    const code = systemCode(cause)
    if (code === 'LEVEL_LOCKED') {
      throw new PeernetError(
        'ERR_PEERNET_STATE_LOCKED',
        `${directory} is in use by another process, or by another graph object of this one; ` +
          'close that first',
        { cause },
      )
    }
    // Without its files, LevelDB takes a damaged store for one that does not exist.
    if (code === 'LEVEL_IO_ERROR' && /permission denied/i.test(String(cause))) {
      throw new PeernetError('ERR_PEERNET_PERMISSION', `${directory}: ${String(cause)}`, { cause })
    }
    throw create ? systemError(directory, cause) : corrupt(directory, String(cause), cause)
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof PeernetError && error.code === 'ERR_PEERNET_STATE_LOCKED'
}

interface Content {
  readonly identity: GraphIdentity
  readonly loaded: LoadedStore
  readonly checksums: Map<Guid, number>
  readonly tally: Tally
  readonly pieces: LevelPieces
}

async function readAll(directory: string, db: Database): Promise<Content> {
  try {
    await checkFormat(directory, db)
    const identity = parseIdentity(await read(directory, db, IDENTITY_KEY))
    if (identity === undefined) throw corrupt(directory, 'its identity cannot be read')
    const tally = readTally(await read(directory, db, TALLY_KEY))
    const clock = await db.get(CLOCK_KEY)
    const clockBytes = clock === undefined ? undefined : opened(CLOCK_KEY, clock)
    if (clock !== undefined && clockBytes === undefined) throw corrupt(directory, 'its clock')
    const checksums = new Map<Guid, number>()
    const pieces = new LevelPieces(db)
    const records = await readRecords(directory, db, identity, { checksums, pieces })
    let sum = 0
    for (const checksum of checksums.values()) sum = (sum + checksum) >>> 0
    if (records.length !== tally.count || sum !== tally.sum) {
      const counts = `${tally.count} records were written, ${records.length} are there`
      throw corrupt(directory, `writes are missing: ${counts}`)
    }
    const loaded = {
      records,
      clock: clockBytes === undefined ? undefined : readClock(clockBytes),
    }
    await pieces.sweep()
    return { identity, loaded, checksums, tally, pieces }
  } catch (error) {
    if (error instanceof PeernetError) throw error
    throw corrupt(directory, error instanceof Error ? error.message : String(error), error)
  }
}

async function checkFormat(directory: string, db: Database): Promise<void> {
  const [foreign] = await db.keys({ gte: FIRST_FOREIGN_KEY, limit: 1 }).all()
  if (foreign === undefined) return
  throw corrupt(directory, `it has format ${foreign[0]}, of a newer version of peernet`)
}

async function read(directory: string, db: Database, key: Buffer): Promise<Buffer> {
  const value = await db.get(key)
  const rest = value === undefined ? undefined : opened(key, value)
  if (rest === undefined) throw corrupt(directory, `the entry "${key.toString('latin1', 1)}"`)
  return rest
}

async function readRecords(
  directory: string,
  db: Database,
  identity: GraphIdentity,
  { checksums, pieces }: Pick<Content, 'checksums' | 'pieces'>,
): Promise<StoredRecord[]> {
  const records: StoredRecord[] = []
  const iterator = db.iterator({
    gte: FIRST_RECORD_KEY,
    lt: AFTER_RECORDS_KEY,
    fillCache: false,
    highWaterMarkBytes: READ_BYTES,
  })
  try {
    for (;;) {
      const entries = await iterator.nextv(READ_AT_ONCE)
      if (entries.length === 0) return records
      for (const [key, value] of entries) {
        const rest = opened(key, value)
        if (rest === undefined) throw corrupt(directory, 'a record has a wrong checksum')
        const { bytes: held, autorefresh, inPieces } = recordBytes(rest)
        const bytes = inPieces ? await pieces.read(idOfKey(key), readSet(held)) : held
        if (bytes === undefined) throw corrupt(directory, 'a large record is not whole')
        const decoded = decodeRecord(bytes, identity, identity.graphId)
        if (!decoded.ok) throw corrupt(directory, `a record cannot be read: ${decoded.code}`)
        // Out of the many small buffers of LevelDB, into few large ones.
        const record = decoded.record.retain()
        checksums.set(idOfKey(key), checksumOf(value))
        records.push({ record, autorefresh })
      }
    }
  } finally {
    await iterator.close()
  }
}

function identityValue(identity: GraphIdentity): Buffer {
  return sealed(IDENTITY_KEY, Buffer.from(JSON.stringify(identity)))
}

function parseIdentity(bytes: Buffer): GraphIdentity | undefined {
  const value = JSON.parse(bytes.toString()) as Partial<GraphIdentity> | null
  return typeof value?.graphId === 'string' && typeof value.peerId === 'string'
    ? (value as GraphIdentity)
    : undefined
}

function corrupt(path: string, why: string, cause?: unknown): PeernetError {
  const named = /([^/\\]+\.(?:ldb|sst|log)|MANIFEST-\d+|CURRENT)\b/.exec(why)?.[1]
  const file = named === undefined || basename(path) === named ? path : join(path, named)
  return new PeernetError(
    'ERR_PEERNET_STATE_CORRUPT',
    `${file} is damaged (${why}); nothing was changed. Move the directory away, then import an ` +
      'export of this graph, or join again',
    cause === undefined ? {} : { cause },
  )
}

function systemError(directory: string, error: unknown): PeernetError {
  const code = systemCode(error)
  const denied = code === 'EACCES' || code === 'EPERM'
  const reason = error instanceof Error ? error.message : String(error)
  return new PeernetError(
    denied ? 'ERR_PEERNET_PERMISSION' : 'ERR_PEERNET_SYSTEM',
    `cannot write to ${directory}: ${reason}`,
    { cause: error },
  )
}
