/* Expected prints come from an implementation in another language that also gives the SipHash-2-4
 * vector of the paper (a129ca6149be45e5). */
#include "check.h"

#include "core/graph_known.h"

static const uint64_t secret[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

static uint64_t print_of(uint32_t size) {
  uint8_t bytes[16];
  for (unsigned i = 0; i < 16; i++)
    bytes[i] = (uint8_t)(i - 1);
  pn_graph_print_t print = pn_graph_print((pn_bytes_t){bytes, 16}, 1, size, secret);
  return (uint64_t)print.high << 32 | print.low;
}

PN_TEST(vectors, "a print is SipHash-1-3") {
  PN_CHECK(print_of(0) == 0xabac0158050fc4dcu);
  PN_CHECK(print_of(8) == 0x369095118d299a8eu);
  PN_CHECK(print_of(15) == 0xd320d86d2a519956u);
}

PN_TEST(bounds, "what is too long or outside has none") {
  static uint8_t bytes[PN_LIMIT_GRAPH_KNOWN_RECORD + 1];
  pn_bytes_t source = {bytes, sizeof bytes};
  PN_CHECK(print_of(16) == 0);
  PN_CHECK(pn_graph_print(source, 0, sizeof bytes, secret).low == 0);
  PN_CHECK(pn_graph_print(source, 0, sizeof bytes, secret).high == 0);
  PN_CHECK(pn_graph_print(source, UINT32_MAX, 8, secret).low == 0);
  PN_CHECK(pn_graph_print(source, 8, UINT32_MAX, secret).low == 0);
  PN_CHECK(pn_graph_print(source, 1, sizeof bytes - 1, secret).low != 0);
}

static pn_graph_msg_t flood(uint32_t at) {
  pn_graph_msg_t row = {0};
  row.type = PN_GRAPH_MESSAGE_FLOOD;
  row.record.at = at;
  row.record.size = 32;
  return row;
}

PN_TEST(mark, "only FLOODs of sound records that stand in the chunk are marked") {
  static pn_graph_known_t known;
  uint8_t bytes[64];
  for (unsigned i = 0; i < 64; i++)
    bytes[i] = (uint8_t)(i * i);
  pn_bytes_t chunk = {bytes, 64};
  pn_graph_print_t print = pn_graph_print(chunk, 0, 32, secret);
  known.sets[print.low & (PN_LIMIT_GRAPH_KNOWN_SETS - 1)][1] = print;
  pn_graph_msg_t rows[6];
  for (unsigned i = 0; i < 6; i++)
    rows[i] = flood(i == 1 ? 1 : 0);
  rows[2].code = PN_ERR_BAD_TEXT;
  rows[3].memory = 1;
  rows[4].type = PN_GRAPH_MESSAGE_ACK;
  rows[5].record.size = 65;
  pn_graph_known_mark(&known, secret, chunk, rows, 6);
  PN_CHECK_EQ(rows[0].value, 1);
  PN_CHECK(rows[0].print.low == print.low && rows[0].print.high == print.high);
  for (unsigned i = 1; i < 6; i++)
    PN_CHECK_EQ(rows[i].value, 0);
  PN_CHECK(rows[1].print.low != 0);
  PN_CHECK_EQ(rows[3].print.low, 0);
}

PN_TEST_MAIN()
