/* Four SHA-512 streams in the registers of AVX2. */
#include "crypto/sha2_lanes.h"

#if PN_LANES_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#define NAME pn_sha512_avx2_x4
#define LANES 4
#define VEC __m256i
#define LOAD_K(x) _mm256_set1_epi64x((long long)(x))
#define ADD _mm256_add_epi64
#define SHR _mm256_srli_epi64
#define ROR(x, n) _mm256_or_si256(_mm256_srli_epi64(x, n), _mm256_slli_epi64(x, 64 - (n)))
#define XOR3(x, y, z) _mm256_xor_si256(_mm256_xor_si256(x, y), z)
#define CH(x, y, z) _mm256_xor_si256(z, _mm256_and_si256(x, _mm256_xor_si256(y, z)))
#define MAJ(x, y, z)                                                                               \
  _mm256_or_si256(_mm256_and_si256(x, y), _mm256_and_si256(z, _mm256_or_si256(x, y)))
#define SIGMA0(x) XOR3(ROR(x, 28), ROR(x, 34), ROR(x, 39))
#define SIGMA1(x) XOR3(ROR(x, 14), ROR(x, 18), ROR(x, 41))
#define GAMMA0(x) XOR3(ROR(x, 1), ROR(x, 8), SHR(x, 7))
#define GAMMA1(x) XOR3(ROR(x, 19), ROR(x, 61), SHR(x, 6))
#define STATE pn_lanes64_t
#define ROUNDS 80
#define BLOCK 128
#define K pn_sha512_k
#define LOAD_BLOCK load_block

/* Four words of four lanes, turned so that vector i holds word i of every lane. */
TARGET static inline void load_quarter(__m256i *w, const uint8_t *const at[4], size_t offset) {
  const __m256i order =
      _mm256_broadcastsi128_si256(_mm_set_epi64x(0x08090a0b0c0d0e0f, 0x0001020304050607));
  __m256i r[4];
  for (int i = 0; i < 4; i++)
    r[i] = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)(const void *)(at[i] + offset)),
                               order);
  __m256i low = _mm256_unpacklo_epi64(r[0], r[1]), high = _mm256_unpackhi_epi64(r[0], r[1]);
  __m256i low2 = _mm256_unpacklo_epi64(r[2], r[3]), high2 = _mm256_unpackhi_epi64(r[2], r[3]);
  w[0] = _mm256_permute2x128_si256(low, low2, 0x20);
  w[1] = _mm256_permute2x128_si256(high, high2, 0x20);
  w[2] = _mm256_permute2x128_si256(low, low2, 0x31);
  w[3] = _mm256_permute2x128_si256(high, high2, 0x31);
}

TARGET static inline void load_block(__m256i *w, const uint8_t *const at[4]) {
  for (int i = 0; i < 4; i++)
    load_quarter(w + 4 * i, at, (size_t)i * 32);
}

#include "crypto/sha2_rounds.h"

#else

typedef int pn_no_avx2_t;

#endif
