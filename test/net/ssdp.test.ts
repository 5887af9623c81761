// Multicast between hosts of a switch, with both kinds of sockets.
// test-limit: 120s
import * as assert from 'uvu/assert'
import { skipUnless, test } from '../harness.js'
import { Hub, whyNoHub, type HostProgram } from './hub.js'

const TARGET = 'urn:Microsoft Windows Peer Name Resolution Protocol: V4:IPV6:LinkLocal'
const GLOBAL = 'urn:Microsoft Windows Peer Name Resolution Protocol: V4:IPV6:Global'
const noHub = whyNoHub()

interface Line {
  readonly found?: string
  readonly searchTarget?: string
  readonly unavailable?: string
  readonly counted?: string
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

const endpointOf = (host: number): string => `[fe80::${host}]:3540`

async function counts(program: HostProgram, counter: string): Promise<void> {
  program.tell({ do: 'await', counter })
  await program.sees(counter, (line: Line) => line.counted === counter)
}

/** When its announcement is out it hears searches as well. */
async function announces(program: HostProgram, host: number, searchTarget = TARGET) {
  program.tell({ do: 'announce', searchTarget, endpoint: endpointOf(host) })
  await counts(program, 'sent.ssdp-alive')
}

async function finds(program: HostProgram, host: number) {
  return await program.sees(`host ${host}`, (line: Line) => line.found === endpointOf(host))
}

for (const kind of ['dgram', 'native']) {
  test(`PNRP-3.1.4.2.2-2 PNRP-3.1.5.1-3 a search finds those who announce (${kind})`, async () => {
    await withHub(3, async (hub) => {
      const [one, two, three] = [1, 2, 3].map((n) => hub.start(n, 'net/ssdp-host.js', kind))
      assert.ok(one && two && three)
      await announces(one, 1)
      await announces(two, 2)
      three.tell({ do: 'search', searchTarget: TARGET })
      assert.is((await finds(three, 1)).searchTarget, TARGET)
      await finds(three, 2)
    })
  })

  test(`who searched in vain hears of one that announces itself later (${kind})`, async () => {
    await withHub(2, async (hub) => {
      const [one, two] = [1, 2].map((n) => hub.start(n, 'net/ssdp-host.js', kind))
      assert.ok(one && two)
      // Its own announcement of something else is out: so it listens.
      await announces(one, 1, GLOBAL)
      one.tell({ do: 'search', searchTarget: TARGET })
      await counts(one, 'sent.ssdp-search')
      await announces(two, 2)
      await finds(one, 2)
    })
  })

  test(`two programs of one host share port 1900 and find each other (${kind})`, async () => {
    await withHub(1, async (hub) => {
      const [one, two] = [1, 1].map((n) => hub.start(n, 'net/ssdp-host.js', kind))
      assert.ok(one && two)
      await announces(one, 1)
      await announces(two, 2)
      two.tell({ do: 'search', searchTarget: TARGET })
      await finds(two, 1)
      one.tell({ do: 'search', searchTarget: TARGET })
      await finds(one, 2)
    })
  })

  test(`the reason is told when multicast has no route, or no interface (${kind})`, async () => {
    await withHub(2, async (hub) => {
      hub.ip(1, 'route', 'del', 'ff00::/8', 'dev', 'e0', 'table', 'local')
      hub.ip(2, 'link', 'set', 'e0', 'down')
      const [one, two] = [1, 2].map((n) => hub.start(n, 'net/ssdp-host.js', kind))
      assert.ok(one && two)
      const reasonOf = async (program: HostProgram) => {
        program.tell({ do: 'search', searchTarget: TARGET })
        const line = await program.sees('a reason', ({ unavailable }: Line) => !!unavailable)
        return line.unavailable
      }
      assert.is(await reasonOf(one), 'the system refused to send to ff02::c: ENETUNREACH')
      assert.is(await reasonOf(two), 'no interface of the cloud has a link-local address')
    })
  })
}

test('PNRP-3.2.4.2-5 who leaves says goodbye and answers no more', async () => {
  await withHub(2, async (hub) => {
    const [one, two] = [1, 2].map((n) => hub.start(n, 'net/ssdp-host.js', 'native'))
    assert.ok(one && two)
    await announces(two, 2)
    await announces(one, 1)
    assert.is(await one.end(), 0)
    await counts(two, 'received.ssdp-byebye')
  })
})

test.run()
