import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Request } from './node-process.js'

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** A node in a process of its own (node-process.ts). */
export class ChildNode {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  readonly exited: Promise<void>
  #nextId = 1
  endpoint = ''

  constructor() {
    this.#child = fork(fileURLToPath(new URL('./node-process.js', import.meta.url)))
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', () => {
        for (const { reject } of this.#waiting.values()) reject(new Error('the process is gone'))
        this.#waiting.clear()
        resolve()
      })
    })
    this.#child.on('message', (reply: { id: number; result?: unknown; error?: string }) => {
      const waiting = this.#waiting.get(reply.id)
      this.#waiting.delete(reply.id)
      if (reply.error === undefined) waiting?.resolve(reply.result)
      else waiting?.reject(new Error(reply.error))
    })
  }

  static async open(name: string, seeds: readonly string[]): Promise<ChildNode> {
    const node = new ChildNode()
    node.endpoint = await node.ask<string>({ do: 'open', seeds, name })
    return node
  }

  ask<T>(request: Request): Promise<T> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#child.send({ id, request })
    })
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.exited
  }
}
