// The soak's nodes: processes that hold some each, and where each node is.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { projectRoot } from '../bench.js'
import type { SoakAnswers, SoakCommand, SoakReply, SoakRequest } from './messages.js'

const SCRIPT = path.join(projectRoot, 'build/js/bench/soak/host.js')

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** One process. */
export class SoakHost {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  readonly #ready: Promise<void>
  #next = 0
  /** It was killed, not crashed. */
  #killed = false
  /** What it died of by itself. */
  crash: string | undefined

  constructor() {
    this.#child = fork(SCRIPT, { execArgv: ['--expose-gc', '--enable-source-maps'] })
    this.#ready = new Promise((resolve) => {
      this.#child.once('message', () => {
        resolve()
        this.#child.on('message', (reply: SoakReply) => {
          this.#settle(reply)
        })
      })
    })
    this.#child.once('exit', (code, signal) => {
      if (!this.#killed) this.crash = `a process ended by itself: ${code ?? signal}`
      for (const { reject } of this.#waiting.values()) reject(new Error('the process is gone'))
      this.#waiting.clear()
    })
  }

  async ask<D extends SoakCommand['do']>(
    command: SoakCommand & { readonly do: D },
  ): Promise<SoakAnswers[D]> {
    await this.#ready
    const at = this.#next++
    const answer = new Promise((resolve, reject) => {
      this.#waiting.set(at, { resolve, reject })
    })
    const request: SoakRequest = { at, command }
    // Of a process that is gone, 'exit' tells.
    this.#child.send(request, () => {})
    return (await answer) as SoakAnswers[D]
  }

  async kill(): Promise<void> {
    this.#killed = true
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  #settle({ at, value, error }: SoakReply): void {
    const waiting = this.#waiting.get(at ?? -1)
    this.#waiting.delete(at ?? -1)
    if (error === undefined) waiting?.resolve(value)
    else waiting?.reject(new Error(error))
  }
}

/** A node, wherever it is. */
export interface SoakNode {
  readonly index: number
  readonly directory: string
  /** Its process; the last one is killed now and then. */
  readonly place: number
  /** Where it listens; empty: it is not in the graph now. */
  addresses: readonly string[]
}

export class Swarm {
  readonly hosts: SoakHost[]
  readonly nodes: readonly SoakNode[]
  readonly #pick: (count: number) => number

  /** @param pick a random number below its argument */
  constructor(home: string, nodes: number, processes: number, pick: (count: number) => number) {
    this.#pick = pick
    this.hosts = Array.from({ length: processes }, () => new SoakHost())
    this.nodes = Array.from({ length: nodes }, (_, index) => ({
      index,
      directory: path.join(home, `node-${index}`),
      place: index % processes,
      addresses: [],
    }))
  }

  get up(): SoakNode[] {
    return this.nodes.filter(({ addresses }) => addresses.length > 0)
  }

  /** Processes that live as long as the soak: their memory is looked at. */
  get steady(): SoakHost[] {
    return this.hosts.slice(0, -1)
  }

  hostOf(node: SoakNode): SoakHost {
    return this.hosts[node.place] as SoakHost
  }

  /** Nodes in the last process, which dies now and then. */
  get mortal(): SoakNode[] {
    return this.nodes.filter(({ place }) => place === this.hosts.length - 1)
  }

  async start(node: SoakNode): Promise<void> {
    const { index, directory } = node
    const known = this.up.flatMap(({ addresses }) => addresses)
    const from = this.#pick(Math.max(1, known.length))
    const seeds = [...known.slice(from), ...known.slice(0, from)]
    const { addresses } = await this.hostOf(node).ask({
      ...{ do: 'start', node: index, directory, seeds },
    })
    node.addresses = addresses
  }

  async close(node: SoakNode): Promise<void> {
    node.addresses = []
    await this.hostOf(node).ask({ do: 'close', node: node.index })
  }

  /** SIGKILL to the last process, and a new one in its place, without nodes yet. */
  async kill(): Promise<void> {
    for (const node of this.mortal) node.addresses = []
    await this.hosts.at(-1)?.kill()
    this.hosts[this.hosts.length - 1] = new SoakHost()
  }

  async end(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.kill()))
  }
}
