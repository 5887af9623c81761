import { readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { ERROR_CODES } from '#lib/core/errors.js'
import { test } from '../harness.js'

test('the error catalogue lists the codes of the code, in the same order', () => {
  const page = readFileSync('spec/errors.md', 'utf8')
  const rows = [...page.matchAll(/^\| `(ERR_PEERNET_\w+)` \| (.+) \| (.+) \|$/gm)]
  assert.equal(
    rows.map((row) => row[1]),
    [...ERROR_CODES],
  )
})

test.run()
