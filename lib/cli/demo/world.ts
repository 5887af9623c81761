import { openCloud, type Cloud, type OpenCloudOptions } from '../../index.js'

/** Names of the demo's nodes, in the order they join; later ones get a number. */
const NAMES = ['Ada', 'Bob', 'Carol', 'Dan', 'Eve', 'Fay', 'Gus', 'Hal']

export interface DemoNode {
  readonly name: string
  readonly cloud: Cloud
}

/** How many nodes join at the same time. */
const JOIN_TOGETHER = 16

/**
 * A cloud of real nodes in this process, each with a UDP socket of its own on ::1. All but the
 * first are told one address, the first node's.
 */
export class DemoWorld {
  readonly nodes: DemoNode[] = []
  readonly #options: OpenCloudOptions

  constructor(transport: OpenCloudOptions['transport']) {
    this.#options = {
      addresses: ['::1'],
      port: 0,
      ssdp: false,
      stateDirectory: false,
      ...(transport === undefined ? {} : { transport }),
    }
  }

  get first(): DemoNode {
    return this.node(0)
  }

  node(index: number): DemoNode {
    const node = this.nodes[index]
    if (node === undefined) throw new RangeError(`the demo has no node ${index}`)
    return node
  }

  /**
   * Opens nodes until there are `count`; each one publishes a name of its own, as a member does.
   */
  async grow(count: number): Promise<void> {
    if (this.nodes.length === 0) await this.#add([])
    const seed = this.first.cloud.endpoints[0] as string
    while (this.nodes.length < count) {
      const batch = Math.min(JOIN_TOGETHER, count - this.nodes.length)
      await Promise.all(Array.from({ length: batch }, () => this.#add([seed])))
    }
  }

  async #add(seeds: readonly string[]): Promise<void> {
    const cloud = await openCloud({ ...this.#options, seeds })
    const index = this.nodes.length
    const name = NAMES[index] ?? `Node ${index + 1}`
    this.nodes.push({ name, cloud })
    await cloud.register(`0.node-${index + 1}`, {
      endpoints: [{ address: 'auto', port: 4000 + index }],
      comment: name,
    })
    if (seeds.length > 0) await cloud.whenJoined()
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map(({ cloud }) => cloud.close()))
  }
}
