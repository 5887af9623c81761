// MS-PCCRR 2.2: messages written down byte by byte from the tables there, and every malformed case.
import * as assert from 'uvu/assert'
import { decodeRequest, decodeResponse } from '#lib/content/decode-retrieval.js'
import { encodeRetrieval } from '#lib/content/encode-retrieval.js'
import {
  commonMajor,
  normalizedRanges,
  type RetrievalMessage,
  type RetrievalRequest,
  type RetrievalResponse,
} from '#lib/content/retrieval.js'
import { hex, patched, spliced } from '../../helpers/hex.js'
import { test } from '../../harness.js'

const id = new Uint8Array(32).fill(0xaa)
const id48 = new Uint8Array(48).fill(0xbb)
const requestId = new Uint8Array(16).map((_, i) => i)
const none = new Uint8Array(0)
const v = (major: number, minor: number) => ({ major, minor })

const GETBLKS = hex`
  00 00 00 01  # 1.0
  00 00 00 03  00 00 00 44  00 00 00 01
  00 00 00 20  aa*32
  00 00 00 01  00 00 00 07  00 00 00 01
  00 00 00 00`

const requests: [string, RetrievalRequest, Uint8Array][] = [
  [
    'nego-req',
    { type: 'nego-req', minVersion: v(1, 0), maxVersion: v(2, 3), cipher: 1 },
    hex`
    00 00 00 01  00 00 00 00  00 00 00 18  00 00 00 01
    00 00 00 01  00 03 00 02`,
  ],
  [
    'getblklist',
    {
      type: 'getblklist',
      segmentId: id48,
      ranges: [
        { index: 0, count: 512 },
        { index: 511, count: 1 },
      ],
      cipher: 3,
    },
    hex`
    00 00 00 01  00 00 00 02  00 00 00 58  00 00 00 03
    00 00 00 30  bb*48
    00 00 00 02  00 00 00 00  00 00 02 00  00 00 01 ff  00 00 00 01`,
  ],
  [
    'getblks',
    { type: 'getblks', segmentId: id, ranges: [{ index: 7, count: 1 }], cipher: 1 },
    GETBLKS,
  ],
  [
    'getseglist',
    { type: 'getseglist', requestId, segmentIds: [id, id48], blob: none, cipher: 1 },
    hex`
    00 00 00 02  00 00 00 06  00 00 00 80  00 00 00 01
    00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f
    00 00 00 02  00 00 00 20  aa*32  00 00 00 30  bb*48
    00 00 00 00`,
  ],
]

const responses: [string, RetrievalResponse, Uint8Array][] = [
  [
    'nego-resp',
    { type: 'nego-resp', minVersion: v(1, 0), maxVersion: v(2, 0) },
    hex`
    00 00 00 18
    00 00 00 01  00 00 00 01  00 00 00 18  00 00 00 00
    00 00 00 01  00 00 00 02`,
  ],
  [
    'blklist',
    { type: 'blklist', segmentId: id, ranges: [{ index: 1, count: 3 }], nextBlock: 9 },
    hex`
    00 00 00 44
    00 00 00 01  00 00 00 04  00 00 00 44  00 00 00 00
    00 00 00 20  aa*32
    00 00 00 01  00 00 00 01  00 00 00 03
    00 00 00 09`,
  ],
  [
    'empty blklist',
    { type: 'blklist', segmentId: id, ranges: [], nextBlock: 0 },
    hex`
    00 00 00 3c
    00 00 00 01  00 00 00 04  00 00 00 3c  00 00 00 00
    00 00 00 20  aa*32
    00 00 00 00  00 00 00 00`,
  ],
  [
    'blk',
    {
      type: 'blk',
      segmentId: id,
      blockIndex: 7,
      nextBlock: 8,
      cipher: 1,
      block: new Uint8Array(32).fill(0xcc),
      iv: new Uint8Array(16).fill(0xdd),
    },
    hex`
    00 00 00 78
    00 00 00 01  00 00 00 05  00 00 00 78  00 00 00 01
    00 00 00 20  aa*32
    00 00 00 07  00 00 00 08
    00 00 00 20  cc*32
    00 00 00 00
    00 00 00 10  dd*16`,
  ],
  [
    'empty blk',
    {
      type: 'blk',
      segmentId: id,
      blockIndex: 7,
      nextBlock: 0,
      cipher: 0,
      block: none,
      iv: none,
    },
    hex`
    00 00 00 48
    00 00 00 01  00 00 00 05  00 00 00 48  00 00 00 00
    00 00 00 20  aa*32
    00 00 00 07  00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00`,
  ],
  [
    'plain blk of 5 bytes',
    {
      type: 'blk',
      segmentId: id,
      blockIndex: 0,
      nextBlock: 0,
      cipher: 0,
      block: new Uint8Array(5).fill(0xcc),
      iv: none,
    },
    hex`
    00 00 00 50
    00 00 00 01  00 00 00 05  00 00 00 50  00 00 00 00
    00 00 00 20  aa*32
    00 00 00 00  00 00 00 00
    00 00 00 05  cc*5 00 00 00
    00 00 00 00  00 00 00 00`,
  ],
  [
    'seglist',
    {
      type: 'seglist',
      requestId,
      ranges: [{ index: 0xfffffffe, count: 1 }],
      blob: Uint8Array.of(0, 1, 3, 0),
    },
    hex`
    00 00 00 34
    00 00 00 02  00 00 00 07  00 00 00 34  00 00 00 00
    00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f
    00 00 00 01  ff ff ff fe  00 00 00 01
    00 00 00 04  00 01 03 00`,
  ],
  [
    'empty seglist',
    { type: 'seglist', requestId, ranges: [], blob: none },
    hex`
    00 00 00 28
    00 00 00 02  00 00 00 07  00 00 00 28  00 00 00 00
    00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f
    00 00 00 00  00 00 00 00`,
  ],
]

