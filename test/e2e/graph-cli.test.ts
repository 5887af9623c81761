// `peernet graph …` as users type it: nodes in processes of their own, TCP on ::1, a state
// directory of its own.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as assert from 'uvu/assert'
import { TEXT_TYPE } from '#lib/cli/graph/arguments.js'
import { GraphService } from '#lib/daemon/graph-service.js'
import { createGraph } from '#lib/index.js'
import { suite } from '../harness.js'

const test = suite('graph commands')
const main = fileURLToPath(new URL('../../../../dist/cli/main.js', import.meta.url))
let home = ''

interface Finished {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

type Line = Record<string, unknown>

const environment = (): NodeJS.ProcessEnv => ({ ...process.env, PEERNET_HOME: home, NO_COLOR: '1' })

function peernet(args: readonly string[], input: string | Buffer = ''): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, ...args],
      { env: environment(), timeout: 60_000, maxBuffer: 1 << 26 },
      (error, out, err) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null
        resolve({ status, out, err })
      },
    )
    child.stdin?.end(input)
  })
}

const graph = (...args: string[]): Promise<Finished> => peernet(['graph', ...args])

/** The lines of a command that has to succeed. */
async function lines(...args: string[]): Promise<Line[]> {
  const { status, out, err } = await peernet(['--json', 'graph', ...args])
  assert.is(status, 0, err)
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
}

/** A command that stays; `line` waits for the first line, past or to come, that passes. */
class Staying {
  readonly #child: ChildProcess
  readonly #seen: Line[] = []
  readonly #looks = new Set<() => void>()
  #over = false
  /** Its exit status. */
  readonly exited: Promise<number | null>

  constructor(...args: string[]) {
    this.#child = spawn(process.execPath, [main, '--json', 'graph', ...args], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const { stdout } = this.#child
    if (stdout === null) throw new Error('no standard output')
    const reader = createInterface({ input: stdout })
    const look = (): void => this.#looks.forEach((one) => one())
    reader.on('line', (line) => {
      this.#seen.push(JSON.parse(line) as Line)
      look()
    })
    this.#child.on('close', () => {
      this.#over = true
      look()
    })
    this.exited = once(this.#child, 'exit').then(([status]) => status as number | null)
    running.add(this.#child)
  }

  line(holds: (line: Line) => boolean): Promise<Line> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.#seen.find(holds)
        if (found === undefined && !this.#over) return
        this.#looks.delete(look)
        if (found === undefined) reject(new Error('the command ended'))
        else resolve(found)
      }
      this.#looks.add(look)
      look()
    })
  }

  /** Milliseconds and exit status after a signal. */
  async stop(signal: NodeJS.Signals): Promise<{ ms: number; status: number | null }> {
    const start = performance.now()
    this.#child.kill(signal)
    return { status: await this.exited, ms: performance.now() - start }
  }
}

const running = new Set<ChildProcess>()

const entered = (line: Line): boolean => line['graphId'] !== undefined && line['join'] !== undefined

interface Member {
  readonly node: Staying
  readonly entered: Line
}

async function member(verb: 'create' | 'join', name: string, ...more: string[]): Promise<Member> {
  const args = [...more, '--peer-id', name, '--listen', '::1', '--records']
  const node = new Staying(verb, 'club', ...args)
  return { node, entered: await node.line(entered) }
}

const addressOf = ({ entered: line }: Member): string => (line['addresses'] as string[])[0] ?? ''

const told =
  (change: string, id: unknown) =>
  (line: Line): boolean =>
    line['change'] === change && (line['record'] as Line | undefined)?.['id'] === id

test.before(async () => {
  home = await mkdtemp(join(tmpdir(), 'peernet-graph-cli-'))
})

test.after(async () => {
  for (const child of running) child.kill('SIGKILL')
  await rm(home, { recursive: true, force: true })
})

test('wrong use is exit status 2, what is not there 1, both with a reason', async () => {
  const blocker = createServer().listen(0, '::1')
  await once(blocker, 'listening')
  const taken = String((blocker.address() as AddressInfo).port)
  const cases: readonly [string[], number, RegExp][] = [
    [['fly'], 2, /unknown command/],
    [['create'], 2, /missing required argument/],
    [['create', 'x', '--port', '99999'], 2, /not a port number/],
    [['create', 'x', '--listen', '127.0.0.1'], 2, /not an IPv6 address/],
    [['create', 'y', '--listen', '::1', '--port', taken], 1, /EADDRINUSE/],
    [['records', 'nowhere'], 1, /graph create nowhere.*graph join nowhere/],
    [['join', 'nowhere'], 1, /give the address of a node/],
  ]
  const results = cases.map(async ([args, status, reason]) => {
    const done = await graph(...args)
    assert.is(done.status, status, args.join(' '))
    assert.match(done.err, reason)
  })
  await Promise.all(results)
  blocker.close()
  // What was made on the way is gone again: the name is free for the next attempt.
  assert.match((await graph('records', 'y')).err, /not known here/)
})

