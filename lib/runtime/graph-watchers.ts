import { checkArgument } from '../core/errors.js'
import type { GraphEvent as MachineEvent } from '../graph/interface.js'
import { LIMITS } from '../core/limits.js'
import { isReservedType } from '../graph/constants.js'
import { EventStream } from './event-stream.js'
import { publicEvent, type GraphEvent, type GraphEventType } from './graph-events.js'
import { guidArgument, type PeerClock } from './graph-records.js'

/** Which events a reader wants. */
export interface WatchFilter {
  /** Record types (GUIDs): only events about records of these. */
  readonly types?: readonly string[]
  /** Kinds of events; default all, or 'record' when `types` are given. */
  readonly events?: readonly GraphEventType[]
  /** Records that the graph uses itself count, too. Default false. */
  readonly internal?: boolean
}

interface Watcher {
  wants(event: MachineEvent): boolean
  readonly listener: (event: GraphEvent, weight: number) => void
  end(): void
}

/** Who wants to know what happens in a graph. Events nobody wants cost nothing. */
export class GraphWatchers {
  readonly #watchers = new Set<Watcher>()

  /** A bounded stream: a reader who lags behind loses the oldest events, counted in `lost`. */
  watch(filter: WatchFilter): EventStream<GraphEvent> {
    const late: { stop?: () => void } = {}
    const stream = new EventStream<GraphEvent>(LIMITS.graphEvents, () => late.stop?.(), {
      mostWeight: LIMITS.graphEventBytes,
    })
    late.stop = this.add(
      filter,
      (event, weight) => {
        stream.push(event, weight)
      },
      () => {
        stream.end()
      },
    )
    return stream
  }

  /** Calls back within the turn in which it happens; returns what ends it. */
  add(
    filter: WatchFilter,
    listener: (event: GraphEvent, weight: number) => void,
    end: () => void = () => {},
  ): () => void {
    const watcher = { wants: wanted(filter), listener, end }
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  tell(event: MachineEvent, clock: PeerClock): void {
    let told: GraphEvent | undefined
    for (const watcher of this.#watchers) {
      if (!watcher.wants(event)) continue
      told ??= publicEvent(event, clock)
      if (told === undefined) return
      watcher.listener(told, weightOf(event))
    }
  }

  end(): void {
    for (const watcher of this.#watchers) watcher.end()
    this.#watchers.clear()
  }
}

/** What an event holds on to: data, or a version of a record that may be gone elsewhere. */
function weightOf(event: MachineEvent): number {
  if (event.type === 'record') return event.record.size
  return event.type === 'data' ? event.data.length : 0
}

const EVENT_TYPES: ReadonlySet<string> = new Set<GraphEventType>([
  ...(['record', 'node', 'neighbor', 'direct', 'data', 'status', 'properties'] as const),
  ...(['synchronized', 'connection-required', 'clock-rejected', 'closed'] as const),
])

/** Throws ERR_PEERNET_INVALID_ARG. */
function wanted(filter: WatchFilter): (event: MachineEvent) => boolean {
  const { types, events = types === undefined ? undefined : ['record'], internal = false } = filter
  const guids = types && new Set(types.map((type) => guidArgument(type, 'types')))
  const names = events && new Set<string>(events)
  for (const name of names ?? []) {
    const kinds = [...EVENT_TYPES].join(', ')
    checkArgument(EVENT_TYPES.has(name), `no such kind of event: ${name} (there are ${kinds})`)
  }
  return (event) => {
    if (event.type === 'record') {
      if (names !== undefined && !names.has('record')) return false
      const { type } = event.record
      if (guids !== undefined) return guids.has(type)
      return internal || !isReservedType(type)
    }
    if (names === undefined) return true
    if (event.type === 'connection') return names.has(event.direct ? 'direct' : 'neighbor')
    return names.has(event.type)
  }
}
