// The lenient readings of graph messages (spec/deviations.md) as a program: what a well-formed
// message becomes when it is read and written again. Works on the bytes, with the oracle's tables.
import { oracleFields, type Numbers } from './graph-oracle.js'

const u16 = (value: number): number[] => [value >> 8, value & 0xff]
const u32 = (value: number): number[] => [
  ...u16(Math.floor(value / 65_536)),
  ...u16(value & 0xffff),
]

/** Fixed part behind the header, then what follows it. */
function parts(name: string, n: Numbers, bytes: Uint8Array): number[] {
  const cut = (from: number, length: number): number[] => [...bytes.slice(from, from + length)]
  const list = (offset: string, count: number, size: number): number[] =>
    count === 0 ? [] : cut(n[offset]!, count * size)
  const addresses = (): number[] => list('offset', n['count']!, 20)
  const guids = (): number[] => list('types', n['included']! + n['excluded']!, 16)
  const counts = (fixed: number): number[] => [n['included']!, n['excluded']!, ...u16(fixed)]
  switch (name) {
    case 'AUTH_INFO': {
      const graph = cut(n['graph']!, n['source']! - n['graph']!)
      const source = cut(n['source']!, n['destination']! - n['source']!)
      const after = 16 + graph.length
      const offsets = [...u16(16), ...u16(after), ...u16(after + source.length)]
      return [n['kind']!, 0, ...offsets, ...graph, ...source, ...cut(n['destination']!, n.size)]
    }
    case 'CONNECT': {
      const head = [n['flags']! & 13, n['count']!, ...u16(24), ...u16(24 + 20 * n['count']!), 0, 0]
      return [...head, ...cut(16, 8), ...addresses(), ...cut(n['name']!, n.size)]
    }
    case 'WELCOME': {
      const peer = cut(n['peer']!, n['name']! - n['peer']!)
      const at = 32 + 20 * n['count']!
      const offsets = [...u16(n['count'] === 0 ? 0 : 32), ...u16(at), ...u16(at + peer.length)]
      const head = [...cut(8, 16), n['count']!, 0, ...offsets]
      return [...head, ...addresses(), ...peer, ...cut(n['name']!, n.size)]
    }
    case 'REFUSE':
      return [n['code']!, n['count']!, ...u16(n['count'] === 0 ? 0 : 12), ...addresses()]
    case 'DISCONNECT':
      return [n['code']!, n['count']!, ...u16(12), ...addresses()]
    case 'SOLICIT_NEW':
      return [...counts(12), ...guids()]
    case 'SOLICIT_TIME':
      return [...counts(20), ...cut(12, 8), ...guids()]
    case 'SOLICIT_HASH': {
      const types = guids()
      const head = [...counts(20), ...u32(n['hashes']!), ...u16(20 + types.length), 0, 0]
      return [...head, ...types, ...list('offset', n['hashes']!, 40)]
    }
    case 'ADVERTISE': {
      const ranges = list('offset', n['boundaries']!, 52)
      const from = u32(24 + ranges.length)
      const head = [...u32(n['boundaries']!), ...u32(n['abstracts']!), ...u16(24), 0, 0, ...from]
      return [...head, ...ranges, ...list('from', n['abstracts']!, 20)]
    }
    case 'REQUEST': {
      const abstracts = list('from', n['abstracts']!, 20)
      const padding = abstracts.length === 0 ? [0, 0, 0, 0] : []
      return [...u32(n['abstracts']!), ...u32(16), ...abstracts, ...padding]
    }
    case 'FLOOD':
      return [...u16(12), 0, 0, ...cut(n['offset']!, n.size)]
    case 'SYNC_END':
      return [n['flags']! & 1, 0, 0, 0]
    case 'PT2PT':
      return [...u16(28), 0, 0, ...cut(12, 16), ...cut(n['offset']!, n.size)]
    default: {
      const acks = list('offset', n['count']!, 20)
      const bits = acks.map((byte, i) => (i % 20 < 16 ? byte : i % 20 === 19 ? byte & 1 : 0))
      return [...u16(n['count']!), ...u16(12), ...bits]
    }
  }
}

/** Of a message that the oracle accepts. */
export function canonicalMessage(bytes: Uint8Array): Uint8Array {
  const { row, numbers } = oracleFields(bytes)
  const rest = parts(row.name, numbers, bytes)
  return new Uint8Array([...u32(8 + rest.length), 0x10, bytes[5] as number, 0, 0, ...rest])
}
