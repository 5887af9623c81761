// A worker with UDP ports of its own; udp.test.ts starts several of them.
import { parentPort, workerData } from 'node:worker_threads'
import type { DatagramPort } from '#lib/io/datagram-port.js'
import { NativeTransport } from '#lib/io/udp-native.js'
import { loopback, pattern } from '../helpers/inbox.js'

const { kind, endAfter } = workerData as { kind: 'native' | 'portable'; endAfter: number }
const transport = new NativeTransport(kind)
let received = 0

// Each sends to itself for ever, or until it has had `endAfter` datagrams.
const ports: DatagramPort[] = []
for (let i = 0; i < 3; i++) {
  const port: DatagramPort = await transport.open({ address: loopback, port: 0 }, (batch) => {
    received += batch.count
    if (received >= endAfter) {
      for (const other of ports) other.close()
      return
    }
    for (let j = 0; j < batch.count; j++) port.send(batch.from(j), batch.payload(j))
  })
  ports.push(port)
  for (let j = 0; j < 10; j++) port.send({ address: loopback, port: port.port }, pattern(30))
}
parentPort?.postMessage(ports.map(({ port }) => port))
