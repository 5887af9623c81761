import type { GraphIdentity, LoadedStore, RecordStore } from './record-store.js'

/** Keeps nothing: for graphs that live in memory only, where their machine is the database. */
export class VolatileRecordStore implements RecordStore {
  readonly volatile = true
  identity: GraphIdentity

  constructor(identity: GraphIdentity) {
    this.identity = identity
  }

  setProperties(properties: GraphIdentity['properties']): Promise<void> {
    this.identity = { ...this.identity, properties }
    return Promise.resolve()
  }

  load(): Promise<LoadedStore> {
    return Promise.resolve({ records: [], clock: undefined })
  }

  /** There is nothing that could be lost by a crash and not be lost with the graph. */
  write(): undefined {
    return undefined
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  abandon(): Promise<void> {
    return Promise.resolve()
  }
}
