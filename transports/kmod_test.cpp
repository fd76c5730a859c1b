// The kernel module's own tests: what its interface promises, and what it refuses. They run where
// it is loaded: `scripts/vm build/release/kmod_test`. The transports over it are in
// conformance_test.
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <atomic>
#include <functional>
#include <numeric>
#include <thread>

#include <gtest/gtest.h>

#include "transports/kmod_genl.h"

namespace ipcbench {
namespace {

constexpr std::uint64_t page = 4096;

ipcbench_attach wish(std::uint32_t kind, std::uint32_t side, const std::string& name = "",
                     std::uint64_t size_max = 64, std::uint32_t peer = IPCBENCH_PROCESS) {
  ipcbench_attach wish{};
  wish.abi = IPCBENCH_ABI;
  wish.kind = kind;
  wish.side = side;
  wish.peer = peer;
  wish.fd = -1;
  wish.depth = 4;
  wish.size_max = size_max;
  name.copy(wish.name, sizeof wish.name - 1);
  return wish;
}

int attach(const Fd& device, ipcbench_attach& wish) {
  return ::ioctl(device.get(), IPCBENCH_IOC_ATTACH, &wish) == -1 ? errno : 0;
}

/// Both sides of a channel, joined by passing the session on.
struct Pair {
  Fd producer = open_kmod();
  Fd consumer = open_kmod();
  ipcbench_attach is;

  explicit Pair(std::uint32_t kind = IPCBENCH_QUEUE, std::uint64_t size_max = 64) {
    is = wish(kind, IPCBENCH_PRODUCER, "", size_max);
    check(::ioctl(producer.get(), IPCBENCH_IOC_ATTACH, &is), "attach");
    is.side = IPCBENCH_CONSUMER;
    is.fd = producer.get();
    check(::ioctl(consumer.get(), IPCBENCH_IOC_ATTACH, &is), "attach");
  }
};

void set_nonblock(const Fd& fd) {
  check(::fcntl(fd.get(), F_SETFL, O_RDWR | O_NONBLOCK), "fcntl");
}
int error_of(long result) {
  return result == -1 ? errno : 0;
}
short events_of(const Fd& fd) {
  pollfd waiting{fd.get(), POLLIN | POLLOUT, 0};
  check(::poll(&waiting, 1, 0), "poll");
  return waiting.revents;
}
std::string read_one(const Fd& fd, std::size_t room = 64) {
  std::string text(room, '?');
  text.resize(static_cast<std::size_t>(check(::read(fd.get(), text.data(), room), "read")));
  return text;
}
void write_one(const Fd& fd, std::string_view text) {
  ASSERT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

/// Runs a body in a process of its own and returns its exit status, or 128 and its signal.
int in_a_child(const std::function<int()>& body) {
  const pid_t pid = check(::fork(), "fork");
  if (pid == 0) ::_exit(body());
  int status = 0;
  check(::waitpid(pid, &status, 0), "waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

class Kmod : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = kmod_unavailable(); !why.empty()) GTEST_SKIP() << why;
  }
};

TEST_F(Kmod, MessagesKeepTheirOrderAndTheirBoundaries) {
  const Pair pair;
  write_one(pair.producer, "a");
  write_one(pair.producer, "bcdefghij");
  write_one(pair.producer, std::string(64, 'x'));
  EXPECT_EQ(read_one(pair.consumer), "a");
  EXPECT_EQ(read_one(pair.consumer), "bcdefghij");
  EXPECT_EQ(read_one(pair.consumer), std::string(64, 'x'));
  write_one(pair.consumer, "back");
  EXPECT_EQ(read_one(pair.producer), "back");
}

TEST_F(Kmod, EverySizeFromOneByteToTheLargestArrives) {
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{4095}, std::size_t{65537}, std::size_t{IPCBENCH_MESSAGE_MAX}}) {
    const Pair pair(IPCBENCH_QUEUE, size);
    std::string message(size, '\0');
    std::iota(message.begin(), message.end(), '\1');
    write_one(pair.producer, message);
    EXPECT_EQ(read_one(pair.consumer, size) == message, true) << size;
    message += '+';
    EXPECT_EQ(error_of(::write(pair.producer.get(), message.data(), size + 1)), EMSGSIZE);
    EXPECT_EQ(error_of(::write(pair.producer.get(), message.data(), 0)), EINVAL);
  }
}

