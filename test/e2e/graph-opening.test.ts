// What opening a graph takes (MS-PPGRH 3.1.4.2), through the library.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import {
  createGraph,
  deleteGraph,
  importGraph,
  openGraph,
  PeernetError,
  type Graph,
  type OpenGraphOptions,
} from '#lib/index.js'
import { ProcessRuntime } from '#lib/runtime/process-runtime.js'
import { test } from '../harness.js'
import { XorProvider } from '../support/xor-provider.js'

const CHAT = '11111111-2222-3333-4444-555555555555'

async function rejects(promise: Promise<unknown>, code: string): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.instance(error, PeernetError)
  assert.is((error as PeernetError).code, code)
}

/** A signal that is aborted when it is looked at for the second time: the database is there. */
function abortedLater(looks = 1): AbortSignal {
  const signal = AbortSignal.abort()
  let left = looks
  return new Proxy(signal, {
    get: (target, name) =>
      name === 'aborted' ? left-- <= 0 : (Reflect.get(target, name, target) as unknown),
  })
}

function text(graph: Graph, id: string): string {
  return Buffer.from(graph.get(id)?.payload ?? []).toString()
}

test('G-056 a graph is opened with its ID, its user and its security provider, and no other', async () => {
  const home = await mkdtemp(path.join(tmpdir(), 'peernet-opening-'))
  const directory = path.join(home, 'graph')
  const file = path.join(home, 'graph.export')
  const security = new XorProvider()
  const another = Object.assign(new XorProvider(), { name: 'another' })
  const ada = { graphId: 'opening', peerId: 'ada', addresses: ['::1'], directory }
  const open: Graph[] = []
  try {
    const first = await createGraph({ ...ada, security })
    const { id } = await first.publish({ type: CHAT, payload: Buffer.from('kept') })
    await first.exportDatabase(file)
    await first.close()
    await rejects(openGraph(ada), 'ERR_PEERNET_INVALID_DATABASE')
    await rejects(openGraph({ ...ada, security: another }), 'ERR_PEERNET_INVALID_DATABASE')
    await rejects(openGraph({ ...ada, security, peerId: 'bob' }), 'ERR_PEERNET_INVALID_DATABASE')
    await rejects(openGraph({ ...ada, security, graphId: 'x' }), 'ERR_PEERNET_INVALID_DATABASE')
    await rejects(openGraph({ ...ada, security, peerId: '' }), 'ERR_PEERNET_INVALID_ARG')
    await rejects(deleteGraph({ ...ada, graphId: 'x' }), 'ERR_PEERNET_INVALID_DATABASE')
    await rejects(deleteGraph({ ...ada, peerId: 'bob' }), 'ERR_PEERNET_INVALID_DATABASE')
    const elsewhere = { ...ada, directory: path.join(home, 'elsewhere') }
    await rejects(importGraph(file, elsewhere), 'ERR_PEERNET_INVALID_DATABASE')
    // None of them has changed anything.
    const again = await openGraph({ ...ada, security })
    open.push(again)
    assert.is(text(again, id), 'kept')
    const copy = await importGraph(file, { ...elsewhere, security })
    open.push(copy)
    assert.is(text(copy, id), 'kept')
  } finally {
    await Promise.all(open.map((graph) => graph.close()))
    await rm(home, { recursive: true, force: true })
  }
})

test('G-005 a security provider with a Max Frame Size above 32,768 is refused', async () => {
  const security = new XorProvider({ maxFrame: 32_769 })
  const options = { graphId: 'greedy', peerId: 'ada', directory: false, security } as const
  await rejects(createGraph(options), 'ERR_PEERNET_INVALID_ARG')
  await rejects(openGraph(options), 'ERR_PEERNET_INVALID_ARG')
})

test('options that are refused leave no database behind', async () => {
  const home = await mkdtemp(path.join(tmpdir(), 'peernet-opening-'))
  const directory = path.join(home, 'graph')
  const ada = { graphId: 'opening', peerId: 'ada', addresses: ['::1'], directory }
  try {
    for (const wrong of [{ prioritizedTypes: ['no GUID'] }, { addresses: ['nowhere'] }]) {
      await rejects(createGraph({ ...ada, ...wrong }), 'ERR_PEERNET_INVALID_ARG')
      await rejects(openGraph({ ...ada, ...wrong }), 'ERR_PEERNET_INVALID_ARG')
    }
    await rejects(createGraph({ ...ada, signal: AbortSignal.abort() }), 'ERR_PEERNET_ABORTED')
    await (await createGraph(ada)).close()
  } finally {
    await rm(home, { recursive: true, force: true })
  }
})

test('what fails once there is a database leaves none behind, and nothing else is gone', async () => {
  const home = await mkdtemp(path.join(tmpdir(), 'peernet-opening-'))
  const file = path.join(home, 'graph.export')
  const ada = { graphId: 'opening', peerId: 'ada', addresses: ['::1'] }
  try {
    const graph = await createGraph({ ...ada, directory: path.join(home, 'graph') })
    const { id } = await graph.publish({ type: CHAT, payload: Buffer.from('kept') })
    await graph.exportDatabase(file)
    await graph.close()
    const there = path.join(home, 'there')
    await mkdir(there)
    await writeFile(path.join(there, 'notes'), 'mine')
    for (const directory of [path.join(home, 'new'), there]) {
      const before = await readdir(directory).catch(() => [])
      for (const make of [
        createGraph,
        openGraph,
        (options: OpenGraphOptions) => importGraph(file, options),
      ]) {
        await rejects(make({ ...ada, directory, signal: abortedLater() }), 'ERR_PEERNET_ABORTED')
        assert.equal(await readdir(directory).catch(() => []), before)
      }
      const copy = await importGraph(file, { ...ada, directory })
      assert.is(text(copy, id), 'kept')
      await copy.close()
      // One that was there stays.
      const options = { ...ada, directory, signal: abortedLater(0) }
      await rejects(openGraph(options), 'ERR_PEERNET_ABORTED')
      await rejects(openGraph({ ...options, signal: abortedLater() }), 'ERR_PEERNET_ABORTED')
      const again = await openGraph({ ...ada, directory })
      assert.is(text(again, id), 'kept')
      await again.close()
    }
    assert.is(await readFile(path.join(there, 'notes'), 'utf8'), 'mine')
  } finally {
    await rm(home, { recursive: true, force: true })
  }
})

test('an import has the graph for itself, and one that is closed meanwhile stays closed', async () => {
  const home = await mkdtemp(path.join(tmpdir(), 'peernet-opening-'))
  const file = path.join(home, 'graph.export')
  const { turns } = ProcessRuntime.shared
  const before = turns.size
  const ada = { graphId: 'opening', peerId: 'ada', addresses: ['::1'] }
  const graph = await createGraph({ ...ada, directory: path.join(home, 'graph') })
  try {
    const { id } = await graph.publish({ type: CHAT, payload: Buffer.from('kept') })
    await graph.exportDatabase(file)
    const first = graph.importDatabase(file)
    await rejects(graph.importDatabase(file), 'ERR_PEERNET_GRAPH_IN_USE')
    await rejects(graph.listen(), 'ERR_PEERNET_GRAPH_IN_USE')
    await rejects(graph.publish({ type: CHAT }), 'ERR_PEERNET_GRAPH_IN_USE')
    await first
    assert.is(text(graph, id), 'kept')
    const second = graph.importDatabase(file).catch(() => {})
    await graph.close()
    await second
    assert.is(turns.size, before)
  } finally {
    await graph.close()
    await rm(home, { recursive: true, force: true })
  }
})

test.run()
