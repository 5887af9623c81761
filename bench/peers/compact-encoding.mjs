// dht-rpc's framing with compact-encoding, as its lib/io.js writes it: a request that looks for a
// target, and a response that carries 20 closer nodes and a signed value of 206 bytes.
import { randomBytes } from 'node:crypto'
import c from 'compact-encoding'
import { ipv4, ipv4Array } from 'dht-rpc/lib/peer.js'
import { mutableGetResponse } from 'hyperdht/lib/messages.js'

const REQUEST = { version: 0x03, flags: 0b1011 }
const RESPONSE = { version: 0x13, flags: 0b10111 }

const to = { host: '127.0.0.1', port: 49737 }
const id = randomBytes(32)
const token = randomBytes(32)
const target = randomBytes(32)
const closer = Array.from({ length: 20 }, (_, i) => ({ host: `127.0.0.${i + 1}`, port: 1000 + i }))
const signed = { seq: 1, value: randomBytes(206), signature: randomBytes(64) }

function begin(length, { version, flags }, tid) {
  const state = { start: 0, end: length, buffer: Buffer.allocUnsafe(length) }
  state.buffer[state.start++] = version
  state.buffer[state.start++] = flags
  c.uint16.encode(state, tid)
  ipv4.encode(state, to)
  c.fixed32.encode(state, id)
  c.fixed32.encode(state, token)
  return state
}

function decodeHead(state) {
  const tid = c.uint16.decode(state)
  return {
    tid,
    to: ipv4.decode(state),
    id: c.fixed32.decode(state),
    token: c.fixed32.decode(state),
  }
}

function readHead(head, sum) {
  return head.tid + head.to.host.length + head.to.port + sum(head.id) + sum(head.token)
}

export const request = {
  encode(tid) {
    const state = begin(108, REQUEST, tid)
    c.uint.encode(state, 6)
    c.fixed32.encode(state, target)
    return state.buffer.subarray(0, state.start)
  },
  decode(bytes) {
    const state = { start: 2, end: bytes.length, buffer: bytes }
    const head = decodeHead(state)
    return { head, command: c.uint.decode(state), target: c.fixed32.decode(state) }
  },
  read: (message, sum) => readHead(message.head, sum) + message.command + sum(message.target),
}

export const response = {
  encode(tid) {
    const value = c.encode(mutableGetResponse, signed)
    const state = begin(198 + value.length, RESPONSE, tid)
    ipv4Array.encode(state, closer)
    c.buffer.encode(state, value)
    return state.buffer.subarray(0, state.start)
  },
  decode(bytes) {
    const state = { start: 2, end: bytes.length, buffer: bytes }
    const head = decodeHead(state)
    const nodes = ipv4Array.decode(state)
    return { head, nodes, value: c.decode(mutableGetResponse, c.buffer.decode(state)) }
  },
  read({ head, nodes, value }, sum) {
    let total = readHead(head, sum)
    for (const { host, port } of nodes) total += host.length + port
    return total + value.seq + sum(value.value) + sum(value.signature)
  },
}
