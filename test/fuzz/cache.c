/* Operation sequences on the route entry cache. After each operation the sorted order, the limits
 * and the leaf sets are checked, and queries are compared with answers found by counting through
 * all entries. The blocks are of exact size, so that AddressSanitizer sees a step outside. */
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/pnrp_cache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXCLUDED_MAX 3
#define ASKED_MAX 40

typedef struct input {
  const uint8_t *data;
  size_t left;
} input_t;

static uint8_t take(input_t *input) {
  if (input->left == 0)
    return 0;
  input->left--;
  return *input->data++;
}

/* IDs crowd near a few points: two bytes choose the point, the scale and the offset. */
static void take_id(input_t *input, uint8_t id[PN_ID_BYTES]) {
  static const unsigned place[] = {31, 30, 16, 8, 2, 1, 0, 0};
  uint8_t shape = take(input), offset = take(input);
  memset(id, shape & 0x80 ? 0xff : 0, PN_ID_BYTES);
  if (shape & 0x40)
    id[0] ^= 0x80;
  id[place[shape & 7]] ^= offset;
}

static void take_endpoint(input_t *input, pn_cache_endpoint_t *endpoint) {
  uint8_t byte = take(input);
  memset(endpoint, 0, sizeof *endpoint);
  endpoint->address[15] = byte & 3;
  endpoint->port = (uint16_t)(3540 + ((byte >> 2) & 3));
}

/* ---- the cache under test and its memory ---- */

typedef struct subject {
  pn_cache_t cache;
  void *block;
} subject_t;

static void grow(subject_t *subject, uint32_t slots, uint32_t local_slots) {
  pn_cache_t *cache = &subject->cache;
  void *block = malloc(pn_cache_block_size(&cache->config, slots, local_slots));
  PN_ASSERT(block != NULL);
  pn_cache_move(cache, block, slots, local_slots);
  free(subject->block);
  subject->block = block;
}

static void begin(subject_t *subject, input_t *input) {
  uint8_t byte = take(input);
  pn_cache_config_t config = {0};
  config.leaf_side = (uint8_t)(1 + (byte & 3));
  config.per_level = PN_LIMIT_CACHE_SPREAD;
  config.max_addresses = (uint8_t)(1 + ((byte >> 2) & 3));
  config.capacity = 2u * config.leaf_side + PN_LIMIT_CACHE_SPREAD + (byte >> 4);
  uint32_t slots = 1 + (take(input) & 7);
  subject->block = malloc(pn_cache_block_size(&config, slots, 1));
  PN_ASSERT(subject->block != NULL);
  pn_cache_init(&subject->cache, &config, subject->block, slots, 1);
}

/* ---- answers by counting ---- */

static uint32_t count_in_arc(const pn_cache_t *cache, const uint8_t *a, const uint8_t *b) {
  pn_u256_t from = pn_ring_load(a), to = pn_ring_load(b);
  uint32_t count = 0;
  for (uint32_t i = 0; i < cache->count; i++) {
    pn_u256_t id = pn_ring_load(pn_cache_at(cache, i)->id);
    count += pn_ring_in_arc(&id, &from, &to);
  }
  return count;
}

static bool is_leaf_of(const pn_cache_t *cache, const uint8_t *id, const uint8_t *local) {
  return count_in_arc(cache, id, local) < cache->config.leaf_side ||
         count_in_arc(cache, local, id) < cache->config.leaf_side;
}

static uint32_t leaf_count(const pn_cache_t *cache, const uint8_t *id) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < cache->local_count; i++)
    count += is_leaf_of(cache, id, pn_cache_local_at(cache, i));
  return count;
}

static void check_whole(const pn_cache_t *cache) {
  PN_ASSERT(cache->count <= cache->slots && cache->count <= pn_cache_limit(cache));
  PN_ASSERT(cache->local_count <= cache->local_slots);
  for (uint32_t i = 0; i < cache->count; i++) {
    const pn_cache_entry_t *entry = pn_cache_at(cache, i);
    uint32_t index;
    PN_ASSERT(i == 0 || memcmp(pn_cache_at(cache, i - 1)->id, entry->id, PN_ID_BYTES) < 0);
    PN_ASSERT(!pn_cache_find_local(cache, entry->id, &index));
    PN_ASSERT(pn_cache_leaf_of(cache, i).count == leaf_count(cache, entry->id));
    PN_ASSERT(entry->address_count >= 1 && entry->address_count <= cache->config.max_addresses);
  }
}

