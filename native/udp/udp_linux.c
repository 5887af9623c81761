/* The fast path: the hub's sockets are in an epoll set of its own, which libuv watches as one
 * handle; a turn fills the receive area over all ready sockets with recvmmsg and sends runs of
 * rows with sendmmsg. */
#ifdef __linux__


#include "udp/udp_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64, SEND_BATCH = 64, CONTROL_BYTES = CMSG_SPACE(sizeof(struct in6_pktinfo)) };

typedef struct {
  pn_udp_socket_t head;
  int fd;
} linux_socket_t;

/* Message headers are set up once; a receive resets only what the kernel has written. */
typedef struct {
  uv_poll_t poll;
  pn_udp_hub_t *hub;
  int epoll;
  int refs; /* sockets that keep the loop alive */
  struct epoll_event events[EVENTS];
  int event_count;
  int event_next;
  int slots_used;
  bool looped; /* something was sent to ::1 since the last fill */
  struct mmsghdr rx[PN_UDP_RX_ROWS];
  struct iovec rx_iov[PN_UDP_RX_ROWS];
  struct sockaddr_in6 rx_names[PN_UDP_RX_ROWS];
  _Alignas(struct cmsghdr) uint8_t rx_control[PN_UDP_RX_ROWS][CONTROL_BYTES];
  struct mmsghdr tx[SEND_BATCH];
  struct iovec tx_iov[SEND_BATCH];
  struct sockaddr_in6 tx_names[SEND_BATCH];
} linux_state_t;

static void on_poll(uv_poll_t *poll, int status, int events);

/* The kernel overwrites these two with the lengths it has used. */
static void reset(struct msghdr *header) {
  header->msg_namelen = sizeof(struct sockaddr_in6);
  header->msg_controllen = CONTROL_BYTES;
}

static int linux_start(pn_udp_hub_t *hub) {
  linux_state_t *state = calloc(1, sizeof *state);
  if (state == NULL)
    return UV_ENOMEM;
  state->epoll = epoll_create1(EPOLL_CLOEXEC);
  int status = state->epoll < 0 ? -errno : uv_poll_init(hub->loop, &state->poll, state->epoll);
  if (status != 0) {
    if (state->epoll >= 0)
      close(state->epoll);
    free(state);
    return status;
  }
  state->hub = hub;
  state->poll.data = state;
  for (int i = 0; i < PN_UDP_RX_ROWS; i++) {
    state->rx_iov[i] = (struct iovec){pn_udp_hub_slot(hub, i), PN_UDP_PAYLOAD_MAX};
    struct msghdr *header = &state->rx[i].msg_hdr;
    header->msg_name = &state->rx_names[i];
    header->msg_iov = &state->rx_iov[i];
    header->msg_iovlen = 1;
    header->msg_control = state->rx_control[i];
    reset(header);
  }
  for (int i = 0; i < SEND_BATCH; i++) {
    struct msghdr *header = &state->tx[i].msg_hdr;
    header->msg_name = &state->tx_names[i];
    header->msg_namelen = sizeof state->tx_names[i];
    header->msg_iov = &state->tx_iov[i];
    header->msg_iovlen = 1;
  }
  hub->state = state;
  uv_unref((uv_handle_t *)&state->poll);
  return uv_poll_start(&state->poll, UV_READABLE, on_poll);
}

static void on_poll_closed(uv_handle_t *handle) {
  linux_state_t *state = handle->data;
  pn_udp_hub_t *hub = state->hub;
  close(state->epoll);
  free(state);
  hub->state = NULL;
  pn_udp_hub_closed_one(hub);
}

static void linux_stop(pn_udp_hub_t *hub) {
  linux_state_t *state = hub->state;
  hub->closing++;
  uv_close((uv_handle_t *)&state->poll, on_poll_closed);
}

