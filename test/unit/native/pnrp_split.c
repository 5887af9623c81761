/* Reassembly in C: the caller's memory, taken slots, ends of contexts. Behaviour as a user of
 * lib/wire sees it is tested in test/unit/wire/reassembler.test.ts. */
#include "check.h"

#include "core/limits.h"
#include "core/pnrp_split.h"

static uint8_t slice_bytes[PN_LIMIT_AUTHORITY_BUFFER];
static uint8_t out[PN_LIMIT_AUTHORITY_BUFFER];
static uint32_t complete;

static pn_split_t *make(uint32_t contexts, uint32_t slots, uint32_t per_source) {
  void *memory = malloc(pn_split_bytes(contexts, slots)); /* exact: ASan guards its end */
  if (memory == NULL)
    abort();
  memset(memory, 0xee, pn_split_bytes(contexts, slots));
  return pn_split_init(memory, contexts, slots, per_source, UINT32_MAX);
}

static pn_err_t put(pn_split_t *split, uint32_t id, uint32_t size, uint32_t index) {
  uint32_t offset = index * PN_LIMIT_FRAGMENT;
  uint32_t left = size - offset;
  pn_fragment_t fragment = {{0}, id, id, size, offset, {slice_bytes + offset, 0}};
  fragment.slice.size = left < PN_LIMIT_FRAGMENT ? left : PN_LIMIT_FRAGMENT;
  return pn_split_accept(split, &fragment, out, &complete);
}

static void fill(void) {
  for (uint32_t i = 0; i < sizeof slice_bytes; i++)
    slice_bytes[i] = (uint8_t)(i * 31 + (i >> 8));
}

PN_TEST(sizes, "the block's size follows from contexts and slots, within limits") {
  PN_CHECK_EQ(pn_split_bytes(0, 1), 0);
  PN_CHECK_EQ(pn_split_bytes(1, 0), 0);
  PN_CHECK_EQ(pn_split_bytes(PN_LIMIT_SPLIT_CONTEXTS + 1, 1), 0);
  PN_CHECK_EQ(pn_split_bytes(1, PN_LIMIT_SPLIT_SLOTS + 1), 0);
  PN_CHECK_EQ(pn_split_bytes(1, 2) - pn_split_bytes(1, 1), PN_LIMIT_FRAGMENT + 1);
  PN_CHECK(pn_split_bytes(PN_LIMIT_SPLIT_CONTEXTS, PN_LIMIT_SPLIT_SLOTS) < 2u << 20);
}

PN_TEST(recognised, "a block is recognised by its numbers") {
  pn_split_t *split = make(2, 3, 1);
  uint32_t bytes = pn_split_bytes(2, 3);
  PN_CHECK(pn_split_at(split, bytes) == split);
  PN_CHECK(pn_split_at(split, bytes - 1) == NULL);
  PN_CHECK(pn_split_at(split, 4) == NULL);
  PN_CHECK(pn_split_at((uint8_t *)split + 1, bytes - 1) == NULL);
  free(split);
}

PN_TEST(whole, "the largest buffer comes back byte by byte, and everything is free again") {
  pn_split_t *split = make(1, PN_LIMIT_FRAGMENTS, 1);
  fill();
  for (int round = 0; round < 3; round++) {
    for (uint32_t index = PN_LIMIT_FRAGMENTS; index-- > 0;) {
      PN_CHECK_EQ(put(split, 7, PN_LIMIT_AUTHORITY_BUFFER, index), PN_OK);
      PN_CHECK_EQ(complete, index == 0 ? PN_LIMIT_AUTHORITY_BUFFER : 0);
    }
    PN_CHECK_BYTES(out, slice_bytes, PN_LIMIT_AUTHORITY_BUFFER);
    PN_CHECK_EQ(pn_split_contexts(split), 0);
    PN_CHECK_EQ(pn_split_slots(split), 0);
    memset(out, 0, sizeof out);
  }
  free(split);
}

PN_TEST(accounting, "slots and contexts are given back whichever way a context ends") {
  pn_split_t *split = make(4, 8, 4);
  put(split, 1, 5000, 0);
  put(split, 1, 5000, 3);
  put(split, 2, 5000, 1);
  PN_CHECK_EQ(pn_split_contexts(split), 2);
  PN_CHECK_EQ(pn_split_slots(split), 3);
  PN_CHECK_EQ(put(split, 1, 5001, 1), PN_ERR_FRAGMENT_SIZE_CHANGED);
  PN_CHECK_EQ(pn_split_slots(split), 1);
  pn_split_drop(split, 3); /* not there */
  PN_CHECK_EQ(pn_split_contexts(split), 1);
  pn_split_drop(split, 2);
  PN_CHECK_EQ(pn_split_contexts(split), 0);
  PN_CHECK_EQ(pn_split_slots(split), 0);
  put(split, 5, 5000, 0);
  pn_split_clear(split);
  PN_CHECK_EQ(pn_split_contexts(split), 0);
  PN_CHECK_EQ(pn_split_slots(split), 0);
  free(split);
}

PN_TEST(full, "a full block drops what comes, and keeps what it has") {
  pn_split_t *split = make(2, 2, 2);
  fill();
  PN_CHECK_EQ(put(split, 1, 3000, 0), PN_OK);
  PN_CHECK_EQ(put(split, 2, 2000, 0), PN_OK);
  PN_CHECK_EQ(put(split, 1, 3000, 1), PN_ERR_REASSEMBLY_FULL);
  PN_CHECK_EQ(put(split, 3, 3000, 0), PN_ERR_REASSEMBLY_FULL);
  pn_split_drop(split, 1);
  PN_CHECK_EQ(put(split, 2, 2000, 1), PN_OK);
  PN_CHECK_EQ(complete, 2000);
  PN_CHECK_BYTES(out, slice_bytes, 2000);
  free(split);
}

PN_TEST(hostile_numbers, "numbers that cannot be are dropped") {
  pn_split_t *split = make(2, 4, 2);
  const struct {
    uint32_t size, offset, length;
  } cases[] = {{0, 0, 1},       {UINT32_MAX, 0, 1188}, {37349, 0, 1188}, {5000, UINT32_MAX, 1188},
               {5000, 1, 1188}, {5000, 4752, 249},     {5000, 5940, 1},  {5000, 0, 0},
               {5000, 0, 1187}, {5000, 0, 1189},       {5000, 4752, 247}};
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    pn_fragment_t fragment = {
        {0}, 1, 1, cases[i].size, cases[i].offset, {slice_bytes, cases[i].length}};
    PN_CHECK(pn_split_accept(split, &fragment, out, &complete) != PN_OK);
    PN_CHECK_EQ(complete, 0);
    PN_CHECK_EQ(pn_split_contexts(split), 0);
  }
  free(split);
}

PN_TEST_MAIN()
