// The command as a user types it: real processes, real sockets on ::1, a state directory of its
// own.
// test-limit: 180s
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { suite } from '../harness.js'

const test = suite('cli')
const main = fileURLToPath(new URL('../../../../dist/cli/main.js', import.meta.url))
let home = ''

interface Finished {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PEERNET_HOME: home, NO_COLOR: '1' }
}

function peernet(args: readonly string[], input = ''): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, ...args],
      { env: environment(), timeout: 30_000, maxBuffer: 1 << 26 },
      (error, out, err) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null
        resolve({ status, out, err })
      },
    )
    child.stdin?.end(input)
  })
}

/** A command that stays; `line` waits for the next JSON line it prints. */
class Staying {
  readonly child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [main, '--json', ...args], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const { stdout } = this.child
    if (stdout === null) throw new Error('no standard output')
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  }

  async line(): Promise<Record<string, unknown>> {
    const next = await this.#lines.next()
    if (next.done === true) throw new Error('the command ended')
    return JSON.parse(next.value) as Record<string, unknown>
  }

  /** What it prints until it ends. */
  async rest(): Promise<string[]> {
    const lines: string[] = []
    for (;;) {
      const next = await this.#lines.next()
      if (next.done === true) return lines
      lines.push(next.value)
    }
  }

  /** Milliseconds and exit status after a signal. */
  async stop(signal: NodeJS.Signals): Promise<{ ms: number; status: number | null }> {
    const start = performance.now()
    const exit = once(this.child, 'exit')
    this.child.kill(signal)
    const [status] = (await exit) as [number | null]
    return { ms: performance.now() - start, status }
  }
}

const here = ['--address', '::1', '--port', '0']

test.before(async () => {
  home = await mkdtemp(join(tmpdir(), 'peernet-cli-'))
})

test.after(async () => {
  await rm(home, { recursive: true, force: true })
})

test('version and help', async () => {
  assert.match((await peernet(['version'])).out, /^\d+\.\d+\.\d+\n$/)
  const help = await peernet(['--help'])
  assert.is(help.status, 0)
  for (const word of ['demo', 'doctor', 'daemon', 'identity', 'cloud', 'peer', 'graph', 'pnrp']) {
    assert.ok(help.out.includes(word), word)
  }
})

test('wrong use is exit status 2, a failure 1, both with a reason', async () => {
  const unknown = await peernet(['peer', 'fly'])
  assert.is(unknown.status, 2)
  assert.match(unknown.err, /unknown command/)
  const badPort = await peernet(['cloud', 'show', '--address', '::1', '--port', 'x'])
  assert.is(badPort.status, 2)
  assert.match(badPort.err, /ERR_PEERNET_INVALID_ARG/)
  const badName = await peernet(['peer', 'resolve', 'no name', ...here])
  assert.is(badName.status, 2, badName.err)
  const missing = await peernet(['identity', 'show', 'nobody'])
  assert.is(missing.status, 1)
  assert.match(missing.err, /ERR_PEERNET_IDENTITY_NOT_FOUND/)
})

test('identities: create, list, export, delete, import, with and without password', async () => {
  const made = await peernet(['--json', 'identity', 'create', 'ada'])
  assert.is(made.status, 0, made.err)
  const { authority, file } = JSON.parse(made.out) as { authority: string; file: string }
  assert.match(authority, /^[0-9a-f]{40}$/)
  assert.is((await stat(file)).mode & 0o777, 0o600)
  const again = await peernet(['identity', 'create', 'ada'])
  assert.is(again.status, 1)
  assert.match(again.err, /choose another name.*IDENTITY_EXISTS/)
  const absent = await peernet(['identity', 'import', join(home, 'absent.pem')])
  assert.match(absent.err, /there is no such file.*ERR_PEERNET_SYSTEM/)
  const backup = join(home, 'ada.pem')
  const password = ['--password-file', '-']
  assert.is(
    (await peernet(['identity', 'export', 'ada', backup, ...password], 'secret\n')).status,
    0,
  )
  assert.is((await peernet(['identity', 'delete', 'ada', '--yes'])).status, 0)
  const wrong = await peernet(['identity', 'import', backup, ...password], 'guess\n')
  assert.is(wrong.status, 1)
  assert.match(wrong.err, /ERR_PEERNET_WRONG_PASSWORD/)
  assert.is((await peernet(['identity', 'import', backup, ...password], 'secret\n')).status, 0)
  const [row] = JSON.parse((await peernet(['--json', 'identity', 'list'])).out) as {
    authority: string
    encrypted: boolean
  }[]
  assert.equal([row?.authority, row?.encrypted], [authority, true])
})

