import * as assert from 'uvu/assert'

/** The value with byte arrays as hex text, so that a difference can be read. */
function readable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return value.map(readable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, readable(member)]))
}

/** Deep equality of objects that hold byte arrays (Buffer or not). */
export function same(actual: unknown, expected: unknown, message?: string): void {
  assert.equal(readable(actual), readable(expected), message)
}
