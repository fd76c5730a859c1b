#include "harness/subject.h"

#include <time.h>

#include <algorithm>
#include <cstring>

#include "harness/modules.h"

namespace ipcbench {

Subject::Subject(const Row& row, const RunDirectory& directory)
    : row_(loaded(row)), directory_(directory) {}

std::size_t Subject::at_most(std::size_t size) const {
  return std::min(size, row_.message_max().value_or(size));
}

const LinkMaker* Subject::maker(bool Verbs::*producer, bool Verbs::*consumer) const {
  for (const LinkMaker& maker : row_.links)
    if (maker.producer.*producer && maker.consumer.*consumer) return &maker;
  return nullptr;
}

Shape Subject::shape(std::size_t size) const {
  Shape shape;
  shape.size = size;
  shape.directory = &directory_;
  shape.variant = row_.variant;
  return shape;
}

// What an experiment had, the kernel may give back some time later: a private namespace's queues.
std::string Subject::ask(const std::function<std::string(Bench&)>& experiment) const {
  for (int attempt = 1;; ++attempt) try {
      directory_.clear();  // of one that threw
      std::string answer = in_the_lab(experiment);
      directory_.clear();
      return answer;
    } catch (const Scarce&) {
      if (attempt == 50) throw;
      const timespec pause{0, 100'000'000};
      ::nanosleep(&pause, nullptr);
    }
}

AnyLink& make(const LinkMaker& maker, const Shape& shape) {
  return *maker.make(shape).release();
}

void cast(Bench& bench, AnyLink& link, const std::vector<Part>& parts) {
  for (std::size_t place = 0; place < parts.size(); ++place)
    fork_subject(bench, place, [&] {
      const Part& part = parts[place];
      AnyEnd& end = *(part.is_producer ? link.producer() : link.consumer()).release();
      ++bench.open;
      await([&] { return bench.begun.load(); });
      part.play(end);
    });
  let_go_of_descriptors();
  // An end for large messages takes a while to be made, on a machine that is emulated.
  happens(
      bench, [&] { return bench.open == parts.size() || !first_error(bench).empty(); },
      3'000'000'000);
  if (bench.open != parts.size())
    throw std::runtime_error("its ends never met: " + first_error(bench));
  bench.begun = true;
}

void cast(Bench& bench, AnyLink& link, const std::function<void(AnyEnd&)>& producer,
          const std::function<void(AnyEnd&)>& consumer) {
  cast(bench, link, {{true, producer}, {false, consumer}});
}

void put(AnyEnd& end, std::size_t size, char letter) {
  const Bytes message = end.reserve(size);
  std::memset(message.data(), letter, size);
  end.commit();
}

std::string take(AnyEnd& end, std::size_t size) {
  const View message = end.peek(size);
  std::string text(reinterpret_cast<const char*>(message.data()), message.size());
  end.release();
  return text;
}

std::string first_error(const Bench& bench) {
  for (const auto& error : bench.error)
    if (error[0] != '\0') return error;
  return "";
}

}  // namespace ipcbench
