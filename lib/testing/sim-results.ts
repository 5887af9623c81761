import type { Instant } from '../core/instant.js'
import type { CloudEvent, CpaRefusal, ResolvedPeer, ResolveStep } from '../pnrp/interface.js'
import type { PnrpId } from '../wire/messages.js'

type DoneEvent = Extract<CloudEvent, { type: 'resolve-done' }>

/** A resolve in a simulation; its fields fill in as virtual time passes. */
export class SimResolution {
  readonly name: string
  /** Index of the asking node. */
  readonly node: number
  readonly startedAt: Instant
  /** When it ended; undefined while it runs. */
  endedAt: Instant | undefined
  /** Undefined while it runs. 'node-died': the asking node was killed or left meanwhile. */
  outcome: DoneEvent['outcome'] | 'node-died' | undefined
  peer: ResolvedPeer | undefined
  lookups = 0
  usefulHops = 0
  refusals: readonly CpaRefusal[] = []
  /** Each step with its time, when the resolve was started with `trace`. */
  readonly steps: { readonly at: Instant; readonly step: ResolveStep }[] | undefined

  constructor(name: string, node: number, startedAt: Instant, trace: boolean) {
    this.name = name
    this.node = node
    this.startedAt = startedAt
    this.steps = trace ? [] : undefined
  }

  get done(): boolean {
    return this.outcome !== undefined
  }

  get found(): boolean {
    return this.outcome === 'found'
  }

  /** Virtual milliseconds from start to end, or undefined while it runs. */
  get elapsedMs(): number | undefined {
    return this.endedAt === undefined ? undefined : (this.endedAt - this.startedAt) / 1000
  }

  /** Fills in the result; called by the node. */
  finish(now: Instant, event: DoneEvent): void {
    this.endedAt = now
    this.outcome = event.outcome
    this.peer = event.peer
    this.lookups = event.lookups
    this.usefulHops = event.usefulHops
    this.refusals = event.refusals
  }

  /** The asking node is gone. */
  abandon(now: Instant): void {
    this.endedAt = now
    this.outcome = 'node-died'
  }
}

/** A registration in a simulation; its fields fill in as virtual time passes. */
export class SimRegistration {
  readonly name: string
  readonly handle: number
  readonly startedAt: Instant
  /** 'lonely': nobody else is in the cloud yet. 'ended': unregistered, or the node is gone. */
  state: 'announcing' | 'registered' | 'lonely' | 'failed' | 'ended' = 'announcing'
  /** Undefined until the machine has chosen it. */
  pnrpId: PnrpId | undefined

  constructor(name: string, handle: number, startedAt: Instant) {
    this.name = name
    this.handle = handle
    this.startedAt = startedAt
  }

  get live(): boolean {
    return this.state !== 'failed' && this.state !== 'ended'
  }
}
