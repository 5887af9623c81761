import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { isUtf8 } from 'node:buffer'
import { PeernetError } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import type { RecordFilter } from '../graph/search/filter.js'
import type { Graph } from '../runtime/graph.js'
import type { GraphEvent, GraphEventType } from '../runtime/graph-events.js'
import type { PublishedRecord, UpdateOptions } from '../runtime/graph-records.js'
import { systemCode } from '../storage/atomic-file.js'
import type { RecordAttribute } from '../wire/graph/attributes.js'
import type { CallOptions, Controller, Json, JsonObject } from './controller.js'
import { Params } from './params.js'

/** Longer payloads are not part of a listing; `graph.payload` gives them. */
const LISTED_PAYLOAD_BYTES = 16_384
/** Of one event of `graph.payload`. */
const PIECE_BYTES = 49_152

/** A record as commands get it. */
export interface RecordRow extends JsonObject {
  readonly id: string
  readonly type: string
  readonly version: number
  readonly deleted: boolean
  readonly creatorId: string
  readonly lastModifiedBy?: string
  /** ISO 8601. */
  readonly created: string
  readonly modified: string
  readonly expires: string
  readonly attributes: readonly { name: string; type: string; value: string }[]
  /** Length of the payload. */
  readonly bytes: number
  /** base64; absent when the payload is long. */
  readonly payload?: string
  /** The payload when it is UTF-8 text; absent otherwise. */
  readonly text?: string
}

type Method = (params: Params, options: CallOptions) => Promise<Json> | Json

/** The methods behind `peernet graph …`, over one graph that is open in this process. */
export class GraphService implements Controller {
  readonly remote = false
  readonly #graph: Graph
  readonly #methods: Readonly<Record<string, Method>>

  constructor(graph: Graph) {
    this.#graph = graph
    this.#methods = {
      'graph.status': () => describeGraph(this.#graph),
      'graph.publish': (params, options) => this.#publish(params, options),
      'graph.update': (params, options) => this.#update(params, options),
      'graph.delete': (params) => this.#delete(params),
      'graph.records': (params, options) => this.#records(params, options),
      'graph.search': (params, options) => this.#search(params, options),
      'graph.record': (params) => recordRow(this.#record(params)),
      'graph.payload': (params, options) => this.#payload(params, options),
      'graph.watch': (params, options) => this.#watch(params, options),
      'graph.neighbors': () => plain(this.#graph.neighbors()),
      'graph.nodes': () => plain(this.#graph.nodes()),
      'graph.topology': (params, options) => this.#topology(params, options),
      'graph.send': (params) => this.#send(params),
      'graph.export': (params) => this.#export(params),
    }
  }

  call(method: string, params: JsonObject, options: CallOptions = {}): Promise<Json> {
    const run = Object.hasOwn(this.#methods, method) ? this.#methods[method] : undefined
    if (run === undefined) {
      return Promise.reject(
        new PeernetError('ERR_PEERNET_INVALID_ARG', `no such method: ${method}`),
      )
    }
    return Promise.resolve().then(() => run(new Params(params), options))
  }

  /** The graph stays open: whoever opened it closes it. */
  close(): Promise<void> {
    return Promise.resolve()
  }

  async #publish(params: Params, { signal }: CallOptions): Promise<Json> {
    const record = await this.#graph.publish({
      type: params.string('type'),
      ...(await contentOf(params)),
      ...(signal === undefined ? {} : { signal }),
    })
    return { ...recordRow(record), neighbors: this.#graph.neighbors().length }
  }

  async #update(params: Params, { signal }: CallOptions): Promise<Json> {
    const record = await this.#graph.update(params.string('id'), {
      ...(await contentOf(params)),
      ...(signal === undefined ? {} : { signal }),
    })
    return { ...recordRow(record), neighbors: this.#graph.neighbors().length }
  }

  async #delete(params: Params): Promise<Json> {
    const id = params.string('id')
    await this.#graph.deleteRecord(id)
    return { deleted: id, neighbors: this.#graph.neighbors().length }
  }

