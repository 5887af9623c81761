// Prints how much of the ledgers is proven, section by section; exits 1 when one is not in order.
//
//   npm run spec                    coverage, and what is wrong
//   npm run spec -- --update        first takes status, test and symbol from the tests and comments
//   npm run spec -- --open          also lists the open rows
import { documents, findTests, problems, readLedger, updated, writeLedger } from './ledger.mjs'

const update = process.argv.includes('--update')
const tests = findTests()
const rows = documents().flatMap((document) => {
  if (!update) return readLedger(document).map((row) => ({ ...row, document }))
  const current = updated(readLedger(document), tests)
  writeLedger(document, current)
  return current.map((row) => ({ ...row, document }))
})

const sections = new Map()
for (const row of rows) {
  const name = `${row.document} ${row.section}`
  const count = sections.get(name) ?? { total: 0, implemented: 0, open: 0, 'n/a': 0 }
  count.total += 1
  count[row.status] += 1
  sections.set(name, count)
}

function print(name, { total, implemented, open, 'n/a': notApplicable }) {
  const share = total === notApplicable ? 1 : implemented / (total - notApplicable)
  const cells = [implemented, open, notApplicable, total].map((cell) => String(cell).padStart(6))
  console.log(`${name.padEnd(20)}${cells.join('')}  ${(share * 100).toFixed(0).padStart(3)} %`)
}

console.log('section             proven  open   n/a total')
const sum = { total: 0, implemented: 0, open: 0, 'n/a': 0 }
for (const [name, count] of sections) {
  print(name, count)
  for (const key of Object.keys(sum)) sum[key] += count[key]
}
print('all', sum)

if (process.argv.includes('--open')) {
  for (const row of rows.filter((candidate) => candidate.status === 'open')) {
    console.log(`${row.id}  ${row.level}  ${row.text}`)
  }
}
const wrong = problems(rows, tests)
for (const sentence of wrong) console.error(sentence)
process.exitCode = wrong.length > 0 ? 1 : 0
