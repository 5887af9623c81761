// Encoded CPA, MS-PNRP 2.2.3.1 to 2.2.3.1.3.
import * as assert from 'uvu/assert'
import { decodeCpa, encodeCpa } from '#lib/wire/codec.js'
import type { CertifiedPeerAddress } from '#lib/wire/messages.js'
import { cpaVector, revokeWithoutNonce } from '../../golden/structures.js'
import { test } from '../../harness.js'
import { counting, hex, patched, spliced } from '../../helpers/hex.js'
import { same } from '../../helpers/readable.js'
import { cpaRefused, decodedCpa, omit, throwsInvalid, u16le } from '../../helpers/wire.js'

const live = cpaVector('cpa-smallest-live')
const revoke = cpaVector('cpa-smallest-revoke')
const largest = cpaVector('cpa-largest')
const friendly = cpaVector('cpa-friendly')

const encode = (base: { cpa: CertifiedPeerAddress }, changes: object) =>
  encodeCpa({ ...base.cpa, ...changes })

/** A CPA with bytes inserted at `at`, and CPA Length to match. */
function grown(bytes: Uint8Array, at: number, removed: number, inserted: Uint8Array): Uint8Array {
  const longer = spliced(bytes, at, removed, inserted)
  return patched(longer, 0, longer.length & 255, longer.length >> 8)
}

test('PNRP-2.2.3.1-1 CPA Length is little-endian and covers the signature', () => {
  for (const { bytes, cpa } of [live, revoke, largest, friendly]) {
    assert.is(u16le(encodeCpa(cpa), 0), bytes.length)
    for (const wrong of [bytes.length - 1, bytes.length + 1, 0, 0xffff]) {
      cpaRefused(patched(bytes, 0, wrong & 255, wrong >> 8), 'BAD_LENGTH', 0)
    }
    cpaRefused(spliced(bytes, bytes.length, 0, hex`00`), 'BAD_LENGTH', 0)
    cpaRefused(bytes.slice(0, -1), 'BAD_LENGTH', 0)
  }
  // the smallest and the largest there are
  assert.is(revoke.bytes.length, 381)
  assert.is(live.bytes.length, 399)
  assert.is(largest.bytes.length, 759)
  // without a signature the final length stands there all the same (2.2.3.1)
  assert.is(u16le(encodeCpa(omit(live.cpa, 'signature')), 0), 399)
})

test('PNRP-2.2.3.1-2 the versions are 00 02 and 00 04', () => {
  assert.equal([...encodeCpa(live.cpa).slice(2, 6)], [0, 2, 0, 4])
  for (const at of [2, 3, 4, 5]) cpaRefused(patched(live.bytes, at, 1), 'BAD_VERSION', 2)
})

test('PNRP-2.2.3.1-3 top flag bits and Reserved are ignored and sent as 0', () => {
  const dirty = patched(live.bytes, 6, 0xc8, 0xff)
  same(decodedCpa(dirty), live.cpa)
  assert.equal([...encodeCpa(decodedCpa(dirty)).slice(6, 8)], [0x08, 0])
})

test('PNRP-2.2.3.1-4 X 0x20, F 0x10, C 0x08, A 0x04, U 0x02, R 0x01', () => {
  const flagsOf = (cpa: CertifiedPeerAddress) => encodeCpa(cpa)[6]
  const binaryAuthority = counting(1, 20)
  assert.is(flagsOf(live.cpa), 0x08)
  assert.is(flagsOf({ ...live.cpa, hasExtendedPayload: true }), 0x28)
  assert.is(flagsOf({ ...live.cpa, binaryAuthority }), 0x0c)
  assert.is(flagsOf({ ...live.cpa, friendlyName: hex`4100` }), 0x18)
  assert.is(flagsOf({ ...live.cpa, friendlyName: hex`41`, friendlyNameIsUtf8: true }), 0x1a)
  assert.is(flagsOf(revoke.cpa), 0x05)
  const { hasExtendedPayload, friendlyNameIsUtf8 } = decodedCpa(largest.bytes)
  assert.ok(hasExtendedPayload && friendlyNameIsUtf8)
  assert.ok(decodedCpa(patched(live.bytes, 6, 0x28)).hasExtendedPayload)
})

