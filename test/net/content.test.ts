// Three hosts of a switch: the origin, a peer that fetched from it, and one that finds this peer by
// multicast and takes the content from there.
// test-limit: 300s
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { skipUnless, test } from '../harness.js'
import { sampleContent } from '../helpers/content-checker.js'
import type { ContentCommand, ContentReport } from './content-host.js'
import { Hub, whyNoHub, type HostProgram } from './hub.js'

const noHub = whyNoHub()
const main = fileURLToPath(new URL('../../../../dist/cli/main.js', import.meta.url))
const home = mkdtempSync(path.join(tmpdir(), 'peernet-content-net-'))
const children: ChildProcess[] = []
test.after(() => {
  rmSync(home, { recursive: true, force: true })
})
let asked = 0

async function asks(program: HostProgram, command: ContentCommand): Promise<ContentReport> {
  const tag = `${++asked}`
  program.tell({ ...command, tag })
  const answers = (line: ContentReport): boolean => line.tag === tag
  return await program.sees(JSON.stringify(command), answers, 60_000)
}

async function fetches(program: HostProgram, command: ContentCommand): Promise<ContentReport> {
  await asks(program, { ...command, do: 'begin' })
  return await asks(program, { do: 'finish' })
}

interface Scene {
  readonly hub: Hub
  readonly origin: HostProgram
  readonly b: HostProgram
  readonly c: HostProgram
  /** On the host of C: a client that shares no code with the product. */
  readonly other: HostProgram
  /** The origin's address as a URL has it. */
  readonly host: string
}

async function withScene(six: boolean, body: (scene: Scene) => Promise<void>): Promise<void> {
  skipUnless(noHub === undefined, noHub ?? '', { neverInCi: true })
  const hub = new Hub(3)
  try {
    for (let host = 1; host <= 3; host++) {
      if (six) continue
      hub.ip(host, 'addr', 'add', `10.9.0.${host}/24`, 'dev', 'e0')
      hub.ip(host, '-6', 'addr', 'flush', 'dev', 'e0')
    }
    const start = (host: number): HostProgram => hub.start(host, 'net/content-host.js')
    const [origin, b, c] = [start(1), start(2), start(3)]
    const other = hub.start(3, 'net/literal-host.js')
    await body({ hub, origin, b, c, other, host: six ? '[fd5a::1]' : '10.9.0.1' })
  } finally {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await hub.close()
  }
}

const shaOf = (bytes: number): string =>
  createHash('sha256').update(sampleContent(bytes)).digest('hex')

interface Case extends Pick<ContentCommand, 'version' | 'algorithm' | 'cipher'> {
  readonly bytes: number
}

/** B fetches, then C. Multicast and busy machines: C may miss B's answer once in a while. */
async function passesOn(scene: Scene, one: Case): Promise<ContentReport> {
  const { b, c, host, origin } = scene
  const { port } = await asks(origin, { ...one, do: 'origin' })
  const url = `http://${host}:${port}/file`
  await asks(b, { do: 'peer', ...one })
  const first = await fetches(b, { do: 'begin', url })
  assert.is(first.sha256, shaOf(one.bytes), JSON.stringify(first))
  let last: ContentReport = {}
  for (let attempt = 0; attempt < 5; attempt++) {
    await asks(c, { do: 'peer' })
    const before = (await asks(origin, { do: 'sent' })).sent ?? 0
    last = await fetches(c, { do: 'begin', url })
    assert.is(last.sha256, shaOf(one.bytes), JSON.stringify(last))
    const { peers = 0 } = last.shares ?? {}
    if (peers < 0.95 * one.bytes) continue
    const uplink = ((await asks(origin, { do: 'sent' })).sent ?? 0) - before
    assert.ok(uplink < 0.06 * one.bytes, `the origin sent ${uplink} bytes`)
    await servesOthers(scene, url, one)
    return last
  }
  throw new Error(`too little came from the peer: ${JSON.stringify(last)}`)
}

/** A client to the letter of the specification gets all of it from B or C. */
async function servesOthers({ other }: Scene, url: string, { bytes }: Case): Promise<void> {
  let last: ContentReport = {}
  for (let attempt = 0; attempt < 3; attempt++) {
    last = await asks(other, { do: 'begin', url })
    assert.is(last.sha256, shaOf(bytes), JSON.stringify(last))
    if ((last.shares?.peers ?? 0) >= 0.95 * bytes) return
  }
  throw new Error(`too little came from peers: ${JSON.stringify(last)}`)
}

