// Each example is run as a user would run it, and has to print what it promises.
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as assert from 'uvu/assert'
import { suite } from '../harness.js'

const test = suite('examples')
const folder = new URL('../../examples/', import.meta.url)

const PROMISES: Record<string, RegExp> = {
  'content-peers.js':
    /Bob has the same: true, 3000000 bytes came from peers\nthe server sent it 1 time/,
  'graph-chat.js': /reads: Ada: Is anybody here\?\nAda hears: Bob: I am!\n2 nodes, 1 connection/,
  'hello.js': /Ada at her desk at \[::1\]:4000\nsigned by the name's own key: true/,
  'matchmaking.js': /Eve can play with Ada and Bob/,
  'trace.js': /inquire [^]*found: I am node 6\nstatus: found/,
}

test('every example has a promise here', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.js'))
  assert.equal(files.sort(), Object.keys(PROMISES).sort())
})

for (const [file, promise] of Object.entries(PROMISES)) {
  test(`${file} runs, prints what it promises and ends by itself`, async () => {
    const path = fileURLToPath(new URL(file, folder))
    const { stdout } = await promisify(execFile)(process.execPath, [path], { timeout: 30_000 })
    assert.match(stdout, promise)
  })
}

test.run()
