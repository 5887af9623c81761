#include "core/assert.h"
#include "core/pnrp_cache.h"
#include "core/pnrp_cache_inner.h"

/* A gap is worth filling when it is this many times wider than the level's even spacing ... */
#define GAP_OF_SPACING 2
/* ... and than the mean distance of the IDs that are there, seen in the leaf set: else it is likely
 * that nobody lies in it (e^-4). */
#define GAP_OF_DENSITY 4
/* 2^64 divided by the golden ratio: starting points that never come close to each other. */
#define TURN_STEP 0x9e3779b97f4a7c15u

/* ---- single entries ---- */

const pn_cache_entry_t *pn_cache_at(const pn_cache_t *cache, uint32_t position) {
  PN_ASSERT(position < cache->count);
  return pn_cache_entry(cache, position);
}

const uint8_t *pn_cache_local_at(const pn_cache_t *cache, uint32_t index) {
  PN_ASSERT(index < cache->local_count);
  return cache->locals + (size_t)index * PN_ID_BYTES;
}

uint32_t pn_cache_lower_bound(const pn_cache_t *cache, const uint8_t id[PN_ID_BYTES]) {
  uint32_t low = 0, high = cache->count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (memcmp(pn_cache_entry(cache, middle)->id, id, PN_ID_BYTES) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

bool pn_cache_find(const pn_cache_t *cache, const uint8_t id[PN_ID_BYTES], uint32_t *position) {
  *position = pn_cache_lower_bound(cache, id);
  return *position < cache->count &&
         memcmp(pn_cache_entry(cache, *position)->id, id, PN_ID_BYTES) == 0;
}

bool pn_cache_find_local(const pn_cache_t *cache, const uint8_t id[PN_ID_BYTES], uint32_t *index) {
  uint32_t low = 0, high = cache->local_count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    int order = memcmp(pn_cache_local_at(cache, middle), id, PN_ID_BYTES);
    if (order == 0) {
      *index = middle;
      return true;
    }
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  *index = low;
  return false;
}

bool pn_cache_is_excluded(const pn_cache_entry_t *entry, pn_cache_exclude_t exclude) {
  for (uint32_t i = 0; i < exclude.count; i++) {
    if (exclude.list[i].port != entry->port)
      continue;
    for (uint32_t j = 0; j < entry->address_count; j++) {
      const uint8_t *address = entry->addresses + j * PN_ADDRESS_BYTES;
      if (memcmp(address, exclude.list[i].address, PN_ADDRESS_BYTES) == 0)
        return true;
    }
  }
  return false;
}

/* ---- leaf sets ---- */

/* Local IDs strictly inside the clockwise arc a -> b, a != b. */
static pn_cache_run_t locals_in_arc(const pn_cache_t *cache, const uint8_t *a, const uint8_t *b) {
  uint32_t first, end;
  first = pn_cache_find_local(cache, a, &first) ? first + 1 : first;
  pn_cache_find_local(cache, b, &end);
  bool wraps = memcmp(a, b, PN_ID_BYTES) > 0;
  uint32_t count = wraps ? cache->local_count - first + end : end - first;
  return (pn_cache_run_t){.first = first == cache->local_count ? 0 : first, .count = count};
}

/* An ID is in the leaf set of every local ID that lies before the leaf_side-th entry on either
 * side of it. With no more entries than that on both sides together it is in all of them. */
pn_cache_run_t pn_cache_leaf_of(const pn_cache_t *cache, uint32_t position) {
  uint32_t side = cache->config.leaf_side;
  PN_ASSERT(position < cache->count);
  if (cache->local_count == 0 || cache->count <= 2 * side)
    return (pn_cache_run_t){.first = 0, .count = cache->local_count};
  const uint8_t *a = pn_cache_entry(cache, pn_cache_back(cache, position, side))->id;
  const uint8_t *b = pn_cache_entry(cache, pn_cache_ahead(cache, position, side))->id;
  return locals_in_arc(cache, a, b);
}

bool pn_cache_in_leaf_range(const pn_cache_t *cache, const uint8_t id[PN_ID_BYTES]) {
  uint32_t side = cache->config.leaf_side, position;
  if (cache->local_count == 0)
    return false;
  if (pn_cache_find(cache, id, &position))
    return pn_cache_leaf_of(cache, position).count > 0;
  if (cache->count < 2 * side)
    return true;
  uint32_t above = pn_cache_ahead(cache, position, side - 1);
  uint32_t below = pn_cache_back(cache, position, side);
  return locals_in_arc(cache, pn_cache_entry(cache, below)->id, pn_cache_entry(cache, above)->id)
             .count > 0;
}

uint32_t pn_cache_leaf_set(const pn_cache_t *cache, const uint8_t id[PN_ID_BYTES],
                           uint16_t *smaller, uint16_t *greater) {
  uint32_t position;
  bool cached = pn_cache_find(cache, id, &position);
  uint32_t others = cache->count - cached;
  uint32_t count = others < cache->config.leaf_side ? others : cache->config.leaf_side;
  for (uint32_t i = 0; i < count; i++) {
    smaller[i] = (uint16_t)pn_cache_back(cache, position, i + 1);
    greater[i] = (uint16_t)pn_cache_ahead(cache, position, i + cached);
  }
  return count;
}

/* ---- neighbours ---- */

/* Walks down and up from the target at once and takes the nearer of both each time. */
uint32_t pn_cache_closest(const pn_cache_t *cache, const uint8_t target[PN_ID_BYTES],
                          pn_cache_exclude_t exclude, const uint8_t *closer_than, uint16_t *out,
                          uint32_t limit) {
  if (cache->count == 0)
    return 0;
  pn_u256_t centre = pn_ring_load(target);
  pn_u256_t bound = pn_ring_load(closer_than == NULL ? target : closer_than);
  uint32_t up = pn_cache_ahead(cache, pn_cache_lower_bound(cache, target), 0);
  uint32_t down = pn_cache_back(cache, up, 1);
  pn_u256_t high = pn_cache_id(cache, up), low = pn_cache_id(cache, down);
  uint32_t found = 0;
  for (uint32_t left = cache->count; left > 0 && found < limit; left--) {
    bool take_low = pn_ring_compare_distance(&centre, &low, &high) < 0;
    uint32_t position = take_low ? down : up;
    if (closer_than != NULL &&
        pn_ring_compare_distance(&centre, take_low ? &low : &high, &bound) >= 0)
      break;
    if (!pn_cache_is_excluded(pn_cache_entry(cache, position), exclude))
      out[found++] = (uint16_t)position;
    if (take_low) {
      down = pn_cache_back(cache, down, 1);
      low = pn_cache_id(cache, down);
    } else {
      up = pn_cache_ahead(cache, up, 1);
      high = pn_cache_id(cache, up);
    }
  }
  return found;
}

bool pn_cache_above(const pn_cache_t *cache, const uint8_t id[PN_ID_BYTES],
                    pn_cache_exclude_t exclude, uint32_t *position) {
  uint32_t at;
  bool cached = pn_cache_find(cache, id, &at);
  for (uint32_t i = cached; i < cache->count; i++) {
    *position = pn_cache_ahead(cache, at, i);
    if (!pn_cache_is_excluded(pn_cache_entry(cache, *position), exclude))
      return true;
  }
  return false;
}

bool pn_cache_below(const pn_cache_t *cache, const uint8_t id[PN_ID_BYTES],
                    pn_cache_exclude_t exclude, uint32_t *position) {
  uint32_t at;
  bool cached = pn_cache_find(cache, id, &at);
  for (uint32_t i = cached; i < cache->count; i++) {
    *position = pn_cache_back(cache, at, i + 1 - cached);
    if (!pn_cache_is_excluded(pn_cache_entry(cache, *position), exclude))
      return true;
  }
  return false;
}

uint32_t pn_cache_count_between(const pn_cache_t *cache, const uint8_t a[PN_ID_BYTES],
                                const uint8_t b[PN_ID_BYTES]) {
  uint32_t first, end;
  first = pn_cache_find(cache, a, &first) ? first + 1 : first;
  end = pn_cache_lower_bound(cache, b);
  return memcmp(a, b, PN_ID_BYTES) < 0 ? end - first : cache->count - first + end;
}

/* ---- the ring as a whole ---- */

static bool contains(const uint16_t *list, uint32_t count, uint32_t position) {
  for (uint32_t i = 0; i < count; i++) {
    if (list[i] == position)
      return true;
  }
  return false;
}

uint32_t pn_cache_spread(pn_cache_t *cache, uint16_t *out, uint32_t limit) {
  const pn_cache_exclude_t nobody = {.list = NULL, .count = 0};
  uint32_t count = limit < cache->count ? limit : cache->count;
  cache->spread_turn += TURN_STEP;
  for (uint32_t i = 0; i < count; i++) {
    uint16_t position = (uint16_t)i;
    if (count < cache->count) {
      pn_u256_t target = {{cache->spread_turn + UINT64_MAX / count * i, 0, 0, 0}};
      uint8_t bytes[PN_ID_BYTES];
      pn_ring_store(&target, bytes);
      pn_cache_closest(cache, bytes, nobody, NULL, &position, 1);
      while (contains(out, i, position))
        position = (uint16_t)pn_cache_ahead(cache, position, 1);
    }
    out[i] = position;
  }
  return count;
}

/* Fewest leading bits of `middle` that no ID outside the arc a -> b shares. */
static uint32_t precision_of(pn_u256_t middle, pn_u256_t a, pn_u256_t b) {
  pn_u256_t down_to_a = pn_ring_sub(middle, a), up_to_b = pn_ring_sub(b, middle);
  for (uint32_t bits = 1; bits < PN_ID_BITS; bits++) {
    pn_u256_t below = middle, above;
    for (uint32_t i = 0; i < 4; i++) {
      uint32_t kept = bits > 64 * i ? bits - 64 * i : 0;
      uint64_t mask = kept >= 64 ? 0 : UINT64_MAX >> kept;
      below.word[i] = middle.word[i] & mask;
      above.word[i] = ~middle.word[i] & mask;
    }
    if (pn_ring_compare(&below, &down_to_a) < 0 && pn_ring_compare(&above, &up_to_b) < 0)
      return bits;
  }
  return PN_ID_BITS;
}

/* How far the gap above this position exceeds what is allowed around `local`: > 1 if it does. */
static double gap_excess(const pn_cache_t *cache, uint32_t position, const pn_u256_t *local,
                         double density_bound) {
  pn_u256_t from = pn_cache_id(cache, position);
  pn_u256_t to = pn_cache_id(cache, pn_cache_ahead(cache, position, 1));
  pn_u256_t middle = pn_ring_midpoint(from, to);
  pn_u256_t distance = pn_ring_distance(middle, *local);
  uint8_t level = pn_cache_level_of(pn_ring_to_double(&distance));
  double allowed = GAP_OF_SPACING * pn_cache_spacing(cache, level);
  return pn_ring_span(&from, &to) / (allowed > density_bound ? allowed : density_bound);
}

bool pn_cache_largest_gap(pn_cache_t *cache, const uint8_t local_id[PN_ID_BYTES],
                          uint8_t target[PN_ID_BYTES], uint32_t *precision) {
  uint32_t side = cache->config.leaf_side;
  if (cache->count <= 2 * side)
    return false; /* a leaf set that is not full knows everybody */
  pn_u256_t local = pn_ring_load(local_id);
  uint32_t start = pn_cache_lower_bound(cache, local_id);
  uint32_t last = pn_cache_ahead(cache, start, side - 1), first = pn_cache_back(cache, start, side);
  pn_u256_t low = pn_cache_id(cache, first), high = pn_cache_id(cache, last);
  double density_bound = GAP_OF_DENSITY * pn_ring_span(&low, &high) / (2 * side);
  double worst = 1;
  uint32_t found = cache->count;
  for (uint32_t at = last; at != first; at = pn_cache_ahead(cache, at, 1)) {
    if (cache->tries[cache->order[at]] >= PN_LIMIT_CACHE_GAP_TRIES)
      continue;
    double excess = gap_excess(cache, at, &local, density_bound);
    if (excess > worst) {
      worst = excess;
      found = at;
    }
  }
  if (found == cache->count)
    return false;
  cache->tries[cache->order[found]]++;
  low = pn_cache_id(cache, found);
  high = pn_cache_id(cache, pn_cache_ahead(cache, found, 1));
  pn_u256_t middle = pn_ring_midpoint(low, high);
  pn_ring_store(&middle, target);
  *precision = precision_of(middle, low, high);
  return true;
}
