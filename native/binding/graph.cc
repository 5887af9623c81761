// The graph codec for JavaScript: argument checks, core calls, integers out. The façade in
// lib/native/graph.ts is the only caller.
//
// `graphRows` is the table that scans fill; single calls use its first row (one message, record or
// payload as 32-bit words), `graphSource` and `graphOutput`. A call returns 0, a count or a length
// when it succeeds, and -pn_err_t when it does not.
#include "binding/call.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <random>

#include "core/graph_known.h"
#include "core/graph_payload.h"
#include "core/graph_stream.h"
#include "core/limits.h"

namespace peernet {
namespace {

struct GraphSlab {
  union {
    pn_graph_msg_t rows[PN_LIMIT_GRAPH_ROWS];
    pn_graph_info_t info;
    pn_graph_node_t node;
    pn_graph_text_t text;
  };
  uint8_t source[PN_LIMIT_GRAPH_SOURCE];
  uint8_t output[PN_LIMIT_GRAPH_SOURCE];
};

// Of the prints of records, for as long as the process lives.
const uint64_t *Secret() {
  static const std::array<uint64_t, 2> secret = [] {
    std::random_device device;
    auto word = [&device] { return static_cast<uint64_t>(device()) << 32 | device(); };
    return std::array<uint64_t, 2>{word(), word()};
  }();
  return secret.data();
}

constexpr size_t kWord = sizeof(uint32_t);
constexpr uint32_t kRowWords = sizeof(pn_graph_msg_t) / kWord;
constexpr uint32_t kStreamWords = sizeof(pn_graph_stream_t) / kWord;

struct GraphCall : Call {
  GraphSlab *slab;

  GraphCall(napi_env env_, napi_callback_info info)
      : Call(env_, info), slab(static_cast<GraphSlab *>(data)) {}

  pn_bytes_t Source(size_t index) { return BytesOr(index, slab->source, sizeof slab->source); }

  pn_graph_stream_t *Stream(size_t index) {
    size_t words = 0;
    auto *stream = Array<pn_graph_stream_t>(index, napi_int32_array, &words);
    if (words < kStreamWords)
      good = false;
    return stream;
  }

  // Bytes to write into from an offset on; without the argument, the slab's.
  pn_writer_t Writer(size_t index, uint32_t at) {
    if (!Has(index))
      return {slab->output, sizeof slab->output, 0, PN_OK};
    size_t length = 0;
    uint8_t *bytes = Array<uint8_t>(index, napi_uint8_array, &length);
    if (at > length)
      good = false;
    return {bytes, static_cast<uint32_t>(length), at, PN_OK};
  }

