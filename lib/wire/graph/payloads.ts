import type { Endpoint } from '../../core/endpoint.js'
import { addressAt } from '../../core/met-bytes.js'
import { checkArgument } from '../../core/errors.js'
import { nativeCode } from '../../native/codes.js'
import {
  graphDecodeAddressEx,
  graphDecodeInfo,
  graphDecodeNode,
  graphEncodeAddressEx,
  graphEncodeInfo,
  graphEncodeNode,
  output,
  rows,
  source,
} from '../../native/graph.js'
import { readU16, readU64, readUtf8, writeU16, writeU32, writeU64 } from './bytes.js'
import { GraphBound, GraphInfoFlag, GraphLength, GraphValue } from './constants.js'
import { InfoRow, NodeKind, NodeRow, ROW_WORDS } from './rows.js'
import { checkEndpoint, checkText, putUtf16, utf16At, type StringOrder } from './text.js'

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
const ID_MOST = GraphBound.ID_UNITS - 1

const orderOf = (dialect: PayloadDialect): number => (dialect.stringOrder === 'big-endian' ? 0 : 1)

/** Hands bytes to the native codec: so many of `source`, or themselves. */
function inputOf(bytes: Uint8Array): number | Uint8Array {
  if (bytes.length > source.length) return bytes
  source.set(bytes)
  return bytes.length
}

function word(index: number): number {
  return (rows[index] as number) >>> 0
}

/** The text of a pn_graph_wide_t. */
function wideAt(bytes: Uint8Array, index: number, dialect: PayloadDialect): string {
  const units = word(index + 1)
  if (units === 0) return ''
  return utf16At(bytes, word(index), units - 1, dialect.stringOrder === 'big-endian')
}

function addressesOf(bytes: Uint8Array): Endpoint[] {
  const addresses: Endpoint[] = []
  let at = word(NodeRow.ADDRESSES)
  for (let left = word(NodeRow.ADDRESS_COUNT); left > 0; left--, at += GraphLength.ADDRESS) {
    addresses.push({ address: addressAt(bytes, at + 12), port: readU16(bytes, at + 6) })
  }
  return addresses
}

function refused(outcome: number): { readonly ok: false; readonly code: string } {
  return { ok: false, code: nativeCode(-outcome) }
}

export function decodeGraphInfo(
  bytes: Uint8Array,
  dialect: PayloadDialect,
): DecodedPayload<GraphInfoPayload> {
  const outcome = graphDecodeInfo(inputOf(bytes), orderOf(dialect))
  if (outcome < 0) return refused(outcome)
  const payload: GraphInfoPayload = {
    deferExpiration: (word(InfoRow.FLAGS) & GraphInfoFlag.D) !== 0,
    scope: SCOPES[word(InfoRow.SCOPE) - 1] as GraphInfoPayload['scope'],
    graphId: wideAt(bytes, InfoRow.GRAPH_ID, dialect),
    creatorId: wideAt(bytes, InfoRow.CREATOR_ID, dialect),
    friendlyName: wideAt(bytes, InfoRow.FRIENDLY_NAME, dialect),
    comment: wideAt(bytes, InfoRow.COMMENT, dialect),
    presenceLifetimeS: word(InfoRow.PRESENCE_LIFETIME),
    maxPresenceRecords: word(InfoRow.MAX_PRESENCE_RECORDS),
    maxRecordSize: word(InfoRow.MAX_RECORD_SIZE),
  }
  return { ok: true, payload }
}

export function decodeSignature(bytes: Uint8Array): DecodedPayload<SignaturePayload> {
  const outcome = graphDecodeNode(inputOf(bytes), NodeKind.SIGNATURE, 0)
  if (outcome < 0) return refused(outcome)
  return { ok: true, payload: { signature: readU64(bytes, word(NodeRow.SIGNATURE)) } }
}

