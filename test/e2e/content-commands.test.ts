// `peernet content serve`, `fetch` and `cache` as users type them.
// test-limit: 180s
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { sampleContent } from '../helpers/content-checker.js'
import { test } from '../harness.js'

const main = fileURLToPath(new URL('../../../../dist/cli/main.js', import.meta.url))
const home = mkdtempSync(path.join(tmpdir(), 'peernet-content-'))
const content = sampleContent(2_000_003)
const served: ChildProcess[] = []
test.after(async () => {
  for (const child of served) {
    if (child.exitCode !== null) continue
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  rmSync(home, { recursive: true })
})

const start = (user: string, args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [main, 'content', ...args], {
    env: { ...process.env, PEERNET_HOME: path.join(home, user), NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })

interface Finished {
  readonly status: number | null
  readonly out: Buffer
  readonly err: string
}

async function run(user: string, args: readonly string[]): Promise<Finished> {
  const child = start(user, args)
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  child.stdout?.on('data', (part: Buffer) => out.push(part))
  child.stderr?.on('data', (part: Buffer) => err.push(part))
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, out: Buffer.concat(out), err: Buffer.concat(err).toString() }
}

interface Serving {
  readonly url: string
  readonly peerPort: number
  readonly cloud?: readonly string[]
}

async function serve(user: string, directory: string, ...more: string[]): Promise<Serving> {
  const flags = ['--host', '::1', '--port', '0', '--json', ...more]
  const child = start(user, ['serve', directory, ...flags])
  served.push(child)
  let text = ''
  for await (const part of child.stdout as AsyncIterable<Buffer>) {
    text += part.toString()
    if (text.includes('\n')) break
  }
  return JSON.parse(text) as Serving
}

interface Fetched {
  bytes: number
  verified: boolean
  shares: { peers: number; cache: number; origin: number }
}

test('one user serves, the next fetches, the third takes all from the second', async () => {
  const root = path.join(home, 'root')
  mkdirSync(root)
  writeFileSync(path.join(root, 'file'), content)
  const origin = await serve('origin', root)
  const url = `${origin.url}file`
  const output = path.join(home, 'fetched')
  const fetch = async (user: string, more: readonly string[] = []): Promise<Fetched> => {
    const { status, out, err } = await run(user, [
      'fetch',
      url,
      '--output',
      output,
      '--json',
      ...more,
    ])
    assert.is(status, 0, err)
    assert.ok(readFileSync(output).equals(content))
    rmSync(output)
    return JSON.parse(out.toString()) as Fetched
  }
  const all = content.length
  const first = await fetch('second')
  assert.equal(first.shares, { cache: 0, peers: 0, origin: all })
  assert.ok(first.verified && first.bytes === all)
  const peer = await serve('second', root)
  const more = ['--peer', `[::1]:${peer.peerPort}`]
  assert.equal((await fetch('third', more)).shares, { cache: 0, peers: all, origin: 0 })
  assert.equal((await fetch('third')).shares, { cache: all, peers: 0, origin: 0 })
  const text = await run('fourth', ['fetch', url, '--output', output, '--no-cache', ...more])
  assert.match(text.out.toString(), /peers 100 %, cache 0 %, origin 0 %/)
  assert.ok((await run('fourth', ['fetch', url])).out.equals(content), 'to standard output')
  const held = await run('third', ['cache', '--json'])
  assert.is((JSON.parse(held.out.toString()) as { segments: number }).segments, 1)
  assert.match((await run('third', ['cache', '--flush'])).out.toString(), /1 segments removed/)
  assert.match((await run('third', ['cache'])).out.toString(), /Segments {3}0/)
})

test('what was fetched in a cloud is found there; what was published is served', async () => {
  const root = path.join(home, 'root')
  const secret = ['--server-secret', '00112233']
  const origin = await serve('origin', root, ...secret)
  const url = `${origin.url}file`
  const output = path.join(home, 'fetched')
  const sharesOf = ({ status, out, err }: Finished): Fetched['shares'] => {
    assert.is(status, 0, err)
    assert.ok(readFileSync(output).equals(content))
    return (JSON.parse(out.toString()) as Fetched).shares
  }
  const flags = ['--output', output, '--json', '--cloud', 'loopback']
  /** A busy machine may find the peer too late once: each attempt is another user's. */
  const takesFromPeers = async (user: string, more: readonly string[]): Promise<void> => {
    for (let attempt = 0; attempt < 5; attempt++) {
      const got = sharesOf(await run(`${user}${attempt}`, ['fetch', url, ...flags, ...more]))
      if (got.peers > 0) return
    }
    throw new Error('nothing came from the peer in the cloud')
  }
  sharesOf(await run('sixth', ['fetch', url, ...flags]))
  const { cloud = [] } = await serve('sixth', root, '--cloud', 'loopback')
  const seeds = cloud.flatMap((node) => ['--seed', node])
  await takesFromPeers('seventh', seeds)
  const published = await run('eighth', ['publish', path.join(root, 'file'), '--json', ...secret])
  assert.is(published.status, 0, published.err)
  assert.is((JSON.parse(published.out.toString()) as { blocks: number }).blocks, 31)
  const { cloud: nodes = [] } = await serve('eighth', root, '--cloud', 'loopback')
  await takesFromPeers(
    'ninth',
    nodes.flatMap((node) => ['--seed', node]),
  )
  const wrong = await run('fifth', ['fetch', url, '--discovery', 'maybe'])
  assert.match(wrong.err, /--discovery wants on or off/)
  assert.match((await run('fifth', ['fetch', url, '--seed', '[::1]:1'])).err, /belongs to --cloud/)
})

test('what cannot be fetched or served is said, and no file is left', async () => {
  const origin = await serve('origin', path.join(home, 'root'))
  const output = path.join(home, 'none')
  const missing = await run('fifth', ['fetch', `${origin.url}none`, '--output', output])
  assert.is(missing.status, 1)
  assert.match(missing.err, /ERR_PEERNET_CONTENT_UNAVAILABLE/)
  assert.match(missing.err, /status 404/)
  assert.match((await run('fifth', ['fetch', 'file:///etc/passwd'])).err, /no URL of HTTP/)
  assert.match((await run('fifth', ['serve', path.join(home, 'nowhere')])).err, /cannot serve/)
  assert.match((await run('fifth', ['serve', home, '--port', '99999'])).err, /not a port number/)
})

test.run()
