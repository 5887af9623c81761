// CPA public key, SIGNATURE, ROUTE_ENTRY, IPV6_ENDPOINT: MS-PNRP 2.2.3.1.4, .2, .4, .6.
import * as assert from 'uvu/assert'
import { decodeMessage, encodeCpa, encodeMessage, isUsablePort } from '#lib/wire/codec.js'
import type { RouteEntry } from '#lib/wire/messages.js'
import { messageVector } from '../../golden/messages.js'
import { cpaVector, payloadVector } from '../../golden/structures.js'
import { test } from '../../harness.js'
import { counting, hex, patched, spliced } from '../../helpers/hex.js'
import { same } from '../../helpers/readable.js'
import { cpaRefused, decoded, decodedCpa, omit } from '../../helpers/wire.js'
import { payloadRefused, refused, throwsInvalid } from '../../helpers/wire.js'

const { bytes: cpa, cpa: fields } = cpaVector('cpa-smallest-live')
/** Offsets in the smallest live CPA. */
const key = 94
const signature = 263

test('PNRP-2.2.3.1.4-1 the public key structure has 169 bytes', () => {
  assert.equal([...encodeCpa(fields).slice(key, key + 2)], [169, 0])
  for (const length of [0, 168, 170]) cpaRefused(patched(cpa, key, length), 'BAD_PUBLIC_KEY', key)
})

test('PNRP-2.2.3.1.4-2 the OID has 20 bytes', () => {
  assert.equal([...encodeCpa(fields).slice(key + 2, key + 4)], [20, 0])
  cpaRefused(patched(cpa, key + 2, 21), 'BAD_PUBLIC_KEY', key + 2)
})

test('PNRP-2.2.3.1.4-3 Reserved and Unused are ignored and sent as 0', () => {
  same(decodedCpa(patched(patched(cpa, key + 4, 0xff, 0xff), key + 8, 0xff)), fields)
  const sent = encodeCpa(fields)
  assert.equal([sent[key + 4], sent[key + 5], sent[key + 8]], [0, 0, 0])
})

test('PNRP-2.2.3.1.4-4 the key has 140 bytes', () => {
  assert.equal([...encodeCpa(fields).slice(key + 6, key + 8)], [140, 0])
  cpaRefused(patched(cpa, key + 6, 139), 'BAD_PUBLIC_KEY', key + 6)
  throwsInvalid(() => encodeCpa({ ...fields, publicKey: counting(0, 139) }), /publicKey/)
})

test('PNRP-2.2.3.1.4-5 the OID is the text 1.2.840.113549.1.1.1', () => {
  const text = Buffer.from(encodeCpa(fields).slice(key + 9, key + 29)).toString('latin1')
  assert.is(text, '1.2.840.113549.1.1.1')
  cpaRefused(patched(cpa, key + 28, 0x35), 'BAD_PUBLIC_KEY', key + 9)
})

test('PNRP-2.2.3.1.4-6 the key is the DER RSAPublicKey of 1024 bits', () => {
  const der = key + 29
  same(decodedCpa(cpa).publicKey, cpa.slice(der, der + 140))
  const faults = [
    [0, 0x31], // no SEQUENCE
    [2, 0x88], // its length
    [3, 0x03], // no INTEGER
    [6, 0x01], // 1025 bits or more
    [7, 0x7f], // fewer than 1024 bits
    [135, 0x04], // no INTEGER
    [136, 0x02], // its length
    [139, 0x02], // not 65537
  ] as const
  for (const [at, value] of faults) {
    cpaRefused(patched(cpa, der + at, value), 'BAD_PUBLIC_KEY', der)
    const publicKey = patched(fields.publicKey, at, value)
    throwsInvalid(() => encodeCpa({ ...fields, publicKey }), /BAD_PUBLIC_KEY/)
  }
})

test('PNRP-2.2.3.2-1 PNRP-2.2.3.2-2 SIGNATURE has 136 bytes, 128 of them the signature', () => {
  assert.equal([...encodeCpa(fields).slice(signature, signature + 4)], [0x88, 0, 0x80, 0])
  cpaRefused(patched(cpa, signature, 0x87), 'BAD_SIGNATURE', signature)
  cpaRefused(patched(cpa, signature + 2, 0x7f), 'BAD_SIGNATURE', signature + 2)
  same(decodedCpa(cpa).signature, cpa.slice(signature + 8))
  throwsInvalid(() => encodeCpa({ ...fields, signature: counting(0, 127) }), /signature/)
})

test('PNRP-2.2.3.2-3 ALG_ID is 0x00008004, little-endian', () => {
  assert.equal([...encodeCpa(fields).slice(signature + 4, signature + 8)], [4, 0x80, 0, 0])
  cpaRefused(patched(cpa, signature + 4, 3), 'BAD_SIGNATURE', signature + 4)
  cpaRefused(patched(cpa, signature + 7, 0x80), 'BAD_SIGNATURE', signature + 4)
  const payload = payloadVector('payload-binary').bytes
  payloadRefused(patched(payload, 77 + 4, 3), 'BAD_SIGNATURE', 77 + 4)
})