/* ---- operations ---- */

static void insert(subject_t *subject, input_t *input) {
  union {
    pn_cache_entry_t entry;
    uint8_t bytes[64 + PN_LIMIT_CACHE_ADDRESSES * PN_ADDRESS_BYTES];
  } record;
  memset(&record, 0, sizeof record);
  take_id(input, record.entry.id);
  pn_cache_endpoint_t endpoint;
  take_endpoint(input, &endpoint);
  uint8_t byte = take(input);
  record.entry.port = endpoint.port;
  record.entry.address_count = (uint8_t)(1 + (byte & 3));
  record.entry.has_key = byte >> 7;
  record.entry.validated_at = byte >> 2 & 15;
  for (unsigned i = 0; i < record.entry.address_count; i++)
    record.bytes[64 + 16 * i + 15] = (uint8_t)((endpoint.address[15] + i) & 3);
  pn_cache_t *cache = &subject->cache;
  if (pn_cache_wants_room(cache) && (byte & 0x40))
    grow(subject, cache->slots + 1 + (byte & 7), cache->local_slots);
  bool leaf, room = pn_cache_wants_room(cache);
  bool keep = pn_cache_would_keep(cache, record.entry.id, &leaf);
  uint32_t before = cache->count;
  pn_cache_change_t change = pn_cache_insert(cache, &record.entry);
  bool kept = change.inserted || change.replaced;
  PN_ASSERT(room || kept == keep);
  PN_ASSERT(room || !leaf || kept);
  PN_ASSERT(cache->count == before + change.inserted - change.evicted);
  uint32_t position;
  PN_ASSERT(pn_cache_find(cache, record.entry.id, &position) == kept);
  PN_ASSERT(!kept || change.leaf_of.count == leaf_count(cache, record.entry.id));
  PN_ASSERT(!change.evicted || !pn_cache_find(cache, change.evicted_id, &position));
}

static bool excluded(const pn_cache_entry_t *entry, const pn_cache_endpoint_t *list, uint32_t n) {
  for (uint32_t i = 0; i < n * entry->address_count; i++) {
    const pn_cache_endpoint_t *one = &list[i / entry->address_count];
    const uint8_t *address = entry->addresses + (i % entry->address_count) * PN_ADDRESS_BYTES;
    if (one->port == entry->port && memcmp(one->address, address, PN_ADDRESS_BYTES) == 0)
      return true;
  }
  return false;
}

static void ask_closest(const pn_cache_t *cache, input_t *input) {
  uint8_t target[PN_ID_BYTES], bound[PN_ID_BYTES];
  pn_cache_endpoint_t list[EXCLUDED_MAX];
  take_id(input, target);
  take_id(input, bound);
  uint32_t n = take(input) % (EXCLUDED_MAX + 1), limit = take(input) % ASKED_MAX;
  for (uint32_t i = 0; i < n; i++)
    take_endpoint(input, &list[i]);
  pn_cache_exclude_t exclude = {.list = list, .count = n};
  uint16_t found[ASKED_MAX];
  uint32_t count = pn_cache_closest(cache, target, exclude, bound, found, limit);
  pn_u256_t centre = pn_ring_load(target), edge = pn_ring_load(bound), last = centre;
  uint32_t lawful = 0;
  for (uint32_t i = 0; i < cache->count; i++) {
    pn_u256_t id = pn_ring_load(pn_cache_at(cache, i)->id);
    lawful += !excluded(pn_cache_at(cache, i), list, n) &&
              pn_ring_compare_distance(&centre, &id, &edge) < 0;
  }
  PN_ASSERT(count == (lawful < limit ? lawful : limit));
  for (uint32_t i = 0; i < count; i++) {
    pn_u256_t id = pn_ring_load(pn_cache_at(cache, found[i])->id);
    PN_ASSERT(!excluded(pn_cache_at(cache, found[i]), list, n));
    PN_ASSERT(i == 0 || pn_ring_compare_distance(&centre, &last, &id) < 0);
    last = id;
  }
}

