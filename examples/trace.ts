// Watch a resolve step by step. Run: node build/js/examples/trace.js
import { openCloud } from 'peernet'

const first = await openCloud({ addresses: ['::1'], port: 0 })
const seeds = first.endpoints
const nodes = [first]
for (let i = 0; i < 7; i++) {
  const node = await openCloud({ addresses: ['::1'], port: 0, seeds })
  await node.register(`0.node-${i}`, { payload: `I am node ${i}` })
  nodes.push(node)
}

for await (const event of first.resolve('0.node-6')) {
  if (event.type === 'record') console.log('found:', event.record.payload)
  else if (event.type === 'end') console.log('status:', event.summary.status)
  else console.log(event.type, event.node, event.detail)
}
await Promise.all(nodes.map((node) => node.close()))
