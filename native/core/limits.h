/* Every limit of the C core that the protocol's field tables (pnrp_const.h) do not give. Each has
 * its reason here; spec/limits.md lists them. */
#ifndef PN_LIMITS_H
#define PN_LIMITS_H

/* Largest UDP payload over IPv6 without jumbograms: 65535 - 8 (RFC 8200, RFC 768). No decoder
 * looks at more, no encoder writes more. */
#define PN_LIMIT_UDP_PAYLOAD 65527u

/* Room for the fields of one message on their way from JavaScript to the encoder: those of a
 * REQUEST with PN_LIMIT_ARRAY_ENTRIES PNRP IDs, or of a full AUTHORITY_BUFFER. */
#define PN_LIMIT_CODEC_SOURCE 66560u

/* Largest reassembly table: as many contexts as a cloud has requests pending at most, and slots for
 * 32 full buffers (16-bit slot numbers, 1.2 MB). */
#define PN_LIMIT_SPLIT_CONTEXTS 4096u
#define PN_LIMIT_SPLIT_SLOTS 1024u

/* Bytes that may follow the last element: the padding of one element (N-07). */
#define PN_LIMIT_FINAL_PADDING 3u

/* Route entry cache: addresses kept of one entry at most, since a node listens on 1..4 (MS-PNRP
 * 3.1.4.1, N-50). */
#define PN_LIMIT_CACHE_ADDRESSES 4u

/* Smallest number of entries on a level: 3.2.1.1 wants ten spread over the ring. */
#define PN_LIMIT_CACHE_SPREAD 10u

/* Entries of a cache at most: slot numbers are 16 bits and one slot is spare. */
#define PN_LIMIT_CACHE_SLOTS 65534u

/* Levels around a local ID: 10^77 is the last power of ten below 2^256. */
#define PN_LIMIT_CACHE_LEVELS 77u

/* How often a gap is offered for filling until it changes: LOOKUPs get lost, but there may also be
 * no node in it (3.2.6.2). */
#define PN_LIMIT_CACHE_GAP_TRIES 3u

/* Graph messages whose parts are found by 16-bit offsets have no use for more (MS-PPGRH 2.2.2.1-7,
 * 2.2.2.12); a stranger's AUTH_INFO is one of them. */
#define PN_LIMIT_GRAPH_CONTROL_MESSAGE 65535u

/* ADVERTISE: 209,714 record abstracts, of which many rows of objects are made. ACK has no more. */
#define PN_LIMIT_GRAPH_LIST_MESSAGE 4194304u

/* SOLICIT_HASH: the ranges of a million records, and 255 types. */
#define PN_LIMIT_GRAPH_HASH_MESSAGE 4063232u

/* REQUEST lists records that were advertised: 52,427 abstracts, more than there are in an ADVERTISE
 * of ours. */
#define PN_LIMIT_GRAPH_REQUEST_MESSAGE 1048576u

/* Messages that one call decodes at most: the table has to stay in the processor's cache. */
#define PN_LIMIT_GRAPH_ROWS 64u

/* Records that a node recognises by their bytes, in sets of two: those that are under way in a
 * graph at one time are far fewer. Longer ones are compared byte by byte. */
#define PN_LIMIT_GRAPH_KNOWN_SETS 2048u
#define PN_LIMIT_GRAPH_KNOWN_RECORD 4096u

/* What is asked for when a message begins whose size is not known yet. */
#define PN_LIMIT_GRAPH_HEAD_ROOM 64u

/* Room for the short parts of one message or record on their way to the encoder. */
#define PN_LIMIT_GRAPH_SOURCE 8192u
/* Content information: what describes 128 GiB in version 1 with SHA-256, 60 GiB in version 2. */
#define PN_LIMIT_CONTENT_INFO 0x4000000u

/* MS-PCCRC 2.1, 2.3.1.1: segments and blocks of version 1. */
#define PN_LIMIT_SEGMENT 0x2000000u
#define PN_LIMIT_BLOCK 0x10000u
#define PN_LIMIT_SEGMENT_BLOCKS 512u

/* MS-PCCRC 2.4.1.2: the longest segment of version 2. */
#define PN_LIMIT_SEGMENT_2 0x20000u

/* DA-8: where our own segments of version 2 end. A window's end is always a segment's, so that
 * windows can be hashed side by side. */
#define PN_LIMIT_CUT_MINIMUM 0x8000u
#define PN_LIMIT_CUT_WINDOW 0x800000u

/* Segments of a window at most: fixed ones of 4 KiB, the shortest that are made. */
#define PN_LIMIT_CUT_FIXED 0x1000u
#define PN_LIMIT_WINDOW_SEGMENTS 2048u

/* Offsets in content stay below 2^53, so that they are exact numbers in JavaScript. */
#define PN_LIMIT_CONTENT_HIGH 0x200000u

/* MS-PCCRR 2.2, 2.2.3 and DA-16. */
#define PN_LIMIT_RETRIEVAL_REQUEST 98304u
#define PN_LIMIT_RETRIEVAL_RESPONSE 393216u

/* MS-PCCRR 2.2.4.2. */
#define PN_LIMIT_RETRIEVAL_RANGES 256u

/* MS-PCHC 2.2.1.5. */
#define PN_LIMIT_OFFER_DESCRIPTORS 128u

#endif
