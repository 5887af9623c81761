// Encoded CPA and EXTENDED_PAYLOAD (MS-PNRP 2.2.3.1, 2.2.3.3) for the oracle: a cursor that takes
// fields from the front, then everything has to be used up.
import { Refused, refuseUnless, hexOf, endpointText, addressText } from './text.js'

type Fields = Record<string, unknown>

class Cursor {
  #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  take(length: number): Uint8Array {
    refuseUnless(length <= this.#bytes.length)
    const taken = this.#bytes.subarray(0, length)
    this.#bytes = this.#bytes.subarray(length)
    return taken
  }

  /** Little-endian. */
  number(length: number): bigint {
    return this.take(length).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n)
  }

  small(length: number): number {
    return Number(this.number(length))
  }

  hex(length: number): string {
    return hexOf(this.take(length))
  }

  /** Hex of a field that stands least significant byte first. */
  reversedHex(length: number): string {
    return hexOf(this.take(length).toReversed())
  }

  expect(hex: string): void {
    refuseUnless(this.hex(hex.length / 2) === hex)
  }

  finished(): void {
    refuseUnless(this.#bytes.length === 0)
  }
}

const RSA_OID = Buffer.from('1.2.840.113549.1.1.1', 'latin1').toString('hex')

function publicKey(cursor: Cursor): string {
  cursor.expect('a9001400')
  cursor.take(2)
  cursor.expect('8c00')
  cursor.take(1)
  cursor.expect(RSA_OID)
  const key = cursor.hex(140)
  refuseUnless(/^30818902818100[89a-f].*0203010001$/.test(key))
  return key
}

function signature(cursor: Cursor): string {
  cursor.expect('8800800004800000')
  return cursor.hex(128)
}

function appEndpoint(cursor: Cursor): Fields {
  const address = addressText(cursor.take(16))
  const [high, low] = cursor.take(2) as unknown as [number, number]
  return { endpoint: `[${address}]:${high * 256 + low}`, protocol: cursor.small(2) }
}

function payload(cursor: Cursor): Fields {
  const payloads = cursor.small(2)
  const total = cursor.small(2)
  refuseUnless(payloads <= 1)
  if (payloads === 0) {
    refuseUnless(total === 4)
    return {}
  }
  cursor.expect('01000000')
  const length = cursor.small(2)
  refuseUnless(length % 20 === 0 && length >= 20 && length <= 200 && total === 10 + length)
  return { appEndpoints: Array.from({ length: length / 20 }, () => appEndpoint(cursor)) }
}

function cpaWith(bytes: Uint8Array, isRevoke: boolean, hasNonce: boolean): Fields {
  const cursor = new Cursor(bytes)
  refuseUnless(cursor.small(2) === bytes.length)
  cursor.expect('00020004')
  const flags = cursor.small(1)
  cursor.take(1)
  const has = (bit: number) => (flags & bit) !== 0
  const [x, f, c, a, u, r] = [0x20, 0x10, 0x08, 0x04, 0x02, 0x01].map(has)
  refuseUnless((a || c) === true && (f || !u) === true && r === isRevoke)
  const fields: Fields = { revoke: r, hasExtendedPayload: x }
  fields['notAfter'] = cursor.number(8).toString()
  fields['serviceLocation'] = cursor.reversedHex(16)
  if (hasNonce) fields['nonce'] = cursor.hex(16)
  else fields['revokeNonce'] = 'absent'
  refuseUnless(!isRevoke || !hasNonce || fields['nonce'] === '00'.repeat(16))
  if (a) fields['binaryAuthority'] = cursor.reversedHex(20)
  if (c) fields['classifierHash'] = cursor.hex(20)
  if (f) {
    const length = cursor.small(2)
    refuseUnless(length >= 1 && length <= 78)
    fields['friendlyName'] = cursor.hex(length)
  }
  fields['friendlyNameIsUtf8'] = u
  const services = cursor.small(2)
  refuseUnless(services <= 4 && (services > 0 || isRevoke))
  cursor.expect('1200')
  fields['serviceAddresses'] = Array.from({ length: services }, () => endpointText(cursor.take(18)))
  Object.assign(fields, payload(cursor))
  fields['publicKey'] = publicKey(cursor)
  fields['signature'] = signature(cursor)
  cursor.finished()
  return fields
}

/** N-29: a revoke CPA has its zero nonce, or closes exactly without one. */
export function oracleCpa(bytes: Uint8Array, isRevoke: boolean): Fields {
  if (!isRevoke) return cpaWith(bytes, false, true)
  for (const hasNonce of [true, false]) {
    try {
      return cpaWith(bytes, true, hasNonce)
    } catch (error) {
      if (!(error instanceof Refused)) throw error // else: try the other reading
    }
  }
  refuseUnless(false)
}

function text(bytes: Uint8Array, isWide: boolean): string {
  const encoding = isWide ? 'utf-16le' : 'utf-8'
  if (isWide) {
    refuseUnless(bytes.length % 2 === 0)
    const units = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    let all = ''
    for (let at = 0; at < bytes.length; at += 2)
      all += String.fromCharCode(units.getUint16(at, true))
    return all
  }
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    refuseUnless(false)
  }
}

export function oracleExtendedPayload(bytes: Uint8Array): Fields {
  const cursor = new Cursor(bytes)
  refuseUnless(cursor.small(2) === bytes.length)
  cursor.expect('0002')
  cursor.take(2)
  refuseUnless(cursor.small(2) === bytes.length - 136)
  const fields: Fields = { notAfter: cursor.number(8).toString() }
  fields['pnrpId'] = cursor.reversedHex(32)
  fields['nonce'] = cursor.hex(16)
  cursor.expect('0100')
  const total = cursor.small(2)
  const type = cursor.small(4)
  const length = cursor.small(2)
  refuseUnless(total === 10 + length)
  if (type === 0x80000003) {
    refuseUnless(length >= 1 && length <= 4096)
    fields['payload'] = { kind: 'binary', data: cursor.hex(length) }
  } else {
    refuseUnless(type === 0x80000002 && length >= 6 && length <= 4098)
    const stringType = cursor.small(2)
    refuseUnless(stringType <= 1)
    const all = text(cursor.take(length - 2), stringType === 0)
    refuseUnless(all.indexOf('\0') === all.length - 1)
    const encoding = stringType === 0 ? 'utf-16' : 'utf-8'
    fields['payload'] = { kind: 'text', encoding, text: all.slice(0, -1) }
  }
  fields['signature'] = signature(cursor)
  cursor.finished()
  return fields
}
