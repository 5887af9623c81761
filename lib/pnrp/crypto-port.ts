/**
 * Signing and verifying are effects: the machine hands out a job, the driver runs it (inline when
 * idle, on the thread pool under load) and feeds the result back by `handleLocalEvent`.
 * Real RSA-1024 stands behind it on sockets; large simulations plug in a keyed hash with the same
 * lengths (lib/testing).
 */

/**
 * Sign each part separately with one key (MS-PNRP 3.2.5.9). `keyId` names a key held by the port.
 */
export interface SignJob {
  readonly kind: 'sign'
  readonly id: number
  readonly keyId: string
  readonly parts: readonly Uint8Array[]
  /** Of the signatures to make; 'spec' when absent. */
  readonly byteOrder?: SignatureByteOrder
}

export interface VerifyItem {
  /** DER RSAPublicKey, 140 bytes. */
  readonly publicKey: Uint8Array
  readonly data: Uint8Array
  readonly signature: Uint8Array
}

/** What a certificate chain is checked against, MS-PNRP 3.1.5.10 with N-46. */
export interface ChainCheck {
  /** PKCS #7 bytes from CERT_CHAIN. */
  readonly chain: Uint8Array
  /** Key of the CPA; the last certificate's key must equal it. */
  readonly cpaPublicKey: Uint8Array
  /** 20 bytes; the SHA-1 of the first certificate's key must equal it. */
  readonly binaryAuthority: Uint8Array
  readonly classifier: string
  /** Wall clock, milliseconds since 1970 UTC. */
  readonly wallMs: number
}

/** Verify all signatures, and the chain if there is one; chain first. */
export interface VerifyJob {
  readonly kind: 'verify'
  readonly id: number
  readonly items: readonly VerifyItem[]
  readonly chainCheck?: ChainCheck
}

export type CryptoJob = SignJob | VerifyJob

/** Byte order of the 128 signature bytes (N-43). */
export type SignatureByteOrder = 'spec' | 'capi'

/** Why a chain was refused; one reason for each check of 3.1.5.10 and N-46. */
export type ChainRefusal =
  | 'chain-malformed'
  | 'chain-too-long'
  | 'chain-order'
  | 'chain-alt-name'
  | 'chain-validity'
  | 'chain-classifier-syntax'
  | 'chain-classifier-delegation'
  | 'chain-root-not-self-signed'
  | 'chain-root-type'
  | 'chain-member-type'
  | 'chain-version'
  | 'chain-role'
  | 'chain-root-key'
  | 'chain-leaf-key'
  | 'chain-peer-name'
  | 'chain-classifier-not-delegated'
  | 'chain-signature'
  | 'chain-critical-extension'

export type CryptoResult =
  | { readonly id: number; readonly kind: 'signed'; readonly signatures: readonly Uint8Array[] }
  | { readonly id: number; readonly kind: 'verified'; readonly byteOrder: SignatureByteOrder }
  | {
      readonly id: number
      readonly kind: 'refused'
      readonly reason: 'signature' | ChainRefusal
    }
  | { readonly id: number; readonly kind: 'failed'; readonly message: string }

/**
 * Runs crypto jobs. `tryNow` may run a job at once and return its result, or return undefined, in
 * which case the driver calls `enqueue` and gets the result later through `done`.
 */
export interface CryptoPort {
  tryNow(job: CryptoJob): CryptoResult | undefined
  enqueue(job: CryptoJob, done: (result: CryptoResult) => void): void
  /** Jobs accepted and not finished yet. */
  readonly backlog: number
  /** Signatures made and checked so far (one a part / item / certificate). */
  readonly counts: { readonly signed: number; readonly verified: number }
}
