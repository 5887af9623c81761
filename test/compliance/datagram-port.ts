// What every DatagramTransport must do. Run for each of the three by *.test.ts beside this file;
// what needs a network of its own is in namespace-checks.ts.
import dgram from 'node:dgram'
import { readdirSync } from 'node:fs'
import * as assert from 'uvu/assert'
import type { Endpoint } from '#lib/core/endpoint.js'
import { LIMITS } from '#lib/core/limits.js'
import type { PeernetError } from '#lib/core/errors.js'
import type {
  DatagramBatch,
  DatagramPort,
  DatagramPortOptions,
  DatagramReceiver,
  DatagramTransport,
} from '#lib/io/datagram-port.js'
import { SystemClock } from '#lib/io/system-clock.js'
import { suite, type Test } from '../harness.js'
import { Inbox, loopback, pattern, turns, untilTrue } from '../helpers/inbox.js'

type Make = () => DatagramTransport

const ignore: DatagramReceiver = () => undefined
const local = { address: loopback, port: 0 }
const endpointOf = (port: DatagramPort): Endpoint => ({ address: port.address, port: port.port })

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return (error as PeernetError).code
  }
  return 'none'
}

function codeOfThrown(work: () => void): string {
  try {
    work()
  } catch (error) {
    return (error as PeernetError).code
  }
  return 'none'
}

/** Open file descriptors of this process; 0 where the system does not tell. */
function descriptors(): number {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0
}

/** A socket of node:dgram itself, for what our own ports refuse to send. */
async function withForeigner(work: (socket: dgram.Socket) => Promise<void>): Promise<void> {
  const socket = dgram.createSocket('udp6')
  await new Promise<void>((resolve) => socket.bind({ address: '::1', port: 0 }, resolve))
  try {
    await work(socket)
  } finally {
    socket.close()
  }
}

const sendRaw = (socket: dgram.Socket, bytes: Uint8Array, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.send(bytes, port, '::1', (error) => {
      if (error === null) resolve()
      else reject(error)
    })
  })

export function datagramPortSuite(kind: string, make: Make): void {
  const test = suite(kind)
  opening(test, make)
  sizesAndOrder(test, make)
  addresses(test, make)
  closing(test, make)
  load(test, make)
  callbacks(test, make)
  test.run()
}

function opening(test: Test, make: Make): void {
  test('PNRP-2.1-2 binds ports from 1025 on, the lower ones not even on request', async () => {
    const transport = make()
    const port = await transport.open(local, ignore)
    assert.ok(port.port >= 1025 && port.port <= 65_535)
    assert.equal(port.address, loopback)
    assert.is(port.closed, false)
    port.close()
    for (const number of [1, 80, 1023, 1024, -1, 65_536, 3540.5, Number.NaN]) {
      const options = { address: loopback, port: number }
      assert.is(await codeOf(transport.open(options, ignore)), 'ERR_PEERNET_INVALID_ARG')
    }
  })

  test('refuses what is no IPv6 address of one host', async () => {
    const transport = make()
    const any = new Uint8Array(16)
    const mapped = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 0, 1])
    const wrong: DatagramPortOptions[] = [
      { address: any, port: 0 }, // N-69
      { address: mapped, port: 0 },
      { address: new Uint8Array(4), port: 0 },
      { ...local, scopeId: -1 },
      { ...local, receiveBufferBytes: -1 },
    ]
    for (const options of wrong) {
      assert.is(await codeOf(transport.open(options, ignore)), 'ERR_PEERNET_INVALID_ARG')
    }
    const wide = await transport.open({ address: any, port: 0, anyAddress: true }, ignore)
    wide.close()
  })

  test('an address that is not of this host has a code of its own', async () => {
    const documentation = Uint8Array.from([0x20, 0x01, 0x0d, 0xb8, ...new Uint8Array(11), 1])
    const options = { address: documentation, port: 0 }
    assert.is(await codeOf(make().open(options, ignore)), 'ERR_PEERNET_NO_ADDRESS')
  })

  test('PNRP-3.1.4.1-6 an address and port pair is bound once; the error says what to do', async () => {
    const transport = make()
    const first = await transport.open(local, ignore)
    const again = transport.open({ address: loopback, port: first.port }, ignore)
    const error = (await again.catch((reason: unknown) => reason)) as PeernetError
    assert.is(error.code, 'ERR_PEERNET_PORT_IN_USE')
    assert.match(error.message, new RegExp(`port ${first.port} on ::1.*choose another`))
    assert.is((error.cause as { code: string }).code, 'EADDRINUSE')
    first.close()
  })
}

