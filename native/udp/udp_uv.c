/* The portable path: libuv's own sockets. Datagrams land in the same receive area; the batch is
 * handed over when it is full, or after libuv has polled. What it cannot tell is the local address
 * of a datagram on a socket bound to a wildcard. */
#include "udp/udp_internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  pn_udp_socket_t head;
  uv_udp_t udp;
  pn_udp_hub_t *hub;
} portable_socket_t;

typedef struct {
  uv_check_t check; /* runs after polling: delivers what came in */
  pn_udp_hub_t *hub;
} portable_state_t;

/* A datagram that libuv holds until the socket can be written. At most one a socket. */
typedef struct {
  uv_udp_send_t request;
  portable_socket_t *socket;
  uint8_t bytes[];
} waiting_send_t;

static void on_check(uv_check_t *check) {
  pn_udp_hub_deliver(((portable_state_t *)check->data)->hub);
}

static int portable_start(pn_udp_hub_t *hub) {
  portable_state_t *state = calloc(1, sizeof *state);
  if (state == NULL)
    return UV_ENOMEM;
  state->hub = hub;
  uv_check_init(hub->loop, &state->check);
  state->check.data = state;
  uv_check_start(&state->check, on_check);
  uv_unref((uv_handle_t *)&state->check);
  hub->state = state;
  return 0;
}

static void on_check_closed(uv_handle_t *handle) {
  portable_state_t *state = handle->data;
  pn_udp_hub_t *hub = state->hub;
  free(state);
  hub->state = NULL;
  pn_udp_hub_closed_one(hub);
}

static void portable_stop(pn_udp_hub_t *hub) {
  portable_state_t *state = hub->state;
  hub->closing++;
  uv_close((uv_handle_t *)&state->check, on_check_closed);
}

/* --- receiving -------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  (void)suggested;
  pn_udp_hub_t *hub = ((portable_socket_t *)handle->data)->hub;
  /* With an empty buffer libuv reports UV_ENOBUFS and goes on at the next turn. */
  bool full = hub->rx_count == PN_UDP_RX_ROWS;
  buffer->base = full ? NULL : (char *)pn_udp_hub_slot(hub, hub->rx_count);
  buffer->len = full ? 0 : PN_UDP_PAYLOAD_MAX;
}

static void on_receive(uv_udp_t *udp, ssize_t length, const uv_buf_t *buffer,
                       const struct sockaddr *from, unsigned flags) {
  portable_socket_t *socket = udp->data;
  pn_udp_hub_t *hub = socket->hub;
  if (flags & UV_UDP_PARTIAL) {
    socket->head.stats.truncated++;
    return;
  }
  if (length < 0) {
    if (length != UV_ENOBUFS) {
      socket->head.stats.receive_errors++;
      socket->head.stats.last_error = (int32_t)length;
    }
    return;
  }
  if (from == NULL || from->sa_family != AF_INET6)
    return; /* nothing (more) to read */
  pn_udp_hub_received(hub, &socket->head, (const struct sockaddr_in6 *)(const void *)from,
                      (const uint8_t *)buffer->base, (size_t)length,
                      (double)(uv_hrtime() / 1000));
  if (hub->rx_count == PN_UDP_RX_ROWS)
    pn_udp_hub_deliver(hub);
}

/* --- life ------------------------------------------------------------------------------------- */

static uv_os_sock_t portable_os_socket(pn_udp_socket_t *head) {
  uv_os_fd_t fd;
  if (uv_fileno((uv_handle_t *)&((portable_socket_t *)head)->udp, &fd) != 0)
    return (uv_os_sock_t)-1;
  return (uv_os_sock_t)fd;
}

static void on_socket_closed(uv_handle_t *handle) {
  portable_socket_t *socket = handle->data;
  pn_udp_hub_t *hub = socket->hub;
  pn_udp_socket_free(&socket->head);
  pn_udp_hub_closed_one(hub);
}

static void portable_close(pn_udp_hub_t *hub, pn_udp_socket_t *head) {
  hub->closing++;
  uv_close((uv_handle_t *)&((portable_socket_t *)head)->udp, on_socket_closed);
}

