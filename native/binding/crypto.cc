// Hashes and RSA for JavaScript. The functions only check their arguments' types: the façades in
// lib/native/digest.ts and lib/native/rsa.ts are their only callers.
#include "binding/module.h"

#include <cstring>
#include <memory>
#include <vector>

#include "core/pkcs1.h"
#include "crypto/crypto.h"

namespace peernet {
namespace {

constexpr size_t kSlabLength = 4096;

// Hash input and output travel through two arrays shared with JavaScript: handing a typed array
// over costs more than hashing a short one.
struct HashSlab {
  uint8_t input[kSlabLength];
  uint8_t output[PN_SHA256_LENGTH];
};

struct Bytes {
  const uint8_t *data;
  size_t length;
};

bool GetBytes(napi_env env, napi_value value, Bytes *out) {
  bool is_typed_array = false;
  if (napi_is_typedarray(env, value, &is_typed_array) != napi_ok || !is_typed_array)
    return false;
  napi_typedarray_type type;
  void *data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &out->length, &data, nullptr, nullptr) != napi_ok)
    return false;
  out->data = static_cast<const uint8_t *>(data);
  return type == napi_uint8_array;
}

napi_value Misuse(napi_env env, const char *message) {
  napi_throw_type_error(env, "ERR_PEERNET_INVALID_ARG", message);
  return nullptr;
}

napi_value Undefined(napi_env env) {
  napi_value value;
  napi_get_undefined(env, &value);
  return value;
}

using HashFunction = void (*)(const uint8_t *, size_t, uint8_t *);

// hash(lengthInSlab | bytes): the digest is left in the output array.
napi_value Hash(napi_env env, napi_callback_info info, HashFunction hash) {
  size_t argc = 1;
  napi_value argument;
  void *data = nullptr;
  napi_get_cb_info(env, info, &argc, &argument, nullptr, &data);
  auto *slab = static_cast<HashSlab *>(data);
  uint32_t length = 0;
  if (napi_get_value_uint32(env, argument, &length) == napi_ok) {
    if (length > kSlabLength)
      return Misuse(env, "longer than the slab");
    hash(slab->input, length, slab->output);
    return nullptr;
  }
  Bytes bytes;
  if (!GetBytes(env, argument, &bytes))
    return Misuse(env, "a length or a Uint8Array is wanted");
  hash(bytes.data, bytes.length, slab->output);
  return nullptr;
}

napi_value Md5(napi_env env, napi_callback_info info) {
  return Hash(env, info, pn_crypto_openssl()->md5);
}

napi_value Sha1(napi_env env, napi_callback_info info) {
  return Hash(env, info, pn_crypto_openssl()->sha1);
}

napi_value Sha256(napi_env env, napi_callback_info info) {
  return Hash(env, info, pn_crypto_openssl()->sha256);
}

// --- RSA ---------------------------------------------------------------------------------------

constexpr napi_type_tag kKeyTag = {0x9a0c51d3be4f4e27u, 0x8c1f6f0d2b7ae315u};

// About what an RSA object with its Montgomery context takes; tells the collector what an
// unreachable key is worth.
constexpr int64_t kKeyBytes = 3000;

void FinalizeKey(napi_env env, void *data, void *) {
  pn_openssl_key_release(static_cast<pn_rsa_key_t *>(data));
  int64_t total;
  napi_adjust_external_memory(env, -kKeyBytes, &total);
}

napi_value WrapKey(napi_env env, pn_rsa_key_t *key) {
  if (key == nullptr)
    return Undefined(env);
  napi_value object;
  if (napi_create_object(env, &object) != napi_ok ||
      napi_wrap(env, object, key, FinalizeKey, nullptr, nullptr) != napi_ok) {
    pn_openssl_key_release(key);
    return nullptr;
  }
  napi_type_tag_object(env, object, &kKeyTag);
  int64_t total;
  napi_adjust_external_memory(env, kKeyBytes, &total);
  return object;
}

// What is no object would leave an exception of the engine's behind.
bool IsObject(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_object;
}

bool GetKey(napi_env env, napi_value value, pn_rsa_key_t **out) {
  bool tagged = false;
  if (!IsObject(env, value) ||
      napi_check_object_type_tag(env, value, &kKeyTag, &tagged) != napi_ok || !tagged)
    return false;
  void *key = nullptr;
  if (napi_unwrap(env, value, &key) != napi_ok)
    return false;
  *out = static_cast<pn_rsa_key_t *>(key);
  return true;
}

bool GetArguments(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  size_t argc = count;
  return napi_get_cb_info(env, info, &argc, values, nullptr, nullptr) == napi_ok && argc == count;
}

napi_value RsaPublicKey(napi_env env, napi_callback_info info) {
  napi_value argument;
  Bytes der;
  if (!GetArguments(env, info, 1, &argument) || !GetBytes(env, argument, &der))
    return Misuse(env, "a Uint8Array is wanted");
  if (der.length != PN_RSA_PUBLIC_DER_LENGTH)
    return Undefined(env);
  return WrapKey(env, pn_openssl_public_key(der.data));
}

