/* MS-PCCRR 2.2.3 – 2.2.5, decoding. */
#include "core/pccrr.h"

/* 2.2.1.1: blocks are numbered 0 … 511. */
static bool fits(uint32_t index, uint32_t count, uint64_t limit) {
  return count > 0 && (uint64_t)index + count <= limit;
}

static void read_padding(pn_reader_t *r, uint32_t length) {
  pn_read_span(r, (4u - length % 4u) % 4u);
}

/* 2.2: a length, the bytes, padding up to a multiple of 4. */
static uint32_t read_id(pn_reader_t *r, uint32_t *length) {
  const uint32_t at = r->at;
  *length = pn_read_be32(r);
  if (pn_reader_ok(r) && *length != 32 && *length != 48 && *length != 64)
    pn_reader_fail(r, PN_ERR_BAD_ID_LENGTH, at);
  const uint32_t id = pn_read_span(r, *length);
  read_padding(r, *length);
  return id;
}

static void read_ranges(pn_reader_t *r, pn_retrieval_t *out, uint32_t least, uint64_t limit) {
  const uint32_t at = r->at;
  out->range_count = pn_read_be32(r);
  if (pn_reader_ok(r) && (out->range_count < least || out->range_count > PN_LIMIT_RETRIEVAL_RANGES))
    pn_reader_fail(r, PN_ERR_BAD_COUNT, at);
  out->ranges = r->at;
  for (uint32_t i = 0; i < out->range_count && pn_reader_ok(r); i++) {
    const uint32_t start = r->at, index = pn_read_be32(r), count = pn_read_be32(r);
    if (pn_reader_ok(r) && !fits(index, count, limit))
      pn_reader_fail(r, PN_ERR_BAD_RANGE, start);
  }
}

static void read_bytes(pn_reader_t *r, uint32_t *at, uint32_t *length) {
  *length = pn_read_be32(r);
  *at = pn_read_span(r, *length);
}

static uint32_t read_version(pn_reader_t *r) {
  const uint32_t word = pn_read_be32(r);
  return word << 16 | word >> 16;
}

/* 2.2.5.3. */
static void read_block(pn_reader_t *r, pn_retrieval_t *out) {
  out->id = read_id(r, &out->id_length);
  const uint32_t at = r->at;
  out->block_index = pn_read_be32(r);
  out->next_block = pn_read_be32(r);
  read_bytes(r, &out->block, &out->block_length);
  read_padding(r, out->block_length);
  read_bytes(r, &out->verification, &out->verification_length);
  read_padding(r, out->verification_length);
  const uint32_t iv_at = r->at;
  read_bytes(r, &out->iv, &out->iv_length);
  if (!pn_reader_ok(r))
    return;
  /* DA-20: what comes next is a hint, and not worth refusing a block for. */
  if (out->block_index >= PN_LIMIT_SEGMENT_BLOCKS)
    pn_reader_fail(r, PN_ERR_BAD_RANGE, at);
  /* CBC: whole cipher blocks and an IV. DA-19: nothing to decrypt, nothing to judge. */
  else if (out->block_length > 0 && out->cipher != 0 &&
           (out->block_length % PN_AES_BLOCK != 0 || out->iv_length != PN_AES_BLOCK))
    pn_reader_fail(r, PN_ERR_BAD_CIPHER, iv_at);
}

/* 2.2.4.4. */
static void read_segment_ids(pn_reader_t *r, pn_retrieval_t *out) {
  out->request_id = pn_read_span(r, PN_RETRIEVAL_REQUEST_ID);
  const uint32_t at = r->at;
  out->id_count = pn_read_be32(r);
  /* An ID takes 36 bytes at least. */
  if (pn_reader_ok(r) && (out->id_count == 0 || out->id_count > pn_reader_left(r) / 36))
    pn_reader_fail(r, PN_ERR_BAD_COUNT, at);
  out->ids = r->at;
  for (uint32_t i = 0; i < out->id_count && pn_reader_ok(r); i++) {
    uint32_t length;
    read_id(r, &length);
  }
  out->ids_length = r->at - out->ids;
  read_bytes(r, &out->blob, &out->blob_length);
}

