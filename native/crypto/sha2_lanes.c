/* Deals messages out to the lanes of sha2_lanes.h: a lane that has finished a message takes the
 * next, so that lanes stay busy whatever the lengths. */
#include "crypto/sha2_lanes.h"

#include <string.h>

/* FIPS 180-4 4.2.2. */
const _Alignas(16) uint32_t pn_sha256_k[64] = {
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u,
    0xab1c5ed5u, 0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu,
    0x9bdc06a7u, 0xc19bf174u, 0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu,
    0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau, 0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u,
    0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u, 0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu,
    0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u, 0xa2bfe8a1u, 0xa81a664bu,
    0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u, 0x19a4c116u,
    0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u,
    0xc67178f2u,
};

/* FIPS 180-4 4.2.3. */
const uint64_t pn_sha512_k[80] = {
    0x428a2f98d728ae22u, 0x7137449123ef65cdu, 0xb5c0fbcfec4d3b2fu, 0xe9b5dba58189dbbcu,
    0x3956c25bf348b538u, 0x59f111f1b605d019u, 0x923f82a4af194f9bu, 0xab1c5ed5da6d8118u,
    0xd807aa98a3030242u, 0x12835b0145706fbeu, 0x243185be4ee4b28cu, 0x550c7dc3d5ffb4e2u,
    0x72be5d74f27b896fu, 0x80deb1fe3b1696b1u, 0x9bdc06a725c71235u, 0xc19bf174cf692694u,
    0xe49b69c19ef14ad2u, 0xefbe4786384f25e3u, 0x0fc19dc68b8cd5b5u, 0x240ca1cc77ac9c65u,
    0x2de92c6f592b0275u, 0x4a7484aa6ea6e483u, 0x5cb0a9dcbd41fbd4u, 0x76f988da831153b5u,
    0x983e5152ee66dfabu, 0xa831c66d2db43210u, 0xb00327c898fb213fu, 0xbf597fc7beef0ee4u,
    0xc6e00bf33da88fc2u, 0xd5a79147930aa725u, 0x06ca6351e003826fu, 0x142929670a0e6e70u,
    0x27b70a8546d22ffcu, 0x2e1b21385c26c926u, 0x4d2c6dfc5ac42aedu, 0x53380d139d95b3dfu,
    0x650a73548baf63deu, 0x766a0abb3c77b2a8u, 0x81c2c92e47edaee6u, 0x92722c851482353bu,
    0xa2bfe8a14cf10364u, 0xa81a664bbc423001u, 0xc24b8b70d0f89791u, 0xc76c51a30654be30u,
    0xd192e819d6ef5218u, 0xd69906245565a910u, 0xf40e35855771202au, 0x106aa07032bbd1b8u,
    0x19a4c116b8d2d0c8u, 0x1e376c085141ab53u, 0x2748774cdf8eeb99u, 0x34b0bcb5e19b48a8u,
    0x391c0cb3c5c95a63u, 0x4ed8aa4ae3418acbu, 0x5b9cca4f7763e373u, 0x682e6ff3d6b2b8a3u,
    0x748f82ee5defb2fcu, 0x78a5636f43172f60u, 0x84c87814a1f0ab72u, 0x8cc702081a6439ecu,
    0x90befffa23631e28u, 0xa4506cebde82bde9u, 0xbef9a3f7b2c67915u, 0xc67178f2e372532bu,
    0xca273eceea26619cu, 0xd186b8c721c0c207u, 0xeada7dd6cde0eb1eu, 0xf57d4f7fee6ed178u,
    0x06f067aa72176fbau, 0x0a637dc5a2c898a6u, 0x113f9804bef90daeu, 0x1b710b35131c471bu,
    0x28db77f523047d84u, 0x32caab7b40c72493u, 0x3c9ebe0a15c9bebcu, 0x431d67c49c100d4cu,
    0x4cc5d4becb3e42b6u, 0x597f299cfc657e2au, 0x5fcb6fab3ad6faecu, 0x6c44198c4a475817u,
};

#if PN_LANES_X86

#include <cpuid.h>

/* FIPS 180-4 5.3.3, 5.3.4, 5.3.5. */
static const uint32_t initial256[8] = {
    0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
    0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u,
};

static const uint64_t initial384[8] = {
    0xcbbb9d5dc1059ed8u, 0x629a292a367cd507u, 0x9159015a3070dd17u, 0x152fecd8f70e5939u,
    0x67332667ffc00b31u, 0x8eb44a8768581511u, 0xdb0c2e0d64f98fa7u, 0x47b5481dbefa4fa4u,
};

