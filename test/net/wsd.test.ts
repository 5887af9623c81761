// Discovery between hosts of a switch: real multicast over IPv4 and IPv6.
// test-limit: 120s
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { skipUnless, test } from '../harness.js'
import { Hub, whyNoHub, type HostProgram } from './hub.js'

const noHub = whyNoHub()

interface Line {
  readonly tag?: string
  readonly peers?: readonly string[]
  readonly counters?: Readonly<Record<string, number>>
}

let asked = 0

async function asks(program: HostProgram, command: Record<string, unknown>): Promise<Line> {
  const tag = `${++asked}`
  program.tell({ ...command, tag })
  return await program.sees(JSON.stringify(command), (line: Line) => line.tag === tag)
}

/** Those found, in some of several attempts: a busy machine may answer too late once. */
async function finds(
  program: HostProgram,
  segments: readonly number[],
  isEnough: (peers: readonly string[]) => boolean,
  version: 1 | 2 = 1,
): Promise<readonly string[]> {
  const seen = new Set<string>()
  for (let attempt = 0; attempt < 20; attempt++) {
    const { peers = [] } = await asks(program, { do: 'find', segments, version })
    for (const peer of peers) seen.add(peer)
    if (isEnough([...seen])) break
  }
  return [...seen].sort()
}

/** A switch whose hosts have the families wanted: 10.9.0.n, fd5a::n. */
async function withHub(
  hosts: number,
  families: { four: boolean; six: boolean },
  body: (hub: Hub) => Promise<void>,
): Promise<void> {
  skipUnless(noHub === undefined, noHub ?? '', { neverInCi: true })
  const hub = new Hub(hosts)
  try {
    for (let host = 1; host <= hosts; host++) {
      if (families.four) hub.ip(host, 'addr', 'add', `10.9.0.${host}/24`, 'dev', 'e0')
      if (!families.six) hub.ip(host, '-6', 'addr', 'flush', 'dev', 'e0')
    }
    await body(hub)
  } finally {
    await hub.close()
  }
}

const start = (hub: Hub, host: number, ...args: string[]): HostProgram =>
  hub.start(host, 'net/wsd-host.js', ...args)

/** Without the zone and the host's part of fe80::. */
const shapes = (peers: readonly string[]): string[] =>
  [...new Set(peers.map((peer) => peer.replace(/^fe80::[\da-f:]+%/, 'fe80::%')))].sort()

for (const version of [1, 2] as const) {
  test(`D-079 D-089 three hosts find each other over IPv4, version ${version}`, async () => {
    await withHub(3, { four: true, six: false }, async (hub) => {
      const programs = [1, 2, 3].map((host) => start(hub, host))
      for (const [i, program] of programs.entries()) {
        await asks(program, { do: 'announce', segments: [7, 100 + i], port: 8001 + i })
      }
      for (const [i, program] of programs.entries()) {
        const others = [0, 1, 2].filter((other) => other !== i)
        const expected = others.map((other) => `10.9.0.${other + 1} ${8001 + other} 7+`)
        const peers = await finds(program, [7, 250], (all) => all.length >= 2, version)
        assert.equal(peers, expected)
      }
    })
  })

  test(`D-079 D-089 three hosts find each other over IPv6, version ${version}`, async () => {
    await withHub(3, { four: false, six: true }, async (hub) => {
      const programs = [1, 2, 3].map((host) => start(hub, host))
      for (const [i, program] of programs.entries()) {
        await asks(program, { do: 'announce', segments: [7, 100 + i], port: 8001 + i })
      }
      for (const [i, program] of programs.entries()) {
        const others = [0, 1, 2].filter((other) => other !== i)
        const expected = others.map((other) => `fe80::%e0 ${8001 + other} 7+`)
        const peers = await finds(program, [7, 250], (all) => all.length >= 2, version)
        assert.equal(shapes(peers), expected)
      }
    })
  })
}

