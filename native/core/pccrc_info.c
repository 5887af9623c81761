/* MS-PCCRC 2.3 (version 1, little-endian) and 2.4 (version 2, big-endian). */
#include "core/pccrc.h"

#define V1_HEADER 18u
#define V1_DESCRIPTION(n) (16u + 2u * (n))
#define V2_HEADER 31u
#define V2_CHUNK_HEADER 5u
#define V2_HASH 32u
#define V2_DESCRIPTION (4u + 2u * V2_HASH)
#define V2_SHORTEST (V2_HEADER + V2_CHUNK_HEADER)

static pn_err_t refuse(pn_ci_t *ci, pn_err_t code, uint32_t at) {
  ci->code = code;
  ci->at = at;
  return code;
}

static uint64_t read_le64(pn_reader_t *r) {
  const uint64_t low = pn_read_le32(r);
  return low | (uint64_t)pn_read_le32(r) << 32;
}

static uint64_t read_be64(pn_reader_t *r) {
  const uint64_t high = pn_read_be32(r);
  return high << 32 | pn_read_be32(r);
}

static bool is_too_far(uint64_t offset) {
  return offset >> 32 >= PN_LIMIT_CONTENT_HIGH;
}

static uint32_t blocks_of(uint32_t length) {
  return (length + PN_LIMIT_BLOCK - 1) / PN_LIMIT_BLOCK;
}

static uint32_t read_block_size(pn_bytes_t bytes, uint32_t at) {
  pn_reader_t r = pn_reader_over(bytes, at + 12, 4);
  return pn_read_le32(&r);
}

static void description_at(pn_bytes_t bytes, uint32_t at, uint64_t *offset, uint32_t *length) {
  pn_reader_t r = pn_reader_over(bytes, at, 12);
  *offset = read_le64(&r);
  *length = pn_read_le32(&r);
}

/* 2.3.1.1: offsets, sizes. */
static pn_err_t check_descriptions(pn_bytes_t bytes, pn_ci_t *ci) {
  uint32_t at = V1_HEADER;
  for (uint32_t i = 0; i < ci->segment_count; i++, at += V1_DESCRIPTION(ci->hash_length)) {
    uint64_t offset;
    uint32_t length;
    description_at(bytes, at, &offset, &length);
    if (i == 0)
      ci->start = ci->end = offset;
    if (offset != ci->end || offset % PN_LIMIT_SEGMENT != 0 || is_too_far(offset))
      return refuse(ci, PN_ERR_BAD_OFFSET, at);
    if (length == 0 || length > PN_LIMIT_SEGMENT ||
        (i + 1 < ci->segment_count && length != PN_LIMIT_SEGMENT))
      return refuse(ci, PN_ERR_BAD_SEGMENT_SIZE, at + 8);
    if (read_block_size(bytes, at) != PN_LIMIT_BLOCK)
      return refuse(ci, PN_ERR_BAD_BLOCK_SIZE, at + 12);
    ci->end = offset + length;
  }
  ci->first_index = ci->start / PN_LIMIT_SEGMENT;
  return PN_OK;
}

/* 2.3 and DA-5: what of the listed segments is meant. */
static pn_err_t check_range(pn_ci_t *ci, uint32_t flags, uint32_t in_last) {
  const uint64_t last_start = ci->start + (uint64_t)(ci->segment_count - 1) * PN_LIMIT_SEGMENT;
  const uint64_t first_end = ci->segment_count == 1 ? ci->end : ci->start + PN_LIMIT_SEGMENT;
  ci->range_start = ci->start + ci->offset_in_first;
  if (ci->range_start >= first_end)
    return refuse(ci, PN_ERR_BAD_RANGE, 6);
  const uint64_t from = ci->segment_count == 1 ? ci->range_start : last_start;
  uint64_t end = in_last == 0 ? ci->end : from + in_last;
  const bool is_offered = (flags & PN_CI_OFFERED) != 0 && last_start + in_last <= ci->end;
  if (end > ci->end && is_offered)
    end = ci->end;
  if (end > ci->end)
    return refuse(ci, PN_ERR_BAD_RANGE, 10);
  ci->range_length = end - ci->range_start;
  return PN_OK;
}

