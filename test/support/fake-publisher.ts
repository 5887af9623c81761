// A remote node for unit tests: makes the answers that a publisher would send, so that tests can
// spoil one field at a time.
import type { Endpoint } from '#lib/core/endpoint.js'
import { authorityOfKey } from '#lib/pnrp/peer-name.js'
import { classifierHash, p2pIdOf, pnrpIdOf } from '#lib/pnrp/pnrp-id.js'
import { encodeCpa, encodeExtendedPayload, type EncodeCpaOptions } from '#lib/wire/codec.js'
import type {
  AuthorityBuffer,
  CertifiedPeerAddress,
  ExtendedPayload,
  InquireMessage,
  RouteEntry,
} from '#lib/wire/messages.js'
import { WALL_MS, type Sent } from './cloud-harness.js'
import { fakePublicKey, fakeSignature } from './fake-crypto.js'

const FILETIME_OF_UNIX_EPOCH = 116_444_736_000_000_000n

/** Wall clock of the harness, so many hours later, as FILETIME. */
export function hoursAhead(hours: number): bigint {
  return FILETIME_OF_UNIX_EPOCH + BigInt(WALL_MS) * 10_000n + BigInt(hours * 3600) * 10_000_000n
}

export interface FakePublisherOptions {
  readonly endpoint: Endpoint
  readonly classifier?: string
  /** Secured by the key of this id; default unsecured (any key signs). */
  readonly identity?: string
  /** Low half of the PNRP ID; default 8000…, where a resolve aims. */
  readonly serviceLocation?: Uint8Array
}

export class FakePublisher {
  readonly endpoint: Endpoint
  readonly classifier: string
  readonly publicKey: Uint8Array
  readonly authority: Uint8Array | undefined
  readonly pnrpId: Uint8Array
  readonly entry: RouteEntry

  constructor(options: FakePublisherOptions) {
    this.endpoint = options.endpoint
    this.classifier = options.classifier ?? 'test'
    this.publicKey = fakePublicKey(options.identity ?? 'nobody')
    this.authority = options.identity === undefined ? undefined : authorityOfKey(this.publicKey)
    const location = options.serviceLocation ?? RESOLVE_TARGET
    this.pnrpId = pnrpIdOf(p2pIdOf(classifierHash(this.classifier), this.authority), location)
    const { address, port } = this.endpoint
    this.entry = { pnrpId: this.pnrpId, port, addresses: [address] }
  }

  /** The CPA that answers this INQUIRE, unsigned. */
  cpa(inquire: Sent<InquireMessage>): CertifiedPeerAddress {
    return {
      revoke: false,
      hasExtendedPayload: false,
      notAfter: hoursAhead(24),
      serviceLocation: this.pnrpId.slice(16),
      nonce: inquire.message.nonce ?? new Uint8Array(16),
      ...(this.authority === undefined ? {} : { binaryAuthority: this.authority }),
      classifierHash: classifierHash(this.classifier),
      friendlyNameIsUtf8: false,
      serviceAddresses: [this.endpoint],
      publicKey: this.publicKey,
    }
  }

  sign(cpa: CertifiedPeerAddress, options?: EncodeCpaOptions): Uint8Array {
    const signature = fakeSignature(cpa.publicKey, encodeCpa(cpa, options))
    return encodeCpa({ ...cpa, signature }, options)
  }

  signPayload(payload: ExtendedPayload, publicKey = this.publicKey): Uint8Array {
    const signature = fakeSignature(publicKey, encodeExtendedPayload(payload))
    return encodeExtendedPayload({ ...payload, signature })
  }

  /** A good answer, with these fields of the CPA replaced before it is signed. */
  answer(
    inquire: Sent<InquireMessage>,
    changed: Partial<CertifiedPeerAddress> = {},
  ): Partial<AuthorityBuffer> {
    return {
      classifier: this.classifier,
      routeEntry: this.entry,
      cpa: this.sign({ ...this.cpa(inquire), ...changed }),
    }
  }

  /** A revoke CPA, signed. */
  revoke(changed: Partial<CertifiedPeerAddress> = {}, options?: EncodeCpaOptions): Uint8Array {
    return this.sign(
      {
        revoke: true,
        hasExtendedPayload: false,
        notAfter: hoursAhead(24),
        serviceLocation: this.pnrpId.slice(16),
        nonce: new Uint8Array(16),
        ...(this.authority === undefined ? {} : { binaryAuthority: this.authority }),
        classifierHash: classifierHash(this.classifier),
        friendlyNameIsUtf8: false,
        serviceAddresses: [],
        publicKey: this.publicKey,
        ...changed,
      },
      options,
    )
  }
}

/** Prefix zero, suffix 8000000000000000 (MS-PNRP 3.1.4.4). */
export const RESOLVE_TARGET: Uint8Array = Uint8Array.of(
  ...[0, 0, 0, 0, 0, 0, 0, 0],
  ...[0x80, 0, 0, 0, 0, 0, 0, 0],
)
