import { execFileSync } from 'node:child_process'
import { createHash, createPrivateKey, createPublicKey, verify } from 'node:crypto'
import { inspect } from 'node:util'
import * as assert from 'uvu/assert'
import { PeernetError, type ErrorCode } from '#lib/core/errors.js'
import { PeerIdentity } from '#lib/security/peer-identity.js'
import { readPem, writePem } from '#lib/security/pem.js'
import { skipUnless, test } from '../../harness.js'

const NAME = 'Ada "quoted"\n\u2028名前'
let ada: PeerIdentity

test.before(async () => {
  ada = await PeerIdentity.create({ friendlyName: NAME })
})

async function refuses(code: ErrorCode, work: () => Promise<unknown>): Promise<PeernetError> {
  try {
    await work()
  } catch (error) {
    assert.instance(error, PeernetError)
    assert.is((error as PeernetError).code, code)
    return error as PeernetError
  }
  throw new Error(`expected ${code}`)
}

test('PNRP-2.2.3.1-14 the authority is the SHA-1 of the DER RSAPublicKey of 140 bytes', () => {
  assert.is(ada.publicKey.length, 140)
  const key = createPublicKey({ key: Buffer.from(ada.publicKey), format: 'der', type: 'pkcs1' })
  assert.equal(key.asymmetricKeyDetails, { modulusLength: 1024, publicExponent: 65537n })
  assert.is(ada.authority, createHash('sha1').update(ada.publicKey).digest('hex'))
  assert.is(ada.peerName('chat').toString(), `${ada.authority}.chat`)
  assert.is(ada.peerName().toString(), `${ada.authority}.`)
})

test('what it signs, node:crypto verifies', () => {
  const data = Buffer.from('data')
  const key = createPublicKey({ key: Buffer.from(ada.publicKey), format: 'der', type: 'pkcs1' })
  assert.ok(verify('sha1', data, key, ada.sign(data)))
})

test('two identities differ', async () => {
  const bob = await PeerIdentity.create()
  assert.is.not(bob.authority, ada.authority)
  assert.is(bob.friendlyName, '')
})

test('an identity survives its text form, plain and under a password', async () => {
  for (const password of [undefined, 'pässword', '']) {
    const text = await ada.export(password)
    const again = await PeerIdentity.import(text, password)
    assert.is(again.authority, ada.authority)
    assert.is(again.friendlyName, NAME)
    assert.equal(again.sign(Buffer.from('x')), ada.sign(Buffer.from('x')))
    assert.equal(PeerIdentity.describe(text), {
      authority: ada.authority,
      friendlyName: NAME,
      encrypted: password !== undefined,
    })
  }
})

test('an encrypted export holds no trace of the key, and no two are alike', async () => {
  const [one, two] = [await ada.export('secret'), await ada.export('secret')]
  const bytes = (text: string): Buffer => Buffer.from(readPem(text)?.bytes as Uint8Array)
  assert.not.equal(bytes(one), bytes(two))
  const plain = bytes(await ada.export())
  // Any 8 bytes of the plain key.
  for (let at = 0; at + 8 <= plain.length; at += 4) {
    assert.not(bytes(one).includes(plain.subarray(at, at + 8)))
  }
})

test('a wrong or missing password is told as such', async () => {
  const text = await ada.export('secret')
  await refuses('ERR_PEERNET_WRONG_PASSWORD', () => PeerIdentity.import(text))
  // Of many wrong ones some leave a padding that looks right.
  for (let i = 0; i < 12; i++) {
    await refuses('ERR_PEERNET_WRONG_PASSWORD', () => PeerIdentity.import(text, `wrong ${i}`))
  }
})

test('damaged texts are refused, whatever is damaged', async () => {
  const plain = await ada.export()
  const bob = await PeerIdentity.create()
  const bytes = readPem(plain)?.bytes as Uint8Array
  const damaged = {
    empty: '',
    nonsense: 'nonsense',
    'cut off': plain.slice(0, -60),
    'two blocks': plain + plain,
    'a public key': ada.publicText(),
    'not base64': plain.replace(/\n(....)/, '\n!!!!'),
    'the key of another': writePem('PRIVATE KEY', { Authority: bob.authority }, bytes),
    'a changed key': writePem(
      'PRIVATE KEY',
      {},
      bytes.map((byte, i) => (i === 300 ? byte ^ 1 : byte)),
    ),
    'not PKCS #8': writePem('PRIVATE KEY', {}, ada.publicKey),
  }
  for (const [title, text] of Object.entries(damaged)) {
    const error = await refuses('ERR_PEERNET_IDENTITY_CORRUPT', () => PeerIdentity.import(text))
    assert.ok(error, title)
  }
})

