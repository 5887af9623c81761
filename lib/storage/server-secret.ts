import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fromHex, toHex } from '../core/bytes.js'
import { PeernetError } from '../core/errors.js'
import { systemCode, writeFileAtomic } from './atomic-file.js'

/** MS-PCCRC 2.5 leaves the length open; 32 random bytes are as strong as the hashes. */
const SECRET_BYTES = 32
const LONGEST = 65_536

/**
 * The server secret in a file: a line of hex, mode 0600. Servers of a farm share one, so that the
 * segments of the same content have the same IDs.
 */
export class ServerSecretFile {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** The stored secret; makes one first when there is none (MS-PCCRC 1.3). */
  async load(): Promise<Uint8Array> {
    const stored = await this.#read()
    if (stored !== undefined) return stored
    await this.#create(randomBytes(SECRET_BYTES))
    const made = await this.#read()
    if (made === undefined) throw this.#corrupt()
    return made
  }

  /** Replaces the secret: content information given out before cannot be used any more. */
  async store(secret: Uint8Array): Promise<void> {
    if (secret.length === 0 || secret.length > LONGEST) {
      throw new PeernetError('ERR_PEERNET_INVALID_ARG', 'a server secret has 1..65536 bytes')
    }
    await writeFileAtomic(this.path, `${toHex(secret)}\n`, 0o600)
  }

  async #read(): Promise<Uint8Array | undefined> {
    let text: string
    try {
      text = await readFile(this.path, 'latin1')
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined
      throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot read ${this.path}`, { cause: error })
    }
    const secret = fromHex(text.trim())
    if (secret === undefined || secret.length === 0 || secret.length > LONGEST) {
      throw this.#corrupt()
    }
    await chmod(this.path, 0o600)
    return secret
  }

  /** Of two processes that make one at once, the first wins and both use it. */
  async #create(secret: Uint8Array): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 })
    const aside = `${this.path}.${randomBytes(6).toString('hex')}.tmp`
    try {
      await writeFile(aside, `${toHex(secret)}\n`, { flag: 'wx', mode: 0o600, flush: true })
      await link(aside, this.path)
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') {
        throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot write ${this.path}`, { cause: error })
      }
    } finally {
      await rm(aside, { force: true })
    }
  }

  #corrupt(): PeernetError {
    return new PeernetError('ERR_PEERNET_SECRET_CORRUPT', `${this.path} holds no server secret`)
  }
}
