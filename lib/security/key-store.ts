import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { toHex } from '../core/bytes.js'
import { PeernetError, systemCode } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import { sha1 } from '../native/digest.js'
import { authorityOfKey, authorityText } from '../pnrp/peer-name.js'
import { DelegatedIdentity } from './delegated-identity.js'
import { Delegation } from './delegation.js'
import { PeerIdentity } from './peer-identity.js'

/** One identity in a store, as far as it can be told without opening it. */
export interface StoredIdentity {
  readonly authority: string
  readonly friendlyName: string
  /** It takes a password to use it. */
  readonly encrypted: boolean
  readonly file: string
  /** Why it cannot be used, when it cannot. */
  readonly problem?: string
}

/** One delegation in a store. */
export interface StoredDelegation {
  readonly file: string
  readonly delegation?: Delegation
  readonly problem?: string
}

const IDENTITY_FILE = /^([0-9a-f]{40})\.pem$/
const DELEGATION_FILE = /^[0-9a-f]{40}\.[0-9a-f]{40}\.[0-9a-f]{8}\.chain$/
/** PEER_E_IDENTITY_NOT_FOUND. */
const IDENTITY_NOT_FOUND = 0x80630501

/**
 * A directory of identities and delegations: one text file each, mode 0600, in a directory of mode
 * 0700. Files appear whole or not at all, and none is ever overwritten.
 */
export class KeyStore {
  readonly directory: string

  /** The directory is made when the first thing is stored. */
  constructor(directory: string) {
    this.directory = path.resolve(directory)
  }

  /** All identities, also those that cannot be used. */
  async list(): Promise<StoredIdentity[]> {
    const names = await this.#files(IDENTITY_FILE)
    return Promise.all(names.map((name) => this.#describe(name)))
  }

  /**
   * The entry for an authority, the beginning of one (at least 4 digits), or a friendly name.
   * Throws ERR_PEERNET_IDENTITY_NOT_FOUND, ERR_PEERNET_INVALID_ARG when several fit.
   */
  async find(name: string): Promise<StoredIdentity> {
    const all = await this.list()
    const exact = all.filter((one) => one.authority === name || one.friendlyName === name)
    const fitting =
      exact.length > 0 || !/^[0-9a-f]{4,40}$/.test(name)
        ? exact
        : all.filter((one) => one.authority.startsWith(name))
    const [first, second] = fitting
    if (first === undefined) {
      throw new PeernetError(
        'ERR_PEERNET_IDENTITY_NOT_FOUND',
        `no identity ${JSON.stringify(name)} in ${this.directory}`,
        { hresult: IDENTITY_NOT_FOUND },
      )
    }
    if (second !== undefined) {
      const which = fitting.map(({ authority }) => authority).join(', ')
      throw new PeernetError(
        'ERR_PEERNET_INVALID_ARG',
        `several identities fit ${JSON.stringify(name)}, name one by its authority: ${which}`,
      )
    }
    return first
  }

  /** Keeps an identity, encrypted if there is a password. Throws ERR_PEERNET_IDENTITY_EXISTS. */
  async add(identity: PeerIdentity, password?: string): Promise<StoredIdentity> {
    const name = `${identity.authority}.pem`
    await this.#write(name, await identity.export(password))
    return this.#describe(name)
  }

  /**
   * Opens an identity. Throws what `find` throws, ERR_PEERNET_WRONG_PASSWORD,
   * ERR_PEERNET_IDENTITY_CORRUPT, and ERR_PEERNET_PERMISSION when others could read the file.
   */
  async load(name: string, password?: string): Promise<PeerIdentity> {
    const { authority, file } = await this.find(name)
    const identity = await this.#open(file, async () =>
      PeerIdentity.import(await this.#read(path.basename(file)), password),
    )
    if (identity.authority === authority) return identity
    throw new PeernetError(
      'ERR_PEERNET_IDENTITY_CORRUPT',
      `${file} holds the key of another identity, ${identity.authority}; the file was left alone`,
    )
  }

  /** Removes an identity for good. */
  async delete(name: string): Promise<StoredIdentity> {
    const found = await this.find(name)
    await system(rm(found.file), found.file)
    return found
  }

  /** Keeps a delegation, whose chain has to be in order. */
  async addDelegation(delegation: Delegation): Promise<StoredDelegation> {
    const delegate = authorityText(authorityOfKey(delegation.delegate.publicKey))
    const digest = toHex(sha1(delegation.chain)).slice(0, 8)
    const name = `${delegate}.${delegation.authority}.${digest}.chain`
    await this.#write(name, delegation.text())
    return { file: path.join(this.directory, name), delegation }
  }

  /** All delegations, also those that have run out or are damaged. */
  async delegations(): Promise<StoredDelegation[]> {
    const names = await this.#files(DELEGATION_FILE)
    return Promise.all(names.map((name) => this.#describeDelegation(name)))
  }

  /**
   * The identity as the delegate of `authority`, by a delegation in this store that permits the
   * classifier; of several, the one that lasts longest. Throws ERR_PEERNET_NOT_AUTHORIZED.
   */
  async delegated(
    identity: PeerIdentity,
    authority: string,
    classifier: string,
  ): Promise<DelegatedIdentity> {
    const prefix = `${identity.authority}.${authority}.`
    const [best] = (await this.delegations())
      .filter(({ file }) => path.basename(file).startsWith(prefix))
      .flatMap(({ delegation }) => (delegation?.permits(classifier) === true ? [delegation] : []))
      .sort((a, b) => b.notAfter.getTime() - a.notAfter.getTime())
    if (best !== undefined) return new DelegatedIdentity(identity, best)
    throw new PeernetError(
      'ERR_PEERNET_NOT_AUTHORIZED',
      `no valid delegation in ${this.directory} lets ${identity.authority} publish ` +
        `${authority}.${classifier}`,
    )
  }

  async #files(pattern: RegExp): Promise<string[]> {
    try {
      return (await readdir(this.directory)).filter((name) => pattern.test(name)).sort()
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return []
      throw systemError(error, this.directory)
    }
  }

  async #describe(name: string): Promise<StoredIdentity> {
    const file = path.join(this.directory, name)
    const authority = (IDENTITY_FILE.exec(name) as RegExpExecArray)[1] as string
    const unusable = (problem: string): StoredIdentity => ({
      authority,
      friendlyName: '',
      encrypted: false,
      file,
      problem,
    })
    try {
      const said = PeerIdentity.describe(await this.#read(name))
      if (said?.authority !== authority) return unusable('the file is damaged')
      return { ...said, file }
    } catch (error) {
      return unusable((error as Error).message)
    }
  }

  async #describeDelegation(name: string): Promise<StoredDelegation> {
    const file = path.join(this.directory, name)
    try {
      return { file, delegation: Delegation.read(await this.#read(name)) }
    } catch (error) {
      return { file, problem: (error as Error).message }
    }
  }

  /** Adds the file's name to what is wrong with it. */
  async #open<T>(file: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof PeernetError) || error.code !== 'ERR_PEERNET_IDENTITY_CORRUPT') {
        throw error
      }
      throw new PeernetError(error.code, `${file}: ${error.message}; the file was left alone`, {
        cause: error,
      })
    }
  }

  async #read(name: string): Promise<string> {
    const file = path.join(this.directory, name)
    const handle = await system(open(file, 'r'), file)
    try {
      const { mode, size } = await system(handle.stat(), file)
      if (size > LIMITS.identityFileBytes) {
        throw new PeernetError('ERR_PEERNET_IDENTITY_CORRUPT', `${file} is too long for a key`)
      }
      if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
        throw new PeernetError(
          'ERR_PEERNET_PERMISSION',
          `${file} can be used by others (mode ${(mode & 0o777).toString(8)}). If nobody has ` +
            `copied it, run: chmod 600 ${file}`,
        )
      }
      return (await system(handle.readFile(), file)).toString('utf8')
    } finally {
      await handle.close()
    }
  }

  /** The whole text under a new name; an existing file stays as it is. */
  async #write(name: string, text: string): Promise<void> {
    await this.#prepareDirectory()
    const file = path.join(this.directory, name)
    const temporary = path.join(this.directory, `.${name}.${toHex(randomBytes(6))}.tmp`)
    try {
      const handle = await system(open(temporary, 'wx', 0o600), temporary)
      try {
        await system(handle.writeFile(text), temporary)
        await system(handle.sync(), temporary)
      } finally {
        await handle.close()
      }
      // Unlike rename, link refuses to replace what is there.
      await link(temporary, file).catch((cause: unknown) => {
        throw systemCode(cause) === 'EEXIST' ? existsError(cause, file) : systemError(cause, file)
      })
    } finally {
      await rm(temporary, { force: true })
    }
  }

  async #prepareDirectory(): Promise<void> {
    await makeDirectory(this.directory).catch((cause: unknown) => {
      throw directoryError(cause, this.directory)
    })
    const { mode } = await system(stat(this.directory), this.directory)
    if (process.platform !== 'win32' && (mode & 0o022) !== 0) {
      throw new PeernetError(
        'ERR_PEERNET_PERMISSION',
        `others can exchange the keys in ${this.directory}: run chmod 700 ${this.directory}`,
      )
    }
  }
}