function sizesAndOrder(test: Test, make: Make): void {
  test('PNRP-2.1-1 each payload from 0 to 2048 bytes travels whole in a datagram of its own', async () => {
    const transport = make()
    const inbox = new Inbox()
    const receiver = await transport.open(local, inbox.receive)
    const sender = await transport.open(local, ignore)
    const sizes = [0, 1, 2, 3, 4, 5, 63, 64, 65, 1188, 1216, 1231, 1232, 1280, 2047, 2048]
    for (const size of sizes) sender.send(endpointOf(receiver), pattern(size, size))
    const got = await inbox.until(sizes.length)
    for (const [i, size] of sizes.entries()) assert.equal(got[i]?.data, pattern(size, size))
    assert.is(receiver.stats().received, sizes.length)
    await untilTrue(() => sender.stats().sent === sizes.length)
    sender.close()
    receiver.close()
  })

  test('longer datagrams are dropped and counted, and not sent', async () => {
    const transport = make()
    const inbox = new Inbox()
    const receiver = await transport.open(local, inbox.receive)
    const tooLong = (): void => {
      receiver.send(endpointOf(receiver), new Uint8Array(LIMITS.datagramBytes + 1))
    }
    assert.is(codeOfThrown(tooLong), 'ERR_PEERNET_INVALID_ARG')
    await withForeigner(async (socket) => {
      await sendRaw(socket, pattern(2048), receiver.port)
      await sendRaw(socket, pattern(2049), receiver.port)
      await sendRaw(socket, pattern(60_000), receiver.port)
      await sendRaw(socket, pattern(7), receiver.port)
    })
    const got = await inbox.until(2)
    assert.equal(
      got.map(({ data }) => data.length),
      [2048, 7],
    )
    assert.is(receiver.stats().truncated, 2)
    assert.is(receiver.stats().received, 2)
    receiver.close()
  })

  test('what is sent in one turn arrives complete and in order', async () => {
    const transport = make()
    const inbox = new Inbox()
    const receiver = await transport.open(local, inbox.receive)
    const sender = await transport.open(local, ignore)
    for (let round = 0; round < 10; round++) {
      // More than fits the staging area of the addon.
      for (let i = 0; i < 150; i++) sender.send(endpointOf(receiver), number(round * 150 + i))
      await inbox.until((round + 1) * 150)
    }
    assert.equal(
      inbox.all.map(({ data }) => toNumber(data)),
      Array.from({ length: 1500 }, (_, i) => i),
    )
    sender.close()
    receiver.close()
  })

  test('the bytes may be changed as soon as send returns', async () => {
    const transport = make()
    const inbox = new Inbox()
    const port = await transport.open(local, inbox.receive)
    const bytes = pattern(100)
    port.send(endpointOf(port), bytes)
    bytes.fill(0)
    const [got] = await inbox.until(1)
    assert.equal(got?.data, pattern(100))
    port.close()
  })
}

const number = (n: number): Uint8Array => new Uint8Array(new Uint32Array([n]).buffer)
const toNumber = (bytes: Uint8Array): number => new Uint32Array(bytes.slice().buffer)[0] as number

function addresses(test: Test, make: Make): void {
  test('a datagram tells its source, the local address and when it came', async () => {
    const clock = new SystemClock()
    const transport = make()
    const inbox = new Inbox()
    const receiver = await transport.open(local, inbox.receive)
    const sender = await transport.open(local, ignore)
    const before = clock.now()
    sender.send(endpointOf(receiver), pattern(20))
    const [got] = await inbox.until(1)
    const after = clock.now()
    assert.equal(got?.from, endpointOf(sender))
    assert.equal(got?.localAddress, loopback)
    assert.is(got?.scopeId, 0)
    // The two clocks are aligned to a few microseconds.
    const at = got?.receivedAt ?? 0
    assert.ok(at >= before - 100 && at <= after + 100, `${before} ${at} ${after}`)
    sender.close()
    receiver.close()
  })

  test('destinations that cannot be are refused', async () => {
    const port = await make().open(local, ignore)
    const wrong: Endpoint[] = [
      { address: new Uint8Array(4), port: 4000 },
      { address: loopback, port: 0 },
      { address: loopback, port: 65_536 },
      { address: loopback, port: 1.5 },
    ]
    for (const to of wrong) {
      const send = (): void => {
        port.send(to, pattern(4))
      }
      assert.is(codeOfThrown(send), 'ERR_PEERNET_INVALID_ARG')
    }
    assert.is(port.stats().sent, 0)
    port.close()
  })
}

