import { readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { addon } from '#lib/native/addon.js'
import { nativeVersion } from '#lib/index.js'
import { test } from '../../harness.js'

test('the native core reports the version in package.json', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  assert.is(addon.version, manifest.version)
  assert.is(nativeVersion, manifest.version)
})

test.run()
