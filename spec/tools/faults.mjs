// The table of faults of content distribution: every fault has a row, every row a test that exists.
import fs from 'node:fs'
import path from 'node:path'
import { root } from './ledger.mjs'

export const FAULT_FILE = path.join(root, 'spec/faults-distribution.md')

/** As the tasks of content distribution name them. */
const FAULTS = [
  ...['corrupt', 'truncated', 'oversized', 'wrong key', 'wrong block', 'endless answers'],
  ...['slow peers', 'lies in discovery', 'path tricks', 'compressed origin', 'changing origin'],
  ...['content that changes between requests', 'disk full', 'two writers'],
  ...['no content information', 'amplification', 'fuzzed', 'killed'],
]

/** `file`: title, or `file`: case `name`, in the second of three cells. */
const PROOF = /`(test\/[^`]+)`: (?:case `([^`]+)`|([^;|]+))/g

/** Everything wrong with the table, as sentences. */
export function faultProblems(text, tests) {
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| Fault'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  const named = new Set(rows.map(([, fault]) => fault))
  const found = FAULTS.filter((fault) => !named.has(fault)).map((fault) => `no row for: ${fault}`)
  for (const [, fault, proofs = '', outcome = ''] of rows) {
    const all = [...proofs.matchAll(PROOF)]
    if (all.length === 0 || outcome === '') found.push(`${fault}: no test, or no outcome`)
    for (const [, file, one, title = ''] of all) {
      const isThere = one === undefined ? hasTest(tests, file, title.trim()) : hasCase(file, one)
      if (!isThere) found.push(`${fault}: ${file} has no ${one ?? title.trim()}`)
    }
  }
  return found
}

const hasTest = (tests, file, title) =>
  tests.some((test) => test.file === file && test.title.includes(title))

/** A name in a list of cases, as a key or a string. */
function hasCase(file, name) {
  const full = path.join(root, file)
  if (!fs.existsSync(full)) return false
  const text = fs.readFileSync(full, 'utf8')
  return text.includes(`'${name}'`) || text.includes(`\n    ${name}:`)
}
