// A hostile network against one machine: random well-formed messages of all types from a few
// endpoints, random answers to what the machine really asked, random commands, random time. Nothing
// may throw, every datagram sent must decode, every table must stay within its bound, and once the
// network is silent all that waits must end.
// test-limit: 120s
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import type { AuthorityBuffer, PnrpMessage, RouteEntry } from '#lib/wire/messages.js'
import { test } from '../harness.js'
import { CloudHarness, type Sent } from '../support/cloud-harness.js'
import { fakePublicKey } from '../support/fake-crypto.js'
import { FakePublisher } from '../support/fake-publisher.js'
import { address, endpoint, entry, id } from '../support/route-entries.js'

const SECOND = 1_000_000
const RUNS = { numRuns: 300, seed: 20_261_122, includeErrorInReport: true }

const PUBLISHERS = [1, 2, 3].map(
  (n) =>
    new FakePublisher({
      endpoint: endpoint(40 + n),
      serviceLocation: new Uint8Array(16).fill(n),
      ...(n === 1 ? {} : { identity: `key ${n}` }),
    }),
)

const anyId = fc.oneof(
  fc.integer({ min: 0, max: 255 }).map((n) => id(n)),
  fc.constantFrom(...PUBLISHERS.map(({ pnrpId }) => pnrpId)),
)
const anyEndpoint = fc.integer({ min: 1, max: 50 }).map((n) => endpoint(n))
const anyEntry: fc.Arbitrary<RouteEntry> = fc
  .tuple(anyId, fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 }))
  .map(([pnrpId, hosts]) => entry(pnrpId, ...hosts))
const anyHash = fc.uint8Array({ minLength: 20, maxLength: 20 })
const anyNonce = fc.uint8Array({ minLength: 16, maxLength: 16 })
const smallId = fc.integer({ min: 0, max: 0xffff_ffff })
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined })

const anyMessage: fc.Arbitrary<PnrpMessage> = fc.oneof(
  fc.record({
    type: fc.constant('SOLICIT' as const),
    messageId: smallId,
    hashedNonce: anyHash,
    routeEntry: maybe(anyEntry),
  }),
  fc.record({
    type: fc.constant('ADVERTISE' as const),
    messageId: smallId,
    ackedMessageId: smallId,
    pnrpIds: fc.array(anyId, { maxLength: 36 }),
    hashedNonce: anyHash,
  }),
  fc.record({
    type: fc.constant('REQUEST' as const),
    messageId: smallId,
    nonce: anyNonce,
    pnrpIds: fc.array(anyId, { maxLength: 10 }),
  }),
  fc.record({
    type: fc.constant('FLOOD' as const),
    messageId: smallId,
    doNotAck: fc.boolean(),
    validatePnrpId: anyId,
    routeEntry: maybe(anyEntry),
    floodedList: fc.array(anyEndpoint, { maxLength: 22 }),
  }),
  fc.constantFrom(...PUBLISHERS).map((publisher) => ({
    type: 'FLOOD' as const,
    messageId: 7,
    doNotAck: false,
    validatePnrpId: id(),
    revokeCpa: publisher.revoke(),
    floodedList: [],
  })),
  fc.record({
    type: fc.constant('INQUIRE' as const),
    messageId: smallId,
    wantCpa: fc.boolean(),
    wantExtendedPayload: fc.boolean(),
    wantCertificateChain: fc.boolean(),
    validatePnrpId: anyId,
    nonce: maybe(anyNonce),
  }),
  fc.record({
    type: fc.constant('ACK' as const),
    messageId: smallId,
    ackedMessageId: smallId,
    notFound: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('LOOKUP' as const),
    messageId: smallId,
    acceptNotCloser: fc.boolean(),
    precision: fc.integer({ min: 0, max: 300 }),
    resolveCriteria: fc.constantFrom<0 | 1 | 2 | 4 | 8>(0, 1, 2, 4, 8),
    resolveReasonCode: fc.integer({ min: 0, max: 3 }),
    targetPnrpId: anyId,
    validatePnrpId: anyId,
    routeEntry: maybe(anyEntry),
    flaggedPath: fc.array(anyEndpoint, { minLength: 1, maxLength: 22 }),
  }),
) as fc.Arbitrary<PnrpMessage>

const anyAnswer: fc.Arbitrary<Partial<AuthorityBuffer>> = fc.record(
  {
    leafSet: fc.boolean(),
    busy: fc.boolean(),
    notFound: fc.boolean(),
    classifier: fc.constantFrom('test', 'tset', ''),
    certificateChain: fc.uint8Array({ minLength: 1, maxLength: 3000 }),
    extendedPayload: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    routeEntry: anyEntry,
    cpa: fc.uint8Array({ minLength: 1, maxLength: 500 }),
  },
  { requiredKeys: [] },
)

type Step = (h: CloudHarness) => void

