import type { Guid } from '../core/guid.js'
import type { GraphWrite } from '../graph/interface.js'
import type { StoredRecord } from '../graph/machine.js'
import type { GraphIdentity, LoadedStore, RecordStore, StoredClock } from './record-store.js'

/** Keeps nothing beyond its object's life: for graphs that need no disk, and for tests. */
export class MemoryRecordStore implements RecordStore {
  identity: GraphIdentity
  readonly #records = new Map<Guid, StoredRecord>()
  #clock: StoredClock | undefined

  constructor(identity: GraphIdentity) {
    this.identity = identity
  }

  setProperties(properties: GraphIdentity['properties']): Promise<void> {
    this.identity = { ...this.identity, properties }
    return Promise.resolve()
  }

  load(): Promise<LoadedStore> {
    return Promise.resolve({ records: [...this.#records.values()], clock: this.#clock })
  }

  write(writes: readonly GraphWrite[]): Promise<void> {
    for (const write of writes) {
      if (write.type === 'put') this.#records.set(write.record.id, write)
      else if (write.type === 'remove') this.#records.delete(write.id)
      else this.#clock = write
    }
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
