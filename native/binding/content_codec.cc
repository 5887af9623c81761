// Content information, retrieval messages and offers for JavaScript. The façade is
// lib/native/content-codec.ts.
#include "binding/content.h"

#include <functional>

namespace peernet {
namespace {

void PutInfo(const pn_ci_t &ci, double *out) {
  const double numbers[kInfoHead] = {
      static_cast<double>(ci.at),
      static_cast<double>(ci.version),
      static_cast<double>(ci.algorithm),
      static_cast<double>(ci.hash_length),
      static_cast<double>(ci.segment_count),
      static_cast<double>(ci.offset_in_first),
      static_cast<double>(ci.start),
      static_cast<double>(ci.first_index),
      static_cast<double>(ci.end),
      static_cast<double>(ci.range_start),
      static_cast<double>(ci.range_length),
      0,
  };
  std::memcpy(out, numbers, sizeof numbers);
}

// infoDecode(bytes, flags): 0, or -pn_err_t; the rest is in the head.
napi_value InfoDecode(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  const pn_bytes_t bytes = call.Bytes(0);
  const uint32_t flags = call.Uint(1);
  if (!call.good)
    return call.Misuse("infoDecode(bytes, flags) is wanted");
  pn_ci_t ci;
  if (pn_ci_decode(bytes, flags, &ci) == PN_OK)
    pn_ci_verify(pn_content_crypto_openssl(), bytes, &ci);
  PutInfo(ci, call.slab->info);
  return call.Outcome(ci.code, 0);
}

// infoSegments(bytes, flags, table): number of segments written, six numbers each.
napi_value InfoSegments(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  const pn_bytes_t bytes = call.Bytes(0);
  const uint32_t flags = call.Uint(1);
  size_t length = 0;
  double *table = call.Array<double>(2, napi_float64_array, &length);
  pn_ci_t ci;
  if (!call.good || pn_ci_decode(bytes, flags, &ci) != PN_OK ||
      length < static_cast<size_t>(ci.segment_count) * kSegmentRow)
    return call.Misuse("infoSegments: bytes that were decoded, flags and a table are wanted");
  pn_ci_cursor_t cursor;
  pn_ci_segment_t segment;
  pn_ci_begin(&ci, &cursor);
  for (double *row = table; pn_ci_next(&ci, bytes, &cursor, &segment); row += kSegmentRow) {
    row[0] = static_cast<double>(segment.offset);
    row[1] = segment.length;
    row[2] = segment.hash_of_data;
    row[3] = segment.secret;
    row[4] = segment.blocks;
    row[5] = segment.block_count;
  }
  return call.Number(ci.segment_count);
}

// retrievalDecode(bytes, side): 0, or -pn_err_t; the rest is in the row.
napi_value RetrievalDecode(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  const pn_bytes_t bytes = call.Bytes(0);
  const uint32_t side = call.Uint(1);
  if (!call.good || side > PN_RETRIEVAL_RESPONSE)
    return call.Misuse("retrievalDecode(bytes, side) is wanted");
  return call.Outcome(
      pn_retrieval_decode(bytes, static_cast<pn_retrieval_side_t>(side), &call.slab->retrieval), 0);
}

bool Overlap(pn_bytes_t a, const uint8_t *b, size_t b_size) {
  const std::less<const uint8_t *> before;
  return a.size > 0 && b_size > 0 && before(a.base, b + b_size) && before(b, a.base + a.size);
}

using Encoder = pn_err_t (*)(const ContentSlab *, pn_bytes_t, pn_writer_t *);

// …Encode(source, out): length written, or -pn_err_t. `out` is memory of its own.
napi_value Encode(napi_env env, napi_callback_info info, Encoder encode) {
  ContentCall call(env, info);
  const pn_bytes_t source = call.Bytes(0);
  size_t size = 0;
  uint8_t *out = call.Array<uint8_t>(1, napi_uint8_array, &size);
  if (!call.good || Overlap(source, out, size))
    return call.Misuse("bytes of the fields and other bytes to write to are wanted");
  pn_writer_t writer = {out, static_cast<uint32_t>(size), 0, PN_OK};
  const pn_err_t code = encode(call.slab, source, &writer);
  return call.Outcome(code, writer.at);
}

napi_value RetrievalEncode(napi_env env, napi_callback_info info) {
  return Encode(env, info, [](const ContentSlab *slab, pn_bytes_t source, pn_writer_t *w) {
    return pn_retrieval_encode(&slab->retrieval, source, w);
  });
}

napi_value OfferEncode(napi_env env, napi_callback_info info) {
  return Encode(env, info, [](const ContentSlab *slab, pn_bytes_t source, pn_writer_t *w) {
    return pn_offer_encode(&slab->offer, source, w);
  });
}

// retrievalLength(): of what the row would be encoded to; 0 when that is impossible.
napi_value RetrievalLength(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  return call.Number(pn_retrieval_length(&call.slab->retrieval));
}

napi_value OfferDecode(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  const pn_bytes_t bytes = call.Bytes(0);
  if (!call.good)
    return call.Misuse("bytes are wanted");
  return call.Outcome(pn_offer_decode(bytes, &call.slab->offer), 0);
}

} // namespace

void InitContentCodec(Napi::Env env, Napi::Object exports) {
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, sizeof(ContentSlab));
  std::memset(buffer.Data(), 0, sizeof(ContentSlab));
  InstanceData::Of(env).content_slab = Napi::Persistent(buffer);
  exports.Set("infoHead", Napi::Float64Array::New(env, kInfoHead, buffer, 0));
  exports.Set("retrievalRow", Napi::Uint32Array::New(env, kRetrievalWords, buffer,
                                                     offsetof(ContentSlab, retrieval)));
  exports.Set("offerRow",
              Napi::Uint32Array::New(env, kOfferWords, buffer, offsetof(ContentSlab, offer)));
  const ContentFunction functions[] = {
      {"infoDecode", InfoDecode},           {"infoSegments", InfoSegments},
      {"retrievalDecode", RetrievalDecode}, {"retrievalEncode", RetrievalEncode},
      {"retrievalLength", RetrievalLength}, {"offerDecode", OfferDecode},
      {"offerEncode", OfferEncode},
  };
  ExportContent(env, exports, buffer.Data(), functions);
}

} // namespace peernet
