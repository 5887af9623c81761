/* Route Entry Cache with leaf sets (MS-PNRP 3.1.1, 3.2.1.1).
 *
 * Entries are kept sorted by PNRP ID. Around each local ID the ring is divided into levels
 * (Windows notes <5>, <6>): level i is the arc of 2^256 / 10^i centred on the local ID, without
 * level i + 1. Each level holds up to `per_level` entries, spread evenly; the lowest is the leaf
 * set, `leaf_side` nearest entries on each side, which are never evicted. An entry belongs to the
 * levels of the local ID nearest to it. Without local IDs the whole ring is one level.
 *
 * The cache never allocates: it lives in a block that the caller provides and may replace by a
 * larger one. */
#ifndef PN_PNRP_CACHE_H
#define PN_PNRP_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/limits.h"
#include "core/ring256.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PN_ADDRESS_BYTES 16u
#define PN_KEY_HASH_BYTES 20u

typedef struct pn_cache_config {
  uint32_t capacity;     /* entries for one local ID; each further one adds room for its leaf set */
  uint16_t per_level;    /* >= PN_LIMIT_CACHE_SPREAD */
  uint8_t leaf_side;     /* >= 1 */
  uint8_t max_addresses; /* 1..PN_LIMIT_CACHE_ADDRESSES */
} pn_cache_config_t;

/* One cached entry, and the form in which entries go in. `addresses` has max_addresses rows. */
typedef struct pn_cache_entry {
  uint8_t id[PN_ID_BYTES];
  double validated_at;
  uint8_t key_hash[PN_KEY_HASH_BYTES]; /* N-28; meaningful if has_key */
  uint16_t port;
  uint8_t address_count;
  uint8_t has_key;
  uint8_t addresses[];
} pn_cache_entry_t;

typedef struct pn_cache_endpoint {
  uint8_t address[PN_ADDRESS_BYTES];
  uint16_t port;
} pn_cache_endpoint_t;

/* N-65: nodes are recognised by address and port. */
typedef struct pn_cache_exclude {
  const pn_cache_endpoint_t *list;
  uint32_t count;
} pn_cache_exclude_t;

typedef struct pn_cache {
  pn_cache_config_t config;
  uint32_t count;
  uint32_t slots;
  uint32_t local_count;
  uint32_t local_slots;
  uint64_t spread_turn;
  uint8_t *entries; /* (slots + 1) * entry size */
  uint8_t *locals;  /* sorted, local_slots * 32 */
  float *score;     /* of a slot: distance of its neighbours in units of its level's spacing */
  uint16_t *order;  /* positions in ID order -> slots; beyond count: free slots */
  uint16_t *owner;  /* of a slot: index of its nearest local ID */
  uint8_t *level;   /* of a slot */
  uint8_t *tries;   /* of a slot: how often the gap above it was offered for filling */
} pn_cache_t;

/* A run of local IDs by index, wrapping at local_count. */
typedef struct pn_cache_run {
  uint32_t first;
  uint32_t count;
} pn_cache_run_t;

typedef struct pn_cache_change {
  bool inserted;
  bool replaced; /* the ID was cached already: addresses, time and key are now the new ones */
  bool evicted;
  uint8_t evicted_id[PN_ID_BYTES];
  pn_cache_run_t leaf_of; /* local IDs in whose leaf set the entry now is */
} pn_cache_change_t;

/* ---- memory ---- */

bool pn_cache_config_valid(const pn_cache_config_t *config);
size_t pn_cache_entry_size(const pn_cache_config_t *config);
/* Bytes of a block (8-aligned) for that many entries and local IDs. */
size_t pn_cache_block_size(const pn_cache_config_t *config, uint32_t slots, uint32_t local_slots);
void pn_cache_init(pn_cache_t *cache, const pn_cache_config_t *config, void *block, uint32_t slots,
                   uint32_t local_slots);
/* Moves everything into another block with at least the present room; the old one is then free. */
void pn_cache_move(pn_cache_t *cache, void *block, uint32_t slots, uint32_t local_slots);
/* Entries that the cache may hold with its present local IDs. */
uint32_t pn_cache_limit(const pn_cache_t *cache);
/* Whether a larger block would let the next insertion keep more. */
bool pn_cache_wants_room(const pn_cache_t *cache);

/* ---- changes ---- */

