// The UDP hub for JavaScript. The functions only check their arguments: lib/native/udp.ts is their
// only caller. A hub is an object with a type tag; sockets are the integers that native/udp hands
// out, which it checks itself.
#include "binding/module.h"

#include <cstring>

#include "udp/udp.h"

namespace peernet {
namespace {

constexpr napi_type_tag kHubTag = {0x5b0d8f4e6a1c4d92u, 0xb7e3a90f1c285d64u};

// Lives until JavaScript has let go of its object and the native hub is closed, in either order.
struct Hub {
  napi_env env;
  pn_udp_hub_t *native; // null once closing
  napi_ref object;      // weak while no socket is open
  napi_ref on_batch;    // weak: a property of the object keeps it, so that the two die together
  napi_ref block;       // strong
  napi_async_context async_context;
  napi_async_cleanup_hook_handle cleanup_hook;
  int owners;
  bool held; // the reference to the object is strong now
};

napi_value Misuse(napi_env env, const char *message) {
  napi_throw_type_error(env, "ERR_PEERNET_INVALID_ARG", message);
  return nullptr;
}

napi_value Integer(napi_env env, int value) {
  napi_value result = nullptr;
  napi_create_int32(env, value, &result);
  return result;
}

// A hub whose sockets are open must not be collected: it is reachable through them only.
void HoldWhileOpen(Hub *hub) {
  bool wanted = hub->native != nullptr && pn_udp_hub_sockets(hub->native) > 0;
  if (wanted == hub->held)
    return;
  hub->held = wanted;
  uint32_t count;
  if (wanted)
    napi_reference_ref(hub->env, hub->object, &count);
  else
    napi_reference_unref(hub->env, hub->object, &count);
}

void Release(Hub *hub) {
  if (--hub->owners == 0)
    delete hub;
}

void OnClosed(void *context) {
  auto *hub = static_cast<Hub *>(context);
  if (hub->cleanup_hook != nullptr)
    napi_remove_async_cleanup_hook(hub->cleanup_hook);
  hub->cleanup_hook = nullptr;
  Release(hub);
}

void CloseHub(Hub *hub) {
  if (hub->native == nullptr)
    return;
  pn_udp_hub_t *native = hub->native;
  hub->native = nullptr;
  HoldWhileOpen(hub);
  pn_udp_hub_close(native, OnClosed);
}

void OnCleanup(napi_async_cleanup_hook_handle, void *data) {
  auto *hub = static_cast<Hub *>(data);
  if (hub->native != nullptr)
    CloseHub(hub);
  // else it is closing, and OnClosed will remove the hook.
}

void Finalize(napi_env env, void *data, void *) {
  auto *hub = static_cast<Hub *>(data);
  CloseHub(hub);
  napi_delete_reference(env, hub->object);
  napi_delete_reference(env, hub->on_batch);
  napi_delete_reference(env, hub->block);
  napi_async_destroy(env, hub->async_context);
  Release(hub);
}

void OnBatch(void *context, int count) {
  auto *hub = static_cast<Hub *>(context);
  napi_env env = hub->env;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok)
    return;
  napi_value object = nullptr, callback = nullptr, argument = nullptr, result;
  napi_get_reference_value(env, hub->object, &object);
  napi_get_reference_value(env, hub->on_batch, &callback);
  napi_create_int32(env, count, &argument);
  if (object != nullptr && callback != nullptr &&
      napi_make_callback(env, hub->async_context, object, callback, 1, &argument, &result) ==
          napi_pending_exception) {
    napi_value error;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok)
      napi_fatal_exception(env, error); // process 'uncaughtException'
  }
  napi_close_handle_scope(env, scope);
}

// --- arguments ---------------------------------------------------------------------------------

Hub *GetHub(napi_env env, napi_value value) {
  bool tagged = false;
  void *data = nullptr;
  if (napi_check_object_type_tag(env, value, &kHubTag, &tagged) != napi_ok || !tagged ||
      napi_unwrap(env, value, &data) != napi_ok) {
    // What failed may have left an exception of its own.
    napi_value ignored;
    bool pending = false;
    if (napi_is_exception_pending(env, &pending) == napi_ok && pending)
      napi_get_and_clear_last_exception(env, &ignored);
    Misuse(env, "a UDP hub is wanted");
    return nullptr;
  }
  return static_cast<Hub *>(data);
}

bool GetAddress(napi_env env, napi_value value, uint8_t out[16]) {
  bool is_typed_array = false;
  if (napi_is_typedarray(env, value, &is_typed_array) != napi_ok || !is_typed_array)
    return false;
  napi_typedarray_type type;
  size_t length;
  void *data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array || length != 16 || data == nullptr)
    return false;
  std::memcpy(out, data, 16);
  return true;
}

// Arguments of one call: up to 7, the first of which is the hub.
struct Arguments {
  napi_env env;
  napi_value values[7];
  Hub *hub;

