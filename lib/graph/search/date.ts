const DATE =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/

const TICKS_PER_SECOND = 10_000_000n
/** Days from 0000-03-01 to 1601-01-01 in the proleptic Gregorian calendar. */
const DAYS_TO_1601 = 584_694

/** Days since 1601-01-01; a year begins in March, so that its leap day comes last. */
function daysSince1601(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1
  const m = month > 2 ? month - 3 : month + 9
  const leaps = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400)
  return y * 365 + leaps + Math.floor((153 * m + 2) / 5) + day - 1 - DAYS_TO_1601
}

function offsetMinutes(zone: string): number {
  if (zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))
  return zone.startsWith('-') ? -minutes : minutes
}

/**
 * FILETIME ticks of a date as attributes have it (W3C NOTE-datetime); what is left out is the
 * earliest, and a missing zone is UTC. Undefined: it is no date.
 */
export function dateTicks(text: string): bigint | undefined {
  const parts = DATE.exec(text)
  if (parts === null) return undefined
  const number = (index: number, otherwise: number): number => Number(parts[index] ?? otherwise)
  const days = daysSince1601(number(1, 0), number(2, 1), number(3, 1))
  const minutes = number(4, 0) * 60 + number(5, 0) - offsetMinutes(parts[8] ?? 'Z')
  const seconds = BigInt(days * 86_400 + minutes * 60 + number(6, 0))
  return seconds * TICKS_PER_SECOND + BigInt((parts[7] ?? '').padEnd(7, '0').slice(0, 7))
}
