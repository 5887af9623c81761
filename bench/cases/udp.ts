// UDP over ::1: the addon's two paths beside node:dgram, on this machine, in the same run.
//
// Rates are per CPU-second, so that they hold on a busy machine. To measure receiving alone, a
// sender of the same process fills the socket's kernel buffer while nobody reads; only what follows
// is counted. Every system reads the source's address and port, length and first byte of every
// datagram.
import dgram from 'node:dgram'
import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { DatagramBatch, DatagramPort, DatagramTransport } from '#lib/io/datagram-port.js'
import { DgramTransport } from '#lib/io/udp-dgram.js'
import { NativeTransport } from '#lib/io/udp-native.js'
import { UdpHub } from '#lib/native/udp.js'
import { cpuSeconds, median, type BenchCase, type BenchSuite, type TrialOptions } from '../bench.js'

const loopback = new Uint8Array(16)
loopback[15] = 1

const PAYLOAD = new Uint8Array(200).fill(0x51)
/** Fits the default kernel buffer (208 KB; a datagram of 200 bytes counts for 768 or more). */
const FILL = 128
const ROUNDS = 2000
const ROUND_TRIPS = 10_000
const SOCKETS = 64
const IDLE_SOCKETS = 1000

/** How much of each a trial does. */
interface Effort {
  readonly rounds: number
  readonly warmUp: number
  readonly roundTrips: number
  readonly idleSockets: number
}

function effortOf({ quick }: TrialOptions): Effort {
  if (quick) return { rounds: 4, warmUp: 1, roundTrips: 20, idleSockets: 5 }
  return { rounds: ROUNDS, warmUp: 400, roundTrips: ROUND_TRIPS, idleSockets: IDLE_SOCKETS }
}

/** What is read of a datagram; `host` is the last byte or character of the source's address. */
type Reader = (host: number, port: number, length: number, first: number) => void

const ONE = '1'.charCodeAt(0)

function check(host: number, port: number, length: number, first: number): void {
  if ((host !== 1 && host !== ONE) || port === 0 || length !== PAYLOAD.length || first !== 0x51) {
    throw new Error('not what was sent')
  }
}

/** One receiving socket and the way to it. */
interface Receiver {
  readonly port: number
  close(): void
}

const transportOf = (system: string): DatagramTransport =>
  system === 'portable' ? new NativeTransport('portable') : new NativeTransport('native')

function readBatch(batch: DatagramBatch, read: Reader): void {
  for (let i = 0; i < batch.count; i++) {
    const { address, port } = batch.from(i)
    const payload = batch.payload(i)
    read(address[15] as number, port, payload.length, payload[0] as number)
  }
}

/** Rows read where the addon has put them: what a decoder over the shared block does. */
function openInPlace(read: Reader): Receiver {
  const hub = new UdpHub('fast', (count) => {
    const { block } = hub
    for (let i = 0; i < count; i++) {
      const host = block[hub.sourceOffsetOf(i) + 15] as number
      read(host, hub.portOf(i), hub.lengthOf(i), block[hub.offsetOf(i)] as number)
    }
  })
  const handle = hub.open({
    address: loopback,
    port: 0,
    scopeId: 0,
    reuseAddress: false,
    receiveBufferBytes: 0,
    sendBufferBytes: 0,
  })
  return {
    port: hub.port(handle),
    close: () => {
      hub.destroy()
    },
  }
}

function openDgram(read: Reader): Promise<Receiver> {
  const socket = dgram.createSocket('udp6')
  socket.on('message', (bytes, source) => {
    const { address, port } = source
    read(address.charCodeAt(address.length - 1), port, bytes.length, bytes[0] as number)
  })
  return new Promise((resolve) => {
    socket.bind({ address: '::1', port: 0 }, () => {
      resolve({ port: socket.address().port, close: () => socket.close() })
    })
  })
}

async function openReceiver(system: string, read: Reader): Promise<Receiver> {
  if (system === 'native, in place') return openInPlace(read)
  if (system === 'node:dgram') return openDgram(read)
  return transportOf(system).open({ address: loopback, port: 0 }, (batch) => {
    readBatch(batch, read)
  })
}

