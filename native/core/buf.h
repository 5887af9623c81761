/* Bounds-checked reading and writing. The only file of the core that dereferences into bytes from
 * outside: everything else holds offsets. A reader or writer that failed stays failed and keeps
 * its first code; further reads give 0. */
#ifndef PN_BUF_H
#define PN_BUF_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that somebody else owns. */
typedef struct {
  const uint8_t *base;
  uint32_t size;
} pn_bytes_t;

typedef struct {
  const uint8_t *base;
  uint32_t origin; /* where the message or buffer starts; alignment counts from here */
  uint32_t end;    /* one past its last byte */
  uint32_t at;
  uint32_t code; /* pn_err_t */
  uint32_t failed_at;
} pn_reader_t;

typedef struct {
  uint8_t *base;
  uint32_t size;
  uint32_t at;
  uint32_t code; /* pn_err_t */
} pn_writer_t;

/* ---- reading ---- */

/* Fails with TRUNCATED at once when start and length leave the bytes. */
static inline pn_reader_t pn_reader_over(pn_bytes_t bytes, uint32_t start, uint32_t length) {
  pn_reader_t r = {bytes.base, start, start + length, start, PN_OK, 0};
  if (start > bytes.size || length > bytes.size - start) {
    r.end = start;
    r.code = PN_ERR_TRUNCATED;
    r.failed_at = start;
  }
  return r;
}

/* Records the first failure; always false, so that callers can return it. */
static inline bool pn_reader_fail(pn_reader_t *r, pn_err_t code, uint32_t at) {
  if (r->code == PN_OK) {
    r->code = code;
    r->failed_at = at;
    r->at = r->end;
  }
  return false;
}

static inline bool pn_reader_ok(const pn_reader_t *r) {
  return r->code == PN_OK;
}

static inline uint32_t pn_reader_left(const pn_reader_t *r) {
  return r->end - r->at;
}

static inline uint32_t pn_reader_take(pn_reader_t *r, uint32_t length, bool *has) {
  uint32_t at = r->at;
  *has = length <= r->end - at;
  if (*has)
    r->at = at + length;
  else
    pn_reader_fail(r, PN_ERR_TRUNCATED, at);
  return at;
}

