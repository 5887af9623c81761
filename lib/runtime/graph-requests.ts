import { PeernetError } from '../core/errors.js'
import type { GraphCommand, GraphEvent as MachineEvent } from '../graph/interface.js'

/** A command without its handle. */
export type CommandBody = GraphCommand extends infer C
  ? C extends GraphCommand
    ? Omit<C, 'handle'>
    : never
  : never

export type Done = Extract<MachineEvent, { type: 'done' }>
type Failed = Extract<MachineEvent, { type: 'failed' }>

interface Pending {
  readonly resolve: (done: Done) => void
  readonly reject: (error: PeernetError) => void
}

/** Commands under way, as promises. */
export class GraphRequests {
  readonly #give: (command: GraphCommand) => void
  readonly #pending = new Map<number, Pending>()
  #nextHandle = 1

  /** @param give hands a command to the machine; may throw ERR_PEERNET_CLOSED */
  constructor(give: (command: GraphCommand) => void) {
    this.#give = give
  }

  /**
   * Gives a command. Rejects with the code that the machine gives, or ERR_PEERNET_ABORTED; then
   * `onLate` is called if it is carried out all the same.
   */
  send(body: CommandBody, signal?: AbortSignal, onLate?: (done: Done) => void): Promise<Done> {
    return new Promise((resolve, reject) => {
      const handle = this.#nextHandle++
      if (signal === undefined) {
        this.#pending.set(handle, { resolve, reject })
        this.#hand(body, handle)
        return
      }
      checkNotAborted(signal)
      const onAbort = (): void => {
        this.#pending.set(handle, { resolve: onLate ?? (() => {}), reject: () => {} })
        reject(abortError(signal))
      }
      const settled = (): void => signal.removeEventListener('abort', onAbort)
      this.#pending.set(handle, {
        resolve: (done) => {
          settled()
          resolve(done)
        },
        reject: (error) => {
          settled()
          reject(error)
        },
      })
      signal.addEventListener('abort', onAbort, { once: true })
      this.#hand(body, handle)
    })
  }

  #hand(body: CommandBody, handle: number): void {
    try {
      // The body was made for this call, so it becomes the command.
      const command = body as { handle?: number }
      command.handle = handle
      this.#give(command as GraphCommand)
    } catch (error) {
      this.#pending.get(handle)?.reject(error as PeernetError)
      this.#pending.delete(handle)
    }
  }

  settle(event: Done | Failed): void {
    const pending = this.#pending.get(event.handle)
    this.#pending.delete(event.handle)
    if (event.type === 'done') pending?.resolve(event)
    else pending?.reject(new PeernetError(event.code, event.message))
  }

  /** Nothing that is under way will end. */
  fail(why: string): void {
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of pending) reject(new PeernetError('ERR_PEERNET_CLOSED', why))
  }
}

function abortError(signal: AbortSignal | undefined): PeernetError {
  return new PeernetError('ERR_PEERNET_ABORTED', 'aborted', { cause: signal?.reason })
}

/** Throws ERR_PEERNET_ABORTED. */
export function checkNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal)
}
