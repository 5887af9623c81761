// Runs in a host of the hub: a client of BranchCache that shares no code with the product and takes
// everything to the letter, as network boot programs do. It looks for literal tags in answers, asks
// for one segment a probe (always of version 1) and one block a request, and knows no lists.
import { createDecipheriv, createHash, createHmac, randomUUID } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { buffer } from 'node:stream/consumers'

const LABEL = Buffer.from('MS_P2P_CACHING\0', 'utf16le')
const PATH = '/116B50EB-ECE2-41ac-8429-9F9E963361B7/'
const agent = new Agent({ keepAlive: true })

interface Block {
  readonly hash: Buffer
  readonly length: number
}
interface Segment {
  readonly secret: Buffer
  readonly id: Buffer
  readonly blocks: readonly Block[]
  readonly digest: (bytes: Buffer) => Buffer
}

async function fetchBytes(
  url: string,
  headers: Record<string, string>,
): Promise<{ answer: IncomingMessage; body: Buffer }> {
  const asking = request(url, { headers, agent }).end()
  const [answer] = (await once(asking, 'response')) as [IncomingMessage]
  return { answer, body: await buffer(answer) }
}

function segmentsIn(info: Buffer): Segment[] {
  return info[1] === 1 ? segments1(info) : segments2(info)
}

function segments1(info: Buffer): Segment[] {
  const name = ['sha256', 'sha384', 'sha512'][info.readUInt32LE(2) - 0x800c] ?? ''
  const digest = (bytes: Buffer): Buffer => createHash(name).update(bytes).digest()
  const n = digest(LABEL).length
  const count = info.readUInt32LE(14)
  let at = 18 + count * (16 + 2 * n)
  return Array.from({ length: count }, (_, i) => {
    const row = 18 + i * (16 + 2 * n)
    const length = info.readUInt32LE(row + 8)
    const hod = info.subarray(row + 16, row + 16 + n)
    const secret = info.subarray(row + 16 + n, row + 16 + 2 * n)
    const id = createHmac(name, secret).update(hod).update(LABEL).digest()
    const blocks = Array.from({ length: info.readUInt32LE(at) }, (_block, b) => ({
      hash: info.subarray(at + 4 + b * n, at + 4 + (b + 1) * n),
      length: Math.min(65_536, length - b * 65_536),
    }))
    at += 4 + blocks.length * n
    return { secret, id, blocks, digest }
  })
}

function segments2(info: Buffer): Segment[] {
  const digest = (bytes: Buffer): Buffer =>
    createHash('sha512').update(bytes).digest().subarray(0, 32)
  const found: Segment[] = []
  for (let at = 31; at < info.length;) {
    const end = at + 5 + info.readUInt32BE(at + 1)
    for (at += 5; at < end; at += 68) {
      const length = info.readUInt32BE(at)
      const hash = info.subarray(at + 4, at + 36)
      const secret = info.subarray(at + 36, at + 68)
      const mac = createHmac('sha512', secret).update(hash).update(LABEL).digest()
      found.push({ secret, id: mac.subarray(0, 32), blocks: [{ hash, length }], digest })
    }
  }
  return found
}

const SPACES = {
  soap: 'http://www.w3.org/2003/05/soap-envelope',
  wsa: 'http://schemas.xmlsoap.org/ws/2004/08/addressing',
  wsd: 'http://schemas.xmlsoap.org/ws/2005/04/discovery',
  PeerDist: 'http://schemas.microsoft.com/p2p/2007/09/PeerDistributionDiscovery',
}

const tag = (name: string, inside: string, more = ''): string =>
  `<${name}${more}>${inside}</${name}>`

function probe(id: Buffer): Buffer {
  const spaces = Object.entries(SPACES).map(([name, uri]) => ` xmlns:${name}="${uri}"`)
  const header =
    tag('wsa:To', 'urn:schemas-xmlsoap-org:ws:2005:04:discovery') +
    tag('wsa:Action', `${SPACES.wsd}/Probe`) +
    tag('wsa:MessageID', `urn:uuid:${randomUUID()}`)
  const scope = id.toString('hex').toUpperCase()
  const body = tag(
    'wsd:Probe',
    tag('wsd:Types', 'PeerDist:PeerDistData') +
      tag('wsd:Scopes', scope, ` MatchBy="${SPACES.wsd}/strcmp0"`),
  )
  const all = tag('soap:Header', header) + tag('soap:Body', body)
  const start = '<?xml version="1.0" encoding="utf-8"?>'
  return Buffer.from(start + tag('soap:Envelope', all, spaces.join('')))
}

function between(text: string, open: string, close: string): string | undefined {
  const from = text.indexOf(open)
  const to = text.indexOf(close, from)
  return from < 0 || to < 0 ? undefined : text.slice(from + open.length, to).trim()
}

