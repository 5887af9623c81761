// Graph nodes in hosts on one switch: link-local and global, with addresses that change, and with a
// host that falls silent.
// test-limit: 180s
import * as assert from 'uvu/assert'
import { skipUnless, test } from '../harness.js'
import type { GraphHostOptions } from '../support/graph-host.js'
import { GraphProgram, untilEqual } from '../support/graph-program.js'
import { Hub, whyNoHub } from './hub.js'

const TYPE = '11111111-2222-3333-4444-555555555555'
const noHub = whyNoHub()

async function withHub(hosts: number, body: (hub: Hub) => Promise<void>): Promise<void> {
  skipUnless(noHub === undefined, noHub ?? '', { neverInCi: true })
  const hub = new Hub(hosts)
  try {
    await body(hub)
  } finally {
    await hub.close()
  }
}

async function start(
  hub: Hub,
  host: number,
  options: Partial<GraphHostOptions>,
): Promise<GraphProgram> {
  const node = {
    graphId: 'net',
    peerId: `host-${host}`,
    directory: false,
    create: host === 1,
  } as const
  const program = await GraphProgram.start({ ...node, ...options }, hub.namespace(host))
  hub.hold(program.program)
  return program
}

/** Three hosts join, write, change and delete; then all hold the same bytes. */
async function threeHosts(hub: Hub, options: Partial<GraphHostOptions>): Promise<string[]> {
  const ada = await start(hub, 1, options)
  const address = await ada.listen()
  const early = await ada.publish(TYPE, 'early')
  const bob = await start(hub, 2, options)
  const second = await bob.join(address)
  const byBob = await bob.publish(TYPE, 'by bob')
  const cyd = await start(hub, 3, options)
  await cyd.join(second)
  await cyd.does({ do: 'update', id: byBob, text: 'changed' })
  await bob.does({ do: 'delete', id: early })
  const held = await untilEqual([ada, bob, cyd], (records) => {
    const byId = new Map(records.map((record) => [record.id, record]))
    return byId.get(early)?.deleted === true && byId.get(byBob)?.version === 2
  })
  assert.ok(held.length >= 2)
  const addresses = (await ada.does({ do: 'addresses' })) as string[]
  for (const one of [ada, bob, cyd]) assert.is(await one.end(), 0)
  return addresses
}

test('G-003 G-044 three hosts hold the same bytes in a global graph', async () => {
  await withHub(3, async (hub) => {
    const addresses = await threeHosts(hub, { scope: 'global' })
    assert.ok(
      addresses.every((address) => address.startsWith('[fd5a::')),
      addresses.join(),
    )
  })
})

test('G-044 the same in a link-local graph, whose addresses need a zone', async () => {
  await withHub(3, async (hub) => {
    const addresses = await threeHosts(hub, { scope: 'link-local' })
    assert.ok(
      addresses.every((address) => address.startsWith('[fe80::')),
      addresses.join(),
    )
  })
})

test('G-167 a host that gets another address listens there, and its neighbours know it', async () => {
  await withHub(3, async (hub) => {
    const ada = await start(hub, 1, { scope: 'global' })
    const bob = await start(hub, 2, { scope: 'global' })
    await bob.join(await ada.listen())
    hub.ip(1, 'addr', 'add', 'fd5a::aaaa/64', 'dev', 'e0', 'nodad')
    const deadline = Date.now() + 30_000
    for (;;) {
      const neighbors = (await bob.does({ do: 'neighbors' })) as { addresses: string[] }[]
      const known = neighbors[0]?.addresses ?? []
      const own = (await ada.does({ do: 'addresses' })) as string[]
      const nodes = (await bob.does({ do: 'nodes' })) as { peerId: string; addresses: string[] }[]
      const present = nodes.find(({ peerId }) => peerId === 'host-1')?.addresses ?? []
      const told = known.join() === own.join() && present.join() === own.join()
      if (told && own.some((address) => address.startsWith('[fd5a::aaaa]'))) break
      assert.ok(Date.now() < deadline, `${own.join()} here, ${known.join()} there`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    // A third host connects to the new one.
    const [, second = ''] = (await ada.does({ do: 'addresses' })) as string[]
    await bob.does({ do: 'publish', type: TYPE, text: 'for all' })
    const cyd = await start(hub, 3, { scope: 'global' })
    await cyd.join(second)
    await untilEqual([ada, bob, cyd])
  })
})

test.run()