test('PNRP-2.2.3.1-5 A or C is set', () => {
  cpaRefused(patched(live.bytes, 6, 0x00), 'BAD_FLAGS', 6)
  cpaRefused(patched(live.bytes, 6, 0x20), 'BAD_FLAGS', 6)
  throwsInvalid(() => encodeCpa(omit(live.cpa, 'classifierHash')), /BAD_FLAGS/)
})

test('PNRP-2.2.3.1-6 U is clear when F is', () => {
  cpaRefused(patched(live.bytes, 6, 0x0a), 'BAD_FLAGS', 6)
  throwsInvalid(() => encode(live, { friendlyNameIsUtf8: true }), /BAD_FLAGS/)
})

test('PNRP-2.2.3.1-7 R is set exactly in a revoke CPA', () => {
  assert.ok(decodedCpa(revoke.bytes).revoke)
  for (const { bytes } of [live, largest, friendly]) assert.not.ok(decodedCpa(bytes).revoke)
  // with R set the nonce has to be zero, which that of a live CPA is not
  cpaRefused(patched(live.bytes, 6, 0x09), 'BAD_NONCE', 32)
})

test('PNRP-2.2.3.1-8 Not After is a little-endian count of 100 ns since 1601', () => {
  // 0x01da3c457689c000 is 2024-01-01T00:00:00Z: 11644473600 s from 1601 to 1970, 1704067200 s on
  const expected = (11_644_473_600n + 1_704_067_200n) * 10_000_000n
  assert.is(decodedCpa(live.bytes).notAfter, expected)
  assert.equal([...encodeCpa(live.cpa).slice(8, 16)], [...hex`00c089 76453c da01`])
  assert.is(decodedCpa(encode(live, { notAfter: 0n })).notAfter, 0n)
  throwsInvalid(() => encode(live, { notAfter: -1n }), /notAfter/)
  throwsInvalid(() => encode(live, { notAfter: 1n << 64n }), /notAfter/)
})

test('PNRP-2.2.3.1-10 Service Location stands least significant byte first', () => {
  same(decodedCpa(live.bytes).serviceLocation, counting(0x10, 16))
  const serviceLocation = hex`01 00*14 02`
  const bytes = encode(live, { serviceLocation })
  same(bytes.slice(16, 32), hex`02 00*14 01`)
  same(serviceLocation, hex`01 00*14 02`, 'the argument is left alone')
})

test('PNRP-2.2.3.1-11 the nonce of a revoke CPA is zero', () => {
  same(decodedCpa(revoke.bytes).nonce, new Uint8Array(16))
  for (let at = 32; at < 48; at++) cpaRefused(patched(revoke.bytes, at, 1), 'BAD_NONCE', 32)
  throwsInvalid(() => encode(revoke, { nonce: counting(1, 16) }), /nonce/)
  same(decodedCpa(live.bytes).nonce, live.bytes.slice(32, 48))
})

test('N-29 a revoke CPA without nonce is read when only that closes exactly', () => {
  const outcome = decodeCpa(revokeWithoutNonce)
  assert.ok(outcome.ok)
  assert.is(outcome.revokeNonce, 'absent')
  assert.is(outcome.signedLength, 365 - 136)
  assert.ok(decodeCpa(revokeWithoutNonce, { revokeNonce: 'absent' }).ok)
  assert.not.ok(decodeCpa(revokeWithoutNonce, { revokeNonce: 'present' }).ok)
  assert.ok(decodeCpa(revoke.bytes, { revokeNonce: 'present' }).ok)
  assert.not.ok(decodeCpa(revoke.bytes, { revokeNonce: 'absent' }).ok)
  // a live CPA has its nonce whatever the option says
  assert.ok(decodeCpa(live.bytes, { revokeNonce: 'absent' }).ok)
  // broken in both readings: reported as the text has it
  const broken = patched(revoke.bytes, revoke.bytes.length - 136, 0)
  cpaRefused(broken, 'BAD_SIGNATURE', 245)
})

test('PNRP-2.2.3.1-13 BinaryAuthority is there exactly with A, least significant first', () => {
  same(decodedCpa(revoke.bytes).binaryAuthority, counting(0x80, 20))
  assert.is(decodedCpa(live.bytes).binaryAuthority, undefined)
  const binaryAuthority = hex`01 00*18 02`
  same(encode(live, { binaryAuthority }).slice(48, 68), hex`02 00*18 01`)
  // the flag without its field, and the field without its flag
  assert.not.ok(decodeCpa(patched(live.bytes, 6, 0x0c)).ok)
  assert.not.ok(decodeCpa(patched(largest.bytes, 6, 0x3a)).ok)
  throwsInvalid(() => encode(live, { binaryAuthority: counting(0, 19) }), /binaryAuthority/)
})

