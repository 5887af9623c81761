// The PNRP codec for JavaScript: argument checks, core calls, integers out. The façade in
// lib/native/codec.ts is the only caller.
//
// Single calls work on three arrays shared with JavaScript: `codecRow` (one pn_datagram_t as 32-bit
// numbers), `codecSource` and `codecOutput`.
// Every call returns 0 or a length when it succeeds, and -pn_err_t when it does not.
#include "binding/codec.h"

#include <cstring>
#include <functional>

namespace peernet {
namespace {

constexpr uint32_t kRowWords = sizeof(pn_datagram_t) / sizeof(uint32_t);

// decodeMessage(input, look)
napi_value DecodeMessage(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  pn_bytes_t input = call.Input();
  uint32_t look = call.Uint(1);
  if (!call.good)
    return call.Misuse("decodeMessage: bytes and a number are wanted");
  return call.Outcome(pn_datagram_decode(input, 0, input.size, look, &call.slab->row), 0);
}

// decodeAuthority(input)
napi_value DecodeAuthority(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  pn_bytes_t input = call.Input();
  if (!call.good)
    return call.Misuse("decodeAuthority: bytes are wanted");
  return call.Outcome(pn_authority_decode(input, 0, input.size, &call.slab->row.authority), 0);
}

// decodeCpa(input, revokeNonce, kind)
napi_value DecodeCpa(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  pn_bytes_t input = call.Input();
  uint32_t revoke_nonce = call.Uint(1);
  uint32_t kind = call.Uint(2);
  if (!call.good)
    return call.Misuse("decodeCpa: bytes and two numbers are wanted");
  return call.Outcome(pn_cpa_decode(input, 0, input.size, revoke_nonce, kind, &call.slab->row.cpa),
                      0);
}

// decodeExtendedPayload(input)
napi_value DecodeExtendedPayload(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  pn_bytes_t input = call.Input();
  if (!call.good)
    return call.Misuse("decodeExtendedPayload: bytes are wanted");
  return call.Outcome(pn_extpayload_decode(input, 0, input.size, &call.slab->row.extended_payload),
                      0);
}

// encodeMessage()
napi_value EncodeMessage(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  pn_writer_t writer = call.Writer();
  pn_err_t code = pn_datagram_encode(&call.slab->row, call.Source(), &writer);
  return call.Outcome(code, writer.at);
}

// encodeAuthority()
napi_value EncodeAuthority(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  pn_writer_t writer = call.Writer();
  pn_authority_parts_t parts = {nullptr, nullptr};
  pn_err_t code = pn_authority_encode(&call.slab->row.authority, &parts, call.Source(), &writer);
  return call.Outcome(code, writer.at);
}

// encodeCpa(withSignature)
napi_value EncodeCpa(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  uint32_t with_signature = call.Uint(0);
  pn_writer_t writer = call.Writer();
  if (!call.good)
    return call.Misuse("encodeCpa: a number is wanted");
  pn_err_t code = pn_cpa_encode(&call.slab->row.cpa, with_signature != 0, call.Source(), &writer);
  return call.Outcome(code, writer.at);
}

// encodeExtendedPayload(withSignature)
napi_value EncodeExtendedPayload(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  uint32_t with_signature = call.Uint(0);
  pn_writer_t writer = call.Writer();
  if (!call.good)
    return call.Misuse("encodeExtendedPayload: a number is wanted");
  pn_err_t code = pn_extpayload_encode(&call.slab->row.extended_payload, with_signature != 0,
                                       call.Source(), &writer);
  return call.Outcome(code, writer.at);
}

// messageType(input): 0 when the header does not conform
napi_value MessageType(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  pn_bytes_t input = call.Input();
  if (!call.good)
    return call.Misuse("messageType: bytes are wanted");
  return call.Number(static_cast<int32_t>(pn_hdr_accept(input)));
}

// sliceFits(size, offset, length)
napi_value SliceFits(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  uint32_t size = call.Uint(0), offset = call.Uint(1), length = call.Uint(2);
  if (!call.good)
    return call.Misuse("sliceFits: three numbers are wanted");
  return call.Outcome(pn_msg_slice_fits(size, offset, length), 0);
}

// The descriptor table of a batch: `count` rows, and per row an offset and a length in the slab at
// spans[i * stride], spans[i * stride + 1].
struct Batch {
  pn_datagram_t *rows;
  uint32_t *spans;
  uint32_t count, stride;

