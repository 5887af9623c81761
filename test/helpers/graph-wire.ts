// Arbitrary graph messages and records (MS-PPGRH 2.2), and what the oracle calls them.
import fc from 'fast-check'
import type { Endpoint } from '#lib/core/endpoint.js'
import type { Guid } from '#lib/core/guid.js'
import type { GraphMessage } from '#lib/wire/graph/messages.js'
import type { RecordFields } from '#lib/wire/graph/record.js'
import { recordFields } from '#lib/wire/graph/wire-record.js'

export const GRAPH_ID = 'g\u00e9\u{1f600}'

const blob = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length, size: 'max' })
export const someBytes = (most: number) => fc.uint8Array({ maxLength: most, size: 'max' })
const guid = blob(16).map((bytes) => Buffer.from(bytes).toString('latin1') as Guid)
const u32 = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 1, 0x80000000, 0xffffffff))
const u64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 2n ** 63n, 2n ** 64n - 1n),
)
const endpoint = fc.record({ address: blob(16), port: fc.nat(65_535) })
const endpoints = fc.array(endpoint, { maxLength: 12 })

const isText = (text: string): boolean => !/\0|\p{Surrogate}/u.test(text)

/** Of so many UTF-16 units, all planes. */
export const text = (least: number, most: number) =>
  fc
    .string({ unit: 'binary', minLength: least, maxLength: most, size: 'max' })
    .filter((value) => isText(value) && value.length >= least && value.length <= most)
const name = fc.oneof({ weight: 9, arbitrary: text(1, 20) }, fc.constantFrom('x'.repeat(255)))

const recordTypes = (most: number) =>
  fc.oneof(
    fc.array(guid, { maxLength: 1 }).map((inclusions) => ({ inclusions, exclusions: [] })),
    fc.array(guid, { maxLength: most }).map((exclusions) => ({ inclusions: [], exclusions })),
  )
const abstracts = fc.array(fc.record({ id: guid, version: u32 }), { maxLength: 40 })
const maybe = <K extends string>(key: K, value: fc.Arbitrary<string>) =>
  fc.option(value, { nil: undefined }).map((found) => (found === undefined ? {} : { [key]: found }))

type NoFlood = Exclude<GraphMessage, { type: 'FLOOD' }>

const messages: fc.Arbitrary<object>[] = [
  fc
    .tuple(
      fc.record({
        type: fc.constant('AUTH_INFO'),
        connectionType: fc.constantFrom('neighbor', 'direct'),
        ...{ graphId: name, sourcePeerId: name },
      }),
      maybe('destinationPeerId', name),
    )
    .map(([one, other]) => ({ ...one, ...other })),
  fc
    .tuple(
      fc.record({
        type: fc.constant('CONNECT'),
        ...{ update: fc.boolean(), direct: fc.boolean(), neighborList: fc.boolean() },
        ...{ nodeId: u64, addresses: endpoints },
      }),
      maybe('friendlyName', text(0, 20)),
    )
    .map(([one, other]) => ({ ...one, ...other, update: one.update && one.addresses.length > 0 })),
  fc
    .tuple(
      fc.record({
        type: fc.constant('WELCOME'),
        ...{ nodeId: u64, peerTime: u64, addresses: endpoints, peerId: text(0, 20) },
      }),
      maybe('friendlyName', text(0, 20)),
    )
    .map(([one, other]) => ({ ...one, ...other })),
  fc.record({
    type: fc.constant('REFUSE'),
    code: fc.constantFrom('busy', 'already-connected', 'duplicate', 'direct-disallowed'),
    addresses: endpoints,
  }),
  fc.record({
    type: fc.constant('DISCONNECT'),
    reason: fc.constantFrom('leaving', 'least-useful', 'application'),
    addresses: endpoints,
  }),
  recordTypes(30).map((types) => ({ type: 'SOLICIT_NEW', ...types })),
  fc
    .tuple(recordTypes(30), u64)
    .map(([types, modificationTime]) => ({ type: 'SOLICIT_TIME', ...types, modificationTime })),
  fc
    .tuple(
      recordTypes(5),
      fc.array(fc.record({ hash: blob(16), modificationTime: u64, recordId: guid }), {
        maxLength: 20,
      }),
    )
    .map(([types, ranges]) => ({ type: 'SOLICIT_HASH', ...types, ranges })),
  fc.record({
    type: fc.constant('ADVERTISE'),
    boundaries: fc.array(
      fc.record({ lowerTime: u64, lowerId: guid, upperTime: u64, upperId: guid, count: u32 }),
      { maxLength: 10 },
    ),
    abstracts,
  }),
  fc.record({ type: fc.constant('REQUEST'), abstracts }),
  fc.record({ type: fc.constant('SYNC_END'), final: fc.boolean() }),
  fc.record({ type: fc.constant('PT2PT'), dataType: guid, data: someBytes(300) }),
  fc.record({
    type: fc.constant('ACK'),
    acks: fc.array(fc.record({ id: guid, useful: fc.boolean() }), { maxLength: 40 }),
  }),
]

/** All but FLOOD. */
export const anyMessage = fc.oneof(...messages) as fc.Arbitrary<NoFlood>

const times = fc
  .tuple(u64, u64, u64, fc.boolean())
  .map(([a, b, c, unmodified]) => {
    const [first, second, third] = [a, b, c].sort((x, y) => (x < y ? -1 : 1)) as [
      bigint,
      bigint,
      bigint,
    ]
    const creationTime = first
    const modificationTime = unmodified ? first : second
    return { creationTime, modificationTime, expirationTime: third }
  })
  .filter(({ modificationTime, expirationTime }) => expirationTime > modificationTime)

export const anyRecord: fc.Arbitrary<RecordFields> = fc
  .record({
    ...{ type: guid, id: guid, version: u32.map((v) => Math.max(v, 1)), deleted: fc.boolean() },
    ...{ creatorId: name, lastModifiedBy: fc.oneof(fc.constant(''), name), times },
    ...{ securityData: someBytes(40), payload: someBytes(300), attributes: text(0, 60) },
  })
  .map(({ times: when, ...fields }) => ({
    ...fields,
    ...when,
    graphId: GRAPH_ID,
    payload: fields.deleted ? new Uint8Array(0) : fields.payload,
    lastModifiedBy: when.modificationTime === when.creationTime ? '' : fields.lastModifiedBy,
  }))

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const guidHex = (value: string): string => Buffer.from(value, 'latin1').toString('hex')

const GUIDS = new Set(['type', 'id', 'recordId', 'lowerId', 'upperId', 'dataType'])

function plain(name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return hexOf(value)
  if (Array.isArray(value)) {
    return value.map((entry: unknown) =>
      typeof entry === 'string' ? guidHex(entry) : plain('', entry),
    )
  }
  if (typeof value === 'string') {
    return GUIDS.has(name) && value.length === 16 ? guidHex(value) : value
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(key, member)]))
}

/** The message as the oracle gives it. */
export function plainMessage(message: GraphMessage): unknown {
  if (message.type !== 'FLOOD') return plain('', message)
  return { type: 'FLOOD', record: plain('', recordFields(message.record)) }
}

export const plainRecord = (record: RecordFields): unknown => plain('', recordFields(record))

export const anyEndpoint: fc.Arbitrary<Endpoint> = endpoint
