// test-limit: 120s
// Issue 2, Done 7: delegates whose chain is broken at one link each, in a simulated cloud with real
// RSA. Every break is refused with its own reason, and the honest delegate is found all the same.
import * as assert from 'uvu/assert'
import { bytesKey, toHex } from '#lib/core/bytes.js'
import type { ChainRefusal } from '#lib/pnrp/crypto-port.js'
import { writeChain } from '#lib/security/certificate-chain.js'
import { octetString, sequence } from '#lib/security/der.js'
import { derTime } from '#lib/security/der-text.js'
import { Oid } from '#lib/security/oids.js'
import { Simulation, type SimIdentity } from '#lib/testing/index.js'
import { suite } from '../harness.js'
import {
  classifierList,
  encodeCertificate,
  goodChain,
  memberCertificate,
  NOW,
  peerNames,
  setExtension,
  type TestChain,
  type TestKey,
} from '../support/certificate-maker.js'

const test = suite('broken chains')

interface Keys {
  readonly owner: TestKey
  readonly admin: TestKey
  readonly delegate: TestKey
  readonly stranger: TestKey
}

/** Bends a good chain; may return other bytes altogether. */
type Break = (chain: TestChain, keys: Keys) => Uint8Array | undefined

const bend =
  (change: (chain: TestChain, keys: Keys) => unknown): Break =>
  (chain, keys) => {
    change(chain, keys)
    return undefined
  }

const encode = (chain: TestChain): Uint8Array[] =>
  [chain.root, chain.middle, chain.leaf].map(encodeCertificate)

const BREAKS: [ChainRefusal, string, Break][] = [
  ['chain-malformed', 'no PKCS #7', () => Uint8Array.of(0x30, 0x00)],
  ['chain-malformed', 'a short serial number', bend(({ leaf }) => (leaf.serial = sequence()))],
  [
    'chain-too-long',
    '26 certificates',
    (chain) => {
      const [root, middle, leaf] = encode(chain) as [Uint8Array, Uint8Array, Uint8Array]
      return writeChain([root, ...new Array<Uint8Array>(24).fill(middle), leaf])
    },
  ],
  [
    'chain-order',
    'a stranger behind the leaf',
    (chain, { stranger }) => {
      const other = memberCertificate(7, stranger, stranger, '0.other')
      return writeChain([...encode(chain), encodeCertificate(other)])
    },
  ],
  [
    'chain-critical-extension',
    'an unknown critical extension',
    bend(({ middle }) => {
      setExtension(middle, '2.5.29.36', sequence())
    }),
  ],
  [
    'chain-version',
    'no version',
    bend(({ leaf }) => {
      setExtension(leaf, Oid.CERTIFICATE_VERSION, undefined)
    }),
  ],
  [
    'chain-member-type',
    'a second root',
    bend(({ middle }) => {
      setExtension(middle, Oid.CERTIFICATE_TYPE, octetString(Uint8Array.of(2, 0, 0, 0)))
    }),
  ],
  [
    'chain-role',
    'no role',
    bend(({ leaf }) => {
      setExtension(leaf, Oid.ROLE, undefined)
    }),
  ],
  [
    'chain-alt-name',
    'a broken link of names',
    bend(({ leaf }) => {
      setExtension(leaf, Oid.ISSUER_ALT_NAME, peerNames('somebody'), false)
    }),
  ],
  ['chain-validity', 'run out', bend(({ middle }) => (middle.notAfter = derTime(NOW - 1000)))],
  ['chain-validity', 'not valid yet', bend(({ leaf }) => (leaf.notBefore = derTime(NOW + 3.6e6)))],
  [
    'chain-classifier-syntax',
    'a classifier too long',
    bend(({ leaf }) => {
      setExtension(leaf, Oid.CLASSIFIERS, classifierList('fish'.padEnd(150)))
    }),
  ],
  [
    'chain-classifier-delegation',
    'more than was granted',
    bend(({ leaf }) => {
      setExtension(leaf, Oid.CLASSIFIERS, classifierList('fish', 'ham'))
    }),
  ],
  [
    'chain-classifier-not-delegated',
    'a classifier outside the list',
    bend(({ leaf }) => {
      setExtension(leaf, Oid.CLASSIFIERS, classifierList('cheese'))
    }),
  ],
  [
    'chain-root-not-self-signed',
    'a root that its own key did not sign',
    bend(({ root }, { stranger }) => (root.signer = stranger)),
  ],
  [
    'chain-root-type',
    'a root of type member',
    bend(({ root }) => {
      setExtension(root, Oid.CERTIFICATE_TYPE, octetString(Uint8Array.of(1, 0, 0, 0)))
    }),
  ],
  [
    'chain-root-key',
    'the chain of another owner',
    (_, { stranger, admin, delegate }) =>
      writeChain(encode(goodChain([stranger, admin, delegate]))),
  ],
  [
    'chain-leaf-key',
    'the chain of another delegate',
    (_, { owner, admin, stranger }) => writeChain(encode(goodChain([owner, admin, stranger]))),
  ],
  [
    'chain-peer-name',
    'another name in the leaf',
    bend(({ leaf }) => {
      setExtension(leaf, Oid.PEER_NAME, peerNames('0.other'))
    }),
  ],
  ['chain-signature', 'a forged leaf', bend(({ leaf }, { delegate }) => (leaf.signer = delegate))],
  [
    'chain-signature',
    'a forged link',
    bend(({ middle }, { stranger }) => (middle.signer = stranger)),
  ],
]

