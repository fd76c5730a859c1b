#include "harness/waiting.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include "harness/clock.h"

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

std::int64_t Deadline::left_ns() {
  const std::int64_t now_ns = monotonic_ns();
  if (end_ns_ == 0) end_ns_ = now_ns + patience_ns_;
  return end_ns_ - now_ns;
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

bool Waitable::await_readable(const char* call, Deadline& deadline) {
  if (errno == EINTR) return true;
  if (errno != EAGAIN) fail(call);
  if (waiting_ == Waiting::block) return false;
  const std::int64_t left_ns = deadline.left_ns();
  if (left_ns <= 0) return false;
  if (waiting_ == Waiting::spin) return true;
  return poll(EPOLLIN, readable_, static_cast<int>((left_ns + 999'999) / 1'000'000));
}

void Waitable::await(std::uint32_t event, Fd& epoll, const char* call) {
  if (errno == EINTR) return;
  if (errno != EAGAIN || waiting_ == Waiting::block) fail(call);
  if (waiting_ == Waiting::poll) poll(event, epoll, -1);
}

bool Waitable::poll(std::uint32_t event, Fd& epoll, int timeout_ms) {
  epoll_event interest{};
  interest.events = event;
  if (!epoll) {
    epoll = Fd(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
    check(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd_.get(), &interest), "epoll_ctl");
  }
  const auto wait = [&] { return ::epoll_wait(epoll.get(), &interest, 1, timeout_ms); };
  return check(retry(wait), "epoll_wait") > 0;
}

}  // namespace ipcbench
