#include "core/graph_msg.h"

#include "core/graph_text.h"
#include "core/limits.h"

/* A reader that has passed over the whole message: fields are looked at by their offsets. */
typedef struct {
  pn_reader_t r;
  uint32_t size;
  const pn_graph_identity_t *graph;
} view_t;

static uint32_t u8(const view_t *v, uint32_t offset) {
  return pn_reader_byte(&v->r, v->r.origin + offset);
}

static uint32_t u16(const view_t *v, uint32_t offset) {
  return pn_reader_be16(&v->r, v->r.origin + offset);
}

static uint32_t u32(const view_t *v, uint32_t offset) {
  return pn_reader_be32(&v->r, v->r.origin + offset);
}

static bool fail(view_t *v, pn_err_t code, uint32_t offset) {
  return pn_reader_fail(&v->r, code, v->r.origin + offset);
}

static uint32_t largest(uint32_t type, uint32_t max_message) {
  uint32_t limit = PN_LIMIT_GRAPH_CONTROL_MESSAGE;
  if (type == PN_GRAPH_MESSAGE_FLOOD || type == PN_GRAPH_MESSAGE_PT2PT)
    return max_message;
  if (type == PN_GRAPH_MESSAGE_ACK || type == PN_GRAPH_MESSAGE_ADVERTISE)
    limit = PN_LIMIT_GRAPH_LIST_MESSAGE;
  else if (type == PN_GRAPH_MESSAGE_SOLICIT_HASH)
    limit = PN_LIMIT_GRAPH_HASH_MESSAGE;
  else if (type == PN_GRAPH_MESSAGE_REQUEST)
    limit = PN_LIMIT_GRAPH_REQUEST_MESSAGE;
  return limit < max_message ? limit : max_message;
}

pn_err_t pn_graph_header(pn_bytes_t source, uint32_t at, uint32_t max_message, uint32_t *size,
                         uint32_t *type) {
  pn_reader_t r = pn_reader_over(source, at, PN_GRAPH_LENGTH_HEADER);
  *size = pn_read_be32(&r);
  uint32_t version = pn_read_u8(&r);
  *type = pn_read_u8(&r);
  if (!pn_reader_ok(&r))
    return (pn_err_t)r.code;
  if (*size < PN_GRAPH_LENGTH_HEADER)
    return PN_ERR_BAD_LENGTH;
  if (version != PN_GRAPH_VALUE_VERSION)
    return PN_ERR_BAD_VERSION;
  /* GA-34 */
  if (*type < PN_GRAPH_MESSAGE_AUTH_INFO || *type > PN_GRAPH_MESSAGE_ACK)
    return PN_ERR_UNKNOWN_MESSAGE_TYPE;
  return *size > largest(*type, max_message) ? PN_ERR_MESSAGE_TOO_LONG : PN_OK;
}

/* Entries that end at `limit` or before it. Those that are there stand behind the fixed part. */
static bool read_entries(view_t *v, uint32_t offset, uint32_t count, uint32_t each, uint32_t fixed,
                         uint32_t limit, uint32_t *at) {
  uint64_t end = offset + (uint64_t)count * each;
  if (end > limit || limit > v->size || (count > 0 && offset < fixed))
    return fail(v, PN_ERR_BAD_LENGTH, offset <= v->size ? offset : v->size);
  *at = count > 0 ? v->r.origin + offset : 0;
  return true;
}

static bool read_text(view_t *v, uint32_t from, uint32_t to, uint32_t least,
                      pn_graph_text_t *text) {
  text->at = v->r.origin + from;
  text->length = to - from - 1;
  if (pn_graph_is_utf8(&v->r, text->at, to - from, least, PN_GRAPH_BOUND_ID_UNITS - 1))
    return true;
  return fail(v, PN_ERR_BAD_TEXT, from);
}

/* A text up to the end of the message, absent when its offset is the end. */
static bool read_last_text(view_t *v, uint32_t from, uint32_t least, pn_graph_text_t *text) {
  if (from == v->size)
    return true;
  return read_text(v, from, v->size, least, text);
}