static inline uint32_t pn_load_be16(const uint8_t *p) {
  return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t pn_load_be32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t pn_load_be64(const uint8_t *p) {
  return (uint64_t)pn_load_be32(p) << 32 | pn_load_be32(p + 4);
}

static inline uint32_t pn_load_le16(const uint8_t *p) {
  return (uint32_t)p[1] << 8 | p[0];
}

static inline uint32_t pn_load_le32(const uint8_t *p) {
  return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint64_t pn_load_le64(const uint8_t *p) {
  return (uint64_t)pn_load_le32(p + 4) << 32 | pn_load_le32(p);
}

static inline uint32_t pn_read_u8(pn_reader_t *r) {
  bool has;
  uint32_t at = pn_reader_take(r, 1, &has);
  return has ? r->base[at] : 0;
}

static inline uint32_t pn_read_be16(pn_reader_t *r) {
  bool has;
  uint32_t at = pn_reader_take(r, 2, &has);
  return has ? pn_load_be16(r->base + at) : 0;
}

static inline uint32_t pn_read_be32(pn_reader_t *r) {
  bool has;
  uint32_t at = pn_reader_take(r, 4, &has);
  return has ? pn_load_be32(r->base + at) : 0;
}

static inline uint32_t pn_read_le16(pn_reader_t *r) {
  bool has;
  uint32_t at = pn_reader_take(r, 2, &has);
  return has ? pn_load_le16(r->base + at) : 0;
}

static inline uint32_t pn_read_le32(pn_reader_t *r) {
  bool has;
  uint32_t at = pn_reader_take(r, 4, &has);
  return has ? pn_load_le32(r->base + at) : 0;
}

static inline uint64_t pn_read_le64(pn_reader_t *r) {
  bool has;
  uint32_t at = pn_reader_take(r, 8, &has);
  return has ? pn_load_le64(r->base + at) : 0;
}

/* Passes over a field; its offset, for those who want the bytes. */
static inline uint32_t pn_read_span(pn_reader_t *r, uint32_t length) {
  bool has;
  uint32_t at = pn_reader_take(r, length, &has);
  return has ? at : 0;
}

/* The next 4 bytes without passing over them, big-endian; 0 when fewer are left. */
static inline uint32_t pn_peek_be32(const pn_reader_t *r) {
  return pn_reader_left(r) >= 4 ? pn_load_be32(r->base + r->at) : 0;
}

/* Looks back into bytes already passed over (at + length <= r->at); false when it is not so. */
static inline bool pn_reader_equals(const pn_reader_t *r, uint32_t at, const void *bytes,
                                    uint32_t length) {
  return at <= r->at && length <= r->at - at && memcmp(r->base + at, bytes, length) == 0;
}

static inline uint32_t pn_reader_byte(const pn_reader_t *r, uint32_t at) {
  return at < r->at ? r->base[at] : 0;
}

/* A UTF-16 unit already passed over; 0 when it is not so. */
static inline uint32_t pn_reader_unit(const pn_reader_t *r, uint32_t at, uint32_t little) {
  if (at > r->at || r->at - at < 2)
    return 0;
  return little != 0 ? pn_load_le16(r->base + at) : pn_load_be16(r->base + at);
}

/* Numbers already passed over; 0 when it is not so. */
static inline uint32_t pn_reader_be16(const pn_reader_t *r, uint32_t at) {
  return pn_reader_unit(r, at, 0);
}

static inline uint32_t pn_reader_be32(const pn_reader_t *r, uint32_t at) {
  return at > r->at || r->at - at < 4 ? 0 : pn_load_be32(r->base + at);
}

static inline uint64_t pn_reader_be64(const pn_reader_t *r, uint32_t at) {
  return at > r->at || r->at - at < 8 ? 0 : pn_load_be64(r->base + at);
}

bool pn_reader_is_zero(const pn_reader_t *r, uint32_t at, uint32_t length);

/* ---- writing ---- */

static inline uint8_t *pn_writer_take(pn_writer_t *w, uint32_t length) {
  uint32_t at = w->at;
  if (length > w->size - at) {
    if (w->code == PN_OK)
      w->code = PN_ERR_NO_BUFFER;
    w->size = at; /* nothing fits any more */
    return NULL;
  }
  w->at = at + length;
  return w->base + at;
}

static inline void pn_write_u8(pn_writer_t *w, uint32_t value) {
  uint8_t *p = pn_writer_take(w, 1);
  if (p != NULL)
    p[0] = (uint8_t)value;
}

static inline void pn_write_be16(pn_writer_t *w, uint32_t value) {
  uint8_t *p = pn_writer_take(w, 2);
  if (p == NULL)
    return;
  p[0] = (uint8_t)(value >> 8);
  p[1] = (uint8_t)value;
}

static inline void pn_write_be32(pn_writer_t *w, uint32_t value) {
  uint8_t *p = pn_writer_take(w, 4);
  if (p == NULL)
    return;
  p[0] = (uint8_t)(value >> 24);
  p[1] = (uint8_t)(value >> 16);
  p[2] = (uint8_t)(value >> 8);
  p[3] = (uint8_t)value;
}

static inline void pn_write_le16(pn_writer_t *w, uint32_t value) {
  uint8_t *p = pn_writer_take(w, 2);
  if (p == NULL)
    return;
  p[0] = (uint8_t)value;
  p[1] = (uint8_t)(value >> 8);
}

static inline void pn_write_le32(pn_writer_t *w, uint32_t value) {
  uint8_t *p = pn_writer_take(w, 4);
  if (p == NULL)
    return;
  p[0] = (uint8_t)value;
  p[1] = (uint8_t)(value >> 8);
  p[2] = (uint8_t)(value >> 16);
  p[3] = (uint8_t)(value >> 24);
}

static inline void pn_write_zeros(pn_writer_t *w, uint32_t length) {
  uint8_t *p = pn_writer_take(w, length);
  if (p != NULL)
    memset(p, 0, length);
}

static inline void pn_write_bytes(pn_writer_t *w, const void *bytes, uint32_t length) {
  uint8_t *p = pn_writer_take(w, length);
  if (p != NULL)
    memcpy(p, bytes, length);
}

/* Copies a field from the source; OUT_OF_SOURCE when it does not lie inside. The output may not
 * overlap the source. */
static inline void pn_write_span(pn_writer_t *w, pn_bytes_t source, uint32_t at, uint32_t length) {
  if (at > source.size || length > source.size - at) {
    if (w->code == PN_OK)
      w->code = PN_ERR_OUT_OF_SOURCE;
    return;
  }
  uint8_t *p = pn_writer_take(w, length);
  if (p != NULL && length > 0)
    memcpy(p, source.base + at, length);
}

#ifdef __cplusplus
}
#endif

#endif
