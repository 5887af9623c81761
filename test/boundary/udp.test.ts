// test-limit: 120s
// The UDP hub at the boundary between C and JavaScript: garbage, ends of processes at each stage of
// life, worker threads, misuse.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import * as assert from 'uvu/assert'
import { NativeTransport } from '#lib/io/udp-native.js'
import { addon } from '#lib/native/addon.js'
import { UdpHub } from '#lib/native/udp.js'
import { suite } from '../harness.js'
import { Inbox, loopback, pattern, turns, untilTrue } from '../helpers/inbox.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const kinds = ['native', 'portable'] as const
const local = { address: loopback, port: 0 }
const ignore = (): void => undefined

const openOptions = {
  ...{ address: loopback, port: 0, scopeId: 0, reuseAddress: false },
  ...{ receiveBufferBytes: 0, sendBufferBytes: 0 },
}

const descriptors = (): number =>
  process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0

/** Collects until a condition holds; the test's time limit bounds it. */
async function untilCollected(condition: () => boolean): Promise<void> {
  do {
    // In a turn of its own: looking at a WeakRef keeps its target until the turn ends.
    await turns(2)
    collect()
    await turns(2)
  } while (!condition())
}

const garbageTest = suite('gc')

for (const kind of kinds) {
  garbageTest(
    `${kind}: a transport without open ports is collected, its descriptor closed`,
    async () => {
      const before = descriptors()
      const references: WeakRef<NativeTransport>[] = []
      const use = async (): Promise<void> => {
        for (let i = 0; i < 5; i++) {
          const transport = new NativeTransport(kind)
          const port = await transport.open(local, ignore)
          port.close()
          references.push(new WeakRef(transport))
        }
      }
      await use()
      await untilCollected(() => references.every((reference) => reference.deref() === undefined))
      await untilTrue(() => descriptors() <= before)
    },
  )

  garbageTest(`${kind}: a transport with an open port lives, though nobody holds it`, async () => {
    const inbox = new Inbox()
    const open = async (): Promise<number> => {
      const port = await new NativeTransport(kind).open(local, (batch) => {
        inbox.receive(batch)
        port.close()
      })
      return port.port
    }
    const port = await open()
    const sender = await new NativeTransport(kind).open(local, ignore)
    for (let i = 0; i < 5; i++) {
      collect()
      await turns(2)
    }
    sender.send({ address: loopback, port }, pattern(12))
    await inbox.until(1)
    sender.close()
  })

  garbageTest(`${kind}: garbage made while receiving does not disturb the batch`, async () => {
    const transport = new NativeTransport(kind)
    const sums: number[] = []
    const port = await transport.open(local, (batch) => {
      for (let i = 0; i < batch.count; i++) {
        const view = batch.payload(i)
        collect()
        sums.push(view.reduce((sum, byte) => sum + byte, 0))
      }
    })
    const bytes = pattern(1000)
    for (let i = 0; i < 20; i++) port.send({ address: loopback, port: port.port }, bytes)
    await untilTrue(() => sums.length === 20)
    const expected = bytes.reduce((sum, byte) => sum + byte, 0)
    assert.ok(sums.every((sum) => sum === expected))
    port.close()
  })
}

garbageTest.run()

const exitTest = suite('process end')
const script = fileURLToPath(new URL('udp-stages.js', import.meta.url))

/** Stage → how it ends, where that is not status 0. */
const STAGES: Record<string, number | string> = {
  'addon loaded': 0,
  'hub without sockets': 0,
  'socket closed': 0,
  'unreferenced socket open': 0,
  'open failed': 0,
  'process.exit with an open socket': 0,
  'process.exit with datagrams on their way': 0,
  'process.exit while receiving': 0,
  'process.exit with staged datagrams': 0,
  'exception while receiving': 1,
  'exit code of an exit listener': 7,
  'natural end after traffic': 0,
  'collected with the process': 0,
  SIGTERM: 'SIGTERM',
  'a referenced port keeps the process alive': 0,
}

