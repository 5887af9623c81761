import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { JsonObject } from '../../daemon/controller.js'
import { createGraph, openGraph, type Graph } from '../../index.js'

const common = { addresses: ['::1'], directory: false } as const

/** The first node of a graph, in this process, with a TCP socket of its own on ::1. */
export async function firstMember(peerId: string): Promise<Graph> {
  const graph = await createGraph({ ...common, peerId, friendlyName: 'The demo' })
  await graph.listen()
  return graph
}

/** Another one in this process, told of one address. */
export async function member(peerId: string, first: Graph): Promise<Graph> {
  const graph = await openGraph({ ...common, peerId, graphId: first.id })
  try {
    await graph.join(first.addresses)
    return graph
  } catch (error) {
    await graph.close()
    throw error
  }
}

/** A member in a process of its own, made by the command; it can be killed for real. */
export class ProcessMember {
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #home: string
  readonly #seen: JsonObject[] = []
  readonly #waiting = new Set<() => void>()

  private constructor(child: ChildProcess, lines: Interface, home: string) {
    this.#child = child
    this.#lines = lines
    this.#home = home
    lines.on('line', (line) => {
      this.#seen.push(JSON.parse(line) as JsonObject)
      for (const look of this.#waiting) look()
    })
    child.on('exit', () => {
      for (const look of this.#waiting) look()
    })
  }

  static async join(peerId: string, first: Graph): Promise<ProcessMember> {
    const main = fileURLToPath(new URL('../main.js', import.meta.url))
    const home = await mkdtemp(join(tmpdir(), 'peernet-demo-'))
    const where = [first.id, first.addresses[0] ?? '', '--listen', '::1', '--memory']
    const args = ['--json', 'graph', 'join', ...where, '--peer-id', peerId, '--records']
    const child = spawn(process.execPath, [main, ...args], {
      env: { ...process.env, PEERNET_HOME: home },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const member = new ProcessMember(child, createInterface({ input: child.stdout }), home)
    try {
      await member.line((line) => line['graphId'] === first.id)
      return member
    } catch (error) {
      await member.kill()
      throw error
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The first line, past or to come, of which this holds. */
  line(holds: (line: JsonObject) => boolean): Promise<JsonObject> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.#seen.find(holds)
        const over = this.#child.exitCode !== null || this.#child.signalCode !== null
        if (found === undefined && !over) return
        this.#waiting.delete(look)
        if (found === undefined) reject(new Error('a member of the demo ended early'))
        else resolve(found)
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** Its process is gone at once, without a word to anybody. Idempotent. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit')
      this.#child.kill('SIGKILL')
      await exit
    }
    this.#lines.close()
    await rm(this.#home, { recursive: true, force: true })
  }
}