test('PNRP-2.2.3.1-15 the CPA of an unsecured name has no BinaryAuthority', () => {
  // the authority of an unsecured name is the number zero
  throwsInvalid(() => encode(live, { binaryAuthority: new Uint8Array(20) }), /unsecured/)
  assert.is((encodeCpa(live.cpa)[6] as number) & 0x04, 0)
})

test('PNRP-2.2.3.1-16 ClassifierHash is there exactly with C, 20 bytes in natural order', () => {
  same(decodedCpa(live.bytes).classifierHash, live.bytes.slice(48, 68))
  assert.is(decodedCpa(revoke.bytes).classifierHash, undefined)
  same(encode(live, { classifierHash: counting(1, 20) }).slice(48, 68), counting(1, 20))
  same(decodedCpa(largest.bytes).classifierHash, largest.bytes.slice(68, 88))
  assert.not.ok(decodeCpa(patched(revoke.bytes, 6, 0x0d)).ok)
  throwsInvalid(() => encode(live, { classifierHash: counting(0, 21) }), /classifierHash/)
})

test('PNRP-2.2.3.1-17 FriendlyName and its Len are there exactly with F', () => {
  assert.is(decodedCpa(live.bytes).friendlyName, undefined)
  same(decodedCpa(friendly.bytes).friendlyName, hex`4100 6400 6100`)
  same(encodeCpa(omit(friendly.cpa, 'friendlyName')), live.bytes)
  assert.not.ok(decodeCpa(patched(live.bytes, 6, 0x18)).ok)
  assert.not.ok(decodeCpa(patched(friendly.bytes, 6, 0x08)).ok)
})

test('PNRP-2.2.3.1-18 FriendlyName Len is little-endian, 1 to 78', () => {
  for (const length of [1, 2, 77, 78]) {
    const friendlyName = counting(1, length)
    const bytes = encode(live, { friendlyName, friendlyNameIsUtf8: true })
    assert.is(u16le(bytes, 68), length)
    same(decodedCpa(bytes).friendlyName, friendlyName)
  }
  for (const length of [0, 79]) {
    throwsInvalid(() => encode(live, { friendlyName: counting(1, length) }))
    const name = new Uint8Array([length, 0, ...counting(1, length)])
    cpaRefused(grown(friendly.bytes, 68, 8, name), 'BAD_COUNT', 68)
  }
})

test('PNRP-2.2.3.1-19 FriendlyName has no NUL added, and U says whether it is UTF-8', () => {
  same(encodeCpa(friendly.cpa).slice(68, 76), hex`0600 4100 6400 6100`)
  assert.not.ok(decodedCpa(friendly.bytes).friendlyNameIsUtf8)
  assert.ok(decodedCpa(patched(friendly.bytes, 6, 0x1a)).friendlyNameIsUtf8)
  // opaque, surrogates and all (N-42)
  const friendlyName = hex`00d8 0000 ffff`
  same(decodedCpa(encode(live, { friendlyName })).friendlyName, friendlyName)
})

test('PNRP-2.2.3.1.1-1 NumServiceAddresses is little-endian, 0 to 4', () => {
  assert.equal(decodedCpa(revoke.bytes).serviceAddresses, [])
  assert.is(decodedCpa(largest.bytes).serviceAddresses.length, 4)
  const [address] = live.cpa.serviceAddresses
  for (const count of [1, 2, 3, 4]) {
    const serviceAddresses = new Array(count).fill(address)
    const bytes = encode(live, { serviceAddresses })
    assert.is(u16le(bytes, 68), count)
    same(decodedCpa(bytes).serviceAddresses, serviceAddresses)
  }
  throwsInvalid(() => encode(live, { serviceAddresses: new Array(5).fill(address) }))
  cpaRefused(patched(live.bytes, 68, 5), 'BAD_COUNT', 68)
  cpaRefused(patched(live.bytes, 68, 0, 1), 'BAD_COUNT', 68)
})

test('PNRP-2.2.3.1.1-2 a CPA that is no revoke has a service address', () => {
  throwsInvalid(() => encode(live, { serviceAddresses: [] }))
  cpaRefused(grown(live.bytes, 68, 22, hex`0000 1200`), 'BAD_COUNT', 68)
})

