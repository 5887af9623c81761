import * as assert from 'uvu/assert'
import { reversedBytes } from '#lib/core/bytes.js'
import type { ChainRefusal } from '#lib/pnrp/crypto-port.js'
import { writeChain } from '#lib/security/certificate-chain.js'
import { chainRefusal } from '#lib/security/chain-validation.js'
import { bmpString, derTime } from '#lib/security/der-text.js'
import { Oid } from '#lib/security/oids.js'
import { test } from '../../harness.js'
import {
  ADMIN,
  checkOf,
  classifierList,
  commonName,
  encodeCertificate,
  goodChain,
  INVITING_MEMBER,
  keyInfo,
  makeKey,
  MEMBER,
  memberCertificate,
  NOW,
  peerNames,
  roleList,
  setExtension,
  type TestCertificate,
  type TestChain,
} from '../../support/certificate-maker.js'
import { judge, refusedAnywhere } from './chain-judge.js'

test('PNRP-3.1.5.10-4 classifiers have the syntax of classifiers', () => {
  for (const classifier of ['a\0', 'x'.repeat(150), '😀'.repeat(75)]) {
    refusedAnywhere('chain-classifier-syntax', (one) => {
      setExtension(one, Oid.CLASSIFIERS, classifierList(classifier))
    })
  }
})

test('PNRP-2.2.3.5.1.5-5 PNRP-3.1.5.10-5 a list is delegated from the one before', () => {
  assert.is(
    judge((chain) => {
      setExtension(chain.leaf, Oid.CLASSIFIERS, classifierList('fish', 'ham'))
    }),
    'chain-classifier-delegation',
  )
  // The own role decides: an admin may take a longer one, a member may not.
  assert.is(
    judge((chain) => {
      setExtension(chain.leaf, Oid.ROLE, roleList(MEMBER))
    }),
    'chain-classifier-delegation',
  )
  // The root's list counts if there is one.
  assert.is(
    judge((chain) => {
      setExtension(chain.root, Oid.CLASSIFIERS, classifierList('meat'))
    }),
    'chain-classifier-delegation',
  )
})

test('PNRP-2.2.3.5.1.5-4 an empty list needs an empty one, or "" and an extending role', () => {
  const leafWith = (parent: Uint8Array, role: string): ChainRefusal | undefined =>
    judge((chain) => {
      setExtension(chain.middle, Oid.CLASSIFIERS, parent)
      setExtension(chain.leaf, Oid.CLASSIFIERS, classifierList())
      setExtension(chain.leaf, Oid.ROLE, roleList(role))
    })
  assert.is(leafWith(classifierList(), MEMBER), undefined)
  assert.is(leafWith(classifierList('', 'fish'), ADMIN), undefined)
  assert.is(leafWith(classifierList('', 'fish'), INVITING_MEMBER), undefined)
  assert.is(leafWith(classifierList('', 'fish'), MEMBER), 'chain-classifier-delegation')
  assert.is(leafWith(classifierList('fish'), ADMIN), 'chain-classifier-delegation')
})

test('PNRP-3.1.5.10-11 the classifier published is delegated from the last list', () => {
  for (const classifier of ['fish', 'cheese-like']) {
    assert.is(judge(undefined, { classifier }), undefined)
  }
  for (const classifier of ['', 'cheese', 'ham', 'Fish', 'fis']) {
    assert.is(judge(undefined, { classifier }), 'chain-classifier-not-delegated')
  }
  // The last certificate is an admin's: what begins with a granted classifier is granted too.
  assert.is(judge(undefined, { classifier: 'fish food' }), undefined)
  const member = (chain: TestChain): void => {
    setExtension(chain.leaf, Oid.ROLE, roleList(MEMBER))
    setExtension(chain.leaf, Oid.CLASSIFIERS, classifierList('fish'))
  }
  assert.is(judge(member, { classifier: 'fish food' }), 'chain-classifier-not-delegated')
  assert.is(judge(member, { classifier: 'fish' }), undefined)
})

test('PNRP-3.1.5.10-2 each IssuerAltName is the SubjectAltName before', () => {
  const links: ((chain: TestChain) => [TestCertificate, string])[] = [
    (chain) => [chain.root, Oid.SUBJECT_ALT_NAME],
    (chain) => [chain.middle, Oid.ISSUER_ALT_NAME],
    (chain) => [chain.middle, Oid.SUBJECT_ALT_NAME],
    (chain) => [chain.leaf, Oid.ISSUER_ALT_NAME],
  ]
  for (const link of links) {
    for (const value of [undefined, peerNames('alt'), peerNames('ALT 1')]) {
      assert.is(
        judge((chain) => {
          const [certificate, oid] = link(chain)
          setExtension(certificate, oid, value, false)
        }),
        'chain-alt-name',
      )
    }
  }
})

