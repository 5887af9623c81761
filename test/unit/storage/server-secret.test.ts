import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { ServerSecretFile } from '#lib/storage/server-secret.js'
import { test } from '../../harness.js'

const directory = mkdtempSync(path.join(tmpdir(), 'peernet-secret-'))
test.after(() => {
  rmSync(directory, { recursive: true })
})

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error as { code: string }).code,
  )

test('D-026 a secret is made when there is none, kept with mode 0600, and stays', async () => {
  const file = path.join(directory, 'a', 'secret')
  const made = await new ServerSecretFile(file).load()
  assert.is(made.length, 32)
  assert.is(statSync(file).mode & 0o777, 0o600)
  assert.is(statSync(path.dirname(file)).mode & 0o777, 0o700)
  assert.equal(await new ServerSecretFile(file).load(), made)
  const other = await new ServerSecretFile(path.join(directory, 'b')).load()
  assert.not.equal(other, made)
})

test('servers that start at the same time make one secret', async () => {
  const file = path.join(directory, 'many', 'secret')
  const all = await Promise.all(Array.from({ length: 8 }, () => new ServerSecretFile(file).load()))
  for (const one of all) assert.equal(one, all[0])
  assert.equal(readdirSync(path.dirname(file)), ['secret'])
})

test('a shared secret is stored, and rights that are too wide are narrowed', async () => {
  const file = path.join(directory, 'shared')
  const secret = new Uint8Array(Buffer.from('no more secrets'))
  await new ServerSecretFile(file).store(secret)
  assert.equal(await new ServerSecretFile(file).load(), secret)
  chmodSync(file, 0o644)
  await new ServerSecretFile(file).load()
  assert.is(statSync(file).mode & 0o777, 0o600)
  const empty = new ServerSecretFile(file).store(new Uint8Array(0))
  assert.is(await codeOf(empty), 'ERR_PEERNET_INVALID_ARG')
})

test('a damaged file is told and left as it is', async () => {
  const file = path.join(directory, 'damaged')
  for (const text of ['', '\n', 'xyz', 'abc']) {
    writeFileSync(file, text)
    const loading = new ServerSecretFile(file).load()
    assert.is(await codeOf(loading), 'ERR_PEERNET_SECRET_CORRUPT')
    assert.is(readFileSync(file, 'utf8'), text)
  }
})

test.run()
