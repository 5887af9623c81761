import { createHash, randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAddress } from '../core/address-text.js'
import { checkArgument, PeernetError } from '../core/errors.js'
import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import { DEFAULT_GRAPH_DIALECT, type GraphDialect } from '../graph/dialect.js'
import type { GraphProperties, GraphScope } from '../graph/interface.js'
import type { GraphSecurityProvider } from '../graph/security-provider.js'
import { defaultScope, findLocalAddress, localAddresses } from '../io/interfaces.js'
import { zoneIndex } from '../io/zones.js'
import { LevelRecordStore } from '../storage/level-record-store.js'
import { VolatileRecordStore } from '../storage/volatile-record-store.js'
import { statePaths } from '../storage/paths.js'
import type { GraphIdentity, LoadedStore, RecordStore } from '../storage/record-store.js'
import { Graph } from './graph.js'
import type { GraphPlan } from './graph-engine.js'
import { checkNotAborted } from './graph-requests.js'
import type { ListenAddress } from './graph-listeners.js'
import type { CreateGraphOptions, OpenGraphOptions } from './graph-options.js'
import { guidArgument } from './graph-records.js'
import { checkSecurity, readExportFor } from './graph-transfer.js'
import { ProcessRuntime } from './process-runtime.js'

const MAX_ID_LENGTH = 255
const MAX_RECORD_SIZE = 62_914_560
const EVERYONE = 0xffff_ffff

/**
 * Creates a graph with this node as its first (MS-PPGRH 3.1.4.1). It does not listen yet.
 *
 * Rejects with ERR_PEERNET_INVALID_ARG, ERR_PEERNET_GRAPH_EXISTS, ERR_PEERNET_STATE_LOCKED,
 * ERR_PEERNET_NO_ADDRESS, ERR_PEERNET_PERMISSION, ERR_PEERNET_SYSTEM, ERR_PEERNET_ABORTED.
 */
export async function createGraph(options: CreateGraphOptions): Promise<Graph> {
  const graphId = options.graphId ?? `peernet.${randomUUID()}`
  const wanted = { ...options, graphId }
  checkOptions(wanted)
  const properties = createdProperties(wanted)
  const dialect = dialectOf(options.dialect)
  const identity = identityOf(wanted, properties, dialect)
  const directory = directoryOf(wanted)
  checkPlan(wanted, properties)
  const store =
    directory === false
      ? new VolatileRecordStore(identity)
      : await LevelRecordStore.create(directory, identity)
  return begin(wanted, store, properties, dialect, undefined, true)
}

/**
 * Opens a graph: the one that is stored here, or one that this node has never been in and that it
 * has to `join` or `connect` to (MS-PPGRH 3.1.4.2).
 *
 * Rejects with ERR_PEERNET_INVALID_ARG, ERR_PEERNET_STATE_CORRUPT (nothing is overwritten),
 * ERR_PEERNET_STATE_LOCKED when another process has it open, ERR_PEERNET_NO_ADDRESS,
 * ERR_PEERNET_PERMISSION, ERR_PEERNET_SYSTEM, ERR_PEERNET_ABORTED.
 */
export async function openGraph(options: OpenGraphOptions): Promise<Graph> {
  checkOptions(options)
  const dialect = dialectOf(options.dialect)
  const directory = directoryOf(options)
  const unknown = unknownProperties(options)
  const identity = identityOf(options, unknown, dialect)
  checkPlan(options, unknown)
  if (directory === false) {
    const store = new VolatileRecordStore(identity)
    return begin(options, store, unknown, dialect, undefined, false)
  }
  if (!(await LevelRecordStore.exists(directory))) {
    const store = await LevelRecordStore.create(directory, identity)
    return begin(options, store, unknown, dialect, undefined, false)
  }
  const store = await LevelRecordStore.open(directory)
  try {
    checkIdentity(store, directory, identity)
    const loaded = await store.load()
    const properties = { ...unknown, ...store.identity.properties }
    // A node that created the graph, or has been in it, has had its database.
    const was = loaded.records.length > 0 || loaded.clock !== undefined
    return await begin(options, store, properties, dialect, was ? loaded : undefined, false)
  } catch (error) {
    await store.close()
    throw error
  }
}

/**
 * Makes a database here from an export, and opens it: moves a user's node to this host.
 *
 * Rejects as `createGraph` does, and with ERR_PEERNET_INVALID_DATABASE.
 */
export async function importGraph(path: string, options: OpenGraphOptions): Promise<Graph> {
  checkOptions(options)
  const { graphId, peerId, security } = options
  const secured = security === undefined ? {} : { security: security.name }
  const content = await readExportFor(path, { graphId, peerId, ...secured })
  const dialect = dialectOf({ ...options.dialect, stringOrder: content.identity.stringOrder })
  const directory = directoryOf(options)
  const { records, clock, identity } = content
  const properties = { ...unknownProperties(options), ...identity.properties }
  checkPlan(options, properties)
  const store =
    directory === false
      ? new VolatileRecordStore(identity)
      : await LevelRecordStore.create(directory, identity)
  try {
    await store.write([
      ...records.map((stored) => ({ type: 'put', ...stored }) as const),
      ...(clock === undefined ? [] : [{ type: 'clock', ...clock } as const]),
    ])
  } catch (error) {
    await store.abandon()
    throw error
  }
  return begin(options, store, properties, dialect, { records, clock }, false)
}

