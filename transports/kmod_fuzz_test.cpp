// The program kmod_fuzz: it calls the kernel module in every wrong way there is, from a seed, and
// from several processes and threads at once: hostile pointers, sizes and commands, closes against
// reads, forks, killed processes. What it looks for is not here: an oops, a warning or a leak in
// the kernel's log.
//
//   scripts/vm build/release/kmod_fuzz [--seed N] [--operations N] [--processes N]
//
// Most calls start from sessions that are attached, because a module that refuses everything at its
// door is easily hardened, and the same processes call it rightly, too.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "transports/kmod/ipcbench_uapi.h"

namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t slots = 24;  // sessions of a process; its threads share them

/// What the threads of a process share, and what all of them count into.
struct Shared {
  std::atomic<std::uint64_t> operations;
  std::atomic<std::uint64_t> accepted;
};
std::array<std::atomic<int>, slots> sessions;
std::array<std::atomic<void*>, 4> mappings;
char* memory;  // two pages, and a third that can't be touched

class Fuzzer {
 public:
  Fuzzer(std::uint64_t seed, Shared& shared) : random_(seed), shared_(shared) {}

  void run(std::uint64_t operations) {
    for (std::uint64_t i = 0; i != operations; ++i) {
      if (operate() >= 0) shared_.accepted.fetch_add(1, std::memory_order_relaxed);
      shared_.operations.fetch_add(1, std::memory_order_relaxed);
    }
  }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  bool one_in(std::uint64_t chance) { return below(chance) == 0; }
  int any_session() { return sessions[below(slots)].load(); }

  /// A number as callers get them wrong: small, at the edges, or anything.
  std::uint64_t number() {
    static constexpr std::uint64_t edges[] = {0,
                                              1,
                                              2,
                                              7,
                                              8,
                                              63,
                                              64,
                                              65,
                                              4088,
                                              4095,
                                              4096,
                                              4097,
                                              8192,
                                              65535,
                                              65536,
                                              16u << 20,
                                              (16u << 20) + 1,
                                              0x7fffffff,
                                              0x80000000,
                                              0xffffffff,
                                              ~0ull,
                                              ~0ull - 7,
                                              1ull << 63};
    switch (below(4)) {
      case 0:
        return random_();
      case 1:
        return edges[below(std::size(edges))];
      default:
        return below(100);
    }
  }
  std::uint64_t address() {
    switch (below(12)) {
      case 0:
        return 0;
      case 1:
        return 0xffff888000000000 + below(1 << 20);
      case 2:
        return reinterpret_cast<std::uint64_t>(memory + 2 * page - below(64));
      case 3:
        return reinterpret_cast<std::uint64_t>(memory + 2 * page);
      case 4:
        if (void* const mapped = mappings[below(mappings.size())].load())
          return reinterpret_cast<std::uint64_t>(mapped) + below(page);
        return random_();
      default:
        return reinterpret_cast<std::uint64_t>(memory + below(page));
    }
  }
  void* pointer() { return reinterpret_cast<void*>(address()); }

  long attach(int device) {
    ipcbench_attach wish{};
    wish.abi = one_in(50) ? static_cast<std::uint32_t>(number()) : IPCBENCH_ABI;
    wish.kind = static_cast<std::uint32_t>(one_in(30) ? number() : below(6));
    wish.side = static_cast<std::uint32_t>(one_in(30) ? number() : below(3));
    wish.peer = static_cast<std::uint32_t>(one_in(30) ? number() : one_in(3) ? below(4) : 0);
    wish.fd = one_in(4) ? any_session() : -1;
    wish.depth = static_cast<std::uint32_t>(one_in(20) ? number() : 1 + below(8));
    wish.size_max = one_in(20) ? number() : wish.kind == IPCBENCH_RING ? 3 * page : 64;
    wish.id = static_cast<std::uint32_t>(one_in(20) ? number() : 0);
    wish.reserved = one_in(50) ? 1 : 0;
    if (wish.fd < 0 && !one_in(4)) wish.name[0] = static_cast<char>('a' + below(4));
    if (one_in(100)) std::memset(wish.name, 'n', sizeof wish.name);
    if (one_in(100)) wish.name[below(8)] = static_cast<char>(random_());
    return ::ioctl(device, IPCBENCH_IOC_ATTACH, one_in(60) ? pointer() : &wish);
  }

  /// A fresh session in place of another one, which may be in use by other threads at this moment.
  long renew() {
    const int device = ::open(IPCBENCH_DEVICE, O_RDWR | O_CLOEXEC | (one_in(3) ? 0 : O_NONBLOCK));
    if (device == -1) return -1;
    const long result = attach(device);
    const int before = sessions[below(slots)].exchange(device);
    if (before != -1) ::close(before);
    return result;
  }

