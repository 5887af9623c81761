// `peernet content info` as a user types it.
// test-limit: 180s
import { execFile } from 'node:child_process'
import { createHash, createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { checkContentInfo, sampleContent } from '../helpers/content-checker.js'
import { test } from '../harness.js'

const main = fileURLToPath(new URL('../../../../dist/cli/main.js', import.meta.url))
const home = mkdtempSync(path.join(tmpdir(), 'peernet-info-'))
const file = path.join(home, 'content')
const content = sampleContent(200_000)
const secret = new Uint8Array(Buffer.from('no more secrets'))
const secretHex = Buffer.from(secret).toString('hex')
writeFileSync(file, content)
test.after(() => {
  rmSync(home, { recursive: true })
})

interface Finished {
  readonly status: number
  readonly out: string
  readonly err: string
}

function info(args: readonly string[], input = ''): Promise<Finished> {
  const env = { ...process.env, PEERNET_HOME: home, NO_COLOR: '1' }
  return new Promise((resolve) => {
    const options = { env, timeout: 30_000 }
    const all = [main, 'content', 'info', ...args]
    const child = execFile(process.execPath, all, options, (error, out, err) => {
      resolve({ status: error === null ? 0 : Number(error.code), out, err })
    })
    child.stdin?.end(input)
  })
}

interface Printed {
  contentInformation: string
  segments: {
    offset: number
    length: number
    hashOfData: string
    secret: string
    id: string
    blocks: string[]
  }[]
}

async function json(args: readonly string[], input?: string): Promise<Printed> {
  const { status, out, err } = await info([...args, '--json'], input)
  assert.is(status, 0, err)
  return JSON.parse(out) as Printed
}

test('it prints what a checker of its own finds, and reads it back the same', async () => {
  for (const scheme of [
    ['--v', '1', '--hash', 'sha256'],
    ['--v', '1', '--hash', 'sha384'],
    ['--v', '1', '--hash', 'sha512'],
    ['--v', '2', '--hash', 'sha512'],
  ]) {
    const printed = await json([file, ...scheme, '--server-secret', secretHex])
    const bytes = new Uint8Array(Buffer.from(printed.contentInformation, 'hex'))
    const checked = checkContentInfo(bytes, content, secret)
    assert.equal(
      printed.segments.map(({ id }) => id),
      checked.ids,
    )
    assert.equal(
      printed.segments.map(({ length }) => length),
      checked.lengths,
    )
    assert.is(printed.segments[0]?.blocks.length, scheme[1] === '1' ? 4 : 0)
    assert.equal(await json(['--parse', printed.contentInformation]), printed)
    assert.equal(await json(['--parse', '-'], `${printed.contentInformation}\n`), printed)
  }
})

test('hashes are those of node:crypto', async () => {
  const { segments } = await json([file, '--server-secret', secretHex])
  const [segment] = segments
  assert.ok(segment)
  const hash = (data: Uint8Array): Buffer => createHash('sha256').update(data).digest()
  const blocks = [0, 1, 2, 3].map((i) => hash(content.subarray(i * 65_536, (i + 1) * 65_536)))
  assert.equal(
    segment.blocks,
    blocks.map((block) => block.toString('hex')),
  )
  const hod = hash(Buffer.concat(blocks))
  assert.is(segment.hashOfData, hod.toString('hex'))
  assert.is(segment.secret, createHmac('sha256', hash(secret)).update(hod).digest('hex'))
})

test('a range is given as in HTTP', async () => {
  const whole = await json([file, '--server-secret', secretHex])
  const range = await json([file, '--server-secret', secretHex, '--range', '70000-80000'])
  const view = new DataView(new Uint8Array(Buffer.from(range.contentInformation, 'hex')).buffer)
  assert.is(view.getUint32(6, true), 70_000)
  assert.is(view.getUint32(10, true), 10_001)
  assert.equal(range.segments[0]?.blocks, whole.segments[0]?.blocks.slice(0, 2))
  const open = await json([file, '--server-secret', secretHex, '--range', '0-'])
  assert.equal(open, whole)
  for (const wrong of ['5', 'a-b', '9-8', '200000-', '-5']) {
    const { status, err } = await info([file, '--server-secret', secretHex, `--range=${wrong}`])
    assert.is(status, 2)
    assert.match(err, /--range wants A-B/)
  }
})

test('D-026 for people it prints a table without secrets; the server secret is nowhere', async () => {
  const { status, out } = await info([file, '--server-secret', secretHex])
  assert.is(status, 0)
  assert.match(out, /^Version {2}1, sha256\nSize {5}230 bytes\nCovers {3}bytes 0 to 199999\n/)
  assert.match(out, /OFFSET +LENGTH +BLOCKS +SEGMENT ID\n0 +200000 +4 of 4 +[0-9a-f]{64}\n/)
  const { segments } = await json([file, '--server-secret', secretHex])
  assert.not(out.includes(segments[0]?.secret ?? '?'))
  const everything = out + JSON.stringify(await json([file, '--server-secret', secretHex]))
  assert.not(everything.includes(secretHex))
})

test("without --server-secret it uses this user's own", async () => {
  const once = await json([file])
  assert.equal(await json([file]), once)
  assert.not.equal(await json([file, '--server-secret', secretHex]), once)
})

test('mistakes are told by code and exit status', async () => {
  const empty = path.join(home, 'empty')
  writeFileSync(empty, '')
  const cases: [string[], number, RegExp][] = [
    [[empty], 1, /ERR_PEERNET_CONTENT_EMPTY/],
    [[path.join(home, 'none')], 1, /ERR_PEERNET_SYSTEM/],
    [[file, '--v', '3'], 2, /no version/],
    [[file, '--v', '2', '--hash', 'sha256'], 2, /only sha512/],
    [[file, '--hash', 'md5'], 2, /sha256, sha384 or sha512/],
    [[file, '--server-secret', 'xyz'], 2, /hex/],
    [['--parse', '0'], 2, /hex/],
    [['--parse', '0001'], 1, /ERR_PEERNET_TRUNCATED at byte 2/],
    [[], 2, /give a file or --parse/],
    [[file, '--parse', '00'], 2, /give a file or --parse/],
  ]
  for (const [args, status, message] of cases) {
    const finished = await info(args)
    assert.is(finished.status, status, args.join(' '))
    assert.match(finished.err, message)
  }
})

test.run()
