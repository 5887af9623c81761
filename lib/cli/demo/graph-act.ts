import type { JsonObject } from '../../daemon/controller.js'
import type { Graph, GraphEvent, GraphTopology } from '../../index.js'
import { TEXT_TYPE } from '../graph/arguments.js'
import { meshOf, printPicture } from '../graph/topology-text.js'
import { formatMs, type Output } from '../output.js'
import { firstMember, member, ProcessMember } from './members.js'
import { splitAndHeal } from './split-scene.js'

/** Nothing here takes this long unless it is broken. */
const PATIENCE_MS = 20_000
const PICTURE_ROWS = 9
/** Every node wants so many neighbours at least (MS-PPGRH 3.1.1). */
const LEAST_NEIGHBORS = 2

type Heading = (text: string) => void

/** The second act of the tour: graphs. Throws when a step does not do what it claims. */
export async function runGraphAct(output: Output, heading: Heading): Promise<void> {
  const scene = new Scene(output)
  try {
    heading('A graph forms: nodes that all hold the same records')
    await scene.form()
    heading('A record reaches everybody, is changed, and is deleted')
    await scene.write()
    heading('Somebody comes late')
    await scene.comeLate()
    heading('A member dies without a word')
    await scene.die()
  } finally {
    await scene.close()
  }
  heading('A graph is cut in two, and heals (in the simulator, compressed time)')
  split(output)
}

class Scene {
  readonly #output: Output
  readonly #graphs: Graph[] = []
  #eve: ProcessMember | undefined
  #joining: Promise<ProcessMember> | undefined
  #eveLives = false

  constructor(output: Output) {
    this.#output = output
  }

