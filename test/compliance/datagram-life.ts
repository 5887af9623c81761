// What every DatagramTransport must do, second part: closing, load, callbacks.
import * as assert from 'uvu/assert'
import type { DatagramBatch, DatagramPort, DatagramReceiver } from '#lib/io/datagram-port.js'
import type { Test } from '../harness.js'
import { Inbox, loopback, pattern, turns, untilTrue } from '../helpers/inbox.js'
import * as support from './support.js'

const { codeOf, codeOfThrown, descriptors, endpointOf, ignore, local, number, toNumber } = support

export function datagramLifeTests(test: Test, make: support.Make): void {
  closing(test, make)
  load(test, make)
  callbacks(test, make)
}

function closing(test: Test, make: support.Make): void {
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

function load(test: Test, make: support.Make): void {
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
    // More than two batches of the addon: one of them is always full.
    for (let i = 0; i < 150; i++) port.send(endpointOf(port), pattern(8))
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

function callbacks(test: Test, make: support.Make): void {
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
