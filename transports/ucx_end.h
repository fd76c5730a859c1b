// ucx_end.h: an end of a UCX link: a worker, and an endpoint at the other end's worker.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "transports/fabric.h"
#include "transports/ucx_library.h"

namespace ipcbench {

class UcxEnd {
 public:
  UcxEnd(const UcxWay& way, const Shape& shape, const Introduction& introduction, bool listens)
      : core_(std::make_unique<Core>(way, shape, introduction, listens)) {}
  UcxEnd(UcxEnd&&) noexcept = default;
  UcxEnd& operator=(UcxEnd&&) noexcept = default;
  ~UcxEnd() {
    if (!core_) return;
    core_->introduction.say_goodbye(*this, core_->listens);
  }

  Bytes reserve(std::size_t size) {
    core_->out_size = size;
    return {core_->out.data(), size};
  }
  /// Returns when the message needs this end no more: nothing moves unless somebody polls.
  void commit() {
    Core& core = *core_;
    core.finish(::ucp_tag_send_nbx(core.endpoint, core.out.data(), core.out_size, 0, &core.sending),
                "ucp_tag_send_nbx");
  }
  View peek(std::size_t) {
    Core& core = *core_;
    core.finish(
        ::ucp_tag_recv_nbx(core.worker.get(), core.in.data(), core.size, 0, 0, &core.receiving),
        "ucp_tag_recv_nbx");
    return {core.in.data(), core.received.length};
  }
  void release() {}

 private:
  struct Core {
    Core(const UcxWay& way, const Shape& shape, const Introduction& meeting, bool is_listener)
        : sleeps(way.sleeps),
          size(std::max<std::size_t>(shape.size, 1)),
          introduction(meeting),
          listens(is_listener),
          context(ucx::make_context(way, shape)),
          worker(ucx::make_worker(context)),
          in(context.get(), size),
          out(context.get(), size),
          patience(shape.shares_core),
          endpoint(connect(way)) {
      sending.op_attr_mask = UCP_OP_ATTR_FIELD_MEMH;
      sending.memh = out.handle();
      // Without a request, this version tells nobody the size (github.com/openucx/ucx/issues/9425).
      receiving.op_attr_mask = UCP_OP_ATTR_FIELD_MEMH | UCP_OP_ATTR_FIELD_CALLBACK |
                               UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FLAG_NO_IMM_CMPL;
      receiving.memh = in.handle();
      receiving.cb.recv = [](void*, ucs_status_t, const ucp_tag_recv_info_t* info, void* core) {
        static_cast<Core*>(core)->received = *info;
      };
      receiving.user_data = this;
    }
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;
    ~Core() {
      ucp_request_param_t forced{};
      forced.op_attr_mask = UCP_OP_ATTR_FIELD_FLAGS;
      forced.flags = UCP_EP_CLOSE_FLAG_FORCE;
      try {
        finish(::ucp_ep_close_nbx(endpoint, &forced), "ucp_ep_close_nbx");
      } catch (const std::exception&) {
        // The other end is gone.
      }
    }

    /// The worker's address is told, and the other one's awaited.
    ucp_ep_h connect(const UcxWay& way) {
      ucp_address_t* own = nullptr;
      std::size_t size_of_own = 0;
      ucx::checked(::ucp_worker_get_address(worker.get(), &own, &size_of_own),
                   "ucp_worker_get_address");
      const std::string text(reinterpret_cast<const char*>(own), size_of_own);
      ::ucp_worker_release_address(worker.get(), own);
      return ucx::connect(worker, introduction.exchange(listens, text), way);
    }

    /// Polls until a request is done.
    void finish(ucs_status_ptr_t request, const char* call) {
      if (request == nullptr) return;
      if (UCS_PTR_IS_ERR(request)) [[unlikely]]
        ucx::checked(UCS_PTR_STATUS(request), call);
      ucs_status_t status = UCS_INPROGRESS;
      while ((status = ::ucp_request_check_status(request)) == UCS_INPROGRESS) {
        if (::ucp_worker_progress(worker.get()) != 0) continue;
        if (sleeps)
          ucx::checked(::ucp_worker_wait(worker.get()), "ucp_worker_wait");
        else
          patience.wait();
      }
      ::ucp_request_free(request);
      ucx::checked(status, call);
    }

    bool sleeps;
    std::size_t size;
    const Introduction& introduction;
    bool listens;
    ucx::Context context;
    ucx::Worker worker;
    ucx::Registered in;
    ucx::Registered out;
    Patience patience;
    ucp_ep_h endpoint;
    std::size_t out_size = 0;
    ucp_tag_recv_info_t received{};
    ucp_request_param_t sending{};
    ucp_request_param_t receiving{};
  };
  std::unique_ptr<Core> core_;
};

}  // namespace ipcbench