  /// Commands with what they want, nearly.
  long command() {
    union {
      ipcbench_message message;
      ipcbench_call call;
      ipcbench_word word;
      ipcbench_move move;
      ipcbench_signal signal;
      std::uint64_t raw[8];
    } argument{};
    for (std::uint64_t& word : argument.raw) word = number();
    static constexpr unsigned long commands[] = {
        IPCBENCH_IOC_NULL,   IPCBENCH_IOC_SEND,      IPCBENCH_IOC_RECEIVE, IPCBENCH_IOC_CALL,
        IPCBENCH_IOC_SUNK,   IPCBENCH_IOC_WAIT,      IPCBENCH_IOC_WAKE,    IPCBENCH_IOC_MOVE,
        IPCBENCH_IOC_SIGNAL, IPCBENCH_IOC_SIGNAL_ME, IPCBENCH_IOC_COOKIE};
    unsigned long which = commands[below(std::size(commands))];
    switch (which) {
      case IPCBENCH_IOC_SEND:
      case IPCBENCH_IOC_RECEIVE:
        argument.message = {address(), one_in(3) ? number() : 1 + below(64)};
        break;
      case IPCBENCH_IOC_CALL:
        argument.call = {address(), 1 + below(64), address(), one_in(3) ? number() : 64};
        break;
      case IPCBENCH_IOC_WAIT:
      case IPCBENCH_IOC_WAKE:
        argument.word = {below(3 * page / 4) * 4, static_cast<std::uint32_t>(below(2)), 0};
        break;
      case IPCBENCH_IOC_MOVE:
        argument.move = {one_in(4) ? number() : below(2 * page),
                         one_in(4) ? number() : below(2 * page),
                         one_in(4) ? number() : below(page)};
        break;
      case IPCBENCH_IOC_SIGNAL_ME:
        argument.raw[0] = one_in(4) ? number() : static_cast<std::uint64_t>(SIGRTMIN) + below(3);
        break;
      case IPCBENCH_IOC_SIGNAL:
        argument.signal = {random_(), static_cast<std::uint32_t>(random_()), 0};
        break;
      default:
        break;
    }
    if (one_in(40)) which = _IOC(below(4), 0xb7, below(32), below(200));
    if (one_in(200)) which = static_cast<unsigned long>(random_());
    return ::ioctl(any_session(), which, one_in(20) ? pointer() : &argument);
  }

  long map() {
    const int protection = one_in(10) ? static_cast<int>(below(8)) : PROT_READ | PROT_WRITE;
    const std::size_t size = one_in(6) ? (number() % (1 << 26)) + 1 : page * (1 + below(4));
    const auto offset = static_cast<off_t>(one_in(6) ? number() & ~(page - 1) : page * below(4));
    void* const mapped = ::mmap(nullptr, size, protection, one_in(8) ? MAP_PRIVATE : MAP_SHARED,
                                any_session(), offset);
    if (mapped == MAP_FAILED) return -1;
    if (size != page * 3 || (protection & PROT_WRITE) == 0) return ::munmap(mapped, size);
    std::memset(mapped, static_cast<int>(below(256)), page);
    if (one_in(4)) ::mprotect(mapped, page, static_cast<int>(below(8)));
    if (one_in(4)) ::mremap(mapped, size, size + page * below(3), 0);
    // Kept for a while: others' calls then copy from and to it. Whoever copies sees a fault at
    // worst.
    if (void* const before = mappings[below(mappings.size())].exchange(mapped))
      return ::munmap(before, page * 3);
    return 0;
  }

  long poll() {
    std::array<pollfd, 4> waiting{};
    for (pollfd& one : waiting) one = {any_session(), static_cast<short>(random_()), 0};
    return ::poll(waiting.data(), waiting.size(), static_cast<int>(below(2)));
  }

  /// Files in /proc and /sys that belong to channels, of this process or of others.
  long file() {
    char path[64];
    ipcbench_attach wish{};
    wish.abi = IPCBENCH_ABI;
    wish.kind = one_in(2) ? IPCBENCH_PROC : IPCBENCH_SYSFS;
    wish.side = IPCBENCH_HOLDER;
    wish.fd = -1;
    wish.depth = 2;
    wish.size_max = 64;
    wish.name[0] = wish.kind == IPCBENCH_PROC ? 'p' : 's';
    const int device = ::open(IPCBENCH_DEVICE, O_RDWR | O_CLOEXEC);
    if (device == -1) return -1;
    long result = ::ioctl(device, IPCBENCH_IOC_ATTACH, &wish);
    const char* attribute = one_in(2) ? "message" : "taken";
    if (wish.kind == IPCBENCH_PROC)
      std::snprintf(path, sizeof path, "/proc/ipcbench/%u", wish.id);
    else
      std::snprintf(path, sizeof path, "/sys/class/misc/ipcbench/%u/%s", wish.id, attribute);
    const int file =
        ::open(path, (one_in(2) ? O_RDONLY : O_WRONLY) | O_CLOEXEC | (one_in(20) ? 0 : O_NONBLOCK));
    if (one_in(2)) ::close(device);
    for (int i = 0; i < 4; ++i) {
      if (one_in(2))
        result = ::read(file, pointer(), number() % (1 << 17));
      else
        result = ::write(file, pointer(), one_in(2) ? 1 + below(64) : number() % (1 << 17));
      pollfd waiting{file, POLLIN | POLLOUT | POLLPRI, 0};
      ::poll(&waiting, 1, 0);
    }
    ::close(file);
    ::close(device);
    return result;
  }

