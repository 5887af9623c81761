// The other side of graph-host.ts: starts it, tells it what to do and reads its answers.
import * as assert from 'uvu/assert'
import type { ConnectionInfo } from '#lib/index.js'
import { HostProgram } from '../helpers/host-program.js'
import type { GraphHostCommand, GraphHostLine, GraphHostOptions } from './graph-host.js'

const SCRIPT = 'build/js/test/support/graph-host.js'

export interface HeldRecord {
  readonly id: string
  readonly type: string
  readonly version: number
  readonly deleted: boolean
  readonly bytes: string
}

type Body = GraphHostCommand extends infer C
  ? C extends GraphHostCommand
    ? Omit<C, 'at'>
    : never
  : never

export class GraphProgram {
  /** For those who end it. */
  readonly program: HostProgram
  #next = 1

  private constructor(program: HostProgram) {
    this.program = program
  }

  /** Starts a node on this host, or in a network namespace, and waits until it is open. */
  static async start(options: GraphHostOptions, namespace?: string): Promise<GraphProgram> {
    const args = [JSON.stringify(options)]
    const program =
      namespace === undefined
        ? HostProgram.here(SCRIPT, args)
        : HostProgram.inNamespace(namespace, SCRIPT, args)
    await program.sees('an open graph', (line: GraphHostLine) => 'open' in line, 120_000)
    return new GraphProgram(program)
  }

  get lines(): readonly GraphHostLine[] {
    return this.program.lines as GraphHostLine[]
  }

  /** Gives a command; rejects with the code of its error. */
  async does(body: Body, ms = 120_000): Promise<unknown> {
    const at = this.#next++
    this.program.tell({ ...body, at })
    const answer = await this.program.sees(
      JSON.stringify(body),
      (line: GraphHostLine) => 'at' in line && line.at === at,
      ms,
    )
    if (!('at' in answer)) throw new Error('impossible')
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer.value
  }

  async listen(): Promise<string> {
    const [address] = (await this.does({ do: 'listen' })) as string[]
    assert.ok(address)
    return address
  }

  async join(to: string): Promise<string> {
    const [address] = (await this.does({ do: 'join', to })) as string[]
    assert.ok(address)
    return address
  }

  async connect(to: string): Promise<ConnectionInfo> {
    return (await this.does({ do: 'connect', to })) as ConnectionInfo
  }

  async publish(type: string, text: string, lifetimeMs?: number): Promise<string> {
    const lifetime = lifetimeMs === undefined ? {} : { lifetimeMs }
    return (await this.does({ do: 'publish', type, text, ...lifetime })) as string
  }

  async database(): Promise<HeldRecord[]> {
    return (await this.does({ do: 'database' })) as HeldRecord[]
  }

  /** Waits for a line, past or to come. */
  sees(what: string, test: (line: GraphHostLine) => boolean, ms?: number): Promise<GraphHostLine> {
    return this.program.sees(what, test, ms)
  }

  async seesRecord(change: string, id: string, ms = 120_000): Promise<void> {
    await this.sees(
      `record ${id} ${change}`,
      (line) => {
        if (!('event' in line)) return false
        const event = line.event as { type: string; change?: string; id?: string }
        return event.type === 'record' && event.change === change && event.id === id
      },
      ms,
    )
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.program.kill(signal)
  }

  /** Closes it in order and waits until it is gone. */
  end(): Promise<number | null> {
    return this.program.end()
  }
}

/** Waits until all nodes hold the same records, byte for byte; returns them. */
export async function untilEqual(
  programs: readonly GraphProgram[],
  holds: (database: readonly HeldRecord[]) => boolean = () => true,
  ms = 120_000,
): Promise<readonly HeldRecord[]> {
  const deadline = Date.now() + ms
  for (;;) {
    const databases = await Promise.all(programs.map((program) => program.database()))
    const [first] = databases as [HeldRecord[]]
    const texts = new Set(databases.map((database) => JSON.stringify(database)))
    if (texts.size === 1 && holds(first)) return first
    if (Date.now() > deadline) {
      const short = databases.map((database) =>
        database.map(({ id, version }) => `${id.slice(0, 4)}v${version}`).join(' '),
      )
      throw new Error(`the databases do not become equal:\n${short.join('\n')}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