test('D-048 D-049 D-050 D-053 requests are written and read byte by byte', () => {
  for (const [name, message, bytes] of requests) {
    assert.equal(encodeRetrieval(message), bytes, name)
    const version = { major: message.type === 'getseglist' ? 2 : 1, minor: 0 }
    assert.equal(decodeRequest(bytes), { ok: true, message, version }, name)
  }
})

test('D-047 D-048 D-056 D-057 answers are written and read byte by byte, with their size in front', () => {
  for (const [name, message, bytes] of responses) {
    assert.equal(encodeRetrieval(message), bytes, name)
    const version = { major: message.type === 'seglist' ? 2 : 1, minor: 0 }
    assert.equal(decodeResponse(bytes), { ok: true, message, version }, name)
  }
})

test('D-055 a GETBLKS for one block of a 32-byte ID takes 68 bytes', () => {
  assert.is(GETBLKS.length, 68)
  const plain: RetrievalMessage = {
    type: 'getblks',
    segmentId: id,
    ranges: [{ index: 7, count: 1 }],
  }
  assert.equal(encodeRetrieval(plain), GETBLKS)
})

test('D-056 a block of 64 KiB under AES makes a message of 65,640 bytes', () => {
  const block = new Uint8Array(65_552)
  const iv = new Uint8Array(16)
  const fields = { segmentId: id, blockIndex: 0, nextBlock: 0, cipher: 1, block, iv } as const
  assert.is(encodeRetrieval({ type: 'blk', ...fields }).length, 4 + 65_640)
})

function refusedRequest(bytes: Uint8Array, code: string, offset: number): void {
  const decoded = decodeRequest(bytes)
  assert.ok(!decoded.ok)
  assert.equal([decoded.code, decoded.offset], [`ERR_PEERNET_${code}`, offset])
}

function refusedResponse(bytes: Uint8Array, code: string, offset: number): void {
  const decoded = decodeResponse(bytes)
  assert.ok(!decoded.ok)
  assert.equal([decoded.code, decoded.offset], [`ERR_PEERNET_${code}`, offset])
}

const answer = (name: string): Uint8Array =>
  responses.find(([one]) => one === name)?.[2] as Uint8Array

