#include "core/graph_msg.h"

static void refuse(pn_writer_t *w, pn_err_t code) {
  if (w->code == PN_OK)
    w->code = code;
  w->size = w->at;
}

static void write_limited(pn_writer_t *w, uint32_t value, uint32_t most, uint32_t bytes) {
  if (value > most)
    refuse(w, PN_ERR_BAD_COUNT);
  else if (bytes == 1)
    pn_write_u8(w, value);
  else
    pn_write_be16(w, value);
}

static void write_count8(pn_writer_t *w, uint32_t count) {
  write_limited(w, count, 0xff, 1);
}

static void write_count16(pn_writer_t *w, uint32_t count) {
  write_limited(w, count, 0xffff, 2);
}

static uint64_t text_size(const pn_graph_text_t *text) {
  return text->at == PN_GRAPH_ABSENT ? 0 : (uint64_t)text->length + 1;
}

static void write_text(pn_writer_t *w, pn_bytes_t source, const pn_graph_text_t *text) {
  if (text->at == PN_GRAPH_ABSENT)
    return;
  pn_write_span(w, source, text->at, text->length);
  pn_write_u8(w, 0);
}

/* Message Size, version, type, reserved: 2.2.1.2. `rest` is what follows the fixed part. */
static void write_header(pn_writer_t *w, uint32_t type, uint32_t fixed, uint64_t rest) {
  if (rest > 0xffffffffu - fixed)
    refuse(w, PN_ERR_MESSAGE_TOO_LONG);
  pn_write_be32(w, fixed + (uint32_t)rest);
  pn_write_u8(w, PN_GRAPH_VALUE_VERSION);
  pn_write_u8(w, type);
  pn_write_be16(w, 0);
}

static uint64_t entries_size(uint32_t count, uint32_t each) {
  return (uint64_t)count * each;
}

static void write_entries(pn_writer_t *w, pn_bytes_t source, uint32_t at, uint32_t count,
                          uint32_t each) {
  if (entries_size(count, each) > source.size)
    refuse(w, PN_ERR_OUT_OF_SOURCE);
  else
    pn_write_span(w, source, at, count * each);
}

static void write_addresses(pn_writer_t *w, pn_bytes_t source, const pn_graph_msg_t *msg) {
  write_entries(w, source, msg->entries, msg->entry_count, PN_GRAPH_LENGTH_IN6_ADDRESS);
}

static uint32_t clamp(uint64_t size) {
  return size > 0xffffffffu ? 0xffffffffu : (uint32_t)size;
}

/* 2.2.2.1 */
static void encode_auth_info(const pn_graph_msg_t *msg, pn_bytes_t source, pn_writer_t *w) {
  uint64_t after_graph = PN_GRAPH_FIXED_AUTH_INFO + text_size(&msg->texts[0]);
  uint64_t after_source = after_graph + text_size(&msg->texts[1]);
  uint64_t end = after_source + text_size(&msg->texts[2]);
  write_header(w, msg->type, PN_GRAPH_FIXED_AUTH_INFO, end - PN_GRAPH_FIXED_AUTH_INFO);
  pn_write_u8(w, msg->value);
  pn_write_u8(w, 0);
  write_count16(w, PN_GRAPH_FIXED_AUTH_INFO);
  write_count16(w, clamp(after_graph));
  write_count16(w, clamp(after_source));
  for (uint32_t i = 0; i < 3; i++)
    write_text(w, source, &msg->texts[i]);
}

/* 2.2.2.2 */
static void encode_connect(const pn_graph_msg_t *msg, pn_bytes_t source, pn_writer_t *w) {
  uint64_t list = entries_size(msg->entry_count, PN_GRAPH_LENGTH_IN6_ADDRESS);
  uint64_t name = PN_GRAPH_FIXED_CONNECT + list;
  write_header(w, msg->type, PN_GRAPH_FIXED_CONNECT, list + text_size(&msg->texts[0]));
  pn_write_u8(w, msg->value);
  write_count8(w, msg->entry_count);
  pn_write_be16(w, PN_GRAPH_FIXED_CONNECT);
  write_count16(w, clamp(name));
  pn_write_be16(w, 0);
  pn_write_span(w, source, msg->node_id, 8);
  write_addresses(w, source, msg);
  write_text(w, source, &msg->texts[0]);
}