function testKey(sim: Simulation, identity: SimIdentity): TestKey {
  const { keyId, publicKey, authority } = identity
  const sign = (data: Uint8Array): Uint8Array => {
    const result = sim.port.tryNow({ kind: 'sign', id: 1, keyId, parts: [data] })
    if (result?.kind !== 'signed') throw new Error('the key cannot sign')
    return result.signatures[0] as Uint8Array
  }
  return { publicKey, authority, sign }
}

interface Outcome {
  readonly outcome: string | undefined
  readonly refusals: readonly string[]
  readonly verified: string | undefined
  readonly honest: boolean
}

/** A name with one honest delegate and `rogues` whose chain is broken; what a stranger finds. */
function resolveAmong(rogues: number, broken: Break, honest = true): Outcome {
  const sim = new Simulation({ seed: 3, keys: 4, epochMs: NOW, network: { delayMeanMs: 10 } })
  const [owner, admin, delegate, stranger] = [0, 1, 2, 3].map((i) => sim.identity(i)) as [
    SimIdentity,
    SimIdentity,
    SimIdentity,
    SimIdentity,
  ]
  const keys = {
    owner: testKey(sim, owner),
    admin: testKey(sim, admin),
    delegate: testKey(sim, delegate),
    stranger: testKey(sim, stranger),
  }
  const name = `${toHex(owner.authority)}.fish`
  const good = goodChain([keys.owner, keys.admin, keys.delegate])
  const bent = goodChain([keys.owner, keys.admin, keys.delegate])
  const bytes = broken(bent, keys) ?? writeChain(encode(bent))

  const first = sim.addNode()
  first.register('0.first')
  const publishers = sim.addNodes(rogues + 1, { seeds: [first] })
  sim.runFor(3000)
  const [publisher, ...others] = publishers
  assert.ok(publisher)
  const register = { identity: delegate, certificateChain: writeChain(encode(good)) }
  const registration = honest ? publisher.register(name, register) : undefined
  for (const other of others) other.register(name, { identity: delegate, certificateChain: bytes })
  // The neighbours keep the broken ones out of their leaf sets; whoever meets them may cache them.
  const asker = sim.addNode({ seeds: honest ? publishers : others })
  sim.runFor(10_000)
  const result = asker.resolve(name)
  sim.runFor(31_000)
  const found = result.peer?.pnrpId
  return {
    outcome: result.outcome,
    refusals: result.refusals,
    verified: result.peer?.verified,
    honest:
      found !== undefined &&
      registration?.pnrpId !== undefined &&
      bytesKey(found) === bytesKey(registration.pnrpId),
  }
}

test('a good chain is accepted', () => {
  const { outcome, verified, refusals } = resolveAmong(0, () => undefined)
  assert.is(outcome, 'found')
  assert.is(verified, 'chain')
  assert.equal(refusals, [])
})

for (const [reason, title, broken] of BREAKS) {
  test(`${title}: refused as ${reason}, nobody else is there`, () => {
    const { outcome, refusals } = resolveAmong(1, broken, false)
    assert.is(outcome, 'refused')
    assert.ok(refusals.length > 0)
    assert.equal([...new Set(refusals)], [reason])
  })

  test(`${title}: the honest delegate is found`, () => {
    const result = resolveAmong(3, broken)
    assert.is(result.outcome, 'found')
    assert.is(result.verified, 'chain')
    assert.ok(result.honest)
    for (const refusal of result.refusals) assert.is(refusal, reason)
  })
}

test.run()