/** Node's own recursive mkdir never ends below /proc on Linux. */
async function makeDirectory(directory: string): Promise<void> {
  const make = (): Promise<void> =>
    mkdir(directory, { mode: 0o700 }).catch(async (error: unknown) => {
      const there = systemCode(error) === 'EEXIST' && (await stat(directory)).isDirectory()
      if (!there) throw error
    })
  await make().catch(async (error: unknown) => {
    const parent = path.dirname(directory)
    if (systemCode(error) !== 'ENOENT' || parent === directory) throw error
    await makeDirectory(parent)
    await make()
  })
}

async function system<T>(work: Promise<T>, file: string): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw systemError(error, file)
  }
}

function directoryError(cause: unknown, directory: string): PeernetError {
  const code = systemCode(cause) ?? ''
  if (!['EEXIST', 'ENOTDIR', 'ENOENT'].includes(code)) return systemError(cause, directory)
  return new PeernetError(
    'ERR_PEERNET_SYSTEM',
    `cannot make ${directory}: a directory in this path is a file, or takes no directories. ` +
      'PEERNET_HOME or XDG_DATA_HOME choose another place',
    { cause },
  )
}

function existsError(cause: unknown, file: string): PeernetError {
  return new PeernetError('ERR_PEERNET_IDENTITY_EXISTS', `${file} is there already`, { cause })
}

function systemError(cause: unknown, file: string): PeernetError {
  switch (systemCode(cause)) {
    case 'EACCES':
    case 'EPERM':
      return new PeernetError('ERR_PEERNET_PERMISSION', `no right to use ${file}`, { cause })
    default:
      return new PeernetError(
        'ERR_PEERNET_SYSTEM',
        `${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      )
  }
}
