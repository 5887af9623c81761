/* PEER_RECORD, MS-PPGRH 2.2.1.9: layout, and the rules of 3.1.7.27 that need no state. */
#ifndef PN_GRAPH_RECORD_H
#define PN_GRAPH_RECORD_H

#include "core/buf.h"
#include "core/graph_const.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PN_GRAPH_BIG_ENDIAN 0u
#define PN_GRAPH_LITTLE_ENDIAN 1u

/* The graph that records have to be of, and the byte order of its strings (GA-01). */
typedef struct {
  uint32_t order; /* PN_GRAPH_BIG_ENDIAN … */
  uint32_t units; /* of the Graph ID with its NUL; 0: any graph, and only this byte order */
  uint8_t graph_id[2 * PN_GRAPH_BOUND_ID_UNITS]; /* in this byte order */
} pn_graph_identity_t;

/* All are 32-bit words: JavaScript reads them as they are. Where a field begins follows from the
 * lengths before it. */
typedef struct {
  uint32_t at;
  uint32_t size;
  uint32_t version;
  uint32_t flags; /* PN_GRAPH_RECORD_FLAG_…, others are dropped */
  uint32_t creator_units;
  uint32_t modifier_units; /* 0: absent, as with attributes */
  uint32_t security_size;
  uint32_t graph_units;
  uint32_t payload_size;
  uint32_t attributes_units;
  uint32_t swapped; /* 1: the strings are in the other byte order */
} pn_graph_record_t;

/* Offsets from the start of the record. */
static inline uint32_t pn_graph_record_creator(const pn_graph_record_t *record) {
  (void)record;
  return 44;
}
static inline uint32_t pn_graph_record_modifier(const pn_graph_record_t *record) {
  return 48 + 2 * record->creator_units;
}
static inline uint32_t pn_graph_record_security(const pn_graph_record_t *record) {
  return 52 + 2 * (record->creator_units + record->modifier_units);
}
static inline uint32_t pn_graph_record_times(const pn_graph_record_t *record) {
  return pn_graph_record_security(record) + record->security_size;
}
static inline uint32_t pn_graph_record_graph(const pn_graph_record_t *record) {
  return pn_graph_record_times(record) + 28;
}
static inline uint32_t pn_graph_record_payload(const pn_graph_record_t *record) {
  return pn_graph_record_graph(record) + 2 * record->graph_units + 6;
}
static inline uint32_t pn_graph_record_attributes(const pn_graph_record_t *record) {
  return pn_graph_record_payload(record) + record->payload_size + 4;
}

/* Reads the record that is exactly these bytes. */
pn_err_t pn_graph_record_decode(pn_bytes_t source, uint32_t at, uint32_t size,
                                const pn_graph_identity_t *graph, pn_graph_record_t *record);

/* What a record is made of. `fixed`: type, ID, creation, expiration and modification time, as on
 * the wire; `texts`: creator, modifier, graph ID and attributes with their NULs, one behind the
 * other. */
typedef struct {
  pn_bytes_t fixed;
  pn_bytes_t texts;
  pn_bytes_t security;
  pn_bytes_t payload;
} pn_graph_record_parts_t;

/* Writes version, flags, the four string lengths, and the parts. Refuses what the decoder would. */
pn_err_t pn_graph_record_encode(const pn_graph_record_t *record,
                                const pn_graph_record_parts_t *parts, uint32_t order,
                                pn_writer_t *w);

#ifdef __cplusplus
}
#endif

#endif