  Arguments(napi_env environment, napi_callback_info info) : env(environment), values{} {
    size_t count = 7;
    napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
    hub = GetHub(env, values[0]);
  }

  bool Int(int index, int32_t *out) const {
    return napi_get_value_int32(env, values[index], out) == napi_ok;
  }
  bool Uint(int index, uint32_t *out) const {
    return napi_get_value_uint32(env, values[index], out) == napi_ok;
  }
  bool Bool(int index, bool *out) const {
    return napi_get_value_bool(env, values[index], out) == napi_ok;
  }
  bool Address(int index, uint8_t out[16]) const { return GetAddress(env, values[index], out); }
};

// --- functions ---------------------------------------------------------------------------------

Hub *NewHub(napi_env env, pn_udp_kind_t kind, void *block) {
  uv_loop_t *loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok)
    return nullptr;
  auto *hub = new Hub{};
  hub->env = env;
  hub->native = pn_udp_hub_create(loop, kind, block, OnBatch, hub);
  if (hub->native == nullptr) {
    delete hub;
    return nullptr;
  }
  hub->owners = 2;
  return hub;
}

// udpCreate(kind, onBatch): { hub, block }
napi_value Create(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2], result, object, block, name;
  napi_valuetype type;
  int32_t kind;
  void *memory;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  if (napi_get_value_int32(env, arguments[0], &kind) != napi_ok ||
      !pn_udp_has(static_cast<pn_udp_kind_t>(kind)))
    return Misuse(env, "no such kind of hub on this platform");
  if (napi_typeof(env, arguments[1], &type) != napi_ok || type != napi_function)
    return Misuse(env, "onBatch must be a function");
  if (napi_create_arraybuffer(env, PN_UDP_BLOCK_BYTES, &memory, &block) != napi_ok ||
      napi_create_object(env, &object) != napi_ok || napi_create_object(env, &result) != napi_ok)
    return nullptr;
  Hub *hub = NewHub(env, static_cast<pn_udp_kind_t>(kind), memory);
  if (hub == nullptr)
    return Misuse(env, "no memory for a UDP hub");
  napi_create_string_utf8(env, "peernet:udp", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, object, name, &hub->async_context);
  napi_create_reference(env, arguments[1], 0, &hub->on_batch);
  napi_create_reference(env, block, 1, &hub->block);
  napi_wrap(env, object, hub, Finalize, nullptr, nullptr);
  napi_create_reference(env, object, 0, &hub->object);
  // Before the first socket opens the references are weak: the object keeps the function.
  const napi_property_descriptor keep = {"onBatch", nullptr,      nullptr,      nullptr,
                                         nullptr,   arguments[1], napi_default, nullptr};
  napi_define_properties(env, object, 1, &keep);
  napi_type_tag_object(env, object, &kHubTag);
  napi_add_async_cleanup_hook(env, OnCleanup, hub, &hub->cleanup_hook);
  napi_set_named_property(env, result, "hub", object);
  napi_set_named_property(env, result, "block", block);
  return result;
}

// udpDestroy(hub): closes all sockets; once more does nothing.
napi_value Destroy(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  if (arguments.hub != nullptr)
    CloseHub(arguments.hub);
  return nullptr;
}

// udpOpen(hub, address, port, scope, reuse, receiveBuffer, sendBuffer): handle or error number
napi_value Open(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  if (arguments.hub == nullptr)
    return nullptr;
  pn_udp_open_t options{};
  uint32_t port = 0;
  if (!arguments.Address(1, options.address) || !arguments.Uint(2, &port) || port > 65535 ||
      !arguments.Uint(3, &options.scope) || !arguments.Bool(4, &options.reuse) ||
      !arguments.Int(5, &options.receive_buffer) || !arguments.Int(6, &options.send_buffer))
    return Misuse(env, "udpOpen: address, port, scope, reuse and two sizes are wanted");
  if (arguments.hub->native == nullptr)
    return Integer(env, UV_EBADF);
  options.port = static_cast<uint16_t>(port);
  int handle = pn_udp_open(arguments.hub->native, &options);
  HoldWhileOpen(arguments.hub);
  return Integer(env, handle);
}

// The next ones are f(hub, handle, …): a number, negative if it is an error.
template <typename F> napi_value WithSocket(napi_env env, napi_callback_info info, F work) {
  Arguments arguments(env, info);
  if (arguments.hub == nullptr)
    return nullptr;
  int32_t handle;
  if (!arguments.Int(1, &handle))
    return Misuse(env, "a socket handle is wanted");
  if (arguments.hub->native == nullptr)
    return Integer(env, UV_EBADF);
  int result = 0;
  if (!work(arguments, handle, &result))
    return Misuse(env, "wrong type of argument");
  return Integer(env, result);
}

