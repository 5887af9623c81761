// Two clouds of one process on ::1, asked by a plain datagram socket: each listens on its own
// endpoint, and a message concerns the cloud at whose endpoint it arrived.
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import * as assert from 'uvu/assert'
import { fromHex } from '#lib/core/bytes.js'
import { parseEndpoint } from '#lib/core/address-text.js'
import { openCloud, PeernetError, type Cloud } from '#lib/index.js'
import { decodeAuthorityBuffer, decodeMessage, encodeMessage } from '#lib/wire/codec.js'
import { test } from '../harness.js'

/** Asks the node at this endpoint whether the ID is registered there. */
async function isRegistered(socket: Socket, node: string, pnrpId: Uint8Array): Promise<boolean> {
  const inquire = encodeMessage({
    type: 'INQUIRE',
    messageId: 1,
    wantCpa: false,
    wantExtendedPayload: false,
    wantCertificateChain: false,
    validatePnrpId: pnrpId,
  })
  socket.send(inquire, parseEndpoint(node)?.port as number, '::1')
  const [bytes] = (await once(socket, 'message')) as [Buffer]
  const decoded = decodeMessage(new Uint8Array(bytes))
  assert.ok(decoded.ok && decoded.message.type === 'AUTHORITY')
  if (!decoded.ok || decoded.message.type !== 'AUTHORITY') return false
  const authority = decodeAuthorityBuffer(decoded.message.buffer)
  return authority.ok && !authority.buffer.notFound
}

test('PNRP-3.1.4.1-8 PNRP-3.1.5.2-3 an open cloud listens, and a datagram is for the cloud that it was sent to', async () => {
  const options = { addresses: ['::1'], port: 0, ssdp: false, stateDirectory: false } as const
  const clouds: Cloud[] = []
  const socket = createSocket('udp6')
  try {
    clouds.push(await openCloud(options), await openCloud(options))
    const [first, second] = clouds as [Cloud, Cloud]
    const { pnrpId } = await first.register('0.sockets', {
      endpoints: [{ address: '::1', port: 4000 }],
    })
    const id = fromHex(pnrpId as string) as Uint8Array
    socket.bind(0, '::1')
    await once(socket, 'listening')
    assert.ok(await isRegistered(socket, first.endpoints[0] as string, id))
    assert.not(await isRegistered(socket, second.endpoints[0] as string, id))
  } finally {
    socket.close()
    await Promise.all(clouds.map((cloud) => cloud.close()))
  }
})

test('PNRP-3.1.4.1-6 PNRP-2.1-2 no cloud gets an endpoint of another, or a port below 1025', async () => {
  const options = { addresses: ['::1'], ssdp: false, stateDirectory: false } as const
  const codeOf = async (port: number): Promise<string> => {
    try {
      await (await openCloud({ ...options, port })).close()
      return 'opened'
    } catch (error) {
      return error instanceof PeernetError ? error.code : String(error)
    }
  }
  const first = await openCloud({ ...options, port: 0 })
  try {
    const port = parseEndpoint(first.endpoints[0] as string)?.port as number
    assert.ok(port >= 1025)
    assert.is(await codeOf(port), 'ERR_PEERNET_PORT_IN_USE')
    for (const low of [1, 1023, 1024]) assert.is(await codeOf(low), 'ERR_PEERNET_INVALID_ARG')
  } finally {
    await first.close()
  }
})

test.run()
