// One seed and one or four leeches, each a process of its own, in the trial's network namespace.
// The clock runs from the start of the leeches until the last has its file; CPU and greatest
// resident memory are those of the processes, read while they still live.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'
import { projectRoot } from '../bench.js'
import { sleep } from '../readings.js'
import { startTracker } from './tracker.js'

export const MIB = 1 << 20

/** Kept between trials and runs: making it takes longer than most trials. */
const kept = path.join(projectRoot, 'build/bench-content')
const script = (name: string): string => fileURLToPath(new URL(`${name}.js`, import.meta.url))
const webtorrent = path.join(projectRoot, 'bench/peers/webtorrent.mjs')

export const contentMetrics = {
  wall: 's',
  cpu: 'CPU-s/GiB',
  'seed memory': 'MB',
  'leech memory': 'MB',
} as const

/** A process, and the words of the last line it printed. */
interface Running {
  readonly child: ChildProcess
  readonly said: Promise<readonly string[]>
}

function start(command: string, args: readonly string[], word: string): Running {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const said = new Promise<readonly string[]>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      reject(new Error(`${path.basename(args[0] ?? command)} ended: ${signal ?? code}`))
    })
    createInterface(child.stdout as NodeJS.ReadableStream).on('line', (line) => {
      const [first, ...rest] = line.split(' ')
      if (first === word) resolve(rest)
    })
  })
  said.catch(() => undefined)
  return { child, said }
}

/** Where a seed or a leech has its content. */
interface Place {
  /** The whole content, and beside it what is kept for the systems. */
  readonly source: string
  /** The wanted file, in the leech's own directory. */
  readonly out: string
  readonly index: number
}

interface System {
  /** Things to be made once, and services of the trial. */
  prepare?(source: string): Promise<void>
  seed(source: string): Running
  leech(place: Place, said: readonly string[]): Running
}

const node = (word: string, ...args: readonly string[]): Running =>
  start(process.execPath, args, word)

function peernet(version: 1 | 2, isCaching: boolean): System {
  return {
    seed: (source) =>
      node('READY', script('peernet-seed'), source, `${source}.cache-${version}`, String(version)),
    leech: ({ out }, [web = '', peer = '']) => {
      const [url, at] = [`http://[::1]:${web}/content`, `[::1]:${peer}`]
      const cache = isCaching ? [path.join(path.dirname(out), 'cache')] : []
      return node('DONE', script('peernet-leech'), url, at, out, ...cache)
    },
  }
}

const torrentOf = (source: string): string => `${source}.torrent`

function makeTorrent(source: string): Promise<void> {
  const torrent = torrentOf(source)
  if (!existsSync(torrent)) {
    const made = spawnSync(process.execPath, [webtorrent, 'create', source, torrent])
    if (made.status !== 0 || !existsSync(torrent))
      throw new Error(`no torrent: ${made.stderr.toString()}`)
  }
  return Promise.resolve()
}

const systems: Readonly<Record<string, System>> = {
  'Node http': {
    seed: (source) => node('READY', script('node-http'), 'seed', source),
    leech: ({ out }, [port = '']) => node('DONE', script('node-http'), 'leech', port, out),
  },
  peernet: peernet(1, false),
  'peernet V2': peernet(2, false),
  'peernet, caching': peernet(1, true),
  WebTorrent: {
    prepare: makeTorrent,
    seed: (source) =>
      node('READY', webtorrent, 'seed', torrentOf(source), path.dirname(source), '7001'),
    leech: ({ source, out, index }) => {
      const others = Array.from({ length: index }, (_, i) => `127.0.0.1:${7100 + i}`)
      const place = [torrentOf(source), path.dirname(out), String(7100 + index)]
      return node('DONE', webtorrent, 'leech', ...place, '127.0.0.1:7001', ...others)
    },
  },
  aria2: aria2(),
}

