#include "check.h"

#include "core/buf.h"

static const uint8_t bytes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06};
static const pn_bytes_t all = {bytes, sizeof bytes};

PN_TEST(reads_both_orders, "numbers are read in both byte orders") {
  pn_reader_t r = pn_reader_over(all, 0, 6);
  PN_CHECK_EQ(pn_read_be16(&r), 0x0102);
  PN_CHECK_EQ(pn_read_be32(&r), 0x03040506);
  PN_CHECK(pn_reader_ok(&r) && pn_reader_left(&r) == 0);
  r = pn_reader_over(all, 1, 5);
  PN_CHECK_EQ(pn_read_le16(&r), 0x0302);
  PN_CHECK_EQ(pn_read_u8(&r), 0x04);
  r = pn_reader_over(all, 2, 4);
  PN_CHECK_EQ(pn_read_le32(&r), 0x06050403);
}

PN_TEST(fails_once, "a reader that ran out stays failed, keeps its place and gives zeros") {
  pn_reader_t r = pn_reader_over(all, 0, 3);
  PN_CHECK_EQ(pn_read_be16(&r), 0x0102);
  PN_CHECK_EQ(pn_read_be16(&r), 0);
  PN_CHECK_EQ(r.code, PN_ERR_TRUNCATED);
  PN_CHECK_EQ(r.failed_at, 2);
  PN_CHECK_EQ(pn_read_u8(&r), 0); /* although a byte would be left */
  PN_CHECK(!pn_reader_fail(&r, PN_ERR_BAD_VALUE, 0));
  PN_CHECK_EQ(r.code, PN_ERR_TRUNCATED);
}

PN_TEST(window_outside, "a window outside the bytes fails before anything is read") {
  const uint32_t windows[][2] = {{0, 7}, {7, 0}, {6, 1}, {1, UINT32_MAX}, {UINT32_MAX, 1}};
  for (unsigned i = 0; i < sizeof windows / sizeof windows[0]; i++) {
    pn_reader_t r = pn_reader_over(all, windows[i][0], windows[i][1]);
    PN_CHECK_EQ(r.code, PN_ERR_TRUNCATED);
    PN_CHECK_EQ(pn_reader_left(&r), 0);
    PN_CHECK_EQ(pn_read_u8(&r), 0);
  }
  pn_reader_t empty = pn_reader_over((pn_bytes_t){NULL, 0}, 0, 0);
  PN_CHECK(pn_reader_ok(&empty));
}

PN_TEST(looks_back, "looking back stays inside what was passed over") {
  pn_reader_t r = pn_reader_over(all, 0, 6);
  pn_read_be32(&r);
  PN_CHECK(pn_reader_equals(&r, 1, bytes + 1, 3));
  PN_CHECK(!pn_reader_equals(&r, 1, bytes + 1, 4));
  PN_CHECK(!pn_reader_equals(&r, 5, bytes + 5, 0));
  PN_CHECK_EQ(pn_reader_byte(&r, 3), 4);
  PN_CHECK_EQ(pn_reader_byte(&r, 4), 0);
  PN_CHECK(!pn_reader_is_zero(&r, 0, 1));
  PN_CHECK(pn_reader_is_zero(&r, 6, 0));
  PN_CHECK(!pn_reader_is_zero(&r, 6, 1));
}

PN_TEST(writes, "numbers are written in both byte orders, and nothing beyond the end") {
  uint8_t out[8] = {0};
  pn_writer_t w = {out, 7, 0, PN_OK};
  pn_write_be16(&w, 0x0102);
  pn_write_le16(&w, 0x0102);
  pn_write_u8(&w, 0xff);
  const uint8_t expected[] = {1, 2, 2, 1, 0xff};
  PN_CHECK_BYTES(out, expected, 5);
  pn_write_be32(&w, 0xffffffff);
  PN_CHECK_EQ(w.code, PN_ERR_NO_BUFFER);
  pn_write_u8(&w, 9); /* would fit, but the failure stays */
  PN_CHECK_EQ(w.at, 5);
  PN_CHECK_EQ(out[5], 0);
}

PN_TEST(span_outside, "a field outside the source is not copied") {
  uint8_t out[8] = {0};
  const uint32_t spans[][2] = {{0, 7}, {7, 0}, {6, 1}, {UINT32_MAX, 1}, {1, UINT32_MAX}};
  for (unsigned i = 0; i < sizeof spans / sizeof spans[0]; i++) {
    pn_writer_t w = {out, sizeof out, 0, PN_OK};
    pn_write_span(&w, all, spans[i][0], spans[i][1]);
    PN_CHECK_EQ(w.code, PN_ERR_OUT_OF_SOURCE);
    PN_CHECK_EQ(w.at, 0);
  }
  pn_writer_t w = {out, sizeof out, 0, PN_OK};
  pn_write_span(&w, all, 6, 0);
  pn_write_span(&w, all, 4, 2);
  PN_CHECK(w.code == PN_OK && w.at == 2 && out[1] == 6);
}

PN_TEST(names_codes, "every code has a stable name and a sentence") {
  for (uint32_t code = 0; code < PN_ERR_COUNT; code++) {
    PN_CHECK(pn_err_code(code) != NULL);
    PN_CHECK(pn_err_text(code) != NULL && strlen(pn_err_text(code)) > 5);
  }
  PN_CHECK(strcmp(pn_err_code(PN_ERR_TRUNCATED), "ERR_PEERNET_TRUNCATED") == 0);
  PN_CHECK(pn_err_code(PN_ERR_COUNT) == NULL);
}

PN_TEST_MAIN()
