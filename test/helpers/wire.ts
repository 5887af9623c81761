// Short forms for tests of the codec.
import * as assert from 'uvu/assert'
import * as codec from '#lib/wire/codec.js'
import type { Malformed } from '#lib/wire/codec.js'
import type {
  AuthorityBuffer,
  CertifiedPeerAddress,
  ExtendedPayload,
  PnrpMessage,
} from '#lib/wire/messages.js'

function check(outcome: { readonly ok: true } | Malformed, code: string, offset?: number): void {
  if (outcome.ok) assert.unreachable(`accepted, but should be refused with ${code}`)
  const { code: actual, offset: at } = outcome as Malformed
  assert.is(actual, `ERR_PEERNET_${code}`)
  if (offset !== undefined) assert.is(at, offset, `offset of ${actual}`)
}

/** The datagram is refused with this code (without ERR_PEERNET_) at this offset. */
export function refused(bytes: Uint8Array, code: string, offset?: number): void {
  check(codec.decodeMessage(bytes), code, offset)
}

export function bufferRefused(bytes: Uint8Array, code: string, offset?: number): void {
  check(codec.decodeAuthorityBuffer(bytes), code, offset)
}

export function cpaRefused(bytes: Uint8Array, code: string, offset?: number): void {
  check(codec.decodeCpa(bytes), code, offset)
}

export function payloadRefused(bytes: Uint8Array, code: string, offset?: number): void {
  check(codec.decodeExtendedPayload(bytes), code, offset)
}

/** The decoded message, which has to be of this type. */
export function decoded<Type extends PnrpMessage['type']>(
  bytes: Uint8Array,
  type: Type,
): Extract<PnrpMessage, { type: Type }> {
  const outcome = codec.decodeMessage(bytes)
  if (!outcome.ok) assert.unreachable(`refused: ${outcome.code} at ${outcome.offset}`)
  const { message } = outcome as { message: PnrpMessage }
  assert.is(message.type, type)
  return message as Extract<PnrpMessage, { type: Type }>
}

export function decodedBuffer(bytes: Uint8Array): AuthorityBuffer {
  const outcome = codec.decodeAuthorityBuffer(bytes)
  if (!outcome.ok) throw new Error(`refused: ${outcome.code} at ${outcome.offset}`)
  return outcome.buffer
}

export function decodedCpa(bytes: Uint8Array): CertifiedPeerAddress {
  const outcome = codec.decodeCpa(bytes)
  if (!outcome.ok) throw new Error(`refused: ${outcome.code} at ${outcome.offset}`)
  return outcome.cpa
}

export function decodedPayload(bytes: Uint8Array): ExtendedPayload {
  const outcome = codec.decodeExtendedPayload(bytes)
  if (!outcome.ok) throw new Error(`refused: ${outcome.code} at ${outcome.offset}`)
  return outcome.payload
}

/** The function throws PeernetError ERR_PEERNET_INVALID_ARG, with a message that matches. */
export function throwsInvalid(work: () => unknown, message?: RegExp): void {
  assert.throws(work, (error: { name: string; code: string; message: string }) => {
    assert.is(error.name, 'PeernetError')
    assert.is(error.code, 'ERR_PEERNET_INVALID_ARG')
    if (message !== undefined) assert.match(error.message, message)
    return true
  })
}

export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}

export function u16le(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 1] as number) << 8) | (bytes[at] as number)
}

/** A copy of the object without some of its members. */
export function omit<T extends object, Key extends keyof T>(
  value: T,
  ...names: Key[]
): Omit<T, Key> {
  const entries = Object.entries(value).filter(([name]) => !names.includes(name as Key))
  return Object.fromEntries(entries) as Omit<T, Key>
}
