import { createHash } from 'node:crypto'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { fromHex, toHex } from '#lib/core/bytes.js'
import {
  CLASSIFIER_ENCODINGS,
  classifierHash,
  encodeClassifier,
  p2pIdOf,
  p2pIdOfName,
  pnrpIdOf,
  RESOLVE_SUFFIX,
  serviceLocationOf,
  type ClassifierEncoding,
} from '#lib/pnrp/pnrp-id.js'
import { parsePeerName, type PeerNameParts } from '#lib/pnrp/peer-name.js'
import { test } from '../../harness.js'

const AUTHORITY = '38827fecd1245882413e9a42c23d81f1aae08c4d'

// Own computations under each hypothesis of N-02 (by hand with Python's hashlib), NOT vectors from
// Microsoft: no published name comes with its hash. [name, encoding, ClassifierHash, P2P ID]
const candidates: [string, ClassifierEncoding, string, string][] = [
  [
    '0.test',
    'utf-16le',
    '87f8ed9157125ffc4da9e06a7b8011ad80a53fe1',
    '4cf68ef1a30357cf94e6f51300219520',
  ],
  [
    '0.test',
    'utf-16le-nul',
    'e31901d04c0d7bcf53cc2938a8a1e653ccbeb69d',
    'fe735f698fdd18c86314975aa015e113',
  ],
  [
    '0.test',
    'utf-16be',
    'bbebb97ba15765aa26045ed6ef45e9498862bc1b',
    'db948b93643d80e77a0568ba2e009819',
  ],
  [
    '0.test',
    'utf-16be-nul',
    '725eec16e7d051565bfda2297e263e08a3d441f6',
    'e901e5943eb63e8961e5a19312810f2b',
  ],
  [
    '0.test',
    'utf-8',
    'a94a8fe5ccb19ba61c4c0873d391e987982fbbd3',
    'fc987ab5fb18eafd21872b24454b4c34',
  ],
  [
    '0.MyApplication',
    'utf-16le',
    '5aaeff8d28696055198e4405d0db2444285e37f3',
    '7775c82766bfb84e1ca6276fe033d797',
  ],
  [
    '0.MyApplication',
    'utf-16le-nul',
    'd8e31f400c51888b937624752b41e79faae43d3b',
    '3d6bebeff65f83bf7885b5f13098fea1',
  ],
  [
    '0.MyApplication',
    'utf-16be',
    'e1abdc14a32cc4b62199b50c88a04590c278df73',
    'db9f5a0e69180e32f7ae81234c0a885a',
  ],
  [
    '0.MyApplication',
    'utf-16be-nul',
    '6aeb0bb55641130b9816bae4597b30997822915c',
    'b41086cca9addac5dfbfdfc23ac4f967',
  ],
  [
    `${AUTHORITY}.RAContact`,
    'utf-16le',
    '700f1f9f9fd28b54e0acb3304ade435e928a4092',
    'c35569a16a1aa0c6b617f9dedf277f56',
  ],
  [
    `${AUTHORITY}.RAContact`,
    'utf-16le-nul',
    '0c1b68bec681d1d822c504a3da4693b39d56204d',
    'a266c6b2de7eb6935124c107ce1fc55a',
  ],
  [
    `${AUTHORITY}.RAContact`,
    'utf-16be',
    '4c0aab8e5991bd4809b3bd9ccd80f6506c2ca4cb',
    '627bf9a2df6963125565faf29542f114',
  ],
  [
    `${AUTHORITY}.RAContact`,
    'utf-16be-nul',
    'cf93341eec21cb62f513c9000715b9a2377e970f',
    '52dbaf203e17f6c4384b6ff855cd00a0',
  ],
  // Empty classifier: nothing hashed, or only the NUL.
  [
    `${AUTHORITY}.`,
    'utf-16le',
    'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    '541491447a9591106869ad32739165b6',
  ],
  [
    `${AUTHORITY}.`,
    'utf-16le-nul',
    '1489f923c4dca729178b3e3233458550d8dddf29',
    '0e1346aca186bac9f1d4700cba4bc623',
  ],
]

test('own computations under each classifier encoding (N-02, N-45; not vectors of Microsoft)', () => {
  for (const [text, encoding, hash, p2pId] of candidates) {
    const name = parsePeerName(text) as PeerNameParts
    assert.is(toHex(classifierHash(name.classifier, encoding)), hash, `${text} ${encoding}`)
    assert.is(toHex(p2pIdOfName(name, encoding)), p2pId, `${text} ${encoding}`)
  }
})

test('the default classifier encoding is the first candidate', () => {
  assert.is(CLASSIFIER_ENCODINGS[0], 'utf-16le')
  assert.equal(classifierHash('test'), classifierHash('test', 'utf-16le'))
})

test('unpaired surrogates reach the hash as they are', () => {
  assert.is(toHex(encodeClassifier('\ud800a')), '00d86100')
  assert.is(toHex(encodeClassifier('\ud800a', 'utf-16be-nul')), 'd80000610000')
})

test('a P2P ID is the upper half of SHA-1 over 64 bytes (by node:crypto)', () => {
  const bytes = fc.uint8Array({ minLength: 20, maxLength: 20 })
  fc.assert(
    fc.property(bytes, fc.option(bytes, { nil: undefined }), (hash, authority) => {
      const input = [hash, authority ?? new Uint8Array(20), hash, Buffer.from('PNRP', 'ascii')]
      assert.is(Buffer.concat(input).length, 64)
      const digest = createHash('sha1').update(Buffer.concat(input)).digest('hex')
      assert.is(toHex(p2pIdOf(hash, authority)), digest.slice(0, 32))
    }),
  )
})

test('a PNRP ID is P2P ID, service location prefix and suffix, most significant byte first', () => {
  const p2pId = fromHex('4cf68ef1a30357cf94e6f51300219520') as Uint8Array
  const prefix = fromHex('20010db800010002') as Uint8Array
  assert.is(
    toHex(pnrpIdOf(p2pId, serviceLocationOf(prefix))),
    '4cf68ef1a30357cf94e6f5130021952020010db8000100028000000000000000',
  )
  assert.is(toHex(RESOLVE_SUFFIX), '8000000000000000')
  const suffix = fromHex('0123456789abcdef') as Uint8Array
  assert.is(toHex(serviceLocationOf(prefix, suffix)), '20010db8000100020123456789abcdef')
})

test('PNRP-3.1.4.4.1-1 the authority text spells a number, "0" is zero', () => {
  const secure = parsePeerName(`${AUTHORITY}.x`)
  const unsecured = parsePeerName('0.x')
  assert.ok(secure && unsecured)
  assert.is(toHex(secure.authority ?? new Uint8Array(0)), AUTHORITY)
  const idOf = (authority: Uint8Array) => {
    const hash = createHash('sha1').update(Buffer.from('x', 'utf16le')).digest()
    const input = Buffer.concat([hash, authority, hash, Buffer.from('PNRP')])
    return createHash('sha1').update(input).digest('hex').slice(0, 32)
  }
  assert.is(toHex(p2pIdOfName(secure)), idOf(Buffer.from(AUTHORITY, 'hex')))
  assert.is(toHex(p2pIdOfName(unsecured)), idOf(Buffer.alloc(20)))
})

test.run()