const { bytes: lookup, message } = messageVector('lookup-full')
/** Offset of the ROUTE_ENTRY structure in the full LOOKUP. */
const route = 100
const withEntry = (entry: Partial<RouteEntry>) => {
  const { routeEntry, ...rest } = decoded(lookup, 'LOOKUP')
  assert.ok(routeEntry)
  return { ...rest, routeEntry: { ...routeEntry, ...entry } }
}

test('PNRP-2.2.3.4-1 ROUTE_ENTRY starts with the PNRP ID', () => {
  same(decoded(lookup, 'LOOKUP').routeEntry?.pnrpId, lookup.slice(route, route + 32))
  const pnrpId = counting(7, 32)
  same(encodeMessage(withEntry({ pnrpId })).slice(route, route + 32), pnrpId)
  throwsInvalid(() => encodeMessage(withEntry({ pnrpId: counting(0, 16) })), /pnrpId/)
})

test('PNRP-2.2.3.4-2 its version is 4.0', () => {
  assert.equal([...encodeMessage(message).slice(route + 32, route + 34)], [4, 0])
  refused(patched(lookup, route + 32, 3), 'BAD_VERSION', route + 32)
  refused(patched(lookup, route + 33, 1), 'BAD_VERSION', route + 32)
})

test('PNRP-2.2.3.4-3 its port is above 1024: others are received as unusable, never sent', () => {
  for (const port of [0, 80, 1024]) {
    const bytes = patched(lookup, route + 34, port >> 8, port & 255)
    assert.is(decoded(bytes, 'LOOKUP').routeEntry?.port, port)
    assert.not.ok(isUsablePort(port))
    throwsInvalid(() => encodeMessage(withEntry({ port })), /1025/)
    same(encodeMessage(withEntry({ port }), { asReceived: true }), bytes)
  }
  for (const port of [1025, 3540, 65535]) {
    assert.ok(isUsablePort(port))
    assert.equal(
      [...encodeMessage(withEntry({ port })).slice(route + 34, route + 36)],
      [port >> 8, port & 255],
    )
  }
  throwsInvalid(() => encodeMessage(withEntry({ port: 65536 })))
})

test('PNRP-2.2.3.4-4 its Flags are ignored and sent as 0', () => {
  same(decodeMessage(patched(lookup, route + 36, 0xff)), { ok: true, message })
  assert.is(encodeMessage(message)[route + 36], 0)
})

test('PNRP-2.2.3.4-5 it has 1 to 20 addresses, as many as Address Count says', () => {
  for (const count of [1, 2, 20]) {
    const addresses = Array.from({ length: count }, (_, index) => counting(index, 16))
    const bytes = encodeMessage(withEntry({ addresses }))
    assert.is(bytes[route + 37], count)
    same(decoded(bytes, 'LOOKUP').routeEntry?.addresses, addresses)
  }
  for (const count of [0, 21]) {
    const addresses = new Array<Uint8Array>(count).fill(counting(0, 16))
    throwsInvalid(() => encodeMessage(withEntry({ addresses })))
    const bytes = spliced(lookup, route + 38, 16, new Uint8Array(16 * count))
    const length = 42 + 16 * count
    const entry = patched(patched(bytes, route + 37, count), route - 2, length >> 8, length & 255)
    assert.not.ok(decodeMessage(entry).ok, `${count} addresses`)
  }
  refused(patched(lookup, route + 37, 2), 'BAD_LENGTH', route - 2)
  refused(patched(lookup, route + 37, 0), 'BAD_COUNT', route + 37)
  refused(patched(lookup, route + 37, 21), 'BAD_COUNT', route + 37)
})

test('PNRP-2.2.3.6-1 IPV6_ENDPOINT is a port above 1024, then the address', () => {
  const address = counting(0x50, 16)
  const flaggedPath = [{ address, port: 0x1234 }]
  const rest = omit(decoded(lookup, 'LOOKUP'), 'routeEntry')
  const bytes = encodeMessage({ ...rest, flaggedPath })
  same(bytes.slice(-18), hex`1234 ${address}`)
  same(decoded(bytes, 'LOOKUP').flaggedPath, flaggedPath)
  for (const port of [0, 1024]) {
    throwsInvalid(() => encodeMessage({ ...rest, flaggedPath: [{ address, port }] }), /1025/)
    const received = patched(bytes, bytes.length - 18, port >> 8, port & 255)
    assert.is(decoded(received, 'LOOKUP').flaggedPath[0]?.port, port)
  }
})

test.run()
