// Multicast between hosts of a switch, with both kinds of sockets.
// test-limit: 120s
import * as assert from 'uvu/assert'
import { skipUnless, test } from '../harness.js'
import { Hub, whyNoHub } from './hub.js'

const TARGET = 'urn:Microsoft Windows Peer Name Resolution Protocol: V4:IPV6:LinkLocal'
const reason = whyNoHub()

interface Found {
  readonly found?: string
  readonly announced?: string
  readonly searchTarget?: string
  readonly unavailable?: string
  readonly counters?: Record<string, number>
}

async function withHub(hosts: number, body: (hub: Hub) => Promise<void>): Promise<void> {
  skipUnless(reason === undefined, reason ?? '', { neverInCi: true })
  const hub = new Hub(hosts)
  try {
    await body(hub)
  } finally {
    await hub.close()
  }
}

const endpointOf = (host: number): string => `[fe80::${host}]:3540`
const isFrom = (host: number) => (line: Found) => line.found === endpointOf(host)

for (const kind of ['dgram', 'native']) {
  test(`PNRP-3.1.4.2.2-2 PNRP-3.1.5.1-3 a search finds those who announce, over ${kind} sockets`, async () => {
    await withHub(3, async (hub) => {
      const hosts = [1, 2, 3].map((host) => hub.start(host, 'net/ssdp-host.js', kind))
      const [one, two, three] = hosts
      assert.ok(one && two && three)
      for (const [i, host] of [one, two].entries()) {
        host.tell({ do: 'announce', searchTarget: TARGET, endpoint: endpointOf(i + 1) })
        await host.sees('its announcement', (line: Found) => line.announced !== undefined)
      }
      three.tell({ do: 'search', searchTarget: TARGET })
      const found = await three.sees('host 1', isFrom(1))
      assert.is(found.searchTarget, TARGET)
      await three.sees('host 2', isFrom(2))
    })
  })
}

test.run()
