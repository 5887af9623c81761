// Attacks by name on what a node does with the word of others: where it connects, what it keeps.
import * as assert from 'uvu/assert'
import type { Endpoint } from '#lib/core/endpoint.js'
import { minutes } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import { FIXED_RECORD_ID, RECORD_TYPE } from '#lib/graph/constants.js'
import type { GraphLink } from '#lib/graph/link.js'
import { ticks } from '#lib/graph/peer-time.js'
import { encodeGraphMessage } from '#lib/wire/graph/codec.js'
import { frameMessage } from '#lib/wire/graph/frames.js'
import type { GraphMessage } from '#lib/wire/graph/messages.js'
import { encodePresence, encodeSignature } from '#lib/wire/graph/payloads.js'
import { test } from '../../harness.js'
import { host, MaintenanceHarness } from '../../support/graph-maintenance-harness.js'
import { settle, TestNode } from '../../support/graph-node.js'
import { APP_TYPE, HOUR, numberedId, record, T0, version } from '../../support/graph-records.js'
import { newcomer, series } from '../../support/graph-sync.js'
import { hostAt, LinkHarness, recordOf } from '../../support/link-harness.js'
import { XorProvider } from '../../support/xor-provider.js'

const refuse = (code: 'busy' | 'already-connected', ...addresses: Endpoint[]): GraphMessage => ({
  type: 'REFUSE',
  code,
  addresses,
})

const address = (...bytes: number[]): Uint8Array => {
  const all = new Uint8Array(16)
  all.set(bytes, 16 - bytes.length)
  return all
}
const LOOPBACK = { address: address(1), port: 6379 }

const connects = (node: LinkHarness): number =>
  node.takeEffects().filter((effect) => effect.type === 'connect').length

test('attack, a row of refusals: one connection leads to one more at most', () => {
  const node = new LinkHarness()
  const connection = node.attempt(hostAt(9))
  node.takeEffects()
  for (let n = 0; n < 50; n++) {
    node.from(connection, refuse('already-connected', hostAt(500 + n, 443)))
  }
  assert.ok(connects(node) <= 1)
  assert.ok(node.destroyed(connection) || node.links.connectionCount <= 1)
})

test('attack, a loop of referrals: a chain of refusals ends', () => {
  const node = new LinkHarness()
  node.command({ type: 'connect', to: hostAt(9), direct: false })
  let tried = 0
  for (let connection = 1; tried < 200; connection++) {
    const effect = node.takeEffects().find((one) => one.type === 'connect')
    if (effect?.type !== 'connect') break
    tried++
    node.up(connection, effect.to)
    // Somewhere new each time.
    node.from(connection, refuse('busy', hostAt(1000 + tried, 443)))
  }
  assert.is(tried, 1 + LIMITS.graphReferralHops)
  assert.is(node.takeEvents().filter((event) => event.type === 'failed').length, 1)
})

test('attack, referrals to this host: only who is on it knows of them', () => {
  const node = new LinkHarness()
  node.outgoing(5n, hostAt(9), { addresses: [LOOPBACK, hostAt(20)] })
  assert.is(node.links.referrals.length, 1)
  node.incoming(6n, { addresses: [LOOPBACK, hostAt(21)] })
  assert.equal(
    node.links.neighbors.map(({ addresses }) => addresses.length),
    [1, 1],
  )
  const local = new LinkHarness()
  local.outgoing(5n, { address: address(1), port: 3587 }, { addresses: [LOOPBACK] })
  assert.is(local.links.referrals.length, 1)
})

test('attack, presence at other services: records do not say where a node connects to', () => {
  const harness = new MaintenanceHarness({ nodeId: 0x777n, properties: { maxPresenceRecords: 0 } })
  const payload = (nodeId: bigint, ...addresses: Endpoint[]): Uint8Array =>
    encodePresence({ nodeId, attributes: '', addresses }, { stringOrder: 'big-endian' })
  const mapped = { address: address(0xff, 0xff, 10, 0, 0, 1), port: 80 }
  const linkLocal = {
    address: new Uint8Array(16).fill(1).fill(0xfe, 0, 1).fill(0x80, 1, 2),
    port: 80,
  }
  const multicast = { address: new Uint8Array(16).fill(0xff), port: 80 }
  const nowhere = { ...host(9), port: 0 }
  const all = [LOOPBACK, mapped, linkLocal, multicast, nowhere]
  harness.receivePresence(1, { payload: payload(1n, ...all) })
  harness.lose(harness.neighbor(2))
  harness.run(120)
  assert.equal(harness.attempts, [])
  harness.receivePresence(3, { payload: payload(3n, ...all, host(3)) })
  harness.run(120)
  assert.ok(harness.attempts.length > 0)
  assert.ok(harness.attempts.every(({ to }) => to.port === host(3).port))
})

test('attack, presence for ever: such records do not fill the list', () => {
  const harness = new MaintenanceHarness({ nodeId: 0x777n })
  const { peerTime } = harness.context
  harness.receivePresence(1, { expirationTime: peerTime + ticks(3650 * 86_400) })
  harness.receivePresence(2, { expirationTime: peerTime + ticks(86_400) })
  assert.equal(
    harness.maintenance.nodes.map(({ nodeId }) => nodeId),
    [2n],
  )
})

test('attack, our record for ever: it gets the life back that it should have', () => {
  const [node, mallory] = [new TestNode(), new TestNode()]
  const link = node.connect(mallory, { start: false })
  const spec = {
    type: RECORD_TYPE.presence,
    payload: encodePresence(
      { nodeId: 5n, attributes: '', addresses: [] },
      { stringOrder: 'big-endian' },
    ),
    expirationTime: T0 + HOUR / 12n,
    autorefresh: true,
  }
  const first = node.records.publishInternal(spec)
  assert.ok(first)
  node.flood(link, version(first, 2, { expirationTime: T0 + 100_000n * HOUR }))
  const second = node.records.publishInternal({ ...spec, id: first.id })
  assert.is(second?.expirationTime, spec.expirationTime)
  settle(node, mallory)
  assert.equal(mallory.contents, node.contents)
})