test('two programs of a host share port 3702; who withdraws is found no more', async () => {
  await withHub(2, { four: true, six: true }, async (hub) => {
    const [one, two, three] = [1, 1, 2].map((host) => start(hub, host))
    assert.ok(one && two && three)
    await asks(one, { do: 'announce', segments: [1], port: 8001 })
    await asks(two, { do: 'announce', segments: [1], port: 8002 })
    const portsIn = (peers: readonly string[]) => new Set(peers.map((peer) => peer.split(' ')[1]))
    const both = (peers: readonly string[]): boolean => portsIn(peers).size === 2
    assert.ok(both(await finds(three, [1], both)))
    assert.ok((await finds(one, [1], (peers) => peers.length > 0)).length > 0)
    await asks(two, { do: 'withdraw' })
    const later = await finds(three, [1], (peers) => peers.length > 0)
    assert.equal([...portsIn(later)], ['8001'])
  })
})

test('a host that gets its address later is found then', async () => {
  await withHub(2, { four: false, six: false }, async (hub) => {
    const [one, two] = [1, 2].map((host) => start(hub, host))
    assert.ok(one && two)
    await asks(one, { do: 'announce', segments: [1] })
    assert.equal((await asks(two, { do: 'find', segments: [1] })).peers, [])
    for (const host of [1, 2]) hub.ip(host, 'addr', 'add', `10.9.0.${host}/24`, 'dev', 'e0')
    const peers = await finds(two, [1], (all) => all.length > 0)
    assert.equal(peers, ['10.9.0.1 8008 1+'])
  })
})

test('D-083 the instance of the next run is greater, also within the same second', async () => {
  skipUnless(noHub === undefined, noHub ?? '', { neverInCi: true })
  const directory = mkdtempSync(join(tmpdir(), 'peernet-wsd-'))
  const file = join(directory, 'instance')
  try {
    await withHub(1, { four: true, six: true }, async (hub) => {
      const numbers: number[] = []
      for (let run = 0; run < 3; run++) {
        const program = start(hub, 1, file)
        await asks(program, { do: 'announce', segments: [1] })
        numbers.push(Number(readFileSync(file, 'latin1')))
        assert.is(await program.end(), 0)
      }
      const [a = 0, b = 0, c = 0] = numbers
      assert.ok(a < b && b < c && a > 1_600_000_000, numbers.join())
    })
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('D-081 the noise of another WS-Discovery service on the same port is ignored', async () => {
  const hasWsdd = spawnSync('wsdd', ['--version']).status === 0
  skipUnless(hasWsdd, 'Debian’s wsdd is not installed', { neverInCi: true })
  await withHub(2, { four: true, six: true }, async (hub) => {
    const [one, two] = [1, 2].map((host) => start(hub, host))
    assert.ok(one && two)
    await asks(one, { do: 'announce', segments: [1] })
    // One on the same host and port, one across the link; both say hello and look around.
    const noise = [1, 2].map((host) =>
      spawn('ip', ['netns', 'exec', hub.namespace(host), 'wsdd', '--discovery', '-i', 'e0'], {
        stdio: 'ignore',
      }),
    )
    try {
      let heard: Readonly<Record<string, number>> = {}
      for (let attempt = 0; attempt < 200; attempt++) {
        heard = (await asks(one, { do: 'counters' })).counters ?? {}
        if ((heard['ignored.wsd-other'] ?? 0) >= 4) break
        await asks(two, { do: 'find', segments: [9] })
      }
      assert.ok((heard['ignored.wsd-other'] ?? 0) >= 4, JSON.stringify(heard))
      assert.is(Object.keys(heard).filter((name) => name.startsWith('drop.')).length, 0)
      const peers = await finds(two, [1], (all) => all.length > 0)
      assert.ok(peers.length > 0)
      assert.ok(
        noise.every(({ exitCode }) => exitCode === null),
        'wsdd runs beside us',
      )
    } finally {
      for (const child of noise) {
        child.kill('SIGKILL')
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      }
    }
  })
})

test.run()
