// MS-PCHC 3.1 and 3.2 under virtual time.
import * as assert from 'uvu/assert'
import { ContentHasher } from '#lib/content/content-hasher.js'
import type { ContentSegment } from '#lib/content/content-info.js'
import { HostedCacheClient, offeredInfo, type OfferTransmit } from '#lib/content/hosted-client.js'
import { HostedCacheServer, type HostedEffect } from '#lib/content/hosted-server.js'
import { contentTag, decodeOffer, encodeOffer, OFFER_PATH } from '#lib/content/offers.js'
import { parseContentInfo, parseOfferedInfo } from '#lib/content/read-info.js'
import { writeContentInfo } from '#lib/content/write-info.js'
import { Counters } from '#lib/core/counters.js'
import { LIMITS } from '#lib/core/limits.js'
import { sampleContent } from '../../helpers/content-checker.js'
import { test } from '../../harness.js'

const SECOND = 1_000_000
const OK = Uint8Array.of(0, 0, 0, 1, 0)
const INTERESTED = Uint8Array.of(0, 0, 0, 1, 1)
const tag = contentTag('WebIO')
const BLOCK = 65_536

function segmentsOf(version: 1 | 2, length: number): readonly ContentSegment[] {
  const hasher = new ContentHasher({ version, algorithm: version === 1 ? 'sha256' : 'sha512' })
  hasher.push(sampleContent(length))
  const parsed = parseContentInfo(writeContentInfo(hasher.finish(), new Uint8Array(32)))
  assert.ok(parsed.ok)
  return parsed.info.segments
}

const [segment] = segmentsOf(1, 100 * BLOCK) as [ContentSegment]

function client(version: 1 | 2 = 1) {
  const counters = new Counters()
  const machine = new HostedCacheClient({ counters, version, port: 8080, tag })
  const sent = (): OfferTransmit[] => {
    const all: OfferTransmit[] = []
    for (let one = machine.pollTransmit(); one; one = machine.pollTransmit()) all.push(one)
    return all
  }
  return { counters, machine, sent }
}

/** A client that has just sent its first offer of the segment, at `now`. */
function offering(now = 0) {
  const made = client()
  made.machine.handleBlocks(now, segment, 100)
  const [first] = made.sent()
  assert.ok(first)
  return { ...made, first }
}

function server(known: { hasHashes: boolean; isComplete: boolean } | undefined) {
  const counters = new Counters()
  const machine = new HostedCacheServer({ counters, store: { get: () => known } })
  const effects = (): HostedEffect[] => {
    const all: HostedEffect[] = []
    for (let one = machine.pollEffect(); one; one = machine.pollEffect()) all.push(one)
    return all
  }
  return { counters, machine, effects }
}

const initial = encodeOffer({ type: 'initial', port: 8080, segmentId: segment.id })
const segmentInfo = encodeOffer({
  type: 'segment-info',
  port: 8080,
  tag,
  info: offeredInfo(segment),
})

function batchOf(count: number, salt = 0, segmentBytes = 1000): Uint8Array {
  const segments = Array.from({ length: count }, (_, i) => {
    const segmentId = new Uint8Array(32).fill(i)
    segmentId[0] = salt >> 8
    segmentId[1] = salt
    return { blockBytes: 1000, segmentBytes, tag, version: 2, segmentId } as const
  })
  return encodeOffer({ type: 'batched', port: 8080, segments })
}

test('D-109 a segment is offered when a fifth of its blocks are new, and then again', () => {
  const { machine, sent } = client()
  machine.handleBlocks(0, segment, 19)
  assert.equal(sent(), [])
  machine.handleBlocks(0, segment, 1)
  const [offer, more] = sent()
  assert.is(more, undefined)
  assert.is(offer?.path, OFFER_PATH[1])
  assert.equal(offer?.body, initial)
  for (let block = 0; block < 19; block++) machine.handleBlocks(0, segment, 1)
  assert.equal(sent(), [])
  machine.handleBlocks(0, segment, 1)
  assert.is(sent().length, 1)
})

