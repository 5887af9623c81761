import type { IncomingMessage } from 'node:http'

/** The whole body; undefined when it is longer than `limit` or ends too early. Never rejects. */
export function readBody(message: IncomingMessage, limit: number): Promise<Uint8Array | undefined> {
  const declared = Number(message.headers['content-length'] ?? 0)
  if (declared > limit) return Promise.resolve(undefined)
  return new Promise((resolve) => {
    const parts: Buffer[] = []
    let length = 0
    const fail = (): void => {
      resolve(undefined)
    }
    message.on('data', (part: Buffer) => {
      length += part.length
      if (length > limit) {
        parts.length = 0
        message.pause()
        fail()
      } else parts.push(part)
    })
    message.once('end', () => {
      resolve(parts.length === 1 ? parts[0] : Buffer.concat(parts, length))
    })
    message.once('error', fail)
    message.once('close', fail)
  })
}
