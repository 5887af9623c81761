// Whatever is written is read back; whatever arrives is judged without throwing, hanging or reading
// beyond its end.
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { decodeRequest, decodeResponse } from '#lib/content/decode-retrieval.js'
import { encodeRetrieval } from '#lib/content/encode-retrieval.js'
import { ContentHasher } from '#lib/content/content-hasher.js'
import { HashedContent } from '#lib/content/hashed-content.js'
import { decodeOffer, encodeOffer, type Offer } from '#lib/content/offers.js'
import { parseContentInfo } from '#lib/content/read-info.js'
import type { RetrievalMessage } from '#lib/content/retrieval.js'
import { writeContentInfo } from '#lib/content/write-info.js'
import { decodeDiscovery } from '#lib/discovery/wsd/read.js'
import { encodeDiscovery } from '#lib/discovery/wsd/write.js'
import type { DiscoveryMessage, SegmentState } from '#lib/discovery/wsd/messages.js'
import { mutations } from '../helpers/mutations.js'
import { test } from '../harness.js'

// assert.equal tells objects without a prototype from others
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true })

const fixed = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const segmentId = fc.constantFrom(32, 48, 64).chain(fixed)
const uint16 = fc.nat(0xffff)
const version = record({ major: uint16, minor: uint16 })
const versions = fc
  .tuple(version, version)
  .map((pair) => pair.sort((a, b) => a.major - b.major || a.minor - b.minor))
  .map(([minVersion, maxVersion]) => ({ minVersion, maxVersion }))
const blockRange = fc
  .nat(511)
  .chain((index) =>
    record({ index: fc.constant(index), count: fc.integer({ min: 1, max: 512 - index }) }),
  )
const someRanges = (minLength: number) => fc.array(blockRange, { minLength, maxLength: 20 })
const cipher = fc.constantFrom(0, 1, 2, 3)
const blob = fc.uint8Array({ maxLength: 20 })
const requestId = fixed(16)

const request = fc.oneof(
  versions.chain((both) =>
    record({ type: fc.constant('nego-req'), cipher }).map((rest) => ({ ...rest, ...both })),
  ),
  record({
    type: fc.constantFrom('getblklist', 'getblks'),
    segmentId,
    ranges: someRanges(1),
    cipher,
  }),
  record({
    type: fc.constant('getseglist'),
    requestId,
    segmentIds: fc.array(segmentId, { minLength: 1, maxLength: 5 }),
    blob,
    cipher,
  }),
) as fc.Arbitrary<RetrievalMessage>

const sealed = fc
  .nat(5)
  .chain((blocks) =>
    record({ block: fixed(16 * blocks + 16), iv: fixed(16), cipher: fc.constantFrom(1, 2, 3) }),
  )
const bare = record({
  block: fc.uint8Array({ maxLength: 40 }),
  iv: fixed(0),
  cipher: fc.constant(0),
})
const response = fc.oneof(
  versions.map((both) => ({ type: 'nego-resp', ...both })),
  record({
    type: fc.constant('blklist'),
    segmentId,
    ranges: someRanges(0),
    nextBlock: fc.nat(511),
  }),
  fc
    .tuple(
      record({
        type: fc.constant('blk'),
        segmentId,
        blockIndex: fc.nat(511),
        nextBlock: fc.nat(511),
      }),
      fc.oneof(sealed, bare),
    )
    .map(([head, data]) => ({ ...head, ...data })),
  record({ type: fc.constant('seglist'), requestId, ranges: someRanges(0), blob }),
) as fc.Arbitrary<RetrievalMessage>

test('D-048 D-049 D-050 every retrieval message survives being written and read', () => {
  fc.assert(
    fc.property(request, (message) => {
      const decoded = decodeRequest(encodeRetrieval(message))
      assert.ok(decoded.ok)
      assert.equal(decoded.message, message)
    }),
  )
  fc.assert(
    fc.property(response, (message) => {
      const decoded = decodeResponse(encodeRetrieval(message))
      assert.ok(decoded.ok)
      assert.equal(decoded.message, message)
    }),
  )
})

