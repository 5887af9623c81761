// Prints how much of each ledger is proven, section by section; exits 1 when one is not in order.
//
//   npm run spec                    coverage, and what is wrong
//   npm run spec -- --update        first takes status, test and symbol from the tests and comments
//   npm run spec -- --open          also lists the open rows
import fs from 'node:fs'
import { FAULT_FILE, faultProblems } from './faults.mjs'
import { DOCUMENTS, findTests, problems, readLedger, updated, writeLedger } from './ledger.mjs'

const update = process.argv.includes('--update')
const listOpen = process.argv.includes('--open')
const tests = findTests()

function countSections(rows) {
  const sections = new Map()
  for (const row of rows) {
    const count = sections.get(row.section) ?? { total: 0, implemented: 0, open: 0, 'n/a': 0 }
    count.total += 1
    count[row.status] += 1
    sections.set(row.section, count)
  }
  return sections
}

function print(name, { total, implemented, open, 'n/a': notApplicable }) {
  const share = total === notApplicable ? 1 : implemented / (total - notApplicable)
  const cells = [implemented, open, notApplicable, total].map((cell) => String(cell).padStart(6))
  console.log(`${name.padEnd(14)}${cells.join('')}  ${(share * 100).toFixed(0).padStart(3)} %`)
}

/** Returns how many sentences there are about what is wrong. */
function report(document) {
  const rows = update ? updated(readLedger(document), tests, document) : readLedger(document)
  if (update) writeLedger(rows, document)
  console.log(`${document.name.padEnd(14)}proven  open   n/a total`)
  const sum = { total: 0, implemented: 0, open: 0, 'n/a': 0 }
  for (const [name, count] of countSections(rows)) {
    print(name, count)
    for (const key of Object.keys(sum)) sum[key] += count[key]
  }
  print('all', sum)
  for (const row of listOpen ? rows.filter(({ status }) => status === 'open') : []) {
    console.log(`${row.id}  ${row.level}  ${row.text}`)
  }
  const wrong = problems(rows, tests, document)
  for (const sentence of wrong) console.error(sentence)
  return wrong.length
}

const wrong = DOCUMENTS.map(report).reduce((sum, count) => sum + count)
const faults = faultProblems(fs.readFileSync(FAULT_FILE, 'utf8'), tests)
for (const sentence of faults) console.error(sentence)
process.exitCode = wrong + faults.length > 0 ? 1 : 0
