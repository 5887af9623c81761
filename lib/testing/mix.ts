import { SeededRng } from '../core/rng.js'

/** Scrambles one 32-bit word (the finaliser of MurmurHash3). */
export function scramble(word: number): number {
  let h = word >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/**
 * A uniform 32-bit value that depends on nothing but its arguments. The network draws its luck from
 * here, counted for each host, so that traffic elsewhere does not change what befalls a packet.
 */
export function draw(seed: number, stream: number, index: number, purpose: number): number {
  let h = scramble(seed ^ 0x9e3779b9)
  h = scramble((h + Math.imul(stream, 0x85ebca77)) ^ stream)
  h = scramble((h + Math.imul(index, 0xc2b2ae3d)) ^ index)
  return scramble((h + Math.imul(purpose, 0x27d4eb2f)) ^ purpose)
}

/** `draw` as a number in [0, 1). */
export function drawUnit(seed: number, stream: number, index: number, purpose: number): number {
  return draw(seed, stream, index, purpose) / 0x1_0000_0000
}

/** Randomness of its own for one part of a simulation: same seed, label and index, same values. */
export function derivedRng(seed: number, label: string, index = 0): SeededRng {
  let h = scramble(seed)
  for (let i = 0; i < label.length; i++) h = scramble(h ^ Math.imul(label.charCodeAt(i) + 1, i + 1))
  const low = draw(h, index, 1, 1)
  const high = draw(h, index, 2, 2) >>> 11
  return new SeededRng(high * 0x1_0000_0000 + low)
}
