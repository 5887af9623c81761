import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContentPeer, peerdist, type ContentPeer, type FetchedContent } from '../../index.js'
import { formatMs, type Output } from '../output.js'

const MEBIBYTE = 1024 * 1024
const NAMES = ['Ada', 'Bob', 'Carol', 'Dan', 'Eve'] as const

/** The third act of the tour: content. Throws when a step does not do what it claims. */
export async function runContentAct(
  output: Output,
  heading: (text: string) => void,
): Promise<void> {
  heading('Five peers fetch one file, and the web server dies midway')
  const home = await mkdtemp(join(tmpdir(), 'peernet-demo-'))
  const file = randomBytes(24 * MEBIBYTE)
  const origin = new Origin(file)
  const peers: ContentPeer[] = []
  try {
    const url = await origin.start()
    for (const name of NAMES) {
      peers.push(await createContentPeer({ cache: join(home, name), host: '::1' }))
    }
    await play(output, { file, origin, peers, url })
  } finally {
    await Promise.all(peers.map((peer) => peer.close()))
    await origin.die()
    await rm(home, { recursive: true, force: true })
  }
}

interface Scene {
  readonly file: Uint8Array
  readonly origin: Origin
  readonly peers: readonly ContentPeer[]
  readonly url: string
}

async function play(output: Output, { file, origin, peers, url }: Scene): Promise<void> {
  const start = performance.now()
  const [ada, ...others] = peers as [ContentPeer, ...ContentPeer[]]
  const first = await ada.fetch(url)
  claim(sha256(await first.bytes()) === sha256(file), 'Ada has the file')
  await first.kept
  output.line(`   Ada fetches ${file.length / MEBIBYTE} MiB; the server hashes them as they pass.`)
  const places = peers.map(({ port }) => `[::1]:${port}`)
  let midway = 0
  let serverIsDead: () => void = () => undefined
  const death = new Promise<void>((resolve) => {
    serverIsDead = resolve
  })
  const fetches = others.map(async (peer) => {
    const content = await peer.fetch(url, { peers: places.filter((_, i) => peers[i] !== peer) })
    const hash = createHash('sha256')
    let isMidway = false
    let length = 0
    for await (const bytes of content) {
      hash.update(bytes)
      length += bytes.length
      if (isMidway || length < file.length / 3) continue
      // All are in the middle of it when the server dies.
      isMidway = true
      midway += 1
      if (midway === others.length) void origin.die().then(serverIsDead)
      await death
    }
    claim(hash.digest('hex') === sha256(file), 'the file is the same everywhere')
    return content
  })
  const fetched = await Promise.all(fetches)
  const ms = performance.now() - start
  output.line('   The others get hashes from it, and the blocks from one another. With a third of')
  output.line('   it in their hands the server is killed. They do not notice:')
  for (const [i, content] of fetched.entries()) printShares(output, NAMES[i + 1] ?? '', content)
  const times = origin.sent / file.length
  output.value({ step: 'content', peers: peers.length, originContents: times, milliseconds: ms })
  output.line(
    `     ${output.paint('green', '✓')} five times the same SHA-256 after ${formatMs(ms)}; ` +
      `the server sent the file ${times.toFixed(2)} times`,
  )
}

function printShares(output: Output, name: string, { shares }: FetchedContent): void {
  const mebibytes = (bytes: number): string => (bytes / MEBIBYTE).toFixed(1).padStart(4)
  output.line(
    `     ${name.padEnd(5)} ${mebibytes(shares.peers)} MiB from peers, ` +
      `${mebibytes(shares.origin)} from the server`,
  )
}

/** A web server with a file, in memory, that counts what it sends. */
class Origin {
  readonly #server: Server
  #isAlive = true
  sent = 0

  constructor(file: Uint8Array) {
    const offer = peerdist({ secret: randomBytes(32) })
    this.#server = createServer((request, response) => {
      offer(request, response, () => {
        response.setHeader('ETag', '"1"')
        response.end(file)
      })
    })
    this.#server.on('connection', (socket) => {
      socket.once('close', () => (this.sent += socket.bytesWritten))
    })
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '::1', resolve))
    return `http://[::1]:${(this.#server.address() as AddressInfo).port}/update`
  }

  async die(): Promise<void> {
    if (!this.#isAlive) return
    this.#isAlive = false
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function claim(is: boolean, what: string): void {
  if (!is) throw new Error(`not true: ${what}`)
}
