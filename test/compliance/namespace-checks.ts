// The part of the compliance suite that needs a network of its own; namespace.test.ts runs it:
//   unshare -n node namespace-checks.js KIND CHECK
// It makes a pair of interfaces, v0 and v1, that are each other's link.
import { writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import * as assert from 'uvu/assert'
import { parseAddress } from '#lib/core/address-text.js'
import type { PeernetError } from '#lib/core/errors.js'
import type { DatagramPort, DatagramTransport } from '#lib/io/datagram-port.js'
import { DgramTransport } from '#lib/io/udp-dgram.js'
import { NativeTransport } from '#lib/io/udp-native.js'
import { Inbox, loopback, pattern, turns, untilTrue } from '../helpers/inbox.js'
import { ip } from '../helpers/namespace.js'

const [kind = '', check = ''] = process.argv.slice(2)

const bytesOf = (text: string): Uint8Array => {
  const parsed = parseAddress(text)
  if (parsed === undefined) throw new Error(`no address: ${text}`)
  return parsed.address
}

const group = bytesOf('ff02::c')
const first = bytesOf('fe80::1')
/** Nobody has this one. */
const absent = bytesOf('fe80::99')

function setSysctl(path: string, value: number): void {
  writeFileSync(`/proc/sys/net/ipv6/${path}`, String(value))
}

/** Returns when both ends are up: the kernel notices a new carrier up to a second later. */
async function makeLink(): Promise<void> {
  ip('link', 'set', 'lo', 'up')
  setSysctl('conf/default/accept_dad', 0)
  ip('link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1')
  for (const name of ['v0', 'v1']) {
    ip('link', 'set', name, 'addrgenmode', 'none')
    ip('link', 'set', name, 'up')
  }
  await untilTrue(() => ['v0', 'v1'].every((name) => / state UP /.test(ip('link', 'show', name))))
  await addAddress('fe80::1', 'v0')
  await addAddress('fe80::2', 'v1')
}

/** Returns when the kernel delivers to the address: it enters the route from a work queue. */
async function addAddress(address: string, name: string): Promise<void> {
  ip('-6', 'addr', 'add', `${address}/64`, 'dev', name, 'nodad')
  const route = `local ${address} dev ${name} `
  await untilTrue(() => ip('-6', 'route', 'show', 'table', 'local').includes(route))
}

function indexOf(name: string): number {
  const entry = networkInterfaces()[name]?.find(({ family }) => family === 'IPv6')
  if (entry?.family !== 'IPv6') throw new Error(`no interface ${name}`)
  return entry.scopeid
}

const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error as PeernetError).code,
  )

/** Both ends bound to fe80 addresses need the zone, and find each other only in it. */
async function linkLocal(transport: DatagramTransport): Promise<void> {
  await makeLink()
  const [zone, otherZone] = [indexOf('v0'), indexOf('v1')]
  const wrong = transport.open({ address: first, port: 0 }, () => undefined)
  assert.is(await codeOf(wrong), 'ERR_PEERNET_NO_ADDRESS')
  const elsewhere = transport.open({ address: first, port: 0, scopeId: otherZone }, () => undefined)
  assert.is(await codeOf(elsewhere), 'ERR_PEERNET_NO_ADDRESS')
  const inbox = new Inbox()
  const a = await transport.open({ address: first, port: 0, scopeId: zone }, inbox.receive)
  const b = await transport.open({ address: first, port: 0, scopeId: zone }, () => undefined)
  b.send({ address: first, port: a.port }, pattern(30)) // the zone is that of the port
  b.send({ address: first, port: a.port }, pattern(31), zone)
  const got = await inbox.until(2)
  assert.equal(
    got.map(({ data }) => data.length),
    [30, 31],
  )
  assert.equal(got[0]?.from, { address: first, port: b.port })
  assert.is(got[0]?.scopeId, zone)
  assert.equal(got[0]?.localAddress, first)
  assert.is(got[0]?.interfaceIndex, zone)
  a.close()
  b.close()
}

async function openMember(transport: DatagramTransport, inbox: Inbox, zone: number, port: number) {
  return transport
    .open(
      {
        address: new Uint8Array(16),
        port,
        anyAddress: true,
        reuseAddress: true,
      },
      inbox.receive,
    )
    .then((member) => {
      member.joinGroup(group, zone)
      return member
    })
}

/** Two members share a port on one link; hops and loop are obeyed; leaving ends it. */
async function multicast(transport: DatagramTransport): Promise<void> {
  await makeLink()
  const zone = indexOf('v0')
  const [one, two] = [new Inbox(), new Inbox()]
  const a = await openMember(transport, one, zone, 0)
  const b = await openMember(transport, two, zone, a.port)
  const sender = await transport.open({ address: first, port: 0, scopeId: zone }, () => undefined)
  sender.setMulticast({ hops: 1, loop: true, interfaceIndex: zone })
  sender.send({ address: group, port: a.port }, pattern(40))
  for (const inbox of [one, two]) {
    const [got] = await inbox.until(1)
    assert.equal(got?.data, pattern(40))
    assert.equal(got?.from, { address: first, port: sender.port })
    if (kind === 'native') {
      // The other two cannot tell on a wildcard.
      assert.equal(got?.localAddress, group)
      assert.is(got?.interfaceIndex, zone)
    }
  }
  a.leaveGroup(group, zone)
  sender.send({ address: group, port: a.port }, pattern(41))
  await two.until(2)
  sender.setMulticast({ hops: 1, loop: false, interfaceIndex: zone })
  sender.send({ address: group, port: a.port }, pattern(42))
  sender.setMulticast({ hops: 1, loop: true, interfaceIndex: zone })
  sender.send({ address: group, port: a.port }, pattern(43))
  const got = await two.until(3)
  assert.equal(
    got.map(({ data }) => data.length),
    [40, 41, 43],
  )
  // By default Linux hands a group's datagrams to every socket of the port while one is a member.
  assert.is(one.length, 1)
  for (const port of [a, b, sender]) port.close()
  refusals(await transport.open({ address: first, port: 0, scopeId: zone }, () => undefined))
}

