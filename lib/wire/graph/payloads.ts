import { addressAt, type Endpoint } from '../../core/endpoint.js'
import { checkArgument } from '../../core/errors.js'
import { fail, Malformed } from './decode.js'
import { putUtf16, utf16At, type StringOrder } from './text.js'
import { readU32, writeU16, writeU32 } from './wire-record.js'

/** Payloads of the internal records, MS-PPGRH 2.2.3. */

/** 2.2.3.1 */
export interface GraphInfoPayload {
  /** D */
  readonly deferExpiration: boolean
  readonly scope: 'global' | 'site-local' | 'link-local'
  readonly graphId: string
  readonly creatorId: string
  readonly friendlyName: string
  readonly comment: string
  /** Seconds; 0 stands for 300. */
  readonly presenceLifetimeS: number
  readonly maxPresenceRecords: number
  /** Bytes; 0 stands for 62,914,560. */
  readonly maxRecordSize: number
}

/** 2.2.3.2 */
export interface SignaturePayload {
  readonly signature: bigint
}

/** 2.2.3.3 */
export interface ContactPayload {
  /** Of the graph when it was published. */
  readonly signature: bigint
  readonly nodeId: bigint
  readonly addresses: readonly Endpoint[]
}

/** 2.2.3.4 */
export interface PresencePayload {
  readonly nodeId: bigint
  /** XML of 2.2.3.5. */
  readonly attributes: string
  readonly addresses: readonly Endpoint[]
}

export interface PayloadDialect {
  readonly stringOrder: StringOrder
}

export type DecodedPayload<T> =
  { readonly ok: true; readonly payload: T } | { readonly ok: false; readonly code: string }

const SCOPES = ['global', 'site-local', 'link-local'] as const

function readU64(bytes: Uint8Array, at: number): bigint {
  return (BigInt(readU32(bytes, at)) << 32n) | BigInt(readU32(bytes, at + 4))
}

function writeU64(bytes: Uint8Array, at: number, value: bigint): void {
  writeU32(bytes, at, Number(value >> 32n))
  writeU32(bytes, at + 4, Number(value & 0xffffffffn))
}

class Source {
  at = 0
  constructor(
    readonly bytes: Uint8Array,
    readonly bigEndian: boolean,
  ) {}

  take(length: number): number {
    if (length > this.bytes.length - this.at) fail('TRUNCATED')
    this.at += length
    return this.at - length
  }

  u32(): number {
    return readU32(this.bytes, this.take(4))
  }

  u64(): bigint {
    return readU64(this.bytes, this.take(8))
  }

  string(least: number, most: number): string {
    const units = this.u32()
    if (units === 1 || units < least || units > most) fail('BAD_LENGTH')
    if (units === 0) return ''
    const text = utf16At(this.bytes, this.take(units * 2), units, this.bigEndian)
    if (text.indexOf('\0') !== units - 1 || /\p{Surrogate}/u.test(text)) fail('BAD_TEXT')
    return text.slice(0, -1)
  }

  addresses(): Endpoint[] {
    const count = this.u32()
    if (count > (this.bytes.length - this.at) / 32) fail('TRUNCATED')
    return Array.from({ length: count }, () => {
      const at = this.take(32)
      const { bytes } = this
      if (readU32(bytes, at) !== 32 || bytes[at + 4] !== 0 || bytes[at + 5] !== 0x17)
        fail('BAD_VALUE')
      return {
        address: addressAt(bytes, at + 12),
        port: ((bytes[at + 6] as number) << 8) | (bytes[at + 7] as number),
      }
    })
  }

  end(): void {
    if (this.at !== this.bytes.length) fail('TRAILING_BYTES')
  }
}

function decoding<T>(
  bytes: Uint8Array,
  dialect: PayloadDialect,
  read: (source: Source) => T,
): DecodedPayload<T> {
  const source = new Source(bytes, dialect.stringOrder === 'big-endian')
  try {
    const payload = read(source)
    source.end()
    return { ok: true, payload }
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, code: error.code }
    throw error
  }
}

export function decodeGraphInfo(
  bytes: Uint8Array,
  dialect: PayloadDialect,
): DecodedPayload<GraphInfoPayload> {
  return decoding(bytes, dialect, (source) => {
    if (source.u32() !== bytes.length) fail('BAD_LENGTH')
    const deferExpiration = (source.u32() & 2) !== 0
    const scope = SCOPES[source.u32() - 1] ?? fail('BAD_VALUE')
    const graphId = source.string(2, 256)
    const creatorId = source.string(2, 256)
    const friendlyName = source.string(0, 256)
    const comment = source.string(0, 512)
    const presenceLifetimeS = source.u32()
    if (presenceLifetimeS !== 0 && presenceLifetimeS < 300) fail('BAD_VALUE')
    const maxPresenceRecords = source.u32()
    const maxRecordSize = source.u32()
    if (maxRecordSize !== 0 && (maxRecordSize < 1024 || maxRecordSize > 62_914_560))
      fail('BAD_VALUE')
    const names = { graphId, creatorId, friendlyName, comment }
    const limits = { presenceLifetimeS, maxPresenceRecords, maxRecordSize }
    return { deferExpiration, scope, ...names, ...limits }
  })
}

