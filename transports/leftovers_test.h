// leftovers_test.h: what a run could leave behind on the machine, for tests to compare.
#pragma once

#include <filesystem>
#include <set>
#include <sstream>
#include <string>

#include "harness/unix.h"

namespace ipcbench {

/// Open descriptors of this process, our names in /dev/shm, and System V objects. Names of others
/// don't count, but System V objects have none: such tests want the machine's to themselves.
struct Leftovers {
  std::set<std::string> objects;

  static Leftovers now() {
    namespace fs = std::filesystem;
    Leftovers found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd", error)) {
      const fs::path target = fs::read_symlink(entry.path(), error);
      if (!target.string().starts_with("/proc/")) found.objects.insert("fd " + target.string());
    }
    for (const auto& entry : fs::directory_iterator("/dev/shm", error)) {
      const std::string file = entry.path().filename().string();
      if (file.starts_with("ipcbench-") || file.starts_with("sem.ipcbench-"))
        found.objects.insert(entry.path().string());
    }
    for (const char* kind : {"msg", "sem", "shm"}) {
      std::istringstream lines(read_text(std::string("/proc/sysvipc/") + kind));
      std::string line;
      std::getline(lines, line);
      while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string key;
        std::string id;
        words >> key >> id;
        found.objects.insert(std::string("System V ") + kind + " " + id);
      }
    }
    return found;
  }

  std::string text() const {
    std::string all;
    for (const std::string& object : objects) all += object + "\n";
    return all;
  }
};

}  // namespace ipcbench
