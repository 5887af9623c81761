// Expected orders are derived by hand from RFC 3484 sections 2.1, 5 and 6.
import * as assert from 'uvu/assert'
import type { Endpoint } from '#lib/core/endpoint.js'
import { addressKind, commonAddressBits } from '#lib/core/ipv6.js'
import {
  chooseDestination,
  isReachable,
  isUsableEndpoint,
  orderDestinations,
} from '#lib/pnrp/destination.js'
import { formatAddress, parseAddress } from '#lib/core/address-text.js'
import { test } from '../../harness.js'

const bytes = (text: string): Uint8Array => {
  const parsed = parseAddress(text)
  assert.ok(parsed, text)
  return parsed.address
}
const at = (text: string, port = 3540): Endpoint => ({ address: bytes(text), port })
const entry = (addresses: string[], port = 3540) => ({
  pnrpId: new Uint8Array(32),
  port,
  addresses: addresses.map(bytes),
})
const texts = (endpoints: readonly Endpoint[]) => endpoints.map((e) => formatAddress(e.address))

test('addresses are told apart by scope', () => {
  const kinds: Record<string, string> = {
    '::': 'unspecified',
    '::1': 'loopback',
    '::2': 'embedded-ipv4',
    '::7f00:1': 'embedded-ipv4',
    '::ffff:10.0.0.1': 'embedded-ipv4',
    '::1:0:0': 'global',
    '64:ff9b::1': 'global',
    '2001:db8::1': 'global',
    'fc00::1': 'global',
    'fdff::1': 'global',
    'fe80::1': 'link-local',
    'febf:ffff::1': 'link-local',
    'fec0::1': 'site-local',
    'feff::1': 'site-local',
    'fe00::1': 'global',
    'ff02::c': 'multicast',
    'ffff::1': 'multicast',
  }
  for (const [text, kind] of Object.entries(kinds)) assert.is(addressKind(bytes(text)), kind, text)
})

test('common prefixes of addresses', () => {
  assert.is(commonAddressBits(bytes('::'), bytes('::')), 128)
  assert.is(commonAddressBits(bytes('8000::'), bytes('::')), 0)
  assert.is(commonAddressBits(bytes('2001:db8::'), bytes('2001:db9::')), 31)
  assert.is(commonAddressBits(bytes('2001:db8::1'), bytes('2001:db8::2'), 64), 64)
  assert.is(commonAddressBits(bytes('2001:db8::1'), bytes('2001:db8::2')), 126)
})

test('N-67 loopback, multicast, unspecified, IPv4, foreign scopes, low ports are unusable', () => {
  for (const text of ['::1', '::', 'ff02::c', 'fe80::1', 'fec0::1', '::ffff:192.0.2.1']) {
    assert.is(isUsableEndpoint(at(text), 'global'), false, text)
  }
  assert.ok(isUsableEndpoint(at('2001:db8::1'), 'global'))
  assert.ok(isUsableEndpoint(at('fd00::1'), 'global'))
  assert.ok(isUsableEndpoint(at('fe80::1'), 'link-local'))
  assert.ok(isUsableEndpoint(at('fec0::1'), 'site-local'))
  assert.ok(isUsableEndpoint(at('::1'), 'loopback'))
  assert.is(isUsableEndpoint(at('2001:db8::1'), 'link-local'), false)
  assert.is(isUsableEndpoint(at('2001:db8::1', 1024), 'global'), false)
  assert.ok(isUsableEndpoint(at('2001:db8::1', 1025), 'global'))
})

test('an entry without a usable address gives no destination', () => {
  assert.is(chooseDestination(entry(['::1', 'ff02::c', 'fe80::9']), [], 'global'), undefined)
  assert.is(chooseDestination(entry(['2001:db8::1'], 1024), [], 'global'), undefined)
  assert.is(isReachable(entry(['::1']), [], 'global'), false)
  assert.ok(isReachable(entry(['::1', '2001:db8::1']), [], 'global'))
})

test('own endpoints are skipped by address and port (N-65)', () => {
  const local = [at('2001:db8::1', 3540)]
  assert.is(chooseDestination(entry(['2001:db8::1']), local, 'global'), undefined)
  const other = chooseDestination(entry(['2001:db8::1'], 4000), local, 'global')
  assert.is(other?.to.port, 4000)
})

test('PNRP-3.1.4.4.2-9 PNRP-3.1.5.11-6 RFC 3484 rule 9: the longest shared prefix wins', () => {
  const local = [at('2001:db8:1:1::1'), at('2001:db8:2:2::1')]
  const far = ['2001:db8:9::1', '2001:db8:2:2::9', '2001:db8:2::9']
  const chosen = chooseDestination(entry(far), local, 'global')
  assert.ok(chosen)
  assert.equal(texts([chosen.to]), ['2001:db8:2:2::9'])
  assert.equal(texts(chosen.alternates), ['2001:db8:2::9', '2001:db8:9::1'])
  assert.is(chosen.to.port, 3540)
})

test('RFC 3484 rule 5: a matching label beats a longer prefix', () => {
  // 6to4 (label 2) from a native source (label 1), although 2002: shares more bits than 2600:.
  const local = [at('2001:db8::1')]
  assert.equal(texts(orderDestinations([at('2002:c000:204::1'), at('2600::1')], local)), [
    '2600::1',
    '2002:c000:204::1',
  ])
})

test('unique local addresses come first for a node that has one, else last', () => {
  const both = [at('2001:db8:5::1'), at('fd12::9')]
  assert.equal(texts(orderDestinations(both, [at('fd12::1')])), ['fd12::9', '2001:db8:5::1'])
  assert.equal(texts(orderDestinations([...both].reverse(), [at('2001:db8::1')])), [
    '2001:db8:5::1',
    'fd12::9',
  ])
})

test('RFC 3484 rule 10: otherwise the order stays', () => {
  const list = [at('2001:db8::9'), at('2001:db8::a'), at('2001:db8::b')]
  assert.equal(orderDestinations(list, [at('3fff::1')]), list)
})

test.run()
