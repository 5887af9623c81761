// The ledgers: one row per requirement of a document, and what is known of the tests that prove it.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatTable, readTable } from './tsv.mjs'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Content distribution: one list of numbers over five documents. Symbols are put in by hand. */
function distribution(name, file, ranges) {
  const ids = ranges.flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, i) => `D-${String(from + i).padStart(3, '0')}`),
  )
  return {
    name,
    file: path.join(root, `spec/ledger/${file}.tsv`),
    ids: new RegExp(`\\b(?:${ids.join('|')})\\b`, 'g'),
    code: () => false,
    home: /^lib\/content\//,
    homes: {},
  }
}

/**
 * `ids` finds the ids of its rows in a title, `code` the files whose comments cite it; `homes` says
 * where the code of a role lives, `home` where that of all others does.
 */
export const DOCUMENTS = [
  {
    name: 'MS-PNRP',
    file: path.join(root, 'spec/ledger/pnrp.tsv'),
    ids: /\bPNRP-\d+(?:\.\d+)*-\d+\b/g,
    code: (file) => !/graph/.test(file),
    home: /^lib\/pnrp\//,
    homes: {
      codec: /^native\/core\/|^lib\/wire\//,
      security: /^lib\/security\//,
      discovery: /^lib\/discovery\//,
    },
  },
  {
    name: 'MS-PPGRH',
    file: path.join(root, 'spec/ledger/ppgrh.tsv'),
    ids: /\bG-\d{3}\b/g,
    code: (file) => /graph/.test(file),
    home: /^lib\/graph\//,
    homes: {
      codec: /^native\/core\/|^lib\/wire\//,
      application: /^lib\/(graph|runtime|storage)\//,
    },
  },
  distribution('MS-PCCRC', 'pccrc', [[1, 26]]),
  distribution('MS-PCCRR', 'pccrr', [[46, 76]]),
  distribution('MS-PCCRD', 'pccrd', [[77, 94]]),
  distribution('MS-PCHC', 'pchc', [[95, 109]]),
  // and what only the whole system shows
  distribution('MS-PCCRTP', 'pccrtp', [
    [27, 45],
    [110, 114],
  ]),
]
const [PNRP] = DOCUMENTS

export const COLUMNS = [
  ...['id', 'section', 'level', 'role', 'text'],
  ...['status', 'symbol', 'test', 'note'],
]
export const STATUSES = ['implemented', 'open', 'n/a']

export const readLedger = (document = PNRP) => readTable(document.file)
export const writeLedger = (rows, document = PNRP) =>
  fs.writeFileSync(document.file, formatTable(COLUMNS, rows))

function filesBelow(directory, pattern) {
  const base = path.join(root, directory)
  if (!fs.existsSync(base)) return []
  return fs
    .readdirSync(base, { recursive: true })
    .map((name) => `${directory}/${name.split(path.sep).join('/')}`)
    .filter((name) => pattern.test(name) && !name.includes('node_modules'))
    .sort()
}

