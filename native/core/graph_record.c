#include "core/graph_record.h"

#include "core/graph_text.h"

#define ANY_UNITS 0x7fffffffu

/* Length and bytes of a string; 0 stands for an absent one where that is allowed. */
static uint32_t read_string(pn_reader_t *r, bool optional, uint32_t least, uint32_t most) {
  uint32_t at = r->at;
  uint32_t units = pn_read_be32(r);
  if (units == 0 ? !optional : units < least || units > most) {
    pn_reader_fail(r, PN_ERR_BAD_LENGTH, at);
    return 0;
  }
  if (units > pn_reader_left(r) / 2)
    pn_reader_fail(r, PN_ERR_TRUNCATED, at);
  pn_read_span(r, units * 2);
  return units;
}

static uint32_t read_block(pn_reader_t *r) {
  uint32_t size = pn_read_be32(r);
  pn_read_span(r, size);
  return size;
}

/* First pass: every length, up to the last byte. */
static bool read_lengths(pn_reader_t *r, pn_graph_record_t *record) {
  pn_read_span(r, 2 * PN_GRAPH_LENGTH_GUID);
  record->version = pn_read_be32(r);
  record->flags = pn_read_be32(r) & PN_GRAPH_RECORD_FLAG_D;
  record->creator_units =
      read_string(r, false, PN_GRAPH_BOUND_ID_UNITS_LEAST, PN_GRAPH_BOUND_ID_UNITS);
  record->modifier_units =
      read_string(r, true, PN_GRAPH_BOUND_ID_UNITS_LEAST, PN_GRAPH_BOUND_ID_UNITS);
  record->security_size = read_block(r);
  pn_read_span(r, 24);
  record->graph_units =
      read_string(r, false, PN_GRAPH_BOUND_ID_UNITS_LEAST, PN_GRAPH_BOUND_ID_UNITS);
  uint32_t at = r->at;
  if (pn_read_be16(r) != PN_GRAPH_VALUE_RECORD_VERSION)
    pn_reader_fail(r, PN_ERR_BAD_VERSION, at);
  record->payload_size = read_block(r);
  record->attributes_units = read_string(r, true, 1, ANY_UNITS);
  if (pn_reader_left(r) > 0)
    return pn_reader_fail(r, PN_ERR_TRAILING_BYTES, r->at);
  return pn_reader_ok(r);
}

/* 3.1.7.27, as far as the record alone can tell. */
static bool check_values(pn_reader_t *r, const pn_graph_record_t *record) {
  uint32_t times = record->at + pn_graph_record_times(record);
  uint64_t created = pn_reader_be64(r, times);
  uint64_t expires = pn_reader_be64(r, times + 8);
  uint64_t modified = pn_reader_be64(r, times + 16);
  if (record->version == 0)
    return pn_reader_fail(r, PN_ERR_BAD_VALUE, record->at + 32);
  if (modified < created || expires <= modified)
    return pn_reader_fail(r, PN_ERR_BAD_VALUE, times);
  if (modified == created && record->modifier_units > 0)
    return pn_reader_fail(r, PN_ERR_BAD_VALUE, times + 16);
  if ((record->flags & PN_GRAPH_RECORD_FLAG_D) != 0 && record->payload_size > 0)
    return pn_reader_fail(r, PN_ERR_BAD_PAYLOAD, record->at + pn_graph_record_payload(record));
  return true;
}

static bool is_turned(const pn_reader_t *r, uint32_t at, const pn_graph_identity_t *graph) {
  for (uint32_t i = 0; i < 2 * graph->units; i++)
    if (pn_reader_byte(r, at + i) != graph->graph_id[i ^ 1])
      return false;
  return true;
}

