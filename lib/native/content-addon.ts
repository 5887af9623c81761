/** What native/binding/content_*.cc export; content-codec, -crypto and -hash are the façades. */
export interface ContentAddon {
  // content_codec.cc
  readonly infoHead: Float64Array
  readonly retrievalRow: Uint32Array
  readonly offerRow: Uint32Array
  readonly infoDecode: (bytes: Uint8Array, flags: number) => number
  readonly infoSegments: (bytes: Uint8Array, flags: number, table: Float64Array) => number
  readonly retrievalDecode: (bytes: Uint8Array, side: number) => number
  readonly retrievalEncode: (source: Uint8Array, out: Uint8Array) => number
  readonly retrievalLength: () => number
  readonly offerDecode: (bytes: Uint8Array) => number
  readonly offerEncode: (source: Uint8Array, out: Uint8Array) => number

  // content_crypto.cc
  readonly sha2: (algorithm: number, bytes: Uint8Array, out: Uint8Array) => void
  readonly contentHmac: (
    algorithm: number,
    key: Uint8Array,
    data: Uint8Array,
    out: Uint8Array,
  ) => void
  readonly segmentSecrets: (
    algorithm: number,
    serverKey: Uint8Array,
    hashes: Uint8Array,
    out: Uint8Array,
  ) => void
  readonly segmentId: (
    algorithm: number,
    secret: Uint8Array,
    hashOfData: Uint8Array,
    out: Uint8Array,
  ) => void
  readonly hashBlocks: (algorithm: number, bytes: Uint8Array, out: Uint8Array) => void
  readonly hashSegments: (
    fixed: number,
    bytes: Uint8Array,
    left: number,
    last: number,
    lengths: Uint32Array,
    hashes: Uint8Array,
  ) => number
  readonly aesCbc: (
    encrypt: number,
    key: Uint8Array,
    iv: Uint8Array,
    bytes: Uint8Array,
    out: Uint8Array,
  ) => boolean
  readonly contentSelfTest: () => string | undefined

  // content_blocks.cc
  readonly runBlock: (work: readonly unknown[]) => boolean
  readonly runBlocks: (
    works: readonly (readonly unknown[])[],
    done: (results: boolean[]) => void,
  ) => void

  // content_hash.cc
  readonly hashStart: (
    source: number | Uint8Array,
    position: number,
    size: number,
    version: number,
    algorithm: number,
    fixed: number,
    workers: number,
    done: (
      outcome: number,
      lengths: Uint32Array | undefined,
      hashes: Uint8Array | undefined,
    ) => void,
  ) => object
  readonly hashProgress: (job: object) => number
  readonly hashCancel: (job: object) => void
}
