// Node's http client opens host names under pnrp.net through a cloud.
import { promises as dns } from 'node:dns'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import * as assert from 'uvu/assert'
import type { PeernetError } from 'peernet'
import { createLookup, openCloud, PeerIdentity, peerNameToHostName, type Cloud } from 'peernet'
import { suite } from '../harness.js'

const test = suite('lookup')
const server = createServer((_request, response) => response.end('hello from the publisher'))
let publisher: Cloud
let client: Cloud
let port = 0

test.before(async () => {
  server.listen(0, '::1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
  publisher = await openCloud({ addresses: ['::1'], port: 0 })
  await publisher.register('0.test', { endpoints: [{ address: '::1', port }] })
  client = await openCloud({ addresses: ['::1'], port: 0, seeds: publisher.endpoints })
  await client.whenJoined()
})

test.after(async () => {
  server.close()
  await Promise.all([publisher.close(), client.close()])
})

async function fetchText(
  host: string,
  options: Parameters<typeof createLookup>[1] = {},
): Promise<string> {
  const request = get(`http://${host}:${port}/`, {
    lookup: createLookup(client, options),
    agent: false,
  })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return text(response)
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}

test('http://test.pnrp.net/ reaches the publisher of 0.test', async () => {
  assert.is(await fetchText('test.pnrp.net'), 'hello from the publisher')
})

test('a secure name does, by its long host name', async () => {
  const identity = await PeerIdentity.create()
  const name = identity.peerName('web')
  const registration = await publisher.register(name, { endpoints: [{ address: '::1', port }] })
  assert.is(await fetchText(peerNameToHostName(name)), 'hello from the publisher')
  await registration.close()
})

test('a name that nobody publishes fails with its code, and unsecured ones can be refused', async () => {
  const missing = await failure(fetchText('missing.pnrp.net'))
  assert.is((missing as PeernetError).code, 'ERR_PEERNET_NAME_NOT_FOUND')
  const refused = await failure(fetchText('test.pnrp.net', { unsecured: false }))
  assert.is((refused as PeernetError).code, 'ERR_PEERNET_NOT_AUTHORIZED')
})

test('other host names are looked up as usual', async () => {
  const wanted = await dns.lookup('localhost', { all: true })
  const found = await new Promise((resolve, reject) => {
    createLookup(client)('localhost', { all: true }, (error, addresses) => {
      if (error === null) resolve(addresses)
      else reject(error)
    })
  })
  assert.equal(found, wanted)
})

test.run()
