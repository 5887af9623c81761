// test-limit: 90s
// The library's graphs as an application uses them, on real sockets of ::1.
import { once } from 'node:events'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import * as assert from 'uvu/assert'
import {
  createGraph,
  deleteGraph,
  importGraph,
  openGraph,
  PeernetError,
  type CreateGraphOptions,
  type Graph,
  type GraphEvent,
  type OpenGraphOptions,
} from '#lib/index.js'
import { test } from '../harness.js'

const CHAT = '11111111-2222-3333-4444-555555555555'
const OTHER = '99999999-2222-3333-4444-555555555555'
const FILES = '22222222-2222-3333-4444-555555555555'

let home = ''
let names = 0
const open: Graph[] = []

test.before(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'peernet-library-'))
})
test.afterEach(async () => {
  await Promise.all(open.splice(0).map((graph) => graph.close()))
})
test.after(() => rm(home, { recursive: true, force: true }))

const fresh = (): string => path.join(home, `graph-${names++}`)

async function made(options: Partial<CreateGraphOptions> = {}): Promise<Graph> {
  const defaults = {
    graphId: 'library',
    peerId: 'ada',
    addresses: ['::1'],
    directory: false,
  } as const
  const graph = await createGraph({ ...defaults, ...options })
  open.push(graph)
  return graph
}

async function opened(options: Partial<OpenGraphOptions> = {}): Promise<Graph> {
  const defaults = {
    graphId: 'library',
    peerId: 'bob',
    addresses: ['::1'],
    directory: false,
  } as const
  const graph = await openGraph({ ...defaults, ...options })
  open.push(graph)
  return graph
}

/** A graph that listens, and others that have joined it. */
async function mesh(count: number): Promise<[Graph, ...Graph[]]> {
  const first = await made()
  await first.listen()
  const graphs: [Graph, ...Graph[]] = [first]
  for (let i = 1; i < count; i++) {
    const graph = await opened({ peerId: `peer-${i}` })
    await graph.join(first.addresses)
    graphs.push(graph)
  }
  return graphs
}

async function rejects(promise: Promise<unknown>, code: string): Promise<PeernetError> {
  try {
    await promise
  } catch (error) {
    assert.instance(error, PeernetError)
    assert.is((error as PeernetError).code, code)
    return error as PeernetError
  }
  throw new Error(`it was not rejected with ${code}`)
}

/** The next event of a kind; the stream stays open. */
async function event<T extends GraphEvent['type']>(
  stream: AsyncIterator<GraphEvent>,
  type: T,
  test: (event: Extract<GraphEvent, { type: T }>) => boolean = () => true,
): Promise<Extract<GraphEvent, { type: T }>> {
  for (;;) {
    const next = await stream.next()
    if (next.done === true) throw new Error(`the stream ended without ${type}`)
    const one = next.value as Extract<GraphEvent, { type: T }>
    if (one.type === type && test(one)) return one
  }
}

test('G-052 G-053 a graph is created with what it was given, or the defaults', async () => {
  const plain = await made()
  assert.equal(plain.properties, {
    graphId: 'library',
    creatorId: 'ada',
    friendlyName: '',
    comment: '',
    scope: 'global',
    deferExpiration: false,
    presenceLifetimeS: 300,
    maxPresenceRecords: 0xffff_ffff,
    maxRecordSize: 62_914_560,
  })
  // Graph Info is there at once (3.1.4.1).
  assert.is(plain.records({ internal: true }).length, 1)
  const chosen = await made({
    graphId: 'chosen',
    friendlyName: 'Chess club',
    comment: 'moves and talk',
    scope: 'site-local',
    presenceLifetimeS: 600,
    maxPresenceRecords: 20,
    maxRecordSize: 4096,
    deferExpiration: true,
  })
  assert.is(chosen.properties.friendlyName, 'Chess club')
  assert.is(chosen.properties.maxPresenceRecords, 20)
  assert.is(chosen.properties.scope, 'site-local')
  assert.match(chosen.nodeId, /^[0-9a-f]{16}$/)
  assert.is.not(chosen.nodeId, plain.nodeId)
})

