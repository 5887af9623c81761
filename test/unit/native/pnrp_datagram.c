/* The codec in C: struct contents, capacities, windows in a slab. What each field may hold is
 * tested from TypeScript (test/unit/wire); here memory is what matters. Inputs are copied into
 * blocks of their exact size, so that AddressSanitizer sees a read of one byte too many. */
#include "check.h"

#include "core/pnrp_datagram.h"

/* LOOKUP with route entry and two endpoints, MS-PNRP 2.2.2.8, by hand; 204 bytes. */
static const char lookup_hex[] =
    "0010000c 5104000b 0000000c 0045000c 0002 0011 08 02 0000 "
    "00380024 0101010101010101010101010101010101010101010101010101010101010101 "
    "00390024 0202020202020202020202020202020202020202020202020202020202020202 "
    "009a003a 0303030303030303030303030303030303030303030303030303030303030303 "
    "0400 0dd4 00 01 20010db8000000000000000000000001 0000 "
    "009e0030 0002 002c 009d 0012 "
    "0dd4 20010db8000000000000000000000001 ffff 20010db8000000000000000000000002";

/* An AUTHORITY whose buffer has a classifier "fish" and a route entry; 28 + 8 + 20 + 60 bytes. */
static const char authority_hex[] =
    "0010000c 51040008 0000000d 00180008 0000000c 00980008 0058 0000 "
    "00400006 0200 0000 "
    "00850014 0004 0010 0084 0002 0066 0069 0073 0068 "
    "009a003a 0303030303030303030303030303030303030303030303030303030303030303 "
    "0400 0dd4 00 01 20010db8000000000000000000000001 0000";

static uint8_t *exact(const uint8_t *bytes, size_t size) {
  uint8_t *copy = malloc(size > 0 ? size : 1);
  if (copy == NULL)
    abort();
  memcpy(copy, bytes, size);
  return copy;
}

PN_TEST(lookup_struct, "a decoded LOOKUP is numbers and offsets, nothing else") {
  uint8_t bytes[256];
  uint32_t size = (uint32_t)pn_check_hex(lookup_hex, bytes, sizeof bytes);
  pn_msg_t msg;
  PN_CHECK_EQ(size, 204);
  PN_CHECK_EQ(pn_msg_decode((pn_bytes_t){bytes, size}, 0, size, &msg), PN_OK);
  PN_CHECK_EQ(msg.type, PN_MESSAGE_LOOKUP);
  PN_CHECK_EQ(msg.message_id, 12);
  PN_CHECK_EQ(msg.flags, PN_LOOKUP_FLAG_A);
  PN_CHECK_EQ(msg.precision, 17);
  PN_CHECK_EQ(msg.criteria, PN_CRITERIA_UPPER_BITS);
  PN_CHECK_EQ(msg.reason, PN_REASON_CACHE_MAINTENANCE);
  PN_CHECK_EQ(msg.target, 28);
  PN_CHECK_EQ(msg.validate, 64);
  PN_CHECK_EQ(msg.present, PN_HAS_ROUTE);
  PN_CHECK_EQ(msg.route.pnrp_id, 100);
  PN_CHECK_EQ(msg.route.port, 3540);
  PN_CHECK_EQ(msg.route.address_count, 1);
  PN_CHECK_EQ(msg.route.addresses, 138);
  PN_CHECK_EQ(msg.entries, 168);
  PN_CHECK_EQ(msg.entry_count, 2);
}

PN_TEST(lookup_encode, "the same struct over the same bytes encodes to them, in exact room") {
  uint8_t bytes[256], out[256];
  uint32_t size = (uint32_t)pn_check_hex(lookup_hex, bytes, sizeof bytes);
  pn_bytes_t source = {bytes, size};
  pn_msg_t msg;
  pn_msg_decode(source, 0, size, &msg);
  PN_CHECK_EQ(pn_msg_length(&msg), size);
  for (uint32_t room = 0; room <= size; room++) {
    memset(out, 0xaa, sizeof out);
    pn_writer_t w = {out, room, 0, PN_OK};
    pn_err_t code = pn_msg_encode(&msg, source, &w);
    PN_CHECK_EQ(code, room < size ? PN_ERR_NO_BUFFER : PN_OK);
    PN_CHECK_EQ(out[room], 0xaa);
  }
  PN_CHECK_BYTES(out, bytes, size);
}

