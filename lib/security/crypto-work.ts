import type {
  CryptoJob,
  CryptoResult,
  SignatureByteOrder,
  SignJob,
  VerifyJob,
} from '../pnrp/crypto-port.js'
import { checkChain, type ChainSignature } from './chain-validation.js'

/** One signature to make or to check: what a crypto job is made of. */
export type Operation =
  | {
      readonly kind: 'sign'
      readonly keyId: string
      readonly data: Uint8Array
      readonly byteOrder: SignatureByteOrder
    }
  | {
      readonly kind: 'verify'
      /** DER RSAPublicKey, 140 bytes if it is one. */
      readonly publicKey: Uint8Array
      readonly data: Uint8Array
      readonly signature: Uint8Array
    }

/** A signature of 128 bytes; the byte order in which one was good; or undefined: it was not. */
export type Outcome = Uint8Array | SignatureByteOrder | undefined

/** A job taken apart. `outcomes` may end at the first one that is undefined. */
export interface Work {
  readonly operations: readonly Operation[]
  judge(outcomes: readonly Outcome[]): CryptoResult
}

/** Takes a job apart, or answers it at once when that needs no signature. */
export function planJob(job: CryptoJob): Work | CryptoResult {
  return job.kind === 'sign' ? planSigning(job) : planVerifying(job)
}

export function isResult(plan: Work | CryptoResult): plan is CryptoResult {
  return 'kind' in plan
}

/** MS-PNRP 3.2.5.9. */
function planSigning({ id, keyId, parts, byteOrder = 'spec' }: SignJob): Work {
  return {
    operations: parts.map((data) => ({ kind: 'sign', keyId, data, byteOrder })),
    judge: (outcomes) => {
      const signatures = outcomes.filter((outcome) => outcome instanceof Uint8Array)
      return signatures.length === parts.length
        ? { id, kind: 'signed', signatures }
        : noKey(id, keyId)
    },
  }
}

/** The result of signing with a key that nobody holds. */
export function noKey(id: number, keyId: string): CryptoResult {
  return { id, kind: 'failed', message: `no key ${keyId} to sign with` }
}

/** MS-PNRP 3.1.5.9, and 3.1.5.10 when there is a chain. */
function planVerifying({ id, items, chainCheck }: VerifyJob): Work | CryptoResult {
  const verdict = chainCheck === undefined ? undefined : checkChain(chainCheck)
  if (verdict?.ok === false) return { id, kind: 'refused', reason: verdict.reason }
  const certificates: readonly ChainSignature[] = verdict?.signatures ?? []
  return {
    operations: [...certificates, ...items].map(({ publicKey, data, signature }) => ({
      kind: 'verify',
      publicKey,
      data,
      signature,
    })),
    judge: (outcomes) => {
      // X.509 knows one byte order only.
      const bad = certificates.find((_, i) => outcomes[i] !== 'spec')
      if (bad !== undefined) return { id, kind: 'refused', reason: bad.refusal }
      const orders = items.map((_, i) => outcomes[certificates.length + i])
      if (orders.includes(undefined)) return { id, kind: 'refused', reason: 'signature' }
      return { id, kind: 'verified', byteOrder: orders.includes('capi') ? 'capi' : 'spec' }
    },
  }
}
