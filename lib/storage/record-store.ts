import type { GraphWrite } from '../graph/interface.js'
import type { StoredRecord } from '../graph/machine.js'

/** What is kept about a graph besides its records. */
export interface GraphIdentity {
  readonly graphId: string
  /** Of the user whose node this is. */
  readonly peerId: string
  /** Byte order of strings in the stored records (GA-01). */
  readonly stringOrder: 'big-endian' | 'little-endian'
  /** Name of the security provider that the graph has (3.1.4.2); absent: none. */
  readonly security?: string
  /** The graph's creator chose these; other nodes learn them from Graph Info. */
  readonly properties: Readonly<Record<string, string | number | boolean>>
}

export interface StoredClock {
  /** Peer time delta, ticks (3.1.1). */
  readonly peerTimeDelta: bigint
  /** Peer time at which the node was last in the graph. */
  readonly leftAt: bigint
}

export interface LoadedStore {
  readonly records: readonly StoredRecord[]
  readonly clock: StoredClock | undefined
}

/** Where a graph's database lives while no process runs. One store belongs to one process. */
export interface RecordStore {
  readonly identity: GraphIdentity
  /** True: it keeps nothing, so that nobody has to write to it. */
  readonly volatile: boolean
  /** Replaces the properties of the identity. */
  setProperties(properties: GraphIdentity['properties']): Promise<void>
  /** Everything that is stored. Called once, before the first write. */
  load(): Promise<LoadedStore>
  /**
   * Applies the writes together. Calls follow each other in order; resolves when everything up to
   * here survives the death of the process and of the system. Undefined: it is done already. Calls
   * that wait for the same may get the same promise.
   */
  write(writes: readonly GraphWrite[]): Promise<void> | undefined
  /** Waits for writes under way. */
  close(): Promise<void>
  /** Closes it; of one that was made new, nothing stays. */
  abandon(): Promise<void>
}
