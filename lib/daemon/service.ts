import { PeernetError } from '../core/errors.js'
import type { Cloud, Criteria } from '../runtime/cloud.js'
import type { OpenCloudOptions } from '../runtime/open-options.js'
import type { Registration, RegisterOptions } from '../runtime/registration.js'
import type { ServiceEndpoint } from '../runtime/resolution.js'
import type { CallOptions, Controller, Json, JsonObject } from './controller.js'
import { Params } from './params.js'

/** What the service needs from the rest: opening clouds and finding signers. */
export interface ServicePorts {
  openCloud(options: OpenCloudOptions): Promise<Cloud>
  /** Who signs a name for this user: an identity, or a delegation to it. */
  signer(identity: string, peerName: string, password: string | undefined): Promise<unknown>
  readonly version: string
  readonly log: (event: JsonObject) => void
}

const SERVICE_LIMITS = { clouds: 32, registrations: 4096 } as const

interface OpenedCloud {
  readonly key: string
  readonly options: OpenCloudOptions
  readonly cloud: Cloud
  /** The call that got this named seeds that the open cloud did not know. */
  readonly newSeeds?: boolean
}

/** Two transmissions of a SOLICIT and of an INQUIRE, and their answers. */
const NEW_SEEDS_MS = 4_500

type Method = (params: Params, options: CallOptions) => Promise<Json>

/**
 * The methods behind the commands, over clouds that are opened when first used. The daemon serves
 * one of these; a command without a daemon makes its own.
 */
export class NamingService implements Controller {
  readonly remote = false
  readonly #ports: ServicePorts
  readonly #defaults: OpenCloudOptions
  readonly #clouds = new Map<string, Promise<OpenedCloud>>()
  /** The clouds of the calls under way. */
  readonly #inUse = new Map<Params, string>()
  readonly #registrations = new Map<string, { registration: Registration; cloud: string }>()
  readonly #methods: Readonly<Record<string, Method>>
  #nextRegistration = 1

  constructor(ports: ServicePorts, defaults: OpenCloudOptions = {}) {
    this.#ports = ports
    this.#defaults = defaults
    this.#methods = {
      'service.status': () => this.#status(),
      'cloud.list': () => this.#list(),
      'cloud.join': (params, options) => this.#join(params, options),
      'cloud.statistics': (params) => this.#statistics(params),
      'cloud.cache': (params) => this.#cache(params),
      'cloud.flush': (params) => this.#flush(params),
      'cloud.sync': (params) => this.#sync(params),
      'cloud.repair': (params) => this.#repair(params),
      'peer.register': (params, options) => this.#register(params, options),
      'peer.unregister': (params) => this.#unregister(params),
      'peer.registrations': () => Promise.resolve(this.#listRegistrations()),
      'peer.resolve': (params, options) => this.#resolve(params, options),
      'peer.ping': (params, options) => this.#ping(params, options),
    }
  }

