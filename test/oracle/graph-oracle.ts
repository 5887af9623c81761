// A second decoder for graph messages, to compare the native one with; that for records is in
// graph-record-oracle.ts. It knows the layouts as tables written down from MS-PPGRH 2.2 and
// 3.1.5, and shares no code with lib. Bytes are hex, 64-bit numbers bigint; undefined
// stands for what must be refused.
import { hexOf, part, Refused, refuseUnless, viewOf } from './graph-bytes.js'

export type Plain = { readonly [name: string]: unknown }

type Field = readonly [name: string, width: 1 | 2 | 4 | 8 | 16]

/** Fields one behind the other: numbers, or hex for 16 bytes. */
function fields(bytes: Uint8Array, at: number, layout: readonly Field[]): Record<string, unknown> {
  const view = viewOf(bytes)
  const found: Record<string, unknown> = {}
  for (const [name, width] of layout) {
    refuseUnless(at + width <= bytes.length)
    if (width === 1) found[name] = view.getUint8(at)
    else if (width === 2) found[name] = view.getUint16(at)
    else if (width === 4) found[name] = view.getUint32(at)
    else if (width === 8) found[name] = view.getBigUint64(at)
    else found[name] = hexOf(part(bytes, at, 16))
    at += width
  }
  return found
}

/** UTF-8 with one NUL, which ends it. */
function utf8(bytes: Uint8Array, from: number, to: number, least: number): string {
  refuseUnless(to > from)
  const raw = part(bytes, from, to - from)
  refuseUnless(raw.indexOf(0) === raw.length - 1)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw.subarray(0, -1))
  } catch {
    throw new Refused()
  }
  refuseUnless(text.length >= least && text.length <= 255)
  return text
}

function entries(
  bytes: Uint8Array,
  at: number,
  count: number,
  layout: readonly Field[],
): Record<string, unknown>[] {
  const size = layout.reduce((sum, [, width]) => sum + width, 0)
  refuseUnless(at + count * size <= bytes.length)
  return Array.from({ length: count }, (_, i) => fields(bytes, at + i * size, layout))
}

const ADDRESS: readonly Field[] = [
  ['family', 2],
  ['port', 2],
  ['address', 16],
]
const GUID: readonly Field[] = [['guid', 16]]
const ABSTRACT: readonly Field[] = [
  ['id', 16],
  ['version', 4],
]
const HASH_INFO: readonly Field[] = [
  ['hash', 16],
  ['modificationTime', 8],
  ['recordId', 16],
]
const BOUNDARY: readonly Field[] = [
  ['lowerTime', 8],
  ['lowerId', 16],
  ['upperTime', 8],
  ['upperId', 16],
  ['count', 4],
]

function addresses(bytes: Uint8Array, at: number, count: number): Plain[] {
  return entries(bytes, at, count, ADDRESS).map(({ family, port, address }) => {
    refuseUnless(family === 0x17)
    return { address, port }
  })
}

export type Numbers = Record<string, number> & { size: number }

interface Row {
  readonly name: string
  /** Least Message Size, 3.1.5.2. */
  readonly least: number
  /** Fields behind the header. */
  readonly fixed: readonly Field[]
  /** Receive checks: all have to hold. */
  readonly checks: (n: Numbers) => boolean[]
  readonly rest: (n: Numbers, bytes: Uint8Array, wide: Record<string, unknown>) => Plain
}

const GOODBYE: readonly Field[] = [
  ['code', 1],
  ['count', 1],
  ['offset', 2],
]
const COUNTS: readonly Field[] = [
  ['included', 1],
  ['excluded', 1],
  ['types', 2],
]

/** Entries that exist do not stand in the fixed part. */
const behind = (count: number, offset: number, fixed: number): boolean =>
  count === 0 || offset >= fixed

const typeChecks = (n: Numbers, fixed: number, end: number): boolean[] => [
  n['included'] === 0 || n['excluded'] === 0,
  (n['included']! + n['excluded']!) * 16 + n['types']! <= end,
  behind(n['included']! + n['excluded']!, n['types']!, fixed),
]

function types(n: Numbers, bytes: Uint8Array): Plain {
  const list = entries(bytes, n['types']!, n['included']! + n['excluded']!, GUID)
  const guids = list.map(({ guid }) => guid)
  return n['included']! > 0
    ? { inclusions: guids, exclusions: [] }
    : { inclusions: [], exclusions: guids }
}

const optionalName = (n: Numbers, bytes: Uint8Array): Plain =>
  n['name'] === n.size ? {} : { friendlyName: utf8(bytes, n['name']!, n.size, 0) }

const pick = (names: readonly string[], code: number): string => names[code - 1] as string

