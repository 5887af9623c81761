// test-limit: 120s
// Acceptance 6 of the naming issue: separate processes agree over ::1.
import * as assert from 'uvu/assert'
import { suite } from '../harness.js'
import { ChildNode } from './support/child-node.js'
import type { Resolved } from './support/node-process.js'
import { until } from './support/until.js'

const NODES = 8

const test = suite('processes')
const nodes: ChildNode[] = []

test.before(async () => {
  const first = await ChildNode.open('n0', [])
  nodes.push(first)
  const others = Array.from({ length: NODES - 1 }, (_, i) =>
    ChildNode.open(`n${i + 1}`, [first.endpoint]),
  )
  nodes.push(...(await Promise.all(others)))
})

test.after(async () => {
  await Promise.all(nodes.map((node) => node.kill()))
})

const node = (index: number): ChildNode => nodes[index] as ChildNode
const resolve = (asker: ChildNode, name: string): Promise<Resolved> =>
  asker.ask<Resolved>({ do: 'resolve', name })

test('every process resolves every other process’s name', async () => {
  for (let asker = 0; asker < NODES; asker++) {
    for (let owner = 0; owner < NODES; owner++) {
      if (asker === owner) continue
      const { status } = await resolve(node(asker), `0.n${owner}`)
      assert.is(status, 'found', `n${owner} asked by n${asker}`)
    }
  }
})

test('a secure name is verified in another process', async () => {
  const register = { do: 'register', classifier: 'chat', secure: true } as const
  const name = await node(1).ask<string>(register)
  const result = await resolve(node(6), name)
  assert.equal(result.ports, [4711])
  assert.equal(result.verified, ['authority'])
})

test('after an orderly close the name is gone within 1 s', async () => {
  const leaving = await ChildNode.open('leaving', [node(0).endpoint])
  assert.is((await resolve(node(5), '0.leaving')).status, 'found')
  await leaving.ask({ do: 'close' })
  await until(
    async () => (await resolve(node(5), '0.leaving')).status === 'not-found',
    1000,
    'the name of a node that left is gone',
  )
  await leaving.kill()
})

test('after SIGKILL a resolve answers none within 3 s, and within 30 s no cache holds the dead entry', async () => {
  const dying = await ChildNode.open('dying', [node(0).endpoint])
  assert.is((await resolve(node(3), '0.dying')).status, 'found')
  const { endpoint } = dying
  const killed = performance.now()
  await dying.kill()
  const results = await Promise.all(nodes.map((asker) => resolve(asker, '0.dying')))
  for (const { status, ms } of results) {
    assert.ok(status === 'not-found' || status === 'unreachable', status)
    assert.ok(ms <= 3000, `took ${ms} ms`)
  }
  for (const survivor of nodes) {
    await until(
      async () => !(await survivor.ask<string[]>({ do: 'cache' })).includes(endpoint),
      30_000 - (performance.now() - killed),
      'the dead node’s entry leaves the cache',
    )
  }
})

test.run()