/** Datagrams per CPU-second of reading `FILL` datagrams from each of `sockets` in turn. */
async function measureReceive(system: string, sockets: number, effort: Effort): Promise<number> {
  let seen = 0
  let wanted = 0
  let finished: (() => void) | undefined
  const read: Reader = (host, port, length, first) => {
    check(host, port, length, first)
    if (++seen === wanted) finished?.()
  }
  const shared = sockets > 1 ? manyReceivers(system, sockets, read) : undefined
  const receivers = shared === undefined ? [await openReceiver(system, read)] : await shared
  // A hub of its own: the receiver's must not be woken by what it sends.
  const sender = new NativeTransport('native')
  const port = await sender.open({ address: loopback, port: 0 }, () => undefined)
  const fill = sockets > 1 ? 2 : FILL
  let cpu = 0
  const rounds = Math.ceil((effort.rounds * FILL) / (fill * sockets))
  for (let round = -effort.warmUp; round < rounds; round++) {
    seen = 0
    wanted = fill * sockets
    const all = new Promise<void>((resolve) => (finished = resolve))
    for (let i = 0; i < fill; i++) {
      for (const receiver of receivers)
        port.send({ address: loopback, port: receiver.port }, PAYLOAD)
    }
    sender.flush()
    const before = cpuSeconds()
    await all
    if (round >= 0) cpu += cpuSeconds() - before
  }
  for (const receiver of receivers) receiver.close()
  port.close()
  return (rounds * fill * sockets) / cpu
}

async function manyReceivers(system: string, count: number, read: Reader): Promise<Receiver[]> {
  if (system === 'node:dgram') {
    return Promise.all(Array.from({ length: count }, () => openDgram(read)))
  }
  const transport = transportOf(system)
  return Promise.all(
    Array.from({ length: count }, () =>
      transport.open({ address: loopback, port: 0 }, (batch) => {
        readBatch(batch, read)
      }),
    ),
  )
}

/** Datagrams per CPU-second of sending, to a socket that never reads. */
async function measureSend(system: string, effort: Effort): Promise<number> {
  const sink = await openDgram(() => undefined)
  const total = FILL * effort.rounds
  const cpu =
    system === 'node:dgram'
      ? await sendDgram(sink.port, effort)
      : await sendNative(system, sink.port, effort)
  sink.close()
  return total / cpu
}

async function sendNative(system: string, to: number, effort: Effort): Promise<number> {
  const transport = transportOf(system)
  const port = await transport.open({ address: loopback, port: 0 }, () => undefined)
  const endpoint = { address: loopback, port: to }
  let before = 0
  for (let round = -effort.warmUp; round < effort.rounds; round++) {
    if (round === 0) before = cpuSeconds()
    for (let i = 0; i < FILL; i++) port.send(endpoint, PAYLOAD)
    transport.flush()
  }
  const cpu = cpuSeconds() - before
  port.close()
  return cpu
}

/** As applications do it: the callback of one starts the next, a number of them at once. */
function sendDgram(to: number, effort: Effort): Promise<number> {
  const socket = dgram.createSocket('udp6')
  const warmUp = effort.warmUp * FILL
  const total = effort.rounds * FILL
  let started = 0
  let done = 0
  let before = 0
  return new Promise((resolve) => {
    const next = (): void => {
      if (started >= total + warmUp) return
      started++
      socket.send(PAYLOAD, to, '::1', () => {
        done++
        if (done === warmUp) before = cpuSeconds()
        if (done === total + warmUp) {
          resolve(cpuSeconds() - before)
          socket.close()
        } else {
          next()
        }
      })
    }
    socket.bind({ address: '::1', port: 0 }, () => {
      for (let i = 0; i < FILL; i++) next()
    })
  })
}

/** Round trips one after the other to an echo in another process, with the same system. */
async function measureEcho(system: string, effort: Effort): Promise<{ p50: number; cpu: number }> {
  const { child, port: to } = await startEcho(system)
  const transport = system === 'node:dgram' ? new DgramTransport() : transportOf(system)
  const times: number[] = []
  let answered: (() => void) | undefined
  const port = await openEchoClient(system, transport, () => answered?.())
  let before = 0
  for (let i = -effort.roundTrips / 10; i < effort.roundTrips; i++) {
    if (i === 0) before = cpuSeconds()
    const start = performance.now()
    const answer = new Promise<void>((resolve) => (answered = resolve))
    port.send(to)
    await answer
    if (i >= 0) times.push((performance.now() - start) * 1000)
  }
  const cpu = cpuSeconds() - before
  port.close()
  child.disconnect()
  return { p50: median(times), cpu: (cpu / effort.roundTrips) * 1e6 }
}