export const ROWS: Readonly<Record<number, Row>> = {
  1: {
    name: 'AUTH_INFO',
    least: 16,
    fixed: [
      ['kind', 1],
      ['reserved', 1],
      ['graph', 2],
      ['source', 2],
      ['destination', 2],
    ],
    checks: (n) => [
      n['kind'] === 1 || n['kind'] === 2,
      n['graph']! >= 16,
      n['graph']! < n['source']!,
      n['source']! < n['destination']!,
      n['destination']! <= n.size,
    ],
    rest: (n, bytes) => ({
      connectionType: pick(['neighbor', 'direct'], n['kind']!),
      graphId: utf8(bytes, n['graph']!, n['source']!, 1),
      sourcePeerId: utf8(bytes, n['source']!, n['destination']!, 1),
      ...(n['destination'] === n.size
        ? {}
        : { destinationPeerId: utf8(bytes, n['destination']!, n.size, 1) }),
    }),
  },
  2: {
    name: 'CONNECT',
    least: 24,
    fixed: [
      ['flags', 1],
      ['count', 1],
      ['offset', 2],
      ['name', 2],
      ['reserved', 2],
      ['nodeId', 8],
    ],
    checks: (n) => [
      n['count']! * 20 + n['offset']! <= n.size,
      n['name']! >= n['count']! * 20 + n['offset']!,
      n['name']! <= n.size,
      n['name']! >= 24,
      behind(n['count']!, n['offset']!, 24),
      (n['flags']! & 8) === 0 || n['count']! > 0,
    ],
    rest: (n, bytes, { nodeId }) => ({
      update: (n['flags']! & 8) !== 0,
      direct: (n['flags']! & 4) !== 0,
      neighborList: (n['flags']! & 1) !== 0,
      nodeId,
      addresses: addresses(bytes, n['offset']!, n['count']!),
      ...optionalName(n, bytes),
    }),
  },
  3: {
    name: 'WELCOME',
    least: 32,
    fixed: [
      ['nodeId', 8],
      ['peerTime', 8],
      ['count', 1],
      ['reserved', 1],
      ['offset', 2],
      ['peer', 2],
      ['name', 2],
    ],
    checks: (n) => [
      n['count']! * 20 + n['offset']! < n.size,
      n['peer']! >= n['count']! * 20 + n['offset']!,
      n['peer']! >= 32,
      n['name']! > n['peer']!,
      n['name']! <= n.size,
      behind(n['count']!, n['offset']!, 32),
    ],
    rest: (n, bytes, { nodeId, peerTime }) => ({
      nodeId,
      peerTime,
      addresses: addresses(bytes, n['offset']!, n['count']!),
      peerId: utf8(bytes, n['peer']!, n['name']!, 0),
      ...optionalName(n, bytes),
    }),
  },
  4: {
    name: 'REFUSE',
    least: 12,
    fixed: GOODBYE,
    checks: (n) => [
      n['code']! >= 1 && n['code']! <= 4,
      n['count']! * 20 + n['offset']! <= n.size,
      behind(n['count']!, n['offset']!, 12),
    ],
    rest: (n, bytes) => ({
      code: pick(['busy', 'already-connected', 'duplicate', 'direct-disallowed'], n['code']!),
      addresses: addresses(bytes, n['offset']!, n['count']!),
    }),
  },
  5: {
    name: 'DISCONNECT',
    least: 12,
    fixed: GOODBYE,
    checks: (n) => [
      n['code']! >= 1 && n['code']! <= 3,
      n['count']! * 20 + n['offset']! <= n.size,
      behind(n['count']!, n['offset']!, 12),
    ],
    rest: (n, bytes) => ({
      reason: pick(['leaving', 'least-useful', 'application'], n['code']!),
      addresses: addresses(bytes, n['offset']!, n['count']!),
    }),
  },
  6: {
    name: 'SOLICIT_NEW',
    least: 12,
    fixed: COUNTS,
    checks: (n) => [n['included']! <= 1, ...typeChecks(n, 12, n.size)],
    rest: types,
  },
  7: {
    name: 'SOLICIT_TIME',
    least: 20,
    fixed: [...COUNTS, ['modificationTime', 8]],
    checks: (n) => [n['included']! <= 1, ...typeChecks(n, 20, n.size)],
    rest: (n, bytes, { modificationTime }) => ({ ...types(n, bytes), modificationTime }),
  },
  8: {
    name: 'SOLICIT_HASH',
    least: 20,
    fixed: [...COUNTS, ['hashes', 4], ['offset', 2], ['reserved', 2]],
    checks: (n) => [
      ...typeChecks(n, 20, n['offset']!),
      n['hashes']! * 40 + n['offset']! <= n.size,
      behind(n['hashes']!, n['offset']!, 20),
    ],
    rest: (n, bytes) => ({
      ...types(n, bytes),
      ranges: entries(bytes, n['offset']!, n['hashes']!, HASH_INFO),
    }),
  },
  9: {
    name: 'ADVERTISE',
    least: 24,
    fixed: [
      ['boundaries', 4],
      ['abstracts', 4],
      ['offset', 2],
      ['reserved', 2],
      ['from', 4],
    ],
    checks: (n) => [
      n['offset']! <= n['from']!,
      n['from']! <= n.size,
      n['boundaries']! * 52 + n['offset']! <= n['from']!,
      n['abstracts']! * 20 + n['from']! <= n.size,
      behind(n['boundaries']!, n['offset']!, 24),
      behind(n['abstracts']!, n['from']!, 24),
    ],
    rest: (n, bytes) => ({
      boundaries: entries(bytes, n['offset']!, n['boundaries']!, BOUNDARY),
      abstracts: entries(bytes, n['from']!, n['abstracts']!, ABSTRACT),
    }),
  },
  10: {
    name: 'REQUEST',
    least: 16,
    fixed: [
      ['abstracts', 4],
      ['from', 4],
    ],
    checks: (n) => [
      n['abstracts']! * 20 + n['from']! <= n.size,
      behind(n['abstracts']!, n['from']!, 16),
    ],
    rest: (n, bytes) => ({ abstracts: entries(bytes, n['from']!, n['abstracts']!, ABSTRACT) }),
  },
  11: {
    name: 'FLOOD',
    least: 16,
    fixed: [
      ['offset', 2],
      ['reserved2', 2],
    ],
    checks: (n) => [n['reserved2'] === 0, n['offset']! >= 12, n['offset']! <= n.size],
    rest: (n, bytes) => ({ record: bytes.slice(n['offset']) }),
  },
  12: {
    name: 'SYNC_END',
    least: 12,
    fixed: [['flags', 1]],
    checks: () => [],
    rest: (n) => ({ final: (n['flags']! & 1) !== 0 }),
  },
  13: {
    name: 'PT2PT',
    least: 28,
    fixed: [
      ['offset', 2],
      ['reserved', 2],
      ['dataType', 16],
    ],
    checks: (n) => [n['offset']! >= 28, n['offset']! <= n.size],
    rest: (n, bytes, { dataType }) => ({ dataType, data: hexOf(bytes.slice(n['offset'])) }),
  },
  14: {
    name: 'ACK',
    least: 12,
    fixed: [
      ['count', 2],
      ['offset', 2],
    ],
    checks: (n) => [
      n['count']! * 20 + n['offset']! <= n.size,
      behind(n['count']!, n['offset']!, 12),
    ],
    rest: (n, bytes) => ({
      acks: entries(bytes, n['offset']!, n['count']!, ABSTRACT).map(({ id, version }) => ({
        id,
        useful: ((version as number) & 1) !== 0,
      })),
    }),
  },
}

