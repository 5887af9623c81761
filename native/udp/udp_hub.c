/* The part of the hub that does not depend on how sockets are read and written: the table of
 * sockets, the batch on its way to the caller, the staged sends. */
#include "udp/udp_internal.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(pn_udp_control_t) == 64, "lib/native/udp.ts relies on it");
_Static_assert(sizeof(pn_udp_rx_row_t) == 64, "lib/native/udp.ts relies on it");
_Static_assert(sizeof(pn_udp_tx_row_t) == 48, "lib/native/udp.ts relies on it");
_Static_assert(PN_UDP_RX_AREA % 4 == 0 && PN_UDP_RX_STRIDE % 4 == 0, "payloads are 4-aligned");
_Static_assert(PN_UDP_BLOCK_BYTES <= 256 * 1024, "the rings' budget");

enum { INDEX_BITS = 16, GENERATION_MAX = 0x7fff, FIRST_CAPACITY = 16 };

bool pn_udp_has(pn_udp_kind_t kind) {
#ifdef __linux__
  return kind == PN_UDP_FAST || kind == PN_UDP_PORTABLE;
#else
  return kind == PN_UDP_PORTABLE;
#endif
}

static const pn_udp_backend_t *backend_of(pn_udp_kind_t kind) {
#ifdef __linux__
  if (kind == PN_UDP_FAST)
    return &pn_udp_backend_linux;
#endif
  return kind == PN_UDP_PORTABLE ? &pn_udp_backend_uv : NULL;
}

pn_udp_hub_t *pn_udp_hub_create(uv_loop_t *loop, pn_udp_kind_t kind, void *block,
                                pn_udp_on_batch_fn on_batch, void *context) {
  const pn_udp_backend_t *backend = backend_of(kind);
  if (backend == NULL)
    return NULL;
  pn_udp_hub_t *hub = calloc(1, sizeof *hub);
  if (hub == NULL)
    return NULL;
  hub->backend = backend;
  hub->loop = loop;
  hub->block = block;
  hub->control = (pn_udp_control_t *)block;
  hub->rx = (pn_udp_rx_row_t *)((uint8_t *)block + PN_UDP_RX_TABLE);
  hub->tx = (pn_udp_tx_row_t *)((uint8_t *)block + PN_UDP_TX_TABLE);
  hub->on_batch = on_batch;
  hub->context = context;
  hub->first_free = -1;
  memset(hub->control, 0, sizeof *hub->control);
  return hub;
}

static void free_hub(pn_udp_hub_t *hub) {
  pn_udp_on_closed_fn on_closed = hub->on_closed;
  void *context = hub->context;
  free(hub->entries);
  free(hub);
  on_closed(context);
}

void pn_udp_hub_close(pn_udp_hub_t *hub, pn_udp_on_closed_fn on_closed) {
  hub->closed = true;
  hub->on_closed = on_closed;
  for (int32_t i = 0; i < hub->capacity; i++)
    if (hub->entries[i].socket != NULL)
      pn_udp_close(hub, hub->entries[i].socket->handle);
  if (hub->state != NULL)
    hub->backend->stop(hub);
  if (hub->closing == 0)
    free_hub(hub);
}

void pn_udp_hub_closed_one(pn_udp_hub_t *hub) {
  hub->closing--;
  if (hub->closed && hub->closing == 0)
    free_hub(hub);
}

int pn_udp_hub_sockets(const pn_udp_hub_t *hub) { return hub->open; }

/* --- table of sockets ------------------------------------------------------------------------- */

pn_udp_socket_t *pn_udp_socket_of(const pn_udp_hub_t *hub, int32_t handle) {
  int32_t index = handle & ((1 << INDEX_BITS) - 1);
  if (handle < 0 || index >= hub->capacity)
    return NULL;
  pn_udp_socket_t *socket = hub->entries[index].socket;
  return socket != NULL && socket->handle == handle ? socket : NULL;
}

void pn_udp_socket_free(pn_udp_socket_t *socket) { free(socket); }

static int grow(pn_udp_hub_t *hub) {
  if (hub->capacity >= PN_UDP_SOCKETS_MAX)
    return UV_EMFILE;
  int32_t capacity = hub->capacity == 0 ? FIRST_CAPACITY : hub->capacity * 2;
  pn_udp_entry_t *entries = realloc(hub->entries, (size_t)capacity * sizeof *entries);
  if (entries == NULL)
    return UV_ENOMEM;
  hub->entries = entries;
  /* Descending, so that the lowest index is taken first. */
  for (int32_t i = capacity - 1; i >= hub->capacity; i--) {
    entries[i] = (pn_udp_entry_t){.socket = NULL, .generation = 0, .next_free = hub->first_free};
    hub->first_free = i;
  }
  hub->capacity = capacity;
  return 0;
}