interface EchoClient {
  send(to: number): void
  close(): void
}

async function openEchoClient(
  system: string,
  transport: DatagramTransport,
  onAnswer: () => void,
): Promise<EchoClient> {
  if (system === 'node:dgram') {
    const socket = dgram.createSocket('udp6')
    socket.on('message', onAnswer)
    await new Promise<void>((resolve) => socket.bind({ address: '::1', port: 0 }, resolve))
    return {
      send: (to) => {
        socket.send(PAYLOAD, to, '::1')
      },
      close: () => socket.close(),
    }
  }
  const port: DatagramPort = await transport.open({ address: loopback, port: 0 }, onAnswer)
  return {
    send: (to) => {
      port.send({ address: loopback, port: to }, PAYLOAD)
    },
    close: () => {
      port.close()
    },
  }
}

function startEcho(system: string): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(import.meta.url), ['echo', system])
  return new Promise((resolve, reject) => {
    child.once('message', (port) => {
      resolve({ child, port: port as number })
    })
    child.once('exit', () => {
      reject(new Error('the echo process ended'))
    })
  })
}

async function serveEcho(system: string): Promise<void> {
  process.on('disconnect', () => process.exit(0))
  if (system === 'node:dgram') {
    const socket = dgram.createSocket('udp6')
    socket.on('message', (bytes, source) => {
      socket.send(bytes, source.port, source.address)
    })
    await new Promise<void>((resolve) => socket.bind({ address: '::1', port: 0 }, resolve))
    process.send?.(socket.address().port)
    return
  }
  const port: DatagramPort = await transportOf(system).open(
    { address: loopback, port: 0 },
    (batch) => {
      for (let i = 0; i < batch.count; i++) port.send(batch.from(i), batch.payload(i))
    },
  )
  process.send?.(port.port)
}

/** Resident memory of open, idle sockets: after a first one, which pays for the rings. */
async function measureMemory(system: string, effort: Effort): Promise<number> {
  const sockets = effort.idleSockets
  const open =
    system === 'node:dgram'
      ? () => openDgram(() => undefined)
      : (
          (transport) => () =>
            transport.open({ address: loopback, port: 0 }, () => undefined)
        )(transportOf(system))
  const all = [await open()]
  const settle = async (): Promise<number> => {
    for (let i = 0; i < 3; i++) {
      globalThis.gc?.()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return process.memoryUsage.rss()
  }
  const before = await settle()
  for (let i = 0; i < sockets; i++) all.push(await open())
  const used = (await settle()) - before
  for (const socket of all) socket.close()
  return used / sockets / 1024
}

const systems = ['native', 'portable', 'node:dgram']
const reference = 'node:dgram'
const rate = 'datagrams/CPU-s'

const cases: BenchCase[] = [
  {
    case: 'receive 200 B, one socket',
    n: FILL * ROUNDS,
    systems: ['native, in place', ...systems],
    reference,
    metrics: { rate },
    trial: async (system, options) => ({
      rate: await measureReceive(system, 1, effortOf(options)),
    }),
  },
  {
    case: `receive 200 B, ${SOCKETS} sockets of 2 datagrams each`,
    n: FILL * ROUNDS,
    systems,
    reference,
    metrics: { rate },
    trial: async (system, options) => ({
      rate: await measureReceive(system, SOCKETS, effortOf(options)),
    }),
  },
  {
    case: 'send 200 B',
    n: FILL * ROUNDS,
    systems,
    reference,
    metrics: { rate },
    trial: async (system, options) => ({ rate: await measureSend(system, effortOf(options)) }),
  },
  {
    case: 'echo 200 B, two processes',
    n: ROUND_TRIPS,
    systems,
    reference,
    metrics: { 'round trip p50': 'µs', 'CPU of the asking side': 'µs' },
    trial: async (system, options) => {
      const { p50, cpu } = await measureEcho(system, effortOf(options))
      return { 'round trip p50': p50, 'CPU of the asking side': cpu }
    },
  },
  {
    case: 'idle socket',
    n: IDLE_SOCKETS,
    systems,
    reference,
    metrics: { 'resident memory': 'KiB' },
    trial: async (system, options) => ({
      'resident memory': await measureMemory(system, effortOf(options)),
    }),
  },
]

const suite: BenchSuite = { name: 'udp', cases }
export default suite

if (process.argv[2] === 'echo') await serveEcho(process.argv[3] ?? '')
