// Collects what a datagram port receives, for tests that wait for it.
import type { Endpoint } from '#lib/core/endpoint.js'
import type { DatagramBatch, DatagramReceiver } from '#lib/io/datagram-port.js'

export interface Received {
  readonly data: Uint8Array
  readonly from: Endpoint
  readonly scopeId: number
  readonly localAddress: Uint8Array
  readonly interfaceIndex: number
  readonly receivedAt: number
}

export class Inbox {
  readonly all: Received[] = []
  #wanted = 0
  #resolve: (() => void) | undefined

  /** Give it to `DatagramTransport.open`. */
  readonly receive: DatagramReceiver = (batch) => {
    for (let i = 0; i < batch.count; i++) this.all.push(read(batch, i))
    if (this.all.length >= this.#wanted) this.#resolve?.()
  }

  get length(): number {
    return this.all.length
  }

  /** Waits until `count` datagrams in all are here; the test's time limit bounds it. */
  async until(count: number): Promise<readonly Received[]> {
    if (this.all.length < count) {
      this.#wanted = count
      await new Promise<void>((resolve) => (this.#resolve = resolve))
    }
    return this.all
  }
}

function read(batch: DatagramBatch, i: number): Received {
  return {
    data: batch.copy(i),
    from: batch.from(i),
    scopeId: batch.scopeId(i),
    localAddress: batch.localAddress(i),
    interfaceIndex: batch.interfaceIndex(i),
    receivedAt: batch.receivedAt(i),
  }
}

/** ::1 */
export const loopback: Uint8Array = Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0))

/** `length` bytes that depend on position and seed. */
export function pattern(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + seed * 13 + (i >> 8)) & 0xff)
}

/** Resolves after the sockets had `turns` turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** Lets the loop turn until a condition holds; the test's time limit bounds it. */
export async function untilTrue(condition: () => boolean): Promise<void> {
  while (!condition()) await turns(1)
}