export function decodeContact(bytes: Uint8Array): DecodedPayload<ContactPayload> {
  const outcome = graphDecodeNode(inputOf(bytes), NodeKind.CONTACT, 0)
  if (outcome < 0) return refused(outcome)
  const payload = {
    signature: readU64(bytes, word(NodeRow.SIGNATURE)),
    nodeId: readU64(bytes, word(NodeRow.NODE_ID)),
    addresses: addressesOf(bytes),
  }
  return { ok: true, payload }
}

export function decodePresence(
  bytes: Uint8Array,
  dialect: PayloadDialect,
): DecodedPayload<PresencePayload> {
  const outcome = graphDecodeNode(inputOf(bytes), NodeKind.PRESENCE, orderOf(dialect))
  if (outcome < 0) return refused(outcome)
  const payload = {
    nodeId: readU64(bytes, word(NodeRow.NODE_ID)),
    attributes: wideAt(bytes, NodeRow.ATTRIBUTES, dialect),
    addresses: addressesOf(bytes),
  }
  return { ok: true, payload }
}

/** Parts of a payload on their way to the encoder. */
class Parts {
  readonly bytes: Uint8Array
  end = 0

  constructor(length: number) {
    rows.fill(0, 0, ROW_WORDS)
    this.bytes = length <= source.length ? source : new Uint8Array(length)
  }

  /** What an encoding function takes as its source. */
  get input(): number | Uint8Array {
    return this.bytes === source ? this.end : this.bytes
  }

  u64(index: number, value: bigint): void {
    checkArgument(value >= 0n && value < 1n << 64n, 'a number of 64 bits is wanted')
    rows[index] = this.end
    writeU64(this.bytes, this.end, value)
    this.end += 8
  }

  wide(index: number, text: string, dialect: PayloadDialect): void {
    rows[index] = this.end
    rows[index + 1] = text === '' ? 0 : text.length + 1
    if (text === '') return
    this.end = putUtf16(text, this.bytes, this.end, dialect.stringOrder === 'big-endian')
  }

  addresses(addresses: readonly Endpoint[]): void {
    rows[NodeRow.ADDRESSES] = this.end
    rows[NodeRow.ADDRESS_COUNT] = addresses.length
    for (const { address, port } of addresses) {
      checkEndpoint(address, port)
      this.bytes.fill(0, this.end, this.end + GraphLength.ADDRESS)
      writeU32(this.bytes, this.end, GraphValue.ADDRESS_SIZE)
      writeU16(this.bytes, this.end + 4, GraphValue.FAMILY)
      writeU16(this.bytes, this.end + 6, port)
      this.bytes.set(address, this.end + 12)
      this.end += GraphLength.ADDRESS
    }
  }
}

function encoded(outcome: number, out: Uint8Array): Uint8Array {
  checkArgument(outcome >= 0, `these fields make no payload: ${nativeCode(-outcome)}`)
  return out.slice(0, outcome)
}

/** @throws PeernetError ERR_PEERNET_INVALID_ARG when a field is out of its range; so the others */
export function encodeGraphInfo(payload: GraphInfoPayload, dialect: PayloadDialect): Uint8Array {
  checkText(payload.graphId, 1, ID_MOST, 'the graph ID')
  checkText(payload.creatorId, 1, ID_MOST, 'the creator ID')
  checkText(payload.friendlyName, 0, GraphBound.NAME_UNITS - 1, 'the friendly name')
  checkText(payload.comment, 0, GraphBound.COMMENT_UNITS - 1, 'the comment')
  const numbers = [payload.presenceLifetimeS, payload.maxPresenceRecords, payload.maxRecordSize]
  const areU32 = numbers.every((n) => Number.isInteger(n) && n >= 0 && n <= 0xffffffff)
  checkArgument(areU32, 'lifetime, presence records and record size are numbers of 32 bits')
  const parts = new Parts(0)
  rows[InfoRow.FLAGS] = payload.deferExpiration ? GraphInfoFlag.D : 0
  rows[InfoRow.SCOPE] = SCOPES.indexOf(payload.scope) + 1
  rows[InfoRow.PRESENCE_LIFETIME] = payload.presenceLifetimeS
  rows[InfoRow.MAX_PRESENCE_RECORDS] = payload.maxPresenceRecords
  rows[InfoRow.MAX_RECORD_SIZE] = payload.maxRecordSize
  parts.wide(InfoRow.GRAPH_ID, payload.graphId, dialect)
  parts.wide(InfoRow.CREATOR_ID, payload.creatorId, dialect)
  parts.wide(InfoRow.FRIENDLY_NAME, payload.friendlyName, dialect)
  parts.wide(InfoRow.COMMENT, payload.comment, dialect)
  return encoded(graphEncodeInfo(parts.input, orderOf(dialect)), output)
}