test('PNRP-2.2.3.1.1-3 ServiceAddressLength is 0x12, entries are port and address', () => {
  assert.equal([...encodeCpa(live.cpa).slice(70, 74)], [0x12, 0, 0x0d, 0xd4])
  same(decodedCpa(live.bytes).serviceAddresses[0]?.address, live.bytes.slice(74, 90))
  cpaRefused(patched(live.bytes, 70, 0x10), 'BAD_LENGTH', 70)
  cpaRefused(patched(revoke.bytes, 70, 0, 0x12), 'BAD_LENGTH', 70)
  const low = { address: new Uint8Array(16), port: 1024 }
  throwsInvalid(() => encode(live, { serviceAddresses: [low] }), /1025/)
})

test('PNRP-2.2.3.1-20 NumPayloads is little-endian, 0 or 1', () => {
  assert.is(u16le(encodeCpa(live.cpa), 90), 0)
  assert.is(u16le(encodeCpa(largest.cpa), 244), 1)
  cpaRefused(patched(live.bytes, 90, 2), 'BAD_COUNT', 90)
  cpaRefused(patched(largest.bytes, 244, 2), 'BAD_COUNT', 244)
  cpaRefused(patched(largest.bytes, 244, 1, 1), 'BAD_COUNT', 244)
})

test('PNRP-2.2.3.1-22 Total Bytes covers NumPayloads, itself and the payload: 4 to 210', () => {
  assert.is(u16le(encodeCpa(live.cpa), 92), 4)
  assert.is(u16le(encodeCpa(largest.cpa), 246), 210)
  for (const total of [0, 3, 5]) cpaRefused(patched(live.bytes, 92, total), 'BAD_LENGTH', 92)
  for (const total of [4, 209, 211]) {
    cpaRefused(patched(largest.bytes, 246, total), 'BAD_LENGTH', 246)
  }
})

const [app] = largest.cpa.appEndpoints ?? []

test('PNRP-2.2.3.1-23 PNRP-2.2.3.1.2-2 DataLength is a multiple of 20, from 20 to 200', () => {
  for (const count of [1, 2, 10]) {
    const appEndpoints = new Array(count).fill(app)
    const bytes = encode(live, { appEndpoints })
    assert.is(u16le(bytes, 98), 20 * count)
    assert.is(bytes.length, 399 + 6 + 20 * count)
    same(decodedCpa(bytes).appEndpoints, appEndpoints)
  }
  throwsInvalid(() => encode(live, { appEndpoints: new Array(11).fill(app) }))
  throwsInvalid(() => encode(live, { appEndpoints: [] }), /appEndpoints/)
  for (const length of [0, 19, 21, 220]) {
    const total = 10 + length
    const payload = new Uint8Array([1, 0, total & 255, total >> 8, 1, 0, 0, 0, length, 0])
    const bytes = grown(live.bytes, 90, 4, hex`${payload} ${new Uint8Array(length)}`)
    cpaRefused(bytes, 'BAD_PAYLOAD', 98)
  }
})

test('PNRP-2.2.3.1.2-1 PAYLOAD has Type 1, little-endian, and no other', () => {
  assert.equal([...encodeCpa(largest.cpa).slice(248, 252)], [1, 0, 0, 0])
  cpaRefused(patched(largest.bytes, 248, 2), 'BAD_PAYLOAD', 248)
  cpaRefused(patched(largest.bytes, 248, 0, 0, 0, 1), 'BAD_PAYLOAD', 248)
})

test('PNRP-2.2.3.1.2-3 PNRP-2.2.3.1.3-1 application endpoints: address, port, protocol', () => {
  const address = counting(0x30, 16)
  const bytes = encode(live, { appEndpoints: [{ address, port: 0x0102, protocol: 0x0304 }] })
  // the port in network order (N-41), the protocol little-endian
  same(bytes.slice(100, 120), hex`${address} 0102 0403`)
  same(decodedCpa(bytes).appEndpoints, [{ address, port: 0x0102, protocol: 0x0304 }])
})

test('a CPA cut short anywhere is refused', () => {
  for (const { bytes } of [live, revoke, largest, friendly]) {
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.slice(0, length)
      assert.not.ok(decodeCpa(cut).ok)
      if (length >= 2) assert.not.ok(decodeCpa(patched(cut, 0, length & 255, length >> 8)).ok)
    }
  }
})

test.run()
