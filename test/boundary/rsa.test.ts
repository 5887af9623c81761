// What the RSA binding does at the edges of its life: workers that end, processes that exit, and
// keys that nobody holds any more.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import * as assert from 'uvu/assert'
import { rsaPublicKey, rsaVerify, SignatureOrder } from '#lib/native/rsa.js'
import { PeerIdentity } from '#lib/security/peer-identity.js'
import { test } from '../harness.js'

let identity: PeerIdentity

test.before(async () => {
  identity = await PeerIdentity.create()
})

/** Starts more batches than the pool has threads, says so, and goes on to `end`. */
const busy = (end: string): string => `
  const { parentPort, workerData } = require('node:worker_threads')
  import('#lib/native/rsa.js').then(({ rsaBatch, rsaPublicKey }) => {
    const data = workerData ?? { publicKey: Buffer.from(process.argv[1], 'hex') }
    const key = rsaPublicKey(data.publicKey)
    const operation = [key, Buffer.alloc(600), Buffer.alloc(128)]
    for (let i = 0; i < 64; i++) rsaBatch(new Array(200).fill(operation), () => undefined)
    parentPort?.postMessage('started')
    ${end}
  })`

test('a worker that ends with batches under way takes nothing down with it', async () => {
  for (let round = 0; round < 5; round++) {
    const worker = new Worker(busy(''), {
      eval: true,
      workerData: { publicKey: identity.publicKey },
    })
    await once(worker, 'message')
    await worker.terminate()
  }
  const data = Buffer.from('still here')
  const key = rsaPublicKey(identity.publicKey)
  assert.ok(key)
  assert.is(rsaVerify(key, data, identity.sign(data)), SignatureOrder.SPEC)
})

test('a process exits with batches under way, and stays for them otherwise', () => {
  const run = (end: string) =>
    spawnSync(
      process.execPath,
      ['-e', busy(end), Buffer.from(identity.publicKey).toString('hex')],
      {
        encoding: 'utf8',
        timeout: 30_000,
      },
    )
  const exiting = run('process.exit(7)')
  assert.is(exiting.status, 7, exiting.stderr)
  const staying = run("process.on('exit', () => console.log('done'))")
  assert.is(staying.status, 0, staying.stderr)
  assert.is(staying.stdout, 'done\n')
})

test('keys that nobody holds are freed', async () => {
  // About 3 kB each: kept, they would take 150 MB.
  const before = process.memoryUsage().rss
  for (let i = 0; i < 50_000; i++) {
    assert.ok(rsaPublicKey(identity.publicKey))
    if (i % 1000 === 0) await turn()
  }
  const grown = (process.memoryUsage().rss - before) / (1024 * 1024)
  assert.ok(grown < 75, `${grown.toFixed(0)} MB`)
})

test.run()
