/* Sixteen SHA-256 streams in the registers of AVX-512. */
#include "crypto/sha2_lanes.h"

#if PN_LANES_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw")))
#define NAME pn_sha256_avx512_x16
#define LANES 16
#define VEC __m512i
#define LOAD_K(x) _mm512_set1_epi32((int)(x))
#define ADD _mm512_add_epi32
#define ROR _mm512_ror_epi32
#define SHR _mm512_srli_epi32
#define XOR3(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0x96)
#define CH(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xca)
#define MAJ(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xe8)
#define SIGMA0(x) XOR3(ROR(x, 2), ROR(x, 13), ROR(x, 22))
#define SIGMA1(x) XOR3(ROR(x, 6), ROR(x, 11), ROR(x, 25))
#define GAMMA0(x) XOR3(ROR(x, 7), ROR(x, 18), SHR(x, 3))
#define GAMMA1(x) XOR3(ROR(x, 17), ROR(x, 19), SHR(x, 10))
#define STATE pn_lanes32_t
#define ROUNDS 64
#define BLOCK 64
#define K pn_sha256_k
#define LOAD_BLOCK load_block

/* Sixteen words of sixteen lanes, turned so that vector i holds word i of every lane. */
TARGET static inline void load_block(__m512i *w, const uint8_t *const at[16]) {
  const __m512i order = _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);
  __m512i r[16], t[16];
  for (int i = 0; i < 16; i++)
    r[i] = _mm512_shuffle_epi8(_mm512_loadu_si512((const void *)at[i]), order);
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  /* r[4 * j + k]: words k, k + 4, k + 8, k + 12 of lanes 4 * j … 4 * j + 3. */
  for (int j = 0; j < 16; j += 4) {
    r[j] = _mm512_unpacklo_epi64(t[j], t[j + 2]);
    r[j + 1] = _mm512_unpackhi_epi64(t[j], t[j + 2]);
    r[j + 2] = _mm512_unpacklo_epi64(t[j + 1], t[j + 3]);
    r[j + 3] = _mm512_unpackhi_epi64(t[j + 1], t[j + 3]);
  }
  for (int k = 0; k < 4; k++) {
    __m512i low = _mm512_shuffle_i32x4(r[k], r[k + 4], 0x88);
    __m512i high = _mm512_shuffle_i32x4(r[k], r[k + 4], 0xdd);
    __m512i low2 = _mm512_shuffle_i32x4(r[k + 8], r[k + 12], 0x88);
    __m512i high2 = _mm512_shuffle_i32x4(r[k + 8], r[k + 12], 0xdd);
    w[k] = _mm512_shuffle_i32x4(low, low2, 0x88);
    w[k + 4] = _mm512_shuffle_i32x4(high, high2, 0x88);
    w[k + 8] = _mm512_shuffle_i32x4(low, low2, 0xdd);
    w[k + 12] = _mm512_shuffle_i32x4(high, high2, 0xdd);
  }
}

#include "crypto/sha2_rounds.h"

#else

typedef int pn_no_avx512_256_t;

#endif
