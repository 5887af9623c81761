import { setImmediate as nextTurn } from 'node:timers/promises'
import { checkArgument } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import { payloadRoom } from '../wire/graph/payload-room.js'
import { checkNotAborted } from './graph-requests.js'

interface Content {
  readonly payload?: Uint8Array
  readonly attributes?: string
}

/** More than is copied in one turn; what is too long for the graph is refused without a copy. */
export function isLargePayload({ payload }: Content, maxRecordSize: number): boolean {
  return (
    payload !== undefined &&
    payload.length > LIMITS.graphCopyTurnBytes &&
    payload.length < maxRecordSize
  )
}

/**
 * The same with a copy of the payload, which took several turns and stands where its record will be
 * made. The payload may not change meanwhile.
 */
export async function withPayloadCopied<C extends Content>(
  content: C,
  signal: AbortSignal | undefined,
): Promise<C> {
  const { payload, attributes = '' } = content
  if (payload === undefined) return content
  const { length } = payload
  const copy = payloadRoom(length, attributes.length)
  for (let at = 0; at < length; at += LIMITS.graphCopyTurnBytes) {
    if (at > 0) await nextTurn()
    checkNotAborted(signal)
    checkArgument(payload.length === length, 'the payload was taken away while it was copied')
    copy.set(payload.subarray(at, at + LIMITS.graphCopyTurnBytes), at)
  }
  return { ...content, payload: copy }
}
