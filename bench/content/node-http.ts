// The baseline of the content benchmark: node:http, the leech with SHA-256 and in a file.
//   node node-http.js seed FILE
//   node node-http.js leech PORT OUT
// Prints READY and its port, or DONE; stays until its standard input ends.
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

const HOST = '::1'
const [role, first = '', out = ''] = process.argv.slice(2)

if (role === 'seed') {
  const server = http.createServer((_, response) => {
    createReadStream(first).pipe(response)
  })
  server.listen(0, HOST, () => {
    process.stdout.write(`READY ${(server.address() as AddressInfo).port}\n`)
  })
} else {
  const hash = createHash('sha256')
  http.get({ host: HOST, port: Number(first) }, (response) => {
    response.on('data', (part: Buffer) => hash.update(part))
    response.pipe(createWriteStream(out)).on('finish', () => {
      process.stdout.write(`DONE ${hash.digest('hex')}\n`)
    })
  })
}
process.stdin.on('end', () => process.exit(0)).resume()
