// Graph messages, records and payloads byte for byte, derived by hand from the layouts of MS-PPGRH
// 2.2 under GA-01 (strings big-endian) and GA-02. Those marked "vector" are from an analysis of the
// document that is older than this code; the others were written down here.
import type { Endpoint } from '#lib/core/endpoint.js'
import { guid } from '#lib/core/guid.js'
import type { GraphMessage } from '#lib/wire/graph/messages.js'
import type {
  ContactPayload,
  GraphInfoPayload,
  NamedEndpoint,
  PresencePayload,
} from '#lib/wire/graph/payloads.js'
import type { RecordFields } from '#lib/wire/graph/record.js'
import { hex } from '../helpers/hex.js'

export const address: Endpoint = { address: hex`20010db8000000000000000000000001`, port: 3587 }
const other: Endpoint = { address: hex`fe80000000000000 0011 22ff fe33 4455`, port: 1024 }
const graphInfo = guid('00000100-0000-0000-0000-000000000000')
const signatureType = guid('00000200-0000-0000-0000-000000000000')
const presence = guid('00000400-0000-0000-0000-000000000000')
const signatureId = guid('4c515c94-4252-494f-8440-34cc79769c81')
const someId = guid('00112233-4455-6677-8899-aabbccddeeff')
const nodeId = 0x0102030405060708n
const time = 0x01dc5b0000000000n
const none = new Uint8Array(0)

export interface RecordVector {
  readonly name: string
  readonly fields: RecordFields
  readonly bytes: Uint8Array
}

export const signature: RecordVector = {
  name: 'signature', // vector
  fields: {
    type: signatureType,
    id: signatureId,
    version: 1,
    deleted: false,
    creatorId: 'alice',
    lastModifiedBy: '',
    securityData: none,
    creationTime: time,
    expirationTime: 0x01dc5b00b2d05e00n,
    modificationTime: time,
    graphId: 'g1',
    payload: hex`0102030405060708`,
    attributes: '',
  },
  bytes: hex`
    00000200000000000000000000000000 4c515c944252494f844034cc79769c81 00000001 00000000
    00000006 0061006c006900630065 0000 00000000 00000000
    01dc5b0000000000 01dc5b00b2d05e00 01dc5b0000000000
    00000003 00670031 0000 0100 00000008 0102030405060708 00000000`,
}

/** All that a record can have, and characters beyond ASCII and the BMP. */
export const full: RecordVector = {
  name: 'full',
  fields: {
    type: guid('a1a2a3a4-b1b2-c1c2-d1d2-d3d4d5d6d7d8'),
    id: someId,
    version: 0x01020304,
    deleted: false,
    creatorId: 'zo\u00eb',
    lastModifiedBy: 'b\u{1f600}',
    securityData: hex`5ec5`,
    creationTime: time,
    expirationTime: time + 0x200n,
    modificationTime: time + 0x100n,
    graphId: 'g1',
    payload: hex`ff`,
    attributes: '<attributes/>',
  },
  bytes: hex`
    a1a2a3a4b1b2c1c2d1d2d3d4d5d6d7d8 00112233445566778899aabbccddeeff 01020304 000000 00
    00000004 007a 006f 00eb 0000            # creator
    00000004 0062 d83d de00 0000            # last modified by: a pair of surrogates
    00000002 5ec5                           # security data
    01dc5b0000000000 01dc5b0000000200 01dc5b0000000100
    00000003 0067 0031 0000 0100
    00000001 ff
    0000000e 003c 0061 0074 0074 0072 0069 0062 0075 0074 0065 0073 002f 003e 0000`,
}

/** The smallest record there is: 98 bytes; a tombstone has a later version and a modifier. */
export const tombstone: RecordVector = {
  name: 'tombstone',
  fields: {
    type: guid('a1a2a3a4-b1b2-c1c2-d1d2-d3d4d5d6d7d8'),
    id: someId,
    version: 2,
    deleted: true,
    creatorId: 'a',
    lastModifiedBy: 'b',
    securityData: none,
    creationTime: 1n,
    expirationTime: 3n,
    modificationTime: 2n,
    graphId: 'g1',
    payload: none,
    attributes: '',
  },
  bytes: hex`
    a1a2a3a4b1b2c1c2d1d2d3d4d5d6d7d8 00112233445566778899aabbccddeeff 00000002 000000 02
    00000002 0061 0000 00000002 0062 0000 00000000
    0000000000000001 0000000000000003 0000000000000002
    00000003 0067 0031 0000 0100 00000000 00000000`,
}

