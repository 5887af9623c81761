// Blocks sealed for the wire, opened, checked and stored, many at a time on the thread pool.
// lib/native/content-blocks.ts is the façade.
#include "binding/block_work.h"
#include "binding/content.h"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <uv.h>

namespace peernet {
namespace {

const pn_content_crypto_t *Crypto() {
  return pn_content_crypto_openssl();
}

// DA-17: the leftmost bytes of the secret.
constexpr uint32_t kKeyLengths[4] = {0, 16, 24, 32};

uint32_t Padded(uint32_t length) {
  return length - length % PN_AES_BLOCK + PN_AES_BLOCK;
}

// --- sealing and opening -----------------------------------------------------------------------

bool Cbc(const BlockWork &work, bool encrypt, uint32_t key, const uint8_t *in, uint32_t length) {
  return Crypto()->aes_cbc(encrypt, work.secret, key, work.iv, in, length, work.out) == 1;
}

// DA-18: PKCS #7 goes out. `plain` may be where the ciphertext goes.
struct Tail {
  uint8_t bytes[PN_AES_BLOCK];

  Tail(const BlockWork &work, const uint8_t *plain) {
    const uint32_t rest = work.length % PN_AES_BLOCK, padding = PN_AES_BLOCK - rest;
    std::memcpy(bytes, plain + work.length - rest, rest);
    std::memset(bytes + rest, static_cast<int>(padding), padding);
  }
};

bool EncryptTail(const BlockWork &work, const Tail &tail) {
  const uint32_t whole = work.length - work.length % PN_AES_BLOCK;
  uint8_t iv[PN_AES_BLOCK];
  std::memcpy(iv, whole == 0 ? work.iv : work.out + whole - PN_AES_BLOCK, PN_AES_BLOCK);
  return Crypto()->aes_cbc(true, work.secret, kKeyLengths[work.cipher], iv, tail.bytes,
                           PN_AES_BLOCK, work.out + whole) == 1;
}

bool Encrypt(const BlockWork &work, const uint8_t *plain) {
  if (work.cipher == 0)
    return true;
  const Tail tail(work, plain);
  const uint32_t whole = work.length - work.length % PN_AES_BLOCK;
  return Cbc(work, true, kKeyLengths[work.cipher], plain, whole) && EncryptTail(work, tail);
}

// Brings the plain block to where it is hashed: DA-18, no look at the padding.
bool Prepare(const BlockWork &work) {
  if (work.file >= 0)
    return ReadBlock(work, work.out);
  if (work.kind == BlockWork::kOpen && work.cipher != 0)
    return Cbc(work, false, kKeyLengths[work.cipher], work.in.base, work.in.size);
  if (work.out != work.in.base && (work.kind == BlockWork::kOpen || work.cipher == 0))
    std::memmove(work.out, work.in.base, work.length);
  return true;
}

// Where the plain block is after Prepare.
const uint8_t *Plain(const BlockWork &work) {
  const bool stays = work.kind == BlockWork::kSeal && work.file < 0 && work.cipher != 0;
  return stays ? work.in.base : work.out;
}

bool Matches(const BlockWork &work) {
  uint8_t hash[PN_SHA2_LENGTH_MAX];
  Crypto()->sha2(work.algorithm, Plain(work), work.length, hash);
  return std::memcmp(hash, work.hash, work.hash_length) == 0;
}

// DA-17: some send AES-256 under a smaller name. The ciphertext may be gone by now: encrypting what
// the wrong key made of it brings it back.
bool Retry(const BlockWork &work) {
  const bool may = (work.cipher == 1 || work.cipher == 2) && work.secret_length >= 32;
  return may && Cbc(work, true, kKeyLengths[work.cipher], work.out, work.in.size) &&
         Cbc(work, false, 32, work.out, work.in.size) && Matches(work);
}

bool Finish(const BlockWork &work, bool is_prepared, bool matches) {
  if (work.kind == BlockWork::kOpen) {
    const bool is_right = is_prepared && (matches || (work.file < 0 && Retry(work)));
    return is_right && (work.target < 0 ||
                        WriteAll(work.target, {work.out, work.length}, work.target_position));
  }
  return is_prepared && matches && Encrypt(work, Plain(work));
}

void Run(BlockWork *work) {
  if (work->kind == BlockWork::kStore) {
    work->done = StoreBlock(*work);
  } else if (work->kind == BlockWork::kCreate) {
    work->done = CreateFile(*work);
  } else if (work->kind == BlockWork::kRead) {
    work->done = ReadFile(*work);
  } else {
    const bool is_prepared = Prepare(*work);
    const bool matches = is_prepared && (work->hash_length == 0 || Matches(*work));
    work->done = Finish(*work, is_prepared, matches);
  }
}

// Blocks whose hashes are made together: as many as the processor has lanes for.
constexpr size_t kTogether = 16;

// Blocks that were read and are right, encrypted side by side; all under keys of one length.
void EncryptTogether(BlockWork *const *works, size_t count) {
  pn_cbc_t messages[kTogether];
  std::vector<Tail> tails;
  tails.reserve(count);
  for (size_t i = 0; i < count; i++) {
    const BlockWork &work = *works[i];
    const uint8_t *plain = Plain(work);
    messages[i] = {work.secret, work.iv, plain, work.out, work.length / PN_AES_BLOCK};
    tails.emplace_back(work, plain);
  }
  const bool done = Crypto()->aes_cbc_many(kKeyLengths[works[0]->cipher], messages, count) == 1;
  for (size_t i = 0; i < count; i++)
    works[i]->done = done && EncryptTail(*works[i], tails[i]);
}

void RunTogether(BlockWork *const *works, size_t count) {
  BlockWork *sealed[kTogether];
  size_t seals = 0;
  pn_message_t messages[kTogether];
  uint8_t hashes[kTogether][PN_SHA2_LENGTH_MAX];
  bool is_prepared[kTogether];
  for (size_t i = 0; i < count; i++) {
    is_prepared[i] = Prepare(*works[i]);
    messages[i] = {Plain(*works[i]), is_prepared[i] ? works[i]->length : 0};
  }
  Crypto()->sha2_many(works[0]->algorithm, messages, count, hashes[0], sizeof hashes[0]);
  for (size_t i = 0; i < count; i++) {
    const BlockWork &work = *works[i];
    const bool matches = std::memcmp(hashes[i], work.hash, work.hash_length) == 0;
    const bool is_sealed = work.kind == BlockWork::kSeal && work.cipher != 0;
    if (is_sealed && is_prepared[i] && matches && (seals == 0 || sealed[0]->cipher == work.cipher))
      sealed[seals++] = works[i];
    else
      works[i]->done = Finish(work, is_prepared[i], matches);
  }
  if (seals > 0)
    EncryptTogether(sealed, seals);
}

// --- arguments ---------------------------------------------------------------------------------

bool Fits(const BlockWork &work) {
  if (work.cipher > 3 || work.secret_length < kKeyLengths[work.cipher] || work.length == 0 ||
      work.length > PN_LIMIT_SEGMENT_2)
    return false;
  const bool is_plain = work.cipher == 0, is_file = work.file >= 0;
  if (work.kind == BlockWork::kSeal)
    return work.out_size == (is_plain ? work.length : Padded(work.length)) &&
           (is_file || work.in.size == work.length);
  if (work.hash_length == 0)
    return false;
  if (is_plain)
    return (is_file || work.in.size == work.length) && work.out_size >= work.length;
  return !is_file && work.in.size >= work.length && work.in.size % PN_AES_BLOCK == 0 &&
         work.out_size >= work.in.size;
}

bool ReadPlace(napi_env env, ContentCall *call, napi_value value, BlockWork *work) {
  bool is_array = false;
  napi_value file, position;
  if (napi_is_array(env, value, &is_array) != napi_ok || !is_array) {
    work->in = call->ToBytes(value);
    return call->good;
  }
  if (napi_get_element(env, value, 0, &file) != napi_ok ||
      napi_get_element(env, value, 1, &position) != napi_ok)
    return false;
  work->file = static_cast<uv_file>(call->ToUint(file));
  work->position = static_cast<int64_t>(call->ToDouble(position));
  return call->good && work->file >= 0;
}

// [0 | 1, cipher, secret, iv, bytes | [fd, position], out, length] and, always with 1, hash and
// algorithm; then, with 1, possibly fd and position of where it is written to.
bool ReadCoding(napi_env env, ContentCall *call, const napi_value *parts, uint32_t count,
                BlockWork *work) {
  if (count != 7 && count != 9 && (count != 11 || work->kind != BlockWork::kOpen))
    return false;
  work->cipher = call->ToUint(parts[1]);
  const pn_bytes_t secret = call->ToBytes(parts[2]), iv = call->ToBytes(parts[3]);
  size_t out_size = 0;
  work->out = call->ToArray<uint8_t>(parts[5], napi_uint8_array, &out_size);
  work->out_size = out_size;
  work->length = call->ToUint(parts[6]);
  if (!call->good || secret.size > PN_SHA2_LENGTH_MAX || iv.size != PN_AES_BLOCK ||
      !ReadPlace(env, call, parts[4], work))
    return false;
  std::memcpy(work->secret, secret.base, secret.size);
  work->secret_length = secret.size;
  std::memcpy(work->iv, iv.base, PN_AES_BLOCK);
  if (count >= 9) {
    const pn_bytes_t hash = call->ToBytes(parts[7]);
    work->algorithm = call->ToAlgorithm(parts[8]);
    if (!call->good || !IsHashLength(work->algorithm, hash.size))
      return false;
    std::memcpy(work->hash, hash.base, hash.size);
    work->hash_length = hash.size;
  }
  if (count == 11) {
    work->target = static_cast<uv_file>(call->ToUint(parts[9]));
    work->target_position = static_cast<int64_t>(call->ToDouble(parts[10]));
    if (work->target < 0 || work->target_position < 0)
      return false;
  }
  return call->good && Fits(*work);
}

// [2, fd, position, block, row position, row]
bool ReadStoring(ContentCall *call, const napi_value *parts, uint32_t count, BlockWork *work) {
  if (count != 6)
    return false;
  work->file = static_cast<uv_file>(call->ToUint(parts[1]));
  work->position = static_cast<int64_t>(call->ToDouble(parts[2]));
  work->in = call->ToBytes(parts[3]);
  work->row_position = static_cast<int64_t>(call->ToDouble(parts[4]));
  work->row = call->ToBytes(parts[5]);
  return call->good && work->file >= 0;
}

bool ReadText(napi_env env, napi_value value, std::string *out) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok || length == 0 ||
      length > 4096)
    return false;
  out->resize(length);
  return napi_get_value_string_utf8(env, value, &(*out)[0], length + 1, &length) == napi_ok &&
         out->find('\0') == std::string::npos;
}

