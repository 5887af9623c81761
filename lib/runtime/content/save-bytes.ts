import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { PeernetError } from '../../core/errors.js'
import { LIMITS } from '../../core/limits.js'

/**
 * Lets `write` fill a file, which has its name only when it is whole; until then it is `FILE.part`.
 * Returns the number of bytes, as `write` does. Rejects as that does, and with ERR_PEERNET_SYSTEM.
 */
export async function saveFile(
  file: string,
  write: (handle: FileHandle) => Promise<number>,
): Promise<number> {
  const aside = `${file}.part`
  try {
    const handle = await open(aside, 'w')
    let written: number
    try {
      written = await write(handle)
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

/** Writes bytes from the start of a file on, many parts at a time, while more are coming. */
export async function writeBytes(
  handle: FileHandle,
  bytes: AsyncIterable<Uint8Array>,
): Promise<number> {
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
  const done = (await handle.writev(parts as Uint8Array[], position)).bytesWritten
  if (done === length) return
  // A full disk writes a part; the rest tells why.
  await writeAt(handle, Buffer.concat(parts).subarray(done), position + done)
}

/** Writes all of it, or tells what the system says. */
export async function writeAt(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}
