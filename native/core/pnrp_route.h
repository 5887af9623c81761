/* ROUTE_ENTRY, MS-PNRP 2.2.3.4. */
#ifndef PN_PNRP_ROUTE_H
#define PN_PNRP_ROUTE_H

#include "core/pnrp_elem.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint32_t pnrp_id; /* offset of 32 bytes */
  uint32_t port;
  uint32_t address_count;
  uint32_t addresses; /* offset of address_count * 16 bytes */
} pn_route_t;

/* A ROUTING_ENTRY element with the padding after it; `end` becomes where the element ended. A port
 * of 1024 or less is accepted here (N-05, see pn_port_is_usable); Flags are ignored.
 * BAD_VERSION, BAD_COUNT, BAD_LENGTH and what pn_elem_open reports. */
bool pn_route_decode(pn_reader_t *r, pn_route_t *route, uint32_t *end);

/* N-05: an entry or endpoint with a lower port is unusable, but not malformed. */
static inline bool pn_port_is_usable(uint32_t port) {
  return port >= PN_VALUE_MINIMUM_PORT;
}

/* Length of the element with its padding; 0 when address_count is outside 1..20. */
uint32_t pn_route_length(const pn_route_t *route);

void pn_route_encode(pn_writer_t *w, const pn_route_t *route, pn_bytes_t source);

#ifdef __cplusplus
}
#endif

#endif
