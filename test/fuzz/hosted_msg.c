/* Offers of MS-PCHC, and the content information that one kind of them carries. */
#include "support/codec.h"

#include "core/pccrc.h"
#include "core/pchc.h"

static uint8_t first[PN_LIMIT_RETRIEVAL_REQUEST], second[PN_LIMIT_RETRIEVAL_REQUEST];

static void read_all(pn_bytes_t source, const pn_offer_t *offer) {
  PN_ASSERT(offer->port <= 0xffff && offer->descriptor_count <= PN_LIMIT_OFFER_DESCRIPTORS);
  fuzz_read(source, offer->id, offer->id_length);
  fuzz_read(source, offer->info, offer->info_length);
  fuzz_read(source, offer->descriptors, offer->descriptor_count * PN_OFFER_DESCRIPTOR);
  if (offer->type != PN_OFFER_SEGMENT_INFO)
    return;
  fuzz_read(source, offer->tag, PN_OFFER_TAG);
  pn_bytes_t info = {source.base + offer->info, offer->info_length};
  pn_ci_t ci;
  if (pn_ci_decode(info, PN_CI_OFFERED, &ci) == PN_OK)
    PN_ASSERT(ci.range_start + ci.range_length <= ci.end);
}

static uint32_t encode(const pn_offer_t *offer, pn_bytes_t source, uint8_t *out) {
  pn_writer_t w = {out, sizeof first, 0, PN_OK};
  PN_ASSERT(pn_offer_encode(offer, source, &w) == PN_OK);
  return w.at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  pn_bytes_t source = fuzz_bytes(data, size);
  pn_offer_t offer;
  const pn_err_t code = pn_offer_decode(source, &offer);
  PN_ASSERT(code < PN_ERR_COUNT && offer.at <= size);
  if (code != PN_OK)
    return 0;
  read_all(source, &offer);
  const uint32_t length = encode(&offer, source, first);
  PN_ASSERT(length == size);
  pn_bytes_t again = {first, length};
  PN_ASSERT(pn_offer_decode(again, &offer) == PN_OK);
  PN_ASSERT(encode(&offer, again, second) == length && memcmp(first, second, length) == 0);
  return 0;
}