test('G-044 what is out of range is refused before anything is made', async () => {
  const bad: Partial<CreateGraphOptions>[] = [
    { peerId: '' },
    { peerId: 'x'.repeat(256) },
    { graphId: 'a\0b' },
    { presenceLifetimeS: 299 },
    { maxRecordSize: 1023 },
    { maxRecordSize: 62_914_561 },
    { maxPresenceRecords: -1 },
    { friendlyName: 'x'.repeat(256) },
    { comment: 'x'.repeat(512) },
    { prioritizedTypes: ['no guid'] },
    { addresses: ['127.0.0.1'] },
  ]
  for (const options of bad) await rejects(made(options), 'ERR_PEERNET_INVALID_ARG')
  const elsewhere = { addresses: ['2001:db8::1'] }
  await rejects(made(elsewhere), 'ERR_PEERNET_NO_ADDRESS')
})

test('G-003 G-068 a graph listens on IPv6 alone, on the port wanted, and tells where', async () => {
  const graph = await made()
  assert.equal(graph.addresses, [])
  await graph.listen()
  const [address = ''] = graph.addresses
  assert.match(address, /^\[::1\]:\d+$/)
  assert.ok(graph.status.listening)
  await rejects(graph.listen(), 'ERR_PEERNET_INVALID_ARG')
  const port = Number(address.split(':').at(-1))
  const refused = connect(port, '127.0.0.1')
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException]
  assert.is(error.code, 'ECONNREFUSED')
  // Another graph of this process may share the port; the same one may not.
  const other = await made({ graphId: 'other' })
  await other.listen(port)
  assert.equal(other.addresses, [address])
  const same = await opened()
  await rejects(same.listen(port), 'ERR_PEERNET_PORT_IN_USE')
  const joiner = await opened({ graphId: 'other' })
  await joiner.join(graph.addresses)
  assert.is(joiner.neighbors()[0]?.peerId, 'ada')
})

test('G-073 records go to all, change, and go; events tell it by type', async () => {
  const [ada, bob, cyd] = (await mesh(3)) as [Graph, Graph, Graph]
  const chat = cyd.watch({ types: [CHAT] })
  const seenByBob = bob.watch({ types: [CHAT] })
  const published = await bob.publish({
    type: CHAT,
    payload: Buffer.from('good morning'),
    attributes: { room: 'lobby', priority: 3, at: new Date('2026-01-02T03:04:05Z') },
  })
  await bob.publish({ type: OTHER, payload: Buffer.from('nobody asked') })
  const added = await event(chat, 'record')
  assert.is(added.change, 'added')
  assert.is(added.local, false)
  assert.equal(added.record.toBytes(), published.toBytes())
  assert.is(Buffer.from(added.record.payload).toString(), 'good morning')
  assert.is(added.record.attribute('room'), 'lobby')
  assert.is(added.record.attribute('priority'), 3)
  assert.equal(added.record.attribute('at'), new Date('2026-01-02T03:04:05Z'))
  assert.is(added.record.creatorId, 'peer-1')
  assert.is(added.record.lastModifiedBy, undefined)
  const lifetime = added.record.expires.getTime() - added.record.created.getTime()
  assert.ok(Math.abs(lifetime - 86_400_000) < 1000)
  assert.equal(
    cyd.search({ attributes: { room: 'lobby', priority: { greater: 2 } } }).map(({ id }) => id),
    [published.id],
  )
  const changed = await cyd.update(published.id, { payload: Buffer.from('good evening') })
  assert.is(changed.version, 2)
  assert.is(changed.attribute('room'), 'lobby')
  assert.is((await event(chat, 'record')).change, 'updated')
  // Or he would delete the version before, at the same time.
  await event(seenByBob, 'record', (one) => one.change === 'updated')
  const seenByAda = ada.watch({ types: [CHAT] })
  await bob.deleteRecord(published)
  assert.is(
    (await event(seenByAda, 'record', (one) => one.change === 'deleted')).record.id,
    published.id,
  )
  assert.is(ada.get(published.id), undefined)
  assert.equal(ada.records({ type: CHAT }), [])
  assert.is(ada.records({ type: CHAT, deleted: true })[0]?.version, 3)
})

test('a large record comes as it was, whoever made its version', async () => {
  const [ada, bob] = (await mesh(2)) as [Graph, Graph]
  const seenByAda = ada.watch({ types: [CHAT] })
  const seenByBob = bob.watch({ types: [CHAT] })
  // Longer than what is copied in one turn.
  const payload = Uint8Array.from({ length: 1_500_001 }, (_, i) => i % 251)
  const { id } = await ada.publish({ type: CHAT, payload })
  await event(seenByBob, 'record')
  assert.ok(Buffer.from(bob.get(id)?.payload ?? []).equals(payload))
  await bob.update(id, { payload: payload.subarray(1) })
  await event(seenByAda, 'record', (one) => one.change === 'updated')
  assert.ok(Buffer.from(ada.get(id)?.payload ?? []).equals(payload.subarray(1)))
})

