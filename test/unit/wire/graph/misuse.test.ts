// What callers give that cannot be a message, a record or a payload is refused before it is sent.
import * as assert from 'uvu/assert'
import { addon } from '#lib/native/addon.js'
import { encodeGraphMessage, encodeRecord } from '#lib/wire/graph/codec.js'
import type { GraphMessage } from '#lib/wire/graph/messages.js'
import * as payloads from '#lib/wire/graph/payloads.js'
import type { RecordFields } from '#lib/wire/graph/record.js'
import * as golden from '../../../golden/graph.js'
import { suite } from '../../../harness.js'

const test = suite('misuse of the graph codec')
const dialect = { stringOrder: 'big-endian' } as const
const isMisuse = (error: { code?: string }): boolean => error.code === 'ERR_PEERNET_INVALID_ARG'

function refuses(name: string, changes: object): void {
  const vector = golden.messageVectors.find((candidate) => candidate.name === name)
  assert.ok(vector)
  const message = { ...vector.message, ...changes } as GraphMessage
  assert.throws(() => encodeGraphMessage(message), isMisuse, `${name} ${Object.keys(changes)[0]}`)
}

test('messages', () => {
  for (const text of ['', 'a\0b', '\ud800', 'x'.repeat(256)]) {
    refuses('auth-info', { graphId: text })
    refuses('auth-info', { sourcePeerId: text })
    refuses('auth-info', { destinationPeerId: text })
  }
  const addresses = (count: number) => Array.from({ length: count }, () => golden.address)
  refuses('connect', { update: true })
  refuses('connect', { nodeId: 1n << 64n })
  refuses('connect', { nodeId: -1n })
  refuses('connect', { friendlyName: 'x'.repeat(256) })
  refuses('connect', { addresses: addresses(256) })
  refuses('connect', { addresses: [{ address: new Uint8Array(4), port: 1 }] })
  refuses('connect', { addresses: [{ address: new Uint8Array(16), port: 65_536 }] })
  refuses('welcome', { peerTime: 1n << 64n })
  refuses('refuse-busy', { code: 'tired' })
  refuses('disconnect', { reason: 'tired' })
  const guids = (count: number) => Array.from({ length: count }, () => golden.signature.fields.id)
  refuses('solicit-new-all', { inclusions: guids(1), exclusions: guids(1) })
  refuses('solicit-new-all', { inclusions: guids(2) })
  refuses('solicit-time', { inclusions: [], exclusions: guids(256) })
  refuses('solicit-hash', { exclusions: guids(256) })
  const acks = Array.from({ length: 65_536 }, () => ({ id: golden.full.fields.id, useful: true }))
  refuses('ack', { acks })
})

test('the longest messages there are', () => {
  const most = Array.from({ length: 255 }, () => golden.address)
  const longest = 'x'.repeat(255)
  const welcome = { type: 'WELCOME', nodeId: 1n, peerTime: 1n } as const
  const names = { peerId: longest, friendlyName: '\u20ac'.repeat(255) }
  const bytes = encodeGraphMessage({ ...welcome, addresses: most, ...names })
  assert.is(bytes.length, 32 + 255 * 20 + 256 + 766)
  const acks = Array.from({ length: 65_535 }, () => ({ id: golden.full.fields.id, useful: false }))
  assert.is(encodeGraphMessage({ type: 'ACK', acks }).length, 12 + 65_535 * 20)
  const abstracts = Array.from({ length: 50_000 }, (_, version) => ({
    ...{ id: golden.full.fields.id, version },
  }))
  assert.is(encodeGraphMessage({ type: 'REQUEST', abstracts }).length, 16 + 1_000_000)
})

function refusesRecord(changes: Partial<RecordFields>): void {
  const fields = { ...golden.full.fields, ...changes }
  assert.throws(() => encodeRecord(fields, dialect), isMisuse, Object.keys(changes)[0])
}

test('G-012 G-013 G-015 records', () => {
  for (const text of ['', 'a\0b', '\ud800', 'x'.repeat(256)]) {
    refusesRecord({ creatorId: text })
    refusesRecord({ graphId: text })
    if (text !== '') refusesRecord({ lastModifiedBy: text })
  }
  refusesRecord({ attributes: 'a\0' })
  for (const version of [0, -1, 1.5, 2 ** 32, NaN]) refusesRecord({ version })
  refusesRecord({ deleted: true })
  refusesRecord({ creationTime: -1n })
  refusesRecord({ modificationTime: golden.full.fields.creationTime })
  refusesRecord({ modificationTime: golden.full.fields.creationTime - 1n })
  refusesRecord({ expirationTime: golden.full.fields.modificationTime })
  refusesRecord({ expirationTime: 1n << 64n })
})

