import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { PeernetError } from '../../core/errors.js'
import { LIMITS } from '../../core/limits.js'

/**
 * Writes bytes to a file, many parts at a time, while further ones are coming. It has its name only
 * when it is whole; until then it is `FILE.part`. Returns the number of bytes. Rejects as the bytes
 * do, and with ERR_PEERNET_SYSTEM.
 */
export async function saveBytes(bytes: AsyncIterable<Uint8Array>, file: string): Promise<number> {
  const aside = `${file}.part`
  try {
    const handle = await open(aside, 'w')
    let written: number
    try {
      written = await writeAll(handle, bytes)
    } finally {
      await handle.close()
    }
    await rename(aside, file)
    return written
  } catch (cause) {
    await rm(aside, { force: true })
    if (cause instanceof PeernetError) throw cause
    throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot write ${file}`, { cause })
  }
}

async function writeAll(handle: FileHandle, bytes: AsyncIterable<Uint8Array>): Promise<number> {
  let [position, gathered] = [0, 0]
  let parts: Uint8Array[] = []
  let writing: Promise<unknown> = Promise.resolve()
  const flush = async (): Promise<void> => {
    await writing
    if (parts.length === 0) return
    writing = writeParts(handle, parts, position)
    // Seen when it is awaited.
    writing.catch(() => undefined)
    position += gathered
    gathered = 0
    parts = []
  }
  for await (const part of bytes) {
    parts.push(part)
    gathered += part.length
    if (gathered >= LIMITS.fetchWriteBytes) await flush()
  }
  await flush()
  await writing
  return position
}

async function writeParts(
  handle: FileHandle,
  parts: readonly Uint8Array[],
  position: number,
): Promise<void> {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  let done = (await handle.writev(parts as Uint8Array[], position)).bytesWritten
  if (done === length) return
  // A full disk writes a part; the rest tells why.
  const all = Buffer.concat(parts)
  while (done < length) {
    done += (await handle.write(all, done, length - done, position + done)).bytesWritten
  }
}
