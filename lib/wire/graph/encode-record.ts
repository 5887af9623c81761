import { checkArgument } from '../../core/errors.js'
import { writeGuid } from '../../core/guid.js'
import { nativeCode } from '../../native/codes.js'
import { graphEncodeRecord, output, rows, source } from '../../native/graph.js'
import { writeU64 } from './bytes.js'
import { GraphBound, GraphLength, GraphRecordFlag } from './constants.js'
import type { RecordFields } from './record.js'
import { takeRoom } from './payload-room.js'
import { MessageRow, RecordRow } from './rows.js'
import { claim, claimed } from './slab.js'
import { checkText, putUtf16, type StringOrder } from './text.js'
import { FLOOD_FRAME_HEAD, Memory, WireRecord } from './wire-record.js'

const ID_MOST = GraphBound.ID_UNITS - 1
const RECORD = MessageRow.RECORD

function unitsOf(text: string): number {
  return text === '' ? 0 : text.length + 1
}

/** Lengths of the variable fields into the row; the size of the whole record. */
function putLengths(fields: RecordFields): number {
  const { securityData, payload } = fields
  rows[RECORD + RecordRow.VERSION] = fields.version
  rows[RECORD + RecordRow.FLAGS] = fields.deleted ? GraphRecordFlag.D : 0
  rows[RECORD + RecordRow.CREATOR_UNITS] = unitsOf(fields.creatorId)
  rows[RECORD + RecordRow.MODIFIER_UNITS] = unitsOf(fields.lastModifiedBy)
  rows[RECORD + RecordRow.SECURITY_SIZE] = securityData.length
  rows[RECORD + RecordRow.GRAPH_UNITS] = unitsOf(fields.graphId)
  rows[RECORD + RecordRow.PAYLOAD_SIZE] = payload.length
  rows[RECORD + RecordRow.ATTRIBUTES_UNITS] = unitsOf(fields.attributes)
  rows[RECORD + RecordRow.SWAPPED] = 0
  const size = GraphLength.RECORD + 2 * unitsInRow() + securityData.length + payload.length
  rows[RECORD + RecordRow.SIZE] = size
  return size
}

/** Of all four texts. */
function unitsInRow(): number {
  return (
    (rows[RECORD + RecordRow.CREATOR_UNITS] as number) +
    (rows[RECORD + RecordRow.MODIFIER_UNITS] as number) +
    (rows[RECORD + RecordRow.GRAPH_UNITS] as number) +
    (rows[RECORD + RecordRow.ATTRIBUTES_UNITS] as number)
  )
}

/** Type, ID and times, where the native side wants them. */
function putFixed(fields: RecordFields): void {
  writeGuid(fields.type, output, 0)
  writeGuid(fields.id, output, 16)
  writeU64(output, 32, fields.creationTime)
  writeU64(output, 40, fields.expirationTime)
  writeU64(output, 48, fields.modificationTime)
}

function putTexts(fields: RecordFields, bigEndian: boolean): number | Uint8Array {
  const length = 2 * unitsInRow()
  const bytes = length <= source.length ? source : new Uint8Array(length)
  let at = 0
  for (const text of [fields.creatorId, fields.lastModifiedBy, fields.graphId, fields.attributes]) {
    if (text !== '') at = putUtf16(text, bytes, at, bigEndian)
  }
  return bytes === source ? length : bytes
}

function checkFields(fields: RecordFields): void {
  checkText(fields.creatorId, 1, ID_MOST, 'the creator ID')
  checkText(fields.lastModifiedBy, 0, ID_MOST, 'the last modifier')
  checkText(fields.graphId, 1, ID_MOST, 'the graph ID')
  checkText(fields.attributes, 0, GraphBound.RECORD_SIZE / 2 - 1, 'the attributes')
  const { version, creationTime, modificationTime, expirationTime } = fields
  const isVersion = Number.isInteger(version) && version >= 1 && version <= 0xffffffff
  checkArgument(isVersion, 'a version is 1 to 4294967295')
  const isOrdered =
    creationTime >= 0n && modificationTime >= creationTime && expirationTime > modificationTime
  checkArgument(
    isOrdered && expirationTime < 1n << 64n,
    'a record is created, then modified, then expires',
  )
}

/** Where the record is to be written, with room for a FLOOD frame's head before it. */
function memoryFor({ payload }: RecordFields, size: number): [memory: Uint8Array, at: number] {
  const tail = 4 + 2 * (rows[RECORD + RecordRow.ATTRIBUTES_UNITS] as number)
  const head = size - payload.length - tail
  const around = takeRoom(payload, head + FLOOD_FRAME_HEAD, tail)
  if (around !== undefined) return [around, payload.byteOffset - head]
  const at = claim(size + FLOOD_FRAME_HEAD) + FLOOD_FRAME_HEAD
  return [claimed(), at]
}

/**
 * Builds a record. A payload from `payloadRoom` is not copied, and belongs to the record then.
 * @throws PeernetError ERR_PEERNET_INVALID_ARG when the fields cannot be those of a record
 *   (2.2.1.9, 3.1.7.27)
 */
export function encodeRecord(
  fields: RecordFields,
  dialect: { readonly stringOrder: StringOrder },
): WireRecord {
  checkFields(fields)
  const bigEndian = dialect.stringOrder === 'big-endian'
  const size = putLengths(fields)
  putFixed(fields)
  const texts = putTexts(fields, bigEndian)
  const { securityData, payload } = fields
  const [out, at] = memoryFor(fields, size)
  const order = bigEndian ? 0 : 1
  const outcome = graphEncodeRecord(texts, securityData, payload, out, at, order)
  checkArgument(outcome >= 0, `these fields make no record: ${nativeCode(-outcome)}`)
  return new WireRecord(out, at, rows, RECORD, bigEndian, Memory.ROOMY)
}
