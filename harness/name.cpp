#include "harness/name.h"

#include <fcntl.h>
#include <mqueue.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include <fmt/format.h>

namespace ipcbench {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "ipcbench-";

std::string_view kind_text(NameKind kind) {
  switch (kind) {
    case NameKind::path:
      return "path";
    case NameKind::posix_shm:
      return "shm";
    case NameKind::posix_mq:
      return "mq";
    case NameKind::sysv_msg:
      return "msg";
  }
  return "";
}

std::uint64_t random_number() {
  std::uint64_t number = 0;
  check(::getrandom(&number, sizeof number, 0), "getrandom");
  return number;
}

/// The object's name as shm_unlink, mq_unlink or msgget know it, from the rest of its note.
bool remove_object(std::string_view kind, const std::string& name) {
  if (kind == "shm") return ::shm_unlink(("/" + name).c_str()) == 0;
  if (kind == "mq") return ::mq_unlink(("/" + name).c_str()) == 0;
  if (kind == "msg") {
    const int id = ::msgget(static_cast<key_t>(std::strtol(name.c_str(), nullptr, 10)), 0);
    return id != -1 && ::msgctl(id, IPC_RMID, nullptr) == 0;
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
    if (colon == std::string::npos) {
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
  // It gets its final name only once it is locked, so that a sweep can't take it for a dead one.
  // A sweep may remove it before that, when it is still empty: then another one is made.
  for (int attempt = 0; !lock_; ++attempt) {
    token_ = fmt::format("{}-{:012x}", ::getuid(), random_number() & 0xffffffffffff);
    path_ = fmt::format("{}/{}{}", temporary_directory(), prefix, token_);
    const std::string fresh = path_ + ".new";
    check(::mkdir(fresh.c_str(), 0700), "mkdir", fresh);
    Fd lock(::open(fresh.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0 &&
        ::rename(fresh.c_str(), path_.c_str()) == 0)
      lock_ = std::move(lock);
    else if (attempt == 100)
      fail("rename", fresh);
  }
}

RunDirectory::~RunDirectory() {
  if (::getpid() != owner_) return;
  clear();
  ::rmdir(path_.c_str());
}

void RunDirectory::clear() const {
  remove_contents(path_);
}

Name::Name(const RunDirectory& directory, NameKind kind) : kind_(kind), owner_(::getpid()) {
  static std::atomic<int> serial{0};
  const int number = serial++;
  switch (kind) {
    case NameKind::path:
      text_ = fmt::format("{}/{}-{}", directory.path(), owner_, number);
      return;
    case NameKind::posix_shm:
    case NameKind::posix_mq:
      text_ = fmt::format("/{}{}-{}-{}", prefix, directory.token(), owner_, number);
      break;
    case NameKind::sysv_msg:
      text_ = fmt::format("/{}", 1 + random_number() % 0x7ffffffe);
      break;
  }
  note_ = fmt::format("{}/{}:{}", directory.path(), kind_text(kind), text_.substr(1));
  Fd note(
      check(::open(note_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600), "open", note_));
}

Name::~Name() {
  if (::getpid() == owner_) unlink();
}

key_t Name::key() const {
  return static_cast<key_t>(std::strtol(text_.c_str() + 1, nullptr, 10));
}

void Name::unlink() const noexcept {
  if (kind_ == NameKind::path) {
    ::unlink(text_.c_str());
    return;
  }
  // Only the first one finds the note; a second removal could hit a key that has a new owner.
  if (::access(note_.c_str(), F_OK) != 0) return;
  remove_object(kind_text(kind_), text_.substr(1));
  ::unlink(note_.c_str());
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
