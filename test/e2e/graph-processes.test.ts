// test-limit: 120s
// Graph nodes in processes of their own, over TCP on ::1 (acceptance 1 of the graphing issue).
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { test } from '../harness.js'
import { GraphProgram, untilEqual } from '../support/graph-program.js'

const TYPE = '11111111-2222-3333-4444-555555555555'
const base = { graphId: 'processes', addresses: ['::1'] }

let home = ''
const started: GraphProgram[] = []

test.before(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'peernet-graph-'))
})
test.afterEach(async () => {
  const programs = started.splice(0)
  for (const program of programs) program.kill()
  await Promise.all(programs.map((program) => program.end()))
})
test.after(async () => {
  await rm(home, { recursive: true, force: true })
})

async function start(peerId: string, create = false): Promise<GraphProgram> {
  const directory = path.join(home, peerId)
  const program = await GraphProgram.start({ ...base, peerId, directory, create })
  started.push(program)
  return program
}

test('G-003 three processes publish, update, delete and expire, and hold the same bytes', async () => {
  const ada = await start('ada', true)
  const address = await ada.listen()
  const early = await ada.publish(TYPE, 'before anybody joined')
  const bob = await start('bob')
  await bob.join(address)
  const kept = await bob.publish(TYPE, 'by bob')
  // Long enough for the late joiner to see it, however slowly it starts.
  const short = await ada.publish(TYPE, 'for a moment', 8000)
  const doomed = await ada.publish(TYPE, 'to be deleted')
  // A late joiner has everything.
  const cyd = await start('cyd')
  await cyd.join(address)
  const all = [ada, bob, cyd]
  await untilEqual(all, (held) => held.some(({ id }) => id === early))
  assert.is(await cyd.does({ do: 'update', id: kept, text: 'changed by cyd' }), 2)
  await bob.does({ do: 'delete', id: doomed })
  for (const one of all) {
    // The scan of 3.1.6.7 runs every 15 s at most.
    await one.seesRecord('expired', short, 25_000)
    if (one !== bob) await one.seesRecord('deleted', doomed)
  }
  const held = await untilEqual(all, (records) => {
    const versions = new Map(records.map((record) => [record.id, record]))
    return versions.get(kept)?.version === 2 && versions.get(doomed)?.deleted === true
  })
  assert.ok(held.some(({ id, version }) => id === early && version === 1))
  assert.not.ok(held.some(({ id }) => id === short))
  for (const one of all) assert.is(await one.end(), 0)
})

test('a node that was away comes back with its own changes and gets those of others', async () => {
  const [ada, bob] = [await start('ada'), await start('bob')]
  const address = await ada.listen()
  // Written while alone: only the hash sync on coming back can move it.
  const alone = await bob.publish(TYPE, 'written off line')
  const meanwhile = await ada.publish(TYPE, 'written meanwhile')
  await bob.connect(address)
  await ada.seesRecord('added', alone)
  await bob.seesRecord('added', meanwhile)
  // The third has been away all the time, and joins through the second.
  const second = await bob.listen()
  const cyd = await start('cyd')
  await cyd.connect(second)
  await cyd.seesRecord('added', alone)
  await cyd.seesRecord('added', meanwhile)
  await untilEqual([ada, bob, cyd])
  for (const one of [ada, bob, cyd]) assert.is(await one.end(), 0)
})

test('a node that is killed comes back from its disk, with all that was acknowledged', async () => {
  const [ada, bob] = [await start('ada'), await start('bob')]
  await bob.connect(await ada.listen())
  const ids: string[] = []
  for (let i = 0; i < 20; i++) ids.push(await bob.publish(TYPE, `record ${i}`))
  bob.kill()
  await bob.end()
  const again = await start('bob')
  const own = new Set((await again.database()).map(({ id }) => id))
  assert.equal(
    ids.filter((id) => !own.has(id)),
    [],
  )
  const address = ((await ada.does({ do: 'addresses' })) as [string])[0]
  await again.connect(address)
  await untilEqual([ada, again], (held) => held.some(({ id }) => id === ids[19]))
  for (const one of [ada, again]) assert.is(await one.end(), 0)
})

test('two processes cannot open one database', async () => {
  const ada = await start('ada')
  const error = await start('ada').then(
    () => undefined,
    (reason: unknown) => String(reason),
  )
  assert.match(error ?? 'it opened', /ERR_PEERNET_STATE_LOCKED|in use by another process/)
  assert.is(await ada.end(), 0)
})

test.run()
