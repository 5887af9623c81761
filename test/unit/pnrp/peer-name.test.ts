import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { toHex } from '#lib/core/bytes.js'
import {
  authorityOfKey,
  authorityText,
  formatPeerName,
  isClassifier,
  parsePeerName,
} from '#lib/pnrp/peer-name.js'
import { test } from '../../harness.js'

const AUTHORITY = '38827fecd1245882413e9a42c23d81f1aae08c4d'

// MS-RA 2.2.5, example contact: a CryptoAPI PUBLICKEYBLOB and the secure peer name made from it.
const MS_RA_BLOB =
  'BgIAAACkAABSU0ExAAQAAAEAAQBBL7Q3BkUSr9CkMhgagHnKEcE5FDz1aBVN0XcjmlKOnWyrAFhGOok0TgDShX4/lsYb' +
  'RbSoNjIuf/EAikEASiwawd+L8fdQEgrijaabKQcsq3eKwWkBkNPHcDy6f2QfKsnXWq6IWXDWsxWsQw0KKspWN9KU+Sfp' +
  'XDoQ8xg+bjqsoA=='

/** DER RSAPublicKey out of the blob: its modulus is little-endian at offset 20. */
function publicKeyOfBlob(blob: Uint8Array): Uint8Array {
  const modulus = blob.slice(20, 148).reverse()
  const head = [0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00]
  return Uint8Array.from([...head, ...modulus, 0x02, 0x03, 0x01, 0x00, 0x01])
}

test('PNRP-2.2.3.1-14 the key published in MS-RA gives the authority published with it', () => {
  const key = publicKeyOfBlob(Buffer.from(MS_RA_BLOB, 'base64'))
  assert.is(key.length, 140)
  assert.is(toHex(authorityOfKey(key)), AUTHORITY)
})

test('PNRP-2.2.4-1 a peer name is split at its first dot', () => {
  assert.equal(parsePeerName('0.a.b.c'), { classifier: 'a.b.c' })
  assert.equal(parsePeerName('0..'), { classifier: '.' })
  const secure = parsePeerName(`${AUTHORITY}.x.y`)
  assert.is(secure?.classifier, 'x.y')
  assert.is(toHex(secure?.authority as Uint8Array), AUTHORITY)
  assert.is(parsePeerName('0'), undefined)
  assert.is(parsePeerName(AUTHORITY), undefined)
  assert.is(parsePeerName(''), undefined)
  assert.equal(parsePeerName(`${AUTHORITY}.`)?.classifier, '')
})

test('PNRP-2.2.4-2 the authority is 0 or exactly 40 digits of 0-9 and a-f', () => {
  const refused = [
    '00',
    '1',
    '',
    AUTHORITY.toUpperCase(),
    AUTHORITY.slice(1),
    `${AUTHORITY}0`,
    `${AUTHORITY.slice(1)}g`,
    ` ${AUTHORITY.slice(1)}`,
    `${AUTHORITY}\n`,
    '٠', // ARABIC-INDIC DIGIT ZERO
  ]
  for (const authority of refused) assert.is(parsePeerName(`${authority}.x`), undefined, authority)
})

test('PNRP-2.2.4-3 a classifier is 0 to 149 UTF-16 units without NUL', () => {
  assert.equal(parsePeerName('0.'), { classifier: '' })
  assert.ok(parsePeerName(`0.${'x'.repeat(149)}`))
  assert.is(parsePeerName(`0.${'x'.repeat(150)}`), undefined)
  // A character outside the BMP is two units: 75 of them are 150.
  assert.ok(parsePeerName(`0.${'😀'.repeat(74)}x`))
  assert.is(parsePeerName(`0.${'😀'.repeat(75)}`), undefined)
  assert.is(parsePeerName('0.a\0'), undefined)
  for (const unit of ['\u0001', '\ud800', '\udfff', '\uffff']) assert.ok(isClassifier(unit))
})

test('names are taken unit by unit: no normalisation, no case folding', () => {
  const decomposed = parsePeerName('0.e\u0301')
  assert.is(decomposed?.classifier, 'e\u0301')
  assert.is.not(parsePeerName('0.Test')?.classifier, parsePeerName('0.test')?.classifier)
})

test('parsing and formatting are inverse', () => {
  const units = fc.array(fc.integer({ min: 1, max: 0xffff }), { maxLength: 149 })
  const authority = fc.option(fc.uint8Array({ minLength: 20, maxLength: 20 }), { nil: undefined })
  fc.assert(
    fc.property(units, authority, (codes, bytes) => {
      const classifier = String.fromCharCode(...codes)
      const name = bytes === undefined ? { classifier } : { authority: bytes, classifier }
      assert.equal(parsePeerName(formatPeerName(name)), name)
      assert.is(formatPeerName(name), `${authorityText(bytes)}.${classifier}`)
    }),
  )
})

test.run()
