import { graphPrint, rows } from '../../native/graph.js'
import { KNOWN_SETS, MessageRow } from './rows.js'
import type { GraphRecord } from './record.js'

const SET_WORDS = 4
const SET_MASK = KNOWN_SETS - 1

/**
 * The records that a node took in lately, by their prints (native/core/graph_known.h): a reader
 * that is given this tells their FLOODs from others without making records of them. Whoever holds
 * the records forgets those that are no longer current.
 */
export class KnownRecords {
  /** pn_graph_known_t; the native side looks prints up, and only here they are written. */
  readonly words = new Int32Array(KNOWN_SETS * SET_WORDS)
  /** Changes when a record is forgotten: what was found before is to be looked up again. */
  generation: number

  constructor() {
    // Here, not where it is declared: see Shapes in spec/architecture.md.
    this.generation = 0
  }

  add(low: number, high: number): void {
    const { words } = this
    const at = (low & SET_MASK) * SET_WORDS
    // It has no print: it was gathered, or is long.
    if (low === 0 && high === 0) return
    if (words[at] === low && words[at + 1] === high) return
    words[at + 2] = words[at] as number
    words[at + 3] = words[at + 1] as number
    words[at] = low
    words[at + 1] = high
  }

  forget(record: GraphRecord): void {
    this.generation++
    graphPrint(record.bytes)
    const low = rows[MessageRow.PRINT] as number
    const high = rows[MessageRow.PRINT + 1] as number
    const set = (low & SET_MASK) * SET_WORDS
    for (let at = set; at < set + SET_WORDS; at += 2) {
      if (this.words[at] !== low || this.words[at + 1] !== high) continue
      this.words[at] = 0
      this.words[at + 1] = 0
    }
  }
}
