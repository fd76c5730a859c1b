// What is read from a results file that somebody else wrote: each value of it replaced by what it
// shouldn't be, and each prefix of it. scripts/fuzz looks further.
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "harness/reader_fuzz.h"

namespace ipcbench {
namespace {

std::string corpus(const std::string& name) {
  std::ifstream file(std::string(IPCBENCH_READER_CORPUS) + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Reader, TakesFilePageAndJournal) {
  for (const char* name : {"results.json", "page.html", "journal"})
    EXPECT_TRUE(read_whatever(corpus(name))) << name;
}

TEST(Reader, AnswersWhateverStandsInAPlace) {
  const Json document = Json::parse(corpus("results.json"));
  std::string deep(40, '[');
  deep.append(40, ']');
  const Json replacements[] = {nullptr,
                               false,
                               -1,
                               UINT64_MAX,
                               1e308,
                               0.5,
                               "",
                               std::string(5'000, 'x'),
                               "\xff\xfe",
                               Json::array(),
                               Json::object(),
                               Json::parse("[[1,2,3]]"),
                               Json::parse(deep)};
  // Every eleventh combination, which meets all places and all replacements: the whole takes
  // minutes.
  std::size_t turn = 0;
  int accepted = 0;
  const Json places = document.flatten();
  for (const auto& [pointer, value] : places.items()) {
    for (const Json& replacement : replacements) {
      if (++turn % 11 != 0) continue;
      // The value, and each list or object around it.
      for (Json::json_pointer at(pointer); !at.empty(); at = at.parent_pointer()) {
        if (at != Json::json_pointer(pointer) && &replacement != &replacements[0]) break;
        Json changed = document;
        changed[at] = replacement;
        accepted += read_whatever(dump(changed)) ? 1 : 0;
      }
    }
  }
  EXPECT_GT(accepted, 10) << "what isn't read may be anything";
}

TEST(Reader, AnswersWhatWasCutShort) {
  for (const char* name : {"results.json", "page.html", "journal"}) {
    const std::string whole = corpus(name);
    for (std::size_t size = 0; size < whole.size(); size += 7)
      read_whatever(std::string_view(whole).substr(0, size));
  }
  EXPECT_FALSE(read_whatever(corpus("results.json").substr(0, 3'000)));
}

TEST(Reader, AnswersAJournalOfScenariosThatItDoesNotKnow) {
  std::string journal = corpus("journal");
  const std::string known = "\"scenario\":\"contend\"";
  const std::size_t at = journal.find(known);
  ASSERT_NE(at, std::string::npos);
  journal.replace(at, known.size(), "\"scenario\":\"content\"");
  EXPECT_FALSE(read_whatever(journal));
}

}  // namespace
}  // namespace ipcbench