export function decodeSignature(bytes: Uint8Array): DecodedPayload<SignaturePayload> {
  const dialect = { stringOrder: 'big-endian' } as const
  return decoding(bytes, dialect, (source) => ({ signature: source.u64() }))
}

export function decodeContact(bytes: Uint8Array): DecodedPayload<ContactPayload> {
  return decoding(bytes, { stringOrder: 'big-endian' }, (source) => ({
    signature: source.u64(),
    nodeId: source.u64(),
    addresses: source.addresses(),
  }))
}

export function decodePresence(
  bytes: Uint8Array,
  dialect: PayloadDialect,
): DecodedPayload<PresencePayload> {
  return decoding(bytes, dialect, (source) => ({
    nodeId: source.u64(),
    attributes: source.string(0, 0x7fffffff),
    addresses: source.addresses(),
  }))
}

const unitsOf = (text: string): number => (text === '' ? 0 : text.length + 1)

function checkText(text: string, least: number, most: number, what: string): void {
  const good = text.length >= least && text.length <= most && !/\0|\p{Surrogate}/u.test(text)
  checkArgument(good, `${what} is not a text of ${least} to ${most} units`)
}

function putString(bytes: Uint8Array, at: number, text: string, bigEndian: boolean): number {
  writeU32(bytes, at, unitsOf(text))
  return text === '' ? at + 4 : putUtf16(text, bytes, at + 4, bigEndian)
}

function putAddresses(bytes: Uint8Array, at: number, addresses: readonly Endpoint[]): void {
  writeU32(bytes, at, addresses.length)
  addresses.forEach(({ address, port }, i) => {
    const from = at + 4 + i * 32
    writeU32(bytes, from, 32)
    writeU16(bytes, from + 4, 0x17)
    writeU16(bytes, from + 6, port)
    bytes.set(address, from + 12)
  })
}

/** @throws PeernetError ERR_PEERNET_INVALID_ARG when a field is out of its range; so the others */
export function encodeGraphInfo(payload: GraphInfoPayload, dialect: PayloadDialect): Uint8Array {
  const { presenceLifetimeS, maxRecordSize } = payload
  checkText(payload.graphId, 1, 255, 'the graph ID')
  checkText(payload.creatorId, 1, 255, 'the creator ID')
  checkText(payload.friendlyName, 0, 255, 'the friendly name')
  checkText(payload.comment, 0, 511, 'the comment')
  checkArgument(
    presenceLifetimeS === 0 || presenceLifetimeS >= 300,
    'a presence lifetime is 300 s or more',
  )
  checkArgument(
    maxRecordSize === 0 || (maxRecordSize >= 1024 && maxRecordSize <= 62_914_560),
    'a maximum record size is 1,024 to 62,914,560',
  )
  const bigEndian = dialect.stringOrder === 'big-endian'
  const texts = [payload.graphId, payload.creatorId, payload.friendlyName, payload.comment]
  const size = texts.reduce((sum, text) => sum + 2 * unitsOf(text), 40)
  const bytes = new Uint8Array(size)
  writeU32(bytes, 0, size)
  writeU32(bytes, 4, payload.deferExpiration ? 2 : 0)
  writeU32(bytes, 8, SCOPES.indexOf(payload.scope) + 1)
  let at = 12
  for (const text of texts) at = putString(bytes, at, text, bigEndian)
  writeU32(bytes, at, presenceLifetimeS)
  writeU32(bytes, at + 4, payload.maxPresenceRecords)
  writeU32(bytes, at + 8, maxRecordSize)
  return bytes
}

export function encodeSignature({ signature }: SignaturePayload): Uint8Array {
  const bytes = new Uint8Array(8)
  writeU64(bytes, 0, signature)
  return bytes
}

export function encodeContact(payload: ContactPayload): Uint8Array {
  const bytes = new Uint8Array(20 + 32 * payload.addresses.length)
  writeU64(bytes, 0, payload.signature)
  writeU64(bytes, 8, payload.nodeId)
  putAddresses(bytes, 16, payload.addresses)
  return bytes
}

export function encodePresence(payload: PresencePayload, dialect: PayloadDialect): Uint8Array {
  checkText(payload.attributes, 0, 0x7ffffffe, 'the attributes')
  const size = 16 + 2 * unitsOf(payload.attributes) + 32 * payload.addresses.length
  const bytes = new Uint8Array(size)
  writeU64(bytes, 0, payload.nodeId)
  const at = putString(bytes, 8, payload.attributes, dialect.stringOrder === 'big-endian')
  putAddresses(bytes, at, payload.addresses)
  return bytes
}
