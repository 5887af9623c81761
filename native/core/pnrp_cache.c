#include "core/pnrp_cache.h"

#include "core/assert.h"
#include "core/pnrp_cache_inner.h"

#define NO_POSITION UINT32_MAX
/* Entries whose neighbours are at most this much further apart than those of the densest one count
 * as equally dense: the oldest goes. */
#define DENSITY_BAND 1.25f
#define SCORE_MAX 1e30
static const double half_ring = 0x1p255;

/* ---- memory ---- */

bool pn_cache_config_valid(const pn_cache_config_t *config) {
  return config->max_addresses >= 1 && config->max_addresses <= PN_LIMIT_CACHE_ADDRESSES &&
         config->leaf_side >= 1 && config->per_level >= PN_LIMIT_CACHE_SPREAD &&
         config->capacity >= 2u * config->leaf_side + PN_LIMIT_CACHE_SPREAD &&
         config->capacity <= PN_LIMIT_CACHE_SLOTS;
}

size_t pn_cache_entry_size(const pn_cache_config_t *config) {
  return sizeof(pn_cache_entry_t) + (size_t)config->max_addresses * PN_ADDRESS_BYTES;
}

size_t pn_cache_block_size(const pn_cache_config_t *config, uint32_t slots, uint32_t local_slots) {
  size_t a_slot = pn_cache_entry_size(config) + sizeof(float) + 2 * sizeof(uint16_t) + 2;
  size_t size = ((size_t)slots + 1) * a_slot + (size_t)local_slots * PN_ID_BYTES;
  return (size + 7) & ~(size_t)7;
}

/* Most aligned arrays first, so that each begins where the one before ends. */
static void place(pn_cache_t *cache, void *block, uint32_t slots, uint32_t local_slots) {
  PN_ASSERT(slots >= 1 && slots <= PN_LIMIT_CACHE_SLOTS && ((uintptr_t)block & 7) == 0);
  size_t all = (size_t)slots + 1;
  cache->slots = slots;
  cache->local_slots = local_slots;
  cache->entries = block;
  cache->locals = cache->entries + all * pn_cache_entry_size(&cache->config);
  cache->score = (float *)(void *)(cache->locals + (size_t)local_slots * PN_ID_BYTES);
  cache->order = (uint16_t *)(void *)(cache->score + all);
  cache->owner = cache->order + all;
  cache->level = (uint8_t *)(cache->owner + all);
  cache->tries = cache->level + all;
}

static void number_free_slots(pn_cache_t *cache, uint32_t from) {
  for (uint32_t i = from; i <= cache->slots; i++)
    cache->order[i] = (uint16_t)i;
}

void pn_cache_init(pn_cache_t *cache, const pn_cache_config_t *config, void *block, uint32_t slots,
                   uint32_t local_slots) {
  PN_ASSERT(pn_cache_config_valid(config));
  memset(cache, 0, sizeof *cache);
  cache->config = *config;
  place(cache, block, slots, local_slots);
  number_free_slots(cache, 0);
}

void pn_cache_move(pn_cache_t *cache, void *block, uint32_t slots, uint32_t local_slots) {
  PN_ASSERT(slots >= cache->slots && local_slots >= cache->local_slots);
  pn_cache_t old = *cache;
  size_t all = (size_t)old.slots + 1;
  place(cache, block, slots, local_slots);
  memcpy(cache->entries, old.entries, all * pn_cache_entry_size(&cache->config));
  memcpy(cache->locals, old.locals, (size_t)old.local_count * PN_ID_BYTES);
  memcpy(cache->score, old.score, all * sizeof *cache->score);
  memcpy(cache->order, old.order, all * sizeof *cache->order);
  memcpy(cache->owner, old.owner, all * sizeof *cache->owner);
  memcpy(cache->level, old.level, all);
  memcpy(cache->tries, old.tries, all);
  number_free_slots(cache, old.slots + 1);
}

uint32_t pn_cache_limit(const pn_cache_t *cache) {
  uint32_t further = cache->local_count > 1 ? cache->local_count - 1 : 0;
  uint32_t limit = cache->config.capacity + further * 2 * cache->config.leaf_side;
  return limit > PN_LIMIT_CACHE_SLOTS ? PN_LIMIT_CACHE_SLOTS : limit;
}

bool pn_cache_wants_room(const pn_cache_t *cache) {
  return cache->count == cache->slots && cache->slots < pn_cache_limit(cache);
}