test('PNRP-3.1.5.10-3 every certificate is valid now', () => {
  refusedAnywhere('chain-validity', (one) => (one.notAfter = derTime(NOW - 1000)), 'over')
  refusedAnywhere('chain-validity', (one) => (one.notBefore = derTime(NOW + 1000)), 'not yet')
  const exactly = (chain: TestChain): void => {
    chain.leaf.notBefore = derTime(NOW)
    chain.leaf.notAfter = derTime(NOW)
  }
  assert.is(judge(exactly), undefined)
  assert.is(judge(exactly, { wallMs: NOW + 1 }), 'chain-validity')
  assert.is(judge(exactly, { wallMs: NOW - 1 }), 'chain-validity')
})

test('PNRP-3.1.5.10-6 the first certificate is self-signed', () => {
  assert.is(
    judge((chain) => (chain.root.issuer = commonName(bmpString('somebody else\0')))),
    'chain-root-not-self-signed',
  )
  assert.is(
    judge((chain) => (chain.root.signer = makeKey())),
    'chain-root-not-self-signed',
  )
})

test('PNRP-3.1.5.10-8 the first key makes the BinaryAuthority', () => {
  const { authority } = makeKey()
  assert.is(judge(undefined, { binaryAuthority: authority }), 'chain-root-key')
  const reversed = reversedBytes(goodChain().keys[0].authority)
  assert.is(judge(undefined, { binaryAuthority: reversed }), 'chain-root-key')
})

test('PNRP-3.1.5.10-9 the last key is that of the CPA', () => {
  assert.is(judge(undefined, { cpaPublicKey: makeKey().publicKey }), 'chain-leaf-key')
  // A chain cut short: its delegate may not publish with a key further down.
  const chain = goodChain()
  const bytes = writeChain([chain.root, chain.middle].map(encodeCertificate))
  assert.is(judge(undefined, { chain: bytes }), 'chain-leaf-key')
})

test('every certificate is signed with the key before it (N-46)', () => {
  const [root, , last] = goodChain().keys
  const strangers = { middle: [makeKey(), last], leaf: [makeKey(), root, last] }
  for (const which of ['middle', 'leaf'] as const) {
    for (const signer of strangers[which]) {
      assert.is(
        judge((chain) => (chain[which].signer = signer)),
        'chain-signature',
      )
    }
  }
})

test('a signature in CryptoAPI byte order is none in a certificate', () => {
  const chain = goodChain()
  const leaf = encodeCertificate(chain.leaf)
  const at = leaf.length - 128
  const reversed = Buffer.concat([leaf.subarray(0, at), reversedBytes(leaf.subarray(at))])
  const bytes = writeChain([
    encodeCertificate(chain.root),
    encodeCertificate(chain.middle),
    reversed,
  ])
  assert.is(judge(undefined, { chain: bytes }), 'chain-signature')
})

test('one changed bit anywhere in a certificate is noticed', () => {
  const chain = goodChain()
  const certificates = [chain.root, chain.middle, chain.leaf].map(encodeCertificate)
  const check = checkOf(chain)
  certificates.forEach((certificate, which) => {
    for (let at = 0; at < certificate.length; at++) {
      const changed = Uint8Array.from(certificate)
      changed[at] = (changed[at] as number) ^ (1 << (at % 8))
      const bytes = writeChain(certificates.map((one, i) => (i === which ? changed : one)))
      assert.ok(chainRefusal({ ...check, chain: bytes }), `certificate ${which}, byte ${at}`)
    }
  })
})

test('the certificates may lie in any order (N-46)', () => {
  const chain = goodChain()
  const [a, b, c] = [chain.root, chain.middle, chain.leaf].map(encodeCertificate) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  for (const order of [
    [a, c, b],
    [b, a, c],
    [b, c, a],
    [c, a, b],
    [c, b, a],
  ]) {
    assert.is(judge(undefined, { chain: writeChain(order) }), undefined)
  }
})

test('certificates that do not belong to the chain refuse it', () => {
  const chain = goodChain()
  const stranger = makeKey()
  const name = '0.stranger'
  const extra = encodeCertificate(memberCertificate(7, makeKey(), stranger, name))
  const certificates = [chain.root, chain.middle, chain.leaf].map(encodeCertificate)
  // With the right leaf last the checks name what they find (here: a root in second place); else
  // there is no telling the order.
  const before = writeChain([extra, ...certificates])
  const after = writeChain([...certificates, extra])
  assert.is(judge(undefined, { chain: after }), 'chain-order')
  assert.is(judge(undefined, { chain: before }), 'chain-member-type')
})

test('a chain of the root alone speaks for the root key', () => {
  const chain = goodChain()
  const changes = {
    chain: writeChain([encodeCertificate(chain.root)]),
    cpaPublicKey: chain.keys[0].publicKey,
  }
  assert.is(judge(undefined, changes), undefined)
})

test('the same key may be delegated to twice in one chain', () => {
  const chain = goodChain()
  const [first] = chain.keys
  chain.leaf.publicKeyInfo = keyInfo(first.publicKey)
  assert.is(chainRefusal(checkOf(chain, { cpaPublicKey: first.publicKey })), undefined)
})

test.run()