test('messages cut off anywhere are refused, with MsgSize as it was or made to fit', () => {
  for (const [name, , bytes] of requests) {
    for (let length = 0; length < bytes.length; length++) {
      const short = bytes.slice(0, length)
      assert.not(decodeRequest(short).ok, name)
      if (length < 16) continue
      new DataView(short.buffer).setUint32(8, length)
      assert.not(decodeRequest(short).ok, `${name} of ${length}`)
    }
  }
  for (const [name, , bytes] of responses) {
    for (let length = 0; length < bytes.length; length++) {
      const short = bytes.slice(0, length)
      assert.not(decodeResponse(short).ok, name)
      if (length < 20) continue
      new DataView(short.buffer).setUint32(0, length - 4)
      new DataView(short.buffer).setUint32(12, length - 4)
      assert.not(decodeResponse(short).ok, `${name} of ${length}`)
    }
  }
})

test('D-047 D-052 sizes that are not those of the message are refused', () => {
  refusedRequest(patched(GETBLKS, 11, 0x43), 'BAD_LENGTH', 8)
  refusedRequest(patched(GETBLKS, 11, 0x45), 'BAD_LENGTH', 8)
  refusedResponse(patched(answer('blk'), 3, 0x77), 'BAD_LENGTH', 0)
  refusedResponse(patched(answer('blk'), 15, 0x77), 'BAD_LENGTH', 12)
  const longer = patched(spliced(GETBLKS, 68, 0, Uint8Array.of(0)), 11, 0x45)
  refusedRequest(longer, 'TRAILING_BYTES', 68)
})

test('D-051 requests of more than 96 KB are refused, answers of up to 384 KB taken', () => {
  const request = new Uint8Array(98_305)
  request.set(GETBLKS)
  refusedRequest(request, 'TOO_LONG', 0)
  refusedRequest(GETBLKS.subarray(0, 15), 'TRUNCATED', 12)
  const room = 393_216 - 72
  const fields = { segmentId: id, blockIndex: 0, nextBlock: 0, cipher: 0, iv: none } as const
  const largest = encodeRetrieval({ type: 'blk', ...fields, block: new Uint8Array(room) })
  assert.is(largest.length, 4 + 393_216)
  assert.ok(decodeResponse(largest).ok)
  assert.throws(
    () => encodeRetrieval({ type: 'blk', ...fields, block: new Uint8Array(room + 4) }),
    /TOO_LONG/,
  )
  const over = new Uint8Array(4 + 393_217)
  new DataView(over.buffer).setUint32(0, 393_217)
  refusedResponse(over, 'TOO_LONG', 4)
})

test('D-053 segment IDs of other lengths than 32, 48 and 64 are refused', () => {
  for (const length of [0, 1, 31, 33, 65, 255]) {
    refusedRequest(patched(GETBLKS, 19, length), 'BAD_ID_LENGTH', 16)
    const wrong = { type: 'getblks', segmentId: new Uint8Array(length), ranges: [] } as const
    assert.throws(() => encodeRetrieval(wrong), /32, 48 or 64/)
  }
})

test('D-054 ranges without blocks, beyond block 511, none, or more than 256 are refused', () => {
  const countAt = 16 + 36 + 4 + 4
  refusedRequest(patched(GETBLKS, countAt + 3, 0), 'BAD_RANGE', 56)
  refusedRequest(patched(GETBLKS, countAt - 2, 2, 0, 0, 0, 0, 1), 'BAD_RANGE', 56)
  refusedRequest(patched(GETBLKS, countAt - 4, 0xff, 0xff, 0xff, 0xff), 'BAD_RANGE', 56)
  refusedRequest(patched(GETBLKS, 55, 0), 'BAD_COUNT', 52)
  const many = Array.from({ length: 256 }, (_, index) => ({ index, count: 1 }))
  const full: RetrievalMessage = { type: 'getblklist', segmentId: id, ranges: many }
  assert.ok(decodeRequest(encodeRetrieval(full)).ok)
  const over = spliced(encodeRetrieval(full), 56, 0, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1))
  new DataView(over.buffer).setUint32(8, over.length)
  new DataView(over.buffer).setUint32(52, 257)
  refusedRequest(over, 'BAD_COUNT', 52)
  assert.throws(() => encodeRetrieval({ ...full, ranges: [] }), /1 to 256/)
  assert.throws(() => encodeRetrieval({ ...full, ranges: [{ index: 511, count: 2 }] }), /range/)
})

