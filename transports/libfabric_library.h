// libfabric_library.h: libfabric's objects, from the provider to an endpoint that is enabled.
#pragma once

#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_errno.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "harness/transport.h"
#include "transports/private_namespaces.h"

namespace ipcbench {

/// How a row uses the library.
struct LibfabricWay {
  const char* provider;
  bool is_tcp = false;
  bool sleeps = false;  ///< between messages, instead of polling
};

namespace libfabric {

/// What the library names itself: the memory of an endpoint, for as long as it lives.
inline Private hidden() {
  return {.emptied = {"/dev/shm"}};
}

inline long checked(long result, const char* call) {
  if (result >= 0) [[likely]]
    return result;
  throw std::runtime_error(fmt::format("{}: {}", call, ::fi_strerror(static_cast<int>(-result))));
}

struct Close {
  void operator()(auto* object) const { ::fi_close(&object->fid); }
};
template <class Object>
using Owner = std::unique_ptr<Object, Close>;

/// Opens an object by a call that leaves it in its last argument but one, or last.
template <class Object>
Owner<Object> opened(const char* call, auto open) {
  Object* object = nullptr;
  checked(open(&object), call);
  return Owner<Object>(object);
}

struct FreeInfo {
  void operator()(fi_info* info) const { ::fi_freeinfo(info); }
};
using Info = std::unique_ptr<fi_info, FreeInfo>;

/// What the provider offers of what an end wants.
[[nodiscard]] inline Info find(const LibfabricWay& way, const Shape& shape) {
  const Info hints(::fi_allocinfo());
  hints->caps = FI_MSG;
  hints->mode = FI_CONTEXT;
  hints->ep_attr->type = FI_EP_RDM;
  hints->domain_attr->threading = FI_THREAD_DOMAIN;
  hints->domain_attr->control_progress = FI_PROGRESS_MANUAL;
  hints->domain_attr->data_progress = FI_PROGRESS_MANUAL;
  hints->domain_attr->mr_mode = FI_MR_LOCAL | FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY;
  hints->domain_attr->resource_mgmt = FI_RM_ENABLED;
  hints->tx_attr->msg_order = FI_ORDER_SAS;
  hints->rx_attr->msg_order = FI_ORDER_SAS;
  hints->rx_attr->size = std::bit_ceil(std::max<std::size_t>(shape.depth, 2));
  hints->fabric_attr->prov_name = ::strdup(way.provider);
  fi_info* found = nullptr;
  checked(::fi_getinfo(FI_VERSION(1, 17), way.is_tcp ? "127.0.0.1" : nullptr, nullptr,
                       way.is_tcp ? FI_SOURCE : 0, hints.get(), &found),
          "fi_getinfo");
  return Info(found);
}

/// An endpoint with what it takes: they are made from the first to the last, and closed in the
/// opposite order.
struct Objects {
  Objects(const LibfabricWay& way, const Shape& shape)
      : info(find(way, shape)),
        fabric(opened<fid_fabric>(
            "fi_fabric",
            [&](fid_fabric** made) { return ::fi_fabric(info->fabric_attr, made, nullptr); })),
        domain(opened<fid_domain>("fi_domain",
                                  [&](fid_domain** made) {
                                    return ::fi_domain(fabric.get(), info.get(), made, nullptr);
                                  })),
        queue(opened<fid_cq>("fi_cq_open",
                             [&](fid_cq** made) {
                               fi_cq_attr attributes{};
                               attributes.format = FI_CQ_FORMAT_MSG;
                               attributes.wait_obj = way.sleeps ? FI_WAIT_UNSPEC : FI_WAIT_NONE;
                               return ::fi_cq_open(domain.get(), &attributes, made, nullptr);
                             })),
        addresses(opened<fid_av>("fi_av_open",
                                 [&](fid_av** made) {
                                   fi_av_attr attributes{};
                                   return ::fi_av_open(domain.get(), &attributes, made, nullptr);
                                 })),
        endpoint(opened<fid_ep>("fi_endpoint", [&](fid_ep** made) {
          return ::fi_endpoint(domain.get(), info.get(), made, nullptr);
        })) {
    checked(::fi_ep_bind(endpoint.get(), &queue->fid, FI_TRANSMIT | FI_RECV), "fi_ep_bind");
    checked(::fi_ep_bind(endpoint.get(), &addresses->fid, 0), "fi_ep_bind");
    checked(::fi_enable(endpoint.get()), "fi_enable");
  }

  /// Where the endpoint is, for the other one.
  std::string name() const {
    std::string name(256, '\0');
    std::size_t size = name.size();
    checked(::fi_getname(&endpoint->fid, name.data(), &size), "fi_getname");
    name.resize(size);
    return name;
  }
  fi_addr_t insert(const std::string& name) const {
    fi_addr_t address = FI_ADDR_UNSPEC;
    if (checked(::fi_av_insert(addresses.get(), name.data(), 1, &address, 0, nullptr),
                "fi_av_insert") != 1)
      throw std::runtime_error("fi_av_insert: the other end's address isn't known");
    return address;
  }

  Info info;
  Owner<fid_fabric> fabric;
  Owner<fid_domain> domain;
  Owner<fid_cq> queue;
  Owner<fid_av> addresses;
  Owner<fid_ep> endpoint;
};

}  // namespace libfabric
}  // namespace ipcbench
