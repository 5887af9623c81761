// Expected values are derived by hand from MS-PNRP 3.1.4.4.2 and 3.1.5.6.1 and the decisions N-nn.
import * as assert from 'uvu/assert'
import { ResolveCriteria, ResolveReason } from '#lib/wire/messages.js'
import { ResolveWalk, type Hop, type LookupAnswer, type WalkInput } from '#lib/pnrp/resolve-walk.js'
import { test } from '../../harness.js'
import { endpoint, entry, id } from '../../support/route-entries.js'

const OWN = endpoint(1)
const TARGET = id(0x30)
const CACHE_FULL = 50

function walkOf(input: Partial<WalkInput> = {}): ResolveWalk {
  return new ResolveWalk({
    target: TARGET,
    criteria: ResolveCriteria.NONE,
    precision: 0,
    reason: ResolveReason.APP_REQUEST,
    ownEndpoint: OWN,
    ...input,
  })
}

type Flags = LookupAnswer['flags']
const NO_FLAGS: Flags = { leafSet: false, busy: false, notFound: false }

function answer(
  extra: Partial<Omit<LookupAnswer, 'flags'>> & { flags?: Partial<Flags> } = {},
): LookupAnswer {
  return { cacheEntries: CACHE_FULL, ...extra, flags: { ...NO_FLAGS, ...extra.flags } }
}

/** Pops the next hop as resolve.ts does when it sends the LOOKUP (S8 to S10). */
function ask(walk: ResolveWalk): Hop {
  const hop = walk.nextHopStack.pop() as Hop
  hop.useCount++
  return hop
}

const ids = (hops: readonly Hop[]): number[] => hops.map((hop) => hop.entry.pnrpId[0] as number)

test('PNRP-3.1.4.4.2-3 PNRP-3.1.4.4.2-4 a walk starts with zero counts and the own endpoint as its path', () => {
  const walk = walkOf()
  assert.is(walk.suspiciousCount, 0)
  assert.is(walk.totalUsefulHops, 0)
  assert.equal(walk.resolvePath, [OWN])
  assert.is(walk.currentBestMatch, undefined)
})

// MS-PNRP 4.1.3 with numbers: the target is 30 (node 3). Node 1 (ID 20) is the nearest cached. It
// names node 2 (28), which names nobody; asked again it names node 2a (2c), which names node 3.
// In the rows: stacks bottom first, IDs by their first byte, endpoints by their last.
test('PNRP-3.1.5.6.1-4 PNRP-3.1.5.6.1-11 PNRP-3.1.5.6.1-13 the walk of the example in 4.1.3, step by step', () => {
  const node1 = entry(id(0x20), 11)
  const node2 = entry(id(0x28), 12)
  const node2a = entry(id(0x2c), 13)
  const node3 = entry(id(0x30), 14)
  const table = [
    { asks: 0x20, named: node2, stack: [0x20, 0x28], best: 0x20, path: [1, 11] },
    { asks: 0x28, stack: [0x28, 0x20], best: 0x28, path: [1, 11, 12] },
    { asks: 0x20, named: node2a, stack: [0x28, 0x20, 0x2c], best: 0x28, path: [1, 11, 12] },
    {
      asks: 0x2c,
      named: node3,
      stack: [0x28, 0x20, 0x2c, 0x30],
      best: 0x2c,
      path: [1, 11, 12, 13],
    },
  ]
  const walk = walkOf()
  walk.push(node1)
  for (const [i, row] of table.entries()) {
    walk.takeMatch()
    const hop = ask(walk)
    assert.is(hop.entry.pnrpId[0], row.asks, `step ${i} asks`)
    const to = { address: hop.entry.addresses[0] as Uint8Array, port: 3540 }
    const named = row.named === undefined ? {} : { referral: row.named }
    const verdict = row.named === undefined ? 'dead-end' : 'referral'
    assert.is(walk.answered(hop, to, answer(named)), verdict, `step ${i} verdict`)
    assert.equal(ids(walk.nextHopStack), row.stack, `step ${i} NextHopStack`)
    assert.is(walk.currentBestMatch?.pnrpId[0], row.best, `step ${i} CurrentBestMatch`)
    assert.equal(
      walk.resolvePath,
      row.path.map((n) => endpoint(n)),
      `step ${i} ResolvePath`,
    )
  }
  // Node 3 is what was looked for: "initiates validation by sending an INQUIRE".
  walk.takeMatch()
  assert.equal(ids(walk.nextHopStack), [0x28, 0x20, 0x2c])
  assert.is(walk.currentBestMatch, node3)
  assert.is(walk.totalUsefulHops, table.length)
  assert.equal(
    walk.bestMatchStack.map((e) => e.pnrpId[0]),
    [0x20, 0x28, 0x2c],
  )
  assert.ok(walk.closeEnough(walk.currentBestMatch as never))
})