  call(method: string, params: JsonObject, options: CallOptions = {}): Promise<Json> {
    const run = Object.hasOwn(this.#methods, method) ? this.#methods[method] : undefined
    if (run === undefined) {
      return Promise.reject(
        new PeernetError('ERR_PEERNET_INVALID_ARG', `no such method: ${method}`),
      )
    }
    this.#ports.log({ call: method })
    const checked = new Params(params)
    return Promise.resolve()
      .then(() => run(checked, options))
      .finally(() => this.#inUse.delete(checked))
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#clouds.values())
    this.#clouds.clear()
    this.#registrations.clear()
    await Promise.all(
      opened.flatMap((result) =>
        result.status === 'fulfilled' ? [result.value.cloud.close()] : [],
      ),
    )
  }

  async #cloud(params: Params): Promise<OpenedCloud> {
    const given = params.cloudOptions()
    const options = { ...this.#defaults, ...given }
    const key = keyOf(options)
    this.#inUse.set(params, key)
    if (!this.#clouds.has(key)) await this.#makeRoom()
    const known = this.#clouds.get(key)
    if (known !== undefined) {
      // The least recently used ones stand first.
      this.#clouds.delete(key)
      this.#clouds.set(key, known)
      return joinKnown(await known, given)
    }
    const opening = this.#ports.openCloud(options).then((cloud) => ({ key, options, cloud }))
    this.#clouds.set(key, opening)
    try {
      return await opening
    } catch (error) {
      this.#clouds.delete(key)
      throw error
    }
  }

  /** When no more clouds may be open, closes the one that was left alone for longest. */
  async #makeRoom(): Promise<void> {
    while (this.#clouds.size >= SERVICE_LIMITS.clouds) {
      const idle = await this.#longestIdle()
      if (idle === undefined) {
        const message = `at most ${SERVICE_LIMITS.clouds} clouds, and all of them are in use`
        throw new PeernetError('ERR_PEERNET_LIMIT', message)
      }
      this.#clouds.delete(idle.key)
      await idle.cloud.close()
    }
  }

  /** A cloud without names and without calls under way; never the one that a daemon is for. */
  async #longestIdle(): Promise<OpenedCloud | undefined> {
    const opened = await this.#opened()
    const busy = new Set([keyOf(this.#defaults), ...this.#inUse.values()])
    return opened.find(
      ({ key, cloud }) =>
        this.#clouds.has(key) && !busy.has(key) && cloud.registrations.length === 0,
    )
  }

  async #opened(): Promise<OpenedCloud[]> {
    const results = await Promise.allSettled(this.#clouds.values())
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  }

  async #status(): Promise<Json> {
    return {
      version: this.#ports.version,
      pid: process.pid,
      clouds: await this.#list(),
      registrations: this.#listRegistrations(),
    }
  }

  async #list(): Promise<Json> {
    return (await this.#opened()).map(describeCloud)
  }

  /** Opens the cloud and waits until it is joined or known to be alone. */
  async #join(params: Params, { signal }: CallOptions): Promise<Json> {
    const opened = await this.#cloud(params)
    const timeoutMs = params.optionalNumber('timeoutMs')
    try {
      await opened.cloud.whenJoined({
        // A cloud that was alone does not say so again when its new seeds do not answer.
        orAlone: opened.newSeeds !== true,
        ...(opened.newSeeds === true ? { timeoutMs: NEW_SEEDS_MS } : {}),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(signal === undefined ? {} : { signal }),
      })
    } catch (error) {
      if (!(error instanceof PeernetError) || error.code !== 'ERR_PEERNET_TIMEOUT') throw error
    }
    return describeCloud(opened)
  }

  async #statistics(params: Params): Promise<Json> {
    const opened = await this.#cloud(params)
    const statistics = opened.cloud.statistics()
    return {
      ...describeCloud(opened),
      ...statistics,
      estimatedNodes: statistics.estimatedNodes ?? null,
    }
  }

  async #cache(params: Params): Promise<Json> {
    const { cloud } = await this.#cloud(params)
    return cloud.cache() as unknown as Json
  }

  async #flush(params: Params): Promise<Json> {
    const { cloud } = await this.#cloud(params)
    cloud.flushCache()
    return null
  }

  async #sync(params: Params): Promise<Json> {
    const { cloud } = await this.#cloud(params)
    cloud.synchronize(params.string('node'))
    return null
  }

  async #repair(params: Params): Promise<Json> {
    const { cloud } = await this.#cloud(params)
    cloud.repair()
    return null
  }

  async #register(params: Params, { signal }: CallOptions): Promise<Json> {
    if (this.#registrations.size >= SERVICE_LIMITS.registrations) {
      throw new PeernetError(
        'ERR_PEERNET_LIMIT',
        `at most ${SERVICE_LIMITS.registrations} registrations`,
      )
    }
    const name = params.string('name')
    const identityName = params.optionalString('identity')
    const identity =
      identityName === undefined
        ? undefined
        : await this.#ports.signer(identityName, name, params.optionalString('password'))
    const opened = await this.#cloud(params)
    const registration = await opened.cloud.register(name, {
      ...registerOptions(params),
      ...(identity === undefined ? {} : { identity }),
      ...(signal === undefined ? {} : { signal }),
    })
    const id = String(this.#nextRegistration++)
    const cloud = nameOf(opened.options, opened.cloud)
    this.#registrations.set(id, { registration, cloud })
    return describeRegistration(id, registration, cloud)
  }

  async #unregister(params: Params): Promise<Json> {
    const wanted = params.string('registration')
    const ids = [...this.#registrations]
      .filter(([id, { registration }]) => id === wanted || registration.peerName === wanted)
      .map(([id]) => id)
    if (ids.length === 0) {
      throw new PeernetError('ERR_PEERNET_NAME_NOT_FOUND', `nothing registered as ${wanted}`)
    }
    for (const id of ids) {
      await this.#registrations.get(id)?.registration.close()
      this.#registrations.delete(id)
    }
    return { unregistered: ids }
  }

  #listRegistrations(): Json {
    return [...this.#registrations].map(([id, { registration, cloud }]) =>
      describeRegistration(id, registration, cloud),
    )
  }

  async #resolve(params: Params, options: CallOptions): Promise<Json> {
    const { cloud } = await this.#cloud(params)
    const criteria = params.optionalString('criteria') as Criteria | undefined
    const max = params.optionalNumber('max')
    const timeoutMs = params.optionalNumber('timeoutMs')
    const resolution = cloud.resolve(params.string('name'), {
      includeLocal: params.optionalBoolean('includeLocal') ?? true,
      ...(criteria === undefined ? {} : { criteria }),
      ...(max === undefined ? {} : { max }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    for await (const event of resolution) {
      options.onEvent?.(plain(event))
    }
    return plain({ records: await resolution.results, summary: await resolution.summary })
  }

  async #ping(params: Params, { signal }: CallOptions): Promise<Json> {
    const { cloud } = await this.#cloud(params)
    const ms = await cloud.ping(
      params.string('node'),
      params.optionalString('pnrpId'),
      signal === undefined ? {} : { signal },
    )
    return { node: params.string('node'), milliseconds: ms ?? null }
  }
}

