import * as assert from 'uvu/assert'
import { toHex } from '#lib/core/bytes.js'
import { PeernetError } from '#lib/core/errors.js'
import { PeerName } from '#lib/security/peer-name.js'
import { test } from '../../harness.js'

const AUTHORITY = '38827fecd1245882413e9a42c23d81f1aae08c4d'

function refusal(work: () => unknown): PeernetError {
  try {
    work()
  } catch (error) {
    if (error instanceof PeernetError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

test('a full name is taken as it is, a classifier given alone becomes NFC', () => {
  assert.is(new PeerName('0.cafe\u0301').classifier, 'cafe\u0301')
  assert.is(PeerName.unsecured('cafe\u0301').classifier, 'caf\u00e9')
  assert.is(PeerName.of(AUTHORITY, 'cafe\u0301').toString(), `${AUTHORITY}.caf\u00e9`)
})

test('normalising comes before counting units', () => {
  // 149 pairs of letter and accent are 298 units, and 149 after NFC.
  assert.is(PeerName.unsecured('e\u0301'.repeat(149)).classifier.length, 149)
  // U+FB2C alone is one unit, and three after NFC (a composition exclusion).
  assert.is('\ufb2c'.normalize('NFC').length, 3)
  refusal(() => PeerName.unsecured('\ufb2c'.repeat(50)))
})

test('parts for the protocol: authority as bytes, none for an unsecured name', () => {
  assert.is(toHex(new PeerName(`${AUTHORITY}.x`).parts.authority as Uint8Array), AUTHORITY)
  assert.equal(new PeerName('0.x').parts, { classifier: 'x' })
  assert.is(new PeerName('0.x').secured, false)
  assert.is(new PeerName(`${AUTHORITY}.`).secured, true)
})

test('an authority without a dot has the empty classifier', () => {
  assert.is(new PeerName(AUTHORITY).toString(), `${AUTHORITY}.`)
  assert.ok(new PeerName(AUTHORITY).equals(new PeerName(`${AUTHORITY}.`)))
})

test('equality is ordinal', () => {
  assert.not(new PeerName('0.Test').equals(new PeerName('0.test')))
  assert.not(new PeerName('0.e\u0301').equals(new PeerName('0.\u00e9')))
})

test('what is not a peer name is refused with a stable code', () => {
  for (const text of [
    '',
    'test',
    '1.test',
    `${AUTHORITY.toUpperCase()}.x`,
    '0.a\0b',
    '0.'.padEnd(152, 'x'),
  ]) {
    const error = refusal(() => new PeerName(text))
    assert.is(error.code, 'ERR_PEERNET_INVALID_PEER_NAME')
    assert.is(error.hresult, 0x80632050)
  }
})

test('a name prints as text, also in JSON', () => {
  assert.is(JSON.stringify({ name: PeerName.unsecured('chat') }), '{"name":"0.chat"}')
})

test.run()
