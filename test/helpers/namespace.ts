// Runs a compiled test script in a network namespace of its own, where it may make interfaces,
// join groups and take addresses away. Needs root (or user namespaces) and iproute2.
import { spawn, spawnSync } from 'node:child_process'
import { skipUnless } from '../harness.js'

let usable: boolean | undefined

/** Leaves the test as skipped where namespaces cannot be made. Never in CI. */
export function needNamespaces(): void {
  usable ??= spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up']).status === 0
  skipUnless(usable, 'network namespaces need root, unshare and iproute2', { neverInCi: true })
}

/**
 * Runs `node script args…` in a fresh namespace; rejects with its output unless it exits with 0.
 * The script ends by itself or with its caller's time limit.
 */
export function runInNamespace(script: string, args: readonly string[]): Promise<string> {
  const command = ['-n', process.execPath, '--enable-source-maps', script, ...args]
  const child = spawn('unshare', command, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output)
      else reject(new Error(`ended with ${signal ?? code}\n${output}`))
    })
  })
}

/** `ip …` in the namespace that this process is in. */
export function ip(...args: string[]): string {
  const result = spawnSync('ip', args, { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`ip ${args.join(' ')}: ${result.stderr}`)
  return result.stdout
}
