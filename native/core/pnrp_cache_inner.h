/* What the two files of the cache share; nobody else includes this. */
#ifndef PN_PNRP_CACHE_INNER_H
#define PN_PNRP_CACHE_INNER_H

#include <string.h>

#include "core/pnrp_cache.h"

static inline pn_cache_entry_t *pn_cache_slot(const pn_cache_t *cache, uint32_t slot) {
  return (pn_cache_entry_t *)(void *)(cache->entries + slot * pn_cache_entry_size(&cache->config));
}

static inline pn_cache_entry_t *pn_cache_entry(const pn_cache_t *cache, uint32_t position) {
  return pn_cache_slot(cache, cache->order[position]);
}

static inline pn_u256_t pn_cache_id(const pn_cache_t *cache, uint32_t position) {
  return pn_ring_load(pn_cache_entry(cache, position)->id);
}

/* The position `steps` (at most count) further on the ring. */
static inline uint32_t pn_cache_ahead(const pn_cache_t *cache, uint32_t position, uint32_t steps) {
  uint32_t at = position + steps;
  return at >= cache->count ? at - cache->count : at;
}

static inline uint32_t pn_cache_back(const pn_cache_t *cache, uint32_t position, uint32_t steps) {
  return position >= steps ? position - steps : position + cache->count - steps;
}

/* Is the node that this entry leads to one of these? */
bool pn_cache_is_excluded(const pn_cache_entry_t *entry, pn_cache_exclude_t exclude);
/* Level of a point at this ring distance from the local ID that it belongs to. */
uint8_t pn_cache_level_of(double distance);
/* Spacing of evenly spread entries on a level. */
double pn_cache_spacing(const pn_cache_t *cache, unsigned level);

#endif
