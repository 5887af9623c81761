// Ring arithmetic for JavaScript over the IDs in the shared array; lib/native/ring.ts is the only
// caller. Runs after InitCache, which makes the array.
#include "binding/module.h"

#include "binding/scratch.h"
#include "core/ring256.h"

namespace peernet {
namespace {

Scratch &ScratchOf(napi_env env, napi_callback_info info) {
  void *data = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  return *static_cast<Scratch *>(data);
}

napi_value Integer(napi_env env, int32_t value) {
  napi_value result;
  napi_create_int32(env, value, &result);
  return result;
}

napi_value CompareDistance(napi_env env, napi_callback_info info) {
  const auto &id = ScratchOf(env, info).id;
  pn_u256_t target = pn_ring_load(id[0]), a = pn_ring_load(id[1]), b = pn_ring_load(id[2]);
  return Integer(env, pn_ring_compare_distance(&target, &a, &b));
}

// ringAddSmall(low, high): 32 bits each; the sum replaces id[0].
napi_value AddSmall(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  uint32_t low = 0, high = 0;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  napi_get_value_uint32(env, arguments[0], &low);
  napi_get_value_uint32(env, arguments[1], &high);
  auto &id = ScratchOf(env, info).id;
  uint64_t n = low | static_cast<uint64_t>(high) << 32;
  pn_u256_t sum = pn_ring_add_small(pn_ring_load(id[0]), n);
  pn_ring_store(&sum, id[0]);
  return nullptr;
}

napi_value Midpoint(napi_env env, napi_callback_info info) {
  auto &id = ScratchOf(env, info).id;
  pn_u256_t middle = pn_ring_midpoint(pn_ring_load(id[0]), pn_ring_load(id[1]));
  pn_ring_store(&middle, id[0]);
  return nullptr;
}

napi_value InArc(napi_env env, napi_callback_info info) {
  const auto &id = ScratchOf(env, info).id;
  pn_u256_t x = pn_ring_load(id[0]), from = pn_ring_load(id[1]), to = pn_ring_load(id[2]);
  return Integer(env, static_cast<int32_t>(pn_ring_in_arc(&x, &from, &to)));
}

napi_value Span(napi_env env, napi_callback_info info) {
  const auto &id = ScratchOf(env, info).id;
  pn_u256_t from = pn_ring_load(id[0]), to = pn_ring_load(id[1]);
  napi_value result;
  napi_create_double(env, pn_ring_span(&from, &to), &result);
  return result;
}

constexpr struct {
  const char *name;
  napi_callback function;
} kFunctions[] = {
    {"ringCompareDistance", CompareDistance},
    {"ringAddSmall", AddSmall},
    {"ringMidpoint", Midpoint},
    {"ringInArc", InArc},
    {"ringSpan", Span},
};

} // namespace

void InitRing(Napi::Env env, Napi::Object exports) {
  void *scratch = InstanceData::Of(env).cache_scratch.Value().Data();
  for (const auto &entry : kFunctions) {
    napi_value function;
    napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.function, scratch, &function);
    napi_set_named_property(env, exports, entry.name, function);
  }
}

} // namespace peernet