static void linux_set_ref(pn_udp_hub_t *hub, pn_udp_socket_t *socket, bool ref) {
  (void)socket;
  linux_state_t *state = hub->state;
  state->refs += ref ? 1 : -1;
  if (ref && state->refs == 1)
    uv_ref((uv_handle_t *)&state->poll);
  if (!ref && state->refs == 0)
    uv_unref((uv_handle_t *)&state->poll);
}

static int set_up(linux_socket_t *socket, const pn_udp_open_t *options, int epoll) {
  const int on = 1;
  int status = pn_udp_set_options(socket->fd, options);
  if (status != 0)
    return status;
  if (setsockopt(socket->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) != 0)
    return -errno;
  struct sockaddr_in6 name;
  socklen_t length = sizeof name;
  pn_udp_bind_address(options, &name);
  if (bind(socket->fd, (struct sockaddr *)&name, sizeof name) != 0 ||
      getsockname(socket->fd, (struct sockaddr *)&name, &length) != 0)
    return -errno;
  pn_udp_bound_to(&socket->head, &name);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = socket->head.handle};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, socket->fd, &event) == 0 ? 0 : -errno;
}

static int linux_open(pn_udp_hub_t *hub, pn_udp_socket_t *head, const pn_udp_open_t *options,
                      bool *keeps) {
  linux_socket_t *self = (linux_socket_t *)head;
  linux_state_t *state = hub->state;
  *keeps = false;
  self->fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (self->fd < 0)
    return -errno;
  int status = set_up(self, options, state->epoll);
  if (status != 0) {
    close(self->fd);
    return status;
  }
  linux_set_ref(hub, head, true);
  return 0;
}

static void linux_close(pn_udp_hub_t *hub, pn_udp_socket_t *head) {
  if (head->ref)
    linux_set_ref(hub, head, false);
  close(((linux_socket_t *)head)->fd); /* which takes it out of the epoll set */
  pn_udp_socket_free(head);
}

static uv_os_sock_t linux_os_socket(pn_udp_socket_t *head) { return ((linux_socket_t *)head)->fd; }

/* --- receiving -------------------------------------------------------------------------------- */

static void note_error(pn_udp_socket_t *socket, uint64_t *counter, int error) {
  (*counter)++;
  socket->stats.last_error = -error;
}

static void read_packet_info(struct msghdr *header, pn_udp_rx_row_t *row) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
    if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_PKTINFO)
      continue;
    struct in6_pktinfo info;
    memcpy(&info, CMSG_DATA(c), sizeof info);
    memcpy(row->local, &info.ipi6_addr, 16);
    row->interface_index = info.ipi6_ifindex;
    return;
  }
}

/* Takes up to `most` datagrams of one socket into free slots. */
static void drain(linux_state_t *state, linux_socket_t *socket, int most) {
  struct mmsghdr *first = &state->rx[state->slots_used];
  int count = recvmmsg(socket->fd, first, (unsigned)most, MSG_DONTWAIT, NULL);
  if (count < 0) {
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
      note_error(&socket->head, &socket->head.stats.receive_errors, errno);
    return;
  }
  double now_us = (double)(uv_hrtime() / 1000);
  state->slots_used += count;
  for (int i = 0; i < count; i++) {
    struct msghdr *header = &first[i].msg_hdr;
    if (header->msg_flags & MSG_TRUNC) {
      socket->head.stats.truncated++;
    } else {
      pn_udp_rx_row_t *row =
          pn_udp_hub_received(state->hub, &socket->head, header->msg_name,
                              header->msg_iov->iov_base, first[i].msg_len, now_us);
      read_packet_info(header, row);
    }
    reset(header);
  }
}

static void arm_writable(linux_state_t *state, linux_socket_t *socket, bool writable) {
  struct epoll_event event = {.events = writable ? EPOLLIN | EPOLLOUT : EPOLLIN,
                              .data.fd = socket->head.handle};
  epoll_ctl(state->epoll, EPOLL_CTL_MOD, socket->fd, &event);
}