TEST_F(Kmod, AFullQueueSaysSoAndTakesMoreWhenThereIsRoom) {
  const Pair pair;
  set_nonblock(pair.producer);
  const std::string message(64, 'm');
  std::uint32_t sent = 0;
  EXPECT_EQ(events_of(pair.consumer), POLLOUT);
  while (::write(pair.producer.get(), message.data(), message.size()) == 64) ++sent;
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(sent, pair.is.depth);
  EXPECT_EQ(events_of(pair.producer), 0);
  EXPECT_EQ(events_of(pair.consumer), POLLIN | POLLOUT);
  read_one(pair.consumer);
  EXPECT_EQ(events_of(pair.producer), POLLOUT);
  write_one(pair.producer, message);
  set_nonblock(pair.consumer);
  for (std::uint32_t i = 0; i != sent; ++i) read_one(pair.consumer);
  char byte;
  EXPECT_EQ(error_of(::read(pair.consumer.get(), &byte, 1)), EAGAIN);
}

TEST_F(Kmod, WhoWaitsIsWoken) {
  const Pair pair;
  std::thread reader([&] {
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(read_one(pair.consumer), std::to_string(i));
  });
  for (int i = 0; i < 1000; ++i) write_one(pair.producer, std::to_string(i));
  reader.join();
}

TEST_F(Kmod, AMessageThatIsLargerThanTheBufferStays) {
  const Pair pair;
  write_one(pair.producer, "four");
  char small[3];
  EXPECT_EQ(error_of(::read(pair.consumer.get(), small, sizeof small)), EMSGSIZE);
  EXPECT_EQ(read_one(pair.consumer), "four");
}

TEST_F(Kmod, TheEndOfAPeerIsToldAfterItsMessages) {
  Pair pair;
  write_one(pair.producer, "last");
  pair.producer.close();
  EXPECT_EQ(events_of(pair.consumer) & (POLLIN | POLLHUP), POLLIN | POLLHUP);
  EXPECT_EQ(read_one(pair.consumer), "last");
  EXPECT_EQ(read_one(pair.consumer), "");
  EXPECT_EQ(error_of(::write(pair.consumer.get(), "x", 1)), EPIPE);
}

TEST_F(Kmod, AKilledPeerIsNoticedByWhoWaits) {
  Pair pair;
  const pid_t pid = check(::fork(), "fork");
  if (pid == 0) {
    pair.consumer.close();
    while (true) ::pause();
  }
  pair.producer.close();  // the child's copy is the last one
  std::thread killer([&] { ::kill(pid, SIGKILL); });
  EXPECT_EQ(read_one(pair.consumer), "");
  killer.join();
  ::waitpid(pid, nullptr, 0);
}

TEST_F(Kmod, AnInheritedSessionIsOneSession) {
  Pair pair;
  EXPECT_EQ(in_a_child([&] { return ::write(pair.producer.get(), "child", 5) == 5 ? 0 : 1; }), 0);
  EXPECT_EQ(read_one(pair.consumer), "child");
  write_one(pair.producer, "parent");  // it hasn't ended with the child
  EXPECT_EQ(read_one(pair.consumer), "parent");
}

TEST_F(Kmod, TwoChannelsDontMix) {
  const Pair one;
  const Pair other;
  write_one(one.producer, "one");
  write_one(other.producer, "other");
  EXPECT_EQ(read_one(other.consumer), "other");
  EXPECT_EQ(read_one(one.consumer), "one");
}

TEST_F(Kmod, SessionsMeetByName) {
  Fd first = open_kmod();
  Fd second = open_kmod();
  ipcbench_attach one = wish(IPCBENCH_QUEUE, IPCBENCH_PRODUCER, "meeting");
  ipcbench_attach two = wish(IPCBENCH_QUEUE, IPCBENCH_CONSUMER, "meeting");
  ASSERT_EQ(attach(first, one), 0);
  two.size_max = 65;
  EXPECT_EQ(attach(second, two), EEXIST);
  two.size_max = 64;
  ASSERT_EQ(attach(second, two), 0);
  EXPECT_EQ(one.id, two.id);
  EXPECT_EQ(attach(second, two), EISCONN);
  write_one(first, "hello");
  EXPECT_EQ(read_one(second), "hello");
  first.close();
  second.close();
  Fd third = open_kmod();
  two.size_max = 65;
  EXPECT_EQ(attach(third, two), ENOENT) << "the channel went with its last session";
  two.id = 0;
  EXPECT_EQ(attach(third, two), 0);
  EXPECT_NE(two.id, one.id);
}