test('register in one process, resolve and trace in others; SIGTERM unregisters in 2 s', async () => {
  const args = ['--listen', '8080', '--comment', 'hi', '--payload', 'some text']
  const publisher = new Staying('peer', 'register', '0.here', ...here, ...args)
  const registered = await publisher.line()
  assert.is(registered['peerName'], '0.here')
  const shown = await peernet(['peer', 'resolve', '0.here', ...here])
  assert.is(shown.status, 1, 'without a seed it is another cloud')
  const seed = new Staying('cloud', 'seed', ...here)
  const { endpoints } = await seed.line()
  const [node] = endpoints as string[]
  const second = new Staying(
    'peer',
    'register',
    '0.there',
    ...here,
    '--seed',
    String(node),
    ...args,
  )
  await second.line()
  const found = await peernet(['peer', 'resolve', '0.there', ...here, '--seed', String(node)])
  assert.is(found.status, 0, found.err)
  assert.match(found.out, /Endpoint {2}\[::1\]:8080 tcp\nComment {3}hi\nPayload {3}some text/)
  const trace = await peernet(['peer', 'trace', '0.there', ...here, '--seed', String(node)])
  assert.match(trace.out, /inquire/)
  for (const [child, signal] of [
    [publisher, 'SIGINT'],
    [second, 'SIGTERM'],
    [seed, 'SIGTERM'],
  ] as const) {
    const { ms, status } = await child.stop(signal)
    assert.is(status, 0)
    assert.ok(ms < 2000, `${ms} ms`)
  }
})

test('with a daemon the same commands use its node; its socket has mode 0600', async () => {
  const daemon = new Staying('daemon', ...here)
  const { socket } = await daemon.line()
  assert.is((await stat(String(socket))).mode & 0o777, 0o600)
  const second = await peernet(['daemon', ...here])
  assert.is(second.status, 1)
  assert.match(second.err, /ERR_PEERNET_DAEMON_RUNNING/)
  const registered = await peernet(['peer', 'register', '0.kept', '--listen', '9'])
  assert.is(registered.status, 0, registered.err)
  const found = await peernet(['--json', 'peer', 'resolve', '0.kept'])
  const result = JSON.parse(found.out) as { summary: { status: string } }
  assert.is(result.summary.status, 'found')
  assert.match((await peernet(['cloud', 'list'])).out, /loopback +alone/)
  assert.match((await peernet(['peer', 'list'])).out, /0\.kept/)
  assert.is((await peernet(['peer', 'unregister', '0.kept'])).status, 0)
  assert.is((await peernet(['peer', 'resolve', '0.kept'])).status, 1)
  const { ms, status } = await daemon.stop('SIGTERM')
  assert.is(status, 0)
  assert.ok(ms < 2000, `${ms} ms`)
})

