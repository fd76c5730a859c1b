#include "harness/name.h"

#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <time.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include <fmt/format.h>

#include "harness/text.h"

namespace ipcbench {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "ipcbench-";
constexpr std::string_view file_note = "file:";  ///< what follows is a number: a path has slashes

/// How a note calls what it names; "" for kinds that need none, because they lie in the directory
/// or vanish with their last user.
std::string_view kind_text(NameKind kind) {
  switch (kind) {
    case NameKind::path:
    case NameKind::abstract:
    case NameKind::note:
      return "";
    case NameKind::posix_shm:
      return "shm";
    case NameKind::posix_mq:
      return "mq";
    case NameKind::posix_sem:
      return "sem";
    case NameKind::sysv_msg:
      return "sysv_msg";
    case NameKind::sysv_shm:
      return "sysv_shm";
    case NameKind::sysv_sem:
      return "sysv_sem";
  }
  return "";
}

bool is_sysv(NameKind kind) {
  return kind == NameKind::sysv_msg || kind == NameKind::sysv_shm || kind == NameKind::sysv_sem;
}

std::uint64_t random_number() {
  std::uint64_t number = 0;
  check(::getrandom(&number, sizeof number, 0), "getrandom");
  return number;
}

/// A System V key from a name: the same in every process that knows the name. (FNV-1a; 0 would be
/// IPC_PRIVATE.)
key_t key_of(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return static_cast<key_t>(1 + (hash ^ hash >> 32) % 0x7ffffffe);
}

/// Removes an object, called by the rest of its note.
bool remove_object(std::string_view kind, const std::string& name) {
  if (kind == "shm") return ::shm_unlink(("/" + name).c_str()) == 0;
  if (kind == "mq") return ::mq_unlink(("/" + name).c_str()) == 0;
  if (kind == "sem") return ::sem_unlink(("/" + name).c_str()) == 0;
  const auto key = static_cast<key_t>(std::strtol(name.c_str(), nullptr, 10));
  if (kind == "sysv_msg") {
    const int id = ::msgget(key, 0);
    return id != -1 && ::msgctl(id, IPC_RMID, nullptr) == 0;
  }
  if (kind == "sysv_shm") {
    const int id = ::shmget(key, 0, 0);
    return id != -1 && ::shmctl(id, IPC_RMID, nullptr) == 0;
  }
  if (kind == "sysv_sem") {
    const int id = ::semget(key, 0, 0);
    return id != -1 && ::semctl(id, 0, IPC_RMID) == 0;
  }
  return false;
}

/// Removes everything in a run directory, and what its notes name. Notes are "kind:name".
std::vector<std::string> remove_contents(const fs::path& directory) {
  std::vector<std::string> removed;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    const std::string file = entry.path().filename().string();
    const std::size_t colon = file.find(':');
    if (file.starts_with(file_note)) {
      const std::string path = read_text(entry.path());
      if (::unlink(path.c_str()) == 0) removed.push_back(path);
    } else if (colon == std::string::npos) {
      removed.push_back(entry.path().string());
    } else if (remove_object(file.substr(0, colon), file.substr(colon + 1))) {
      removed.push_back(file);
    }
    fs::remove(entry.path(), error);
  }
  return removed;
}

}  // namespace

std::string temporary_directory() {
  const char* directory = std::getenv("TMPDIR");
  return directory == nullptr || *directory == '\0' ? "/tmp" : directory;
}

RunDirectory::RunDirectory() : owner_(::getpid()) {
  for (int attempt = 0;
       !make(fmt::format("{}-{:012x}", ::getuid(), random_number() & 0xffffffffffff)); ++attempt)
    if (attempt == 100) fail("rename", path_);
}

RunDirectory::RunDirectory(std::string_view name) : owner_(::getpid()) {
  const std::string token = fmt::format("{}-{}", ::getuid(), name);
  sweep();
  for (int attempt = 0; !make(token); ++attempt) {
    if (::access(path_.c_str(), F_OK) == 0)
      throw UsageError(fmt::format("--name {}: {} is in use by a live process; choose another name",
                                   printable(name), path_));
    if (attempt == 100) fail("rename", path_);
  }
}

RunDirectory::RunDirectory(Join, const std::string& path, bool is_ours)
    : path_(path),
      lock_(check(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), "open",
                  path)),
      owner_(-1),
      ours_(is_ours) {
  const std::string file = fs::path(path).filename().string();
  token_ = file.substr(std::min(file.size(), prefix.size()));
  check(::flock(lock_.get(), LOCK_SH | LOCK_NB), "flock", path);
}

RunDirectory::RunDirectory(Find, std::string_view name)
    : RunDirectory(Join{},
                   fmt::format("{}/{}{}-{}", temporary_directory(), prefix, ::getuid(), name),
                   false) {}