test('D-109 what remains when a segment is whole, or its download over, is offered as well', () => {
  const { machine, sent } = client()
  for (let block = 0; block < 99; block++) machine.handleBlocks(0, segment, 1)
  assert.is(sent().length, 4)
  machine.handleBlocks(0, segment, 1)
  assert.is(sent().length, 1, 'the hundredth block of a hundred')
  machine.handleBlocks(0, segment, 7)
  machine.handleEnd(0)
  machine.handleEnd(0)
  assert.is(sent().length, 1)
})

test('what cannot be offered now is offered when answers have come', () => {
  const { counters, machine, sent } = client()
  const first: OfferTransmit[] = []
  for (let i = 0; i < LIMITS.hostedRequests + 10; i++) machine.handleBlocks(0, segment, 100)
  first.push(...sent())
  assert.is(first.length, LIMITS.hostedRequests)
  for (const { request } of first.slice(0, 4)) machine.handleAnswer(0, request, OK)
  machine.handleFailure(0, first[5]?.request ?? 0)
  assert.is(sent().length, 5)
  for (let at = machine.pollTimeout(); at < 16 * SECOND; at = machine.pollTimeout()) {
    machine.handleTimeout(at)
  }
  assert.is(sent().length, 5)
  assert.is(counters.get('refused.hosted-requests'), 0)
})

test('D-106 interest is answered with the information of that segment', () => {
  const { first, machine, sent } = offering()
  machine.handleAnswer(0, first.request, INTERESTED)
  const [out] = sent()
  assert.equal(out?.body, segmentInfo)
  const decoded = decodeOffer(out?.body ?? OK)
  assert.ok(decoded.ok && decoded.offer.type === 'segment-info' && decoded.offer.parsed?.ok)
  const [told] = decoded.offer.parsed.info.segments
  assert.equal(told?.id, segment.id)
  assert.equal(told?.blockHashes, segment.blockHashes)
  machine.handleAnswer(0, out?.request ?? 0, OK)
  assert.equal(sent(), [])
  assert.is(machine.pollTimeout(), Infinity)
})

test('what a client tells of a segment beyond the first says where it stands', () => {
  const second = segmentsOf(1, 32 * 1024 * 1024 + 5)[1]
  assert.ok(second)
  const parsed = parseOfferedInfo(offeredInfo(second))
  assert.ok(parsed.ok)
  assert.is(parsed.info.segments[0]?.offset, 32 * 1024 * 1024)
  assert.equal(parsed.info.segments[0]?.id, second.id)
})

test('D-105 an offer is forgotten after 10 to 15 seconds, and later answers with it', () => {
  for (const offset of [0, 1, 2 * SECOND, 5 * SECOND - 1]) {
    const { counters, machine, sent } = offering()
    machine.handleBlocks(offset, segment, 100) // a second request, within the first tick
    const [second] = sent()
    assert.ok(second)
    let expiredAt = 0
    for (let at = machine.pollTimeout(); at < Infinity; at = machine.pollTimeout()) {
      machine.handleTimeout(at)
      expiredAt = at
    }
    assert.is(counters.get('drop.hosted-expired'), 2)
    const life = expiredAt - offset
    assert.ok(life >= 10 * SECOND && life <= 15 * SECOND, String(life))
    machine.handleAnswer(expiredAt, second.request, INTERESTED)
    assert.equal(sent(), [])
    assert.is(counters.get('ignored.hosted-late'), 1)
  }
})

