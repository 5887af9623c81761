// How many clouds a daemon keeps open. The clouds are stand-ins: only the bookkeeping counts.
import * as assert from 'uvu/assert'
import { NamingService } from '#lib/daemon/service.js'
import type { Cloud, OpenCloudOptions } from 'peernet'
import { test } from '../../harness.js'

function service(): { service: NamingService; open: Set<number>; named: Set<number> } {
  const open = new Set<number>()
  const named = new Set<number>()
  const openCloud = ({ port = 0 }: OpenCloudOptions): Promise<Cloud> => {
    open.add(port)
    const cloud = {
      get registrations() {
        return named.has(port) ? ['a name'] : []
      },
      flushCache: () => {},
      close: () => Promise.resolve(open.delete(port)),
    }
    return Promise.resolve(cloud as unknown as Cloud)
  }
  const ports = { openCloud, signer: () => Promise.resolve(), version: '1', log: () => {} }
  return { service: new NamingService(ports, { addresses: ['::1'], port: 2000 }), open, named }
}

test('one cloud more than there may be closes the one that was idle for longest', async () => {
  const { service: daemon, open, named } = service()
  const use = (port: number): Promise<unknown> => daemon.call('cloud.flush', { port })
  for (let port = 2000; port < 2032; port++) await use(port)
  assert.is(open.size, 32)
  named.add(2001)
  await use(2002)
  for (let port = 3000; port < 3003; port++) await use(port)
  assert.is(open.size, 32)
  // 2000 is the daemon's own, 2001 has a name, 2002 was used just now.
  for (const port of [2000, 2001, 2002, 2006, 3000, 3002]) assert.ok(open.has(port), `${port}`)
  for (const port of [2003, 2004, 2005]) assert.not.ok(open.has(port), `${port}`)
})

test('clouds with names are never closed for others', async () => {
  const { service: daemon, open, named } = service()
  for (let port = 2000; port < 2032; port++) {
    named.add(port)
    await daemon.call('cloud.flush', { port })
  }
  const refused = await daemon.call('cloud.flush', { port: 3000 }).catch((error: unknown) => error)
  assert.match(String((refused as { code?: unknown }).code), /ERR_PEERNET_LIMIT/)
  assert.is(open.size, 32)
})

test.run()