/** C begins when nobody has anything; B appears later, and is found. */
async function findsLatecomers({ b, c, host, origin }: Scene): Promise<void> {
  const bytes = 1_000_001
  const { port } = await asks(origin, { do: 'origin', bytes, hashesOnly: true })
  await asks(c, { do: 'peer' })
  const begun = asks(c, { do: 'begin', url: `http://${host}:${port}/file` })
  await asks(b, { do: 'peer' })
  await asks(b, { do: 'publish', bytes })
  await begun
  const { sha256, shares } = await asks(c, { do: 'finish' })
  assert.is(sha256, shaOf(bytes))
  assert.is(shares?.peers, bytes)
}

/** The origin dies midway: what B has, C gets. */
async function outlivesOrigin({ b, c, host, origin }: Scene): Promise<void> {
  const bytes = 20_000_001
  const { port } = await asks(origin, { do: 'origin', bytes })
  const url = `http://${host}:${port}/file`
  await asks(b, { do: 'peer' })
  assert.is((await fetches(b, { do: 'begin', url })).sha256, shaOf(bytes))
  await asks(c, { do: 'peer' })
  await asks(c, { do: 'begin', url })
  origin.kill('SIGKILL')
  await origin.end()
  const { sha256, shares } = await asks(c, { do: 'finish' })
  assert.is(sha256, shaOf(bytes))
  assert.ok((shares?.peers ?? 0) > bytes / 2, JSON.stringify(shares))
}

const CASES: readonly Case[] = [
  { version: 1, algorithm: 'sha256', cipher: 1, bytes: 33_600_001 },
  { version: 1, algorithm: 'sha384', cipher: 2, bytes: 3_000_001 },
  { version: 1, algorithm: 'sha512', cipher: 3, bytes: 3_000_002 },
  { version: 2, algorithm: 'sha512', cipher: 1, bytes: 3_000_003 },
  { version: 2, algorithm: 'sha512', cipher: 3, bytes: 3_000_004 },
]

for (const six of [false, true]) {
  const family = six ? 'IPv6' : 'IPv4'

  test(`D-110 D-111 D-113 D-090 C takes all from B over ${family}, at last without the origin`, async () => {
    await withScene(six, async (scene) => {
      for (const given of CASES) {
        // Several segments of version 1 once are enough.
        const one = six && given === CASES[0] ? { ...given, bytes: 3_000_005 } : given
        const { from = [] } = await passesOn(scene, one)
        const pattern = six ? /^\[fe80::[\da-f:]+%e0\]:\d+$/ : /^10\.9\.0\.2:\d+$/
        assert.ok(
          from.some((name) => pattern.test(name)),
          `${JSON.stringify(one)}: from ${from.join()}`,
        )
      }
      if (!six) await findsLatecomers(scene)
      await outlivesOrigin(scene)
    })
  })
}

/** `peernet content …` of a user of their own in a host. */
function runs(hub: Hub, host: number, user: string, ...args: string[]): ChildProcess {
  const command = ['env', `PEERNET_HOME=${path.join(home, user)}`, process.execPath, main]
  const all = ['netns', 'exec', hub.namespace(host), ...command, 'content', ...args, '--json']
  const child = spawn('ip', all, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  return child
}

async function lineOf(child: ChildProcess): Promise<unknown> {
  for await (const line of createInterface({ input: child.stdout as Readable })) {
    return JSON.parse(line) as unknown
  }
  throw new Error('it said nothing')
}

test('two users of the command find each other: --discovery on', async () => {
  await withScene(false, async ({ hub }) => {
    const root = path.join(home, 'root')
    const [file, got] = [path.join(root, 'file'), path.join(home, 'got')]
    mkdirSync(root)
    writeFileSync(file, sampleContent(1_000_001))
    const serve = ['serve', root, '--port', '0', '--discovery', 'on', '--server-secret', 'abcd']
    const served = (await lineOf(runs(hub, 1, 'origin', ...serve))) as { url: string }
    await lineOf(runs(hub, 2, 'holder', ...serve))
    // By another process than the one that answers for the cache.
    await lineOf(runs(hub, 2, 'holder', 'publish', file, '--server-secret', 'abcd'))
    const url = served.url.replace('localhost', '10.9.0.1') + 'file'
    let peers = 0
    for (let attempt = 0; attempt < 5 && peers < 950_000; attempt++) {
      const fetch = ['fetch', url, '--discovery', 'on', '--output', got]
      const { shares } = (await lineOf(runs(hub, 3, `user${attempt}`, ...fetch))) as ContentReport
      assert.ok(readFileSync(got).equals(sampleContent(1_000_001)))
      peers = shares?.peers ?? 0
    }
    assert.ok(peers >= 950_000, `${peers} bytes came from the peer`)
  })
})

test.run()
