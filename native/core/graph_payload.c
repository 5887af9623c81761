#include "core/graph_payload.h"

#include "core/graph_text.h"

/* least: 2 for a string that has to be there, 0 for one that may be absent */
static void read_wide(pn_reader_t *r, uint32_t least, uint32_t most, uint32_t order,
                      pn_graph_wide_t *wide) {
  uint32_t at = r->at;
  wide->units = pn_read_be32(r);
  if (wide->units < least || wide->units > most)
    pn_reader_fail(r, PN_ERR_BAD_LENGTH, at);
  if (wide->units > pn_reader_left(r) / 2)
    pn_reader_fail(r, PN_ERR_TRUNCATED, at);
  wide->at = pn_read_span(r, 2 * wide->units);
  if (pn_reader_ok(r) && wide->units > 0 && !pn_graph_is_utf16(r, wide->at, wide->units, order))
    pn_reader_fail(r, PN_ERR_BAD_TEXT, wide->at);
}

static pn_err_t finish(pn_reader_t *r) {
  if (pn_reader_ok(r) && pn_reader_left(r) > 0)
    pn_reader_fail(r, PN_ERR_TRAILING_BYTES, r->at);
  return (pn_err_t)r->code;
}

static void check_ranges(pn_reader_t *r, const pn_graph_info_t *info) {
  if (info->scope < PN_GRAPH_SCOPE_GLOBAL || info->scope > PN_GRAPH_SCOPE_LINK_LOCAL)
    pn_reader_fail(r, PN_ERR_BAD_VALUE, r->origin + 8);
  if (info->presence_lifetime != 0 && info->presence_lifetime < PN_GRAPH_BOUND_PRESENCE_LIFETIME)
    pn_reader_fail(r, PN_ERR_BAD_VALUE, r->at - 12);
  if (info->max_record_size != 0 && (info->max_record_size < PN_GRAPH_BOUND_RECORD_SIZE_LEAST ||
                                     info->max_record_size > PN_GRAPH_BOUND_RECORD_SIZE))
    pn_reader_fail(r, PN_ERR_BAD_VALUE, r->at - 4);
}

pn_err_t pn_graph_info_decode(pn_bytes_t source, uint32_t order, pn_graph_info_t *info) {
  pn_reader_t r = pn_reader_over(source, 0, source.size);
  memset(info, 0, sizeof *info);
  if (pn_read_be32(&r) != source.size)
    pn_reader_fail(&r, PN_ERR_BAD_LENGTH, 0);
  info->flags = pn_read_be32(&r) & PN_GRAPH_INFO_FLAG_D;
  info->scope = pn_read_be32(&r);
  read_wide(&r, PN_GRAPH_BOUND_ID_UNITS_LEAST, PN_GRAPH_BOUND_ID_UNITS, order, &info->graph_id);
  read_wide(&r, PN_GRAPH_BOUND_ID_UNITS_LEAST, PN_GRAPH_BOUND_ID_UNITS, order, &info->creator_id);
  read_wide(&r, 0, PN_GRAPH_BOUND_NAME_UNITS, order, &info->friendly_name);
  read_wide(&r, 0, PN_GRAPH_BOUND_COMMENT_UNITS, order, &info->comment);
  info->presence_lifetime = pn_read_be32(&r);
  info->max_presence_records = pn_read_be32(&r);
  info->max_record_size = pn_read_be32(&r);
  if (pn_reader_ok(&r))
    check_ranges(&r, info);
  return finish(&r);
}

/* 2.2.1.5; what Flow Info and Zero hold is not looked at */
static void read_addresses(pn_reader_t *r, pn_graph_node_t *node) {
  node->address_count = pn_read_be32(r);
  if (node->address_count > pn_reader_left(r) / PN_GRAPH_LENGTH_ADDRESS)
    pn_reader_fail(r, PN_ERR_TRUNCATED, r->at);
  node->addresses = r->at;
  for (uint32_t i = 0; i < node->address_count && pn_reader_ok(r); i++) {
    uint32_t at = r->at, size = pn_read_be32(r), family = pn_read_be16(r);
    if (size != PN_GRAPH_VALUE_ADDRESS_SIZE || family != PN_GRAPH_VALUE_FAMILY)
      pn_reader_fail(r, PN_ERR_BAD_VALUE, at);
    pn_read_span(r, PN_GRAPH_LENGTH_ADDRESS - 6);
  }
}

