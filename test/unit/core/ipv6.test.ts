import * as assert from 'uvu/assert'
import { parseAddress } from '#lib/core/address-text.js'
import { networkKey } from '#lib/core/ipv6.js'
import { test } from '../../harness.js'

const key = (text: string): string => networkKey(parseAddress(text)?.address as Uint8Array)

test('a /64 counts as one address, where addresses of a /64 are not everybody', () => {
  assert.is(key('2001:db8:1:2:3::4'), key('2001:db8:1:2::'))
  assert.is.not(key('2001:db8:1:2::'), key('2001:db8:1:3::'))
  assert.is(key('fd00:1:2:3::4'), key('fd00:1:2:3:4::'))
  for (const [one, other] of [
    ['fe80::1', 'fe80::2'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2'],
    ['64:ff9b::192.0.2.1', '64:ff9b::192.0.2.2'],
    ['::1', '::2'],
  ] as const) {
    assert.is(key(one), key(one))
    assert.is.not(key(one), key(other))
  }
})

test.run()
