import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import * as assert from 'uvu/assert'
import { parseAddress } from '#lib/core/address-text.js'
import type { Endpoint } from '#lib/core/endpoint.js'
import { LIMITS } from '#lib/core/limits.js'
import type { CloudEvent } from '#lib/pnrp/interface.js'
import { suite } from '../../harness.js'
import { ack, PumpHarness, type TestNode } from '../../support/pump-harness.js'

const addressOf = (text: string): Uint8Array => parseAddress(text)?.address as Uint8Array
const one = addressOf('2001:db8::1')
const peer: Endpoint = { address: addressOf('2001:db8::99'), port: 4000 }
const job = { kind: 'verify', id: 1, items: [] } as const
const repair = { type: 'repair' } as const
const stateEvent: CloudEvent = { type: 'state', state: 'active', reason: 'test' }
const kinds = (node: TestNode): string[] => node.machine.localEvents.map(({ type }) => type)

const turnTest = suite('turns')

turnTest('a command is followed by transmits, effects and events, in this order', async () => {
  const order: string[] = []
  const harness = new PumpHarness()
  const { node, machine } = harness.add({
    onEffect: (effect) => order.push(effect.type),
    onEvent: (event) => order.push(event.type),
    onDatagram: ({ direction, reason }) => order.push(`${direction} ${reason}`),
  })
  await harness.listen(node, one)
  machine.events.push(stateEvent)
  machine.effects.push({ type: 'lookup-seeds' })
  machine.transmits.push({ to: peer, data: ack(1), reason: 'answer' })
  machine.transmits.push({ to: peer, data: ack(2), reason: 'flood' })
  node.command(repair)
  assert.equal(order, ['out answer', 'out flood', 'lookup-seeds', 'state'])
  assert.equal(machine.commands, [repair])
})

turnTest('a listener may give commands: they are carried out in the same turn, not nested', () => {
  const harness = new PumpHarness()
  const { node, machine } = harness.add({
    onEvent: () => {
      machine.log.push('event begins')
      if (machine.commands.length < 3) {
        machine.events.push(stateEvent)
        node.command(repair)
      }
      machine.log.push('event ends')
    },
  })
  machine.events.push(stateEvent)
  node.command(repair)
  assert.equal(machine.log, [
    ...['command repair', 'event begins', 'command repair', 'event ends'],
    ...['event begins', 'command repair', 'event ends', 'event begins', 'event ends'],
  ])
})

turnTest('a node with endless work gives way to others and goes on later', async () => {
  const harness = new PumpHarness()
  const busy = harness.add()
  const other = harness.add()
  const port = await harness.listen(other.node, one)
  let left = 2500
  busy.machine.pollEvent = () => (left-- > 0 ? stateEvent : undefined)
  busy.node.command(repair)
  assert.is(busy.events.length, LIMITS.outputsPerTurn)
  port.receive({ from: peer, data: ack(1) })
  assert.is(other.machine.messages.length, 1)
  harness.scheduler.turn()
  assert.is(busy.events.length, 2 * LIMITS.outputsPerTurn)
  while (harness.scheduler.turn());
  assert.is(busy.events.length, 2500)
})

turnTest('a closed node is not called any more and refuses commands', async () => {
  const harness = new PumpHarness()
  const { node, machine, events } = harness.add()
  const port = await harness.listen(node, one)
  machine.deadline = harness.clock.at + 5_000_000
  node.command(repair)
  machine.events.push(stateEvent, stateEvent)
  const closeAtEvent = harness.add({
    onEvent: () => {
      closeAtEvent.node.close()
    },
  })
  closeAtEvent.machine.events.push(stateEvent, stateEvent)
  closeAtEvent.node.command(repair)
  assert.is(closeAtEvent.machine.events.length, 1, 'nothing is polled after close')
  node.close()
  node.close()
  assert.is(port.closed, true)
  assert.is(harness.pump.size, 0)
  assert.is(harness.scheduler.timers.size, 0)
  port.receive({ from: peer, data: ack(1) })
  node.localEvent({ type: 'malformed', reason: 'test' })
  assert.is(machine.messages.length, 0)
  assert.is(events.length, 0)
  assert.throws(
    () => {
      node.command(repair)
    },
    (error: { code: string }) => error.code === 'ERR_PEERNET_CLOSED',
  )
})

turnTest('a node closed while its port opens leaves no port behind', async () => {
  const harness = new PumpHarness()
  const { node } = harness.add()
  const opening = harness.listen(node, one)
  node.close()
  const error: unknown = await opening.catch((reason: unknown) => reason)
  assert.is((error as { code: string }).code, 'ERR_PEERNET_CLOSED')
  assert.is(node.ports.length, 0)
})

turnTest.run()

