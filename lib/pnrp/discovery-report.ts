/** Where discovery got an endpoint from. */
export type Source = 'remembered' | 'search' | 'seeds'

interface Contacts {
  /** This mode has been gone through; the counts are of the latest time. */
  tried: boolean
  asked: number
  answered: number
  /** Answered, but with nobody to offer. */
  empty: number
}

export interface Tally {
  remembered: Contacts
  search: Contacts & { unavailable?: string }
  seeds: Contacts & { lookingUp: boolean }
}

export function emptyTally(): Tally {
  const none = { tried: false, asked: 0, answered: 0, empty: 0 }
  return { remembered: { ...none }, search: { ...none }, seeds: { ...none, lookingUp: false } }
}

/** In words for people, e.g. 'nobody answered the multicast search, no seed is configured'. */
export function describeDiscovery(tally: Tally, searching: boolean): string {
  const { remembered, search, seeds } = tally
  const parts: string[] = []
  if (remembered.tried) parts.push(ofContacts(remembered, 'last-used node', 'last-used nodes'))
  if (search.tried) parts.push(ofSearch(tally, searching))
  if (seeds.tried) parts.push(ofSeeds(tally))
  return parts.length === 0 ? 'nobody has been asked yet' : parts.join(', ')
}

function ofSearch({ search }: Tally, searching: boolean): string {
  const { asked, unavailable } = search
  if (unavailable !== undefined) return `multicast search is not possible (${unavailable})`
  if (asked > 0) return ofContacts(search, 'node found by multicast', 'nodes found by multicast')
  return searching
    ? 'nobody has answered the multicast search yet'
    : 'nobody answered the multicast search'
}

function ofSeeds({ seeds }: Tally): string {
  if (seeds.asked > 0) return ofContacts(seeds, 'seed', 'seeds')
  return seeds.lookingUp
    ? 'the addresses of the seeds are being looked up'
    : 'no seed is configured that this node can use'
}

function ofContacts({ asked, answered, empty }: Contacts, one: string, many: string): string {
  if (asked === 0) return `the only ${one} is this node itself`
  const [subject, some] = asked === 1 ? [`the ${one}`, ''] : [`${asked} ${many}`, 'of ']
  if (answered > 0)
    return asked === 1 ? `${subject} answered` : `${answered} ${some}${subject} answered`
  if (empty > 0) {
    const found = 'answered but knows nobody else'
    return asked === 1 ? `${subject} ${found}` : `${empty} ${some}${subject} ${found}`
  }
  return asked === 1 ? `${subject} did not answer` : `none ${some}${subject} answered`
}
