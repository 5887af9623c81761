// MS-PCCRD 3.1 under virtual time.
import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import type { PeerFinding } from '#lib/discovery/wsd/client.js'
import { formatHost } from '#lib/discovery/wsd/links.js'
import type { PeerAddress, ProbeMatch, ProbeMatches } from '#lib/discovery/wsd/messages.js'
import { test } from '../../harness.js'
import { address, at, Host, linkWith, probeIn, segment, uuid } from '../../support/wsd-world.js'

const PEER = at('192.0.2.7', 3702)
const SECOND = 1_000_000
const HERE: readonly PeerAddress[] = [{ host: '192.0.2.7', port: 8008 }]

function answer(relatesTo: string, match: ProbeMatch): ProbeMatches {
  const numbers = { instanceId: 1, messageNumber: 1 }
  return { type: 'probe-matches', messageId: uuid(77), relatesTo, ...numbers, matches: [match] }
}

function match1(byte = 1, addresses = HERE, blockCount = 512): ProbeMatch {
  const segments = [{ id: segment(byte), blockCount }]
  return { version: 1, endpoint: uuid(7), addresses, segments }
}

/** A host that looks for segment 1, and the ID of its probe. */
function seeker(options = {}): { host: Host; messageId: string; search: number } {
  const host = new Host(1, options)
  const search = host.agent.find(0, 1, [{ id: segment(1), blocks: 512 }])
  const { messageId } = probeIn(host.sent()[0])
  return { host, messageId, search }
}

function expectCode(code: string, work: () => unknown): void {
  assert.throws(work, (error: { code: string }) => error.code === code)
}

function peers(host: Host): string[] {
  return host
    .events()
    .filter((event): event is PeerFinding => event.type === 'peer')
    .map(({ address: bytes, port, zone }) => `${formatHost(bytes)}%${zone} ${port}`)
}

test('D-079 a probe goes to both groups on every interface, from a port of its own', () => {
  const host = new Host(1)
  const [first] = linkWith(2).addresses
  const onlyFour = { name: 'wlan0', addresses: first ? [first] : [] }
  host.agent.setLinks([linkWith(1), onlyFour])
  host.agent.find(0, 1, [{ id: segment(1) }])
  assert.equal(
    host.sent().map(({ to, via, zone }) => [formatHost(to.address), to.port, via, zone]),
    [
      ['ff02::c', 3702, 'probe', 'eth0'],
      ['239.255.255.250', 3702, 'probe', 'eth0'],
      ['239.255.255.250', 3702, 'probe', 'wlan0'],
    ],
  )
})

test('segments are packed into probes that fit in a frame', () => {
  for (const version of [1, 2] as const) {
    for (const length of [32, 48, 64]) {
      const host = new Host(1)
      const ids = Array.from({ length: 40 }, (_, i) => segment(i, length))
      host.agent.find(
        0,
        version,
        ids.map((id) => ({ id })),
      )
      const out = host.sent().filter(({ to }) => to.address[0] === 0xff)
      assert.equal(
        out.flatMap((one) => [...probeIn(one).segmentIds]),
        ids,
      )
      for (const { data } of out) assert.ok(data.length <= LIMITS.wsdProbeBytes, `${data.length}`)
      assert.ok(out.length <= Math.ceil(40 / 4), `${out.length} probes`)
      assert.ok(out.every((one) => probeIn(one).version === version))
    }
  }
})

test('many probes are sent a few at a time, and end when all have', () => {
  const host = new Host(1)
  const segments = Array.from({ length: LIMITS.wsdSearchSegments }, (_, i) => {
    const id = segment(0)
    id.set([i >> 8, i & 255])
    return { id }
  })
  const search = host.agent.find(0, 1, segments)
  const probes = new Set<string>()
  const note = (out: ReturnType<Host['sent']>): void => {
    for (const one of out) probes.add(probeIn(one).messageId)
  }
  note(host.sent())
  assert.is(probes.size, LIMITS.wsdProbesOutstanding)
  note(host.runTo(60 * SECOND))
  assert.is(probes.size, Math.ceil(LIMITS.wsdSearchSegments / 8))
  assert.equal(host.events(), [{ type: 'end', search }])
  assert.is(host.agent.pollTimeout(), Infinity)
})

