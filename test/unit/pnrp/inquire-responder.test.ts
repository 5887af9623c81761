// MS-PNRP 3.2.5.6 to 3.2.5.10.
import * as assert from 'uvu/assert'
import { hours } from '#lib/core/instant.js'
import { sha1 } from '#lib/native/digest.js'
import type { InquireMessage, PnrpId } from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import {
  at,
  checkedCpa,
  checkedPayload,
  entry,
  offset,
  publicKey,
  PublisherHarness,
  SPEC,
  toId,
} from '../../support/publisher-harness.js'

const ASKER = at(5000)
const NONCE = Uint8Array.from({ length: 16 }, (_, i) => i + 1)

function inquire(validatePnrpId: PnrpId, change: Partial<InquireMessage> = {}): InquireMessage {
  return {
    type: 'INQUIRE',
    messageId: 77,
    wantCpa: false,
    wantExtendedPayload: false,
    wantCertificateChain: false,
    validatePnrpId,
    ...change,
  }
}

const everything = { wantCpa: true, wantExtendedPayload: true, wantCertificateChain: true }

function answerTo(
  harness: PublisherHarness,
  message: InquireMessage,
): ReturnType<PublisherHarness['answer']> {
  harness.responder.handleInquire(ASKER, message)
  harness.crypto()
  return harness.answer()
}

test('PNRP-3.2.5.6-2 an unregistered ID is answered with N and nothing else', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  harness.cache(offset(id, 1n), at(4001))
  for (const other of [toId(5n), offset(id, 1n)]) {
    const answer = answerTo(harness, inquire(other, { ...everything, nonce: NONCE }))
    assert.is(answer.notFound, true)
    assert.is(answer.routeEntry ?? answer.cpa ?? answer.classifier, undefined)
  }
})

test('PNRP-3.2.5.6-3 a registered ID is answered to the source, without flags', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  harness.responder.handleInquire(ASKER, inquire(id))
  const [sent] = harness.sentOf('AUTHORITY')
  assert.equal(sent?.to, ASKER)
  assert.is(sent?.message.ackedMessageId, 77)
  assert.is(sent?.message.size, 8) // flags and their padding
  assert.equal(harness.jobs(), [], 'nothing is signed for it')
  const { notFound, leafSet, busy } = answerTo(harness, inquire(id))
  assert.equal([notFound, leafSet, busy], [false, false, false])
})

test('PNRP-3.2.5.6-4 PNRP-3.2.5.6-5 PNRP-2.2.3.1-12 PNRP-3.2.5.7-1 A adds a CPA with the nonce', () => {
  const harness = new PublisherHarness()
  const id = harness.register({ friendlyName: { bytes: Buffer.from('Ada'), utf8: true } })
  const cpa = checkedCpa(answerTo(harness, inquire(id, { wantCpa: true, nonce: NONCE })).cpa)
  assert.is(cpa.revoke, false)
  assert.equal(cpa.nonce, NONCE)
  assert.equal(cpa.serviceLocation, id.subarray(16))
  assert.equal(cpa.classifierHash, sha1(Buffer.from('test', 'utf16le')))
  assert.is(cpa.binaryAuthority, undefined)
  assert.equal(cpa.publicKey, publicKey(1))
  assert.equal(cpa.appEndpoints, SPEC.appEndpoints)
  assert.equal(Buffer.from(cpa.friendlyName ?? []).toString(), 'Ada')
  assert.is(cpa.friendlyNameIsUtf8, true)
})

test('N-10 without a nonce the CPA carries 16 zero bytes', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  const cpa = checkedCpa(answerTo(harness, inquire(id, { wantCpa: true })).cpa)
  assert.equal(cpa.nonce, new Uint8Array(16))
})

test('PNRP-3.2.5.7-2 the service addresses are the Local Endpoint List', () => {
  const endpoints = [1, 2, 3, 4].map((n) => ({
    address: Uint8Array.of(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, n),
    port: 3540,
  }))
  const harness = new PublisherHarness({ scope: 'global', endpoints })
  const id = harness.register()
  const answer = answerTo(harness, inquire(id, { wantCpa: true, nonce: NONCE }))
  assert.equal(checkedCpa(answer.cpa).serviceAddresses, endpoints)
  // N-09, N-50: and the route entry names the same.
  assert.equal(answer.routeEntry, {
    pnrpId: id,
    port: 3540,
    addresses: endpoints.map((endpoint) => endpoint.address),
  })
})

