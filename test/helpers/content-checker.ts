// Checks content information against whole contents, written from MS-PCCRC and DA-1 … DA-8 alone
// and in another way than the product: node:crypto, a DataView, everything in memory, nothing
// shared.
import { createHash, createHmac } from 'node:crypto'
import * as assert from 'uvu/assert'

export interface Checked {
  readonly version: number
  readonly rangeStart: number
  readonly rangeLength: number
  readonly ids: readonly string[]
  readonly lengths: readonly number[]
}

const LABEL = Buffer.from('MS_P2P_CACHING\0', 'utf16le')
const MIB32 = 33_554_432
const KIB64 = 65_536

/** Throws unless `info` is what a server with that secret says of `content`. */
export function checkContentInfo(info: Uint8Array, content: Uint8Array, secret: Uint8Array) {
  const view = new DataView(info.buffer, info.byteOffset, info.byteLength)
  return view.getUint16(0) === 1
    ? checkVersion1(view, Buffer.from(info), content, secret)
    : checkVersion2(view, Buffer.from(info), content, secret)
}

function checkVersion1(
  view: DataView,
  info: Buffer,
  content: Uint8Array,
  secret: Uint8Array,
): Checked {
  const name = { 0x800c: 'sha256', 0x800d: 'sha384', 0x800e: 'sha512' }[view.getUint32(2, true)]
  assert.ok(name)
  const hash = (bytes: Uint8Array): Buffer => createHash(name).update(bytes).digest()
  const mac = (key: Buffer, data: Buffer): Buffer => createHmac(name, key).update(data).digest()
  const n = hash(Buffer.alloc(0)).length
  const count = view.getUint32(14, true)
  const first = Number(view.getBigUint64(18, true))
  const offset = view.getUint32(6, true)
  const read = view.getUint32(10, true)
  const lastStart = first + (count - 1) * MIB32
  const lastEnd = Math.min(lastStart + MIB32, content.length)
  const start = first + offset
  const end = read === 0 ? lastEnd : (count === 1 ? start : lastStart) + read
  const ids: string[] = []
  const lengths: number[] = []
  let listAt = 18 + count * (16 + 2 * n)
  for (let i = 0; i < count; i++) {
    const at = 18 + i * (16 + 2 * n)
    const from = first + i * MIB32
    const segment = content.subarray(from, Math.min(from + MIB32, content.length))
    assert.is(Number(view.getBigUint64(at, true)), from)
    assert.is(view.getUint32(at + 8, true), segment.length)
    assert.is(view.getUint32(at + 12, true), KIB64)
    const blocks: Buffer[] = []
    for (let b = 0; b < segment.length; b += KIB64)
      blocks.push(hash(segment.subarray(b, b + KIB64)))
    const hod = hash(Buffer.concat(blocks))
    const kp = mac(hash(secret), hod)
    assert.is(info.toString('hex', at + 16, at + 16 + n), hod.toString('hex'))
    assert.is(info.toString('hex', at + 16 + n, at + 16 + 2 * n), kp.toString('hex'))
    const wanted = Math.ceil((Math.min(end, from + segment.length) - from) / KIB64)
    assert.is(view.getUint32(listAt, true), wanted)
    const list = Buffer.concat(blocks.slice(0, wanted))
    assert.is(Buffer.compare(info.subarray(listAt + 4, listAt + 4 + list.length), list), 0)
    listAt += 4 + list.length
    ids.push(mac(kp, Buffer.concat([hod, LABEL])).toString('hex'))
    lengths.push(segment.length)
  }
  assert.is(listAt, info.length)
  return { version: 1, rangeStart: start, rangeLength: end - start, ids, lengths }
}

function checkVersion2(
  view: DataView,
  info: Buffer,
  content: Uint8Array,
  secret: Uint8Array,
): Checked {
  const hash = (bytes: Uint8Array): Buffer =>
    createHash('sha512').update(bytes).digest().subarray(0, 32)
  const mac = (key: Buffer, data: Buffer): Buffer =>
    createHmac('sha512', key).update(data).digest().subarray(0, 32)
  assert.is(info.toString('hex', 0, 3), '000204')
  const first = Number(view.getBigUint64(3))
  const offset = view.getUint32(19)
  assert.is(view.getUint8(31), 0)
  assert.is(view.getUint32(32), info.length - 36)
  const ids: string[] = []
  const lengths: number[] = []
  let from = first
  for (let at = 36; at < info.length; at += 68) {
    const length = view.getUint32(at)
    const hod = hash(content.subarray(from, from + length))
    const kp = mac(hash(secret), hod)
    assert.is(info.toString('hex', at + 4, at + 36), hod.toString('hex'))
    assert.is(info.toString('hex', at + 36, at + 68), kp.toString('hex'))
    ids.push(mac(kp, Buffer.concat([hod, LABEL])).toString('hex'))
    lengths.push(length)
    from += length
  }
  const said = Number(view.getBigUint64(23))
  const rangeLength = said === 0 ? from - first - offset : said
  return { version: 2, rangeStart: first + offset, rangeLength, ids, lengths }
}

/** DA-8 and spec/segments.md, word by word: lengths of the segments of content. */
export function segmentLengths(content: Uint8Array): number[] {
  const gear = gearNumbers()
  const lengths: number[] = []
  const window = 8 << 20
  for (let at = 0; at < content.length; at += lengths.at(-1) as number) {
    const left = window - (at % window)
    lengths.push(Math.min(segmentLength(content, at, left, gear), content.length - at))
  }
  return lengths
}

function segmentLength(content: Uint8Array, at: number, left: number, gear: Uint32Array): number {
  const KIB = 1024
  if (left < 64 * KIB) return left
  const limit = Math.min(128 * KIB, left - 32 * KIB)
  for (let end = 32 * KIB; end <= limit && at + end <= content.length; end++) {
    // The hash of the 32 bytes before `end`, from scratch only where a segment may end.
    if (end === 32 * KIB) {
      let hash = 0
      for (let i = end - 32; i < end; i++) hash = step(hash, content[at + i] as number, gear)
      rolling = hash
    } else {
      rolling = step(rolling, content[at + end - 1] as number, gear)
    }
    if (rolling >>> 17 === 0) return end
  }
  return left <= 128 * KIB ? left : limit
}

let rolling = 0

const step = (hash: number, byte: number, gear: Uint32Array): number =>
  (Math.imul(hash, 2) + (gear[byte] as number)) >>> 0

/** Upper halves of SplitMix64's outputs; the seed is "peerdist" read big-endian. */
function gearNumbers(): Uint32Array {
  const mask = (1n << 64n) - 1n
  let state = BigInt(`0x${Buffer.from('peerdist').toString('hex')}`)
  return Uint32Array.from({ length: 256 }, () => {
    state = (state + 0x9e3779b97f4a7c15n) & mask
    let z = state
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask
    return Number((z ^ (z >> 31n)) >> 32n)
  })
}

/** Reproducible content that does not compress: xorshift words. */
export function sampleContent(length: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4))
  let x = seed
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    words[i] = x
  }
  return new Uint8Array(words.buffer, 0, length)
}
