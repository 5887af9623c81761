/** One kind of message in one system's codec; peers' adapters (bench/peers/*.mjs) look alike. */
export interface Exchange<Message = unknown> {
  /** A message with this transaction number, in bytes of its own. */
  encode(transaction: number): Uint8Array
  decode(bytes: Uint8Array): Message
  /** Every field: numbers, `sum` of byte strings, length of text. */
  read(message: Message, sum: (bytes: Uint8Array) => number): number
}

export interface CodecPeer {
  readonly request: Exchange
  readonly response: Exchange
}

/** Encodes and decodes a batch and reads every field; returns something that depends on them. */
export type PairRound = () => number

export const BATCH = 64

/** Reads all of a byte string; four at a time is the fastest by index. */
function sumBytes(bytes: Uint8Array): number {
  const length = bytes.length
  let total = 0
  let i = 0
  for (; i + 4 <= length; i += 4) {
    total += byteAt(bytes, i) + byteAt(bytes, i + 1) + byteAt(bytes, i + 2) + byteAt(bytes, i + 3)
  }
  for (; i < length; i++) total += byteAt(bytes, i)
  return total
}

function byteAt(bytes: Uint8Array, i: number): number {
  return bytes[i] as number
}

/** A round of `BATCH` messages that are encoded and decoded one by one. */
export function singleRound<Message>({ encode, decode, read }: Exchange<Message>): PairRound {
  const datagrams = new Array<Uint8Array>(BATCH)
  return () => {
    for (let i = 0; i < BATCH; i++) datagrams[i] = encode(i)
    let total = 0
    for (let i = 0; i < BATCH; i++) total += read(decode(datagrams[i] as Uint8Array), sumBytes)
    return total
  }
}
