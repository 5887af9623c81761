import { CONTENT_LIMITS } from './content-limits.js'
import { GRAPH_LIMITS } from './graph-limits.js'
import { HOSTED_LIMITS } from './hosted-limits.js'
import { hours, milliseconds, minutes, seconds } from './instant.js'
import { SWARM_LIMITS } from './swarm-limits.js'

/**
 * Every limit and timer of the TypeScript side, in one place. Times are microseconds. The C side's
 * are in native/core/limits.h; spec/limits.md lists both with their reasons.
 */
export const LIMITS = {
  // Timers of MS-PNRP
  /** 3.1.2 Message Retransmission Timer. */
  retransmissionIntervalUs: seconds(1),
  /** 3.1.6.3: two transmissions in all. */
  retransmissionCount: 2,
  /** 3.1.2 Maintenance Timer; Windows note <1> for a nearly empty cache. */
  maintenanceIntervalUs: seconds(15),
  maintenanceIntervalSparseUs: seconds(10),
  maintenanceSparseEntries: 2,
  /** 3.1.2 Cloud Cleanup Timer. */
  cloudCleanupUs: minutes(15),
  /** 3.2.2 Conversation Timer. */
  conversationUs: seconds(15),
  /** 2.2.3.1 Not After, N-54: signed for each INQUIRE, 24 hours ahead. */
  cpaLifetimeUs: hours(24),
  /** N-54: the registration walk is repeated this often. */
  reannounceIntervalUs: hours(24),
  /** N-56: default deadline of an application resolve. */
  resolveDeadlineUs: seconds(30),
  /** N-58: an entry validated more recently than this is not validated again. */
  revalidateAfterUs: seconds(60),

  // Resolve walk
  /** 3.1.4.4.2: stop when SuspiciousCount exceeds this. */
  suspiciousCount: 6,
  /** 3.1.4.4.2: stop when TotalUsefulHops exceeds this. */
  totalUsefulHops: 22,
  /** 3.1.5.6.1: a hop is dropped at this UseCount. */
  useCount: 3,
  /** 3.1.4.4.2: LOOKUP carries A while the cache holds fewer entries. */
  sparseCacheEntries: 8,
  /** LOOKUPs of one resolve: every useful hop three times. Silent nodes count here only. */
  lookupsPerResolve: 66,
  /** Gaps between the registrations of a name found so far that are searched for more. */
  collectingGaps: 3,
  /** 2.2.2.8, 2.2.2.4. */
  flaggedPath: 22,
  floodedList: 22,
  /**
   * Soft timeout of a LOOKUP (design lesson "Timeouts"), bounds and factor over the smoothed RTT.
   */
  softTimeoutMinUs: milliseconds(20),
  softTimeoutMaxUs: milliseconds(350),
  softTimeoutRttFactor: 4,
  /** An INQUIRE makes the publisher sign: it gets this many times longer. */
  softTimeoutInquireFactor: 3,

  /** N-05: sockets bind from this port on, and lower ports make an endpoint unusable. */
  lowestPort: 1025,
  /** Longest UDP payload handled (PN_UDP_PAYLOAD_MAX of native/udp/limits.h): longer is dropped. */
  datagramBytes: 2048,
  /** Datagrams, effects and events of one node that the driver carries out before others' turn. */
  outputsPerTurn: 1024,
  /** Nodes whose timers the driver serves before sockets get their turn. */
  timeoutsPerTurn: 256,
  /**
   * Remote endpoints of which a node with several addresses remembers by which it talks to them.
   */
  rememberedPaths: 256,
  /** A wall clock that was set by less than this is not reported to the clouds. */
  wallClockStepMs: 500,
  /** Datagrams that wait for one busy socket (PN_UDP_WAITING_PER_SOCKET); more are dropped. */
  datagramsWaiting: 32,

  // Certificates
  /** 2.2.3.5: subject, issuer and alternative names, in characters without the NUL. */
  certificateNameUnits: 255,
  /** 2.2.3.5. */
  serialBytes: 16,
  /** What an AUTHORITY_BUFFER holds besides the other elements at their largest (2.2.2.6.1). */
  certificateChainBytes: 31_840,
  /** Ours: the deepest value in a certificate chain is nested 12 deep. */
  derDepth: 16,

  // Identities
  /** An identity or delegation file; a chain of the longest kind is 42 KB of text. */
  identityFileBytes: 65_536,
  /** Memory that opening a key under a password may take. */
  scryptBytes: 64 * 1024 * 1024,

  // Signing and verifying
  /** Jobs that wait for the thread pool or run on it; more are refused (N-68). */
  cryptoBacklog: 512,
  /** Operations that go to the thread pool together, and how many such batches at once. */
  cryptoBatch: 16,
  cryptoBatchesInFlight: 2,
  /** Time that crypto may take on the main thread: what may be saved up, and the share of it. */
  cryptoInlineBurstUs: milliseconds(2),
  cryptoInlineShare: 0.5,
  /** Parsed public keys kept for the next signature by the same publisher. */
  publicKeys: 1024,
  /** Hashes of classifiers kept for each of the five encodings (N-02). */
  classifierHashes: 128,

  // Names
  /** Observations in a row that overturn a settled trait of the dialect. */
  dialectEvidence: 8,

  // Tables that strangers or callers can fill (each is a named bound, none grows beyond it)
  localEndpoints: 4,
  localRegistrations: 4096,
  pendingExchanges: 4096,
  outstandingResolves: 1024,
  pendingAdmissions: 128,
  pendingAdmissionsPerSource: 16,
  pendingAdmissionsPerPrefix: 96,
  /** Incomplete AUTHORITY_BUFFERs, and the bytes they may hold (a full one has 37,348). */
  reassemblies: 128,
  reassembliesPerSource: 64,
  reassemblyBytes: 512 * 1024,
  /** Of its 441 slots of a fragment each (1,188 bytes), for all ports of one address: a quarter. */
  reassemblySlotsPerAddress: 110,
  /** Conversations of the joining side, and pings, under way. */
  conversationsJoining: 64,
  pings: 64,
  /** 3.2.1 Conversation Table; one that had so long to answer makes room when it is full. */
  conversations: 1024,
  conversationsPerSource: 4,
  conversationEvictableUs: seconds(3),
  /** INQUIREs and revokes that wait for the crypto port (N-68). */
  pendingSignatures: 1024,
  pendingRevokes: 64,
  /** IDs in an ADVERTISE (3.2.5.3) and in a REQUEST, SSDP answers used, nodes kept on disk <2>. */
  advertisedIds: 5,
  requestedIds: 37,
  ssdpTargets: 5,
  /** Seed addresses used, from names and literal ones together. */
  seeds: 32,
  lastUsedNodes: 10,
  /** They are stored at least every so many maintenance ticks. */
  lastUsedTicks: 40,
  /** Route entry cache of a node with one PNRP ID; further IDs add their leaf sets. */
  routeCacheEntries: 256,
  /** When to ask a seed again that has got to know us but knew nobody else. */
  reintroduceUs: [milliseconds(150), milliseconds(600), seconds(2)],
  /** How often the host's addresses are looked at for changes, milliseconds. */
  addressPollMs: 2_000,
  /** Seeds' addresses after looking up their names. */
  seedEndpoints: 32,
  /** Progress events kept for a reader of a resolution who lags behind. */
  resolutionEvents: 4096,
  cloudEvents: 1024,
  /** 3.2.1: members on each side. */
  leafSetSide: 5,
  /** 3.2.1.1: entries spread over the ring that a cache should have. */
  spreadEntries: 10,

  // Discovery: how long a round waits for answers before it goes on to the next mode (3.1.4.2)
  discoveryRememberedUs: milliseconds(250),
  /** The first answers on a link; later ones still count. */
  discoverySearchUs: milliseconds(150),
  /** For one seed, before the next is asked too. */
  discoverySeedUs: milliseconds(400),
  /** For the DNS. */
  seedLookupUs: seconds(5),
  /** Answers to a search with MX:3 have arrived by then. */
  ssdpSearchUs: milliseconds(3500),

  // SSDP
  ssdpMessageBytes: 1500,
  ssdpLines: 40,
  ssdpLineBytes: 512,
  /** A search goes out a second time after this. */
  ssdpRepeatUs: milliseconds(100),
  /** Announcements taken for answers between searches (a burst of `ssdpTargets`). */
  ssdpAlivePerSecond: 0.1,
  /** Search targets announced by one cloud. */
  ssdpAnnouncements: 4,
  /** Answers are spread over this time or the searcher's MX, whichever is shorter. */
  ssdpAnswerWindowUs: seconds(1),
  /** One answer to a source (address and port) in this time; so many sources are remembered. */
  ssdpAnswerPauseUs: seconds(2),
  ssdpSources: 256,
  /** Answers to all sources together (about 250 bytes each), and those waiting for their moment. */
  ssdpAnswersPerSecond: 16,
  ssdpAnswersWaiting: 64,

  // Publisher: announcing and leaving
  /** Registration walks under way at a time; further ones queue. */
  concurrentAnnouncements: 32,
  /** The entries of one synchronization arrive together: the first walk waits for them. */
  announceSettleUs: milliseconds(50),
  /**
   * Design lesson "Joining fast breaks leaf sets": when the walk is repeated, one number a repeat.
   */
  announceRepeatsUs: [seconds(2), seconds(8), seconds(20)],
  /** A walk that nobody answered is tried again after this. */
  announceRetryUs: seconds(5),
  /** A name is 'lonely' when nobody was found for so long; how often this is looked at. */
  lonelyAfterUs: seconds(5),
  lonelyCheckMinUs: milliseconds(10),
  lonelyCheckMaxUs: milliseconds(500),
  /** Leaving is over after this, answered or not: SIGINT has two seconds in all. */
  leaveUs: milliseconds(1800),
  /** PNRP IDs that leave at a time, each with up to four FLOODs; further ones queue. */
  concurrentDepartures: 64,
  /** Nodes that were given a CPA lately and are told when the name goes, and what lately means. */
  recentAskers: 32,
  recentAskerUs: minutes(10),

  /**
   * Leaf set floods sent a second and saved up, so that nobody can make us a source of storms; what
   * is withheld, leaf set probes make good. A node with many PNRP IDs (16 and more) may send more.
   */
  floods: { perSecond: 50, burst: 200 },
  floodsRegistrations: 16,

  // Publisher: maintenance
  /** Leaf set probes: local IDs a turn, and how long after a change (half to one and a half). */
  leafProbesPerTurn: 4,
  leafProbeDelayUs: seconds(1),
  /**
   * Liveness: each cached node proves itself within this time, or is asked. A dead one is given up
   * after two INQUIREs of two transmissions each (4 s), so that no cache of a small cloud holds it
   * after 30 s (22 + 2.5 + 4). Cost: N / 22 INQUIREs of 56 bytes a second for N entries, 2.3/s at
   * 50.
   */
  livenessWithinUs: seconds(22),
  livenessTickUs: milliseconds(2500),
  /** Small: a cache of at most so many entries, in a cloud of about at most so many nodes. */
  livenessSmallCache: 64,
  livenessSmallCloud: 256,
  /** Leaf sets that this judgement looks at. */
  cloudSizeSample: 64,
  /** Big clouds: 10 leaf set members within 45 s and the others within 3 minutes: 0.5/s at 50. */
  livenessBigLeafWithinUs: seconds(45),
  livenessBigFarWithinUs: minutes(3),
  livenessBigTickUs: seconds(15),
  /**
   * Nodes that stopped answering: how many are remembered and for how long; one is asked a tick.
   */
  lostNodes: 16,
  lostNodeUs: hours(1),
  /** Conversations that a node without cache entries starts with nodes it knew, each tick. */
  rejoinConversations: 3,
  /** Split tests under way: one, and on evidence one for each further local ID up to this. */
  concurrentSplitTests: 16,

  // Graph maintenance (MS-PPGRH 3.1.2; sections there)
  /** Graph Maintenance Timer with a neighbour and without, 3.1.6.6. */
  graphMaintenanceUs: seconds(300),
  graphMaintenanceAloneUs: seconds(30),
  /** Whole seconds, uniform, 3.1.2: Contact, Partition Detection and Presence Timer. */
  graphContactDelayS: [10, 180],
  graphPartitionDelayS: [5, 30],
  graphPresenceDelayS: [30, 180],
  /** 3.1.7.11: a signature above our node ID; the back-off when there is none; 3.1.6.4. */
  graphSignatureDelayUs: milliseconds(100),
  graphSignatureBackoffUs: seconds(29.9),
  graphSignatureIdleUs: hours(24),
  /** Seconds that internal records live, 3.1.7.5-7. */
  graphInfoLifetimeS: 300,
  graphSignatureLifetimeS: 300,
  graphContactLifetimeS: 900,
  /** 2.2.3.1: what a Max Record Size of 0 stands for. */
  graphMaxRecordBytes: 62_914_560,
  /** 3.1.7.12: Cmin of a small graph, Cmax - Cmin; 3.1.6.9: presence records above the maximum. */
  graphContactsMin: 5,
  graphContactsSlack: 5,
  graphPresenceSlack: 10,
  /** 2.2.3.1: Presence Lifetime, seconds; length of friendly name and comment without the NUL. */
  graphPresenceLifetimeMinS: 300,
  graphFriendlyNameUnits: 255,
  graphCommentUnits: 511,

  // Graph maintenance: what 3.1.7.14 leaves open
  /** An attempt that has taken so long is not waited for: another candidate is tried as well. */
  graphAttemptUs: seconds(5),
  /** Attempts of connection maintenance that are remembered until they succeed or fail. */
  graphTries: 64,
  /** A candidate that failed is left out for so long; so many are remembered. */
  graphFailedUs: seconds(60),
  graphFailed: 256,
  /** Candidates tried in one go when they fail at once. */
  graphCandidatesPerAttempt: 3,
  /**
   * When the next attempt follows, from and to, seconds: without neighbours, with less than the
   * minimum, and with less than the ideal number. By the text 30 and 300 s pass, and neighbours die
   * in crowds; those that were left with two make the longest ways.
   */
  graphRetryAloneS: [1, 3],
  graphRetryMinS: [2, 6],
  graphRetryIdealS: [5, 15],
  /** When there was nobody to try. */
  graphRetryIdleUs: seconds(30),
  /**
   * At so many of its timers a node with exactly the ideal number of neighbours tries one more; the
   * least useful goes at the next. It keeps the mesh well mixed and its mean degree near 3.8 (a
   * random graph of degree 3 and 200 nodes has a diameter of 10 or 11), and it finds back across a
   * healed cut.
   */
  graphTuneShare: 0.55,
  /** Signature and contact records are left to those who know, for so long after joining. */
  graphSettleUs: seconds(30),
  /** Own internal records that others changed, or the signature's change, wait so long. */
  graphRepublishUs: seconds(1),
  /** A contact's record that is older than this is renewed at the maintenance timer. */
  graphContactRefreshS: 240,
  /** Signature and contact records that claim to live longer than their lifetime and this. */
  graphLifetimeSlackS: 1200,
  /** 3.1.7.15: the application is not asked for a connection more often. */
  graphConnectionRequiredUs: seconds(30),
  /** How long it has to connect although there are neighbours (against 3.1.4.9). */
  graphRepairTurnUs: seconds(60),
  /** Presence and Contact List (3.1.1), addresses of each entry, node attributes in units. */
  graphPresenceEntries: 16_384,
  /** A presence record that lives longer is no node's, unless the graph's lifetime is longer. */
  graphPresenceLifetimeMostS: 7 * 86_400,
  graphContactEntries: 1024,
  graphNodeAddresses: 16,
  graphNodeAttributeUnits: 4096,
  /**
   * Addresses of nodes that left without a word: when their presence was last renewed is where a
   * repair's sync by time begins (GA-54), a little earlier; that of unknown nodes so far back.
   */
  graphDeparted: 1024,
  graphRepairSlackS: 60,
  graphRepairUnknownS: 86_400,
  /** How much earlier a node's sync by time begins that lost all its neighbours. */
  graphLostTouchUs: minutes(15),

  // What strangers may draw (issue: budgets per source prefix and in total)
  /**
   * Tokens a second and saved up, for all, for a /64 and for one address. An INQUIRE answer costs
   * a signature (0.2 ms) and, in the worst case, 32 datagrams for a request of 76 bytes, so one
   * address gets what a busy neighbour needs; the total is what a core can sign. A LOOKUP or a
   * SOLICIT costs microseconds.
   */
  budgets: {
    inquire: {
      total: { perSecond: 10_000, burst: 10_000 },
      prefix: { perSecond: 1_000, burst: 2_000 },
      address: { perSecond: 250, burst: 500 },
    },
    lookup: {
      total: { perSecond: 100_000, burst: 100_000 },
      prefix: { perSecond: 10_000, burst: 20_000 },
      address: { perSecond: 2_500, burst: 5_000 },
    },
    solicit: {
      total: { perSecond: 2_000, burst: 2_000 },
      prefix: { perSecond: 200, burst: 400 },
      address: { perSecond: 20, burst: 40 },
    },
  },
  /** Sources remembered for each budget and granularity, the least recent forgotten first. */
  budgetSources: 512,

  ...GRAPH_LIMITS,
  ...HOSTED_LIMITS,
  ...SWARM_LIMITS,

  // WS-Discovery (MS-PCCRD)
  /** A probe for 255 segments takes 17 KB in version 1, the longest way to write it. */
  wsdMessageBytes: 32_768,
  /** Ours: an answer is nested 6 deep and has some 20 elements; SOAP headers may add others. */
  wsdDepth: 16,
  wsdElements: 256,
  wsdAttributes: 32,
  /** D 2.2.3.3: the count is 8 bits wide. */
  wsdSegmentIds: 255,
  /** Answers in one datagram, and addresses in an answer, that are looked at. */
  wsdMatches: 16,
  wsdAddresses: 8,
  /** Longest message ID that is echoed. */
  wsdMessageIdLength: 256,
  /** D 3.1.2 <7>: how long answers to a probe count; 200 to 500 ms may be asked for. */
  wsdRequestUs: milliseconds(300),
  wsdRequestMinUs: milliseconds(200),
  wsdRequestMaxUs: milliseconds(500),
  /** D 3.2.2 <7>: an answer is delayed by 1 ms to APP_MAX_DELAY. */
  wsdBackoffMinUs: milliseconds(1),
  wsdBackoffMaxUs: milliseconds(65),
  /** Segments of one search, those of 32 GiB in version 1; they go out a probe at a time. */
  wsdSearchSegments: 1024,
  /** Ours: a probe fits in an Ethernet frame; a few are enough to keep a download fed. */
  wsdProbeBytes: 1_400,
  wsdProbesOutstanding: 16,
  wsdSearches: 256,
  /** Peers that a probe is answered by; more are not told of. */
  wsdPeersPerProbe: 64,
  /** Ours: answers a second to one source and to all, each with as many at once. */
  wsdAnswersPerSourceSecond: 32,
  wsdAnswersPerSecond: 256,
  wsdSources: 1024,
  /** Ours: an answer is shorter than its probe times this, or is not given. */
  wsdAnswerFactor: 2,
  /** Answers that wait for their moment. */
  wsdAnswersWaiting: 256,
  /** XML documents read a second: the port is shared with others who may be loud. */
  wsdDocumentsPerSecond: 1024,
  /** How long a message ID counts as seen, and how many are remembered. */
  wsdDuplicateUs: seconds(10),
  wsdMessagesSeen: 4096,
  /** D 3.2.4 <8>: n, and the probability of an answer beyond it. */
  wsdSuppressionCount: 10,
  wsdSuppressionChance: 0.33,
  wsdSuppressionSegments: 4096,
  /** Interfaces that groups are joined on. */
  wsdLinks: 64,

  // Content distribution: the cache of blocks (sizes in bytes, times in milliseconds)
  cacheBytes: 1024 * 1024 * 1024,
  /** As Windows keeps content. */
  cacheAgeMs: 28 * 86_400_000,
  /** Files of segments kept open. */
  cacheOpenFiles: 64,
  /** How exactly the order of use is known. */
  cacheTouchMs: 10_000,
  /** A file that was being made so long ago belongs to a process that died. */
  cacheTemporaryMs: 3_600_000,

  // Retrieval (MS-PCCRR); times in milliseconds
  /** R 2.2.3. */
  retrievalRequestBytes: 98_304,
  /** R 2.2.3, with the transport header. */
  retrievalResponseBytes: 393_220,
  /** R 3.1.2 Request Timer; 1 ms … 1 min. */
  retrievalRequestMs: 2000,
  /** R 3.2.2 Upload Timer; 100 ms … 1 h. */
  retrievalUploadMs: 15_000,
  /** R 3.2.1; 1 … 16,384. */
  retrievalClients: 64,
  /** R 3.1.4.3 note <10>: from so many consecutive blocks on, the block list is asked for first. */
  retrievalListedBlocks: 4,
  /**
   * Requests to one peer at a time, each on a connection of its own (fewer leave both sides waiting
   * for each other: 4 take a third more CPU time), and connections of strangers to our server.
   */
  retrievalPerPeer: 16,
  retrievalConnections: 1024,
  /** Head of an answer, and what a client reads from a connection at once. */
  retrievalHeadBytes: 16_384,
  /** Ours: chunks of an answer in the chunked coding. */
  retrievalChunks: 4096,
  retrievalReadBytes: 256 * 1024,
  /** Buffers of 64 KiB that a server keeps for its next answers. */
  retrievalBuffers: 64,

  ...CONTENT_LIMITS,

  // Content over HTTP (MS-PCCRTP); times in milliseconds
  /** Shorter content costs more as hashes than it saves. */
  peerdistMinimumBytes: 65_536,
  /** Memory that hashes of content may take, and content hashed at a time. */
  peerdistHashBytes: 64 * 1024 * 1024,
  peerdistHashings: 4,
  /** Ours: content that is sent more slowly after so many milliseconds gives way to other. */
  peerdistSlowMs: 10_000,
  peerdistSlowBytesPerS: 262_144,
  /** Content information of 100 GiB has 52 MB. */
  contentInfoBytes: 64 * 1024 * 1024,
  /** Verified blocks that wait for a slow reader, and those under way. */
  fetchWindowBytes: 8 * 1024 * 1024,
  /** Verified blocks that wait for the disk of the cache; above that nothing more is asked for. */
  fetchStoreBytes: 4 * 1024 * 1024,
  /** Bytes that are written to the wanted file at once. */
  fetchWriteBytes: 1024 * 1024,
  /** Peers of one download. */
  fetchPeers: 64,
  /** An origin that sends nothing for so long counts as gone. */
  fetchOriginMs: 10_000,
  /** A download to which nobody has given anything for so long ends. */
  fetchStallMs: 20_000,
  /** Blocks of which the trace is kept. */
  fetchTrace: 65_536,
} as const
