// ucx_library.h: UCX's objects, set up as a row wants them.
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucp/api/ucp.h>
#include <ucs/debug/log_def.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "harness/transport.h"
#include "transports/private_namespaces.h"

namespace ipcbench {

/// How a row uses the library.
struct UcxWay {
  const char* transports;  ///< UCX_TLS
  bool sleeps = false;     ///< between messages, instead of polling
  bool is_tcp = false;
  bool reads_peer = false;  ///< takes large messages out of the other process
};

namespace ucx {

/// What the library names itself. It takes the names away a moment after it has made them, if
/// nobody kills it first.
inline Private hidden() {
  return {.emptied = {"/dev/shm"}, .has_ipc = true};
}
/// The same by TCP: each process tries out, with a segment of System V's, whether it hears of
/// mappings. Without the right to hide that it is done in the open.
inline Private hidden_by_tcp() {
  return {.has_ipc = true};
}

/// What the library has complained of last, in place of a line on standard output.
inline char complaint[200] = "";

inline ucs_log_func_rc_t keep(const char*, unsigned, const char*, ucs_log_level_t level,
                              const ucs_log_component_config_t*, const char* format,
                              va_list words) {
  if (level <= UCS_LOG_LEVEL_ERROR) std::vsnprintf(complaint, sizeof complaint, format, words);
  return UCS_LOG_FUNC_RC_STOP;
}

inline void checked(ucs_status_t status, const char* call) {
  if (status == UCS_OK) [[likely]]
    return;
  throw std::runtime_error(fmt::format("{}: {}{}{}", call, ::ucs_status_string(status),
                                       complaint[0] == '\0' ? "" : "; ", complaint));
}

struct Destroy {
  void operator()(ucp_context_h context) const { ::ucp_cleanup(context); }
  void operator()(ucp_worker_h worker) const { ::ucp_worker_destroy(worker); }
};
using Context = std::unique_ptr<ucp_context, Destroy>;
using Worker = std::unique_ptr<ucp_worker, Destroy>;

inline Context make_context(const UcxWay& way, const Shape& shape) {
  [[maybe_unused]] static const bool listens = (::ucs_log_push_handler(keep), true);
  ucp_config_t* config = nullptr;
  checked(::ucp_config_read(nullptr, nullptr, &config), "ucp_config_read");
  const std::unique_ptr<ucp_config_t, decltype(&::ucp_config_release)> owner(config,
                                                                             ::ucp_config_release);
  const auto set = [&](const char* name, const std::string& value) {
    checked(::ucp_config_modify(config, name, value.c_str()), name);
  };
  set("TLS", way.transports);
  if (way.is_tcp) {
    set("NET_DEVICES", "lo");
    // Sent without a copy of its own, a message is done when the kernel has all of it. What UCX
    // has copied would wait for the next poll, which may never come, while the socket is full.
    set("ZCOPY_THRESH", "0");
  } else {
    set("FIFO_SIZE", std::to_string(std::bit_ceil(std::max<std::size_t>(shape.depth, 2))));
  }
  ucp_params_t parameters{};
  parameters.field_mask = UCP_PARAM_FIELD_FEATURES;
  parameters.features = UCP_FEATURE_TAG | (way.sleeps ? UCP_FEATURE_WAKEUP : 0);
  ucp_context_h context = nullptr;
  checked(::ucp_init(&parameters, config, &context), "ucp_init");
  return Context(context);
}

inline Worker make_worker(const Context& context) {
  ucp_worker_params_t parameters{};
  parameters.field_mask = UCP_WORKER_PARAM_FIELD_THREAD_MODE;
  parameters.thread_mode = UCS_THREAD_MODE_SINGLE;
  ucp_worker_h worker = nullptr;
  checked(::ucp_worker_create(context.get(), &parameters, &worker), "ucp_worker_create");
  return Worker(worker);
}

/// Memory that the library has allocated, so that the other end may look into it.
class Registered {
 public:
  Registered(ucp_context_h context, std::size_t size) : context_(context) {
    ucp_mem_map_params_t parameters{};
    parameters.field_mask = UCP_MEM_MAP_PARAM_FIELD_LENGTH | UCP_MEM_MAP_PARAM_FIELD_FLAGS;
    parameters.length = size;
    parameters.flags = UCP_MEM_MAP_ALLOCATE;
    checked(::ucp_mem_map(context, &parameters, &handle_), "ucp_mem_map");
    ucp_mem_attr_t attributes{};
    attributes.field_mask = UCP_MEM_ATTR_FIELD_ADDRESS;
    checked(::ucp_mem_query(handle_, &attributes), "ucp_mem_query");
    memory_ = static_cast<std::byte*>(attributes.address);
  }
  Registered(const Registered&) = delete;
  Registered& operator=(const Registered&) = delete;
  ~Registered() { ::ucp_mem_unmap(context_, handle_); }

  std::byte* data() const { return memory_; }
  ucp_mem_h handle() const { return handle_; }

 private:
  ucp_context_h context_;
  ucp_mem_h handle_ = nullptr;
  std::byte* memory_ = nullptr;
};

/// An endpoint at the other end's worker.
inline ucp_ep_h connect(const Worker& worker, const std::string& address, const UcxWay& way) {
  ucp_ep_params_t parameters{};
  parameters.field_mask = UCP_EP_PARAM_FIELD_REMOTE_ADDRESS;
  parameters.address = reinterpret_cast<const ucp_address_t*>(address.data());
  ucp_ep_h endpoint = nullptr;
  checked(::ucp_ep_create(worker.get(), &parameters, &endpoint), "ucp_ep_create");
  // What it can't use, the library does without and says nothing.
  char* text = nullptr;
  std::size_t size = 0;
  FILE* const stream = ::open_memstream(&text, &size);
  ::ucp_ep_print_info(endpoint, stream);
  ::fclose(stream);
  const std::string lanes(text, size);
  ::free(text);
  std::istringstream wanted(way.transports);
  for (std::string transport; std::getline(wanted, transport, ',');)
    if (lanes.find(transport + "/") == std::string::npos)
      throw std::runtime_error(fmt::format("ucp_ep_create: UCX makes no use of {}", transport));
  return endpoint;
}

}  // namespace ucx
}  // namespace ipcbench
