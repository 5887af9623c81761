// The yardstick: stores each record as a whole in memory that is there already, then forwards it.
// No checks, no database, no acknowledgements; small records wait behind a large one on its link
// and nowhere else.
import net from 'node:net'
import type { Arrived, LineNode } from './node.js'

const HEAD = 8

export function rawNode(arrived: Arrived): LineNode {
  const sockets = new Set<net.Socket>()
  const server = net.createServer({ noDelay: true }, (socket) => {
    add(socket)
  })

  function send(frame: Uint8Array, except?: net.Socket): void {
    for (const socket of sockets) if (socket !== except) socket.write(frame)
  }

  function add(socket: net.Socket): void {
    sockets.add(socket)
    const head = Buffer.alloc(HEAD)
    let frame: Buffer | undefined
    let have = 0
    socket.on('data', (chunk) => {
      for (let at = 0; at < chunk.length;) {
        const into: Buffer = frame ?? head
        const count = Math.min(chunk.length - at, into.length - have)
        chunk.copy(into, have, at, at + count)
        at += count
        have += count
        if (have < into.length) continue
        if (frame === undefined) {
          frame = Buffer.allocUnsafeSlow(HEAD + head.readUInt32LE(0))
          head.copy(frame)
          if (frame.length > HEAD) continue
        }
        const whole = frame
        frame = undefined
        have = 0
        arrived(whole.readUInt32LE(4))
        send(whole, socket)
      }
    })
    socket.on('error', () => {})
  }

  return {
    listen: () =>
      new Promise((resolve) => {
        server.listen(0, '::1', () => {
          resolve((server.address() as net.AddressInfo).port)
        })
      }),
    connect: (port) =>
      new Promise((resolve, reject) => {
        const socket = net.connect({ port, host: '::1', noDelay: true }, () => {
          add(socket)
          resolve()
        })
        socket.once('error', reject)
      }),
    publish(record, bytes) {
      const frame = Buffer.alloc(HEAD + bytes)
      frame.writeUInt32LE(bytes)
      frame.writeUInt32LE(record, 4)
      send(frame)
    },
    forget() {
      // What was forwarded is garbage.
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
