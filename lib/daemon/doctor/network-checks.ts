import { createSocket, type Socket } from 'node:dgram'
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { addressKind } from '../../core/ipv6.js'
import { parseAddress } from '../../core/address-text.js'
import { systemCode } from '../../storage/atomic-file.js'
import { note, ok, problem, type Finding } from './check.js'

const SSDP_GROUP = 'ff02::c'
const SSDP_PORT = 1900
const ECHO_WAIT_MS = 1000

/** One usable local IPv6 address. */
export interface LocalAddress {
  readonly interface: string
  readonly address: string
  readonly kind: ReturnType<typeof addressKind>
}

export function localAddresses(): readonly LocalAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, list]) =>
    (list ?? []).flatMap(({ family, address }) => {
      const parsed = family === 'IPv6' ? parseAddress(address) : undefined
      return parsed === undefined
        ? []
        : [{ interface: name, address, kind: addressKind(parsed.address) }]
    }),
  )
}

/** Is IPv6 there at all? Linux tells by /proc, others by whether a socket opens. */
export async function checkIpv6(): Promise<Finding> {
  const check = 'IPv6'
  const disabled = await readFile('/proc/sys/net/ipv6/conf/all/disable_ipv6', 'utf8').catch(
    () => '0',
  )
  if (disabled.trim() === '1') {
    return problem(
      check,
      'switched off by the setting net.ipv6.conf.all.disable_ipv6',
      'sysctl -w net.ipv6.conf.all.disable_ipv6=0 (PNRP runs on IPv6 only)',
    )
  }
  const failure = await tryBind(0, '::')
  if (failure === undefined) return ok(check, 'this host speaks IPv6')
  return problem(check, `no IPv6 socket can be opened (${failure})`, 'enable IPv6 on this host')
}

/** Which clouds can exist here: one a scope that has an address. */
export function checkAddresses(): readonly Finding[] {
  const addresses = localAddresses()
  const of = (kind: LocalAddress['kind']): readonly LocalAddress[] =>
    addresses.filter((address) => address.kind === kind)
  const show = (list: readonly LocalAddress[]): string =>
    list.map((one) => `${one.address} (${one.interface})`).join(', ')
  const global = of('global')
  const linkLocal = of('link-local')
  return [
    global.length > 0
      ? ok('global cloud', show(global))
      : note(
          'global cloud',
          'no global address: this host cannot take part in a global cloud',
          'get IPv6 from your provider or router, or use a link-local cloud',
        ),
    linkLocal.length > 0
      ? ok('link-local cloud', show(linkLocal))
      : note(
          'link-local cloud',
          'no link-local address: no network interface is up with IPv6',
          'connect a network, or try on one host with --cloud loopback',
        ),
  ]
}

/** Can the port be had? */
export async function checkPort(port: number): Promise<Finding> {
  const check = `UDP port ${port}`
  const failure = await tryBind(port, '::')
  if (failure === undefined) return ok(check, 'free')
  if (failure === 'EADDRINUSE') {
    return note(
      check,
      'in use, perhaps by a peernet daemon or another node',
      'use that daemon, or another port with --port (0 takes any free one)',
    )
  }
  return problem(check, `cannot be bound (${failure})`, 'choose a port above 1024 with --port')
}

/** Does a multicast datagram sent on this interface come back to a member of the group? */
export async function checkMulticast(name: string): Promise<Finding> {
  const check = `multicast on ${name}`
  const remedy =
    'discovery by SSDP will not work here: name a node with --seed, or allow UDP 1900 and ff02::c'
  const receiver = createSocket({ type: 'udp6', reuseAddr: true })
  const sender = createSocket({ type: 'udp6' })
  try {
    await bound(receiver, SSDP_PORT)
    receiver.addMembership(SSDP_GROUP, `::%${name}`)
    await bound(sender, 0)
    sender.setMulticastInterface(`::%${name}`)
    sender.setMulticastLoopback(true)
    // Not a valid SSDP method, so that no other listener answers.
    const probe = Buffer.from(`PEERNET-DOCTOR ${process.pid}-${Date.now()}\r\n\r\n`)
    const heard = received(receiver, probe)
    await sent(sender, probe, SSDP_PORT, `${SSDP_GROUP}%${name}`)
    return (await heard)
      ? ok(check, 'a datagram to ff02::c port 1900 came back')
      : problem(check, 'a datagram to ff02::c port 1900 did not come back', remedy)
  } catch (error) {
    return problem(check, `refused: ${systemCode(error) ?? String(error)}`, remedy)
  } finally {
    receiver.close()
    sender.close()
  }
}

/** Does a datagram to our own address arrive? If not, a local packet filter eats it. */
export async function checkFirewall(address: string): Promise<Finding> {
  const check = `local firewall, ${address}`
  const receiver = createSocket({ type: 'udp6' })
  const sender = createSocket({ type: 'udp6' })
  try {
    await bound(receiver, 0, address)
    await bound(sender, 0, address)
    const probe = Buffer.from(`peernet doctor ${Date.now()}`)
    const heard = received(receiver, probe)
    await sent(sender, probe, receiver.address().port, address)
    return (await heard)
      ? ok(check, 'a datagram to myself arrives (filters elsewhere cannot be seen from here)')
      : problem(
          check,
          'a datagram to myself does not arrive',
          'allow incoming UDP for this program or port in the packet filter of this host',
        )
  } catch (error) {
    return problem(
      check,
      `cannot be tried: ${systemCode(error) ?? String(error)}`,
      'check the address and the packet filter of this host',
    )
  } finally {
    receiver.close()
    sender.close()
  }
}

/** The error code, or undefined when it can be bound. */
async function tryBind(port: number, address: string): Promise<string | undefined> {
  const socket = createSocket({ type: 'udp6', ipv6Only: true })
  try {
    await bound(socket, port, address)
    return undefined
  } catch (error) {
    return systemCode(error) ?? String(error)
  } finally {
    socket.close()
  }
}

function bound(socket: Socket, port: number, address?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ port, ...(address === undefined ? {} : { address }) }, resolve)
  })
}

function sent(socket: Socket, data: Buffer, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(data, port, address, (error) => {
      if (error === null) resolve()
      else reject(error)
    })
  })
}

function received(socket: Socket, wanted: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve(false)
    }, ECHO_WAIT_MS)
    socket.on('message', (data) => {
      if (!data.equals(wanted)) return
      clearTimeout(timer)
      resolve(true)
    })
  })
}
