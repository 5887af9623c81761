import { link, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

const NAME = '.before-opening'

/**
 * The files of a LevelDB directory as they were before it was opened, kept by hard links: LevelDB
 * writes files once and deletes or replaces them, so they cost nothing. When the database turns out
 * to be damaged, everything is put back as it was found.
 */
export class StoreSnapshot {
  readonly #directory: string
  readonly #files: readonly string[]

  private constructor(directory: string, files: readonly string[]) {
    this.#directory = directory
    this.#files = files
  }

  /** Undefined where the file system has no hard links. */
  static async take(directory: string): Promise<StoreSnapshot | undefined> {
    const place = join(directory, NAME)
    // Left by a process that was killed while it opened the database.
    await rm(place, { recursive: true, force: true })
    const files = (await readdir(directory)).filter((name) => name !== 'LOCK' && name !== NAME)
    await mkdir(place, { mode: 0o700 })
    try {
      for (const name of files) await link(join(directory, name), join(place, name))
    } catch {
      await rm(place, { recursive: true, force: true })
      return undefined
    }
    return new StoreSnapshot(directory, files)
  }

  /** The database is sound. */
  async drop(): Promise<void> {
    await rm(join(this.#directory, NAME), { recursive: true, force: true })
  }

  /** Everything as it was; call it with the database closed. */
  async restore(): Promise<void> {
    const kept = new Set(this.#files)
    for (const name of await readdir(this.#directory)) {
      if (name !== NAME && name !== 'LOCK' && !kept.has(name)) {
        await rm(join(this.#directory, name), { recursive: true, force: true })
      }
    }
    for (const name of this.#files) {
      await rename(join(this.#directory, NAME, name), join(this.#directory, name))
    }
    await this.drop()
  }
}
