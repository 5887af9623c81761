// A second decoder for PNRP datagrams, to compare the native one with. It first cuts a message into
// elements by their Lengths alone, then matches the sequence against tables.ts, and gives what
// `peernet pnrp decode` would print (without `reencoded`), or undefined for what must be refused.
import { ARRAYS, AUTHORITY_BUFFER, MESSAGES } from './tables.js'
import type { ElementRow, FieldType, MessageRow } from './tables.js'
import { Refused, refuseUnless, hexOf, endpointText, addressText } from './text.js'
import { oracleCpa, oracleExtendedPayload } from './oracle-structures.js'

type Fields = Record<string, unknown>

interface Element {
  readonly field: number
  readonly content: DataView
}

const bytesOf = (view: DataView): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
const part = (view: DataView, at: number, length: number): DataView =>
  new DataView(view.buffer, view.byteOffset + at, length)

/**
 * Elements from `from` on; what is left after the last one, at most 3 bytes, is returned for
 * judgement. Positions count from the view's start.
 */
function cut(view: DataView, from: number, most = Infinity) {
  const elements: Element[] = []
  let end = from
  for (let at = from; view.byteLength - end > 3 && elements.length < most;) {
    refuseUnless(view.byteLength - at >= 4)
    const length = view.getUint16(at + 2)
    refuseUnless(length >= 4 && length <= view.byteLength - at)
    elements.push({ field: view.getUint16(at), content: part(view, at + 4, length - 4) })
    end = at + length
    at = Math.ceil(end / 4) * 4
  }
  return { elements, end }
}

/** N-07: zero bytes, except for those that are the last element's own padding. */
function judgeEnd(view: DataView, end: number, last: ElementRow | undefined): void {
  const free = last?.padded === true ? -end & 3 : 0
  for (let at = end + free; at < view.byteLength; at++) refuseUnless(view.getUint8(at) === 0)
}

const WIDTHS: Record<FieldType, number> = { u8: 1, u16: 2, u32: 4, id: 32, nonce: 16, sha1: 20 }

function scalar(content: DataView, at: number, type: FieldType): unknown {
  if (type === 'u8') return content.getUint8(at)
  if (type === 'u16') return content.getUint16(at)
  if (type === 'u32') return content.getUint32(at)
  return hexOf(bytesOf(part(content, at, WIDTHS[type])))
}

function arrayEntries(content: DataView, kind: keyof typeof ARRAYS): DataView[] {
  const { type, width, minimum, maximum } = ARRAYS[kind]
  refuseUnless(content.byteLength >= 8)
  const count = content.getUint16(0)
  refuseUnless(count >= minimum && count <= maximum)
  refuseUnless(content.getUint16(2) === content.byteLength)
  refuseUnless(content.byteLength === 8 + count * width)
  refuseUnless(content.getUint16(4) === type && content.getUint16(6) === width)
  return Array.from({ length: count }, (_, index) => part(content, 8 + index * width, width))
}

function routeEntry(content: DataView): Fields {
  refuseUnless(content.byteLength >= 38)
  const count = content.getUint8(37)
  refuseUnless(count >= 1 && count <= 20 && content.byteLength === 38 + 16 * count)
  refuseUnless(content.getUint16(32) === 0x0400)
  const addresses = Array.from({ length: count }, (_, index) =>
    addressText(bytesOf(part(content, 38 + 16 * index, 16))),
  )
  const port = content.getUint16(34)
  return { pnrpId: scalar(content, 0, 'id'), port, usable: port > 1024, addresses }
}

function classifier(content: DataView): string {
  const units = arrayEntries(content, 'classifier').map((unit) => unit.getUint16(0))
  refuseUnless(!units.includes(0))
  return units.map((unit) => String.fromCharCode(unit)).join('')
}

function elementFields(row: ElementRow, content: DataView): Fields {
  switch (row.shape) {
    case 'ids':
      return { [row.name]: arrayEntries(content, 'ids').map((entry) => hexOf(bytesOf(entry))) }
    case 'endpoints':
      return { [row.name]: arrayEntries(content, 'endpoints').map((e) => endpointText(bytesOf(e))) }
    case 'classifier':
      return { [row.name]: classifier(content) }
    case 'route':
      return { [row.name]: routeEntry(content) }
    case 'opaque':
      refuseUnless(content.byteLength > 0)
      return { [row.name]: bytesOf(content) }
    default: {
      refuseUnless(content.byteLength === row.shape - 4)
      const fields = row.fields ?? []
      return Object.fromEntries(fields.map(([name, at, type]) => [name, scalar(content, at, type)]))
    }
  }
}

