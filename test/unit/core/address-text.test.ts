// Text of IPv6 addresses: the examples of RFC 5952, and ipaddr.js as an independent writer.
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import * as assert from 'uvu/assert'
import { formatAddress, formatEndpoint, parseAddress } from '#lib/core/address-text.js'
import { test } from '../../harness.js'

const bytesOf = (text: string) => new Uint8Array(ipaddr.IPv6.parse(text).toByteArray())

test('addresses are written as RFC 5952 section 4 recommends', () => {
  const examples = {
    '2001:0db8:0:0:0:0:0:0001': '2001:db8::1', // 4.1, 4.2.1
    '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1', // 4.2.2: a single group is not shortened
    '2001:0:0:1:0:0:0:1': '2001:0:0:1::1', // 4.2.3: the longest run
    '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1', // 4.2.3: the first of equal runs
    '2001:DB8:0:0:0:0:ABCD:EF01': '2001:db8::abcd:ef01', // 4.3
    '0:0:0:0:0:0:0:0': '::',
    '1:0:0:0:0:0:0:0': '1::',
  }
  for (const [address, text] of Object.entries(examples)) {
    assert.is(formatAddress(bytesOf(address)), text)
  }
  assert.is(formatEndpoint({ address: bytesOf('::1'), port: 3540 }), '[::1]:3540') // RFC 5952 6
})

test('any address is written as ipaddr.js writes it, and read back', () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const address = Uint8Array.from(groups.flatMap((value) => [value >> 8, value & 0xff]))
      const text = formatAddress(address)
      assert.is(text, new ipaddr.IPv6([...address]).toRFC5952String())
      assert.equal(parseAddress(text), { address })
    }),
  )
})

test.run()
