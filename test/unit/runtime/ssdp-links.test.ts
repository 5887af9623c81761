import * as assert from 'uvu/assert'
import type { InterfaceSource } from '#lib/io/interfaces.js'
import { localAddresses } from '#lib/io/interfaces.js'
import { ssdpLinks } from '#lib/runtime/ssdp.js'
import { test } from '../../harness.js'

const ipv6 = (address: string, scopeid = 0) => ({
  address,
  netmask: 'ffff:ffff:ffff:ffff::',
  family: 'IPv6' as const,
  mac: '00:00:00:00:00:00',
  internal: address === '::1',
  cidr: `${address}/64`,
  scopeid,
})

const source: InterfaceSource = () => ({
  lo: [ipv6('::1')],
  eth0: [ipv6('2001:db8:1::5'), ipv6('fe80::5', 2)],
  wlan0: [ipv6('2001:db8:2::5'), ipv6('fe80::6', 3)],
  tun0: [ipv6('2001:db8:3::5')],
  eth1: [ipv6('fe80::7', 4)],
})
const indexes: Record<string, number> = { eth0: 2, wlan0: 3, eth1: 4 }
const indexOf = (name: string): number => indexes[name] ?? 0

const links = (kind: string, name: string | undefined, follows: boolean) => {
  const chosen = localAddresses(source).filter(
    (one) => one.kind === kind && (name === undefined || one.interface === name),
  )
  return ssdpLinks(chosen, follows, source, indexOf).map(({ index, addresses }) => [
    index,
    addresses.length,
  ])
}

test('N-39 a cloud searches on the interfaces of its addresses, and knows all addresses there', () => {
  assert.equal(links('link-local', 'eth1', false), [[4, 1]])
  assert.equal(links('link-local', 'eth0', false), [[2, 2]])
  assert.equal(links('global', 'wlan0', false), [[3, 2]])
})

test('a cloud that follows the global addresses searches wherever there is one', () => {
  assert.equal(links('global', 'eth0', true), [
    [2, 2],
    [3, 2],
  ])
})

test('interfaces without a link-local address and loopback have no multicast', () => {
  assert.equal(links('global', 'tun0', false), [])
  assert.equal(links('loopback', 'lo', false), [])
})

test('interfaces that have gone are left out', () => {
  const gone = [
    { address: new Uint8Array(16), interface: 'usb0', scopeId: 9, kind: 'link-local' as const },
  ]
  assert.equal(ssdpLinks(gone, false, source, indexOf), [])
})

test.run()
