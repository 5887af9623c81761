// What strangers send to a publisher: malformed messages through the shipping codec, spoofed
// requests, floods of everything, and how many bytes come out for the bytes that go in.
import * as assert from 'uvu/assert'
import type { Endpoint } from '#lib/core/endpoint.js'
import { LIMITS } from '#lib/core/limits.js'
import { sha1 } from '#lib/native/digest.js'
import type { RegistrationSpec } from '#lib/pnrp/interface.js'
import { encodeMessage } from '#lib/wire/codec.js'
import {
  ResolveCriteria,
  type InquireMessage,
  type LookupMessage,
  type PnrpMessage,
  type RouteEntry,
} from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import { CloudHarness } from '../../support/cloud-harness.js'
import { fakePublicKey } from '../../support/fake-crypto.js'
import { address, endpoint, id } from '../../support/route-entries.js'

const STRANGER = endpoint(66)
const NONCE = new Uint8Array(16).fill(5)

function spec(classifier: string, change: Partial<RegistrationSpec> = {}): RegistrationSpec {
  return {
    classifier,
    keyId: classifier,
    publicKey: fakePublicKey(classifier),
    appEndpoints: [{ address: address(9), port: 4000, protocol: 6 }],
    ...change,
  }
}

const cachedAt = (n: number): RouteEntry => ({
  pnrpId: id(n * 8, n),
  port: 3540,
  addresses: [address(1000 + n)],
})

/** A publisher of one name that knows 30 others. */
function publisher(change: Partial<RegistrationSpec> = {}): {
  node: CloudHarness
  pnrpId: Uint8Array
} {
  const cached = Array.from({ length: 30 }, (_, n) => cachedAt(n + 1))
  const node = new CloudHarness({ cached, seeds: [] })
  node.command({ type: 'register', handle: 1, spec: spec('victim', change) })
  const pnrpId = node.eventsOf('registration')[0]?.pnrpId
  assert.ok(pnrpId)
  node.sent.length = 0
  return { node, pnrpId }
}

const lookup = (change: Partial<LookupMessage> = {}): LookupMessage => ({
  type: 'LOOKUP',
  messageId: 7,
  acceptNotCloser: true,
  precision: 0,
  resolveCriteria: ResolveCriteria.NONE,
  resolveReasonCode: 0,
  targetPnrpId: id(100),
  validatePnrpId: id(0),
  flaggedPath: [STRANGER],
  ...change,
})

const inquire = (
  validatePnrpId: Uint8Array,
  change: Partial<InquireMessage> = {},
): InquireMessage => ({
  type: 'INQUIRE',
  messageId: 7,
  wantCpa: false,
  wantExtendedPayload: false,
  wantCertificateChain: false,
  validatePnrpId,
  ...change,
})

const solicit = (n = 0): PnrpMessage => ({
  type: 'SOLICIT',
  messageId: 7,
  hashedNonce: sha1(Uint8Array.of(...NONCE, n)),
})

/** Bytes sent to that endpoint because of this datagram. */
function bytesOut(node: CloudHarness, bytes: Uint8Array, from: Endpoint = STRANGER): number {
  let out = 0
  node.onTransmit = ({ to, data }) => {
    if (to.port === from.port && Buffer.compare(to.address, from.address) === 0) out += data.length
  }
  node.deliverBytes(from, bytes)
  node.onTransmit = undefined
  return out
}

/** Replaces bytes at an offset. */
function patched(message: PnrpMessage, at: number, ...values: number[]): Uint8Array {
  const bytes = encodeMessage(message)
  bytes.set(values, at)
  return bytes
}

/** Every datagram must leave the node silent and its counters of drops higher. */
function assertDropped(node: CloudHarness, cases: Record<string, Uint8Array>): void {
  const drops = (): number =>
    Object.entries(node.counters)
      .filter(([name]) => name.startsWith('drop.malformed'))
      .reduce((sum, [, n]) => sum + n, 0)
  for (const [name, bytes] of Object.entries(cases)) {
    const before = drops()
    node.deliverBytes(STRANGER, bytes)
    assert.equal(node.sent, [], name)
    assert.is(drops(), before + 1, name)
  }
}

