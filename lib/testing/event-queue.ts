import { NEVER, type Instant } from '../core/instant.js'

const INITIAL_CAPACITY = 1024

/**
 * What happens in the future of a simulation, earliest first; events of one instant come out in the
 * order in which they were put in. A binary heap over typed arrays: an event costs 29 bytes and its
 * payload, and none is a closure.
 */
export class EventQueue<P> {
  #at = new Float64Array(INITIAL_CAPACITY)
  #sequence = new Float64Array(INITIAL_CAPACITY)
  #slot = new Int32Array(INITIAL_CAPACITY)
  #kind = new Uint8Array(INITIAL_CAPACITY)
  #target = new Int32Array(INITIAL_CAPACITY)
  readonly #payload: (P | undefined)[] = []
  readonly #free: number[] = []
  #size = 0
  #pushed = 0

  /** Of the event that `pop` took last. */
  kind = 0
  target = 0

  get size(): number {
    return this.#size
  }

  /** When the earliest event happens, or NEVER. */
  get next(): Instant {
    return this.#size === 0 ? NEVER : (this.#at[0] as number)
  }

  push(at: Instant, kind: number, target: number, payload: P): void {
    if (this.#size === this.#at.length) this.#grow()
    const slot = this.#free.pop() ?? this.#payload.length
    this.#payload[slot] = payload
    this.#kind[slot] = kind
    this.#target[slot] = target
    this.#rise(this.#size++, at, this.#pushed++, slot)
  }

  /** Takes the earliest event: returns its payload, leaves its kind and target in the fields. */
  pop(): P {
    const slot = this.#slot[0] as number
    const last = --this.#size
    if (last > 0) {
      this.#sink(
        this.#at[last] as number,
        this.#sequence[last] as number,
        this.#slot[last] as number,
      )
    }
    const payload = this.#payload[slot] as P
    this.#payload[slot] = undefined
    this.#free.push(slot)
    this.kind = this.#kind[slot] as number
    this.target = this.#target[slot] as number
    return payload
  }

  #rise(from: number, at: Instant, sequence: number, slot: number): void {
    let hole = from
    while (hole > 0) {
      const parent = (hole - 1) >> 1
      if (!this.#before(at, sequence, parent)) break
      this.#move(hole, parent)
      hole = parent
    }
    this.#put(hole, at, sequence, slot)
  }

  #sink(at: Instant, sequence: number, slot: number): void {
    let hole = 0
    for (;;) {
      let child = hole * 2 + 1
      if (child >= this.#size) break
      const right = child + 1
      if (
        right < this.#size &&
        this.#before(this.#at[right] as number, this.#sequence[right] as number, child)
      ) {
        child = right
      }
      if (this.#before(at, sequence, child)) break
      this.#move(hole, child)
      hole = child
    }
    this.#put(hole, at, sequence, slot)
  }

  #before(at: Instant, sequence: number, other: number): boolean {
    const otherAt = this.#at[other] as number
    return at < otherAt || (at === otherAt && sequence < (this.#sequence[other] as number))
  }

  #move(to: number, from: number): void {
    this.#put(
      to,
      this.#at[from] as number,
      this.#sequence[from] as number,
      this.#slot[from] as number,
    )
  }

  #put(index: number, at: Instant, sequence: number, slot: number): void {
    this.#at[index] = at
    this.#sequence[index] = sequence
    this.#slot[index] = slot
  }

  #grow(): void {
    const capacity = this.#at.length * 2
    const wider = <A extends Float64Array | Int32Array | Uint8Array>(wide: A, old: A): A => {
      wide.set(old)
      return wide
    }
    this.#at = wider(new Float64Array(capacity), this.#at)
    this.#sequence = wider(new Float64Array(capacity), this.#sequence)
    this.#slot = wider(new Int32Array(capacity), this.#slot)
    this.#kind = wider(new Uint8Array(capacity), this.#kind)
    this.#target = wider(new Int32Array(capacity), this.#target)
  }
}
