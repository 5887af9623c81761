// The runner must notice what uvu lets slip. Each case is a test file in a tree of its own, run by
// the real test/run.mjs over the real harness.
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { test } from '../../harness.js'

interface Outcome {
  status: number | null
  output: string
  lastLine: string
}

const harness = "import { test, suite, skipUnless } from './harness.js'\n"

/** Runs `body` as the only test file; `head` is what the runner reads in the TypeScript source. */
function runFile(body: string, { head = '', ci = false, args = [] as string[] } = {}): Outcome {
  const tree = mkdtempSync(path.join(tmpdir(), 'peernet-runner-'))
  const compiled = path.join(tree, 'build/js/test')
  mkdirSync(compiled, { recursive: true })
  mkdirSync(path.join(tree, 'test'))
  copyFileSync('test/run.mjs', path.join(tree, 'test/run.mjs'))
  copyFileSync('build/js/test/harness.js', path.join(compiled, 'harness.js'))
  symlinkSync(path.resolve('node_modules'), path.join(tree, 'node_modules'))
  writeFileSync(path.join(tree, 'package.json'), '{"type":"module"}')
  writeFileSync(path.join(tree, 'test/a.test.ts'), head)
  writeFileSync(path.join(compiled, 'a.test.js'), harness + body)
  const environment: NodeJS.ProcessEnv = { ...process.env, CI: ci ? 'true' : '' }
  const summary = path.join(tree, 'summary')
  const run = spawnSync(process.execPath, ['test/run.mjs', ...args], {
    cwd: tree,
    encoding: 'utf8',
    env: { ...environment, PEERNET_TEST_SUMMARY: summary },
  })
  const lastLine = run.stdout.trimEnd().split('\n').at(-1) ?? ''
  const counts = JSON.parse(readFileSync(summary, 'utf8')) as Record<string, number>
  assert.ok(lastLine.startsWith(`${counts['passed']} passed, ${counts['failed']} failed`))
  rmSync(tree, { recursive: true })
  return { status: run.status, output: run.stdout + run.stderr, lastLine }
}

test('tests that pass are counted', () => {
  const { status, lastLine } = runFile("test('a', () => {}); test('b', async () => {}); test.run()")
  assert.is(lastLine, '2 passed, 0 failed')
  assert.is(status, 0)
})

test('a test that fails is counted and printed', () => {
  const body = "test('good', () => {}); test('bad', () => { throw new Error('why') }); test.run()"
  const { status, lastLine, output } = runFile(body)
  assert.is(lastLine, '1 passed, 1 failed')
  assert.match(output, /bad: Error: why/)
  assert.is(status, 1)
})

test('a file without tests, or without run(), fails', () => {
  assert.is(runFile('').lastLine, '0 passed, 1 failed')
  const forgotten = runFile("test('a', () => {})")
  assert.is(forgotten.lastLine, '0 passed, 1 failed')
  assert.match(forgotten.output, /run\(\) was never called/)
  const half = "const one = suite('one'); one('a', () => {}); one.run(); test('b', () => {})"
  assert.is(runFile(half).lastLine, '1 passed, 1 failed')
})

test('a file that dies, exits early or throws on load fails', () => {
  const killed = runFile("test('a', () => process.kill(process.pid, 'SIGKILL')); test.run()")
  assert.match(killed.output, /died of SIGKILL/)
  assert.is(killed.lastLine, '0 passed, 1 failed')
  const early = runFile(
    "test('a', () => {}); test('b', () => process.exit(0)); test('c', () => {}); test.run()",
  )
  assert.is(early.lastLine, '1 passed, 1 failed')
  const between = runFile(
    "test('a', () => {}); test.afterEach(() => process.exit(0)); test('b', () => {}); test.run()",
  )
  assert.is(between.lastLine, '1 passed, 1 failed')
  assert.is(runFile("throw new Error('load')").lastLine, '0 passed, 1 failed')
})

test('a file beyond its limit is killed, and the test it was in is named', () => {
  const body = "test('endless', () => new Promise(() => setInterval(() => {}, 1000))); test.run()"
  const { lastLine, output } = runFile(body, { head: '// test-limit: 1s\n' })
  assert.is(lastLine, '0 passed, 1 failed')
  assert.match(output, /limit of 1 s, in "endless"/)
})

test('an open handle after the last test is a failure', () => {
  const body = "test('a', () => { setInterval(() => {}, 1000) }); test.run()"
  const { lastLine, output } = runFile(body)
  assert.is(lastLine, '1 passed, 1 failed')
  assert.match(output, /a handle is left open/)
})

test('a skip carries its reason and is counted', () => {
  const body = "test('a', () => skipUnless(false, 'no moon')); test.skip('b', 'later'); test.run()"
  const { status, lastLine, output } = runFile(body)
  assert.is(lastLine, '0 passed, 0 failed, 2 skipped')
  assert.match(output, /a \(no moon\)/)
  assert.match(output, /b \(later\)/)
  assert.is(status, 0)
})

test('what may never be skipped in CI fails there', () => {
  const body = "test('a', () => skipUnless(false, 'no moon', { neverInCi: true })); test.run()"
  assert.is(runFile(body).lastLine, '0 passed, 0 failed, 1 skipped')
  const inCi = runFile(body, { ci: true })
  assert.is(inCi.lastLine, '0 passed, 1 failed')
  assert.is(inCi.status, 1)
  const only = "test.only('a', () => {}); test('b', () => {}); test.run()"
  assert.is(runFile(only).lastLine, '1 passed, 0 failed')
  assert.is(runFile(only, { ci: true }).lastLine, '1 passed, 1 failed')
})

test('a failing hook is a failure, and a filter that matches nothing too', () => {
  const hook = "test.before(() => { throw new Error('hook') }); test('a', () => {}); test.run()"
  assert.is(runFile(hook).status, 1)
  const nothing = runFile("test('a', () => {}); test.run()", { args: ['no-such-file'] })
  assert.is(nothing.lastLine, '0 passed, 1 failed')
})

test.run()