/* 2.2.1.3 */
static bool read_addresses(view_t *v, uint32_t offset, uint32_t count, uint32_t fixed,
                           uint32_t limit, pn_graph_msg_t *msg) {
  if (!read_entries(v, offset, count, PN_GRAPH_LENGTH_IN6_ADDRESS, fixed, limit, &msg->entries))
    return false;
  msg->entry_count = count;
  for (uint32_t i = 0; i < count; i++, offset += PN_GRAPH_LENGTH_IN6_ADDRESS)
    if (u16(v, offset) != PN_GRAPH_VALUE_FAMILY)
      return fail(v, PN_ERR_BAD_VALUE, offset);
  return true;
}

/* 2.2.2.1, 3.1.5.1.1 */
static bool decode_auth_info(view_t *v, pn_graph_msg_t *msg) {
  uint32_t graph = u16(v, 10), source = u16(v, 12), destination = u16(v, 14);
  msg->value = u8(v, 8);
  if (msg->value != PN_GRAPH_CONNECTION_NEIGHBOR && msg->value != PN_GRAPH_CONNECTION_DIRECT)
    return fail(v, PN_ERR_BAD_VALUE, 8);
  if (graph < PN_GRAPH_FIXED_AUTH_INFO || graph >= source || source >= destination ||
      destination > v->size)
    return fail(v, PN_ERR_BAD_LENGTH, 10);
  return read_text(v, graph, source, 1, &msg->texts[0]) &&
         read_text(v, source, destination, 1, &msg->texts[1]) &&
         read_last_text(v, destination, 1, &msg->texts[2]);
}

/* 2.2.2.2, 3.1.5.2.1 */
static bool decode_connect(view_t *v, pn_graph_msg_t *msg) {
  uint32_t count = u8(v, 9), name = u16(v, 12);
  msg->value =
      u8(v, 8) & (PN_GRAPH_CONNECT_FLAG_U | PN_GRAPH_CONNECT_FLAG_D | PN_GRAPH_CONNECT_FLAG_N);
  msg->node_id = v->r.origin + 16;
  if ((msg->value & PN_GRAPH_CONNECT_FLAG_U) != 0 && count == 0)
    return fail(v, PN_ERR_BAD_COUNT, 9);
  if (name < PN_GRAPH_FIXED_CONNECT)
    return fail(v, PN_ERR_BAD_LENGTH, 12);
  return read_addresses(v, u16(v, 10), count, PN_GRAPH_FIXED_CONNECT, name, msg) &&
         read_last_text(v, name, 0, &msg->texts[0]);
}

/* 2.2.2.3, 3.1.5.2.2 */
static bool decode_welcome(view_t *v, pn_graph_msg_t *msg) {
  uint32_t peer = u16(v, 28), name = u16(v, 30);
  msg->node_id = v->r.origin + 8;
  msg->time = v->r.origin + 16;
  if (peer < PN_GRAPH_FIXED_WELCOME || name <= peer || name > v->size)
    return fail(v, PN_ERR_BAD_LENGTH, 28);
  return read_addresses(v, u16(v, 26), u8(v, 24), PN_GRAPH_FIXED_WELCOME, peer, msg) &&
         read_text(v, peer, name, 0, &msg->texts[0]) && read_last_text(v, name, 0, &msg->texts[1]);
}

/* 2.2.2.4 and 3.1.5.2.3, 2.2.2.5 and 3.1.5.2.4 */
static bool decode_goodbye(view_t *v, uint32_t highest, pn_graph_msg_t *msg) {
  msg->value = u8(v, 8);
  if (msg->value < 1 || msg->value > highest)
    return fail(v, PN_ERR_BAD_VALUE, 8);
  return read_addresses(v, u16(v, 10), u8(v, 9), PN_GRAPH_FIXED_REFUSE, v->size, msg);
}