pn_err_t pn_graph_node_decode(pn_bytes_t source, uint32_t kind, uint32_t order,
                              pn_graph_node_t *node) {
  pn_reader_t r = pn_reader_over(source, 0, source.size);
  memset(node, 0, sizeof *node);
  if (kind != PN_GRAPH_PAYLOAD_PRESENCE)
    node->signature = pn_read_span(&r, 8);
  if (kind == PN_GRAPH_PAYLOAD_SIGNATURE)
    return finish(&r);
  node->node_id = pn_read_span(&r, 8);
  if (kind == PN_GRAPH_PAYLOAD_PRESENCE)
    read_wide(&r, 0, 0x7fffffffu, order, &node->attributes);
  read_addresses(&r, node);
  return finish(&r);
}

pn_err_t pn_graph_address_ex_decode(pn_bytes_t source, pn_graph_text_t *peer_id) {
  pn_reader_t r = pn_reader_over(source, 0, source.size);
  if (pn_read_be16(&r) != PN_GRAPH_VALUE_FAMILY)
    pn_reader_fail(&r, PN_ERR_BAD_VALUE, 0);
  pn_read_span(&r, PN_GRAPH_LENGTH_IN6_ADDRESS - 2);
  uint32_t length = pn_reader_left(&r);
  peer_id->at = pn_read_span(&r, length);
  peer_id->length = length > 0 ? length - 1 : 0;
  if (pn_reader_ok(&r) &&
      !pn_graph_is_utf8(&r, peer_id->at, length, 1, PN_GRAPH_BOUND_ID_UNITS - 1))
    pn_reader_fail(&r, PN_ERR_BAD_TEXT, peer_id->at);
  return finish(&r);
}

static void write_wide(pn_writer_t *w, pn_bytes_t source, const pn_graph_wide_t *wide) {
  pn_write_be32(w, wide->units);
  if (wide->units <= source.size / 2)
    pn_write_span(w, source, wide->at, 2 * wide->units);
  else if (w->code == PN_OK)
    w->code = PN_ERR_OUT_OF_SOURCE;
}

static pn_bytes_t written(const pn_writer_t *w, uint32_t start) {
  return (pn_bytes_t){w->base + start, w->at - start};
}

pn_err_t pn_graph_info_encode(const pn_graph_info_t *info, pn_bytes_t source, uint32_t order,
                              pn_writer_t *w) {
  uint32_t start = w->at;
  pn_graph_info_t again;
  /* each string is far below 2^16 when the decoder accepts it; wrapped sums are refused below */
  uint32_t units = info->graph_id.units + info->creator_id.units + info->friendly_name.units +
                   info->comment.units;
  pn_write_be32(w, PN_GRAPH_LENGTH_INFO + 2 * units);
  pn_write_be32(w, info->flags & PN_GRAPH_INFO_FLAG_D);
  pn_write_be32(w, info->scope);
  write_wide(w, source, &info->graph_id);
  write_wide(w, source, &info->creator_id);
  write_wide(w, source, &info->friendly_name);
  write_wide(w, source, &info->comment);
  pn_write_be32(w, info->presence_lifetime);
  pn_write_be32(w, info->max_presence_records);
  pn_write_be32(w, info->max_record_size);
  if (w->code != PN_OK)
    return (pn_err_t)w->code;
  return pn_graph_info_decode(written(w, start), order, &again);
}

pn_err_t pn_graph_node_encode(const pn_graph_node_t *node, pn_bytes_t source, uint32_t kind,
                              uint32_t order, pn_writer_t *w) {
  uint32_t start = w->at;
  pn_graph_node_t again;
  if (kind != PN_GRAPH_PAYLOAD_PRESENCE)
    pn_write_span(w, source, node->signature, 8);
  if (kind != PN_GRAPH_PAYLOAD_SIGNATURE) {
    pn_write_span(w, source, node->node_id, 8);
    if (kind == PN_GRAPH_PAYLOAD_PRESENCE)
      write_wide(w, source, &node->attributes);
    pn_write_be32(w, node->address_count);
    if (node->address_count <= source.size / PN_GRAPH_LENGTH_ADDRESS)
      pn_write_span(w, source, node->addresses, PN_GRAPH_LENGTH_ADDRESS * node->address_count);
    else if (w->code == PN_OK)
      w->code = PN_ERR_OUT_OF_SOURCE;
  }
  if (w->code != PN_OK)
    return (pn_err_t)w->code;
  return pn_graph_node_decode(written(w, start), kind, order, &again);
}

pn_err_t pn_graph_address_ex_encode(const pn_graph_text_t *peer_id, pn_bytes_t source,
                                    pn_writer_t *w) {
  uint32_t start = w->at;
  pn_graph_text_t again;
  pn_write_span(w, source, 0, PN_GRAPH_LENGTH_IN6_ADDRESS);
  pn_write_span(w, source, peer_id->at, peer_id->length);
  pn_write_u8(w, 0);
  if (w->code != PN_OK)
    return (pn_err_t)w->code;
  return pn_graph_address_ex_decode(written(w, start), &again);
}
