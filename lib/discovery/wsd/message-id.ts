import { toHex } from '../../core/bytes.js'
import type { Rng } from '../../core/rng.js'

/** A fresh `urn:uuid:` of version 4 (RFC 4122 4.4): for messages and for the service itself. */
export function newUuid(rng: Rng): string {
  const bytes = rng.bytes(16)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = toHex(bytes)
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)]
  return `urn:uuid:${parts.join('-')}-${hex.slice(20)}`
}
