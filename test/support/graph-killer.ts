// Kills a process in the middle of publishing records, again and again over one database, and looks
// after each time whether everything is there that the process was told is safe.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { guidText } from '#lib/core/guid.js'
import { below, SeededRng, type Rng } from '#lib/core/rng.js'
import { LevelRecordStore } from '#lib/storage/level-record-store.js'
import type { GraphHostLine, GraphHostOptions } from './graph-host.js'

const SCRIPT = 'build/js/test/support/graph-host.js'
const TYPE = '11111111-2222-3333-4444-555555555555'

export interface KillOptions {
  readonly directory: string
  readonly kills: number
  /** Records that each process would publish if it lived. */
  readonly writes: number
  readonly seed: number
  /** A new store is begun after so many kills, so that they do not grow for ever. Default 10. */
  readonly killsPerStore?: number
  readonly onRound?: (round: KillRound) => void
}

export interface KillRound {
  readonly round: number
  /** Acknowledged in this round before the process died, and in all rounds of its store. */
  readonly acknowledged: number
  readonly total: number
  /** In the store afterwards. */
  readonly stored: number
  readonly lost: readonly string[]
}

/** Rejects when the store cannot be opened after a kill. */
export async function killDuringWrites(options: KillOptions): Promise<KillRound[]> {
  const rng = new SeededRng(options.seed)
  const { killsPerStore = 10 } = options
  const safe = new Map<string, number>()
  const rounds: KillRound[] = []
  for (let round = 0; round < options.kills; round++) {
    const directory = `${options.directory}-${Math.floor(round / killsPerStore)}`
    const isNew = round % killsPerStore === 0
    if (isNew) safe.clear()
    const before = safe.size
    await dieWriting(directory, options.writes, isNew, rng, safe)
    const store = await LevelRecordStore.open(directory)
    const { records } = await store.load()
    await store.close()
    const held = new Map(records.map(({ record }) => [guidText(record.id), record.version]))
    const lost = [...safe].flatMap(([id, version]) => ((held.get(id) ?? 0) < version ? [id] : []))
    const acknowledged = safe.size - before
    const result = { round, acknowledged, total: safe.size, stored: records.length, lost }
    rounds.push(result)
    options.onRound?.(result)
  }
  return rounds
}

/** One process: writes, says what is safe, and is killed at a random moment. */
async function dieWriting(
  directory: string,
  writes: number,
  create: boolean,
  rng: Rng,
  safe: Map<string, number>,
): Promise<void> {
  const node: GraphHostOptions = {
    ...{ graphId: 'killed', peerId: 'victim', addresses: ['::1'], directory, create },
  }
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(node)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  // The last records never come: the process dies before all are written.
  const moment = below(rng, writes)
  // Some die between two acknowledgements, or in the middle of a write to the disk.
  const delayMs = below(rng, 4)
  let seen = 0
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (text) => {
    const line = JSON.parse(text) as GraphHostLine
    if ('open' in line) {
      const flood = { at: 1, do: 'flood', type: TYPE, count: writes, bytes: 256 }
      child.stdin.write(`${JSON.stringify(flood)}\n`)
    }
    if (!('safe' in line)) return
    safe.set(line.safe, line.version)
    if (++seen === moment + 1) setTimeout(() => child.kill('SIGKILL'), delayMs)
  })
  child.stdin.on('error', () => {})
  await Promise.all([exited, once(lines, 'close')])
  if (child.signalCode !== 'SIGKILL') throw new Error(`it ended by itself with ${child.exitCode}`)
}