function encodeNode(parts: Parts, kind: number, order: number): Uint8Array {
  const { input } = parts
  if (typeof input === 'number' && input + GraphLength.ADDRESS <= output.length) {
    return encoded(graphEncodeNode(input, kind, order), output)
  }
  const out = new Uint8Array(parts.end + GraphLength.ADDRESS)
  return encoded(graphEncodeNode(input, kind, order, out), out)
}

export function encodeSignature({ signature }: SignaturePayload): Uint8Array {
  const parts = new Parts(8)
  parts.u64(NodeRow.SIGNATURE, signature)
  return encodeNode(parts, NodeKind.SIGNATURE, 0)
}

export function encodeContact({ signature, nodeId, addresses }: ContactPayload): Uint8Array {
  const parts = new Parts(16 + GraphLength.ADDRESS * addresses.length)
  parts.u64(NodeRow.SIGNATURE, signature)
  parts.u64(NodeRow.NODE_ID, nodeId)
  parts.addresses(addresses)
  return encodeNode(parts, NodeKind.CONTACT, 0)
}

export function encodePresence(payload: PresencePayload, dialect: PayloadDialect): Uint8Array {
  const { nodeId, attributes, addresses } = payload
  checkText(attributes, 0, GraphBound.RECORD_SIZE / 2 - 1, 'the attributes')
  const parts = new Parts(10 + 2 * attributes.length + GraphLength.ADDRESS * addresses.length)
  parts.u64(NodeRow.NODE_ID, nodeId)
  parts.wide(NodeRow.ATTRIBUTES, attributes, dialect)
  parts.addresses(addresses)
  return encodeNode(parts, NodeKind.PRESENCE, orderOf(dialect))
}

/** PEER_IN6_ADDRESS_EX, 2.2.1.4: no message has one (GA-40). */
export interface NamedEndpoint extends Endpoint {
  readonly peerId: string
}

export function decodeAddressEx(bytes: Uint8Array): DecodedPayload<NamedEndpoint> {
  const outcome = graphDecodeAddressEx(inputOf(bytes))
  if (outcome < 0) return refused(outcome)
  const payload = {
    address: addressAt(bytes, 4),
    port: readU16(bytes, 2),
    peerId: readUtf8(bytes, word(0), word(1)),
  }
  return { ok: true, payload }
}

export function encodeAddressEx({ address, port, peerId }: NamedEndpoint): Uint8Array {
  checkEndpoint(address, port)
  checkText(peerId, 1, ID_MOST, 'the peer ID')
  const parts = new Parts(0)
  writeU16(parts.bytes, 0, GraphValue.FAMILY)
  writeU16(parts.bytes, 2, port)
  parts.bytes.set(address, 4)
  rows[0] = GraphLength.IN6_ADDRESS
  const { written } = new TextEncoder().encodeInto(
    peerId,
    parts.bytes.subarray(GraphLength.IN6_ADDRESS),
  )
  rows[1] = written
  return encoded(graphEncodeAddressEx(GraphLength.IN6_ADDRESS + written), output)
}
