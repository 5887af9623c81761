// The least that an HTTP tracker of BitTorrent has to do (BEP 3, BEP 23), for aria2.
import { createServer } from 'node:http'

/** `onSeed` is called when somebody says that nothing is left to fetch. */
export async function startTracker(host: string, port: number, onSeed: () => void): Promise<void> {
  const peers = new Map<string, Buffer>()
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '/', 'http://tracker').searchParams
    const address = (request.socket.remoteAddress ?? '').replace('::ffff:', '')
    const at = Number(query.get('port'))
    const name = `${address}:${at}`
    const others = [...peers].filter(([other]) => other !== name).map(([, compact]) => compact)
    const numbers = address.split('.').map(Number)
    peers.set(name, Buffer.from([...numbers, at >> 8, at & 255]))
    if (query.get('left') === '0') onSeed()
    const list = Buffer.concat(others)
    const start = `d8:intervali2e12:min intervali2e5:peers${list.length}:`
    response.end(Buffer.concat([Buffer.from(start), list, Buffer.from('e')]))
  })
  await new Promise<void>((resolve) => server.listen(port, host, resolve))
}
