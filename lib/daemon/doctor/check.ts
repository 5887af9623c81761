/** A verdict of `peernet doctor`: what was looked at, what was seen, what to do about it. */
export interface Finding {
  readonly check: string
  readonly verdict: 'ok' | 'note' | 'problem'
  readonly seen: string
  /** What to do; only with 'note' and 'problem'. */
  readonly remedy?: string
}

export const ok = (check: string, seen: string): Finding => ({ check, verdict: 'ok', seen })

export const note = (check: string, seen: string, remedy?: string): Finding => ({
  check,
  verdict: 'note',
  seen,
  ...(remedy === undefined ? {} : { remedy }),
})

export const problem = (check: string, seen: string, remedy: string): Finding => ({
  check,
  verdict: 'problem',
  seen,
  remedy,
})