test('D-104 a client asked to prove who it is does so once and starts its timer again', () => {
  const { counters, first, machine, sent } = offering()
  assert.is(first.authenticate, false)
  machine.handleTimeout(5 * SECOND)
  machine.handleTimeout(10 * SECOND)
  machine.handleChallenge(10 * SECOND, first.request)
  const [again] = sent()
  assert.equal(again, { ...first, authenticate: true })
  machine.handleTimeout(15 * SECOND) // it would have expired here
  assert.is(counters.get('drop.hosted-expired'), 0)
  machine.handleAnswer(16 * SECOND, first.request, OK)
  assert.is(counters.get('received.hosted-ok'), 1)
  const refused = offering()
  refused.machine.handleChallenge(0, refused.first.request)
  refused.sent()
  refused.machine.handleChallenge(0, refused.first.request)
  assert.equal(refused.sent(), [])
  assert.is(refused.counters.get('drop.hosted-failure'), 1)
})

test('an answer that is none ends the request; interest in segment information is none', () => {
  const { counters, first, machine, sent } = offering()
  machine.handleAnswer(0, first.request, Uint8Array.of(0, 0, 0, 1, 2))
  const other = offering()
  other.machine.handleAnswer(0, other.first.request, INTERESTED)
  other.machine.handleAnswer(0, other.sent()[0]?.request ?? 0, INTERESTED)
  assert.equal([...sent(), ...other.sent()], [])
  assert.is(counters.get('drop.hosted-answer') + other.counters.get('drop.hosted-answer'), 2)
})

test('segments of version 2 are offered together, 128 at most', () => {
  const { machine, sent } = client(2)
  const segments = segmentsOf(2, 9 * 1024 * 1024).slice(0, 130)
  assert.ok(segments.length >= 3)
  for (const one of segments.slice(0, 3)) machine.handleBlocks(0, one, 1)
  assert.equal(sent(), [])
  machine.handleTimeout(machine.pollTimeout())
  const [out] = sent()
  assert.is(out?.path, OFFER_PATH[2])
  const decoded = decodeOffer(out?.body ?? OK)
  assert.ok(decoded.ok && decoded.offer.type === 'batched')
  assert.equal(
    decoded.offer.segments.map(({ blockBytes, segmentId }) => [blockBytes, segmentId]),
    segments.slice(0, 3).map(({ id, length }) => [length, id]),
  )
})

test('D-097 an unknown segment meets with interest; one whose hashes are known is fetched', () => {
  const unknown = server(undefined)
  assert.equal(unknown.machine.handleOffer(1, '192.0.2.9', initial), INTERESTED)
  assert.equal(unknown.effects(), [])
  const partly = server({ hasHashes: false, isComplete: false })
  assert.equal(partly.machine.handleOffer(1, '192.0.2.9', initial), INTERESTED)
  const hashed = server({ hasHashes: true, isComplete: false })
  assert.equal(hashed.machine.handleOffer(1, '192.0.2.9', initial), OK)
  assert.equal(hashed.effects(), [
    { type: 'pull', pull: 1, host: '192.0.2.9', port: 8080, segmentId: segment.id },
  ])
  const complete = server({ hasHashes: true, isComplete: true })
  assert.equal(complete.machine.handleOffer(1, '192.0.2.9', initial), OK)
  assert.equal(complete.effects(), [])
})

test('D-098 segment information is answered with OK, unasked too, and fetched from its sender', () => {
  const { effects, machine } = server(undefined)
  assert.equal(machine.handleOffer(1, 'fe80::9%eth0', segmentInfo), OK)
  const [learn, pull] = effects()
  assert.ok(learn?.type === 'learn' && pull?.type === 'pull')
  assert.equal(learn.segment.secret, segment.secret)
  assert.equal(learn.tag, tag)
  assert.equal([pull.host, pull.port, pull.segmentId], ['fe80::9%eth0', 8080, segment.id])
  // DA-28: another hash algorithm is answered and ignored.
  const bad = segmentInfo.slice()
  bad[32 + 2] = 0x0f
  const other = server(undefined)
  assert.equal(other.machine.handleOffer(1, '192.0.2.9', bad), OK)
  assert.equal(other.effects(), [])
})

