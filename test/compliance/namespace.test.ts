// test-limit: 120s
// In network namespaces: link-local zones, multicast, addresses that go away, a busy link.
import { fileURLToPath } from 'node:url'
import { suite } from '../harness.js'
import { needNamespaces, runInNamespace } from '../helpers/namespace.js'

const script = fileURLToPath(new URL('namespace-checks.js', import.meta.url))

const titles = {
  linkLocal: 'link-local addresses are bound and reached in their zone only',
  multicast: 'groups are joined, heard and left; hops and loop are obeyed; refusals have a code',
  noRoute: 'without a route datagrams are counted as errors and the port goes on',
  addressGone: 'an address that goes away ends nothing but itself',
  busy: 'a busy link delays a bounded number of datagrams and nobody else',
  noIpv6: 'a host without IPv6 is told apart from a missing address',
}

for (const kind of ['native', 'portable', 'dgram']) {
  const test = suite(kind)
  for (const [check, title] of Object.entries(titles)) {
    test(title, async () => {
      needNamespaces()
      await runInNamespace(script, [kind, check])
    })
  }
  test.run()
}
