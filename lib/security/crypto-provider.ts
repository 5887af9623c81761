import { PeernetError } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import { Queue } from '../core/queue.js'
import {
  cryptoSelfTest,
  rsaBatch,
  rsaSign,
  rsaVerify,
  SignatureOrder,
  type RsaKey,
  type RsaOperation,
  type RsaOutcome,
} from '../native/rsa.js'
import type {
  CryptoJob,
  CryptoPort,
  CryptoResult,
  SignatureByteOrder,
  SignJob,
  VerifyItem,
} from '../pnrp/crypto-port.js'
import { isResult, noKey, planJob, type Operation, type Outcome, type Work } from './crypto-work.js'
import { PublicKeyCache } from './public-key-cache.js'

/** A key that can sign, by the name that `SignJob.keyId` calls it. */
export interface SigningKey {
  readonly keyId: string
  /** DER RSAPublicKey, 140 bytes. */
  readonly publicKey: Uint8Array
  readonly privateKey: RsaKey
}

export interface CryptoProviderOptions {
  /**
   * 'auto' runs jobs at once while there is little to do, and on the thread pool under load.
   * 'inline' runs all of them at once: for simulations, which need results in a fixed order.
   */
  readonly mode?: 'auto' | 'inline'
}

interface Waiting {
  readonly work: Work
  readonly done: (result: CryptoResult) => void
}

/** What an operation takes, roughly; only the ratio to the budget matters. */
const SIGN_US = 100
const VERIFY_US = 10
/** Up to this the way to the thread pool and back costs as much as the work itself. */
const NOT_WORTH_THE_WAY_US = VERIFY_US

/**
 * Real RSA-1024 behind the CryptoPort. One provider serves all clouds of a process: it shares out
 * the main thread and the thread pool among them.
 */
export class CryptoProvider implements CryptoPort {
  readonly counts = { signed: 0, verified: 0 }
  readonly #inlineOnly: boolean
  readonly #privateKeys = new Map<string, { key: RsaKey; holders: number }>()
  readonly #publicKeys = new PublicKeyCache(LIMITS.publicKeys)
  readonly #waiting = new Queue<Waiting>()
  #backlog = 0
  #batches = 0
  #flushScheduled = false
  #budgetUs: number = LIMITS.cryptoInlineBurstUs
  #budgetAt = performance.now()

  /** Throws ERR_PEERNET_NATIVE when the host's cryptography fails its self-test (N-63). */
  constructor({ mode = 'auto' }: CryptoProviderOptions = {}) {
    this.#inlineOnly = mode === 'inline'
    const failure = cryptoSelfTest()
    if (failure !== undefined) {
      throw new PeernetError('ERR_PEERNET_NATIVE', `the cryptography self-test failed: ${failure}`)
    }
  }

  /** Jobs accepted and not finished yet. */
  get backlog(): number {
    return this.#backlog
  }

  /** 0 idle .. 1 no more jobs are taken (N-68). */
  get load(): number {
    return this.#backlog / LIMITS.cryptoBacklog
  }

  /** Lets jobs sign with a key. Every `hold` needs its `release`. */
  hold({ keyId, privateKey }: SigningKey): void {
    const held = this.#privateKeys.get(keyId)
    if (held === undefined) this.#privateKeys.set(keyId, { key: privateKey, holders: 1 })
    else held.holders++
  }

  release(keyId: string): void {
    const held = this.#privateKeys.get(keyId)
    if (held === undefined) return
    held.holders--
    if (held.holders === 0) this.#privateKeys.delete(keyId)
  }