test('D-102 messages of one version on the address of the other are dropped', () => {
  const { counters, effects, machine } = server(undefined)
  const batch = batchOf(1)
  const wrong: [1 | 2, Uint8Array][] = [
    [2, initial],
    [2, segmentInfo],
    [1, batch],
  ]
  for (const [version, body] of wrong) {
    assert.is(machine.handleOffer(version, '192.0.2.9', body), undefined)
  }
  assert.is(machine.handleOffer(2, '192.0.2.9', batch.subarray(1)), undefined)
  assert.equal(effects(), [])
  assert.is(counters.get('drop.hosted-other-version'), 3)
  assert.is(counters.get('drop.hosted-malformed'), 1)
})

test('pulls are bounded for each client and for all, and none is made twice', () => {
  const { counters, effects, machine } = server(undefined)
  const { hostedPullsPerSource: own, hostedPullsWaitingPerSource: most } = LIMITS
  const offer = (host: string, salt: number): void => {
    machine.handleOffer(2, host, batchOf(128, salt))
  }
  const full = Math.ceil((most + own) / 128) + 1
  for (let i = 0; i < full; i++) offer('192.0.2.9', i)
  offer('192.0.2.8', 0)
  const first = effects()
  assert.is(first.length, own)
  assert.is(counters.get('refused.hosted-pulls'), full * 128 - most - own)
  assert.is(counters.get('ignored.hosted-known'), 128)
  for (let i = 0; i < 5 * full; i++) offer(`192.0.2.${10 + (i % 5)}`, 1000 + i)
  first.push(...effects())
  assert.is(first.length, LIMITS.hostedPulls)
  // What has ended makes room, one for one, until nothing waits; each client has its turn.
  let done = 0
  const hosts = new Set<string>()
  for (let batch: HostedEffect[] = first; batch.length > 0; batch = effects()) {
    for (const one of batch) if (one.type === 'pull') machine.handlePulled(one.pull)
    for (const one of batch) if (one.type === 'pull' && done < 400) hosts.add(one.host)
    done += batch.length
  }
  assert.ok(hosts.size >= 6)
  const all = LIMITS.hostedPullsWaiting
  // One more of the first client: that its segments are offered by another is remembered.
  assert.ok(done >= all && done <= all + LIMITS.hostedPulls + 128, String(done))
})

test('of two who offer the same segment the second gets its turn when the first has failed', () => {
  const { counters, effects, machine } = server(undefined)
  const pulls = () => effects().flatMap((one) => (one.type === 'pull' ? [one] : []))
  for (const host of ['192.0.2.1', '192.0.2.2', '192.0.2.1', '192.0.2.3']) {
    machine.handleOffer(2, host, batchOf(1))
  }
  const [first, more] = pulls()
  assert.is(first?.host, '192.0.2.1')
  assert.is(more, undefined)
  machine.handlePulled(first?.pull ?? 0)
  const [second] = pulls()
  assert.is(second?.host, '192.0.2.2')
  machine.handlePulled(second?.pull ?? 0)
  assert.equal(pulls(), [])
  assert.is(counters.get('ignored.hosted-known'), 3)
  // One who has more of it by now gets another turn as well, unless it is all there.
  machine.handleOffer(2, '192.0.2.1', batchOf(1))
  machine.handleOffer(2, '192.0.2.1', batchOf(1))
  machine.handlePulled(pulls()[0]?.pull ?? 0)
  assert.is(pulls()[0]?.host, '192.0.2.1')
})

test('offers that cannot be true are answered and ignored (DA-27)', () => {
  const { counters, effects, machine } = server(undefined)
  assert.equal(machine.handleOffer(2, '192.0.2.9', batchOf(1, 0, 200_000)), OK)
  const noPort = batchOf(1)
  noPort.fill(0, 8, 10)
  assert.equal(machine.handleOffer(2, '192.0.2.9', noPort), OK)
  assert.is(machine.handleOffer(2, '192.0.2.9', batchOf(1, 0, 0)), undefined)
  assert.equal(effects(), [])
  assert.is(counters.get('ignored.hosted-size'), 1)
  assert.is(counters.get('ignored.hosted-no-port'), 1)
})

test.run()
