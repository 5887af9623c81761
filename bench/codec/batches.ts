// Pairs through lib/wire/batch.ts: one native call for 64 datagrams each way. Every field goes into
// the table, each byte string from an array of its own; decoded, every field is read out of it.
import { BatchDecoder, BatchEncoder, makeSpans } from '#lib/wire/batch.js'
import { CpaFlag, MessageType, WireLength } from '#lib/wire/constants.js'
import type { Endpoint } from '#lib/core/endpoint.js'
import type { RouteEntry } from '#lib/wire/messages.js'
import { BufferRow, CpaRow, Look, MessageRow, Present } from '#lib/wire/rows.js'
import { BATCH, type PairRound } from './exchange.js'
import * as sample from './samples.js'

const { cpa, lookup } = sample

const encoder = new BatchEncoder(BATCH, 64 * 1024)
const decoder = new BatchDecoder(BATCH)
const spans = makeSpans(BATCH)
const slab = new Uint8Array(64 * 1024)
const slabWords = new DataView(slab.buffer)

// The table takes bytes in the order of the wire: these stand reversed there.
const serviceLocation = cpa.serviceLocation.toReversed()
const binaryAuthority = cpa.binaryAuthority.toReversed()
const units = Uint8Array.from([...sample.classifier].flatMap((letter) => [0, letter.charCodeAt(0)]))
/** Port and protocol of an IPV6_APP_ENDPOINT. */
const appTail = new Uint8Array(4)

function putRoute(first: number, entry: RouteEntry): void {
  encoder.set(first, encoder.put(entry.pnrpId))
  encoder.set(first + 1, entry.port)
  encoder.set(first + 2, entry.addresses.length)
  encoder.set(first + 3, encoder.end)
  for (const address of entry.addresses) encoder.put(address)
}

function putEndpoints(first: number, endpoints: readonly Endpoint[]): void {
  encoder.set(first, encoder.end)
  encoder.set(first + 1, endpoints.length)
  for (const { address, port } of endpoints) encoder.putEndpoint(address, port)
}

function putLookup(messageId: number): void {
  encoder.begin(MessageType.LOOKUP, messageId)
  encoder.set(MessageRow.PRESENT, Present.ROUTE)
  encoder.set(MessageRow.FLAGS, 0)
  encoder.set(MessageRow.PRECISION, lookup.precision)
  encoder.set(MessageRow.CRITERIA, lookup.resolveCriteria)
  encoder.set(MessageRow.REASON, lookup.resolveReasonCode)
  encoder.set(MessageRow.TARGET, encoder.put(lookup.targetPnrpId))
  encoder.set(MessageRow.VALIDATE, encoder.put(lookup.validatePnrpId))
  putRoute(MessageRow.ROUTE_ID, lookup.routeEntry)
  putEndpoints(MessageRow.ENTRIES, lookup.flaggedPath)
}

function putCpa(): void {
  encoder.set(CpaRow.FLAGS, CpaFlag.A | CpaFlag.C | CpaFlag.F)
  encoder.set(CpaRow.NOT_AFTER_LOW, Number(cpa.notAfter & 0xffff_ffffn))
  encoder.set(CpaRow.NOT_AFTER_HIGH, Number(cpa.notAfter >> 32n))
  encoder.set(CpaRow.SERVICE_LOCATION, encoder.put(serviceLocation))
  encoder.set(CpaRow.NONCE, encoder.put(cpa.nonce))
  encoder.set(CpaRow.AUTHORITY, encoder.put(binaryAuthority))
  encoder.set(CpaRow.CLASSIFIER_HASH, encoder.put(cpa.classifierHash))
  encoder.set(CpaRow.FRIENDLY_NAME, encoder.put(cpa.friendlyName))
  encoder.set(CpaRow.FRIENDLY_NAME_LENGTH, cpa.friendlyName.length)
  putEndpoints(CpaRow.SERVICES, cpa.serviceAddresses)
  encoder.set(CpaRow.APPS, encoder.end)
  encoder.set(CpaRow.APP_COUNT, cpa.appEndpoints.length)
  for (const { address, port, protocol } of cpa.appEndpoints) {
    encoder.put(address)
    appTail[0] = port >> 8
    appTail[1] = port
    appTail[2] = protocol
    encoder.put(appTail)
  }
  encoder.set(CpaRow.PUBLIC_KEY, encoder.put(cpa.publicKey))
  encoder.set(CpaRow.SIGNATURE, encoder.put(cpa.signature))
}