/**
 * Removes the stored database of a graph that is not open (PeerGraphDelete). Rejects with
 * ERR_PEERNET_GRAPH_NOT_FOUND, ERR_PEERNET_STATE_LOCKED, ERR_PEERNET_STATE_CORRUPT,
 * ERR_PEERNET_INVALID_DATABASE when it is another graph's or user's.
 */
export async function deleteGraph(
  options: Pick<OpenGraphOptions, 'graphId' | 'peerId' | 'directory'>,
): Promise<void> {
  checkOptions(options)
  const directory = directoryOf(options)
  checkArgument(directory !== false, 'a graph in memory has no stored database')
  const store = await LevelRecordStore.open(directory)
  await store.close()
  checkOwner(store, directory, options)
  await rm(directory, { recursive: true })
}

type PlanOptions = Pick<
  OpenGraphOptions,
  'addresses' | 'interface' | 'prioritizedTypes' | 'seeds' | 'signal'
>

/** What could refuse the options, before there is a store that they would leave behind. */
function checkPlan(options: PlanOptions, properties: GraphProperties): void {
  checkNotAborted(options.signal)
  void prioritized(options)
  void placeOf(options, properties)
}

function prioritized({ prioritizedTypes = [] }: PlanOptions): Guid[] {
  return prioritizedTypes.map((text) => guidArgument(text, 'prioritizedTypes'))
}

function placeOf(
  options: PlanOptions,
  { scope }: GraphProperties,
): Pick<GraphPlan, 'listening' | 'scopeId'> {
  const addresses = options.addresses?.map((text) => listenAddress(text, options.interface))
  return {
    listening: {
      scope,
      ...(options.interface === undefined ? {} : { interface: options.interface }),
      ...(addresses === undefined ? {} : { addresses }),
    },
    scopeId: zoneOf(options.interface, scope, addresses),
  }
}

async function begin(
  options: OpenGraphOptions,
  store: RecordStore,
  properties: GraphProperties,
  dialect: GraphDialect,
  loaded: LoadedStore | undefined,
  creates: boolean,
): Promise<Graph> {
  try {
    checkNotAborted(options.signal)
    const directory = directoryOf(options)
    const plan: GraphPlan = {
      runtime: ProcessRuntime.shared,
      setup: {
        peerId: options.peerId,
        properties,
        dialect,
        prioritizedTypes: prioritized(options),
        ...(options.security === undefined ? {} : { security: options.security }),
        allowTopology: options.allowTopology !== false,
      },
      ...placeOf(options, properties),
      store,
      seeds: options.seeds ?? [],
      ...(directory === false
        ? {}
        : { remove: () => rm(directory, { recursive: true, force: true }) }),
    }
    return new Graph(plan, loaded, creates)
  } catch (error) {
    await store.abandon()
    throw error
  }
}

function checkOptions(options: Pick<OpenGraphOptions, 'graphId' | 'peerId'>): void {
  for (const name of ['graphId', 'peerId'] as const) {
    const text = options[name] as unknown
    checkArgument(
      typeof text === 'string' && text.length > 0 && text.length <= MAX_ID_LENGTH,
      `${name} has 1 to ${MAX_ID_LENGTH} characters`,
    )
    const plain = !text.includes('\0') && Buffer.from(text).toString() === text
    checkArgument(plain, `${name} has a NUL or half a character in it`)
  }
  const { prioritizedTypes, security } = options as OpenGraphOptions
  if (security !== undefined) checkProvider(security)
  checkArgument((prioritizedTypes?.length ?? 0) <= 253, 'prioritizedTypes has at most 253 entries')
}

/** 3.1.1 Max Frame Size, 3.1.4.2. */
function checkProvider({ name, maxFrame }: GraphSecurityProvider): void {
  checkArgument(typeof name === 'string' && name !== '', 'the security provider has a name')
  checkArgument(
    Number.isInteger(maxFrame) && maxFrame > 0 && maxFrame <= LIMITS.graphProtectedFrameBytes,
    `maxFrame of the security provider is 1 to ${LIMITS.graphProtectedFrameBytes}`,
  )
}

