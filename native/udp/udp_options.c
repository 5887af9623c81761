/* Socket options that every implementation sets the same way. */
#include "udp/udp_internal.h"

#include <string.h>

#ifdef _WIN32
#define PN_LAST_ERROR() uv_translate_sys_error(WSAGetLastError())
typedef const char *pn_option_t;
#else
#include <errno.h>
#include <sys/socket.h>
#define PN_LAST_ERROR() uv_translate_sys_error(errno)
typedef const void *pn_option_t;
#endif

/* BSDs and Windows have these names; Linux has them beside its own. */
#ifndef IPV6_JOIN_GROUP
#define IPV6_JOIN_GROUP IPV6_ADD_MEMBERSHIP
#define IPV6_LEAVE_GROUP IPV6_DROP_MEMBERSHIP
#endif

#if defined(__linux__) && !defined(IPV6_MULTICAST_ALL)
#define IPV6_MULTICAST_ALL 29 /* Linux 4.20 */
#endif

static int set_int(uv_os_sock_t os_socket, int level, int name, int value) {
  return setsockopt(os_socket, level, name, (pn_option_t)&value, sizeof value) == 0
             ? 0
             : PN_LAST_ERROR();
}

int pn_udp_set_options(uv_os_sock_t os_socket, const pn_udp_open_t *options) {
  /* PNRP is IPv6 only: no IPv4-mapped sources. */
  int status = set_int(os_socket, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (status == 0 && options->reuse)
    status = set_int(os_socket, SOL_SOCKET, SO_REUSEADDR, 1);
#ifdef SO_REUSEPORT
#ifndef __linux__
  /* On the BSDs SO_REUSEADDR alone does not share a multicast port; on Linux SO_REUSEPORT would
   * spread the datagrams over the sockets instead of giving each its copy. */
  if (status == 0 && options->reuse)
    status = set_int(os_socket, SOL_SOCKET, SO_REUSEPORT, 1);
#endif
#endif
#ifdef IPV6_MULTICAST_ALL
  /* Only the groups that this socket has joined itself, not those of the host's other sockets.
   * Older kernels do not know it: what comes in is checked by whoever listens to groups. */
  set_int(os_socket, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
#endif
  if (status == 0 && options->receive_buffer > 0)
    status = set_int(os_socket, SOL_SOCKET, SO_RCVBUF, options->receive_buffer);
  if (status == 0 && options->send_buffer > 0)
    status = set_int(os_socket, SOL_SOCKET, SO_SNDBUF, options->send_buffer);
  return status;
}

void pn_udp_bind_address(const pn_udp_open_t *options, struct sockaddr_in6 *out) {
  memset(out, 0, sizeof *out);
  out->sin6_family = AF_INET6;
  out->sin6_port = htons(options->port);
  memcpy(&out->sin6_addr, options->address, 16);
  out->sin6_scope_id = options->scope;
}

void pn_udp_bound_to(pn_udp_socket_t *socket, const struct sockaddr_in6 *name) {
  socket->port = ntohs(name->sin6_port);
  socket->scope = name->sin6_scope_id;
  memcpy(socket->address, &name->sin6_addr, 16);
}

static int membership(pn_udp_hub_t *hub, int handle, int option, const uint8_t group[16],
                      uint32_t interface_index) {
  pn_udp_socket_t *socket = pn_udp_socket_of(hub, handle);
  if (socket == NULL)
    return UV_EBADF;
  struct ipv6_mreq request;
  memset(&request, 0, sizeof request);
  memcpy(&request.ipv6mr_multiaddr, group, 16);
  request.ipv6mr_interface = interface_index;
  return setsockopt(hub->backend->os_socket(socket), IPPROTO_IPV6, option, (pn_option_t)&request,
                    sizeof request) == 0
             ? 0
             : PN_LAST_ERROR();
}

int pn_udp_join(pn_udp_hub_t *hub, int handle, const uint8_t group[16], uint32_t interface_index) {
  return membership(hub, handle, IPV6_JOIN_GROUP, group, interface_index);
}

int pn_udp_leave(pn_udp_hub_t *hub, int handle, const uint8_t group[16], uint32_t interface_index) {
  return membership(hub, handle, IPV6_LEAVE_GROUP, group, interface_index);
}

int pn_udp_multicast(pn_udp_hub_t *hub, int handle, int hops, bool loop,
                     uint32_t interface_index) {
  pn_udp_socket_t *socket = pn_udp_socket_of(hub, handle);
  if (socket == NULL)
    return UV_EBADF;
  uv_os_sock_t os_socket = hub->backend->os_socket(socket);
  int status = set_int(os_socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops);
  if (status == 0)
    status = set_int(os_socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, loop ? 1 : 0);
  if (status == 0)
    status = set_int(os_socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)interface_index);
  return status;
}
