import type { DatagramTransport, TransportKind } from '../io/datagram-port.js'
import { SystemRng } from '../io/system-rng.js'
import { DgramTransport } from '../io/udp-dgram.js'
import { nativeTransport } from '../io/udp-native.js'
import { CryptoProvider } from '../security/crypto-provider.js'
import { GraphListeners } from './graph-listeners.js'
import { Pump } from './pump.js'
import { Turns } from './turns.js'

/**
 * What all clouds and graphs of this thread share: turns with one timer, one pump, one set of
 * socket rings a transport, one crypto provider. Made when the first cloud opens.
 */
export class ProcessRuntime {
  static #shared: ProcessRuntime | undefined
  readonly turns = new Turns()
  readonly pump = new Pump({ turns: this.turns })
  readonly listeners = new GraphListeners(this.turns)
  readonly crypto = new CryptoProvider()
  readonly rng = new SystemRng()
  #dgram: DgramTransport | undefined

  static get shared(): ProcessRuntime {
    this.#shared ??= new ProcessRuntime()
    return this.#shared
  }

  transport(kind: TransportKind): DatagramTransport {
    if (kind !== 'dgram') return nativeTransport(kind)
    this.#dgram ??= new DgramTransport()
    return this.#dgram
  }
}
