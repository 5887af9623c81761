import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { LIMITS } from '../../core/limits.js'
import type { FindPeers, PeerOffer, PeerSearch } from './download-peers.js'
import { RetrievalClient } from './retrieval-client.js'

/**
 * `findPeers` of fetchContent by a hosted cache: it is asked for lists of segments, which only
 * hosted caches are (MS-PCCRR 3), so that not each segment that it lacks costs an exchange.
 */
export function segmentsInHostedCache(at: string, requestMs?: number): FindPeers {
  return (_ids, search) => rounds(at, search, requestMs)
}

/** Again after a while for what it lacked: others may have offered it. */
async function* rounds(
  at: string,
  search: PeerSearch,
  requestMs: number | undefined,
): AsyncGenerator<PeerOffer> {
  const { signal } = search
  const client = new RetrievalClient(requestMs === undefined ? {} : { requestMs })
  let wait: number = LIMITS.fetchSearchMinMs
  try {
    while (!signal.aborted) {
      const ids = search.wanted().flatMap(({ id, peers }) => (peers === 0 ? [id] : []))
      if (ids.length > 0) {
        const answer = await client.segmentList(at, ids, randomBytes(16), signal)
        if (!answer.ok && answer.failure !== 'timeout') return
        const held = answer.ok ? ids.filter((_, i) => answer.value[i]) : []
        if (held.length > 0) yield { at, segments: held.map((id) => ({ id })) }
      }
      search.roundOver(ids)
      await delay(wait, undefined, { signal, ref: false })
      wait = Math.min(wait * 2, LIMITS.fetchSearchMaxMs)
    }
  } catch {
    // The download is over.
  } finally {
    client.close()
  }
}
