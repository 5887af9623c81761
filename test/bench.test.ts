// test-limit: 180s
// The benchmarks still run: every trial of peernet itself once, on tiny inputs. The figures do not
// matter here, and the systems of bench/peers are left out.
import { spawnSync } from 'node:child_process'
import * as assert from 'uvu/assert'
import { test } from './harness.js'

const KEYS = ['name', 'case', 'system', 'n', 'value', 'unit', 'ratioTo', 'ratio']

interface Line {
  readonly name: string
  readonly case: string
  readonly system: string
  readonly value: number
}

function bench(...args: string[]) {
  return spawnSync(process.execPath, ['--expose-gc', 'build/js/bench/run.js', ...args], {
    encoding: 'utf8',
  })
}

const quick = bench('--quick', '--ours', '--json')

test('every benchmark runs and prints JSON lines', () => {
  assert.is(quick.status, 0, quick.stderr)
  const lines = quick.stdout.trim().split('\n')
  const parsed = lines.map((line) => JSON.parse(line) as Line)
  for (const line of parsed) assert.equal(Object.keys(line), KEYS)
  const graphs = ['graph-flood', 'graph-large', 'graph-sync']
  const names = ['codec', 'content', 'content-hash', ...graphs, 'resolve', 'udp']
  assert.equal([...new Set(parsed.map((line) => line.name))], names)
  const lost = parsed.filter((line) => line.case.endsWith(', lost'))
  assert.equal([...new Set(lost.map((line) => line.value))], [0])
  const found = parsed.filter((line) => line.case.endsWith(', found'))
  assert.equal([...new Set(found.map((line) => line.value))], [100])
  const rates = parsed.filter((line) => line.name === 'codec')
  assert.ok(rates.every((line) => line.value > 0))
  for (const system of ['C', 'batches of 64', 'single messages']) {
    assert.is(rates.filter((line) => line.system === system).length, 2, system)
  }
})

test('an unknown name is refused', () => {
  const result = bench('nosuch')
  assert.is(result.status, 1)
  assert.match(result.stderr, /no benchmark named nosuch; there are codec/)
})

test.run()