test('PNRP-3.2.5.7-2 a CPA lists the addresses of the moment, in the dialect of the moment', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  const ask = (): ReturnType<typeof checkedCpa> =>
    checkedCpa(answerTo(harness, inquire(id, { wantCpa: true, nonce: NONCE })).cpa)
  assert.equal(ask().serviceAddresses, [at(3540)])
  harness.context.localEndpoints = [at(3600)]
  assert.equal(ask().serviceAddresses, [at(3600)])
  assert.equal(ask().serviceLocation, id.subarray(16))
  harness.context.learn('serviceLocationOrder', 'natural')
  // The decoder turns what it reads round; the bytes on the wire are in natural order now.
  assert.equal(ask().serviceLocation, id.slice(16).reverse())
})

test('PNRP-2.2.3.1-9 N-54 a CPA is valid for 24 hours from the answer', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  harness.pass(hours(100))
  const { notAfter } = checkedCpa(
    answerTo(harness, inquire(id, { wantCpa: true, nonce: NONCE })).cpa,
  )
  // FILETIME counts 100 ns from 1601; 1970 is 11,644,473,600 s later.
  const unixMs = Number(notAfter / 10_000n) - 11_644_473_600_000
  assert.is(Math.round(unixMs), Date.UTC(2026, 0, 1) + (100 + 24) * 3_600_000)
})

test('PNRP-2.2.2.6.1-18 N-08 N-09 with a CPA go the classifier and our route entry', () => {
  const harness = new PublisherHarness()
  const id = harness.register({ classifier: 'Größe 🐟' })
  const answer = answerTo(harness, inquire(id, { wantCpa: true, nonce: NONCE }))
  assert.is(answer.classifier, 'Größe 🐟')
  assert.equal(answer.routeEntry, entry(id, at(3540)))
  const nothing = answerTo(harness, inquire(id))
  assert.is(nothing.classifier, undefined)
  assert.is(nothing.routeEntry, undefined)
})

test('N-45 an empty classifier is left out, and so is its hash', () => {
  const harness = new PublisherHarness()
  const authority = sha1(publicKey(1))
  const id = harness.register({ classifier: '', authority })
  const answer = answerTo(harness, inquire(id, { wantCpa: true, nonce: NONCE }))
  assert.is(answer.classifier, undefined)
  assert.is(checkedCpa(answer.cpa).classifierHash, undefined)
  assert.equal(checkedCpa(answer.cpa).binaryAuthority, authority)
})

test('PNRP-3.2.5.6-6 PNRP-2.2.2.6.1-10 C adds the certificate chain, if there is one', () => {
  const chain = Uint8Array.from({ length: 900 }, (_, i) => i)
  const authority = sha1(publicKey(2))
  const harness = new PublisherHarness()
  const id = harness.register({ authority, certificateChain: chain })
  const plain = harness.register({ classifier: 'plain' })
  const message = inquire(id, { wantCpa: true, wantCertificateChain: true, nonce: NONCE })
  const answer = answerTo(harness, message)
  assert.equal(answer.certificateChain, chain)
  assert.equal(checkedCpa(answer.cpa).binaryAuthority, authority)
  assert.is(answerTo(harness, { ...message, validatePnrpId: plain }).certificateChain, undefined)
  assert.is(
    answerTo(harness, { ...message, wantCertificateChain: false }).certificateChain,
    undefined,
  )
  const onlyChain = answerTo(harness, inquire(id, { wantCertificateChain: true }))
  assert.equal(onlyChain.certificateChain, chain)
  assert.is(onlyChain.cpa, undefined)
})

test('PNRP-3.2.5.6-7 PNRP-3.2.5.8-1 PNRP-2.2.3.3-7 X adds the extended payload, signed for the nonce', () => {
  const harness = new PublisherHarness()
  const payload = { kind: 'text', encoding: 'utf-8', text: 'at her desk' } as const
  const id = harness.register({ extendedPayload: payload })
  const plain = harness.register({ classifier: 'plain' })
  const message = inquire(id, { wantCpa: true, wantExtendedPayload: true, nonce: NONCE })
  const answer = answerTo(harness, message)
  const received = checkedPayload(answer.extendedPayload, publicKey(1))
  assert.equal(received.payload, payload)
  assert.equal(received.nonce, NONCE)
  assert.equal(received.pnrpId, id)
  assert.is(checkedCpa(answer.cpa).hasExtendedPayload, true)
  const without = answerTo(harness, { ...message, wantExtendedPayload: false })
  assert.is(without.extendedPayload, undefined)
  assert.is(checkedCpa(without.cpa).hasExtendedPayload, true, 'X says what there is')
  const none = answerTo(harness, { ...message, validatePnrpId: plain })
  assert.is(none.extendedPayload, undefined)
  assert.is(checkedCpa(none.cpa).hasExtendedPayload, false)
})