function registerOptions(params: Params): RegisterOptions {
  const endpoints = params.optionalArray('endpoints') as ServiceEndpoint[] | undefined
  const comment = params.optionalString('comment')
  const text = params.optionalString('payload')
  const base64 = params.optionalString('payloadBase64')
  const prefix = params.optionalString('locationPrefix')
  const payload = base64 === undefined ? text : new Uint8Array(Buffer.from(base64, 'base64'))
  return {
    ...(endpoints === undefined ? {} : { endpoints }),
    ...(comment === undefined ? {} : { comment }),
    ...(payload === undefined ? {} : { payload }),
    ...(prefix === undefined ? {} : { locationPrefix: prefix }),
  }
}

/** Bytes become `{ base64 }`, dates ISO text, so that both controllers look alike. */
function plain(value: unknown): Json {
  return JSON.parse(
    JSON.stringify(value, (_key, inner: unknown) =>
      inner instanceof Uint8Array ? { base64: Buffer.from(inner).toString('base64') } : inner,
    ),
  ) as Json
}

function describeCloud({ options, cloud }: OpenedCloud): JsonObject {
  return {
    cloud: nameOf(options, cloud),
    scope: cloud.scope,
    state: cloud.state.state,
    reason: cloud.state.reason,
    endpoints: cloud.endpoints,
  }
}

const SCOPE_WORDS = {
  global: 'Global',
  'site-local': 'SiteLocal',
  'link-local': 'LinkLocal',
  loopback: 'Loopback',
} as const

/** In the manner of Windows' cloud names: scope, then what tells clouds of one scope apart. */
function nameOf(options: OpenCloudOptions, { scope, endpoints }: Cloud): string {
  const own = options.addresses === undefined && scope !== 'loopback' ? '' : (endpoints[0] ?? '')
  return `${SCOPE_WORDS[scope]}_${options.interface === undefined ? own : `%${options.interface}`}`
}

function describeRegistration(id: string, registration: Registration, cloud: string): JsonObject {
  return {
    registration: id,
    peerName: registration.peerName,
    pnrpId: registration.pnrpId ?? null,
    status: registration.status,
    cloud,
  }
}

/**
 * A cloud that an earlier call has opened: new seeds are asked as well; what cannot be changed any
 * more must not be silently ignored.
 */
function joinKnown(opened: OpenedCloud, given: OpenCloudOptions): OpenedCloud {
  const { options, cloud } = opened
  const ssdp = options.ssdp ?? cloud.scope !== 'loopback'
  const transport = options.transport ?? 'native'
  const contradicts = (what: string): PeernetError =>
    new PeernetError(
      'ERR_PEERNET_INVALID_ARG',
      `${nameOf(options, cloud)} is open already, ${what}: leave the flag out, or give --no-daemon`,
    )
  if (given.ssdp !== undefined && given.ssdp !== ssdp) {
    throw contradicts(`${ssdp ? 'with' : 'without'} multicast`)
  }
  if (given.transport !== undefined && given.transport !== transport) {
    throw contradicts(`on transport ${transport}`)
  }
  const newSeeds = given.seeds !== undefined && cloud.addSeeds(given.seeds)
  return newSeeds ? { ...opened, newSeeds } : opened
}

/** Tells the clouds of this service apart: scope, zone or addresses, port. */
function keyOf(options: OpenCloudOptions): string {
  const where = options.addresses?.join(',') ?? options.interface ?? ''
  const port = options.port === undefined ? '' : `:${options.port}`
  const scope = options.scope ?? (options.addresses === undefined ? 'default' : 'given')
  return `${scope}_${where}${port}`
}
