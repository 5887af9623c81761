import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseAddress } from '../../core/address-text.js'
import { fromHex, toHex } from '../../core/bytes.js'
import { addressKind } from '../../core/ipv6.js'
import { LIMITS } from '../../core/limits.js'
import { PeerName } from '../../security/peer-name.js'
import { writeFileAtomic } from '../../storage/atomic-file.js'
import type { BlockStore } from '../../storage/block-store.js'
import type { Cloud } from '../cloud.js'
import type { Registration } from '../registration.js'
import type { ResolvedRecord } from '../resolution.js'
import type { FindPeers, PeerOffer, PeerSearch } from './download-peers.js'
import { peerText } from './peer-address.js'

export interface CloudPeersOptions {
  readonly cloud: Cloud
  readonly cache: BlockStore
  /** Port of the retrieval server. */
  readonly port: number
}

/** In the directory of the cache: IDs of segments that had names, one a line. */
const NAMES_FILE = 'cloud-names'

/**
 * The name of a segment in a cloud: unsecured, made of the public segment ID (HoHoDk) alone, which
 * tells nothing of the content or its secret.
 */
export function segmentName(id: Uint8Array): PeerName {
  return PeerName.unsecured(`peernet-segment-${toHex(id)}`)
}

/**
 * Peers beyond the link, found by names in a cloud: an extension of ours, not part of BranchCache.
 * Of each content only the first segments get names. Anybody can publish such a name; what the
 * peers behind it give is verified like all blocks.
 */
export class CloudPeers {
  readonly #options: CloudPeersOptions
  readonly #path: string
  /** First segments of contents that are or were fetched here; the latest come last. */
  readonly #leading = new Set<string>()
  readonly #names = new Map<string, Promise<Registration | undefined>>()
  readonly #abort = new AbortController()
  readonly #unwatch: () => void
  #saving: Promise<void> = Promise.resolve()

