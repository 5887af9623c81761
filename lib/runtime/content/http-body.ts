import type { IncomingMessage, ServerResponse } from 'node:http'
import { GatheredBytes } from '../../core/gathered-bytes.js'

/** The whole body; undefined when it is longer than `limit` or ends too early. Never rejects. */
export function readBody(message: IncomingMessage, limit: number): Promise<Uint8Array | undefined> {
  const declared = Number(message.headers['content-length'] ?? 0)
  if (declared > limit) return Promise.resolve(undefined)
  return new Promise((resolve) => {
    const gathered = new GatheredBytes(limit)
    const fail = (): void => {
      resolve(undefined)
    }
    message.on('data', (part: Buffer) => {
      if (gathered.push(part)) return
      message.pause()
      fail()
    })
    message.once('end', () => {
      resolve(gathered.take())
    })
    message.once('error', fail)
    message.once('close', fail)
  })
}

/**
 * Resolves when the answer has left, or never will. The connection is listened to as well: answers
 * that wait behind another one of it (pipelining) are not told when it ends.
 */
export function whenOver(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { socket } = request
  return new Promise((resolve) => {
    const end = (): void => {
      response.off('close', end)
      socket.off('close', end)
      resolve()
    }
    response.once('close', end)
    socket.once('close', end)
    if (response.closed || socket.destroyed) end()
  })
}

/** Whether nobody waits for the answer any more. */
export const isOver = (request: IncomingMessage, response: ServerResponse): boolean =>
  response.destroyed || request.socket.destroyed