/* 2.3.1.2. */
static pn_err_t check_block_lists(pn_bytes_t bytes, pn_ci_t *ci) {
  const uint32_t description = V1_DESCRIPTION(ci->hash_length);
  uint32_t at = V1_HEADER + ci->segment_count * description;
  for (uint32_t i = 0; i < ci->segment_count; i++) {
    uint64_t offset;
    uint32_t length;
    description_at(bytes, V1_HEADER + i * description, &offset, &length);
    pn_reader_t r = pn_reader_over(bytes, at, bytes.size - at);
    const uint32_t count = pn_read_le32(&r);
    if (!pn_reader_ok(&r))
      return refuse(ci, PN_ERR_TRUNCATED, at);
    if (count == 0 || count > blocks_of(length))
      return refuse(ci, PN_ERR_BAD_BLOCK_COUNT, at);
    pn_read_span(&r, count * ci->hash_length);
    if (!pn_reader_ok(&r))
      return refuse(ci, PN_ERR_TRUNCATED, r.failed_at);
    at = r.at;
  }
  return at == bytes.size ? PN_OK : refuse(ci, PN_ERR_TRAILING_BYTES, at);
}

static pn_err_t decode_v1(pn_bytes_t bytes, uint32_t flags, pn_ci_t *ci) {
  if (bytes.size < V1_HEADER)
    return refuse(ci, PN_ERR_TRUNCATED, bytes.size);
  pn_reader_t r = pn_reader_over(bytes, 2, V1_HEADER - 2);
  const uint32_t algorithm = pn_read_le32(&r) - 0x800cu;
  ci->offset_in_first = pn_read_le32(&r);
  const uint32_t in_last = pn_read_le32(&r);
  ci->segment_count = pn_read_le32(&r);
  if (algorithm >= PN_SHA2_COUNT)
    return refuse(ci, PN_ERR_BAD_HASH_ALGORITHM, 2);
  ci->algorithm = algorithm;
  ci->hash_length = pn_sha2_length((pn_sha2_t)algorithm);
  const uint32_t least = V1_DESCRIPTION(ci->hash_length) + 4 + ci->hash_length;
  if (ci->segment_count == 0 || ci->segment_count > (bytes.size - V1_HEADER) / least)
    return refuse(ci, PN_ERR_BAD_COUNT, 14);
  if (check_descriptions(bytes, ci) != PN_OK || check_range(ci, flags, in_last) != PN_OK ||
      check_block_lists(bytes, ci) != PN_OK)
    return (pn_err_t)ci->code;
  return PN_OK;
}

/* 2.4.1.1, 2.4.1.2: one chunk. */
static pn_err_t check_chunk(pn_reader_t *r, pn_ci_t *ci) {
  const uint32_t at = r->at;
  const uint32_t type = pn_read_u8(r);
  const uint32_t length = pn_read_be32(r);
  if (!pn_reader_ok(r))
    return refuse(ci, PN_ERR_TRUNCATED, at);
  if (type != 0)
    return refuse(ci, PN_ERR_BAD_CHUNK, at);
  if (length == 0 || length % V2_DESCRIPTION != 0)
    return refuse(ci, PN_ERR_BAD_CHUNK, at + 1);
  if (length > pn_reader_left(r))
    return refuse(ci, PN_ERR_TRUNCATED, r->end);
  for (const uint32_t end = r->at + length; r->at < end;) {
    const uint32_t segment = pn_read_be32(r);
    if (segment == 0 || segment > PN_LIMIT_SEGMENT_2)
      return refuse(ci, PN_ERR_BAD_SEGMENT_SIZE, r->at - 4);
    if (ci->segment_count == 0 && ci->offset_in_first >= segment)
      return refuse(ci, PN_ERR_BAD_RANGE, 19);
    ci->end += segment;
    ci->segment_count++;
    pn_read_span(r, 2 * V2_HASH);
  }
  return PN_OK;
}

static pn_err_t decode_v2(pn_bytes_t bytes, pn_ci_t *ci) {
  if (bytes.size < V2_SHORTEST)
    return refuse(ci, PN_ERR_TRUNCATED, bytes.size);
  pn_reader_t r = pn_reader_over(bytes, 2, bytes.size - 2);
  /* DA-4. */
  if (pn_read_u8(&r) != 4)
    return refuse(ci, PN_ERR_BAD_HASH_ALGORITHM, 2);
  ci->algorithm = PN_SHA2_512;
  ci->hash_length = V2_HASH;
  ci->start = ci->end = read_be64(&r);
  ci->first_index = read_be64(&r);
  ci->offset_in_first = pn_read_be32(&r);
  const uint64_t length = read_be64(&r);
  if (is_too_far(ci->start))
    return refuse(ci, PN_ERR_BAD_OFFSET, 3);
  if (is_too_far(ci->first_index))
    return refuse(ci, PN_ERR_BAD_OFFSET, 11);
  while (pn_reader_left(&r) > 0)
    if (check_chunk(&r, ci) != PN_OK)
      return (pn_err_t)ci->code;
  ci->range_start = ci->start + ci->offset_in_first;
  /* DA-7. */
  ci->range_length = length == 0 ? ci->end - ci->range_start : length;
  if (ci->range_length > ci->end - ci->range_start)
    return refuse(ci, PN_ERR_BAD_RANGE, 23);
  return PN_OK;
}

