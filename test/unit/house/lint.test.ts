// Proves that the two rules of .ci/lint/house.js bite, on a tree with one file in every room.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { ESLint, type Linter } from 'eslint'
import * as assert from 'uvu/assert'
import { test } from '../../harness.js'

interface House {
  houseRules: (root: string) => Linter.Config[]
}

// The doors as CONTRIBUTING.md draws them, written down a second time on purpose.
const MAY_IMPORT: Record<string, string> = {
  core: '',
  native: 'core',
  wire: 'core native',
  pnrp: 'core native wire',
  discovery: 'core wire',
  security: 'core native wire pnrp',
  storage: 'core wire pnrp',
  io: 'core native wire pnrp discovery',
  testing: 'core native wire pnrp discovery security',
  runtime: 'core native wire pnrp discovery security storage io',
  index: 'core native wire pnrp discovery security storage io runtime',
  daemon: 'core native wire pnrp discovery security storage io runtime index',
  cli: 'core native wire pnrp discovery security storage io runtime index daemon',
}
const ROOMS = Object.keys(MAY_IMPORT)

let tree = ''
let eslint: ESLint

const fileOf = (room: string): string => (room === 'index' ? 'lib/index.ts' : `lib/${room}/a.ts`)

/** The import specifier that leads from one room's file to another file under lib. */
function specifier(fromRoom: string, to: string): string {
  const relative = path.posix.relative(path.posix.dirname(fileOf(fromRoom)), to)
  return (relative.startsWith('.') ? relative : `./${relative}`).replace(/\.ts$/, '.js')
}

async function rulesBroken(room: string, code: string): Promise<string[]> {
  const results = await eslint.lintText(code, { filePath: path.join(tree, fileOf(room)) })
  return results.flatMap((result) =>
    result.messages.map((message) => message.ruleId ?? `parse error: ${message.message}`),
  )
}

test.before(async () => {
  tree = mkdtempSync(path.join(tmpdir(), 'peernet-lint-'))
  for (const file of [...ROOMS.map(fileOf), 'lib/native/addon.ts', 'lib/native/udp.ts']) {
    mkdirSync(path.join(tree, path.dirname(file)), { recursive: true })
    writeFileSync(path.join(tree, file), 'export const a = 1\n')
  }
  const url = pathToFileURL(path.resolve('.ci/lint/house.js')).href
  const { houseRules } = (await import(url)) as House
  eslint = new ESLint({
    cwd: tree,
    overrideConfigFile: true,
    overrideConfig: houseRules(`${tree}/`),
  })
})

test.after(() => rmSync(tree, { recursive: true, force: true }))

test('every door between two rooms is open or shut as drawn', async () => {
  const wrong: string[] = []
  for (const from of ROOMS) {
    const allowed = MAY_IMPORT[from]?.split(' ') ?? []
    for (const to of ROOMS.filter((room) => room !== from)) {
      const broken = await rulesBroken(from, `import '${specifier(from, fileOf(to))}'\n`)
      const isShut = broken.includes('import-x/no-restricted-paths')
      if (isShut === allowed.includes(to)) wrong.push(`${from} -> ${to}`)
    }
  }
  assert.equal(wrong, [])
})

test('of the command, only the guided tour enters the simulator', async () => {
  const brokenIn = async (folder: string): Promise<boolean> => {
    const file = path.join(tree, folder, 'a.ts')
    mkdirSync(path.dirname(file), { recursive: true })
    const code = "import '../../testing/a.js'\n"
    const [result] = await eslint.lintText(code, { filePath: file })
    return result?.messages.some(({ ruleId }) => ruleId === 'import-x/no-restricted-paths') === true
  }
  assert.is(await brokenIn('lib/cli/demo'), false)
  assert.is(await brokenIn('lib/cli/commands'), true)
})

test('a type-only import goes through the same doors', async () => {
  const wire = specifier('core', fileOf('wire'))
  const code = `import type { a } from '${wire}'\nexport type T = typeof a\n`
  assert.equal(await rulesBroken('core', code), ['import-x/no-restricted-paths'])
})

test('the loaded addon and the socket façade are not for protocol rooms', async () => {
  for (const file of ['lib/native/addon.ts', 'lib/native/udp.ts']) {
    for (const room of ['wire', 'pnrp']) {
      const code = `import '${specifier(room, file)}'\n`
      assert.equal(await rulesBroken(room, code), ['import-x/no-restricted-paths'], file)
    }
  }
  assert.equal(await rulesBroken('io', `import '${specifier('io', 'lib/native/udp.ts')}'\n`), [])
})

const IMPURE: Record<string, string> = {
  'new Date()': 'no-restricted-globals',
  'Date.now()': 'no-restricted-globals',
  'performance.now()': 'no-restricted-globals',
  'setTimeout(() => 0, 1)': 'no-restricted-globals',
  'setInterval(() => 0, 1)': 'no-restricted-globals',
  'setImmediate(() => 0)': 'no-restricted-globals',
  'queueMicrotask(() => 0)': 'no-restricted-globals',
  'process.env': 'no-restricted-globals',
  'globalThis.Date': 'no-restricted-globals',
  'Promise.resolve(1)': 'no-restricted-globals',
  'Math.random()': 'no-restricted-properties',
  'async () => 1': 'no-restricted-syntax',
  "import('node:net')": 'no-restricted-syntax',
}

test('banned globals and syntax are caught in every sans-IO room', async () => {
  for (const room of ['core', 'wire', 'pnrp', 'discovery']) {
    for (const [expression, rule] of Object.entries(IMPURE)) {
      const broken = await rulesBroken(room, `export const x = ${expression}\n`)
      assert.ok(broken.includes(rule), `${room}: ${expression} -> ${broken.join(', ')}`)
    }
    const method = 'export class M {\n  async run() {}\n}\n'
    assert.ok((await rulesBroken(room, method)).includes('no-restricted-syntax'), room)
    const typed = 'export type T = Promise<number>\n'
    assert.ok((await rulesBroken(room, typed)).includes('no-restricted-syntax'), room)
  }
})

test('banned modules are caught in every sans-IO room', async () => {
  const names = ['net', 'dgram', 'tls', 'fs', 'timers', 'http', 'child_process', 'crypto']
  const modules = names.flatMap((name) => [`node:${name}`, name])
  for (const room of ['core', 'wire', 'pnrp', 'discovery']) {
    for (const name of [...modules, 'node:fs/promises', 'fs/promises', 'node:timers/promises']) {
      const broken = await rulesBroken(room, `import '${name}'\n`)
      assert.equal(broken, ['no-restricted-imports'], `${room}: ${name}`)
    }
  }
})

test('rooms that do I/O may use all of that, and harmless code passes everywhere', async () => {
  for (const expression of Object.keys(IMPURE).filter((text) => !text.startsWith('import'))) {
    assert.equal(await rulesBroken('io', `export const x = ${expression}\n`), [], expression)
  }
  for (const room of ROOMS) {
    const code = "import { inspect } from 'node:util'\nexport const x = inspect(Math.max(1, 2))\n"
    assert.equal(await rulesBroken(room, code), [], room)
  }
})

test.run()
