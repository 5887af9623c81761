// Readings of this process and of the loopback device, and small statistics.
import { readFileSync } from 'node:fs'

export const now = () => performance.now()

/** Value at quantile p of a list, or null. */
export function quantile(list, p) {
  if (list.length === 0) return null
  const sorted = [...list].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))]
}

export const median = (list) => quantile(list, 0.5)

/** User and system CPU seconds of this process so far. */
export function cpuSeconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Resident memory in MB, after a collection where --expose-gc allows it. */
export function residentMegabytes() {
  globalThis.gc?.()
  globalThis.gc?.()
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))
  return Number(kilobytes) / 1024
}

/** Packets and bytes that the loopback device of this network namespace has received. */
export function loopbackCounters() {
  const line = readFileSync('/proc/self/net/dev', 'utf8')
    .split('\n')
    .find((row) => row.trim().startsWith('lo:'))
  const fields = line.split(':')[1].trim().split(/\s+/).map(Number)
  return { bytes: fields[0], packets: fields[1] }
}

/** Resolves to the promise's value, or null after `ms` or a rejection. */
export function within(promise, ms) {
  let timer
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms, null)
  })
  return Promise.race([promise.catch(() => null), late]).finally(() => clearTimeout(timer))
}

export const pick = (n) => Math.floor(Math.random() * n)
