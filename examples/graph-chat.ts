// A chat room without a server: everybody holds all messages, who comes late has them too.
// Run: node build/js/examples/graph-chat.js
import { createGraph, openGraph, type Graph } from 'peernet'

const MESSAGE = 'c0ffee00-0000-4000-8000-000000000001'
const here = { addresses: ['::1'], directory: false } as const

const say = (graph: Graph, text: string) =>
  graph.publish({ type: MESSAGE, payload: Buffer.from(text), attributes: { room: 'lobby' } })

const ada = await createGraph({ ...here, graphId: 'chat', peerId: 'Ada' })
await ada.listen()
await say(ada, 'Is anybody here?')

// Another process, another host: this is all that it has to know.
const bob = await openGraph({ ...here, graphId: 'chat', peerId: 'Bob' })
await bob.join(ada.addresses)
for (const { creatorId, payload } of bob.search({ attributes: { room: 'lobby' } })) {
  console.log(`Bob comes late and reads: ${creatorId}: ${Buffer.from(payload).toString()}`)
}

const heard = ada.watch({ types: [MESSAGE] })
await say(bob, 'I am!')
for await (const event of heard) {
  if (event.type !== 'record' || event.local) continue
  const { creatorId, payload } = event.record
  console.log(`Ada hears: ${creatorId}: ${Buffer.from(payload).toString()}`)
  break
}

const { nodes, edges } = await ada.topology()
console.log(`${nodes.length} nodes, ${edges.length} connection`)
await Promise.all([ada.close(), bob.close()])