/* False when there is no local slot left or the ID is there already. The ID leaves the cache. */
bool pn_cache_add_local(pn_cache_t *cache, const uint8_t id[PN_ID_BYTES]);
bool pn_cache_remove_local(pn_cache_t *cache, const uint8_t id[PN_ID_BYTES]);
/* Takes an entry in if it is worth it; local IDs never are. Only the first max_addresses count. */
pn_cache_change_t pn_cache_insert(pn_cache_t *cache, const pn_cache_entry_t *entry);
/* Would pn_cache_insert keep this ID now, and would it be in a leaf set? */
bool pn_cache_would_keep(pn_cache_t *cache, const uint8_t id[PN_ID_BYTES], bool *leaf);
bool pn_cache_touch(pn_cache_t *cache, const uint8_t id[PN_ID_BYTES], double validated_at,
                    const uint8_t *key_hash);
bool pn_cache_remove(pn_cache_t *cache, const uint8_t id[PN_ID_BYTES]);
/* Removes every entry reachable there; returns how many. */
uint32_t pn_cache_remove_endpoint(pn_cache_t *cache, const pn_cache_endpoint_t *endpoint);
void pn_cache_clear(pn_cache_t *cache);

/* ---- queries; positions are 0..count-1 in ID order and valid until the next change ---- */

const pn_cache_entry_t *pn_cache_at(const pn_cache_t *cache, uint32_t position);
const uint8_t *pn_cache_local_at(const pn_cache_t *cache, uint32_t index);
/* First position whose ID is not below id (count if none). */
uint32_t pn_cache_lower_bound(const pn_cache_t *cache, const uint8_t id[PN_ID_BYTES]);
bool pn_cache_find(const pn_cache_t *cache, const uint8_t id[PN_ID_BYTES], uint32_t *position);
bool pn_cache_find_local(const pn_cache_t *cache, const uint8_t id[PN_ID_BYTES], uint32_t *index);
/* Local IDs in whose leaf set the entry at this position is. */
pn_cache_run_t pn_cache_leaf_of(const pn_cache_t *cache, uint32_t position);
/* Would the ID fall in the leaf set of a local ID (3.2.5.2)? */
bool pn_cache_in_leaf_range(const pn_cache_t *cache, const uint8_t id[PN_ID_BYTES]);

/* Up to `limit` positions, nearest to target first, without excluded nodes; if closer_than is not
 * NULL only IDs nearer than that. Returns how many. */
uint32_t pn_cache_closest(const pn_cache_t *cache, const uint8_t target[PN_ID_BYTES],
                          pn_cache_exclude_t exclude, const uint8_t *closer_than, uint16_t *out,
                          uint32_t limit);
/* Next cached ID clockwise (above) or counter-clockwise, never id itself. */
bool pn_cache_above(const pn_cache_t *cache, const uint8_t id[PN_ID_BYTES],
                    pn_cache_exclude_t exclude, uint32_t *position);
bool pn_cache_below(const pn_cache_t *cache, const uint8_t id[PN_ID_BYTES],
                    pn_cache_exclude_t exclude, uint32_t *position);
/* Positions of the leaf set of any ID, nearest first; `smaller` and `greater` have leaf_side room.
 * Returns the number on each side: they are equal, and in a small cache the sides overlap. */
uint32_t pn_cache_leaf_set(const pn_cache_t *cache, const uint8_t id[PN_ID_BYTES],
                           uint16_t *smaller, uint16_t *greater);
/* Cached IDs strictly inside the clockwise arc a -> b. */
uint32_t pn_cache_count_between(const pn_cache_t *cache, const uint8_t a[PN_ID_BYTES],
                                const uint8_t b[PN_ID_BYTES]);
/* Up to `limit` positions spread evenly over the ring, from a starting point that moves on with
 * each call (3.2.5.3). Returns how many. */
uint32_t pn_cache_spread(pn_cache_t *cache, uint16_t *out, uint32_t limit);
/* Middle of the gap that most exceeds what its level around this local ID allows, and the number of
 * leading bits that an ID must share with it to lie in the gap (3.2.6.2 <6>). Each gap is offered a
 * few times until it changes: it may well be that no node lies in it. */
bool pn_cache_largest_gap(pn_cache_t *cache, const uint8_t local_id[PN_ID_BYTES],
                          uint8_t target[PN_ID_BYTES], uint32_t *precision);

#ifdef __cplusplus
}
#endif

#endif
