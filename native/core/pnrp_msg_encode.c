#include "core/limits.h"
#include "core/pnrp_msg.h"

/* Element lengths with their padding. */
#define CONTROLS_LENGTH 8u /* SOLICIT_CONTROLS, FLOOD_CONTROLS, FLAGS_FIELD */

static bool has(const pn_msg_t *msg, uint32_t bit) {
  return (msg->present & bit) != 0;
}

static uint32_t array_length(const pn_msg_t *msg, uint32_t width) {
  return PN_LENGTH_ARRAY_HEADER + msg->entry_count * width;
}

pn_err_t pn_msg_slice_fits(uint32_t size, uint32_t offset, uint32_t slice_length) {
  if (offset > size || slice_length > size - offset)
    return PN_ERR_FRAGMENT_OVERRUN;
  if (slice_length == size)
    return PN_OK; /* whole, even when a careful sender would have cut it */
  bool is_last = slice_length == size - offset;
  if (is_last ? slice_length <= PN_LIMIT_FRAGMENT : slice_length == PN_LIMIT_FRAGMENT)
    return PN_OK;
  return PN_ERR_FRAGMENT_NOT_FULL;
}

static pn_err_t check_count(uint32_t count, uint32_t minimum, uint32_t maximum) {
  return count < minimum || count > maximum ? PN_ERR_BAD_COUNT : PN_OK;
}

static pn_err_t check_authority(const pn_msg_t *msg) {
  if (msg->size < PN_LENGTH_FLAGS_FIELD || msg->size > PN_LIMIT_AUTHORITY_BUFFER ||
      msg->offset % PN_LIMIT_FRAGMENT != 0 || msg->bytes_length == 0 ||
      pn_msg_slice_fits(msg->size, msg->offset, msg->bytes_length) != PN_OK)
    return PN_ERR_BAD_SPLIT;
  return PN_OK;
}

static pn_err_t check(const pn_msg_t *msg) {
  if (has(msg, PN_HAS_ROUTE) && pn_route_length(&msg->route) == 0)
    return PN_ERR_BAD_COUNT;
  switch (msg->type) {
  case PN_MESSAGE_SOLICIT:
    return msg->solicit_type > PN_SOLICIT_TYPE_LOCAL ? PN_ERR_BAD_VALUE : PN_OK;
  case PN_MESSAGE_ADVERTISE:
  case PN_MESSAGE_REQUEST:
    return check_count(msg->entry_count, 0, PN_LIMIT_ARRAY_ENTRIES);
  case PN_MESSAGE_FLOOD:
    if (has(msg, PN_HAS_CPA) &&
        (msg->bytes_length == 0 || msg->bytes_length > PN_LIMIT_CPA_MAXIMUM))
      return PN_ERR_BAD_LENGTH;
    return check_count(msg->entry_count, 0, PN_LIMIT_FLOODED_LIST);
  case PN_MESSAGE_AUTHORITY:
    return check_authority(msg);
  case PN_MESSAGE_INQUIRE:
  case PN_MESSAGE_ACK:
    return PN_OK;
  case PN_MESSAGE_LOOKUP:
    if (msg->criteria > PN_CRITERIA_UPPER_BITS || (msg->criteria & (msg->criteria - 1)) != 0)
      return PN_ERR_BAD_VALUE;
    return check_count(msg->entry_count, 1, PN_LIMIT_FLAGGED_PATH);
  default:
    return PN_ERR_UNKNOWN_MESSAGE_TYPE;
  }
}

