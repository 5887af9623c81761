import { SaxesParser, type SaxesTagPlain } from 'saxes'
import { LIMITS } from '../../core/limits.js'
import type { AttributeType } from '../../wire/graph/attributes.js'
import { COMPARISONS, invalidSearch, type Comparison, type Query } from './query.js'

interface Open {
  readonly kind: 'peersearch' | 'clause' | 'and' | 'or'
  readonly tag: SaxesTagPlain
  readonly parts: Query[]
  text: string
}

const KINDS: ReadonlySet<string> = new Set(['clause', 'and', 'or'])

/**
 * Reads the query language of PeerGraphSearchRecords: `<peersearch>` with one `clause`, `and` or
 * `or` in it; the latter two nest. Strict: nothing else, no DTD, no processing instructions.
 * @throws PeernetError ERR_PEERNET_INVALID_SEARCH
 */
export function parseXmlQuery(xml: string): Query {
  if (xml.length > LIMITS.graphSearchUnits) invalidSearch('the query is too long')
  const reader = new QueryReader()
  const parser = new SaxesParser({ xmlns: false })
  parser.on('error', (error) => invalidSearch(error.message))
  parser.on('doctype', () => invalidSearch('a document type is not allowed'))
  parser.on('processinginstruction', () => invalidSearch('processing instructions are not allowed'))
  parser.on('opentag', (tag) => reader.open(tag))
  parser.on('text', (text) => reader.text(text))
  parser.on('cdata', (text) => reader.text(text))
  parser.on('closetag', () => reader.close())
  parser.write(xml).close()
  return reader.result()
}

class QueryReader {
  readonly #open: Open[] = []
  #clauses = 0
  #result: Query | undefined

  open(tag: SaxesTagPlain): void {
    const kind = kindOf(tag, this.#open.at(-1))
    if (this.#open.length > LIMITS.graphSearchDepth) invalidSearch('the query nests too deep')
    if (kind === 'clause' && ++this.#clauses > LIMITS.graphSearchClauses) {
      invalidSearch(`a query has at most ${LIMITS.graphSearchClauses} clauses`)
    }
    if (kind !== 'clause' && Object.keys(tag.attributes).some((name) => !isNamespace(kind, name))) {
      invalidSearch(`<${kind}> has no attributes`)
    }
    this.#open.push({ kind, tag, parts: [], text: '' })
  }

  text(text: string): void {
    const current = this.#open.at(-1)
    if (current?.kind === 'clause') current.text += text
    else if (text.trim() !== '') invalidSearch('text stands outside of a clause')
  }

  close(): void {
    const closed = this.#open.pop() as Open
    if (closed.kind === 'peersearch') {
      if (closed.parts.length !== 1) invalidSearch('<peersearch> has exactly one child')
      this.#result = closed.parts[0]
    } else {
      this.#open.at(-1)?.parts.push(queryOf(closed))
    }
  }

  result(): Query {
    return this.#result ?? invalidSearch('the query is empty')
  }
}

/** Queries for Windows declare the namespace of their schema's schema. */
function isNamespace(kind: Open['kind'], name: string): boolean {
  return kind === 'peersearch' && /^xmlns(?::|$)/.test(name)
}

function kindOf(tag: SaxesTagPlain, parent: Open | undefined): Open['kind'] {
  const allowed =
    parent === undefined
      ? tag.name === 'peersearch'
      : parent.kind !== 'clause' && KINDS.has(tag.name)
  if (!allowed) invalidSearch(`<${tag.name}> is not allowed here`)
  return tag.name as Open['kind']
}

function queryOf({ kind, tag, parts, text }: Open): Query {
  if (kind === 'and' || kind === 'or') {
    if (parts.length === 0) invalidSearch(`<${kind}> is empty`)
    return { kind, parts }
  }
  const { attrib, type, compare = 'equal', ...others } = tag.attributes
  if (attrib === undefined || !isType(type) || !isComparison(compare)) {
    invalidSearch('a clause has attrib, type (string, int, date) and may have compare')
  }
  if (Object.keys(others).length > 0) invalidSearch('a clause has attrib, type and compare only')
  const value = type === 'string' ? text : text.trim()
  return { kind: 'clause', attribute: attrib, type, compare, value }
}

function isType(text: string | undefined): text is AttributeType {
  return text === 'string' || text === 'int' || text === 'date'
}

function isComparison(text: string | undefined): text is Comparison {
  return (COMPARISONS as readonly (string | undefined)[]).includes(text)
}
