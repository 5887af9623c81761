/** A pattern's character: itself, `*` (any text) or `?` (any one character). */
type Token = { readonly literal: string } | 'any' | 'one'

/** Escapes are `\*`, `\?` and `\\`; a backslash before anything else is itself. */
function tokens(pattern: string): Token[] {
  const out: Token[] = []
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern.charAt(i)
    const next = pattern.charAt(i + 1)
    if (c === '\\' && (next === '*' || next === '?' || next === '\\')) {
      out.push({ literal: next })
      i++
    } else if (c === '*') {
      if (out.at(-1) !== 'any') out.push('any')
    } else {
      out.push(c === '?' ? 'one' : { literal: c })
    }
  }
  return out
}

/** The text that a pattern stands for; undefined when it has wildcards. */
export function plainText(pattern: string): string | undefined {
  let text = ''
  for (const token of tokens(pattern)) {
    if (typeof token === 'string') return undefined
    text += token.literal
  }
  return text
}

/** The pattern that matches this text only. */
export function escapeWildcards(text: string): string {
  return text.replaceAll(/[\\*?]/g, '\\$&')
}

/** A test for texts that match a pattern as a whole. It takes pattern times text at most. */
export function wildcardTest(pattern: string): (text: string) => boolean {
  const plain = plainText(pattern)
  if (plain !== undefined) return (text) => text === plain
  const all = tokens(pattern)
  return (text) => matches(all, text)
}

function matches(all: readonly Token[], text: string): boolean {
  let token = 0
  let at = 0
  // Where to go on when a later part fails: behind the last `*`, one character further.
  let retryToken = -1
  let retryAt = 0
  while (at < text.length) {
    const current = all[token]
    if (current === 'any') {
      retryToken = ++token
      retryAt = at
    } else if (current === 'one' || current?.literal === text.charAt(at)) {
      token++
      at++
    } else if (retryToken >= 0) {
      token = retryToken
      at = ++retryAt
    } else {
      return false
    }
  }
  while (all[token] === 'any') token++
  return token === all.length
}