/* ---- levels and density ---- */

uint8_t pn_cache_level_of(double distance) {
  uint8_t level = 0;
  while (distance * 10 <= half_ring && level < PN_LIMIT_CACHE_LEVELS - 1) {
    distance *= 10;
    level++;
  }
  return level;
}

double pn_cache_spacing(const pn_cache_t *cache, unsigned level) {
  double arc = 2 * half_ring;
  for (; level > 0; level--)
    arc /= 10;
  return arc / cache->config.per_level;
}

/* Finds the local ID that the entry in this slot belongs to, and its level there. */
static void classify(pn_cache_t *cache, uint32_t slot) {
  cache->owner[slot] = 0;
  cache->level[slot] = 0;
  if (cache->local_count == 0)
    return;
  const uint8_t *bytes = pn_cache_slot(cache, slot)->id;
  uint32_t above = 0;
  pn_cache_find_local(cache, bytes, &above);
  uint32_t below = (above == 0 ? cache->local_count : above) - 1;
  above = above == cache->local_count ? 0 : above;
  pn_u256_t id = pn_ring_load(bytes);
  pn_u256_t high = pn_ring_load(pn_cache_local_at(cache, above));
  pn_u256_t low = pn_ring_load(pn_cache_local_at(cache, below));
  bool is_low = pn_ring_compare_distance(&id, &low, &high) < 0;
  pn_u256_t distance = pn_ring_distance(id, is_low ? low : high);
  cache->owner[slot] = (uint16_t)(is_low ? below : above);
  cache->level[slot] = pn_cache_level_of(pn_ring_to_double(&distance));
}

/* 2 when the entries around are spread evenly and as densely as the level asks for. */
static void rescore(pn_cache_t *cache, uint32_t position) {
  pn_u256_t before = pn_cache_id(cache, pn_cache_back(cache, position, 1));
  pn_u256_t after = pn_cache_id(cache, pn_cache_ahead(cache, position, 1));
  uint32_t slot = cache->order[position];
  double score = pn_ring_span(&before, &after) / pn_cache_spacing(cache, cache->level[slot]);
  cache->score[slot] = (float)(score < SCORE_MAX ? score : SCORE_MAX);
}

static void rescore_all(pn_cache_t *cache) {
  for (uint32_t position = 0; position < cache->count; position++)
    classify(cache, cache->order[position]);
  for (uint32_t position = 0; position < cache->count; position++)
    rescore(cache, position);
}

/* ---- the sorted order ---- */

/* Opens a free slot at this position; its ID is the only field set. */
static pn_cache_entry_t *link_at(pn_cache_t *cache, uint32_t position, const uint8_t *id) {
  PN_ASSERT(cache->count <= cache->slots && position <= cache->count);
  uint16_t slot = cache->order[cache->count];
  uint16_t *at = cache->order + position;
  memmove(at + 1, at, (cache->count - position) * sizeof *at);
  *at = slot;
  cache->count++;
  pn_cache_entry_t *entry = pn_cache_slot(cache, slot);
  memcpy(entry->id, id, PN_ID_BYTES);
  classify(cache, slot);
  rescore(cache, position);
  rescore(cache, pn_cache_back(cache, position, 1));
  rescore(cache, pn_cache_ahead(cache, position, 1));
  return entry;
}

static void unlink_at(pn_cache_t *cache, uint32_t position) {
  PN_ASSERT(position < cache->count);
  uint16_t *at = cache->order + position;
  uint16_t slot = *at;
  cache->count--;
  memmove(at, at + 1, (cache->count - position) * sizeof *at);
  cache->order[cache->count] = slot;
  if (cache->count == 0)
    return;
  rescore(cache, pn_cache_back(cache, position, 1));
  rescore(cache, position == cache->count ? 0 : position);
}

/* The gap around this position is another one now. */
static void forget_gap_tries(pn_cache_t *cache, uint32_t position) {
  if (cache->count == 0)
    return;
  cache->tries[cache->order[position == cache->count ? 0 : position]] = 0;
  cache->tries[cache->order[pn_cache_back(cache, position, 1)]] = 0;
}

static void drop_at(pn_cache_t *cache, uint32_t position) {
  unlink_at(cache, position);
  forget_gap_tries(cache, position);
}

/* ---- eviction ---- */

static bool is_leaf(const pn_cache_t *cache, uint32_t position) {
  return pn_cache_leaf_of(cache, position).count > 0;
}