static void read_body(pn_reader_t *r, pn_retrieval_t *out) {
  switch (out->type) {
  case PN_RETRIEVAL_NEGO_REQ:
  case PN_RETRIEVAL_NEGO_RESP:
    out->min_version = read_version(r);
    out->max_version = read_version(r);
    if (pn_reader_ok(r) && out->min_version > out->max_version)
      pn_reader_fail(r, PN_ERR_BAD_RANGE, r->at - 8);
    break;
  case PN_RETRIEVAL_GETBLKLIST:
    out->id = read_id(r, &out->id_length);
    read_ranges(r, out, 1, PN_LIMIT_SEGMENT_BLOCKS);
    break;
  case PN_RETRIEVAL_GETBLKS:
    out->id = read_id(r, &out->id_length);
    read_ranges(r, out, 1, PN_LIMIT_SEGMENT_BLOCKS);
    read_bytes(r, &out->verification, &out->verification_length);
    break;
  case PN_RETRIEVAL_BLKLIST:
    out->id = read_id(r, &out->id_length);
    read_ranges(r, out, 0, PN_LIMIT_SEGMENT_BLOCKS);
    out->next_block = pn_read_be32(r);
    break;
  case PN_RETRIEVAL_BLK:
    read_block(r, out);
    break;
  case PN_RETRIEVAL_GETSEGLIST:
    read_segment_ids(r, out);
    break;
  default: /* SEGLIST, 2.2.1.2: 32-bit numbers */
    out->request_id = pn_read_span(r, PN_RETRIEVAL_REQUEST_ID);
    read_ranges(r, out, 0, UINT64_C(1) << 32);
    read_bytes(r, &out->blob, &out->blob_length);
  }
}

static bool is_request(uint32_t type) {
  return type == PN_RETRIEVAL_NEGO_REQ || type == PN_RETRIEVAL_GETBLKLIST ||
         type == PN_RETRIEVAL_GETBLKS || type == PN_RETRIEVAL_GETSEGLIST;
}

/* 2.2.3. Sets has_header as soon as the four words are there, so that a server can answer those
 * whose version it does not speak (3.2.5.2). */
static void read_header(pn_reader_t *r, pn_retrieval_side_t side, pn_retrieval_t *out) {
  const uint32_t start = r->at, length = r->end - start;
  const uint32_t limit =
      side == PN_RETRIEVAL_REQUEST ? PN_LIMIT_RETRIEVAL_REQUEST : PN_LIMIT_RETRIEVAL_RESPONSE;
  if (length > limit)
    pn_reader_fail(r, PN_ERR_TOO_LONG, start);
  out->version = read_version(r);
  out->type = pn_read_be32(r);
  out->size = pn_read_be32(r);
  out->cipher = pn_read_be32(r);
  if (!pn_reader_ok(r))
    return;
  out->has_header = 1;
  const uint32_t major = out->version >> 16;
  const bool is_two = out->type >= PN_RETRIEVAL_GETSEGLIST;
  const bool takes_cipher = side == PN_RETRIEVAL_REQUEST || out->type == PN_RETRIEVAL_BLK;
  if (out->type > PN_RETRIEVAL_SEGLIST || is_request(out->type) == (side != PN_RETRIEVAL_REQUEST))
    pn_reader_fail(r, PN_ERR_UNKNOWN_MESSAGE_TYPE, start + 4);
  else if (out->size != length)
    pn_reader_fail(r, PN_ERR_BAD_LENGTH, start + 8);
  else if (major < (is_two ? 2u : 1u) || major > 2)
    pn_reader_fail(r, PN_ERR_BAD_VERSION, start);
  else if (takes_cipher && out->cipher > 3)
    pn_reader_fail(r, PN_ERR_BAD_CIPHER, start + 12);
}

pn_err_t pn_retrieval_decode(pn_bytes_t bytes, pn_retrieval_side_t side, pn_retrieval_t *out) {
  pn_reader_t r = pn_reader_over(bytes, 0, bytes.size);
  memset(out, 0, sizeof *out);
  if (side == PN_RETRIEVAL_RESPONSE) {
    const uint32_t follows = pn_read_be32(&r);
    if (pn_reader_ok(&r) && follows != pn_reader_left(&r))
      pn_reader_fail(&r, PN_ERR_BAD_LENGTH, 0);
  }
  if (pn_reader_ok(&r))
    read_header(&r, side, out);
  if (pn_reader_ok(&r))
    read_body(&r, out);
  if (pn_reader_ok(&r) && pn_reader_left(&r) > 0)
    pn_reader_fail(&r, PN_ERR_TRAILING_BYTES, r.at);
  out->code = r.code;
  out->at = r.failed_at;
  return (pn_err_t)r.code;
}