TEST_F(Kmod, WishesThatCannotBeAreRefused) {
  const auto refusal = [](auto change) {
    ipcbench_attach wrong = wish(IPCBENCH_QUEUE, IPCBENCH_PRODUCER, "wrong");
    change(wrong);
    return attach(open_kmod(), wrong);
  };
  EXPECT_EQ(refusal([](auto& wish) { wish.abi = 2; }), EPROTO);
  EXPECT_EQ(refusal([](auto& wish) { wish.kind = 6; }), EINVAL);
  EXPECT_EQ(refusal([](auto& wish) { wish.side = 3; }), EINVAL);
  EXPECT_EQ(refusal([](auto& wish) { wish.peer = 4; }), EINVAL);
  EXPECT_EQ(refusal([](auto& wish) { wish.peer = IPCBENCH_SOURCE; }), EINVAL);
  EXPECT_EQ(refusal([](auto& wish) { wish.reserved = 1; }), EINVAL);
  EXPECT_EQ(refusal([](auto& wish) { wish.depth = 0; }), EINVAL);
  EXPECT_EQ(refusal([](auto& wish) { wish.depth = ~0u; }), EINVAL);
  EXPECT_EQ(refusal([](auto& wish) { wish.size_max = 0; }), EINVAL);
  EXPECT_EQ(refusal([](auto& wish) { wish.size_max = IPCBENCH_MESSAGE_MAX + 1; }), EINVAL);
  EXPECT_EQ(refusal([](auto& wish) { wish.size_max = ~0ull; }), EINVAL);
  EXPECT_EQ(refusal([](auto& wish) { std::memset(wish.name, 'n', sizeof wish.name); }), EINVAL);
  EXPECT_EQ(refusal([](auto& wish) { wish.name[0] = '\n'; }), EINVAL);
  EXPECT_EQ(refusal([](auto& wish) { wish.name[0] = '\xff'; }), EINVAL);
  EXPECT_EQ(refusal([](auto& wish) { wish.fd = 0; }), EINVAL);  // and a name
  EXPECT_EQ(refusal([](auto& wish) { wish.fd = -2; }), EINVAL);
  const auto joining = [&](int fd) {
    return refusal([&](auto& wish) {
      wish.name[0] = '\0';
      wish.fd = fd;
    });
  };
  const Fd unattached = open_kmod();
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  EXPECT_EQ(joining(null.get()), EBADF);
  EXPECT_EQ(joining(12345), EBADF);
  EXPECT_EQ(joining(unattached.get()), ENOTCONN);
}

TEST_F(Kmod, NothingButAttachingWorksBeforeIt) {
  const Fd device = open_kmod();
  char memory[256] = {};
  EXPECT_EQ(error_of(::read(device.get(), memory, 1)), ENOTCONN);
  EXPECT_EQ(error_of(::write(device.get(), memory, 1)), ENOTCONN);
  EXPECT_EQ(events_of(device), POLLERR);
  EXPECT_EQ(::mmap(nullptr, page, PROT_READ, MAP_SHARED, device.get(), 0), MAP_FAILED);
  EXPECT_EQ(errno, ENOTCONN);
  for (const unsigned long command :
       {IPCBENCH_IOC_SEND, IPCBENCH_IOC_RECEIVE, IPCBENCH_IOC_CALL, IPCBENCH_IOC_SUNK,
        IPCBENCH_IOC_WAIT, IPCBENCH_IOC_WAKE, IPCBENCH_IOC_MOVE, IPCBENCH_IOC_SIGNAL_ME,
        IPCBENCH_IOC_SIGNAL, IPCBENCH_IOC_HELP, IPCBENCH_IOC_COOKIE})
    EXPECT_EQ(error_of(::ioctl(device.get(), command, memory)), ENOTCONN) << command;
  EXPECT_EQ(error_of(::ioctl(device.get(), IPCBENCH_IOC_NULL)), 0);
}