/** G-052, G-034, G-035, G-037. */
function createdProperties(options: CreateGraphOptions & { graphId: string }): GraphProperties {
  const {
    friendlyName = '',
    comment = '',
    presenceLifetimeS = 300,
    maxPresenceRecords = 'all',
    maxRecordSize = MAX_RECORD_SIZE,
    deferExpiration = false,
  } = options
  checkArgument(friendlyName.length <= 255, 'friendlyName has at most 255 characters')
  checkArgument(comment.length <= 511, 'comment has at most 511 characters')
  checkArgument(
    Number.isInteger(presenceLifetimeS) &&
      presenceLifetimeS >= 300 &&
      presenceLifetimeS <= 0xffff_ffff,
    'presenceLifetimeS is at least 300',
  )
  const most = maxPresenceRecords === 'all' ? EVERYONE : maxPresenceRecords
  checkArgument(
    Number.isInteger(most) && most >= 0 && most <= EVERYONE,
    "maxPresenceRecords is a count or 'all'",
  )
  checkArgument(
    Number.isInteger(maxRecordSize) && maxRecordSize >= 1024 && maxRecordSize <= MAX_RECORD_SIZE,
    `maxRecordSize is 1024 to ${MAX_RECORD_SIZE}`,
  )
  return {
    graphId: options.graphId,
    creatorId: options.peerId,
    friendlyName,
    comment,
    scope: scopeOf(options),
    deferExpiration,
    presenceLifetimeS,
    maxPresenceRecords: most,
    maxRecordSize,
  }
}

/** Until Graph Info comes. */
function unknownProperties(options: OpenGraphOptions): GraphProperties {
  return {
    graphId: options.graphId,
    creatorId: '',
    friendlyName: '',
    comment: '',
    scope: scopeOf(options),
    deferExpiration: false,
    presenceLifetimeS: 300,
    maxPresenceRecords: EVERYONE,
    maxRecordSize: MAX_RECORD_SIZE,
  }
}

/** Addresses that were given need no scope of their own: then it only names what others learn. */
function scopeOf(options: Pick<OpenGraphOptions, 'scope' | 'addresses'>): GraphScope {
  if (options.scope !== undefined) return options.scope
  if (options.addresses !== undefined) return 'global'
  const scope = defaultScope()
  return scope === 'loopback' ? 'link-local' : scope
}

function dialectOf(changes: Partial<GraphDialect> | undefined): GraphDialect {
  return { ...DEFAULT_GRAPH_DIALECT, ...changes }
}

function identityOf(
  { graphId, peerId, security }: Pick<OpenGraphOptions, 'graphId' | 'peerId' | 'security'>,
  properties: GraphProperties,
  { stringOrder }: GraphDialect,
): GraphIdentity {
  const secured = security === undefined ? {} : { security: security.name }
  return { graphId, peerId, stringOrder, ...secured, properties: { ...properties } }
}

function checkOwner(
  { identity }: LevelRecordStore,
  directory: string,
  { graphId, peerId }: Pick<OpenGraphOptions, 'graphId' | 'peerId'>,
): void {
  if (identity.graphId === graphId && identity.peerId === peerId) return
  throw new PeernetError(
    'ERR_PEERNET_INVALID_DATABASE',
    `${directory} holds the database of ${identity.peerId} in ${identity.graphId}, ` +
      `not of ${peerId} in ${graphId}`,
  )
}

function checkIdentity(store: LevelRecordStore, directory: string, wanted: GraphIdentity): void {
  checkSecurity(directory, store.identity, wanted)
  checkOwner(store, directory, wanted)
  const { stringOrder } = store.identity
  if (stringOrder === wanted.stringOrder) return
  throw new PeernetError(
    'ERR_PEERNET_INVALID_DATABASE',
    `strings in the database ${directory} are ${stringOrder}, not ${wanted.stringOrder}`,
  )
}

/** Longest name of a file that all systems can do, with room for what they append. */
const LONGEST_NAME = 200

/** Any text is a directory name after this, and no two are the same one. */
function fileName(text: string): string {
  const name = encodeURIComponent(text).replace(/[.*~]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)
  if (name.length <= LONGEST_NAME) return name
  return `~${createHash('sha256').update(text).digest('hex')}`
}

/** Where the database of a user in a graph is kept unless the options name another place. */
export function graphDirectory(graphId: string, peerId: string): string {
  return join(statePaths().data, 'graphs', fileName(graphId), fileName(peerId))
}

function directoryOf(
  options: Pick<OpenGraphOptions, 'graphId' | 'peerId' | 'directory'>,
): string | false {
  if (options.directory !== undefined) return options.directory
  return graphDirectory(options.graphId, options.peerId)
}

function listenAddress(text: string, name: string | undefined): ListenAddress {
  const parsed = parseAddress(text)
  checkArgument(parsed !== undefined, `not an IPv6 address: ${text}`)
  const { address, scopeId } = findLocalAddress(parsed.address, parsed.zone ?? name)
  return { address, scopeId }
}

/** The one link on which link-local addresses of others are meant (GA-36). */
function zoneOf(
  name: string | undefined,
  scope: GraphScope,
  addresses: readonly ListenAddress[] | undefined,
): number {
  if (name !== undefined) return zoneIndex(name)
  const given = addresses?.find(({ scopeId }) => scopeId !== 0)
  if (given !== undefined) return given.scopeId
  if (scope !== 'link-local') return 0
  return localAddresses().find(({ kind }) => kind === 'link-local')?.scopeId ?? 0
}