PN_TEST(windows, "datagrams inside a slab have offsets from the slab's start") {
  uint8_t slab[1024] = {0};
  /* also at places that are no multiple of 4: alignment counts from the datagram */
  for (uint32_t start = 0; start < 9; start++) {
    uint32_t size = (uint32_t)pn_check_hex(authority_hex, slab + start, sizeof slab - start);
    pn_bytes_t source = {slab, sizeof slab};
    pn_datagram_t datagram;
    PN_CHECK_EQ(pn_datagram_decode(source, start, size, PN_LOOK_BUFFER, &datagram), PN_OK);
    PN_CHECK_EQ(datagram.msg.bytes, start + 28);
    PN_CHECK((datagram.msg.present & PN_HAS_BUFFER) != 0);
    PN_CHECK_EQ(datagram.authority.flags, PN_AUTHORITY_FLAG_L);
    PN_CHECK_EQ(datagram.authority.classifier, start + 48);
    PN_CHECK_EQ(datagram.authority.classifier_units, 4);
    PN_CHECK_EQ(datagram.authority.route.pnrp_id, start + 60);
    uint8_t out[256];
    pn_writer_t w = {out, sizeof out, 0, PN_OK};
    PN_CHECK_EQ(pn_datagram_encode(&datagram, source, &w), PN_OK);
    PN_CHECK_EQ(w.at, size);
    PN_CHECK_BYTES(out, slab + start, size);
    /* the fault's offset counts from the datagram */
    slab[start + 37] = 0;
    PN_CHECK_EQ(pn_datagram_decode(source, start, size, PN_LOOK_BUFFER, &datagram),
                PN_ERR_UNEXPECTED_FIELD);
    PN_CHECK_EQ(datagram.msg.at, 36);
  }
}

static void every_truncation(const char *hex) {
  uint8_t bytes[256];
  size_t size = pn_check_hex(hex, bytes, sizeof bytes);
  for (size_t length = 0; length < size; length++) {
    uint8_t *cut = exact(bytes, length);
    pn_datagram_t datagram;
    pn_bytes_t source = {cut, (uint32_t)length};
    PN_CHECK(pn_datagram_decode(source, 0, (uint32_t)length, 7, &datagram) != PN_OK);
    PN_CHECK(datagram.msg.at <= length);
    free(cut);
  }
}

PN_TEST(truncations, "no truncation is read past its end") {
  every_truncation(lookup_hex);
  every_truncation(authority_hex);
}

PN_TEST(every_byte, "every value of every byte is decoded, and what is accepted is encoded again") {
  const char *vectors[] = {lookup_hex, authority_hex};
  for (int v = 0; v < 2; v++) {
    uint8_t bytes[256], out[256];
    uint32_t size = (uint32_t)pn_check_hex(vectors[v], bytes, sizeof bytes);
    uint8_t *copy = exact(bytes, size);
    unsigned accepted = 0;
    for (uint32_t at = 0; at < size; at++) {
      for (unsigned value = 0; value < 256; value++) {
        pn_bytes_t source = {copy, size};
        pn_datagram_t datagram;
        copy[at] = (uint8_t)value;
        if (pn_datagram_decode(source, 0, size, 7, &datagram) != PN_OK)
          continue;
        accepted++;
        pn_writer_t w = {out, sizeof out, 0, PN_OK};
        PN_CHECK_EQ(pn_datagram_encode(&datagram, source, &w), PN_OK);
        PN_CHECK_EQ(w.at, size);
      }
      copy[at] = bytes[at];
    }
    PN_CHECK(accepted > 256 * 32);
    free(copy);
  }
}

PN_TEST(headers, "the gate tells the type of a conforming header") {
  uint8_t bytes[256];
  pn_check_hex(lookup_hex, bytes, sizeof bytes);
  PN_CHECK_EQ(pn_hdr_accept((pn_bytes_t){bytes, 12}), PN_MESSAGE_LOOKUP);
  PN_CHECK_EQ(pn_hdr_accept((pn_bytes_t){bytes, 11}), 0);
  PN_CHECK_EQ(pn_hdr_accept((pn_bytes_t){NULL, 0}), 0);
}

PN_TEST(too_long, "nothing longer than a UDP payload is looked at") {
  uint8_t *bytes = calloc(1, 65536);
  pn_msg_t msg;
  if (bytes == NULL)
    abort();
  PN_CHECK_EQ(pn_msg_decode((pn_bytes_t){bytes, 65536}, 0, 65528, &msg), PN_ERR_BAD_LENGTH);
  PN_CHECK_EQ(pn_msg_decode((pn_bytes_t){bytes, 65536}, 0, 65527, &msg), PN_ERR_BAD_HEADER);
  free(bytes);
}

PN_TEST(ports, "N-05 ports of 1024 and below are unusable") {
  PN_CHECK(!pn_port_is_usable(0) && !pn_port_is_usable(1024));
  PN_CHECK(pn_port_is_usable(1025) && pn_port_is_usable(65535));
}

PN_TEST_MAIN()
