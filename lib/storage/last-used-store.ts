import { readFile } from 'node:fs/promises'
import { PeernetError } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import { systemCode, writeFileAtomic } from './atomic-file.js'

interface LastUsedFile {
  readonly version: 1
  readonly clouds: Record<string, string[]>
}

/**
 * The most recently used nodes of each cloud, `[address]:port`, newest first, at most ten
 * (MS-PNRP 3.1.4.2 LocalOOB, note <2>). One small JSON file for all clouds of a user.
 */
export class LastUsedStore {
  readonly #path: string
  #writing: Promise<void> = Promise.resolve()

  constructor(path: string) {
    this.#path = path
  }

  /** Throws ERR_PEERNET_STATE_CORRUPT when the file is unreadable as such; it is left as it is. */
  async load(cloud: string): Promise<readonly string[]> {
    return (await this.#read()).clouds[cloud] ?? []
  }

  /** Replaces one cloud's list; concurrent saves follow each other. */
  save(cloud: string, nodes: readonly string[]): Promise<void> {
    this.#writing = this.#writing
      .catch(() => {})
      .then(async () => {
        const file = await this.#read()
        file.clouds[cloud] = nodes.slice(0, LIMITS.lastUsedNodes)
        await writeFileAtomic(this.#path, `${JSON.stringify(file, null, 2)}\n`)
      })
    return this.#writing
  }

  async #read(): Promise<LastUsedFile> {
    let text: string
    try {
      text = await readFile(this.#path, 'utf8')
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return { version: 1, clouds: {} }
      throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot read ${this.#path}`, { cause: error })
    }
    const file = parse(text)
    if (file === undefined) {
      throw new PeernetError(
        'ERR_PEERNET_STATE_CORRUPT',
        `${this.#path} is not a peernet list of last-used nodes; move or delete it and try again`,
      )
    }
    return file
  }
}

function parse(text: string): LastUsedFile | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { version, clouds } = value as Partial<Record<string, unknown>>
  if (version !== 1 || typeof clouds !== 'object' || clouds === null) return undefined
  const valid = Object.values(clouds).every(
    (nodes) => Array.isArray(nodes) && nodes.every((node) => typeof node === 'string'),
  )
  return valid ? (value as LastUsedFile) : undefined
}