  /// A netlink message: sometimes with the cookie of a session, sometimes of anything.
  long netlink() {
    if (socket_ == -1 || one_in(50)) {
      if (socket_ != -1) ::close(socket_);
      socket_ = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_GENERIC);
    }
    struct {
      nlmsghdr header;
      genlmsghdr generic;
      nlattr attribute;
      char data[256];
    } message{};
    std::uint64_t cookie = random_();
    ::ioctl(any_session(), IPCBENCH_IOC_COOKIE, &cookie);
    for (char& byte : message.data) byte = static_cast<char>(random_());
    std::memcpy(message.data, &cookie, sizeof cookie);
    const bool joins = one_in(3);
    const std::size_t size = joins && !one_in(10) ? 8 : below(sizeof message.data);
    message.header.nlmsg_len =
        static_cast<std::uint32_t>(NLMSG_HDRLEN + GENL_HDRLEN + NLA_HDRLEN + size);
    message.header.nlmsg_type = family();
    message.header.nlmsg_flags =
        static_cast<std::uint16_t>(NLM_F_REQUEST | (one_in(2) ? NLM_F_ACK : 0));
    message.generic.cmd = joins ? IPCBENCH_CMD_JOIN : IPCBENCH_CMD_SEND;
    if (one_in(20)) message.generic.cmd = static_cast<std::uint8_t>(random_());
    message.generic.version = 1;
    message.attribute.nla_len =
        static_cast<std::uint16_t>(one_in(20) ? random_() : NLA_HDRLEN + size);
    message.attribute.nla_type = joins ? IPCBENCH_ATTR_COOKIE : IPCBENCH_ATTR_DATA;
    if (one_in(20)) message.attribute.nla_type = static_cast<std::uint16_t>(random_());
    const long result = ::send(socket_, &message, message.header.nlmsg_len, 0);
    char reply[512];
    while (::recv(socket_, reply, sizeof reply, 0) > 0) {
    }
    return result;
  }

  /// The family's number, which has to be asked for once.
  std::uint16_t family() {
    if (family_ != 0) return family_;
    struct {
      nlmsghdr header;
      genlmsghdr generic;
      nlattr attribute;
      char name[12];
    } ask{};
    ask.header.nlmsg_len = sizeof ask;
    ask.header.nlmsg_type = GENL_ID_CTRL;
    ask.header.nlmsg_flags = NLM_F_REQUEST;
    ask.generic = {.cmd = CTRL_CMD_GETFAMILY, .version = 1, .reserved = 0};
    ask.attribute = {NLA_HDRLEN + sizeof IPCBENCH_FAMILY, CTRL_ATTR_FAMILY_NAME};
    std::memcpy(ask.name, IPCBENCH_FAMILY, sizeof IPCBENCH_FAMILY);
    char reply[4096];
    ::send(socket_, &ask, sizeof ask, 0);
    const ssize_t got = ::recv(socket_, reply, sizeof reply, 0);
    for (std::size_t at = NLMSG_HDRLEN + GENL_HDRLEN;
         got > 0 && at + 6 < static_cast<std::size_t>(got);) {
      nlattr attribute;
      std::memcpy(&attribute, reply + at, sizeof attribute);
      if (attribute.nla_type == CTRL_ATTR_FAMILY_ID)
        std::memcpy(&family_, reply + at + NLA_HDRLEN, sizeof family_);
      at += attribute.nla_len < NLA_HDRLEN ? NLA_HDRLEN : (attribute.nla_len + 3u) / 4u * 4u;
    }
    return family_;
  }

  long operate() {
    switch (below(16)) {
      case 0:
        return renew();
      case 1:
      case 2:
        return ::read(any_session(), pointer(), one_in(4) ? number() : 1 + below(64));
      case 3:
      case 4:
        return ::write(any_session(), pointer(), one_in(4) ? number() : 1 + below(64));
      case 5:
        return map();
      case 6:
        return poll();
      case 7:
        return one_in(4) ? file() : command();
      case 8:
        return netlink();
      case 9:
        if (one_in(8)) return attach(any_session());
        return ::fcntl(any_session(), F_SETFL, one_in(20) ? 0 : O_NONBLOCK);
      case 10:
        if (!one_in(30)) return command();
        return die_in_the_middle();
      default:
        return command();
    }
  }

  /// A copy of this process ends itself while it uses the sessions.
  long die_in_the_middle() {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::alarm(1);
      for (std::uint64_t left = below(20); left > 0; --left) command();
      ::kill(::getpid(), SIGKILL);
    }
    int status;
    return ::waitpid(pid, &status, 0);
  }

  std::mt19937_64 random_;
  Shared& shared_;
  int socket_ = -1;
  std::uint16_t family_ = 0;
};

