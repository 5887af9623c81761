/* Expected values are worked out by hand; test/unit/native/ring.test.ts compares random ones with
 * BigInt. */
#include "check.h"

#include "core/ring256.h"

static pn_u256_t number(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
  return (pn_u256_t){{a, b, c, d}};
}

static bool same(pn_u256_t a, pn_u256_t b) { return pn_ring_compare(&a, &b) == 0; }

static const uint64_t ones = UINT64_MAX;

PN_TEST(wire_form, "a number is stored most significant byte first") {
  uint8_t bytes[32], back[32];
  for (unsigned i = 0; i < 32; i++)
    bytes[i] = (uint8_t)(i + 1);
  pn_u256_t value = pn_ring_load(bytes);
  PN_CHECK(value.word[0] == 0x0102030405060708u);
  PN_CHECK(value.word[3] == 0x191a1b1c1d1e1f20u);
  pn_ring_store(&value, back);
  PN_CHECK_BYTES(back, bytes, 32);
}

PN_TEST(carries, "addition and subtraction carry through all words and wrap") {
  pn_u256_t one = number(0, 0, 0, 1), top = number(ones, ones, ones, ones);
  PN_CHECK(same(pn_ring_add(number(0, 0, ones, ones), one), number(0, 1, 0, 0)));
  PN_CHECK(same(pn_ring_add(top, one), number(0, 0, 0, 0)));
  PN_CHECK(same(pn_ring_add(top, top), number(ones, ones, ones, ones - 1)));
  PN_CHECK(same(pn_ring_sub(number(0, 1, 0, 0), one), number(0, 0, ones, ones)));
  PN_CHECK(same(pn_ring_sub(number(0, 0, 0, 0), one), top));
  PN_CHECK(same(pn_ring_sub(number(1, 0, 0, 0), number(0, ones, ones, ones)), one));
  PN_CHECK(same(pn_ring_add_small(number(0, 0, 0, ones), 2), number(0, 0, 1, 1)));
}

PN_TEST(order, "numeric order is decided by the most significant difference") {
  pn_u256_t a = number(1, 0, 0, 0), b = number(0, ones, ones, ones);
  PN_CHECK_EQ(pn_ring_compare(&a, &b), 1);
  PN_CHECK_EQ(pn_ring_compare(&b, &a), -1);
  PN_CHECK_EQ(pn_ring_compare(&a, &a), 0);
}

PN_TEST(distance, "N-23 distance is the shorter way around the ring") {
  pn_u256_t zero = number(0, 0, 0, 0), top = number(ones, ones, ones, ones);
  pn_u256_t half = number(1ull << 63, 0, 0, 0);
  PN_CHECK(same(pn_ring_distance(zero, top), number(0, 0, 0, 1)));
  PN_CHECK(same(pn_ring_distance(top, zero), number(0, 0, 0, 1)));
  PN_CHECK(same(pn_ring_distance(zero, half), half));
  PN_CHECK(same(pn_ring_distance(half, zero), half));
}

PN_TEST(tie, "N-23 of two IDs at the same distance the numerically smaller is nearer") {
  pn_u256_t target = number(0, 0, 0, 0);
  pn_u256_t after = number(0, 0, 0, 5), before = number(ones, ones, ones, ones - 4);
  PN_CHECK_EQ(pn_ring_compare_distance(&target, &after, &before), -1);
  PN_CHECK_EQ(pn_ring_compare_distance(&target, &before, &after), 1);
  PN_CHECK_EQ(pn_ring_compare_distance(&target, &after, &after), 0);
}

PN_TEST(middle, "the midpoint goes clockwise and a whole turn has one") {
  pn_u256_t low = number(0, 0, 0, 10), high = number(0, 0, 0, 21);
  PN_CHECK(same(pn_ring_midpoint(low, high), number(0, 0, 0, 15)));
  /* 2^256 - 11 from high round to low: half of it is 2^255 - 6, plus 21. */
  PN_CHECK(same(pn_ring_midpoint(high, low), number(1ull << 63, 0, 0, 15)));
  PN_CHECK(same(pn_ring_midpoint(low, low), number(1ull << 63, 0, 0, 10)));
}

PN_TEST(arcs, "an arc lies strictly between its ends, clockwise") {
  pn_u256_t a = number(0, 0, 0, 10), b = number(0, 0, 0, 20), x = number(0, 0, 0, 15);
  PN_CHECK(pn_ring_in_arc(&x, &a, &b));
  PN_CHECK(!pn_ring_in_arc(&x, &b, &a));
  PN_CHECK(!pn_ring_in_arc(&a, &a, &b));
  PN_CHECK(!pn_ring_in_arc(&b, &a, &b));
  PN_CHECK(pn_ring_in_arc(&x, &a, &a));
  PN_CHECK(!pn_ring_in_arc(&a, &a, &a));
}

PN_TEST(bits, "common bits count from the most significant end") {
  pn_u256_t zero = number(0, 0, 0, 0);
  pn_u256_t first = number(1ull << 63, 0, 0, 0), last = number(0, 0, 0, 1);
  pn_u256_t third_word = number(0, 0, 1ull << 40, 0);
  PN_CHECK_EQ(pn_ring_common_bits(&zero, &first), 0);
  PN_CHECK_EQ(pn_ring_common_bits(&zero, &last), 255);
  PN_CHECK_EQ(pn_ring_common_bits(&zero, &third_word), 128 + 23);
  PN_CHECK_EQ(pn_ring_common_bits(&zero, &zero), 256);
}

PN_TEST(doubles, "N-51 spans as doubles, a whole turn is 2^256") {
  pn_u256_t zero = number(0, 0, 0, 0), one = number(0, 0, 0, 1);
  pn_u256_t big = number(1, 0, 0, 0), top = number(ones, ones, ones, ones);
  PN_CHECK(pn_ring_span(&zero, &one) == 1);
  PN_CHECK(pn_ring_span(&zero, &big) == 0x1p192);
  PN_CHECK(pn_ring_span(&zero, &zero) == 0x1p256);
  PN_CHECK(pn_ring_span(&zero, &top) == 0x1p256); /* rounded up */
  PN_CHECK(pn_ring_to_double(&zero) == 0);
  /* Halfway between two doubles: to even; a single bit far below tips it. */
  pn_u256_t tie = number(0, 1, 1ull << 11, 0), above = number(0, 1, 1ull << 11, 1);
  PN_CHECK(pn_ring_to_double(&tie) == 0x1p128);
  PN_CHECK(pn_ring_to_double(&above) == 0x1.0000000000001p128);
}

PN_TEST_MAIN()
