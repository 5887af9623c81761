// What the files of the compliance suite share.
import dgram from 'node:dgram'
import { readdirSync } from 'node:fs'
import type { Endpoint } from '#lib/core/endpoint.js'
import type { PeernetError } from '#lib/core/errors.js'
import type { DatagramPort, DatagramReceiver, DatagramTransport } from '#lib/io/datagram-port.js'
import { loopback } from '../helpers/inbox.js'

export type Make = () => DatagramTransport

export const ignore: DatagramReceiver = () => undefined
export const local = { address: loopback, port: 0 }
export const endpointOf = (port: DatagramPort): Endpoint => ({
  address: port.address,
  port: port.port,
})

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return (error as PeernetError).code
  }
  return 'none'
}

export function codeOfThrown(work: () => void): string {
  try {
    work()
  } catch (error) {
    return (error as PeernetError).code
  }
  return 'none'
}

/** Open file descriptors of this process; 0 where the system does not tell. */
export function descriptors(): number {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0
}

/** A socket of node:dgram itself, for what our own ports refuse to send. */
export async function withForeigner(work: (socket: dgram.Socket) => Promise<void>): Promise<void> {
  const socket = dgram.createSocket('udp6')
  await new Promise<void>((resolve) => socket.bind({ address: '::1', port: 0 }, resolve))
  try {
    await work(socket)
  } finally {
    socket.close()
  }
}

export const sendRaw = (socket: dgram.Socket, bytes: Uint8Array, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.send(bytes, port, '::1', (error) => {
      if (error === null) resolve()
      else reject(error)
    })
  })

/** Four bytes that tell datagrams apart. */
export const number = (n: number): Uint8Array => new Uint8Array(new Uint32Array([n]).buffer)

export const toNumber = (bytes: Uint8Array): number =>
  new Uint32Array(bytes.slice().buffer)[0] as number
