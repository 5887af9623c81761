// Writes spec/limits.md from the files that hold the limits, so that the page cannot lie.
import fs from 'node:fs'
import ts from 'typescript'

/** LIMITS itself, then the parts that it is put together from. */
const typescriptFiles = [
  'lib/core/limits.ts',
  'lib/core/graph-limits.ts',
  'lib/core/hosted-limits.ts',
  'lib/core/content-limits.ts',
  'lib/core/swarm-limits.ts',
]
const cFiles = [
  { title: 'The C core', file: 'native/core/limits.h' },
  { title: 'The socket path', file: 'native/udp/limits.h' },
]

const head = `# Limits

Generated from \`${typescriptFiles.join('\`, \`')}\` and
\`limits.h\` of \`native/core\` and \`native/udp\` by
\`npm run generate\`; change them there.
Numbers such as 3.1.2 are sections of MS-PNRP, N-nn decisions (see \`deviations.md\`). What the
message formats themselves allow stands in \`fields/pnrp.tsv\`, group \`limit\`.
`

/** Comment text without its marks, on one line. */
function plain(comment) {
  return comment
    .replace(/^\/\*+|\*+\/$|^\/\//g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\*?\s?/, '').trim())
    .filter((line) => line !== '')
    .join(' ')
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
}

const row = (name, value, why) => `| \`${name}\` | \`${value.replaceAll(/\s+/g, ' ')}\` | ${why} |`

/** A reason given for several limits is printed once. */
function table(title, rows) {
  const lines = rows.map(({ name, value, why }, index) =>
    row(name, value, index > 0 && why !== '' && rows[index - 1].why === why ? '〃' : why),
  )
  return [`\n## ${title}\n`, '| Limit | Value | Why |', '|---|---|---|', ...lines].join('\n')
}

/** Leaves of a nested object literal: [dotted name, source text]. */
function leaves(name, node, source) {
  const isTable =
    ts.isObjectLiteralExpression(node) &&
    node.properties.some((property) => ts.isObjectLiteralExpression(property.initializer))
  if (!isTable) return [[name, node.getText(source)]]
  return node.properties.flatMap((property) =>
    leaves(`${name}.${property.name.getText(source)}`, property.initializer, source),
  )
}

function limitsLiteral(source) {
  for (const statement of source.statements.filter(ts.isVariableStatement)) {
    const [declaration] = statement.declarationList.declarations
    if (!/LIMITS$/.test(declaration.name.getText(source))) continue
    const value = declaration.initializer
    return ts.isAsExpression(value) ? value.expression : value
  }
  throw new Error(`${source.fileName} declares no LIMITS`)
}

function typescriptTables(root, file) {
  const text = fs.readFileSync(`${root}${file}`, 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const tables = []
  let why = ''
  for (const property of limitsLiteral(source).properties.filter(ts.isPropertyAssignment)) {
    const comments = ts.getLeadingCommentRanges(text, property.getFullStart()) ?? []
    for (const { pos, end } of comments) {
      const comment = text.slice(pos, end)
      if (comment.startsWith('//')) tables.push({ title: plain(comment), rows: [] })
      why = comment.startsWith('//') ? '' : plain(comment)
    }
    if (tables.length === 0) tables.push({ title: 'General', rows: [] })
    for (const [name, value] of leaves(
      property.name.getText(source),
      property.initializer,
      source,
    )) {
      tables.at(-1).rows.push({ name, value, why })
    }
  }
  return tables
}

function cTable(root, title, file) {
  if (!fs.existsSync(`${root}${file}`)) return []
  const text = fs.readFileSync(`${root}${file}`, 'utf8')
  const rows = []
  let why = ''
  const token =
    /(\/\*[\s\S]*?\*\/)|^#define[ \t]+(PN_\w+)[ \t]+((?:\\\n|[^\n])+?)[ \t]*(\/\*.*\*\/)?$/gm
  for (const [, comment, name, value, trailing] of text.matchAll(token)) {
    if (comment !== undefined) why = plain(comment)
    else rows.push({ name, value, why: trailing === undefined ? why : plain(trailing) })
  }
  return [{ title, rows }]
}

export function limitsPage(root) {
  const tables = [
    ...typescriptFiles.flatMap((file) => typescriptTables(root, file)),
    ...cFiles.flatMap(({ title, file }) => cTable(root, title, file)),
  ].filter(({ rows }) => rows.length > 0)
  return `${head}${tables.map(({ title, rows }) => `${table(title, rows)}\n`).join('')}`
}
