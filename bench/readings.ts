// Readings of this process and of the loopback device of its network namespace.
import { readFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { cpuSeconds } from './bench.js'

/** Resident memory of this process in MB. */
export interface Resident {
  /** After collections. V8 keeps its young generation as large as it has grown. */
  readonly collected: number
  /** After V8 was told that memory is low: it gives back what it does not use. */
  readonly trimmed: number
}

export async function residentMegabytes(): Promise<Resident> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await sleep(20)
  }
  const collected = residentNow()
  for (let i = 0; i < 2; i++) {
    await notifyLowMemory()
    await sleep(20)
  }
  return { collected, trimmed: residentNow() }
}

function residentNow(): number {
  const match = /VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))
  return Number(match?.[1]) / 1024
}

/** This call of the inspector is V8's low memory notification. */
async function notifyLowMemory(): Promise<void> {
  const session = new Session()
  session.connect()
  await new Promise<void>((resolve, reject) => {
    session.post('HeapProfiler.collectGarbage', (error) => {
      if (error === null) resolve()
      else reject(error)
    })
  })
  session.disconnect()
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** What the loopback device has received. */
function readLoopback(): { readonly bytes: number; readonly packets: number } {
  const rows = readFileSync('/proc/self/net/dev', 'utf8').split('\n')
  const row = rows.find((one) => one.trim().startsWith('lo:')) ?? ''
  const [bytes, packets] = (row.split(':')[1] ?? '').trim().split(/\s+/).map(Number)
  return { bytes: bytes ?? Number.NaN, packets: packets ?? Number.NaN }
}

/** What happened between two readings. */
export interface Span {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly packets: number
  readonly bytes: number
}

/** Starts a span; the function returned ends it. */
export function startSpan(): () => Span {
  const at = performance.now()
  const cpu = cpuSeconds()
  const { packets, bytes } = readLoopback()
  return () => {
    const now = readLoopback()
    return {
      seconds: (performance.now() - at) / 1000,
      cpuSeconds: cpuSeconds() - cpu,
      packets: now.packets - packets,
      bytes: now.bytes - bytes,
    }
  }
}