TEST_F(Kmod, UnknownCommandsAndSizesOfStructuresAreRefused) {
  const Pair pair;
  char memory[16384] = {};
  EXPECT_EQ(error_of(::ioctl(pair.producer.get(), _IO(0xb7, 99))), ENOTTY);
  EXPECT_EQ(error_of(::ioctl(pair.producer.get(), _IO('x', 2))), ENOTTY);
  EXPECT_EQ(error_of(::ioctl(pair.producer.get(), _IOW(0xb7, 2, char), memory)), ENOTTY);
  EXPECT_EQ(error_of(::ioctl(pair.producer.get(), _IOC(_IOC_WRITE, 0xb7, 2, 16383), memory)),
            ENOTTY);
}

TEST_F(Kmod, PointersThatLeadNowhereAreFaults) {
  const Pair pair;
  const Mapping two = Mapping::own_pages(2 * page);
  std::memset(two.data(), 'x', page);
  ASSERT_EQ(::mprotect(two.data() + page, page, PROT_NONE), 0);
  std::byte* const edge = two.data() + page - 8;  // half of 16 bytes
  for (const std::uint64_t address :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0xffff888000000000},
        address_of_memory(two.data() + page), address_of_memory(edge)}) {
    auto* const pointer = reinterpret_cast<char*>(address);
    EXPECT_EQ(error_of(::write(pair.producer.get(), pointer, 16)), EFAULT);
    ipcbench_message message{address, 16};
    EXPECT_EQ(error_of(::ioctl(pair.producer.get(), IPCBENCH_IOC_SEND, &message)), EFAULT);
    EXPECT_EQ(error_of(::ioctl(pair.producer.get(), IPCBENCH_IOC_SEND, pointer + 4)), EFAULT);
    write_one(pair.producer, "0123456789abcdef");
    EXPECT_EQ(error_of(::read(pair.consumer.get(), pointer, 16)), EFAULT);
    EXPECT_EQ(error_of(::ioctl(pair.consumer.get(), IPCBENCH_IOC_RECEIVE, &message)), EFAULT);
    EXPECT_EQ(read_one(pair.consumer), "0123456789abcdef");  // it is still there, and whole
  }
  ipcbench_message huge{address_of_memory(two.data()), ~0ull};
  EXPECT_EQ(error_of(::ioctl(pair.producer.get(), IPCBENCH_IOC_SEND, &huge)), EMSGSIZE);
  EXPECT_EQ(error_of(::ioctl(open_kmod().get(), IPCBENCH_IOC_ATTACH, nullptr)), EFAULT);
}

TEST_F(Kmod, MappingsStayWithinTheRing) {
  Pair ring(IPCBENCH_RING, 2 * page + 1);  // three pages
  const auto map = [&](std::size_t size, int protection, int flags, off_t offset) {
    void* const memory = ::mmap(nullptr, size, protection, flags, ring.producer.get(), offset);
    if (memory == MAP_FAILED) return errno;
    ::munmap(memory, size);
    return 0;
  };
  constexpr int rw = PROT_READ | PROT_WRITE;
  EXPECT_EQ(map(3 * page, rw, MAP_SHARED, 0), 0);
  EXPECT_EQ(map(page, rw, MAP_SHARED, 2 * page), 0);
  EXPECT_NE(map(4 * page, rw, MAP_SHARED, 0), 0);
  EXPECT_NE(map(page, rw, MAP_SHARED, 3 * page), 0);
  EXPECT_NE(map(2 * page, rw, MAP_SHARED, 2 * page), 0);
  EXPECT_NE(map(page, rw, MAP_SHARED, static_cast<off_t>(std::uint64_t{1} << 62)), 0);
  EXPECT_EQ(map(page, rw, MAP_PRIVATE, 0), EINVAL);
  EXPECT_EQ(map(page, PROT_READ | PROT_EXEC, MAP_SHARED, 0), EPERM);
  const Pair queue;
  EXPECT_EQ(::mmap(nullptr, page, rw, MAP_SHARED, queue.producer.get(), 0), MAP_FAILED);
  EXPECT_EQ(errno, ENODEV);

  void* const memory = ::mmap(nullptr, page, rw, MAP_SHARED, ring.producer.get(), 0);
  ASSERT_NE(memory, MAP_FAILED);
  EXPECT_EQ(error_of(::mprotect(memory, page, PROT_READ | PROT_EXEC)), EACCES);
  EXPECT_EQ(::mremap(memory, page, 8 * page, MREMAP_MAYMOVE), MAP_FAILED);
  ring.producer.close();
  ring.consumer.close();
  std::memset(memory, 'x', page);  // it outlives the descriptors
  EXPECT_EQ(::munmap(memory, page), 0);
}