// [3, aside, path, head, block]
bool ReadCreating(napi_env env, ContentCall *call, const napi_value *parts, uint32_t count,
                  BlockWork *work) {
  if (count != 5 || !ReadText(env, parts[1], &work->aside) || !ReadText(env, parts[2], &work->path))
    return false;
  work->row = call->ToBytes(parts[3]);
  work->in = call->ToBytes(parts[4]);
  return call->good;
}

// [4, path, head, room, now, least] with times in seconds.
bool ReadReading(napi_env env, ContentCall *call, const napi_value *parts, uint32_t count,
                 BlockWork *work) {
  if (count != 6 || !ReadText(env, parts[1], &work->path))
    return false;
  work->head = call->ToBytes(parts[2]);
  work->out = call->ToArray<uint8_t>(parts[3], napi_uint8_array, &work->out_size);
  work->now = call->ToDouble(parts[4]);
  work->touch = call->ToDouble(parts[5]);
  return call->good && work->head.size > 0 && work->out_size > 0;
}

bool ReadWork(napi_env env, ContentCall *call, napi_value value, BlockWork *work) {
  napi_value parts[11];
  uint32_t count = 0;
  bool is_array = false;
  if (napi_is_array(env, value, &is_array) != napi_ok || !is_array ||
      napi_get_array_length(env, value, &count) != napi_ok || count < 5 || count > 11)
    return false;
  for (uint32_t i = 0; i < count; i++)
    if (napi_get_element(env, value, i, &parts[i]) != napi_ok)
      return false;
  work->kind = call->ToUint(parts[0]);
  if (!call->good || work->kind > BlockWork::kRead)
    return false;
  if (work->kind == BlockWork::kStore)
    return ReadStoring(call, parts, count, work);
  if (work->kind == BlockWork::kCreate)
    return ReadCreating(env, call, parts, count, work);
  if (work->kind == BlockWork::kRead)
    return ReadReading(env, call, parts, count, work);
  return ReadCoding(env, call, parts, count, work);
}

// --- calls -------------------------------------------------------------------------------------

// runBlock(work): whether it could.
napi_value RunBlock(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  BlockWork work;
  if (!ReadWork(env, &call, call.At(0), &work))
    return call.Misuse("work on a block is wanted");
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
    if (work.hash_length == 0) {
      Run(&work);
      continue;
    }
    if (count > 0 && (count == kTogether || together[0]->algorithm != work.algorithm)) {
      RunTogether(together, count);
      count = 0;
    }
    together[count++] = &work;
  }
  if (count > 0)
    RunTogether(together, count);
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
  batch->blocks.resize(count);
  for (uint32_t i = 0; i < count; i++) {
    napi_value value;
    if (napi_get_element(env, call.At(0), i, &value) != napi_ok ||
        !ReadWork(env, &call, value, &batch->blocks[i]))
      return call.Misuse("work on blocks is wanted");
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

} // namespace

void InitContentBlocks(Napi::Env env, Napi::Object exports) {
  const ContentFunction functions[] = {{"runBlock", RunBlock}, {"runBlocks", RunBlocks}};
  ExportContent(env, exports, nullptr, functions);
}

} // namespace peernet
