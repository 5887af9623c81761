// Runs the C unit tests beside this file: each *.c is an executable, each PN_TEST in it a test.
// test-limit: 180s
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { suite } from '../../harness.js'
import { buildPrograms, sanitizerEnvironment } from '../../helpers/native-build.js'

const directory = 'test/unit/native'
const sources = readdirSync(directory)
  .filter((name) => name.endsWith('.c'))
  .sort()
const programs = await buildPrograms(
  sources.map((name) => ({ sources: [`${directory}/${name}`] })),
)

for (const [index, program] of programs.entries()) {
  const name = sources[index] ?? ''
  const run = (...args: string[]) =>
    spawnSync(program, args, { encoding: 'utf8', env: sanitizerEnvironment })
  const test = suite(name)
  const titles = run('--list').stdout.trimEnd().split('\n')

  test('has tests', () => {
    assert.ok(titles.length > 0 && titles[0] !== '', `${name} lists no PN_TEST`)
  })

  for (const [position, title] of titles.entries()) {
    test(title, () => {
      const result = run(String(position))
      assert.is(result.status, 0, `${result.signal ?? ''}\n${result.stderr}`)
    })
  }
  test.run()
}