napi_value RsaPrivateKey(napi_env env, napi_callback_info info) {
  napi_value argument;
  Bytes der;
  if (!GetArguments(env, info, 1, &argument) || !GetBytes(env, argument, &der))
    return Misuse(env, "a Uint8Array is wanted");
  return WrapKey(env, pn_openssl_private_key(der.data, der.length));
}

bool GetOrder(napi_env env, napi_value value, pn_signature_order_t *out) {
  uint32_t order = 0;
  if (napi_get_value_uint32(env, value, &order) != napi_ok)
    return false;
  *out = static_cast<pn_signature_order_t>(order);
  return order == PN_SIGNATURE_SPEC || order == PN_SIGNATURE_CAPI;
}

// rsaSign(key, data, order, out): whether it could.
napi_value RsaSign(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  pn_rsa_key_t *key;
  Bytes data, out;
  pn_signature_order_t order;
  if (!GetArguments(env, info, 4, arguments) || !GetKey(env, arguments[0], &key) ||
      !GetBytes(env, arguments[1], &data) || !GetOrder(env, arguments[2], &order) ||
      !GetBytes(env, arguments[3], &out) || out.length != PN_RSA_LENGTH)
    return Misuse(env, "rsaSign(key, data, order, out) is wanted");
  const int done = pn_pkcs1_sign_sha1(pn_crypto_openssl(), key, data.data, data.length, order,
                                      const_cast<uint8_t *>(out.data));
  napi_value result;
  napi_get_boolean(env, done == 1, &result);
  return result;
}

// rsaVerify(key, data, signature): 0 bad, 1 and 2 the byte order (pn_signature_order_t).
napi_value RsaVerify(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  pn_rsa_key_t *key;
  Bytes data, signature;
  if (!GetArguments(env, info, 3, arguments) || !GetKey(env, arguments[0], &key) ||
      !GetBytes(env, arguments[1], &data) || !GetBytes(env, arguments[2], &signature) ||
      signature.length != PN_RSA_LENGTH)
    return Misuse(env, "rsaVerify(key, data, signature) is wanted");
  const auto order =
      pn_pkcs1_verify_sha1(pn_crypto_openssl(), key, data.data, data.length, signature.data);
  napi_value result;
  napi_create_uint32(env, order, &result);
  return result;
}

// One sign or verify on the thread pool. Owns copies of everything, so that JavaScript may reuse
// its buffers at once.
struct RsaOperation {
  pn_rsa_key_t *key = nullptr;
  std::vector<uint8_t> data;
  bool sign = false;
  pn_signature_order_t order = PN_SIGNATURE_BAD; // to sign with; or found by verifying
  uint8_t signature[PN_RSA_LENGTH];
  bool done = false;
};

struct RsaBatch {
  std::vector<RsaOperation> operations;
  napi_ref callback = nullptr;
  napi_async_work work = nullptr;

  ~RsaBatch() {
    for (auto &operation : operations)
      if (operation.key != nullptr)
        pn_openssl_key_release(operation.key);
  }
};

void ExecuteBatch(napi_env, void *data) {
  const pn_crypto_t *crypto = pn_crypto_openssl();
  for (auto &operation : static_cast<RsaBatch *>(data)->operations) {
    const uint8_t *bytes = operation.data.data();
    const size_t length = operation.data.size();
    if (operation.sign) {
      operation.done = pn_pkcs1_sign_sha1(crypto, operation.key, bytes, length, operation.order,
                                          operation.signature) == 1;
    } else {
      operation.order =
          pn_pkcs1_verify_sha1(crypto, operation.key, bytes, length, operation.signature);
      operation.done = true;
    }
  }
}

// The signatures of a batch lie in one buffer: making one costs as much as all of the rest.
struct Signatures {
  napi_value buffer = nullptr;
  uint8_t *bytes = nullptr;
  size_t used = 0;

  bool Open(napi_env env, const RsaBatch &batch) {
    size_t count = 0;
    for (const auto &operation : batch.operations)
      count += operation.sign && operation.done;
    void *data = nullptr;
    if (count > 0 &&
        napi_create_arraybuffer(env, count * PN_RSA_LENGTH, &data, &buffer) != napi_ok)
      return false;
    bytes = static_cast<uint8_t *>(data);
    return true;
  }

  napi_value Add(napi_env env, const RsaOperation &operation) {
    napi_value result = nullptr;
    std::memcpy(bytes + used, operation.signature, PN_RSA_LENGTH);
    napi_create_typedarray(env, napi_uint8_array, PN_RSA_LENGTH, buffer, used, &result);
    used += PN_RSA_LENGTH;
    return result;
  }
};

// false, or the order found, or the signature.
napi_value OperationResult(napi_env env, const RsaOperation &operation, Signatures *signatures) {
  napi_value result = nullptr;
  if (!operation.done)
    napi_get_boolean(env, false, &result);
  else if (!operation.sign)
    napi_create_uint32(env, operation.order, &result);
  else
    result = signatures->Add(env, operation);
  return result;
}