test('a match on top is taken once, unless it is unwanted, unknown or the best is one already', () => {
  const nearer = entry(id(0x2f, 0xff), 11)
  const match = entry(id(0x30, 0x80), 12)
  const other = entry(id(0x30, 0x81), 13)
  const input = { criteria: ResolveCriteria.UPPER_BITS, precision: 8 }
  const walk = walkOf(input)
  walk.currentBestMatch = nearer
  walk.push(other)
  walk.push(match)
  // Not the nearer one, for it is no match at all.
  walk.takeMatch()
  assert.is(walk.currentBestMatch, match)
  assert.equal(walk.bestMatchStack, [nearer])
  walk.takeMatch()
  assert.is(walk.currentBestMatch, match)
  walk.ruleOut(match.pnrpId, endpoint(12), 'refused')
  assert.is(walk.currentBestMatch, nearer)
  walk.push(match)
  walk.takeMatch()
  assert.equal(walk.nextHopStack.pop()?.entry, match)
  walk.takeMatch()
  assert.is(walk.currentBestMatch, other)
  assert.equal(walk.nextHopStack, [])
  const excluding = walkOf({ ...input, excludeIds: [match.pnrpId] })
  excluding.push(match)
  excluding.takeMatch()
  assert.is(excluding.currentBestMatch, undefined)
  const zero = walkOf({ ...input, target: id(0) })
  zero.push(entry(id(0), 14))
  zero.takeMatch()
  assert.is(zero.currentBestMatch, undefined)
})

test('walks that live by their LOOKUPs ask a match like any other node', () => {
  const { REGISTRATION, CACHE_MAINTENANCE, SPLIT_DETECTION, APP_REQUEST } = ResolveReason
  for (const reason of [REGISTRATION, CACHE_MAINTENANCE, SPLIT_DETECTION, APP_REQUEST]) {
    const walk = walkOf({ reason })
    walk.push(entry(TARGET, 11))
    walk.takeMatch()
    const taken = reason === APP_REQUEST ? 1 : 0
    assert.is(walk.nextHopStack.length, 1 - taken, `reason ${reason}`)
  }
})

test('a late answer that names a match leads further than any hop', () => {
  const match = entry(id(0x30, 0x80), 12)
  const nearer = entry(id(0x2f, 0xff), 11)
  const walk = walkOf({ criteria: ResolveCriteria.UPPER_BITS, precision: 8 })
  walk.push(entry(id(0x20), 13))
  assert.not(walk.leadsCloserThan(nearer))
  walk.push(match)
  assert.ok(walk.leadsCloserThan(nearer))
})

test('PNRP-3.1.5.6.1-5 PNRP-3.1.5.6.1-6 each answer counts as a hop, and L as a suspicious one', () => {
  const walk = walkOf()
  walk.push(entry(id(0x20), 11))
  walk.answered(ask(walk), endpoint(11), answer({ flags: { leafSet: true } }))
  assert.is(walk.totalUsefulHops, 1)
  assert.is(walk.suspiciousCount, 1)
  walk.answered(ask(walk), endpoint(11), answer())
  assert.is(walk.totalUsefulHops, 2)
  assert.is(walk.suspiciousCount, 1)
})

