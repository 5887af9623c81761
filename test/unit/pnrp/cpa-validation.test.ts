// All steps of MS-PNRP 3.1.5.7 to 3.1.5.9 on answers to the INQUIRE of a resolve, one spoilt field
// at a time. A keyed hash stands in for RSA; what RSA itself must reject is tested with the port.
import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import { reversedBytes } from '#lib/core/bytes.js'
import { classifierHash, p2pIdOf, pnrpIdOf } from '#lib/pnrp/pnrp-id.js'
import type { ChainRefusal } from '#lib/pnrp/crypto-port.js'
import type { CpaRefusal } from '#lib/pnrp/interface.js'
import { encodeCpa } from '#lib/wire/codec.js'
import type {
  AuthorityBuffer,
  CertifiedPeerAddress,
  ExtendedPayload,
  InquireMessage,
} from '#lib/wire/messages.js'
import { test } from '../../harness.js'
import { CloudHarness, type Sent } from '../../support/cloud-harness.js'
import { fakePublicKey, fakeSignature } from '../../support/fake-crypto.js'
import { FakePublisher, hoursAhead } from '../../support/fake-publisher.js'
import { endpoint, entry, id } from '../../support/route-entries.js'

type Inquire = Sent<InquireMessage>
type Answer = (publisher: FakePublisher, inquire: Inquire) => Partial<AuthorityBuffer>

interface Result {
  readonly h: CloudHarness
  readonly outcome: string | undefined
  readonly reason: string | undefined
}

const SECURE = new FakePublisher({ endpoint: endpoint(20), identity: 'Ada' })
const UNSECURED = new FakePublisher({ endpoint: endpoint(20) })

/** Resolves the publisher's name against this one answer. */
function judge(publisher: FakePublisher, answer: Answer, h = new CloudHarness()): Result {
  h.cache.insert(publisher.entry, 0)
  const { authority, classifier } = publisher
  h.resolve(1, { classifier, ...(authority === undefined ? {} : { authority }) })
  const inquire = h.takeOne('INQUIRE')
  h.answer(inquire, answer(publisher, inquire))
  const done = h.outcome(1)
  return { h, outcome: done?.outcome, reason: done?.refusals[0] }
}

const changed =
  (fields: Partial<CertifiedPeerAddress>): Answer =>
  (publisher, inquire) =>
    publisher.answer(inquire, fields)

const without =
  (...members: (keyof CertifiedPeerAddress)[]): Answer =>
  (publisher, inquire) => {
    const cpa: Record<string, unknown> = { ...publisher.cpa(inquire) }
    for (const member of members) delete cpa[member]
    return { ...publisher.answer(inquire), cpa: publisher.sign(cpa as never) }
  }

test('PNRP-3.1.5.7-2 PNRP-3.1.5.7-8 PNRP-3.1.5.9-3 PNRP-2.2.3.1-14 a good CPA of a secure name is accepted', () => {
  const { h, outcome } = judge(SECURE, changed({}))
  assert.is(outcome, 'found')
  assert.is(h.outcome(1)?.peer?.verified, 'authority')
  assert.is(h.outcome(1)?.peer?.classifier, 'test')
  assert.equal(h.outcome(1)?.peer?.publicKey, SECURE.publicKey)
})

test('an unsecured name is accepted under any key, and said to be tied to nobody', () => {
  const { h, outcome } = judge(UNSECURED, changed({ publicKey: fakePublicKey('whoever') }))
  assert.is(outcome, 'found')
  assert.is(h.outcome(1)?.peer?.verified, 'none')
})

/** The answer is refused for this reason, counted, and its entry evicted. */
function refuses(reason: CpaRefusal, publisher: FakePublisher, answer: Answer): void {
  const result = judge(publisher, answer)
  assert.is(result.reason, reason)
  assert.is(result.outcome, reason === 'not-registered' ? 'not-found' : 'refused')
  assert.is(result.h.counter(`refused.cpa.${reason}`), 1)
  assert.not(result.h.cache.has(publisher.pnrpId))
}

test('an answer without CPA is refused', () => {
  refuses('no-cpa', SECURE, () => ({ classifier: 'test' }))
})

