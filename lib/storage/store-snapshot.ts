import { randomUUID } from 'node:crypto'
import { link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PeernetError, systemCode } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'

const NAME = '.before-opening'
const OWNER = 'owner'
/** At the claim of a process that is gone. */
const ATTEMPTS = 8

/** Claims of this process: others with its number are of one that had it before. */
const claims = new Set<string>()

/**
 * The files of a LevelDB directory as they were before it was opened, kept by hard links: LevelDB
 * writes files once and deletes or replaces them, so they cost nothing. When the database turns out
 * to be damaged, everything is put back as it was found.
 *
 * Until it is dropped or restored, no other process opens the database, since LevelDB's own lock
 * does not cover the time before and after LevelDB has it open.
 */
export class StoreSnapshot {
  readonly #directory: string
  readonly #claim: string
  readonly #files: readonly string[]

  private constructor(directory: string, claim: string, files: readonly string[]) {
    this.#directory = directory
    this.#claim = claim
    this.#files = files
  }

  /**
   * Undefined where the file system has no hard links. Throws ERR_PEERNET_STATE_LOCKED while
   * somebody else opens the database.
   */
  static async take(directory: string): Promise<StoreSnapshot | undefined> {
    const claim = await claimOpening(directory)
    try {
      await sweep(directory)
      const files = (await readdir(directory)).filter((name) => name !== 'LOCK' && !isOurs(name))
      const snapshot = new StoreSnapshot(directory, claim, files)
      for (const name of files) await link(join(directory, name), join(directory, NAME, name))
      return snapshot
    } catch {
      await new StoreSnapshot(directory, claim, []).drop()
      return undefined
    }
  }

  /** The database is sound. */
  async drop(): Promise<void> {
    // At once: in its place there may soon be another's.
    const aside = join(this.#directory, `${NAME}.${randomUUID()}`)
    await moved(join(this.#directory, NAME), aside)
    claims.delete(this.#claim)
    await rm(aside, { recursive: true, force: true })
  }

  /** Everything as it was; call it with the database closed. */
  async restore(): Promise<void> {
    const kept = new Set(this.#files)
    for (const name of await readdir(this.#directory)) {
      if (!isOurs(name) && name !== 'LOCK' && !kept.has(name)) {
        await rm(join(this.#directory, name), { recursive: true, force: true })
      }
    }
    for (const name of this.#files) {
      await rename(join(this.#directory, NAME, name), join(this.#directory, name))
    }
    await this.drop()
  }
}

function isOurs(name: string): boolean {
  return name.startsWith(NAME)
}

/** Removes what killed processes have left. */
async function sweep(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const place = join(directory, name)
    if (!isOurs(name) || name === NAME || (await isHeld(place))) continue
    await rm(place, { recursive: true, force: true })
  }
}

/** Whoever moves a directory with his name in it to that place has it. */
async function claimOpening(directory: string): Promise<string> {
  const place = join(directory, NAME)
  const claim = `${process.pid} ${randomUUID()}`
  const mine = `${place}.${randomUUID()}`
  await mkdir(mine, { mode: 0o700 })
  claims.add(claim)
  try {
    await writeFile(join(mine, OWNER), claim)
    for (let attempt = 0; !(await moved(mine, place)); attempt++) {
      // Left by a process that was killed: moved away first, since another may do the same.
      const aside = `${place}.${randomUUID()}`
      const held = (await isHeld(place)) || ((await moved(place, aside)) && (await isHeld(aside)))
      if (held || attempt === ATTEMPTS) {
        await moved(aside, place)
        throw new PeernetError(
          'ERR_PEERNET_STATE_LOCKED',
          `${directory} is being opened by another process, or by another graph object of this ` +
            'one; try again',
        )
      }
      await rm(aside, { recursive: true, force: true })
    }
    return claim
  } catch (error) {
    claims.delete(claim)
    await rm(mine, { recursive: true, force: true })
    throw error
  }
}

/** False: something is in the way, or has gone. */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    // EPERM: Windows.
    if (['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EPERM'].includes(systemCode(error) ?? '')) return false
    throw error
  }
}

/** Is there somebody whose claim this is? */
async function isHeld(place: string): Promise<boolean> {
  const claim = await readFile(join(place, OWNER), 'utf8').catch(() => '')
  const pid = Number.parseInt(claim, 10)
  if (!(pid > 0)) return false
  if (pid === process.pid) return claims.has(claim)
  // The number may be another's by now.
  const { mtimeMs } = await stat(place).catch(() => ({ mtimeMs: 0 }))
  return Date.now() - mtimeMs < LIMITS.graphOpeningMs && isAlive(pid)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}
