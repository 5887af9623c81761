import * as assert from 'uvu/assert'
import { RECORD_TYPE } from '#lib/graph/constants.js'
import { DEFAULT_GRAPH_DIALECT } from '#lib/graph/dialect.js'
import { restoreDatabase } from '#lib/graph/restore.js'
import { encodeContact } from '#lib/wire/graph/payloads.js'
import { TestNode } from '../../support/graph-node.js'
import { HOUR, record, SECOND, T0, tombstone } from '../../support/graph-records.js'
import { test } from '../../harness.js'

const RULES = { graphId: 'g1', maxRecordSize: 1024, dialect: DEFAULT_GRAPH_DIALECT }

test('G-057 stored records are validated; presence, signature and contact are left out', () => {
  const [live, flagged, dead] = [record(), record(), tombstone(record(), 2)]
  const contact = record({
    type: RECORD_TYPE.contact,
    payload: encodeContact({ signature: 1n, nodeId: 1n, addresses: [] }),
  })
  const stored = [
    { record: live, autorefresh: false },
    { record: flagged, autorefresh: true },
    { record: dead, autorefresh: false },
    { record: contact, autorefresh: true },
    { record: record({ graphId: 'g2' }), autorefresh: false },
    { record: record({ payload: new Uint8Array(1025) }), autorefresh: false },
  ]
  const { database, refused } = restoreDatabase(stored, RULES)
  assert.equal([...database].map(({ id }) => id).sort(), [live.id, flagged.id, dead.id].sort())
  assert.ok(database.autorefreshes(flagged.id))
  assert.not(database.autorefreshes(live.id))
  assert.equal(refused, { 'not-persisted': 1, 'graph-id': 1, size: 1 })
})

test('G-057 the provider judges stored records, too; what finds no room is counted', () => {
  const records = Array.from({ length: 5 }, () => ({ record: record(), autorefresh: false }))
  const security = {
    name: 'test',
    maxFrame: 16_348,
    openSession: () => {
      throw new Error('not here')
    },
    validate: (each: { id: string }) =>
      each.id === records[0]?.record.id ? ('defer' as const) : ('valid' as const),
    secure: () => undefined,
  }
  const { database, refused } = restoreDatabase(records, RULES, {
    security,
    limits: { records: 3 },
  })
  assert.is(database.size, 3)
  assert.equal(refused, { 'not-valid': 1, 'no-room': 1 })
})

test('G-059 what expired while the graph was closed goes with the first scan', () => {
  const gone = record({ expirationTime: T0 + SECOND })
  const stays = record({ expirationTime: T0 + 2n * HOUR })
  const { database } = restoreDatabase(
    [gone, stays].map((each) => ({ record: each, autorefresh: false })),
    RULES,
  )
  const node = new TestNode({ database, creates: false, loaded: true })
  node.setPeerTime(T0 + HOUR)
  node.records.start()
  node.pass(0)
  assert.equal([...database], [stays])
  assert.not(node.context.neverConnected)
})

test.run()
