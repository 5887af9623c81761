import type { CryptoPort } from '../pnrp/crypto-port.js'
import type { CloudEvent, CloudTransmit } from '../pnrp/interface.js'
import type { PnrpId } from '../wire/messages.js'
import type { SimKernel } from './kernel.js'
import type { Multicast, MulticastAnswer } from './multicast.js'
import type { CryptoTimes } from './sim-crypto.js'
import type { SimIdentity } from './sim-identity.js'
import type { SimNode } from './sim-node.js'

/** What a simulated node needs of the simulation around it. */
export interface SimWorld {
  readonly kernel: SimKernel
  readonly multicast: Multicast
  readonly port: CryptoPort
  readonly cryptoTimes: CryptoTimes
  /** True wall time at virtual time 0, milliseconds since 1970. */
  readonly epochMs: number
  /** Sees every event of every machine. */
  readonly notice: ((node: SimNode, event: CloudEvent) => void) | undefined
  countTransmit(transmit: CloudTransmit): void
  /** A registration is gone, by withdrawal or by the death of its node. */
  registrationEnded(pnrpId: PnrpId): void
  searchMulticast(searcher: SimNode, searchTarget: string): readonly MulticastAnswer[]
  /** The identity that may sign a name of this authority; for unsecured names any of the pool. */
  identityFor(authority: Uint8Array | undefined, index: number): SimIdentity
}
