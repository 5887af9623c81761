/* EXTENDED_PAYLOADs: binary, UTF-16 and UTF-8. */
#include "support/codec.h"

static uint32_t encode(const pn_extpayload_t *payload, pn_bytes_t source, uint8_t *out) {
  pn_writer_t w = {out, PN_LIMIT_EXTENDED_PAYLOAD, 0, PN_OK};
  PN_ASSERT(pn_extpayload_encode(payload, true, source, &w) == PN_OK);
  PN_ASSERT(w.at == pn_extpayload_length(payload));
  return w.at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t first[PN_LIMIT_EXTENDED_PAYLOAD], second[PN_LIMIT_EXTENDED_PAYLOAD];
  pn_bytes_t source = fuzz_bytes(data, size);
  pn_extpayload_t payload;
  pn_err_t code = pn_extpayload_decode(source, 0, source.size, &payload);
  PN_ASSERT(code < PN_ERR_COUNT && payload.at <= size);
  if (code != PN_OK)
    return 0;
  fuzz_read_payload(source, &payload);
  uint32_t length = encode(&payload, source, first);
  PN_ASSERT(length == source.size);
  pn_bytes_t again = {first, length};
  PN_ASSERT(pn_extpayload_decode(again, 0, length, &payload) == PN_OK);
  fuzz_read_payload(again, &payload);
  PN_ASSERT(encode(&payload, again, second) == length);
  PN_ASSERT(memcmp(first, second, length) == 0);
  return 0;
}
