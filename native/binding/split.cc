// Reassembly for JavaScript. Its state is a block of bytes that JavaScript owns and gives with each
// call; the façade lib/native/split.ts keeps it to itself, so it is what pn_split_init made.
#include "binding/codec.h"

#include <cstring>

namespace peernet {
namespace {

// Argument 0: a block that splitInit prepared.
pn_split_t *State(CodecCall *call) {
  size_t length = 0;
  auto *memory = call->Array<uint8_t>(0, napi_uint8_array, &length);
  pn_split_t *split = pn_split_at(memory, static_cast<uint32_t>(length));
  if (split == nullptr)
    call->good = false;
  return split;
}

// splitBytes(contexts, slots)
napi_value Bytes(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  uint32_t contexts = call.Uint(0), slots = call.Uint(1);
  if (!call.good)
    return call.Misuse("splitBytes: two numbers are wanted");
  return call.Number(static_cast<int32_t>(pn_split_bytes(contexts, slots)));
}

// splitInit(memory, contexts, slots, perSource, slotsPerAddress)
napi_value Init(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  size_t length = 0;
  void *memory = call.Array<uint8_t>(0, napi_uint8_array, &length);
  uint32_t contexts = call.Uint(1), slots = call.Uint(2), per_source = call.Uint(3);
  uint32_t slots_per_address = call.Uint(4);
  uint32_t wanted = pn_split_bytes(contexts, slots);
  if (!call.good || wanted == 0 || length < wanted ||
      reinterpret_cast<uintptr_t>(memory) % alignof(uint32_t) != 0)
    return call.Misuse("splitInit: a block of splitBytes bytes and four numbers are wanted");
  pn_split_init(memory, contexts, slots, per_source, slots_per_address);
  return nullptr;
}

// splitAccept(memory, sliceLength, messageId, ackedMessageId, size, offset): the source array holds
// the sender's endpoint (18 bytes), then the slice. The length of the completed buffer, which is in
// the output array; 0 while fragments are missing; -pn_err_t when this one was dropped.
napi_value Accept(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  pn_split_t *split = State(&call);
  pn_fragment_t fragment;
  uint32_t length = call.Uint(1);
  fragment.message_id = call.Uint(2);
  fragment.acked_message_id = call.Uint(3);
  fragment.size = call.Uint(4);
  fragment.offset = call.Uint(5);
  if (!call.good || length > PN_LIMIT_UDP_PAYLOAD)
    return call.Misuse("splitAccept: a block and five numbers are wanted");
  std::memcpy(fragment.source, call.slab->source, sizeof fragment.source);
  fragment.slice = {call.slab->source + sizeof fragment.source, length};
  uint32_t complete = 0;
  pn_err_t code = pn_split_accept(split, &fragment, call.slab->output, &complete);
  return call.Outcome(code, complete);
}

// splitDrop(memory, ackedMessageId): how many contexts are left
napi_value Drop(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  pn_split_t *split = State(&call);
  uint32_t acked_message_id = call.Uint(1);
  if (!call.good)
    return call.Misuse("splitDrop: a block and a number are wanted");
  pn_split_drop(split, acked_message_id);
  return call.Number(static_cast<int32_t>(pn_split_contexts(split)));
}

// splitClear(memory)
napi_value Clear(napi_env env, napi_callback_info info) {
  CodecCall call(env, info);
  pn_split_t *split = State(&call);
  if (!call.good)
    return call.Misuse("splitClear: a block is wanted");
  pn_split_clear(split);
  return call.Number(0);
}

} // namespace

// After InitCodec, whose arrays it shares.
void InitSplit(Napi::Env env, Napi::Object exports) {
  const ExportedFunction functions[] = {
      {"splitBytes", Bytes}, {"splitInit", Init},   {"splitAccept", Accept},
      {"splitDrop", Drop},   {"splitClear", Clear},
  };
  ExportAll(env, exports, InstanceData::Of(env).codec_slab.Value().Data(), functions);
}

} // namespace peernet