pn_err_t pn_ci_decode(pn_bytes_t bytes, uint32_t flags, pn_ci_t *ci) {
  memset(ci, 0, sizeof *ci);
  if (bytes.size > PN_LIMIT_CONTENT_INFO)
    return refuse(ci, PN_ERR_TOO_LONG, 0);
  pn_reader_t r = pn_reader_over(bytes, 0, bytes.size);
  const uint32_t version = pn_read_be16(&r);
  if (!pn_reader_ok(&r))
    return refuse(ci, PN_ERR_TRUNCATED, bytes.size);
  if (version != 1 && version != 2)
    return refuse(ci, PN_ERR_BAD_VERSION, 0);
  ci->version = version;
  return version == 1 ? decode_v1(bytes, flags, ci) : decode_v2(bytes, ci);
}

void pn_ci_begin(const pn_ci_t *ci, pn_ci_cursor_t *cursor) {
  const uint32_t descriptions = ci->segment_count * V1_DESCRIPTION(ci->hash_length);
  *cursor = (pn_ci_cursor_t){0, V2_HEADER, 0, V2_HEADER, ci->start};
  if (ci->version == 1) {
    cursor->description_at = V1_HEADER;
    cursor->blocks_at = V1_HEADER + descriptions;
  }
}

static void next_v1(const pn_ci_t *ci, pn_bytes_t bytes, pn_ci_cursor_t *cursor,
                    pn_ci_segment_t *out) {
  const uint32_t at = cursor->description_at;
  description_at(bytes, at, &out->offset, &out->length);
  out->hash_of_data = at + 16;
  out->secret = out->hash_of_data + ci->hash_length;
  pn_reader_t r = pn_reader_over(bytes, cursor->blocks_at, 4);
  out->block_count = pn_read_le32(&r);
  out->blocks = r.at;
  cursor->description_at = out->secret + ci->hash_length;
  cursor->blocks_at = out->blocks + out->block_count * ci->hash_length;
}

static void next_v2(pn_bytes_t bytes, pn_ci_cursor_t *cursor, pn_ci_segment_t *out) {
  if (cursor->description_at == cursor->chunk_end) {
    pn_reader_t chunk = pn_reader_over(bytes, cursor->chunk_end + 1, 4);
    const uint32_t length = pn_read_be32(&chunk);
    cursor->description_at = chunk.at;
    cursor->chunk_end = chunk.at + length;
  }
  pn_reader_t r = pn_reader_over(bytes, cursor->description_at, V2_DESCRIPTION);
  out->offset = cursor->offset;
  out->length = pn_read_be32(&r);
  out->hash_of_data = out->blocks = pn_read_span(&r, V2_HASH);
  out->secret = pn_read_span(&r, V2_HASH);
  out->block_count = 1;
  cursor->description_at = r.at;
  cursor->offset += out->length;
}

bool pn_ci_next(const pn_ci_t *ci, pn_bytes_t bytes, pn_ci_cursor_t *cursor, pn_ci_segment_t *out) {
  if (cursor->index == ci->segment_count)
    return false;
  cursor->index++;
  if (ci->version == 1)
    next_v1(ci, bytes, cursor, out);
  else
    next_v2(bytes, cursor, out);
  return true;
}

pn_err_t pn_ci_verify(const pn_content_crypto_t *crypto, pn_bytes_t bytes, pn_ci_t *ci) {
  if (ci->version != 1)
    return PN_OK;
  pn_ci_cursor_t cursor;
  pn_ci_segment_t segment;
  uint8_t hash[PN_SHA2_LENGTH_MAX];
  pn_ci_begin(ci, &cursor);
  while (pn_ci_next(ci, bytes, &cursor, &segment)) {
    if (segment.block_count != blocks_of(segment.length))
      continue;
    const uint32_t length = segment.block_count * ci->hash_length;
    pn_reader_t r = pn_reader_over(bytes, segment.hash_of_data, ci->hash_length);
    pn_read_span(&r, ci->hash_length);
    crypto->sha2((pn_sha2_t)ci->algorithm, bytes.base + segment.blocks, length, hash);
    if (!pn_reader_equals(&r, segment.hash_of_data, hash, ci->hash_length))
      return refuse(ci, PN_ERR_BAD_HASH, segment.hash_of_data);
  }
  return PN_OK;
}
