/** Limits of content distribution between peers, part of LIMITS. Times in milliseconds. */
export const CONTENT_LIMITS = {
  // Finding peers
  /** Index for discovery: how old what it says of other processes' work may be; lookups at once. */
  cacheIndexMs: 2000,
  cacheIndexLookups: 16,
  /** How long a peer waits for the index of a large cache before it answers others. */
  cacheIndexStartMs: 500,
  /** Segments remembered as not there. */
  cacheIndexAbsent: 4096,
  /** Peers given up that are remembered, and segments of a peer that are kept. */
  fetchDroppedPeers: 1024,
  fetchClaims: 65_536,
  /** Segments looked for in one round: 16 probes; times from one round to the next. */
  fetchSearchSegments: 128,
  fetchSearchMinMs: 1000,
  fetchSearchMaxMs: 8000,
  /** A segment that so many peers have is not looked for again. */
  fetchPeersEnough: 4,
  /** Content put aside until its hashes are there; how often they are asked for, from when on. */
  fetchAsideBytes: 1024 * 1024 * 1024,
  fetchHashRequests: 5,
  fetchHashRequestMs: 250,

  /** A client of the file server that takes nothing for so long is cut off. */
  serveIdleMs: 60_000,

  // Peers by names in a cloud: an extension of ours
  /** Segments of a content that get names, and names of one peer. */
  cloudSegments: 4,
  cloudNames: 64,
  /** Peers looked for by one name, for how long, and how often while a download goes on. */
  cloudPeers: 8,
  cloudResolveMs: 5000,
  /** How long others wait for the first round in a cloud. */
  cloudPatienceMs: 1000,
  cloudSearchMs: 10_000,
} as const
