import * as assert from 'uvu/assert'
import type { ChainCheck, ChainRefusal } from '#lib/pnrp/crypto-port.js'
import { chainRefusal } from '#lib/security/chain-validation.js'
import {
  checkOf,
  goodChain,
  type TestCertificate,
  type TestChain,
} from '../../support/certificate-maker.js'

/** What becomes of the good chain when `bend` changed it. */
export function judge(
  bend: (chain: TestChain) => void = () => undefined,
  changes: Partial<ChainCheck> = {},
): ChainRefusal | undefined {
  const chain = goodChain()
  bend(chain)
  return chainRefusal(checkOf(chain, changes))
}

/** Bends each certificate of the chain in turn and expects the same reason each time. */
export function refusedAnywhere(
  reason: ChainRefusal,
  bend: (certificate: TestCertificate) => void,
  title = '',
): void {
  for (const which of ['root', 'middle', 'leaf'] as const) {
    assert.is(
      judge((chain) => {
        bend(chain[which])
      }),
      reason,
      `${title} in ${which}`,
    )
  }
}
