import type { Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import type { AuthorityBuffer, InquireMessage } from '../wire/messages.js'
import { datagramsOf, emptyAnswer, sendAuthority } from './authority-sender.js'
import type { CloudContext } from './context.js'
import { buildSigned, type SignedStructures } from './cpa-construction.js'
import type { LocalRegistration } from './parts.js'
import { RecentAskers } from './recent-askers.js'

/** Upper bounds of the parts of an answer, to price it before it is built (2.2.3.1, 2.2.3.3). */
const CPA_BYTES = 768
const EXTENDED_PAYLOAD_OVERHEAD = 224

/**
 * Answers INQUIREs, MS-PNRP 3.2.5.6. What has to be signed is priced by the datagrams it takes and
 * drawn from the asker's budget; without budget or signing capacity the INQUIRE is dropped, so that
 * the asker tries again, and never answered without the CPA it asked for (N-68).
 */
export class InquireResponder {
  readonly askers = new RecentAskers()
  readonly #context: CloudContext
  #signing = 0

  constructor(context: CloudContext) {
    this.#context = context
  }

  /** Answers that wait for a signature. */
  get signing(): number {
    return this.#signing
  }

  answer(from: Endpoint, message: InquireMessage): void {
    const context = this.#context
    const registration = context.parts.registrations.find(message.validatePnrpId)
    if (registration === undefined) {
      if (this.#affords(from, 0)) this.#sendNotFound(from, message.messageId)
      return
    }
    const { spec } = registration
    const wanted = {
      cpa: message.wantCpa,
      extendedPayload: message.wantExtendedPayload && spec.extendedPayload !== undefined,
    }
    const chain = message.wantCertificateChain ? spec.certificateChain : undefined
    const plain = !wanted.cpa && !wanted.extendedPayload
    if (!this.#affords(from, plain && chain === undefined ? 0 : priceOf(message, registration))) {
      return
    }
    if (plain) {
      const answer = emptyAnswer()
      if (chain !== undefined) answer.certificateChain = chain
      sendAuthority(context, from, message.messageId, answer)
      return
    }
    this.#sign(from, message, registration, wanted)
  }

  #sign(
    from: Endpoint,
    message: InquireMessage,
    registration: LocalRegistration,
    wanted: { readonly cpa: boolean; readonly extendedPayload: boolean },
  ): void {
    const context = this.#context
    if (context.signingLoad >= 1 || this.#signing >= LIMITS.pendingSignatures) {
      context.counters.add('drop.signing-capacity')
      return
    }
    // The nonce lives in the receive buffer, which is gone when the signature comes.
    const nonce = message.nonce?.slice()
    const { messageId, wantCertificateChain } = message
    this.#signing++
    buildSigned(context, registration, wanted, nonce, (signed) => {
      this.#signing--
      if (signed === undefined) return
      if (context.parts.registrations.find(registration.pnrpId) !== registration) {
        this.#sendNotFound(from, messageId)
        return
      }
      const answer = this.#compose(registration, signed, wantCertificateChain)
      sendAuthority(context, from, messageId, answer)
      this.askers.note(context.now, from)
    })
  }

  #compose(
    registration: LocalRegistration,
    signed: SignedStructures,
    wantChain: boolean,
  ): AuthorityBuffer {
    const { spec } = registration
    const answer = emptyAnswer()
    if (wantChain && spec.certificateChain !== undefined) {
      answer.certificateChain = spec.certificateChain
    }
    if (signed.cpa !== undefined) {
      // N-08, N-09: with every CPA goes the classifier it is for, and our own route entry.
      if (spec.classifier !== '') answer.classifier = spec.classifier
      answer.routeEntry = this.#context.parts.registrations.routeEntry(registration)
      answer.cpa = signed.cpa
    }
    if (signed.extendedPayload !== undefined) answer.extendedPayload = signed.extendedPayload
    return answer
  }

  #sendNotFound(to: Endpoint, ackedMessageId: number): void {
    const answer = emptyAnswer()
    answer.notFound = true
    sendAuthority(this.#context, to, ackedMessageId, answer)
  }

  /** `price` 0: nothing to sign and one small datagram, as cheap as a LOOKUP. */
  #affords(from: Endpoint, price: number): boolean {
    const { budgets, counters, now } = this.#context
    const affordable =
      price === 0 ? budgets.lookup.take(now, from) : budgets.inquire.take(now, from, price)
    if (!affordable) counters.add('drop.inquire-budget')
    return affordable
  }
}

/** Datagrams that the answer will take, at most. */
function priceOf(message: InquireMessage, { spec }: LocalRegistration): number {
  let bytes = 8
  if (message.wantCpa) bytes += CPA_BYTES + 12 + 2 * spec.classifier.length + 44 + 64
  if (message.wantCertificateChain) bytes += spec.certificateChain?.length ?? 0
  const payload = message.wantExtendedPayload ? spec.extendedPayload : undefined
  if (payload?.kind === 'binary') bytes += EXTENDED_PAYLOAD_OVERHEAD + payload.data.length
  if (payload?.kind === 'text') bytes += EXTENDED_PAYLOAD_OVERHEAD + 3 * payload.text.length
  return datagramsOf(bytes)
}
