// Reads and writes the tab-separated tables under spec/: a header line, then one row a line.
import fs from 'node:fs'

/** Rows as objects keyed by the header's names. Throws on a row with another number of cells. */
export function readTable(file) {
  const [header = '', ...lines] = fs.readFileSync(file, 'utf8').replace(/\n$/, '').split('\n')
  const columns = header.split('\t')
  return lines.map((line, index) => {
    const cells = line.split('\t')
    if (cells.length !== columns.length) {
      throw new Error(`${file}:${index + 2}: ${cells.length} cells, expected ${columns.length}`)
    }
    return Object.fromEntries(columns.map((column, position) => [column, cells[position]]))
  })
}

export function formatTable(columns, rows) {
  const line = (row) => columns.map((column) => row[column] ?? '').join('\t')
  return `${columns.join('\t')}\n${rows.map((row) => `${line(row)}\n`).join('')}`
}
