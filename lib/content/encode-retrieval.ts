import { uninitializedBytes } from '../core/bytes.js'
import { checkArgument, PeernetError } from '../core/errors.js'
import { nativeCode } from '../native/codes.js'
import {
  BLOCK_LATER,
  retrievalEncode,
  retrievalLength,
  retrievalRow,
  RetrievalRow as Row,
} from '../native/content-codec.js'
import {
  RETRIEVAL_TYPES,
  SEGMENT_BLOCKS,
  type BlockMessage,
  type IndexRange,
  type ProtocolVersion,
  type RetrievalMessage,
} from './retrieval.js'

const UINT32 = 0x1_0000_0000

/** Collects a message's byte fields in one array, from which the native encoder takes them. */
class Fields {
  readonly #parts: Uint8Array[] = []
  #length = 0

  put(at: number, length: number | undefined, bytes: Uint8Array): void {
    retrievalRow[at] = this.#length
    if (length !== undefined) retrievalRow[length] = bytes.length
    this.#parts.push(bytes)
    this.#length += bytes.length
  }

  bytes(): Uint8Array {
    const [only] = this.#parts
    if (only !== undefined && this.#parts.length === 1) return only
    const out = new Uint8Array(this.#length)
    let at = 0
    for (const part of this.#parts) {
      out.set(part, at)
      at += part.length
    }
    return out
  }
}

function checkId(id: Uint8Array): void {
  checkArgument([32, 48, 64].includes(id.length), 'a segment ID has 32, 48 or 64 bytes')
}

function checkBlock(index: number): void {
  const isBlock = Number.isInteger(index) && index >= 0 && index < SEGMENT_BLOCKS
  checkArgument(isBlock, 'blocks are numbered 0 to 511')
}

/** 2.2.1.1, 2.2.1.2. */
function rangeBytes(ranges: readonly IndexRange[], least: number, limit: number): Uint8Array {
  checkArgument(ranges.length >= least && ranges.length <= 256, `${least} to 256 ranges are wanted`)
  const out = new Uint8Array(8 * ranges.length)
  const view = new DataView(out.buffer)
  ranges.forEach(({ index, count }, i) => {
    const fits = Number.isInteger(index) && Number.isInteger(count) && index >= 0 && count >= 1
    checkArgument(fits && index + count <= limit, 'a range is empty or leaves what can be numbered')
    view.setUint32(8 * i, index)
    view.setUint32(8 * i + 4, count)
  })
  return out
}

/** 2.2.4.4: each ID with its length, padded to a multiple of 4 (all allowed lengths are). */
function idBytes(ids: readonly Uint8Array[]): Uint8Array {
  checkArgument(ids.length > 0, 'one segment ID at least is wanted')
  ids.forEach(checkId)
  const out = new Uint8Array(ids.reduce((sum, id) => sum + 4 + id.length, 0))
  const view = new DataView(out.buffer)
  let at = 0
  for (const id of ids) {
    view.setUint32(at, id.length)
    out.set(id, at + 4)
    at += 4 + id.length
  }
  return out
}

function versionWord({ major, minor }: ProtocolVersion): number {
  const isVersion = [major, minor].every(
    (part) => Number.isInteger(part) && part >= 0 && part < 65_536,
  )
  checkArgument(isVersion, 'a version has two numbers of 16 bits')
  return major * 65_536 + minor
}

function putFields(message: RetrievalMessage, fields: Fields): void {
  const row = retrievalRow
  switch (message.type) {
    case 'nego-req':
    case 'nego-resp':
      row[Row.MIN_VERSION] = versionWord(message.minVersion)
      row[Row.MAX_VERSION] = versionWord(message.maxVersion)
      break
    case 'getblklist':
    case 'getblks':
    case 'blklist': {
      checkId(message.segmentId)
      const least = message.type === 'blklist' ? 0 : 1
      fields.put(Row.ID, Row.ID_LENGTH, message.segmentId)
      fields.put(Row.RANGES, undefined, rangeBytes(message.ranges, least, SEGMENT_BLOCKS))
      row[Row.RANGE_COUNT] = message.ranges.length
      if (message.type === 'blklist') {
        checkBlock(message.nextBlock)
        row[Row.NEXT_BLOCK] = message.nextBlock
      }
      break
    }
    case 'blk':
      putBlockFields(message, fields)
      fields.put(Row.BLOCK, Row.BLOCK_LENGTH, message.block)
      break
    case 'getseglist':
      fields.put(Row.REQUEST_ID, undefined, message.requestId)
      fields.put(Row.IDS, Row.IDS_LENGTH, idBytes(message.segmentIds))
      row[Row.ID_COUNT] = message.segmentIds.length
      break
    case 'seglist':
      fields.put(Row.REQUEST_ID, undefined, message.requestId)
      fields.put(Row.RANGES, undefined, rangeBytes(message.ranges, 0, UINT32))
      row[Row.RANGE_COUNT] = message.ranges.length
  }
  if (message.type === 'getseglist' || message.type === 'seglist') {
    checkArgument(message.requestId.length === 16, 'a request ID has 16 bytes')
    fields.put(Row.BLOB, Row.BLOB_LENGTH, message.blob ?? new Uint8Array(0))
  }
}

function putBlockFields(message: Omit<BlockMessage, 'block'>, fields: Fields): void {
  checkId(message.segmentId)
  checkBlock(message.blockIndex)
  checkBlock(message.nextBlock)
  fields.put(Row.ID, Row.ID_LENGTH, message.segmentId)
  fields.put(Row.IV, Row.IV_LENGTH, message.iv)
  retrievalRow[Row.BLOCK_INDEX] = message.blockIndex
  retrievalRow[Row.NEXT_BLOCK] = message.nextBlock
}

/** 2.2.3: the version belongs to the type. DA-19: requests say AES-128, answers without data 0. */
function putHeader(message: RetrievalMessage): void {
  const type = RETRIEVAL_TYPES.indexOf(message.type)
  checkArgument(type >= 0, 'no such message type')
  retrievalRow.fill(0)
  retrievalRow[Row.TYPE] = type
  retrievalRow[Row.VERSION] = (type < 6 ? 1 : 2) * 65_536
  if (message.type === 'blk') {
    retrievalRow[Row.CIPHER] = message.block.length === 0 ? 0 : message.cipher
  } else if ('cipher' in message || isRequest(message)) {
    retrievalRow[Row.CIPHER] = (message as { cipher?: number }).cipher ?? 1
  }
}

const isRequest = ({ type }: RetrievalMessage): boolean =>
  type === 'nego-req' || type === 'getblklist' || type === 'getblks' || type === 'getseglist'

function write(fields: Fields, memory?: Uint8Array): Uint8Array {
  const length = retrievalLength()
  const fits = memory !== undefined && memory.length >= length
  const out = fits ? memory.subarray(0, length) : uninitializedBytes(length)
  const result = out.length === 0 ? -1 : retrievalEncode(fields.bytes(), out)
  if (result !== out.length) {
    const code = result < 0 && out.length > 0 ? nativeCode(-result) : 'ERR_PEERNET_TOO_LONG'
    throw new PeernetError('ERR_PEERNET_INVALID_ARG', `this makes no message (${code})`)
  }
  return out
}

/**
 * The body of a POST, or of an answer with its transport header. Throws ERR_PEERNET_INVALID_ARG for
 * fields that make no message.
 */
export function encodeRetrieval(message: RetrievalMessage): Uint8Array {
  const fields = new Fields()
  putHeader(message)
  putFields(message, fields)
  return write(fields)
}

/**
 * A MSG_BLK whose block is still to be written into `room`, a part of `bytes`: send it only then.
 */
export interface UnfilledBlock {
  readonly bytes: Uint8Array
  readonly room: Uint8Array
}

/** Where in an answer its block stands. */
export function blockAt({ length }: Uint8Array): number {
  return 4 + 16 + 4 + length + 8 + 4
}

/**
 * As encodeRetrieval, with room for a block of `length` bytes instead of a block; in `memory` if it
 * suffices.
 */
export function encodeUnfilledBlock(
  message: Omit<BlockMessage, 'block'>,
  length: number,
  memory?: Uint8Array,
): UnfilledBlock {
  checkArgument(Number.isInteger(length) && length > 0, 'a block has one byte at least')
  const fields = new Fields()
  const nothing = new Uint8Array(0)
  putHeader({ ...message, block: nothing })
  retrievalRow[Row.CIPHER] = message.cipher
  putBlockFields(message, fields)
  retrievalRow[Row.BLOCK] = BLOCK_LATER
  retrievalRow[Row.BLOCK_LENGTH] = length
  const bytes = write(fields, memory)
  const at = blockAt(message.segmentId)
  return { bytes, room: bytes.subarray(at, at + length) }
}