  private constructor(options: CloudPeersOptions) {
    this.#options = options
    this.#path = join(options.cache.directory, NAMES_FILE)
    this.#unwatch = options.cache.watch(({ id, blocks }) => {
      const key = toHex(id)
      if (blocks === 0) this.#withdraw(key)
      else if (this.#leading.has(key)) this.#register(key)
    })
  }

  /** Publishes again what was published by the process before. */
  static async of(options: CloudPeersOptions): Promise<CloudPeers> {
    const made = new CloudPeers(options)
    await made.#lead(await remembered(made.#path))
    return made
  }

  /** Names that this peer has in the cloud. */
  get names(): readonly string[] {
    return [...this.#names.keys()].map((key) => segmentName(fromHex(key) as Uint8Array).toString())
  }

  /** `findPeers` of fetchContent. What is fetched gets its names as it arrives. */
  readonly find: FindPeers = (ids, search) => this.#find(ids, search)

  /** Content whose segments are these is published from now on, as far as the cache has it. */
  async publish(ids: readonly Uint8Array[]): Promise<void> {
    await this.#lead(ids.slice(0, LIMITS.cloudSegments).map(toHex))
    await Promise.all(this.#names.values())
  }

  /** Withdraws all names. */
  async close(): Promise<void> {
    this.#abort.abort()
    this.#unwatch()
    const names = [...this.#names.values()]
    this.#names.clear()
    await Promise.all(names.map(async (one) => (await one)?.close()))
    await this.#saving
  }

  async *#find(ids: readonly Uint8Array[], search: PeerSearch): AsyncGenerator<PeerOffer> {
    const leading = ids.slice(0, LIMITS.cloudSegments)
    await this.#lead(leading.map(toHex))
    const signal = AbortSignal.any([search.signal, this.#abort.signal])
    // A cloud may be slow: nobody else waits for it for long.
    const impatient = setTimeout(() => {
      search.roundOver([])
    }, LIMITS.cloudPatienceMs)
    try {
      while (!signal.aborted) {
        yield* this.#round(leading, signal)
        clearTimeout(impatient)
        search.roundOver([])
        await delay(LIMITS.cloudSearchMs, undefined, { signal, ref: false })
      }
    } catch {
      // The search is over.
    } finally {
      clearTimeout(impatient)
    }
  }

  async *#round(ids: readonly Uint8Array[], signal: AbortSignal): AsyncGenerator<PeerOffer> {
    let found = 0
    for (const id of ids) {
      for await (const offer of this.#resolve(id, signal)) {
        found += 1
        yield offer
      }
      if (found >= LIMITS.fetchPeersEnough) return
    }
  }

  async *#resolve(id: Uint8Array, signal: AbortSignal): AsyncGenerator<PeerOffer> {
    const { cloud } = this.#options
    if (cloud.closed) return
    const timeoutMs = LIMITS.cloudResolveMs
    const options = { max: LIMITS.cloudPeers, timeoutMs, signal }
    for await (const event of cloud.resolve(segmentName(id), options)) {
      if (event.type === 'record') yield* this.#offersOf(event.record)
    }
  }

  /** Only addresses that the cloud itself reaches: a name leads nobody elsewhere. */
  *#offersOf({ endpoints, nodes }: ResolvedRecord): Generator<PeerOffer> {
    const { scope, zone } = this.#options.cloud
    const service = `pnrp:${[...nodes].sort().join()}`
    for (const { address, port, protocol } of endpoints) {
      const parsed = parseAddress(address)
      if (protocol !== 'tcp' || parsed === undefined) continue
      if (addressKind(parsed.address) !== scope) continue
      const host = scope === 'link-local' && zone !== undefined ? `${address}%${zone}` : address
      yield { at: peerText(host, port), service }
    }
  }

  /** These lead a content; those that are in the cache get their names now. */
  async #lead(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      this.#leading.delete(key)
      this.#leading.add(key)
    }
    for (const key of this.#leading) {
      if (this.#leading.size <= LIMITS.cloudNames) break
      this.#leading.delete(key)
      this.#withdraw(key)
    }
    for (const key of keys) {
      const held = await this.#options.cache.held(fromHex(key) as Uint8Array).catch(() => undefined)
      if (held !== undefined) this.#register(key)
    }
  }

  #register(key: string): void {
    const { cloud, port } = this.#options
    if (this.#names.has(key) || cloud.closed || this.#abort.signal.aborted) return
    const endpoints = [{ address: 'auto', port }] as const
    const name = segmentName(fromHex(key) as Uint8Array)
    const work = cloud.register(name, { endpoints }).catch(() => {
      // Without its name the content is found by those who know of it otherwise.
      this.#names.delete(key)
      return undefined
    })
    this.#names.set(key, work)
    this.#save()
  }

  #withdraw(key: string): void {
    const work = this.#names.get(key)
    this.#names.delete(key)
    void work?.then((registration) => registration?.close())
  }

  #save(): void {
    const keys = [...this.#names.keys()]
    this.#saving = this.#saving.then(() => remember(this.#path, keys)).catch(() => undefined)
  }
}

async function remembered(path: string): Promise<string[]> {
  const text = await readFile(path, 'latin1').catch(() => '')
  const keys = text
    .split('\n')
    .filter((line) => /^(?:[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$/.test(line))
  return keys.slice(-LIMITS.cloudNames)
}

/** Beside those of other processes with the same cache; what it does not hold gets no name. */
async function remember(path: string, keys: readonly string[]): Promise<void> {
  const others = (await remembered(path)).filter((key) => !keys.includes(key))
  const latest = [...others, ...keys].slice(-LIMITS.cloudNames)
  await writeFileAtomic(path, latest.map((key) => `${key}\n`).join(''))
}

/** The next peer with this cache and a cloud has names for the content whose segments these are. */
export async function nameLater(cache: BlockStore, ids: readonly Uint8Array[]): Promise<void> {
  const keys = ids.slice(0, LIMITS.cloudSegments).map(toHex)
  await remember(join(cache.directory, NAMES_FILE), keys).catch(() => undefined)
}