test('PNRP-3.2.5.2-1 PNRP-3.2.5.2-2 PNRP-3.2.5.2-3 a broken LOOKUP is dropped silently', () => {
  const { node } = publisher()
  const good = lookup({ routeEntry: cachedAt(5) })
  const whole = encodeMessage(good)
  // Offsets from MS-PNRP 2.2.2.8: controls at 12, target at 24, validate at 60, entry at 96.
  assertDropped(node, {
    'wrong controls element': patched(good, 12, 0x00, 0x44),
    'wrong controls length': patched(good, 14, 0x00, 0x0a),
    'criteria ored together': patched(good, 20, 0x03),
    'unknown criteria': patched(good, 20, 0x10),
    'target and validate exchanged': patched(good, 25, 0x39),
    'wrong length of the target': patched(good, 26, 0x00, 0x20),
    'validate missing': patched(good, 61, 0x9a),
    'entry without addresses': patched(good, 100 + 37, 0),
    'entry of another version': patched(good, 100 + 32, 5),
    'entry longer than its element': patched(good, 100 + 37, 2),
    'flagged path missing': whole.slice(0, whole.length - 30),
    'flagged path cut short': whole.slice(0, whole.length - 1),
    'an empty flagged path': emptyFlaggedPath(),
    'more entries than bytes': patched(good, whole.length - 18 - 7, 2),
    'something after the end': new Uint8Array([...whole, 1, 2, 3, 4]),
  })
  // The reason may be anything (3.2.5.2 step 1).
  node.deliverBytes(STRANGER, patched(good, 21, 0xff))
  node.takeOne('AUTHORITY')
})

function emptyFlaggedPath(): Uint8Array {
  const bytes = encodeMessage(lookup())
  const cut = bytes.slice(0, bytes.length - 18)
  // NumEntries 0, Length 12, ArrayLength 8.
  cut.set([0x00, 0x9e, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x08], cut.length - 12)
  return cut
}

test('PNRP-3.2.5.3-1 a broken SOLICIT is dropped', () => {
  const { node } = publisher()
  const whole = encodeMessage(solicit())
  assertDropped(node, {
    'no hashed nonce': whole.slice(0, 12),
    'a short hashed nonce': whole.slice(0, 30),
    'wrong length': patched(solicit(), 14, 0x00, 0x14),
    'another element': patched(solicit(), 12, 0x00, 0x93),
    'unknown type': patched({ ...solicit(), solicitType: 1 } as PnrpMessage, 17, 7),
  })
})

test('PNRP-3.2.5.4-1 a broken REQUEST is dropped', () => {
  const { node } = publisher()
  const request: PnrpMessage = {
    type: 'REQUEST',
    messageId: 7,
    nonce: NONCE,
    pnrpIds: [id(1), id(2)],
  }
  const whole = encodeMessage(request)
  assertDropped(node, {
    'no list': whole.slice(0, 32),
    'half an ID': whole.slice(0, whole.length - 16),
    'entry length': patched(request, 42, 0x00, 0x10),
    'element type': patched(request, 40, 0x00, 0x9d),
    'more entries than bytes': patched(request, 36, 0x00, 0x03),
    'the largest count': patched(request, 36, 0x7f, 0xff),
    'a short nonce': patched(request, 14, 0x00, 0x10),
  })
})

test('PNRP-3.2.5.6-1 a broken INQUIRE is dropped', () => {
  const { node, pnrpId } = publisher()
  const good = inquire(pnrpId, { wantCpa: true, nonce: NONCE })
  const whole = encodeMessage(good)
  assertDropped(node, {
    'half a nonce': whole.slice(0, 68),
    'a nonce of another length': patched(good, 58, 0x00, 0x10),
    'an unknown element for the nonce': patched(good, 56, 0x00, 0x92),
    'no ID': whole.slice(0, 20),
    'flags of another length': patched(good, 14, 0x00, 0x08),
  })
})

