// Players of one game find each other by one shared, unsecured name. Run: node
// build/js/examples/matchmaking.js
import { openCloud, type Cloud } from 'peernet'

const LOBBY = '0.example.org/checkers/lobby'

async function player(name: string, seeds: readonly string[]): Promise<Cloud> {
  const cloud = await openCloud({ addresses: ['::1'], port: 0, seeds })
  if (seeds.length > 0) await cloud.whenJoined()
  await cloud.register(LOBBY, { endpoints: [{ address: 'auto', port: 6000 }], comment: name })
  return cloud
}

const ada = await player('Ada', [])
const bob = await player('Bob', ada.endpoints)
const eve = await player('Eve', ada.endpoints)

const opponents = await eve.resolve(LOBBY, { max: 10 }).results
console.log(
  `Eve can play with ${opponents
    .map(({ comment }) => comment)
    .sort()
    .join(' and ')}`,
)
await Promise.all([ada, bob, eve].map((cloud) => cloud.close()))
