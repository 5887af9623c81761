// Pairs through lib/wire/codec.ts, one message at a time: objects in, objects out.
import { decodeAuthorityBuffer, decodeCpa, decodeMessage } from '#lib/wire/codec.js'
import type {
  AuthorityBuffer,
  AuthorityMessage,
  CertifiedPeerAddress,
  LookupMessage,
  RouteEntry,
} from '#lib/wire/messages.js'
import type { Exchange } from './exchange.js'
import { encodeAnswer, encodeLookup } from './samples.js'

type Sum = (bytes: Uint8Array) => number

interface Answer {
  readonly message: AuthorityMessage
  readonly buffer: AuthorityBuffer
  readonly cpa: CertifiedPeerAddress
}

/** What was decoded; a refusal here is an error of the benchmark. */
function must<Result extends { readonly ok: boolean }>(
  result: Result,
): Extract<Result, { ok: true }> {
  if (!result.ok) throw new Error('the datagram does not decode')
  return result as Extract<Result, { ok: true }>
}

function readRoute(entry: RouteEntry | undefined, sum: Sum): number {
  if (entry === undefined) throw new Error('the route entry is missing')
  let total = sum(entry.pnrpId) + entry.port
  for (const address of entry.addresses) total += sum(address)
  return total
}

function decodeLookup(bytes: Uint8Array): LookupMessage {
  return must(decodeMessage(bytes)).message as LookupMessage
}

function readLookup(message: LookupMessage, sum: Sum): number {
  let total = message.messageId + Number(message.acceptNotCloser) + message.precision
  total += message.resolveCriteria + message.resolveReasonCode
  total += sum(message.targetPnrpId) + sum(message.validatePnrpId)
  for (const { address, port } of message.flaggedPath) total += port + sum(address)
  return total + readRoute(message.routeEntry, sum)
}

function decodeAnswer(bytes: Uint8Array): Answer {
  const message = must(decodeMessage(bytes)).message as AuthorityMessage
  const { buffer } = must(decodeAuthorityBuffer(message.buffer))
  return { message, buffer, cpa: must(decodeCpa(buffer.cpa as Uint8Array)).cpa }
}

function readAnswer({ message, buffer, cpa }: Answer, sum: Sum): number {
  let total = message.messageId + message.ackedMessageId + Number(buffer.leafSet)
  total += Number(buffer.busy) + Number(buffer.notFound) + (buffer.classifier ?? '').length
  total += readRoute(buffer.routeEntry, sum)
  total += Number(cpa.revoke) + Number(cpa.hasExtendedPayload) + Number(cpa.notAfter)
  total += sum(cpa.serviceLocation) + sum(cpa.nonce)
  total += sum(cpa.binaryAuthority as Uint8Array) + sum(cpa.classifierHash as Uint8Array)
  total += sum(cpa.friendlyName as Uint8Array) + Number(cpa.friendlyNameIsUtf8)
  for (const { address, port } of cpa.serviceAddresses) total += sum(address) + port
  for (const { address, port, protocol } of cpa.appEndpoints ?? []) {
    total += sum(address) + port + protocol
  }
  return total + sum(cpa.publicKey) + sum(cpa.signature as Uint8Array)
}

export const request: Exchange<LookupMessage> = {
  encode: encodeLookup,
  decode: decodeLookup,
  read: readLookup,
}

export const response: Exchange<Answer> = {
  encode: encodeAnswer,
  decode: decodeAnswer,
  read: readAnswer,
}
