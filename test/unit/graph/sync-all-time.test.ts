import * as assert from 'uvu/assert'
import { guid } from '#lib/core/guid.js'
import { minutes } from '#lib/core/instant.js'
import { RECORD_TYPE } from '#lib/graph/constants.js'
import { GraphDatabase } from '#lib/graph/database.js'
import type { Guid } from '#lib/core/guid.js'
import { md5 } from '#lib/native/digest.js'
import { encodeGraphMessage } from '#lib/wire/graph/codec.js'
import { APP_TYPE, OTHER_TYPE, record, SECOND, T0, tombstone } from '../../support/graph-records.js'
import { settle, TestNode } from '../../support/graph-node.js'
import { member, newcomer, series, sentOf } from '../../support/graph-sync.js'
import { test } from '../../harness.js'

test('G-174 G-123 G-124 G-125 Sync All asks for one type after the other, then for the rest', () => {
  const first = guid('cccccccc-0000-0000-0000-000000000003')
  const creator = new TestNode()
  for (const each of series(3)) creator.database.put(each)
  creator.database.put(record({ type: first, creationTime: T0 + 1n }))
  const joiner = newcomer({ prioritizedTypes: [first] })
  joiner.connect(creator)
  settle(joiner, creator)

  const solicits = sentOf(joiner, 'SOLICIT_NEW')
  const one = (type: Guid) => ({ inclusions: [type], exclusions: [] })
  assert.equal(
    solicits.map(({ inclusions, exclusions }) => ({ inclusions, exclusions })),
    [
      one(RECORD_TYPE.graphInfo),
      one(RECORD_TYPE.presence),
      one(first),
      { inclusions: [], exclusions: [RECORD_TYPE.graphInfo, RECORD_TYPE.presence, first] },
    ],
  )
  assert.equal(joiner.takeSent(), Array<string>(4).fill('SOLICIT_NEW'))
  // G-108, G-109: floods, and one final SYNC_END for each.
  const answers = ['SYNC_END', 'SYNC_END', 'FLOOD', 'SYNC_END', 'FLOOD x3', 'SYNC_END']
  assert.equal(creator.takeSent(), answers)
  assert.equal(joiner.contents, creator.contents)
  assert.not(joiner.context.neverConnected)
  const told = joiner.takeEvents().filter(({ type }) => type === 'synchronized')
  assert.equal(told, [
    { type: 'synchronized', recordType: RECORD_TYPE.graphInfo },
    { type: 'synchronized', recordType: RECORD_TYPE.presence },
    { type: 'synchronized', recordType: first },
    { type: 'synchronized' },
  ])
  assert.is(joiner.listener.synchronizedCount, 1)
})

test('G-108 G-109 G-110 SOLICIT_NEW is answered by included or not excluded types, and both', () => {
  const [a, b] = [record({ type: APP_TYPE }), record({ type: OTHER_TYPE })]
  const dead = tombstone(record({ type: OTHER_TYPE }), 2)
  const cases = [
    { inclusions: [APP_TYPE], exclusions: [], expected: [a] },
    { inclusions: [], exclusions: [APP_TYPE], expected: [b, dead] },
    // G-025 both empty: all. Tombstones belong to the database.
    { inclusions: [], exclusions: [], expected: [a, b, dead] },
    { inclusions: [RECORD_TYPE.contact], exclusions: [], expected: [] },
  ]
  for (const { expected, ...types } of cases) {
    const [asking, answering] = [member(), member([a, b, dead])]
    const link = asking.connect(answering, { start: false })
    asking.links.send(link, { type: 'SOLICIT_NEW', ...types })
    settle(asking, answering)
    assert.equal(asking.contents, member(expected).contents)
    const ends = sentOf(answering, 'SYNC_END')
    assert.equal(ends, [{ type: 'SYNC_END', final: true }])
    assert.is(answering.links.sent.at(-1)?.message.type, 'SYNC_END')
  }
})

test('G-025 G-029 each SOLICIT covers all types, those included, or all but those excluded, and ends with F', () => {
  const [a, b] = [record({ type: APP_TYPE }), record({ type: OTHER_TYPE })]
  const cases = [
    { inclusions: [], exclusions: [], expected: [a, b] },
    { inclusions: [OTHER_TYPE], exclusions: [], expected: [b] },
    { inclusions: [], exclusions: [OTHER_TYPE], expected: [a] },
  ]
  const since = { modificationTime: 0n }
  // One range over everything, with the hash of nothing.
  const ranges = [
    {
      hash: md5(new Uint8Array(0)),
      modificationTime: 1n << 62n,
      recordId: '\xff'.repeat(16) as Guid,
    },
  ]
  for (const { expected, ...types } of cases) {
    for (const solicit of [
      { type: 'SOLICIT_NEW', ...types },
      { type: 'SOLICIT_TIME', ...types, ...since },
      { type: 'SOLICIT_HASH', ...types, ranges },
    ] as const) {
      const [asking, answering] = [member(), member([a, b])]
      const link = asking.connect(answering, { start: false })
      asking.links.send(link, solicit)
      settle(asking, answering)
      if (solicit.type === 'SOLICIT_HASH') {
        const advertised = sentOf(answering, 'ADVERTISE').flatMap(({ abstracts }) => abstracts)
        assert.equal(advertised.map(({ id }) => id).sort(), expected.map(({ id }) => id).sort())
        continue
      }
      assert.equal(asking.contents, member(expected).contents, solicit.type)
      const ends = sentOf(answering, 'SYNC_END')
      assert.is(ends.length, 1, solicit.type)
      // 2.2.2.12: Flags at offset 8, F is 0x01.
      assert.equal(
        ends.map((end) => encodeGraphMessage(end)[8]),
        [1],
      )
    }
  }
})