std::uint64_t parse(const char* text) {
  char* end;
  errno = 0;
  const std::uint64_t value = std::strtoull(text, &end, 10);
  if (errno != 0 || *text < '0' || *text > '9' || *end != '\0') {
    std::fprintf(stderr, "kmod_fuzz: '%s': expected a number\n", text);
    std::exit(2);
  }
  return value;
}

/// One process of several: two threads that share its sessions, and a clock that interrupts what
/// would wait for ever.
[[noreturn]] void fuzz(std::uint64_t seed, std::uint64_t operations, Shared& shared) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct sigaction action {};
  action.sa_handler = [](int) {};
  for (const int signal : {SIGALRM, SIGIO}) ::sigaction(signal, &action, nullptr);
  // Whichever real-time signal it has asked the module for by chance.
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) ::sigaction(signal, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  memory = static_cast<char*>(
      ::mmap(nullptr, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ::mprotect(memory + 2 * page, page, PROT_NONE);
  for (auto& session : sessions) session = -1;
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  std::array<std::atomic<pid_t>, 2> ids{};
  for (std::uint64_t i = 0; i < 2; ++i)
    threads.emplace_back([&, i] {
      ids[i] = static_cast<pid_t>(::syscall(SYS_gettid));
      Fuzzer(seed * 2 + i, shared).run(operations / 2);
      ids[i] = 0;
    });
  // A call that has waited for 5 ms has waited enough.
  std::thread clock([&] {
    while (!done) {
      ::poll(nullptr, 0, 5);
      for (const auto& id : ids)
        if (const pid_t thread = id.load()) ::syscall(SYS_tgkill, ::getpid(), thread, SIGALRM);
    }
  });
  for (std::thread& thread : threads) thread.join();
  done = true;
  clock.join();
  ::_exit(0);
}

}  // namespace

int main(int count, char** words) {
  std::uint64_t seed = 1;
  std::uint64_t operations = 50'000;
  std::uint64_t processes = 3;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--help" || word == "-h") {
      std::puts("Usage: kmod_fuzz [--seed N] [--operations N] [--processes N]");
      return 0;
    }
    std::uint64_t* const value = word == "--seed"         ? &seed
                                 : word == "--operations" ? &operations
                                 : word == "--processes"  ? &processes
                                                          : nullptr;
    if (value == nullptr || i + 1 == count) {
      std::fprintf(stderr, "kmod_fuzz: '%s': expected --seed, --operations or --processes, and N\n",
                   words[i]);
      return 2;
    }
    *value = parse(words[++i]);
  }
  if (processes < 1 || processes > 64) {
    std::fprintf(stderr, "kmod_fuzz: --processes: expected 1 to 64\n");
    return 2;
  }
  const int device = ::open(IPCBENCH_DEVICE, O_RDWR | O_CLOEXEC);
  if (device == -1) {
    std::perror(IPCBENCH_DEVICE);
    return 77;
  }
  ::close(device);
  auto* const shared = static_cast<Shared*>(
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  int failures = 0;
  // A process has its part of the operations; another one takes its place after every 2000 of them.
  constexpr std::uint64_t part = 2000;
  std::uint64_t started = 0;
  std::uint64_t running = 0;
  while (started * part < operations || running > 0) {
    if (started * part < operations && running < processes) {
      const pid_t pid = ::fork();
      if (pid == 0) fuzz(seed * 1'000'003 + started, part, *shared);
      ++started;
      ++running;
      continue;
    }
    int status;
    ::wait(&status);
    --running;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      std::fprintf(stderr, "kmod_fuzz: a process ended with status 0x%x\n", status);
      ++failures;
    }
  }
  std::printf("seed %llu: %llu operations, %llu of them accepted\n",
              static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(shared->operations.load()),
              static_cast<unsigned long long>(shared->accepted.load()));
  return failures == 0 ? 0 : 1;
}
