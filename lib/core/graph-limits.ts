import { hours, milliseconds, minutes, seconds } from './instant.js'

/** The part of LIMITS (limits.ts) that belongs to graphs. */
export const GRAPH_LIMITS = {
  // Graphs: what a message or record may hold (sections of MS-PPGRH)
  /**
   * Memory for a long message while so much of it, then so much, has not come: until then its
   * Message Size is a claim.
   */
  graphAssemblyFirst: 65_536,
  graphAssemblySecond: 1_048_576,
  /**
   * 2.2.3.5: characters of a record's XML that are read, and attributes in it. The document has no
   * bound below that of the record, 60 MB.
   */
  graphAttributesUnits: 262_144,
  graphAttributes: 1024,

  // Graphs: connections and links (MS-PPGRH, GA-nn)
  /** 3.1.1 Max Frame Size: the default, and what no provider may exceed. */
  graphFrameBytes: 16_379,
  graphProtectedFrameBytes: 32_768,
  /** GA-04: plain text given to a provider at once. */
  graphProtectChunkBytes: 16_000,
  /** 3.1.2 Authentication Timer, GA-06: the more connections, the shorter. */
  graphAuthenticationMinUs: seconds(20),
  graphAuthenticationMaxUs: seconds(300),
  graphAuthenticationScale: 10,
  /** TCP itself has this long, as under Windows: three SYNs. */
  graphTcpConnectUs: seconds(21),
  /** 3.1.2 Connect Timer; also for a responder that waits for CONNECT (GA-35). */
  graphConnectUs: seconds(60),
  /** GA-35: an ending connection is destroyed when it takes no bytes for so long, or in all. */
  graphFinishUs: seconds(5),
  graphFinishTotalUs: seconds(30),
  /** GA-56: Ping after so long without a message of ours; silence that ends a link. */
  graphPingUs: seconds(30),
  graphSilenceUs: seconds(60),
  /** An ACK waits for so long for a message to go along with: far below the silence above. */
  graphAckDelayUs: milliseconds(100),
  /** A message that takes longer than the silence above must come in at this rate. */
  graphSlowestBytesPerSecond: 1024,
  /** 3.1.1 Referral List; 3.1.5.2.1 and 3.1.7.25: what a WELCOME, REFUSE or DISCONNECT lists. */
  graphReferrals: 100,
  graphReferralsReturned: 10,
  /** Nodes tried in a row where refusals lead to; then the retry timer has its turn. */
  graphReferralHops: 16,
  /** GA-45: of a node, in CONNECT and records. */
  graphListeningAddresses: 255,
  /** 3.1.1: neighbours that a node wants at least, at best, and has at most. */
  graphNeighborsMin: 2,
  graphNeighborsIdeal: 3,
  graphNeighborsMax: 7,
  /**
   * Connections that a node accepts, in all and from one address, where a global /64 counts as one
   * address, loopback and link-local ones each; own attempts under way.
   */
  graphConnections: 512,
  graphConnectionsPerAddress: 128,
  graphAttempts: 16,
  /** 3.1.5.2.2: a peer time further away, from ours or from this host's UTC, is not adopted. */
  graphClockToleranceUs: minutes(20),
  /** Bytes handed to the network that have not left the process: of a link, and of a node. */
  graphWriteAheadBytes: 256 * 1024,
  graphWriteAheadTotalBytes: 64 * 1024 * 1024,
  /** Bytes of a published payload that are copied before others have their turn. */
  graphCopyTurnBytes: 512 * 1024,
  /** Pieces up to this size of one turn are joined. */
  graphJoinBytes: 4096,
  /** Records that wait for a slow link: one more, and it is given up; a later sync repairs it. */
  graphQueuedRecords: 65_536,
  /** Messages other than FLOOD that wait for a slow link: one more, and it is given up. */
  graphQueuedControlBytes: 1024 * 1024,
  /** Data of an application that waits for one connection; more is refused. */
  graphQueuedDataBytes: 8 * 1024 * 1024,
  /** Small records that overtake a waiting large one before its turn comes. */
  graphOvertakingBytes: 4 * 1024 * 1024,
  /** GA-03: a message is at most the largest record and this; floor for graphs of small records. */
  graphMessageSlackBytes: 256 * 1024,
  graphMessageFloorBytes: 8 * 1024 * 1024,
  /** Before it is CONNECTED, a link brings no longer message. */
  graphHandshakeBytes: 16 * 1024,
  /** What a negotiation of security may take from a stranger. */
  graphNegotiationBytes: 256 * 1024,
  /** Incomplete messages of all links of a node: beyond, the link that holds most is given up. */
  graphPartialBytes: 256 * 1024 * 1024,
  /** Connections that have not said which graph they want: in all; of one address, as above. */
  graphUnidentified: 256,
  graphUnidentifiedPerAddress: 64,
  /** AUTH_INFO has three strings of at most 255 characters; and in frames, however it is cut. */
  graphAuthInfoBytes: 4096,
  graphStrangerBytes: 8192,
  /** Neighbours in an answer about them; visitors that only ask for it; nodes asked at once. */
  graphTopologyNeighbors: 255,
  graphTopologyVisitors: 16,
  graphTopologyAtOnce: 12,
  /** How long a node has to answer, and how many nodes a picture has. */
  graphTopologyMs: 3000,
  graphTopologyNodes: 4096,

  // Graphs: the database, and how records live
  /** Records that a node holds, tombstones included, and bytes of them; more are refused. */
  graphRecords: 1_000_000,
  graphDatabaseBytes: 1024 * 1024 * 1024,
  /** Room beyond it for presence, contacts, signature and Graph Info, none of them large. */
  graphSpareRecords: 20_000,
  graphSpareBytes: 32 * 1024 * 1024,
  /** Creators whose Record ID hash is remembered (3.1.7.27). */
  graphKnownCreators: 1024,
  /**
   * The signature and Graph Info have no higher version than one for each of these since 1601; they
   * are renewed every 280 s.
   */
  graphVersionUs: seconds(10),
  /** 3.1.6.7: bounds of the time between two scans for expired records. */
  graphExpiryMinUs: seconds(15),
  graphExpiryMaxUs: hours(24),
  /** Records that expire in one turn; more wait for the next. */
  graphExpiriesPerTurn: 4096,
  /** 3.1.7.22: records are renewed so long before they expire; 3.1.4.1: the timer's least. */
  graphAutorefreshWindowUs: seconds(20),
  graphAutorefreshMinUs: seconds(4),
  /** GA-11: what a tombstone lives at least whose record would have expired before it. */
  graphLeastTombstoneUs: minutes(5),
  /** Records that wait for the security provider (GA-37), in all and from one link. */
  graphDeferred: 4096,
  graphDeferredBytes: 128 * 1024 * 1024,
  graphDeferredPerLink: 1024,
  graphDeferredBytesPerLink: 64 * 1024 * 1024,

  // Graphs: synchronisation
  /** 3.1.7.31: records in a hash range. */
  graphHashRange: 10,
  /** Bytes of a SOLICIT_HASH or ADVERTISE of ours: larger ranges, and further rounds, make good. */
  graphSyncBytes: 768 * 1024,
  /**
   * GA-54: records that were updated so lately have a range of their own: in a split that no
   * signature tells of, both sides may have updated them. The newest ones, at most so many.
   */
  graphExactUs: minutes(15),
  graphExactRanges: 1024,
  /** Hash ranges of a peer that are looked at; a node with `graphRecords` has so many. */
  graphHashRanges: 100_001,
  /** Hash syncs in a row on one link, as long as each brings something. */
  graphSyncRounds: 64,
  /** SOLICITs of one link that are being answered; a peer waits for each SYNC_END. */
  graphSyncSources: 4,
  /** GA-19: record types that are synchronised first. */
  graphPrioritizedTypes: 253,
  /** A sync that brings nothing for so long ends its link, when others wait for it. */
  graphSyncStallUs: minutes(2),
  /** However much it brings: after this, others need not wait any longer. */
  graphSyncAloneUs: minutes(10),
  /**
   * Looks at all records that a peer may cause at once, and when it may cause one more; looks at
   * fewer records than this are not counted. A sync of 1,000,000 records takes about 30.
   */
  graphSyncPasses: 48,
  graphSyncPassUs: seconds(5),
  graphSyncPassRecords: 4096,
  /** Records of an ADVERTISE: looking for more takes too long. The next round brings others. */
  graphAdvertised: 32_768,
  /** Records of a REQUEST: what its 1 MiB holds (GA-03). */
  graphRequested: 50_000,
  /** In a graph for longer than this, another signature at a new neighbour tells of a split. */
  graphSettledUs: minutes(2),
  /** How often the time at which this node was last in the graph is written down. */
  graphClockWriteUs: minutes(1),

  // Graphs: search
  /** Characters of an XML query, clauses in it, how deep they nest, and characters of a value. */
  graphSearchUnits: 65_536,
  graphSearchClauses: 256,
  graphSearchDepth: 32,
  graphSearchValueUnits: 1024,
  /** Attributes that the index holds; with more of them, searches read each record. */
  graphIndexedAttributes: 2_000_000,

  // Graphs: storage and driver
  /**
   * Bytes of records that are written to the disk together; a larger one is written alone. Of what
   * waits for that, only the newest version of each record is held: no more than the database.
   */
  graphStoreBatchBytes: 16 * 1024 * 1024,
  /** Larger records are stored in pieces of so many bytes. */
  graphStorePieceBytes: 2 * 1024 * 1024,
  /** Bytes that a store has logged and not made a file of yet; in memory, twice at most. */
  graphStoreBufferBytes: 512 * 1024,
  /** A process that opens a store has it for so long at most: its number may go to another one. */
  graphOpeningMs: 600_000,
  /** Bytes that are read from a TCP connection at a time. */
  streamReadBytes: 65_536,
  /** Bytes read from it, and written to it, before timers and other connections have their turn. */
  streamTurnBytes: 256 * 1024,
  /** Connections that wait to be accepted by a listener. */
  listenBacklog: 511,
  /** Leaving a graph is over after this, answered or not: SIGINT has two seconds in all. */
  graphLeaveMs: 1_800,
  /** Events kept for a reader who lags behind, and direct connections that nobody has taken. */
  graphEvents: 16_384,
  /** Bytes of records and data that the events which such a reader has not read hold on to. */
  graphEventBytes: 256 * 1024 * 1024,
  graphDirectWaiting: 64,
} as const
