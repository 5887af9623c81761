// Hosts of a switch without discovery: an origin, a hosted cache, and two clients of it.
// test-limit: 180s
import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import { skipUnless, test } from '../harness.js'
import { sampleContent } from '../helpers/content-checker.js'
import { tlsCertificate } from '../helpers/tls-certificate.js'
import type { ContentCommand, ContentReport } from './content-host.js'
import { Hub, whyNoHub, type HostProgram } from './hub.js'

const noHub = whyNoHub()
const BYTES = 3_000_001
const SHA = createHash('sha256').update(sampleContent(BYTES)).digest('hex')
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
  readonly host: (n: number) => string
  readonly cache: HostProgram
  readonly first: HostProgram
  readonly second: HostProgram
}

interface Case {
  readonly version: 1 | 2
  readonly protocol: 1 | 2
}

/** One fetches from the origin; the other has begun when the origin dies, and ends as well. */
async function through(scene: Scene, one: Case): Promise<void> {
  const { protocol, version } = one
  const { cache, first, host, hub, second } = scene
  const origin = hub.start(1, 'net/content-host.js')
  const address = host(2).startsWith('[')
    ? Uint8Array.from([0xfd, 0x5a, ...new Array<number>(13).fill(0), 2])
    : Uint8Array.of(10, 9, 0, 2)
  const tls = tlsCertificate(address)
  const { port = 0 } = await asks(origin, { do: 'origin', bytes: BYTES, version })
  const url = `http://${host(1)}:${port}/file`
  const hosted = await asks(cache, { do: 'hosted', tls })
  const hostedCache = {
    ...{ at: `${host(2)}:${hosted.port}`, version: protocol },
    ...{ offersAt: `${host(2)}:${hosted.tlsPort}`, ca: tls.cert },
  }
  for (const client of [first, second]) await asks(client, { do: 'peer', hostedCache })
  const got = await fetches(first, { do: 'begin', url, version })
  assert.is(got.sha256, SHA)
  assert.is(got.shares?.origin, BYTES)
  await asks(first, { do: 'settle' })
  await asks(cache, { do: 'settle' })
  await asks(first, { do: 'peer', hostedCache }) // nobody can get it from there any more
  const { sent: before = 0 } = await asks(origin, { do: 'sent' })
  await asks(second, { do: 'begin', url, version })
  const { sent: after = 0 } = await asks(origin, { do: 'sent' })
  origin.kill('SIGKILL')
  const other = await asks(second, { do: 'finish' })
  assert.is(other.sha256, SHA)
  assert.ok((other.shares?.peers ?? 0) >= 0.95 * BYTES, JSON.stringify(other.shares))
  assert.ok(other.from?.every((from) => from === hostedCache.at || from === 'origin'))
  assert.ok(after - before <= 0.05 * BYTES, `the origin sent ${after - before} bytes`)
}

for (const six of [false, true]) {
  const family = six ? 'IPv6' : 'IPv4'
  test(`D-108 D-111 clients of a hosted cache go on without the origin, over ${family}`, async () => {
    skipUnless(noHub === undefined, noHub ?? '', { neverInCi: true })
    const cases: Case[] = [
      { version: 2, protocol: 2 },
      { version: 1, protocol: 2 },
      { version: 1, protocol: 1 },
    ]
    const hub = new Hub(4)
    try {
      for (let n = 1; n <= 4 && !six; n++) {
        hub.ip(n, 'addr', 'add', `10.9.0.${n}/24`, 'dev', 'e0')
        hub.ip(n, '-6', 'addr', 'flush', 'dev', 'e0')
      }
      const host = (n: number): string => (six ? `[fd5a::${n}]` : `10.9.0.${n}`)
      const start = (n: number): HostProgram => hub.start(n, 'net/content-host.js')
      const scene = { hub, host, cache: start(2), first: start(3), second: start(4) }
      for (const one of cases) await through(scene, one)
    } finally {
      await hub.close()
    }
  })
}

test.run()