for (const kind of kinds) {
  exitTest(`${kind}: every stage of life ends as it should`, () => {
    for (const [stage, expected] of Object.entries(STAGES)) {
      const result = spawnSync(process.execPath, ['--expose-gc', script, kind, stage], {
        encoding: 'utf8',
        timeout: 20_000,
      })
      assert.is(result.signal ?? result.status, expected, `${stage}: ${result.stderr}`)
      if (expected === 1) assert.match(result.stderr, 'on purpose')
      else assert.is(result.stderr, '', stage)
    }
  })
}

exitTest.run()

const workerTest = suite('worker threads')
const workerFile = new URL('udp-worker.js', import.meta.url)

for (const kind of kinds) {
  workerTest(`${kind}: workers have hubs of their own and end by themselves`, async () => {
    const before = descriptors()
    const all = Array.from(
      { length: 3 },
      () => new Worker(workerFile, { workerData: { kind, endAfter: 500 } }),
    )
    const codes = await Promise.all(
      all.map(async (worker) => (await once(worker, 'exit'))[0] as number),
    )
    assert.equal(codes, [0, 0, 0])
    await untilTrue(() => descriptors() <= before)
  })

  workerTest(
    `${kind}: a worker that is terminated under load takes its sockets along`,
    async () => {
      const inbox = new Inbox()
      const mine = await new NativeTransport(kind).open(local, inbox.receive)
      const before = descriptors()
      for (let i = 0; i < 3; i++) {
        const worker = new Worker(workerFile, { workerData: { kind, endAfter: Infinity } })
        const [ports] = (await once(worker, 'message')) as [number[]]
        assert.is(ports.length, 3)
        assert.is(await worker.terminate(), 1)
      }
      await untilTrue(() => descriptors() <= before)
      mine.send({ address: loopback, port: mine.port }, pattern(3))
      await inbox.until(1)
      mine.close()
    },
  )
}

workerTest.run()

const misuseTest = suite('misuse')

const codeOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    return (error as { code: string }).code
  }
  return 'none'
}

misuseTest('the addon refuses what is no hub, and arguments of wrong types', () => {
  const { hub } = addon.udpCreate(1, ignore)
  const strangers: unknown[] = [{}, [], 1, 'hub', null, undefined, ignore, new Uint8Array(8)]
  for (const stranger of strangers) {
    const wrong = stranger as object
    assert.is(
      codeOf(() => addon.udpOpen(wrong, loopback, 0, 0, false, 0, 0)),
      'ERR_PEERNET_INVALID_ARG',
    )
    assert.is(
      codeOf(() => addon.udpClose(wrong, 0)),
      'ERR_PEERNET_INVALID_ARG',
    )
    assert.is(
      codeOf(() => {
        addon.udpFlush(wrong)
      }),
      'ERR_PEERNET_INVALID_ARG',
    )
    assert.is(
      codeOf(() => {
        addon.udpDestroy(wrong)
      }),
      'ERR_PEERNET_INVALID_ARG',
    )
    assert.is(
      codeOf(() => addon.udpCreate(0, stranger === ignore ? (1 as never) : (stranger as never))),
      'ERR_PEERNET_INVALID_ARG',
    )
    assert.is(
      codeOf(() => addon.udpOpen(hub, stranger as never, 0, 0, false, 0, 0)),
      'ERR_PEERNET_INVALID_ARG',
    )
  }
  assert.is(
    codeOf(() => addon.udpCreate(7, ignore)),
    'ERR_PEERNET_INVALID_ARG',
  )
  assert.is(
    codeOf(() => addon.udpOpen(hub, loopback, 70_000, 0, false, 0, 0)),
    'ERR_PEERNET_INVALID_ARG',
  )
  assert.is(
    codeOf(() => addon.udpStats(hub, 0, new Float64Array(7))),
    'ERR_PEERNET_INVALID_ARG',
  )
  assert.is(
    codeOf(() => addon.udpStats(hub, 0, {} as never)),
    'ERR_PEERNET_INVALID_ARG',
  )
  assert.is(
    codeOf(() => addon.udpMembership(hub, 0, true, new Uint8Array(15), 0)),
    'ERR_PEERNET_INVALID_ARG',
  )
  addon.udpDestroy(hub)
})

