/**
 * A write-ahead log of LevelDB, read for damage only. LevelDB itself, on opening, drops what it
 * cannot read and deletes the log; then records would be gone that were acknowledged.
 *
 * Blocks of 32 KiB; in them records of a masked CRC-32C (u32), length (u16), type (u8), all little-
 * endian, and data; what is too short for a header at a block's end is zero.
 */

const BLOCK = 32_768
const HEADER = 7
const MASK_DELTA = 0xa282ead8
/** CRC-32C, reflected. */
const POLYNOMIAL = 0x82f63b78

const table = new Uint32Array(256).map((_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  return crc
})

/** CRC-32C of a part of a buffer. */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = 0xffff_ffff
  for (let i = from; i < to; i++) {
    crc = (table[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8)
  }
  return (crc ^ 0xffff_ffff) >>> 0
}

function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0
}

/**
 * Where the log is damaged; undefined when it is whole. A last record that is cut off is no damage:
 * it is a write that a dying process did not finish, and nobody was told that it was safe.
 */
export function damageOfLog(log: Buffer): number | undefined {
  let at = 0
  while (at < log.length) {
    const left = BLOCK - (at % BLOCK)
    if (left < HEADER) {
      at += left
      continue
    }
    if (at + HEADER > log.length) return undefined
    const length = log.readUInt16LE(at + 4)
    const type = log[at + 6] as number
    // Space that the system had set aside and that was never written.
    if (type === 0 && length === 0) {
      if (log.subarray(at, Math.min(log.length, at + left)).some((byte) => byte !== 0)) return at
      at += left
      continue
    }
    const end = at + HEADER + length
    if (end > at + left) return at
    // A wrong length looks like a cut-off end, but has whole records behind it.
    if (end > log.length) return hasRecord(log, at + 1) ? at : undefined
    if (!isRecord(log, at, end)) return at
    at = end
  }
  return undefined
}

function isRecord(log: Buffer, at: number, end: number): boolean {
  return masked(crc32c(log, at + 6, end)) === log.readUInt32LE(at)
}

/** Does a record begin anywhere from here to the end of the log, within one block? */
function hasRecord(log: Buffer, from: number): boolean {
  for (let at = from; at + HEADER < log.length; at++) {
    const type = log[at + 6] as number
    const end = at + HEADER + log.readUInt16LE(at + 4)
    if (type >= 1 && type <= 4 && end <= log.length && isRecord(log, at, end)) return true
  }
  return false
}
