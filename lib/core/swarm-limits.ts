import { milliseconds, seconds } from './instant.js'

/** The part of LIMITS (limits.ts) for who fetches what when many peers download together. */
export const SWARM_LIMITS = {
  // Swarms: who fetches what
  /** How long the first search may keep the origin waiting; answers come within 65 ms (D 3.2.2). */
  swarmHoldUs: milliseconds(120),
  /** How long the first block lists of newly found peers may. */
  swarmFirstListUs: milliseconds(300),
  /** So often at least everything is considered anew. */
  swarmTickUs: milliseconds(250),
  /** Between searches; doubles from the first to the last. */
  swarmSearchFirstUs: milliseconds(150),
  swarmSearchLastUs: seconds(4),
  /** Segments of one such search: three probes of version 2. */
  swarmSearchSegments: 39,
  /** Peers of one download that are asked, and names kept of those that are not any more. */
  swarmPeers: 64,
  swarmStruck: 1024,
  /** Blocks asked of a peer at a time before it has proved itself. */
  swarmSlotsFirst: 2,
  /** So many blocks that a peer has not in a row make it pause, or be tried less. */
  swarmMisses: 4,
  /** Until a peer's list, or what it lacks, is asked again; doubles while nothing is new. */
  swarmRefreshMinUs: milliseconds(100),
  swarmRefreshMaxUs: milliseconds(300),
  /** Block lists under way at a time, and between those that ask again. */
  swarmLists: 8,
  swarmListPauseUs: milliseconds(20),
  /** For so long after somebody asked us for blocks of it, one more is taken to download it. */
  swarmNoticeUs: seconds(1),
  /** A peer counts as one that downloads so long after it was found, or had more than before. */
  swarmFoundUs: milliseconds(500),
  swarmGrowthUs: seconds(2),
  /** A block that is so late (four times the usual, within these) is asked elsewhere as well. */
  swarmLateMinUs: milliseconds(250),
  swarmLateMaxUs: seconds(1),
  /** A peer whose blocks take so long is no reason to spare the origin. */
  swarmSlowUs: milliseconds(500),
  /** A peer that failed pauses so long, doubling; so many failures in a row strike it out. */
  swarmPauseUs: milliseconds(250),
  swarmStrikes: 3,
  /** How long one range of the origin may take: alone, and among others; and its bytes. */
  swarmRunAloneUs: milliseconds(400),
  swarmRunSharedUs: milliseconds(100),
  swarmRunBytes: 4 * 1024 * 1024,
  swarmRuns: 2,
  /** From so many others on, one range at a time is enough. */
  swarmCrowd: 8,
  /** So long a download expects others that began with it, unless the origin is as fast as this. */
  swarmYoungUs: milliseconds(700),
  swarmFastBytesPerSecond: 32 * 1024 * 1024,
  /** Blocks side by side that are one peer's to fetch; how long others wait for it to do so. */
  swarmGroupBlocks: 4,
  swarmPatienceUs: milliseconds(400),
  swarmPatienceMaxUs: seconds(3),
  /** An origin that failed is asked again after this, doubling. */
  swarmOriginMinUs: milliseconds(250),
  swarmOriginMaxUs: seconds(4),
} as const