/** Matches elements with rows in order; the last row matched decides about final padding. */
function match(rows: readonly ElementRow[], elements: readonly Element[]) {
  const fields: Fields = {}
  let last: ElementRow | undefined
  let next = 0
  for (const row of rows) {
    const element = elements[next]
    if (element?.field !== row.field) {
      refuseUnless(row.optional === true)
      continue
    }
    Object.assign(fields, elementFields(row, element.content))
    last = row
    next += 1
  }
  refuseUnless(next === elements.length)
  return { fields, last }
}

/** Replaces the flags word by its known bits and their names. */
function withBits(fields: Fields, row: MessageRow): Fields {
  const { bits } = row
  if (bits === undefined) return fields
  const word = (fields['flags'] as number | undefined) ?? 0
  const known = Object.values(bits).reduce((mask, bit) => mask | bit, 0)
  const named = Object.entries(bits).map(([name, bit]) => [name, (word & bit) !== 0])
  return { ...fields, flags: word & known, ...(Object.fromEntries(named) as Fields) }
}

function checkValues(fields: Fields): void {
  const { solicitType, resolveCriteria, flaggedPath } = fields
  if (solicitType !== undefined) refuseUnless(solicitType === 0 || solicitType === 1)
  if (resolveCriteria !== undefined) {
    refuseUnless([0, 1, 2, 4, 8].includes(resolveCriteria as number))
  }
  if (flaggedPath !== undefined) refuseUnless((flaggedPath as unknown[]).length > 0)
}

function authorityBuffer(view: DataView): Fields {
  const { elements, end } = cut(view, 0)
  const { fields, last } = match(AUTHORITY_BUFFER.elements, elements)
  judgeEnd(view, end, last)
  const named = withBits(fields, AUTHORITY_BUFFER)
  const { certificateChain: chain, extendedPayload: payload, cpa } = named
  if (chain !== undefined) named['certificateChain'] = hexOf(chain as Uint8Array)
  if (payload !== undefined) named['extendedPayload'] = oracleExtendedPayload(payload as Uint8Array)
  if (cpa !== undefined) named['cpa'] = oracleCpa(cpa as Uint8Array, false)
  return named
}

function authority(view: DataView, row: MessageRow): Fields {
  const { elements, end } = cut(view, 12, 2)
  const { fields } = match(row.elements, elements)
  const { size, offset } = fields as { size: number; offset: number }
  const slice = part(view, end, view.byteLength - end)
  refuseUnless(size >= 6 && size <= 37348 && offset % 1188 === 0 && offset < size)
  refuseUnless(slice.byteLength > 0)
  if (slice.byteLength === size) {
    refuseUnless(offset === 0)
    return { ...fields, ...authorityBuffer(slice) }
  }
  refuseUnless(slice.byteLength === Math.min(1188, size - offset))
  return { ...fields, buffer: hexOf(bytesOf(slice)) }
}

function message(view: DataView): Fields {
  refuseUnless(view.byteLength >= 12 && view.byteLength <= 65527)
  refuseUnless(view.getUint32(0) === 0x0010000c)
  refuseUnless(view.getUint8(4) === 0x51 && view.getUint16(5) === 0x0400)
  const row = MESSAGES.get(view.getUint8(7))
  refuseUnless(row !== undefined)
  const head = { type: row.type, messageId: view.getUint32(8) }
  if (row.type === 'AUTHORITY') return { ...head, ...authority(view, row) }
  const { elements, end } = cut(view, 12)
  const { fields, last } = match(row.elements, elements)
  judgeEnd(view, end, last)
  checkValues(fields)
  const { revokeCpa } = fields
  if (revokeCpa !== undefined) fields['revokeCpa'] = oracleCpa(revokeCpa as Uint8Array, true)
  return { ...head, ...withBits(fields, row) }
}

/** The members that `decode` should print for the datagram, or undefined when it has to refuse. */
export function oracle(bytes: Uint8Array): Fields | undefined {
  try {
    return message(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch (error) {
    if (error instanceof Refused) return undefined
    throw error
  }
}