test('what an application does wrong is told with its code', async () => {
  const graph = await made({ maxRecordSize: 1024 })
  const publish = (changes: object): Promise<unknown> => graph.publish({ type: CHAT, ...changes })
  await rejects(publish({ type: 'chat' }), 'ERR_PEERNET_INVALID_ARG')
  await rejects(
    publish({ type: '00000100-0000-0000-0000-000000000000' }),
    'ERR_PEERNET_INVALID_RECORD',
  )
  await rejects(publish({ payload: new Uint8Array(1024) }), 'ERR_PEERNET_RECORD_SIZE')
  await rejects(publish({ expires: new Date(0) }), 'ERR_PEERNET_RECORD_EXPIRATION')
  await rejects(publish({ attributes: { 'no good': 'x' } }), 'ERR_PEERNET_INVALID_ARG')
  await rejects(publish({ attributes: '<attributes' }), 'ERR_PEERNET_INVALID_ATTRIBUTES')
  await rejects(publish({ attributes: { peerrecordid: 'x' } }), 'ERR_PEERNET_INVALID_ATTRIBUTES')
  for (const lifetimeMs of [0, -1, Infinity, Number.NaN]) {
    await rejects(publish({ lifetimeMs }), 'ERR_PEERNET_INVALID_ARG')
  }
  await rejects(publish({ expires: '2100-01-01' }), 'ERR_PEERNET_INVALID_ARG')
  await rejects(publish({ expires: new Date(8.64e15) }), 'ERR_PEERNET_INVALID_ARG')
  const id = '01234567-89ab-cdef-0123-456789abcdef'
  await rejects(graph.update(id, {}), 'ERR_PEERNET_RECORD_NOT_FOUND')
  await rejects(graph.deleteRecord(id), 'ERR_PEERNET_RECORD_NOT_FOUND')
  await rejects(graph.connect('nowhere'), 'ERR_PEERNET_INVALID_ARG')
  await rejects(graph.connect('[::1]:1'), 'ERR_PEERNET_CONNECT_FAILED')
  // This node listens on ::1 only: nobody has said yet on which link such addresses are.
  await rejects(graph.connect('[fe80::1]:1'), 'ERR_PEERNET_INVALID_ARG')
  await rejects(graph.connect('[fe80::1%nowhere0]:1'), 'ERR_PEERNET_INVALID_ARG')
  await rejects(graph.openDirect('0123456789abcdef'), 'ERR_PEERNET_CONNECT_FAILED')
  assert.throws(() => graph.watch({ events: ['recrod' as 'record'] }), /no such kind of event/)
  assert.throws(
    () => graph.search('<peersearch>'),
    (error: PeernetError) => {
      return error.code === 'ERR_PEERNET_INVALID_SEARCH'
    },
  )
  const aborted = AbortSignal.abort()
  await rejects(graph.publish({ type: CHAT, signal: aborted }), 'ERR_PEERNET_ABORTED')
  await graph.close()
  await rejects(graph.publish({ type: CHAT }), 'ERR_PEERNET_CLOSED')
  assert.is((await graph.watch().next()).done, true)
})

test('waiting ends when it is aborted', async () => {
  const graph = await opened()
  const controller = new AbortController()
  const waiting = graph.whenSynchronized({ signal: controller.signal })
  controller.abort(new Error('enough'))
  const error = await rejects(waiting, 'ERR_PEERNET_ABORTED')
  assert.is((error.cause as Error).message, 'enough')
  await rejects(graph.whenSynchronized({ timeoutMs: 1 }), 'ERR_PEERNET_TIMEOUT')
  // A listener that accepts and says nothing: the attempt ends with the signal.
  const silent = await made({ graphId: 'silent' })
  await silent.listen()
  const connecting = graph.connect(silent.addresses[0] as string, {
    signal: AbortSignal.timeout(50),
  })
  await connecting.then(
    () => {
      throw new Error('another graph took it in')
    },
    (reason: PeernetError) => {
      assert.ok(['ERR_PEERNET_ABORTED', 'ERR_PEERNET_CONNECT_FAILED'].includes(reason.code))
    },
  )
})

