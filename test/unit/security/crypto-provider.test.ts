import * as assert from 'uvu/assert'
import type { CryptoJob, CryptoResult } from '#lib/pnrp/crypto-port.js'
import { LIMITS } from '#lib/core/limits.js'
import { CryptoProvider } from '#lib/security/crypto-provider.js'
import { PeerIdentity } from '#lib/security/peer-identity.js'
import { PublicKeyCache } from '#lib/security/public-key-cache.js'
import { test } from '../../harness.js'
import { cryptoPortSuite, enqueue, type PortKey } from './crypto-port-suite.js'

let identities: [PeerIdentity, PeerIdentity, PeerIdentity]

test.before(async () => {
  identities = [
    await PeerIdentity.create(),
    await PeerIdentity.create(),
    await PeerIdentity.create(),
  ]
})

function provider(mode: 'auto' | 'inline'): CryptoProvider {
  const made = new CryptoProvider({ mode })
  for (const { signingKey } of identities) made.hold(signingKey)
  return made
}

const keyOf = (identity: PeerIdentity): PortKey => ({
  keyId: identity.signingKey.keyId,
  publicKey: identity.publicKey,
  sign: (data) => identity.sign(data),
})

for (const mode of ['auto', 'inline'] as const) {
  cryptoPortSuite(test, `RSA (${mode})`, () => {
    const [a, b, c] = identities
    return { port: provider(mode), keys: [keyOf(a), keyOf(b), keyOf(c)] }
  })
}

const data = new Uint8Array(300)
const signJob = (id: number): CryptoJob => ({
  kind: 'sign',
  id,
  keyId: identities[0].signingKey.keyId,
  parts: [data],
})

test('an idle provider runs jobs at once; a busy one leaves the main thread alone', async () => {
  const port = provider('auto')
  assert.is(port.tryNow(signJob(1))?.kind, 'signed')
  // While something is on the pool nothing runs at once.
  const waiting = enqueue(port, signJob(2))
  assert.is(port.backlog, 1)
  assert.is(port.tryNow(signJob(3)), undefined)
  assert.is((await waiting).kind, 'signed')
  assert.is(port.backlog, 0)
})

test('one signature is checked at once by a busy provider, too', async () => {
  const port = provider('auto')
  const { publicKey } = identities[0]
  const item = { publicKey, data, signature: identities[0].sign(data) }
  const waiting = enqueue(port, signJob(1))
  assert.is(port.tryNow({ kind: 'verify', id: 2, items: [item] })?.kind, 'verified')
  assert.is(port.tryNow({ kind: 'verify', id: 3, items: [item, item] }), undefined)
  assert.is((await waiting).kind, 'signed')
})

test('a burst of jobs runs at once only until the main thread had its share', () => {
  const port = provider('auto')
  let ranAtOnce = 0
  while (ranAtOnce < 100_000 && port.tryNow(signJob(ranAtOnce)) !== undefined) ranAtOnce++
  // What was saved up (2 ms) lasts for 20; a little more is earned meanwhile.
  assert.ok(ranAtOnce >= 20 && ranAtOnce < 100_000, `${ranAtOnce}`)
})

test("'inline' always runs at once", () => {
  const port = provider('inline')
  for (let i = 0; i < 100; i++) assert.is(port.tryNow(signJob(i))?.kind, 'signed')
})

test('the queue is bounded: what does not fit fails at once, the rest is done', async () => {
  const port = provider('auto')
  const jobs = Array.from({ length: LIMITS.cryptoBacklog + 40 }, (_, i) =>
    enqueue(port, signJob(i)),
  )
  assert.is(port.backlog, LIMITS.cryptoBacklog)
  assert.is(port.load, 1)
  const results = await Promise.all(jobs)
  const count = (kind: CryptoResult['kind']): number =>
    results.filter((result) => result.kind === kind).length
  assert.is(count('signed'), LIMITS.cryptoBacklog)
  assert.is(count('failed'), 40)
  assert.is(port.load, 0)
  assert.equal(
    results.map(({ id }) => id),
    jobs.map((_, i) => i),
  )
})

test('results never come back inside enqueue', async () => {
  const port = provider('auto')
  let inside = true
  const seen: boolean[] = []
  const jobs: CryptoJob[] = [
    signJob(1),
    {
      kind: 'verify',
      id: 2,
      items: [],
      chainCheck: {
        chain: new Uint8Array(1),
        cpaPublicKey: new Uint8Array(140),
        binaryAuthority: new Uint8Array(20),
        classifier: '',
        wallMs: 0,
      },
    },
  ]
  await Promise.all(
    jobs.map(
      (job) =>
        new Promise<void>((resolve) => {
          port.enqueue(job, () => {
            seen.push(inside)
            resolve()
          })
          inside = job !== jobs.at(-1)
        }),
    ),
  )
  assert.equal(seen, [false, false])
})

test('a key is there from its first hold to its last release', () => {
  const port = new CryptoProvider({ mode: 'inline' })
  const { signingKey } = identities[0]
  const signs = (): boolean => port.tryNow(signJob(1))?.kind === 'signed'
  assert.not(signs())
  port.hold(signingKey)
  port.hold(signingKey)
  port.release(signingKey.keyId)
  assert.ok(signs())
  port.release(signingKey.keyId)
  assert.not(signs())
  port.release(signingKey.keyId)
})

test('public keys are parsed once, and the least recently used is forgotten', () => {
  const cache = new PublicKeyCache(2)
  const [a, b, c] = identities.map(({ publicKey }) => publicKey) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  const first = cache.get(a)
  cache.get(b)
  assert.is(cache.get(Uint8Array.from(a)), first)
  cache.get(c)
  assert.is(cache.size, 2)
  assert.is(cache.get(a), first)
  assert.is(cache.get(new Uint8Array(140)), undefined)
  assert.is(cache.size, 2)
})

test.run()
