// A web server offers a file as hashes; the second of two peers gets it from the first.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContentPeer, peerdist } from 'peernet'

const update = randomBytes(3_000_000)
const offer = peerdist({ secret: randomBytes(32) })
let sent = 0
const server = createServer((request, response) => {
  offer(request, response, () => {
    response.setHeader('ETag', '"1"')
    response.end(update)
  })
})
server.on('connection', (socket) => socket.on('close', () => (sent += socket.bytesWritten)))
server.listen(0, '::1')
const home = await mkdtemp(join(tmpdir(), 'peernet-example-'))
// On a network `discovery: true` lets them find each other.
const [ada, bob] = await Promise.all(
  ['ada', 'bob'].map((name) => createContentPeer({ cache: join(home, name), host: '::1' })),
)
if (ada === undefined || bob === undefined) throw new Error('two peers were made')
const url = `http://[::1]:${(server.address() as AddressInfo).port}/update`

const first = await ada.fetch(url)
console.log(`Ada has ${(await first.bytes()).length} bytes`)
await first.kept // the server made the hashes meanwhile; now Ada's cache has the blocks
const second = await bob.fetch(url, { peers: [`[::1]:${ada.port}`] })
const same = update.equals(await second.bytes())
console.log(`Bob has the same: ${same}, ${second.shares.peers} bytes came from peers`)

await Promise.all([ada.close(), bob.close()])
server.closeAllConnections()
await new Promise((resolve) => server.close(resolve))
await rm(home, { recursive: true })
console.log(`the server sent it ${Math.round(sent / update.length)} time`)
