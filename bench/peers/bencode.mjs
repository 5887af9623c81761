// BitTorrent's KRPC in bencode: a `get` query, and a response with 20 nodes and a signed value of
// 206 bytes.
import { randomBytes } from 'node:crypto'
import bencode from 'bencode'

const id = randomBytes(20)
const target = randomBytes(20)
const found = {
  token: randomBytes(20),
  nodes: randomBytes(20 * 26),
  v: randomBytes(206),
  k: randomBytes(32),
  sig: randomBytes(64),
  seq: 1,
}

const transaction = (tid) => Buffer.from([tid >> 8, tid & 0xff])

export const request = {
  encode: (tid) => bencode.encode({ t: transaction(tid), y: 'q', q: 'get', a: { id, target } }),
  decode: (bytes) => bencode.decode(bytes),
  read: ({ t, y, q, a }, sum) => sum(t) + sum(y) + sum(q) + sum(a.id) + sum(a.target),
}

export const response = {
  encode: (tid) => bencode.encode({ t: transaction(tid), y: 'r', r: { id, ...found } }),
  decode: (bytes) => bencode.decode(bytes),
  read({ t, y, r }, sum) {
    const key = sum(r.token) + sum(r.k) + sum(r.sig) + r.seq
    return sum(t) + sum(y) + sum(r.id) + sum(r.nodes) + sum(r.v) + key
  },
}
