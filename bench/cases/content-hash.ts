// Content information of a page-cached file beside OpenSSL's own benchmark of the hash, two
// processes of it, in the same run: V1 SHA-256 is to reach 0.9 and V2 0.8 of it (wall time, all
// cores). The file's pages are read once before the clock starts. `cpu` is bytes per CPU-second of
// one process: it holds on a busy machine too.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, readFileSync, writeFileSync, appendFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { HashAlgorithm, HashScheme } from '#lib/content/algorithms.js'
import { writeContentInfo } from '#lib/content/write-info.js'
import { hashFile } from '#lib/io/hash-content.js'
import { cpuSeconds, type BenchCase, type BenchSuite, type TrialOptions } from '../bench.js'

const MIB = 1 << 20
const OPENSSL = 'openssl speed -multi 2'
const OURS = 'peernet'
const SECRET = new Uint8Array(32).fill(7)

function makeFile(file: string, mebibytes: number): void {
  const words = new Uint32Array(MIB / 4)
  let x = 1
  writeFileSync(file, '')
  for (let i = 0; i < mebibytes; i++) {
    for (let k = 0; k < words.length; k++) {
      x ^= x << 13
      x ^= x >>> 17
      x ^= x << 5
      words[k] = x
    }
    appendFileSync(file, new Uint8Array(words.buffer))
  }
}

/** MB/s by wall time and per CPU-second. */
async function ours(scheme: HashScheme, { quick }: TrialOptions) {
  const directory = mkdtempSync(path.join(tmpdir(), 'peernet-hash-'))
  const file = path.join(directory, 'content')
  try {
    makeFile(file, quick ? 4 : 512)
    readFileSync(file)
    const cpu = cpuSeconds()
    const start = performance.now()
    const hashed = await hashFile(file, scheme)
    const info = writeContentInfo(hashed, SECRET)
    const seconds = (performance.now() - start) / 1000
    if (info.length < 100) throw new Error('no content information')
    const megabytes = hashed.length / 1e6
    return { wall: megabytes / seconds, cpu: megabytes / (cpuSeconds() - cpu) }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** The last number that `openssl speed` prints: thousands of bytes a second. */
function speed(args: readonly string[]): number {
  const out = execFileSync('openssl', ['speed', ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
  const last = /([\d.]+)k\s*$/.exec(out.toString())?.[1]
  if (last === undefined) throw new Error('openssl speed printed no rate')
  return Number(last) / 1000
}

function openssl(algorithm: HashAlgorithm, { quick }: TrialOptions) {
  const common = ['-seconds', quick ? '1' : '3', '-bytes', '65536', algorithm]
  return { wall: speed(['-multi', '2', ...common]), cpu: speed(common) }
}

function hashCase(title: string, scheme: HashScheme): BenchCase {
  return {
    case: title,
    n: 512 * MIB,
    systems: [OPENSSL, OURS],
    reference: OPENSSL,
    metrics: { wall: 'MB/s', cpu: 'MB/CPU-s' },
    limitSeconds: 120,
    trial: (system, options) =>
      system === OURS
        ? ours(scheme, options)
        : Promise.resolve(
            spawnSync('openssl', ['version']).status === 0
              ? openssl(scheme.algorithm, options)
              : { wall: Number.NaN, cpu: Number.NaN },
          ),
  }
}

const suite: BenchSuite = {
  name: 'content-hash',
  cases: [
    hashCase('V1 SHA-256', { version: 1, algorithm: 'sha256' }),
    hashCase('V1 SHA-512', { version: 1, algorithm: 'sha512' }),
    hashCase('V2', { version: 2, algorithm: 'sha512' }),
  ],
}
export default suite
