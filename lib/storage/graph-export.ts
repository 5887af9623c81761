import { createHash } from 'node:crypto'
import { open, readFile, rename, rm, type FileHandle } from 'node:fs/promises'
import { PeernetError } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import type { GraphProperties } from '../graph/interface.js'
import type { StoredRecord } from '../graph/machine.js'
import { decodeRecord } from '../wire/graph/codec.js'
import { systemCode } from './atomic-file.js'
import type { GraphIdentity, StoredClock } from './record-store.js'

/**
 * A graph's database in one file (PeerGraphExportDatabase):
 *
 * | bytes | what |
 * |---|---|
 * | 8 | `PEERNETG` |
 * | 4 | version of the format, 1 |
 * | 4 + n | length, header as JSON: identity, clock, number of records |
 * | each 5 + n | flags (bit 0: renewed by its exporter), length, PEER_RECORD |
 * | 32 | SHA-256 of everything before |
 *
 * Numbers are big-endian.
 */
const MAGIC = 'PEERNETG'
const VERSION = 1
const DIGEST_BYTES = 32
const PREFIX_BYTES = 16
const RECORD_HEAD = 5
const WRITE_AT_ONCE = 1024 * 1024

export interface GraphExport {
  readonly identity: GraphIdentity
  readonly clock: StoredClock | undefined
  readonly records: readonly StoredRecord[]
}

interface Header {
  readonly identity: GraphIdentity
  readonly clock?: { readonly peerTimeDelta: string; readonly leftAt: string }
  readonly records: number
}

/** Writes the file as a whole: it is there complete, or not at all. */
export async function writeGraphExport(path: string, content: GraphExport): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await writeAll(file, content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw fileError(path, error)
  }
}

async function writeAll(file: FileHandle, content: GraphExport): Promise<void> {
  const hash = createHash('sha256')
  let pieces: Uint8Array[] = []
  let waiting = 0
  const flush = async (): Promise<void> => {
    const bytes = Buffer.concat(pieces)
    hash.update(bytes)
    await file.write(bytes)
    pieces = []
    waiting = 0
  }
  pieces.push(headerBytes(content))
  for (const { record, autorefresh } of content.records) {
    const head = Buffer.alloc(RECORD_HEAD)
    head[0] = autorefresh ? 1 : 0
    head.writeUInt32BE(record.bytes.length, 1)
    pieces.push(head, record.bytes)
    waiting += RECORD_HEAD + record.bytes.length
    if (waiting >= WRITE_AT_ONCE) await flush()
  }
  await flush()
  await file.write(hash.digest())
}

function headerBytes({ identity, clock, records }: GraphExport): Buffer {
  const header: Header = {
    identity,
    records: records.length,
    ...(clock === undefined
      ? {}
      : {
          clock: {
            peerTimeDelta: clock.peerTimeDelta.toString(),
            leftAt: clock.leftAt.toString(),
          },
        }),
  }
  const json = Buffer.from(JSON.stringify(header))
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.write(MAGIC, 'latin1')
  prefix.writeUInt32BE(VERSION, 8)
  prefix.writeUInt32BE(json.length, 12)
  return Buffer.concat([prefix, json])
}

/**
 * Reads and checks the whole file. Throws ERR_PEERNET_INVALID_DATABASE when it is no export, or a
 * damaged one; ERR_PEERNET_PERMISSION and ERR_PEERNET_SYSTEM when it cannot be read.
 */
export async function readGraphExport(path: string): Promise<GraphExport> {
  let file: Buffer
  try {
    file = await readFile(path)
  } catch (error) {
    throw fileError(path, error)
  }
  if (file.length < PREFIX_BYTES + DIGEST_BYTES || file.toString('latin1', 0, 8) !== MAGIC) {
    throw invalid(path, 'it is no export of a graph database')
  }
  const version = file.readUInt32BE(8)
  if (version !== VERSION) throw invalid(path, `it has format ${version}, not ${VERSION}`)
  const body = file.subarray(0, file.length - DIGEST_BYTES)
  const digest = createHash('sha256').update(body).digest()
  if (!digest.equals(file.subarray(body.length))) {
    throw invalid(path, 'its checksum is wrong: it is damaged or cut off')
  }
  try {
    return parse(body)
  } catch (error) {
    throw invalid(path, error instanceof Error ? error.message : String(error))
  }
}