int pn_udp_open(pn_udp_hub_t *hub, const pn_udp_open_t *options) {
  int status = 0;
  if (hub->closed)
    return UV_EBADF;
  if (hub->state == NULL && (status = hub->backend->start(hub)) != 0)
    return status;
  if (hub->first_free < 0 && (status = grow(hub)) != 0)
    return status;
  pn_udp_socket_t *socket = calloc(1, hub->backend->socket_bytes);
  if (socket == NULL)
    return UV_ENOMEM;
  int32_t index = hub->first_free;
  pn_udp_entry_t *entry = &hub->entries[index];
  socket->handle = index | (int32_t)entry->generation << INDEX_BITS;
  socket->ref = true;
  bool keeps = false;
  status = hub->backend->open(hub, socket, options, &keeps);
  if (status != 0) {
    if (!keeps)
      pn_udp_socket_free(socket);
    return status;
  }
  hub->first_free = entry->next_free;
  entry->socket = socket;
  hub->open++;
  return socket->handle;
}

int pn_udp_close(pn_udp_hub_t *hub, int handle) {
  pn_udp_socket_t *socket = pn_udp_socket_of(hub, handle);
  if (socket == NULL)
    return UV_EBADF;
  int32_t index = handle & ((1 << INDEX_BITS) - 1);
  pn_udp_entry_t *entry = &hub->entries[index];
  entry->socket = NULL;
  entry->generation = (uint16_t)((entry->generation + 1) & GENERATION_MAX);
  entry->next_free = hub->first_free;
  hub->first_free = index;
  hub->open--;
  hub->backend->close(hub, socket);
  return 0;
}

int pn_udp_port(pn_udp_hub_t *hub, int handle) {
  const pn_udp_socket_t *socket = pn_udp_socket_of(hub, handle);
  return socket == NULL ? UV_EBADF : socket->port;
}

int pn_udp_set_ref(pn_udp_hub_t *hub, int handle, bool ref) {
  pn_udp_socket_t *socket = pn_udp_socket_of(hub, handle);
  if (socket == NULL)
    return UV_EBADF;
  if (socket->ref != ref) {
    socket->ref = ref;
    hub->backend->set_ref(hub, socket, ref);
  }
  return 0;
}

int pn_udp_stats(pn_udp_hub_t *hub, int handle, pn_udp_stats_t *out) {
  const pn_udp_socket_t *socket = pn_udp_socket_of(hub, handle);
  if (socket == NULL)
    return UV_EBADF;
  *out = socket->stats;
  return 0;
}

/* --- receiving -------------------------------------------------------------------------------- */

uint8_t *pn_udp_hub_slot(const pn_udp_hub_t *hub, int32_t index) {
  return hub->block + PN_UDP_RX_AREA + (size_t)index * PN_UDP_RX_STRIDE;
}

pn_udp_rx_row_t *pn_udp_hub_received(pn_udp_hub_t *hub, pn_udp_socket_t *socket,
                                     const struct sockaddr_in6 *from, const uint8_t *data,
                                     size_t length, double now_us) {
  pn_udp_rx_row_t *row = &hub->rx[hub->rx_count++];
  row->socket = socket->handle;
  row->offset = (int32_t)(data - hub->block);
  row->length = (int32_t)length;
  row->port = ntohs(from->sin6_port);
  memcpy(row->source, &from->sin6_addr, 16);
  row->scope = from->sin6_scope_id;
  memcpy(row->local, socket->address, 16);
  row->interface_index = socket->scope;
  row->received_us = now_us;
  socket->stats.received++;
  return row;
}

void pn_udp_hub_deliver(pn_udp_hub_t *hub) {
  int count = hub->rx_count;
  if (count == 0 || hub->delivering)
    return;
  hub->delivering = true;
  hub->control->delivering = 1;
  hub->on_batch(hub->context, count);
  hub->control->delivering = 0;
  hub->delivering = false;
  hub->rx_count = 0;
  if (!hub->closed)
    pn_udp_hub_flush(hub);
}

/* --- sending ---------------------------------------------------------------------------------- */

