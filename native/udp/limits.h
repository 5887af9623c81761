/* Every limit of the socket path; spec/limits.md lists them with their reasons. */
#ifndef PN_UDP_LIMITS_H
#define PN_UDP_LIMITS_H

/* Longest payload that is handed over or taken. PNRP's longest datagram has 1,216 bytes, IPv6's
 * minimum MTU leaves 1,232; what is longer than this is dropped and counted as truncated. */
#define PN_UDP_PAYLOAD_MAX 2048

/* Receive slots, and so datagrams in one batch. Together with the send side this keeps the rings
 * of a process, which all its sockets share, within 256 KB. */
#define PN_UDP_RX_ROWS 64

/* Distance of receive slots: one cache line more than the payload, so that the heads of the
 * datagrams of a batch do not all fall into the same few cache sets. */
#define PN_UDP_RX_STRIDE (PN_UDP_PAYLOAD_MAX + 64)

/* Batches delivered before the loop gets its turn again: timers and other handles never wait
 * for more than this many times PN_UDP_RX_ROWS datagrams. */
#define PN_UDP_BATCHES_PER_TURN 4

/* While several sockets are ready, what one of them may put into a batch at once. */
#define PN_UDP_FAIR_SHARE 8

/* Datagrams staged for sending, and their bytes. */
#define PN_UDP_TX_ROWS 128
#define PN_UDP_TX_BYTES (96 * 1024)

/* What may wait for sockets that the kernel refuses to take more from: of all sockets, and of
 * one. The newest datagrams beyond that are dropped and counted. */
#define PN_UDP_WAITING_ROWS 64
#define PN_UDP_WAITING_BYTES (48 * 1024)
#define PN_UDP_WAITING_PER_SOCKET 32

/* Sockets of one hub: what fits into the index part of a handle. */
#define PN_UDP_SOCKETS_MAX 65536

#endif
