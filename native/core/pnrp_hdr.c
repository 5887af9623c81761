#include "core/pnrp_hdr.h"

#define VERSION (PN_VALUE_VERSION_MAJOR << 8 | PN_VALUE_VERSION_MINOR)

bool pn_hdr_is_known_type(uint32_t type) {
  switch (type) {
  case PN_MESSAGE_SOLICIT:
  case PN_MESSAGE_ADVERTISE:
  case PN_MESSAGE_REQUEST:
  case PN_MESSAGE_FLOOD:
  case PN_MESSAGE_INQUIRE:
  case PN_MESSAGE_AUTHORITY:
  case PN_MESSAGE_ACK:
  case PN_MESSAGE_LOOKUP:
    return true;
  default:
    return false;
  }
}

bool pn_hdr_decode(pn_reader_t *r, uint32_t *type, uint32_t *message_id) {
  uint32_t start = r->at;
  *type = *message_id = 0;
  uint32_t head = pn_read_be32(r);
  uint32_t identifier = pn_read_u8(r);
  uint32_t version = pn_read_be16(r);
  uint32_t message_type = pn_read_u8(r);
  uint32_t id = pn_read_be32(r);
  if (!pn_reader_ok(r))
    return false;
  if (head >> 16 != PN_FIELD_PNRP_HEADER)
    return pn_reader_fail(r, PN_ERR_BAD_HEADER, start);
  if ((head & 0xffff) != PN_LENGTH_HEADER)
    return pn_reader_fail(r, PN_ERR_BAD_HEADER, start + 2);
  if (identifier != PN_VALUE_IDENTIFIER)
    return pn_reader_fail(r, PN_ERR_BAD_HEADER, start + 4);
  if (version != VERSION)
    return pn_reader_fail(r, PN_ERR_BAD_VERSION, start + 5);
  if (!pn_hdr_is_known_type(message_type))
    return pn_reader_fail(r, PN_ERR_UNKNOWN_MESSAGE_TYPE, start + 7);
  *type = message_type;
  *message_id = id;
  return true;
}

uint32_t pn_hdr_accept(pn_bytes_t datagram) {
  uint32_t type, message_id;
  pn_reader_t r = pn_reader_over(datagram, 0, datagram.size);
  pn_hdr_decode(&r, &type, &message_id);
  return type;
}

void pn_hdr_encode(pn_writer_t *w, uint32_t type, uint32_t message_id) {
  pn_write_elem(w, PN_FIELD_PNRP_HEADER, PN_LENGTH_HEADER);
  pn_write_u8(w, PN_VALUE_IDENTIFIER);
  pn_write_be16(w, VERSION);
  pn_write_u8(w, type);
  pn_write_be32(w, message_id);
}