function putAnswer(messageId: number): void {
  encoder.begin(MessageType.AUTHORITY, messageId)
  encoder.set(MessageRow.ACKED_MESSAGE_ID, sample.acked)
  encoder.set(MessageRow.PRESENT, Present.BUFFER | Present.CPA_FIELDS)
  encoder.set(BufferRow.PRESENT, Present.CLASSIFIER | Present.ROUTE | Present.CPA)
  encoder.set(BufferRow.FLAGS, 0)
  encoder.set(BufferRow.CLASSIFIER, encoder.put(units))
  encoder.set(BufferRow.CLASSIFIER_UNITS, sample.classifier.length)
  putRoute(BufferRow.ROUTE_ID, sample.routeEntry)
  putCpa()
}

const word = (index: number): number => decoder.word(index)

/** Reads all of a field: offsets into one slab can be read by words, views of it could not. */
function sumAt(at: number, length: number): number {
  let total = 0
  let i = at
  for (const end = at + length - 3; i < end; i += 4) total = (total + slabWords.getInt32(i)) | 0
  for (const end = at + length; i < end; i++) total += slabWords.getUint8(i)
  return total
}

function bytesAt(index: number, length: number): number {
  return sumAt(decoder.offset(index), length)
}

function readRoute(first: number): number {
  const addresses = decoder.offset(first + 2) * WireLength.IPV6_ADDRESS
  return bytesAt(first, WireLength.PNRP_ID) + word(first + 1) + bytesAt(first + 3, addresses)
}

function readLookup(): number {
  let total = word(MessageRow.MESSAGE_ID) + word(MessageRow.FLAGS) + word(MessageRow.PRECISION)
  total += word(MessageRow.CRITERIA) + word(MessageRow.REASON)
  total += bytesAt(MessageRow.TARGET, WireLength.PNRP_ID)
  total += bytesAt(MessageRow.VALIDATE, WireLength.PNRP_ID)
  const path = decoder.offset(MessageRow.ENTRY_COUNT) * WireLength.IPV6_ENDPOINT
  return total + bytesAt(MessageRow.ENTRIES, path) + readRoute(MessageRow.ROUTE_ID)
}

function readAnswer(): number {
  let total = word(MessageRow.MESSAGE_ID) + word(MessageRow.ACKED_MESSAGE_ID)
  total += word(BufferRow.FLAGS)
  total += bytesAt(
    BufferRow.CLASSIFIER,
    decoder.offset(BufferRow.CLASSIFIER_UNITS) * WireLength.WCHAR,
  )
  total += readRoute(BufferRow.ROUTE_ID) + word(CpaRow.FLAGS)
  total += word(CpaRow.NOT_AFTER_LOW) + word(CpaRow.NOT_AFTER_HIGH)
  total += bytesAt(CpaRow.SERVICE_LOCATION, WireLength.SERVICE_LOCATION)
  total += bytesAt(CpaRow.NONCE, WireLength.NONCE_VALUE)
  total += bytesAt(CpaRow.AUTHORITY, WireLength.BINARY_AUTHORITY)
  total += bytesAt(CpaRow.CLASSIFIER_HASH, WireLength.CLASSIFIER_HASH)
  total += bytesAt(CpaRow.FRIENDLY_NAME, decoder.offset(CpaRow.FRIENDLY_NAME_LENGTH))
  total += bytesAt(CpaRow.SERVICES, decoder.offset(CpaRow.SERVICE_COUNT) * WireLength.IPV6_ENDPOINT)
  total += bytesAt(CpaRow.APPS, decoder.offset(CpaRow.APP_COUNT) * WireLength.APP_ENDPOINT)
  total += bytesAt(CpaRow.PUBLIC_KEY, WireLength.PUBLIC_KEY_DATA)
  return total + bytesAt(CpaRow.SIGNATURE, WireLength.SIGNATURE_DATA)
}

function round(put: (messageId: number) => void, read: () => number): number {
  encoder.clear()
  for (let i = 0; i < BATCH; i++) put(i)
  encoder.encode(slab, spans)
  const good = decoder.decode(slab, spans, BATCH, Look.ALL)
  if (good !== BATCH) throw new Error('a datagram does not decode')
  let total = 0
  for (let i = 0; i < BATCH; i++) {
    decoder.seek(i)
    total += read()
  }
  return total
}

export const lookupRound: PairRound = () => round(putLookup, readLookup)
export const answerRound: PairRound = () => round(putAnswer, readAnswer)

/** What the encoder made of message `i` in the last round, for a comparison with codec.ts. */
export function lastDatagram(i: number): Uint8Array {
  const at = spans.words[i * spans.stride] as number
  return slab.slice(at, at + (spans.words[i * spans.stride + 1] as number))
}
