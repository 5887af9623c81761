// The route entry cache and ring arithmetic for JavaScript. lib/native/route-cache.ts and
// lib/native/ring.ts are the only callers: they put IDs, entries and endpoints into one array
// shared with this file and read results from it, so that a call carries nothing but numbers.
#include "binding/module.h"

#include <cstdlib>
#include <cstring>

#include "binding/scratch.h"
#include "core/pnrp_cache.h"

namespace peernet {
namespace {

constexpr uint32_t kFirstSlots = 8;
constexpr uint32_t kDoubledSlots = 64; // up to here the room doubles, then it grows by as much

constexpr napi_type_tag kCacheTag = {0x6d1f3a0c52e94b87, 0x9be84c7d1035fa26};

struct Cache {
  pn_cache_t core;
  void *block;
  size_t block_size;
  uint32_t local_max;
};

napi_value Throw(napi_env env, const char *code, const char *message) {
  napi_throw_type_error(env, code, message);
  return nullptr;
}

napi_value Number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

napi_value Number(napi_env env, uint32_t value) {
  napi_value result;
  napi_create_uint32(env, value, &result);
  return result;
}

napi_value Number(napi_env env, int32_t value) {
  napi_value result;
  napi_create_int32(env, value, &result);
  return result;
}

// Arguments of one call: the cache, up to four numbers, the shared array.
class Call {
public:
  Call(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = 5;
    void *data = nullptr;
    napi_get_cb_info(env, info, &count, values_, nullptr, &data);
    scratch_ = static_cast<Scratch *>(data);
  }

  napi_value self() const { return values_[0]; }
  Scratch &scratch() const { return *scratch_; }

  // Null when the first argument is no cache; the exception is then pending.
  Cache *cache() const {
    bool tagged = false;
    void *found = nullptr;
    if (napi_check_object_type_tag(env_, values_[0], &kCacheTag, &tagged) != napi_ok || !tagged ||
        napi_unwrap(env_, values_[0], &found) != napi_ok) {
      Throw(env_, "ERR_PEERNET_INVALID_ARG", "a RouteCache is wanted");
      return nullptr;
    }
    return static_cast<Cache *>(found);
  }

  // The n-th argument after the cache; 0 when it is no number.
  uint32_t number(size_t n) const {
    uint32_t value = 0;
    napi_get_value_uint32(env_, values_[n], &value);
    return value;
  }