static void ask_neighbours(const pn_cache_t *cache, input_t *input) {
  uint8_t id[PN_ID_BYTES], other[PN_ID_BYTES];
  const pn_cache_exclude_t nobody = {.list = NULL, .count = 0};
  uint16_t smaller[8], greater[8];
  uint32_t position;
  take_id(input, id);
  take_id(input, other);
  if (pn_cache_above(cache, id, nobody, &position))
    PN_ASSERT(count_in_arc(cache, id, pn_cache_at(cache, position)->id) == 0);
  if (pn_cache_below(cache, id, nobody, &position))
    PN_ASSERT(count_in_arc(cache, pn_cache_at(cache, position)->id, id) == 0);
  PN_ASSERT(pn_cache_count_between(cache, id, other) == count_in_arc(cache, id, other));
  uint32_t count = pn_cache_leaf_set(cache, id, smaller, greater);
  for (uint32_t i = 0; i < count; i++) {
    PN_ASSERT(count_in_arc(cache, id, pn_cache_at(cache, greater[i])->id) == i);
    PN_ASSERT(count_in_arc(cache, pn_cache_at(cache, smaller[i])->id, id) == i);
  }
  if (!pn_cache_find_local(cache, id, &position))
    PN_ASSERT(pn_cache_in_leaf_range(cache, id) == (leaf_count(cache, id) > 0));
}

static void ask_ring(pn_cache_t *cache, input_t *input) {
  uint16_t found[ASKED_MAX];
  uint8_t target[PN_ID_BYTES];
  uint32_t precision, limit = take(input) % ASKED_MAX;
  uint32_t count = pn_cache_spread(cache, found, limit);
  PN_ASSERT(count == (limit < cache->count ? limit : cache->count));
  for (uint32_t i = 0; i < count; i++) {
    PN_ASSERT(found[i] < cache->count);
    for (uint32_t j = 0; j < i; j++)
      PN_ASSERT(found[i] != found[j]);
  }
  for (uint32_t i = 0; i < cache->local_count; i++) {
    if (!pn_cache_largest_gap(cache, pn_cache_local_at(cache, i), target, &precision))
      continue;
    pn_u256_t middle = pn_ring_load(target);
    for (uint32_t j = 0; j < cache->count; j++) {
      pn_u256_t id = pn_ring_load(pn_cache_at(cache, j)->id);
      PN_ASSERT(pn_ring_common_bits(&middle, &id) < precision);
    }
  }
}

static void change_local(subject_t *subject, input_t *input) {
  uint8_t id[PN_ID_BYTES];
  uint32_t index;
  pn_cache_t *cache = &subject->cache;
  uint8_t byte = take(input);
  take_id(input, id);
  bool known = pn_cache_find_local(cache, id, &index);
  if (byte & 1) {
    PN_ASSERT(pn_cache_remove_local(cache, id) == known);
    return;
  }
  if (cache->local_count == cache->local_slots && cache->local_count < 8)
    grow(subject, cache->slots, cache->local_slots + 1);
  bool room = cache->local_count < cache->local_slots;
  PN_ASSERT(pn_cache_add_local(cache, id) == (!known && room));
}

static void operate(subject_t *subject, input_t *input) {
  pn_cache_t *cache = &subject->cache;
  uint8_t operation = take(input), id[PN_ID_BYTES];
  uint32_t position, before = cache->count;
  pn_cache_endpoint_t endpoint;
  switch (operation % 10) {
  case 0:
    change_local(subject, input);
    break;
  case 1:
    take_id(input, id);
    bool known = pn_cache_find(cache, id, &position);
    PN_ASSERT(pn_cache_remove(cache, id) == known && cache->count == before - known);
    break;
  case 2:
    take_endpoint(input, &endpoint);
    PN_ASSERT(pn_cache_remove_endpoint(cache, &endpoint) == before - cache->count);
    PN_ASSERT(pn_cache_remove_endpoint(cache, &endpoint) == 0);
    break;
  case 3:
    ask_closest(cache, input);
    break;
  case 4:
    ask_neighbours(cache, input);
    break;
  case 5:
    ask_ring(cache, input);
    break;
  case 6:
    take_id(input, id);
    pn_cache_touch(cache, id, take(input), operation & 0x80 ? id : NULL);
    break;
  default:
    insert(subject, input);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input_t input = {.data = data, .left = size};
  subject_t subject;
  begin(&subject, &input);
  while (input.left > 0) {
    operate(&subject, &input);
    check_whole(&subject.cache);
  }
  free(subject.block);
  return 0;
}
