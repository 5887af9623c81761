import { sameEndpoint, type Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import type { FloodMessage, PnrpId, RouteEntry } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import type { Exchange, ExchangeOwner } from './parts.js'

/** What a FLOOD carries: a route entry or a revoke CPA, never both (they could exceed the MTU). */
export type FloodContent = { readonly routeEntry: RouteEntry } | { readonly revokeCpa: Uint8Array }

/**
 * Sends a FLOOD that wants an ACK (D clear) to the node of `destination` and puts it on the Pending
 * List; false when that node cannot be reached from here or the list is full. The Validate PNRP ID
 * is the destination's (2.2.2.4).
 */
export function sendFlood(
  context: CloudContext,
  destination: RouteEntry,
  content: FloodContent,
  floodedList: readonly Endpoint[],
  owner: ExchangeOwner,
): boolean {
  const route = context.destinationsOf(destination)
  if (route === undefined) return false
  return sendFloodTo(context, route, destination.pnrpId, content, floodedList, owner)
}

/** The same to an endpoint whose PNRP ID is given apart (zero if it is not known). */
export function sendFloodTo(
  context: CloudContext,
  route: { readonly to: Endpoint; readonly alternates?: readonly Endpoint[] },
  validatePnrpId: PnrpId,
  content: FloodContent,
  floodedList: readonly Endpoint[],
  owner: ExchangeOwner,
): boolean {
  const message: FloodMessage = {
    type: 'FLOOD',
    messageId: context.newMessageId(),
    doNotAck: false,
    validatePnrpId,
    ...content,
    floodedList,
  }
  return context.request(message, { ...route, reason: 'flood', owner }) !== undefined
}

/** An ACK without N proves the node (what N does, 3.1.5.4, the cloud machine has done). */
export function floodAcknowledged(
  context: CloudContext,
  { validatePnrpId }: Exchange,
  notFound: boolean,
): void {
  if (!notFound && validatePnrpId !== undefined) context.cache.touch(validatePnrpId, context.now)
}

/** MS-PNRP 3.2.6.3: no more is sent to a node that did not acknowledge. */
export function floodGivenUp(context: CloudContext, { validatePnrpId, to }: Exchange): void {
  if (validatePnrpId !== undefined) context.silentAt(validatePnrpId, to)
}

/**
 * The received Already Flooded List with more endpoints, each once; undefined when it would hold
 * more than 22: then the FLOOD has come far enough (N-32).
 */
export function extendFloodedList(
  received: readonly Endpoint[],
  added: readonly Endpoint[],
): Endpoint[] | undefined {
  const list = [...received]
  for (const endpoint of added) {
    if (!list.some((other) => sameEndpoint(other, endpoint))) list.push(endpoint)
  }
  return list.length <= LIMITS.floodedList ? list : undefined
}
