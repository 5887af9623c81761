import { randomBytes } from 'node:crypto'
import type { HashScheme } from '#lib/content/algorithms.js'
import { ContentHasher } from '#lib/content/content-hasher.js'
import type { ContentSegment } from '#lib/content/content-info.js'
import { parseContentInfo } from '#lib/content/read-info.js'
import { writeContentInfo } from '#lib/content/write-info.js'

export const SHA256: HashScheme = { version: 1, algorithm: 'sha256' }
export const VERSION_2: HashScheme = { version: 2, algorithm: 'sha512' }

/** Segments of content, as one who was given its content information knows them. */
export function segmentsOf(
  content: Uint8Array,
  scheme: HashScheme = SHA256,
  secret: Uint8Array = randomBytes(32),
): readonly ContentSegment[] {
  const hasher = new ContentHasher(scheme)
  hasher.push(content)
  const parsed = parseContentInfo(writeContentInfo(hasher.finish(), secret))
  if (!parsed.ok) throw new Error(parsed.code)
  return parsed.info.segments
}

export function blockOf(content: Uint8Array, segment: ContentSegment, block: number): Uint8Array {
  const at = segment.offset + block * segment.blockBytes
  return content.subarray(at, at + segment.blockLength(block))
}
