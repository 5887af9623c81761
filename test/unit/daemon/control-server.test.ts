// The daemon's socket in the file system: who gets the name, what a dead daemon leaves behind.
import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { PeernetError } from '#lib/core/errors.js'
import { ControlClient } from '#lib/daemon/client.js'
import type { Controller } from '#lib/daemon/controller.js'
import { ControlServer } from '#lib/daemon/server.js'
import { makeDirectory } from '#lib/storage/atomic-file.js'
import { test } from '../../harness.js'

const echo: Controller = {
  remote: false,
  call: (method) => Promise.resolve({ method }),
  close: () => Promise.resolve(),
}
let all = ''

async function refused(work: Promise<unknown>): Promise<PeernetError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.instance(error, PeernetError)
  return error as PeernetError
}

/** A directory, and the path of a socket in it. */
async function place(): Promise<{ home: string; path: string }> {
  const home = await mkdtemp(join(all, 'p'))
  return { home, path: join(home, 'control.sock') }
}

test.before(async () => {
  all = await mkdtemp(join(tmpdir(), 'peernet-socket-'))
})

test.after(async () => {
  await rm(all, { recursive: true, force: true })
})

test('one daemon serves a path, with mode 0600, and leaves nothing behind', async () => {
  const { home, path } = await place()
  const server = await ControlServer.listen(echo, path)
  assert.is((await stat(path)).mode & 0o777, 0o600)
  const client = await ControlClient.connect(path)
  assert.equal(await client?.call('hello', {}), { method: 'hello' })
  await client?.close()
  assert.is((await refused(ControlServer.listen(echo, path))).code, 'ERR_PEERNET_DAEMON_RUNNING')
  assert.equal(await readdir(home), ['control.sock'])
  await server.close()
  assert.equal(await readdir(home), [])
})

test('of several that find the socket of a dead daemon, one takes its place', async () => {
  const { home, path } = await place()
  const die = 'createServer().listen(process.argv[1], () => process.kill(process.pid, 9))'
  spawnSync(process.execPath, ['-e', `require('net').${die}`, path])
  assert.equal(await readdir(home), ['control.sock'])
  const tried = await Promise.allSettled(
    Array.from({ length: 6 }, () => ControlServer.listen(echo, path)),
  )
  const won = tried.filter((one) => one.status === 'fulfilled')
  assert.is(won.length, 1)
  assert.ok(await ControlClient.connect(path).then((client) => client?.close().then(() => true)))
  assert.equal(await readdir(home), ['control.sock'])
  await won[0]?.value.close()
})

test('what is not ours any more stays when we close', async () => {
  const { home, path } = await place()
  const server = await ControlServer.listen(echo, path)
  await rm(path)
  await writeFile(path, 'of somebody else')
  await server.close()
  assert.equal(await readdir(home), ['control.sock'])
})

test('a path that is too long for a socket is refused, not cut off', async () => {
  const { home } = await place()
  const long = join(home, 'x'.repeat(108))
  const { code, message } = await refused(ControlServer.listen(echo, long))
  assert.is(code, 'ERR_PEERNET_INVALID_ARG')
  assert.match(message, /at most 10[37] bytes.*choose a shorter one/)
  assert.equal(await readdir(home), [])
  assert.is(await ControlClient.connect(long), undefined)
})

test('directories are made, or refused with a remedy; below /proc it does not hang', async () => {
  const { home } = await place()
  await makeDirectory(join(home, 'a', 'b', 'c'))
  assert.is((await stat(join(home, 'a'))).mode & 0o777, 0o700)
  await makeDirectory(join(home, 'a', 'b', 'c'))
  const file = join(home, 'file')
  await writeFile(file, '')
  for (const taken of [file, join(file, 'x'), join(file, 'x', 'y')]) {
    const { code, message } = await refused(makeDirectory(taken))
    assert.is(code, 'ERR_PEERNET_SYSTEM')
    assert.match(message, /a file stands in .*PEERNET_HOME/)
  }
  if (process.platform !== 'linux') return
  assert.is((await refused(makeDirectory('/proc/peernet/x'))).code, 'ERR_PEERNET_SYSTEM')
})

test.run()
