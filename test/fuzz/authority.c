/* AUTHORITY_BUFFERs by themselves, as they come out of reassembly. */
#include "support/codec.h"

static const pn_authority_parts_t no_parts = {NULL, NULL};

static uint32_t encode(const pn_authority_t *buffer, pn_bytes_t source, uint8_t *out) {
  pn_writer_t w = {out, PN_LIMIT_AUTHORITY_BUFFER, 0, PN_OK};
  pn_err_t code = pn_authority_encode(buffer, &no_parts, source, &w);
  /* padding that was left out can make the largest buffer too long */
  PN_ASSERT(code == PN_OK || source.size > PN_LIMIT_AUTHORITY_BUFFER - 4);
  PN_ASSERT(code != PN_OK || w.at == pn_authority_length(buffer, &no_parts));
  return code == PN_OK ? w.at : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t first[PN_LIMIT_AUTHORITY_BUFFER], second[PN_LIMIT_AUTHORITY_BUFFER];
  pn_bytes_t source = fuzz_bytes(data, size);
  pn_authority_t buffer;
  pn_err_t code = pn_authority_decode(source, 0, source.size, &buffer);
  PN_ASSERT(code < PN_ERR_COUNT && buffer.at <= size);
  if (code != PN_OK)
    return 0;
  fuzz_read_authority(source, &buffer);
  uint32_t length = encode(&buffer, source, first);
  if (length == 0)
    return 0;
  pn_bytes_t again = {first, length};
  PN_ASSERT(pn_authority_decode(again, 0, length, &buffer) == PN_OK);
  fuzz_read_authority(again, &buffer);
  PN_ASSERT(encode(&buffer, again, second) == length);
  PN_ASSERT(memcmp(first, second, length) == 0);
  return 0;
}
