// The part of JSON Schema (draft 2020-12) that spec/decode.schema.json uses. A keyword it does not
// know is an error, so that no rule of the schema is passed over.

type Schema = Record<string, unknown>

const ANNOTATIONS = new Set(['$schema', '$defs', 'title', 'description'])

const TYPES: Record<string, (value: unknown) => boolean> = {
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
}

/** Every way in which the value breaks the schema, as text; empty when it is valid. */
export function schemaErrors(root: Schema, value: unknown): string[] {
  return check(root, root, value, '')
}

function resolve(root: Schema, reference: string): Schema {
  const name = /^#\/\$defs\/(\w+)$/.exec(reference)?.[1]
  const schema = name === undefined ? undefined : (root['$defs'] as Record<string, Schema>)[name]
  if (schema === undefined) throw new Error(`the schema has no ${reference}`)
  return schema
}

function check(root: Schema, schema: Schema, value: unknown, path: string): string[] {
  return Object.entries(schema).flatMap(([keyword, rule]) => {
    if (ANNOTATIONS.has(keyword)) return []
    return checkKeyword(root, schema, keyword, rule, value, path)
  })
}

function checkKeyword(
  root: Schema,
  schema: Schema,
  keyword: string,
  rule: unknown,
  value: unknown,
  path: string,
): string[] {
  const unless = (holds: boolean): string[] =>
    holds ? [] : [`${path || 'value'}: ${keyword} ${JSON.stringify(rule)}`]
  const size = Array.isArray(value) || typeof value === 'string' ? value.length : 0
  switch (keyword) {
    case '$ref':
      return check(root, resolve(root, rule as string), value, path)
    case 'oneOf':
      return checkOneOf(root, rule as Schema[], value, path)
    case 'type':
      return unless(TYPES[rule as string]?.(value) === true)
    case 'const':
      return unless(value === rule)
    case 'enum':
      return unless((rule as unknown[]).includes(value))
    case 'pattern':
      return unless(typeof value === 'string' && new RegExp(rule as string, 'u').test(value))
    case 'minimum':
      return unless(typeof value === 'number' && value >= (rule as number))
    case 'maximum':
      return unless(typeof value === 'number' && value <= (rule as number))
    case 'minItems':
    case 'minLength':
      return unless(size >= (rule as number))
    case 'maxItems':
    case 'maxLength':
      return unless(size <= (rule as number))
    case 'items':
      return (value as unknown[]).flatMap((item, i) =>
        check(root, rule as Schema, item, `${path}[${i}]`),
      )
    case 'required':
      return (rule as string[]).flatMap((name) => unless(Object.hasOwn(value as object, name)))
    case 'properties':
    case 'additionalProperties':
      return checkMembers(root, schema, keyword, value, path)
    default:
      throw new Error(`unknown keyword ${keyword}`)
  }
}

function checkOneOf(root: Schema, choices: Schema[], value: unknown, path: string): string[] {
  const errors = choices.map((choice) => check(root, choice, value, path))
  const matching = errors.filter((found) => found.length === 0).length
  if (matching === 1) return []
  return [`${path || 'value'}: oneOf matches ${matching} times`, ...errors.flat()]
}

function checkMembers(
  root: Schema,
  schema: Schema,
  keyword: string,
  value: unknown,
  path: string,
): string[] {
  const properties = schema['properties'] as Record<string, Schema>
  return Object.entries(value as object).flatMap(([name, member]) => {
    const known = properties[name]
    if (keyword === 'properties') {
      return known === undefined ? [] : check(root, known, member, `${path}.${name}`)
    }
    return known === undefined ? [`${path}.${name} is not a member`] : []
  })
}