/* Counts and GUIDs of the three SOLICITs, 3.1.5.2.5-7. */
static bool decode_types(view_t *v, uint32_t fixed, uint32_t limit, pn_graph_msg_t *msg) {
  uint32_t included = u8(v, 8), excluded = u8(v, 9);
  /* 3.1.5.2.5 and .6; 3.1.5.2.7 does not say it */
  bool too_many = included > 1 && msg->type != PN_GRAPH_MESSAGE_SOLICIT_HASH;
  if (too_many || (included > 0 && excluded > 0))
    return fail(v, PN_ERR_BAD_COUNT, 8);
  msg->value = included > 0;
  msg->entry_count = included + excluded;
  return read_entries(v, u16(v, 10), msg->entry_count, PN_GRAPH_LENGTH_GUID, fixed, limit,
                      &msg->entries);
}

/* 2.2.2.8, 3.1.5.2.7 with GA-22 */
static bool decode_solicit_hash(view_t *v, pn_graph_msg_t *msg) {
  uint32_t hashes = u16(v, 16);
  msg->more_count = u32(v, 12);
  if (hashes > v->size)
    return fail(v, PN_ERR_BAD_LENGTH, 16);
  return decode_types(v, PN_GRAPH_FIXED_SOLICIT_HASH, hashes, msg) &&
         read_entries(v, hashes, msg->more_count, PN_GRAPH_LENGTH_HASH_INFO,
                      PN_GRAPH_FIXED_SOLICIT_HASH, v->size, &msg->more);
}

/* 2.2.2.9, 3.1.5.2.8 */
static bool decode_advertise(view_t *v, pn_graph_msg_t *msg) {
  uint32_t abstracts = u32(v, 20);
  msg->entry_count = u32(v, 8);
  msg->more_count = u32(v, 12);
  if (abstracts > v->size)
    return fail(v, PN_ERR_BAD_LENGTH, 20);
  return read_entries(v, u16(v, 16), msg->entry_count, PN_GRAPH_LENGTH_BOUNDARY,
                      PN_GRAPH_FIXED_ADVERTISE, abstracts, &msg->entries) &&
         read_entries(v, abstracts, msg->more_count, PN_GRAPH_LENGTH_ABSTRACT,
                      PN_GRAPH_FIXED_ADVERTISE, v->size, &msg->more);
}

/* 2.2.2.10, 3.1.5.2.9 with GA-20 */
static bool decode_request(view_t *v, pn_graph_msg_t *msg) {
  msg->more_count = u32(v, 8);
  return read_entries(v, u32(v, 12), msg->more_count, PN_GRAPH_LENGTH_ABSTRACT,
                      PN_GRAPH_FIXED_REQUEST, v->size, &msg->more);
}

/* 2.2.2.11, 3.1.5.2.10 with GA-29. What is wrong with the record only drops it. */
static bool decode_flood(view_t *v, pn_bytes_t source, pn_graph_msg_t *msg) {
  uint32_t offset = u16(v, 8);
  if (offset < PN_GRAPH_FIXED_FLOOD || offset > v->size)
    return fail(v, PN_ERR_BAD_LENGTH, 8);
  if (u16(v, 10) != 0)
    return fail(v, PN_ERR_BAD_VALUE, 10);
  msg->code = pn_graph_record_decode(source, v->r.origin + offset, v->size - offset, v->graph,
                                     &msg->record);
  return true;
}

/* 2.2.2.13, 3.1.5.2.13 */
static bool decode_pt2pt(view_t *v, pn_graph_msg_t *msg) {
  uint32_t offset = u16(v, 8);
  if (offset < PN_GRAPH_FIXED_PT2PT || offset > v->size)
    return fail(v, PN_ERR_BAD_LENGTH, 8);
  msg->node_id = v->r.origin + 12;
  msg->entries = v->r.origin + offset;
  msg->entry_count = v->size - offset;
  return true;
}

/* 2.2.2.14, 3.1.5.2.12 */
static bool decode_ack(view_t *v, pn_graph_msg_t *msg) {
  msg->entry_count = u16(v, 8);
  return read_entries(v, u16(v, 10), msg->entry_count, PN_GRAPH_LENGTH_ACK, PN_GRAPH_FIXED_ACK,
                      v->size, &msg->entries);
}

