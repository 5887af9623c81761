// The array that cache.cc and ring.cc share with JavaScript: IDs, entries and endpoints go in and
// out through it, so that a call carries nothing but numbers. lib/native/scratch.ts has the layout.
#ifndef PN_BINDING_SCRATCH_H
#define PN_BINDING_SCRATCH_H

#include <cstddef>
#include <cstdint>

#include "core/pnrp_cache.h"

namespace peernet {

constexpr uint32_t kPage = 64;      // records in the results
constexpr uint32_t kExcluded = 128; // endpoints in the exclusion list

// A pn_cache_entry_t with room for all addresses that it can have.
struct Record {
  alignas(8) uint8_t bytes[64 + PN_LIMIT_CACHE_ADDRESSES * PN_ADDRESS_BYTES];

  const pn_cache_entry_t &entry() const {
    return *reinterpret_cast<const pn_cache_entry_t *>(bytes);
  }
};

struct Scratch {
  uint8_t id[3][PN_ID_BYTES];
  Record record;
  Record results[kPage];
  pn_cache_endpoint_t excluded[kExcluded];
};

static_assert(sizeof(pn_cache_entry_t) == 64 && sizeof(Record) == 128, "see scratch.ts");
static_assert(sizeof(pn_cache_endpoint_t) == 18, "see scratch.ts");
static_assert(offsetof(Scratch, results) == 224, "see scratch.ts");

} // namespace peernet

#endif
