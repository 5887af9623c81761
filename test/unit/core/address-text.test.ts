// IPv6 addresses as text: RFC 5952 out, RFC 4291 in.
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import {
  formatAddress,
  formatEndpoint,
  parseAddress,
  parseEndpoint,
} from '#lib/core/address-text.js'
import { test } from '../../harness.js'
import { hex } from '../../helpers/hex.js'
import { same } from '../../helpers/readable.js'

test('addresses are shortened as in RFC 5952 4 and 5', () => {
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(16), '::'],
    [hex`00*15 01`, '::1'],
    [hex`2001 0db8 0000 0000 0001 0000 0000 0001`, '2001:db8::1:0:0:1'], // the first of two runs
    [hex`2001 0db8 0000 0001 0001 0001 0001 0001`, '2001:db8:0:1:1:1:1:1'], // no run of one
    [hex`2001 0000 0000 0001 0000 0000 0000 0001`, '2001:0:0:1::1'], // the longest run
    [hex`fe80 0000 0000 0000 abcd ef01 2345 6789`, 'fe80::abcd:ef01:2345:6789'],
  ]
  for (const [address, text] of cases) {
    assert.is(formatAddress(address), text)
    same(parseAddress(text), { address })
    same(parseAddress(text.toUpperCase()), { address })
  }
})

test('every address comes back from its text', () => {
  const sparse = fc.uint8Array({ minLength: 16, maxLength: 16 })
  const zeros = fc
    .tuple(sparse, fc.nat(0xffff))
    .map(([address, mask]) =>
      address.map((byte, index) => (((mask >> index) & 1) === 1 ? byte : 0)),
    )
  fc.assert(
    fc.property(fc.oneof(sparse, zeros), fc.nat(65535), (address, port) => {
      same(parseAddress(formatAddress(address)), { address })
      same(parseEndpoint(formatEndpoint({ address, port })), { address, port })
    }),
  )
})

test('what is no endpoint is not taken for one', () => {
  for (const text of [
    ...['', '::1', '[::1]', '[::1]:', '[::1]:65536', '[::1]:-1', '[::1]: 80', '[1.2.3.4]:80'],
    ...['[::1]:80x', 'x[::1]:80', '[:::1]:80', '[1::2::3]:80', '[12345::]:80', '::1:80'],
  ]) {
    assert.is(parseEndpoint(text), undefined, text)
  }
})

test.run()
