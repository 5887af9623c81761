import type { Endpoint } from '../core/endpoint.js'
import type { Mutable } from '../core/mutable.js'
import { encodeAnswer } from '../wire/codec.js'
import type { AuthorityBuffer } from '../wire/messages.js'
import type { CloudContext } from './context.js'

/** An AUTHORITY_BUFFER that says nothing yet. */
export function emptyAnswer(): Mutable<AuthorityBuffer> {
  return { leafSet: false, busy: false, notFound: false }
}

/**
 * MS-PNRP 3.2.5.10: sends an AUTHORITY_BUFFER in as many AUTHORITY messages as it takes, all under
 * one Message ID.
 */
export function sendAuthority(
  context: CloudContext,
  to: Endpoint,
  ackedMessageId: number,
  answer: AuthorityBuffer,
): void {
  if (context.offline) return
  for (const data of encodeAnswer(context.newMessageId(), ackedMessageId, answer)) {
    context.transmit({ to, data, reason: 'answer' })
  }
}

/** How many AUTHORITY messages a buffer of this many bytes takes. */
export function datagramsOf(bufferBytes: number): number {
  return Math.max(1, Math.ceil(bufferBytes / AUTHORITY_FRAGMENT))
}

/** MS-PNRP 3.2.5.10. */
const AUTHORITY_FRAGMENT = 1188
