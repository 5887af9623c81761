// Readings of this process and of the loopback device of its network namespace.
import { readFileSync } from 'node:fs'
import { cpuSeconds } from './bench.js'

/** Resident memory in MB, after collections where --expose-gc allows them. */
export async function residentMegabytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await sleep(20)
  }
  const match = /VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))
  return Number(match?.[1]) / 1024
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