TEST_F(Kmod, ABellCountsAndAWordIsWaitedFor) {
  const Pair ring(IPCBENCH_RING, page);
  Mapping memory(page, ring.producer.get());
  std::uint32_t count = 3;
  EXPECT_EQ(events_of(ring.consumer), POLLOUT);
  EXPECT_EQ(::write(ring.producer.get(), &count, sizeof count), 4);
  EXPECT_EQ(events_of(ring.consumer), POLLIN | POLLOUT);
  EXPECT_EQ(::read(ring.consumer.get(), &count, sizeof count), 4);
  EXPECT_EQ(count, 3u);
  EXPECT_EQ(error_of(::read(ring.consumer.get(), &count, 3)), EINVAL);

  auto* const word = reinterpret_cast<std::atomic<std::uint32_t>*>(memory.data() + 64);
  ipcbench_word wait{64, 1, 0};
  EXPECT_EQ(error_of(::ioctl(ring.consumer.get(), IPCBENCH_IOC_WAIT, &wait)), EAGAIN);
  *word = 1;
  std::thread waker([&] {
    *word = 2;
    while (*word != 3)
      ASSERT_EQ(error_of(::ioctl(ring.producer.get(), IPCBENCH_IOC_WAKE, &wait)), 0);
  });
  while (*word == 1) ::ioctl(ring.consumer.get(), IPCBENCH_IOC_WAIT, &wait);
  *word = 3;
  waker.join();
  for (const ipcbench_word wrong :
       {ipcbench_word{page, 0, 0}, {65, 0, 0}, {~0ull - 3, 0, 0}, {64, 0, 1}})
    EXPECT_EQ(error_of(::ioctl(ring.consumer.get(), IPCBENCH_IOC_WAIT, &wrong)), EINVAL);
}

TEST_F(Kmod, TheKernelEchoesReadsAndProduces) {
  Fd echo = open_kmod();
  ipcbench_attach as = wish(IPCBENCH_QUEUE, IPCBENCH_PRODUCER, "", 64, IPCBENCH_ECHO);
  ASSERT_EQ(attach(echo, as), 0);
  write_one(echo, "echo");
  EXPECT_EQ(read_one(echo), "echo");
  char reply[8] = "";
  ipcbench_call call{address_of_memory("hi"), 2, address_of_memory(reply), sizeof reply};
  EXPECT_EQ(error_of(::ioctl(echo.get(), IPCBENCH_IOC_CALL, &call)), 0);
  EXPECT_EQ(std::string(reply), "hi");
  EXPECT_EQ(call.reply_size, 2u);
  call = {address_of_memory("hi"), 2, address_of_memory(reply), 1};
  EXPECT_EQ(error_of(::ioctl(echo.get(), IPCBENCH_IOC_CALL, &call)), EMSGSIZE);

  const Fd sink = open_kmod();
  as = wish(IPCBENCH_QUEUE, IPCBENCH_PRODUCER, "", 64, IPCBENCH_SINK);
  ASSERT_EQ(attach(sink, as), 0);
  write_one(sink, std::string_view("\1\0\0\0\0\0\0\0\2", 9));
  ipcbench_sunk sunk{};
  ASSERT_EQ(error_of(::ioctl(sink.get(), IPCBENCH_IOC_SUNK, &sunk)), 0);
  EXPECT_EQ(sunk.messages, 1u);
  EXPECT_EQ(sunk.bytes, 9u);
  EXPECT_EQ(sunk.sum, 3u);
  EXPECT_EQ(error_of(::read(sink.get(), reply, 8)), EOPNOTSUPP);

  const Fd source = open_kmod();
  as = wish(IPCBENCH_QUEUE, IPCBENCH_CONSUMER, "", 8, IPCBENCH_SOURCE);
  ASSERT_EQ(attach(source, as), 0);
  for (std::uint64_t i = 0; i < 3; ++i) {
    std::uint64_t word = 0;
    ASSERT_EQ(::read(source.get(), &word, sizeof word), 8);
    EXPECT_EQ(word, i * IPCBENCH_SOURCE_STEP);
  }

  const Fd ring = open_kmod();
  as = wish(IPCBENCH_RING, IPCBENCH_PRODUCER, "", page, IPCBENCH_ECHO);
  ASSERT_EQ(attach(ring, as), 0);
  Mapping memory(page, ring.get());
  std::memcpy(memory.data(), "moved", 5);
  const ipcbench_move move{0, 100, 5};
  EXPECT_EQ(error_of(::ioctl(ring.get(), IPCBENCH_IOC_MOVE, &move)), 0);
  EXPECT_EQ(std::memcmp(memory.data() + 100, "moved", 5), 0);
  for (const ipcbench_move wrong : {ipcbench_move{0, page - 4, 5},
                                    {page - 4, 0, 5},
                                    {~0ull, 0, 5},
                                    {0, ~0ull - 1, 5},
                                    {0, 0, ~0ull},
                                    {1, 0, page}})
    EXPECT_EQ(error_of(::ioctl(ring.get(), IPCBENCH_IOC_MOVE, &wrong)), EINVAL);
}