test('PNRP-3.1.4.4.2-13 the walk is over above 6 suspicious answers or 22 useful hops', () => {
  const walk = walkOf()
  walk.suspiciousCount = 6
  walk.totalUsefulHops = 22
  assert.not(walk.exhausted)
  walk.suspiciousCount = 7
  assert.ok(walk.exhausted)
  walk.suspiciousCount = 0
  walk.totalUsefulHops = 23
  assert.ok(walk.exhausted)
})

test('PNRP-3.1.5.6.1-8 N: the hop is neither the best match nor asked again', () => {
  const walk = walkOf()
  walk.push(entry(id(0x20), 11))
  const verdict = walk.answered(ask(walk), endpoint(11), answer({ flags: { notFound: true } }))
  assert.is(verdict, 'not-registered')
  assert.is(walk.currentBestMatch, undefined)
  assert.is(walk.nextHopStack.length, 0)
})

test('PNRP-3.1.5.6.1-8 a node that answers N may still name another one', () => {
  const walk = walkOf()
  walk.push(entry(id(0x20), 11))
  const referral = entry(id(0x28), 12)
  const flags = { notFound: true }
  assert.is(walk.answered(ask(walk), endpoint(11), answer({ flags, referral })), 'referral')
  assert.equal(ids(walk.nextHopStack), [0x28])
})

test('N-19: a busy node counts as a hop and is not asked again', () => {
  const walk = walkOf()
  walk.push(entry(id(0x20), 11))
  assert.is(walk.answered(ask(walk), endpoint(11), answer({ flags: { busy: true } })), 'busy')
  assert.is(walk.totalUsefulHops, 1)
  assert.is(walk.nextHopStack.length, 0)
  assert.is(walk.currentBestMatch?.pnrpId[0], 0x20)
})

test('PNRP-3.1.5.6.1-9 only a closer hop becomes the best match; the old one goes on the stack', () => {
  const walk = walkOf()
  const near = entry(id(0x2f), 11)
  const far = entry(id(0x90), 12)
  walk.push(far)
  walk.push(near)
  walk.answered(ask(walk), endpoint(11), answer({ flags: { busy: true } }))
  walk.answered(ask(walk), endpoint(12), answer())
  assert.is(walk.currentBestMatch, near)
  assert.equal(walk.bestMatchStack, [])
  const nearest = entry(id(0x31), 13)
  walk.push(nearest)
  walk.answered(ask(walk), endpoint(13), answer())
  // N-23: 30 lies as far from 2f as from 31; the smaller number wins the tie.
  assert.is(walk.currentBestMatch, near)
  walk.push(entry(id(0x30, 1), 14))
  walk.answered(ask(walk), endpoint(14), answer())
  assert.equal(walk.currentBestMatch?.pnrpId, id(0x30, 1))
  assert.equal(walk.bestMatchStack, [near])
})

test('N-23: closeness is measured on the ring, across zero', () => {
  const walk = walkOf({ target: id(0x02) })
  assert.ok(walk.closer(id(0xff), id(0x10)))
  assert.not(walk.closer(id(0x80), id(0xff)))
})

test('PNRP-3.1.5.6.1-10 a hop is dropped once it was asked three times', () => {
  const walk = walkOf()
  walk.push(entry(id(0x20), 11))
  for (const left of [1, 1, 0]) {
    walk.answered(ask(walk), endpoint(11), answer())
    assert.is(walk.nextHopStack.length, left)
  }
})

test('a node without an answer is asked again, but only when nothing else is left', () => {
  const walk = walkOf()
  walk.push(entry(id(0x20), 11))
  walk.push(entry(id(0x28), 12))
  walk.answered(ask(walk), endpoint(12), answer())
  assert.equal(ids(walk.nextHopStack), [0x28, 0x20])
})

test('PNRP-3.1.5.6.1-12 a named node that is in the path already is ignored (N-65: address and port)', () => {
  const walk = walkOf()
  walk.push(entry(id(0x20), 11))
  const own = entry(id(0x2f), 1)
  assert.is(walk.answered(ask(walk), endpoint(11), answer({ referral: own })), 'refused-referral')
  assert.equal(ids(walk.nextHopStack), [0x20])
  const otherPort = { ...own, port: 3541 }
  assert.is(walk.answered(ask(walk), endpoint(11), answer({ referral: otherPort })), 'referral')
})

