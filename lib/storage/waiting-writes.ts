import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import type { GraphWrite } from '../graph/interface.js'
import type { StoredClock } from './record-store.js'

export type RecordWrite = Extract<GraphWrite, { type: 'put' | 'remove' }>

/** What callers wait for together. */
interface Group {
  readonly number: number
  /** Of each record its last write. */
  records: Map<Guid, RecordWrite>
  clock: StoredClock | undefined
  bytes: number
  /** Of the largest call: what came together is written together. */
  most: number
  /** Some of it is being written; only records that wait in it are still replaced. */
  begun: boolean
  /** The first group that holds anything its callers wait for. */
  from: number
  failure: Error | undefined
  readonly written: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** What is to be written together. */
export interface WrittenTogether {
  readonly records: ReadonlyMap<Guid, RecordWrite>
  readonly clock: StoredClock | undefined
}

/**
 * Writes that wait for the disk, in the order in which they came. However slow it is, of each
 * record only the newest version waits, in the place of the first one: so they hold no bytes but
 * those that the machine holds anyway, and nobody can keep a record from being written by changing
 * it.
 */
export class WaitingWrites {
  readonly #groups: Group[] = []
  readonly #groupOf = new Map<Guid, Group>()
  #nextNumber = 0
  #writing: { readonly group: Group; readonly records: ReadonlyMap<Guid, RecordWrite> } | undefined

  /**
   * The promise is that of all calls that wait for the same; it rejects with the error of `failed`.
   * @param isStored whether the disk holds a version of a record
   */
  add(writes: readonly GraphWrite[], isStored: (id: Guid) => boolean): Promise<void> {
    const last = this.#groupFor(writes)
    for (const write of writes) {
      // It holds for the records before it, so it never goes into an earlier group.
      if (write.type === 'clock') last.clock = write
      else this.#place(write, last, isStored)
    }
    return last.written
  }

  /** What comes next, up to a bound of its bytes; `written` or `failed` has to follow. */
  take(): WrittenTogether | undefined {
    const [group] = this.#groups
    if (group === undefined) return undefined
    group.begun = true
    const records = takeFrom(group)
    for (const id of records.keys()) this.#groupOf.delete(id)
    this.#writing = { group, records }
    if (group.records.size > 0) return { records, clock: undefined }
    this.#groups.shift()
    // Where records are missing, a sync has to begin earlier.
    return { records, clock: group.failure === undefined ? group.clock : undefined }
  }

  written(): void {
    const group = this.#writing?.group
    this.#writing = undefined
    if (group === undefined || group === this.#groups[0]) return
    if (group.failure === undefined) group.resolve()
    else group.reject(group.failure)
  }

  /** Whoever waits for any of it hears of that, once the rest was tried, too. */
  failed(error: Error): void {
    const group = this.#writing?.group
    if (group === undefined) return
    group.failure ??= error
    for (const later of this.#groups) if (later.from <= group.number) later.failure ??= error
    this.written()
  }

  /** The last group, or one more when this would make it larger than what is written at a time. */
  #groupFor(writes: readonly GraphWrite[]): Group {
    let bytes = 0
    for (const write of writes) bytes += sizeOf(write)
    const last = this.#groups.at(-1)
    if (last?.begun === false && (last.bytes === 0 || last.bytes + bytes <= last.most)) {
      last.most = Math.max(last.most, bytes)
      return last
    }
    const group = newGroup(this.#nextNumber++, Math.max(LIMITS.graphStoreBatchBytes, bytes))
    this.#groups.push(group)
    return group
  }

  #place(write: RecordWrite, last: Group, isStored: (id: Guid) => boolean): void {
    const id = write.type === 'put' ? write.record.id : write.id
    const waits = this.#groupOf.get(id)
    const group = waits ?? last
    group.bytes += sizeOf(write)
    if (waits !== undefined) {
      group.bytes -= sizeOf(waits.records.get(id))
      last.from = Math.min(last.from, group.number)
    }
    const isWriting = this.#writing?.records.has(id) === true
    if (write.type === 'remove' && !isWriting && !isStored(id)) {
      // It came and went without the disk having heard of it.
      group.records.delete(id)
      this.#groupOf.delete(id)
      return
    }
    group.records.set(id, write)
    if (waits === undefined) this.#groupOf.set(id, group)
  }
}

function takeFrom(group: Group): Map<Guid, RecordWrite> {
  const { most, records } = group
  if (group.bytes <= most) {
    group.records = new Map()
    return records
  }
  const taken = new Map<Guid, RecordWrite>()
  let bytes = 0
  for (const [id, write] of records) {
    bytes += sizeOf(write)
    if (taken.size > 0 && bytes > most) break
    taken.set(id, write)
    records.delete(id)
    group.bytes -= sizeOf(write)
  }
  return taken
}

function newGroup(number: number, most: number): Group {
  const { promise, resolve, reject } = promised()
  return {
    number,
    records: new Map(),
    clock: undefined,
    bytes: 0,
    most,
    begun: false,
    from: number,
    failure: undefined,
    written: promise,
    resolve,
    reject,
  }
}

/** Promise.withResolvers, which Node 20 lacks. */
function promised(): Pick<Group, 'resolve' | 'reject'> & { readonly promise: Promise<void> } {
  let resolve!: () => void
  let reject!: (error: Error) => void
  const promise = new Promise<void>((resolved, rejected) => {
    resolve = resolved
    reject = rejected
  })
  return { promise, resolve, reject }
}

function sizeOf(write: GraphWrite | undefined): number {
  return write?.type === 'put' ? write.record.bytes.length : 0
}
