#include "core/pnrp_msg.h"

#include "core/limits.h"

static const pn_array_rule_t pnrp_ids = {PN_FIELD_PNRP_ID_ARRAY, PN_FIELD_PNRP_ID,
                                         PN_LENGTH_PNRP_ID, 0, PN_LIMIT_ARRAY_ENTRIES};
static const pn_array_rule_t flooded_list = {PN_FIELD_IPV6_ENDPOINT_ARRAY, PN_FIELD_IPV6_ENDPOINT,
                                             PN_LENGTH_IPV6_ENDPOINT, 0, PN_LIMIT_FLOODED_LIST};
static const pn_array_rule_t flagged_path = {PN_FIELD_IPV6_ENDPOINT_ARRAY, PN_FIELD_IPV6_ENDPOINT,
                                             PN_LENGTH_IPV6_ENDPOINT, 1, PN_LIMIT_FLAGGED_PATH};

static bool read_acked(pn_reader_t *r, pn_msg_t *msg) {
  if (!pn_elem_fixed(r, PN_FIELD_PNRP_HEADER_ACKED, PN_LENGTH_HEADER_ACKED))
    return false;
  msg->acked_message_id = pn_read_be32(r);
  return true;
}

static bool read_validate(pn_reader_t *r, pn_msg_t *msg) {
  if (!pn_elem_fixed(r, PN_FIELD_VALIDATE_PNRP_ID, PN_LENGTH_VALIDATE_PNRP_ID))
    return false;
  msg->validate = pn_read_span(r, PN_LENGTH_PNRP_ID);
  return true;
}

static bool read_route(pn_reader_t *r, pn_msg_t *msg) {
  uint32_t end;
  if (pn_elem_peek(r) != PN_FIELD_ROUTING_ENTRY)
    return true;
  msg->present |= PN_HAS_ROUTE;
  return pn_route_decode(r, &msg->route, &end);
}

static bool read_array(pn_reader_t *r, pn_msg_t *msg, const pn_array_rule_t *rule) {
  return pn_elem_array(r, rule, &msg->entries, &msg->entry_count);
}

static bool read_hashed_nonce(pn_reader_t *r, pn_msg_t *msg) {
  if (!pn_elem_fixed(r, PN_FIELD_HASHED_NONCE, PN_LENGTH_HASHED_NONCE))
    return false;
  msg->nonce = pn_read_span(r, PN_LENGTH_SHA1);
  return true;
}

static bool read_nonce(pn_reader_t *r, pn_msg_t *msg) {
  if (!pn_elem_fixed(r, PN_FIELD_NONCE, PN_LENGTH_NONCE))
    return false;
  msg->nonce = pn_read_span(r, PN_LENGTH_NONCE_VALUE);
  return true;
}

/* MS-PNRP 2.2.2.1 */
static bool decode_solicit(pn_reader_t *r, pn_msg_t *msg) {
  if (pn_elem_peek(r) == PN_FIELD_SOLICIT_CONTROLS) {
    if (!pn_elem_fixed(r, PN_FIELD_SOLICIT_CONTROLS, PN_LENGTH_SOLICIT_CONTROLS))
      return false;
    pn_read_u8(r);
    msg->solicit_type = pn_read_u8(r);
    if (msg->solicit_type > PN_SOLICIT_TYPE_LOCAL)
      return pn_reader_fail(r, PN_ERR_BAD_VALUE, r->at - 1);
    msg->present |= PN_HAS_CONTROLS;
    pn_elem_pad(r);
  }
  return read_route(r, msg) && read_hashed_nonce(r, msg);
}

/* MS-PNRP 2.2.2.2 */
static bool decode_advertise(pn_reader_t *r, pn_msg_t *msg) {
  return read_acked(r, msg) && read_array(r, msg, &pnrp_ids) && read_hashed_nonce(r, msg);
}

/* MS-PNRP 2.2.2.3 */
static bool decode_request(pn_reader_t *r, pn_msg_t *msg) {
  return read_nonce(r, msg) && read_array(r, msg, &pnrp_ids);
}

/* MS-PNRP 2.2.2.4 */
static bool decode_flood(pn_reader_t *r, pn_msg_t *msg) {
  if (!pn_elem_fixed(r, PN_FIELD_FLOOD_CONTROLS, PN_LENGTH_FLOOD_CONTROLS))
    return false;
  msg->flags = pn_read_be16(r) & PN_FLOOD_FLAG_D;
  pn_read_u8(r);
  pn_elem_pad(r);
  if (!read_validate(r, msg))
    return false;
  if (pn_elem_peek(r) == PN_FIELD_REVOKE_CPA) {
    if (!pn_elem_open(r, PN_FIELD_REVOKE_CPA, &msg->bytes_length))
      return false;
    msg->present |= PN_HAS_CPA;
    msg->bytes = pn_read_span(r, msg->bytes_length);
    pn_elem_pad(r);
  }
  return read_route(r, msg) && read_array(r, msg, &flooded_list);
}

