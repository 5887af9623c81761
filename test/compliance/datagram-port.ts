// What every DatagramTransport must do, first part: opening, payloads, addresses. The second part
// is datagram-life.ts; *.test.ts runs both for each transport. What needs a network of its own is
// in namespace-checks.ts.
import * as assert from 'uvu/assert'
import type { Endpoint } from '#lib/core/endpoint.js'
import { LIMITS } from '#lib/core/limits.js'
import type { DatagramPortOptions } from '#lib/io/datagram-port.js'
import { SystemClock } from '#lib/io/system-clock.js'
import type { Test } from '../harness.js'
import { Inbox, loopback, pattern, untilTrue } from '../helpers/inbox.js'
import * as support from './support.js'

const { codeOf, codeOfThrown, endpointOf, ignore, local, number, toNumber } = support

export function datagramPortTests(test: Test, make: support.Make): void {
  opening(test, make)
  sizesAndOrder(test, make)
  addresses(test, make)
}

function opening(test: Test, make: support.Make): void {
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
}

function sizesAndOrder(test: Test, make: support.Make): void {
  test('each payload from 0 to 2048 bytes travels whole in a datagram of its own', async () => {
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
    await support.withForeigner(async (socket) => {
      await support.sendRaw(socket, pattern(2048), receiver.port)
      await support.sendRaw(socket, pattern(2049), receiver.port)
      await support.sendRaw(socket, pattern(60_000), receiver.port)
      await support.sendRaw(socket, pattern(7), receiver.port)
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

function addresses(test: Test, make: support.Make): void {
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
