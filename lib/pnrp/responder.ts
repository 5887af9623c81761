import type { Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import type { InquireMessage, LookupMessage } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import { InquireResponder } from './inquire-responder.js'
import type { ResolvedPeer } from './interface.js'
import { answerLookup } from './lookup-responder.js'
import type { LocalRegistration, ResponderPart } from './parts.js'

/** Answers as a publisher (MS-PNRP 3.2.5.2, 3.2.5.6). */
export class Responder implements ResponderPart {
  readonly #context: CloudContext
  readonly #inquires: InquireResponder

  constructor(context: CloudContext) {
    this.#context = context
    this.#inquires = new InquireResponder(context)
  }

  handleLookup(from: Endpoint, message: LookupMessage): void {
    answerLookup(this.#context, from, message)
  }

  handleInquire(from: Endpoint, message: InquireMessage): void {
    this.#inquires.answer(from, message)
  }

  get recentAskers(): readonly Endpoint[] {
    return this.#inquires.askers.list(this.#context.now)
  }

  answerLocally({ pnrpId, spec }: LocalRegistration): ResolvedPeer {
    return {
      pnrpId,
      serviceAddresses: this.#context.localEndpoints,
      appEndpoints: spec.appEndpoints,
      ...(spec.friendlyName === undefined ? {} : { friendlyName: spec.friendlyName }),
      classifier: spec.classifier,
      ...(spec.extendedPayload === undefined ? {} : { extendedPayload: spec.extendedPayload }),
      publicKey: spec.publicKey,
      notAfter: this.#context.fileTime(LIMITS.cpaLifetimeUs),
      verified: verificationOf(spec.authority, spec.certificateChain),
    }
  }
}

function verificationOf(
  authority: Uint8Array | undefined,
  chain: Uint8Array | undefined,
): ResolvedPeer['verified'] {
  if (authority === undefined) return 'none'
  return chain === undefined ? 'authority' : 'chain'
}
