import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { PeernetError } from '#lib/core/errors.js'
import { LIMITS } from '#lib/core/limits.js'
import { LastUsedStore } from '#lib/storage/last-used-store.js'
import { statePaths } from '#lib/storage/paths.js'
import { suite } from '../../harness.js'

const test = suite('last-used nodes')
let directory = ''

test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peernet-store-'))
})
test.after(async () => {
  await rm(directory, { recursive: true, force: true })
})

test('PNRP-6-2 what is saved is there the next time, cloud by cloud, ten at most', async () => {
  const path = join(directory, 'kept', 'last-used.json')
  const store = new LastUsedStore(path)
  assert.equal(await store.load('global'), [])
  const nodes = Array.from({ length: 12 }, (_, i) => `[2001:db8::${i + 1}]:3540`)
  await Promise.all([
    store.save('global', nodes),
    store.save('link-local%eth0', ['[fe80::1]:4000']),
  ])
  const again = new LastUsedStore(path)
  assert.equal(await again.load('global'), nodes.slice(0, LIMITS.lastUsedNodes))
  assert.equal(await again.load('link-local%eth0'), ['[fe80::1]:4000'])
  assert.is((await stat(path)).mode & 0o777, 0o600)
})

test('a damaged file is reported with its path and left as it is', async () => {
  const path = join(directory, 'damaged', 'last-used.json')
  await new LastUsedStore(path).save('global', [])
  for (const damage of [
    '{"version":1,',
    '[]',
    '{"version":2,"clouds":{}}',
    '{"version":1,"clouds":{"a":[1]}}',
  ]) {
    await writeFile(path, damage)
    const store = new LastUsedStore(path)
    for (const attempt of [() => store.load('global'), () => store.save('global', ['x'])]) {
      const error = await attempt().then(
        () => undefined,
        (reason: unknown) => reason as PeernetError,
      )
      assert.is(error?.code, 'ERR_PEERNET_STATE_CORRUPT')
      assert.ok(error?.message.includes(path))
    }
    assert.is(await readFile(path, 'utf8'), damage)
  }
})

test('paths follow the XDG rules, and PEERNET_HOME holds everything', () => {
  const env = {
    XDG_STATE_HOME: '/s',
    XDG_DATA_HOME: '/d',
    XDG_CACHE_HOME: '/c',
    XDG_RUNTIME_DIR: '/r',
  }
  assert.equal(statePaths(env), {
    state: '/s/peernet',
    data: '/d/peernet',
    cache: '/c/peernet',
    controlSocket: '/r/peernet/control.sock',
  })
  assert.match(statePaths({ XDG_STATE_HOME: 'relative' }).state, /\.local\/state\/peernet$/)
  assert.is(statePaths({ ...env, PEERNET_HOME: '/h' }).controlSocket, '/h/control.sock')
})

test.run()