/* Slots for the next of the ready sockets: all that are left for a lone one, else a share. */
static int share(const linux_state_t *state) {
  int left = PN_UDP_RX_ROWS - state->slots_used;
  int sockets = state->event_count - state->event_next;
  int most = left / (sockets > 0 ? sockets : 1);
  if (most < PN_UDP_FAIR_SHARE)
    most = PN_UDP_FAIR_SHARE;
  return most < left ? most : left;
}

/* Fills the receive area; true when there may be more to read. Events that found no room are the
 * first of the next batch, so that no socket starves behind busier ones. */
static bool fill(linux_state_t *state) {
  if (state->event_next == state->event_count) {
    state->event_next = 0;
    state->event_count = epoll_wait(state->epoll, state->events, EVENTS, 0);
    if (state->event_count < 0)
      state->event_count = 0;
  }
  bool all = state->event_count == EVENTS;
  while (state->event_next < state->event_count && state->slots_used < PN_UDP_RX_ROWS) {
    const struct epoll_event *event = &state->events[state->event_next];
    linux_socket_t *socket = (linux_socket_t *)pn_udp_socket_of(state->hub, event->data.fd);
    if (socket != NULL && (event->events & EPOLLOUT) && socket->head.blocked) {
      arm_writable(state, socket, false);
      pn_udp_hub_unblock(state->hub, &socket->head);
    }
    if (socket != NULL && (event->events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
      drain(state, socket, share(state));
    state->event_next++;
  }
  return all || state->slots_used == PN_UDP_RX_ROWS || state->event_next < state->event_count;
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  (void)events;
  linux_state_t *state = poll->data;
  pn_udp_hub_t *hub = state->hub;
  if (status < 0 || hub->delivering)
    return;
  for (int i = 0; i < PN_UDP_BATCHES_PER_TURN && !hub->closed; i++) {
    bool more = fill(state);
    state->looped = false;
    pn_udp_hub_deliver(hub);
    state->slots_used = 0;
    /* What was sent to ::1 has arrived by now: to read it here spares a turn of the loop. */
    if (!more && !state->looped)
      return;
  }
}

/* --- sending ---------------------------------------------------------------------------------- */

static int prepare(linux_state_t *state, const pn_udp_socket_t *socket,
                   const pn_udp_tx_row_t *rows, int count) {
  if (count > SEND_BATCH)
    count = SEND_BATCH;
  for (int i = 0; i < count; i++) {
    pn_udp_destination(socket, &rows[i], &state->tx_names[i]);
    if (IN6_IS_ADDR_LOOPBACK(&state->tx_names[i].sin6_addr))
      state->looped = true;
    state->tx_iov[i] = (struct iovec){state->hub->block + rows[i].offset, (size_t)rows[i].length};
  }
  return count;
}

static int linux_send(pn_udp_hub_t *hub, pn_udp_socket_t *head, const pn_udp_tx_row_t *rows,
                      int count) {
  linux_state_t *state = hub->state;
  linux_socket_t *socket = (linux_socket_t *)head;
  int done = 0;
  while (done < count) {
    int batch = prepare(state, head, rows + done, count - done);
    int sent = sendmmsg(socket->fd, state->tx, (unsigned)batch, MSG_DONTWAIT);
    if (sent > 0) {
      head->stats.sent += (uint64_t)sent;
      done += sent;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      head->blocked = true;
      arm_writable(state, socket, true);
      return done;
    } else if (errno != EINTR) {
      note_error(head, &head->stats.send_errors, errno); /* of the first one: drop it, go on */
      done++;
    }
  }
  return done;
}

const pn_udp_backend_t pn_udp_backend_linux = {
    .socket_bytes = sizeof(linux_socket_t),
    .start = linux_start,
    .stop = linux_stop,
    .open = linux_open,
    .close = linux_close,
    .send = linux_send,
    .set_ref = linux_set_ref,
    .os_socket = linux_os_socket,
};

#else
typedef int pn_udp_no_linux_t; /* a translation unit must not be empty */
#endif
