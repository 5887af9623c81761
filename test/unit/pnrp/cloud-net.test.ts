import * as assert from 'uvu/assert'
import type { RegistrationSpec } from '#lib/pnrp/interface.js'
import { test } from '../../harness.js'
import { CloudNet } from '../../support/cloud-harness.js'
import { fakePublicKey } from '../../support/fake-crypto.js'
import { address, endpoint } from '../../support/route-entries.js'

function spec(classifier: string): RegistrationSpec {
  return {
    classifier,
    keyId: classifier,
    publicKey: fakePublicKey(classifier),
    appEndpoints: [{ address: address(9), port: 4000, protocol: 6 }],
  }
}

test('PNRP-3.2-1 three nodes: join through a seed, register, resolve, leave', () => {
  const net = new CloudNet()
  const seed = net.add({ own: [endpoint(1)] })
  seed.command({ type: 'register', handle: 1, spec: spec('seed') })
  const seeds = [endpoint(1)]
  const publisher = net.add({ own: [endpoint(2)], seeds })
  publisher.command({ type: 'register', handle: 1, spec: spec('chat') })
  net.run(5_000_000)
  const resolver = net.add({ own: [endpoint(3)], seeds })
  net.run(5_000_000)
  resolver.resolve(7, { classifier: 'chat' })
  net.run(1_000_000)
  const found = resolver.outcome(7)
  assert.is(found?.outcome, 'found')
  assert.is(found?.peer?.classifier, 'chat')
  assert.equal(found?.peer?.appEndpoints, [{ address: address(9), port: 4000, protocol: 6 }])
  // A publisher resolves as any other node does.
  seed.resolve(7, { classifier: 'chat' })
  net.run(1_000_000)
  assert.is(seed.outcome(7)?.outcome, 'found')
  publisher.command({ type: 'close', now: true })
  net.run(1_000_000)
  assert.is(publisher.machine.state, 'closed')
  // The resolver registered nothing, but it had the publisher's CPA and so was told.
  resolver.resolve(8, { classifier: 'chat' })
  net.run(100_000)
  assert.is(resolver.outcome(8)?.outcome, 'not-found')
})

test.run()
