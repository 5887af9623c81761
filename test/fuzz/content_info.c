/* Content information of both versions: what is accepted lists segments whose every byte lies
 * inside, which follow each other and hold the range. */
#include "support/codec.h"

#include "core/pccrc.h"
#include "crypto/content_crypto.h"

static void read_segments(pn_bytes_t source, const pn_ci_t *ci) {
  pn_ci_cursor_t cursor;
  pn_ci_segment_t segment;
  uint64_t end = ci->start;
  uint32_t count = 0;
  pn_ci_begin(ci, &cursor);
  for (; pn_ci_next(ci, source, &cursor, &segment); count++) {
    PN_ASSERT(segment.offset == end && segment.length > 0 && segment.block_count > 0);
    PN_ASSERT(segment.length <= (ci->version == 1 ? PN_LIMIT_SEGMENT : PN_LIMIT_SEGMENT_2));
    fuzz_read(source, segment.hash_of_data, ci->hash_length);
    fuzz_read(source, segment.secret, ci->hash_length);
    fuzz_read(source, segment.blocks, segment.block_count * ci->hash_length);
    end += segment.length;
    if (count == 0)
      PN_ASSERT(ci->range_start < end);
  }
  PN_ASSERT(count == ci->segment_count && count > 0 && end == ci->end);
  PN_ASSERT(ci->range_start >= ci->start && ci->range_length > 0);
  PN_ASSERT(ci->range_start + ci->range_length <= ci->end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  pn_bytes_t source = fuzz_bytes(data, size);
  pn_ci_t ci;
  for (uint32_t flags = 0; flags <= PN_CI_OFFERED; flags++) {
    const pn_err_t code = pn_ci_decode(source, flags, &ci);
    PN_ASSERT(code < PN_ERR_COUNT && code == (pn_err_t)ci.code && ci.at <= size);
    if (code != PN_OK)
      continue;
    read_segments(source, &ci);
    if (pn_ci_verify(pn_content_crypto_null(), source, &ci) != PN_OK)
      PN_ASSERT(ci.code == PN_ERR_BAD_HASH && ci.at < size);
  }
  return 0;
}
