import type { Guid } from '../core/guid.js'
import { LIMITS } from '../core/limits.js'
import { md5 } from '../native/digest.js'
import type {
  AdvertiseMessage,
  HashInfoEntry,
  RecordAbstract,
  RecordTypes,
} from '../wire/graph/messages.js'
import { FIXED_RECORD_ID, RECORD_TYPE } from './constants.js'
import type { GraphContext } from './context.js'
import { comparePositions, FIRST_POSITION, type Position } from './entry.js'
import { withExactRanges } from './exact-ranges.js'
import { rangeAt } from './hash-ranges.js'
import type { Link } from './parts.js'
import { recordsWithIds } from './record-sources.js'

/** 2.2.1.7, and what comes before the entries. */
const HASH_INFO_BYTES = 40
const HEADER_BYTES = 20

/** GA-24: where the open range ends, and the hash of what its sender has in it. */
const OPEN_END: HashInfoEntry = {
  hash: md5(new Uint8Array(0)),
  modificationTime: 0x7fff_ffff_ffff_ffffn,
  recordId: '\xff'.repeat(16) as Guid,
}

/** What a sync has to do, in this order (GA-18, GA-54). */
export interface SyncPlan {
  /** Sync All, or by time from this moment on; undefined: neither. */
  readonly first?: { readonly type: 'new' } | { readonly type: 'time'; readonly since: bigint }
  readonly hash: boolean
}

export interface SyncObserver {
  /** All records of one type have come. */
  typeDone(type: Guid): void
  /** The plan is carried out. */
  finished(initiator: SyncInitiator): void
}

/**
 * The side of a sync that asks, on one link: MS-PPGRH 3.1.7.29-31, 3.1.5.2.8 and 3.1.5.2.11. Its
 * SYNC_TYPE keeps its value until the last phase has ended (GA-21).
 */
export class SyncInitiator {
  readonly link: Link
  /** Another signature was seen at the peer: there may have been a split (GA-54). */
  otherSignature = false
  readonly #context: GraphContext
  readonly #plan: SyncPlan
  readonly #observer: SyncObserver
  #type: 'NONE' | 'SYNC_NEW' | 'SYNC_TIME' | 'SYNC_HASH' = 'NONE'
  /** Sync Record Types, and the Current Sync Record Type in it. */
  readonly #types: readonly Guid[]
  #current = 0
  #allSynched = false
  /** Of the hash sync: the ranges that were sent, until ADVERTISE comes. */
  #ranges: readonly Position[] | undefined
  #toSend: readonly Guid[] = []
  #rounds = 0
  #again = false
  /** How much the round before brought, and what came last of it. */
  #lastRound = ''

  constructor(context: GraphContext, link: Link, plan: SyncPlan, observer: SyncObserver) {
    this.#context = context
    this.link = link
    this.#plan = plan
    this.#observer = observer
    const prioritized = context.config.prioritizedTypes.slice(0, LIMITS.graphPrioritizedTypes)
    this.#types = [...new Set([RECORD_TYPE.graphInfo, RECORD_TYPE.presence, ...prioritized])]
  }

  get type(): string {
    return this.#type
  }

  begin(): void {
    const { first } = this.#plan
    if (first === undefined) {
      this.#beginHash()
      return
    }
    this.#type = first.type === 'new' ? 'SYNC_NEW' : 'SYNC_TIME'
    this.#solicitNext()
  }

  /** 3.1.5.2.11: final ones only. */
  ended(): void {
    if (this.#type === 'NONE') return
    if (this.#type === 'SYNC_HASH') {
      this.#hashEnded()
      return
    }
    if (!this.#allSynched) {
      this.#observer.typeDone(this.#types[this.#current - 1] as Guid)
      this.#solicitNext()
    } else if (this.#plan.hash) {
      this.#beginHash()
    } else {
      this.#finish()
    }
  }

  /** 3.1.5.2.8 */
  advertised(message: AdvertiseMessage): void {
    const ranges = this.#ranges
    const sent = ranges === undefined ? undefined : this.#lacking(message, ranges)
    if (sent === undefined) {
      this.#context.parts.links.terminate(this.link, 'protocol')
      return
    }
    this.#ranges = undefined
    const wanted = this.#wanted(message, ranges as readonly Position[])
    this.#toSend = sent
    const { signature } = FIXED_RECORD_ID
    this.otherSignature ||= sent.includes(signature) || wanted.some(({ id }) => id === signature)
    const round = `${wanted.length} ${wanted.at(-1)?.id} ${sent.length} ${sent.at(-1)}`
    this.#judgeRound(message, wanted.length + sent.length, round)
    const abstracts = wanted.slice(0, LIMITS.graphRequested)
    this.#context.parts.links.send(this.link, { type: 'REQUEST', abstracts })
  }

  /** One type after the other, and then all the rest. */
  #solicitNext(): void {
    const type = this.#types[this.#current]
    if (type === undefined) {
      this.#allSynched = true
      this.#solicit({ inclusions: [], exclusions: this.#types })
    } else {
      this.#current++
      this.#solicit({ inclusions: [type], exclusions: [] })
    }
  }