  /** Each record is an event; the result is how many there are. */
  #records(params: Params, options: CallOptions): Json {
    const type = params.optionalString('type')
    const creatorId = params.optionalString('creatorId')
    return this.#list(
      this.#graph.records({
        ...(type === undefined ? {} : { type }),
        ...(creatorId === undefined ? {} : { creatorId }),
        deleted: params.optionalBoolean('deleted') ?? false,
        ...(params.optionalBoolean('internal') === true ? { internal: true } : {}),
      }),
      options,
    )
  }

  #search(params: Params, options: CallOptions): Json {
    const query = params.optionalString('query') ?? (params.object('filter') as RecordFilter)
    return this.#list(this.#graph.search(query), options)
  }

  #list(records: PublishedRecord[], { onEvent, signal }: CallOptions): Json {
    records.sort((a, b) => a.created.getTime() - b.created.getTime() || (a.id < b.id ? -1 : 1))
    for (const record of records) {
      if (signal?.aborted === true) break
      onEvent?.(recordRow(record))
    }
    return { count: records.length }
  }

  #record(params: Params): PublishedRecord {
    const id = params.string('id')
    const record = this.#graph.get(id)
    if (record !== undefined) return record
    throw new PeernetError('ERR_PEERNET_RECORD_NOT_FOUND', `no record ${id} in ${this.#graph.id}`)
  }

  #payload(params: Params, { onEvent }: CallOptions): Json {
    const { payload } = this.#record(params)
    for (let at = 0; at < payload.length; at += PIECE_BYTES) {
      onEvent?.(Buffer.from(payload.subarray(at, at + PIECE_BYTES)).toString('base64'))
    }
    return { bytes: payload.length }
  }

  /** The first event says that nothing is missed from now on. Ends when it is cancelled. */
  async #watch(params: Params, { onEvent, signal }: CallOptions): Promise<Json> {
    const types = params.optionalStrings('types')
    const events = params.optionalStrings('events') as readonly GraphEventType[] | undefined
    const stream = this.#graph.watch({
      ...(types === undefined ? {} : { types }),
      ...(events === undefined ? {} : { events }),
    })
    const stop = (): void => void stream.return()
    signal?.addEventListener('abort', stop, { once: true })
    onEvent?.({ type: 'watching', ...describeGraph(this.#graph) })
    if (signal?.aborted === true) stop()
    for await (const event of stream) onEvent?.(eventRow(event))
    return { lost: stream.lost }
  }

  async #topology(params: Params, { signal }: CallOptions): Promise<Json> {
    const timeoutMs = params.optionalNumber('timeoutMs')
    return plain(
      await this.#graph.topology({
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(signal === undefined ? {} : { signal }),
      }),
    )
  }

  /** To a neighbour, or by a direct connection of its own. */
  async #send(params: Params): Promise<Json> {
    const node = params.string('node').toLowerCase()
    const type = params.string('type')
    const data = (await payloadOf(params)) ?? new Uint8Array(0)
    const neighbor = this.#graph.neighbors().find(({ nodeId }) => nodeId === node)
    if (neighbor !== undefined) {
      await this.#graph.send(neighbor.connection, type, data)
      return { node, bytes: data.length, over: 'neighbor' }
    }
    const direct = await this.#graph.openDirect(node)
    try {
      await direct.send(type, data)
    } finally {
      direct.end()
    }
    return { node, bytes: data.length, over: 'direct' }
  }

  async #export(params: Params): Promise<Json> {
    const file = params.string('file')
    await this.#graph.exportDatabase(file)
    const { graphId, peerId } = describeGraph(this.#graph)
    return { graphId, peerId, file, records: this.#graph.records().length }
  }
}

/** What there is to say about a graph in a line. */
export interface GraphRow extends JsonObject {
  readonly graphId: string
  readonly friendlyName: string
  readonly peerId: string
  readonly nodeId: string
  /** Of the process that has it open. */
  readonly pid: number
  readonly addresses: readonly string[]
  readonly neighbors: number
  readonly nodes: number
  readonly records: number
}

