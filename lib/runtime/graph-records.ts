import { inspect } from 'node:util'
import { checkArgument, PeernetError } from '../core/errors.js'
import { guidText, parseGuid, type Guid } from '../core/guid.js'
import type { RecordChanges, RecordSpec } from '../graph/interface.js'
import { parseAttributes, writeAttributes, type RecordAttribute } from '../wire/graph/attributes.js'
import type { GraphRecord } from '../wire/graph/record.js'

/** FILETIME of 1970-01-01, and ticks of a millisecond. */
const EPOCH_TICKS = 116_444_736_000_000_000n
const TICKS_PER_MS = 10_000n
/** Far below what 63 bits of ticks hold. */
const LATEST_MS = Date.UTC(10_000, 0)

/** A value of an attribute: text, a whole number that is not negative, or a date. */
export type AttributeValue = string | number | bigint | Date

/** By name, or as a list when a name occurs more than once or a type is to be chosen. */
export type AttributesInput =
  Readonly<Record<string, AttributeValue>> | readonly RecordAttribute[] | string

/** Between a graph's clock and that of this host: 3.1.1 Peer Time Delta, ticks. */
export interface PeerClock {
  readonly peerTimeDelta: bigint
}

export function ticksOf(date: Date, clock: PeerClock): bigint {
  const ms = (date as unknown) instanceof Date ? date.getTime() : Number.NaN
  checkArgument(Number.isFinite(ms), 'not a valid date')
  checkArgument(ms <= LATEST_MS, 'a date after the year 9999')
  return EPOCH_TICKS + BigInt(Math.round(ms)) * TICKS_PER_MS - clock.peerTimeDelta
}

export function dateOf(ticks: bigint, clock: PeerClock): Date {
  return new Date(Number((ticks + clock.peerTimeDelta - EPOCH_TICKS) / TICKS_PER_MS))
}

/**
 * A record as the application sees it. Reading a field takes it from the record's bytes when it is
 * first asked for; the object does not change when the record does.
 */
export class PublishedRecord {
  readonly #record: GraphRecord
  readonly #peerTimeDelta: bigint
  #id: string | undefined
  #type: string | undefined
  #payload: Uint8Array | undefined
  #attributes: readonly RecordAttribute[] | undefined

  constructor(record: GraphRecord, clock: PeerClock) {
    this.#record = record
    this.#peerTimeDelta = clock.peerTimeDelta
  }

