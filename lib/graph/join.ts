import { viewOf } from '../wire/graph/bytes.js'
import { Slab } from '../wire/graph/slab.js'

/** Memory for what leaves soon: allocations of their own are dear, at several a turn. */
const joinMemory = new Slab(65_536)

/**
 * The same bytes with runs of pieces of less than `limit` bytes joined: one write of many pieces
 * costs more than copying a few hundred bytes each. Large pieces stay the views that they are.
 */
export function joinSmall(pieces: readonly Uint8Array[], limit: number): readonly Uint8Array[] {
  if (pieces.length <= 1) return pieces
  const total = bytesOfSmall(pieces, limit)
  if (total > 0) return [joinRun(pieces, 0, pieces.length, total)]
  const joined: Uint8Array[] = []
  let at = 0
  while (at < pieces.length) {
    const from = at
    let bytes = 0
    while (at < pieces.length && (pieces[at] as Uint8Array).length < limit) {
      bytes += (pieces[at] as Uint8Array).length
      at++
    }
    if (at - from > 1) joined.push(joinRun(pieces, from, at, bytes))
    else if (at > from) joined.push(pieces[from] as Uint8Array)
    if (at < pieces.length) joined.push(pieces[at++] as Uint8Array)
  }
  return joined
}

/** Of all; 0 when one of them is not small. */
function bytesOfSmall(pieces: readonly Uint8Array[], limit: number): number {
  let bytes = 0
  for (const { length } of pieces) {
    if (length >= limit) return 0
    bytes += length
  }
  return bytes
}

function joinRun(
  pieces: readonly Uint8Array[],
  from: number,
  to: number,
  bytes: number,
): Uint8Array {
  const start = joinMemory.claim(bytes)
  const run = viewOf(joinMemory.memory, start, bytes)
  let at = 0
  for (let i = from; i < to; i++) {
    const piece = pieces[i] as Uint8Array
    run.set(piece, at)
    at += piece.length
  }
  return run
}