/* 2.2.2.3; without addresses their offset is 0 (3.1.5.2.1) */
static void encode_welcome(const pn_graph_msg_t *msg, pn_bytes_t source, pn_writer_t *w) {
  uint64_t list = entries_size(msg->entry_count, PN_GRAPH_LENGTH_IN6_ADDRESS);
  uint64_t peer = PN_GRAPH_FIXED_WELCOME + list;
  uint64_t name = peer + text_size(&msg->texts[0]);
  write_header(w, msg->type, PN_GRAPH_FIXED_WELCOME,
               name - PN_GRAPH_FIXED_WELCOME + text_size(&msg->texts[1]));
  pn_write_span(w, source, msg->node_id, 8);
  pn_write_span(w, source, msg->time, 8);
  write_count8(w, msg->entry_count);
  pn_write_u8(w, 0);
  pn_write_be16(w, msg->entry_count > 0 ? PN_GRAPH_FIXED_WELCOME : 0);
  write_count16(w, clamp(peer));
  write_count16(w, clamp(name));
  write_addresses(w, source, msg);
  write_text(w, source, &msg->texts[0]);
  write_text(w, source, &msg->texts[1]);
}

/* 2.2.2.4 and 2.2.2.5; without addresses their offset is 0 in the one, 12 in the other (3.1.7.25)
 */
static void encode_goodbye(const pn_graph_msg_t *msg, pn_bytes_t source, pn_writer_t *w) {
  bool is_refuse = msg->type == PN_GRAPH_MESSAGE_REFUSE;
  write_header(w, msg->type, PN_GRAPH_FIXED_REFUSE,
               entries_size(msg->entry_count, PN_GRAPH_LENGTH_IN6_ADDRESS));
  pn_write_u8(w, msg->value);
  write_count8(w, msg->entry_count);
  pn_write_be16(w, is_refuse && msg->entry_count == 0 ? 0 : PN_GRAPH_FIXED_REFUSE);
  write_addresses(w, source, msg);
}

static void write_types(pn_writer_t *w, const pn_graph_msg_t *msg, uint32_t fixed) {
  write_count8(w, msg->value != 0 ? msg->entry_count : 0);
  write_count8(w, msg->value != 0 ? 0 : msg->entry_count);
  pn_write_be16(w, fixed);
}

/* 2.2.2.6, 2.2.2.7 */
static void encode_solicit(const pn_graph_msg_t *msg, pn_bytes_t source, pn_writer_t *w) {
  bool has_time = msg->type == PN_GRAPH_MESSAGE_SOLICIT_TIME;
  uint32_t fixed = has_time ? PN_GRAPH_FIXED_SOLICIT_TIME : PN_GRAPH_FIXED_SOLICIT_NEW;
  write_header(w, msg->type, fixed, entries_size(msg->entry_count, PN_GRAPH_LENGTH_GUID));
  write_types(w, msg, fixed);
  if (has_time)
    pn_write_span(w, source, msg->time, 8);
  write_entries(w, source, msg->entries, msg->entry_count, PN_GRAPH_LENGTH_GUID);
}

/* 2.2.2.8 */
static void encode_solicit_hash(const pn_graph_msg_t *msg, pn_bytes_t source, pn_writer_t *w) {
  uint64_t types = entries_size(msg->entry_count, PN_GRAPH_LENGTH_GUID);
  write_header(w, msg->type, PN_GRAPH_FIXED_SOLICIT_HASH,
               types + entries_size(msg->more_count, PN_GRAPH_LENGTH_HASH_INFO));
  write_types(w, msg, PN_GRAPH_FIXED_SOLICIT_HASH);
  pn_write_be32(w, msg->more_count);
  write_count16(w, clamp(PN_GRAPH_FIXED_SOLICIT_HASH + types));
  pn_write_be16(w, 0);
  write_entries(w, source, msg->entries, msg->entry_count, PN_GRAPH_LENGTH_GUID);
  write_entries(w, source, msg->more, msg->more_count, PN_GRAPH_LENGTH_HASH_INFO);
}

/* 2.2.2.9 */
static void encode_advertise(const pn_graph_msg_t *msg, pn_bytes_t source, pn_writer_t *w) {
  uint64_t ranges = entries_size(msg->entry_count, PN_GRAPH_LENGTH_BOUNDARY);
  write_header(w, msg->type, PN_GRAPH_FIXED_ADVERTISE,
               ranges + entries_size(msg->more_count, PN_GRAPH_LENGTH_ABSTRACT));
  pn_write_be32(w, msg->entry_count);
  pn_write_be32(w, msg->more_count);
  pn_write_be16(w, PN_GRAPH_FIXED_ADVERTISE);
  pn_write_be16(w, 0);
  pn_write_be32(w, clamp(PN_GRAPH_FIXED_ADVERTISE + ranges));
  write_entries(w, source, msg->entries, msg->entry_count, PN_GRAPH_LENGTH_BOUNDARY);
  write_entries(w, source, msg->more, msg->more_count, PN_GRAPH_LENGTH_ABSTRACT);
}

