import * as assert from 'uvu/assert'
import { parseAddress } from '#lib/core/address-text.js'
import type { Endpoint } from '#lib/core/endpoint.js'
import { LIMITS } from '#lib/core/limits.js'
import { NativeTransport } from '#lib/io/udp-native.js'
import { SystemClock } from '#lib/io/system-clock.js'
import { Pump } from '#lib/runtime/pump.js'
import { suite } from '../../harness.js'
import { loopback, untilTrue } from '../../helpers/inbox.js'
import { ack, FakeCrypto, PumpHarness, ScriptedMachine } from '../../support/pump-harness.js'

const addressOf = (text: string): Uint8Array => parseAddress(text)?.address as Uint8Array
const one = addressOf('2001:db8:1::1')
const two = addressOf('2001:db8:2::1')
const link = addressOf('fe80::1')
const peer: Endpoint = { address: addressOf('2001:db8:9::9'), port: 4000 }
const repair = { type: 'repair' } as const

const receivingTest = suite('receiving')

receivingTest('PNRP-3.1.5.2-2 a datagram from source port 1024 or below is dropped', async () => {
  const harness = new PumpHarness()
  const { node, machine } = harness.add()
  const port = await harness.listen(node, one)
  for (const low of [0, 1, 53, 1023, 1024]) {
    port.receive({ from: { ...peer, port: low }, data: ack(low) })
  }
  assert.is(machine.messages.length, 0)
  assert.equal(
    machine.localEvents.slice(1),
    Array.from({ length: 5 }, () => ({ type: 'malformed', reason: 'source-port' })),
  )
  port.receive({ from: { ...peer, port: 1025 }, data: ack(9) })
  assert.equal(
    machine.messages.map(({ message }) => message.messageId),
    [9],
  )
})

receivingTest(
  'PNRP-3.1.5.2-1 PNRP-3.1.5.2-4 what is no PNRP message is dropped by reason',
  async () => {
    const harness = new PumpHarness()
    const { node, machine } = harness.add()
    const port = await harness.listen(node, one)
    const broken = (offset: number, value: number): Uint8Array => {
      const bytes = ack(1)
      bytes[offset] = value
      return bytes
    }
    const cases: [Uint8Array, string][] = [
      [new Uint8Array(0), 'ERR_PEERNET_TRUNCATED'],
      [ack(1).slice(0, 11), 'ERR_PEERNET_TRUNCATED'],
      [broken(4, 0x52), 'ERR_PEERNET_BAD_HEADER'], // Identifier
      [broken(5, 5), 'ERR_PEERNET_BAD_VERSION'], // major version
      [broken(7, 0x0a), 'ERR_PEERNET_UNKNOWN_MESSAGE_TYPE'],
    ]
    for (const [data] of cases) port.receive({ from: peer, data })
    assert.is(machine.messages.length, 0)
    assert.equal(
      machine.localEvents.slice(1),
      cases.map(([, reason]) => ({ type: 'malformed', reason })),
    )
  },
)

receivingTest('a batch has one time, and its order is kept', async () => {
  const harness = new PumpHarness()
  const { node, machine } = harness.add()
  const port = await harness.listen(node, one)
  harness.clock.reads = 0
  port.receive(...[1, 2, 3].map((id) => ({ from: peer, data: ack(id) })))
  assert.is(harness.clock.reads, 1)
  assert.equal(
    machine.messages.map(({ now, message }) => [now, message.messageId]),
    [1, 2, 3].map((id) => [harness.clock.at, id]),
  )
})

receivingTest('whoever watches datagrams may keep them', async () => {
  const harness = new PumpHarness()
  const kept: Uint8Array[] = []
  const { node } = harness.add({ onDatagram: ({ data }) => kept.push(data) })
  const port = await harness.listen(node, one)
  port.receive({ from: peer, data: ack(5) })
  assert.equal(kept, [ack(5)])
})

receivingTest('a node that closes in the middle of a batch gets nothing more', async () => {
  const harness = new PumpHarness()
  const { node, machine } = harness.add()
  const port = await harness.listen(node, one)
  machine.onMessage = () => {
    node.close()
  }
  port.receive(...[1, 2, 3].map((id) => ({ from: peer, data: ack(id) })))
  assert.is(machine.messages.length, 1)
})

receivingTest.run()

const sendingTest = suite('sending')

sendingTest('an answer leaves by the port that the question came in at', async () => {
  const harness = new PumpHarness()
  const { node, machine } = harness.add()
  const first = await harness.listen(node, one)
  const second = await harness.listen(node, two)
  // 2001:db8:1::5 has more in common with the first.
  const near: Endpoint = { address: addressOf('2001:db8:1::5'), port: 4000 }
  second.receive({ from: near, data: ack(1) })
  machine.transmits.push({ to: near, data: ack(2), reason: 'answer' })
  machine.transmits.push({ to: { ...near, port: 4001 }, data: ack(3), reason: 'answer' })
  node.command(repair)
  assert.equal(
    second.sent.map(({ to }) => to.port),
    [4000],
  )
  assert.equal(
    first.sent.map(({ to }) => to.port),
    [4001],
  )
})