/** Of the whole message; `maxMessage` for FLOOD and PT2PT. */
function decode(bytes: Uint8Array, maxMessage: number): Plain {
  const header = fields(bytes, 0, [
    ['size', 4],
    ['version', 1],
    ['type', 1],
    ['reserved', 2],
  ])
  const row = ROWS[header['type'] as number]
  refuseUnless(header['version'] === 0x10 && row !== undefined)
  refuseUnless(header['size'] === bytes.length && bytes.length >= row.least)
  const lists = new Set(['SOLICIT_HASH', 'ADVERTISE', 'REQUEST', 'ACK'])
  const bound = lists.has(row.name) ? 2 ** 24 : /FLOOD|PT2PT/.test(row.name) ? maxMessage : 65_535
  refuseUnless(bytes.length <= Math.min(bound, maxMessage))
  const wide = fields(bytes, 8, row.fixed)
  const numbers = { ...(wide as Record<string, number>), size: bytes.length }
  refuseUnless(row.checks(numbers).every(Boolean))
  return { type: row.name, ...row.rest(numbers, bytes, wide) }
}

/** The numbers behind the header, by their names in the table. */
export function oracleFields(bytes: Uint8Array): { row: Row; numbers: Numbers } {
  const row = ROWS[bytes[5] as number] as Row
  const numbers = fields(bytes, 8, row.fixed) as Record<string, number>
  return { row, numbers: { ...numbers, size: bytes.length } }
}

/** The message, of a FLOOD with the bytes of its record; undefined when it is malformed. */
export function oracleMessage(bytes: Uint8Array, maxMessage: number): Plain | undefined {
  try {
    return decode(bytes, maxMessage)
  } catch (error) {
    if (error instanceof Refused) return undefined
    throw error
  }
}
