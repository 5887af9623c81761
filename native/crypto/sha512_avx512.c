/* Eight SHA-512 streams in the registers of AVX-512. */
#include "crypto/sha2_lanes.h"

#if PN_LANES_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw")))
#define NAME pn_sha512_avx512_x8
#define LANES 8
#define VEC __m512i
#define LOAD_K(x) _mm512_set1_epi64((long long)(x))
#define ADD _mm512_add_epi64
#define ROR _mm512_ror_epi64
#define SHR _mm512_srli_epi64
#define XOR3(x, y, z) _mm512_ternarylogic_epi64(x, y, z, 0x96)
#define CH(x, y, z) _mm512_ternarylogic_epi64(x, y, z, 0xca)
#define MAJ(x, y, z) _mm512_ternarylogic_epi64(x, y, z, 0xe8)
#define SIGMA0(x) XOR3(ROR(x, 28), ROR(x, 34), ROR(x, 39))
#define SIGMA1(x) XOR3(ROR(x, 14), ROR(x, 18), ROR(x, 41))
#define GAMMA0(x) XOR3(ROR(x, 1), ROR(x, 8), SHR(x, 7))
#define GAMMA1(x) XOR3(ROR(x, 19), ROR(x, 61), SHR(x, 6))
#define STATE pn_lanes64_t
#define ROUNDS 80
#define BLOCK 128
#define K pn_sha512_k
#define LOAD_BLOCK load_block

/* Eight words of eight lanes, turned so that vector i holds word i of every lane. */
TARGET static inline void load_half(__m512i *w, const uint8_t *const at[8], size_t offset) {
  const __m512i order = _mm512_set4_epi32(0x08090a0b, 0x0c0d0e0f, 0x00010203, 0x04050607);
  __m512i r[8], t[8];
  for (int i = 0; i < 8; i++)
    r[i] = _mm512_shuffle_epi8(_mm512_loadu_si512((const void *)(at[i] + offset)), order);
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm512_unpacklo_epi64(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi64(r[i], r[i + 1]);
  }
  for (int i = 0; i < 2; i++) {
    __m512i low = _mm512_shuffle_i64x2(t[i], t[i + 2], 0x88);
    __m512i high = _mm512_shuffle_i64x2(t[i], t[i + 2], 0xdd);
    __m512i low2 = _mm512_shuffle_i64x2(t[i + 4], t[i + 6], 0x88);
    __m512i high2 = _mm512_shuffle_i64x2(t[i + 4], t[i + 6], 0xdd);
    w[i] = _mm512_shuffle_i64x2(low, low2, 0x88);
    w[i + 2] = _mm512_shuffle_i64x2(high, high2, 0x88);
    w[i + 4] = _mm512_shuffle_i64x2(low, low2, 0xdd);
    w[i + 6] = _mm512_shuffle_i64x2(high, high2, 0xdd);
  }
}

TARGET static inline void load_block(__m512i *w, const uint8_t *const at[8]) {
  load_half(w, at, 0);
  load_half(w + 8, at, 64);
}

#include "crypto/sha2_rounds.h"

#else

typedef int pn_no_avx512_t;

#endif
