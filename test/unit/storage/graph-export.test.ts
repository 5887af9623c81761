// Exports of graph databases that are whole, but not what an honest node writes.
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { PeernetError } from '#lib/core/errors.js'
import { readGraphExport } from '#lib/storage/graph-export.js'
import { test } from '../../harness.js'

let home = ''
test.before(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'peernet-export-'))
})
test.after(() => rm(home, { recursive: true, force: true }))

const identity = { graphId: 'g1', peerId: 'ada', stringOrder: 'big-endian', properties: {} }

/** A file with this header and body, and the right checksum. */
async function fileOf(header: unknown, body: Uint8Array = Buffer.alloc(0)): Promise<string> {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const prefix = Buffer.alloc(16)
  prefix.write('PEERNETG', 'latin1')
  prefix.writeUInt32BE(1, 8)
  prefix.writeUInt32BE(json.length, 12)
  const content = Buffer.concat([prefix, json, body])
  const file = path.join(home, 'export')
  await writeFile(file, Buffer.concat([content, createHash('sha256').update(content).digest()]))
  return file
}

test('attack, exports that lie: each is refused, and none breaks the reader', async () => {
  const withProperties = (properties: object): object => ({
    identity: { ...identity, properties },
    records: 0,
  })
  const withClock = (clock: object): object => ({ identity, records: 0, clock })
  const lies: readonly (readonly [unknown, Uint8Array?])[] = [
    ['null'],
    ['{"records":1'],
    [{}],
    [{ identity: null, records: 0 }],
    [{ identity: { ...identity, graphId: 5 }, records: 0 }],
    [{ identity: { ...identity, peerId: '' }, records: 0 }],
    [{ identity: { ...identity, peerId: 'x'.repeat(256) }, records: 0 }],
    [{ identity: { ...identity, stringOrder: 'sideways' }, records: 0 }],
    [{ identity: { ...identity, properties: null }, records: 0 }],
    [{ identity: { ...identity, security: {} }, records: 0 }],
    [withProperties({ scope: 'everywhere' })],
    [withProperties({ presenceLifetimeS: 'long' })],
    [withProperties({ presenceLifetimeS: -300 })],
    [withProperties({ maxRecordSize: 1e12 })],
    [withProperties({ maxPresenceRecords: 0.5 })],
    [withProperties({ deferExpiration: 1 })],
    [withProperties({ comment: 'x'.repeat(512) })],
    [withClock({ peerTimeDelta: '1' + '0'.repeat(40), leftAt: '0' })],
    [withClock({ peerTimeDelta: '0', leftAt: 'soon' })],
    [withClock({})],
    [{ identity, records: 1 }],
    [{ identity, records: 1e15 }, Buffer.alloc(100)],
    [{ identity, records: -1 }, Buffer.alloc(100)],
    [{ identity, records: 0 }, Buffer.alloc(1)],
    [{ identity, records: 1 }, Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3])],
  ]
  for (const [header, body] of lies) {
    const file = await fileOf(header, body)
    const error = await readGraphExport(file).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    assert.instance(error, PeernetError, `taken: ${JSON.stringify(header)}`)
    assert.is((error as PeernetError).code, 'ERR_PEERNET_INVALID_DATABASE')
  }
  const good = await readGraphExport(await fileOf({ identity, records: 0 }))
  assert.equal(good.identity, identity)
})

test.run()
