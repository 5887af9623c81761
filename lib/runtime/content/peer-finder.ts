import { LIMITS } from '../../core/limits.js'
import { EventStream } from '../event-stream.js'
import type { FoundPeer, PeerDiscovery } from '../peer-discovery.js'
import type { FindPeers, PeerOffer, PeerSearch, WantedSegment } from './download-peers.js'
import { peerText } from './peer-address.js'

/** `findPeers` of fetchContent by discovery on the link (MS-PCCRD). */
export function peersOnLink(discovery: PeerDiscovery): FindPeers {
  return (_ids, search) => rounds(discovery, search)
}

/** Searches, and again when asked to while something is wanted. Ends with the search. */
async function* rounds(discovery: PeerDiscovery, search: PeerSearch): AsyncGenerator<PeerOffer> {
  const { signal, version } = search
  let sought: readonly WantedSegment[] = search.wanted()
  while (!signal.aborted) {
    if (sought.length > 0) {
      const asked = sought.map(({ id, blocks }) => ({ id, blocks }))
      for await (const found of discovery.find(asked, { version, signal })) yield offerOf(found)
    }
    search.roundOver(sought.map(({ id }) => id))
    try {
      await search.again()
    } catch {
      return
    }
    // In version 1 those who have a part may have more of it now.
    const isOpen = ({ peers }: WantedSegment): boolean =>
      version === 1 || peers < LIMITS.fetchPeersEnough
    sought = search.wanted().filter(isOpen)
  }
}

function offerOf({ address, port, segments, service }: FoundPeer): PeerOffer {
  const at = peerText(address, port)
  const named = segments.map(({ id, blocks }) => ({ id, blocks }))
  return { at, segments: named, ...(service === '' ? {} : { service }) }
}

/** Asks all of them at once; the first round is over when that of each is. */
export function allFinders(finders: readonly FindPeers[]): FindPeers {
  return (ids, search) => merged(finders, ids, search)
}

async function* merged(
  finders: readonly FindPeers[],
  ids: readonly Uint8Array[],
  search: PeerSearch,
): AsyncGenerator<string | PeerOffer> {
  const found = new EventStream<string | PeerOffer>(LIMITS.wsdSearchSegments)
  const [first, running] = [new Set(finders), new Set(finders)]
  let asked: Uint8Array[] = []
  const over = (find: FindPeers, some: readonly Uint8Array[]): void => {
    first.delete(find)
    asked.push(...some)
    if (first.size > 0) return
    search.roundOver(asked)
    asked = []
  }
  const run = async (find: FindPeers): Promise<void> => {
    const own: PeerSearch = {
      ...search,
      roundOver: (some) => {
        over(find, some)
      },
    }
    try {
      for await (const offer of find(ids, own)) found.push(offer)
    } catch {
      // One that fails does not stop the others.
    }
    running.delete(find)
    if (first.has(find)) over(find, [])
    if (running.size === 0) found.end()
  }
  for (const find of finders) void run(find)
  const end = (): void => {
    found.end()
  }
  search.signal.addEventListener('abort', end, { once: true })
  yield* found
}
