import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import * as assert from 'uvu/assert'
import { addon } from '#lib/native/addon.js'
import { nativeVersion } from '#lib/index.js'
import { test } from '../../harness.js'

test('the native core reports the version in package.json', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  assert.is(addon.version, manifest.version)
  assert.is(nativeVersion, manifest.version)
})

test('an addon that cannot be loaded is an error that says what to do', () => {
  const script = `import('./dist/native/addon.js').catch((e) => console.log(e.code, e.message))`
  const child = spawnSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    env: { ...process.env, PEERNET_PREBUILD: '/nonexistent' },
  })
  assert.match(child.stdout, /^ERR_PEERNET_NATIVE /)
  assert.match(child.stdout, /npm rebuild peernet/)
})

test('worker threads and the main thread load the addon side by side', async () => {
  const script = `
    const { parentPort } = require('node:worker_threads')
    import('./dist/native/addon.js').then((m) => parentPort.postMessage(m.nativeVersion))`
  const versions = [1, 2, 3].map(
    () =>
      new Promise((resolve, reject) => {
        const worker = new Worker(script, { eval: true })
        worker.once('message', resolve)
        worker.once('error', reject)
      }),
  )
  assert.equal(await Promise.all(versions), [nativeVersion, nativeVersion, nativeVersion])
})

test.run()
