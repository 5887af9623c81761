// Hashes, keys and AES of the content protocols. lib/native/content-crypto.ts is the façade.
#include "binding/content.h"

#include <cstring>
#include <memory>
#include <vector>

#include <uv.h>

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

bool IsHashLength(pn_sha2_t algorithm, uint32_t length) {
  return length == pn_sha2_length(algorithm) || (algorithm == PN_SHA2_512 && length == 32);
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

// --- blocks ------------------------------------------------------------------------------------

// One block encrypted or decrypted. Secrets and IVs are copied; block memory is borrowed from
// JavaScript, which keeps it alive (and must not hand it to another thread) until the call is over.
struct BlockWork {
  enum Kind : uint32_t { kSeal = 0, kOpen = 1, kSealFile = 2 };
  uint32_t kind = kSeal;
  uint32_t cipher = 0;
  std::vector<uint8_t> secret;
  uint8_t iv[PN_AES_BLOCK] = {};
  pn_bytes_t in = {nullptr, 0};
  uint8_t *out = nullptr;
  size_t out_size = 0;
  uint32_t length = 0; // of the plain block
  uint8_t hash[PN_SHA2_LENGTH_MAX] = {};
  uint32_t hash_length = 0;
  pn_sha2_t algorithm = PN_SHA2_256;
  uv_file file = -1;
  int64_t position = 0;
  bool done = false;
};

// DA-17: the leftmost bytes of the secret.
constexpr uint32_t kKeyLengths[4] = {0, 16, 24, 32};

uint32_t Padded(uint32_t length) {
  return length - length % PN_AES_BLOCK + PN_AES_BLOCK;
}

bool ReadBlock(const BlockWork &work, uint8_t *to) {
  uint32_t at = 0;
  while (at < work.length) {
    uv_fs_t request;
    uv_buf_t buffer = uv_buf_init(reinterpret_cast<char *>(to) + at, work.length - at);
    const int count =
        uv_fs_read(nullptr, &request, work.file, &buffer, 1, work.position + at, nullptr);
    uv_fs_req_cleanup(&request);
    if (count <= 0)
      return false;
    at += static_cast<uint32_t>(count);
  }
  return true;
}

bool Matches(const BlockWork &work, const uint8_t *bytes) {
  uint8_t hash[PN_SHA2_LENGTH_MAX];
  Crypto()->sha2(work.algorithm, bytes, work.length, hash);
  return std::memcmp(hash, work.hash, work.hash_length) == 0;
}

// DA-18: PKCS #7 goes out.
void Seal(BlockWork *work) {
  if (work->kind == BlockWork::kSealFile) {
    if (!ReadBlock(*work, work->out))
      return;
  } else if (work->cipher == 0) {
    std::memmove(work->out, work->in.base, work->length);
  }
  if (work->cipher == 0) {
    work->done = true;
    return;
  }
  const uint32_t padded = Padded(work->length), whole = work->length - work->length % PN_AES_BLOCK;
  const uint8_t *plain = work->kind == BlockWork::kSealFile ? work->out : work->in.base;
  uint8_t tail[PN_AES_BLOCK], iv[PN_AES_BLOCK];
  std::memcpy(tail, plain + whole, work->length - whole);
  std::memset(tail + (work->length - whole), static_cast<int>(padded - work->length),
              padded - work->length);
  const uint32_t key = kKeyLengths[work->cipher];
  if (Crypto()->aes_cbc(true, work->secret.data(), key, work->iv, plain, whole, work->out) != 1)
    return;
  std::memcpy(iv, whole == 0 ? work->iv : work->out + whole - PN_AES_BLOCK, PN_AES_BLOCK);
  work->done = Crypto()->aes_cbc(true, work->secret.data(), key, iv, tail, PN_AES_BLOCK,
                                 work->out + whole) == 1;
}

bool Decrypt(const BlockWork &work, uint32_t key_length) {
  return Crypto()->aes_cbc(false, work.secret.data(), key_length, work.iv, work.in.base,
                           work.in.size, work.out) == 1;
}

// Leaves what ought to be the block in `out`; whether it is, the hash tells (DA-18: no look at the
// padding).
bool Uncover(const BlockWork &work) {
  if (work.cipher != 0)
    return Decrypt(work, kKeyLengths[work.cipher]);
  std::memmove(work.out, work.in.base, work.length);
  return true;
}

// DA-17: some send AES-256 under a smaller name.
bool Retry(const BlockWork &work) {
  return (work.cipher == 1 || work.cipher == 2) && work.secret.size() >= 32 && Decrypt(work, 32) &&
         Matches(work, work.out);
}

void Open(BlockWork *work) {
  work->done = (Uncover(*work) && Matches(*work, work->out)) || Retry(*work);
}

// Blocks whose hashes are made together: as many as the processor has lanes for.
constexpr size_t kTogether = 16;

void OpenTogether(BlockWork *const *works, size_t count) {
  pn_message_t messages[kTogether];
  uint8_t hashes[kTogether][PN_SHA2_LENGTH_MAX];
  for (size_t i = 0; i < count; i++) {
    works[i]->done = Uncover(*works[i]);
    messages[i] = {works[i]->out, works[i]->length};
  }
  Crypto()->sha2_many(works[0]->algorithm, messages, count, hashes[0], sizeof hashes[0]);
  for (size_t i = 0; i < count; i++) {
    BlockWork *work = works[i];
    const bool matches = std::memcmp(hashes[i], work->hash, work->hash_length) == 0;
    work->done = (work->done && matches) || Retry(*work);
  }
}

void Run(BlockWork *work) {
  if (work->kind == BlockWork::kOpen)
    Open(work);
  else
    Seal(work);
}

bool Fits(const BlockWork &work) {
  if (work.cipher > 3 || work.secret.size() < kKeyLengths[work.cipher] || work.length == 0 ||
      work.length > PN_LIMIT_SEGMENT_2)
    return false;
  if (work.kind != BlockWork::kOpen)
    return work.out_size == (work.cipher == 0 ? work.length : Padded(work.length)) &&
           (work.kind == BlockWork::kSealFile || work.in.size == work.length);
  if (work.cipher == 0)
    return work.in.size == work.length && work.out_size >= work.length;
  return work.in.size >= work.length && work.in.size % PN_AES_BLOCK == 0 &&
         work.out_size >= work.in.size;
}

// [kind, cipher, secret, iv, in, out, length, hash, algorithm] or, from a file,
// [kind, cipher, secret, iv, [fd, position], out, length].
bool ReadWork(napi_env env, ContentCall *call, napi_value value, BlockWork *work) {
  napi_value parts[9];
  uint32_t count = 0;
  bool is_array = false;
  if (napi_is_array(env, value, &is_array) != napi_ok || !is_array ||
      napi_get_array_length(env, value, &count) != napi_ok || count < 7 || count > 9)
    return false;
  for (uint32_t i = 0; i < count; i++)
    if (napi_get_element(env, value, i, &parts[i]) != napi_ok)
      return false;
  work->kind = call->ToUint(parts[0]);
  work->cipher = call->ToUint(parts[1]);
  const pn_bytes_t secret = call->ToBytes(parts[2]), iv = call->ToBytes(parts[3]);
  size_t out_size = 0;
  work->out = call->ToArray<uint8_t>(parts[5], napi_uint8_array, &out_size);
  work->out_size = out_size;
  work->length = call->ToUint(parts[6]);
  if (!call->good || work->kind > BlockWork::kSealFile || secret.size > PN_SHA2_LENGTH_MAX ||
      iv.size != PN_AES_BLOCK)
    return false;
  work->secret.assign(secret.base, secret.base + secret.size);
  std::memcpy(work->iv, iv.base, PN_AES_BLOCK);
  if (work->kind == BlockWork::kSealFile) {
    napi_value file, position;
    if (napi_get_element(env, parts[4], 0, &file) != napi_ok ||
        napi_get_element(env, parts[4], 1, &position) != napi_ok)
      return false;
    work->file = static_cast<uv_file>(call->ToUint(file));
    work->position = static_cast<int64_t>(call->ToDouble(position));
  } else {
    work->in = call->ToBytes(parts[4]);
  }
  if (work->kind == BlockWork::kOpen) {
    if (count != 9)
      return false;
    const pn_bytes_t hash = call->ToBytes(parts[7]);
    work->algorithm = call->ToAlgorithm(parts[8]);
    if (!call->good || !IsHashLength(work->algorithm, hash.size))
      return false;
    std::memcpy(work->hash, hash.base, hash.size);
    work->hash_length = hash.size;
  }
  return call->good && Fits(*work);
}

// runBlock(work): whether it could; an opened block is one with the right hash.
napi_value RunBlock(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  BlockWork work;
  if (!ReadWork(env, &call, call.At(0), &work))
    return call.Misuse("a block to seal or to open is wanted");
  Run(&work);
  return call.Boolean(work.done);
}

struct BlockBatch {
  std::vector<BlockWork> blocks;
  napi_ref callback = nullptr;
  napi_ref works = nullptr; // keeps the borrowed memory alive
  napi_async_work work = nullptr;
};

void ExecuteBatch(napi_env, void *data) {
  std::vector<BlockWork> &blocks = static_cast<BlockBatch *>(data)->blocks;
  BlockWork *together[kTogether];
  size_t count = 0;
  for (BlockWork &work : blocks) {
    const bool opens = work.kind == BlockWork::kOpen;
    if (!opens)
      Seal(&work);
    if (count > 0 && (count == kTogether || (opens && together[0]->algorithm != work.algorithm))) {
      OpenTogether(together, count);
      count = 0;
    }
    if (opens)
      together[count++] = &work;
  }
  if (count > 0)
    OpenTogether(together, count);
}

void FreeBatch(napi_env env, BlockBatch *batch) {
  if (batch->callback != nullptr)
    napi_delete_reference(env, batch->callback);
  if (batch->works != nullptr)
    napi_delete_reference(env, batch->works);
  if (batch->work != nullptr)
    napi_delete_async_work(env, batch->work);
  delete batch;
}

void CompleteBatch(napi_env env, napi_status status, void *data) {
  auto *batch = static_cast<BlockBatch *>(data);
  napi_value callback = nullptr, results = nullptr, undefined = nullptr;
  napi_get_reference_value(env, batch->callback, &callback);
  const bool can_tell =
      status == napi_ok && callback != nullptr &&
      napi_create_array_with_length(env, batch->blocks.size(), &results) == napi_ok;
  for (size_t i = 0; can_tell && i < batch->blocks.size(); i++) {
    napi_value done;
    napi_get_boolean(env, batch->blocks[i].done, &done);
    napi_set_element(env, results, static_cast<uint32_t>(i), done);
  }
  FreeBatch(env, batch);
  if (!can_tell)
    return; // the environment is going away
  napi_get_undefined(env, &undefined);
  napi_call_function(env, undefined, callback, 1, &results, nullptr);
}

// runBlocks(works, callback): callback(booleans) when all are done. The works array and what is in
// it must stay as they are until then.
napi_value RunBlocks(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  uint32_t count = 0;
  bool is_array = false;
  napi_valuetype type = napi_undefined;
  if (napi_is_array(env, call.At(0), &is_array) != napi_ok || !is_array ||
      napi_get_array_length(env, call.At(0), &count) != napi_ok || count > 1024 ||
      napi_typeof(env, call.At(1), &type) != napi_ok || type != napi_function)
    return call.Misuse("runBlocks(works, callback) is wanted");
  auto batch = std::make_unique<BlockBatch>();
  for (uint32_t i = 0; i < count; i++) {
    napi_value value;
    batch->blocks.emplace_back();
    if (napi_get_element(env, call.At(0), i, &value) != napi_ok ||
        !ReadWork(env, &call, value, &batch->blocks.back()))
      return call.Misuse("blocks to seal or to open are wanted");
  }
  napi_value name;
  napi_create_string_utf8(env, "peernet:blocks", NAPI_AUTO_LENGTH, &name);
  BlockBatch *owned = batch.release();
  if (napi_create_reference(env, call.At(1), 1, &owned->callback) != napi_ok ||
      napi_create_reference(env, call.At(0), 1, &owned->works) != napi_ok ||
      napi_create_async_work(env, nullptr, name, ExecuteBatch, CompleteBatch, owned,
                             &owned->work) != napi_ok ||
      napi_queue_async_work(env, owned->work) != napi_ok) {
    FreeBatch(env, owned);
    return call.Misuse("the thread pool takes no work");
  }
  return nullptr;
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
      {"runBlock", RunBlock},
      {"runBlocks", RunBlocks},
      {"contentSelfTest", SelfTest},
  };
  ExportContent(env, exports, nullptr, functions);
}

} // namespace peernet
