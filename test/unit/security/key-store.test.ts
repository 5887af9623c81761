import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { PeernetError, type ErrorCode } from '#lib/core/errors.js'
import { KeyStore } from '#lib/security/key-store.js'
import { PeerIdentity } from '#lib/security/peer-identity.js'
import { test } from '../../harness.js'

let root = ''
let ada: PeerIdentity
let bob: PeerIdentity
let counter = 0

test.before(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'peernet-keys-'))
  ada = await PeerIdentity.create({ friendlyName: 'Ada' })
  bob = await PeerIdentity.create({ friendlyName: 'Bob' })
})

test.after(() => {
  rmSync(root, { recursive: true })
})

const newStore = (): KeyStore => new KeyStore(path.join(root, `${counter++}`, 'identities'))
const mode = (file: string): string => (statSync(file).mode & 0o777).toString(8)

async function refuses(
  code: ErrorCode,
  work: () => Promise<unknown>,
  message = /./,
): Promise<PeernetError> {
  try {
    await work()
  } catch (error) {
    assert.instance(error, PeernetError)
    assert.is((error as PeernetError).code, code)
    assert.match((error as PeernetError).message, message)
    return error as PeernetError
  }
  throw new Error(`expected ${code}`)
}

test('a store that is not there yet is empty', async () => {
  const store = newStore()
  assert.equal(await store.list(), [])
  assert.equal(await store.delegations(), [])
  const error = await refuses('ERR_PEERNET_IDENTITY_NOT_FOUND', () => store.load('Ada'))
  assert.is(error.hresult, 0x80630501)
  assert.not(existsSync(store.directory))
})

test('identities are kept in files of mode 0600 in a directory of mode 0700', async () => {
  const store = newStore()
  const { file } = await store.add(ada)
  assert.is(mode(file), '600')
  assert.is(mode(store.directory), '700')
  assert.equal(readdirSync(store.directory), [`${ada.authority}.pem`])
  const again = await store.load('Ada')
  assert.is(again.authority, ada.authority)
  assert.is(again.friendlyName, 'Ada')
})

test('with a password the file is encrypted, and listing needs none', async () => {
  const store = newStore()
  const { file } = await store.add(ada, 'secret')
  assert.match(readFileSync(file, 'utf8'), /BEGIN ENCRYPTED PRIVATE KEY/)
  const [listed] = await store.list()
  assert.equal(listed, { authority: ada.authority, friendlyName: 'Ada', encrypted: true, file })
  await refuses('ERR_PEERNET_WRONG_PASSWORD', () => store.load('Ada'))
  await refuses('ERR_PEERNET_WRONG_PASSWORD', () => store.load('Ada', 'Secret'))
  assert.is((await store.load('Ada', 'secret')).authority, ada.authority)
})

test('an identity is found by name, authority, or the beginning of its authority', async () => {
  const store = newStore()
  await store.add(ada)
  await store.add(bob)
  for (const name of ['Bob', bob.authority, bob.authority.slice(0, 12)]) {
    assert.is((await store.find(name)).authority, bob.authority)
  }
  for (const name of ['bob', 'Bo', bob.authority.slice(0, 3), '', '..', '/etc/passwd']) {
    await refuses('ERR_PEERNET_IDENTITY_NOT_FOUND', () => store.find(name))
  }
  await store.add(await PeerIdentity.create({ friendlyName: 'Bob' }))
  await refuses('ERR_PEERNET_INVALID_ARG', () => store.find('Bob'), /several/)
})

test('nothing is overwritten', async () => {
  const store = newStore()
  const { file } = await store.add(ada)
  const before = readFileSync(file)
  await refuses('ERR_PEERNET_IDENTITY_EXISTS', () => store.add(ada, 'secret'))
  assert.equal(readFileSync(file), before)
  writeFileSync(file, 'damaged')
  await refuses('ERR_PEERNET_IDENTITY_EXISTS', () => store.add(ada))
  assert.is(readFileSync(file, 'utf8'), 'damaged')
  assert.equal(readdirSync(store.directory), [`${ada.authority}.pem`])
})

test('two writers at once: one wins, and its file is whole', async () => {
  const store = newStore()
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => store.add(ada)))
  assert.is(results.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.is((await store.load(ada.authority)).authority, ada.authority)
  assert.is(readdirSync(store.directory).length, 1)
})