test('PNRP-3.1.5.7-1 PNRP-3.1.5.9-1 a CPA or SIGNATURE that breaks the syntax is refused', () => {
  const patched =
    (at: number, byte: number): Answer =>
    (p, i) => {
      const cpa = p.sign(p.cpa(i))
      cpa[at < 0 ? cpa.length + at : at] = byte
      return { ...p.answer(i), cpa }
    }
  refuses('cpa-malformed', SECURE, patched(0, 1)) // CPA Length
  refuses('cpa-malformed', SECURE, patched(3, 9)) // version
  refuses('cpa-malformed', SECURE, patched(-136, 0x87)) // Field Length of SIGNATURE
  refuses('cpa-malformed', SECURE, patched(-134, 0x7f)) // Signature Length
  refuses('cpa-malformed', SECURE, patched(-132, 0x05)) // ALG_ID
})

test('a revoke CPA is no answer', () => {
  refuses('cpa-revoked', SECURE, (p) => ({ cpa: p.revoke() }))
})

test('PNRP-3.1.5.7-2 a CPA under the wrong key, or for another authority, is refused', () => {
  refuses('cpa-authority', SECURE, changed({ publicKey: fakePublicKey('Eve') }))
  refuses('cpa-authority', SECURE, changed({ binaryAuthority: new Uint8Array(20).fill(9) }))
})

test('PNRP-3.1.5.7-5 an expired CPA is refused', () => {
  refuses('cpa-expired', SECURE, changed({ notAfter: hoursAhead(0) - 1n }))
})

test('PNRP-3.1.5.7-6 a CPA with the wrong nonce is refused', () => {
  refuses('cpa-nonce', SECURE, changed({ nonce: new Uint8Array(16) }))
})

test('PNRP-3.1.5.7-7 N-09 a CPA for another PNRP ID is refused', () => {
  refuses('cpa-pnrp-id', SECURE, changed({ serviceLocation: new Uint8Array(16) }))
  refuses('cpa-pnrp-id', SECURE, changed({ classifierHash: classifierHash('other') }))
  refuses('cpa-pnrp-id', SECURE, without('binaryAuthority'))
  const foreign = entry(id(0x20), 20)
  refuses('cpa-pnrp-id', SECURE, (p, i) => ({ ...p.answer(i), routeEntry: foreign }))
})

test('a CLASSIFIER that is not the text under the hash is refused', () => {
  refuses('cpa-classifier', SECURE, (p, i) => ({ ...p.answer(i), classifier: 'tset' }))
})

test('a CPA that does not list the address that answered is refused', () => {
  const elsewhere = [endpoint(21), endpoint(20, 3541)]
  refuses('cpa-addresses', SECURE, changed({ serviceAddresses: elsewhere }))
})

test('PNRP-3.1.5.7-8 PNRP-3.1.5.9-4 a signature of other bytes is refused', () => {
  refuses('signature', SECURE, (p, i) => {
    const cpa = p.cpa(i)
    const other = encodeCpa({ ...cpa, friendlyName: Uint8Array.of(65, 0) })
    return { cpa: encodeCpa({ ...cpa, signature: fakeSignature(p.publicKey, other) }) }
  })
})

test('PNRP-3.1.5.9-3 a signature under another key than the CPA’s is refused', () => {
  refuses('signature', UNSECURED, (p, i) => {
    const cpa = p.cpa(i)
    const signature = fakeSignature(fakePublicKey('Eve'), encodeCpa(cpa))
    return { cpa: encodeCpa({ ...cpa, signature }) }
  })
})

test('N is no answer, and no forgery either', () => {
  refuses('not-registered', SECURE, () => ({ notFound: true }))
})

