import { parseAddress } from '../../core/address-text.js'
import { PeernetError } from '../../core/errors.js'
import { parseGuid } from '../../core/guid.js'
import type { FilterCondition, RecordFilter } from '../../graph/search/filter.js'
import type { RecordAttribute } from '../../wire/graph/attributes.js'

/** Type of the records that texts become when no other is given; see spec/deviations.md. */
export const TEXT_TYPE = '70656572-6e65-7400-7465-787400000001'

function invalid(message: string): PeernetError {
  return new PeernetError('ERR_PEERNET_INVALID_ARG', message)
}

const ATTRIBUTE = /^([0-9a-zA-Z]{1,40})(?::(string|int|date))?=(.*)$/s

/** `name=text`, `name:int=3`, `name:date=2026-01-31`. */
export function parseAttribute(text: string): RecordAttribute {
  const match = ATTRIBUTE.exec(text)
  if (match === null) {
    throw invalid(
      'not name=value, name:int=value or name:date=value ' +
        `(a name is 1 to 40 of 0-9 a-z A-Z): ${text}`,
    )
  }
  const [, name = '', type = 'string', value = ''] = match
  return { name, type: type as RecordAttribute['type'], value }
}

const TERM = /^([0-9a-zA-Z]{1,40})(?::(string|int|date))?\s*(>=|<=|!=|=|<|>)\s*(.*)$/s
const NUMBER = /^[0-9]{1,18}$/
const COMPARISONS = {
  '=': 'equal',
  '!=': 'notEqual',
  '<': 'less',
  '>': 'greater',
  '<=': 'lessOrEqual',
  '>=': 'greaterOrEqual',
} as const satisfies Record<string, keyof FilterCondition>

/**
 * `name=value`, also with `!=`, `<`, `>`, `<=` and `>=`; `name=v*` and `name=v?` are patterns.
 * Digits are numbers, or texts that are the same; `name:string=007` is text only,
 * `name:date>=2026-01` a date.
 */
export function parseTerm(text: string): RecordFilter {
  const match = TERM.exec(text)
  if (match === null) {
    throw invalid(`not XML, nor name=value, name>=value and the like: ${text}`)
  }
  const [, name = '', given, sign = '=', value = ''] = match
  const comparison = COMPARISONS[sign as keyof typeof COMPARISONS]
  const compared = (type: RecordAttribute['type']): RecordFilter => ({
    attributes: { [name]: { type, [comparison]: value } },
  })
  if (given === undefined && NUMBER.test(value)) {
    // Whoever published it may have written it as a text; texts have another order.
    const isEquality = sign === '=' || sign === '!='
    return isEquality ? { or: [compared('int'), compared('string')] } : compared('int')
  }
  const type = (given ?? 'string') as RecordAttribute['type']
  if (sign === '=' && type === 'string' && /[*?]/.test(value)) {
    return { attributes: { [name]: { type, like: value } } }
  }
  if (type === 'int' && !NUMBER.test(value)) throw invalid(`not a whole number: ${text}`)
  return compared(type)
}

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `90s`, `5m`, `2h`, `7d`: milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(s|m|h|d)$/.exec(text)
  if (match === null) throw invalid(`not a time such as 90s, 5m, 2h or 7d: ${text}`)
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]
}

/** Any date and time that JavaScript reads; ISO 8601. */
export function parseDate(text: string): string {
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) {
    throw invalid(`not a date such as 2026-01-31 or 2026-01-31T18:00Z: ${text}`)
  }
  return date.toISOString()
}

export function parseGuidText(text: string, what: string): string {
  if (parseGuid(text) !== undefined) return text
  throw invalid(`${what} is a GUID such as ${TEXT_TYPE}, not ${text}`)
}

export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN
  if (port <= 65_535) return port
  throw invalid(`not a port number: ${text}`)
}

/** `[address]:port`, `[address]` or `address`. */
export function parseListen(text: string): { readonly address: string; readonly port?: number } {
  const [, bracketed, port] = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text) ?? []
  const address = bracketed ?? text
  if (parseAddress(address) === undefined) {
    throw invalid(`not an IPv6 address or [address]:port: ${text}`)
  }
  return port === undefined ? { address } : { address, port: parsePort(port) }
}
