import { sameEndpoint, type Endpoint } from '../core/endpoint.js'
import { LIMITS } from '../core/limits.js'
import type { AckMessage, AdvertiseMessage, PnrpMessage } from '../wire/messages.js'
import type { CloudContext } from './context.js'
import { isUsableEndpoint } from './destination.js'

/** Hands a message to the part that it concerns, MS-PNRP 3.1.5.2, or drops it. */
export function dispatchMessage(context: CloudContext, from: Endpoint, message: PnrpMessage): void {
  const reason = dropReason(context, from)
  if (reason !== undefined) {
    context.counters.add(reason)
    return
  }
  context.counters.add(RECEIVED[message.type])
  const { authority, flooding, responder, synchronization } = context.parts
  switch (message.type) {
    case 'SOLICIT':
      synchronization.handleSolicit(from, message)
      return
    case 'ADVERTISE':
      handleAdvertise(context, from, message)
      return
    case 'REQUEST':
      synchronization.handleRequest(from, message)
      return
    case 'FLOOD':
      flooding.handleFlood(from, message)
      return
    case 'INQUIRE':
      responder.handleInquire(from, message)
      return
    case 'AUTHORITY':
      authority.handleAuthority(from, message)
      return
    case 'ACK':
      handleAck(context, from, message)
      return
    case 'LOOKUP':
      responder.handleLookup(from, message)
  }
}

const RECEIVED = {
  SOLICIT: 'received.SOLICIT',
  ADVERTISE: 'received.ADVERTISE',
  REQUEST: 'received.REQUEST',
  FLOOD: 'received.FLOOD',
  INQUIRE: 'received.INQUIRE',
  AUTHORITY: 'received.AUTHORITY',
  ACK: 'received.ACK',
  LOOKUP: 'received.LOOKUP',
} as const satisfies Record<PnrpMessage['type'], string>

/** 3.1.5.2, our own datagrams, and senders outside the cloud's scope (1.3.3). */
function dropReason(context: CloudContext, from: Endpoint): string | undefined {
  const { localEndpoints, scope } = context
  if (context.offline) return 'drop.offline'
  if (from.port < LIMITS.lowestPort) return 'drop.source-port'
  for (const own of localEndpoints) if (sameEndpoint(own, from)) return 'drop.own-datagram'
  return isUsableEndpoint(from, scope) ? undefined : 'drop.source-scope'
}

/** 3.1.5.3, first step. */
function handleAdvertise(context: CloudContext, from: Endpoint, message: AdvertiseMessage): void {
  const { counters, exchanges } = context
  const exchange = exchanges.match(message.ackedMessageId, from, 'SOLICIT')
  if (exchange === undefined) {
    counters.add('drop.advertise-unmatched')
    return
  }
  exchanges.finish(exchange.messageId)
  exchange.owner.onAdvertise?.(exchange, from, message.pnrpIds, message.hashedNonce)
}

/** 3.1.5.4. */
function handleAck(context: CloudContext, from: Endpoint, message: AckMessage): void {
  const { counters, exchanges } = context
  const exchange = exchanges.match(message.ackedMessageId, from, 'FLOOD', 'REQUEST')
  if (exchange === undefined) {
    counters.add('drop.ack-unmatched')
    return
  }
  exchanges.finish(exchange.messageId)
  if (exchange.kind === 'FLOOD' && message.notFound && exchange.validatePnrpId !== undefined) {
    context.evictAt(exchange.validatePnrpId, exchange.to)
  }
  exchange.owner.onAck?.(exchange, message.notFound)
}
