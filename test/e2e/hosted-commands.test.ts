// A hosted cache as users start it: with `content hosted-cache` and `content serve --hosted-cache`.
// test-limit: 180s
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
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
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { runOnPool } from '#lib/io/block-runner.js'
import { BlockStore } from '#lib/storage/block-store.js'
import { sampleContent } from '../helpers/content-checker.js'
import { tlsCertificate } from '../helpers/tls-certificate.js'
import { test } from '../harness.js'

const main = fileURLToPath(new URL('../../../../dist/cli/main.js', import.meta.url))
const home = mkdtempSync(path.join(tmpdir(), 'peernet-hosted-'))
const content = sampleContent(2_000_003)
const root = path.join(home, 'root')
mkdirSync(root)
writeFileSync(path.join(root, 'file'), content)
const certificate = tlsCertificate()
const [cert, key] = [path.join(home, 'cert.pem'), path.join(home, 'key.pem')]
writeFileSync(cert, certificate.cert)
writeFileSync(key, certificate.key)
const running: ChildProcess[] = []

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}

test.after(async () => {
  for (const child of running) await ended(child, 'SIGKILL')
  rmSync(home, { recursive: true })
})

const start = (user: string, args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [main, 'content', ...args], {
    env: { ...process.env, PEERNET_HOME: path.join(home, user), NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })

interface Started {
  readonly child: ChildProcess
  readonly url: string
  readonly hostedPort: number
  readonly tlsPort: number | null
}

/** A command that goes on; resolves when it has said where it listens. */
async function serves(user: string, args: readonly string[]): Promise<Started> {
  const child = start(user, [...args, '--host', '::1', '--json'])
  running.push(child)
  let errors = ''
  child.stderr?.on('data', (part: Buffer) => (errors += part.toString()))
  let text = ''
  for await (const part of child.stdout as AsyncIterable<Buffer>) {
    text += part.toString()
    if (text.includes('\n')) break
  }
  assert.ok(text.includes('\n'), errors)
  return { ...(JSON.parse(text) as Omit<Started, 'child'>), child }
}

interface Finished {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

async function run(user: string, args: readonly string[]): Promise<Finished> {
  const child = start(user, args)
  let [out, err] = ['', '']
  child.stdout?.on('data', (part: Buffer) => (out += part.toString()))
  child.stderr?.on('data', (part: Buffer) => (err += part.toString()))
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, out, err }
}

interface Fetched {
  readonly bytes: number
  readonly shares: { readonly peers: number; readonly cache: number; readonly origin: number }
}

async function fetches(user: string, url: string, more: readonly string[]): Promise<Fetched> {
  const output = path.join(home, `${user}.bin`)
  const args = ['fetch', url, '--output', output, '--json', ...more]
  const { status, out, err } = await run(user, args)
  assert.is(status, 0, err)
  assert.ok(readFileSync(output).equals(content))
  return JSON.parse(out) as Fetched
}

/** Waits until all blocks are in the cache's files: those of version 1 can be looked at. */
async function holds(place: string): Promise<void> {
  const store = new BlockStore({ directory: path.join(place, 'blocks'), run: runOnPool })
  for (;;) {
    const files = readdirSync(place, { recursive: true, encoding: 'utf8' })
    const sizes = files.filter((name) => name.endsWith('.rpl'))
    const held = await Promise.all((await store.ids()).map((id) => store.held(id)))
    const isWhole = held.length > 0 && held.every((one) => one?.isComplete === true)
    const bytes = sizes.reduce((sum, name) => sum + statSync(path.join(place, name)).size, 0)
    if (isWhole || bytes >= content.length) break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await store.close()
}

const ANY = ['--hosted-port', '0']
const TLS = [...ANY, '--tls-port', '0', '--tls-cert', cert, '--tls-key', key]

test('a hosted cache that is killed and started again still has what was offered to it', async () => {
  const origin = await serves('origin', ['serve', root, '--port', '0'])
  const url = `${origin.url}file`
  for (const version of ['2', '1']) {
    const place = ['hosted-cache', '--directory', path.join(home, `hosted-${version}`)]
    const first = await serves('hosted', [...place, ...TLS])
    const uses = ({ hostedPort, tlsPort }: Started): string[] => [
      ...['--hosted-cache', `[::1]:${hostedPort}`, '--hosted-version', version],
      ...['--hosted-offers', `[::1]:${tlsPort}`, '--hosted-ca', cert],
    ]
    const all = content.length
    const one = await fetches(`one-${version}`, url, uses(first))
    assert.equal(one.shares, { peers: 0, cache: 0, origin: all })
    await holds(path.join(home, `hosted-${version}`))
    await ended(first.child, 'SIGKILL')
    const second = await serves('hosted', [...place, ...TLS])
    const two = await fetches(`two-${version}`, url, uses(second))
    assert.ok(two.shares.peers >= 0.95 * all, JSON.stringify(two.shares))
    await ended(second.child, 'SIGTERM')
  }
})

test('one process is web server, peer and hosted cache', async () => {
  const served = await serves('both', ['serve', root, '--port', '0', '--hosted-cache', ...TLS])
  const hosted = ['--hosted-cache', `[::1]:${served.hostedPort}`]
  const url = `${served.url}file`
  assert.is((await fetches('three', url, hosted)).shares.origin, content.length)
  const text = await run('four', ['fetch', url, '--output', path.join(home, 'x'), ...hosted])
  assert.match(text.out, /peers 100 %, cache 0 %, origin 0 %\nof which the hosted cache 100 %/)
})

test('what a hosted cache cannot be told is said', async () => {
  const bad: [string[], RegExp][] = [
    [['hosted-cache', '--tls-port', '0'], /--tls-port wants --tls-cert and --tls-key/],
    [['hosted-cache', '--max-size', '0'], /--max-size wants a number above 0/],
    [
      ['hosted-cache', ...ANY, '--tls-port', '0', '--tls-cert', key, '--tls-key', key],
      /certificate/,
    ],
    [['hosted-cache', ...ANY, '--directory', path.join(root, 'file')], /cannot use/],
    [['fetch', 'http://[::1]:1/', '--hosted-cache', 'nowhere'], /host:port/],
  ]
  for (const [args, message] of bad) {
    const { err, status } = await run('six', args)
    assert.ok(status === 1 || status === 2, args.join(' '))
    assert.match(err, message)
  }
})

test.run()
