#include "core/graph_known.h"

typedef struct {
  uint64_t a, b, c, d;
} sip_t;

static inline uint64_t turned(uint64_t x, uint32_t bits) {
  return x << bits | x >> (64 - bits);
}

static inline void sip_round(sip_t *s) {
  s->a += s->b;
  s->c += s->d;
  s->b = turned(s->b, 13) ^ s->a;
  s->d = turned(s->d, 16) ^ s->c;
  s->a = turned(s->a, 32);
  s->c += s->b;
  s->a += s->d;
  s->b = turned(s->b, 17) ^ s->c;
  s->d = turned(s->d, 21) ^ s->a;
  s->c = turned(s->c, 32);
}

static inline void sip_take(sip_t *s, uint64_t word) {
  s->d ^= word;
  sip_round(s);
  s->a ^= word;
}

/* SipHash-1-3 (Aumasson and Bernstein): one round a word, three at the end. */
static uint64_t sip_hash(pn_reader_t *r, const uint64_t secret[2]) {
  sip_t s = {secret[0] ^ 0x736f6d6570736575u, secret[1] ^ 0x646f72616e646f6du,
             secret[0] ^ 0x6c7967656e657261u, secret[1] ^ 0x7465646279746573u};
  uint64_t last = (uint64_t)pn_reader_left(r) << 56;
  while (pn_reader_left(r) >= 8)
    sip_take(&s, pn_read_le64(r));
  for (uint32_t i = 0; pn_reader_left(r) > 0; i++)
    last |= (uint64_t)pn_read_u8(r) << (8 * i);
  sip_take(&s, last);
  s.c ^= 0xff;
  for (uint32_t i = 0; i < 3; i++)
    sip_round(&s);
  return s.a ^ s.b ^ s.c ^ s.d;
}

pn_graph_print_t pn_graph_print(pn_bytes_t source, uint32_t at, uint32_t size,
                                const uint64_t secret[2]) {
  pn_graph_print_t print = {0, 0};
  pn_reader_t r = pn_reader_over(source, at, size);
  if (!pn_reader_ok(&r) || size > PN_LIMIT_GRAPH_KNOWN_RECORD)
    return print;
  uint64_t hash = sip_hash(&r, secret);
  print.low = (uint32_t)hash;
  print.high = (uint32_t)(hash >> 32);
  if (hash == 0)
    print.high = 1;
  return print;
}

static bool same(pn_graph_print_t one, pn_graph_print_t other) {
  return one.low == other.low && one.high == other.high;
}

static uint32_t set_of(pn_graph_print_t print) {
  return print.low & (PN_LIMIT_GRAPH_KNOWN_SETS - 1);
}

static bool is_none(pn_graph_print_t print) {
  return print.low == 0 && print.high == 0;
}

void pn_graph_known_mark(const pn_graph_known_t *known, const uint64_t secret[2], pn_bytes_t chunk,
                         pn_graph_msg_t *rows, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    pn_graph_msg_t *row = &rows[i];
    if (row->type != PN_GRAPH_MESSAGE_FLOOD || row->code != PN_OK || row->memory != 0)
      continue;
    row->print = pn_graph_print(chunk, row->record.at, row->record.size, secret);
    const pn_graph_print_t *set = known->sets[set_of(row->print)];
    row->value = !is_none(row->print) && (same(set[0], row->print) || same(set[1], row->print));
  }
}
