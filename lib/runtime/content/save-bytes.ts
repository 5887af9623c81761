import { randomBytes } from 'node:crypto'
import { open, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { PeernetError } from '../../core/errors.js'
import { LIMITS } from '../../core/limits.js'

/**
 * Saves bytes to a file, which has its name only when it is whole; until then it is `FILE.….part`,
 * of a name that no other writer uses. `write` may fill it in another way than by the bytes one
 * after the other; devices and pipes are written to by these, as they are. Returns the number of
 * bytes. Rejects as what it is given does, and with ERR_PEERNET_SYSTEM.
 */
export async function saveFile(
  file: string,
  bytes: AsyncIterable<Uint8Array>,
  write = (handle: FileHandle): Promise<number> => writeBytes(handle, bytes),
): Promise<number> {
  try {
    // What a link leads to is replaced, not the link.
    const target = await realpath(file).catch(() => file)
    const facts = await stat(target).catch(() => undefined)
    const isPlace = facts !== undefined && !facts.isFile() && !facts.isDirectory()
    if (!isPlace) return await replaceBy(target, write)
    return await writing(target, 'w', (handle) => writeBytes(handle, bytes, false))
  } catch (cause) {
    if (cause instanceof PeernetError) throw cause
    throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot write ${file}`, { cause })
  }
}

type Write = (handle: FileHandle) => Promise<number>

async function replaceBy(file: string, write: Write): Promise<number> {
  const aside = `${file}.${randomBytes(6).toString('hex')}.part`
  try {
    const written = await writing(aside, 'wx', write)
    await rename(aside, file)
    return written
  } catch (error) {
    await rm(aside, { force: true })
    throw error
  }
}

async function writing(file: string, how: 'w' | 'wx', write: Write): Promise<number> {
  const handle = await open(file, how)
  try {
    return await write(handle)
  } finally {
    await handle.close()
  }
}

/**
 * Writes bytes from the start of a file on, many parts at a time, while further ones are coming.
 * `hasPlaces`: false for what has none, such as a pipe.
 */
export async function writeBytes(
  handle: FileHandle,
  bytes: AsyncIterable<Uint8Array>,
  hasPlaces = true,
): Promise<number> {
  let [position, gathered] = [0, 0]
  let parts: Uint8Array[] = []
  let current: Promise<unknown> = Promise.resolve()
  const flush = async (): Promise<void> => {
    await current
    if (parts.length === 0) return
    current = writeParts(handle, parts, hasPlaces ? position : undefined)
    // Seen when it is awaited.
    current.catch(() => undefined)
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
  await current
  return position
}

async function writeParts(
  handle: FileHandle,
  parts: readonly Uint8Array[],
  position: number | undefined,
): Promise<void> {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const done = (await handle.writev(parts as Uint8Array[], position)).bytesWritten
  if (done === length) return
  // A full disk writes a part; the rest tells why.
  const rest = Buffer.concat(parts).subarray(done)
  await writeAt(handle, rest, position === undefined ? undefined : position + done)
}

/** Writes all of it, or tells what the system says. `position` undefined: behind the last. */
export async function writeAt(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number | undefined,
): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const place = position === undefined ? null : position + done
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, place)
    done += bytesWritten
  }
}
