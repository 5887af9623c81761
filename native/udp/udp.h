/* UDP over IPv6 for many nodes of one process: one hub an environment, one receive ring and one
 * send ring for all its sockets, one callback a batch.
 *
 * Everything runs on the thread of the hub's libuv loop. Functions that can fail return a negative
 * libuv error number (UV_EADDRINUSE, ...). The payload bytes are in the block that the caller
 * provides, which both sides read and write: see pn_udp_control_t and the two kinds of rows. */
#ifndef PN_UDP_H
#define PN_UDP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "udp/limits.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pn_udp_hub_t pn_udp_hub_t;

/* Which implementation a hub uses; both do the same. */
typedef enum {
  PN_UDP_FAST,    /* the platform's batched system calls: Linux only */
  PN_UDP_PORTABLE /* libuv's sockets */
} pn_udp_kind_t;

/* Head of the shared block. */
typedef struct {
  int32_t tx_rows;  /* staged rows; the caller adds, a flush takes away */
  int32_t tx_bytes; /* used bytes of the send area */
  int32_t delivering; /* 1 from before on_batch to the flush that follows it */
  int32_t reserved[13];
} pn_udp_control_t;

/* A received datagram. `offset` counts from the start of the block and is a multiple of 4. */
typedef struct {
  int32_t socket;
  int32_t offset;
  int32_t length;
  int32_t port; /* of the sender, host order */
  uint8_t source[16];
  uint32_t scope;          /* zone of the source address, 0 if it needs none */
  uint8_t local[16];       /* where it was sent to; all zero if the system does not tell */
  uint32_t interface_index; /* where it came in, 0 if unknown */
  double received_us;      /* monotonic: uv_hrtime() in microseconds */
} pn_udp_rx_row_t;

/* A datagram to send. */
typedef struct {
  int32_t socket;
  int32_t offset;
  int32_t length;
  int32_t port; /* host order */
  uint8_t destination[16];
  uint32_t scope; /* 0: that of the socket, where the destination needs one */
  int32_t reserved[3];
} pn_udp_tx_row_t;

/* Where the parts of the shared block begin. */
#define PN_UDP_RX_TABLE sizeof(pn_udp_control_t)
#define PN_UDP_TX_TABLE (PN_UDP_RX_TABLE + PN_UDP_RX_ROWS * sizeof(pn_udp_rx_row_t))
#define PN_UDP_RX_AREA (PN_UDP_TX_TABLE + PN_UDP_TX_ROWS * sizeof(pn_udp_tx_row_t))
#define PN_UDP_TX_AREA (PN_UDP_RX_AREA + PN_UDP_RX_ROWS * PN_UDP_RX_STRIDE)
#define PN_UDP_BLOCK_BYTES (PN_UDP_TX_AREA + PN_UDP_TX_BYTES)

typedef struct {
  uint8_t address[16];
  uint16_t port;  /* 0: any free one */
  uint32_t scope; /* zone of a link-local address, else 0 */
  bool reuse;     /* SO_REUSEADDR: several sockets on one multicast port */
  int receive_buffer; /* bytes of kernel buffer; 0: the system's default */
  int send_buffer;
} pn_udp_open_t;

typedef struct {
  uint64_t received;
  uint64_t truncated;      /* longer than PN_UDP_PAYLOAD_MAX, dropped */
  uint64_t receive_errors; /* errors that the kernel reported when asked for datagrams */
  uint64_t sent;
  uint64_t send_errors;  /* refused by the kernel (no route, address gone, firewall), dropped */
  uint64_t send_dropped; /* no room left to wait for a busy socket */
  int32_t last_error;    /* libuv number of the latest error, or 0 */
  int32_t waiting;       /* datagrams that wait for a busy socket now */
} pn_udp_stats_t;

/* `count` rows are in the receive table; they and their bytes may be used until it returns.
 * The callback may open, close, stage and flush. */
typedef void (*pn_udp_on_batch_fn)(void *context, int count);
/* The hub is gone. */
typedef void (*pn_udp_on_closed_fn)(void *context);

bool pn_udp_has(pn_udp_kind_t kind);

/* NULL without memory, or if this platform lacks the kind. `block` has PN_UDP_BLOCK_BYTES bytes,
 * aligned to 8, and outlives the hub. */
pn_udp_hub_t *pn_udp_hub_create(uv_loop_t *loop, pn_udp_kind_t kind, void *block,
                                pn_udp_on_batch_fn on_batch, void *context);

/* Closes all sockets; `on_closed` comes later from the loop, or at once if nothing was ever opened.
 * No batch is delivered after this. May be called once. */
void pn_udp_hub_close(pn_udp_hub_t *hub, pn_udp_on_closed_fn on_closed);

/* Sockets open now. */
int pn_udp_hub_sockets(const pn_udp_hub_t *hub);

/* Sends what is staged. Rows of sockets that are busy stay and are sent as soon as they can be. */
void pn_udp_hub_flush(pn_udp_hub_t *hub);

/* A handle (>= 0), or what socket, setsockopt or bind said; UV_EMFILE also beyond
 * PN_UDP_SOCKETS_MAX. */
int pn_udp_open(pn_udp_hub_t *hub, const pn_udp_open_t *options);

/* The functions below return UV_EBADF for a handle that is not open (any more). */
int pn_udp_close(pn_udp_hub_t *hub, int handle);
/* The bound port. */
int pn_udp_port(pn_udp_hub_t *hub, int handle);
/* Whether the socket keeps the loop alive; it does at first. */
int pn_udp_set_ref(pn_udp_hub_t *hub, int handle, bool ref);
int pn_udp_stats(pn_udp_hub_t *hub, int handle, pn_udp_stats_t *out);

/* Membership of `group` on an interface (0: the system's choice). */
int pn_udp_join(pn_udp_hub_t *hub, int handle, const uint8_t group[16], uint32_t interface_index);
int pn_udp_leave(pn_udp_hub_t *hub, int handle, const uint8_t group[16], uint32_t interface_index);
/* Hop limit (0..255) of what is sent to groups, whether it comes back to this host, and the
 * interface for groups without a zone (0: the system's choice). */
int pn_udp_multicast(pn_udp_hub_t *hub, int handle, int hops, bool loop, uint32_t interface_index);

#ifdef __cplusplus
}
#endif

#endif