void CompleteBatch(napi_env env, napi_status status, void *data) {
  std::unique_ptr<RsaBatch> batch(static_cast<RsaBatch *>(data));
  napi_value callback = nullptr;
  napi_get_reference_value(env, batch->callback, &callback);
  napi_delete_reference(env, batch->callback);
  napi_delete_async_work(env, batch->work);
  if (status != napi_ok || callback == nullptr)
    return; // the environment is going away
  napi_value results;
  Signatures signatures;
  if (!signatures.Open(env, *batch) ||
      napi_create_array_with_length(env, batch->operations.size(), &results) != napi_ok)
    return;
  for (size_t i = 0; i < batch->operations.size(); i++) {
    napi_value result = OperationResult(env, batch->operations[i], &signatures);
    if (result == nullptr)
      return;
    napi_set_element(env, results, static_cast<uint32_t>(i), result);
  }
  batch.reset();
  napi_call_function(env, Undefined(env), callback, 1, &results, nullptr);
}

// An operation is [key, data, signature] to verify or [key, data, order] to sign.
bool ReadOperation(napi_env env, napi_value value, RsaOperation *out) {
  napi_value parts[3];
  if (!IsObject(env, value))
    return false;
  for (uint32_t i = 0; i < 3; i++)
    if (napi_get_element(env, value, i, &parts[i]) != napi_ok)
      return false;
  pn_rsa_key_t *key;
  Bytes data, signature;
  if (!GetKey(env, parts[0], &key) || !GetBytes(env, parts[1], &data))
    return false;
  if (GetOrder(env, parts[2], &out->order)) {
    out->sign = true;
  } else if (GetBytes(env, parts[2], &signature) && signature.length == PN_RSA_LENGTH) {
    std::memcpy(out->signature, signature.data, PN_RSA_LENGTH);
  } else {
    return false;
  }
  out->key = pn_openssl_key_hold(key);
  out->data.assign(data.data, data.data + data.length);
  return true;
}

// rsaBatch(operations, callback): callback(results) when all are done.
napi_value RsaBatchStart(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  napi_valuetype type;
  uint32_t count = 0;
  if (!GetArguments(env, info, 2, arguments) ||
      napi_get_array_length(env, arguments[0], &count) != napi_ok ||
      napi_typeof(env, arguments[1], &type) != napi_ok || type != napi_function)
    return Misuse(env, "rsaBatch(operations, callback) is wanted");
  auto batch = std::make_unique<RsaBatch>();
  for (uint32_t i = 0; i < count; i++) {
    napi_value operation;
    batch->operations.emplace_back(); // one by one: the length of a sparse array means nothing
    if (napi_get_element(env, arguments[0], i, &operation) != napi_ok ||
        !ReadOperation(env, operation, &batch->operations[i]))
      return Misuse(env, "[key, data, signature or order] is wanted");
  }
  napi_value name;
  if (napi_create_string_utf8(env, "peernet:rsa", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_reference(env, arguments[1], 1, &batch->callback) != napi_ok)
    return Misuse(env, "a callback is wanted");
  if (napi_create_async_work(env, nullptr, name, ExecuteBatch, CompleteBatch, batch.get(),
                             &batch->work) != napi_ok ||
      napi_queue_async_work(env, batch->work) != napi_ok) {
    napi_delete_reference(env, batch->callback);
    if (batch->work != nullptr)
      napi_delete_async_work(env, batch->work);
    return Misuse(env, "the thread pool takes no work");
  }
  batch.release(); // CompleteBatch frees it
  return Undefined(env);
}

napi_value CryptoSelfTest(napi_env env, napi_callback_info) {
  const char *failure = pn_openssl_self_test();
  if (failure == nullptr)
    return Undefined(env);
  napi_value message;
  napi_create_string_utf8(env, failure, NAPI_AUTO_LENGTH, &message);
  return message;
}

void Export(napi_env env, napi_value exports, const char *name, napi_callback function,
            void *data) {
  napi_value value;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, data, &value);
  napi_set_named_property(env, exports, name, value);
}

} // namespace

void InitCrypto(Napi::Env env, Napi::Object exports) {
  auto buffer = Napi::ArrayBuffer::New(env, sizeof(HashSlab));
  auto *slab = static_cast<HashSlab *>(buffer.Data());
  InstanceData::Of(env).hash_slab = Napi::Persistent(buffer);
  exports.Set("hashInput", Napi::Uint8Array::New(env, kSlabLength, buffer, 0));
  exports.Set("hashOutput", Napi::Uint8Array::New(env, PN_SHA256_LENGTH, buffer, kSlabLength));
  Export(env, exports, "md5", Md5, slab);
  Export(env, exports, "sha1", Sha1, slab);
  Export(env, exports, "sha256", Sha256, slab);
  Export(env, exports, "rsaPublicKey", RsaPublicKey, nullptr);
  Export(env, exports, "rsaPrivateKey", RsaPrivateKey, nullptr);
  Export(env, exports, "rsaSign", RsaSign, nullptr);
  Export(env, exports, "rsaVerify", RsaVerify, nullptr);
  Export(env, exports, "rsaBatch", RsaBatchStart, nullptr);
  Export(env, exports, "cryptoSelfTest", CryptoSelfTest, nullptr);
}

} // namespace peernet
