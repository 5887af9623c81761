// Hashes, keys and AES of the content protocols. lib/native/content-crypto.ts is the façade.
#include "binding/content.h"

#include <cstring>
#include <memory>

namespace peernet {
namespace {

const pn_content_crypto_t *Crypto() {
  return pn_content_crypto_openssl();
}

// sha2(algorithm, bytes, out)
napi_value Sha2(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  const pn_sha2_t algorithm = call.Algorithm(0);
  const pn_bytes_t bytes = call.Bytes(1);
  size_t size = 0;
  uint8_t *out = call.Array<uint8_t>(2, napi_uint8_array, &size);
  if (!call.good || size != pn_sha2_length(algorithm))
    return call.Misuse("sha2(algorithm, bytes, out) is wanted");
  Crypto()->sha2(algorithm, bytes.base, bytes.size, out);
  return nullptr;
}

// contentHmac(algorithm, key, data, out)
napi_value Hmac(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  const pn_sha2_t algorithm = call.Algorithm(0);
  const pn_bytes_t key = call.Bytes(1), data = call.Bytes(2);
  size_t size = 0;
  uint8_t *out = call.Array<uint8_t>(3, napi_uint8_array, &size);
  if (!call.good || key.size > PN_SHA2_LENGTH_MAX || data.size > PN_HMAC_DATA_MAX ||
      size != pn_sha2_length(algorithm))
    return call.Misuse("contentHmac(algorithm, key, data, out) is wanted");
  pn_hmac(Crypto(), algorithm, key.base, key.size, data.base, data.size, out);
  return nullptr;
}

// segmentSecrets(algorithm, serverKey, hashesOfData, out)
napi_value SegmentSecrets(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  const pn_sha2_t algorithm = call.Algorithm(0);
  const pn_bytes_t key = call.Bytes(1), hashes = call.Bytes(2);
  size_t size = 0;
  uint8_t *out = call.Array<uint8_t>(3, napi_uint8_array, &size);
  if (!call.good || !IsHashLength(algorithm, key.size) || hashes.size % key.size != 0 ||
      size != hashes.size)
    return call.Misuse("segmentSecrets(algorithm, serverKey, hashes, out) is wanted");
  pn_segment_secrets(Crypto(), algorithm, key.size, key.base, hashes.base, hashes.size / key.size,
                     out);
  return nullptr;
}

// segmentId(algorithm, secret, hashOfData, out)
napi_value SegmentId(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  const pn_sha2_t algorithm = call.Algorithm(0);
  const pn_bytes_t secret = call.Bytes(1), hash = call.Bytes(2);
  size_t size = 0;
  uint8_t *out = call.Array<uint8_t>(3, napi_uint8_array, &size);
  if (!call.good || !IsHashLength(algorithm, secret.size) || hash.size != secret.size ||
      size != secret.size)
    return call.Misuse("segmentId(algorithm, secret, hashOfData, out) is wanted");
  pn_segment_id(Crypto(), algorithm, secret.size, secret.base, hash.base, out);
  return nullptr;
}

// hashBlocks(algorithm, bytes, out)
napi_value HashBlocks(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  const pn_sha2_t algorithm = call.Algorithm(0);
  const pn_bytes_t bytes = call.Bytes(1);
  size_t size = 0;
  uint8_t *out = call.Array<uint8_t>(2, napi_uint8_array, &size);
  const uint64_t blocks = (static_cast<uint64_t>(bytes.size) + PN_LIMIT_BLOCK - 1) / PN_LIMIT_BLOCK;
  if (!call.good || bytes.size > UINT32_MAX - PN_LIMIT_BLOCK ||
      size != blocks * pn_sha2_length(algorithm))
    return call.Misuse("hashBlocks(algorithm, bytes, out) is wanted");
  pn_hash_blocks(Crypto(), algorithm, bytes.base, bytes.size, out);
  return nullptr;
}

// hashSegments(fixed, bytes, left, last, lengths, hashes): the number of segments.
napi_value HashSegments(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  const uint32_t fixed = call.Uint(0);
  const pn_bytes_t bytes = call.Bytes(1);
  const uint32_t left = call.Uint(2), last = call.Uint(3);
  size_t rows = 0, size = 0;
  uint32_t *lengths = call.Array<uint32_t>(4, napi_uint32_array, &rows);
  uint8_t *hashes = call.Array<uint8_t>(5, napi_uint8_array, &size);
  const bool is_length = fixed == 0 || (fixed >= PN_LIMIT_CUT_FIXED && fixed <= PN_LIMIT_SEGMENT_2);
  if (!call.good || !is_length || rows != PN_LIMIT_WINDOW_SEGMENTS ||
      size != static_cast<size_t>(PN_LIMIT_WINDOW_SEGMENTS) * 32)
    return call.Misuse("hashSegments(fixed, bytes, left, last, lengths, hashes) is wanted");
  auto found = std::make_unique<pn_segments_t>();
  uint32_t consumed = 0;
  const uint32_t count = pn_hash_segments(Crypto(), fixed, bytes.base, bytes.size, left, last != 0,
                                          found.get(), &consumed);
  std::memcpy(lengths, found->lengths, count * sizeof found->lengths[0]);
  std::memcpy(hashes, found->hashes, count * sizeof found->hashes[0]);
  return call.Number(count);
}

// aesCbc(encrypt, key, iv, in, out): whether it could.
napi_value AesCbc(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  const uint32_t encrypt = call.Uint(0);
  const pn_bytes_t key = call.Bytes(1), iv = call.Bytes(2), in = call.Bytes(3);
  size_t size = 0;
  uint8_t *out = call.Array<uint8_t>(4, napi_uint8_array, &size);
  if (!call.good || iv.size != PN_AES_BLOCK || size != in.size)
    return call.Misuse("aesCbc(encrypt, key, iv, in, out) is wanted");
  return call.Boolean(
      Crypto()->aes_cbc(encrypt != 0, key.base, key.size, iv.base, in.base, in.size, out) == 1);
}

napi_value SelfTest(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  const char *failure = pn_content_crypto_self_test();
  if (failure == nullptr)
    return nullptr;
  napi_value message;
  napi_create_string_utf8(env, failure, NAPI_AUTO_LENGTH, &message);
  return message;
}

} // namespace

void InitContentCrypto(Napi::Env env, Napi::Object exports) {
  const ContentFunction functions[] = {
      {"sha2", Sha2},
      {"contentHmac", Hmac},
      {"segmentSecrets", SegmentSecrets},
      {"segmentId", SegmentId},
      {"hashBlocks", HashBlocks},
      {"hashSegments", HashSegments},
      {"aesCbc", AesCbc},
      {"contentSelfTest", SelfTest},
  };
  ExportContent(env, exports, nullptr, functions);
}

} // namespace peernet