  async form(): Promise<void> {
    const start = performance.now()
    const ada = await firstMember('Ada')
    this.#graphs.push(ada)
    this.#joining = ProcessMember.join('Eve', ada)
    // Looked at below, and when all ends.
    this.#joining.catch(() => {})
    for (const name of ['Bob', 'Carol', 'Dan']) this.#graphs.push(await member(name, ada))
    this.#eve = await this.#joining
    this.#eveLives = true
    const topology = await this.#meshOf(5)
    const ms = performance.now() - start
    this.#output.value({ step: 'graph', nodes: 5, edges: topology.edges, milliseconds: ms })
    this.#say(
      `Ada, Bob, Carol and Dan live in this process, Eve in process ${this.#eve.pid}. Each has a`,
      `TCP socket on ::1 and was told Ada's address, ${ada.addresses[0] ?? ''}. ` +
        `${formatMs(ms)} later:`,
    )
    this.#draw(topology)
  }

  async write(): Promise<void> {
    const [ada, bob, carol] = this.#graphs as [Graph, Graph, Graph]
    const all = await this.#reaches('added', async () => {
      const payload = Buffer.from('Chess at eight?')
      const record = await bob.publish({ type: TEXT_TYPE, payload, attributes: { room: 'club' } })
      return record.id
    })
    const { id } = all
    this.#report('Bob publishes "Chess at eight?"', 'published', all)
    this.#say('(Eve: as soon as her process has printed it and this one has read it.)')
    const changed = await this.#reaches('updated', async () => {
      return (await bob.update(id, { payload: Buffer.from('Chess at nine!') })).id
    })
    this.#report('Bob makes it "Chess at nine!"', 'updated', changed)
    const [found] = carol.search({ attributes: { room: 'club' } })
    claim(String(Buffer.from(found?.payload ?? [])) === 'Chess at nine!', 'Carol finds it')
    this.#say("Carol searches for room = 'club' in her own copy, and finds version 2.")
    const gone = await this.#reaches('deleted', async () => {
      await bob.deleteRecord(id)
      return id
    })
    this.#report('Bob deletes it', 'deleted', gone)
    claim(ada.records().length === 0, 'a deleted record is gone')
  }

  async comeLate(): Promise<void> {
    const [ada, bob] = this.#graphs as [Graph, Graph]
    const count = 500
    const start = performance.now()
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        bob.publish({ type: TEXT_TYPE, payload: Buffer.from(`move ${i + 1}`) }),
      ),
    )
    const published = performance.now() - start
    const join = performance.now()
    const fay = await member('Fay', ada)
    const ms = performance.now() - join
    this.#graphs.push(fay)
    claim(fay.records().length === count, 'who comes late has everything')
    claim(sameBytes(fay, bob), 'all nodes hold the same bytes')
    this.#output.value({ step: 'late', records: count, milliseconds: ms })
    this.#say(
      `Bob publishes ${count} records in ${formatMs(published)}. Then Fay joins: ${formatMs(ms)} ` +
        'later she is in the graph',
      `and has all ${count}, byte for byte.`,
    )
  }

  async die(): Promise<void> {
    const [ada] = this.#graphs as [Graph]
    const eve = this.#eve as ProcessMember
    const before = await this.#meshOf(6)
    const dead = before.nodes.find(({ peerId }) => peerId === 'Eve')?.nodeId ?? ''
    const known = new Set(before.edges.map(String))
    const start = performance.now()
    this.#eveLives = false
    await eve.kill()
    const after = await this.#until(async () => {
      const survivors = this.#graphs.every((graph) => {
        const nodeIds = graph.neighbors().map(({ nodeId }) => nodeId)
        return nodeIds.length >= LEAST_NEIGHBORS && !nodeIds.includes(dead)
      })
      const topology = survivors ? await ada.topology() : undefined
      return topology !== undefined && isOnePiece(topology, dead) ? topology : undefined
    })
    const ms = performance.now() - start
    const all = await this.#reaches('added', async () => {
      const payload = Buffer.from('Who is still here?')
      return (await ada.publish({ type: TEXT_TYPE, payload })).id
    })
    const fresh = after.edges.filter((edge) => !known.has(String(edge))).length
    this.#output.value({ step: 'died', milliseconds: ms, newConnections: fresh })
    this.#say(
      `Eve's process gets SIGKILL. ${formatMs(ms)} later nobody counts on her, the others are`,
      `one mesh in which each has ${LEAST_NEIGHBORS} neighbours or more (new connections: ` +
        `${fresh}), and a record reaches all in ${formatMs(all.lastMs)}:`,
    )
    this.#draw(without(after, dead))
  }

  async close(): Promise<void> {
    const eve = await this.#joining?.catch(() => undefined)
    await eve?.kill()
    await Promise.all(this.#graphs.map((graph) => graph.close()))
  }

  /** Does something with a record, and waits until every node has told of it. */
  async #reaches(
    change: 'added' | 'updated' | 'deleted',
    act: () => Promise<string>,
  ): Promise<Reached> {
    const times: { name: string; id: string; at: number }[] = []
    let look = (): void => {}
    const stops = this.#graphs.map((graph) =>
      graph.subscribe({ types: [TEXT_TYPE] }, (event: GraphEvent) => {
        if (event.type !== 'record' || event.change !== change) return
        times.push({ name: graph.peerId, id: event.record.id, at: performance.now() })
        look()
      }),
    )
    try {
      const start = performance.now()
      const id = await act()
      const mine = (): typeof times => times.filter((one) => one.id === id)
      await patiently(
        new Promise<void>((resolve) => {
          look = () => {
            if (mine().length >= this.#graphs.length) resolve()
          }
          look()
        }),
        `a record is ${change} everywhere`,
      )
      const ways = mine().map(({ name, at }) => ({ name, ms: at - start }))
      if (this.#eveLives) {
        const isIt = (line: JsonObject): boolean => {
          const record = line['record'] as { id: string } | undefined
          return line['change'] === change && record?.id === id
        }
        await patiently((this.#eve as ProcessMember).line(isIt), `Eve has a record ${change}`)
        ways.push({ name: 'Eve', ms: performance.now() - start })
      }
      return { id, ways, lastMs: Math.max(...ways.map(({ ms }) => ms)) }
    } finally {
      for (const stop of stops) stop()
    }
  }

  #report(what: string, step: string, { id, ways }: Reached): void {
    this.#output.value({ step, id, ways })
    const times = ways.map(({ name, ms }) => `${name} ${formatMs(ms)}`).join(', ')
    this.#say(`${what}. It is known to ${times}.`)
  }

  /** The mesh as soon as all nodes are in it and have told their neighbours. */
  #meshOf(count: number): Promise<GraphTopology> {
    const [ada] = this.#graphs as [Graph]
    return this.#until(async () => {
      const topology = await ada.topology()
      const all = topology.nodes.length === count && topology.nodes.every((node) => node.answered)
      return all && isOnePiece(topology) ? topology : undefined
    })
  }

  /** Asks again whenever something happens to a node or connection. */
  async #until<T>(ask: () => Promise<T | undefined>): Promise<T> {
    const [ada] = this.#graphs as [Graph]
    const limit = performance.now() + PATIENCE_MS
    for (;;) {
      let news = (): void => {}
      const happened = new Promise<void>((resolve) => (news = resolve))
      const stops = this.#graphs.map((graph) =>
        graph.subscribe({ events: ['node', 'neighbor'] }, news),
      )
      // Of what happens between two other processes nobody tells us.
      const timer = setTimeout(news, 250)
      try {
        const found = await ask()
        if (found !== undefined) return found
        claim(performance.now() < limit && !ada.closed, 'the mesh is as it should be')
        await happened
      } finally {
        clearTimeout(timer)
        for (const stop of stops) stop()
      }
    }
  }

  #draw(topology: GraphTopology): void {
    printPicture(this.#output, meshOf(topology), PICTURE_ROWS)
  }

  #say(...lines: string[]): void {
    for (const line of lines) this.#output.line(`   ${line}`)
  }
}