export function describeGraph(graph: Graph): GraphRow {
  return {
    graphId: graph.id,
    friendlyName: graph.properties.friendlyName,
    creatorId: graph.properties.creatorId,
    peerId: graph.peerId,
    nodeId: graph.nodeId,
    pid: process.pid,
    ...graph.status,
    addresses: graph.addresses,
    neighbors: graph.neighbors().length,
    nodes: graph.nodes().length,
    records: graph.records().length,
  }
}

export function recordRow(record: PublishedRecord): RecordRow {
  const { id, type, version, deleted, creatorId, lastModifiedBy, payload } = record
  const bytes = payload.length
  const listed = bytes <= LISTED_PAYLOAD_BYTES
  return {
    ...{ id, type, version, deleted, creatorId },
    ...(lastModifiedBy === undefined ? {} : { lastModifiedBy }),
    created: isoTime(record.created),
    modified: isoTime(record.modified),
    expires: isoTime(record.expires),
    attributes: record.attributes.map(({ name, type: kind, value }) => ({
      name,
      type: kind,
      value,
    })),
    bytes,
    ...(listed ? { payload: Buffer.from(payload).toString('base64') } : {}),
    ...(listed && isUtf8(payload) ? { text: Buffer.from(payload).toString() } : {}),
  }
}

/** Strangers may write times that no calendar has. */
function isoTime(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'never' : date.toISOString()
}

/** Of the kinds of events that have bytes or records in them, a form of JSON. */
export function eventRow(event: GraphEvent): JsonObject {
  if (event.type === 'record') return { ...event, record: recordRow(event.record) }
  if (event.type === 'data') {
    const { data } = event
    return {
      ...event,
      data: Buffer.from(data).toString('base64'),
      ...(isUtf8(data) ? { text: Buffer.from(data).toString() } : {}),
    }
  }
  return plain(event) as JsonObject
}

async function contentOf(params: Params): Promise<UpdateOptions> {
  const payload = await payloadOf(params)
  const attributes = params.optionalArray('attributes') as RecordAttribute[] | undefined
  const expires = params.optionalString('expires')
  const lifetimeMs = params.optionalNumber('lifetimeMs')
  const autorefresh = params.optionalBoolean('autorefresh')
  return {
    ...(payload === undefined ? {} : { payload }),
    ...(attributes === undefined ? {} : { attributes }),
    ...(expires === undefined ? {} : { expires: new Date(expires) }),
    ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
    ...(autorefresh === undefined ? {} : { autorefresh }),
  }
}

/** Short ones come in the call, long ones as the name of a file that this user can read. */
async function payloadOf(params: Params): Promise<Uint8Array | undefined> {
  const file = params.optionalString('file')
  if (file === undefined) {
    const base64 = params.optionalString('payload')
    return base64 === undefined ? undefined : new Uint8Array(Buffer.from(base64, 'base64'))
  }
  const failure = (why: string, cause?: unknown): PeernetError =>
    new PeernetError('ERR_PEERNET_SYSTEM', `cannot read ${file}: ${why}`, { cause })
  let handle: FileHandle | undefined
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const found = await handle.stat()
    // Devices and pipes may never end, and then this process would.
    if (!found.isFile()) throw failure('it is no regular file')
    checkPayloadSize(found.size)
    return new Uint8Array(await handle.readFile())
  } catch (error) {
    throw error instanceof PeernetError ? error : failure(systemCode(error) ?? 'failed', error)
  } finally {
    await handle?.close()
  }
}

/** Throws ERR_PEERNET_RECORD_SIZE when no graph takes so much. */
export function checkPayloadSize(bytes: number): void {
  if (bytes < LIMITS.graphMaxRecordBytes) return
  const message = `payload and attributes have to be less than ${LIMITS.graphMaxRecordBytes} bytes`
  throw new PeernetError('ERR_PEERNET_RECORD_SIZE', message)
}

function plain(value: unknown): Json {
  return JSON.parse(
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'bigint' ? inner.toString() : inner,
    ),
  ) as Json
}
