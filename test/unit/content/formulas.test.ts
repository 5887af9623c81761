// The formulas of MS-PCCRC 2.2 and 2.5 against values made with the openssl command line:
//
//   yes peernet | head -c 128000 > content; printf 'no more secrets' > secret
//   hx() { xxd -p -c 256; }
//   openssl dgst -$H -binary secret > ks
//   head -c 65536 content | openssl dgst -$H -binary > b1
//   tail -c 62464 content | openssl dgst -$H -binary > b2
//   cat b1 b2 | openssl dgst -$H -binary > hod
//   openssl dgst -$H -mac HMAC -macopt hexkey:$(hx < ks) -binary hod > kp
//   { cat hod; printf 'MS_P2P_CACHING\0' | iconv -f ASCII -t UTF-16LE; } > labelled
//   openssl dgst -$H -mac HMAC -macopt hexkey:$(hx < kp) -binary labelled > id
//
// Version 2 with the first 61440 bytes of the content as a segment, every output cut to its first
// 32 bytes (head -c 32) before it is used:
//
//   openssl dgst -sha512 -binary secret | head -c 32 > ks
//   head -c 61440 content | openssl dgst -sha512 -binary | head -c 32 > hod
//   … kp and id as above, with `| head -c 32` after each
//
// The exported secret under the passphrase "correct horse":
//
//   printf 'correct horse' | iconv -f ASCII -t UTF-16LE | openssl dgst -sha256 -binary > k
//   { openssl dgst -sha256 -binary secret; cat secret; } |
//     openssl enc -aes-256-cbc -K $(hx < k) -iv 00000000000000000000000000000000 | hx
import * as assert from 'uvu/assert'
import type { HashScheme } from '#lib/content/algorithms.js'
import { ContentHasher } from '#lib/content/content-hasher.js'
import { segmentId, segmentSecrets, serverKey } from '#lib/content/keys.js'
import { parseContentInfo } from '#lib/content/read-info.js'
import { exportServerSecret, importServerSecret } from '#lib/content/secret-file.js'
import { writeContentInfo } from '#lib/content/write-info.js'
import { fromHex, toHex } from '#lib/core/bytes.js'
import { test } from '../../harness.js'

const content = new Uint8Array(Buffer.from('peernet\n'.repeat(16_000)))
const secret = new Uint8Array(Buffer.from('no more secrets'))
const bytes = (hex: string): Uint8Array => fromHex(hex) as Uint8Array

/** Ks, hash of block 1, of block 2, HoD, Kp, HoHoDk. */
const VERSION_1 = {
  sha256: [
    '5ae6569b5de55b1cb15d1d893b3ffdeafc9b1c00aab131844c36730d6d2fa091',
    '3aa73b6de8a68585e1375a45c267a3815d74acb094d3ecf5d91e56c85eca0602',
    '1b64b7aa48afe364276fd925e1a3dbf2a3fe7b4d2fc25bfcc2434ed9e91c679b',
    '4f6122609ea7443e1191d8512ab33578ff1a236c91214bad204c95f5e2c920d0',
    'ebf1daa82c8399938a3bc1a11090bd3270950f4f751437cac91c12e9ba05a0d3',
    '1b5e2796536c0375a8dc3bb712fe024af880d4d651ba861e6a1f9f0d3637983d',
  ],
  sha384: [
    '3aaa55353d10d0a0c013d4ebe46fbd89d34bd7a926849aa5' +
      '2432aa20f2426da08252436445ecebcc7bbaf46d7c5c361b',
    'e597d1560c02c5561e06ca1ea9fd4251030a02be00c5af5f' +
      'f6c0c0e0ae28bbd9f40a5605f865c6a04922b72e1cfaf15f',
    '81ae607884a67cd271e7b85d7a5beccfa478b80663f9fdda' +
      '46ef977605e5704764958b465f8756050998fe6c613f6214',
    '2339edceede7b813a442505aefaab3f1ecbd12232b223eed' +
      '1910962b00dcb132fa8e3bf94e789126daa5f0ff3330e627',
    '909d1dcc887b807e55a12d14512729a2633d07c46a75bc53' +
      'e0db02811d8b30089c876717bd275c89671c840f7cf22776',
    '0ca868ca1739a193107ce1884afb4afd1837e44d3ec64734' +
      'b77bc57b26acde43239c3249e6a3efa2b25dc320879230b2',
  ],
  sha512: [
    'de5336e19c45891368f48e9dd5d7642a828c4fbd83e1c9fecf0eb80542b0c33d' +
      '56c31ca10b24d3442d497516e6629e1d4a2e85e5cd272ad9ae5898bd2a35b5b9',
    '6654fd30419b928d74632e451be11352d14b4b9af171765a5c0423ff0ccc548e' +
      '49588652a38b6336422425f5704bf2de1b567dd4d5d5b6bb48bbcaa47f7488f9',
    '52395b44be51e89f6a7b3038fa199dfc0bb86b01d1708ca4057e3bdc3e74f404' +
      '90926bd116523e7cb4321e90f22fcbd22d741022bf3ce495d5d218c45c8d1d52',
    '2ceb1bf2d25e752054e7bfee0f3989dc18009afadac991ca9b898e60d1a81847' +
      '5a47ae784fc822813e65c7ad113800ea50d28b5ed8595c9e93faa11664ac68a4',
    'cbb742e7b227c15a7471fd3beb0f55d13e57c2539dbd02493f5a06fd80ba4f40' +
      'f6c09cdc24d2b7acb9eab2df884651320e464aa89be360f460683dfefbe0baca',
    '19ac0803b9177cd3f4fe3a837d33d65eebe71b05cde8c318a6bb45c73c0710c7' +
      '4d7639a0c7e21c6a2c95835ed255e33c260da3bb9c807b07e477882a85998de6',
  ],
} as const

