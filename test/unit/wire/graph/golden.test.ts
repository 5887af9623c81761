// The vectors of the digest's C.2: derived there by hand from the layouts of MS-PPGRH 2.2, under
// GA-01 (strings big-endian) and GA-02 (a frame's size without its own two bytes).
import * as assert from 'uvu/assert'
import { toHex } from '#lib/core/bytes.js'
import type { Endpoint } from '#lib/core/endpoint.js'
import { guid } from '#lib/core/guid.js'
import { decodeRecord, encodeGraphMessage, encodeRecord } from '#lib/wire/graph/codec.js'
import { frameMessage } from '#lib/wire/graph/frames.js'
import type { GraphMessage } from '#lib/wire/graph/messages.js'
import { GraphStreamReader } from '#lib/wire/graph/stream-reader.js'
import { recordFields } from '#lib/wire/graph/wire-record.js'
import { hex } from '../../../helpers/hex.js'
import { test } from '../../../harness.js'

const address: Endpoint = {
  address: hex`20010db8000000000000000000000001`,
  port: 3587,
}
const graphInfo = guid('00000100-0000-0000-0000-000000000000')
const presence = guid('00000400-0000-0000-0000-000000000000')

const vectors: [string, GraphMessage, Uint8Array][] = [
  [
    'AUTH_INFO as neighbour',
    { type: 'AUTH_INFO', connectionType: 'neighbor', graphId: 'g1', sourcePeerId: 'alice' },
    hex`00000019 10 01 0000 01 00 0010 0013 0019 673100 616c69636500`,
  ],
  [
    'CONNECT that wants referrals, not listening',
    {
      type: 'CONNECT',
      update: false,
      direct: false,
      neighborList: true,
      nodeId: 0x0102030405060708n,
      addresses: [],
    },
    hex`00000018 10 02 0000 01 00 0018 0018 0000 0102030405060708`,
  ],
  [
    'CONNECT as update',
    {
      type: 'CONNECT',
      update: true,
      direct: false,
      neighborList: false,
      nodeId: 0x0102030405060708n,
      addresses: [address],
    },
    hex`0000002c 10 02 0000 08 01 0018 002c 0000 0102030405060708
        0017 0e03 20010db8000000000000000000000001`,
  ],
  [
    'WELCOME without addresses',
    {
      type: 'WELCOME',
      nodeId: 0x1112131415161718n,
      peerTime: 0x01dc5b0000000000n,
      addresses: [],
      peerId: 'bob',
    },
    hex`00000024 10 03 0000 1112131415161718 01dc5b0000000000 00 00 0000 0020 0024 626f6200`,
  ],
  [
    'REFUSE of a duplicate',
    { type: 'REFUSE', code: 'duplicate', addresses: [] },
    hex`0000000c 10 04 0000 03 00 0000`,
  ],
  [
    'DISCONNECT without addresses',
    { type: 'DISCONNECT', reason: 'leaving', addresses: [] },
    hex`0000000c 10 05 0000 01 00 000c`,
  ],
  [
    'SOLICIT_NEW of one type',
    { type: 'SOLICIT_NEW', inclusions: [graphInfo], exclusions: [] },
    hex`0000001c 10 06 0000 01 00 000c 00000100000000000000000000000000`,
  ],
  [
    'SOLICIT_NEW of all but two types',
    { type: 'SOLICIT_NEW', inclusions: [], exclusions: [graphInfo, presence] },
    hex`0000002c 10 06 0000 00 02 000c
        00000100000000000000000000000000 00000400000000000000000000000000`,
  ],
  [
    'SOLICIT_TIME of one type',
    {
      type: 'SOLICIT_TIME',
      inclusions: [graphInfo],
      exclusions: [],
      modificationTime: 0x01dc5b0000000000n,
    },
    hex`00000024 10 07 0000 01 00 0014 01dc5b0000000000 00000100000000000000000000000000`,
  ],
  [
    'REQUEST of nothing, padded (GA-20)',
    { type: 'REQUEST', abstracts: [] },
    hex`00000014 10 0a 0000 00000000 00000010 00000000`,
  ],
  ['SYNC_END, final', { type: 'SYNC_END', final: true }, hex`0000000c 10 0c 0000 01 00 0000`],
  [
    'Ping',
    {
      type: 'PT2PT',
      dataType: guid('0ccbb0d2-be41-4bd6-914b-058ec5dcce64'),
      data: new Uint8Array(0),
    },
    hex`0000001c 10 0d 0000 001c 0000 0ccbb0d2be414bd6914b058ec5dcce64`,
  ],
  [
    'ACK of the signature record, useful',
    {
      type: 'ACK',
      acks: [{ id: guid('4c515c94-4252-494f-8440-34cc79769c81'), useful: true }],
    },
    hex`00000020 10 0e 0000 0001 000c 4c515c944252494f844034cc79769c81 00000001`,
  ],
]

const dialect = { stringOrder: 'big-endian' } as const
const options = { ...dialect, graphId: 'g1', maxFrame: 16_379, maxMessage: 1_000_000 }

test('G-001 G-002 G-004 G-007 G-008 G-018 G-019 G-020 G-021 G-023 G-026 G-027 G-028 G-031 G-041 messages are written and read as derived by hand', () => {
  for (const [title, message, bytes] of vectors) {
    assert.is(toHex(encodeGraphMessage(message)), toHex(bytes), title)
    const reader = new GraphStreamReader(options)
    for (const piece of frameMessage(bytes, options.maxFrame)) reader.push(piece)
    assert.equal(reader.next(), { kind: 'message', message }, title)
    assert.is(reader.next(), undefined)
    assert.is(reader.buffered, 0)
  }
})

const signature = hex`
  00000200000000000000000000000000 4c515c944252494f844034cc79769c81 00000001 00000000
  00000006 0061006c006900630065 0000 00000000 00000000 01dc5b0000000000 01dc5b00b2d05e00
  01dc5b0000000000 00000003 00670031 0000 0100 00000008 0102030405060708 00000000`

test('G-011 G-013 G-014 G-015 G-016 G-038 the signature record is written and read as derived by hand', () => {
  assert.is(signature.length, 116)
  const fields = {
    type: guid('00000200-0000-0000-0000-000000000000'),
    id: guid('4c515c94-4252-494f-8440-34cc79769c81'),
    version: 1,
    deleted: false,
    creatorId: 'alice',
    lastModifiedBy: '',
    securityData: new Uint8Array(0),
    creationTime: 0x01dc5b0000000000n,
    expirationTime: 0x01dc5b00b2d05e00n,
    modificationTime: 0x01dc5b0000000000n,
    graphId: 'g1',
    payload: hex`0102030405060708`,
    attributes: '',
  }
  assert.is(toHex(encodeRecord(fields, dialect).bytes), toHex(signature))
  const decoded = decodeRecord(signature, dialect, 'g1')
  assert.ok(decoded.ok)
  assert.equal(recordFields(decoded.record), fields)
  assert.is(toHex(decoded.record.retain().bytes), toHex(signature))
  assert.is(toHex(decoded.record.payload), '0102030405060708')
})

test.run()