const LITERAL = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/y
const TEST_CALL = /(?<![\w.])\w*[tT]est(?:\.only)?\(\s*/g
const C_TEST = /\bPN_TEST\(\s*\w+\s*,\s*((?:"(?:[^"\\\n]|\\.)*"\s*)+)\)/g

/** Titles given to test(…) in TypeScript. Skipped tests prove nothing and are left out. */
function titlesInTypescript(text) {
  const titles = []
  for (const match of text.matchAll(TEST_CALL)) {
    LITERAL.lastIndex = match.index + match[0].length
    const literal = LITERAL.exec(text)
    const title = literal?.[1] ?? literal?.[2] ?? literal?.[3]
    if (title !== undefined) titles.push(title.replaceAll(/\\(.)/g, '$1'))
  }
  return titles
}

function titlesInC(text) {
  return [...text.matchAll(C_TEST)].map((match) =>
    [...match[1].matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((piece) => piece[1]).join(''),
  )
}

/** Every test of the project: { file, title }. */
export function findTests() {
  const tests = []
  for (const file of filesBelow('test', /\.test\.ts$/)) {
    const text = fs.readFileSync(path.join(root, file), 'utf8')
    for (const title of titlesInTypescript(text)) tests.push({ file, title })
  }
  for (const file of filesBelow('test/unit/native', /\.c$/)) {
    const text = fs.readFileSync(path.join(root, file), 'utf8')
    for (const title of titlesInC(text)) tests.push({ file, title })
  }
  return tests
}

/** Requirement ids in a title, e.g. PNRP-3.1.5.6.1-11. */
export const idsIn = (title, document = PNRP) => title.match(document.ids) ?? []

/** id → tests whose title names it. */
export function provenBy(tests, document = PNRP) {
  const proofs = new Map()
  for (const test of tests) {
    for (const id of idsIn(test.title, document)) proofs.set(id, [...(proofs.get(id) ?? []), test])
  }
  return proofs
}

/** Tests that an entry `<file fragment>#<title fragment>` of the test column means. */
export function testsNamed(entry, tests) {
  const [file = '', title = ''] = entry.split(/#(.*)/s)
  if (file === '' || title === '') return []
  return tests.filter((test) => test.file.includes(file) && test.title.includes(title))
}

/** Whether `<file>#<identifier>` of the symbol column exists. */
export function symbolExists(entry) {
  const [file = '', name = ''] = entry.split('#')
  const full = path.join(root, file)
  if (name === '' || !fs.existsSync(full)) return false
  const identifier = name.split('.').at(-1)
  return new RegExp(`\\b${identifier}\\b`).test(fs.readFileSync(full, 'utf8'))
}

const list = (cell) => cell.split('; ').filter((entry) => entry !== '')

/** Everything wrong with a ledger, as sentences. */
export function problems(rows, tests, document = PNRP) {
  const found = []
  const known = new Set(rows.map((row) => row.id))
  const proofs = provenBy(tests, document)
  if (known.size !== rows.length) found.push('an id occurs twice')
  for (const [id, [test]] of proofs) {
    if (!known.has(id)) found.push(`${test.file}: "${test.title}" names ${id}, which is no row`)
  }
  for (const row of rows) {
    if (!STATUSES.includes(row.status)) found.push(`${row.id}: status "${row.status}"`)
    for (const entry of list(row.test)) {
      if (testsNamed(entry, tests).length === 0) found.push(`${row.id}: no test is "${entry}"`)
    }
    for (const entry of list(row.symbol)) {
      if (!symbolExists(entry)) found.push(`${row.id}: no symbol "${entry}"`)
    }
    if (row.status === 'implemented') {
      const hasProof = proofs.has(row.id) || list(row.test).length > 0
      if (!hasProof) found.push(`${row.id}: implemented, but no test proves it`)
      if (row.symbol === '') found.push(`${row.id}: implemented, but no symbol is named`)
    }
    if (row.status === 'n/a' && row.note === '') found.push(`${row.id}: n/a without a reason`)
  }
  return found
}

/** Fills status, test and symbol from what tests and comments say now; keeps hand-made cells. */
export function updated(rows, tests, document = PNRP) {
  const proofs = provenBy(tests, document)
  const symbols = citedSymbols(document)
  return rows.map((row) => {
    const kept = list(row.test).filter((entry) => testsNamed(entry, tests).length > 0)
    const derived = (proofs.get(row.id) ?? []).map((test) => `${test.file}#${row.id}`)
    const proof = [...new Set([...kept, ...derived])].join('; ')
    if (row.status === 'n/a') return { ...row, test: proof }
    if (proof === '') return { ...row, status: 'open', test: '', symbol: '' }
    const ours = list(row.symbol).filter(symbolExists).join('; ')
    const symbol = ours !== '' ? ours : nearest(symbols, row, document)
    return { ...row, status: 'implemented', test: proof, symbol }
  })
}

const CITATION = /(?:MS-[A-Z]+ |\b)(\d(?:\.\d+){1,5})\b/g
const MODIFIERS = '(?:(?:export|abstract|static|private|protected|readonly|get|set)\\s+)*'
const DECLARATIONS = [
  new RegExp(`^\\s*${MODIFIERS}(?:function|class|interface|const|type|enum)\\s+(\\w+)`),
  new RegExp(`^  ${MODIFIERS}(\\w+)\\s*(?:<[^>]*>)?\\([^)]*\\)?.*\\{?$`),
  /^(?:(?:static|inline|const)\s+)*[a-z]\w*[\s*]+([a-z]\w+)\s*\(/,
]
const KEYWORDS = new Set(['if', 'for', 'while', 'switch', 'return', 'catch', 'function', 'super'])

function declared(line) {
  const names = DECLARATIONS.map((pattern) => pattern.exec(line)?.[1])
  return names.find((name) => name !== undefined && !KEYWORDS.has(name))
}

/** Section → symbols whose comments cite it: [{ section, entry }], in file order. */
function citedSymbols(document) {
  const files = [...filesBelow('lib', /\.ts$/), ...filesBelow('native', /\.(c|h)$/)]
  const cited = []
  const isTable = (name) => /constants\.ts$|_const\.h$/.test(name)
  for (const file of files.filter((name) => !isTable(name) && document.code(name))) {
    const lines = fs.readFileSync(path.join(root, file), 'utf8').split('\n')
    lines.forEach((line, index) => {
      const comment = /(?:\/\/|\/\*|^\s*\*)(.*)$/.exec(line)?.[1]
      if (comment === undefined) return
      const name = symbolFor(lines, index)
      if (name === undefined) return
      for (const match of comment.matchAll(CITATION)) {
        cited.push({ section: match[1], entry: `${file}#${name}` })
      }
    })
  }
  return cited
}

/** The declaration a comment belongs to: the one right below it, else the one around it. */
function symbolFor(lines, index) {
  for (let below = index + 1; below < Math.min(index + 12, lines.length); below++) {
    const name = declared(lines[below])
    if (name !== undefined) return name
    if (!/^\s*(\*|\/\/|\/\*|@|$)/.test(lines[below])) break
  }
  for (let above = index; above >= 0; above--) {
    const name = declared(lines[above])
    if (name !== undefined) return name
  }
  return undefined
}

/** Contracts and tables only count when nothing else cites. */
const CONTRACTS = /\/(limits|parts|interface|context|crypto-port|messages)\.(ts|h)#/

function remoteness(entry, role, { home, homes }) {
  if (CONTRACTS.test(entry)) return 3
  if (homes[role]?.test(entry)) return 0
  return home.test(entry) ? 1 : 2
}

/** The fittest symbol that cites the section, or the nearest enclosing section. */
function nearest(symbols, { section, role }, document) {
  for (let wanted = section; wanted.includes('.'); wanted = wanted.replace(/\.\d+$/, '')) {
    const hits = symbols.filter((symbol) => symbol.section === wanted)
    const far = ({ entry }) => remoteness(entry, role, document)
    hits.sort((a, b) => far(a) - far(b))
    if (hits[0] !== undefined) return hits[0].entry
  }
  return ''
}