function closing(test: Test, make: Make): void {
  test('a closed port says so, closes again quietly and keeps its last counts', async () => {
    const transport = make()
    const inbox = new Inbox()
    const port = await transport.open(local, inbox.receive)
    port.send(endpointOf(port), pattern(4))
    await inbox.until(1)
    await untilTrue(() => port.stats().sent === 1)
    port.close()
    port.close()
    assert.is(port.closed, true)
    const group = Uint8Array.from([0xff, 2, ...new Uint8Array(13), 0x0c])
    for (const use of [
      () => {
        port.send(endpointOf(port), pattern(4))
      },
      () => {
        port.joinGroup(group, 0)
      },
      () => {
        port.leaveGroup(group, 0)
      },
      () => {
        port.setMulticast({ hops: 1, loop: true })
      },
    ]) {
      assert.is(codeOfThrown(use), 'ERR_PEERNET_CLOSED')
    }
    port.ref()
    port.unref()
    assert.equal({ ...port.stats(), waiting: 0 }, { ...port.stats() })
    assert.is(port.stats().received, 1)
    assert.is(port.stats().sent, 1)
  })

  test('what was queued before close still leaves, and the port number is free at once', async () => {
    const transport = make()
    const inbox = new Inbox()
    const receiver = await transport.open(local, inbox.receive)
    // Another process may take the number in between: then try with another one.
    for (let attempt = 0; ; attempt++) {
      const sender = await transport.open(local, ignore)
      const { port } = sender
      sender.send(endpointOf(receiver), number(attempt))
      sender.close()
      const again = transport.open({ address: loopback, port }, ignore)
      const code = await codeOf(again)
      if (code === 'none') {
        ;(await again).close()
        break
      }
      assert.is(code, 'ERR_PEERNET_PORT_IN_USE')
      assert.ok(attempt < 10)
    }
    await inbox.until(1)
    receiver.close()
  })

  test('a port that closes itself while receiving gets nothing more', async () => {
    const transport = make()
    let batches = 0
    const port: DatagramPort = await transport.open(local, () => {
      batches++
      port.close()
    })
    const sender = await transport.open(local, ignore)
    for (let i = 0; i < 100; i++) sender.send(endpointOf(port), number(i))
    await untilTrue(() => port.closed)
    await turns(5)
    assert.is(batches, 1)
    sender.close()
  })

  test('a port closed by another one while both have datagrams gets nothing more', async () => {
    const transport = make()
    let calls = 0
    const ports: DatagramPort[] = []
    const closeOthers: DatagramReceiver = () => {
      calls++
      for (const port of ports) port.close()
    }
    ports.push(await transport.open(local, closeOthers))
    ports.push(await transport.open(local, closeOthers))
    const sender = await transport.open(local, ignore)
    for (const port of ports) sender.send(endpointOf(port), number(1))
    await untilTrue(() => calls > 0)
    await turns(5)
    assert.is(calls, 1)
    sender.close()
  })

  test('ports opened while receiving take over nothing of those closed there', async () => {
    const transport = make()
    const late = new Inbox()
    const first: DatagramPort = await transport.open(local, () => {
      second.close()
      void transport.open(local, late.receive).then((port) => opened.push(port))
    })
    const opened: DatagramPort[] = []
    const second = await transport.open(local, ignore)
    const sender = await transport.open(local, ignore)
    for (const port of [first, second]) sender.send(endpointOf(port), number(7))
    await untilTrue(() => opened.length > 0)
    await turns(5)
    assert.is(late.length, 0)
    sender.send(endpointOf(opened[0] as DatagramPort), number(8))
    const [got] = await late.until(1)
    assert.equal(got?.data, number(8))
    for (const port of [first, sender, ...opened]) port.close()
  })
}