/* MS-PNRP 2.2.2.5 */
static bool decode_inquire(pn_reader_t *r, pn_msg_t *msg) {
  if (!pn_elem_fixed(r, PN_FIELD_FLAGS_FIELD, PN_LENGTH_FLAGS_FIELD))
    return false;
  msg->flags = pn_read_be16(r) & (PN_INQUIRE_FLAG_A | PN_INQUIRE_FLAG_X | PN_INQUIRE_FLAG_C);
  pn_elem_pad(r);
  if (!read_validate(r, msg))
    return false;
  if (pn_elem_peek(r) != PN_FIELD_NONCE)
    return true;
  msg->present |= PN_HAS_NONCE;
  return read_nonce(r, msg);
}

/* MS-PNRP 2.2.2.6; an AUTHORITY_BUFFER has at least its flags, without padding 6 bytes. */
static bool decode_authority(pn_reader_t *r, pn_msg_t *msg) {
  if (!read_acked(r, msg) || !pn_elem_fixed(r, PN_FIELD_SPLIT_CONTROLS, PN_LENGTH_SPLIT_CONTROLS))
    return false;
  msg->size = pn_read_be16(r);
  msg->offset = pn_read_be16(r);
  if (msg->size > PN_LIMIT_AUTHORITY_BUFFER || msg->size < PN_LENGTH_FLAGS_FIELD)
    return pn_reader_fail(r, PN_ERR_BAD_SPLIT, r->at - 4);
  if (msg->offset % PN_LIMIT_FRAGMENT != 0 || msg->offset >= msg->size)
    return pn_reader_fail(r, PN_ERR_BAD_SPLIT, r->at - 2);
  if (pn_reader_left(r) == 0)
    return pn_reader_fail(r, PN_ERR_TRUNCATED, r->at);
  msg->bytes_length = pn_reader_left(r);
  msg->bytes = pn_read_span(r, msg->bytes_length);
  return true;
}

/* MS-PNRP 2.2.2.7 */
static bool decode_ack(pn_reader_t *r, pn_msg_t *msg) {
  if (!read_acked(r, msg))
    return false;
  if (pn_elem_peek(r) != PN_FIELD_FLAGS_FIELD)
    return true;
  if (!pn_elem_fixed(r, PN_FIELD_FLAGS_FIELD, PN_LENGTH_FLAGS_FIELD))
    return false;
  msg->present |= PN_HAS_CONTROLS;
  msg->flags = pn_read_be16(r) & PN_ACK_FLAG_N;
  return true;
}

/* MS-PNRP 2.2.2.8 */
static bool decode_lookup(pn_reader_t *r, pn_msg_t *msg) {
  if (!pn_elem_fixed(r, PN_FIELD_LOOKUP_CONTROLS, PN_LENGTH_LOOKUP_CONTROLS))
    return false;
  msg->flags = pn_read_be16(r) & PN_LOOKUP_FLAG_A;
  msg->precision = pn_read_be16(r);
  msg->criteria = pn_read_u8(r);
  msg->reason = pn_read_u8(r);
  pn_read_be16(r); /* Reserved2, inside Length (N-06) */
  /* 0 or one of the four bits */
  if (msg->criteria > PN_CRITERIA_UPPER_BITS || (msg->criteria & (msg->criteria - 1)) != 0)
    return pn_reader_fail(r, PN_ERR_BAD_VALUE, r->at - 4);
  if (!pn_elem_fixed(r, PN_FIELD_TARGET_PNRP_ID, PN_LENGTH_TARGET_PNRP_ID))
    return false;
  msg->target = pn_read_span(r, PN_LENGTH_PNRP_ID);
  return read_validate(r, msg) && read_route(r, msg) && read_array(r, msg, &flagged_path);
}

static bool decode_body(pn_reader_t *r, pn_msg_t *msg) {
  switch (msg->type) {
  case PN_MESSAGE_SOLICIT:
    return decode_solicit(r, msg);
  case PN_MESSAGE_ADVERTISE:
    return decode_advertise(r, msg);
  case PN_MESSAGE_REQUEST:
    return decode_request(r, msg);
  case PN_MESSAGE_FLOOD:
    return decode_flood(r, msg);
  case PN_MESSAGE_INQUIRE:
    return decode_inquire(r, msg);
  case PN_MESSAGE_AUTHORITY:
    return decode_authority(r, msg);
  case PN_MESSAGE_ACK:
    return decode_ack(r, msg);
  default:
    return decode_lookup(r, msg);
  }
}

pn_err_t pn_msg_decode(pn_bytes_t source, uint32_t start, uint32_t length, pn_msg_t *msg) {
  pn_reader_t r = pn_reader_over(source, start, length);
  memset(msg, 0, sizeof *msg);
  if (length > PN_LIMIT_UDP_PAYLOAD)
    pn_reader_fail(&r, PN_ERR_BAD_LENGTH, start);
  /* None of the messages ends with an element that owns padding, so what follows the last one
   * counts from where the reader stands. */
  if (pn_hdr_decode(&r, &msg->type, &msg->message_id) && decode_body(&r, msg))
    pn_elem_finish(&r, r.at);
  msg->code = r.code;
  msg->at = r.failed_at - start;
  if (r.code == PN_OK)
    msg->at = 0;
  return (pn_err_t)msg->code;
}