static const uint64_t initial512[8] = {
    0x6a09e667f3bcc908u, 0xbb67ae8584caa73bu, 0x3c6ef372fe94f82bu, 0xa54ff53a5f1d36f1u,
    0x510e527fade682d1u, 0x9b05688c2b3e6c1fu, 0x1f83d9abfb41bd6bu, 0x5be0cd19137e2179u,
};

typedef struct {
  const uint8_t *at; /* next block */
  size_t blocks;     /* left there */
  size_t index;      /* the message's number */
  bool busy;
  bool in_tail; /* `at` is in `tail` */
  uint8_t tail[2 * PN_SHA2_BLOCK_MAX];
  size_t tail_blocks;
} lane_t;

typedef struct {
  pn_sha2_t algorithm;
  uint32_t block; /* bytes of an input block */
  uint32_t lanes;
  void (*compress)(void *state, const uint8_t *const *at, size_t blocks);
  union {
    pn_sha_pair_t pair;
    pn_lanes32_t narrow;
    pn_lanes64_t wide;
  } state;
  lane_t lane[PN_LANES_MAX];
} run_t;

static void compress256_x2(void *state, const uint8_t *const *at, size_t blocks) {
  pn_sha256_shani_x2((pn_sha_pair_t *)state, at, blocks);
}

static void compress256_x16(void *state, const uint8_t *const *at, size_t blocks) {
  pn_sha256_avx512_x16((pn_lanes32_t *)state, at, blocks);
}

static void compress512_x4(void *state, const uint8_t *const *at, size_t blocks) {
  pn_sha512_avx2_x4((pn_lanes64_t *)state, at, blocks);
}

static void compress512_x8(void *state, const uint8_t *const *at, size_t blocks) {
  pn_sha512_avx512_x8((pn_lanes64_t *)state, at, blocks);
}

static bool find_shani(void) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & (1u << 29)) != 0 &&
         __builtin_cpu_supports("sse4.1");
}

/* In a virtual machine a CPUID costs as much as hashing kilobytes: it is asked once. */
static bool has_shani(void) {
  static int known = -1;
  int found = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (found < 0) {
    found = find_shani();
    __atomic_store_n(&known, found, __ATOMIC_RELAXED);
  }
  return found != 0;
}

static bool has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

/* From so many messages on, lanes beat hashing one by one, or two by two with the SHA extensions.
 */
#define WORTH_512 3u
#define WORTH_256 6u

bool pn_lanes_have(pn_lanes_t lanes, pn_sha2_t algorithm) {
  __builtin_cpu_init();
  if (lanes == PN_LANES_MANY)
    return has_avx512();
  return algorithm == PN_SHA2_256 ? has_shani() : __builtin_cpu_supports("avx2") != 0;
}

pn_lanes_t pn_lanes_best(pn_sha2_t algorithm, size_t count) {
  const size_t worth = algorithm == PN_SHA2_256 ? WORTH_256 : WORTH_512;
  if (count >= worth && pn_lanes_have(PN_LANES_MANY, algorithm))
    return PN_LANES_MANY;
  const bool pays = algorithm == PN_SHA2_256 ? count > 1 : count >= WORTH_512;
  return pays && pn_lanes_have(PN_LANES_FEW, algorithm) ? PN_LANES_FEW : (pn_lanes_t)0;
}

static void set_word(run_t *run, uint32_t lane, uint32_t word, uint64_t value) {
  if (run->algorithm != PN_SHA2_256)
    run->state.wide.w[word][lane] = value;
  else if (run->lanes == 2)
    run->state.pair.w[lane][word] = (uint32_t)value;
  else
    run->state.narrow.w[word][lane] = (uint32_t)value;
}

static uint64_t get_word(const run_t *run, uint32_t lane, uint32_t word) {
  if (run->algorithm != PN_SHA2_256)
    return run->state.wide.w[word][lane];
  return run->lanes == 2 ? run->state.pair.w[lane][word] : run->state.narrow.w[word][lane];
}

static uint64_t initial(pn_sha2_t algorithm, uint32_t word) {
  if (algorithm == PN_SHA2_256)
    return initial256[word];
  return algorithm == PN_SHA2_384 ? initial384[word] : initial512[word];
}