  Batch(CodecCall *call, size_t first) {
    size_t row_words = 0, span_words = 0;
    rows = call->Array<pn_datagram_t>(first, napi_int32_array, &row_words);
    spans = call->Array<uint32_t>(first + 1, napi_int32_array, &span_words);
    stride = call->Uint(first + 2);
    count = call->Uint(first + 3);
    uint64_t wanted = static_cast<uint64_t>(count) * stride;
    if (stride < 2 || wanted > span_words || count > row_words / kRowWords)
      call->good = false;
  }
};

// decodeBatch(slab, rows, spans, stride, count, look): how many of the rows have code 0
napi_value DecodeBatch(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  pn_bytes_t slab = call.Bytes(0);
  Batch batch(&call, 1);
  uint32_t look = call.Uint(5);
  if (!call.good)
    return call.Misuse("decodeBatch: bytes, two tables that fit each other and three numbers");
  int32_t decoded = 0;
  for (uint32_t i = 0; i < batch.count; i++) {
    const uint32_t *span = batch.spans + static_cast<size_t>(i) * batch.stride;
    decoded += pn_datagram_decode(slab, span[0], span[1], look, &batch.rows[i]) == PN_OK;
  }
  return call.Number(decoded);
}

bool Overlap(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {
  const std::less<const uint8_t *> before;
  return a_size > 0 && b_size > 0 && before(a, b + b_size) && before(b, a + a_size);
}

// encodeBatch(source, rows, spans, stride, count, out): the bytes written in all. The datagrams
// stand one after the other; a row that cannot be encoded has length 0 and its code is set. `out`
// is memory of its own: fields are copied straight into it.
napi_value EncodeBatch(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  pn_bytes_t source = call.Bytes(0);
  Batch batch(&call, 1);
  size_t capacity = 0;
  uint8_t *out = call.Array<uint8_t>(5, napi_uint8_array, &capacity);
  if (!call.good || Overlap(out, capacity, source.base, source.size))
    return call.Misuse("encodeBatch: bytes, two tables that fit each other, two numbers, bytes");
  uint32_t at = 0;
  for (uint32_t i = 0; i < batch.count; i++) {
    uint32_t *span = batch.spans + static_cast<size_t>(i) * batch.stride;
    pn_writer_t writer = {out, static_cast<uint32_t>(capacity), at, PN_OK};
    pn_msg_t *msg = &batch.rows[i].msg;
    msg->code = pn_datagram_encode(&batch.rows[i], source, &writer);
    span[0] = at;
    span[1] = msg->code == PN_OK ? writer.at - at : 0;
    at += span[1];
  }
  return call.Number(static_cast<double>(at));
}

// For the test that lib/wire/rows.ts and lib/native/codes.ts agree with the structs and err.def.
napi_value Layout(napi_env env) {
  Napi::Object layout = Napi::Object::New(env);
#define WORD(part, field)                                                                          \
  layout.Set(#part "." #field,                                                                     \
             Napi::Number::New(env, static_cast<double>(offsetof(pn_datagram_t, part.field) /      \
                                                        sizeof(uint32_t))))
#include "binding/codec_layout.def"
#undef WORD
  layout.Set("words", Napi::Number::New(env, kRowWords));
  for (uint32_t code = 0; code < PN_ERR_COUNT; code++)
    layout.Set(pn_err_code(code), Napi::Number::New(env, code));
  return layout;
}

} // namespace

void InitCodec(Napi::Env env, Napi::Object exports) {
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, sizeof(CodecSlab));
  std::memset(buffer.Data(), 0, sizeof(CodecSlab));
  InstanceData::Of(env).codec_slab = Napi::Persistent(buffer);
  const size_t source = offsetof(CodecSlab, source), output = offsetof(CodecSlab, output);
  exports.Set("codecRow", Napi::Int32Array::New(env, kRowWords, buffer, 0));
  exports.Set("codecSource", Napi::Uint8Array::New(env, PN_LIMIT_CODEC_SOURCE, buffer, source));
  exports.Set("codecOutput", Napi::Uint8Array::New(env, PN_LIMIT_UDP_PAYLOAD + 1, buffer, output));
  exports.Set("codecLayout", Napi::Value(env, Layout(env)));
  const ExportedFunction functions[] = {
      {"decodeMessage", DecodeMessage}, {"decodeAuthority", DecodeAuthority},
      {"decodeCpa", DecodeCpa},         {"decodeExtendedPayload", DecodeExtendedPayload},
      {"encodeMessage", EncodeMessage}, {"encodeAuthority", EncodeAuthority},
      {"encodeCpa", EncodeCpa},         {"encodeExtendedPayload", EncodeExtendedPayload},
      {"messageType", MessageType},     {"sliceFits", SliceFits},
      {"decodeBatch", DecodeBatch},     {"encodeBatch", EncodeBatch},
  };
  ExportAll(env, exports, buffer.Data(), functions);
}

} // namespace peernet
