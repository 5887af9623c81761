// yjs over y-websocket: one server in a process of its own (a star), every node a document here.
// It signs nothing; a record is an entry of a shared map.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import net from 'node:net'
import path from 'node:path'
import WebSocket from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'

// Each provider of y-websocket listens for the end of the process.
process.setMaxListeners(0)

const MAP = 'records'
const docs = []
let server
let url

/** A port that was free a moment ago: the server cannot choose one by itself. */
function freePort() {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

function isUp(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

async function startServer() {
  const port = await freePort()
  // Its package does not export the server; it lies beside the package.json, which it does.
  const manifest = createRequire(import.meta.url).resolve('y-websocket/package.json')
  const script = path.join(path.dirname(manifest), 'bin/server.cjs')
  server = spawn(process.execPath, [script], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: String(port) },
    stdio: 'ignore',
  })
  process.once('exit', () => server.kill())
  while (!(await isUp(port))) await new Promise((resolve) => setTimeout(resolve, 20))
  url = `ws://127.0.0.1:${port}`
}

function open() {
  const doc = new Y.Doc()
  const options = { WebSocketPolyfill: WebSocket, disableBc: true }
  const provider = new WebsocketProvider(url, 'room', doc, options)
  return new Promise((resolve) => {
    provider.on('sync', (synced) => synced && resolve({ doc, provider, map: doc.getMap(MAP) }))
  })
}

export async function create(count, receive) {
  await startServer()
  for (let i = 0; i < count; i++) {
    const node = await open()
    node.map.observe((event) => {
      for (const key of event.keysChanged) receive(i, Number(key))
    })
    docs.push(node)
  }
}

export function publish(node, record, payload) {
  docs[node].map.set(String(record), new Uint8Array(payload))
}

export function otherCpuSeconds() {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

export async function join(count) {
  const { provider, map } = await open()
  if (map.size < count) {
    await new Promise((resolve) => map.observe(() => map.size >= count && resolve()))
  }
  provider.destroy()
}

export async function close() {
  for (const { provider } of docs) provider.destroy()
  server.kill()
}
