/* MS-PCCRC 2.2: hashes of blocks and segments, segment secrets and IDs. */
#include "core/pccrc.h"

/* Blocks that are hashed together. */
#define TOGETHER 64u

void pn_hash_blocks(const pn_content_crypto_t *crypto, pn_sha2_t algorithm, const uint8_t *bytes,
                    uint32_t length, uint8_t *out) {
  const uint32_t width = pn_sha2_length(algorithm);
  pn_message_t messages[TOGETHER];
  for (uint32_t at = 0; at < length;) {
    uint32_t count = 0;
    for (; count < TOGETHER && at < length; count++) {
      const uint32_t left = length - at;
      messages[count] = (pn_message_t){bytes + at, left < PN_LIMIT_BLOCK ? left : PN_LIMIT_BLOCK};
      at += (uint32_t)messages[count].length;
    }
    crypto->sha2_many(algorithm, messages, count, out, width);
    out += count * width;
  }
}

uint32_t pn_hash_segments(const pn_content_crypto_t *crypto, uint32_t fixed, const uint8_t *bytes,
                          uint32_t length, uint32_t left, bool last, pn_segments_t *out,
                          uint32_t *consumed) {
  pn_message_t messages[TOGETHER];
  uint8_t hashes[TOGETHER][PN_SHA2_LENGTH_MAX];
  uint32_t at = 0, total = 0, count = 0;
  const uint32_t end = length < left ? length : left;
  for (;;) {
    const bool is_over = at == end || total + count == PN_LIMIT_WINDOW_SEGMENTS;
    const uint32_t cut = is_over ? 0 : pn_cut(fixed, bytes + at, end - at, left - at, last);
    if (cut != 0) {
      messages[count] = (pn_message_t){bytes + at, cut};
      out->lengths[total + count] = cut;
      count++;
      at += cut;
    }
    if (count == TOGETHER || cut == 0) {
      crypto->sha2_many(PN_SHA2_512, messages, count, hashes[0], sizeof hashes[0]);
      for (uint32_t i = 0; i < count; i++)
        memcpy(out->hashes[total + i], hashes[i], sizeof out->hashes[0]);
      total += count;
      count = 0;
    }
    if (cut == 0)
      break;
  }
  *consumed = at;
  return total;
}

void pn_hmac(const pn_content_crypto_t *crypto, pn_sha2_t algorithm, const uint8_t *key,
             uint32_t key_length, const uint8_t *data, uint32_t length, uint8_t *out) {
  const uint32_t block = pn_sha2_block(algorithm), width = pn_sha2_length(algorithm);
  uint8_t inner[PN_SHA2_BLOCK_MAX + PN_HMAC_DATA_MAX];
  uint8_t outer[PN_SHA2_BLOCK_MAX + PN_SHA2_LENGTH_MAX];
  for (uint32_t i = 0; i < block; i++) {
    const uint8_t byte = i < key_length ? key[i] : 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  memcpy(inner + block, data, length);
  crypto->sha2(algorithm, inner, block + length, outer + block);
  crypto->sha2(algorithm, outer, block + width, out);
}

void pn_segment_secrets(const pn_content_crypto_t *crypto, pn_sha2_t algorithm, uint32_t length,
                        const uint8_t *server_key, const uint8_t *hashes, uint32_t count,
                        uint8_t *secrets) {
  uint8_t out[PN_SHA2_LENGTH_MAX];
  for (uint32_t i = 0; i < count; i++) {
    pn_hmac(crypto, algorithm, server_key, length, hashes + (size_t)i * length, length, out);
    memcpy(secrets + (size_t)i * length, out, length);
  }
}

void pn_segment_id(const pn_content_crypto_t *crypto, pn_sha2_t algorithm, uint32_t length,
                   const uint8_t *secret, const uint8_t *hash_of_data, uint8_t *id) {
  /* DA-1: "MS_P2P_CACHING" in UTF-16LE with its terminating 0. */
  static const char label[15] = "MS_P2P_CACHING";
  uint8_t data[PN_SHA2_LENGTH_MAX + 2 * sizeof label];
  uint8_t out[PN_SHA2_LENGTH_MAX];
  memcpy(data, hash_of_data, length);
  for (uint32_t i = 0; i < sizeof label; i++) {
    data[length + 2 * i] = (uint8_t)label[i];
    data[length + 2 * i + 1] = 0;
  }
  pn_hmac(crypto, algorithm, secret, length, data, length + 2 * (uint32_t)sizeof label, out);
  memcpy(id, out, length);
}
