/* What the graph fuzz targets share. */
#ifndef PN_FUZZ_GRAPH_H
#define PN_FUZZ_GRAPH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/assert.h"
#include "core/graph_payload.h"
#include "core/graph_stream.h"
#include "core/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* "g1" as the graph of all records, in either byte order. */
static inline pn_graph_identity_t fuzz_graph(uint32_t order) {
  pn_graph_identity_t graph = {order, 3, {0}};
  graph.graph_id[order == PN_GRAPH_BIG_ENDIAN ? 1 : 0] = 'g';
  graph.graph_id[order == PN_GRAPH_BIG_ENDIAN ? 3 : 2] = '1';
  return graph;
}

/* Reads a span; it has to lie inside what was decoded. */
static inline void fuzz_read(pn_bytes_t source, uint32_t at, uint64_t length) {
  static volatile uint8_t sink;
  PN_ASSERT(at <= source.size && length <= source.size - at);
  for (uint32_t i = 0; i < length; i++)
    sink = (uint8_t)(sink ^ source.base[at + i]);
}

static inline void fuzz_read_record(pn_bytes_t source, const pn_graph_record_t *record) {
  uint32_t at = record->at;
  PN_ASSERT(record->size >= PN_GRAPH_LENGTH_RECORD && record->version > 0);
  PN_ASSERT(record->creator_units >= 2 && record->creator_units <= PN_GRAPH_BOUND_ID_UNITS);
  PN_ASSERT(record->graph_units >= 2 && record->graph_units <= PN_GRAPH_BOUND_ID_UNITS);
  fuzz_read(source, at, record->size);
  fuzz_read(source, at + pn_graph_record_creator(record), 2ull * record->creator_units);
  fuzz_read(source, at + pn_graph_record_modifier(record), 2ull * record->modifier_units);
  fuzz_read(source, at + pn_graph_record_security(record), record->security_size);
  fuzz_read(source, at + pn_graph_record_times(record), 24);
  fuzz_read(source, at + pn_graph_record_graph(record), 2ull * record->graph_units);
  fuzz_read(source, at + pn_graph_record_payload(record), record->payload_size);
  fuzz_read(source, at + pn_graph_record_attributes(record), 2ull * record->attributes_units);
  PN_ASSERT(pn_graph_record_attributes(record) + 2 * record->attributes_units == record->size);
}

static inline uint32_t fuzz_entry_size(uint32_t type) {
  switch (type) {
  case PN_GRAPH_MESSAGE_SOLICIT_NEW:
  case PN_GRAPH_MESSAGE_SOLICIT_TIME:
  case PN_GRAPH_MESSAGE_SOLICIT_HASH:
    return PN_GRAPH_LENGTH_GUID;
  case PN_GRAPH_MESSAGE_ADVERTISE:
    return PN_GRAPH_LENGTH_BOUNDARY;
  case PN_GRAPH_MESSAGE_PT2PT:
    return 1;
  default:
    return PN_GRAPH_LENGTH_IN6_ADDRESS; /* as long as an acknowledgement */
  }
}

/* Every byte that the row points at. */
static inline void fuzz_read_message(pn_bytes_t source, const pn_graph_msg_t *msg) {
  uint32_t more = msg->type == PN_GRAPH_MESSAGE_SOLICIT_HASH ? PN_GRAPH_LENGTH_HASH_INFO
                                                             : PN_GRAPH_LENGTH_ABSTRACT;
  PN_ASSERT(msg->type >= PN_GRAPH_MESSAGE_AUTH_INFO && msg->type <= PN_GRAPH_MESSAGE_ACK);
  fuzz_read(source, msg->at, msg->size);
  fuzz_read(source, msg->entries, (uint64_t)msg->entry_count * fuzz_entry_size(msg->type));
  fuzz_read(source, msg->more, (uint64_t)msg->more_count * more);
  fuzz_read(source, msg->node_id, msg->type == PN_GRAPH_MESSAGE_PT2PT ? 16 : 8);
  fuzz_read(source, msg->time, 8);
  for (uint32_t i = 0; i < 3; i++)
    if (msg->texts[i].at != PN_GRAPH_ABSENT)
      fuzz_read(source, msg->texts[i].at, (uint64_t)msg->texts[i].length + 1);
  if (msg->type == PN_GRAPH_MESSAGE_FLOOD && msg->code == PN_OK)
    fuzz_read_record(source, &msg->record);
}

#endif
