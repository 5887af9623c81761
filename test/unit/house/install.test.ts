import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { test } from '../../harness.js'

interface Install {
  headerVersion: (directory: string) => string | undefined
  findNodeDirectory: () => string | undefined
  isCurrent: () => boolean
}

const require = createRequire(import.meta.url)
const install = require(path.resolve('native/install.cjs')) as Install

test('without build tools the install script names each and how to get it', () => {
  const run = spawnSync(process.execPath, ['native/install.cjs', '--force'], {
    encoding: 'utf8',
    env: { PATH: '/nonexistent' },
  })
  assert.is(run.status, 1)
  assert.match(
    run.stderr,
    /a C compiler \(cc\), a C\+\+ compiler \(c\+\+\), make, python3 not found/,
  )
  assert.match(run.stderr, /apt-get install g\+\+ make python3/)
  assert.not.match(run.stderr, /\n\s+at /, 'a person reads this: no stack trace')
})

test('headers count only when they are of the running version', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'peernet-headers-'))
  mkdirSync(path.join(directory, 'include/node'), { recursive: true })
  assert.is(install.headerVersion(directory), undefined)
  writeFileSync(
    path.join(directory, 'include/node/node_version.h'),
    '#define NODE_MAJOR_VERSION 20\n#define NODE_MINOR_VERSION 1\n#define NODE_PATCH_VERSION 2\n',
  )
  assert.is(install.headerVersion(directory), '20.1.2')
  const found = install.findNodeDirectory()
  if (found !== undefined) assert.is(install.headerVersion(found), process.versions.node)
  rmSync(directory, { recursive: true })
})

test('the set-up has nothing to do for the addon under test', () => {
  assert.is(install.isCurrent(), true, 'the addon is older than its sources: npm run setup')
})

test.run()