/// It gets its final name only once it is locked, so that a sweep can't take it for a dead one. A
/// sweep may remove it before that, when it is still empty: then another one is to be made. The
/// lock is a shared one, for all processes of its runs.
bool RunDirectory::make(std::string token) {
  token_ = std::move(token);
  path_ = fmt::format("{}/{}{}", temporary_directory(), prefix, token_);
  const std::string fresh = fmt::format("{}.{}.new", path_, ::getpid());
  check(::mkdir(fresh.c_str(), 0700), "mkdir", fresh);
  Fd lock(::open(fresh.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock && ::flock(lock.get(), LOCK_SH | LOCK_NB) == 0 &&
      ::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) == 0) {
    lock_ = std::move(lock);
    return true;
  }
  ::rmdir(fresh.c_str());
  return false;
}

RunDirectory::~RunDirectory() {
  if (::getpid() != owner_) return;
  clear();
  ::rmdir(path_.c_str());
}

std::vector<std::string> RunDirectory::clear() const {
  return remove_contents(path_);
}

void RunDirectory::note(std::string_view kind, const std::string& name) const {
  static std::atomic<int> serial{0};
  const bool is_path = kind == "file";
  const std::string object = is_path ? fmt::format("{}.{}", ::getpid(), serial++) : name;
  const std::string note = fmt::format("{}/{}:{}", path_, kind, object);
  const Fd file(check(::open(note.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600), "open", note));
  if (!is_path) return;
  if (check(::write(file.get(), name.data(), name.size()), "write", note) !=
      static_cast<ssize_t>(name.size())) {
    errno = ENOSPC;
    fail("write", note);
  }
}

Name::Name(const RunDirectory& directory, NameKind kind)
    : kind_(kind), owner_(::getpid()), ours_(directory.is_ours()), kept_(directory.keeps_names()) {
  static std::atomic<int> serial{0};
  const int number = serial++;
  const std::string plain = fmt::format("{}{}-{}", prefix, directory.token(), number);
  if (kind == NameKind::path)
    text_ = fmt::format("{}/{}", directory.path(), number);
  else if (kind == NameKind::note)
    text_ = fmt::format("{}/{}.note", directory.path(), number);
  else if (kind == NameKind::abstract)
    text_ = std::string(1, '\0') + plain;
  else if (is_sysv(kind))
    text_ = fmt::format("/{}", key_of(plain));
  else
    text_ = "/" + plain;
  if (kind_text(kind).empty()) return;
  note_ = fmt::format("{}/{}:{}", directory.path(), kind_text(kind), text_.substr(1));
  if (!ours_) return;
  Fd note(
      check(::open(note_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600), "open", note_));
}

Name::~Name() {
  if (ours_ && ::getpid() == owner_) unlink();
}

key_t Name::key() const {
  if (!is_sysv(kind_)) return key_of(text_);
  return static_cast<key_t>(std::strtol(text_.c_str() + 1, nullptr, 10));
}

void Name::unlink() const noexcept {
  if (kind_ == NameKind::abstract || kept_) return;
  if (kind_ == NameKind::path || kind_ == NameKind::note) {
    ::unlink(text_.c_str());
    return;
  }
  // Only the first one finds the note; a second removal could hit a key that has a new owner.
  if (::access(note_.c_str(), F_OK) != 0) return;
  remove_object(kind_text(kind_), text_.substr(1));
  ::unlink(note_.c_str());
}

void Name::publish(std::string_view text) const {
  const std::string fresh = fmt::format("{}.{}", text_, ::getpid());
  const Fd file(
      check(::open(fresh.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600), "open", fresh));
  if (check(::write(file.get(), text.data(), text.size()), "write", fresh) !=
      static_cast<ssize_t>(text.size())) {
    errno = ENOSPC;
    fail("write", fresh);
  }
  check(::rename(fresh.c_str(), text_.c_str()), "rename", fresh);
}

std::string Name::await() const {
  while (::access(text_.c_str(), F_OK) != 0) {
    if (errno != ENOENT) fail("access", text_);
    const timespec pause{0, 200'000};
    ::nanosleep(&pause, nullptr);
  }
  return read_text(text_);
}

Mapping map_named(const Name& name, std::size_t size) {
  const int flags = O_RDWR | O_CLOEXEC | (name.is_ours() ? O_CREAT | O_EXCL : 0);
  const Fd fd(check(::shm_open(name.text().c_str(), flags, 0600), "shm_open", name.text()));
  if (name.is_ours())
    check(::ftruncate(fd.get(), static_cast<off_t>(size)), "ftruncate", name.text());
  return Mapping(size, fd.get());
}

std::vector<std::string> sweep() {
  std::vector<std::string> removed;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(temporary_directory(), error)) {
    const std::string file = entry.path().filename().string();
    struct stat status;
    if (!file.starts_with(prefix) || ::lstat(entry.path().c_str(), &status) != 0 ||
        !S_ISDIR(status.st_mode) || status.st_uid != ::getuid())
      continue;
    const Fd lock(::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) continue;  // a live run has it
    for (std::string& object : remove_contents(entry.path())) removed.push_back(std::move(object));
    if (::rmdir(entry.path().c_str()) == 0) removed.push_back(entry.path().string());
  }
  return removed;
}

}  // namespace ipcbench