test('PNRP-3.1.5.6.1-12 a node may name another ID of its own: the last path entry does not count', () => {
  const walk = walkOf()
  walk.push(entry(id(0x20), 11))
  const sibling = entry(id(0x2f), 11)
  assert.is(walk.answered(ask(walk), endpoint(11), answer({ referral: sibling })), 'referral')
  assert.equal(ids(walk.nextHopStack), [0x20, 0x2f])
})

test('N-17: the path holds each endpoint once', () => {
  const walk = walkOf()
  walk.push(entry(id(0x20), 11))
  walk.answered(ask(walk), endpoint(11), answer())
  walk.answered(ask(walk), endpoint(11), answer())
  assert.equal(walk.resolvePath, [OWN, endpoint(11)])
})

test('PNRP-3.1.5.6.1-14 PNRP-3.1.5.6.1-15 a named node that is not closer counts only while the cache is sparse', () => {
  const referral = entry(id(0x90), 12)
  const sparse = walkOf()
  sparse.push(entry(id(0x20), 11))
  const first = sparse.answered(ask(sparse), endpoint(11), answer({ referral, cacheEntries: 7 }))
  assert.is(first, 'referral')
  assert.equal(ids(sparse.nextHopStack), [0x20, 0x90])
  // N-18: 8 counts as not fewer; then the node asked is not asked again either.
  const full = walkOf()
  full.push(entry(id(0x20), 11))
  const second = full.answered(ask(full), endpoint(11), answer({ referral, cacheEntries: 8 }))
  assert.is(second, 'refused-referral')
  assert.equal(ids(full.nextHopStack), [])
})

test('N-18: closeness is compared with the ID asked, though it is not registered there', () => {
  const walk = walkOf()
  walk.push(entry(id(0x28), 11))
  const referral = entry(id(0x20), 12)
  const flags = { notFound: true }
  const verdict = walk.answered(ask(walk), endpoint(11), answer({ flags, referral }))
  assert.is(verdict, 'not-registered')
  assert.is(walk.nextHopStack.length, 0)
})

test('N-13: when each criterion is content, at once and in the end', () => {
  const target = new Uint8Array(32).fill(0x11)
  const common = (bytes: number): Uint8Array => target.map((b, i) => (i < bytes ? b : b ^ 0xff))
  const table = [
    { criteria: ResolveCriteria.NONE, enough: 32, acceptable: 32 },
    { criteria: ResolveCriteria.ANY_PEER_NAME, enough: 16, acceptable: 16 },
    { criteria: ResolveCriteria.NEAREST_PEER_NAME, enough: 32, acceptable: 16 },
    { criteria: ResolveCriteria.NEAREST64_PEER_NAME, enough: 24, acceptable: 16 },
    { criteria: ResolveCriteria.UPPER_BITS, enough: 3, acceptable: 3 },
  ]
  for (const { criteria, enough, acceptable } of table) {
    const walk = walkOf({ target, criteria, precision: 24 })
    const label = `criteria ${criteria}`
    assert.ok(walk.closeEnough(entry(common(enough), 9)), label)
    assert.not(walk.closeEnough(entry(common(enough - 1), 9)), label)
    assert.ok(walk.acceptable(entry(common(acceptable), 9)), label)
    assert.not(walk.acceptable(entry(common(acceptable - 1), 9)), label)
  }
})

test('N-14: a split test accepts any best match in the end, but stops early for none', () => {
  const walk = walkOf({ reason: ResolveReason.SPLIT_DETECTION })
  assert.ok(walk.acceptable(entry(id(0x99), 9)))
  assert.not(walk.closeEnough(entry(id(0x99), 9)))
})

test('a node asked under the ID zero (split test) is no match, and whatever it names is welcome', () => {
  const walk = walkOf({ reason: ResolveReason.SPLIT_DETECTION, target: id(0x01) })
  walk.push(entry(id(), 11))
  const referral = entry(id(0x70), 12)
  assert.is(walk.answered(ask(walk), endpoint(11), answer({ referral })), 'referral')
  assert.is(walk.currentBestMatch, undefined)
})