  // The exclusion list, of which the n-th argument is the length.
  pn_cache_exclude_t excluded(size_t n) const {
    uint32_t count = number(n);
    return {scratch_->excluded, count < kExcluded ? count : kExcluded};
  }

private:
  napi_env env_;
  napi_value values_[5];
  Scratch *scratch_;
};

void Copy(const pn_cache_t &cache, uint32_t position, Record *to) {
  std::memcpy(to->bytes, pn_cache_at(&cache, position), pn_cache_entry_size(&cache.config));
}

uint32_t CopyAll(const pn_cache_t &cache, const uint16_t *positions, uint32_t count, Record *to) {
  for (uint32_t i = 0; i < count; i++)
    Copy(cache, positions[i], &to[i]);
  return count;
}

// ---- memory ----

// False when there is no memory: the cache then stays as it is.
bool Grow(napi_env env, Cache *cache, uint32_t slots, uint32_t local_slots) {
  size_t size = pn_cache_block_size(&cache->core.config, slots, local_slots);
  void *block = std::malloc(size);
  if (block == nullptr)
    return false;
  pn_cache_move(&cache->core, block, slots, local_slots);
  std::free(cache->block);
  int64_t total;
  napi_adjust_external_memory(env, static_cast<int64_t>(size - cache->block_size), &total);
  cache->block = block;
  cache->block_size = size;
  return true;
}

void MakeRoom(napi_env env, Cache *cache) {
  if (!pn_cache_wants_room(&cache->core))
    return;
  uint32_t slots = cache->core.slots;
  slots += slots < kDoubledSlots ? slots : kDoubledSlots / 2;
  uint32_t limit = pn_cache_limit(&cache->core);
  Grow(env, cache, slots < limit ? slots : limit, cache->core.local_slots);
}

void Finalize(napi_env env, void *data, void *) {
  auto *cache = static_cast<Cache *>(data);
  int64_t total;
  napi_adjust_external_memory(env, -static_cast<int64_t>(cache->block_size), &total);
  std::free(cache->block);
  delete cache;
}

// cacheInit(self, capacity, perLevel, leafSide << 8 | maxAddresses, localMax): self becomes a cache
napi_value Init(napi_env env, napi_callback_info info) {
  Call call(env, info);
  pn_cache_config_t config = {};
  config.capacity = call.number(1);
  config.per_level = static_cast<uint16_t>(call.number(2));
  config.leaf_side = static_cast<uint8_t>(call.number(3) >> 8);
  config.max_addresses = static_cast<uint8_t>(call.number(3));
  uint32_t local_max = call.number(4);
  if (!pn_cache_config_valid(&config) || config.leaf_side * 2 > kPage || local_max > UINT16_MAX)
    return Throw(env, "ERR_PEERNET_INVALID_ARG", "bad configuration of a route cache");
  auto *cache = new Cache{{}, nullptr, 0, local_max};
  cache->block_size = pn_cache_block_size(&config, kFirstSlots, 0);
  cache->block = std::malloc(cache->block_size);
  if (cache->block == nullptr ||
      napi_wrap(env, call.self(), cache, Finalize, nullptr, nullptr) != napi_ok) {
    std::free(cache->block);
    delete cache;
    return Throw(env, "ERR_PEERNET_NATIVE", "no memory for a route cache");
  }
  pn_cache_init(&cache->core, &config, cache->block, kFirstSlots, 0);
  napi_type_tag_object(env, call.self(), &kCacheTag);
  int64_t total;
  napi_adjust_external_memory(env, static_cast<int64_t>(cache->block_size), &total);
  return nullptr;
}

// ---- changes; IDs are scratch.id[0] ----

// 1 added, 0 already there, -1 no room.
napi_value AddLocal(napi_env env, Call &call, Cache *cache) {
  uint32_t index;
  const uint8_t *id = call.scratch().id[0];
  if (pn_cache_find_local(&cache->core, id, &index))
    return Number(env, 0);
  uint32_t room = cache->core.local_slots;
  if (cache->core.local_count == cache->local_max)
    return Number(env, -1);
  if (cache->core.local_count == room) {
    uint32_t more = room == 0 ? 1 : 2 * room;
    more = more < cache->local_max ? more : cache->local_max;
    if (!Grow(env, cache, cache->core.slots, more))
      return Number(env, -1);
  }
  pn_cache_add_local(&cache->core, id);
  return Number(env, 1);
}

napi_value RemoveLocal(napi_env env, Call &call, Cache *cache) {
  return Number(env,
                static_cast<int32_t>(pn_cache_remove_local(&cache->core, call.scratch().id[0])));
}

// Takes scratch.record. Bits: 1 inserted, 2 replaced, 4 evicted (its ID in scratch.id[1]),
// 8 in a leaf set.
napi_value Insert(napi_env env, Call &call, Cache *cache) {
  Scratch &scratch = call.scratch();
  if (scratch.record.entry().address_count == 0)
    return Number(env, 0);
  MakeRoom(env, cache);
  pn_cache_change_t change = pn_cache_insert(&cache->core, &scratch.record.entry());
  if (change.evicted)
    std::memcpy(scratch.id[1], change.evicted_id, PN_ID_BYTES);
  return Number(env, (change.inserted ? 1 : 0) | (change.replaced ? 2 : 0) |
                         (change.evicted ? 4 : 0) | (change.leaf_of.count > 0 ? 8 : 0));
}

// Bits: 1 it would be kept, 2 it would be in a leaf set.
napi_value WouldKeep(napi_env env, Call &call, Cache *cache) {
  bool leaf = false;
  bool keep = pn_cache_would_keep(&cache->core, call.scratch().id[0], &leaf);
  return Number(env, (keep ? 1 : 0) | (leaf ? 2 : 0));
}

// Takes ID, time and key from scratch.record.
napi_value Touch(napi_env env, Call &call, Cache *cache) {
  const pn_cache_entry_t &from = call.scratch().record.entry();
  bool touched = pn_cache_touch(&cache->core, from.id, from.validated_at,
                                from.has_key != 0 ? from.key_hash : nullptr);
  return Number(env, static_cast<int32_t>(touched));
}

napi_value Remove(napi_env env, Call &call, Cache *cache) {
  return Number(env, static_cast<int32_t>(pn_cache_remove(&cache->core, call.scratch().id[0])));
}

// Takes scratch.excluded[0]; the number removed.
napi_value RemoveEndpoint(napi_env env, Call &call, Cache *cache) {
  return Number(env, pn_cache_remove_endpoint(&cache->core, call.scratch().excluded));
}

napi_value Clear(napi_env, Call &, Cache *cache) {
  pn_cache_clear(&cache->core);
  return nullptr;
}

// ---- queries; they return how many of scratch.results are filled ----

napi_value Size(napi_env env, Call &, Cache *cache) {
  return Number(env, cache->core.count);
}

napi_value MemoryHeld(napi_env env, Call &, Cache *cache) {
  return Number(env, static_cast<double>(sizeof(Cache) + cache->block_size));
}

// cacheAt(self, from, count)
napi_value At(napi_env env, Call &call, Cache *cache) {
  uint32_t from = call.number(1), wanted = call.number(2), count = 0;
  for (; count < wanted && count < kPage && from + count < cache->core.count; count++)
    Copy(cache->core, from + count, &call.scratch().results[count]);
  return Number(env, count);
}

// cacheIsLeafAt(self, position): is the entry there in a leaf set? Leaves the results alone.
napi_value IsLeafAt(napi_env env, Call &call, Cache *cache) {
  uint32_t position = call.number(1);
  bool leaf = position < cache->core.count && pn_cache_leaf_of(&cache->core, position).count > 0;
  return Number(env, static_cast<int32_t>(leaf));
}

napi_value Get(napi_env env, Call &call, Cache *cache) {
  uint32_t position;
  bool found = pn_cache_find(&cache->core, call.scratch().id[0], &position);
  if (found)
    Copy(cache->core, position, call.scratch().results);
  return Number(env, static_cast<int32_t>(found));
}

// cacheClosest(self, count, excluded, closerThan?): the target is scratch.id[0], the bound id[1].
napi_value Closest(napi_env env, Call &call, Cache *cache) {
  Scratch &scratch = call.scratch();
  uint16_t positions[kPage];
  uint32_t wanted = call.number(1);
  uint32_t count = pn_cache_closest(&cache->core, scratch.id[0], call.excluded(2),
                                    call.number(3) != 0 ? scratch.id[1] : nullptr, positions,
                                    wanted < kPage ? wanted : kPage);
  return Number(env, CopyAll(cache->core, positions, count, scratch.results));
}

// cacheNeighbour(self, above?, excluded)
napi_value Neighbour(napi_env env, Call &call, Cache *cache) {
  auto find = call.number(1) != 0 ? pn_cache_above : pn_cache_below;
  uint32_t position;
  bool found = find(&cache->core, call.scratch().id[0], call.excluded(2), &position);
  if (found)
    Copy(cache->core, position, call.scratch().results);
  return Number(env, static_cast<int32_t>(found));
}

// n; the smaller ones are results 0..n-1, the greater ones n..2n-1.
napi_value LeafSet(napi_env env, Call &call, Cache *cache) {
  uint16_t smaller[kPage], greater[kPage];
  Record *results = call.scratch().results;
  uint32_t count = pn_cache_leaf_set(&cache->core, call.scratch().id[0], smaller, greater);
  CopyAll(cache->core, smaller, count, results);
  return Number(env, CopyAll(cache->core, greater, count, results + count));
}

// cacheLeafOf(self, skip): the local IDs, less the first `skip`, are put one into each record;
// returns how many are left from there on.
napi_value LeafOf(napi_env env, Call &call, Cache *cache) {
  uint32_t position, skip = call.number(1);
  if (!pn_cache_find(&cache->core, call.scratch().id[0], &position))
    return Number(env, 0u);
  pn_cache_run_t run = pn_cache_leaf_of(&cache->core, position);
  for (uint32_t i = 0; i < kPage && skip + i < run.count; i++) {
    uint32_t index = (run.first + skip + i) % cache->core.local_count;
    std::memcpy(call.scratch().results[i].bytes, pn_cache_local_at(&cache->core, index),
                PN_ID_BYTES);
  }
  return Number(env, skip < run.count ? run.count - skip : 0u);
}

napi_value InLeafRange(napi_env env, Call &call, Cache *cache) {
  return Number(env,
                static_cast<int32_t>(pn_cache_in_leaf_range(&cache->core, call.scratch().id[0])));
}

napi_value CountBetween(napi_env env, Call &call, Cache *cache) {
  const Scratch &scratch = call.scratch();
  return Number(env, pn_cache_count_between(&cache->core, scratch.id[0], scratch.id[1]));
}

// cacheSpread(self, count)
napi_value Spread(napi_env env, Call &call, Cache *cache) {
  uint16_t positions[kPage];
  uint32_t wanted = call.number(1);
  uint32_t count = pn_cache_spread(&cache->core, positions, wanted < kPage ? wanted : kPage);
  return Number(env, CopyAll(cache->core, positions, count, call.scratch().results));
}

// 0, or the precision; the target is then scratch.id[1].
napi_value LargestGap(napi_env env, Call &call, Cache *cache) {
  uint32_t precision = 0;
  Scratch &scratch = call.scratch();
  bool found = pn_cache_largest_gap(&cache->core, scratch.id[0], scratch.id[1], &precision);
  return Number(env, found ? precision : 0u);
}

// What JavaScript calls: unwraps the cache, or leaves an exception behind.
template <napi_value (*Function)(napi_env, Call &, Cache *)>
napi_value With(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Cache *cache = call.cache();
  return cache == nullptr ? nullptr : Function(env, call, cache);
}

constexpr struct {
  const char *name;
  napi_callback function;
} kFunctions[] = {
    {"cacheInit", Init},
    {"cacheAddLocal", With<AddLocal>},
    {"cacheRemoveLocal", With<RemoveLocal>},
    {"cacheInsert", With<Insert>},
    {"cacheWouldKeep", With<WouldKeep>},
    {"cacheTouch", With<Touch>},
    {"cacheRemove", With<Remove>},
    {"cacheRemoveEndpoint", With<RemoveEndpoint>},
    {"cacheClear", With<Clear>},
    {"cacheSize", With<Size>},
    {"cacheBytes", With<MemoryHeld>},
    {"cacheAt", With<At>},
    {"cacheIsLeafAt", With<IsLeafAt>},
    {"cacheGet", With<Get>},
    {"cacheClosest", With<Closest>},
    {"cacheNeighbour", With<Neighbour>},
    {"cacheLeafSet", With<LeafSet>},
    {"cacheLeafOf", With<LeafOf>},
    {"cacheInLeafRange", With<InLeafRange>},
    {"cacheCountBetween", With<CountBetween>},
    {"cacheSpread", With<Spread>},
    {"cacheLargestGap", With<LargestGap>},
};

} // namespace

void InitCache(Napi::Env env, Napi::Object exports) {
  auto buffer = Napi::ArrayBuffer::New(env, sizeof(Scratch));
  void *scratch = buffer.Data();
  std::memset(scratch, 0, sizeof(Scratch));
  InstanceData::Of(env).cache_scratch = Napi::Persistent(buffer);
  exports.Set("cacheScratch", buffer);
  for (const auto &entry : kFunctions) {
    napi_value function;
    napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.function, scratch, &function);
    napi_set_named_property(env, exports, entry.name, function);
  }
}

} // namespace peernet