test('a daemon that runs already asks the seeds of later commands; other flags are refused', async () => {
  const seed = new Staying('cloud', 'seed', ...here)
  const { endpoints } = await seed.line()
  const address = String((endpoints as string[])[0])
  const publisher = new Staying(
    'peer',
    'register',
    '0.far',
    '--listen',
    '9',
    ...here,
    '--seed',
    address,
  )
  await publisher.line()
  const daemon = new Staying('daemon', ...here)
  await daemon.line()
  assert.match(String((await daemon.line())['call']), /cloud/)
  const found = await peernet(['--json', 'peer', 'resolve', '0.far', '--seed', address])
  assert.is(found.status, 0, found.err)
  const other = await peernet(['cloud', 'show', '--transport', 'dgram'])
  assert.is(other.status, 2)
  assert.match(other.err, /open already, on transport native.*--no-daemon.*INVALID_ARG/)
  for (const child of [daemon, publisher, seed]) await child.stop('SIGTERM')
})

test('Ctrl-C while joining ends a command at once, and nothing gets registered', async () => {
  // A seed that never answers: its first datagram says that the node is joining.
  const deaf = createSocket('udp6')
  deaf.bind(0, '::1')
  await once(deaf, 'listening')
  const seed = `[::1]:${deaf.address().port}`
  for (const [command, status] of [
    [['peer', 'register', '0.late', '--listen', '9'], 1],
    [['daemon'], 0],
  ] as const) {
    const joining = new Staying(...command, ...here, '--seed', seed)
    const lines = joining.rest()
    await once(deaf, 'message')
    const stopped = await joining.stop('SIGINT')
    assert.is(stopped.status, status)
    assert.ok(stopped.ms < 2000, `${stopped.ms} ms`)
    const said = JSON.stringify(await lines)
    assert.not.match(said, /pnrpId/)
    if (status === 1) assert.match(said, /ERR_PEERNET_ABORTED/)
  }
  deaf.close()
})

test('doctor says what it saw, and finds a port in use', async () => {
  const fine = await peernet(['doctor', ...here, '--no-ssdp'])
  assert.match(fine.out, /IPv6/)
  assert.match(fine.out, /other nodes: alone/)
  const holder = new Staying('cloud', 'seed', ...here)
  const { endpoints } = await holder.line()
  const port = String((endpoints as string[])[0]).split(']:')[1] ?? ''
  const taken = await peernet(['--json', 'doctor', '--address', '::1', '--port', port])
  assert.is(taken.status, 1)
  const findings = taken.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { check: string; verdict: string; remedy?: string })
  const problem = findings.find(({ verdict }) => verdict === 'problem')
  assert.is(problem?.check, 'open the cloud')
  assert.ok(problem?.remedy)
  const asked = await peernet(['doctor', ...here, '--seed', `[::1]:${port}`])
  assert.match(asked.out, /ok +seed \[::1\]:\d+: .* answered in/)
  await holder.stop('SIGTERM')
})

test('pnrp decode and encode: one line each, never fatal', async () => {
  // ACK by hand: header 0010 000c 51 04 00 09, Message ID 1, then 0018 0008 and the acked ID 2.
  const ack = '0010000c51040009000000010018000800000002'
  const decoded = await peernet(['pnrp', 'decode'], `${ack}\nnot hex\n00\n\n`)
  assert.is(decoded.status, 0)
  const lines = decoded.out.trim().split('\n')
  assert.is(lines.length, 4)
  const [first, second, third, empty] = lines.map(
    (line) => JSON.parse(line) as Record<string, unknown>,
  )
  assert.is(first?.['type'], 'ACK')
  assert.is(first?.['ackedMessageId'], 2)
  assert.is(first?.['reencoded'], ack)
  for (const bad of [second, third, empty]) {
    assert.is(bad?.['ok'], false)
    assert.match(String(bad?.['code']), /^ERR_PEERNET_/)
  }
  assert.is(empty?.['code'], 'ERR_PEERNET_TRUNCATED')
  const encoded = await peernet(['pnrp', 'encode'], `${lines[0] ?? ''}\n`)
  assert.is((JSON.parse(encoded.out) as { hex: string }).hex, ack)
})

test.run()
