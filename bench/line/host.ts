// A process with one node of a line: node host.js SYSTEM PLACE DIRECTORY. See bench/line/line.ts.
import { readFileSync, writeFileSync } from 'node:fs'
import { sleep } from '../readings.js'
import {
  LARGE_FROM,
  SMALL_BYTES,
  type LineCommand,
  type LineNode,
  type LineSystem,
} from './node.js'
import { peernetNode } from './peernet-node.js'
import { rawNode } from './raw-node.js'

const [system = '', place = '', directory = ''] = process.argv.slice(2)

const now = (): number => Number(process.hrtime.bigint()) / 1e6
const arrivals: [number, number][] = []

function arrived(record: number): void {
  arrivals.push([record, now()])
  if (record >= LARGE_FROM) process.send?.({ large: record })
}

function makeNode(kind: LineSystem): LineNode | Promise<LineNode> {
  if (kind === 'raw TCP relay') return rawNode(arrived)
  return peernetNode(Number(place), kind === 'peernet' ? undefined : directory, arrived)
}

const node = await makeNode(system as LineSystem)
let chatter: NodeJS.Timeout | undefined

async function publish(record: number, bytes: number): Promise<number> {
  const at = now()
  arrivals.push([record, at])
  await node.publish(record, bytes)
  return at
}

function residentPart(name: string): number {
  const status = readFileSync('/proc/self/status', 'utf8')
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024
}

async function memory(): Promise<{ now: number; peak: number }> {
  const peak = residentPart('VmHWM')
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await sleep(20)
  }
  // The peak counts anew from here (proc(5)).
  writeFileSync('/proc/self/clear_refs', '5')
  return { now: residentPart('VmRSS'), peak }
}

async function obey(command: LineCommand): Promise<unknown> {
  switch (command.do) {
    case 'listen':
      return node.listen()
    case 'connect':
      await node.connect(command.port)
      return null
    case 'publish':
      return publish(command.record, command.bytes)
    case 'forget':
      await node.forget(command.record)
      return null
    case 'chatter': {
      let { first } = command
      chatter = setInterval(() => void publish(first++, SMALL_BYTES), command.everyMs)
      return null
    }
    case 'rest':
      clearInterval(chatter)
      return null
    case 'arrivals':
      return arrivals.splice(0)
    case 'memory':
      return memory()
    case 'close':
      await node.close()
      return null
  }
}

process.on('message', ({ at, command }: { at: number; command: LineCommand }) => {
  obey(command).then(
    (value) => process.send?.({ at, value }),
    (error: unknown) => process.send?.({ at, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit())
process.send?.({ ready: true })