/** It takes no two peers of one address, and finds peers by a tracker only. */
function aria2(): System {
  let seeded: () => void
  const isSeeded = new Promise<void>((resolve) => {
    seeded = resolve
  })
  const run = (host: number, ...args: readonly string[]): readonly string[] => [
    ...['-q', `--interface=10.77.0.${host}`, '--enable-dht=false', '--enable-dht6=false'],
    ...[
      '--bt-enable-lpd=false',
      '--listen-port=7001',
      '--seed-ratio=0.0',
      '--allow-overwrite=true',
    ],
    ...['--bt-tracker-interval=2', '--bt-tracker=http://10.77.0.1:6969/announce', ...args],
  ]
  return {
    prepare: async (source) => {
      await makeTorrent(source)
      for (const host of [1, 2, 10, 11, 12, 13]) {
        spawnSync('ip', ['addr', 'add', `10.77.0.${host}/32`, 'dev', 'lo'])
      }
      await startTracker('10.77.0.1', 6969, () => {
        seeded()
      })
    },
    seed: (source) => {
      const place = ['-d', path.dirname(source), '--check-integrity=true', torrentOf(source)]
      const { child } = start('aria2c', run(2, ...place), '')
      return { child, said: isSeeded.then(() => []) }
    },
    leech: ({ source, out, index }) => {
      const [directory, done] = [path.dirname(out), `${out}.done`]
      const hook = `${out}.sh`
      writeFileSync(hook, `#!/bin/sh\ntouch ${done}\n`, { mode: 0o755 })
      const place = ['-d', directory, '--file-allocation=none', torrentOf(source)]
      const args = run(10 + index, `--on-bt-download-complete=${hook}`, ...place)
      const { child } = start('aria2c', args, '')
      return { child, said: fileAppears(done) }
    },
  }
}

async function fileAppears(file: string): Promise<readonly string[]> {
  while (!existsSync(file)) await sleep(5)
  return []
}

// --- readings ------------------------------------------------------------------------------------

/** CPU seconds of a process and all its threads, from 1/100 s ticks. */
function cpuOf({ child }: Running): number {
  const text = readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ')[1] ?? ''
  const fields = text.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function residentOf({ child }: Running): number {
  const text = readFileSync(`/proc/${child.pid}/status`, 'latin1')
  return Number(/VmHWM:\s+(\d+)/.exec(text)?.[1]) / 1024
}

function isSame(one: string, other: string): boolean {
  return spawnSync('cmp', ['-s', one, other]).status === 0
}

/** Content that does not compress, the same for all; its pages are read before the clock starts. */
function sourceOf(mebibytes: number): string {
  const source = path.join(kept, String(mebibytes), 'content')
  mkdirSync(path.dirname(source), { recursive: true })
  if (!existsSync(source) || statSync(source).size !== mebibytes * MIB) {
    rmSync(path.dirname(source), { recursive: true })
    mkdirSync(path.dirname(source))
    for (let i = 0; i < mebibytes; i++) appendFileSync(source, randomFillSync(new Uint8Array(MIB)))
    // It is not to be written out while the clock runs.
    if (mebibytes >= 64) spawnSync('sync', ['-f', source])
  }
  return source
}

/** `leeches` at once fetch content of so many mebibytes from one seed. */
export async function measureContent(
  name: string,
  leeches: number,
  mebibytes: number,
): Promise<Record<keyof typeof contentMetrics, number>> {
  const system = systems[name]
  if (system === undefined) throw new Error(`no system ${name}`)
  const source = sourceOf(mebibytes)
  readFileSync(source)
  const directory = mkdtempSync(path.join(kept, 'trial-'))
  const running: Running[] = []
  try {
    await system.prepare?.(source)
    const seed = system.seed(source)
    running.push(seed)
    const said = await seed.said
    const before = cpuOf(seed)
    const at = performance.now()
    const outs: string[] = []
    for (let index = 0; index < leeches; index++) {
      const out = path.join(directory, String(index), 'content')
      mkdirSync(path.dirname(out))
      outs.push(out)
      running.push(system.leech({ source, out, index }, said))
    }
    const others = running.slice(1)
    await Promise.all(others.map((one) => one.said))
    const wall = (performance.now() - at) / 1000
    const cpu = others.reduce((sum, one) => sum + cpuOf(one), cpuOf(seed) - before)
    const memory = others.map(residentOf)
    for (const out of outs) {
      if (!isSame(out, source)) throw new Error(`${name} made another file`)
    }
    return {
      ...{ wall, cpu: (cpu * 1024) / (mebibytes * leeches) },
      ...{ 'seed memory': residentOf(seed), 'leech memory': Math.max(...memory) },
    }
  } finally {
    for (const { child } of running) child.kill('SIGKILL')
    rmSync(directory, { recursive: true })
  }
}