// Issue, "Done means" 7: whatever the forgery, the honest publisher of the same name is found.
test('after each kind of forgery the honest publisher is found, and the forgery has its reason', () => {
  const at = (suffix: number): Uint8Array => new Uint8Array(16).fill(suffix, 8, 9)
  const liar = new FakePublisher({
    endpoint: endpoint(66),
    identity: 'Ada',
    serviceLocation: at(0x80),
  })
  const honest = new FakePublisher({
    endpoint: endpoint(20),
    identity: 'Ada',
    serviceLocation: at(0x90),
  })
  const chain = { certificateChain: Uint8Array.of(0x30, 0) }
  const forgeries: [CpaRefusal, Answer][] = [
    ['cpa-authority', changed({ publicKey: fakePublicKey('Eve') })],
    ['cpa-nonce', changed({ nonce: new Uint8Array(16) })],
    ['cpa-expired', changed({ notAfter: hoursAhead(-1) })],
    ['cpa-pnrp-id', changed({ classifierHash: classifierHash('other') })],
    ['cpa-addresses', changed({ serviceAddresses: [endpoint(67)] })],
    ['no-cpa', () => ({})],
    ['payload-missing', changed({ hasExtendedPayload: true })],
    ['chain-signature', (p, i) => ({ ...p.answer(i), ...chain })],
    ['chain-classifier-not-delegated', (p, i) => ({ ...p.answer(i), ...chain })],
  ]
  for (const [reason, forge] of forgeries) {
    const h = new CloudHarness({ cached: [entry(id(0x11), 11), liar.entry] })
    if (reason.startsWith('chain-')) h.chainRefusal = reason as ChainRefusal
    h.resolve(1, { authority: liar.authority as Uint8Array })
    const inquire = h.takeOne('INQUIRE')
    assert.equal(inquire.to, endpoint(66), reason)
    h.answer(inquire, forge(liar, inquire))
    const lookup = h.takeOne('LOOKUP')
    assert.equal(lookup.to, endpoint(11), reason)
    h.answer(lookup, { routeEntry: honest.entry })
    const second = h.take('INQUIRE').find((sent) => sent.to.address[15] === 20) as Inquire
    h.answer(second, honest.answer(second))
    assert.equal(h.outcome(1)?.peer?.pnrpId, honest.pnrpId, reason)
    assert.equal(h.outcome(1)?.refusals, [reason])
  }
})

test('the very last moment of Not After is good', () => {
  assert.is(judge(SECURE, changed({ notAfter: hoursAhead(0) })).outcome, 'found')
})

test('PNRP-3.1.5.7-2 an authority of zeros is none', () => {
  const answer: Answer = (p, i) => {
    const signed = p.sign({ ...p.cpa(i), binaryAuthority: new Uint8Array(20).fill(1) })
    // The encoder refuses an authority of zeros: patch it, then sign again.
    signed.fill(0, 48, 68)
    const bytes = signed.slice(0, signed.length - 136)
    signed.set(fakeSignature(p.publicKey, bytes), signed.length - 128)
    return { ...p.answer(i), cpa: signed }
  }
  const result = judge(UNSECURED, answer)
  assert.is(result.outcome, 'found')
  assert.is(result.h.outcome(1)?.peer?.verified, 'none')
})

test('PNRP-3.1.5.7-3 PNRP-3.1.5.7-2 a chain vouches for a key that is not the authority’s', () => {
  const delegate = fakePublicKey('Bob')
  const chained: Answer = (p, i) => ({
    ...p.answer(i, { publicKey: delegate }),
    certificateChain: Uint8Array.of(0x30, 0x00),
  })
  const good = judge(SECURE, chained)
  assert.is(good.outcome, 'found')
  assert.is(good.h.outcome(1)?.peer?.verified, 'chain')
  const h = new CloudHarness()
  h.chainRefusal = 'chain-validity'
  assert.is(judge(SECURE, chained, h).reason, 'chain-validity')
})

test('PNRP-3.1.5.10-11 a delegate cannot hide its classifier from the chain by leaving it out', () => {
  const hidden = judge(SECURE, (p, i) => {
    const elements = Object.entries(p.answer(i)).filter(([element]) => element !== 'classifier')
    return { ...Object.fromEntries(elements), certificateChain: Uint8Array.of(0x30, 0x00) }
  })
  assert.is(hidden.reason, 'cpa-classifier')
})

