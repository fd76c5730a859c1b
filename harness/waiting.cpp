#include "harness/waiting.h"

#include <fcntl.h>
#include <sys/epoll.h>

namespace ipcbench {

std::string_view text(Waiting waiting) {
  switch (waiting) {
    case Waiting::block:
      return "block";
    case Waiting::poll:
      return "poll";
    case Waiting::spin:
      return "spin";
  }
  return "?";
}

Waitable::Waitable(Fd fd, Waiting waiting) : fd_(std::move(fd)), waiting_(waiting) {
  if (waiting == Waiting::block) return;
  const int flags = check(::fcntl(fd_.get(), F_GETFL), "fcntl", "F_GETFL");
  check(::fcntl(fd_.get(), F_SETFL, flags | O_NONBLOCK), "fcntl", "O_NONBLOCK");
}

void Waitable::await_readable(const char* call) {
  await(EPOLLIN, readable_, call);
}

void Waitable::await_writable(const char* call) {
  await(EPOLLOUT, writable_, call);
}

void Waitable::await(std::uint32_t event, Fd& epoll, const char* call) {
  if (errno == EINTR) return;
  if (errno != EAGAIN || waiting_ == Waiting::block) fail(call);
  if (waiting_ == Waiting::spin) return;
  epoll_event interest{};
  interest.events = event;
  if (!epoll) {
    epoll = Fd(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
    check(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd_.get(), &interest), "epoll_ctl");
  }
  check(retry([&] { return ::epoll_wait(epoll.get(), &interest, 1, -1); }), "epoll_wait");
}

}  // namespace ipcbench
