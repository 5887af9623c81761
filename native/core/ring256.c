#include "core/ring256.h"

#define WORDS 4

static uint64_t load_word(const uint8_t *p) {
  return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32 |
         (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 | (uint64_t)p[6] << 8 | (uint64_t)p[7];
}

pn_u256_t pn_ring_load(const uint8_t bytes[PN_ID_BYTES]) {
  pn_u256_t value;
  for (int i = 0; i < WORDS; i++)
    value.word[i] = load_word(bytes + 8 * i);
  return value;
}

void pn_ring_store(const pn_u256_t *value, uint8_t bytes[PN_ID_BYTES]) {
  for (int i = 0; i < WORDS; i++) {
    for (int j = 0; j < 8; j++)
      bytes[8 * i + j] = (uint8_t)(value->word[i] >> (56 - 8 * j));
  }
}

pn_u256_t pn_ring_add(pn_u256_t a, pn_u256_t b) {
  uint64_t carry = 0;
  for (int i = WORDS - 1; i >= 0; i--) {
    uint64_t sum = a.word[i] + b.word[i];
    uint64_t overflow = sum < a.word[i];
    a.word[i] = sum + carry;
    carry = overflow | (a.word[i] < sum);
  }
  return a;
}

pn_u256_t pn_ring_sub(pn_u256_t a, pn_u256_t b) {
  uint64_t borrow = 0;
  for (int i = WORDS - 1; i >= 0; i--) {
    uint64_t difference = a.word[i] - b.word[i];
    uint64_t underflow = a.word[i] < b.word[i];
    a.word[i] = difference - borrow;
    borrow = underflow | (difference < borrow);
  }
  return a;
}

pn_u256_t pn_ring_add_small(pn_u256_t a, uint64_t n) {
  return pn_ring_add(a, (pn_u256_t){{0, 0, 0, n}});
}

int pn_ring_compare(const pn_u256_t *a, const pn_u256_t *b) {
  for (int i = 0; i < WORDS; i++) {
    if (a->word[i] != b->word[i])
      return a->word[i] < b->word[i] ? -1 : 1;
  }
  return 0;
}

pn_u256_t pn_ring_distance(pn_u256_t a, pn_u256_t b) {
  pn_u256_t d = pn_ring_sub(a, b);
  return d.word[0] >> 63 ? pn_ring_sub(b, a) : d;
}

int pn_ring_compare_distance(const pn_u256_t *target, const pn_u256_t *a, const pn_u256_t *b) {
  pn_u256_t to_a = pn_ring_distance(*a, *target);
  pn_u256_t to_b = pn_ring_distance(*b, *target);
  int order = pn_ring_compare(&to_a, &to_b);
  return order != 0 ? order : pn_ring_compare(a, b);
}

static bool is_zero(const pn_u256_t *a) {
  return (a->word[0] | a->word[1] | a->word[2] | a->word[3]) == 0;
}

pn_u256_t pn_ring_midpoint(pn_u256_t from, pn_u256_t to) {
  pn_u256_t span = pn_ring_sub(to, from);
  uint64_t carry = is_zero(&span); /* the bit 2^256 of a whole turn */
  for (int i = 0; i < WORDS; i++) {
    uint64_t next = span.word[i] & 1;
    span.word[i] = span.word[i] >> 1 | carry << 63;
    carry = next;
  }
  return pn_ring_add(from, span);
}

bool pn_ring_in_arc(const pn_u256_t *x, const pn_u256_t *from, const pn_u256_t *to) {
  pn_u256_t at = pn_ring_sub(*x, *from);
  pn_u256_t end = pn_ring_sub(*to, *from);
  if (is_zero(&at))
    return false;
  return is_zero(&end) || pn_ring_compare(&at, &end) < 0;
}

static unsigned leading_zeros(uint64_t word) {
  unsigned n = 0;
  for (unsigned step = 32; step > 0; step >>= 1) {
    if (word >> (64 - step) == 0) {
      n += step;
      word <<= step;
    }
  }
  return n; /* 63 for zero as well: callers ask for nonzero words only */
}

unsigned pn_ring_common_bits(const pn_u256_t *a, const pn_u256_t *b) {
  for (unsigned i = 0; i < WORDS; i++) {
    uint64_t difference = a->word[i] ^ b->word[i];
    if (difference != 0)
      return 64 * i + leading_zeros(difference);
  }
  return PN_ID_BITS;
}

/* 2^n for n = 0..256, exactly. */
static double power_of_two(unsigned n) {
  double value = 1, base = 2;
  for (; n > 0; n >>= 1) {
    if (n & 1)
      value *= base;
    base *= base;
  }
  return value;
}

double pn_ring_to_double(const pn_u256_t *value) {
  unsigned first = 0;
  while (first < WORDS && value->word[first] == 0)
    first++;
  if (first == WORDS)
    return 0;
  /* The 64 bits from the highest one set; a sticky last bit stands for all that follow, so that
   * the one rounding of the conversion is right. */
  unsigned shift = leading_zeros(value->word[first]);
  uint64_t top = value->word[first] << shift;
  uint64_t rest = 0;
  if (first + 1 < WORDS) {
    if (shift > 0)
      top |= value->word[first + 1] >> (64 - shift);
    rest = value->word[first + 1] << shift;
  }
  for (unsigned i = first + 2; i < WORDS; i++)
    rest |= value->word[i];
  top |= rest != 0;
  unsigned exponent = 64 * (WORDS - 1 - first);
  double mantissa = (double)top;
  return exponent >= shift ? mantissa * power_of_two(exponent - shift)
                           : mantissa / power_of_two(shift - exponent);
}

double pn_ring_span(const pn_u256_t *from, const pn_u256_t *to) {
  pn_u256_t span = pn_ring_sub(*to, *from);
  return is_zero(&span) ? power_of_two(PN_ID_BITS) : pn_ring_to_double(&span);
}