test('a probe that nobody answers is repeated once, in time for an answer', () => {
  const { host, messageId } = seeker()
  const out = host.runTo(SECOND)
  assert.equal(
    out.map((one) => probeIn(one).messageId),
    [messageId, messageId],
    'one to each group',
  )
  assert.ok((out[0]?.at ?? 0) + LIMITS.wsdBackoffMaxUs < LIMITS.wsdRequestUs)
  const answered = seeker()
  answered.host.hears(0, PEER, answer(answered.messageId, match1()))
  assert.equal(answered.host.runTo(SECOND), [])
})

test('D-089 what a peer has is reported once, for what was asked alone', () => {
  const { host, messageId, search } = seeker()
  const found = { ...match1(), segments: [] as { id: Uint8Array; blockCount: number }[] }
  found.segments.push({ id: segment(9), blockCount: 3 }, { id: segment(1), blockCount: 511 })
  const message = answer(messageId, found)
  host.hears(1000, PEER, message)
  host.hears(2000, PEER, message)
  assert.equal(host.events(), [
    {
      type: 'peer',
      search,
      address: address('192.0.2.7'),
      port: 8008,
      zone: '',
      service: uuid(7),
      segments: [{ id: segment(1), blocks: 511, isComplete: false, ageMs: undefined }],
    },
  ])
  host.runTo(SECOND)
  assert.equal(host.events(), [{ type: 'end', search }])
})

test('D-089 late answers and those to nobody’s probe are ignored', () => {
  const { host, messageId } = seeker()
  host.hears(0, PEER, answer(uuid(1), match1()))
  assert.equal(peers(host), [])
  host.hears(LIMITS.wsdRequestUs - 1, PEER, answer(messageId, match1()))
  assert.is(peers(host).length, 1)
  host.runTo(LIMITS.wsdRequestUs)
  host.hears(
    LIMITS.wsdRequestUs,
    PEER,
    answer(messageId, match1(1, [{ host: '192.0.2.8', port: 1 }])),
  )
  host.hears(LIMITS.wsdRequestUs, PEER, answer('', match1()))
  assert.equal(peers(host), [])
  assert.is(host.count('ignored.wsd-late'), 3)
})

test('D-089 an answer of version 1 without the name of its probe is known by its segments', () => {
  const { host } = seeker()
  host.hears(0, PEER, answer('', match1(2)))
  assert.equal(peers(host), [])
  host.hears(0, PEER, answer('', match1(1)))
  assert.is(peers(host).length, 1)
})

test('D-089 unknown segments, empty ones and other types are ignored', () => {
  const { host, messageId } = seeker()
  host.hears(0, PEER, answer(messageId, match1(2)))
  host.hears(0, PEER, answer(messageId, match1(1, HERE, 0)))
  host.hears(
    0,
    PEER,
    answer(messageId, {
      version: 2,
      endpoint: uuid(7),
      addresses: HERE,
      states: ['complete'],
      ages: [],
    }),
  )
  assert.equal(peers(host), [])
  assert.is(host.count('ignored.wsd-unknown-segments'), 2)
  assert.is(host.count('drop.wsd-other-version'), 1)
})

test('D-089 addresses elsewhere are ignored (DA-37)', () => {
  const cases: [host: string, expected: string | undefined][] = [
    ['192.0.2.8', '192.0.2.8% 8008'],
    ['fe80::7', 'fe80::7%eth0 8008'],
    ['fe80::7%wlan0', 'fe80::7%eth0 8008'],
    ['2001:db8::8', '2001:db8::8% 8008'],
    ['2001:db8:1::8', undefined],
    ['198.51.100.1', undefined],
    ['127.0.0.1', undefined],
    ['::1', undefined],
    ['239.255.255.250', undefined],
    ['ff02::1', undefined],
    ['0.0.0.0', undefined],
    ['example.com', undefined],
    ['999.0.2.1', undefined],
  ]
  for (const [text, expected] of cases) {
    const { host, messageId } = seeker()
    host.hears(0, PEER, answer(messageId, match1(1, [{ host: text, port: 8008 }])))
    assert.equal(peers(host), expected === undefined ? [] : [expected], text)
  }
  // The first that will do is taken.
  const { host, messageId } = seeker()
  const several = ['198.51.100.1', '192.0.2.8', '192.0.2.9'].map((one) => ({ host: one, port: 80 }))
  host.hears(0, PEER, answer(messageId, match1(1, several)))
  assert.equal(peers(host), ['192.0.2.8% 80'])
})