interface Reached {
  readonly id: string
  readonly ways: readonly { readonly name: string; readonly ms: number }[]
  readonly lastMs: number
}

function split(output: Output): void {
  const start = performance.now()
  const report = splitAndHeal()
  const ms = performance.now() - start
  output.value({ step: 'split', simulated: true, ...report, milliseconds: ms })
  const { nodes, cutMinutes, writtenEach, healedMs, virtualMinutes } = report
  const lines = [
    `Simulated: ${nodes} nodes running the same machine. The network between two halves fails for`,
    `${cutMinutes} minutes, and each half writes ${writtenEach} records that the other ` +
      `cannot see. ${formatMs(healedMs)} after the`,
    `end of the failure they have found each other, and all ${nodes} nodes hold all ` +
      `${2 * writtenEach} records.`,
    `(${virtualMinutes.toFixed(0)} virtual minutes in ${formatMs(ms)}; the same every time.)`,
  ]
  for (const line of lines) output.line(`   ${line}`)
}

function isOnePiece({ nodes, edges }: GraphTopology, except = ''): boolean {
  const wanted = nodes.map(({ nodeId }) => nodeId).filter((nodeId) => nodeId !== except)
  const reached = new Set(wanted.slice(0, 1))
  for (let size = 0; size !== reached.size;) {
    size = reached.size
    for (const [a, b] of edges) {
      if (a === except || b === except) continue
      if (reached.has(a)) reached.add(b)
      else if (reached.has(b)) reached.add(a)
    }
  }
  return wanted.every((nodeId) => reached.has(nodeId))
}

function without({ nodes, edges }: GraphTopology, dead: string): GraphTopology {
  return {
    nodes: nodes.filter(({ nodeId }) => nodeId !== dead),
    edges: edges.filter((edge) => !edge.includes(dead)),
  }
}

function sameBytes(a: Graph, b: Graph): boolean {
  const bytes = (graph: Graph): string =>
    graph
      .records()
      .map((record) => Buffer.from(record.toBytes()).toString('hex'))
      .sort()
      .join()
  return bytes(a) === bytes(b)
}

async function patiently<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`the demo claims that ${what}, and it is not so`))
    }, PATIENCE_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function claim(holds: boolean, what: string): void {
  if (!holds) throw new Error(`the demo claims that ${what}, and it is not so`)
}