/* 2.2.2.10; GA-20: an empty one is padded to what receivers want */
static void encode_request(const pn_graph_msg_t *msg, pn_bytes_t source, pn_writer_t *w) {
  uint64_t list = entries_size(msg->more_count, PN_GRAPH_LENGTH_ABSTRACT);
  uint32_t padding =
      msg->more_count == 0 ? PN_GRAPH_FIXED_REQUEST_SENT - PN_GRAPH_FIXED_REQUEST : 0;
  write_header(w, msg->type, PN_GRAPH_FIXED_REQUEST, list + padding);
  pn_write_be32(w, msg->more_count);
  pn_write_be32(w, PN_GRAPH_FIXED_REQUEST);
  write_entries(w, source, msg->more, msg->more_count, PN_GRAPH_LENGTH_ABSTRACT);
  pn_write_zeros(w, padding);
}

/* 2.2.2.11 */
static void encode_flood(const pn_graph_msg_t *msg, pn_bytes_t body, pn_writer_t *w) {
  write_header(w, msg->type, PN_GRAPH_FIXED_FLOOD, body.size);
  pn_write_be16(w, PN_GRAPH_FIXED_FLOOD);
  pn_write_be16(w, 0);
  pn_write_span(w, body, 0, body.size);
}

/* 2.2.2.13 */
static void encode_pt2pt(const pn_graph_msg_t *msg, pn_bytes_t source, pn_bytes_t body,
                         pn_writer_t *w) {
  write_header(w, msg->type, PN_GRAPH_FIXED_PT2PT, body.size);
  pn_write_be16(w, PN_GRAPH_FIXED_PT2PT);
  pn_write_be16(w, 0);
  pn_write_span(w, source, msg->node_id, PN_GRAPH_LENGTH_GUID);
  pn_write_span(w, body, 0, body.size);
}

/* 2.2.2.14 */
static void encode_ack(const pn_graph_msg_t *msg, pn_bytes_t source, pn_writer_t *w) {
  write_header(w, msg->type, PN_GRAPH_FIXED_ACK,
               entries_size(msg->entry_count, PN_GRAPH_LENGTH_ACK));
  write_count16(w, msg->entry_count);
  pn_write_be16(w, PN_GRAPH_FIXED_ACK);
  write_entries(w, source, msg->entries, msg->entry_count, PN_GRAPH_LENGTH_ACK);
}

/* 2.2.2.12 */
static void encode_sync_end(const pn_graph_msg_t *msg, pn_writer_t *w) {
  write_header(w, msg->type, PN_GRAPH_FIXED_SYNC_END, 0);
  pn_write_u8(w, msg->value & PN_GRAPH_SYNC_FLAG_F);
  pn_write_zeros(w, 3);
}

static void encode_body(const pn_graph_msg_t *msg, pn_bytes_t source, pn_bytes_t body,
                        pn_writer_t *w) {
  switch (msg->type) {
  case PN_GRAPH_MESSAGE_AUTH_INFO:
    encode_auth_info(msg, source, w);
    break;
  case PN_GRAPH_MESSAGE_CONNECT:
    encode_connect(msg, source, w);
    break;
  case PN_GRAPH_MESSAGE_WELCOME:
    encode_welcome(msg, source, w);
    break;
  case PN_GRAPH_MESSAGE_REFUSE:
  case PN_GRAPH_MESSAGE_DISCONNECT:
    encode_goodbye(msg, source, w);
    break;
  case PN_GRAPH_MESSAGE_SOLICIT_NEW:
  case PN_GRAPH_MESSAGE_SOLICIT_TIME:
    encode_solicit(msg, source, w);
    break;
  case PN_GRAPH_MESSAGE_SOLICIT_HASH:
    encode_solicit_hash(msg, source, w);
    break;
  case PN_GRAPH_MESSAGE_ADVERTISE:
    encode_advertise(msg, source, w);
    break;
  case PN_GRAPH_MESSAGE_REQUEST:
    encode_request(msg, source, w);
    break;
  case PN_GRAPH_MESSAGE_FLOOD:
    encode_flood(msg, body, w);
    break;
  case PN_GRAPH_MESSAGE_SYNC_END:
    encode_sync_end(msg, w);
    break;
  case PN_GRAPH_MESSAGE_PT2PT:
    encode_pt2pt(msg, source, body, w);
    break;
  case PN_GRAPH_MESSAGE_ACK:
    encode_ack(msg, source, w);
    break;
  default:
    refuse(w, PN_ERR_UNKNOWN_MESSAGE_TYPE);
  }
}

pn_err_t pn_graph_msg_encode(const pn_graph_msg_t *msg, pn_bytes_t source, pn_bytes_t body,
                             pn_writer_t *w) {
  const pn_graph_identity_t any = {0};
  pn_graph_msg_t written;
  uint32_t start = w->at, size, type;
  encode_body(msg, source, body, w);
  if (w->code != PN_OK)
    return (pn_err_t)w->code;
  /* What the decoder refuses is not sent; a FLOOD's record was judged when it was made. */
  pn_bytes_t out = {w->base, w->at};
  pn_err_t code = pn_graph_header(out, start, 0xffffffffu, &size, &type);
  return code != PN_OK ? code : pn_graph_msg_decode(out, start, size, &any, &written);
}
