import type { Endpoint } from '../core/endpoint.js'
import { encodeAuthorityBuffer, splitAuthority } from '../wire/codec.js'
import type { AuthorityBuffer } from '../wire/messages.js'
import type { CloudContext } from './context.js'

type Answer = Partial<AuthorityBuffer>

/**
 * MS-PNRP 3.2.5.10: sends an AUTHORITY_BUFFER in as many AUTHORITY messages as it takes, all under
 * one Message ID. Flags left out are clear.
 */
export function sendAuthority(
  context: CloudContext,
  to: Endpoint,
  ackedMessageId: number,
  answer: Answer,
): void {
  if (context.offline) return
  const buffer = encodeAuthorityBuffer({ leafSet: false, busy: false, notFound: false, ...answer })
  for (const data of splitAuthority(context.newMessageId(), ackedMessageId, buffer)) {
    context.transmit({ to, data, reason: 'answer' })
  }
}

/** How many AUTHORITY messages a buffer of this many bytes takes. */
export function datagramsOf(bufferBytes: number): number {
  return Math.max(1, Math.ceil(bufferBytes / AUTHORITY_FRAGMENT))
}

/** MS-PNRP 3.2.5.10. */
const AUTHORITY_FRAGMENT = 1188
