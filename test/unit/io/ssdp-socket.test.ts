// The SSDP sockets over a transport of the test's own: what goes wrong, and in which order. Real
// multicast: test/net/ssdp.test.ts.
import { setImmediate } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import type { Endpoint } from '#lib/core/endpoint.js'
import { PeernetError } from '#lib/core/errors.js'
import { SeededRng } from '#lib/core/rng.js'
import { decodeSsdp, encodeAlive, encodeResponse } from '#lib/discovery/ssdp/messages.js'
import type { SsdpLink } from '#lib/discovery/ssdp/links.js'
import type {
  DatagramBatch,
  DatagramPort,
  DatagramPortOptions,
  DatagramReceiver,
  DatagramTransport,
} from '#lib/io/datagram-port.js'
import { SsdpSocket } from '#lib/io/ssdp-socket.js'
import { test } from '../../harness.js'

const TARGET = 'urn:x'
const linkLocal = (n: number, port = 3540): Endpoint => {
  const address = new Uint8Array(16)
  address.set([0xfe, 0x80])
  address[15] = n
  return { address, port }
}

/** Ports that take notes, and can be told to fail. */
class FakeTransport implements DatagramTransport {
  readonly kind = 'dgram'
  readonly notes: string[] = []
  readonly receivers: DatagramReceiver[] = []
  refusedPort: number | undefined
  refusesGroups = false
  losesSends = false

  open(options: DatagramPortOptions, receive: DatagramReceiver): Promise<DatagramPort> {
    if (options.port === this.refusedPort) {
      return Promise.reject(new PeernetError('ERR_PEERNET_PORT_IN_USE', 'the port is taken'))
    }
    const name = options.port === 0 ? 'search' : 'group'
    this.notes.push(`open ${name}`)
    this.receivers.push(receive)
    const stats = { sent: 0, sendErrors: 0, lastError: '' }
    const port = {
      port: options.port === 0 ? 40_000 : options.port,
      unref: () => undefined,
      setMulticast: () => undefined,
      joinGroup: (_group: Uint8Array, index: number) => {
        if (this.refusesGroups) throw new PeernetError('ERR_PEERNET_MULTICAST', 'no groups here')
        this.notes.push(`join ${index}`)
      },
      leaveGroup: (_group: Uint8Array, index: number) => this.notes.push(`leave ${index}`),
      send: (_to: Endpoint, bytes: Uint8Array, zone: number) => {
        const decoded = decodeSsdp(bytes)
        assert.ok(decoded.ok)
        this.notes.push(`${name} ${decoded.message.type} %${zone}`)
        if (this.losesSends) {
          stats.sendErrors++
          stats.lastError = 'EPERM'
        } else stats.sent++
      },
      stats: () => ({ ...stats }),
      close: () => this.notes.push(`close ${name}`),
    }
    return Promise.resolve(port as unknown as DatagramPort)
  }

  flush(): void {
    this.notes.push('flush')
  }

  hear(from: Endpoint, data: Uint8Array): void {
    const batch = {
      count: 1,
      payload: () => data,
      from: () => from,
      scopeId: () => 2,
      interfaceIndex: () => 0,
      receivedAt: () => 0,
    }
    for (const receive of this.receivers) receive(batch as unknown as DatagramBatch)
  }

  taken(): string[] {
    return this.notes.splice(0)
  }
}

function bench(links: readonly SsdpLink[] = [{ index: 2, addresses: [linkLocal(1).address] }]) {
  const transport = new FakeTransport()
  const found: Endpoint[] = []
  const unavailable: string[] = []
  const current = { links }
  const socket = new SsdpSocket({
    transport,
    clock: { now: () => 0, wallMs: () => 0 },
    rng: new SeededRng(1),
    links: () => current.links,
    onFinding: ({ endpoint }) => found.push(endpoint),
    onUnavailable: (reason) => unavailable.push(reason),
  })
  return { transport, found, unavailable, socket, current }
}