test('PNRP-3.1.5.10-11 PNRP-3.1.5.10-8 PNRP-3.1.5.10-9 the chain is checked against authority, key, classifier and time', () => {
  const h = new CloudHarness()
  h.holdCrypto = true
  const chain = Uint8Array.of(0x30, 0x00)
  judge(SECURE, (p, i) => ({ ...p.answer(i), certificateChain: chain }), h)
  const [job] = h.heldCrypto
  assert.is(job?.kind, 'verify')
  if (job?.kind !== 'verify') return
  assert.equal(job.chainCheck?.chain, chain)
  assert.equal(job.chainCheck?.binaryAuthority, SECURE.authority)
  assert.equal(job.chainCheck?.cpaPublicKey, SECURE.publicKey)
  assert.is(job.chainCheck?.classifier, 'test')
  assert.is(job.chainCheck?.wallMs, 1_795_305_600_000)
})

test('PNRP-3.1.5.10-11 hostile: a delegate cannot hide its classifier from the chain', () => {
  refuses('cpa-classifier', SECURE, (p, i) => ({
    routeEntry: p.entry,
    cpa: p.sign(p.cpa(i)),
    certificateChain: Uint8Array.of(0x30, 0),
  }))
})

test('what the signatures are checked on does not live in the receive buffer', () => {
  const h = new CloudHarness()
  h.holdCrypto = true
  assert.is(judge(SECURE, changed({}), h).outcome, undefined)
  h.releaseCrypto()
  assert.is(h.outcome(1)?.outcome, 'found')
})

function payloadOf(inquire: Inquire, fields: Partial<ExtendedPayload> = {}): ExtendedPayload {
  return {
    notAfter: hoursAhead(24),
    pnrpId: SECURE.pnrpId,
    nonce: inquire.message.nonce as Uint8Array,
    payload: { kind: 'binary', data: Uint8Array.of(1, 2, 3) },
    ...fields,
  }
}

const withPayload =
  (fields: Partial<ExtendedPayload>, key = SECURE.publicKey): Answer =>
  (p, i) => ({
    ...p.answer(i, { hasExtendedPayload: true }),
    extendedPayload: p.signPayload(payloadOf(i, fields), key),
  })

test('PNRP-3.1.5.7-4 PNRP-3.1.5.8-1 a good extended payload is handed over', () => {
  const { h, outcome } = judge(SECURE, withPayload({}))
  assert.is(outcome, 'found')
  const payload = h.outcome(1)?.peer?.extendedPayload
  assert.equal(payload, { kind: 'binary', data: Uint8Array.of(1, 2, 3) })
})

function refusesPayload(reason: CpaRefusal, answer: Answer): void {
  assert.is(judge(SECURE, answer).reason, reason)
}

test('N-61 PNRP-3.1.5.7-4 a payload that was promised and did not come is missed', () => {
  refusesPayload('payload-missing', changed({ hasExtendedPayload: true }))
})

test('PNRP-3.1.5.8-1 a malformed extended payload is refused', () => {
  refusesPayload('payload-malformed', (p, i) => ({
    ...p.answer(i, { hasExtendedPayload: true }),
    extendedPayload: p.signPayload(payloadOf(i)).fill(0, 64, 66),
  }))
})

test('PNRP-3.1.5.8-2 an expired extended payload is refused', () => {
  refusesPayload('payload-expired', withPayload({ notAfter: hoursAhead(0) - 1n }))
})

test('PNRP-3.1.5.8-3 an extended payload of another ID is refused', () => {
  refusesPayload('payload-pnrp-id', withPayload({ pnrpId: id(0x20) }))
})

test('PNRP-3.1.5.8-4 an extended payload with another nonce is refused', () => {
  refusesPayload('payload-nonce', withPayload({ nonce: new Uint8Array(16) }))
})

test('PNRP-3.1.5.8-5 an extended payload signed by another key than the CPA’s is refused', () => {
  refusesPayload('signature', withPayload({}, fakePublicKey('Eve')))
})

test('N-61 an unasked payload is left alone', () => {
  const answer: Answer = (p, i) => ({ ...p.answer(i), extendedPayload: Uint8Array.of(1, 2, 3) })
  const { h, outcome } = judge(SECURE, answer)
  assert.is(outcome, 'found')
  assert.is(h.outcome(1)?.peer?.extendedPayload, undefined)
})