static bool needs_zone(const uint8_t address[16]) {
  if (address[0] == 0xfe && (address[1] & 0xc0) == 0x80)
    return true; /* fe80::/10 */
  /* Multicast of interface-local and link-local scope. */
  return address[0] == 0xff && ((address[1] & 0x0f) == 1 || (address[1] & 0x0f) == 2);
}

void pn_udp_destination(const pn_udp_socket_t *socket, const pn_udp_tx_row_t *row,
                        struct sockaddr_in6 *out) {
  memset(out, 0, sizeof *out);
  out->sin6_family = AF_INET6;
  out->sin6_port = htons((uint16_t)row->port);
  memcpy(&out->sin6_addr, row->destination, 16);
  out->sin6_scope_id = row->scope;
  if (row->scope == 0 && needs_zone(row->destination))
    out->sin6_scope_id = socket->scope;
}

/* Rows that could not be sent move to the front of table and area, in their order. */
typedef struct {
  int32_t rows;
  int32_t bytes;
} kept_t;

static void keep(pn_udp_hub_t *hub, pn_udp_socket_t *socket, kept_t *kept, int32_t from,
                 int32_t end) {
  for (int32_t i = from; i < end; i++) {
    pn_udp_tx_row_t row = hub->tx[i];
    int32_t padded = (row.length + 3) & ~3;
    if (kept->rows == PN_UDP_WAITING_ROWS || kept->bytes + padded > PN_UDP_WAITING_BYTES ||
        socket->stats.waiting == PN_UDP_WAITING_PER_SOCKET) {
      socket->stats.send_dropped++;
      continue;
    }
    int32_t offset = (int32_t)PN_UDP_TX_AREA + kept->bytes;
    memmove(hub->block + offset, hub->block + row.offset, (size_t)row.length);
    row.offset = offset;
    hub->tx[kept->rows++] = row;
    kept->bytes += padded;
    socket->stats.waiting++;
  }
}

/* The caller of this C interface writes rows into shared memory; a slip there must not become an
 * access outside of the block. */
static bool row_is_sound(const pn_udp_tx_row_t *row, int32_t floor) {
  return row->length >= 0 && row->length <= PN_UDP_PAYLOAD_MAX && row->offset >= floor &&
         row->offset <= (int32_t)PN_UDP_BLOCK_BYTES - row->length && row->port > 0 &&
         row->port <= 65535;
}

/* First row that does not belong to the run of sound rows of one socket that begins at `at`;
 * *floor becomes the end of the last payload, because payloads lie in the order of their rows. */
static int32_t run_end(const pn_udp_hub_t *hub, int32_t at, int32_t rows, int32_t *floor) {
  int32_t end = at;
  while (end < rows && hub->tx[end].socket == hub->tx[at].socket &&
         row_is_sound(&hub->tx[end], *floor)) {
    *floor = hub->tx[end].offset + hub->tx[end].length;
    end++;
  }
  return end;
}

/* What waited until now is tried again, and counted anew if it has to wait on. */
static void forget_waiting(pn_udp_hub_t *hub) {
  for (int32_t i = 0; i < hub->waiting_rows; i++) {
    pn_udp_socket_t *socket = pn_udp_socket_of(hub, hub->tx[i].socket);
    if (socket != NULL)
      socket->stats.waiting = 0;
  }
}

void pn_udp_hub_flush(pn_udp_hub_t *hub) {
  int32_t rows = hub->control->tx_rows;
  if (rows <= 0)
    return;
  if (rows > PN_UDP_TX_ROWS)
    rows = PN_UDP_TX_ROWS;
  forget_waiting(hub);
  kept_t kept = {0, 0};
  int32_t floor = (int32_t)PN_UDP_TX_AREA;
  int32_t end;
  for (int32_t at = 0; at < rows; at = end) {
    end = run_end(hub, at, rows, &floor);
    if (end == at) { /* not sound */
      end++;
      continue;
    }
    pn_udp_socket_t *socket = pn_udp_socket_of(hub, hub->tx[at].socket);
    if (socket == NULL)
      continue; /* closed since */
    int32_t done = socket->blocked ? 0 : hub->backend->send(hub, socket, &hub->tx[at], end - at);
    keep(hub, socket, &kept, at + done, end);
  }
  hub->waiting_rows = kept.rows;
  hub->control->tx_rows = kept.rows;
  hub->control->tx_bytes = kept.bytes;
}

void pn_udp_hub_unblock(pn_udp_hub_t *hub, pn_udp_socket_t *socket) {
  socket->blocked = false;
  if (!hub->closed) /* libuv may report a send after that, and the block be gone */
    pn_udp_hub_flush(hub);
}