test('D-089 answers from elsewhere are ignored, unless that is wanted', () => {
  const far = at('198.51.100.1', 3702)
  const there = [{ host: '198.51.100.1', port: 8008 }]
  for (const anyAddress of [false, true]) {
    const { host, messageId } = seeker({ anyAddress })
    host.hears(0, far, answer(messageId, match1(1, there)))
    assert.is(peers(host).length, anyAddress ? 1 : 0)
  }
})

test('version 2: states and ages go by the place in the probe, more of them are ignored', () => {
  const host = new Host(1)
  host.agent.find(0, 2, [{ id: segment(1) }, { id: segment(2) }, { id: segment(3) }])
  const { messageId } = probeIn(host.sent()[0])
  host.hears(
    0,
    PEER,
    answer(messageId, {
      version: 2,
      endpoint: uuid(7),
      addresses: HERE,
      states: ['some', 'none', 'complete', 'complete'],
      ages: [{ index: 2, ageMs: 600_000 }],
    }),
  )
  const [event] = host.events()
  assert.ok(event?.type === 'peer')
  const common = { blocks: undefined }
  assert.equal(event.segments, [
    { ...common, id: segment(1), isComplete: false, ageMs: undefined },
    { ...common, id: segment(3), isComplete: true, ageMs: 600_000 },
  ])
})

test('a probe tells of a bounded number of peers', () => {
  const { host, messageId } = seeker()
  for (let i = 0; i < 300; i++) {
    const port = 1000 + i
    host.hears(0, PEER, answer(messageId, match1(1, [{ host: '192.0.2.7', port }])))
  }
  assert.is(host.events().length, LIMITS.wsdPeersPerProbe)
})

test('a cancelled search tells nothing any more', () => {
  const { host, messageId, search } = seeker()
  host.agent.cancel(1000, search)
  host.hears(2000, PEER, answer(messageId, match1()))
  host.runTo(SECOND)
  assert.equal(host.events(), [])
  assert.is(host.agent.pollTimeout(), Infinity)
})

test('D-091 the time for answers is never shorter than the longest backoff', () => {
  const make = (requestUs: number, backoffMaxUs?: number): Host =>
    new Host(1, { requestUs, ...(backoffMaxUs === undefined ? {} : { backoffMaxUs }) })
  make(200_000)
  make(500_000, 500_000)
  for (const [requestUs, backoffUs] of [[199_000], [501_000], [300_000, 301_000]] as const) {
    expectCode('ERR_PEERNET_INVALID_ARG', () => make(requestUs, backoffUs))
  }
})

test('searches that make no probe are refused, and too many', () => {
  const host = new Host(1)
  const many = Array.from({ length: LIMITS.wsdSearchSegments + 1 }, () => ({ id: segment(1) }))
  for (const segments of [[], many, [{ id: segment(1, 31) }]]) {
    expectCode('ERR_PEERNET_INVALID_ARG', () => host.agent.find(0, 1, segments))
  }
  const mixed = [{ id: segment(1) }, { id: segment(1, 48) }]
  expectCode('ERR_PEERNET_INVALID_ARG', () => host.agent.find(0, 1, mixed))
  for (let i = 0; i < LIMITS.wsdSearches; i++) host.agent.find(0, 1, [{ id: segment(1) }])
  expectCode('ERR_PEERNET_LIMIT', () => host.agent.find(0, 1, [{ id: segment(1) }]))
})

test.run()