test('three processes in a graph, and commands that use them', async () => {
  const ada = await member('create', 'ada')
  const address = addressOf(ada)
  assert.match(address, /^\[::1\]:\d+$/)
  assert.is(ada.entered['join'], `peernet graph join club '${address}'`)
  const bob = await member('join', 'bob', address)
  const carol = await member('join', 'carol', address)
  const watch = new Staying('watch', 'club', '--peer-id', 'carol', '--event', 'record')
  await watch.line(({ type }) => type === 'watching')

  const [published = {}] = await lines(
    ...['publish', 'club', 'Grüße\u001b[2J', '--peer-id', 'bob'],
    ...['--attribute', 'room=lobby', '--attribute', 'level:int=3', '--lifetime', '2h'],
  )
  const { id } = published
  assert.equal(
    [published['creatorId'], published['version'], published['online']],
    ['bob', 1, true],
  )
  for (const one of [ada, bob, carol]) await one.node.line(told('added', id))
  await watch.line(told('added', id))

  const [row = {}, ...rest] = await lines('records', 'club', '--peer-id', 'ada')
  assert.is(rest.length, 0)
  assert.equal([row['id'], row['text'], row['bytes']], [id, 'Grüße\u001b[2J', 11])
  const lifetime = Date.parse(String(row['expires'])) - Date.parse(String(row['created']))
  assert.is(Math.round(lifetime / 60_000), 120)
  const shown = await graph('records', 'club', '--peer-id', 'ada')
  assert.match(shown.out, /bob {2}1 .*room=lobby level:int=3 {2}Grüße\\x1b\[2J\n/)
  const found = async (...terms: string[]): Promise<number> =>
    (await lines('search', 'club', ...terms, '--peer-id', 'carol')).length
  assert.is(await found('room=lob*', 'level>=3'), 1)
  assert.is(await found('level>3'), 0)
  const xml =
    '<peersearch><clause attrib="room" type="string" compare="equal">lobby</clause></peersearch>'
  assert.is(await found(xml), 1)

  const blob = Buffer.alloc(200_000, 'x')
  const stdin = await peernet(
    ['--json', 'graph', 'update', 'club', String(id), '--file', '-', '--peer-id', 'bob'],
    blob,
  )
  assert.is(stdin.status, 0, stdin.err)
  for (const one of [ada, carol]) await one.node.line(told('updated', id))
  const raw = await graph('show', 'club', String(id), '--payload', '--peer-id', 'carol')
  assert.is(raw.out, blob.toString())
  const [large = {}] = await lines('show', 'club', String(id), '--peer-id', 'carol')
  assert.equal([large['bytes'], large['payload'], large['version']], [200_000, undefined, 2])

  await lines('delete', 'club', String(id), '--peer-id', 'bob')
  for (const one of [ada, carol]) await one.node.line(told('deleted', id))
  assert.is((await lines('records', 'club', '--peer-id', 'ada')).length, 0)
  assert.is((await lines('records', 'club', '--peer-id', 'ada', '--deleted')).length, 1)

  await meshChecks(ada)
  for (const [signal, one] of [
    ['SIGINT', ada],
    ['SIGTERM', bob],
    ['SIGINT', carol],
  ] as const) {
    const { ms, status } = await one.node.stop(signal)
    assert.is(status, 0)
    assert.ok(ms < 2000, `${signal}: ${ms} ms`)
  }
  assert.is(await watch.exited, 1, 'there is nothing left to watch')
})

/** With ada, bob and carol there. */
async function meshChecks(ada: Member): Promise<void> {
  for (const name of ['bob', 'carol']) {
    await ada.node.line(
      (line) => line['type'] === 'node' && (line['node'] as Line)['peerId'] === name,
    )
  }
  const [svg, dot] = [join(home, 'mesh.svg'), join(home, 'mesh.dot')]
  const [mesh = {}] = await lines(
    'topology',
    'club',
    '--peer-id',
    'ada',
    '--svg',
    svg,
    '--dot',
    dot,
  )
  const nodes = mesh['nodes'] as Line[]
  assert.equal(nodes.map(({ peerId, answered }) => [peerId, answered]).sort(), [
    ['ada', true],
    ['bob', true],
    ['carol', true],
  ])
  assert.ok((mesh['edges'] as unknown[]).length >= 2)
  assert.match(await readFile(svg, 'utf8'), /^<svg .*<text [^>]*>carol<\/text>/s)
  assert.match(await readFile(dot, 'utf8'), /^graph peernet \{\n.*label="ada", style=filled/s)
  const drawn = await graph('topology', 'club', '--peer-id', 'ada')
  assert.match(drawn.out, /◉ ada/)
  assert.match(drawn.out, /3 nodes, [23] connections/)
  const list = await lines('list')
  assert.equal(
    list.map(({ peerId, open }) => [peerId, open]),
    [
      ['ada', true],
      ['bob', true],
      ['carol', true],
    ],
  )
  const [status = {}] = await lines('status', 'club', '--peer-id', 'ada')
  assert.equal([status['open'], status['nodes'], status['connected']], [true, 3, true])
  assert.ok((await lines('neighbors', 'club', '--peer-id', 'ada')).length >= 1)
  const several = await graph('publish', 'club', 'who am I?')
  assert.is(several.status, 2)
  assert.match(several.err, /several nodes of club are here.*ada, bob, carol/)
  const again = await graph('create', 'club', '--peer-id', 'ada', '--listen', '::1')
  assert.is(again.status, 1)
  assert.match(again.err, /graph join club/)
}

test('offline: records, a note on publishing, export and import, going back, removal', async () => {
  const offline = await graph('publish', 'club', 'later', '--peer-id', 'bob')
  assert.is(offline.status, 0, offline.err)
  assert.match(offline.err, /not open here/)
  const watch = await graph('watch', 'club', '--peer-id', 'bob')
  assert.is(watch.status, 1)
  assert.match(watch.err, /peernet graph join club/)

  const file = join(home, 'bob.export')
  await lines('export', 'club', file, '--peer-id', 'bob')
  assert.is((await graph('remove', 'club', '--peer-id', 'bob')).status, 2, 'needs --yes')
  await lines('remove', 'club', '--peer-id', 'bob', '--yes')
  assert.is((await graph('records', 'club', '--peer-id', 'bob')).status, 1)
  const damaged = join(home, 'damaged')
  await writeFile(damaged, (await readFile(file)).subarray(0, 100))
  const refused = await graph('import', 'club', damaged, '--peer-id', 'bob')
  assert.match(refused.err, /ERR_PEERNET_INVALID_DATABASE/)
  const [taken = {}] = await lines('import', 'club', file)
  assert.equal([taken['peerId'], taken['records'], taken['created']], ['bob', 1, true])

  // ada goes back without an address; bob brings what he wrote while he was away.
  const ada = await member('join', 'ada')
  const bob = await member('join', 'bob', addressOf(ada))
  const { record } = (await ada.node.line(({ change }) => change === 'added')) as { record: Line }
  assert.is(record['text'], 'later')
  const inUse = await graph('import', 'club', file)
  assert.match(inUse.err, /ERR_PEERNET_GRAPH_IN_USE/)
  // Who was killed finds back without an address, too.
  await bob.node.stop('SIGKILL')
  const back = await member('join', 'bob')
  assert.is(back.entered['neighbors'], 1)
  await ada.node.stop('SIGINT')
  await back.node.stop('SIGINT')
})

test('a payload that never ends, or that only the command can read', async () => {
  const ada = await member('create', 'zoe', '--memory')
  const endless = await graph('publish', 'club', '--file', '/dev/zero', '--peer-id', 'zoe')
  assert.match(endless.err, /ERR_PEERNET_RECORD_SIZE/)
  const piped = ['graph', 'publish', 'club', '--file', '/dev/stdin', '--peer-id', 'zoe', '--json']
  const shell = ['-c', 'printf "through a pipe" | "$@"', 'sh', process.execPath, main, ...piped]
  const published = await promisify(execFile)('sh', shell, { env: environment() })
  assert.is((JSON.parse(published.stdout) as Line)['bytes'], 'through a pipe'.length)
  // Whoever speaks to the control socket directly cannot make the node read for ever either.
  const inMemory = { graphId: 'x', peerId: 'x', directory: false, addresses: ['::1'] } as const
  const node = await createGraph(inMemory)
  const params = { type: TEXT_TYPE, file: '/dev/zero' }
  const answer = new GraphService(node).call('graph.publish', params)
  const reason = await answer.then(
    () => 'published',
    (error: unknown) => (error as Error).message,
  )
  assert.match(reason, /no regular file/)
  await node.close()
  await ada.node.stop('SIGINT')
})

test('a control socket is for its owner only; a failed join leaves nothing behind', async () => {
  const args = ['private', '--peer-id', 'eve', '--listen', '::1', '--memory', '--quiet']
  const node = new Staying('create', ...args)
  await node.line(entered)
  const { readdir } = await import('node:fs/promises')
  const folder = join(home, 'graphs')
  const modes = await Promise.all(
    (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).mode & 0o777),
  )
  assert.equal(modes, [0o600])
  await node.stop('SIGTERM')
  assert.equal(await readdir(folder), [])
  const failed = await graph('join', 'other', '[::1]:1', '--peer-id', 'eve', '--listen', '::1')
  assert.is(failed.status, 1)
  assert.match(failed.err, /no node of other answers at \[::1\]:1/)
  const known = (await lines('list')).map(({ graphId }) => graphId)
  assert.equal([...new Set(known)], ['club'])
})

test.run()
