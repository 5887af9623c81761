import { StringDecoder } from 'node:string_decoder'
import type { Socket } from 'node:net'

/** Splits a socket's bytes into lines of JSON; too long or invalid lines end the connection. */
export function readJsonLines(
  socket: Socket,
  maxBytes: number,
  onValue: (value: unknown) => void,
): void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  socket.on('data', (chunk) => {
    rest += decoder.write(chunk)
    for (;;) {
      const end = rest.indexOf('\n')
      if (end < 0) break
      const line = rest.slice(0, end)
      rest = rest.slice(end + 1)
      let value: unknown
      try {
        value = JSON.parse(line)
      } catch {
        socket.destroy()
        return
      }
      onValue(value)
    }
    if (rest.length > maxBytes) socket.destroy()
  })
}

export function writeJsonLine(socket: Socket, value: unknown): void {
  if (socket.writable) socket.write(`${JSON.stringify(value)}\n`)
}