napi_value Close(napi_env env, napi_callback_info info) {
  return WithSocket(env, info, [](const Arguments &arguments, int handle, int *result) {
    *result = pn_udp_close(arguments.hub->native, handle);
    HoldWhileOpen(arguments.hub);
    return true;
  });
}

napi_value Port(napi_env env, napi_callback_info info) {
  return WithSocket(env, info, [](const Arguments &arguments, int handle, int *result) {
    *result = pn_udp_port(arguments.hub->native, handle);
    return true;
  });
}

// udpSetRef(hub, handle, ref)
napi_value SetRef(napi_env env, napi_callback_info info) {
  return WithSocket(env, info, [](const Arguments &arguments, int handle, int *result) {
    bool ref;
    if (!arguments.Bool(2, &ref))
      return false;
    *result = pn_udp_set_ref(arguments.hub->native, handle, ref);
    return true;
  });
}

// udpStats(hub, handle, Float64Array(8)): filled in the order of pn_udp_stats_t
napi_value Stats(napi_env env, napi_callback_info info) {
  return WithSocket(env, info, [](const Arguments &arguments, int handle, int *result) {
    napi_typedarray_type type;
    size_t length;
    void *data = nullptr;
    if (napi_get_typedarray_info(arguments.env, arguments.values[2], &type, &length, &data, nullptr,
                                 nullptr) != napi_ok ||
        type != napi_float64_array || length != 8)
      return false;
    pn_udp_stats_t stats;
    *result = pn_udp_stats(arguments.hub->native, handle, &stats);
    if (*result != 0)
      return true;
    const double values[8] = {
        static_cast<double>(stats.received),       static_cast<double>(stats.truncated),
        static_cast<double>(stats.receive_errors), static_cast<double>(stats.sent),
        static_cast<double>(stats.send_errors),    static_cast<double>(stats.send_dropped),
        static_cast<double>(stats.last_error),     static_cast<double>(stats.waiting)};
    std::memcpy(data, values, sizeof values);
    return true;
  });
}

// udpMembership(hub, handle, join, group, interfaceIndex)
napi_value Membership(napi_env env, napi_callback_info info) {
  return WithSocket(env, info, [](const Arguments &arguments, int handle, int *result) {
    bool join;
    uint8_t group[16];
    uint32_t interface_index;
    if (!arguments.Bool(2, &join) || !arguments.Address(3, group) ||
        !arguments.Uint(4, &interface_index))
      return false;
    *result =
        (join ? pn_udp_join : pn_udp_leave)(arguments.hub->native, handle, group, interface_index);
    return true;
  });
}

// udpMulticast(hub, handle, hops, loop, interfaceIndex)
napi_value Multicast(napi_env env, napi_callback_info info) {
  return WithSocket(env, info, [](const Arguments &arguments, int handle, int *result) {
    int32_t hops;
    bool loop;
    uint32_t interface_index;
    if (!arguments.Int(2, &hops) || !arguments.Bool(3, &loop) ||
        !arguments.Uint(4, &interface_index))
      return false;
    *result = pn_udp_multicast(arguments.hub->native, handle, hops, loop, interface_index);
    return true;
  });
}

// udpFlush(hub)
napi_value Flush(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  if (arguments.hub != nullptr && arguments.hub->native != nullptr)
    pn_udp_hub_flush(arguments.hub->native);
  return nullptr;
}

Napi::Object Layout(Napi::Env env) {
  Napi::Object layout = Napi::Object::New(env);
  const auto set = [&](const char *name, size_t value) {
    layout.Set(name, Napi::Number::New(env, static_cast<double>(value)));
  };
  set("payloadMax", PN_UDP_PAYLOAD_MAX);
  set("rxRows", PN_UDP_RX_ROWS);
  set("txRows", PN_UDP_TX_ROWS);
  set("rxTable", PN_UDP_RX_TABLE);
  set("txTable", PN_UDP_TX_TABLE);
  set("txArea", PN_UDP_TX_AREA);
  set("bytes", PN_UDP_BLOCK_BYTES);
  return layout;
}

} // namespace

void InitUdp(Napi::Env env, Napi::Object exports) {
  exports.Set("udpLayout", Layout(env));
  exports.Set("udpHasFast", Napi::Boolean::New(env, pn_udp_has(PN_UDP_FAST)));
  const struct {
    const char *name;
    napi_callback function;
  } functions[] = {
      {"udpCreate", Create},       {"udpDestroy", Destroy},
      {"udpOpen", Open},           {"udpClose", Close},
      {"udpPort", Port},           {"udpSetRef", SetRef},
      {"udpStats", Stats},         {"udpMembership", Membership},
      {"udpMulticast", Multicast}, {"udpFlush", Flush},
  };
  for (const auto &entry : functions) {
    napi_value function;
    napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.function, nullptr, &function);
    exports.Set(entry.name, Napi::Value(env, function));
  }
}

} // namespace peernet
