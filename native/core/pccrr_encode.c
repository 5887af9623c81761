/* MS-PCCRR 2.2.2 – 2.2.5, encoding. */
#include "core/pccrr.h"

static uint32_t padding(uint32_t length) {
  return (4u - length % 4u) % 4u;
}

static uint32_t field(uint32_t length) {
  return 4 + length + padding(length);
}

static bool is_response(uint32_t type) {
  return type == PN_RETRIEVAL_NEGO_RESP || type == PN_RETRIEVAL_BLKLIST ||
         type == PN_RETRIEVAL_BLK || type == PN_RETRIEVAL_SEGLIST;
}

static uint32_t body_length(const pn_retrieval_t *m) {
  switch (m->type) {
  case PN_RETRIEVAL_NEGO_REQ:
  case PN_RETRIEVAL_NEGO_RESP:
    return 8;
  case PN_RETRIEVAL_GETBLKLIST:
    return field(m->id_length) + 4 + 8 * m->range_count;
  case PN_RETRIEVAL_GETBLKS:
    return field(m->id_length) + 8 + 8 * m->range_count + m->verification_length;
  case PN_RETRIEVAL_BLKLIST:
    return field(m->id_length) + 8 + 8 * m->range_count;
  case PN_RETRIEVAL_BLK:
    return field(m->id_length) + 8 + field(m->block_length) + field(m->verification_length) + 4 +
           m->iv_length;
  case PN_RETRIEVAL_GETSEGLIST:
    return PN_RETRIEVAL_REQUEST_ID + 4 + m->ids_length + 4 + m->blob_length;
  default:
    return PN_RETRIEVAL_REQUEST_ID + 4 + 8 * m->range_count + 4 + m->blob_length;
  }
}

/* Lengths come from JavaScript: none may be so large that the sum wraps. */
static bool is_sane(const pn_retrieval_t *m) {
  const uint32_t limit = PN_LIMIT_RETRIEVAL_RESPONSE;
  return m->type <= PN_RETRIEVAL_SEGLIST && m->id_length <= limit && m->range_count <= limit / 8 &&
         m->block_length <= limit && m->verification_length <= limit && m->iv_length <= limit &&
         m->ids_length <= limit && m->blob_length <= limit;
}

uint32_t pn_retrieval_length(const pn_retrieval_t *m) {
  if (!is_sane(m))
    return 0;
  return (is_response(m->type) ? 4 : 0) + PN_RETRIEVAL_HEADER + body_length(m);
}

uint32_t pn_retrieval_block_at(uint32_t id_length) {
  return 4 + PN_RETRIEVAL_HEADER + field(id_length) + 8 + 4;
}

static void write_version(pn_writer_t *w, uint32_t version) {
  pn_write_be32(w, version << 16 | version >> 16);
}

static void write_bytes(pn_writer_t *w, pn_bytes_t source, uint32_t at, uint32_t length) {
  pn_write_be32(w, length);
  pn_write_span(w, source, at, length);
}

static void write_padded(pn_writer_t *w, pn_bytes_t source, uint32_t at, uint32_t length) {
  write_bytes(w, source, at, length);
  pn_write_zeros(w, padding(length));
}

static void write_ranges(pn_writer_t *w, pn_bytes_t source, const pn_retrieval_t *m) {
  pn_write_be32(w, m->range_count);
  pn_write_span(w, source, m->ranges, 8 * m->range_count);
}

static void write_block(pn_writer_t *w, pn_bytes_t source, const pn_retrieval_t *m) {
  pn_write_be32(w, m->block_index);
  pn_write_be32(w, m->next_block);
  pn_write_be32(w, m->block_length);
  if (m->block == PN_RETRIEVAL_BLOCK_LATER)
    pn_writer_take(w, m->block_length);
  else
    pn_write_span(w, source, m->block, m->block_length);
  pn_write_zeros(w, padding(m->block_length));
  write_padded(w, source, m->verification, m->verification_length);
  write_bytes(w, source, m->iv, m->iv_length);
}

static void write_body(pn_writer_t *w, pn_bytes_t source, const pn_retrieval_t *m) {
  if (m->type <= PN_RETRIEVAL_NEGO_RESP) {
    write_version(w, m->min_version);
    write_version(w, m->max_version);
    return;
  }
  if (m->type <= PN_RETRIEVAL_BLK)
    write_padded(w, source, m->id, m->id_length);
  else
    pn_write_span(w, source, m->request_id, PN_RETRIEVAL_REQUEST_ID);
  if (m->type == PN_RETRIEVAL_BLK) {
    write_block(w, source, m);
  } else if (m->type == PN_RETRIEVAL_GETSEGLIST) {
    pn_write_be32(w, m->id_count);
    pn_write_span(w, source, m->ids, m->ids_length);
  } else {
    write_ranges(w, source, m);
  }
  if (m->type == PN_RETRIEVAL_GETBLKS)
    write_bytes(w, source, m->verification, m->verification_length);
  else if (m->type == PN_RETRIEVAL_BLKLIST)
    pn_write_be32(w, m->next_block);
  else if (m->type >= PN_RETRIEVAL_GETSEGLIST)
    write_bytes(w, source, m->blob, m->blob_length);
}

pn_err_t pn_retrieval_encode(const pn_retrieval_t *m, pn_bytes_t source, pn_writer_t *w) {
  const uint32_t total = pn_retrieval_length(m);
  const bool answers = is_response(m->type);
  const uint32_t size = total - (answers ? 4 : 0);
  if (total == 0 || size > (answers ? PN_LIMIT_RETRIEVAL_RESPONSE : PN_LIMIT_RETRIEVAL_REQUEST))
    return PN_ERR_TOO_LONG;
  if (answers)
    pn_write_be32(w, size);
  write_version(w, m->version);
  pn_write_be32(w, m->type);
  pn_write_be32(w, size);
  pn_write_be32(w, m->cipher);
  write_body(w, source, m);
  return (pn_err_t)w->code;
}
