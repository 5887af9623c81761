// The ledger must say the truth about the tests: spec/tools/coverage.mjs judges, this file asks.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import * as assert from 'uvu/assert'
import { test } from '../harness.js'

type Row = Record<'id' | 'section' | 'level' | 'text' | 'status' | 'symbol' | 'test', string>
interface Found {
  file: string
  title: string
}
interface Ledger {
  DOCUMENTS: { file: string }[]
  readLedger: (document?: { file: string }) => Row[]
  findTests: () => Found[]
  problems: (rows: Row[], tests: Found[]) => string[]
  updated: (rows: Row[], tests: Found[]) => Row[]
}

const ledger = (await import(pathToFileURL(path.resolve('spec/tools/ledger.mjs')).href)) as Ledger

test('the ledger names no test, symbol or status that does not exist', () => {
  const run = spawnSync(process.execPath, ['spec/tools/coverage.mjs'], { encoding: 'utf8' })
  assert.is(run.stderr, '')
  assert.is(run.status, 0)
})

test('the ledgers hold every requirement of their documents once', () => {
  const rows = ledger.readLedger()
  assert.is(rows.length, 530)
  assert.is(new Set(rows.map((row) => row.id)).size, 530)
  for (const row of rows) assert.ok(row.id.startsWith(`PNRP-${row.section}-`), row.id)
  const graph = ledger.readLedger(ledger.DOCUMENTS[1])
  const ids = graph.map((row) => row.id)
  assert.equal(
    ids,
    Array.from({ length: 180 }, (_, i) => `G-${String(i + 1).padStart(3, '0')}`),
  )
})

test('the ledgers of content distribution hold the 114 requirements of the list, once each', () => {
  const documents = ledger.DOCUMENTS.filter(({ file }) => /\/(pccr\w+|pchc)\.tsv$/.test(file))
  assert.is(documents.length, 5)
  const ids = documents.flatMap((document) => ledger.readLedger(document).map(({ id }) => id))
  assert.equal(
    ids.sort(),
    Array.from({ length: 114 }, (_, i) => `D-${String(i + 1).padStart(3, '0')}`),
  )
})

test('a fault without a row, and a row without its test, are noticed', async () => {
  const file = pathToFileURL(path.resolve('spec/tools/faults.mjs')).href
  const { faultProblems } = (await import(file)) as {
    faultProblems: (text: string, tests: Found[]) => string[]
  }
  const text = readFileSync('spec/faults-distribution.md', 'utf8')
  const tests = ledger.findTests()
  assert.equal(faultProblems(text, tests), [])
  const fewer = text.replace(/^\| two writers .*\n/m, '')
  assert.equal(faultProblems(fewer, tests), ['no row for: two writers'])
  const renamed = text.replace('case `wrong key`', 'case `wrong lock`')
  assert.match(faultProblems(renamed, tests).join(), /^wrong key: .* has no wrong lock$/)
  const others = tests.filter(({ title }) => !title.startsWith('disk full'))
  assert.match(faultProblems(text, others).join(), /^disk full: test.net.disk\.test\.ts has no/)
})

test('a false claim in the ledger is noticed', () => {
  const [first] = ledger.readLedger()
  assert.ok(first)
  const tests = [{ file: 'test/a.test.ts', title: `${first.id} something` }]
  const claim = (change: Partial<Row>, found: Found[]): string[] =>
    ledger.problems([{ ...first, test: '', symbol: '', status: 'open', ...change }], found)
  assert.equal(claim({}, tests), [])
  assert.match(claim({ status: 'implemented' }, []).join(), /no test proves it/)
  assert.match(claim({ status: 'implemented' }, tests).join(), /no symbol is named/)
  assert.match(claim({ test: 'a.test.ts#else' }, tests).join(), /no test is/)
  assert.match(claim({ symbol: 'lib/index.ts#nothingSuch' }, tests).join(), /no symbol/)
  assert.match(claim({ status: 'n/a' }, []).join(), /without a reason/)
  assert.match(claim({ status: 'done' }, []).join(), /status "done"/)
  const stray = [{ file: 'test/a.test.ts', title: 'PNRP-9.9-99 stray' }]
  assert.match(claim({}, stray).join(), /which is no row/)
})

test('an update marks what a test names and reopens what none does', () => {
  const [first, second] = ledger.readLedger()
  assert.ok(first && second)
  const tests = [{ file: 'test/a.test.ts', title: `${first.id} something` }]
  const rows = ledger.updated([first, { ...second, status: 'implemented', test: 'gone#x' }], tests)
  assert.is(rows[0]?.status, 'implemented')
  assert.is(rows[0]?.test, `test/a.test.ts#${first.id}`)
  assert.is(rows[1]?.status, 'open')
  assert.is(rows[1]?.test, '')
})

test('titles are found in this very file', () => {
  const own = ledger.findTests().filter((found) => found.file.endsWith('ledger.test.ts'))
  const text = readFileSync('test/conformance/ledger.test.ts', 'utf8')
  assert.is(own.length, text.match(/^test\(/gm)?.length)
})

test.run()
