// Publish a secure name in one node, find it in another. Run: node build/js/examples/hello.js
import { openCloud, PeerIdentity } from 'peernet'

const publisher = await openCloud({ addresses: ['::1'], port: 0 })
const identity = await PeerIdentity.create({ friendlyName: 'Ada' })
const registration = await publisher.register(identity.peerName('chat'), {
  endpoints: [{ address: 'auto', port: 4000 }],
  comment: 'Ada at her desk',
})

const finder = await openCloud({ addresses: ['::1'], port: 0, seeds: publisher.endpoints })
await finder.whenJoined()
const record = await finder.resolve(identity.peerName('chat')).first()
console.log(`${record.comment} at [${record.endpoints[0]?.address}]:${record.endpoints[0]?.port}`)
console.log(`signed by the name's own key: ${record.verified === 'authority'}`)

await finder.close()
await registration.close()
await publisher.close()
