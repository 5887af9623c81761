/* A stream of frames cut into chunks: what comes out does not depend on the cuts. The first byte of
 * an input says how it is read, the second how it is cut; the rest is the stream. */
#include "support/graph.h"

#include "core/graph_known.h"

#define ROOM 70000u
#define ROWS 64u

static const uint32_t max_frames[4] = {16379, 32768, 64, 7};

/* What a run gave: a hash of all rows and bytes, how many there were, and how it ended. */
typedef struct {
  uint64_t hash;
  uint32_t count;
  uint32_t code;
} result_t;

static void mix(result_t *result, uint64_t value) {
  result->hash = (result->hash ^ value) * 0x100000001b3u;
}

static void take(result_t *result, pn_bytes_t source, const pn_graph_msg_t *row) {
  result->count++;
  mix(result, row->type);
  mix(result, row->code);
  mix(result, row->size);
  PN_ASSERT(row->at <= source.size && row->size <= source.size - row->at);
  for (uint32_t i = 0; i < row->size; i++)
    mix(result, source.base[row->at + i]);
  if (row->type != 0)
    fuzz_read_message(source, row);
}

/* Lends less than what is needed at first, so that memory grows on the way. */
static void lend(pn_graph_stream_t *stream, pn_graph_memory_t *memory, uint8_t *areas[2],
                 uint32_t *which) {
  uint32_t room = stream->need;
  if (stream->have < 100 && room > 100)
    room = 100;
  PN_ASSERT(room > stream->have && room <= ROOM - 2);
  uint8_t *next = areas[ *which ^= 1];
  if (stream->have > 0)
    memcpy(next + 2, memory->base + stream->offset, stream->have);
  memory->base = next;
  memory->size = room + 2;
  stream->offset = 2;
  stream->room = room;
}

/* Records that stand twice in a chunk, or in two of a run, are known the second time. */
static void recognise(pn_bytes_t chunk, pn_graph_msg_t *rows, uint32_t count) {
  static pn_graph_known_t known;
  static const uint64_t secret[2] = {1, 2};
  pn_graph_known_mark(&known, secret, chunk, rows, count);
  for (uint32_t i = 0; i < count; i++) {
    pn_graph_print_t print = rows[i].print;
    if (rows[i].type != PN_GRAPH_MESSAGE_FLOOD || (print.low == 0 && print.high == 0))
      continue;
    known.sets[print.low & (PN_LIMIT_GRAPH_KNOWN_SETS - 1)][0] = print;
    rows[i].value = 0;
    pn_graph_known_mark(&known, secret, chunk, &rows[i], 1);
    PN_ASSERT(rows[i].value == 1);
  }
}

static void drain(pn_graph_stream_t *stream, pn_bytes_t chunk, pn_graph_memory_t *memory,
                  uint8_t *areas[2], uint32_t *which, result_t *result) {
  static pn_graph_msg_t rows[ROWS];
  stream->at = 0;
  for (;;) {
    uint32_t count = pn_graph_stream_scan(stream, chunk, *memory, rows, ROWS);
    PN_ASSERT(count <= ROWS && stream->at <= chunk.size && stream->code < PN_ERR_COUNT);
    recognise(chunk, rows, count);
    for (uint32_t i = 0; i < count; i++) {
      PN_ASSERT(rows[i].memory == 0 || i == 0);
      pn_bytes_t gathered = {memory->base, memory->size};
      take(result, rows[i].memory != 0 ? gathered : chunk, &rows[i]);
    }
    if (count > 0)
      continue;
    if (stream->code != PN_OK || stream->need == 0)
      return;
    lend(stream, memory, areas, which);
  }
}

static result_t run(const uint8_t *data, uint32_t size, uint8_t how, uint32_t step) {
  static uint8_t one[ROOM], other[ROOM];
  uint8_t *areas[2] = {one, other};
  uint32_t which = 0;
  pn_graph_memory_t memory = {NULL, 0};
  pn_graph_stream_t stream = {0};
  result_t result = {0xcbf29ce484222325u, 0, PN_OK};
  stream.mode = how % 3;
  stream.max_frame = max_frames[how >> 2 & 3];
  stream.max_message = 65536;
  stream.graph = fuzz_graph(how >> 4 & 1);
  for (uint32_t at = 0; at < size && stream.code == PN_OK; at += step) {
    uint32_t length = step < size - at ? step : size - at;
    drain(&stream, (pn_bytes_t){data + at, length}, &memory, areas, &which, &result);
    PN_ASSERT(stream.code != PN_OK || stream.at == length);
  }
  result.code = stream.code;
  return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2 || size > 65536)
    return 0;
  uint32_t length = (uint32_t)size - 2;
  result_t whole = run(data + 2, length, data[0], length + 1);
  result_t bytes = run(data + 2, length, data[0], 1);
  result_t parts = run(data + 2, length, data[0], 1 + data[1]);
  PN_ASSERT(whole.count == bytes.count && whole.count == parts.count);
  PN_ASSERT(whole.hash == bytes.hash && whole.hash == parts.hash);
  PN_ASSERT(whole.code == bytes.code && whole.code == parts.code);
  return 0;
}