test('D-064 ranges that overlap and are out of order are taken as they come', () => {
  const ranges = [
    { index: 9, count: 3 },
    { index: 2, count: 1 },
    { index: 1, count: 9 },
  ]
  const decoded = decodeRequest(encodeRetrieval({ type: 'getblklist', segmentId: id, ranges }))
  assert.ok(decoded.ok && decoded.message.type === 'getblklist')
  assert.equal(decoded.message.ranges, ranges)
  assert.equal(normalizedRanges(ranges), [{ index: 1, count: 11 }])
  assert.equal(
    normalizedRanges([
      { index: 5, count: 1 },
      { index: 3, count: 1 },
      { index: 0, count: 0 },
    ]),
    [
      { index: 3, count: 1 },
      { index: 5, count: 1 },
    ],
  )
})

test('unknown types, answers for requests and unknown ciphers are refused', () => {
  for (const type of [8, 255]) refusedRequest(patched(GETBLKS, 7, type), 'UNKNOWN_MESSAGE_TYPE', 4)
  for (const type of [1, 4, 5, 7]) {
    refusedRequest(patched(GETBLKS, 7, type), 'UNKNOWN_MESSAGE_TYPE', 4)
  }
  for (const type of [0, 2, 3, 6]) {
    refusedResponse(patched(answer('blk'), 11, type), 'UNKNOWN_MESSAGE_TYPE', 8)
  }
  refusedRequest(patched(GETBLKS, 15, 4), 'BAD_CIPHER', 12)
  refusedResponse(patched(answer('blk'), 19, 4), 'BAD_CIPHER', 16)
  // DA-19: it means nothing in the other answers
  assert.ok(decodeResponse(patched(answer('blklist'), 19, 4)).ok)
})

test('a request of another major version is refused, but its header can be answered', () => {
  for (const [major, bytes] of [
    [0, patched(GETBLKS, 3, 0)],
    [3, patched(GETBLKS, 3, 3)],
    [1, patched(requests[3]?.[2] as Uint8Array, 3, 1)],
  ] as const) {
    const decoded = decodeRequest(bytes)
    assert.ok(!decoded.ok)
    assert.is(decoded.code, 'ERR_PEERNET_BAD_VERSION')
    assert.is(decoded.header?.version.major, major)
    assert.ok(['getblks', 'getseglist'].includes(decoded.header?.type ?? ''))
  }
  const minor = decodeRequest(patched(GETBLKS, 1, 9))
  assert.ok(minor.ok)
  assert.equal(minor.version, { major: 1, minor: 9 })
  assert.is((decodeRequest(GETBLKS.subarray(0, 10)) as { header?: unknown }).header, undefined)
})

test('encrypted blocks that are not whole cipher blocks, or have no IV, are refused', () => {
  const blk = answer('blk')
  const odd = spliced(blk, 4 + 16 + 36 + 8 + 4 + 28, 4)
  new DataView(odd.buffer).setUint32(0, odd.length - 4)
  new DataView(odd.buffer).setUint32(12, odd.length - 4)
  new DataView(odd.buffer).setUint32(64, 28)
  refusedResponse(odd, 'BAD_CIPHER', odd.length - 20)
  const withoutIv = blk.slice(0, blk.length - 16)
  const view = new DataView(withoutIv.buffer)
  view.setUint32(0, withoutIv.length - 4)
  view.setUint32(12, withoutIv.length - 4)
  view.setUint32(withoutIv.length - 4, 0)
  refusedResponse(withoutIv, 'BAD_CIPHER', withoutIv.length - 4)
  refusedResponse(patched(blk, 4 + 16 + 36 + 2, 2), 'BAD_RANGE', 56)
})

test('D-062 the common major version is the highest in both ranges, as in the examples of 3.1.5.1', () => {
  const range = (a: [number, number], b: [number, number]) => ({
    minVersion: v(...a),
    maxVersion: v(...b),
  })
  assert.is(commonMajor(range([3, 2], [5, 0]), range([2, 0], [4, 3])), 4)
  assert.is(commonMajor(range([1, 0], [2, 1]), range([2, 5], [2, 9])), 2)
  assert.is(commonMajor(range([1, 0], [2, 0]), range([3, 0], [4, 0])), undefined)
  assert.is(commonMajor(range([1, 0], [1, 0]), range([1, 0], [2, 0])), 1)
})

test.run()
