import { SaxesParser, type SaxesTagPlain } from 'saxes'
import { checkArgument } from '../../core/errors.js'
import { LIMITS } from '../../core/limits.js'

/** Attributes of a record as XML, MS-PPGRH 2.2.3.5. */

export type AttributeType = 'string' | 'int' | 'date'

export interface RecordAttribute {
  /** 1 to 40 of 0-9, a-z, A-Z. A name may occur more than once. */
  readonly name: string
  readonly type: AttributeType
  /** Of an int: digits. Of a date: W3C NOTE-datetime, the zone may be missing. */
  readonly value: string
}

export type ParsedAttributes =
  | { readonly ok: true; readonly attributes: readonly RecordAttribute[] }
  /** `reason` is for people. */
  | { readonly ok: false; readonly code: 'ERR_PEERNET_BAD_ATTRIBUTES'; readonly reason: string }

/** Names that stand for fields of the record: no application record has them. */
export const RESERVED_ATTRIBUTE_NAMES: ReadonlySet<string> = new Set([
  'peerlastmodifiedby',
  'peercreatorid',
  'peerlastmodificationtime',
  'peerrecordid',
  'peerrecordtype',
  'peercreationtime',
])

const NAME = /^[0-9a-zA-Z]{1,40}$/
const INT = /^[0-9]+$/
const TIME = String.raw`T(\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?(?:Z|[+-](\d\d):(\d\d))?`
const DATE = new RegExp(String.raw`^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:${TIME})?)?)?$`)
const NOT_IN_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

class BadAttributes extends Error {}

function bad(reason: string): never {
  throw new BadAttributes(reason)
}

function isType(text: string | undefined): text is AttributeType {
  return text === 'string' || text === 'int' || text === 'date'
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function isDate(text: string): boolean {
  const parts = DATE.exec(text)
  if (parts === null) return false
  const number = (index: number, otherwise: number): number =>
    parts[index] === undefined ? otherwise : Number(parts[index])
  const [year, month, day] = [number(1, 0), number(2, 1), number(3, 1)]
  const isDay = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
  // ISO 8601 knows 24:00 and leap seconds.
  const hour = number(4, 0)
  const rest = number(5, 0) + number(6, 0)
  const isTime =
    number(5, 0) < 60 && number(6, 0) <= 60 && (hour < 24 || (hour === 24 && rest === 0))
  return isDay && isTime && number(7, 0) < 24 && number(8, 0) < 60
}

/** Why this is no attribute; undefined when it is one. */
function fault({ name, type, value }: RecordAttribute): string | undefined {
  if (!NAME.test(name)) return 'a name is 1 to 40 letters and digits'
  if (type === 'int' && !INT.test(value)) return `${name} is no int: digits only`
  if (type === 'date' && !isDate(value)) return `${name} is no date: ISO 8601, as 1972-04-04`
  if (NOT_IN_XML.test(value)) return `${name} has a character that XML does not allow`
  return undefined
}

/** Collects what the schema allows, and stops at the first thing that it does not. */
class Collector {
  readonly attributes: RecordAttribute[] = []
  #depth = 0
  #seenRoot = false
  #name = ''
  #type: AttributeType = 'string'
  #value = ''

  open(tag: SaxesTagPlain): void {
    this.#depth++
    if (this.#depth === 1) return this.#openRoot(tag)
    if (this.#depth > 2 || tag.name !== 'attribute') bad(`<${tag.name}> is not allowed here`)
    if (this.attributes.length === LIMITS.graphAttributes) bad('there are too many attributes')
    const { name, type, ...others } = tag.attributes
    if (name === undefined || !isType(type) || Object.keys(others).length > 0) {
      bad('an attribute has a name and a type, which is string, int or date')
    }
    this.#name = name
    this.#type = type
    this.#value = ''
  }

  text(text: string): void {
    if (this.#depth === 2) this.#value += text
    else if (text.trim() !== '') bad('text stands outside of an attribute')
  }

  close(): void {
    this.#depth--
    if (this.#depth !== 1) return
    const attribute = { name: this.#name, type: this.#type, value: this.#value }
    const wrong = fault(attribute)
    if (wrong !== undefined) bad(wrong)
    this.attributes.push(attribute)
  }

  #openRoot(tag: SaxesTagPlain): void {
    if (this.#seenRoot || tag.name !== 'attributes' || Object.keys(tag.attributes).length > 0) {
      bad('the root is <attributes>, without anything')
    }
    this.#seenRoot = true
  }
}

/**
 * Reads the XML of a record: no DTD, no entities but the five that XML has, no processing
 * instructions, nothing that the schema does not know (GA-30). The empty text has no attributes.
 */
export function parseAttributes(xml: string): ParsedAttributes {
  if (xml === '') return { ok: true, attributes: [] }
  const collector = new Collector()
  try {
    if (xml.length > LIMITS.graphAttributesUnits) bad('the XML is too long')
    const parser = new SaxesParser({ xmlns: false })
    parser.on('error', (error) => bad(error.message))
    parser.on('doctype', () => bad('a document type is not allowed'))
    parser.on('processinginstruction', () => bad('processing instructions are not allowed'))
    parser.on('opentag', (tag) => collector.open(tag))
    parser.on('text', (text) => collector.text(text))
    parser.on('cdata', (text) => collector.text(text))
    parser.on('closetag', () => collector.close())
    parser.write(xml).close()
  } catch (error) {
    if (!(error instanceof BadAttributes)) throw error
    return { ok: false, code: 'ERR_PEERNET_BAD_ATTRIBUTES', reason: error.message }
  }
  return { ok: true, attributes: collector.attributes }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  // A reader makes them line feeds, unless they are written so.
  '\r': '&#13;',
}

/**
 * The XML of these attributes.
 * @throws PeernetError ERR_PEERNET_INVALID_ARG when one of them is none, or there are too many
 */
export function writeAttributes(attributes: readonly RecordAttribute[]): string {
  checkArgument(
    attributes.length <= LIMITS.graphAttributes,
    `a record has at most ${LIMITS.graphAttributes} attributes`,
  )
  let xml = '<attributes>'
  for (const attribute of attributes) {
    const wrong = isType(attribute.type) ? fault(attribute) : 'a type is string, int or date'
    checkArgument(wrong === undefined, `attribute: ${wrong}`)
    const value = attribute.value.replaceAll(/[&<>\r]/g, (c) => ESCAPES[c] as string)
    xml += `<attribute name="${attribute.name}" type="${attribute.type}">${value}</attribute>`
  }
  xml += '</attributes>'
  checkArgument(xml.length <= LIMITS.graphAttributesUnits, 'the attributes are too long')
  return xml
}
