// The only file that loads the native addon. Everything else under lib/native is a typed
// façade over what this module exports; none of it holds logic.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { PeernetError } from '../core/errors.js'
import type { ContentAddon } from './content-addon.js'

/** What native/binding/module.cc exports. One member per `Init…(env, exports)` call there. */
export interface Addon extends ContentAddon {
  /** Version of the package the native core was built from. */
  readonly version: string

  // native/binding/cache.cc; ring.ts and route-cache.ts are its façades, scratch.ts is the layout
  readonly cacheScratch: ArrayBuffer
  cacheInit(
    self: object,
    capacity: number,
    perLevel: number,
    leafSideAndAddresses: number,
    localMax: number,
  ): void
  cacheAddLocal(self: object): number
  cacheRemoveLocal(self: object): number
  cacheInsert(self: object): number
  cacheWouldKeep(self: object): number
  cacheTouch(self: object): number
  cacheRemove(self: object): number
  cacheRemoveEndpoint(self: object): number
  cacheClear(self: object): void
  cacheSize(self: object): number
  cacheBytes(self: object): number
  cacheAt(self: object, from: number, count: number): number
  cacheIsLeafAt(self: object, position: number): number
  cacheGet(self: object): number
  cacheClosest(self: object, count: number, excluded: number, closerThan: number): number
  cacheNeighbour(self: object, above: number, excluded: number): number
  cacheLeafSet(self: object): number
  cacheLeafOf(self: object, skip: number): number
  cacheInLeafRange(self: object): number
  cacheCountBetween(self: object): number
  cacheSpread(self: object, count: number): number
  cacheLargestGap(self: object): number
  ringCompareDistance(): number
  ringAddSmall(low: number, high: number): void
  ringMidpoint(): void
  ringInArc(): number
  ringSpan(): number

  // native/binding/codec.cc; codec.ts is its façade
  readonly codecRow: Int32Array
  readonly codecSource: Uint8Array
  readonly codecOutput: Uint8Array
  readonly codecLayout: Readonly<Record<string, number>>
  readonly decodeMessage: (input: number | Uint8Array, look: number) => number
  readonly decodeAuthority: (input: number | Uint8Array) => number
  readonly decodeCpa: (input: number | Uint8Array, revokeNonce: number, kind: number) => number
  readonly decodeExtendedPayload: (input: number | Uint8Array) => number
  readonly encodeMessage: () => number
  readonly encodeAuthority: () => number
  readonly encodeCpa: (withSignature: number) => number
  readonly encodeExtendedPayload: (withSignature: number) => number
  readonly messageType: (input: number | Uint8Array) => number
  readonly sliceFits: (size: number, offset: number, length: number) => number
  readonly decodeBatch: (
    slab: Uint8Array,
    rows: Int32Array,
    spans: Int32Array,
    stride: number,
    count: number,
    look: number,
  ) => number
  readonly encodeBatch: (
    source: Uint8Array,
    rows: Int32Array,
    spans: Int32Array,
    stride: number,
    count: number,
    out: Uint8Array,
  ) => number

  // native/binding/graph.cc; graph.ts is its façade
  readonly graphRows: Int32Array
  readonly graphSource: Uint8Array
  readonly graphOutput: Uint8Array
  readonly graphLayout: Readonly<Record<string, number>>
  readonly graphScan: (
    chunk: Uint8Array,
    stream: Int32Array,
    assembly: Uint8Array | undefined,
    known?: Int32Array,
  ) => number
  readonly graphPrint: (record: Uint8Array) => number
  readonly graphDecodeRecord: (bytes: Uint8Array, stream: Int32Array) => number
  readonly graphEncodeMessage: (
    source: number | Uint8Array,
    body?: Uint8Array,
    out?: Uint8Array,
  ) => number
  readonly graphEncodeRecord: (
    texts: number | Uint8Array,
    security: Uint8Array,
    payload: Uint8Array,
    out: Uint8Array,
    at: number,
    order: number,
  ) => number
  readonly graphDecodeInfo: (input: number | Uint8Array, order: number) => number
  readonly graphDecodeNode: (input: number | Uint8Array, kind: number, order: number) => number
  readonly graphDecodeAddressEx: (input: number | Uint8Array) => number
  readonly graphEncodeInfo: (
    source: number | Uint8Array,
    order: number,
    out?: Uint8Array,
  ) => number
  readonly graphEncodeNode: (
    source: number | Uint8Array,
    kind: number,
    order: number,
    out?: Uint8Array,
  ) => number
  readonly graphEncodeAddressEx: (source: number | Uint8Array, out?: Uint8Array) => number