static uint32_t body_length(const pn_msg_t *msg) {
  uint32_t route = has(msg, PN_HAS_ROUTE) ? pn_route_length(&msg->route) : 0;
  switch (msg->type) {
  case PN_MESSAGE_SOLICIT:
    return (has(msg, PN_HAS_CONTROLS) ? CONTROLS_LENGTH : 0) + route + PN_LENGTH_HASHED_NONCE;
  case PN_MESSAGE_ADVERTISE:
    return PN_LENGTH_HEADER_ACKED + array_length(msg, PN_LENGTH_PNRP_ID) + PN_LENGTH_HASHED_NONCE;
  case PN_MESSAGE_REQUEST:
    return PN_LENGTH_NONCE + array_length(msg, PN_LENGTH_PNRP_ID);
  case PN_MESSAGE_FLOOD:
    return CONTROLS_LENGTH + PN_LENGTH_VALIDATE_PNRP_ID +
           (has(msg, PN_HAS_CPA) ? pn_align(PN_LENGTH_ELEMENT_HEADER + msg->bytes_length) : 0) +
           route + array_length(msg, PN_LENGTH_IPV6_ENDPOINT);
  case PN_MESSAGE_INQUIRE:
    return CONTROLS_LENGTH + PN_LENGTH_VALIDATE_PNRP_ID +
           (has(msg, PN_HAS_NONCE) ? PN_LENGTH_NONCE : 0);
  case PN_MESSAGE_AUTHORITY:
    return PN_LENGTH_AUTHORITY_PREFIX - PN_LENGTH_HEADER + msg->bytes_length;
  case PN_MESSAGE_ACK:
    return PN_LENGTH_HEADER_ACKED + (has(msg, PN_HAS_CONTROLS) ? PN_LENGTH_FLAGS_FIELD : 0);
  default:
    return PN_LENGTH_LOOKUP_CONTROLS + PN_LENGTH_TARGET_PNRP_ID + PN_LENGTH_VALIDATE_PNRP_ID +
           route + array_length(msg, PN_LENGTH_IPV6_ENDPOINT);
  }
}

uint32_t pn_msg_length(const pn_msg_t *msg) {
  if (check(msg) != PN_OK)
    return 0;
  uint32_t length = PN_LENGTH_HEADER + body_length(msg);
  return length <= PN_LIMIT_UDP_PAYLOAD ? length : 0;
}

static void write_acked(pn_writer_t *w, const pn_msg_t *msg) {
  pn_write_elem(w, PN_FIELD_PNRP_HEADER_ACKED, PN_LENGTH_HEADER_ACKED);
  pn_write_be32(w, msg->acked_message_id);
}

static void write_id(pn_writer_t *w, uint32_t field, pn_bytes_t source, uint32_t at) {
  pn_write_elem(w, field, PN_LENGTH_ELEMENT_HEADER + PN_LENGTH_PNRP_ID);
  pn_write_span(w, source, at, PN_LENGTH_PNRP_ID);
}

static void write_ids(pn_writer_t *w, const pn_msg_t *msg, pn_bytes_t source) {
  pn_write_array(w, PN_FIELD_PNRP_ID_ARRAY, PN_FIELD_PNRP_ID, PN_LENGTH_PNRP_ID, msg->entry_count);
  pn_write_span(w, source, msg->entries, msg->entry_count * PN_LENGTH_PNRP_ID);
}

static void write_endpoints(pn_writer_t *w, const pn_msg_t *msg, pn_bytes_t source) {
  pn_write_array(w, PN_FIELD_IPV6_ENDPOINT_ARRAY, PN_FIELD_IPV6_ENDPOINT, PN_LENGTH_IPV6_ENDPOINT,
                 msg->entry_count);
  pn_write_span(w, source, msg->entries, msg->entry_count * PN_LENGTH_IPV6_ENDPOINT);
}

static void write_nonce(pn_writer_t *w, uint32_t field, uint32_t length, const pn_msg_t *msg,
                        pn_bytes_t source) {
  pn_write_elem(w, field, length);
  pn_write_span(w, source, msg->nonce, length - PN_LENGTH_ELEMENT_HEADER);
}

static void write_route(pn_writer_t *w, const pn_msg_t *msg, pn_bytes_t source) {
  if (has(msg, PN_HAS_ROUTE))
    pn_route_encode(w, &msg->route, source);
}

static void write_solicit(pn_writer_t *w, const pn_msg_t *msg, pn_bytes_t source) {
  if (has(msg, PN_HAS_CONTROLS)) {
    pn_write_elem(w, PN_FIELD_SOLICIT_CONTROLS, PN_LENGTH_SOLICIT_CONTROLS);
    pn_write_be32(w, msg->solicit_type << 16);
  }
  write_route(w, msg, source);
  write_nonce(w, PN_FIELD_HASHED_NONCE, PN_LENGTH_HASHED_NONCE, msg, source);
}

static void write_flood(pn_writer_t *w, const pn_msg_t *msg, pn_bytes_t source) {
  uint32_t origin = w->at - PN_LENGTH_HEADER;
  pn_write_elem(w, PN_FIELD_FLOOD_CONTROLS, PN_LENGTH_FLOOD_CONTROLS);
  pn_write_be32(w, (msg->flags & PN_FLOOD_FLAG_D) << 16);
  write_id(w, PN_FIELD_VALIDATE_PNRP_ID, source, msg->validate);
  if (has(msg, PN_HAS_CPA)) {
    pn_write_elem(w, PN_FIELD_REVOKE_CPA, PN_LENGTH_ELEMENT_HEADER + msg->bytes_length);
    pn_write_span(w, source, msg->bytes, msg->bytes_length);
    pn_write_pad(w, origin);
  }
  write_route(w, msg, source);
  write_endpoints(w, msg, source);
}

