// Whole nodes in hosts on one switch: how they find each other, and that names then resolve.
// test-limit: 180s
import * as assert from 'uvu/assert'
import { skipUnless, test } from '../harness.js'
import { Hub, whyNoHub, type HostProgram } from './hub.js'

const noHub = whyNoHub()

interface Line {
  readonly open?: string[]
  readonly registered?: string
  readonly resolved?: string
  readonly address?: string
  readonly failed?: { readonly name: string }
  readonly error?: string
  readonly state?: string
  readonly reason?: string
}

async function withHub(hosts: number, body: (hub: Hub) => Promise<void>): Promise<void> {
  skipUnless(noHub === undefined, noHub ?? '', { neverInCi: true })
  const hub = new Hub(hosts)
  try {
    await body(hub)
  } finally {
    await hub.close()
  }
}

async function start(hub: Hub, host: number, options: object): Promise<HostProgram> {
  const text = JSON.stringify({ stateDirectory: false, ...options })
  const program = hub.start(host, 'net/cloud-host.js', text)
  await program.sees('an open cloud', (line: Line) => line.open !== undefined, 20_000)
  return program
}

async function does(program: HostProgram, what: 'register' | 'resolve', name: string) {
  program.tell({ do: what, name })
  const line = await program.sees(
    `${what} ${name}`,
    (one: Line) => one.registered === name || one.resolved === name || one.failed?.name === name,
    20_000,
  )
  assert.is(line.error, undefined)
  return line
}

async function isActive(program: HostProgram): Promise<void> {
  program.tell({ do: 'await', name: 'active' })
  await program.sees('that it is active', (line: Line) => line.state === 'active', 20_000)
}

/** Each host registers a name of its own, then resolves those of the others. */
async function allFindAll(programs: readonly HostProgram[]): Promise<void> {
  const names = programs.map((_, i) => `0.host-${i}`)
  await Promise.all(programs.map((program, i) => does(program, 'register', names[i] as string)))
  // On a starved machine a host may be alone for some seconds, and then finds nothing but itself.
  await Promise.all(programs.map(isActive))
  for (const [i, program] of programs.entries()) {
    for (const [j, name] of names.entries()) {
      if (i === j) continue
      const { address } = await does(program, 'resolve', name)
      const [own] = programs[j]?.lines as [{ open: string[] }]
      assert.ok(own.open.some((endpoint) => endpoint.startsWith(`[${address}]`)))
    }
  }
  for (const program of programs) assert.is(await program.end(), 0, program.errors)
}

test('three hosts without seeds find each other by SSDP on their link-local cloud', async () => {
  await withHub(3, async (hub) => {
    const options = { scope: 'link-local' }
    await allFindAll(await Promise.all([1, 2, 3].map((host) => start(hub, host, options))))
  })
})

test('the same in the global cloud', async () => {
  await withHub(3, async (hub) => {
    const options = { scope: 'global' }
    await allFindAll(await Promise.all([1, 2, 3].map((host) => start(hub, host, options))))
  })
})

test('the same over sockets of node:dgram', async () => {
  await withHub(2, async (hub) => {
    const options = { scope: 'link-local', transport: 'dgram' }
    await allFindAll(await Promise.all([1, 2].map((host) => start(hub, host, options))))
  })
})

test('the same over seeds with multicast off', async () => {
  await withHub(3, async (hub) => {
    const options = { scope: 'global', ssdp: false, seeds: ['[fd5a::1]'] }
    await allFindAll(await Promise.all([1, 2, 3].map((host) => start(hub, host, options))))
  })
})

test('the same over seeds when the network refuses multicast', async () => {
  await withHub(3, async (hub) => {
    for (const host of [1, 2, 3]) {
      hub.ip(host, 'route', 'del', 'ff00::/8', 'dev', 'e0', 'table', 'local')
      // Neighbour discovery needs its own groups.
      hub.ip(host, 'route', 'add', 'multicast', 'ff02::1:ff00:0/104', 'dev', 'e0', 'table', 'local')
    }
    const options = { scope: 'global', seeds: ['[fd5a::1]', '[fd5a::2]'] }
    await allFindAll(await Promise.all([1, 2, 3].map((host) => start(hub, host, options))))
  })
})

test('a node that nobody answers says what it has tried', async () => {
  await withHub(1, async (hub) => {
    const node = await start(hub, 1, { scope: 'global', seeds: ['[fd5a::99]'] })
    node.tell({ do: 'await', name: 'alone' })
    const line = await node.sees('that it is alone', (one: Line) => one.state === 'alone')
    assert.is(line.reason, 'nobody answered the multicast search, the seed did not answer')
  })
})

test.run()