test('nodes, neighbours, status and properties are those of the graph', async () => {
  const [ada, bob] = (await mesh(2)) as [Graph, Graph]
  assert.equal(bob.status, { listening: true, connected: true, synchronized: true })
  const [neighbor] = bob.neighbors()
  assert.is(neighbor?.nodeId, ada.nodeId)
  assert.is(neighbor?.peerId, 'ada')
  assert.equal(neighbor?.addresses, ada.addresses)
  const seen = bob.watch({ events: ['node', 'properties'] })
  await ada.setNodeAttributes({ mood: 'cheerful' })
  const node = await event(seen, 'node', (one) => one.node.nodeId === ada.nodeId)
  assert.is(node.node.attributes[0]?.value, 'cheerful')
  assert.equal(
    bob
      .nodes()
      .map(({ peerId }) => peerId)
      .sort(),
    ['ada', 'peer-1'],
  )
  await ada.setProperties({ friendlyName: 'Renamed' })
  const changed = await event(seen, 'properties')
  assert.is(changed.properties.friendlyName, 'Renamed')
  await rejects(bob.setProperties({ comment: 'mine' }), 'ERR_PEERNET_NOT_AUTHORIZED')
})

test('a direct connection is a stream in both directions, and carries typed data', async () => {
  const [ada, bob] = (await mesh(2)) as [Graph, Graph]
  const refused = await rejects(bob.openDirect(ada.nodeId), 'ERR_PEERNET_CONNECT_FAILED')
  assert.ok(refused.message.length > 0)
  const incoming = ada.directConnections()
  const out = await bob.openDirect(ada.nodeId)
  const { value: into } = (await incoming.next()) as { value: typeof out }
  assert.is(into.peerId, 'peer-1')
  assert.is(into.incoming, true)
  const bytes = Buffer.alloc(3_000_000, 'direct ')
  const closed = once(into, 'close')
  const arrived = buffer(into)
  Readable.from([bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)]).pipe(out)
  assert.ok((await arrived).equals(bytes))
  await closed
  const again = await bob.openDirect(ada.addresses[0] as string)
  const { value: other } = (await incoming.next()) as { value: typeof out }
  const message = once(other, 'message')
  await again.send(FILES, Buffer.from('typed'))
  const [told] = (await message) as [{ dataType: string; data: Uint8Array }]
  assert.is(told.dataType, FILES)
  assert.is(Buffer.from(told.data).toString(), 'typed')
  other.write('and back')
  const [chunk] = (await once(again, 'data')) as [Buffer]
  assert.is(chunk.toString(), 'and back')
  const over = once(again, 'close')
  await ada.close()
  await over
})