static bool decode_body(view_t *v, pn_bytes_t source, pn_graph_msg_t *msg) {
  switch (msg->type) {
  case PN_GRAPH_MESSAGE_AUTH_INFO:
    return decode_auth_info(v, msg);
  case PN_GRAPH_MESSAGE_CONNECT:
    return decode_connect(v, msg);
  case PN_GRAPH_MESSAGE_WELCOME:
    return decode_welcome(v, msg);
  case PN_GRAPH_MESSAGE_REFUSE:
    return decode_goodbye(v, PN_GRAPH_REFUSE_DIRECT_CONNECTION_DISALLOWED, msg);
  case PN_GRAPH_MESSAGE_DISCONNECT:
    return decode_goodbye(v, PN_GRAPH_DISCONNECT_APP_DISCONNECT, msg);
  case PN_GRAPH_MESSAGE_SOLICIT_NEW:
    return decode_types(v, PN_GRAPH_FIXED_SOLICIT_NEW, v->size, msg);
  case PN_GRAPH_MESSAGE_SOLICIT_TIME:
    msg->time = v->r.origin + 12;
    return decode_types(v, PN_GRAPH_FIXED_SOLICIT_TIME, v->size, msg);
  case PN_GRAPH_MESSAGE_SOLICIT_HASH:
    return decode_solicit_hash(v, msg);
  case PN_GRAPH_MESSAGE_ADVERTISE:
    return decode_advertise(v, msg);
  case PN_GRAPH_MESSAGE_REQUEST:
    return decode_request(v, msg);
  case PN_GRAPH_MESSAGE_FLOOD:
    return decode_flood(v, source, msg);
  case PN_GRAPH_MESSAGE_SYNC_END:
    msg->value = u8(v, 8) & PN_GRAPH_SYNC_FLAG_F;
    return true;
  case PN_GRAPH_MESSAGE_PT2PT:
    return decode_pt2pt(v, msg);
  case PN_GRAPH_MESSAGE_ACK:
    return decode_ack(v, msg);
  default:
    return fail(v, PN_ERR_UNKNOWN_MESSAGE_TYPE, 5);
  }
}

pn_err_t pn_graph_msg_decode(pn_bytes_t source, uint32_t at, uint32_t size,
                             const pn_graph_identity_t *graph, pn_graph_msg_t *msg) {
  static const uint8_t least[PN_GRAPH_MESSAGE_ACK + 1] = {
      0,
      PN_GRAPH_FIXED_AUTH_INFO,
      PN_GRAPH_FIXED_CONNECT,
      PN_GRAPH_FIXED_WELCOME,
      PN_GRAPH_FIXED_REFUSE,
      PN_GRAPH_FIXED_DISCONNECT,
      PN_GRAPH_FIXED_SOLICIT_NEW,
      PN_GRAPH_FIXED_SOLICIT_TIME,
      PN_GRAPH_FIXED_SOLICIT_HASH,
      PN_GRAPH_FIXED_ADVERTISE,
      PN_GRAPH_FIXED_REQUEST,
      PN_GRAPH_FIXED_FLOOD_LEAST,
      PN_GRAPH_FIXED_SYNC_END,
      PN_GRAPH_FIXED_PT2PT,
      PN_GRAPH_FIXED_ACK,
  };
  view_t v = {pn_reader_over(source, at, size), size, graph};
  pn_read_span(&v.r, size);
  memset(msg, 0, sizeof *msg);
  msg->at = at;
  msg->size = size;
  msg->type = u8(&v, 5);
  for (uint32_t i = 0; i < 3; i++)
    msg->texts[i].at = PN_GRAPH_ABSENT;
  if (pn_reader_ok(&v.r) && msg->type <= PN_GRAPH_MESSAGE_ACK && size < least[msg->type])
    fail(&v, PN_ERR_TRUNCATED, 0);
  if (pn_reader_ok(&v.r))
    decode_body(&v, source, msg);
  if (v.r.code != PN_OK)
    msg->code = v.r.code;
  return (pn_err_t)v.r.code;
}