test('PNRP-3.2.5.7-3 CPA and extended payload are signed in one job, with the name’s key', () => {
  const harness = new PublisherHarness()
  const id = harness.register({
    keyId: 'key-7',
    publicKey: publicKey(7),
    extendedPayload: { kind: 'binary', data: Uint8Array.of(1, 2, 3) },
  })
  harness.responder.handleInquire(ASKER, inquire(id, { ...everything, nonce: NONCE }))
  const jobs = harness.crypto()
  assert.is(jobs.length, 1)
  assert.is(jobs[0]?.keyId, 'key-7')
  assert.is(jobs[0]?.parts.length, 2)
})

test('PNRP-3.2.5.10-1 an answer of at most 1188 bytes is one AUTHORITY with Offset 0', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  harness.responder.handleInquire(ASKER, inquire(id, { wantCpa: true, nonce: NONCE }))
  harness.crypto()
  const { message } = harness.sole('AUTHORITY')
  assert.is(message.offset, 0)
  assert.is(message.size, message.buffer.length)
})

test('PNRP-3.2.5.10-2 PNRP-3.2.5.10-3 PNRP-3.2.5.10-4 PNRP-3.2.5.10-5 a longer one is cut at 1188', () => {
  const harness = new PublisherHarness()
  const data = new Uint8Array(4096).fill(9)
  const id = harness.register({ extendedPayload: { kind: 'binary', data } })
  harness.responder.handleInquire(ASKER, inquire(id, { ...everything, nonce: NONCE }))
  harness.crypto()
  const fragments = harness.sentOf('AUTHORITY').map((sent) => sent.message)
  const size = fragments[0]?.size ?? 0
  assert.is(fragments.length, Math.ceil(size / 1188))
  fragments.forEach((fragment, i) => {
    assert.is(fragment.size, size)
    assert.is(fragment.offset, i * 1188)
    assert.is(fragment.messageId, fragments[0]?.messageId)
    assert.is(fragment.ackedMessageId, 77)
    const last = i === fragments.length - 1
    assert.is(fragment.buffer.length, last ? size - i * 1188 : 1188)
  })
})

test('an ID that leaves while its answer is being signed is answered with N', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  harness.responder.handleInquire(ASKER, inquire(id, { wantCpa: true, nonce: NONCE }))
  harness.registrations.unregister(1)
  harness.crypto()
  assert.is(harness.answer().notFound, true)
})

test('N-68 out of signing capacity an INQUIRE for a CPA is dropped, one without is answered', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  harness.context.signingLoad = 1
  harness.responder.handleInquire(ASKER, inquire(id, { wantCpa: true, nonce: NONCE }))
  harness.crypto()
  assert.equal(harness.sent(), [])
  assert.is(harness.counter('drop.signing-capacity'), 1)
  assert.is(answerTo(harness, inquire(id)).notFound, false)
  harness.context.signingLoad = 0.9
  assert.ok(answerTo(harness, inquire(id, { wantCpa: true, nonce: NONCE })).cpa)
})

test('answers that wait for a signature are bounded', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  for (let i = 0; i < 1100; i++) {
    harness.responder.handleInquire(ASKER, inquire(id, { wantCpa: true, nonce: NONCE }))
  }
  assert.is(harness.counter('drop.signing-capacity'), 1100 - 1024)
  assert.is(harness.crypto().length, 1024)
  assert.ok(answerTo(harness, inquire(id, { wantCpa: true, nonce: NONCE })).cpa)
})

test('an INQUIRE whose signing fails is not answered', () => {
  const harness = new PublisherHarness()
  const id = harness.register()
  harness.responder.handleInquire(ASKER, inquire(id, { wantCpa: true, nonce: NONCE }))
  const [job] = harness.jobs()
  assert.ok(job)
  harness.context.cryptoDone({ id: job.id, kind: 'failed', message: 'gone' })
  assert.equal(harness.sent(), [])
  assert.is(harness.counter('failed.signing'), 1)
})

test('N-55 the answer to ourselves has everything that an INQUIRE would bring', () => {
  const harness = new PublisherHarness()
  const authority = sha1(publicKey(1))
  const payload = { kind: 'binary', data: Uint8Array.of(5) } as const
  const friendlyName = { bytes: Buffer.from('Ada'), utf8: true }
  const id = harness.register({ authority, friendlyName, extendedPayload: payload })
  const registration = harness.registrations.find(id)
  assert.ok(registration)
  const peer = harness.responder.answerLocally(registration)
  assert.equal(peer, {
    pnrpId: id,
    serviceAddresses: [at(3540)],
    appEndpoints: SPEC.appEndpoints,
    friendlyName,
    classifier: 'test',
    extendedPayload: payload,
    publicKey: publicKey(1),
    notAfter: harness.context.fileTime(hours(24)),
    verified: 'authority',
  })
})

test.run()
