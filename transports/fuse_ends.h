// fuse_ends.h: the two ends of a file that one process serves and another one uses (fuse.cpp).
#pragma once

#define FUSE_USE_VERSION 312

#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <sys/mount.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "harness/transport.h"

namespace ipcbench {

/// The end that opens the file. Its messages begin at a page: a request has up to 256 pages, of
/// which they would otherwise touch one more.
class FuseClient {
 public:
  FuseClient(Fd file, std::size_t size)
      : file_(std::move(file)), out_(Mapping::own_pages(size)), in_(Mapping::own_pages(size)) {}

  Bytes reserve(std::size_t size) {
    size_ = size;
    return {out_.data(), size};
  }
  void commit() {
    const auto write = [&] { return ::write(file_.get(), out_.data(), size_); };
    if (check(retry(write), "write") != static_cast<ssize_t>(size_)) [[unlikely]]
      throw std::runtime_error("write: the message was cut");
  }
  View peek(std::size_t) {
    const auto read = [&] { return ::read(file_.get(), in_.data(), in_.size()); };
    const ssize_t got = check(retry(read), "read");
    if (got == 0) [[unlikely]]
      fail_closed("read");
    return {in_.data(), static_cast<std::size_t>(got)};
  }
  void release() {}

 private:
  Fd file_;
  Mapping out_;
  Mapping in_;
  std::size_t size_ = 0;
};

/// The end that serves it: one request at a time, while it waits for one.
class FuseServer {
 public:
  /// Mounts the file, in a namespace of the calling process.
  FuseServer(const std::string& path, std::size_t size)
      : state_(std::make_unique<State>()), out_(size) {
    const Fd device(check(::open("/dev/fuse", O_RDWR | O_CLOEXEC), "open", "/dev/fuse"));
    const std::string options = fmt::format("fd={},rootmode=100600,user_id={},group_id={}",
                                            device.get(), ::geteuid(), ::getegid());
    check(::mount("ipcbench", path.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()), "mount",
          path);
    state_->path = path;
    char program[] = "ipcbench";
    char* arguments[] = {program, nullptr};
    fuse_args none = FUSE_ARGS_INIT(1, arguments);
    session_.reset(::fuse_session_new(&none, &operations(), sizeof operations(), state_.get()));
    if (!session_) throw std::runtime_error("fuse_session_new: no session");
    const int given_away = check(::fcntl(device.get(), F_DUPFD_CLOEXEC, 0), "fcntl");
    if (::fuse_session_mount(session_.get(), fmt::format("/dev/fd/{}", given_away).c_str()) != 0)
      throw std::runtime_error("fuse_session_mount: no descriptor");
  }

  void await_client() {
    while (!state_->is_open) answer_one();
  }
  // The library reads every request into one buffer: there the message stays until the next.
  View peek(std::size_t) {
    if (state_->writing != nullptr) {
      ::fuse_reply_write(std::exchange(state_->writing, nullptr), state_->early.size());
      return state_->early;
    }
    state_->written = {};
    state_->is_receiving = true;
    while (state_->written.data() == nullptr) answer_one();
    state_->is_receiving = false;
    return state_->written;
  }
  void release() {}
  Bytes reserve(std::size_t size) {
    message_ = {out_.data(), size};
    return message_;
  }
  /// Waits until the other end reads.
  void commit() {
    while (state_->reading == nullptr) answer_one();
    fuse_req_t request = std::exchange(state_->reading, nullptr);
    ::fuse_reply_buf(request, reinterpret_cast<const char*>(message_.data()), message_.size());
  }

 private:
  /// What the library's callbacks know.
  struct State {
    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
      if (!path.empty()) ::umount2(path.c_str(), MNT_DETACH);
    }

    std::string path{};
    bool is_open = false;
    bool is_closed = false;
    bool is_interrupted = false;  ///< whoever waits for a reply was killed
    bool is_receiving = false;
    View written{};                  ///< the message that has come
    fuse_req_t reading = nullptr;    ///< a read that awaits its reply
    fuse_req_t writing = nullptr;    ///< a write that came while nobody was receiving,
    std::vector<std::byte> early{};  ///< and its message

    fuse_req_t hold(fuse_req_t request) {
      ::fuse_req_interrupt_func(
          request, [](fuse_req_t, void* of) { static_cast<State*>(of)->is_interrupted = true; },
          this);
      return request;
    }
    /// A process that is killed while it waits is gone once it is answered.
    void let_go(fuse_req_t& held) {
      if (held != nullptr) ::fuse_reply_err(std::exchange(held, nullptr), EINTR);
    }
  };
  struct Destroy {
    void operator()(fuse_session* session) const { ::fuse_session_destroy(session); }
  };
  static State& state_of(fuse_req_t request) {
    return *static_cast<State*>(::fuse_req_userdata(request));
  }

  static const fuse_lowlevel_ops& operations() {
    static const fuse_lowlevel_ops all = [] {
      fuse_lowlevel_ops ops{};
      ops.getattr = [](fuse_req_t request, fuse_ino_t, fuse_file_info*) {
        struct stat status {};
        status.st_mode = S_IFREG | 0600;
        status.st_nlink = 1;
        status.st_uid = ::geteuid();
        status.st_gid = ::getegid();
        ::fuse_reply_attr(request, &status, 1e9);
      };
      ops.open = [](fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
        file->direct_io = 1;
        file->nonseekable = 1;
        file->noflush = 1;  // closing it sends no request, for which nobody might be left
        state_of(request).is_open = true;
        ::fuse_reply_open(request, file);
      };
      // The reply lets the writer go on: the message is received.
      ops.write = [](fuse_req_t request, fuse_ino_t, const char* bytes, std::size_t size, off_t,
                     fuse_file_info*) {
        State& state = state_of(request);
        const auto* const first = reinterpret_cast<const std::byte*>(bytes);
        if (state.is_receiving) [[likely]] {
          state.written = {first, size};
          ::fuse_reply_write(request, size);
        } else {
          state.early.assign(first, first + size);
          state.writing = state.hold(request);
        }
      };
      ops.read = [](fuse_req_t request, fuse_ino_t, std::size_t, off_t, fuse_file_info*) {
        State& state = state_of(request);
        state.reading = state.hold(request);
      };
      ops.release = [](fuse_req_t request, fuse_ino_t, fuse_file_info*) {
        state_of(request).is_closed = true;
        ::fuse_reply_err(request, 0);
      };
      return ops;
    }();
    return all;
  }

  /// Reads a request and has the library call what answers it.
  void answer_one() {
    if (state_->is_closed) [[unlikely]]
      fail_closed("fuse");
    const int size = ::fuse_session_receive_buf(session_.get(), &request_->buffer);
    if (size == -EINTR) return;
    if (size <= 0) [[unlikely]]
      fail_closed("fuse_session_receive_buf");
    ::fuse_session_process_buf(session_.get(), &request_->buffer);
    if (state_->is_interrupted) [[unlikely]] {
      state_->is_interrupted = false;
      state_->let_go(state_->reading);
      state_->let_go(state_->writing);
    }
  }

  struct Request {
    Request() = default;
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    ~Request() { std::free(buffer.mem); }
    fuse_buf buffer{};
  };

  std::unique_ptr<State> state_;
  std::unique_ptr<fuse_session, Destroy> session_;
  std::unique_ptr<Request> request_ = std::make_unique<Request>();
  AlignedBuffer out_;
  Bytes message_;
};

}  // namespace ipcbench
