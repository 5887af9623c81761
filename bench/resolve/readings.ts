// Readings of this process and of the loopback device of its network namespace.
import { readFileSync } from 'node:fs'
import { cpuSeconds } from '../bench.js'

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

/** Packets that the loopback device has received. */
export function loopbackPackets(): number {
  const rows = readFileSync('/proc/self/net/dev', 'utf8').split('\n')
  const row = rows.find((one) => one.trim().startsWith('lo:')) ?? ''
  return Number(row.split(':')[1]?.trim().split(/\s+/)[1])
}

/** What happened between two readings. */
export interface Span {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly packets: number
}

/** Starts a span; the function returned ends it. */
export function startSpan(): () => Span {
  const at = performance.now()
  const cpu = cpuSeconds()
  const packets = loopbackPackets()
  return () => ({
    seconds: (performance.now() - at) / 1000,
    cpuSeconds: cpuSeconds() - cpu,
    packets: loopbackPackets() - packets,
  })
}