sendingTest('what is nobody’s answer leaves by the most similar address', async () => {
  const harness = new PumpHarness()
  const { node, machine } = harness.add()
  const ports = [
    await harness.listen(node, one),
    await harness.listen(node, two),
    await harness.listen(node, link),
  ]
  for (const text of ['2001:db8:2::77', 'fe80::77', '2001:db8:1::77']) {
    machine.transmits.push({
      to: { address: addressOf(text), port: 4000 },
      data: ack(1),
      reason: 'ping',
    })
  }
  node.command(repair)
  assert.equal(
    ports.map((port) => port.sent.map(({ to }) => to.address)),
    [[addressOf('2001:db8:1::77')], [addressOf('2001:db8:2::77')], [addressOf('fe80::77')]],
  )
})

sendingTest('remembered paths are bounded, and end with their port', async () => {
  const harness = new PumpHarness()
  const { node, machine } = harness.add()
  const first = await harness.listen(node, one)
  const second = await harness.listen(node, two)
  const stranger = (i: number): Endpoint => ({
    address: addressOf('2001:db8:1::5'),
    port: 2000 + i,
  })
  for (let i = 0; i <= LIMITS.rememberedPaths; i++) {
    second.receive({ from: stranger(i), data: ack(i) })
  }
  const portOf = (to: Endpoint): number => {
    const before = second.sent.length
    machine.transmits.push({ to, data: ack(1), reason: 'answer' })
    node.command(repair)
    return second.sent.length > before ? 2 : 1
  }
  assert.is(portOf(stranger(0)), 1, 'the oldest is forgotten')
  assert.is(portOf(stranger(1)), 2)
  assert.is(portOf(stranger(LIMITS.rememberedPaths)), 2)
  node.unlisten(second)
  assert.is(second.closed, true)
  assert.is(portOf(stranger(1)), 1)
  assert.equal(node.ports, [first])
})

sendingTest('what cannot be sent is counted', async () => {
  const harness = new PumpHarness()
  const { node, machine } = harness.add()
  machine.transmits.push({ to: peer, data: ack(1), reason: 'ping' })
  node.command(repair)
  assert.is(node.counters.get('send.no-port'), 1)
  await harness.listen(node, one)
  machine.transmits.push({ to: peer, data: new Uint8Array(3000), reason: 'ping' })
  node.command(repair)
  assert.is(node.counters.get('send.ERR_PEERNET_INVALID_ARG'), 1)
})

sendingTest.run()

const socketTest = suite('sockets')

socketTest(
  'PNRP-2.1-1 PNRP-3.1.4.1-8 PNRP-3.1.5.2-3 two nodes of a process talk over the kernel',
  async () => {
    const clock = new SystemClock()
    const pump = new Pump({ clock })
    const transport = new NativeTransport('native')
    const seen: string[] = []
    const add = (name: string): { machine: ScriptedMachine; node: ReturnType<Pump['add']> } => {
      const machine = new ScriptedMachine()
      const node = pump.add({
        machine,
        crypto: new FakeCrypto(),
        onEffect: () => undefined,
        onEvent: () => undefined,
        onDatagram: ({ direction, data }) => seen.push(`${name} ${direction} ${data.length}`),
      })
      return { machine, node }
    }
    const [a, b, c] = [add('a'), add('b'), add('c')]
    const portA = await a.node.listen(transport, { address: loopback, port: 0 })
    const portB = await b.node.listen(transport, { address: loopback, port: 0 })
    await c.node.listen(transport, { address: loopback, port: 0 })
    b.machine.onMessage = (_now, from, message) => {
      b.machine.transmits.push({ to: from, data: ack(message.messageId + 1), reason: 'answer' })
    }
    const before = clock.now()
    a.machine.transmits.push({ to: portB, data: ack(41), reason: 'ping' })
    a.node.command(repair)
    await untilTrue(() => a.machine.messages.length === 1)
    const [answer] = a.machine.messages
    assert.is(answer?.message.messageId, 42)
    assert.equal(answer?.from, { address: loopback, port: portB.port })
    assert.ok((answer?.now ?? 0) >= before && (answer?.now ?? 0) <= clock.now())
    assert.equal(seen, ['a out 20', 'b in 20', 'b out 20', 'a in 20'])
    assert.is(c.machine.messages.length, 0)
    assert.equal([portA.stats().sent, portA.stats().received], [1, 1])
    assert.equal([portB.stats().sent, portB.stats().received], [1, 1])
    for (const { node } of [a, b, c]) node.close()
  },
)

socketTest('timers of real time fire', async () => {
  const pump = new Pump()
  const machine = new ScriptedMachine()
  const node = pump.add({
    machine,
    crypto: new FakeCrypto(),
    onEffect: () => undefined,
    onEvent: () => undefined,
  })
  const due = pump.clock.now() + 15_000
  machine.deadline = due
  node.command(repair)
  // The pump's timer alone does not keep the process alive.
  const alive = setInterval(() => undefined, 1000)
  await new Promise<void>((resolve) => {
    machine.onTimeout = () => {
      resolve()
    }
  })
  clearInterval(alive)
  assert.ok((machine.timeouts[0] as number) >= due)
  node.close()
})

socketTest.run()