test('PNRP-3.2.4.1-1 PNRP-3.2.4.1-8 only an open cloud registers names', () => {
  const node = new CloudHarness({ opened: false })
  node.command({ type: 'register', handle: 1, spec: spec('early') })
  assert.is(node.eventsOf('registration-failed')[0]?.code, 'ERR_PEERNET_CLOUD_NOT_OPEN')
  node.command({ type: 'open', seeds: [], lastUsed: [] })
  node.command({ type: 'register', handle: 2, spec: spec('in time') })
  assert.is(node.eventsOf('registration')[0]?.handle, 2)
})

test('PNRP-3.2-1 a publisher resolves and caches as a resolver does', () => {
  const { node } = publisher()
  node.resolve(9, { classifier: 'other' })
  const [first] = node.take('LOOKUP').filter(({ reason }) => reason === 0)
  assert.ok(first)
  node.answer(first, { notFound: true })
  assert.ok(
    node.take('LOOKUP').some(({ reason }) => reason === 0),
    'it asks another',
  )
})

test('amplification: what an unauthenticated datagram brings is bounded', () => {
  const chain = new Uint8Array(3000)
  const authority = sha1(fakePublicKey('victim'))
  const { node, pnrpId } = publisher()
  const secure = publisher({ authority, certificateChain: chain })
  const big = publisher({ extendedPayload: { kind: 'binary', data: new Uint8Array(4096) } })
  const all = { wantCpa: true, wantExtendedPayload: true, wantCertificateChain: true, nonce: NONCE }
  const factor = (target: CloudHarness, message: PnrpMessage): number => {
    const bytes = encodeMessage(message)
    return bytesOut(target, bytes.slice()) / bytes.length
  }
  // Bytes of UDP payload out per byte in. The first four make nobody a worthwhile reflector.
  assert.ok(factor(node, lookup()) <= 0.8)
  assert.ok(factor(node, inquire(id(5))) <= 0.8)
  assert.ok(factor(node, inquire(pnrpId)) <= 0.8)
  assert.ok(
    factor(node, {
      type: 'FLOOD',
      messageId: 1,
      doNotAck: false,
      validatePnrpId: id(0),
      floodedList: [],
    }) <= 0.4,
  )
  // Five IDs for a hash: 216 bytes for 36 (84 and 264 with IPv6 and UDP headers).
  assert.ok(factor(node, solicit()) <= 6)
  // A CPA of an unsecured name with its entry and classifier.
  assert.ok(factor(node, inquire(pnrpId, all)) <= 8.5)
  // What the name's owner wants to be given out decides the rest; the budget prices it.
  const chained = factor(secure.node, inquire(secure.pnrpId, all))
  assert.ok(chained > 40 && chained <= 60, `${chained}`)
  const payload = factor(big.node, inquire(big.pnrpId, all))
  assert.ok(payload > 60 && payload <= 80, `${payload}`)
})

test('amplification: over a second one address draws what its budget allows, in datagrams', () => {
  const { node, pnrpId } = publisher({
    extendedPayload: { kind: 'binary', data: new Uint8Array(4096) },
  })
  const message = inquire(pnrpId, { wantCpa: true, wantExtendedPayload: true, nonce: NONCE })
  let bytes = 0
  for (let i = 0; i < 2_000; i++) {
    node.advance(500)
    bytes += bytesOut(node, encodeMessage(message))
  }
  // Burst 500 and 250 a second: 750 datagrams at most.
  const { burst, perSecond } = LIMITS.budgets.inquire.address
  assert.ok(bytes <= (burst + perSecond) * 1216, `${bytes} bytes`)
  assert.ok(node.counter('drop.inquire-budget') > 1_700)
})

test('one flooding source does not silence a node for others', () => {
  const { node, pnrpId } = publisher()
  const message = inquire(pnrpId, { wantCpa: true, nonce: NONCE })
  for (let i = 0; i < 3_000; i++) node.deliver(STRANGER, message)
  assert.ok(node.counter('drop.inquire-budget') >= 2_500)
  node.sent.length = 0
  // Of another prefix.
  const address = Uint8Array.of(0x20, 0x01, 0x0d, 0xb9, ...new Uint8Array(11), 7)
  node.deliver({ address, port: 3540 }, message)
  node.takeOne('AUTHORITY')
})