typedef struct scope {
  bool whole; /* all entries, else those of one level of one local ID */
  uint16_t owner;
  uint8_t level;
} scope_t;

static bool in_scope(const pn_cache_t *cache, const scope_t *scope, uint32_t slot) {
  return scope->whole ||
         (cache->level[slot] == scope->level && cache->owner[slot] == scope->owner);
}

/* What an entry that has just come adds: its distance from the nearer neighbour, in the units of
 * score. Not its score, or an ID invented close to a cached one would be worth a whole gap, and
 * drive the cached one out because that has now become dense. */
static float worth(const pn_cache_t *cache, uint32_t position) {
  pn_u256_t before = pn_cache_id(cache, pn_cache_back(cache, position, 1));
  pn_u256_t id = pn_cache_id(cache, position);
  pn_u256_t after = pn_cache_id(cache, pn_cache_ahead(cache, position, 1));
  double below = pn_ring_span(&before, &id), above = pn_ring_span(&id, &after);
  uint8_t level = cache->level[cache->order[position]];
  double score = 2 * (below < above ? below : above) / pn_cache_spacing(cache, level);
  return (float)(score < SCORE_MAX ? score : SCORE_MAX);
}

/* Densest evictable position in the scope: of the equally dense ones the least recently validated.
 * `newcomer` (or NO_POSITION) goes before all of them. NO_POSITION when all are leaf members. */
static uint32_t densest(const pn_cache_t *cache, const scope_t *scope, uint32_t newcomer) {
  uint32_t victim = NO_POSITION;
  for (uint32_t i = 0; i < cache->count; i++) {
    uint32_t slot = cache->order[i];
    if (i == newcomer || !in_scope(cache, scope, slot))
      continue;
    bool denser = victim == NO_POSITION || cache->score[slot] < cache->score[cache->order[victim]];
    if (denser && !is_leaf(cache, i))
      victim = i;
  }
  if (newcomer != NO_POSITION && !is_leaf(cache, newcomer)) {
    float bar = cache->score[cache->order[victim == NO_POSITION ? newcomer : victim]];
    if (victim == NO_POSITION || worth(cache, newcomer) <= bar)
      return newcomer;
  }
  if (victim == NO_POSITION)
    return NO_POSITION;
  float bar = cache->score[cache->order[victim]] * DENSITY_BAND;
  for (uint32_t i = 0; i < cache->count; i++) {
    uint32_t slot = cache->order[i];
    if (i == newcomer || !in_scope(cache, scope, slot) || cache->score[slot] > bar)
      continue;
    bool older =
        pn_cache_entry(cache, i)->validated_at < pn_cache_entry(cache, victim)->validated_at;
    if (older && !is_leaf(cache, i))
      victim = i;
  }
  return victim;
}

/* What has to go now that the entry at `newcomer` has come; NO_POSITION when nothing has to. */
static uint32_t choose_victim(const pn_cache_t *cache, uint32_t newcomer, uint32_t limit) {
  uint32_t slot = cache->order[newcomer];
  scope_t scope = {.whole = false, .owner = cache->owner[slot], .level = cache->level[slot]};
  uint32_t level_count = 0;
  for (uint32_t i = 0; i < cache->count; i++)
    level_count += in_scope(cache, &scope, cache->order[i]);
  uint32_t victim = NO_POSITION;
  if (level_count > cache->config.per_level)
    victim = densest(cache, &scope, newcomer);
  if (victim != NO_POSITION || cache->count <= limit)
    return victim;
  scope.whole = true;
  victim = densest(cache, &scope, newcomer);
  return victim == NO_POSITION ? newcomer : victim;
}

static void trim(pn_cache_t *cache) {
  scope_t whole = {.whole = true, .owner = 0, .level = 0};
  while (cache->count > pn_cache_limit(cache)) {
    uint32_t victim = densest(cache, &whole, NO_POSITION);
    PN_ASSERT(victim != NO_POSITION);
    drop_at(cache, victim);
  }
}

/* ---- changes ---- */

bool pn_cache_add_local(pn_cache_t *cache, const uint8_t id[PN_ID_BYTES]) {
  uint32_t index;
  if (pn_cache_find_local(cache, id, &index) || cache->local_count == cache->local_slots)
    return false;
  uint8_t *at = cache->locals + (size_t)index * PN_ID_BYTES;
  memmove(at + PN_ID_BYTES, at, (size_t)(cache->local_count - index) * PN_ID_BYTES);
  memcpy(at, id, PN_ID_BYTES);
  cache->local_count++;
  pn_cache_remove(cache, id);
  rescore_all(cache);
  return true;
}

