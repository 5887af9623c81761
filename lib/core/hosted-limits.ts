import { milliseconds, seconds } from './instant.js'

/** The part of LIMITS (limits.ts) that belongs to hosted caches. */
export const HOSTED_LIMITS = {
  // Hosted cache (MS-PCHC)
  /** 3.2.2: requests are forgotten when the tick counter is more than 2 beyond their start. */
  hostedTickUs: seconds(5),
  hostedTicks: 2,
  /** 3.2.4 <9>: the share of a segment's blocks that have to be new before it is offered. */
  hostedOfferShare: 0.2,
  /** Ours: how long segments of version 2 are gathered for one offer; 2.2.1.5: most in one. */
  hostedBatchUs: milliseconds(200),
  hostedBatchSegments: 128,
  /** Ours: segments that a client keeps count of, and requests it waits for. */
  hostedCounted: 4096,
  hostedRequests: 64,
  /** Ours: what a cache fetches at a time, in all and from one client; what waits for that. */
  hostedPulls: 32,
  hostedPullsPerSource: 8,
  hostedPullsWaiting: 65_536,
  hostedPullsWaitingPerSource: 16_384,
  /** Ours: blocks of a segment asked for at a time. */
  hostedPullBlocks: 4,
  /** Ours: a pull may take so many milliseconds, and longer by what its bytes take at this rate. */
  hostedPullMs: 10_000,
  hostedPullBytesPerS: 262_144,
  /** Ours: blocks in a row that a client may fail to give. */
  hostedPullFailures: 3,
  /** Ours: segments whose hashes are known and of which no block has come yet. */
  hostedLearned: 1024,
  /** R 3.2.1 <13>. */
  hostedClients: 1024,
  hostedConnections: 1024,
  /** 2.2.1.4 with content information of 64 KiB; milliseconds to receive it in. */
  hostedOfferBytes: 65_568,
  hostedAnswerBytes: 64,
  hostedOfferMs: 15_000,
  /** Ours (DA-27): offers dealt with at a time; of one client in the long run and at once. */
  hostedOffers: 64,
  hostedOffersPerS: 50,
  hostedOfferBurst: 200,
  /** Ours: clients whose rate is remembered. */
  hostedSources: 4096,
  /** Ours (DA-27), milliseconds: before that nothing is fetched anew because another offers it. */
  hostedTrustMs: 10_000,
  /** Ours: how often what is too old is looked for. */
  hostedTrimMs: 3_600_000,
  /** Ours: segments of which blocks are kept as they came. */
  replaySegments: 65_536,
  /** Ours, milliseconds: a cache that asks for nothing for so long has what it wants. */
  hostedSettleIdleMs: 1000,
} as const