static int set_up(portable_socket_t *socket, const pn_udp_open_t *options) {
  struct sockaddr_in6 name;
  int length = sizeof name;
  int status = pn_udp_set_options(portable_os_socket(&socket->head), options);
  if (status != 0)
    return status;
  pn_udp_bind_address(options, &name);
  status = uv_udp_bind(&socket->udp, (struct sockaddr *)&name, UV_UDP_IPV6ONLY);
  if (status == 0)
    status = uv_udp_getsockname(&socket->udp, (struct sockaddr *)&name, &length);
  if (status == 0)
    status = uv_udp_recv_start(&socket->udp, on_alloc, on_receive);
  if (status == 0)
    pn_udp_bound_to(&socket->head, &name);
  return status;
}

static int portable_open(pn_udp_hub_t *hub, pn_udp_socket_t *head, const pn_udp_open_t *options,
                         bool *keeps) {
  portable_socket_t *socket = (portable_socket_t *)head;
  *keeps = false;
  int status = uv_udp_init_ex(hub->loop, &socket->udp, AF_INET6);
  if (status != 0)
    return status;
  socket->hub = hub;
  socket->udp.data = socket;
  status = set_up(socket, options);
  if (status != 0) {
    *keeps = true; /* libuv lets go of the memory only later */
    portable_close(hub, head);
  }
  return status;
}

static void portable_set_ref(pn_udp_hub_t *hub, pn_udp_socket_t *head, bool ref) {
  (void)hub;
  uv_handle_t *handle = (uv_handle_t *)&((portable_socket_t *)head)->udp;
  if (ref)
    uv_ref(handle);
  else
    uv_unref(handle);
}

/* --- sending ---------------------------------------------------------------------------------- */

static void count_sent(pn_udp_socket_t *head, int status) {
  if (status >= 0) {
    head->stats.sent++;
  } else {
    head->stats.send_errors++;
    head->stats.last_error = status;
  }
}

static void on_sent(uv_udp_send_t *request, int status) {
  waiting_send_t *waiting = (waiting_send_t *)request;
  portable_socket_t *socket = waiting->socket;
  free(waiting);
  if (status == UV_ECANCELED)
    return; /* closed */
  count_sent(&socket->head, status);
  pn_udp_hub_unblock(socket->hub, &socket->head);
}

/* Leaves one datagram to libuv, which tells when the socket can be written again. */
static void wait_writable(portable_socket_t *socket, const struct sockaddr_in6 *to,
                          const uint8_t *data, size_t length) {
  waiting_send_t *waiting = malloc(sizeof *waiting + length);
  if (waiting == NULL) {
    socket->head.stats.send_dropped++;
    return;
  }
  waiting->socket = socket;
  memcpy(waiting->bytes, data, length);
  uv_buf_t buffer = uv_buf_init((char *)waiting->bytes, (unsigned)length);
  int status = uv_udp_send(&waiting->request, &socket->udp, &buffer, 1,
                           (const struct sockaddr *)to, on_sent);
  if (status != 0) {
    free(waiting);
    count_sent(&socket->head, status);
    return;
  }
  socket->head.blocked = true;
}

static int portable_send(pn_udp_hub_t *hub, pn_udp_socket_t *head, const pn_udp_tx_row_t *rows,
                         int count) {
  portable_socket_t *socket = (portable_socket_t *)head;
  for (int i = 0; i < count; i++) {
    struct sockaddr_in6 to;
    pn_udp_destination(head, &rows[i], &to);
    uint8_t *data = hub->block + rows[i].offset;
    uv_buf_t buffer = uv_buf_init((char *)data, (unsigned)rows[i].length);
    int status = uv_udp_try_send(&socket->udp, &buffer, 1, (const struct sockaddr *)&to);
    if (status == UV_EAGAIN || status == UV_ENOSYS) {
      wait_writable(socket, &to, data, (size_t)rows[i].length);
      if (head->blocked)
        return i + 1;
    } else {
      count_sent(head, status);
    }
  }
  return count;
}

const pn_udp_backend_t pn_udp_backend_uv = {
    .socket_bytes = sizeof(portable_socket_t),
    .start = portable_start,
    .stop = portable_stop,
    .open = portable_open,
    .close = portable_close,
    .send = portable_send,
    .set_ref = portable_set_ref,
    .os_socket = portable_os_socket,
};