/* GA-01: the Graph ID tells the byte order. */
static bool find_order(pn_reader_t *r, const pn_graph_identity_t *graph,
                       pn_graph_record_t *record) {
  uint32_t at = record->at + pn_graph_record_graph(record);
  if (graph->units == 0)
    return true;
  if (record->graph_units == graph->units) {
    if (pn_reader_equals(r, at, graph->graph_id, 2 * graph->units))
      return true;
    record->swapped = is_turned(r, at, graph);
  }
  return record->swapped != 0 || pn_reader_fail(r, PN_ERR_WRONG_GRAPH, at);
}

static bool check_text(pn_reader_t *r, const pn_graph_record_t *record, uint32_t offset,
                       uint32_t units, uint32_t order) {
  uint32_t at = record->at + offset;
  if (units == 0 || pn_graph_is_utf16(r, at, units, order))
    return true;
  return pn_reader_fail(r, PN_ERR_BAD_TEXT, at);
}

static bool check_texts(pn_reader_t *r, const pn_graph_record_t *record, uint32_t order) {
  return check_text(r, record, pn_graph_record_creator(record), record->creator_units, order) &&
         check_text(r, record, pn_graph_record_modifier(record), record->modifier_units, order) &&
         check_text(r, record, pn_graph_record_graph(record), record->graph_units, order) &&
         check_text(r, record, pn_graph_record_attributes(record), record->attributes_units, order);
}

pn_err_t pn_graph_record_decode(pn_bytes_t source, uint32_t at, uint32_t size,
                                const pn_graph_identity_t *graph, pn_graph_record_t *record) {
  pn_reader_t r = pn_reader_over(source, at, size);
  memset(record, 0, sizeof *record);
  record->at = at;
  record->size = size;
  if (read_lengths(&r, record) && check_values(&r, record) && find_order(&r, graph, record))
    check_texts(&r, record, graph->order ^ record->swapped);
  return (pn_err_t)r.code;
}

/* A string's length, and so many bytes of the texts. */
static void write_string(pn_writer_t *w, pn_bytes_t texts, uint32_t *at, uint32_t units) {
  pn_write_be32(w, units);
  if (units > ANY_UNITS) {
    w->code = w->code == PN_OK ? (uint32_t)PN_ERR_BAD_LENGTH : w->code;
    return;
  }
  pn_write_span(w, texts, *at, 2 * units);
  *at += 2 * units;
}

/* One that stands where it belongs already stays there. */
static void write_payload(pn_writer_t *w, pn_bytes_t payload) {
  if (w->code == PN_OK && payload.base == w->base + w->at)
    pn_writer_take(w, payload.size);
  else
    pn_write_span(w, payload, 0, payload.size);
}

pn_err_t pn_graph_record_encode(const pn_graph_record_t *record,
                                const pn_graph_record_parts_t *parts, uint32_t order,
                                pn_writer_t *w) {
  pn_graph_identity_t any = {0};
  pn_graph_record_t written;
  uint32_t start = w->at, text = 0;
  pn_write_span(w, parts->fixed, 0, 2 * PN_GRAPH_LENGTH_GUID);
  pn_write_be32(w, record->version);
  pn_write_be32(w, record->flags & PN_GRAPH_RECORD_FLAG_D);
  write_string(w, parts->texts, &text, record->creator_units);
  write_string(w, parts->texts, &text, record->modifier_units);
  pn_write_be32(w, parts->security.size);
  pn_write_span(w, parts->security, 0, parts->security.size);
  pn_write_span(w, parts->fixed, 2 * PN_GRAPH_LENGTH_GUID, 24);
  write_string(w, parts->texts, &text, record->graph_units);
  pn_write_be16(w, PN_GRAPH_VALUE_RECORD_VERSION);
  pn_write_be32(w, parts->payload.size);
  write_payload(w, parts->payload);
  write_string(w, parts->texts, &text, record->attributes_units);
  if (w->code != PN_OK)
    return (pn_err_t)w->code;
  any.order = order;
  return pn_graph_record_decode((pn_bytes_t){w->base, w->at}, start, w->at - start, &any, &written);
}