test('encrypted files that ask for too much memory or time are refused', async () => {
  const sealed = readPem(await ada.export('secret'))?.bytes as Uint8Array
  const hex = Buffer.from(sealed).toString('hex')
  // N = 16384 is 02 02 40 00; r = 8 and p = 1 follow.
  const cost = '0202400002010802010' + '1'
  assert.ok(hex.includes(cost))
  const replacements = [
    '02023fff0201080201' + '01',
    '020240000201080201' + '7f',
    '0202400002017f020101',
    '02020001020108020101',
  ]
  for (const other of replacements) {
    const text = writePem('ENCRYPTED PRIVATE KEY', {}, Buffer.from(hex.replace(cost, other), 'hex'))
    await refuses('ERR_PEERNET_IDENTITY_CORRUPT', () => PeerIdentity.import(text, 'secret'))
  }
  for (let length = 0; length < sealed.length; length += 7) {
    const text = writePem('ENCRYPTED PRIVATE KEY', {}, sealed.subarray(0, length))
    await refuses('ERR_PEERNET_IDENTITY_CORRUPT', () => PeerIdentity.import(text, 'secret'))
  }
})

test('keys of other kinds are no identities', async () => {
  const { generateKeyPairSync } = await import('node:crypto')
  const keys = [
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
    generateKeyPairSync('rsa', { modulusLength: 1024, publicExponent: 3 }),
    generateKeyPairSync('ed25519'),
  ]
  for (const { privateKey } of keys) {
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    await refuses('ERR_PEERNET_IDENTITY_CORRUPT', () => PeerIdentity.import(pem))
  }
})

test('the files are what node:crypto and openssl read', async () => {
  const plain = createPrivateKey(await ada.export())
  const sealed = createPrivateKey({ key: await ada.export('secret'), passphrase: 'secret' })
  const publicKey = createPublicKey(ada.publicText())
  for (const key of [createPublicKey(plain), createPublicKey(sealed), publicKey]) {
    assert.equal(new Uint8Array(key.export({ type: 'pkcs1', format: 'der' })), ada.publicKey)
  }
})

test('an identity that openssl made and encrypted is read', async () => {
  let made = ''
  try {
    const key = execFileSync(
      'openssl',
      ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    )
    made = execFileSync(
      'openssl',
      ['pkcs8', '-topk8', '-scrypt', '-v2', 'aes-256-cbc', '-passout', 'pass:secret'],
      { input: key, encoding: 'utf8' },
    )
  } catch {
    // not installed
  }
  skipUnless(made !== '', 'the openssl command is not installed')
  const identity = await PeerIdentity.import(made, 'secret')
  assert.match(identity.authority, /^[0-9a-f]{40}$/)
})

test('the public half travels as text', () => {
  assert.equal(PeerIdentity.readPublic(ada.publicText()), ada.info)
  for (const text of ['', 'nonsense', ada.publicText().replace('PUBLIC', 'PRIVATE')]) {
    assert.throws(
      () => PeerIdentity.readPublic(text),
      (error: PeernetError) => {
        return error.code === 'ERR_PEERNET_INVALID_ARG'
      },
    )
  }
})

test('printing an identity shows no key', () => {
  assert.equal(JSON.parse(JSON.stringify(ada)), { authority: ada.authority, friendlyName: NAME })
  assert.not.match(inspect(ada, { depth: 10, showHidden: true }), /privateKey/i)
})

test('friendly names: 0 to 255 characters, no NUL', async () => {
  await PeerIdentity.create({ friendlyName: 'x'.repeat(255) })
  for (const friendlyName of ['x'.repeat(256), 'a\0']) {
    await refuses('ERR_PEERNET_INVALID_ARG', () => PeerIdentity.create({ friendlyName }))
  }
})

test.run()
