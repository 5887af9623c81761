#include "core/pchc.h"

/* 2.2.1.5: sizes, tag length, hash algorithm (1 SHA-256, 4 truncated SHA-512). */
static void read_descriptor(pn_reader_t *r) {
  const uint32_t at = r->at;
  const uint32_t block = pn_read_be32(r), segment = pn_read_be32(r);
  const uint32_t tag_length = pn_read_be16(r);
  pn_read_span(r, PN_OFFER_TAG);
  const uint32_t algorithm = pn_read_u8(r);
  pn_read_span(r, 32);
  if (!pn_reader_ok(r))
    return;
  if (tag_length != PN_OFFER_TAG)
    pn_reader_fail(r, PN_ERR_BAD_LENGTH, at + 8);
  else if (algorithm != 1 && algorithm != 4)
    pn_reader_fail(r, PN_ERR_BAD_HASH_ALGORITHM, at + 26);
  else if (segment == 0 || segment > PN_LIMIT_SEGMENT)
    pn_reader_fail(r, PN_ERR_BAD_SEGMENT_SIZE, at + 4);
  else if (block == 0 || block > PN_LIMIT_SEGMENT_2)
    pn_reader_fail(r, PN_ERR_BAD_BLOCK_SIZE, at);
}

static void read_batch(pn_reader_t *r, pn_offer_t *out) {
  const uint32_t left = pn_reader_left(r);
  out->descriptors = r->at;
  out->descriptor_count = left / PN_OFFER_DESCRIPTOR;
  if (out->descriptor_count == 0 || out->descriptor_count > PN_LIMIT_OFFER_DESCRIPTORS) {
    pn_reader_fail(r, PN_ERR_BAD_COUNT, r->at);
    return;
  }
  for (uint32_t i = 0; i < out->descriptor_count && pn_reader_ok(r); i++)
    read_descriptor(r);
}

static void read_body(pn_reader_t *r, pn_offer_t *out) {
  switch (out->type) {
  case PN_OFFER_INITIAL: {
    const uint32_t at = r->at;
    out->id_length = pn_reader_left(r);
    out->id = pn_read_span(r, out->id_length);
    if (out->id_length != 32 && out->id_length != 48 && out->id_length != 64)
      pn_reader_fail(r, PN_ERR_BAD_ID_LENGTH, at);
    break;
  }
  case PN_OFFER_SEGMENT_INFO:
    out->tag = pn_read_span(r, PN_OFFER_TAG);
    out->info_length = pn_reader_left(r);
    out->info = pn_read_span(r, out->info_length);
    break;
  default:
    read_batch(r, out);
  }
}

pn_err_t pn_offer_decode(pn_bytes_t bytes, pn_offer_t *out) {
  pn_reader_t r = pn_reader_over(bytes, 0, bytes.size);
  memset(out, 0, sizeof *out);
  if (bytes.size > PN_LIMIT_RETRIEVAL_REQUEST)
    pn_reader_fail(&r, PN_ERR_TOO_LONG, 0);
  out->minor = pn_read_u8(&r);
  out->major = pn_read_u8(&r);
  out->type = pn_read_be16(&r);
  pn_read_span(&r, 4); /* indeterminate */
  out->port = pn_read_be16(&r);
  pn_read_span(&r, 6); /* indeterminate */
  /* 1.7: no negotiation; BATCHED_OFFER is version 2, the others version 1. */
  if (pn_reader_ok(&r)) {
    if (out->type < PN_OFFER_INITIAL || out->type > PN_OFFER_BATCHED)
      pn_reader_fail(&r, PN_ERR_UNKNOWN_MESSAGE_TYPE, 2);
    else if (out->major != (out->type == PN_OFFER_BATCHED ? 2u : 1u) || out->minor != 0)
      pn_reader_fail(&r, PN_ERR_BAD_VERSION, 0);
    else
      read_body(&r, out);
  }
  if (pn_reader_ok(&r) && pn_reader_left(&r) > 0)
    pn_reader_fail(&r, PN_ERR_TRAILING_BYTES, r.at);
  out->code = r.code;
  out->at = r.failed_at;
  return (pn_err_t)r.code;
}

pn_err_t pn_offer_encode(const pn_offer_t *offer, pn_bytes_t source, pn_writer_t *w) {
  if (offer->descriptor_count > PN_LIMIT_OFFER_DESCRIPTORS)
    return PN_ERR_TOO_LONG;
  pn_write_u8(w, offer->minor);
  pn_write_u8(w, offer->major);
  pn_write_be16(w, offer->type);
  pn_write_zeros(w, 4);
  pn_write_be16(w, offer->port);
  pn_write_zeros(w, 6);
  if (offer->type == PN_OFFER_INITIAL) {
    pn_write_span(w, source, offer->id, offer->id_length);
  } else if (offer->type == PN_OFFER_SEGMENT_INFO) {
    pn_write_span(w, source, offer->tag, PN_OFFER_TAG);
    pn_write_span(w, source, offer->info, offer->info_length);
  } else {
    pn_write_span(w, source, offer->descriptors, offer->descriptor_count * PN_OFFER_DESCRIPTOR);
  }
  return (pn_err_t)w->code;
}