TEST_F(Kmod, AFileInProcIsOneWayAndKeepsItsChannel) {
  Fd holder = open_kmod();
  ipcbench_attach as = wish(IPCBENCH_PROC, IPCBENCH_HOLDER);
  ASSERT_EQ(attach(holder, as), 0);
  const std::string path = fmt::format("/proc/ipcbench/{}", as.id);
  EXPECT_EQ(::open(path.c_str(), O_RDWR | O_CLOEXEC), -1);
  EXPECT_EQ(errno, EINVAL);
  Fd out(check(::open(path.c_str(), O_WRONLY | O_CLOEXEC), "open"));
  Fd in(check(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open"));
  holder.close();
  write_one(out, "through proc");
  EXPECT_EQ(events_of(in), POLLIN);
  EXPECT_EQ(read_one(in), "through proc");
  out.close();
  EXPECT_EQ(read_one(in), "");
  in.close();
  for (int i = 0; i < 1000 && ::access(path.c_str(), F_OK) == 0; ++i) ::poll(nullptr, 0, 1);
  EXPECT_EQ(::access(path.c_str(), F_OK), -1);
}

TEST_F(Kmod, AMailboxInSysfsShowsItsMessageUntilItIsTaken) {
  Fd holder = open_kmod();
  ipcbench_attach as = wish(IPCBENCH_SYSFS, IPCBENCH_HOLDER, "", IPCBENCH_SYSFS_MAX);
  ASSERT_EQ(attach(holder, as), 0);
  const std::string path = fmt::format("/sys/class/misc/ipcbench/{}/", as.id);
  const Fd message(check(::open((path + "message").c_str(), O_RDWR | O_CLOEXEC), "open"));
  const Fd taken(check(::open((path + "taken").c_str(), O_RDWR | O_CLOEXEC), "open"));
  const std::string large(IPCBENCH_SYSFS_MAX, 's');
  std::string seen(large.size() + 1, '?');
  pollfd waiting{message.get(), POLLPRI, 0};
  EXPECT_EQ(::pread(message.get(), seen.data(), seen.size(), 0), 0);
  EXPECT_EQ(::poll(&waiting, 1, 0), 0);
  EXPECT_EQ(error_of(::pwrite(taken.get(), "1", 1, 0)), EAGAIN);
  EXPECT_EQ(::pwrite(message.get(), large.data(), large.size(), 0), IPCBENCH_SYSFS_MAX);
  EXPECT_EQ(::poll(&waiting, 1, 1000), 1);
  EXPECT_EQ(error_of(::pwrite(message.get(), "x", 1, 0)), EAGAIN);
  for (int look = 0; look < 2; ++look) {
    EXPECT_EQ(::pread(message.get(), seen.data(), seen.size(), 0), IPCBENCH_SYSFS_MAX);
    EXPECT_EQ(seen.substr(0, large.size()), large);
  }
  EXPECT_EQ(::pwrite(taken.get(), "1", 1, 0), 1);
  EXPECT_EQ(::pread(message.get(), seen.data(), seen.size(), 0), 0);
  EXPECT_EQ(error_of(::pwrite(message.get(), seen.data(), seen.size(), 0)), EMSGSIZE);
  holder.close();
  EXPECT_EQ(::access(path.c_str(), F_OK), -1);
  EXPECT_EQ(error_of(::pread(message.get(), seen.data(), seen.size(), 0)), ENODEV);
}

TEST_F(Kmod, SignalsGoToWhoAskedForThem) {
  const Pair pair(IPCBENCH_SIGNAL, 8);
  ipcbench_signal signal{42, 7, 0};
  set_nonblock(pair.producer);
  EXPECT_EQ(error_of(::ioctl(pair.producer.get(), IPCBENCH_IOC_SIGNAL, &signal)), EAGAIN);
  for (const int wrong : {0, SIGKILL, SIGSTOP, SIGUSR1, 32, 33, 65, -1})
    EXPECT_EQ(error_of(::ioctl(pair.consumer.get(), IPCBENCH_IOC_SIGNAL_ME, &wrong)), EINVAL);
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGRTMIN);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  const int number = SIGRTMIN;
  ASSERT_EQ(error_of(::ioctl(pair.consumer.get(), IPCBENCH_IOC_SIGNAL_ME, &number)), 0);
  ASSERT_EQ(error_of(::ioctl(pair.producer.get(), IPCBENCH_IOC_SIGNAL, &signal)), 0);
  siginfo_t info{};
  const timespec second{1, 0};
  EXPECT_EQ(::sigtimedwait(&signals, &info, &second), SIGRTMIN);
  EXPECT_EQ(info.si_value.sival_int, 42);
  EXPECT_EQ(info.si_errno, 7);
  EXPECT_EQ(in_a_child([&] {  // it goes to the child from now on, which then is no more
              return ::ioctl(pair.consumer.get(), IPCBENCH_IOC_SIGNAL_ME, &number);
            }),
            0);
  EXPECT_EQ(error_of(::ioctl(pair.producer.get(), IPCBENCH_IOC_SIGNAL, &signal)), EPIPE);
}

TEST_F(Kmod, NetlinkAnswersOnlyWhoHasJoined) {
  GenlSocket stranger;
  const std::string text = "hello";
  const View message = std::as_bytes(std::span(text));
  stranger.send(message, NLM_F_ACK);
  EXPECT_EQ(stranger.await_answer(), ENOTCONN);

  const Pair pair(IPCBENCH_NETLINK, 64);
  GenlSocket producer;
  GenlSocket consumer;
  producer.join(pair.producer.get());
  producer.send(message, NLM_F_ACK);
  EXPECT_EQ(producer.await_answer(), ENOTCONN);  // the other side has no socket yet
  consumer.join(pair.consumer.get());
  EXPECT_THROW(consumer.join(pair.producer.get()), std::system_error);  // it speaks for one
  producer.send(message, NLM_F_ACK);
  EXPECT_EQ(producer.await_answer(), 0);
  std::string got(64, '?');
  EXPECT_EQ(consumer.receive(std::as_writable_bytes(std::span(got))), text.size());
  EXPECT_EQ(got.substr(0, text.size()), text);
  const std::string large(65, 'l');
  producer.send(std::as_bytes(std::span(large)), NLM_F_ACK);
  EXPECT_EQ(producer.await_answer(), EMSGSIZE);
}

TEST_F(Kmod, MemoryHasALimitAndIsGivenBack) {
  for (int round = 0; round < 2; ++round) {
    std::vector<Fd> sessions;
    int error = 0;
    while (error == 0 && sessions.size() < 1000) {
      Fd device = open_kmod();
      ipcbench_attach large = wish(IPCBENCH_RING, IPCBENCH_HOLDER, "", IPCBENCH_MESSAGE_MAX);
      error = attach(device, large);
      if (error == 0) sessions.push_back(std::move(device));
    }
    EXPECT_EQ(error, ENOMEM);
    EXPECT_GE(sessions.size(), 2u);
  }
}

TEST_F(Kmod, ItCannotBeUnloadedWhileASessionIsOpen) {
  const Pair pair;
  if (::geteuid() != 0) GTEST_SKIP() << "only root may unload modules";
  EXPECT_EQ(error_of(::syscall(SYS_delete_module, "ipcbench", O_NONBLOCK)), EWOULDBLOCK);
  write_one(pair.producer, "still here");
  EXPECT_EQ(read_one(pair.consumer), "still here");
}

/// What a process of another user does, in the device's group or not.
int be_user(uid_t uid, const std::vector<gid_t>& groups, const std::function<int()>& body) {
  if (::setgroups(groups.size(), groups.data()) != 0 || ::setresgid(uid, uid, uid) != 0 ||
      ::setresuid(uid, uid, uid) != 0)
    return 99;
  return body();
}

/// The first user has a secret in each kind of channel, tells where, and waits to be dismissed.
int keep_secrets(const Fd& to_the_test) {
  const Fd queue = open_kmod();
  const Fd proc = open_kmod();
  const Fd sysfs = open_kmod();
  ipcbench_attach in_queue = wish(IPCBENCH_QUEUE, IPCBENCH_PRODUCER, "secret");
  ipcbench_attach in_proc = wish(IPCBENCH_PROC, IPCBENCH_HOLDER);
  ipcbench_attach in_sysfs = wish(IPCBENCH_SYSFS, IPCBENCH_HOLDER);
  if (attach(queue, in_queue) != 0 || ::write(queue.get(), "secret", 6) != 6) return 1;
  if (attach(proc, in_proc) != 0 || attach(sysfs, in_sysfs) != 0) return 2;
  const std::string path = fmt::format("/proc/ipcbench/{}", in_proc.id);
  const Fd own(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!own || ::write(own.get(), "secret", 6) != 6) return 3;
  const std::uint32_t ids[] = {in_queue.id, in_proc.id, in_sysfs.id};
  if (::write(to_the_test.get(), ids, sizeof ids) != sizeof ids) return 4;
  char dismissed;
  return ::read(to_the_test.get(), &dismissed, 1) == 1 ? 0 : 5;
}

/// The second user looks for them everywhere.
int look_for_secrets(const std::uint32_t* ids) {
  const Fd device = open_kmod();
  ipcbench_attach same_name = wish(IPCBENCH_QUEUE, IPCBENCH_CONSUMER, "secret");
  if (attach(device, same_name) != 0 || same_name.id == ids[0]) return 1;
  set_nonblock(device);
  char byte;
  if (error_of(::read(device.get(), &byte, 1)) != EAGAIN) return 2;
  const std::string proc = fmt::format("/proc/ipcbench/{}", ids[1]);
  if (error_of(::open(proc.c_str(), O_RDONLY | O_CLOEXEC)) != EACCES) return 3;
  const std::string sysfs = fmt::format("/sys/class/misc/ipcbench/{}/message", ids[2]);
  return error_of(::open(sysfs.c_str(), O_RDONLY | O_CLOEXEC)) == EACCES ? 0 : 4;
}

TEST_F(Kmod, NoUserSeesAnotherOnesData) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be other users";
  constexpr gid_t group = 60000;
  struct stat before {};
  check(::stat(IPCBENCH_DEVICE, &before), "stat");
  const auto opens = [](uid_t uid, const std::vector<gid_t>& groups) {
    return in_a_child([&] {
      return be_user(uid, groups,
                     [] { return error_of(::open(IPCBENCH_DEVICE, O_RDWR | O_CLOEXEC)); });
    });
  };
  EXPECT_EQ(before.st_mode & 07777, 0660u);
  EXPECT_EQ(opens(60001, {}), EACCES);
  check(::chown(IPCBENCH_DEVICE, 0, group), "chown");  // as the udev rule does
  EXPECT_EQ(opens(60001, {group}), 0);
  EXPECT_EQ(opens(60002, {}), EACCES);

  const Pair between;
  const pid_t first = check(::fork(), "fork");
  if (first == 0) ::_exit(be_user(60001, {group}, [&] { return keep_secrets(between.producer); }));
  std::uint32_t ids[3] = {};
  EXPECT_EQ(::read(between.consumer.get(), ids, sizeof ids), sizeof ids);
  EXPECT_EQ(
      in_a_child([&] { return be_user(60002, {group}, [&] { return look_for_secrets(ids); }); }),
      0);
  write_one(between.consumer, "!");
  int status = 0;
  check(::waitpid(first, &status, 0), "waitpid");
  EXPECT_EQ(status, 0);
  check(::chown(IPCBENCH_DEVICE, before.st_uid, before.st_gid), "chown");
}

}  // namespace
}  // namespace ipcbench