export const recordVectors: readonly RecordVector[] = [signature, full, tombstone]

/** What another byte order makes of `full` (GA-01). */
export const fullLittleEndian: Uint8Array = hex`
    a1a2a3a4b1b2c1c2d1d2d3d4d5d6d7d8 00112233445566778899aabbccddeeff 01020304 000000 00
    00000004 7a00 6f00 eb00 0000 00000004 6200 3dd8 00de 0000 00000002 5ec5
    01dc5b0000000000 01dc5b0000000200 01dc5b0000000100
    00000003 6700 3100 0000 0100 00000001 ff
    0000000e 3c00 6100 7400 7400 7200 6900 6200 7500 7400 6500 7300 2f00 3e00 0000`

/** A message; of a FLOOD the record's fields, since records are not plain objects. */
export interface MessageVector {
  readonly name: string
  readonly message: Exclude<GraphMessage, { type: 'FLOOD' }>
  readonly bytes: Uint8Array
}

export const floodBytes: Uint8Array = hex`00000080 10 0b 0000 000c 0000 ${signature.bytes}`

export const messageVectors: readonly MessageVector[] = [
  {
    name: 'auth-info', // vector
    message: {
      type: 'AUTH_INFO',
      connectionType: 'neighbor',
      graphId: 'g1',
      sourcePeerId: 'alice',
    },
    bytes: hex`00000019 10 01 0000 01 00 0010 0013 0019 673100 616c69636500`,
  },
  {
    name: 'auth-info-direct',
    message: {
      type: 'AUTH_INFO',
      connectionType: 'direct',
      graphId: 'g1',
      sourcePeerId: '\u00e9',
      destinationPeerId: 'bob',
    },
    bytes: hex`0000001a 10 01 0000 02 00 0010 0013 0016 673100 c3a900 626f6200`,
  },
  {
    name: 'connect', // vector
    message: {
      ...{ type: 'CONNECT', update: false, direct: false, neighborList: true },
      ...{ nodeId, addresses: [] },
    },
    bytes: hex`00000018 10 02 0000 01 00 0018 0018 0000 0102030405060708`,
  },
  {
    name: 'connect-update', // vector
    message: {
      ...{ type: 'CONNECT', update: true, direct: false, neighborList: false },
      ...{ nodeId, addresses: [address] },
    },
    bytes: hex`0000002c 10 02 0000 08 01 0018 002c 0000 0102030405060708
      0017 0e03 20010db8000000000000000000000001`,
  },
  {
    name: 'connect-direct-named',
    message: {
      ...{ type: 'CONNECT', update: false, direct: true, neighborList: true },
      ...{ nodeId, addresses: [address, other], friendlyName: 'Zo\u00eb' },
    },
    bytes: hex`00000045 10 02 0000 05 02 0018 0040 0000 0102030405060708
      0017 0e03 20010db8000000000000000000000001
      0017 0400 fe80000000000000 0011 22ff fe33 4455
      5a6fc3ab00`,
  },
  {
    name: 'welcome', // vector
    message: {
      ...{ type: 'WELCOME', nodeId: 0x1112131415161718n, peerTime: time },
      ...{ addresses: [], peerId: 'bob' },
    },
    bytes: hex`00000024 10 03 0000 1112131415161718 01dc5b0000000000 00 00 0000 0020 0024 626f6200`,
  },
  {
    name: 'welcome-referral-named',
    message: {
      ...{ type: 'WELCOME', nodeId: 0x1112131415161718n, peerTime: time },
      ...{ addresses: [address], peerId: 'bob', friendlyName: 'Bob' },
    },
    bytes: hex`0000003c 10 03 0000 1112131415161718 01dc5b0000000000 01 00 0020 0034 0038
      0017 0e03 20010db8000000000000000000000001 626f6200 426f6200`,
  },
  {
    name: 'refuse-duplicate', // vector
    message: { type: 'REFUSE', code: 'duplicate', addresses: [] },
    bytes: hex`0000000c 10 04 0000 03 00 0000`,
  },
  {
    name: 'refuse-busy',
    message: { type: 'REFUSE', code: 'busy', addresses: [address] },
    bytes: hex`00000020 10 04 0000 01 01 000c 0017 0e03 20010db8000000000000000000000001`,
  },
  {
    name: 'disconnect', // vector
    message: { type: 'DISCONNECT', reason: 'leaving', addresses: [] },
    bytes: hex`0000000c 10 05 0000 01 00 000c`,
  },
  {
    name: 'disconnect-referral',
    message: { type: 'DISCONNECT', reason: 'application', addresses: [other] },
    bytes: hex`00000020 10 05 0000 03 01 000c 0017 0400 fe80000000000000 0011 22ff fe33 4455`,
  },
  {
    name: 'solicit-new-all',
    message: { type: 'SOLICIT_NEW', inclusions: [], exclusions: [] },
    bytes: hex`0000000c 10 06 0000 00 00 000c`,
  },
  {
    name: 'solicit-new-included', // vector
    message: { type: 'SOLICIT_NEW', inclusions: [graphInfo], exclusions: [] },
    bytes: hex`0000001c 10 06 0000 01 00 000c 00000100000000000000000000000000`,
  },
  {
    name: 'solicit-new-excluded', // vector
    message: { type: 'SOLICIT_NEW', inclusions: [], exclusions: [graphInfo, presence] },
    bytes: hex`0000002c 10 06 0000 00 02 000c
      00000100000000000000000000000000 00000400000000000000000000000000`,
  },
  {
    name: 'solicit-time', // vector
    message: {
      ...{ type: 'SOLICIT_TIME', inclusions: [graphInfo], exclusions: [] },
      modificationTime: time,
    },
    bytes: hex`00000024 10 07 0000 01 00 0014 01dc5b0000000000 00000100000000000000000000000000`,
  },
  {
    name: 'solicit-hash', // MD5 of the first abstract of 'advertise', and of nothing
    message: {
      ...{ type: 'SOLICIT_HASH', inclusions: [], exclusions: [] },
      ranges: [
        {
          hash: hex`06742be9f0827d5f587b6be4193e7196`,
          ...{ modificationTime: time, recordId: someId },
        },
        {
          hash: hex`d41d8cd98f00b204e9800998ecf8427e`,
          modificationTime: 0x7fffffffffffffffn,
          recordId: guid('ffffffff-ffff-ffff-ffff-ffffffffffff'),
        },
      ],
    },
    bytes: hex`00000064 10 08 0000 00 00 0014 00000002 0014 0000
      06742be9f0827d5f587b6be4193e7196 01dc5b0000000000 00112233445566778899aabbccddeeff
      d41d8cd98f00b204e9800998ecf8427e 7fffffffffffffff ff*16`,
  },
  {
    name: 'solicit-hash-excluding',
    message: {
      ...{ type: 'SOLICIT_HASH', inclusions: [], exclusions: [presence] },
      ranges: [{ hash: hex`aa*16`, modificationTime: 1n, recordId: someId }],
    },
    bytes: hex`0000004c 10 08 0000 00 01 0014 00000001 0024 0000
      00000400000000000000000000000000
      aa*16 0000000000000001 00112233445566778899aabbccddeeff`,
  },
  {
    name: 'advertise-nothing',
    message: { type: 'ADVERTISE', boundaries: [], abstracts: [] },
    bytes: hex`00000018 10 09 0000 00000000 00000000 0018 0000 00000018`,
  },
  {
    name: 'advertise',
    message: {
      type: 'ADVERTISE',
      boundaries: [
        {
          ...{ lowerTime: 0n, lowerId: guid('00000000-0000-0000-0000-000000000000') },
          ...{ upperTime: time, upperId: someId, count: 2 },
        },
      ],
      abstracts: [
        { id: someId, version: 1 },
        { id: signatureId, version: 0xfffffffe },
      ],
    },
    bytes: hex`00000074 10 09 0000 00000001 00000002 0018 0000 0000004c
      0000000000000000 00*16 01dc5b0000000000 00112233445566778899aabbccddeeff 00000002
      00112233445566778899aabbccddeeff 00000001
      4c515c944252494f844034cc79769c81 fffffffe`,
  },
  {
    name: 'request-nothing', // vector
    message: { type: 'REQUEST', abstracts: [] },
    bytes: hex`00000014 10 0a 0000 00000000 00000010 00000000`,
  },
  {
    name: 'request',
    message: { type: 'REQUEST', abstracts: [{ id: someId, version: 7 }] },
    bytes: hex`00000024 10 0a 0000 00000001 00000010 00112233445566778899aabbccddeeff 00000007`,
  },
  {
    name: 'sync-end', // vector
    message: { type: 'SYNC_END', final: true },
    bytes: hex`0000000c 10 0c 0000 01 00 0000`,
  },
  {
    name: 'sync-end-not-final',
    message: { type: 'SYNC_END', final: false },
    bytes: hex`0000000c 10 0c 0000 00 00 0000`,
  },
  {
    name: 'ping', // vector
    message: {
      ...{ type: 'PT2PT', data: none },
      dataType: guid('0ccbb0d2-be41-4bd6-914b-058ec5dcce64'),
    },
    bytes: hex`0000001c 10 0d 0000 001c 0000 0ccbb0d2be414bd6914b058ec5dcce64`,
  },
  {
    name: 'pt2pt',
    message: { type: 'PT2PT', dataType: someId, data: hex`000102` },
    bytes: hex`0000001f 10 0d 0000 001c 0000 00112233445566778899aabbccddeeff 000102`,
  },
  {
    name: 'ack', // vector
    message: { type: 'ACK', acks: [{ id: signatureId, useful: true }] },
    bytes: hex`00000020 10 0e 0000 0001 000c 4c515c944252494f844034cc79769c81 00000001`,
  },
  {
    name: 'ack-two',
    message: {
      type: 'ACK',
      acks: [
        { id: someId, useful: false },
        { id: signatureId, useful: true },
      ],
    },
    bytes: hex`00000034 10 0e 0000 0002 000c
      00112233445566778899aabbccddeeff 00000000 4c515c944252494f844034cc79769c81 00000001`,
  },
]

