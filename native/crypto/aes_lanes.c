#include "crypto/aes_lanes.h"

#include <string.h>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <immintrin.h>

#define TARGET __attribute__((target("aes,sse4.1")))

enum { kLanes = 8, kKeysMax = 15 };

typedef struct {
  __m128i keys[kKeysMax];
  __m128i chain;
  const uint8_t *in;
  uint8_t *out;
  size_t blocks; /* to be done */
} aes_lane_t;

bool pn_aes_lanes_have(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("aes") != 0 && __builtin_cpu_supports("sse4.1") != 0;
}

/* FIPS 197 5.2. AESKEYGENASSIST gives SubWord of the second word, and turned. */
TARGET static void expand(const uint8_t *key, uint32_t key_words, uint32_t rounds, __m128i *out) {
  uint32_t words[4 * kKeysMax];
  uint32_t constant = 1;
  memcpy(words, key, 4u * key_words);
  for (uint32_t i = key_words; i < 4 * (rounds + 1); i++) {
    uint32_t word = words[i - 1];
    const bool turns = i % key_words == 0;
    if (turns || (key_words > 6 && i % key_words == 4)) {
      const __m128i both = _mm_aeskeygenassist_si128(_mm_set1_epi32((int)word), 0);
      word = (uint32_t)(turns ? _mm_extract_epi32(both, 1) : _mm_cvtsi128_si32(both));
    }
    if (turns) {
      word ^= constant;
      constant = (constant << 1) ^ (constant >> 7) * 0x11bu;
    }
    words[i] = words[i - key_words] ^ word;
  }
  memcpy(out, words, 16u * (rounds + 1));
}

TARGET static inline __m128i load(const uint8_t *from) {
  return _mm_loadu_si128((const __m128i *)(const void *)from);
}

/* `blocks` more of all lanes. Two may be the same: all read before any writes. */
TARGET static void encrypt(aes_lane_t *const *lanes, uint32_t rounds, size_t blocks) {
  __m128i state[kLanes];
#pragma GCC unroll 8
  for (uint32_t i = 0; i < kLanes; i++)
    state[i] = lanes[i]->chain;
  for (size_t at = 0; at < 16 * blocks; at += 16) {
#pragma GCC unroll 8
    for (uint32_t i = 0; i < kLanes; i++)
      state[i] = _mm_xor_si128(state[i], _mm_xor_si128(load(lanes[i]->in + at), lanes[i]->keys[0]));
    for (uint32_t round = 1; round < rounds; round++) {
#pragma GCC unroll 8
      for (uint32_t i = 0; i < kLanes; i++)
        state[i] = _mm_aesenc_si128(state[i], lanes[i]->keys[round]);
    }
#pragma GCC unroll 8
    for (uint32_t i = 0; i < kLanes; i++)
      state[i] = _mm_aesenclast_si128(state[i], lanes[i]->keys[rounds]);
#pragma GCC unroll 8
    for (uint32_t i = 0; i < kLanes; i++)
      _mm_storeu_si128((__m128i *)(void *)(lanes[i]->out + at), state[i]);
  }
#pragma GCC unroll 8
  for (uint32_t i = 0; i < kLanes; i++)
    lanes[i]->chain = state[i];
}

TARGET void pn_aes_lanes_cbc(size_t key_length, const pn_cbc_t *messages, size_t count) {
  const uint32_t key_words = (uint32_t)key_length / 4, rounds = key_words + 6;
  aes_lane_t lanes[kLanes];
  aes_lane_t *active[kLanes];
  uint32_t used = 0;
  size_t next = 0;
  for (;;) {
    while (used < kLanes && next < count) {
      const pn_cbc_t *message = &messages[next++];
      if (message->blocks == 0)
        continue;
      /* Lanes that are in use stand first. */
      aes_lane_t *lane = &lanes[used++];
      expand(message->key, key_words, rounds, lane->keys);
      lane->chain = load(message->iv);
      lane->in = message->in;
      lane->out = message->out;
      lane->blocks = message->blocks;
    }
    if (used == 0)
      break;
    size_t blocks = lanes[0].blocks;
    for (uint32_t i = 0; i < kLanes; i++) {
      active[i] = &lanes[i < used ? i : 0];
      if (active[i]->blocks < blocks)
        blocks = active[i]->blocks;
    }
    encrypt(active, rounds, blocks);
    uint32_t left = 0;
    for (uint32_t i = 0; i < used; i++) {
      lanes[i].in += 16 * blocks;
      lanes[i].out += 16 * blocks;
      lanes[i].blocks -= blocks;
      if (lanes[i].blocks == 0)
        continue;
      if (left != i)
        lanes[left] = lanes[i];
      left++;
    }
    used = left;
  }
}

#else

bool pn_aes_lanes_have(void) {
  return false;
}

void pn_aes_lanes_cbc(size_t key_length, const pn_cbc_t *messages, size_t count) {
  (void)key_length, (void)messages, (void)count;
}

#endif