  uint32_t Order(size_t index) {
    uint32_t order = Uint(index);
    if (order > PN_GRAPH_LITTLE_ENDIAN)
      good = false;
    return order;
  }
};

// graphScan(chunk, stream, assembly?, known?): how many rows were filled
napi_value Scan(napi_env env, napi_callback_info info) {
  GraphCall call(env, info);
  pn_bytes_t chunk = call.Bytes(0);
  pn_graph_stream_t *stream = call.Stream(1);
  pn_graph_memory_t assembly = {nullptr, 0};
  if (call.Has(2)) {
    size_t length = 0;
    assembly.base = call.Array<uint8_t>(2, napi_uint8_array, &length);
    assembly.size = static_cast<uint32_t>(length);
  }
  const pn_graph_known_t *known = nullptr;
  if (call.Has(3)) {
    size_t words = 0;
    known = call.Array<pn_graph_known_t>(3, napi_int32_array, &words);
    if (words < sizeof *known / kWord)
      call.good = false;
  }
  if (!call.good)
    return call.Misuse("graphScan: bytes, the words of a stream, bytes and words are wanted");
  uint32_t count =
      pn_graph_stream_scan(stream, chunk, assembly, call.slab->rows, PN_LIMIT_GRAPH_ROWS);
  if (known != nullptr)
    pn_graph_known_mark(known, Secret(), chunk, call.slab->rows, count);
  return call.Number(static_cast<int32_t>(count));
}

// graphPrint(record): into the first row
napi_value Print(napi_env env, napi_callback_info info) {
  GraphCall call(env, info);
  pn_bytes_t bytes = call.Bytes(0);
  if (!call.good)
    return call.Misuse("graphPrint: bytes are wanted");
  call.slab->rows[0].print = pn_graph_print(bytes, 0, bytes.size, Secret());
  return call.Number(0);
}

// graphDecodeRecord(bytes, stream): the stream's graph is the one wanted
napi_value DecodeRecord(napi_env env, napi_callback_info info) {
  GraphCall call(env, info);
  pn_bytes_t bytes = call.Bytes(0);
  const pn_graph_stream_t *stream = call.Stream(1);
  if (!call.good)
    return call.Misuse("graphDecodeRecord: bytes and the words of a stream are wanted");
  return call.Outcome(
      pn_graph_record_decode(bytes, 0, bytes.size, &stream->graph, &call.slab->rows[0].record), 0);
}

// graphEncodeMessage(source, body?, out?): without `out` into graphOutput
napi_value EncodeMessage(napi_env env, napi_callback_info info) {
  GraphCall call(env, info);
  pn_bytes_t source = call.Source(0);
  pn_bytes_t body = call.Has(1) ? call.Bytes(1) : pn_bytes_t{nullptr, 0};
  pn_writer_t writer = call.Writer(2, 0);
  if (!call.good)
    return call.Misuse("graphEncodeMessage: bytes are wanted");
  pn_err_t code = pn_graph_msg_encode(&call.slab->rows[0], source, body, &writer);
  return call.Outcome(code, writer.at);
}

// graphEncodeRecord(texts, security, payload, out, at, order): graphOutput has type, ID and times
napi_value EncodeRecord(napi_env env, napi_callback_info info) {
  GraphCall call(env, info);
  uint32_t at = call.Uint(4), order = call.Order(5);
  pn_graph_record_parts_t parts = {
      {call.slab->output, 56}, call.Source(0), call.Bytes(1), call.Bytes(2)};
  pn_writer_t writer = call.Writer(3, at);
  if (!call.good || !call.Has(3))
    return call.Misuse("graphEncodeRecord: four times bytes and two numbers are wanted");
  pn_err_t code = pn_graph_record_encode(&call.slab->rows[0].record, &parts, order, &writer);
  return call.Outcome(code, writer.at - at);
}

// graphDecodeInfo(input, order)
napi_value DecodeInfo(napi_env env, napi_callback_info info) {
  GraphCall call(env, info);
  pn_bytes_t input = call.Source(0);
  uint32_t order = call.Order(1);
  if (!call.good)
    return call.Misuse("graphDecodeInfo: bytes and a number are wanted");
  return call.Outcome(pn_graph_info_decode(input, order, &call.slab->info), 0);
}

// graphDecodeNode(input, kind, order)
napi_value DecodeNode(napi_env env, napi_callback_info info) {
  GraphCall call(env, info);
  pn_bytes_t input = call.Source(0);
  uint32_t kind = call.Uint(1), order = call.Order(2);
  if (!call.good)
    return call.Misuse("graphDecodeNode: bytes and two numbers are wanted");
  return call.Outcome(pn_graph_node_decode(input, kind, order, &call.slab->node), 0);
}

// graphDecodeAddressEx(input)
napi_value DecodeAddressEx(napi_env env, napi_callback_info info) {
  GraphCall call(env, info);
  pn_bytes_t input = call.Source(0);
  if (!call.good)
    return call.Misuse("graphDecodeAddressEx: bytes are wanted");
  return call.Outcome(pn_graph_address_ex_decode(input, &call.slab->text), 0);
}

// graphEncodeInfo(source, order)
napi_value EncodeInfo(napi_env env, napi_callback_info info) {
  GraphCall call(env, info);
  pn_bytes_t source = call.Source(0);
  uint32_t order = call.Order(1);
  pn_writer_t writer = call.Writer(2, 0);
  if (!call.good)
    return call.Misuse("graphEncodeInfo: bytes and a number are wanted");
  pn_err_t code = pn_graph_info_encode(&call.slab->info, source, order, &writer);
  return call.Outcome(code, writer.at);
}

// graphEncodeNode(source, kind, order, out?)
napi_value EncodeNode(napi_env env, napi_callback_info info) {
  GraphCall call(env, info);
  pn_bytes_t source = call.Source(0);
  uint32_t kind = call.Uint(1), order = call.Order(2);
  pn_writer_t writer = call.Writer(3, 0);
  if (!call.good)
    return call.Misuse("graphEncodeNode: bytes and two numbers are wanted");
  pn_err_t code = pn_graph_node_encode(&call.slab->node, source, kind, order, &writer);
  return call.Outcome(code, writer.at);
}

// graphEncodeAddressEx(source)
napi_value EncodeAddressEx(napi_env env, napi_callback_info info) {
  GraphCall call(env, info);
  pn_bytes_t source = call.Source(0);
  pn_writer_t writer = call.Writer(1, 0);
  if (!call.good)
    return call.Misuse("graphEncodeAddressEx: bytes are wanted");
  pn_err_t code = pn_graph_address_ex_encode(&call.slab->text, source, &writer);
  return call.Outcome(code, writer.at);
}

// For the test that lib/native/graph.ts agrees with the structs.
napi_value Layout(napi_env env) {
  Napi::Object layout = Napi::Object::New(env);
#define WORD(type, part, field)                                                                    \
  layout.Set(#part "." #field, static_cast<double>(offsetof(type, field) / kWord));
#include "binding/graph_layout.def"
#undef WORD
  layout.Set("row", static_cast<double>(kRowWords));
  layout.Set("stream", static_cast<double>(kStreamWords));
  layout.Set("known", static_cast<double>(sizeof(pn_graph_known_t) / kWord));
  return layout;
}

} // namespace

void InitGraph(Napi::Env env, Napi::Object exports) {
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, sizeof(GraphSlab));
  std::memset(buffer.Data(), 0, sizeof(GraphSlab));
  InstanceData::Of(env).graph_slab = Napi::Persistent(buffer);
  exports.Set("graphRows", Napi::Int32Array::New(env, kRowWords * PN_LIMIT_GRAPH_ROWS, buffer, 0));
  exports.Set("graphSource", Napi::Uint8Array::New(env, PN_LIMIT_GRAPH_SOURCE, buffer,
                                                   offsetof(GraphSlab, source)));
  exports.Set("graphOutput", Napi::Uint8Array::New(env, PN_LIMIT_GRAPH_SOURCE, buffer,
                                                   offsetof(GraphSlab, output)));
  exports.Set("graphLayout", Napi::Value(env, Layout(env)));
  const ExportedFunction functions[] = {
      {"graphScan", Scan},
      {"graphPrint", Print},
      {"graphDecodeRecord", DecodeRecord},
      {"graphEncodeMessage", EncodeMessage},
      {"graphEncodeRecord", EncodeRecord},
      {"graphDecodeInfo", DecodeInfo},
      {"graphDecodeNode", DecodeNode},
      {"graphDecodeAddressEx", DecodeAddressEx},
      {"graphEncodeInfo", EncodeInfo},
      {"graphEncodeNode", EncodeNode},
      {"graphEncodeAddressEx", EncodeAddressEx},
  };
  ExportAll(env, exports, buffer.Data(), functions);
}

} // namespace peernet
