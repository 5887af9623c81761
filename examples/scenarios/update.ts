// A product update goes out to ten peers, and its web server sends it about once.
//
//   npm run scenario:update -- [--peers 10] [--mib 32] [--stagger 1500] [--in-turn]
//
// --stagger: milliseconds from one peer's start to the next one's; --in-turn: each starts when the
// one before has finished. Exit code 0 when all have the right bytes and the server sent at most
// 1.3 times the update.
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Crew, mebibytes, optionsOf, Origin, secondsOf, table, type Fetched } from './support.js'

const MOST = 1.3

const { mib, on, peers, stagger } = optionsOf({ peers: 10, mib: 32, stagger: 1500 }, ['in-turn'])
const update = randomBytes(Math.round(mib * 1024 * 1024))
const sha256 = createHash('sha256').update(update).digest('hex')
const home = await mkdtemp(join(tmpdir(), 'peernet-scenario-'))
const origin = new Origin(home)
const crew = new Crew(peers)
try {
  const url = `${await origin.start()}update`
  await origin.put('update', update)
  await crew.open(peers, home)
  console.log(`An update of ${mebibytes(update.length)} for ${peers} peers, a process each`)

  const start = performance.now()
  const started: number[] = []
  const fetches: Promise<Fetched>[] = []
  for (let peer = 0; peer < peers; peer++) {
    if (peer > 0) await (on.has('in-turn') ? fetches[peer - 1] : delay(stagger))
    started.push(performance.now() - start)
    const fetching = crew.order(peer, { do: 'fetch', url })
    // It is looked at when all have started.
    fetching.catch(() => undefined)
    fetches.push(fetching)
  }
  const fetched = await Promise.all(fetches)

  const isRight = ({ sha256: got }: Fetched): boolean => got === sha256
  const rows = fetched.map((one, peer) => [
    ...[String(peer + 1), secondsOf(started[peer] ?? 0), secondsOf(one.milliseconds)],
    ...[one.shares.peers, one.shares.cache, one.shares.origin].map(mebibytes),
    isRight(one) ? 'ok' : 'WRONG',
  ])
  const head = ['PEER', 'STARTS', 'TAKES', 'FROM PEERS', 'CACHE', 'ORIGIN', 'SHA-256']
  console.log(table([head, ...rows]))
  const times = origin.sent / update.length
  const right = fetched.filter(isRight).length
  console.log(
    `${right} of ${peers} have the same SHA-256 as the update. ` +
      `The origin sent ${mebibytes(origin.sent)}: ${times.toFixed(3)} times the update.`,
  )
  const isGood = right === peers && times <= MOST
  console.log(isGood ? `Good: at most ${MOST} times` : `NOT GOOD: wanted at most ${MOST} times`)
  process.exitCode = isGood ? 0 : 1
} finally {
  await crew.close()
  await origin.close()
  await rm(home, { recursive: true, force: true })
}
