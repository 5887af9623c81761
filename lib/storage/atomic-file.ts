import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PeernetError, systemCode } from '../core/errors.js'

/**
 * Replaces a file as a whole: readers see the old content or the new, also after a crash. The
 * directory is made with mode 0700 when missing.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  await makeDirectory(dirname(path))
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(data)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Whether there is no room on the disk, or no more for this user. */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '')
}

/**
 * Makes a directory of mode 0700, and those above it. Node's own recursive mkdir never ends where
 * the system says that a parent which exists does not (Linux, below /proc).
 */
export async function makeDirectory(directory: string): Promise<void> {
  const make = async (): Promise<unknown> => {
    try {
      await mkdir(directory, { mode: 0o700 })
      return undefined
    } catch (error) {
      const there = systemCode(error) === 'EEXIST' && (await stat(directory)).isDirectory()
      return there ? undefined : error
    }
  }
  const parent = dirname(directory)
  let failure = await make()
  if (systemCode(failure) === 'ENOENT' && parent !== directory) {
    await makeDirectory(parent)
    failure = await make()
  }
  if (failure !== undefined) throw directoryError(directory, failure)
}

function directoryError(directory: string, cause: unknown): PeernetError {
  const code = systemCode(cause)
  const denied = code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
  const why = {
    ENOENT: `${dirname(directory)} takes no directories`,
    ENOTDIR: 'a file stands in the way',
    EEXIST: 'a file stands in its place',
  }[code ?? '']
  return new PeernetError(
    denied ? 'ERR_PEERNET_PERMISSION' : 'ERR_PEERNET_SYSTEM',
    `cannot make the directory ${directory}: ${why ?? code ?? String(cause)}. ` +
      'PEERNET_HOME or the XDG variables choose another place',
    { cause },
  )
}

export { systemCode }