const timeTest = suite('time')

timeTest('one OS timer serves all nodes, each at its deadline', () => {
  const harness = new PumpHarness()
  const start = harness.clock.at
  const nodes = Array.from({ length: 100 }, () => harness.add())
  for (const [i, { node, machine }] of nodes.entries()) {
    machine.deadline = start + (100 - i) * 10_000
    node.command(repair)
    assert.ok(harness.scheduler.timers.size <= 1)
  }
  harness.scheduler.runUntil(start + 2_000_000)
  for (const [i, { machine }] of nodes.entries()) {
    const due = start + (100 - i) * 10_000
    assert.is(machine.timeouts.length, 1)
    const lateness = (machine.timeouts[0] as number) - due
    assert.ok(lateness >= 0 && lateness <= 1000, `late by ${lateness} µs`)
  }
  assert.is(harness.scheduler.timers.size, 0)
})

timeTest('deadlines that move are met where they are at last, and none is met early', () => {
  const harness = new PumpHarness()
  const start = harness.clock.at
  const { node, machine } = harness.add()
  for (const after of [50_000, 20_000, 90_500]) {
    machine.deadline = start + after
    node.command(repair)
  }
  harness.scheduler.runUntil(start + 90_000)
  assert.equal(machine.timeouts, [])
  harness.scheduler.runUntil(start + 200_000)
  assert.equal(machine.timeouts.length, 1)
  assert.ok((machine.timeouts[0] as number) >= start + 90_500)
})

timeTest('sockets have their turn between the OS timer and the timeouts', async () => {
  const harness = new PumpHarness()
  const { node, machine } = harness.add()
  const port = await harness.listen(node, one)
  machine.deadline = harness.clock.at + 10_000
  node.command(repair)
  const [timer] = harness.scheduler.timers
  harness.clock.advance(10_000)
  harness.scheduler.timers.clear()
  timer?.run()
  assert.equal(machine.timeouts, [], 'not yet')
  // The answer that makes the timeout unnecessary.
  machine.onMessage = () => {
    machine.deadline = Number.POSITIVE_INFINITY
  }
  port.receive({ from: peer, data: ack(1) })
  while (harness.scheduler.turn());
  assert.equal(machine.timeouts, [])
})

timeTest('many due nodes are served in several turns', () => {
  const harness = new PumpHarness()
  const nodes = Array.from({ length: 600 }, () => harness.add())
  for (const { node, machine } of nodes) {
    machine.deadline = harness.clock.at + 1000
    node.command(repair)
  }
  harness.clock.advance(5000)
  const [timer] = harness.scheduler.timers
  harness.scheduler.timers.clear()
  timer?.run()
  const served = (): number => nodes.filter(({ machine }) => machine.timeouts.length > 0).length
  harness.scheduler.turn()
  assert.is(served(), LIMITS.timeoutsPerTurn)
  while (harness.scheduler.turn());
  assert.is(served(), 600)
})

timeTest('machines learn the wall clock, and when somebody sets it', () => {
  const harness = new PumpHarness()
  const { node, machine } = harness.add()
  const offset = harness.clock.wall - harness.clock.at / 1000
  assert.equal(machine.localEvents, [{ type: 'wall-clock', offsetMs: offset }])
  const waitOneTurn = (): void => {
    machine.deadline = harness.clock.at + 10_000
    node.command(repair)
    harness.scheduler.runUntil(harness.clock.at + 20_000)
  }
  harness.clock.wall += LIMITS.wallClockStepMs - 1
  waitOneTurn()
  assert.is(machine.localEvents.length, 1)
  harness.clock.wall += 3_600_000
  waitOneTurn()
  const last = machine.localEvents.at(-1)
  assert.ok(last?.type === 'wall-clock')
  assert.ok(Math.abs(last.offsetMs - (offset + 3_600_000 + LIMITS.wallClockStepMs - 1)) < 1e-3)
})

timeTest.run()

const failureTest = suite('failures')

failureTest(
  'a machine that throws is published, counted and costs the others nothing',
  async () => {
    const harness = new PumpHarness()
    const bad = harness.add()
    const good = harness.add()
    const badPort = await harness.listen(bad.node, one)
    const goodPort = await harness.listen(good.node, one, 3541)
    const published: unknown[] = []
    const listen = (message: unknown): void => {
      published.push((message as { error: unknown }).error)
    }
    bad.machine.onMessage = () => {
      throw new Error('bug')
    }
    subscribe('peernet:machine-failure', listen)
    badPort.receive({ from: peer, data: ack(1) }, { from: peer, data: ack(2) })
    unsubscribe('peernet:machine-failure', listen)
    goodPort.receive({ from: peer, data: ack(3) })
    assert.equal(
      published.map((error) => (error as Error).message),
      ['bug', 'bug'],
    )
    assert.is(bad.node.counters.get('machine-failed'), 2)
    assert.is(good.machine.messages.length, 1)
  },
)