test('attack, the last version: a record of ours goes on under another ID', () => {
  const [node, mallory] = [new TestNode(), new TestNode()]
  const link = node.connect(mallory, { start: false })
  const own = { type: RECORD_TYPE.contact, expirationTime: T0 + HOUR / 12n, autorefresh: true }
  const contact = new Uint8Array(20)
  const first = node.records.publishInternal({ ...own, payload: contact })
  assert.ok(first)
  node.flood(link, version(first, 0xffff_ffff, { modificationTime: T0 + 1n }))
  const next = node.records.publishInternal({ ...own, payload: contact, id: first.id })
  assert.ok(next)
  assert.not.equal(next.id, first.id)
})

test('attack, the last version of a record whose ID is fixed: its owner waits, and goes on', () => {
  const [node, mallory] = [new TestNode(), new TestNode()]
  const link = node.connect(mallory, { start: false })
  const type = RECORD_TYPE.signature
  const id = FIXED_RECORD_ID.signature
  const payload = encodeSignature({ signature: 5n })
  const spec = { type, id, payload, expirationTime: T0 + HOUR / 12n, autorefresh: true }
  const first = node.records.publishInternal(spec)
  assert.ok(first)
  const held = (): number | undefined => node.database.get(id)?.version
  const take = (number: number, deleted = false): void => {
    const changes = deleted ? { deleted, payload: new Uint8Array(0) } : {}
    node.flood(link, version(first, number, { modificationTime: T0 + 1n, ...changes }))
  }
  // One for each ten seconds since 1601: T0 is 13,406,000,000 s.
  const last = 1_340_600_000
  take(0xffff_ffff)
  take(last + 1)
  assert.is(held(), 1)
  // It was acknowledged, or an honest node whose clock is ahead would give this link up.
  assert.equal(
    node.links.acks.map(({ ack }) => ack.useful),
    [false, false],
  )
  take(last)
  assert.is(held(), last)
  assert.is(node.records.publishInternal(spec), undefined)
  node.pass(LIMITS.graphVersionUs)
  assert.is(node.records.publishInternal(spec)?.version, last + 1)
  // A tombstone is a version, too.
  take(last + 3, true)
  assert.is(held(), last + 1)
})

test('attack, half a message and away: nothing of it stays with what knows the link', () => {
  const node = new LinkHarness()
  const connection = node.incoming(5n)
  const link = node.link(connection) as GraphLink
  const stream = Buffer.concat(
    frameMessage(encodeGraphMessage({ type: 'FLOOD', record: recordOf(1, 3_000_000) }), 16_379),
  )
  node.bytes(connection, new Uint8Array(stream.subarray(0, 2_900_000)))
  assert.ok(link.channel.buffered > 2_800_000)
  node.local({ type: 'closed', connection, why: '' })
  assert.is(link.channel.buffered, 0)
})

test('attack, questions about everything: a peer gets its share and no more', () => {
  const node = new TestNode()
  for (let n = 0; n < LIMITS.graphSyncPassRecords; n++) {
    node.database.put(record({ id: numberedId(n) }))
  }
  const mallory = new TestNode()
  const link = node.connect(mallory, { start: false })
  // Nothing is that new: a few bytes, and all records are looked at.
  const modificationTime = T0 + 1000n * HOUR
  const question = { type: 'SOLICIT_TIME', inclusions: [APP_TYPE], exclusions: [] } as const
  const ask = (): void => {
    node.handle(link, { ...question, modificationTime })
    settle(node)
  }
  for (let n = 0; n < LIMITS.graphSyncPasses; n++) ask()
  assert.equal(node.links.ended, [])
  // In time there are some more.
  node.pass(LIMITS.graphSyncPassUs * 2)
  for (let n = 0; n < 2; n++) ask()
  assert.equal(node.links.ended, [])
  ask()
  assert.is(node.links.ended[0]?.end, 'protocol')
  // What looks at little is free.
  const small = new TestNode()
  for (const each of series(20)) small.database.put(each)
  const other = small.connect(new TestNode(), { start: false })
  for (let n = 0; n < 500; n++) {
    small.handle(other, { ...question, modificationTime })
    settle(small)
  }
  assert.equal(small.links.ended, [])
})

test('attack: a neighbour that always has something to say keeps nobody from the others', () => {
  const creator = new TestNode()
  for (const each of series(20)) creator.database.put(each)
  const [talker, joiner] = [new TestNode(), newcomer()]
  const link = joiner.connect(talker)
  joiner.connect(creator)
  for (let waited = 0; waited < 12; waited++) {
    joiner.pass(minutes(1))
    joiner.handle(link, { type: 'SYNC_END', final: false })
    settle(joiner, creator)
  }
  assert.equal(joiner.contents, creator.contents)
  assert.not(joiner.context.neverConnected)
})

test('under a provider, what a peer has brought is remembered to challenge it with', () => {
  for (const security of [new XorProvider(), undefined]) {
    const config = security === undefined ? {} : { security }
    const node = new TestNode(config)
    const link = node.connect(new TestNode(config), { start: false })
    const [brought] = series(1)
    assert.ok(brought)
    node.flood(link, brought)
    const held = node.database.get(brought.id)
    assert.is(link.brought, security === undefined ? undefined : held)
  }
})

test.run()
