// A node that lies: it is a member of the cloud like any other, with a name and a valid key of its
// own, but answers every LOOKUP with itself, claims to be whoever is looked for, and hands out
// forged CPAs for names that belong to others.
import { equalBytes } from '#lib/core/bytes.js'
import type { Endpoint } from '#lib/core/endpoint.js'
import { below } from '#lib/core/rng.js'
import { classifierHash } from '#lib/pnrp/pnrp-id.js'
import type { Packet, PnrpId, SimIdentity, SimNode, Simulation } from '#lib/testing/index.js'
import {
  decodeMessage,
  encodeAuthorityBuffer,
  encodeCpa,
  encodeMessage,
  splitAuthority,
} from '#lib/wire/codec.js'
import type { CertifiedPeerAddress, InquireMessage, LookupMessage } from '#lib/wire/messages.js'

/** One way to forge a CPA, and the reason with which it has to be refused. */
export const FORGERIES = {
  /** Signed with the liar's own key, which does not hash to the name's authority. */
  'wrong key': 'cpa-authority',
  /** Shows the owner's public key, but the liar cannot sign with it. */
  'stolen public key': 'signature',
  /** A real CPA of the owner, made for somebody else's INQUIRE. */
  'wrong nonce': 'cpa-nonce',
  /** A real CPA of the owner, of last year. */
  expired: 'cpa-expired',
  /** A perfectly valid CPA, of the liar's own name. */
  'wrong name': 'cpa-pnrp-id',
  /** The owner's fresh answer, passed on: it does not lead to the liar. */
  'wrong address': 'cpa-addresses',
} as const

export type Forgery = keyof typeof FORGERIES

/** A secure name that liars claim. */
export interface Victim {
  readonly identity: SimIdentity
  readonly classifier: string
  readonly pnrpId: PnrpId
  readonly endpoint: Endpoint
}

export interface LiarOptions {
  readonly sim: Simulation
  readonly identity: SimIdentity
  readonly forgery: Forgery
  /** The victims; may be filled after the liar has joined. */
  readonly victims: readonly Victim[]
  readonly counts: { lookups: number; forged: number }
}

const TICKS_PER_MS = 10_000n
const FILETIME_OF_UNIX_EPOCH_MS = 11_644_473_600_000n
const YEAR_MS = 365 * 86_400_000

function fileTime(unixMs: number): bigint {
  return (BigInt(Math.floor(unixMs)) + FILETIME_OF_UNIX_EPOCH_MS) * TICKS_PER_MS
}

/** The `intercept` of a node that lies. */
export function liar(options: LiarOptions): (node: SimNode, packet: Packet) => boolean {
  const rng = options.sim.rng('liar')
  return (node, packet) => {
    const decoded = decodeMessage(packet.data)
    if (!decoded.ok) return false
    const { message } = decoded
    if (message.type === 'LOOKUP') {
      options.counts.lookups++
      answerWithSelf(node, packet.from, message, options, below(rng, 0x1_0000_0000))
      return true
    }
    if (message.type !== 'INQUIRE') return false
    const own = node.registrations.some(
      ({ pnrpId }) => pnrpId !== undefined && equalBytes(pnrpId, message.validatePnrpId),
    )
    if (own) return false
    if (message.wantCpa) options.counts.forged++
    answerForged(node, packet.from, message, options)
    return true
  }
}

function reply(
  node: SimNode,
  to: Endpoint,
  ackedMessageId: number,
  buffer: Parameters<typeof encodeAuthorityBuffer>[0],
): void {
  const messageId = (ackedMessageId ^ 0x5a5a5a5a) >>> 0
  const bytes = encodeAuthorityBuffer(buffer)
  for (const datagram of splitAuthority(messageId, ackedMessageId, bytes)) node.send(to, datagram)
}

const NO_FLAGS = { leafSet: false, busy: false, notFound: false }