// DA-20: the number of the next block is read whatever it is, but not written if it is none.
test('spoiled retrieval messages are judged, and what is accepted can be written again', () => {
  for (const [arbitrary, decode] of [
    [request, decodeRequest],
    [response, decodeResponse],
  ] as const) {
    fc.assert(
      fc.property(arbitrary, mutations, (message, spoil) => {
        const bytes = spoil(encodeRetrieval(message))
        const decoded = decode(bytes)
        if (!decoded.ok) {
          assert.match(decoded.code, /^ERR_PEERNET_/)
          assert.ok(decoded.offset <= bytes.length)
        } else if (!('nextBlock' in decoded.message) || decoded.message.nextBlock < 512) {
          const again = decode(encodeRetrieval(decoded.message))
          assert.ok(again.ok)
        }
      }),
      { numRuns: 1000 },
    )
  }
})

const tag = fixed(16)
const offer = fc.oneof(
  record({ type: fc.constant('initial'), port: uint16, segmentId }),
  record({
    type: fc.constant('batched'),
    port: uint16,
    segments: fc.array(
      record({
        blockBytes: fc.integer({ min: 1, max: 131_072 }),
        segmentBytes: fc.integer({ min: 1, max: 0x2000000 }),
        tag,
        version: fc.constantFrom(1, 2),
        segmentId: fixed(32),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  }),
) as fc.Arbitrary<Offer>

test('D-095 D-096 D-100 every offer survives being written and read, and spoiled ones are judged', () => {
  fc.assert(
    fc.property(offer, mutations, (message, spoil) => {
      const bytes = encodeOffer(message)
      assert.equal(decodeOffer(bytes), { ok: true, offer: message })
      const decoded = decodeOffer(spoil(bytes))
      if (decoded.ok) assert.ok(decodeOffer(encodeOffer(decoded.offer)).ok)
    }),
    { numRuns: 500 },
  )
})

const lengths = fc.array(fc.integer({ min: 1, max: 131_072 }), { minLength: 1, maxLength: 8 })
const secret = fc.uint8Array({ minLength: 1, maxLength: 64 })

function rangeIn(length: number, a: number, b: number) {
  const [start, last] = [a % length, b % length].sort((x, y) => x - y) as [number, number]
  return { start, length: last - start + 1 }
}

test('D-020 D-021 content information of version 2 says of any range what was meant', () => {
  fc.assert(
    fc.property(lengths, secret, fc.nat(), fc.nat(), mutations, (all, key, a, b, spoil) => {
      const total = all.reduce((sum, one) => sum + one, 0)
      const hashes = new Uint8Array(all.length * 32).map((_, i) => i)
      const scheme = { version: 2, algorithm: 'sha512' } as const
      const segments = { lengths: Uint32Array.from(all), hashes }
      const content = HashedContent.ofSegments(scheme, total, segments)
      const range = rangeIn(total, a, b)
      const bytes = writeContentInfo(content, key, range)
      const parsed = parseContentInfo(bytes)
      assert.ok(parsed.ok)
      assert.equal(parsed.info.range, range)
      for (const segment of parsed.info.segments) assert.is(segment.length, all[segment.index])
      const spoiled = parseContentInfo(spoil(bytes))
      if (!spoiled.ok) assert.ok(spoiled.offset <= bytes.length + 100)
    }),
    { numRuns: 500 },
  )
})

test('D-011 D-012 D-013 content information of version 1 says of any range what was meant', () => {
  const algorithms = fc.constantFrom('sha256', 'sha384', 'sha512' as const)
  const size = fc.integer({ min: 1, max: 300_000 })
  fc.assert(
    fc.property(
      algorithms,
      size,
      secret,
      fc.nat(),
      fc.nat(),
      mutations,
      (name, n, key, a, b, spoil) => {
        const algorithm = name as 'sha256'
        const hasher = new ContentHasher({ version: 1, algorithm })
        hasher.push(new Uint8Array(n))
        const range = rangeIn(n, a, b)
        const bytes = writeContentInfo(hasher.finish(), key, range)
        const parsed = parseContentInfo(bytes)
        assert.ok(parsed.ok)
        assert.equal(parsed.info.range, range)
        parseContentInfo(spoil(bytes))
      },
    ),
    { numRuns: 200 },
  )
})

const host = fc.constantFrom('192.0.2.1', '2001:db8::1', 'peer.example')
const match = fc.oneof(
  record({
    version: fc.constant(1),
    endpoint: fc.constant('urn:uuid:87A89944-0230-43a5-AC4E-FAB1386C8E2C'),
    addresses: fc.array(record({ host, port: fc.integer({ min: 1, max: 65_535 }) }), {
      minLength: 1,
      maxLength: 3,
    }),
    segments: fc.array(record({ id: segmentId, blockCount: fc.nat(512) }), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
  record({
    version: fc.constant(2),
    endpoint: fc.constant('urn:x'),
    addresses: fc.array(record({ host, port: fc.integer({ min: 1, max: 65_535 }) }), {
      minLength: 1,
      maxLength: 3,
    }),
    states: fc
      .array(fc.constantFrom<SegmentState>('none', 'some', 'complete'), {
        minLength: 1,
        maxLength: 9,
      })
      .map((states) => [...states, ...states, ...states, ...states]),
    ages: fc.array(
      record({ index: fc.nat(255), ageMs: fc.nat(16_000_000).map((age) => age * 10) }),
      { maxLength: 4 },
    ),
  }),
)
// What blanks surround is trimmed, and control characters are not XML.
const messageId = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
  .filter(
    (text) =>
      text.trim() === text &&
      !/[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u0085\u2028]/u.test(text),
  )
const discovery = fc.oneof(
  record({
    type: fc.constant('probe'),
    version: fc.constant(2),
    messageId,
    segmentIds: fc
      .constantFrom(32, 48, 64)
      .chain((size) => fc.array(fixed(size), { minLength: 1, maxLength: 5 })),
  }),
  record({
    type: fc.constant('probe-matches'),
    messageId,
    relatesTo: messageId,
    instanceId: fc.nat(),
    messageNumber: fc.nat(),
    matches: fc.array(match, { minLength: 1, maxLength: 3 }),
  }),
) as fc.Arbitrary<DiscoveryMessage>

test('D-077 D-078 D-084 D-085 every discovery message survives being written and read', () => {
  fc.assert(
    fc.property(discovery, (message) => {
      assert.equal(decodeDiscovery(encodeDiscovery(message)), message)
    }),
    { numRuns: 300 },
  )
})

const pieces = fc.constantFrom(
  ...[
    '<',
    '>',
    '&',
    ';',
    '"',
    "'",
    '</',
    '/>',
    '<!',
    '<?',
    ']]>',
    '<![CDATA[',
    '<!DOCTYPE a>',
    '--',
  ],
  ...[
    'xmlns:a="b"',
    'xmlns=""',
    'PeerDist:',
    'wsd:Scopes',
    '&#0;',
    '&#x41;',
    '&lt;',
    '\u0000',
    'é',
  ],
)

test('spoiled XML is judged without throwing, in time', () => {
  fc.assert(
    fc.property(
      discovery,
      fc.array(fc.tuple(fc.nat(), pieces), { maxLength: 4 }),
      fc.option(mutations),
      (message, insertions, spoil) => {
        let text = Buffer.from(encodeDiscovery(message)).toString()
        for (const [place, piece] of insertions) {
          const at = place % text.length
          text = text.slice(0, at) + piece + text.slice(at)
        }
        const bytes = new Uint8Array(Buffer.from(text))
        const decoded = decodeDiscovery(spoil === null ? bytes : spoil(bytes))
        assert.ok(['string', 'object'].includes(typeof decoded))
      },
    ),
    { numRuns: 1500 },
  )
})

test.run()