test('a reader who does not read stops the writer, and gets all in the end', async () => {
  const [ada, bob] = (await mesh(2)) as [Graph, Graph]
  const incoming = ada.directConnections()
  const out = await bob.openDirect(ada.nodeId)
  const { value: into } = (await incoming.next()) as { value: typeof out }
  const chunk = Buffer.alloc(1_000_000, 7)
  let written = 0
  const total = 40
  const writing = (async () => {
    for (let i = 0; i < total; i++) {
      if (!out.write(chunk)) await once(out, 'drain')
      written++
    }
    out.end()
  })()
  // Long enough for the buffers of the system to fill.
  let before = -1
  while (before !== written) {
    before = written
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  assert.ok(written < total, `${written} MB were taken in by a reader who reads nothing`)
  let received = 0
  into.on('data', (data: Buffer) => (received += data.length))
  const end = once(into, 'end')
  await writing
  await end
  assert.is(received, total * 1_000_000)
})

test('G-057 G-058 a database is there again after closing, by a new node', async () => {
  const directory = fresh()
  const first = await made({ directory, friendlyName: 'Kept' })
  const { id } = await first.publish({
    type: CHAT,
    payload: Buffer.from('kept'),
    autorefresh: true,
  })
  const { nodeId } = first
  await first.listen()
  await first.close()
  const again = await opened({ directory, peerId: 'ada' })
  assert.is(again.properties.friendlyName, 'Kept')
  assert.is(again.properties.creatorId, 'ada')
  assert.is(Buffer.from(again.get(id)?.payload ?? []).toString(), 'kept')
  assert.is.not(again.nodeId, nodeId)
  // Presence and signature of the old node are not loaded.
  const internal = again.records({ internal: true }).filter(({ type }) => type.startsWith('00000'))
  assert.equal(
    internal.map(({ type }) => type),
    ['00000100-0000-0000-0000-000000000000'],
  )
  await rejects(opened({ directory, peerId: 'ada' }), 'ERR_PEERNET_STATE_LOCKED')
  await rejects(made({ directory }), 'ERR_PEERNET_GRAPH_EXISTS')
  await again.close()
  await rejects(opened({ directory, peerId: 'bob' }), 'ERR_PEERNET_INVALID_DATABASE')
  await deleteGraph({ graphId: 'library', peerId: 'ada', directory })
  await rejects(
    deleteGraph({ graphId: 'library', peerId: 'ada', directory }),
    'ERR_PEERNET_GRAPH_NOT_FOUND',
  )
})

test('a graph is exported, imported elsewhere, and damage and strangers are refused', async () => {
  const file = path.join(home, 'export.peernet')
  const source = await made({ directory: fresh(), friendlyName: 'Moved' })
  const { id } = await source.publish({ type: CHAT, payload: Buffer.from('exported') })
  await source.exportDatabase(file)
  await source.update(id, { payload: Buffer.from('newer') })
  // What is here and newer stays.
  await source.importDatabase(file)
  assert.is(Buffer.from(source.get(id)?.payload ?? []).toString(), 'newer')
  await source.listen()
  await rejects(source.importDatabase(file), 'ERR_PEERNET_GRAPH_IN_USE')
  await source.close()
  const directory = fresh()
  const copy = await importGraph(file, {
    ...{ graphId: 'library', peerId: 'ada', addresses: ['::1'], directory },
  })
  open.push(copy)
  assert.is(copy.properties.friendlyName, 'Moved')
  assert.is(Buffer.from(copy.get(id)?.payload ?? []).toString(), 'exported')
  const stranger = await opened({ graphId: 'another' })
  await rejects(stranger.importDatabase(file), 'ERR_PEERNET_INVALID_DATABASE')
  const bytes = readFileSync(file)
  for (const damage of [
    () => {
      writeFileSync(file, bytes.subarray(0, bytes.length - 1))
    },
    () => {
      const flipped = Buffer.from(bytes)
      flipped[100] = (flipped[100] as number) ^ 1
      writeFileSync(file, flipped)
    },
    () => {
      writeFileSync(file, bytes)
      appendFileSync(file, 'x')
    },
    () => {
      writeFileSync(file, 'something else altogether, and long enough to be a header')
    },
  ]) {
    damage()
    await rejects(copy.importDatabase(file), 'ERR_PEERNET_INVALID_DATABASE')
  }
  assert.is(Buffer.from(copy.get(id)?.payload ?? []).toString(), 'exported')
})

test('G-074 closing takes the node out of the graph, is idempotent, and frees the port', async () => {
  const [ada, bob] = (await mesh(2)) as [Graph, Graph]
  const leaving = ada.watch({ events: ['node', 'neighbor'] })
  const [address] = bob.addresses as [string]
  const start = performance.now()
  await Promise.all([bob.close(), bob.close()])
  assert.ok(performance.now() - start < 1800, 'nobody had to be waited for')
  const gone = await event(leaving, 'neighbor', (one) => one.change === 'disconnected')
  assert.is(gone.end, 'leaving')
  assert.not.ok(ada.nodes().some(({ peerId }) => peerId === 'peer-1'))
  const next = await made({ graphId: 'next' })
  await next.listen(Number(address.split(':').at(-1)))
  {
    await using scoped = await made({ graphId: 'scoped' })
    assert.not.ok(scoped.closed)
  }
})

test('strangers who say nothing, or nonsense, cost no more than a connection', async () => {
  const graph = await made()
  await graph.listen()
  const port = Number((graph.addresses[0] as string).split(':').at(-1))
  const silent = connect(port, '::1')
  await once(silent, 'connect')
  const nonsense = connect(port, '::1')
  nonsense.on('error', () => {})
  nonsense.write(Buffer.alloc(4096, 0xff))
  await once(nonsense, 'close')
  // Nobody is told that a graph of another name is not here (3.1.5.1.1).
  const other = await opened({ graphId: 'unknown here' })
  await rejects(other.connect(graph.addresses[0] as string), 'ERR_PEERNET_CONNECT_FAILED')
  const bob = await opened()
  await bob.join(graph.addresses)
  await graph.close()
  silent.destroy()
})

test.run()
