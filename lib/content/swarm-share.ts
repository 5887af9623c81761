import { LIMITS } from '../core/limits.js'

/**
 * Is the block, of those nobody has, this peer's to fetch from the origin? A few blocks side by
 * side belong to the peer whose identity hashes highest with them: all who know of the same peers
 * agree without a word.
 */
export function isShareOf(
  self: number,
  block: number,
  others: readonly { readonly identity: number }[],
): boolean {
  const group = Math.floor(block / LIMITS.swarmGroupBlocks)
  const own = mix(self, group)
  return others.every(({ identity }) => mix(identity, group) <= own)
}

/** What a peer is known by, as a number (FNV-1a). */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** A uniform number for a peer and some blocks, the same at every peer (as in MurmurHash3). */
function mix(identity: number, group: number): number {
  let h = identity ^ Math.imul(group + 1, 0x9e3779b1)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
