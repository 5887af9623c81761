// The scene of resolver tests: a machine whose cache is not sparse, and small questions to it.
import type { RegistrationSpec } from '#lib/pnrp/interface.js'
import { ResolveCriteria, type RouteEntry } from '#lib/wire/messages.js'
import { CloudHarness, type HarnessOptions } from './cloud-harness.js'
import { fakePublicKey } from './fake-crypto.js'
import { address, entry, id } from './route-entries.js'

/** Nine far entries at addresses 101 to 109, so that the cache is not sparse. */
export const FAR: readonly RouteEntry[] = Array.from({ length: 9 }, (_, i) =>
  entry(id(0xa0 + i), 101 + i),
)

export function walker(near: readonly RouteEntry[], options: HarnessOptions = {}): CloudHarness {
  return new CloudHarness({ cached: [...FAR, ...near], ...options })
}

/** Looks for the exact ID 30. */
export function seek(h: CloudHarness, handle = 1): void {
  h.resolve(handle, { targetPnrpId: id(0x30), criteria: ResolveCriteria.NONE })
}

/** An unsecured name under a key of its own, with one application endpoint. */
export function registration(classifier: string): RegistrationSpec {
  const appEndpoints = [{ address: address(1), port: 4000, protocol: 6 }]
  return { classifier, keyId: classifier, publicKey: fakePublicKey(classifier), appEndpoints }
}

/** A service location whose lower half begins with these bytes. */
export function location(...suffix: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(16)
  bytes.set(suffix, 8)
  return bytes
}

/** Answers every LOOKUP with nothing until the walk asks for something else. */
export function answerAll(h: CloudHarness, asked = h.take('LOOKUP')): void {
  for (let batch = asked; batch.length > 0; batch = h.take('LOOKUP')) {
    for (const lookup of batch) h.answer(lookup, {})
  }
}
