// Keeps the house tidy: sizes, columns, leftovers, dead files, paths of somebody's machine.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { test } from './harness.js'

const SOFT_LINES = 400
const HARD_LINES = 500
const COLUMNS = 100

const CODE = /\.(ts|js|mjs|cjs|c|h|cc|sh)$|^\.ci\/run$/
const TEXT = /\.(ts|js|mjs|cjs|c|h|cc|sh|md|json|tsv|gyp|txt|yml)$|^\.ci\/run$/
const GENERATED = new Set([
  'lib/wire/constants.ts',
  'lib/wire/graph/constants.ts',
  'native/core/graph_const.h',
  'native/core/pnrp_const.h',
])
const THIS_FILE = 'test/tidy.test.ts'

/** Files that git knows or would add. */
function projectFiles(): string[] {
  const args = ['-c', 'safe.directory=*', 'ls-files', '-co', '--exclude-standard']
  const git = spawnSync('git', args, { encoding: 'utf8' })
  assert.is(git.status, 0, `git ls-files failed: ${git.stderr}`)
  return git.stdout.split('\n').filter((name) => name !== '' && existsSync(name))
}

const files = projectFiles()
const code = files.filter((name) => CODE.test(name) && !GENERATED.has(name))
const read = (name: string): string => readFileSync(name, 'utf8')
const linesOf = (name: string): string[] => read(name).replace(/\n$/, '').split('\n')

/** `file:line` of every line that matches. */
function linesMatching(names: string[], pattern: RegExp): string[] {
  return names.flatMap((name) =>
    linesOf(name).flatMap((line, index) => (pattern.test(line) ? [`${name}:${index + 1}`] : [])),
  )
}

test('the project has files to look at', () => {
  assert.ok(code.length > 10 && code.includes(THIS_FILE))
})

test('no file of code is longer than the hard limit', () => {
  const sizes = code.map((name) => ({ name, lines: linesOf(name).length }))
  for (const { name, lines } of sizes) {
    if (lines > SOFT_LINES) console.log(`long: ${name} has ${lines} lines`)
  }
  assert.equal(
    sizes.filter(({ lines }) => lines > HARD_LINES),
    [],
  )
})

test('no line of code is wider than a page', () => {
  // The title of a test is one literal, which the ledger reads and prettier keeps on its line.
  const wide = new RegExp(`^(?!\\s*test\\().{${COLUMNS + 1},}$`, 'u')
  assert.equal(linesMatching(code, wide), [])
})

test('nothing is left over', () => {
  const names = code.filter((name) => name !== THIS_FILE)
  assert.equal(linesMatching(names, /\b(FIXME|TODO|XXX|HACK)\b/), [])
  const tests = names.filter((name) => name.endsWith('.test.ts'))
  assert.equal(linesMatching(tests, /^\s*\w+\.only\(/), [])
  assert.equal(linesMatching(names, /^<{7} |^>{7} /), [])
})

test('every test file uses the harness and starts its tests', () => {
  const tests = files.filter((name) => name.endsWith('.test.ts') && name !== THIS_FILE)
  assert.equal(
    tests.filter((name) => /from 'uvu'/.test(read(name)) || !/\.run\(\)/.test(read(name))),
    [],
  )
  assert.equal(
    files.filter((name) => /[._]test\.(js|mjs|cjs)$|\.spec\.ts$/.test(name)),
    [],
    'test files are named *.test.ts, or they would not run',
  )
})

test('no path of one machine and no address of a private place', () => {
  const names = files.filter((name) => TEXT.test(name) && name !== THIS_FILE)
  const place = /(?:^|[^\w.-])\/(?:work|home|Users|root)\/\w/
  assert.equal(linesMatching(names, place), [])
})

test('every C source is in native/sources.json, and the list names no other', () => {
  const listed = Object.values(JSON.parse(read('native/sources.json')) as Record<string, string[]>)
    .flat()
    .map((name) => `native/${name}`)
    .sort()
  const present = files.filter((name) => /^native\/.*\.(c|cc)$/.test(name)).sort()
  assert.equal(listed, present)
})

test('only native/binding includes the addon API, and each layer only those below', () => {
  const sources = files.filter((name) => /^native\/.*\.(c|cc|h)$/.test(name))
  const outside = sources.filter((name) => !name.startsWith('native/binding/'))
  assert.equal(linesMatching(outside, /#include\s*[<"](napi|node|node_api|v8|js_native_api)/), [])
  const below = (layer: string): string[] => sources.filter((name) => name.startsWith(layer))
  assert.equal(
    linesMatching(below('native/core/'), /#include\s*[<"](uv\.h|(crypto|udp|binding|openssl)\/)/),
    [],
  )
  assert.equal(linesMatching(below('native/udp/'), /#include\s*[<"](crypto|binding)\//), [])
  assert.equal(linesMatching(below('native/crypto/'), /#include\s*[<"](udp|binding)\//), [])
})

const ENTRY_POINTS = [
  'lib/index.ts',
  'lib/testing/index.ts',
  'lib/cli/main.ts',
  'lib/daemon/main.ts',
]

function importsOf(name: string): string[] {
  const found = read(name).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)
  return [...found].map((match) =>
    path.posix
      .normalize(path.posix.join(path.posix.dirname(name), match[1] ?? ''))
      .replace(/\.js$/, '.ts'),
  )
}

test('every file of lib is reachable from an entry point', () => {
  const reached = new Set<string>()
  const queue = ENTRY_POINTS.filter((name) => existsSync(name))
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (reached.has(name) || !existsSync(name)) continue
    reached.add(name)
    queue.push(...importsOf(name))
  }
  const dead = files.filter((name) => /^lib\/.*\.ts$/.test(name) && !reached.has(name))
  assert.equal(dead, [])
})

test('the changelog has an Unreleased part', () => {
  assert.match(read('CHANGELOG.md'), /^## \[Unreleased\]$/m)
})

test('package.json points at files that the build makes', () => {
  const manifest = JSON.parse(read('package.json')) as {
    bin: Record<string, string>
    exports: Record<string, string | { types: string; default: string }>
  }
  const targets = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : [entry.types, entry.default],
  )
  const missing = [...targets, ...Object.values(manifest.bin)].filter((name) => !existsSync(name))
  assert.equal(missing, [])
})

test.run()
