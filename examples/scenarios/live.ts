// A live stream goes to twenty peers, cut into pieces of a second as HLS does it (RFC 8216).
//
//   npm run scenario:live -- [--peers 20] [--seconds 15] [--kbps 1000]
//
// Exit code 0 when every peer showed every piece without a stall, with the right bytes, and the
// origin sent less than three streams.
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Crew, mebibytes, optionsOf, Origin, secondsOf, table, type Played } from './support.js'

const MOST = 3
const PEERS_PER_PROCESS = 4

const { kbps, peers, seconds } = optionsOf({ peers: 20, seconds: 15, kbps: 1000 })
const pieceBytes = Math.round((kbps * 1000) / 8)
const home = await mkdtemp(join(tmpdir(), 'peernet-scenario-'))
const origin = new Origin(home)
const crew = new Crew(peers, PEERS_PER_PROCESS)
const lines = ['#EXTM3U', '#EXT-X-VERSION:3', '#EXT-X-TARGETDURATION:1', '#EXT-X-MEDIA-SEQUENCE:0']
const hashes = new Map<string, string>()

/** Makes a piece a second, and lists it when it is whole. */
async function film(): Promise<number> {
  const start = Date.now()
  let [before, busiest] = [origin.sent, 0]
  for (let i = 0; i < seconds; i++) {
    await delay(Math.max(0, start + (i + 1) * 1000 - Date.now()))
    const name = `piece-${i}.ts`
    const bytes = randomBytes(pieceBytes)
    hashes.set(name, createHash('sha256').update(bytes).digest('hex'))
    await origin.put(name, bytes)
    const filmedAt = new Date(start + i * 1000).toISOString()
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${filmedAt}`, '#EXTINF:1.000,', name)
    busiest = Math.max(busiest, origin.sent - before)
    before = origin.sent
  }
  lines.push('#EXT-X-ENDLIST')
  return busiest
}

const isRight = ({ pieces }: Played): boolean =>
  Object.keys(pieces).length === hashes.size &&
  [...hashes].every(([name, sha256]) => pieces[name] === sha256)

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, one) => sum + one, 0) / Math.max(1, numbers.length)

function report(played: readonly Played[], busiest: number): boolean {
  const rows = played.map((one, peer) => [
    ...[String(peer + 1), String(Object.keys(one.pieces).length), String(one.stalls)],
    ...[secondsOf(one.stalledMs), secondsOf(mean(one.delaysMs))],
    ...[mebibytes(one.shares.peers), mebibytes(one.shares.origin), isRight(one) ? 'ok' : 'WRONG'],
  ])
  const head = ['PEER', 'PIECES', 'STALLS', 'STALLED', 'DELAY', 'FROM PEERS', 'ORIGIN', 'SHA-256']
  console.log(table([head, ...rows]))
  const stream = pieceBytes * seconds
  const streams = origin.sent / stream
  const stalls = played.reduce((sum, one) => sum + one.stalls, 0)
  const right = played.filter(isRight).length
  const delays = played.flatMap(({ delaysMs }) => delaysMs)
  console.log(
    `${right} of ${peers} showed the right bytes; ${stalls} stalls; from camera to screen ` +
      `${secondsOf(mean(delays))}, at most ${secondsOf(Math.max(0, ...delays))}.\n` +
      `The origin sent ${mebibytes(origin.sent)}, playlists included: ${streams.toFixed(2)} ` +
      `streams; in its busiest second ${(busiest / pieceBytes).toFixed(2)}.`,
  )
  return right === peers && stalls === 0 && streams < MOST
}

try {
  const url = `${await origin.start()}live.m3u8`
  origin.page('live.m3u8', () => `${lines.join('\n')}\n`)
  await crew.open(peers, home)
  console.log(
    `A stream of ${kbps} kbit/s for ${seconds} s to ${peers} peers, ` +
      `${PEERS_PER_PROCESS} a process`,
  )
  const watching = Array.from({ length: peers }, (_, peer) => crew.order(peer, { do: 'play', url }))
  const [busiest, ...played] = await Promise.all([film(), ...watching])
  const isGood = report(played, busiest)
  console.log(isGood ? `Good: no stalls, below ${MOST} streams` : 'NOT GOOD: see above')
  process.exitCode = isGood ? 0 : 1
} finally {
  await crew.close()
  await origin.close()
  await rm(home, { recursive: true, force: true })
}