failureTest('without a subscriber the first failure becomes a warning', async () => {
  const harness = new PumpHarness()
  const { node, machine } = harness.add()
  const port = await harness.listen(node, one)
  machine.onMessage = () => {
    throw new Error('bug to report')
  }
  const warnings: Error[] = []
  const collect = (warning: Error): void => {
    warnings.push(warning)
  }
  process.on('warning', collect)
  port.receive({ from: peer, data: ack(1) }, { from: peer, data: ack(2) })
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', collect)
  assert.is(warnings.length, 1)
  assert.match(warnings[0]?.message ?? '', /bug to report/)
})

failureTest('a timeout that always throws does not become a busy loop', () => {
  const harness = new PumpHarness()
  const { node, machine } = harness.add()
  const due = harness.clock.at + 1000
  machine.deadline = due
  machine.onTimeout = () => {
    machine.deadline = due
    throw new Error('bug')
  }
  const ignore = (): void => undefined
  subscribe('peernet:machine-failure', ignore)
  node.command(repair)
  harness.scheduler.runUntil(harness.clock.at + 10_000_000)
  unsubscribe('peernet:machine-failure', ignore)
  assert.ok(machine.timeouts.length >= 9 && machine.timeouts.length <= 11)
})

failureTest('a listener that throws is the application’s: raised outside, the rest goes on', () => {
  const harness = new PumpHarness()
  let seen = 0
  const { node, machine } = harness.add({
    onEvent: () => {
      seen++
      throw new Error('of the listener')
    },
    onEffect: () => {
      throw new Error('of the host')
    },
  })
  machine.effects.push({ type: 'lookup-seeds' })
  machine.events.push(stateEvent, stateEvent)
  node.command(repair)
  assert.is(seen, 2)
  assert.equal(
    harness.scheduler.raised.map((error) => (error as Error).message),
    ['of the host', 'of the listener', 'of the listener'],
  )
})

failureTest.run()

const cryptoTest = suite('crypto')

cryptoTest('an idle port answers at once, and the clock is read again afterwards', async () => {
  const harness = new PumpHarness()
  const node = harness.add()
  const port = await harness.listen(node.node, one)
  node.machine.onMessage = () => {
    node.machine.effects.push({ type: 'crypto', job })
    harness.clock.advance(185)
  }
  const start = harness.clock.at
  port.receive({ from: peer, data: ack(1) }, { from: peer, data: ack(2) })
  assert.equal(kinds(node), ['wall-clock', 'crypto', 'crypto'])
  assert.equal(
    node.machine.messages.map(({ now }) => now - start),
    [0, 185],
  )
})

cryptoTest('a busy port answers later, in the order of the jobs', () => {
  const harness = new PumpHarness()
  harness.crypto.idle = false
  const node = harness.add()
  node.machine.effects.push({ type: 'crypto', job }, { type: 'crypto', job: { ...job, id: 2 } })
  node.node.command(repair)
  assert.is(harness.crypto.backlog, 2)
  assert.equal(kinds(node), ['wall-clock'])
  while (harness.crypto.finishOne());
  const results = node.machine.localEvents.flatMap((event) =>
    event.type === 'crypto' ? [event.result.id] : [],
  )
  assert.equal(results, [1, 2])
})

cryptoTest('results for a closed node are dropped', () => {
  const harness = new PumpHarness()
  harness.crypto.idle = false
  const node = harness.add()
  node.machine.effects.push({ type: 'crypto', job })
  node.node.command(repair)
  node.node.close()
  while (harness.crypto.finishOne());
  assert.equal(kinds(node), ['wall-clock'])
})

cryptoTest('every node hears of the load of the signing queue, in steps', () => {
  const harness = new PumpHarness()
  harness.crypto.idle = false
  const worker = harness.add()
  const other = harness.add()
  const loads = (node: TestNode): number[] =>
    node.machine.localEvents.flatMap((event) => (event.type === 'signing-load' ? [event.load] : []))
  for (let id = 1; id <= LIMITS.cryptoBacklog + 5; id++) {
    worker.machine.effects.push({ type: 'crypto', job: { ...job, id } })
  }
  worker.node.command(repair)
  assert.equal(loads(other), [0.25, 0.5, 0.75, 1])
  assert.equal(loads(worker), [0.25, 0.5, 0.75, 1])
  const late = harness.add()
  assert.equal(loads(late), [1])
  while (harness.crypto.finishOne());
  assert.equal(loads(other), [0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0])
  assert.equal(loads(late).at(-1), 0)
})

cryptoTest.run()