static void start(run_t *run, uint32_t i, const pn_message_t *message, size_t index) {
  lane_t *lane = &run->lane[i];
  const size_t block = run->block, length = message->length;
  const size_t whole = length / block, rest = length % block;
  /* Padding: 80, zeros, the length in bits at the end (64 or 128 bits wide). */
  const size_t field = block / 8;
  lane->tail_blocks = rest + 1 + field <= block ? 1 : 2;
  memset(lane->tail, 0, sizeof lane->tail);
  if (rest > 0)
    memcpy(lane->tail, message->data + whole * block, rest);
  lane->tail[rest] = 0x80;
  const uint64_t bits = (uint64_t)length * 8;
  for (size_t k = 0; k < 8; k++)
    lane->tail[lane->tail_blocks * block - 1 - k] = (uint8_t)(bits >> (8 * k));
  lane->busy = true;
  lane->index = index;
  lane->in_tail = whole == 0;
  lane->at = whole == 0 ? lane->tail : message->data;
  lane->blocks = whole == 0 ? lane->tail_blocks : whole;
  for (uint32_t k = 0; k < 8; k++)
    set_word(run, i, k, initial(run->algorithm, k));
}

static void finish(const run_t *run, uint32_t i, uint8_t *out) {
  const uint32_t length = pn_sha2_length(run->algorithm);
  const uint32_t width = run->algorithm == PN_SHA2_256 ? 4 : 8;
  for (uint32_t k = 0; k < length; k++)
    out[k] = (uint8_t)(get_word(run, i, k / width) >> (8 * (width - 1 - k % width)));
}

static void begin(run_t *run, pn_lanes_t lanes, pn_sha2_t algorithm) {
  run->algorithm = algorithm;
  run->block = pn_sha2_block(algorithm);
  if (algorithm == PN_SHA2_256) {
    run->lanes = lanes == PN_LANES_MANY ? 16 : 2;
    run->compress = lanes == PN_LANES_MANY ? compress256_x16 : compress256_x2;
  } else {
    run->lanes = lanes == PN_LANES_MANY ? 8 : 4;
    run->compress = lanes == PN_LANES_MANY ? compress512_x8 : compress512_x4;
  }
  for (uint32_t i = 0; i < PN_LANES_MAX; i++)
    run->lane[i].busy = false;
}

void pn_lanes_sha2_many(pn_lanes_t lanes, pn_sha2_t algorithm, const pn_message_t *messages,
                        size_t count, uint8_t *out, size_t stride) {
  run_t run;
  size_t next = 0;
  begin(&run, lanes, algorithm);
  for (;;) {
    const uint8_t *at[PN_LANES_MAX];
    const lane_t *shortest = NULL;
    for (uint32_t i = 0; i < run.lanes; i++) {
      lane_t *lane = &run.lane[i];
      if (!lane->busy && next < count) {
        start(&run, i, &messages[next], next);
        next++;
      }
      if (lane->busy && (shortest == NULL || lane->blocks < shortest->blocks))
        shortest = lane;
    }
    if (shortest == NULL)
      return;
    const size_t step = shortest->blocks;
    /* A lane without work reads along with a busy one. */
    for (uint32_t i = 0; i < run.lanes; i++)
      at[i] = run.lane[i].busy ? run.lane[i].at : shortest->at;
    run.compress(&run.state, at, step);
    for (uint32_t i = 0; i < run.lanes; i++) {
      lane_t *lane = &run.lane[i];
      if (!lane->busy)
        continue;
      lane->at += step * run.block;
      lane->blocks -= step;
      if (lane->blocks > 0)
        continue;
      if (lane->in_tail) {
        finish(&run, i, out + lane->index * stride);
        lane->busy = false;
      } else {
        lane->in_tail = true;
        lane->at = lane->tail;
        lane->blocks = lane->tail_blocks;
      }
    }
  }
}

#else

bool pn_lanes_have(pn_lanes_t lanes, pn_sha2_t algorithm) {
  (void)lanes, (void)algorithm;
  return false;
}

pn_lanes_t pn_lanes_best(pn_sha2_t algorithm, size_t count) {
  (void)algorithm, (void)count;
  return (pn_lanes_t)0;
}

void pn_lanes_sha2_many(pn_lanes_t lanes, pn_sha2_t algorithm, const pn_message_t *messages,
                        size_t count, uint8_t *out, size_t stride) {
  (void)lanes, (void)algorithm, (void)messages, (void)count, (void)out, (void)stride;
}

#endif
