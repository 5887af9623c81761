// The scenarios that the README tells to run, small: who gets what is judged here, not how soon.
// test-limit: 180s
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { suite } from '../harness.js'

const test = suite('scenarios')

interface Ended {
  readonly code: number
  readonly stdout: string
}

/** A run that judges itself: the exit code says the same as its last line. */
async function run(name: string, ...args: string[]): Promise<string> {
  const path = fileURLToPath(new URL(`../../examples/scenarios/${name}.js`, import.meta.url))
  const { code, stdout } = await new Promise<Ended>((resolve, reject) => {
    const child = execFile(process.execPath, [path, ...args], { timeout: 80_000 }, (error, out) => {
      if (child.exitCode === null) reject(new Error(`${name} did not end`, { cause: error }))
      else resolve({ code: child.exitCode, stdout: out })
    })
  })
  assert.match(stdout, code === 0 ? /^Good: /m : /^NOT GOOD: /m)
  return stdout
}

/** Rows of the table, in columns. */
const rowsOf = (stdout: string): string[][] =>
  stdout
    .split('\n')
    .filter((line) => /^ *\d+ .*(ok|WRONG)$/.test(line))
    .map((line) => line.trim().split(/ {2,}/))

test('an update goes out to peers, each with the right bytes, and the origin is counted', async () => {
  const stdout = await run('update', '--peers', '3', '--mib', '1', '--in-turn')
  const rows = rowsOf(stdout)
  assert.equal(
    rows.map((row) => row.at(-1)),
    ['ok', 'ok', 'ok'],
  )
  // The first has nobody to take it from.
  assert.equal(rows[0]?.slice(3), ['0.0 MiB', '0.0 MiB', '1.0 MiB', 'ok'])
  assert.match(stdout, /^3 of 3 have the same SHA-256/m)
  const times = Number(/: ([\d.]+) times the update/.exec(stdout)?.[1])
  assert.ok(times >= 1 && times < 3.5, stdout)
})

test('a live stream goes out to peers whole, and the origin is counted', async () => {
  const stdout = await run('live', '--peers', '4', '--seconds', '3')
  const rows = rowsOf(stdout)
  assert.equal(
    rows.map((row) => [row[1], row.at(-1)]),
    Array.from({ length: 4 }, () => ['3', 'ok']),
  )
  assert.match(stdout, /^4 of 4 showed the right bytes/m)
  const streams = Number(/included: ([\d.]+)\s+streams/.exec(stdout)?.[1])
  assert.ok(streams >= 1 && streams < 4.5, stdout)
})

test.run()
