import * as assert from 'uvu/assert'
import { reversedBytes } from '#lib/core/bytes.js'
import type { CryptoJob, CryptoPort, CryptoResult, VerifyItem } from '#lib/pnrp/crypto-port.js'
import { Delegation } from '#lib/security/delegation.js'
import { authorityOfKey } from '#lib/pnrp/peer-name.js'
import type { Test } from '../../harness.js'

/** A key that the port under test signs with. */
export interface PortKey {
  readonly keyId: string
  readonly publicKey: Uint8Array
  sign(data: Uint8Array): Uint8Array
}

export interface PortUnderTest {
  readonly port: CryptoPort
  readonly keys: readonly [PortKey, PortKey, PortKey]
}

type Way = (port: CryptoPort, job: CryptoJob) => Promise<CryptoResult>

/** Both ways through a port. */
const ways: Record<string, Way> = {
  'at once': (port, job) => {
    const result = port.tryNow(job)
    return result === undefined ? enqueue(port, job) : Promise.resolve(result)
  },
  queued: enqueue,
}

export function enqueue(port: CryptoPort, job: CryptoJob): Promise<CryptoResult> {
  return new Promise((resolve) => {
    port.enqueue(job, resolve)
  })
}

const part = (seed: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * seed) & 0xff)

/** What every CryptoPort has to do, whatever its signatures are made of. */
export function cryptoPortSuite(test: Test, title: string, make: () => PortUnderTest): void {
  for (const [wayTitle, way] of Object.entries(ways)) {
    const name = (what: string): string => `${title}, ${wayTitle}: ${what}`
    testSigning(test, name, way, make)
    testForgery(test, name, way, make)
    testChains(test, name, way, make)
  }
}

type Naming = (what: string) => string

function testSigning(test: Test, name: Naming, way: Way, make: () => PortUnderTest): void {
  test(name('each part gets its own signature, which verifies in either byte order'), async () => {
    const { port, keys } = make()
    const [{ keyId, publicKey }] = keys
    const parts = [part(3, 400), part(5, 700)]
    for (const byteOrder of ['spec', 'capi'] as const) {
      const signed = await way(port, { kind: 'sign', id: 7, keyId, parts, byteOrder })
      assert.is(signed.kind, 'signed')
      if (signed.kind !== 'signed') return
      assert.is(signed.id, 7)
      assert.equal(
        signed.signatures.map((one) => one.length),
        [128, 128],
      )
      const items = signed.signatures.map((signature, i): VerifyItem => ({
        publicKey,
        data: parts[i] as Uint8Array,
        signature,
      }))
      const verified = await way(port, { kind: 'verify', id: 8, items })
      assert.equal(verified, { id: 8, kind: 'verified', byteOrder })
    }
    assert.equal(port.counts, { signed: 4, verified: 4 })
    assert.is(port.backlog, 0)
  })

  test(name('without byteOrder signatures are in RFC 8017 order'), async () => {
    const { port, keys } = make()
    const [{ keyId, sign }] = keys
    const signed = await way(port, { kind: 'sign', id: 1, keyId, parts: [part(3, 40)] })
    assert.is(signed.kind, 'signed')
    if (signed.kind === 'signed') {
      assert.equal(Buffer.from(signed.signatures[0] as Uint8Array), Buffer.from(sign(part(3, 40))))
    }
  })

  test(name('an unknown key fails, no items verify'), async () => {
    const { port } = make()
    const failed = await way(port, { kind: 'sign', id: 1, keyId: 'nobody', parts: [part(1, 9)] })
    assert.is(failed.kind, 'failed')
    const none = await way(port, { kind: 'verify', id: 2, items: [] })
    assert.is(none.kind, 'verified')
  })
}

function testForgery(test: Test, name: Naming, way: Way, make: () => PortUnderTest): void {
  test(name('forgeries are refused'), async () => {
    const { port, keys } = make()
    const [key, other] = keys
    const data = part(3, 300)
    const signature = key.sign(data)
    const good: VerifyItem = { publicKey: key.publicKey, data, signature }
    const changed = (bytes: Uint8Array, at: number): Uint8Array =>
      Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 0x40 : byte))
    const bad: Record<string, VerifyItem> = {
      'another key': { ...good, publicKey: other.publicKey },
      'signed by another': { ...good, signature: other.sign(data) },
      'other data': { ...good, data: changed(data, 150) },
      'longer data': { ...good, data: Buffer.concat([data, Buffer.of(0)]) },
      'changed start': { ...good, signature: changed(signature, 0) },
      'changed end': { ...good, signature: changed(signature, 127) },
      zeros: { ...good, signature: new Uint8Array(128) },
      'too short': { ...good, signature: signature.subarray(1) },
      'no key': { ...good, publicKey: new Uint8Array(140) },
    }
    for (const [title, item] of Object.entries(bad)) {
      for (const items of [[item], [good, item], [item, good]]) {
        const result = await way(port, { kind: 'verify', id: 1, items })
        assert.equal(result, { id: 1, kind: 'refused', reason: 'signature' }, title)
      }
    }
  })
}

function testChains(test: Test, name: Naming, way: Way, make: () => PortUnderTest): void {
  test(name('a chain is checked before the signatures, and with its own reasons'), async () => {
    const { port, keys } = make()
    const [owner, delegate, stranger] = keys
    const issuer = { ...owner, friendlyName: 'owner' }
    const to = { ...delegate, friendlyName: 'delegate' }
    const { chain } = Delegation.create(issuer, { to, classifiers: ['fish'] })
    const data = part(9, 500)
    const items = [{ publicKey: delegate.publicKey, data, signature: delegate.sign(data) }]
    const chainCheck = {
      chain,
      cpaPublicKey: delegate.publicKey,
      binaryAuthority: authorityOfKey(owner.publicKey),
      classifier: 'fish',
      wallMs: Date.now(),
    }
    const run = (changes: Partial<typeof chainCheck>, list = items): Promise<CryptoResult> =>
      way(port, { kind: 'verify', id: 3, items: list, chainCheck: { ...chainCheck, ...changes } })
    assert.equal(await run({}), { id: 3, kind: 'verified', byteOrder: 'spec' })
    const reversed = items.map((item) => ({ ...item, signature: reversedBytes(item.signature) }))
    assert.equal(await run({}, reversed), { id: 3, kind: 'verified', byteOrder: 'capi' })
    // Signed by a stranger in the owner's name.
    const forger = {
      ...owner,
      friendlyName: 'owner',
      sign: (tbs: Uint8Array) => stranger.sign(tbs),
    }
    const forged = Delegation.create(forger, { to, classifiers: ['fish'] }).chain
    const refusals: [Partial<typeof chainCheck>, string][] = [
      [{ chain: new Uint8Array(9) }, 'chain-malformed'],
      [{ classifier: 'ham' }, 'chain-classifier-not-delegated'],
      [{ wallMs: 0 }, 'chain-validity'],
      [{ chain: forged }, 'chain-root-not-self-signed'],
    ]
    for (const [changes, reason] of refusals) {
      assert.equal(await run(changes), { id: 3, kind: 'refused', reason })
    }
    const badItem = items.map((item) => ({ ...item, signature: new Uint8Array(128) }))
    assert.equal(await run({}, badItem), { id: 3, kind: 'refused', reason: 'signature' })
    assert.equal(await run({ classifier: 'ham' }, badItem), {
      id: 3,
      kind: 'refused',
      reason: 'chain-classifier-not-delegated',
    })
  })
}
