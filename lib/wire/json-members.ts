import { parseAddress, parseEndpoint } from '../core/address-text.js'
import { fromHex } from '../core/bytes.js'
import type { Endpoint } from '../core/endpoint.js'
import { checkArgument } from '../core/errors.js'

const UINT32 = 0xffff_ffff

/**
 * The members of one JSON object, taken out by name and checked on the way. Every failure throws
 * ERR_PEERNET_INVALID_ARG and names the member.
 */
export class Members {
  readonly #members: Map<string, unknown>
  readonly #path: string

  constructor(value: unknown, path = '') {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    checkArgument(isObject, `${path === '' ? 'the line' : path} has to be an object`)
    this.#members = new Map(Object.entries(value))
    this.#path = path
  }

  has(name: string): boolean {
    return this.#members.get(name) !== undefined
  }

  /** Forgets members that carry no information of their own. */
  ignore(...names: string[]): void {
    for (const name of names) this.#members.delete(name)
  }

  /** Nothing may be left: a misspelt member must not be dropped in silence. */
  end(): void {
    const [left] = this.#members.keys()
    checkArgument(left === undefined, `${this.#nameOf(left ?? '')} is not a member of this object`)
  }

  #nameOf(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`
  }

  #take(name: string): unknown {
    const value = this.#members.get(name)
    checkArgument(value !== undefined, `${this.#nameOf(name)} is missing`)
    this.#members.delete(name)
    return value
  }

  object(name: string): Members {
    return new Members(this.#take(name), this.#nameOf(name))
  }

  text(name: string): string {
    const value = this.#take(name)
    checkArgument(typeof value === 'string', `${this.#nameOf(name)} has to be a string`)
    return value
  }

  number(name: string, maximum = UINT32): number {
    const value = this.#take(name)
    const isOne = typeof value === 'number' && Number.isInteger(value) && value >= 0
    const message = `${this.#nameOf(name)} has to be an integer from 0 to ${maximum}`
    checkArgument(isOne && value <= maximum, message)
    return value
  }

  /** A 64-bit number as decimal text. */
  bigNumber(name: string): bigint {
    const text = this.text(name)
    const isOne = /^\d{1,20}$/.test(text)
    checkArgument(isOne, `${this.#nameOf(name)} has to be a decimal number as a string`)
    return BigInt(text)
  }

  bytes(name: string): Uint8Array {
    return this.#hex(this.text(name), this.#nameOf(name))
  }

  #hex(text: unknown, name: string): Uint8Array {
    const bytes = typeof text === 'string' ? fromHex(text) : undefined
    checkArgument(bytes !== undefined, `${name} has to be hex text`)
    return bytes
  }

  #list(name: string): readonly unknown[] {
    const value = this.#take(name)
    checkArgument(Array.isArray(value), `${this.#nameOf(name)} has to be an array`)
    return value as unknown[]
  }

  byteArrays(name: string): Uint8Array[] {
    return this.#list(name).map((text) => this.#hex(text, `an entry of ${this.#nameOf(name)}`))
  }

  objects(name: string): Members[] {
    return this.#list(name).map((value, i) => new Members(value, `${this.#nameOf(name)}[${i}]`))
  }

  addresses(name: string): Uint8Array[] {
    return this.#list(name).map((text) => {
      const parsed = typeof text === 'string' ? parseAddress(text) : undefined
      const isOne = parsed !== undefined && parsed.zone === undefined
      checkArgument(isOne, `an entry of ${this.#nameOf(name)} has to be an IPv6 address`)
      return parsed.address
    })
  }

  endpoint(name: string): Endpoint {
    return this.#endpoint(this.#take(name), this.#nameOf(name))
  }

  endpoints(name: string): Endpoint[] {
    const entry = `an entry of ${this.#nameOf(name)}`
    return this.#list(name).map((text) => this.#endpoint(text, entry))
  }

  #endpoint(text: unknown, name: string): Endpoint {
    const isText = typeof text === 'string' && !text.includes('%')
    const endpoint = isText ? parseEndpoint(text) : undefined
    checkArgument(endpoint !== undefined, `${name} has to be "[IPv6 address]:port"`)
    return endpoint
  }

  /**
   * Named flags: booleans (false when absent), or bits of the number `flags`; both may be given
   * when they agree.
   */
  flags<Name extends string>(bits: Readonly<Record<Name, number>>): Record<Name, boolean> {
    const word = this.has('flags') ? this.number('flags', 0xffff) : undefined
    const names = Object.keys(bits) as Name[]
    const known = names.reduce((mask, name) => mask | bits[name], 0)
    const message = `${this.#nameOf('flags')} has to consist of known bits`
    checkArgument(word === undefined || (word & ~known) === 0, message)
    return Object.fromEntries(
      names.map((name) => [name, this.#flag(name, word, bits[name])]),
    ) as Record<Name, boolean>
  }

  #flag(name: string, word: number | undefined, bit: number): boolean {
    const inWord = word === undefined ? undefined : (word & bit) !== 0
    if (!this.has(name)) return inWord ?? false
    const value = this.boolean(name)
    const agrees = inWord === undefined || inWord === value
    checkArgument(
      agrees,
      `${this.#nameOf(name)} and ${this.#nameOf('flags')} contradict each other`,
    )
    return value
  }

  boolean(name: string): boolean {
    if (!this.has(name)) return false
    const value = this.#take(name)
    checkArgument(typeof value === 'boolean', `${this.#nameOf(name)} has to be true or false`)
    return value
  }

  /** `{ [as]: take(name) }` when the member is there, else nothing to spread. */
  optional<Value, Key extends string>(
    name: Key,
    take: (name: Key) => Value,
  ): { [key in Key]?: Value } {
    return this.has(name) ? ({ [name]: take(name) } as { [key in Key]?: Value }) : {}
  }
}