static void write_inquire(pn_writer_t *w, const pn_msg_t *msg, pn_bytes_t source) {
  uint32_t flags = msg->flags & (PN_INQUIRE_FLAG_A | PN_INQUIRE_FLAG_X | PN_INQUIRE_FLAG_C);
  pn_write_elem(w, PN_FIELD_FLAGS_FIELD, PN_LENGTH_FLAGS_FIELD);
  pn_write_be32(w, flags << 16);
  write_id(w, PN_FIELD_VALIDATE_PNRP_ID, source, msg->validate);
  if (has(msg, PN_HAS_NONCE))
    write_nonce(w, PN_FIELD_NONCE, PN_LENGTH_NONCE, msg, source);
}

static void write_authority(pn_writer_t *w, const pn_msg_t *msg, pn_bytes_t source) {
  write_acked(w, msg);
  pn_write_elem(w, PN_FIELD_SPLIT_CONTROLS, PN_LENGTH_SPLIT_CONTROLS);
  pn_write_be16(w, msg->size);
  pn_write_be16(w, msg->offset);
  pn_write_span(w, source, msg->bytes, msg->bytes_length);
}

static void write_ack(pn_writer_t *w, const pn_msg_t *msg) {
  write_acked(w, msg);
  if (!has(msg, PN_HAS_CONTROLS))
    return;
  pn_write_elem(w, PN_FIELD_FLAGS_FIELD, PN_LENGTH_FLAGS_FIELD);
  pn_write_be16(w, msg->flags & PN_ACK_FLAG_N);
}

static void write_lookup(pn_writer_t *w, const pn_msg_t *msg, pn_bytes_t source) {
  pn_write_elem(w, PN_FIELD_LOOKUP_CONTROLS, PN_LENGTH_LOOKUP_CONTROLS);
  pn_write_be16(w, msg->flags & PN_LOOKUP_FLAG_A);
  pn_write_be16(w, msg->precision);
  pn_write_u8(w, msg->criteria);
  pn_write_u8(w, msg->reason);
  pn_write_be16(w, 0);
  write_id(w, PN_FIELD_TARGET_PNRP_ID, source, msg->target);
  write_id(w, PN_FIELD_VALIDATE_PNRP_ID, source, msg->validate);
  write_route(w, msg, source);
  write_endpoints(w, msg, source);
}

static void write_body(pn_writer_t *w, const pn_msg_t *msg, pn_bytes_t source) {
  switch (msg->type) {
  case PN_MESSAGE_SOLICIT:
    write_solicit(w, msg, source);
    break;
  case PN_MESSAGE_ADVERTISE:
    write_acked(w, msg);
    write_ids(w, msg, source);
    write_nonce(w, PN_FIELD_HASHED_NONCE, PN_LENGTH_HASHED_NONCE, msg, source);
    break;
  case PN_MESSAGE_REQUEST:
    write_nonce(w, PN_FIELD_NONCE, PN_LENGTH_NONCE, msg, source);
    write_ids(w, msg, source);
    break;
  case PN_MESSAGE_FLOOD:
    write_flood(w, msg, source);
    break;
  case PN_MESSAGE_INQUIRE:
    write_inquire(w, msg, source);
    break;
  case PN_MESSAGE_AUTHORITY:
    write_authority(w, msg, source);
    break;
  case PN_MESSAGE_ACK:
    write_ack(w, msg);
    break;
  default:
    write_lookup(w, msg, source);
  }
}

pn_err_t pn_msg_encode(const pn_msg_t *msg, pn_bytes_t source, pn_writer_t *w) {
  pn_err_t code = check(msg);
  if (code != PN_OK)
    return code;
  uint32_t length = PN_LENGTH_HEADER + body_length(msg);
  if (length > PN_LIMIT_UDP_PAYLOAD)
    return PN_ERR_BAD_COUNT;
  if (length > w->size - w->at)
    return PN_ERR_NO_BUFFER;
  pn_hdr_encode(w, msg->type, msg->message_id);
  write_body(w, msg, source);
  return (pn_err_t)w->code;
}