test('no socket is opened before the first use, and then both', async () => {
  const { transport, socket } = bench()
  await setImmediate()
  assert.equal(transport.taken(), [])
  socket.search(TARGET)
  await setImmediate()
  assert.equal(transport.taken(), ['open search', 'open group', 'join 2', 'search search %2'])
  await socket.close()
  assert.equal(transport.taken(), ['flush', 'close group', 'close search'])
})

test('answers and announcements are handed on', async () => {
  const { transport, found, socket } = bench()
  socket.search(TARGET)
  await setImmediate()
  transport.hear(linkLocal(5, 1900), encodeResponse(TARGET, linkLocal(5)))
  transport.hear(linkLocal(6, 1900), encodeAlive(TARGET, linkLocal(6)))
  assert.equal([...new Set(found.map(({ address }) => address[15]))], [5, 6])
  await socket.close()
  transport.hear(linkLocal(7, 1900), encodeResponse(TARGET, linkLocal(7)))
  assert.is(
    found.some(({ address }) => address[15] === 7),
    false,
  )
})

test('when port 1900 is taken, searching still works', async () => {
  const { transport, unavailable, socket } = bench()
  transport.refusedPort = 1900
  socket.search(TARGET)
  await setImmediate()
  assert.equal(transport.taken(), ['open search', 'search search %2'])
  assert.equal(unavailable, [])
  assert.is(socket.counters.get('refused.ssdp-group-port'), 1)
  await socket.close()
})

test('when no socket can be had, each search says why', async () => {
  const { transport, unavailable, socket } = bench()
  transport.refusedPort = 0
  socket.search(TARGET)
  socket.search(TARGET)
  await setImmediate()
  assert.equal(unavailable, ['the port is taken', 'the port is taken'])
  await socket.close()
})

test('when the group cannot be joined, searching still works', async () => {
  const { transport, socket } = bench()
  transport.refusesGroups = true
  socket.search(TARGET)
  await setImmediate()
  assert.equal(transport.taken(), ['open search', 'open group', 'search search %2'])
  assert.is(socket.counters.get('refused.ssdp-join'), 1)
  await socket.close()
})

test('what the system refuses to send is told', async () => {
  const { transport, unavailable, socket } = bench()
  transport.losesSends = true
  socket.search(TARGET)
  while (unavailable.length === 0) await setImmediate()
  assert.equal(unavailable, ['the system refused to send to ff02::c: EPERM'])
  await socket.close()
})

test('without an interface a search says so', async () => {
  const { transport, unavailable, socket } = bench([])
  socket.search(TARGET)
  await setImmediate()
  assert.equal(unavailable, ['no interface of the cloud has a link-local address'])
  assert.equal(transport.taken(), ['open search', 'open group'])
  await socket.close()
})

test('interfaces that come and go are joined and left at the next use', async () => {
  const { transport, socket, current } = bench()
  socket.search(TARGET)
  await setImmediate()
  transport.taken()
  current.links = [{ index: 3, addresses: [linkLocal(1).address] }]
  socket.search(TARGET)
  await setImmediate()
  assert.equal(transport.taken(), ['join 3', 'leave 2', 'search search %3'])
  await socket.close()
})

test('closing says goodbye for what is announced; a withdrawn one is not announced late', async () => {
  const { transport, socket } = bench()
  socket.announce(TARGET, linkLocal(1))
  socket.announce('urn:y', linkLocal(1))
  socket.withdraw('urn:y')
  await setImmediate()
  assert.equal(transport.taken(), ['open search', 'open group', 'join 2', 'group alive %2'])
  await socket.close()
  await socket.close()
  assert.equal(transport.taken(), ['group byebye %2', 'flush', 'close group', 'close search'])
})

test('closing while the sockets open leaves none behind', async () => {
  const { transport, socket } = bench()
  socket.search(TARGET)
  await socket.close()
  const notes = transport.taken()
  assert.ok(notes.includes('close group') && notes.includes('close search'))
  assert.not.ok(notes.includes('search search %2'))
  socket.search(TARGET)
  await setImmediate()
  assert.equal(transport.taken(), [])
})

test.run()
