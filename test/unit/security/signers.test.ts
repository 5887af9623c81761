import * as assert from 'uvu/assert'
import { toHex } from '#lib/core/bytes.js'
import { PeernetError, type ErrorCode } from '#lib/core/errors.js'
import type { SigningKey } from '#lib/security/crypto-provider.js'
import { DelegatedIdentity } from '#lib/security/delegated-identity.js'
import { PeerIdentity } from '#lib/security/peer-identity.js'
import { PeerName } from '#lib/security/peer-name.js'
import { signerOf, throwawayKey } from '#lib/security/signers.js'
import { test } from '../../harness.js'

let ada: PeerIdentity
let bob: PeerIdentity
let throwaway: SigningKey

test.before(async () => {
  ada = await PeerIdentity.create()
  bob = await PeerIdentity.create()
  throwaway = await throwawayKey()
})

function refuses(code: ErrorCode, work: () => unknown): void {
  assert.throws(work, (error: unknown) => error instanceof PeernetError && error.code === code)
}

test('unsecured names are signed by the throwaway key, one for the process', async () => {
  const { spec, key } = signerOf(PeerName.unsecured('chat'), undefined, throwaway)
  assert.equal(Object.keys(spec).sort(), ['keyId', 'publicKey'])
  assert.is(key, throwaway)
  assert.is(await throwawayKey(), throwaway)
  assert.is(spec.publicKey.length, 140)
})

test('PNRP-2.2.3.1-15 an identity may sign an unsecured name, which names no authority', () => {
  const { spec } = signerOf(PeerName.unsecured('chat'), ada, throwaway)
  assert.is(spec.authority, undefined)
  assert.equal(spec.publicKey, ada.publicKey)
})

test('a secure name is signed by the identity that made it, or by the one given', () => {
  const names = [
    signerOf(ada.peerName('chat'), undefined, throwaway),
    signerOf(new PeerName(`${ada.authority}.chat`), ada, throwaway),
  ]
  for (const { spec, key } of names) {
    assert.is(toHex(spec.authority as Uint8Array), ada.authority)
    assert.is(spec.keyId, key.keyId)
    assert.equal(spec.publicKey, ada.publicKey)
    assert.is(spec.certificateChain, undefined)
  }
})

test('a delegated name carries the owner authority, the delegate key and the chain', () => {
  const delegation = ada.delegate({ to: bob, classifiers: ['chat'] })
  const delegated = new DelegatedIdentity(bob, delegation)
  const names = [
    signerOf(delegated.peerName('chat'), undefined, throwaway),
    signerOf(new PeerName(`${ada.authority}.chat`), delegated, throwaway),
  ]
  for (const { spec } of names) {
    assert.is(toHex(spec.authority as Uint8Array), ada.authority)
    assert.equal(spec.publicKey, bob.publicKey)
    assert.equal(spec.certificateChain, delegation.chain)
  }
  const other = new PeerName(`${ada.authority}.other`)
  refuses('ERR_PEERNET_NOT_AUTHORIZED', () => signerOf(other, delegated, throwaway))
})

test('nobody signs for others', () => {
  const name = new PeerName(`${ada.authority}.chat`)
  refuses('ERR_PEERNET_IDENTITY_NOT_FOUND', () => signerOf(name, undefined, throwaway))
  refuses('ERR_PEERNET_NOT_AUTHORIZED', () => signerOf(name, bob, throwaway))
  refuses('ERR_PEERNET_INVALID_ARG', () => signerOf(name, 'ada', throwaway))
  refuses('ERR_PEERNET_INVALID_ARG', () => signerOf(name, {}, throwaway))
})

test.run()
