// What the three files of the content protocols share: arguments, and the arrays that JavaScript
// reads results from.
#ifndef PN_BINDING_CONTENT_H
#define PN_BINDING_CONTENT_H

#include "binding/module.h"

#include "core/pccrc.h"
#include "core/pccrr.h"
#include "core/pchc.h"
#include "crypto/content_crypto.h"

namespace peernet {

// Numbers of a pn_ci_t for JavaScript; lib/native/content-codec.ts names them.
constexpr uint32_t kInfoHead = 12;
// Numbers of a pn_ci_segment_t likewise.
constexpr uint32_t kSegmentRow = 6;

struct ContentSlab {
  double info[kInfoHead];
  pn_retrieval_t retrieval;
  pn_offer_t offer;
};

constexpr uint32_t kRetrievalWords = sizeof(pn_retrieval_t) / sizeof(uint32_t);
constexpr uint32_t kOfferWords = sizeof(pn_offer_t) / sizeof(uint32_t);

// The arguments of one call; `good` turns false when one of them is not what was asked for.
struct ContentCall {
  static constexpr size_t kMost = 10;
  napi_env env;
  napi_value arguments[kMost];
  size_t count = kMost;
  ContentSlab *slab = nullptr;
  bool good = true;

  ContentCall(napi_env env_, napi_callback_info info) : env(env_) {
    void *data = nullptr;
    napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
    slab = static_cast<ContentSlab *>(data);
  }

  napi_value At(size_t index) {
    if (index < count && index < kMost)
      return arguments[index];
    good = false;
    napi_value none;
    napi_get_undefined(env, &none);
    return none;
  }

  double Double(size_t index) { return ToDouble(At(index)); }
  uint32_t Uint(size_t index) { return ToUint(At(index)); }
  template <typename Element>
  Element *Array(size_t index, napi_typedarray_type wanted, size_t *length) {
    return ToArray<Element>(At(index), wanted, length);
  }
  pn_bytes_t Bytes(size_t index) { return ToBytes(At(index)); }
  pn_sha2_t Algorithm(size_t index) { return ToAlgorithm(At(index)); }

  double ToDouble(napi_value value) {
    double number = 0;
    if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= 0) ||
        number > 9007199254740991.0)
      good = false;
    return good ? number : 0;
  }

  uint32_t ToUint(napi_value value) {
    const double number = ToDouble(value);
    if (number > UINT32_MAX || number != static_cast<double>(static_cast<uint64_t>(number)))
      good = false;
    return good ? static_cast<uint32_t>(number) : 0;
  }

  template <typename Element>
  Element *ToArray(napi_value value, napi_typedarray_type wanted, size_t *length) {
    bool is_typed_array = false;
    napi_typedarray_type type;
    void *data = nullptr;
    *length = 0;
    if (napi_is_typedarray(env, value, &is_typed_array) != napi_ok || !is_typed_array ||
        napi_get_typedarray_info(env, value, &type, length, &data, nullptr, nullptr) != napi_ok ||
        type != wanted || *length > UINT32_MAX) {
      good = false;
      *length = 0;
      return nullptr;
    }
    return static_cast<Element *>(data);
  }

  pn_bytes_t ToBytes(napi_value value) {
    size_t length = 0;
    const uint8_t *data = ToArray<uint8_t>(value, napi_uint8_array, &length);
    return {data, static_cast<uint32_t>(length)};
  }

  pn_sha2_t ToAlgorithm(napi_value value) {
    const uint32_t number = ToUint(value);
    if (number >= PN_SHA2_COUNT)
      good = false;
    return good ? static_cast<pn_sha2_t>(number) : PN_SHA2_256;
  }

  napi_value Number(double number) const {
    napi_value value;
    napi_create_double(env, number, &value);
    return value;
  }

  napi_value Boolean(bool truth) const {
    napi_value value;
    napi_get_boolean(env, truth, &value);
    return value;
  }

  // A length, or -pn_err_t.
  napi_value Outcome(uint32_t code, uint32_t length) const {
    return Number(code == PN_OK ? static_cast<double>(length) : -static_cast<double>(code));
  }

  napi_value Misuse(const char *message) const {
    napi_throw_type_error(env, "ERR_PEERNET_INVALID_ARG", message);
    return nullptr;
  }
};

inline bool IsHashLength(pn_sha2_t algorithm, uint32_t length) {
  return length == pn_sha2_length(algorithm) || (algorithm == PN_SHA2_512 && length == 32);
}

struct ContentFunction {
  const char *name;
  napi_callback function;
};

template <size_t Count>
void ExportContent(Napi::Env env, Napi::Object exports, void *slab,
                   const ContentFunction (&functions)[Count]) {
  for (const ContentFunction &entry : functions) {
    napi_value function;
    napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.function, slab, &function);
    exports.Set(entry.name, Napi::Value(env, function));
  }
}

} // namespace peernet

#endif
