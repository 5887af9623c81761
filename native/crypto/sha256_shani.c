/* Two SHA-256 streams side by side on the SHA extensions of x86: SHA256RNDS2 takes four cycles but
 * can be issued every second one. */
#include "crypto/sha2_lanes.h"

#if PN_LANES_X86

#include <immintrin.h>

#define TARGET __attribute__((target("sha,sse4.1")))

/* Four rounds of a lane: W + K in, the two halves of the state turn. */
#define ROUNDS(abef, cdgh, w, i)                                                                   \
  do {                                                                                             \
    __m128i wk =                                                                                   \
        _mm_add_epi32(w, _mm_load_si128((const __m128i *)(const void *)(pn_sha256_k + 4 * (i))));  \
    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);                                                  \
    abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0e));                         \
  } while (0)

/* W[i + 4] from W[i] … W[i + 3], put in the place of W[i]. */
#define SCHEDULE(w0, w1, w2, w3)                                                                   \
  w0 = _mm_sha256msg2_epu32(                                                                       \
      _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4)), w3)

#define BOTH_ROUNDS(n, i)                                                                          \
  ROUNDS(abef0, cdgh0, a##n, i);                                                                   \
  ROUNDS(abef1, cdgh1, b##n, i)

#define BOTH(n0, n1, n2, n3, i)                                                                    \
  BOTH_ROUNDS(n0, i);                                                                              \
  SCHEDULE(a##n0, a##n1, a##n2, a##n3);                                                            \
  SCHEDULE(b##n0, b##n1, b##n2, b##n3)

#define SIXTEEN(i)                                                                                 \
  BOTH(0, 1, 2, 3, i);                                                                             \
  BOTH(1, 2, 3, 0, (i) + 1);                                                                       \
  BOTH(2, 3, 0, 1, (i) + 2);                                                                       \
  BOTH(3, 0, 1, 2, (i) + 3)

TARGET static inline __m128i load(const uint8_t *p, __m128i order) {
  return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), order);
}

/* The words a..h as the instructions want them, and back. */
TARGET static inline void state_in(const uint32_t *w, __m128i *abef, __m128i *cdgh) {
  __m128i badc = _mm_shuffle_epi32(_mm_load_si128((const __m128i *)(const void *)w), 0xb1);
  __m128i hgfe = _mm_shuffle_epi32(_mm_load_si128((const __m128i *)(const void *)(w + 4)), 0x1b);
  *abef = _mm_alignr_epi8(badc, hgfe, 8);
  *cdgh = _mm_blend_epi16(hgfe, badc, 0xf0);
}

TARGET static inline void state_out(uint32_t *w, __m128i abef, __m128i cdgh) {
  __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
  __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_store_si128((__m128i *)(void *)w, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_store_si128((__m128i *)(void *)(w + 4), _mm_alignr_epi8(dchg, feba, 8));
}

TARGET void pn_sha256_shani_x2(pn_sha_pair_t *state, const uint8_t *const at[2], size_t blocks) {
  const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const uint8_t *p = at[0], *q = at[1];
  __m128i abef0, cdgh0, abef1, cdgh1;
  state_in(state->w[0], &abef0, &cdgh0);
  state_in(state->w[1], &abef1, &cdgh1);
  for (; blocks > 0; blocks--, p += 64, q += 64) {
    const __m128i abef0_before = abef0, cdgh0_before = cdgh0;
    const __m128i abef1_before = abef1, cdgh1_before = cdgh1;
    __m128i a0 = load(p, order), a1 = load(p + 16, order);
    __m128i a2 = load(p + 32, order), a3 = load(p + 48, order);
    __m128i b0 = load(q, order), b1 = load(q + 16, order);
    __m128i b2 = load(q + 32, order), b3 = load(q + 48, order);
    SIXTEEN(0);
    SIXTEEN(4);
    SIXTEEN(8);
    BOTH_ROUNDS(0, 12);
    BOTH_ROUNDS(1, 13);
    BOTH_ROUNDS(2, 14);
    BOTH_ROUNDS(3, 15);
    abef0 = _mm_add_epi32(abef0, abef0_before);
    cdgh0 = _mm_add_epi32(cdgh0, cdgh0_before);
    abef1 = _mm_add_epi32(abef1, abef1_before);
    cdgh1 = _mm_add_epi32(cdgh1, cdgh1_before);
  }
  state_out(state->w[0], abef0, cdgh0);
  state_out(state->w[1], abef1, cdgh1);
}

#else

typedef int pn_no_shani_t;

#endif
