// Runs in a host of the hub: looks for segments and announces them as told on standard input.
import { createInterface } from 'node:readline'
import { PeerDiscovery, type AvailableSegment } from '#lib/index.js'

const say = (line: unknown): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

interface Command {
  readonly do: 'find' | 'announce' | 'withdraw' | 'counters'
  /** First byte of the IDs. */
  readonly segments?: readonly number[]
  readonly version?: 1 | 2
  readonly port?: number
  readonly tag?: string
}

const [instanceFile = ''] = process.argv.slice(2)
const discovery = new PeerDiscovery(instanceFile === '' ? {} : { instanceFile })
const held = new Map<number, AvailableSegment>()
const idOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

async function find({ segments = [], tag, version = 1 }: Command): Promise<void> {
  const sought = segments.map((byte) => ({ id: idOf(byte), blocks: 4 }))
  const peers: string[] = []
  for await (const peer of discovery.find(sought, { version })) {
    const what = peer.segments.map(
      ({ id, isComplete }) => `${id[0]}${isComplete === true ? '+' : ''}`,
    )
    peers.push(`${peer.address} ${peer.port} ${what.join()}`)
  }
  say({ tag, peers: peers.sort() })
}

async function obey(command: Command): Promise<void> {
  const { do: what, port = 8008, segments = [], tag } = command
  if (what === 'find') return await find(command)
  if (what === 'withdraw') discovery.withdraw()
  if (what === 'announce') {
    held.clear()
    for (const byte of segments) held.set(byte, { blocks: 4, isComplete: true, ageMs: 10 })
    await discovery.announce({ segments: { get: (id) => held.get(id[0] ?? 0) }, port })
  }
  say({ tag, counters: discovery.counters })
}

createInterface({ input: process.stdin })
  .on('line', (text) => {
    void obey(JSON.parse(text) as Command)
  })
  .on('close', () => {
    void discovery.close()
  })