function refusals(port: DatagramPort): void {
  const code = (work: () => void): string => {
    try {
      work()
    } catch (error) {
      return (error as PeernetError).code
    }
    return 'none'
  }
  const noInterface = 9999
  const join = (): void => {
    port.joinGroup(group, noInterface)
  }
  assert.is(code(join), 'ERR_PEERNET_MULTICAST')
  const notMember = (): void => {
    port.leaveGroup(group, 0)
  }
  assert.is(code(notMember), 'ERR_PEERNET_MULTICAST')
  const noGroup = (): void => {
    port.joinGroup(first, 0)
  }
  assert.is(code(noGroup), 'ERR_PEERNET_INVALID_ARG')
  const manyHops = (): void => {
    port.setMulticast({ hops: 256, loop: true })
  }
  assert.is(code(manyHops), 'ERR_PEERNET_INVALID_ARG')
  port.close()
}

/** No route: refused by the system, counted, and the port goes on. */
async function noRoute(transport: DatagramTransport): Promise<void> {
  ip('link', 'set', 'lo', 'up')
  const inbox = new Inbox()
  const port = await transport.open({ address: loopback, port: 0 }, inbox.receive)
  port.send({ address: bytesOf('2001:db8::1'), port: 4000 }, pattern(4))
  port.send({ address: loopback, port: port.port }, pattern(5))
  await inbox.until(1)
  await untilTrue(() => port.stats().sendErrors === 1)
  assert.is(port.stats().lastError, 'ENETUNREACH')
  assert.is(port.stats().sent, 1)
  port.close()
}

/** The address disappears under an open port: errors are counted, closing works, so does opening
 * it again once the address is back. */
async function addressGone(transport: DatagramTransport): Promise<void> {
  await makeLink()
  const address = bytesOf('fd00:1::1')
  await addAddress('fd00:1::1', 'v0')
  const port = await transport.open({ address, port: 0 }, () => undefined)
  ip('-6', 'addr', 'del', 'fd00:1::1/64', 'dev', 'v0')
  for (let i = 0; i < 3; i++) port.send({ address: bytesOf('fd00:1::2'), port: 4000 }, pattern(4))
  await untilTrue(() => port.stats().sendErrors === 3)
  assert.match(port.stats().lastError, /^E(NETUNREACH|ADDRNOTAVAIL|INVAL)$/)
  const gone = transport.open({ address, port: 0 }, () => undefined)
  assert.is(await codeOf(gone), 'ERR_PEERNET_NO_ADDRESS')
  const number = port.port
  port.close()
  await addAddress('fd00:1::1', 'v0')
  const inbox = new Inbox()
  const again = await transport.open({ address, port: number }, inbox.receive)
  again.send({ address, port: number }, pattern(6))
  await inbox.until(1)
  again.close()
}

/** The link's neighbour does not answer, so the kernel's small buffer fills up: what waits is
 * bounded, the rest is counted, others go on, and it ends when the kernel has given up. */
async function busy(transport: DatagramTransport): Promise<void> {
  await makeLink()
  setSysctl('neigh/v0/retrans_time_ms', 100)
  setSysctl('neigh/v0/mcast_solicit', 1)
  const zone = indexOf('v0')
  const inbox = new Inbox()
  const options = { address: first, port: 0, scopeId: zone }
  const blocked = await transport.open({ ...options, sendBufferBytes: 4608 }, () => undefined)
  const free = await transport.open(options, inbox.receive)
  const total = 200
  for (let i = 0; i < total; i++) blocked.send({ address: absent, port: 4000 }, pattern(1000))
  transport.flush()
  assert.ok(blocked.stats().waiting > 0, 'the buffer is full')
  assert.ok(blocked.stats().waiting <= 32)
  for (let i = 0; i < 100; i++) free.send({ address: first, port: free.port }, pattern(5))
  await inbox.until(100)
  const accounted = (): number => {
    const { sent, sendErrors, sendDropped } = blocked.stats()
    return sent + sendErrors + sendDropped
  }
  await untilTrue(() => accounted() === total)
  assert.is(blocked.stats().waiting, 0)
  assert.ok(blocked.stats().sendDropped > 0)
  assert.ok(blocked.stats().sent > 0)
  // Closing with datagrams waiting drops them.
  for (let i = 0; i < 50; i++) blocked.send({ address: absent, port: 4000 }, pattern(1000))
  transport.flush()
  blocked.close()
  await turns(3)
  free.close()
}

/** A host without IPv6 addresses. */
async function noIpv6(transport: DatagramTransport): Promise<void> {
  setSysctl('conf/all/disable_ipv6', 1)
  ip('link', 'set', 'lo', 'up')
  const opened = transport.open({ address: loopback, port: 0 }, () => undefined)
  assert.is(await codeOf(opened), 'ERR_PEERNET_NO_IPV6')
}

const checks: Record<string, (transport: DatagramTransport) => Promise<void>> = {
  linkLocal,
  multicast,
  noRoute,
  addressGone,
  busy,
  noIpv6,
}

const run = checks[check]
if (run === undefined) throw new Error(`no check ${check}`)
await run(
  kind === 'dgram' ? new DgramTransport() : new NativeTransport(kind as 'native' | 'portable'),
)