export const infoVector: { payload: GraphInfoPayload; bytes: Uint8Array } = {
  payload: {
    ...{ deferExpiration: true, scope: 'link-local', graphId: 'g1', creatorId: 'alice' },
    ...{ friendlyName: 'G', comment: '', presenceLifetimeS: 300 },
    ...{ maxPresenceRecords: 0xffffffff, maxRecordSize: 62_914_560 },
  },
  bytes: hex`0000003e 00000002 00000003
    00000003 0067 0031 0000 00000006 0061 006c 0069 0063 0065 0000
    00000002 0047 0000 00000000 0000012c ffffffff 03c00000`,
}

export const contactVector: { payload: ContactPayload; bytes: Uint8Array } = {
  payload: { signature: nodeId, nodeId: 0xfffefdfcfbfaf9f8n, addresses: [address] },
  bytes: hex`0102030405060708 fffefdfcfbfaf9f8 00000001
    00000020 0017 0e03 00000000 20010db8000000000000000000000001 00000000`, // PEER_ADDRESS: vector
}

export const presenceVector: { payload: PresencePayload; bytes: Uint8Array } = {
  payload: { nodeId, attributes: 'at', addresses: [address, other] },
  bytes: hex`0102030405060708 00000003 0061 0074 0000 00000002
    00000020 0017 0e03 00000000 20010db8000000000000000000000001 00000000
    00000020 0017 0400 00000000 fe80000000000000 0011 22ff fe33 4455 00000000`,
}

export const addressExVector: { payload: NamedEndpoint; bytes: Uint8Array } = {
  payload: { ...address, peerId: 'bob' },
  bytes: hex`0017 0e03 20010db8000000000000000000000001 626f6200`,
}
