// The fuzzers start from the golden vectors.
import { readFileSync } from 'node:fs'
import { test } from '../harness.js'
import { same } from '../helpers/readable.js'
import { corpus } from './corpus.js'

for (const [target, files] of Object.entries(corpus)) {
  test(`the corpus of ${target} holds the golden vectors`, () => {
    for (const [name, bytes] of files) {
      same(readFileSync(`test/fuzz/corpus/${target}/${name}`), bytes, name)
    }
  })
}

test.run()
