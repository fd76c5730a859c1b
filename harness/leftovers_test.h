// leftovers_test.h: what a run could leave behind on the machine, for tests to compare.
#pragma once

#include <errno.h>
#include <sys/wait.h>

#include <filesystem>
#include <set>
#include <sstream>
#include <string>

#include "harness/name.h"
#include "harness/unix.h"

namespace ipcbench {

/// Open descriptors and children of this process, and all that has a name: in the temporary
/// directory, /dev/shm and /dev/mqueue, System V objects, abstract sockets. Test programs have
/// these to themselves (harness/test_main.cpp).
struct Leftovers {
  std::set<std::string> objects;

  static Leftovers now() {
    Leftovers found;
    found.add_descriptors();
    found.add_names_in(temporary_directory());
    found.add_names_in("/dev/shm");
    found.add_names_in("/dev/mqueue");
    for (const char* kind : {"msg", "sem", "shm"})
      found.add_table(std::string("/proc/sysvipc/") + kind, 1, "");
    found.add_table("/proc/self/net/unix", 7, "@");
    if (::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD) found.objects.insert("a child");
    return found;
  }

  std::string text() const {
    std::string all;
    for (const std::string& object : objects) all += object + "\n";
    return all;
  }

 private:
  void add_descriptors() {
    namespace fs = std::filesystem;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd", error)) {
      const fs::path target = fs::read_symlink(entry.path(), error);
      if (!target.string().starts_with("/proc/")) objects.insert("fd " + target.string());
    }
  }

  void add_names_in(const std::string& directory) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error))
      objects.insert(entry.path().string());
  }

  /// The words of one column of a table in /proc that begin in a certain way.
  void add_table(const std::string& path, int column, std::string_view start) {
    std::istringstream lines(read_text(path));
    std::string line;
    std::getline(lines, line);  // the heading
    while (std::getline(lines, line)) {
      std::istringstream words(line);
      std::string word;
      for (int i = 0; i <= column && words >> word; ++i)
        if (i == column && word.starts_with(start)) objects.insert(path + " " + word);
    }
  }
};

}  // namespace ipcbench
