// The second decoder for PEER_RECORD (MS-PPGRH 2.2.1.9), with the rules of 3.1.7.27 that need no
// state.
import { hexOf, part, Refused, refuseUnless, viewOf } from './graph-bytes.js'
import type { Plain } from './graph-oracle.js'

/** Units of UTF-16 with one NUL, which ends them. */
function utf16(raw: Uint8Array, little: boolean): string {
  const units = Array.from({ length: raw.length / 2 }, (_, i) =>
    viewOf(raw).getUint16(2 * i, little),
  )
  refuseUnless(units.indexOf(0) === units.length - 1)
  const text = units
    .slice(0, -1)
    .map((unit) => String.fromCharCode(unit))
    .join('')
  refuseUnless(isWellFormed(text))
  return text
}

function isWellFormed(text: string): boolean {
  try {
    encodeURIComponent(text)
    return true
  } catch {
    return false // a lone surrogate
  }
}

type Item = readonly [name: string, kind: 'guid' | 'u32' | 'time' | 'block' | 'version' | Limits]
/** Least and most units of a string; one that may be absent has `optional`. */
interface Limits {
  readonly least: number
  readonly most: number
  readonly optional: boolean
}

/** 2.2.1.9 */
const RECORD: readonly Item[] = [
  ['type', 'guid'],
  ['id', 'guid'],
  ['version', 'u32'],
  ['flags', 'u32'],
  ['creatorId', { least: 2, most: 256, optional: false }],
  ['lastModifiedBy', { least: 2, most: 256, optional: true }],
  ['securityData', 'block'],
  ['creationTime', 'time'],
  ['expirationTime', 'time'],
  ['modificationTime', 'time'],
  ['graphId', { least: 2, most: 256, optional: false }],
  ['protocol', 'version'],
  ['payload', 'block'],
  ['attributes', { least: 1, most: 2 ** 31 - 1, optional: true }],
]

/** Strings stay raw: their byte order is not known before the graph ID was seen. */
function cutRecord(bytes: Uint8Array): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  let at = 0
  const take = (length: number): Uint8Array => {
    at += length
    return part(bytes, at - length, length)
  }
  const u32 = (): number => viewOf(take(4)).getUint32(0)
  for (const [name, kind] of RECORD) {
    if (kind === 'guid') found[name] = hexOf(take(16))
    else if (kind === 'u32') found[name] = u32()
    else if (kind === 'time') found[name] = viewOf(take(8)).getBigUint64(0)
    else if (kind === 'version') refuseUnless(hexOf(take(2)) === '0100')
    else if (kind === 'block') found[name] = take(u32())
    else {
      const units = u32()
      const isAbsent = units === 0 && kind.optional
      refuseUnless(isAbsent || (units >= kind.least && units <= kind.most))
      found[name] = take(units * 2)
    }
  }
  refuseUnless(at === bytes.length)
  return found
}

const STRINGS = ['creatorId', 'lastModifiedBy', 'graphId', 'attributes'] as const

function readRecord(bytes: Uint8Array, graphId: string, little: boolean): Plain {
  const raw = cutRecord(bytes)
  const graphBytes = Buffer.from(raw['graphId'] as Uint8Array)
  const is = (isLittle: boolean): boolean => {
    const wanted = Buffer.from(`${graphId}\0`, 'utf16le')
    return (isLittle ? wanted : wanted.swap16()).equals(graphBytes)
  }
  refuseUnless(is(little) || is(!little))
  const order = is(little) ? little : !little
  const texts: Record<string, string> = {}
  for (const name of STRINGS) {
    const string = raw[name] as Uint8Array
    texts[name] = string.length === 0 ? '' : utf16(string, order)
  }
  const deleted = ((raw['flags'] as number) & 2) !== 0
  const { creationTime, modificationTime, expirationTime, version } = raw as Record<string, bigint>
  const payload = raw['payload'] as Uint8Array
  // 3.1.7.27
  refuseUnless(Number(version) > 0 && expirationTime! > modificationTime!)
  refuseUnless(modificationTime! >= creationTime! && (!deleted || payload.length === 0))
  refuseUnless(modificationTime !== creationTime || texts['lastModifiedBy'] === '')
  return {
    ...{ type: raw['type'], id: raw['id'], version, deleted, ...texts },
    ...{ creationTime, expirationTime, modificationTime },
    ...{ securityData: hexOf(raw['securityData'] as Uint8Array), payload: hexOf(payload) },
  }
}

/** The record, strings in either byte order (GA-01); undefined when it is invalid. */
export function oracleRecord(
  bytes: Uint8Array,
  graphId: string,
  order: 'big-endian' | 'little-endian',
): Plain | undefined {
  try {
    return readRecord(bytes, graphId, order === 'little-endian')
  } catch (error) {
    if (error instanceof Refused) return undefined
    throw error
  }
}
