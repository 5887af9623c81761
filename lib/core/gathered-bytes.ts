/**
 * Bytes that arrive in pieces, in one place: pieces may be of one byte each, and a list of those
 * would take a hundred times their room.
 */
export class GatheredBytes {
  readonly #limit: number
  #bytes: Uint8Array = new Uint8Array(0)
  #length = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Copies the piece. False, and nothing is kept, when it is more than the limit in all. */
  push(piece: Uint8Array): boolean {
    const length = this.#length + piece.length
    if (length > this.#limit) {
      this.#bytes = new Uint8Array(0)
      return false
    }
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, Math.min(2 * length, this.#limit)))
      larger.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = larger
    }
    this.#bytes.set(piece, this.#length)
    this.#length = length
    return true
  }

  /** All of it; a view. */
  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }
}
