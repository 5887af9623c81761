import { promises as dns } from 'node:dns'
import { parseAddress, parseEndpoint } from '../core/address-text.js'
import type { Endpoint } from '../core/endpoint.js'
import { checkArgument } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import { orderDestinations } from '../pnrp/destination.js'

/** A configured seed: an address, or a name that is looked up each time it is used. */
export type Seed =
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint }
  | { readonly kind: 'name'; readonly name: string; readonly port: number }

/** Default port of a seed, MS-PNRP 3.1.4.2.1. */
export const SEED_PORT = 3540

/**
 * Reads `[address]:port`, `[address]`, `address`, `name:port` or `name` (N-66). Throws
 * ERR_PEERNET_INVALID_ARG.
 */
export function parseSeed(text: string): Seed {
  const endpoint = parseEndpoint(text)
  if (endpoint !== undefined) return checked({ kind: 'endpoint', endpoint }, endpoint.port, text)
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  const address = parseAddress(bare)?.address
  if (address !== undefined) return { kind: 'endpoint', endpoint: { address, port: SEED_PORT } }
  const match = /^([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?)(?::(\d{1,5}))?$/.exec(text)
  checkArgument(match !== null, `not a seed ([address]:port or name:port): ${text}`)
  const port = Number(match[2] ?? SEED_PORT)
  return checked({ kind: 'name', name: match[1] as string, port }, port, text)
}

function checked(seed: Seed, port: number, text: string): Seed {
  checkArgument(
    port >= LIMITS.lowestPort && port <= 65_535,
    `the port of a seed is ${LIMITS.lowestPort}..65535: ${text}`,
  )
  return seed
}

/** AAAA addresses of a name; tests hand in their own. */
export type ResolveAaaa = (name: string) => Promise<readonly string[]>

/** By the host's resolver, so that /etc/hosts counts too. */
const systemAaaa: ResolveAaaa = async (name) =>
  (await dns.lookup(name, { family: 6, all: true })).map(({ address }) => address)

/**
 * The seeds' present endpoints: names looked up (all at once; those that fail are left out), merged
 * and ordered by RFC 3484 section 6 as seen from `local` (MS-PNRP 3.1.4.2.1).
 */
export async function lookupSeeds(
  seeds: readonly Seed[],
  local: readonly Endpoint[],
  resolve: ResolveAaaa = systemAaaa,
): Promise<Endpoint[]> {
  const lists = await Promise.all(
    seeds.map(async (seed) => {
      if (seed.kind === 'endpoint') return [seed.endpoint]
      const texts = await resolve(seed.name).catch(() => [])
      return texts.flatMap((text) => {
        const parsed = parseAddress(text)
        return parsed === undefined ? [] : [{ address: parsed.address, port: seed.port }]
      })
    }),
  )
  return orderDestinations(lists.flat(), local).slice(0, LIMITS.seedEndpoints)
}
