import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { corpus } from './corpus.js'

for (const [target, files] of Object.entries(corpus)) {
  const directory = path.join('test/fuzz/corpus', target)
  mkdirSync(directory, { recursive: true })
  for (const [name, bytes] of files) writeFileSync(path.join(directory, name), bytes)
}