  tryNow(job: CryptoJob): CryptoResult | undefined {
    if (!this.#inlineOnly && !this.#mayRunInline(job)) return undefined
    if (job.kind === 'sign') return this.#signNow(job)
    if (job.chainCheck === undefined) return this.#verifyNow(job.id, job.items)
    const plan = planJob(job)
    return isResult(plan) ? plan : this.#runInline(plan)
  }

  enqueue(job: CryptoJob, done: (result: CryptoResult) => void): void {
    const plan =
      this.#backlog < LIMITS.cryptoBacklog
        ? planJob(job)
        : failed(job.id, 'too many signatures are waiting')
    if (isResult(plan)) {
      queueMicrotask(() => {
        done(plan)
      })
      return
    }
    this.#backlog++
    this.#waiting.push({ work: plan, done })
    this.#scheduleFlush()
  }

  /** A token bucket over the time that crypto takes on this thread. */
  #mayRunInline(job: CryptoJob): boolean {
    const cost = costOf(job)
    if (cost <= NOT_WORTH_THE_WAY_US) return true
    if (this.#backlog > 0) return false
    const now = performance.now()
    const earned = (now - this.#budgetAt) * 1000 * LIMITS.cryptoInlineShare
    this.#budgetAt = now
    this.#budgetUs = Math.min(LIMITS.cryptoInlineBurstUs, this.#budgetUs + earned)
    if (cost > this.#budgetUs) return false
    this.#budgetUs -= cost
    return true
  }

  /** What nearly all jobs are needs no plan; the results are those of crypto-work.ts. */
  #signNow({ id, keyId, parts, byteOrder }: SignJob): CryptoResult {
    const held = this.#privateKeys.get(keyId)
    const order = byteOrder === 'capi' ? SignatureOrder.CAPI : SignatureOrder.SPEC
    const signatures: Uint8Array[] = []
    for (const data of parts) {
      if (held !== undefined) this.counts.signed++
      const signature = held === undefined ? undefined : rsaSign(held.key, data, order)
      if (signature === undefined) return noKey(id, keyId)
      signatures.push(signature)
    }
    return { id, kind: 'signed', signatures }
  }

  #verifyNow(id: number, items: readonly VerifyItem[]): CryptoResult {
    let byteOrder: SignatureByteOrder = 'spec'
    for (const { publicKey, data, signature } of items) {
      this.counts.verified++
      const key = signature.length === 128 ? this.#publicKeys.get(publicKey) : undefined
      const outcome = key === undefined ? undefined : toOutcome(rsaVerify(key, data, signature))
      if (outcome === undefined) return { id, kind: 'refused', reason: 'signature' }
      if (outcome === 'capi') byteOrder = 'capi'
    }
    return { id, kind: 'verified', byteOrder }
  }

  #runInline(work: Work): CryptoResult {
    const outcomes: Outcome[] = []
    for (const operation of work.operations) {
      const outcome = this.#run(operation)
      outcomes.push(outcome)
      if (outcome === undefined) break
    }
    return work.judge(outcomes)
  }

  #run(operation: Operation): Outcome {
    const prepared = this.#prepare(operation)
    if (prepared === undefined) return undefined
    const [key, data, last] = prepared
    return last instanceof Uint8Array
      ? toOutcome(rsaVerify(key, data, last))
      : rsaSign(key, data, last)
  }

  /** Finds the key; undefined when there is none, or the lengths cannot be right. */
  #prepare(operation: Operation): RsaOperation | undefined {
    if (operation.kind === 'sign') {
      const held = this.#privateKeys.get(operation.keyId)
      if (held === undefined) return undefined
      this.counts.signed++
      const order = operation.byteOrder === 'capi' ? SignatureOrder.CAPI : SignatureOrder.SPEC
      return [held.key, operation.data, order]
    }
    this.counts.verified++
    if (operation.signature.length !== 128) return undefined
    const key = this.#publicKeys.get(operation.publicKey)
    return key === undefined ? undefined : [key, operation.data, operation.signature]
  }

  /** Waits for the end of the turn, so that jobs of one packet batch travel together. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    queueMicrotask(() => {
      this.#flushScheduled = false
      while (this.#waiting.length > 0 && this.#batches < LIMITS.cryptoBatchesInFlight) {
        this.#startBatch()
      }
    })
  }

  #startBatch(): void {
    const jobs: { waiting: Waiting; slots: (number | undefined)[] }[] = []
    const operations: RsaOperation[] = []
    while (operations.length < LIMITS.cryptoBatch) {
      const waiting = this.#waiting.shift()
      if (waiting === undefined) break
      const slots = waiting.work.operations.map((operation) => {
        const prepared = this.#prepare(operation)
        return prepared === undefined ? undefined : operations.push(prepared) - 1
      })
      jobs.push({ waiting, slots })
    }
    this.#batches++
    rsaBatch(operations, (outcomes) => {
      this.#batches--
      this.#scheduleFlush()
      for (const { waiting, slots } of jobs) {
        this.#backlog--
        waiting.done(
          waiting.work.judge(
            slots.map((slot) => (slot === undefined ? undefined : toOutcome(outcomes[slot]))),
          ),
        )
      }
    })
  }
}

function toOutcome(outcome: RsaOutcome | undefined): Outcome {
  if (outcome instanceof Uint8Array) return outcome
  if (outcome === SignatureOrder.SPEC) return 'spec'
  return outcome === SignatureOrder.CAPI ? 'capi' : undefined
}

function costOf(job: CryptoJob): number {
  if (job.kind === 'sign') return job.parts.length * SIGN_US
  // A certificate takes about a kilobyte, and its reading as long as its verifying.
  const certificates = (job.chainCheck?.chain.length ?? 0) / 1024
  return (job.items.length + 2 * certificates) * VERIFY_US
}

function failed(id: number, message: string): CryptoResult {
  return { id, kind: 'failed', message }
}
