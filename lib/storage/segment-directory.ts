import { readdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fromHex } from '../core/bytes.js'
import { LIMITS } from '../core/limits.js'
import { systemCode } from './atomic-file.js'

/** Where the files of segments are: in 256 directories, under their IDs. */

/** The file of a segment. */
export interface StoredFile {
  readonly path: string
  /** On the disk. */
  readonly bytes: number
  /** Milliseconds since 1970. */
  readonly usedAt: number
}

const NAME = /^(?:[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})\.seg$/
const TEMPORARY = /\.tmp$/

/** `key`: the ID in hex, so that none leads out of the directory. */
export function segmentPath(directory: string, key: string): string {
  return join(directory, key.slice(0, 2), `${key}.seg`)
}

export function idIn(path: string): Uint8Array {
  return fromHex(basename(path, '.seg')) ?? new Uint8Array(0)
}

/** All files of segments; removes what writers left behind that died. */
export async function segmentFiles(directory: string, nowMs: number): Promise<StoredFile[]> {
  const found: StoredFile[] = []
  for (const part of await namesIn(directory)) {
    if (!/^[0-9a-f]{2}$/.test(part)) continue
    for (const name of await namesIn(join(directory, part))) {
      const path = join(directory, part, name)
      if (!NAME.test(name) && !TEMPORARY.test(name)) continue
      const facts = await stat(path).catch(() => undefined)
      if (facts === undefined) continue
      const abandoned = nowMs - facts.mtimeMs > LIMITS.cacheTemporaryMs
      if (NAME.test(name)) {
        found.push({ path, bytes: facts.blocks * 512, usedAt: facts.mtimeMs })
      } else if (abandoned) await rm(path, { force: true })
    }
  }
  return found
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return []
    throw error
  }
}
