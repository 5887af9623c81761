// Replays the corpus of every fuzz target, sanitized. `npm run fuzz` does the searching.
// test-limit: 180s
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { skipUnless, test } from '../harness.js'
import { buildPrograms, hasSanitizers, sanitizerEnvironment } from '../helpers/native-build.js'

const support = ['test/fuzz/support/replay.c', 'test/fuzz/support/assert.c']
const targets = readdirSync('test/fuzz')
  .filter((name) => name.endsWith('.c'))
  .map((name) => name.replace(/\.c$/, ''))
  .sort()
const programs = await buildPrograms(
  targets.map((name) => ({ sources: [`test/fuzz/${name}.c`, ...support] })),
)

function run(target: string, files: string[]) {
  const program = programs[targets.indexOf(target)]
  assert.ok(program)
  return spawnSync(program, files, { encoding: 'utf8', env: sanitizerEnvironment })
}

for (const target of targets) {
  test(`the corpus of ${target} passes`, () => {
    const directory = `test/fuzz/corpus/${target}`
    const files = readdirSync(directory).map((name) => path.join(directory, name))
    assert.ok(files.length > 0, `${directory} is empty`)
    const result = run(target, files)
    assert.is(result.status, 0, `${result.signal ?? ''}\n${result.stderr}`)
  })
}

test('the canary fails on its input, so a failure would be seen', () => {
  skipUnless(hasSanitizers(), 'the compiler has no AddressSanitizer', { neverInCi: true })
  const directory = mkdtempSync(path.join(tmpdir(), 'peernet-canary-'))
  writeFileSync(path.join(directory, 'input'), 'PNRP')
  const result = run('canary', [path.join(directory, 'input')])
  assert.is.not(result.status, 0)
  assert.match(result.stderr, /AddressSanitizer: heap-buffer-overflow/)
  rmSync(directory, { recursive: true })
})

test.run()