  // native/binding/split.cc; split.ts is its façade
  readonly splitBytes: (contexts: number, slots: number) => number
  readonly splitInit: (
    memory: Uint8Array,
    contexts: number,
    slots: number,
    perSource: number,
    slotsPerAddress: number,
  ) => void
  readonly splitAccept: (
    memory: Uint8Array,
    sliceLength: number,
    messageId: number,
    ackedMessageId: number,
    size: number,
    offset: number,
  ) => number
  readonly splitDrop: (memory: Uint8Array, ackedMessageId: number) => number
  readonly splitClear: (memory: Uint8Array) => number

  // native/binding/crypto.cc; digest.ts and rsa.ts are its façades
  readonly hashInput: Uint8Array
  readonly hashOutput: Uint8Array
  md5(input: number | Uint8Array): void
  sha1(input: number | Uint8Array): void
  sha256(input: number | Uint8Array): void
  rsaPublicKey(der: Uint8Array): object | undefined
  rsaPrivateKey(der: Uint8Array): object | undefined
  rsaSign(key: object, data: Uint8Array, order: number, out: Uint8Array): boolean
  rsaVerify(key: object, data: Uint8Array, signature: Uint8Array): number
  rsaBatch(
    operations: readonly (readonly [object, Uint8Array, number | Uint8Array])[],
    callback: (results: (boolean | number | Uint8Array)[]) => void,
  ): void
  cryptoSelfTest(): string | undefined

  // native/binding/tcp.cc; tcp.ts is its façade
  readonly tcpCanSend: boolean
  readonly tcpSend: (descriptor: number, bytes: Uint8Array) => number

  // native/binding/udp.cc; udp.ts is its façade. Numbers below 0 are libuv's error numbers.
  readonly udpHasFast: boolean
  readonly udpLayout: {
    readonly payloadMax: number
    readonly rxRows: number
    readonly txRows: number
    readonly rxTable: number
    readonly txTable: number
    readonly txArea: number
    readonly bytes: number
  }
  udpCreate(kind: number, onBatch: (count: number) => void): { hub: object; block: ArrayBuffer }
  udpDestroy(hub: object): void
  udpOpen(
    hub: object,
    address: Uint8Array,
    port: number,
    scope: number,
    reuse: boolean,
    receiveBuffer: number,
    sendBuffer: number,
  ): number
  udpClose(hub: object, socket: number): number
  udpPort(hub: object, socket: number): number
  udpSetRef(hub: object, socket: number, ref: boolean): number
  udpStats(hub: object, socket: number, out: Float64Array): number
  udpMembership(
    hub: object,
    socket: number,
    join: boolean,
    group: Uint8Array,
    interfaceIndex: number,
  ): number
  udpMulticast(
    hub: object,
    socket: number,
    hops: number,
    loop: boolean,
    interfaceIndex: number,
  ): number
  udpFlush(hub: object): void
}

const require = createRequire(import.meta.url)
const packageRoot = fileURLToPath(new URL('../..', import.meta.url))

function load(): Addon {
  const nodeGypBuild = require('node-gyp-build') as (directory: string) => unknown
  try {
    return nodeGypBuild(packageRoot) as Addon
  } catch (cause) {
    throw new PeernetError(
      'ERR_PEERNET_NATIVE',
      `the native addon cannot be loaded on ${process.platform}-${process.arch}, ` +
        `Node ${process.versions.node}; run "npm rebuild peernet" (in a clone: npm start) ` +
        'and look at what it says',
      { cause },
    )
  }
}

export const addon: Addon = load()

/** Version of the native core in use; equals the package version. */
export const nativeVersion: string = addon.version
