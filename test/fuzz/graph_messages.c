/* Graph messages, records and internal payloads. The first byte of an input says as what it is
 * read, and in which byte order. */
#include "support/graph.h"

#define ROOM 70000u

static uint8_t first[ROOM], second[ROOM];

static pn_bytes_t body_of(pn_bytes_t source, const pn_graph_msg_t *msg) {
  if (msg->type == PN_GRAPH_MESSAGE_FLOOD)
    return (pn_bytes_t){source.base + msg->record.at, msg->record.size};
  if (msg->type == PN_GRAPH_MESSAGE_PT2PT)
    return (pn_bytes_t){source.base + msg->entries, msg->entry_count};
  return (pn_bytes_t){NULL, 0};
}

static uint32_t encode(const pn_graph_msg_t *msg, pn_bytes_t source, uint8_t *out) {
  pn_writer_t w = {out, ROOM, 0, PN_OK};
  PN_ASSERT(pn_graph_msg_encode(msg, source, body_of(source, msg), &w) == PN_OK);
  return w.at;
}

/* Read, written, read again: the second writing has to equal the first. */
static void message(pn_bytes_t source, uint32_t order) {
  pn_graph_identity_t graph = fuzz_graph(order);
  pn_graph_msg_t msg;
  uint32_t size, type;
  if (pn_graph_header(source, 0, 65536, &size, &type) != PN_OK || size != source.size)
    return;
  pn_err_t code = pn_graph_msg_decode(source, 0, size, &graph, &msg);
  PN_ASSERT(code < PN_ERR_COUNT && msg.code < PN_ERR_COUNT);
  if (code != PN_OK || msg.code != PN_OK)
    return;
  fuzz_read_message(source, &msg);
  pn_bytes_t again = {first, encode(&msg, source, first)};
  PN_ASSERT(pn_graph_header(again, 0, 65536, &size, &type) == PN_OK && size == again.size);
  PN_ASSERT(pn_graph_msg_decode(again, 0, size, &graph, &msg) == PN_OK && msg.code == PN_OK);
  fuzz_read_message(again, &msg);
  PN_ASSERT(encode(&msg, again, second) == again.size);
  PN_ASSERT(memcmp(first, second, again.size) == 0);
}

/* The strings of a record without their lengths, as the encoder wants them. */
static uint32_t texts_of(pn_bytes_t source, const pn_graph_record_t *record, uint8_t *out) {
  const uint32_t spans[4][2] = {
      {pn_graph_record_creator(record), record->creator_units},
      {pn_graph_record_modifier(record), record->modifier_units},
      {pn_graph_record_graph(record), record->graph_units},
      {pn_graph_record_attributes(record), record->attributes_units},
  };
  uint32_t at = 0;
  for (uint32_t i = 0; i < 4; i++) {
    memcpy(out + at, source.base + record->at + spans[i][0], 2 * spans[i][1]);
    at += 2 * spans[i][1];
  }
  return at;
}

static void record(pn_bytes_t source, uint32_t order) {
  static uint8_t texts[ROOM], fixed[56];
  pn_graph_identity_t graph = fuzz_graph(order);
  pn_graph_record_t found;
  pn_err_t code = pn_graph_record_decode(source, 0, source.size, &graph, &found);
  PN_ASSERT(code < PN_ERR_COUNT);
  if (code != PN_OK)
    return;
  fuzz_read_record(source, &found);
  memcpy(fixed, source.base, 32);
  memcpy(fixed + 32, source.base + pn_graph_record_times(&found), 24);
  pn_graph_record_parts_t parts = {
      {fixed, sizeof fixed},
      {texts, texts_of(source, &found, texts)},
      {source.base + pn_graph_record_security(&found), found.security_size},
      {source.base + pn_graph_record_payload(&found), found.payload_size},
  };
  pn_writer_t w = {first, ROOM, 0, PN_OK};
  PN_ASSERT(pn_graph_record_encode(&found, &parts, order ^ found.swapped, &w) == PN_OK);
  PN_ASSERT(w.at == source.size);
  /* all but the reserved bytes and bits, 36 .. 39 */
  PN_ASSERT(memcmp(first, source.base, 36) == 0);
  PN_ASSERT(memcmp(first + 40, source.base + 40, source.size - 40) == 0);
}

static void info(pn_bytes_t source, uint32_t order) {
  pn_graph_info_t found;
  pn_writer_t w = {first, ROOM, 0, PN_OK};
  if (pn_graph_info_decode(source, order, &found) != PN_OK)
    return;
  fuzz_read(source, found.comment.at, 2ull * found.comment.units);
  PN_ASSERT(pn_graph_info_encode(&found, source, order, &w) == PN_OK && w.at == source.size);
  PN_ASSERT(memcmp(first + 8, source.base + 8, source.size - 8) == 0);
}

static void node(pn_bytes_t source, uint32_t kind, uint32_t order) {
  pn_graph_node_t found;
  pn_writer_t w = {first, ROOM, 0, PN_OK};
  if (pn_graph_node_decode(source, kind, order, &found) != PN_OK)
    return;
  fuzz_read(source, found.addresses, (uint64_t)found.address_count * PN_GRAPH_LENGTH_ADDRESS);
  PN_ASSERT(pn_graph_node_encode(&found, source, kind, order, &w) == PN_OK);
  PN_ASSERT(w.at == source.size && memcmp(first, source.base, w.at) == 0);
}

static void address_ex(pn_bytes_t source) {
  pn_graph_text_t peer_id;
  pn_writer_t w = {first, ROOM, 0, PN_OK};
  if (pn_graph_address_ex_decode(source, &peer_id) != PN_OK)
    return;
  PN_ASSERT(pn_graph_address_ex_encode(&peer_id, source, &w) == PN_OK);
  PN_ASSERT(w.at == source.size && memcmp(first, source.base, w.at) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1 || size > 65536)
    return 0;
  pn_bytes_t source = {data + 1, (uint32_t)size - 1};
  uint32_t order = data[0] & 1;
  switch (data[0] >> 1 & 7) {
  case 0:
    message(source, order);
    break;
  case 1:
    record(source, order);
    break;
  case 2:
    info(source, order);
    break;
  case 6:
    address_ex(source);
    break;
  case 7:
    break;
  default:
    node(source, (data[0] >> 1 & 7u) - 2, order);
  }
  return 0;
}
