// The ceiling: a hand-written flood over plain TCP connections on ::1 along the edges of peernet's
// graph. Length-prefixed records, forwarded when their number is new; no acknowledgements, no
// checks, no database.
import net from 'node:net'
import { readEdges } from './edges.js'
import type { GroupSystem, Receive } from './harness.js'

const LENGTH = 4
const NUMBER = 4

class RawNode {
  readonly #server = net.createServer((socket) => {
    this.add(socket)
  })
  readonly #sockets = new Set<net.Socket>()
  readonly #seen = new Set<number>()
  readonly #receive: (record: number) => void

  constructor(receive: (record: number) => void) {
    this.#receive = receive
  }

  listen(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.listen(0, '::1', resolve)
    })
  }

  connect(other: RawNode): Promise<void> {
    const { port } = other.#server.address() as net.AddressInfo
    return new Promise((resolve, reject) => {
      const socket = net.connect(port, '::1', () => {
        this.add(socket)
        resolve()
      })
      socket.once('error', reject)
    })
  }

  add(socket: net.Socket): void {
    socket.setNoDelay(true)
    this.#sockets.add(socket)
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
      let at = 0
      while (rest.length - at >= LENGTH) {
        const end = at + LENGTH + rest.readUInt32LE(at)
        if (end > rest.length) break
        this.#handle(rest.subarray(at, end), socket)
        at = end
      }
      rest = rest.subarray(at)
    })
  }

  #handle(frame: Buffer, from: net.Socket): void {
    const record = frame.readUInt32LE(LENGTH)
    if (this.#seen.has(record)) return
    this.#seen.add(record)
    this.#receive(record)
    // The socket may reuse its memory while others still write.
    this.#send(Buffer.from(frame), from)
  }

  publish(record: number, payload: Uint8Array): void {
    const frame = Buffer.alloc(LENGTH + NUMBER + payload.length)
    frame.writeUInt32LE(NUMBER + payload.length)
    frame.writeUInt32LE(record, LENGTH)
    frame.set(payload, LENGTH + NUMBER)
    this.#seen.add(record)
    this.#send(frame)
  }

  #send(frame: Buffer, except?: net.Socket): void {
    for (const socket of this.#sockets) if (socket !== except) socket.write(frame)
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}

export function rawFlood(): GroupSystem {
  const nodes: RawNode[] = []
  return {
    async create(count: number, receive: Receive) {
      for (let i = 0; i < count; i++) {
        const node = new RawNode((record) => {
          receive(i, record)
        })
        await node.listen()
        nodes.push(node)
      }
      for (const [from, to] of readEdges(count)) {
        await (nodes[from] as RawNode).connect(nodes[to] as RawNode)
      }
    },
    publish(node, record, payload) {
      nodes[node]?.publish(record, payload)
    },
    join() {
      return Promise.reject(new Error('a raw flood has nothing to synchronise'))
    },
    close() {
      for (const node of nodes) node.close()
      return Promise.resolve()
    },
  }
}