  #solicit(types: RecordTypes): void {
    const { links } = this.#context.parts
    const { first } = this.#plan
    if (first?.type === 'time') {
      links.send(this.link, {
        type: 'SOLICIT_TIME',
        ...types,
        modificationTime: first.since > 0n ? first.since : 0n,
      })
    } else {
      links.send(this.link, { type: 'SOLICIT_NEW', ...types })
    }
  }

  /** 3.1.7.31 */
  #beginHash(): void {
    const { database, config, parts, peerTime } = this.#context
    database.lapse(peerTime)
    this.#type = 'SYNC_HASH'
    this.#rounds++
    const own = database.hashes.own(this.#rangeSize())
    const since = peerTime - BigInt(LIMITS.graphExactUs) * 10n
    const exact = config.dialect.openFinalRange ? withExactRanges(database.hashes, own, since) : own
    const ranges: HashInfoEntry[] = exact.map(({ hash, time, id }) => {
      return { hash, modificationTime: time, recordId: id }
    })
    // Hash Count is never zero: an empty database has this range only.
    if (config.dialect.openFinalRange || ranges.length === 0) ranges.push(OPEN_END)
    this.#ranges = ranges.map(({ modificationTime, recordId }) => {
      return { time: modificationTime, id: recordId }
    })
    parts.links.send(this.link, { type: 'SOLICIT_HASH', inclusions: [], exclusions: [], ranges })
  }

  /** Ten, unless the message would become too long for the receiver. */
  #rangeSize(): number {
    const most = Math.floor((LIMITS.graphSyncBytes - HEADER_BYTES) / HASH_INFO_BYTES) - 1
    let size: number = LIMITS.graphHashRange
    while (this.#context.database.size > size * most) size *= 2
    return size
  }

  /** Records To Request: those of the peer that are not here, or only in an older version. */
  #wanted(message: AdvertiseMessage, ranges: readonly Position[]): RecordAbstract[] {
    const { database } = this.#context
    const wanted = new Map<Guid, RecordAbstract>()
    for (const abstract of message.abstracts) {
      // One that has lapsed here would be dropped as soon as it came.
      const held = database.get(abstract.id)
      if (held === undefined || held.version < abstract.version) wanted.set(abstract.id, abstract)
    }
    for (const abstract of this.#conflicting(message, ranges)) wanted.set(abstract.id, abstract)
    return [...wanted.values()]
  }

  /**
   * GA-54: of the same version, but where the peer's order has them they are not in ours, so they
   * were modified at another time. Whoever loses the comparison learns the other's.
   */
  *#conflicting(
    { boundaries, abstracts }: AdvertiseMessage,
    ranges: readonly Position[],
  ): Generator<RecordAbstract> {
    const { database } = this.#context
    let at = 0
    for (const { upperTime, upperId, count } of boundaries) {
      const upper = { time: upperTime, id: upperId }
      let last: Position = ranges[rangeAt(ranges, upper) - 1] ?? FIRST_POSITION
      let before: RecordAbstract | undefined
      for (const end = at + count; at < end; at++) {
        const abstract = abstracts[at]
        if (abstract === undefined) return
        const held = database.current(abstract.id)
        if (held?.version !== abstract.version) continue
        const own = { time: held.modificationTime, id: abstract.id }
        if (comparePositions(own, upper) > 0) yield abstract
        else if (comparePositions(own, last) > 0) [last, before] = [own, abstract]
        else {
          yield abstract
          // One of the two stands in the wrong place.
          if (before !== undefined) yield before
        }
      }
    }
  }

  /**
   * Records To Send: those of the advertised ranges that the peer lacks. Undefined: these are not
   * ranges that were asked for, in their order.
   */
  #lacking(
    { boundaries, abstracts }: AdvertiseMessage,
    ranges: readonly Position[],
  ): Guid[] | undefined {
    const { hashes } = this.#context.database
    const theirs = new Map<Guid, number>()
    for (const { id, version } of abstracts) theirs.set(id, version)
    const lacking: Guid[] = []
    let previous = -1
    for (const { upperTime, upperId } of boundaries) {
      const upper = { time: upperTime, id: upperId }
      const index = rangeAt(ranges, upper)
      const range = ranges[index]
      if (range === undefined || comparePositions(range, upper) !== 0 || index <= previous) {
        return undefined
      }
      previous = index
      for (const { id, record } of hashes.entries(ranges[index - 1] ?? FIRST_POSITION, upper)) {
        const version = theirs.get(id)
        if (version === undefined || record.version > version) lacking.push(id)
      }
    }
    return lacking
  }

  /** A long ADVERTISE may have been cut: another round shows, as long as rounds bring something. */
  #judgeRound({ boundaries, abstracts }: AdvertiseMessage, amount: number, round: string): void {
    const bytes = boundaries.length * 52 + abstracts.length * 20
    this.#again =
      bytes >= LIMITS.graphSyncBytes / 2 &&
      // Who sends more than we would does not cut, and each round costs time.
      abstracts.length <= 2 * LIMITS.graphAdvertised &&
      amount > 0 &&
      round !== this.#lastRound &&
      this.#rounds < LIMITS.graphSyncRounds
    this.#lastRound = round
  }

  #hashEnded(): void {
    const { database, parts } = this.#context
    // An end without an ADVERTISE before it ends nothing.
    if (this.#ranges !== undefined) return
    if (this.#toSend.length > 0) {
      const nothing = (): void => undefined
      parts.links.sendRecords(this.link, recordsWithIds(database, this.#toSend, nothing))
      this.#toSend = []
    }
    if (this.#again) this.#beginHash()
    else this.#finish()
  }

  #finish(): void {
    this.#type = 'NONE'
    this.#observer.finished(this)
  }
}