test('N-42 N-43 N-02 self-calibration: how the other side writes is read, learned and told', () => {
  const reversedHash = reversedBytes(classifierHash('test'))
  const classifier = createHash('sha1').update('test', 'utf8').digest()
  const p2pId = p2pIdOf(new Uint8Array(classifier), SECURE.authority)
  const cases: [string, string, (h: CloudHarness) => Result][] = [
    [
      'serviceLocationOrder',
      'natural',
      (h) => judge(SECURE, changed({ serviceLocation: reversedBytes(SECURE.pnrpId.slice(16)) }), h),
    ],
    [
      'authorityOrder',
      'natural',
      (h) =>
        judge(SECURE, changed({ binaryAuthority: reversedBytes(SECURE.authority as never) }), h),
    ],
    [
      'classifierHashOrder',
      'reversed',
      (h) => judge(SECURE, changed({ classifierHash: reversedHash }), h),
    ],
    [
      'signatureByteOrder',
      'capi',
      (h) =>
        judge(
          SECURE,
          (p, i) => {
            const cpa = p.cpa(i)
            const signature = reversedBytes(fakeSignature(p.publicKey, encodeCpa(cpa)))
            return { ...p.answer(i), cpa: encodeCpa({ ...cpa, signature }) }
          },
          h,
        ),
    ],
  ]
  for (const [trait, value, run] of cases) {
    const result = run(new CloudHarness())
    assert.is(result.outcome, 'found', trait)
    const [event] = result.h.eventsOf('dialect')
    assert.is(event?.dialect[trait], `${value} (observed)`, trait)
    assert.is(result.h.machine.statistics().dialect[trait], `${value} (observed)`, trait)
  }
  // A publisher that hashes UTF-8: its ID cannot be computed our way, but is met by its target.
  const pnrpId = pnrpIdOf(p2pId, SECURE.pnrpId.slice(16))
  const h = new CloudHarness({ cached: [{ ...SECURE.entry, pnrpId }] })
  h.resolve(1, { targetPnrpId: pnrpId })
  const inquire = h.takeOne('INQUIRE')
  const cpa = SECURE.sign({ ...SECURE.cpa(inquire), classifierHash: new Uint8Array(classifier) })
  h.answer(inquire, { classifier: 'test', cpa })
  assert.is(h.outcome(1)?.outcome, 'found')
  assert.is(h.machine.statistics().dialect['classifierEncoding'], 'utf-8 (observed)')
})

test('N-02 where two encodings were observed, a name that is not found one way is looked for the other', () => {
  const h = new CloudHarness()
  judge(SECURE, changed({}), h)
  const utf8 = new Uint8Array(createHash('sha1').update('test', 'utf8').digest())
  const pnrpId = pnrpIdOf(p2pIdOf(utf8, SECURE.authority), SECURE.pnrpId.slice(16))
  h.cache.clear()
  h.cache.insert({ ...SECURE.entry, pnrpId }, h.now)
  h.resolve(2, { targetPnrpId: pnrpId })
  const inquire = h.takeOne('INQUIRE')
  const cpa = SECURE.sign({
    ...SECURE.cpa(inquire),
    classifierHash: utf8,
    serviceLocation: pnrpId.slice(16),
  })
  h.answer(inquire, { classifier: 'test', cpa })
  assert.is(h.outcome(2)?.outcome, 'found')
  h.resolve(3, { classifier: 'name' })
  const first = h.takeOne('LOOKUP')
  h.answer(first, { busy: true })
  const second = h.takeOne('LOOKUP')
  const p2pIds = [first, second].map(({ message }) => message.targetPnrpId.slice(0, 16))
  const hashOf = (encoding: 'utf16le' | 'utf8'): Uint8Array =>
    new Uint8Array(createHash('sha1').update(Buffer.from('name', encoding)).digest())
  assert.equal(p2pIds, [p2pIdOf(hashOf('utf16le')), p2pIdOf(hashOf('utf8'))])
})

test.run()