/** "Nobody is nearer than I": the very ID that is looked for, at the liar's address. */
function answerWithSelf(
  node: SimNode,
  to: Endpoint,
  message: LookupMessage,
  { victims }: LiarOptions,
  luck: number,
): void {
  const [own] = node.endpoints
  if (own === undefined) return
  const claimed = victims.find(({ pnrpId }) =>
    equalBytes(pnrpId.subarray(0, 16), message.targetPnrpId.subarray(0, 16)),
  )
  // Half of the time the victim's own ID, else one that only looks like it.
  const pnrpId = claimed !== undefined && luck % 2 === 0 ? claimed.pnrpId : message.targetPnrpId
  reply(node, to, message.messageId, {
    ...NO_FLAGS,
    routeEntry: { pnrpId, port: own.port, addresses: [own.address] },
  })
  // And a flood, so that the asker puts it into its cache.
  node.send(
    to,
    encodeMessage({
      type: 'FLOOD',
      messageId: luck,
      doNotAck: true,
      validatePnrpId: new Uint8Array(32),
      routeEntry: { pnrpId, port: own.port, addresses: [own.address] },
      floodedList: [],
    }),
  )
}

function answerForged(
  node: SimNode,
  to: Endpoint,
  message: InquireMessage,
  options: LiarOptions,
): void {
  const [own] = node.endpoints
  if (own === undefined) return
  const { validatePnrpId } = message
  const victim = options.victims.find(({ pnrpId }) =>
    equalBytes(pnrpId.subarray(0, 16), validatePnrpId.subarray(0, 16)),
  )
  const routeEntry = { pnrpId: validatePnrpId, port: own.port, addresses: [own.address] }
  if (victim === undefined || !message.wantCpa) {
    reply(node, to, message.messageId, { ...NO_FLAGS, routeEntry })
    return
  }
  const nonce = message.nonce ?? new Uint8Array(16)
  const { classifier } = options.forgery === 'wrong name' ? { classifier: 'liar' } : victim
  reply(node, to, message.messageId, {
    ...NO_FLAGS,
    classifier,
    routeEntry,
    cpa: forgedCpa(victim, validatePnrpId, nonce, own, options),
  })
}

function forgedCpa(
  victim: Victim,
  pnrpId: PnrpId,
  nonce: Uint8Array,
  own: Endpoint,
  { forgery, identity, sim }: LiarOptions,
): Uint8Array {
  const nowMs = sim.epochMs + sim.nowMs
  const honest: CertifiedPeerAddress = {
    revoke: false,
    hasExtendedPayload: false,
    notAfter: fileTime(nowMs + 86_400_000),
    serviceLocation: pnrpId.subarray(16),
    nonce,
    binaryAuthority: victim.identity.authority,
    classifierHash: classifierHash(victim.classifier),
    friendlyNameIsUtf8: false,
    serviceAddresses: [own],
    appEndpoints: [{ address: own.address, port: 666, protocol: 6 }],
    publicKey: victim.identity.publicKey,
  }
  const sign = (cpa: CertifiedPeerAddress, by: SimIdentity): Uint8Array => {
    const job = { kind: 'sign', id: 1, keyId: by.keyId, parts: [encodeCpa(cpa)] } as const
    const result = sim.port.tryNow(job)
    if (result?.kind !== 'signed') throw new Error('the liar cannot sign')
    return encodeCpa({ ...cpa, signature: result.signatures[0] as Uint8Array })
  }
  switch (forgery) {
    case 'wrong key':
      return sign({ ...honest, publicKey: identity.publicKey }, identity)
    case 'stolen public key':
      return sign(honest, identity)
    case 'wrong nonce':
      return sign({ ...honest, nonce: nonce.map((byte) => byte ^ 1) }, victim.identity)
    case 'expired':
      return sign({ ...honest, notAfter: fileTime(nowMs - YEAR_MS) }, victim.identity)
    case 'wrong name': {
      const name = { binaryAuthority: identity.authority, classifierHash: classifierHash('liar') }
      return sign({ ...honest, ...name, publicKey: identity.publicKey }, identity)
    }
    case 'wrong address':
      return sign({ ...honest, serviceAddresses: [victim.endpoint] }, victim.identity)
  }
}