misuseTest('handles of closed sockets stay dead when their place is taken again', () => {
  const hub = new UdpHub('portable', ignore)
  const first = hub.open(openOptions)
  assert.is(hub.close(first), true)
  assert.is(hub.close(first), false)
  const second = hub.open(openOptions)
  assert.is.not(second, first)
  assert.is(hub.stats(first), undefined)
  assert.ok(hub.port(first) < 0)
  assert.ok(hub.join(first, loopback, 0) < 0)
  assert.ok(hub.port(second) > 0)
  for (const nonsense of [-1, 1, 0xffff, 0x7fff_ffff, -0x8000_0000]) {
    assert.is(hub.close(nonsense), false)
    assert.is(hub.stats(nonsense), undefined)
  }
  hub.destroy()
})

misuseTest('a destroyed hub opens nothing and is destroyed again quietly', () => {
  for (const kind of ['fast', 'portable'] as const) {
    const hub = new UdpHub(kind, ignore)
    const socket = hub.open(openOptions)
    hub.destroy()
    hub.destroy()
    assert.ok(hub.open(openOptions) < 0)
    assert.ok(hub.port(socket) < 0)
    hub.stage(socket, loopback, 4000, 0, pattern(4))
    hub.flush()
  }
})

misuseTest('a hub may be destroyed while it delivers', async () => {
  for (const kind of ['fast', 'portable'] as const) {
    let calls = 0
    const hub = new UdpHub(kind, () => {
      calls++
      hub.destroy()
    })
    const sockets = [hub.open(openOptions), hub.open(openOptions)]
    for (const socket of sockets) {
      for (let i = 0; i < 60; i++) {
        hub.stage(socket, loopback, hub.port(sockets[i % 2] as number), 0, pattern(4))
      }
    }
    hub.flush()
    await untilTrue(() => calls > 0)
    await turns(5)
    assert.is(calls, 1)
  }
})

misuseTest('rows that are no good are left out, whatever they say', async () => {
  for (const kind of ['fast', 'portable'] as const) {
    const seen: number[] = []
    const hub = new UdpHub(kind, (count) => {
      for (let i = 0; i < count; i++) seen.push(hub.lengthOf(i))
    })
    const socket = hub.open(openOptions)
    const ints = new Int32Array(hub.block.buffer)
    const table = addon.udpLayout.txTable / 4
    const row = (at: number, values: readonly number[]): void => {
      ints.set(values, table + at * 12)
      hub.block.set(loopback, (table + at * 12 + 4) * 4)
    }
    const port = hub.port(socket)
    const area = addon.udpLayout.txArea
    const bad = [
      [socket, 0, 10, port], // before the area
      [socket, area, -1, port],
      [socket, area, 2049, port],
      [socket, addon.udpLayout.bytes - 5, 10, port], // across the end
      [socket, 0x7fff_fff0, 10, port],
      [socket, area, 10, 0],
      [socket, area, 10, 65_536],
      [999, area, 10, port], // nobody's
    ]
    for (const [i, values] of bad.entries()) row(i, values)
    row(bad.length, [socket, area + 16, 10, port])
    ints[0] = bad.length + 1
    hub.flush()
    await untilTrue(() => seen.length > 0)
    ints[0] = 0x7fff_ffff // more rows than there are
    hub.flush()
    await turns(3)
    ints[0] = -5
    hub.flush()
    assert.is(seen[0], 10)
    hub.destroy()
  }
})

misuseTest('the shared block cannot be taken away by a transfer', () => {
  const hub = new UdpHub('portable', ignore)
  const buffer = hub.block.buffer as ArrayBuffer
  try {
    structuredClone(buffer, { transfer: [buffer] })
  } catch {
    // newer Nodes say so; older ones copy
  }
  assert.is(hub.block.byteLength, addon.udpLayout.bytes)
  hub.destroy()
})

misuseTest.run()
