// hypercore: one writer's signed log on disk, replicated over encrypted streams on a TCP mesh of
// three connections a node. A record is an entry of the log.
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import Hypercore from 'hypercore'

const LINKS = 3
const directory = mkdtempSync(path.join(os.tmpdir(), 'peernet-bench-hypercore-'))
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))

const nodes = []
const numbers = []
const sockets = new Set()
const servers = []
const waiting = []
let joined = 0

function replicate(core, socket, initiator) {
  socket.setNoDelay(true)
  sockets.add(socket)
  const stream = core.replicate(initiator)
  stream.on('error', () => {})
  socket.on('error', () => {})
  socket.pipe(stream).pipe(socket)
}

function listen(core) {
  return new Promise((resolve) => {
    const server = net.createServer((socket) => replicate(core, socket, false))
    servers.push(server)
    server.listen(0, '::1', () => resolve(server.address().port))
  })
}

function connect(core, port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '::1', () => {
      replicate(core, socket, true)
      resolve()
    })
  })
}

const ports = []

export const writers = 1

export async function create(count, receive) {
  for (let i = 0; i < count; i++) {
    const core = new Hypercore(path.join(directory, String(i)), i === 0 ? undefined : nodes[0].key)
    await core.ready()
    nodes.push(core)
    ports.push(await listen(core))
    if (i === 0) continue
    core.download({ start: 0, end: -1 })
    core.on('download', (index) => {
      // The log may be ahead of the writer's own callback.
      if (numbers[index] !== undefined) receive(i, numbers[index])
      else waiting.push({ index, node: i, receive })
    })
    const others = new Set()
    while (others.size < Math.min(LINKS, i)) others.add(Math.floor(Math.random() * i))
    for (const other of others) await connect(core, ports[other])
  }
}

export async function publish(_node, record, payload) {
  const { length } = await nodes[0].append(Buffer.from(payload))
  numbers[length - 1] = record
  for (const late of waiting.splice(0)) {
    if (numbers[late.index] === undefined) waiting.push(late)
    else late.receive(late.node, numbers[late.index])
  }
}

export async function bulk(_first, count) {
  await nodes[0].append(Array.from({ length: count }, (_, i) => Buffer.alloc(256, i)))
  while (!nodes.every((core) => core.contiguousLength === nodes[0].length)) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export async function join(count) {
  const core = new Hypercore(path.join(directory, `joined-${joined++}`), nodes[0].key)
  await core.ready()
  const range = core.download({ start: 0, end: count })
  for (const port of ports.slice(0, LINKS)) await connect(core, port)
  await range.done()
}

export async function close() {
  for (const socket of sockets) socket.destroy()
  for (const server of servers) server.close()
  await Promise.all(nodes.map((core) => core.close()))
}