test('N-16: a full Flagged Path keeps the own endpoint and the 21 newest', () => {
  const walk = walkOf()
  for (let n = 100; n < 130; n++) walk.addToPath(endpoint(n))
  const flagged = walk.flaggedPath()
  assert.is(flagged.length, 22)
  assert.equal(flagged[0], OWN)
  assert.equal(flagged[1], endpoint(109))
  assert.equal(flagged.at(-1), endpoint(129))
})

test('a Flagged Path with room takes further endpoints, none of them twice', () => {
  const walk = walkOf()
  walk.addToPath(endpoint(11))
  assert.equal(walk.flaggedPath([endpoint(11), endpoint(12)]), [OWN, endpoint(11), endpoint(12)])
})

test('PNRP-3.1.5.6.1.1-4 a match that is ruled out makes way for the one before, for good', () => {
  const walk = walkOf()
  const hops = [entry(id(0x10), 11), entry(id(0x20), 12), entry(id(0x28), 13)]
  for (const [i, hop] of hops.entries()) {
    walk.push(hop)
    walk.answered(ask(walk), endpoint(11 + i), answer())
  }
  walk.ruleOut(id(0x28), endpoint(13), 'refused')
  assert.is(walk.currentBestMatch, hops[1])
  assert.equal(ids(walk.nextHopStack), [0x20, 0x10])
  walk.push(hops[2] as never)
  walk.answered(ask(walk), endpoint(13), answer())
  assert.is(walk.currentBestMatch, hops[1])
  walk.ruleOut(id(0x20), endpoint(12), 'refused')
  walk.ruleOut(id(0x10), endpoint(11), 'refused')
  assert.is(walk.currentBestMatch, undefined)
})

test('whoever names a foreign ID at his own address rules out himself, not its owner', () => {
  const target = id(0x30)
  const honest = entry(target, 12)
  const liar = entry(target, 11)
  const walk = walkOf({ target, criteria: ResolveCriteria.NONE })
  walk.push(liar)
  walk.answered(ask(walk), endpoint(11), answer())
  assert.is(walk.currentBestMatch, liar)
  walk.ruleOut(target, endpoint(11), 'refused')
  assert.is(walk.currentBestMatch, undefined)
  assert.not(walk.wanted(liar))
  assert.ok(walk.wanted(honest))
  walk.push(honest)
  walk.answered(ask(walk), endpoint(12), answer())
  assert.is(walk.currentBestMatch, honest)
})

test('a match that was only silent is back when it answers a LOOKUP, a refused one is not', () => {
  const target = id(0x30)
  const match = entry(target, 11)
  for (const why of ['silent', 'refused'] as const) {
    const walk = walkOf({ target, criteria: ResolveCriteria.NONE })
    walk.push(match)
    const hop = ask(walk)
    walk.ruleOut(target, endpoint(11), why)
    assert.not(walk.wanted(match))
    walk.answered(hop, endpoint(11), answer())
    assert.is(walk.currentBestMatch, why === 'silent' ? match : undefined)
  }
})

test('excluded IDs serve as hops, not as results, and what lies beyond them is welcome', () => {
  const target = id(0x30, 0x80)
  const found = entry(id(0x30, 0x81), 11)
  const input = { target, criteria: ResolveCriteria.UPPER_BITS, precision: 8 }
  const walk = walkOf({ ...input, excludeIds: [found.pnrpId] })
  assert.ok(walk.collecting)
  walk.push(found)
  const beyond = entry(id(0x30, 0x90), 12)
  assert.is(walk.answered(ask(walk), endpoint(11), answer({ referral: beyond })), 'referral')
  assert.is(walk.currentBestMatch, undefined)
  const foreign = entry(id(0x31), 13)
  assert.is(
    walk.answered(ask(walk), endpoint(12), answer({ referral: foreign })),
    'refused-referral',
  )
  assert.is(walk.currentBestMatch, beyond)
})

test.run()
