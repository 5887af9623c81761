#include "core/pnrp_route.h"

bool pn_route_decode(pn_reader_t *r, pn_route_t *route, uint32_t *end) {
  uint32_t start = r->at;
  uint32_t content;
  if (!pn_elem_open(r, PN_FIELD_ROUTING_ENTRY, &content))
    return false;
  if (content < PN_LENGTH_ROUTE_ENTRY_FIXED + PN_LENGTH_IPV6_ADDRESS)
    return pn_reader_fail(r, PN_ERR_BAD_LENGTH, start + 2);
  route->pnrp_id = pn_read_span(r, PN_LENGTH_PNRP_ID);
  uint32_t version_at = r->at;
  uint32_t version = pn_read_be16(r);
  route->port = pn_read_be16(r);
  pn_read_u8(r); /* Flags: ignored on receipt */
  uint32_t count = pn_read_u8(r);
  if (version != (PN_VALUE_ROUTE_ENTRY_MAJOR << 8 | PN_VALUE_ROUTE_ENTRY_MINOR))
    return pn_reader_fail(r, PN_ERR_BAD_VERSION, version_at);
  if (count < 1 || count > PN_LIMIT_ROUTE_ENTRY_ADDRESSES)
    return pn_reader_fail(r, PN_ERR_BAD_COUNT, version_at + 5);
  if (content != PN_LENGTH_ROUTE_ENTRY_FIXED + count * PN_LENGTH_IPV6_ADDRESS)
    return pn_reader_fail(r, PN_ERR_BAD_LENGTH, start + 2);
  route->address_count = count;
  route->addresses = pn_read_span(r, count * PN_LENGTH_IPV6_ADDRESS);
  *end = r->at;
  pn_elem_pad(r);
  return pn_reader_ok(r);
}

uint32_t pn_route_length(const pn_route_t *route) {
  if (route->address_count < 1 || route->address_count > PN_LIMIT_ROUTE_ENTRY_ADDRESSES)
    return 0;
  return pn_align(PN_LENGTH_ELEMENT_HEADER + PN_LENGTH_ROUTE_ENTRY_FIXED +
                  route->address_count * PN_LENGTH_IPV6_ADDRESS);
}

void pn_route_encode(pn_writer_t *w, const pn_route_t *route, pn_bytes_t source) {
  uint32_t addresses = route->address_count * PN_LENGTH_IPV6_ADDRESS;
  pn_write_elem(w, PN_FIELD_ROUTING_ENTRY,
                PN_LENGTH_ELEMENT_HEADER + PN_LENGTH_ROUTE_ENTRY_FIXED + addresses);
  pn_write_span(w, source, route->pnrp_id, PN_LENGTH_PNRP_ID);
  pn_write_be16(w, PN_VALUE_ROUTE_ENTRY_MAJOR << 8 | PN_VALUE_ROUTE_ENTRY_MINOR);
  pn_write_be16(w, route->port);
  pn_write_u8(w, 0);
  pn_write_u8(w, route->address_count);
  pn_write_span(w, source, route->addresses, addresses);
  pn_write_zeros(w, 2); /* 42 + 16n always leaves two bytes of padding */
}
