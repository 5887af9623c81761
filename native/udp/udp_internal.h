/* What udp_hub.c and the two implementations share. */
#ifndef PN_UDP_INTERNAL_H
#define PN_UDP_INTERNAL_H

#include "udp/udp.h"

/* Common head of a socket; the implementations put their own fields behind it. */
typedef struct {
  int32_t handle;
  bool ref;
  bool blocked; /* the kernel's buffer is full: wait until it can be written again */
  uint16_t port;
  uint32_t scope;
  uint8_t address[16];
  pn_udp_stats_t stats;
} pn_udp_socket_t;

/* One implementation. */
typedef struct {
  size_t socket_bytes;
  /* Before the first socket; what it makes is in hub->state. */
  int (*start)(pn_udp_hub_t *hub);
  /* Closes what start made; adds to hub->closing what will end in pn_udp_hub_closed_one. */
  void (*stop)(pn_udp_hub_t *hub);
  /* Opens and binds; fills address, port, scope. Leaves nothing behind when it fails, but may keep
   * the memory: then it calls pn_udp_socket_free itself and sets *keeps. */
  int (*open)(pn_udp_hub_t *hub, pn_udp_socket_t *socket, const pn_udp_open_t *options,
              bool *keeps);
  /* Ends with pn_udp_socket_free, at once or later. */
  void (*close)(pn_udp_hub_t *hub, pn_udp_socket_t *socket);
  /* Sends rows of one socket; returns how many it dealt with (sent, or counted as errors). Fewer
   * than `count` means that the socket is blocked; the rest waits for pn_udp_hub_unblock. */
  int (*send)(pn_udp_hub_t *hub, pn_udp_socket_t *socket, const pn_udp_tx_row_t *rows, int count);
  void (*set_ref)(pn_udp_hub_t *hub, pn_udp_socket_t *socket, bool ref);
  uv_os_sock_t (*os_socket)(pn_udp_socket_t *socket);
} pn_udp_backend_t;

typedef struct {
  pn_udp_socket_t *socket; /* NULL: free */
  uint16_t generation;
  int32_t next_free; /* index, or -1 */
} pn_udp_entry_t;

struct pn_udp_hub_t {
  const pn_udp_backend_t *backend;
  void *state; /* of the backend; NULL before start */
  uv_loop_t *loop;
  uint8_t *block;
  pn_udp_control_t *control;
  pn_udp_rx_row_t *rx;
  pn_udp_tx_row_t *tx;
  pn_udp_on_batch_fn on_batch;
  pn_udp_on_closed_fn on_closed;
  void *context;
  pn_udp_entry_t *entries;
  int32_t capacity;
  int32_t first_free;
  int32_t open;
  int32_t rx_count;     /* rows filled and not delivered yet */
  int32_t waiting_rows; /* rows that the last flush could not send: the first of the table */
  int32_t closing;      /* libuv handles that are not closed yet */
  bool closed;
  bool delivering;
};

extern const pn_udp_backend_t pn_udp_backend_linux;
extern const pn_udp_backend_t pn_udp_backend_uv;

/* The open socket of a handle, or NULL. */
pn_udp_socket_t *pn_udp_socket_of(const pn_udp_hub_t *hub, int32_t handle);
void pn_udp_socket_free(pn_udp_socket_t *socket);

/* Adds a row to the batch, local address and interface being those the socket is bound to; the
 * payload is at `data` inside the receive area. The caller sees to it that there is room:
 * rx_count < PN_UDP_RX_ROWS. */
pn_udp_rx_row_t *pn_udp_hub_received(pn_udp_hub_t *hub, pn_udp_socket_t *socket,
                                     const struct sockaddr_in6 *from, const uint8_t *data,
                                     size_t length, double now_us);
/* Start of a receive slot. */
uint8_t *pn_udp_hub_slot(const pn_udp_hub_t *hub, int32_t index);
/* Hands the batch over, then sends what was staged meanwhile. */
void pn_udp_hub_deliver(pn_udp_hub_t *hub);
/* The socket takes datagrams again. */
void pn_udp_hub_unblock(pn_udp_hub_t *hub, pn_udp_socket_t *socket);
/* One libuv handle of the backend is closed. */
void pn_udp_hub_closed_one(pn_udp_hub_t *hub);

void pn_udp_destination(const pn_udp_socket_t *socket, const pn_udp_tx_row_t *row,
                        struct sockaddr_in6 *out);
/* Takes address, port and zone over from what getsockname said. */
void pn_udp_bound_to(pn_udp_socket_t *socket, const struct sockaddr_in6 *name);
/* The address to bind to. */
void pn_udp_bind_address(const pn_udp_open_t *options, struct sockaddr_in6 *out);
/* IPV6_V6ONLY, SO_REUSEADDR and buffer sizes; 0 or a libuv error number. */
int pn_udp_set_options(uv_os_sock_t os_socket, const pn_udp_open_t *options);

#endif
