/* Memory handling and small cases by hand. Larger ones: route-cache.test.ts (what is kept),
 * test/property/route-cache.test.ts (answers), test/fuzz/cache.c (operation sequences). */
#include "check.h"

#include "core/pnrp_cache.h"

#define SLOTS 40
#define LOCALS 4

static const pn_cache_config_t config = {
    .capacity = 32, .per_level = 12, .leaf_side = 2, .max_addresses = 2};

typedef struct fixture {
  pn_cache_t cache;
  void *block;
} fixture_t;

static void *allocate(const pn_cache_config_t *of, uint32_t slots, uint32_t locals) {
  void *block = malloc(pn_cache_block_size(of, slots, locals));
  if (block == NULL)
    abort();
  return block;
}

static fixture_t fixture(uint32_t slots, uint32_t locals) {
  fixture_t f;
  f.block = allocate(&config, slots, locals);
  pn_cache_init(&f.cache, &config, f.block, slots, locals);
  return f;
}

typedef union record {
  pn_cache_entry_t entry;
  uint8_t bytes[64 + 4 * 16];
} record_t;

static const uint8_t *id_of(uint8_t first) {
  static uint8_t ids[256][PN_ID_BYTES];
  ids[first][0] = first;
  return ids[first];
}

static record_t record(uint8_t first, uint8_t host) {
  record_t r;
  memset(&r, 0, sizeof r);
  memcpy(r.entry.id, id_of(first), PN_ID_BYTES);
  r.entry.port = 3540;
  r.entry.address_count = 1;
  r.bytes[64 + 15] = host;
  return r;
}

static pn_cache_change_t insert(fixture_t *f, uint8_t first) {
  record_t r = record(first, first);
  return pn_cache_insert(&f->cache, &r.entry);
}

static uint8_t first_byte(const pn_cache_t *cache, uint32_t position) {
  return pn_cache_at(cache, position)->id[0];
}

PN_TEST(configurations, "a configuration without room for leaf set and spread is refused") {
  pn_cache_config_t c = config;
  PN_CHECK(pn_cache_config_valid(&c));
  c.capacity = 2u * c.leaf_side + PN_LIMIT_CACHE_SPREAD - 1;
  PN_CHECK(!pn_cache_config_valid(&c));
  c = config;
  c.max_addresses = 5;
  PN_CHECK(!pn_cache_config_valid(&c));
  c = config;
  c.per_level = 9;
  PN_CHECK(!pn_cache_config_valid(&c));
  c = config;
  c.capacity = PN_LIMIT_CACHE_SLOTS + 1;
  PN_CHECK(!pn_cache_config_valid(&c));
}

PN_TEST(entry_size, "an entry takes 80 bytes with one address and 128 with four") {
  pn_cache_config_t c = config;
  c.max_addresses = 1;
  PN_CHECK_EQ(pn_cache_entry_size(&c), 80);
  c.max_addresses = 4;
  PN_CHECK_EQ(pn_cache_entry_size(&c), 128);
}

PN_TEST(sorted, "entries come in ID order whatever the order of insertion") {
  fixture_t f = fixture(SLOTS, LOCALS);
  static const uint8_t order[] = {7, 200, 3, 90, 255, 0};
  static const uint8_t expected[] = {0, 3, 7, 90, 200, 255};
  for (size_t i = 0; i < sizeof order; i++)
    PN_CHECK(insert(&f, order[i]).inserted);
  for (uint32_t i = 0; i < sizeof expected; i++)
    PN_CHECK_EQ(first_byte(&f.cache, i), expected[i]);
  free(f.block);
}

PN_TEST(nearest, "closest walks both ways over the zero point") {
  fixture_t f = fixture(SLOTS, LOCALS);
  static const uint8_t ids[] = {2, 5, 100, 250, 253};
  for (size_t i = 0; i < sizeof ids; i++)
    insert(&f, ids[i]);
  /* Distances from 255: 253 is 2 away, 2 is 3, 250 is 5, 5 is 6, 100 is 101. */
  static const uint8_t expected[] = {253, 2, 250, 5, 100};
  const pn_cache_exclude_t nobody = {NULL, 0};
  uint16_t found[8];
  uint32_t count = pn_cache_closest(&f.cache, id_of(255), nobody, NULL, found, 8);
  PN_CHECK_EQ(count, 5);
  for (uint32_t i = 0; i < count; i++)
    PN_CHECK_EQ(first_byte(&f.cache, found[i]), expected[i]);
  PN_CHECK_EQ(pn_cache_closest(&f.cache, id_of(255), nobody, id_of(250), found, 8), 2);
  pn_cache_endpoint_t host_two = {.port = 3540};
  host_two.address[15] = 2;
  const pn_cache_exclude_t exclude = {&host_two, 1};
  PN_CHECK_EQ(pn_cache_closest(&f.cache, id_of(255), exclude, NULL, found, 2), 2);
  PN_CHECK_EQ(first_byte(&f.cache, found[1]), 250);
  free(f.block);
}