/** Drops members that are undefined: the codec takes absence, not undefined. */
function clean(message: PnrpMessage): PnrpMessage {
  return Object.fromEntries(
    Object.entries(message).filter(([, value]) => value !== undefined),
  ) as never
}

/** The latest request that the machine sent, of those that want an AUTHORITY. */
function openRequest(h: CloudHarness): Sent | undefined {
  return h.sent.findLast(({ message: { type } }) => type === 'LOOKUP' || type === 'INQUIRE')
}

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(anyEndpoint, anyMessage).map(([from, message]): Step => (h) => {
      h.deliver(from, clean(message))
    }),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(anyAnswer, fc.boolean()).map(([answer, partly]): Step => (h) => {
      const request = openRequest(h)
      if (request === undefined) return
      const fragments = h.fragments(request, clean(answer as never) as never)
      for (const fragment of partly ? fragments.slice(0, 1) : fragments) {
        h.deliverBytes(request.to, fragment)
      }
    }),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(...PUBLISHERS).map((publisher): Step => (h) => {
      const request = openRequest(h)
      if (request?.message.type !== 'INQUIRE') return
      h.answer(request, publisher.answer(request as never))
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(100, 30_000, SECOND, 20 * SECOND).map((us): Step => (h) => {
      h.advance(us)
    }),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(30), anyId, fc.constantFrom(0, 1, 2, 4, 8))
      .map(([handle, targetPnrpId, criteria]): Step => (h) => {
        h.resolve(handle, {
          targetPnrpId,
          criteria: criteria,
          precision: 3,
          includeLocal: handle % 2 === 0,
        })
      }),
  },
  {
    weight: 1,
    arbitrary: fc.nat(5).map((handle): Step => (h) => {
      h.command({
        type: 'register',
        handle,
        spec: {
          classifier: `name ${handle}`,
          keyId: `name ${handle}`,
          publicKey: fakePublicKey(`name ${handle}`),
          appEndpoints: [{ address: address(1), port: 4000, protocol: 6 }],
        },
      })
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>(
      (h) => {
        h.command({ type: 'unregister', handle: 1 })
      },
      (h) => {
        h.command({ type: 'repair' })
      },
      (h) => {
        h.command({ type: 'flush-cache' })
      },
      (h) => {
        h.command({ type: 'synchronize', to: endpoint(9) })
      },
      (h) => {
        h.local({ type: 'addresses', endpoints: [] })
      },
      (h) => {
        h.local({ type: 'addresses', endpoints: [endpoint(1)] })
      },
      (h) => {
        h.holdCrypto = !h.holdCrypto
        h.releaseCrypto()
      },
      (h) => {
        h.local({ type: 'malformed', reason: 'ERR_PEERNET_TRUNCATED' })
      },
    ),
  },
)

function checkBounds(h: CloudHarness): void {
  const statistics = h.machine.statistics()
  assert.ok(statistics.pendingRequests <= LIMITS.pendingExchanges)
  assert.ok(statistics.pendingAdmissions <= LIMITS.pendingAdmissions)
  assert.ok(statistics.conversations <= LIMITS.conversationsJoining)
  assert.ok(statistics.resolvesActive <= LIMITS.outstandingResolves)
  assert.ok(h.machine.localEndpoints.length <= LIMITS.localEndpoints)
}

/** Datagrams sent to nodes that the machine has not heard of must not grow without limit. */
function checkRequests(h: CloudHarness, before: number, steps: number): void {
  // A step answers at most one message or request; each of its consequences is bounded by the
  // resolves (66 LOOKUPs) and registrations under way.
  assert.ok(h.sent.length - before <= steps * 200, `${h.sent.length - before} datagrams`)
}

test('hostile: any sequence of messages, answers, commands and pauses is survived within bounds', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 60 }), (sequence) => {
      const h = new CloudHarness({ cached: [1, 2, 3].map((n) => entry(id(n * 50), n + 1)) })
      for (const step of sequence) {
        step(h)
        checkBounds(h)
      }
      checkRequests(h, 0, sequence.length + 1)
      // The network falls silent: everything that waits for an answer ends.
      h.holdCrypto = false
      h.releaseCrypto()
      h.advance(31 * SECOND)
      assert.is(h.machine.statistics().resolvesActive, 0)
      assert.is(h.machine.statistics().pendingAdmissions <= LIMITS.pendingAdmissions, true)
      const started = new Set(h.eventsOf('resolve-step').map(({ handle }) => handle))
      for (const handle of started) assert.ok(h.outcome(handle), `resolve ${handle} ended`)
      h.command({ type: 'close', now: true })
      h.advance(3 * SECOND)
      assert.is(h.machine.state, 'closed')
      assert.is(h.machine.statistics().pendingRequests, 0)
      assert.is(h.machine.pollTimeout(), Number.POSITIVE_INFINITY)
    }),
    RUNS,
  )
})

test.run()