/** The first peer that answers for a segment within two seconds: `host:port`. */
async function discover(id: Buffer, six: boolean): Promise<string | undefined> {
  const socket = createSocket(six ? 'udp6' : 'udp4')
  socket.bind(0)
  await once(socket, 'listening')
  if (six) socket.setMulticastInterface('::%e0')
  else socket.setMulticastInterface('10.9.0.3')
  const wanted = id.toString('hex').toUpperCase()
  const timers: NodeJS.Timeout[] = []
  try {
    return await new Promise<string | undefined>((resolve) => {
      const message = probe(id)
      const send = (): void => {
        socket.send(message, 3702, six ? 'ff02::c%e0' : '239.255.255.250')
      }
      socket.on('message', (bytes, { address }) => {
        const text = bytes.toString()
        const scopes = between(text, '<wsd:Scopes>', '</wsd:Scopes>')
        const place = between(text, '<wsd:XAddrs>', '</wsd:XAddrs>')
        const count = between(text, '<PeerDist:BlockCount>', '</PeerDist:BlockCount>')
        if (scopes !== wanted || place === undefined || count?.length !== 8) return
        if (Number.parseInt(count, 16) === 0) return
        const zone = /%.*/.exec(address)?.[0] ?? ''
        resolve(place.replace(/^\[(fe80[^\]]*)\]/, `[$1${zone}]`))
      })
      send()
      timers.push(setTimeout(send, 1000), setTimeout(resolve, 2000, undefined))
    })
  } finally {
    for (const timer of timers) clearTimeout(timer)
    socket.close()
  }
}

/** The one request it knows: 68 bytes for an ID of 32. */
async function block(
  peer: string,
  { id, secret, blocks, digest }: Segment,
  index: number,
): Promise<Buffer | undefined> {
  const body = Buffer.alloc(36 + id.length)
  const total = body.length
  body.set([0, 0, 0, 1, 0, 0, 0, 3])
  body.writeUInt32BE(total, 8)
  body.writeUInt32BE(1, 12)
  body.writeUInt32BE(id.length, 16)
  body.set(id, 20)
  body.writeUInt32BE(1, 20 + id.length)
  body.writeUInt32BE(index, 24 + id.length)
  body.writeUInt32BE(1, 28 + id.length)
  const port = Number(peer.slice(peer.lastIndexOf(':') + 1))
  const host = peer.slice(0, peer.lastIndexOf(':')).replace(/^\[|\]$/g, '')
  const headers = { Host: 'peer', 'Content-Length': total }
  const asking = request({ method: 'POST', host, port, path: PATH, headers, agent }).end(body)
  const [answer] = (await once(asking, 'response')) as [IncomingMessage]
  const got = await buffer(answer)
  const { hash, length } = blocks[index] as Block
  const at = 20 + id.length
  const isBlock =
    got.readUInt32BE(0) === got.length - 4 &&
    got.readUInt32BE(8) === 5 &&
    got.readUInt32BE(20) === id.length &&
    got.subarray(24, 24 + id.length).equals(id) &&
    got.readUInt32BE(at + 4) === index
  const size = got.readUInt32BE(at + 12)
  const keyBytes = [0, 16, 24, 32][got.readUInt32BE(16)] ?? 0
  if (!isBlock || keyBytes === 0 || size < length || size % 16 !== 0) return undefined
  const sealed = got.subarray(at + 16, at + 16 + size)
  const iv = got.subarray(-16)
  const cipher = createDecipheriv(`aes-${keyBytes * 8}-cbc`, secret.subarray(0, keyBytes), iv)
  cipher.setAutoPadding(false)
  const plain = Buffer.concat([cipher.update(sealed), cipher.final()]).subarray(0, length)
  return digest(plain).equals(hash) ? plain : undefined
}

async function download(url: string): Promise<unknown> {
  const six = url.includes('[')
  const offer = {
    'Accept-Encoding': 'peerdist',
    'X-P2P-PeerDistEx': 'MinContentInformation=1.0, MaxContentInformation=2.0',
    'X-P2P-PeerDist': 'Version=1.1',
  }
  const { answer, body } = await fetchBytes(url, offer)
  if (answer.headers['content-encoding'] !== 'peerdist') throw new Error('no hashes')
  const hash = createHash('sha256')
  const shares = { cache: 0, peers: 0, origin: 0 }
  let [offset, last] = [0, '']
  for (const segment of segmentsIn(body)) {
    for (let index = 0; index < segment.blocks.length; index++) {
      // The peer of the segment before is tried first; only then somebody is looked for.
      let plain: Buffer | undefined = last === '' ? undefined : await block(last, segment, index)
      if (plain === undefined) {
        last = (await discover(segment.id, six)) ?? last
        plain = last === '' ? undefined : await block(last, segment, index)
      }
      const { length } = segment.blocks[index] as Block
      shares[plain === undefined ? 'origin' : 'peers'] += length
      if (plain === undefined) {
        const Range = `bytes=${offset}-${offset + length - 1}`
        const missing = { 'X-P2P-PeerDist': 'Version=1.1, MissingDataRequest=true', Range }
        plain = (await fetchBytes(url, missing)).body
      }
      hash.update(plain)
      offset += length
    }
  }
  return { sha256: hash.digest('hex'), shares, from: [last] }
}

createInterface({ input: process.stdin })
  .on('line', (text) => {
    const { url, tag } = JSON.parse(text) as { url: string; tag: string }
    void download(url).then((report) => {
      process.stdout.write(`${JSON.stringify({ ...(report as object), tag })}\n`)
    })
  })
  .on('close', () => {
    process.exit(0)
  })