test('a spoofed SOLICIT and REQUEST aim five small FLOODs, once', () => {
  const { node } = publisher()
  const victim = endpoint(77)
  node.deliver(victim, { type: 'SOLICIT', messageId: 7, hashedNonce: sha1(NONCE) })
  const { message } = node.takeOne('ADVERTISE')
  const request: PnrpMessage = {
    type: 'REQUEST',
    messageId: 8,
    nonce: NONCE,
    // The spoofer guesses well, and asks for as much as a datagram holds.
    pnrpIds: [...message.pnrpIds, ...Array.from({ length: 30 }, (_, n) => cachedAt(n + 1).pnrpId)],
  }
  let bytes = 0
  for (let i = 0; i < 10; i++) bytes += bytesOut(node, encodeMessage(request), victim)
  const floods = node.take('FLOOD')
  assert.is(floods.length, 5)
  // ACK 20, FLOOD 12 + 8 + 36 + 60 + 30 = 146.
  assert.is(bytes, 10 * 20 + 5 * 146)
})

test('SOLICITs from everywhere fill a bounded table', () => {
  const { node } = publisher()
  for (let i = 0; i < 3_000; i++) {
    const address = new Uint8Array([0x20, 0x02, i >> 8, i & 255, ...new Uint8Array(12)])
    node.deliver({ address, port: 3540 }, solicit(i & 255))
  }
  const advertised = node.take('ADVERTISE')
  const answered = advertised.filter(({ message }) => message.pnrpIds.length > 0).length
  assert.ok(answered <= LIMITS.conversations)
  assert.is(node.counter('refused.conversations-full'), advertised.length - answered)
  assert.ok(node.counter('drop.solicit-budget') > 0)
})

test('lists of twenty-two are taken, of more not', () => {
  const { node, pnrpId } = publisher()
  const list = Array.from({ length: 22 }, (_, n) => endpoint(500 + n))
  node.deliver(STRANGER, lookup({ flaggedPath: list }))
  node.takeOne('AUTHORITY')
  node.deliver(STRANGER, {
    type: 'FLOOD',
    messageId: 1,
    doNotAck: false,
    validatePnrpId: pnrpId,
    floodedList: list,
    routeEntry: { pnrpId: id(3, 3), port: 3540, addresses: [address(600)] },
  })
  node.takeOne('ACK')
  const bytes = encodeMessage(lookup({ flaggedPath: list }))
  const longer = new Uint8Array(bytes.length + 18)
  longer.set(bytes)
  longer.set(bytes.subarray(bytes.length - 18), bytes.length)
  const at = bytes.length - 22 * 18 - 12
  new DataView(longer.buffer).setUint16(at + 2, 12 + 23 * 18)
  new DataView(longer.buffer).setUint16(at + 4, 23)
  new DataView(longer.buffer).setUint16(at + 6, 8 + 23 * 18)
  node.sent.length = 0
  node.deliverBytes(STRANGER, longer)
  assert.equal(node.take('AUTHORITY'), [])
})

test('nothing that arrives in a receive buffer is kept without being copied', () => {
  // CloudHarness overwrites each datagram once the machine has had it.
  const { node } = publisher()
  const joiner = endpoint(80)
  const entry = { pnrpId: id(9, 9), port: 3540, addresses: [joiner.address] }
  node.deliver(joiner, {
    type: 'SOLICIT',
    messageId: 7,
    hashedNonce: sha1(NONCE),
    routeEntry: entry,
  })
  const { pnrpIds } = node.takeOne('ADVERTISE').message
  node.deliver(joiner, { type: 'REQUEST', messageId: 8, nonce: NONCE, pnrpIds })
  for (const { message } of node.take('FLOOD')) {
    assert.equal(message.validatePnrpId, entry.pnrpId)
    const known = node.cache.get(message.routeEntry?.pnrpId as Uint8Array)
    assert.equal(message.routeEntry?.addresses, known?.addresses)
  }
})

test.run()
