// Revoke CPAs in FLOODs, MS-PNRP 3.1.5.5 with N-28 and N-29.
import * as assert from 'uvu/assert'
import type { RouteEntry } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import { CloudHarness } from '../../support/cloud-harness.js'
import { fakePublicKey } from '../../support/fake-crypto.js'
import { FakePublisher, hoursAhead } from '../../support/fake-publisher.js'
import { address, endpoint } from '../../support/route-entries.js'

const REMOTE = new FakePublisher({ endpoint: endpoint(20), identity: 'Ada' })
let messageId = 1

function flood(
  h: CloudHarness,
  content: { routeEntry?: RouteEntry; revokeCpa?: Uint8Array },
): void {
  h.deliver(endpoint(50), {
    type: 'FLOOD',
    messageId: messageId++,
    doNotAck: true,
    validatePnrpId: new Uint8Array(32),
    ...content,
    floodedList: [],
  })
}

/** A node that validated the remote's entry with its CPA, and so knows its key. */
function knowing(): CloudHarness {
  const h = new CloudHarness()
  h.command({
    type: 'register',
    handle: 1,
    spec: {
      classifier: 'own',
      keyId: 'own',
      publicKey: fakePublicKey('own'),
      appEndpoints: [{ address: address(1), port: 4000, protocol: 6 }],
    },
  })
  flood(h, { routeEntry: REMOTE.entry })
  const inquire = h.takeOne('INQUIRE')
  h.answer(inquire, REMOTE.answer(inquire))
  h.sent.length = 0
  return h
}

test('PNRP-3.1.5.5-4 PNRP-3.1.5.5-5 PNRP-3.1.5.5-6 a valid revoke removes the entry', () => {
  const h = knowing()
  assert.ok(h.cache.has(REMOTE.pnrpId))
  flood(h, { revokeCpa: REMOTE.revoke() })
  assert.not(h.cache.has(REMOTE.pnrpId))
})

test('N-29 a revoke without the nonce is read too, and the habit learned', () => {
  const h = knowing()
  flood(h, { revokeCpa: REMOTE.revoke({}, { revokeNonce: 'absent' }) })
  assert.not(h.cache.has(REMOTE.pnrpId))
  assert.is(h.machine.statistics().dialect['revokeNonce'], 'absent (observed)')
})

test('PNRP-3.1.5.5-4 N-28 hostile: a revoke that is not right removes nothing', () => {
  const other = new FakePublisher({ endpoint: endpoint(21), identity: 'Bob' })
  const spoilt = (): Uint8Array => {
    const bytes = REMOTE.revoke()
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1
    return bytes
  }
  const cases: [string, Uint8Array][] = [
    ['expired', REMOTE.revoke({ notAfter: hoursAhead(0) - 1n })],
    ['key', REMOTE.revoke({ publicKey: fakePublicKey('Eve') })],
    ['signature', spoilt()],
    ['unknown', other.revoke()],
  ]
  for (const [reason, revokeCpa] of cases) {
    const h = knowing()
    flood(h, { revokeCpa })
    assert.ok(h.cache.has(REMOTE.pnrpId), reason)
    assert.is(h.counter(`refused.revoke.${reason}`), 1, reason)
  }
})

test('N-28 an entry whose key was never seen is not removed, but asked at once', () => {
  const h = new CloudHarness({ cached: [REMOTE.entry] })
  flood(h, { revokeCpa: REMOTE.revoke() })
  assert.ok(h.cache.has(REMOTE.pnrpId))
  const inquire = h.takeOne('INQUIRE')
  assert.equal(inquire.message.validatePnrpId, REMOTE.pnrpId)
  h.answer(inquire, { notFound: true })
  assert.not(h.cache.has(REMOTE.pnrpId))
})

test.run()