function describe(scheme: HashScheme, segmentBytes?: number) {
  const hasher = new ContentHasher(scheme, segmentBytes === undefined ? {} : { segmentBytes })
  hasher.push(content)
  const parsed = parseContentInfo(writeContentInfo(hasher.finish(), secret))
  assert.ok(parsed.ok)
  return parsed.info
}

test('D-005 D-006 D-007 D-008 D-009 hashes, secrets and IDs of version 1 are those that openssl gives', () => {
  for (const [algorithm, values] of Object.entries(VERSION_1)) {
    const scheme = { version: 1, algorithm } as HashScheme
    const [ks, block1, block2, hod, kp, id] = values
    assert.is(toHex(serverKey(scheme, secret)), ks)
    const [segment, ...others] = describe(scheme).segments
    assert.ok(segment)
    assert.is(others.length, 0)
    assert.is(toHex(segment.blockHashes), block1 + block2)
    assert.is(toHex(segment.hashOfData), hod)
    assert.is(toHex(segment.secret), kp)
    assert.is(toHex(segment.id), id)
  }
})

test('D-017 D-018 hash of data, secret and ID of version 2 are cut to 32 bytes at each step', () => {
  const scheme = { version: 2, algorithm: 'sha512' } as const
  const key = serverKey(scheme, secret)
  assert.is(toHex(key), 'de5336e19c45891368f48e9dd5d7642a828c4fbd83e1c9fecf0eb80542b0c33d')
  const [segment] = describe(scheme, 61_440).segments
  assert.ok(segment)
  const hod = 'dace686f365ed8ed8f4b2af9033b60a5b71ce388e77db09e81a5c225901196d6'
  assert.is(toHex(segment.hashOfData), hod)
  assert.is(
    toHex(segment.secret),
    '5aea00cf62996bd31f88344becf8addaf70237d91a299c126fd474a1348444db',
  )
  assert.is(toHex(segment.id), 'a189de7b2d3539acda6dc2f3c9466101790bcf1f311470e304efff3542d40ba8')
  assert.equal(segmentSecrets(scheme, key, bytes(hod)), new Uint8Array(segment.secret))
  assert.equal(segmentId(scheme, segment.secret, bytes(hod)), new Uint8Array(segment.id))
})

const EXPORTED =
  'd0fd72f4c3c87c4a64829b1180fbaeda14e30e569c58906b1a40b1412b1beb57' +
  '4b2ba995eba50bc0108aadcd91bb4f49'

test('D-025 an exported server secret is the file that openssl makes, and is read back', () => {
  assert.is(toHex(exportServerSecret(secret, 'correct horse')), EXPORTED)
  assert.equal(importServerSecret(bytes(EXPORTED), 'correct horse'), secret)
  for (const length of [1, 15, 16, 17, 32, 1000]) {
    const other = new Uint8Array(length).fill(7)
    assert.equal(importServerSecret(exportServerSecret(other, 'ü€𝄞'), 'ü€𝄞'), other)
  }
})

test('D-025 a wrong passphrase and every changed byte are refused', () => {
  const code = (work: () => unknown): string => {
    try {
      work()
    } catch (error) {
      return (error as { code: string }).code
    }
    return 'none'
  }
  const file = bytes(EXPORTED)
  assert.is(
    code(() => importServerSecret(file, 'correct horsf')),
    'ERR_PEERNET_WRONG_PASSWORD',
  )
  for (let i = 0; i < file.length; i++) {
    const changed = file.slice()
    changed[i] = (changed[i] as number) ^ 0x40
    assert.is(
      code(() => importServerSecret(changed, 'correct horse')),
      'ERR_PEERNET_WRONG_PASSWORD',
    )
  }
  for (const length of [0, 16, 32, 47]) {
    const short = file.subarray(0, length)
    assert.is(
      code(() => importServerSecret(short, 'correct horse')),
      'ERR_PEERNET_SECRET_CORRUPT',
    )
  }
  assert.is(
    code(() => exportServerSecret(secret, '')),
    'ERR_PEERNET_INVALID_ARG',
  )
  assert.is(
    code(() => exportServerSecret(new Uint8Array(0), 'x')),
    'ERR_PEERNET_INVALID_ARG',
  )
})

test.run()
