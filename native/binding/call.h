// The arguments of one call from JavaScript, without an object for each.
#ifndef PN_BINDING_CALL_H
#define PN_BINDING_CALL_H

#include "binding/module.h"

#include "core/buf.h"

namespace peernet {

// `good` turns false when an argument is not what was asked for.
struct Call {
  napi_env env;
  napi_value arguments[8];
  size_t count = 8;
  void *data = nullptr;
  bool good = true;

  Call(napi_env env_, napi_callback_info info) : env(env_) {
    napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
  }

  uint32_t Uint(size_t index) {
    uint32_t number = 0;
    if (index >= count || napi_get_value_uint32(env, arguments[index], &number) != napi_ok)
      good = false;
    return number;
  }

  bool Has(size_t index) const {
    napi_valuetype type;
    return index < count && napi_typeof(env, arguments[index], &type) == napi_ok &&
           type != napi_undefined;
  }

  template <typename Element>
  Element *Array(size_t index, napi_typedarray_type wanted, size_t *length) {
    bool is_typed_array = false;
    napi_typedarray_type type;
    void *bytes = nullptr;
    *length = 0;
    if (index >= count || napi_is_typedarray(env, arguments[index], &is_typed_array) != napi_ok ||
        !is_typed_array ||
        napi_get_typedarray_info(env, arguments[index], &type, length, &bytes, nullptr, nullptr) !=
            napi_ok ||
        type != wanted || *length > UINT32_MAX) {
      good = false;
      *length = 0;
      return nullptr;
    }
    return static_cast<Element *>(bytes);
  }

  pn_bytes_t Bytes(size_t index) {
    size_t length = 0;
    const uint8_t *bytes = Array<uint8_t>(index, napi_uint8_array, &length);
    return {bytes, static_cast<uint32_t>(length)};
  }

  // So many bytes of `own`, or bytes that are handed over.
  pn_bytes_t BytesOr(size_t index, const uint8_t *own, uint32_t size) {
    uint32_t length = 0;
    if (index >= count || napi_get_value_uint32(env, arguments[index], &length) != napi_ok)
      return Bytes(index);
    if (length > size)
      good = false;
    return {own, good ? length : 0};
  }

  napi_value Number(int32_t number) const {
    napi_value value;
    napi_create_int32(env, number, &value);
    return value;
  }

  napi_value Number(double number) const {
    napi_value value;
    napi_create_double(env, number, &value);
    return value;
  }

  // A length, or -pn_err_t.
  napi_value Outcome(uint32_t code, uint32_t length) const {
    return Number(code == PN_OK ? static_cast<int32_t>(length) : -static_cast<int32_t>(code));
  }

  napi_value Misuse(const char *message) const {
    napi_throw_type_error(env, "ERR_PEERNET_INVALID_ARG", message);
    return nullptr;
  }
};

struct ExportedFunction {
  const char *name;
  napi_callback function;
};

// Exports functions that get `data` with every call.
template <size_t Count>
void ExportAll(Napi::Env env, Napi::Object exports, void *data,
               const ExportedFunction (&functions)[Count]) {
  for (const ExportedFunction &entry : functions) {
    napi_value function;
    napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.function, data, &function);
    exports.Set(entry.name, Napi::Value(env, function));
  }
}

} // namespace peernet

#endif
