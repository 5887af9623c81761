// Writing to TCP connections that Node opened, past its streams. lib/native/tcp.ts is the façade.
#include "binding/call.h"

#ifdef __linux__
#include <sys/socket.h>
#include <sys/types.h>
#endif

namespace peernet {
namespace {

// tcpSend(descriptor, bytes): how many of them the system has taken without waiting. 0 when it
// takes none just now, and when there is an error: the next write through Node comes upon it.
napi_value Send(napi_env env, napi_callback_info info) {
  Call call(env, info);
  uint32_t descriptor = call.Uint(0);
  pn_bytes_t bytes = call.Bytes(1);
  if (!call.good || descriptor > INT32_MAX)
    return call.Misuse("tcpSend: a descriptor and bytes are wanted");
  int32_t sent = 0;
#ifdef __linux__
  // At most what a number of 32 bits can tell.
  size_t length = bytes.size < 0x40000000u ? bytes.size : 0x40000000u;
  ssize_t result =
      send(static_cast<int>(descriptor), bytes.base, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  sent = result > 0 ? static_cast<int32_t>(result) : 0;
#endif
  return call.Number(sent);
}

constexpr ExportedFunction kFunctions[] = {{"tcpSend", Send}};

} // namespace

void InitTcp(Napi::Env env, Napi::Object exports) {
#ifdef __linux__
  bool can_send = true;
#else
  bool can_send = false;
#endif
  exports.Set("tcpCanSend", Napi::Boolean::New(env, can_send));
  ExportAll(env, exports, nullptr, kFunctions);
}

} // namespace peernet
