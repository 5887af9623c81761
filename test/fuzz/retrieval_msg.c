/* Messages of MS-PCCRR: the first byte says whether the rest is a request or an answer. */
#include "support/codec.h"

#include "core/pccrr.h"

static uint8_t first[PN_LIMIT_RETRIEVAL_RESPONSE + 4], second[PN_LIMIT_RETRIEVAL_RESPONSE + 4];

static void read_all(pn_bytes_t source, const pn_retrieval_t *m) {
  PN_ASSERT(m->range_count <= PN_LIMIT_RETRIEVAL_RANGES);
  fuzz_read(source, m->id, m->id_length);
  fuzz_read(source, m->ranges, 8 * m->range_count);
  fuzz_read(source, m->block, m->block_length);
  fuzz_read(source, m->verification, m->verification_length);
  fuzz_read(source, m->iv, m->iv_length);
  fuzz_read(source, m->ids, m->ids_length);
  fuzz_read(source, m->blob, m->blob_length);
  if (m->type >= PN_RETRIEVAL_GETSEGLIST)
    fuzz_read(source, m->request_id, PN_RETRIEVAL_REQUEST_ID);
  PN_ASSERT(m->cipher == 0 || m->block_length % PN_AES_BLOCK == 0 || m->type != PN_RETRIEVAL_BLK);
}

static uint32_t encode(const pn_retrieval_t *m, pn_bytes_t source, uint8_t *out) {
  pn_writer_t w = {out, sizeof first, 0, PN_OK};
  PN_ASSERT(pn_retrieval_encode(m, source, &w) == PN_OK);
  PN_ASSERT(w.at == pn_retrieval_length(m));
  return w.at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  const pn_retrieval_side_t side =
      (data[0] & 1) == 0 ? PN_RETRIEVAL_REQUEST : PN_RETRIEVAL_RESPONSE;
  pn_bytes_t source = fuzz_bytes(data + 1, size - 1);
  pn_retrieval_t message;
  const pn_err_t code = pn_retrieval_decode(source, side, &message);
  PN_ASSERT(code < PN_ERR_COUNT && message.at <= source.size);
  if (code != PN_OK)
    return 0;
  read_all(source, &message);
  const uint32_t length = encode(&message, source, first);
  /* padding may differ, lengths do not */
  PN_ASSERT(length == source.size);
  pn_bytes_t again = {first, length};
  PN_ASSERT(pn_retrieval_decode(again, side, &message) == PN_OK);
  read_all(again, &message);
  PN_ASSERT(encode(&message, again, second) == length);
  PN_ASSERT(memcmp(first, second, length) == 0);
  return 0;
}
