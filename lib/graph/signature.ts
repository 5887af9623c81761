import { LIMITS } from '../core/limits.js'
import { decodeSignature, encodeSignature } from '../wire/graph/payloads.js'
import type { GraphRecord } from '../wire/graph/record.js'
import { Alarm } from './alarm.js'
import { FIXED_RECORD_ID, RECORD_TYPE } from './constants.js'
import type { GraphContext } from './context.js'
import { isUsedUp } from './fixed-records.js'
import { isLive, ticks } from './peer-time.js'

/** 3.1.7.11, GA-07: the lower the node ID, the sooner it speaks. Microseconds. */
export function signatureBackoff(nodeId: bigint, bits: 8 | 16): number {
  const top = Number(nodeId >> BigInt(64 - bits))
  const share = 1 - Math.exp(-top / 65_536)
  return LIMITS.graphSignatureDelayUs + Math.round(LIMITS.graphSignatureBackoffUs * share)
}

/**
 * The graph's signature: the lowest node ID in it, and the record that says so (MS-PPGRH 1.3.2.1,
 * 3.1.7.6, 3.1.7.11, 3.1.6.4).
 */
export class Signature {
  readonly #context: GraphContext
  readonly #timer: Alarm
  readonly #settling: Alarm
  readonly #changed: () => void
  /** 3.1.1 Signature. */
  #seen: bigint | undefined

  /** @param changed the signature has another value than before */
  constructor(context: GraphContext, changed: () => void) {
    this.#context = context
    this.#changed = changed
    this.#timer = new Alarm(context, () => {
      this.#expired()
    })
    this.#settling = new Alarm(context, () => {
      this.calculate()
    })
  }

  /** Value of the live signature record. */
  get value(): bigint | undefined {
    const record = this.#record
    if (record === undefined || !isLive(this.#context, record)) return undefined
    if (!this.#isCredible(record)) return undefined
    const decoded = decodeSignature(record.payload)
    return decoded.ok ? decoded.payload.signature : undefined
  }

  /** The signature as this node sees it, also while no record is live. */
  get view(): bigint {
    return this.value ?? this.#seen ?? this.#context.nodeId
  }

  /** Until the first sync is through, or too slow, this node knows less than its neighbours. */
  get settled(): boolean {
    return (this.#context.config.creates || !this.#context.neverConnected) && !this.#settling.armed
  }

  /** The first neighbour will bring the graph's records. */
  settle(): void {
    this.#settling.set(LIMITS.graphSettleUs)
  }

  synchronized(): void {
    this.#settling.cancel()
    this.calculate()
  }

  /** 3.1.7.11 */
  calculate(): void {
    if (!this.settled) return
    const { config, nodeId } = this.#context
    const { value } = this
    if (value === undefined) {
      this.#timer.pull(signatureBackoff(nodeId, config.dialect.signatureBackoffBits))
    } else if (value > nodeId) {
      this.#timer.pull(LIMITS.graphSignatureDelayUs)
    }
  }

  /** 3.1.7.10.3, GA-26: live or deleted. */
  recordStored(): void {
    const { value } = this
    this.calculate()
    if (value === undefined || value === this.#seen) return
    this.#seen = value
    this.#changed()
  }

  /** 3.1.4.12 */
  withdraw(): void {
    if (this.value === this.#context.nodeId) {
      this.#context.parts.records.removeInternal(FIXED_RECORD_ID.signature)
    }
    this.#timer.cancel()
    this.#settling.cancel()
  }

  /** 3.1.6.4 */
  #expired(): void {
    this.#timer.set(LIMITS.graphSignatureIdleUs)
    const { value } = this
    if (!this.settled || (value !== undefined && value <= this.#context.nodeId)) return
    this.#publish()
  }

  /** 3.1.7.6 */
  #publish(): void {
    const { nodeId, parts, peerTime } = this.#context
    const published = parts.records.publishInternal({
      type: RECORD_TYPE.signature,
      id: FIXED_RECORD_ID.signature,
      payload: encodeSignature({ signature: nodeId }),
      expirationTime: peerTime + ticks(LIMITS.graphSignatureLifetimeS),
      autorefresh: true,
    })
    if (published === undefined && isUsedUp(this.#context, RECORD_TYPE.signature)) {
      this.#timer.set(LIMITS.graphVersionUs)
    }
  }

  get #record(): GraphRecord | undefined {
    return this.#context.database.get(FIXED_RECORD_ID.signature)
  }

  /** Whoever wants to be the signature for ever does not follow 3.1.7.6: nobody renews that. */
  #isCredible(record: GraphRecord): boolean {
    const most = LIMITS.graphSignatureLifetimeS + LIMITS.graphLifetimeSlackS
    return record.expirationTime <= this.#context.peerTime + ticks(most)
  }
}
