// What codec.cc and split.cc share: the arrays that single calls work on, and argument checks.
#ifndef PN_BINDING_CODEC_H
#define PN_BINDING_CODEC_H

#include "binding/module.h"

#include "core/limits.h"
#include "core/pnrp_datagram.h"
#include "core/pnrp_split.h"

namespace peernet {

// Handing a typed array over costs more than decoding a short datagram, so single calls find their
// arguments in arrays shared with JavaScript.
struct CodecSlab {
  pn_datagram_t row;
  uint8_t source[PN_LIMIT_CODEC_SOURCE]; // bytes to decode, or the fields to encode
  uint8_t output[PN_LIMIT_UDP_PAYLOAD + 1];
};

// The arguments of one call; `good` turns false when one of them is not what was asked for.
struct CodecCall {
  napi_env env;
  napi_value arguments[8];
  size_t count = 8;
  CodecSlab *slab = nullptr;
  bool good = true;

  CodecCall(napi_env env_, napi_callback_info info) : env(env_) {
    void *data = nullptr;
    napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
    slab = static_cast<CodecSlab *>(data);
  }

  uint32_t Uint(size_t index) {
    uint32_t number = 0;
    if (index >= count || napi_get_value_uint32(env, arguments[index], &number) != napi_ok)
      good = false;
    return number;
  }

  template <typename Element>
  Element *Array(size_t index, napi_typedarray_type wanted, size_t *length) {
    bool is_typed_array = false;
    napi_typedarray_type type;
    void *data = nullptr;
    *length = 0;
    if (index >= count || napi_is_typedarray(env, arguments[index], &is_typed_array) != napi_ok ||
        !is_typed_array ||
        napi_get_typedarray_info(env, arguments[index], &type, length, &data, nullptr, nullptr) !=
            napi_ok ||
        type != wanted || *length > UINT32_MAX) {
      good = false;
      *length = 0;
      return nullptr;
    }
    return static_cast<Element *>(data);
  }

  pn_bytes_t Bytes(size_t index) {
    size_t length = 0;
    const uint8_t *data = Array<uint8_t>(index, napi_uint8_array, &length);
    return {data, static_cast<uint32_t>(length)};
  }

  // Argument 0: how many bytes of the source array, or bytes of their own.
  pn_bytes_t Input() {
    uint32_t length = 0;
    if (count == 0 || napi_get_value_uint32(env, arguments[0], &length) != napi_ok)
      return Bytes(0);
    if (length > sizeof slab->source)
      good = false;
    return {slab->source, good ? length : 0};
  }

  pn_bytes_t Source() const { return {slab->source, sizeof slab->source}; }
  pn_writer_t Writer() const { return {slab->output, sizeof slab->output, 0, PN_OK}; }

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

struct CodecFunction {
  const char *name;
  napi_callback function;
};

// Exports functions that get the slab as their data.
template <size_t Count>
void ExportCodec(Napi::Env env, Napi::Object exports, void *slab,
                 const CodecFunction (&functions)[Count]) {
  for (const CodecFunction &entry : functions) {
    napi_value function;
    napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.function, slab, &function);
    exports.Set(entry.name, Napi::Value(env, function));
  }
}

} // namespace peernet

#endif