test('G-111 SOLICIT_TIME is answered by records modified at that time or later', () => {
  for (const inclusions of [[APP_TYPE], []]) {
    const records = series(10)
    const [asking, answering] = [member(), member(records)]
    const link = asking.connect(answering, { start: false })
    const modificationTime = T0 + 4n * SECOND
    asking.links.send(link, { type: 'SOLICIT_TIME', inclusions, exclusions: [], modificationTime })
    settle(asking, answering)
    assert.equal(asking.contents, member(records.slice(4)).contents)
  }
})

test('who was killed before it noted when gets everything, and gives what only it has', () => {
  const shared = series(30)
  const [own, others] = [series(5, 100), series(7, 200)]
  const database = new GraphDatabase()
  for (const each of [...shared, ...own]) database.put(each)
  // Reopened within its first minute: the records are on its disk, the time is not.
  const killed = new TestNode({ creates: false, loaded: true, database })
  const stayed = member([...shared, ...others])
  killed.connect(stayed)
  settle(killed, stayed)
  assert.equal(stayed.contents, member([...shared, ...own, ...others]).contents)
  assert.equal(killed.contents, stayed.contents)
})

test('G-175 G-177 G-027 who comes back syncs by time from when it left, then by hash', () => {
  const old = series(30)
  const fresh = series(5, 100)
  const [back, stayed] = [
    member(old, { leftAt: T0 + 50n * SECOND }),
    member([...old, ...fresh], { leftAt: T0 + 110n * SECOND }),
  ]
  back.connect(stayed)
  settle(back, stayed)
  const solicits = sentOf(back, 'SOLICIT_TIME')
  assert.is(solicits.length, 3)
  for (const { modificationTime } of solicits) assert.is(modificationTime, T0 + 50n * SECOND)
  assert.is(sentOf(back, 'SOLICIT_HASH').length, 1)
  const expected = ['SYNC_END', 'SYNC_END', 'FLOOD x5', 'SYNC_END', 'ADVERTISE', 'SYNC_END']
  assert.equal(stayed.takeSent(), expected)
  assert.equal(back.contents, stayed.contents)
})

test('G-102 G-177 each further neighbour is compared by hash only', () => {
  const creator = new TestNode()
  for (const each of series(20)) creator.database.put(each)
  const [second, joiner] = [newcomer(), newcomer()]
  second.connect(creator)
  settle(second, creator)
  joiner.connect(creator)
  // While it is behind, further links wait: what is on its way is not asked for twice.
  joiner.connect(second)
  assert.equal(joiner.links.sent, [])
  settle(joiner, creator, second)
  const sent = joiner.takeSent()
  assert.equal(
    sent.filter((type) => type !== 'SOLICIT_NEW' && !type.startsWith('FLOOD')),
    ['SOLICIT_HASH', 'REQUEST'],
  )
  assert.equal(joiner.contents, creator.contents)
})

test('a node that is behind catches up on the next link when the first one ends', () => {
  const creator = new TestNode()
  for (const each of series(20)) creator.database.put(each)
  const [second, joiner] = [newcomer(), newcomer()]
  second.connect(creator)
  settle(second, creator)
  const link = joiner.connect(creator)
  joiner.connect(second)
  joiner.close(link)
  settle(joiner, creator, second)
  assert.equal(joiner.contents, creator.contents)
  assert.not(joiner.context.neverConnected)
})

test('attack: a neighbour that never answers does not keep a node from catching up', () => {
  const creator = new TestNode()
  for (const each of series(20)) creator.database.put(each)
  const [silent, joiner] = [new TestNode(), newcomer()]
  joiner.connect(silent)
  joiner.connect(creator)
  for (let waited = 0; waited < 5; waited++) {
    joiner.pass(minutes(1))
    settle(joiner, creator)
  }
  assert.equal(
    joiner.links.ended.map(({ link, end }) => [link.peer === silent, end]),
    [[true, 'timed-out']],
  )
  assert.equal(joiner.contents, creator.contents)
})

test('GA-33 a creator has never been behind once it has a neighbour', () => {
  const creator = new TestNode()
  assert.ok(creator.context.neverConnected)
  newcomer().connect(creator)
  assert.not(creator.context.neverConnected)
})

test.run()
