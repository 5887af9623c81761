import * as assert from 'uvu/assert'
import {
  chooseCloudAddresses,
  defaultScope,
  findLocalAddress,
  type InterfaceSource,
} from '#lib/io/interfaces.js'
import { formatAddress, parseAddress } from '#lib/core/address-text.js'
import type { PeernetError } from '#lib/core/errors.js'
import { test } from '../../harness.js'

type Row = readonly [name: string, address: string, scopeId?: number]

function host(...rows: Row[]): InterfaceSource {
  const out: ReturnType<InterfaceSource> = {}
  for (const [name, address, scopeid = 0] of rows) {
    const entry = { address, netmask: '', mac: '', internal: false, cidr: null }
    const list = (out[name] ??= [])
    list.push(
      address.includes(':') ? { ...entry, family: 'IPv6', scopeid } : { ...entry, family: 'IPv4' },
    )
  }
  return () => out
}

function code(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return (error as PeernetError).code
  }
  return 'nothing thrown'
}

const texts = (list: readonly { address: Uint8Array }[]): string[] =>
  list.map(({ address }) => formatAddress(address))

const office = host(
  ['lo', '127.0.0.1'],
  ['lo', '::1'],
  ['eth0', '192.0.2.7'],
  ['eth0', '2001:db8::7'],
  ['eth0', 'fe80::7', 2],
)

test('PNRP-3.1.4.1-4 all addresses of a cloud have its scope', () => {
  assert.equal(texts(chooseCloudAddresses({ scope: 'global' }, office)), ['2001:db8::7'])
  const [linkLocal] = chooseCloudAddresses({ scope: 'link-local' }, office)
  assert.equal([linkLocal?.interface, linkLocal?.scopeId], ['eth0', 2])
  assert.equal(texts(chooseCloudAddresses({ scope: 'loopback' }, office)), ['::1'])
})

test('PNRP-3.1.4.1-3 at most four addresses are chosen, all if there are fewer', () => {
  const many = Array.from({ length: 6 }, (_, i): Row => ['eth0', `2001:db8::${i + 1}`])
  assert.is(chooseCloudAddresses({ scope: 'global' }, host(...many)).length, 4)
  assert.is(chooseCloudAddresses({ scope: 'global' }, host(...many.slice(0, 3))).length, 3)
})

test('PNRP-3.1.4.1-4 link-local addresses of two interfaces are two clouds: one has to be named', () => {
  const two = host(['eth0', 'fe80::1', 2], ['wlan0', 'fe80::2', 3])
  assert.is(
    code(() => chooseCloudAddresses({ scope: 'link-local' }, two)),
    'ERR_PEERNET_INVALID_ARG',
  )
  const chosen = chooseCloudAddresses({ scope: 'link-local', interface: 'wlan0' }, two)
  assert.equal(texts(chosen), ['fe80::2'])
})

test('PNRP-3.1.4.1-7 without an address of the scope, or without IPv6, the open fails and says which', () => {
  const four = host(['eth0', '192.0.2.7'])
  assert.is(
    code(() => chooseCloudAddresses({ scope: 'global' }, four)),
    'ERR_PEERNET_NO_IPV6',
  )
  const local = host(['lo', '::1'])
  assert.is(
    code(() => chooseCloudAddresses({ scope: 'global' }, local)),
    'ERR_PEERNET_NO_ADDRESS',
  )
})

test('the order does not depend on the order in which the host lists its addresses', () => {
  const rows: Row[] = [
    ['eth0', '2001:db8::2'],
    ['eth0', '2001:db8::1'],
  ]
  const forward = texts(chooseCloudAddresses({ scope: 'global' }, host(...rows)))
  const backward = texts(chooseCloudAddresses({ scope: 'global' }, host(...rows.reverse())))
  assert.equal(forward, backward)
})

test('the default is the global cloud where there is a global address, unique local ones included', () => {
  assert.is(defaultScope(office), 'global')
  assert.is(defaultScope(host(['eth0', 'fd00::1'])), 'global')
  assert.is(defaultScope(host(['eth0', 'fe80::1', 2])), 'link-local')
})

test('an address given by the user must be one of this host, in the zone given', () => {
  const address = parseAddress('fe80::7')?.address as Uint8Array
  assert.is(findLocalAddress(address, undefined, office).scopeId, 2)
  assert.is(
    code(() => findLocalAddress(address, 'wlan0', office)),
    'ERR_PEERNET_NO_ADDRESS',
  )
})

test.run()