test('a damaged file is told, listed and left alone', async () => {
  const store = newStore()
  const { file } = await store.add(ada)
  await store.add(bob)
  const text = readFileSync(file, 'utf8')
  const damages = ['', 'nonsense', text.slice(0, 500), text.replace(/^Authority.*\n/, '')]
  for (const damage of damages) {
    writeFileSync(file, damage)
    const listed = await store.list()
    assert.match(listed.find((one) => one.file === file)?.problem ?? '', /damaged/)
    assert.is((await store.load('Bob')).authority, bob.authority)
    if (!damage.includes('BEGIN') || damage.length === 500) {
      await refuses(
        'ERR_PEERNET_IDENTITY_CORRUPT',
        () => store.load(ada.authority),
        new RegExp(`${ada.authority}\\.pem.*left alone`),
      )
    }
    assert.is(readFileSync(file, 'utf8'), damage)
  }
})

test('a key under the name of another one is not used', async () => {
  const store = newStore()
  const { file } = await store.add(ada)
  writeFileSync(file, await bob.export())
  await refuses('ERR_PEERNET_IDENTITY_CORRUPT', () => store.load(ada.authority), /another identity/)
})

test('a key that others can read is refused, with the way out', async () => {
  const store = newStore()
  const { file } = await store.add(ada)
  for (const bits of [0o640, 0o604, 0o660]) {
    chmodSync(file, bits)
    await refuses('ERR_PEERNET_PERMISSION', () => store.load(ada.authority), /chmod 600/)
    assert.match((await store.list())[0]?.problem ?? '', /chmod 600/)
  }
  chmodSync(file, 0o400)
  assert.is((await store.load('Ada')).authority, ada.authority)
})

test('a directory that others can write to is refused for keys', async () => {
  const store = newStore()
  mkdirSync(store.directory, { recursive: true })
  chmodSync(store.directory, 0o777)
  await refuses('ERR_PEERNET_PERMISSION', () => store.add(ada), /chmod 700/)
  assert.equal(readdirSync(store.directory), [])
})

test('a directory that is a file is a clear error', async () => {
  const store = newStore()
  mkdirSync(path.dirname(store.directory), { recursive: true })
  writeFileSync(store.directory, '')
  for (const work of [() => store.add(ada), () => store.list()]) {
    const error = await refuses('ERR_PEERNET_SYSTEM', work)
    assert.match(error.message, /identities/)
  }
})

test('files of absurd length are not read', async () => {
  const store = newStore()
  const { file } = await store.add(ada)
  writeFileSync(file, 'x'.repeat(70_000))
  await refuses('ERR_PEERNET_IDENTITY_CORRUPT', () => store.load(ada.authority), /too long/)
})

test('deleting removes the one that is meant', async () => {
  const store = newStore()
  await store.add(ada)
  await store.add(bob)
  assert.is((await store.delete('Ada')).authority, ada.authority)
  assert.equal(
    (await store.list()).map(({ friendlyName }) => friendlyName),
    ['Bob'],
  )
  await refuses('ERR_PEERNET_IDENTITY_NOT_FOUND', () => store.delete('Ada'))
})

test('delegations are kept, listed, and found for a name', async () => {
  const store = newStore()
  await store.add(bob)
  const soon = new Date(Date.now() + 3_600_000)
  await store.addDelegation(ada.delegate({ to: bob, classifiers: ['chat'], notAfter: soon }))
  const { file } = await store.addDelegation(ada.delegate({ to: bob, classifiers: ['chat', 'x'] }))
  assert.is(mode(file), '600')
  assert.is((await store.delegations()).length, 2)
  assert.is((await store.list()).length, 1)
  const delegated = await store.delegated(bob, ada.authority, 'chat')
  assert.equal(delegated.delegation.classifiers, ['chat', 'x'])
  await refuses('ERR_PEERNET_NOT_AUTHORIZED', () => store.delegated(bob, ada.authority, 'ham'))
  await refuses('ERR_PEERNET_NOT_AUTHORIZED', () => store.delegated(ada, ada.authority, 'chat'))
  writeFileSync(file, 'damaged')
  const problems = (await store.delegations()).filter(({ problem }) => problem !== undefined)
  assert.is(problems.length, 1)
  const other = await store.delegated(bob, ada.authority, 'chat')
  assert.equal(other.delegation.classifiers, ['chat'])
})

test.run()