/** The checksum is right: what is wrong now was written so. */
function parse(body: Buffer): GraphExport {
  const records: StoredRecord[] = []
  let at = PREFIX_BYTES + body.readUInt32BE(12)
  const header = JSON.parse(body.toString('utf8', PREFIX_BYTES, at)) as Header
  const { identity, clock } = header
  checkIdentity(identity)
  for (let i = 0; i < header.records; i++) {
    const length = body.readUInt32BE(at + 1)
    const bytes = body.subarray(at + RECORD_HEAD, at + RECORD_HEAD + length)
    const decoded = decodeRecord(bytes, identity, identity.graphId)
    if (!decoded.ok) throw new RangeError(`record ${i} is malformed: ${decoded.code}`)
    records.push({ record: decoded.record, autorefresh: body[at] === 1 })
    at += RECORD_HEAD + length
  }
  if (at !== body.length) throw new RangeError('something follows the last record')
  return {
    identity,
    clock:
      clock === undefined
        ? undefined
        : { peerTimeDelta: timeOf(clock.peerTimeDelta), leftAt: timeOf(clock.leftAt) },
    records,
  }
}

const isText = (value: unknown, most: number): boolean =>
  typeof value === 'string' && value.length <= most && !value.includes('\0')
const isCount = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most

/** What the properties of a graph may be (2.2.3.1). */
const PROPERTIES: Readonly<Record<keyof GraphProperties, (value: unknown) => boolean>> = {
  graphId: (value) => isText(value, 255),
  creatorId: (value) => isText(value, 255),
  friendlyName: (value) => isText(value, LIMITS.graphFriendlyNameUnits),
  comment: (value) => isText(value, LIMITS.graphCommentUnits),
  scope: (value) => value === 'global' || value === 'site-local' || value === 'link-local',
  deferExpiration: (value) => typeof value === 'boolean',
  presenceLifetimeS: (value) => isCount(value, LIMITS.graphPresenceLifetimeMinS, 0xffff_ffff),
  maxPresenceRecords: (value) => isCount(value, 0, 0xffff_ffff),
  maxRecordSize: (value) => isCount(value, 1024, LIMITS.graphMaxRecordBytes),
}

/** A file with a right checksum may come from anybody: nothing in it is believed unseen. */
function checkIdentity({
  graphId,
  peerId,
  stringOrder,
  security,
  properties,
}: GraphIdentity): void {
  const good =
    [graphId, peerId].every((id) => isText(id, 255) && id !== '') &&
    (stringOrder === 'big-endian' || stringOrder === 'little-endian') &&
    (security === undefined || isText(security, 255))
  if (!good) throw new RangeError('its identity is none')
  for (const [name, fits] of Object.entries(PROPERTIES)) {
    const value = properties[name]
    if (value !== undefined && !fits(value)) throw new RangeError(`its property ${name} is none`)
  }
}

/** FILETIME ticks, as far as signed 64 bits go. */
function timeOf(text: string): bigint {
  const time = BigInt(text)
  if (time !== BigInt.asIntN(63, time)) throw new RangeError('its clock is none')
  return time
}

function invalid(path: string, why: string): PeernetError {
  return new PeernetError('ERR_PEERNET_INVALID_DATABASE', `${path}: ${why}`)
}

function fileError(path: string, error: unknown): PeernetError {
  const code = systemCode(error)
  const denied = code === 'EACCES' || code === 'EPERM'
  const reason = error instanceof Error ? error.message : String(error)
  return new PeernetError(
    denied ? 'ERR_PEERNET_PERMISSION' : 'ERR_PEERNET_SYSTEM',
    `${path}: ${reason}`,
    { cause: error },
  )
}