function load(test: Test, make: Make): void {
  test('10,000 datagrams under back-pressure all arrive', async () => {
    const transport = make()
    const total = 10_000
    const window = 64
    let received = 0
    let sent = 0
    let sum = 0
    let finish: (() => void) | undefined
    const receiver = await transport.open(local, (batch) => {
      for (let i = 0; i < batch.count; i++) sum += toNumber(batch.payload(i))
      received += batch.count
      refill()
      if (received === total) finish?.()
    })
    const sender = await transport.open(local, ignore)
    const to = endpointOf(receiver)
    const refill = (): void => {
      while (sent < total && sent - received < window) sender.send(to, number(sent++))
    }
    refill()
    await new Promise<void>((resolve) => (finish = resolve))
    assert.is(sum, (total * (total - 1)) / 2)
    await untilTrue(() => sender.stats().sent === total)
    sender.close()
    receiver.close()
  })

  test('10,000 datagrams at once: what is lost is lost in the kernel, the order stays', async () => {
    const transport = make()
    const seen: number[] = []
    const receiver = await transport.open(local, (batch) => {
      for (let i = 0; i < batch.count; i++) seen.push(toNumber(batch.payload(i)))
    })
    const sender = await transport.open(local, ignore)
    for (let i = 0; i < 10_000; i++) sender.send(endpointOf(receiver), number(i))
    const accounted = (): number => {
      const stats = sender.stats()
      return stats.sent + stats.sendErrors + stats.sendDropped
    }
    await untilTrue(() => accounted() === 10_000)
    // The buffer may be full still: repeat until one gets through.
    for (let marker = 1_000_000; (seen.at(-1) ?? 0) < 1_000_000; marker++) {
      sender.send(endpointOf(receiver), number(marker))
      await turns(1)
    }
    assert.ok(seen.length > 64)
    for (let i = 1; i < seen.length; i++) assert.ok((seen[i] as number) > (seen[i - 1] as number))
    sender.close()
    receiver.close()
  })

  test('timers get their turn while datagrams never end', async () => {
    const transport = make()
    let count = 0
    let over = false
    const port: DatagramPort = await transport.open(local, (batch) => {
      count += batch.count
      for (let i = 0; i < batch.count && !over; i++) port.send(endpointOf(port), pattern(8))
    })
    for (let i = 0; i < 60; i++) port.send(endpointOf(port), pattern(8))
    await new Promise((resolve) => setTimeout(resolve, 20))
    const then = count
    await untilTrue(() => count > then + 200) // it is still going on
    over = true
    port.close()
  })

  test('300 ports in one process each get their own, and give back what they took', async () => {
    const transport = make()
    const warm = await transport.open(local, ignore)
    const before = descriptors()
    const inboxes = Array.from({ length: 300 }, () => new Inbox())
    const ports: DatagramPort[] = []
    for (const inbox of inboxes) ports.push(await transport.open(local, inbox.receive))
    for (const [i, port] of ports.entries()) {
      const next = ports[(i + 1) % ports.length] as DatagramPort
      port.send(endpointOf(next), number(i))
    }
    for (const [i, inbox] of inboxes.entries()) {
      const [got] = await inbox.until(1)
      const previous = (i + ports.length - 1) % ports.length
      assert.is(toNumber(got?.data as Uint8Array), previous)
      assert.is(got?.from.port, ports[previous]?.port)
    }
    for (const port of ports) port.close()
    await turns(3)
    assert.ok(inboxes.every((inbox) => inbox.length === 1))
    // Fewer, when an earlier test's transport was collected meanwhile.
    assert.ok(descriptors() <= before, `${before} descriptors became ${descriptors()}`)
    warm.close()
  })

  test('opening and closing 2,000 times leaves no descriptor behind', async () => {
    const transport = make()
    const warm = await transport.open(local, ignore)
    const before = descriptors()
    for (let i = 0; i < 2000; i++) {
      const port = await transport.open(local, ignore)
      if (i % 3 === 0) port.send(endpointOf(warm), number(i))
      port.close()
    }
    await turns(3)
    // Fewer, when an earlier test's transport was collected meanwhile.
    assert.ok(descriptors() <= before, `${before} descriptors became ${descriptors()}`)
    warm.close()
  })
}

function callbacks(test: Test, make: Make): void {
  test('answers sent while receiving leave by themselves', async () => {
    const transport = make()
    const inbox = new Inbox()
    const echo: DatagramPort = await transport.open(local, (batch: DatagramBatch) => {
      for (let i = 0; i < batch.count; i++) echo.send(batch.from(i), batch.payload(i))
    })
    const asker = await transport.open(local, inbox.receive)
    for (let i = 0; i < 20; i++) asker.send(endpointOf(echo), number(i))
    const got = await inbox.until(20)
    assert.equal(
      got.map(({ data }) => toNumber(data)),
      Array.from({ length: 20 }, (_, i) => i),
    )
    echo.close()
    asker.close()
  })

  test('flush sends at once what the turn has queued', async () => {
    const transport = make()
    const inbox = new Inbox()
    const port = await transport.open(local, inbox.receive)
    port.send(endpointOf(port), pattern(4))
    transport.flush()
    transport.flush()
    assert.equal((await inbox.until(1))[0]?.data, pattern(4))
    port.close()
  })

  test('a receiver that throws is reported and costs the others nothing', async () => {
    const transport = make()
    const inbox = new Inbox()
    const bad = await transport.open(local, () => {
      throw new Error('of the receiver')
    })
    const good = await transport.open(local, inbox.receive)
    const reported = new Promise<Error>((resolve) => {
      process.once('uncaughtException', resolve)
    })
    for (const port of [bad, good]) good.send(endpointOf(port), pattern(4))
    assert.is((await reported).message, 'of the receiver')
    await inbox.until(1)
    good.send(endpointOf(good), pattern(5))
    await inbox.until(2)
    bad.close()
    good.close()
  })
}