  /** GUID in lower case; stays the same for all versions. */
  get id(): string {
    return (this.#id ??= guidText(this.#record.id))
  }

  /** GUID in lower case, chosen by the application. */
  get type(): string {
    return (this.#type ??= guidText(this.#record.type))
  }

  /** 1 when it was published, one more with each update. */
  get version(): number {
    return this.#record.version
  }

  /** Deleted: without payload and attributes, and gone for good when it expires. */
  get deleted(): boolean {
    return this.#record.deleted
  }

  /** Who published it. */
  get creatorId(): string {
    return this.#record.creatorId
  }

  /** Who made this version; absent: its creator, and it is the first. */
  get lastModifiedBy(): string | undefined {
    return this.#record.lastModifiedBy || undefined
  }

  /** A copy. */
  get payload(): Uint8Array {
    return (this.#payload ??= new Uint8Array(this.#record.payload))
  }

  /** In the order in which they were given; a name may occur more than once. */
  get attributes(): readonly RecordAttribute[] {
    if (this.#attributes !== undefined) return this.#attributes
    const { attributes } = this.#record
    const parsed = attributes === '' ? undefined : parseAttributes(attributes)
    this.#attributes = parsed?.ok === true ? parsed.attributes : []
    return this.#attributes
  }

  /** The first attribute of this name: ints as numbers, dates as Date, where they fit. */
  attribute(name: string): AttributeValue | undefined {
    const found = this.attributes.find((one) => one.name === name)
    return found === undefined ? undefined : valueOf(found)
  }

  /** Times are those of this host's clock. */
  get created(): Date {
    return this.#date(this.#record.creationTime)
  }

  get modified(): Date {
    return this.#date(this.#record.modificationTime)
  }

  get expires(): Date {
    return this.#date(this.#record.expirationTime)
  }

  #date(ticks: bigint): Date {
    return dateOf(ticks, { peerTimeDelta: this.#peerTimeDelta })
  }

  /** The PEER_RECORD as it crosses the network: equal bytes, equal records. A copy. */
  toBytes(): Uint8Array {
    return new Uint8Array(this.#record.bytes)
  }

  /** A plain object with all fields. */
  toJSON(): object {
    const { id, type, version, deleted, creatorId, lastModifiedBy, payload, attributes } = this
    const { created, modified, expires } = this
    return {
      ...{ id, type, version, deleted, creatorId, lastModifiedBy, created, modified, expires },
      attributes,
      payload: Buffer.from(payload).toString('base64'),
    }
  }

  [inspect.custom](): object {
    const { id, type, version, deleted, creatorId, lastModifiedBy, payload, attributes } = this
    const { created, modified, expires } = this
    return {
      ...{ id, type, version, deleted, creatorId, lastModifiedBy, created, modified, expires },
      ...{ attributes, payload },
    }
  }
}

function valueOf({ type, value }: RecordAttribute): AttributeValue {
  if (type === 'int') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : BigInt(value)
  }
  if (type === 'date') {
    const date = new Date(value)
    return Number.isNaN(date.getTime()) ? value : date
  }
  return value
}

/** What is published: an application's record. */
export interface PublishOptions {
  /** GUID, chosen by the application; not one of the four that graphs use themselves. */
  readonly type: string
  /** Copied: before the call returns, or in several turns if it is longer than 512 KB. */
  readonly payload?: Uint8Array
  /** What it can be found by: an object, a list, or XML of MS-PPGRH 2.2.3.5. */
  readonly attributes?: AttributesInput
  /** When it expires; default: after `lifetimeMs`. */
  readonly expires?: Date
  /** Default: a day. */
  readonly lifetimeMs?: number
  /** Renew it for as long as this node is in the graph. */
  readonly autorefresh?: boolean
  readonly signal?: AbortSignal
}

/** What changes; what is absent stays. A record cannot be made to expire earlier. */
export type UpdateOptions = Omit<PublishOptions, 'type'>

const DAY_MS = 86_400_000

/** The machine's form. Throws ERR_PEERNET_INVALID_ARG. */
export function recordSpec(options: PublishOptions, clock: PeerClock, nowMs: number): RecordSpec {
  const { expires, lifetimeMs = DAY_MS } = options
  checkLifetime(lifetimeMs)
  const expirationTime = ticksOf(expires ?? new Date(nowMs + lifetimeMs), clock)
  return { type: guidArgument(options.type, 'type'), expirationTime, ...contentOf(options) }
}

export function recordChanges(
  options: UpdateOptions,
  clock: PeerClock,
  nowMs: number,
): RecordChanges {
  const { expires, lifetimeMs } = options
  if (lifetimeMs !== undefined) checkLifetime(lifetimeMs)
  const date = expires ?? (lifetimeMs === undefined ? undefined : new Date(nowMs + lifetimeMs))
  return {
    ...(date === undefined ? {} : { expirationTime: ticksOf(date, clock) }),
    ...contentOf(options),
  }
}

function checkLifetime(ms: number): void {
  checkArgument(ms > 0 && ms <= LATEST_MS, 'a lifetime is above 0, and not for ever')
}

function contentOf(options: UpdateOptions): Omit<RecordChanges, 'expirationTime'> {
  const { payload, attributes, autorefresh } = options
  checkArgument(payload === undefined || payload instanceof Uint8Array, 'payload is a Uint8Array')
  return {
    // A command is carried out within the call: its record has a copy by then. Large ones are
    // copied before it (large-payload.ts).
    ...(payload === undefined ? {} : { payload }),
    ...(attributes === undefined ? {} : { attributes: attributesXml(attributes) }),
    ...(autorefresh === undefined ? {} : { autorefresh }),
  }
}

/** Throws ERR_PEERNET_INVALID_ARG, naming what is wrong. */
export function attributesXml(input: AttributesInput): string {
  if (typeof input === 'string') return input
  const list = isList(input)
    ? input
    : Object.entries(input).map(([name, value]) => attributeOf(name, value))
  return list.length === 0 ? '' : writeAttributes(list)
}

function isList(input: object): input is readonly RecordAttribute[] {
  return Array.isArray(input)
}

function attributeOf(name: string, value: AttributeValue): RecordAttribute {
  if (typeof value === 'string') return { name, type: 'string', value }
  if (value instanceof Date) {
    checkArgument(!Number.isNaN(value.getTime()), `attribute ${name} is no valid date`)
    return { name, type: 'date', value: value.toISOString() }
  }
  const whole = typeof value === 'bigint' || Number.isSafeInteger(value)
  checkArgument(whole && value >= 0, `attribute ${name} is no whole number from 0 up`)
  return { name, type: 'int', value: value.toString() }
}

/** Reads a GUID given by a caller; throws ERR_PEERNET_INVALID_ARG. */
export function guidArgument(text: string, what: string): Guid {
  const guid = typeof text === 'string' ? parseGuid(text) : undefined
  if (guid !== undefined) return guid
  throw new PeernetError(
    'ERR_PEERNET_INVALID_ARG',
    `${what} is a GUID such as 01234567-89ab-cdef-0123-456789abcdef, not ${inspect(text)}`,
  )
}