PN_TEST(growth, "moving to a larger block keeps entries, local IDs and room to insert") {
  fixture_t f = fixture(2, 1);
  PN_CHECK(pn_cache_add_local(&f.cache, id_of(128)));
  PN_CHECK(!pn_cache_add_local(&f.cache, id_of(129)));
  insert(&f, 10);
  PN_CHECK(!pn_cache_wants_room(&f.cache));
  insert(&f, 20);
  PN_CHECK(pn_cache_wants_room(&f.cache));
  void *block = allocate(&config, 5, 2);
  pn_cache_move(&f.cache, block, 5, 2);
  free(f.block);
  f.block = block;
  PN_CHECK(!pn_cache_wants_room(&f.cache));
  PN_CHECK_EQ(first_byte(&f.cache, 0), 10);
  PN_CHECK_EQ(first_byte(&f.cache, 1), 20);
  for (uint8_t i = 30; i < 60; i = (uint8_t)(i + 10))
    PN_CHECK(insert(&f, i).inserted);
  PN_CHECK(pn_cache_add_local(&f.cache, id_of(129)));
  PN_CHECK_EQ(memcmp(pn_cache_local_at(&f.cache, 0), id_of(128), PN_ID_BYTES), 0);
  free(f.block);
}

PN_TEST(full_block, "PNRP-3.2.1.1-2 a block that cannot grow keeps the leaf set and drops others") {
  fixture_t f = fixture(6, 1);
  pn_cache_add_local(&f.cache, id_of(100));
  for (uint8_t i = 0; i < 8; i++)
    insert(&f, (uint8_t)(200 + 5 * i));
  PN_CHECK_EQ(f.cache.count, 6);
  static const uint8_t leaf[] = {90, 101, 120, 80};
  for (size_t i = 0; i < sizeof leaf; i++) {
    pn_cache_change_t change = insert(&f, leaf[i]);
    PN_CHECK(change.inserted && change.evicted && change.leaf_of.count == 1);
    PN_CHECK(change.evicted_id[0] >= 200);
  }
  PN_CHECK_EQ(f.cache.count, 6);
  uint32_t position;
  for (size_t i = 0; i < sizeof leaf; i++)
    PN_CHECK(pn_cache_find(&f.cache, id_of(leaf[i]), &position));
  free(f.block);
}

PN_TEST(crowding, "an ID invented beside a cached one does not push it out") {
  fixture_t f = fixture(SLOTS, LOCALS);
  for (uint8_t i = 0; i < 12; i++)
    insert(&f, (uint8_t)(18 * i)); /* 0 18 .. 198: a full level with one gap of 58 */
  for (uint8_t i = 0; i < 12; i++) {
    /* Beside 198 it would have the whole gap to itself and leave 198 as the densest of all. */
    PN_CHECK(!insert(&f, (uint8_t)(18 * i + 1)).inserted);
    PN_CHECK(!insert(&f, (uint8_t)(18 * i - 1)).inserted);
  }
  bool leaf;
  PN_CHECK(!pn_cache_would_keep(&f.cache, id_of(199), &leaf));
  for (uint32_t i = 0; i < 12; i++)
    PN_CHECK_EQ(first_byte(&f.cache, i), 18 * i);
  /* In the middle of the gap it is worth a place. */
  PN_CHECK(insert(&f, 227).inserted);
  PN_CHECK_EQ(f.cache.count, 12);
  free(f.block);
}

PN_TEST(leaf_range, "3.2.5.2 only IDs inside a leaf set's range are in it") {
  fixture_t f = fixture(SLOTS, LOCALS);
  PN_CHECK(!pn_cache_in_leaf_range(&f.cache, id_of(100)));
  pn_cache_add_local(&f.cache, id_of(100));
  PN_CHECK(pn_cache_in_leaf_range(&f.cache, id_of(7)));
  for (uint8_t i = 0; i < 10; i++)
    insert(&f, (uint8_t)(5 + 20 * i)); /* 5 25 45 65 85 (100) 105 125 145 165 185 */
  PN_CHECK(pn_cache_in_leaf_range(&f.cache, id_of(66)));
  PN_CHECK(pn_cache_in_leaf_range(&f.cache, id_of(65)));
  PN_CHECK(!pn_cache_in_leaf_range(&f.cache, id_of(64)));
  PN_CHECK(pn_cache_in_leaf_range(&f.cache, id_of(124)));
  PN_CHECK(!pn_cache_in_leaf_range(&f.cache, id_of(126)));
  free(f.block);
}

PN_TEST(shrinking, "the room of a local ID's leaf set goes with it") {
  fixture_t f = fixture(SLOTS, LOCALS);
  pn_cache_add_local(&f.cache, id_of(1));
  PN_CHECK_EQ(pn_cache_limit(&f.cache), 32);
  pn_cache_add_local(&f.cache, id_of(101));
  pn_cache_add_local(&f.cache, id_of(201));
  PN_CHECK_EQ(pn_cache_limit(&f.cache), 40);
  pn_cache_remove_local(&f.cache, id_of(201));
  PN_CHECK_EQ(pn_cache_limit(&f.cache), 36);
  free(f.block);
}

PN_TEST_MAIN()