test('G-034 G-035 G-037 payloads', () => {
  const { payload } = golden.infoVector
  const refusesInfo = (changes: Partial<payloads.GraphInfoPayload>): void => {
    const info = { ...payload, ...changes }
    assert.throws(() => payloads.encodeGraphInfo(info, dialect), isMisuse)
  }
  refusesInfo({ graphId: '' })
  refusesInfo({ creatorId: 'x'.repeat(256) })
  refusesInfo({ friendlyName: 'x'.repeat(256) })
  refusesInfo({ comment: 'x'.repeat(512) })
  refusesInfo({ scope: 'galaxy' as 'global' })
  for (const presenceLifetimeS of [1, 299, 2 ** 32, -1]) refusesInfo({ presenceLifetimeS })
  for (const maxRecordSize of [1023, 62_914_561, 0.5]) refusesInfo({ maxRecordSize })
  refusesInfo({ maxPresenceRecords: 2 ** 32 })
  assert.throws(() => payloads.encodeSignature({ signature: 1n << 64n }), isMisuse)
  const addresses = [{ address: new Uint8Array(15), port: 1 }]
  const contact = { signature: 1n, nodeId: 1n, addresses }
  assert.throws(() => payloads.encodeContact(contact), isMisuse)
  const presence = { nodeId: 1n, attributes: '\0', addresses: [] }
  assert.throws(() => payloads.encodePresence(presence, dialect), isMisuse)
  const named = { ...golden.address, peerId: '' }
  assert.throws(() => payloads.encodeAddressEx(named), isMisuse)
})

test('the native functions refuse arguments that do not fit', () => {
  const call = (name: string, ...values: unknown[]): void => {
    const native = (addon as unknown as Record<string, (...values: unknown[]) => unknown>)[name]
    assert.throws(() => native?.(...values), isMisuse, `${name}(${values.join()})`)
  }
  const bytes = new Uint8Array(10)
  const words = new Int32Array(200)
  call('graphScan')
  call('graphScan', bytes, new Int32Array(10))
  call('graphScan', bytes, new Uint32Array(200))
  call('graphScan', 'bytes', words)
  call('graphScan', bytes, words, {})
  call('graphDecodeRecord', bytes)
  call('graphDecodeRecord', bytes, new Int32Array(1))
  call('graphEncodeMessage', 8193)
  call('graphEncodeMessage', -1)
  call('graphEncodeMessage', 0, 'body')
  call('graphEncodeRecord', 0, bytes, bytes, bytes, 11, 0)
  call('graphEncodeRecord', 0, bytes, bytes, bytes, 0, 2)
  call('graphEncodeRecord', 0, bytes, bytes, undefined, 0, 0)
  call('graphDecodeInfo', bytes)
  call('graphDecodeInfo', 8193, 0)
  call('graphDecodeNode', bytes, 1)
  call('graphDecodeAddressEx', undefined)
  call('graphEncodeInfo', 0, 2)
  call('graphEncodeNode', 0, 1, 0, new Uint16Array(1))
  call('graphEncodeAddressEx', 0, [])
})

test('numbers of a stream that lie outside of what was handed over break it', () => {
  const chunk = new Uint8Array(10)
  const words = new Int32Array(200)
  words[1] = words[2] = 1000
  const [room, offset, at] = ['stream.room', 'stream.offset', 'stream.at'].map(
    (name) => addon.graphLayout[name] as number,
  ) as [number, number, number]
  for (const broken of [{ [at]: 11 }, { [room]: 11 }, { [offset]: 11 }, { [offset]: -1 }]) {
    const copy = words.slice()
    for (const [index, value] of Object.entries(broken)) copy[Number(index)] = value
    assert.is(addon.graphScan(chunk, copy, new Uint8Array(10)), 0)
    assert.is(copy[addon.graphLayout['stream.code'] as number], 19, 'OUT_OF_SOURCE')
  }
})

test.run()
