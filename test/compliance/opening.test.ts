// What MS-PNRP says of ports, for all three transports.
import * as assert from 'uvu/assert'
import type { PeernetError } from '#lib/core/errors.js'
import { DgramTransport } from '#lib/io/udp-dgram.js'
import { NativeTransport } from '#lib/io/udp-native.js'
import { test } from '../harness.js'
import { loopback } from '../helpers/inbox.js'
import { codeOf, ignore, local, type Make } from './support.js'

const makers: readonly Make[] = [
  () => new NativeTransport('native'),
  () => new NativeTransport('portable'),
  () => new DgramTransport(),
]

test('PNRP-2.1-2 binds ports from 1025 on, the lower ones not even on request', async () => {
  for (const make of makers) await checkPorts(make)
})

async function checkPorts(make: Make): Promise<void> {
  const transport = make()
  const port = await transport.open(local, ignore)
  assert.ok(port.port >= 1025 && port.port <= 65_535)
  assert.equal(port.address, loopback)
  assert.is(port.closed, false)
  port.close()
  for (const number of [1, 80, 1023, 1024, -1, 65_536, 3540.5, Number.NaN]) {
    const options = { address: loopback, port: number }
    assert.is(await codeOf(transport.open(options, ignore)), 'ERR_PEERNET_INVALID_ARG')
  }
}

test('PNRP-3.1.4.1-6 an address and port pair is bound once; the error says what to do', async () => {
  for (const make of makers) await checkTaken(make)
})

async function checkTaken(make: Make): Promise<void> {
  const transport = make()
  const first = await transport.open(local, ignore)
  const again = transport.open({ address: loopback, port: first.port }, ignore)
  const error = (await again.catch((reason: unknown) => reason)) as PeernetError
  assert.is(error.code, 'ERR_PEERNET_PORT_IN_USE')
  assert.match(error.message, new RegExp(`port ${first.port} on ::1.*choose another`))
  assert.is((error.cause as { code: string }).code, 'EADDRINUSE')
  first.close()
}

test.run()