bool pn_cache_remove_local(pn_cache_t *cache, const uint8_t id[PN_ID_BYTES]) {
  uint32_t index;
  if (!pn_cache_find_local(cache, id, &index))
    return false;
  cache->local_count--;
  uint8_t *at = cache->locals + (size_t)index * PN_ID_BYTES;
  memmove(at, at + PN_ID_BYTES, (size_t)(cache->local_count - index) * PN_ID_BYTES);
  rescore_all(cache);
  trim(cache);
  return true;
}

static void set_key(pn_cache_entry_t *entry, const uint8_t *key_hash) {
  memcpy(entry->key_hash, key_hash, PN_KEY_HASH_BYTES);
  entry->has_key = 1;
}

static void fill(const pn_cache_t *cache, pn_cache_entry_t *entry, const pn_cache_entry_t *from) {
  uint8_t max = cache->config.max_addresses;
  entry->validated_at = from->validated_at;
  entry->port = from->port;
  entry->address_count = from->address_count < max ? from->address_count : max;
  entry->has_key = 0;
  if (from->has_key)
    set_key(entry, from->key_hash);
  memcpy(entry->addresses, from->addresses, (size_t)entry->address_count * PN_ADDRESS_BYTES);
}

pn_cache_change_t pn_cache_insert(pn_cache_t *cache, const pn_cache_entry_t *entry) {
  pn_cache_change_t change = {.inserted = false};
  uint32_t position;
  PN_ASSERT(entry->address_count >= 1);
  if (pn_cache_find_local(cache, entry->id, &position))
    return change;
  if (pn_cache_find(cache, entry->id, &position)) {
    fill(cache, pn_cache_entry(cache, position), entry);
    change.replaced = true;
    change.leaf_of = pn_cache_leaf_of(cache, position);
    return change;
  }
  fill(cache, link_at(cache, position, entry->id), entry);
  uint32_t limit = pn_cache_limit(cache);
  uint32_t victim =
      choose_victim(cache, position, limit < cache->slots ? limit : cache->slots);
  if (victim == position) {
    unlink_at(cache, position);
    return change;
  }
  change.inserted = true;
  forget_gap_tries(cache, position);
  if (victim != NO_POSITION) {
    change.evicted = true;
    memcpy(change.evicted_id, pn_cache_entry(cache, victim)->id, PN_ID_BYTES);
    drop_at(cache, victim);
    position -= victim < position;
  }
  change.leaf_of = pn_cache_leaf_of(cache, position);
  return change;
}

bool pn_cache_would_keep(pn_cache_t *cache, const uint8_t id[PN_ID_BYTES], bool *leaf) {
  uint32_t position;
  *leaf = false;
  if (pn_cache_find_local(cache, id, &position))
    return false;
  if (pn_cache_find(cache, id, &position)) {
    *leaf = is_leaf(cache, position);
    return true;
  }
  link_at(cache, position, id);
  *leaf = is_leaf(cache, position);
  bool keep = choose_victim(cache, position, pn_cache_limit(cache)) != position;
  unlink_at(cache, position);
  return keep;
}

bool pn_cache_touch(pn_cache_t *cache, const uint8_t id[PN_ID_BYTES], double validated_at,
                    const uint8_t *key_hash) {
  uint32_t position;
  if (!pn_cache_find(cache, id, &position))
    return false;
  pn_cache_entry_t *entry = pn_cache_entry(cache, position);
  entry->validated_at = validated_at;
  if (key_hash != NULL)
    set_key(entry, key_hash);
  return true;
}

bool pn_cache_remove(pn_cache_t *cache, const uint8_t id[PN_ID_BYTES]) {
  uint32_t position;
  if (!pn_cache_find(cache, id, &position))
    return false;
  drop_at(cache, position);
  return true;
}

uint32_t pn_cache_remove_endpoint(pn_cache_t *cache, const pn_cache_endpoint_t *endpoint) {
  pn_cache_exclude_t only = {.list = endpoint, .count = 1};
  uint32_t before = cache->count;
  for (uint32_t position = cache->count; position-- > 0;) {
    if (pn_cache_is_excluded(pn_cache_entry(cache, position), only))
      drop_at(cache, position);
  }
  return before - cache->count;
}

void pn_cache_clear(pn_cache_t *cache) { cache->count = 0; }
