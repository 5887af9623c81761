// Ends a process at one stage of the UDP hub's life; udp.test.ts runs it:
//   node --expose-gc udp-stages.js KIND STAGE
// The exit status is 0 where nothing else is said there.
import type { DatagramPort } from '#lib/io/datagram-port.js'
import { NativeTransport } from '#lib/io/udp-native.js'
import { loopback, pattern, turns } from '../helpers/inbox.js'

const [kind = 'native', stage = ''] = process.argv.slice(2)
const local = { address: loopback, port: 0 }
const ignore = (): void => undefined

const make = (): NativeTransport => new NativeTransport(kind as 'native' | 'portable')

/** A port that sends to itself for ever. */
async function openBusy(onBatch: () => void): Promise<DatagramPort> {
  const port: DatagramPort = await make().open(local, (batch) => {
    for (let i = 0; i < batch.count; i++) port.send(batch.from(i), pattern(9))
    onBatch()
  })
  for (let i = 0; i < 20; i++) port.send({ address: loopback, port: port.port }, pattern(9))
  return port
}

const stages: Record<string, () => Promise<void> | void> = {
  'addon loaded': ignore,
  'hub without sockets': () => {
    make()
  },
  'socket closed': async () => {
    const port = await make().open(local, ignore)
    port.close()
  },
  'unreferenced socket open': async () => {
    const port = await make().open(local, ignore)
    port.unref()
  },
  'open failed': async () => {
    const transport = make()
    const first = await transport.open(local, ignore)
    await transport.open({ address: loopback, port: first.port }, ignore).catch(ignore)
    first.close()
  },
  'process.exit with an open socket': async () => {
    await make().open(local, ignore)
    process.exit(0)
  },
  'process.exit with datagrams on their way': async () => {
    await openBusy(ignore)
    process.exit(0)
  },
  'process.exit while receiving': async () => {
    let left = 5
    await openBusy(() => {
      if (left-- === 0) process.exit(0)
    })
  },
  'process.exit with staged datagrams': async () => {
    const port = await make().open(local, ignore)
    port.send({ address: loopback, port: port.port }, pattern(9))
    process.exit(0)
  },
  // Exit status 1: Node's own for an uncaught exception.
  'exception while receiving': async () => {
    await openBusy(() => {
      throw new Error('on purpose')
    })
  },
  // Exit status 7.
  'exit code of an exit listener': async () => {
    process.on('exit', () => {
      process.exitCode = 7
    })
    const port = await openBusy(ignore)
    await turns(10)
    port.close()
  },
  'natural end after traffic': async () => {
    const port = await openBusy(ignore)
    await turns(50)
    port.close()
  },
  'collected with the process': async () => {
    for (let i = 0; i < 50; i++) make()
    globalThis.gc?.()
    await turns(2)
    globalThis.gc?.()
  },
  SIGTERM: async () => {
    await openBusy(ignore)
    process.kill(process.pid, 'SIGTERM')
  },
}

/** Prints whether a port keeps the process alive: the timer below does not. */
stages['a referenced port keeps the process alive'] = async () => {
  const port = await make().open(local, ignore)
  port.unref()
  port.ref()
  let alive = false
  setTimeout(() => {
    alive = true
    port.unref()
  }, 50).unref()
  process.on('exit', () => {
    if (!alive) process.exitCode = 3
  })
}

const run = stages[stage]
if (run === undefined) throw new Error(`no stage ${stage}`)
await run()
