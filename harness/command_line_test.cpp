// The command line, as a user meets it: what it answers to right and to wrong input.
#include <sys/stat.h>

#include <algorithm>
#include <span>
#include <tuple>

#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "harness/program_under_test.h"
#include "harness/results.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

using Words = std::vector<std::string>;

const std::string huge(10'000, 'x');

/// Wrong input is answered with exit status 2 and one line that says what is wrong.
void expect_rejection(const Sandbox& sandbox, const Command& command, const Words& words) {
  const Finished finished = run_program(sandbox, command);
  EXPECT_EQ(finished.status, 2);
  EXPECT_EQ(finished.out, "");
  EXPECT_TRUE(finished.err.starts_with("ipcbench: ")) << finished.err;
  EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
  EXPECT_TRUE(finished.err.ends_with("\n")) << finished.err;
  EXPECT_LT(finished.err.size(), 600U) << finished.err;
  EXPECT_FALSE(contains(finished.err, "[json.exception")) << finished.err;
  EXPECT_FALSE(contains(finished.err, "\033")) << finished.err;
  for (const std::string& word : words)
    EXPECT_TRUE(contains(finished.err, word)) << "no '" << word << "' in: " << finished.err;
  EXPECT_TRUE(sandbox.processes().empty());
}

struct WrongUsage {
  Words arguments;
  Words words;  ///< that the message must have
};

/// `run` with these arguments; a dry one, lest a case that is accepted takes minutes.
Words run(Words arguments) {
  arguments.insert(arguments.begin(), {"run", "-n"});
  return arguments;
}

void expect_rejections(const std::vector<WrongUsage>& cases) {
  const Sandbox sandbox;
  for (const auto& [arguments, words] : cases) {
    std::string shown;
    for (const std::string& argument : arguments) shown += argument.substr(0, 60) + " ";
    SCOPED_TRACE("ipcbench " + shown);
    expect_rejection(sandbox, {arguments, {}, {}, ""}, words);
  }
  EXPECT_EQ(sandbox.leftovers(), Words());
}

TEST(CommandLine, RejectsWrongSubCommands) {
  expect_rejections({
      {{}, {"subcommand", "ipcbench --help"}},
      {{""}, {"no sub-command ''"}},
      {{"rum"}, {"'rum'", "did you mean 'run'?"}},
      {{"lsit"}, {"'lsit'", "did you mean 'list'?"}},
      {{"tabel", "x.json"}, {"'tabel'", "did you mean 'table'?"}},
      {{"frobnicate"}, {"'frobnicate'", "ipcbench --help"}},
      {{huge}, {"no sub-command 'xxx", "…"}},
      {{"\033[31mrun\n"}, {"no sub-command '?[31mrun?'"}},
      {{"--frobnicate"}, {"--frobnicate"}},
      {{"run", "list"}, {"list"}},
      {{"list", "pipe"}, {"pipe", "ipcbench list --help"}},
      {{"sweep", "--force"}, {"--force"}},
      {{"doctor", "--jsn"}, {"--jsn", "did you mean '--json'?"}},
      {{"describe"}, {"transport is required"}},
      {{"describe", "pype"}, {"'pype'", "did you mean 'pipe'?", "ipcbench list"}},
      {{"describe", "pipe", "tcp"}, {"tcp"}},
      {{"describe", ""}, {"transport"}},
      {{"describe", huge}, {"no transport 'xxx"}},
  });
}

TEST(CommandLine, RejectsWrongFlags) {
  expect_rejections({
      {run({"--transports", "pipe"}), {"--transports", "did you mean '--transport'?"}},
      {run({"--repeat=3"}), {"--repeat", "did you mean '--repeats'?"}},
      {run({"--sede", "4"}), {"--sede", "did you mean '--seed'?"}},
      {run({"-z"}), {"-z"}},
      {run({"pipe"}), {"pipe", "ipcbench run --help"}},
      {run({"--" + huge}), {"--xxx"}},
      {run(Words(60, "--wrong")), {"--wrong"}},
      {run({"--size"}), {"--size", "missing"}},
      {run({"--count", "5", "--count", "6"}), {"--count"}},
      {run({"--dry-run=maybe"}), {"--dry-run"}},
      {run({"--suite", "quik"}), {"'quik'", "did you mean 'quick'?"}},
      {run({"--suite", "../quick"}), {"no suite"}},
      {run({"--suite", huge}), {"no suite", "all, default, full, middleware, quick"}},
      {run({"--peer", "kernels"}), {"--peer 'kernels'", "process, kernel or source"}},
      {run({"--color", "maybe"}), {"--color 'maybe'", "auto, always or never"}},
      {run({"-t", "pype"}), {"'pype'", "did you mean 'pipe'?"}},
      {run({"-t", "pipe,tpc"}), {"'tpc'", "did you mean 'tcp'?"}},
      {run({"-t", "pipe,,tcp"}), {"--transport", "empty"}},
      {run({"-t", ""}), {"--transport"}},
      {run({"-t", "zz*"}), {"'zz*'", "ipcbench list"}},
      {run({"-t", "\033]0;title\a"}), {"no transport '?]0;title?'"}},
      {run({"-t",
            "\xc2\x9b"
            "31m\xff"}),
       {"no transport '??31m?'"}},
      {run({"-S", "pingpong"}), {"'pingpong'", "did you mean 'ping_pong'?"}},
      {run({"-S", "nothing"}), {"'nothing'", "ping_pong, one_way"}},
      {run({"--filter", "(["}), {"--filter '(['", "regular expression"}},
      {run({"--filter", "*"}), {"--filter '*'", "regular expression"}},
      {run({"--filter", std::string(60'000, '(') + std::string(60'000, ')')}),
       {"--filter", "at most"}},
      {run({"--filter", ""}), {"--filter"}},
  });
}

TEST(CommandLine, RejectsWrongSizes) {
  std::vector<WrongUsage> cases;
  for (const char* size : {"0", "-1", "abc", "64XB", "1e3", "99999999999999999999", "17MiB",
                           "1.5KiB", "0x40", "010", "64;128", "nan", "\xff\xfe"})
    cases.push_back({run({"-s", size}), {"size '", "1 to 16MiB"}});
  cases.push_back({run({"-s", ""}), {"--size"}});
  cases.push_back({run({"-s", " "}), {"--size", "empty"}});
  cases.push_back({run({"-s", "64,,4K"}), {"--size", "empty"}});
  cases.push_back({run({"-s", "64,"}), {"--size", "empty"}});
  cases.push_back({run({"-s", huge}), {"size 'xxx", "…"}});
  cases.push_back({run({"-s", std::string(10'000, '9')}), {"size '999", "…"}});
  expect_rejections(cases);
}

TEST(CommandLine, RejectsWrongNumbers) {
  std::vector<WrongUsage> cases;
  for (const char* flag : {"--repeats", "--count", "--depth", "--seed"}) {
    for (const char* number : {"-1", "abc", "1.5", "1e3", "99999999999999999999999", "0x10", "5 "})
      cases.push_back({run({flag, number}), {flag, number, "expected a whole number"}});
    cases.push_back({run({flag, ""}), {flag}});
    cases.push_back({run({flag, huge}), {flag, "xxx", "expected a whole number"}});
  }
  cases.push_back({run({"--repeats", "0"}), {"--repeats '0'", "from 1"}});
  cases.push_back({run({"--repeats", "10001"}), {"--repeats '10001'", "10000"}});
  cases.push_back({run({"--depth", "0"}), {"--depth '0'", "from 1"}});
  cases.push_back({run({"--depth", "1048577"}), {"--depth"}});
  cases.push_back({run({"--count", "1000000000001"}), {"--count"}});
  expect_rejections(cases);
}

TEST(CommandLine, RejectsWrongTimes) {
  std::vector<WrongUsage> cases;
  for (const char* flag : {"--warmup", "--min-time", "--timeout"}) {
    for (const char* time : {"20", "-5ms", "nan", "inf", "nans", "infs", "1e999s", "1e300s", "ms",
                             "5 ms", "5h", "0x5s", "1,5s"})
      cases.push_back({run({flag, time}), {flag, time, "expected a time"}});
    cases.push_back({run({flag, ""}), {flag}});
    cases.push_back({run({flag, huge}), {flag, "expected a time"}});
  }
  cases.push_back({run({"--min-time", "0s"}), {"--min-time '0s'"}});
  cases.push_back({run({"--timeout", "1ms"}), {"--timeout '1ms'"}});
  cases.push_back({run({"--timeout", "9000min"}), {"--timeout '9000min'"}});
  expect_rejections(cases);
}

TEST(CommandLine, RejectsWrongPlaces) {
  expect_rejections({
      {run({"--placement", "everywhere"}), {"'everywhere'", "same-core, cross-core, none"}},
      {run({"--placement", "same-core,"}), {"--placement", "empty"}},
      {run({"--placement", ""}), {"--placement"}},
      {run({"--placement", huge}), {"--placement 'xxx"}},
      {run({"--placement", "none", "--pin", "0,0"}), {"--pin and --placement", "one of them"}},
      {run({"--pin", "0"}), {"--pin '0'", "two CPUs"}},
      {run({"--pin", "0,1,2"}), {"--pin '0,1,2'", "two CPUs"}},
      {run({"--pin", "0,"}), {"--pin", "empty"}},
      {run({"--pin", "a,b"}), {"--pin 'a'", "whole number"}},
      {run({"--pin", "-1,0"}), {"--pin"}},
      {run({"--pin", "99999,0"}), {"--pin", "no CPU 99999"}},
      {run({"--pin", "0,99999999999"}), {"--pin '99999999999'"}},
      {run({"--pin", ""}), {"--pin"}},
  });
}

TEST(CommandLine, RejectsWrongOutputs) {
  const Sandbox sandbox;
  const std::string file = sandbox.write("file", "text");
  ASSERT_EQ(::mkfifo(sandbox.path("fifo").c_str(), 0600), 0);
  const std::vector<WrongUsage> cases{
      {{sandbox.state()}, {"is a directory"}},
      {{sandbox.path("missing/x.json")}, {"No such file or directory", "-o"}},
      {{file + "/x.json"}, {"Not a directory", "-o"}},
      {{"/proc/x"}, {"/proc/x", "-o"}},
      {{"/dev/null/x"}, {"Not a directory", "-o"}},
      {{sandbox.path("fifo")}, {"fifo", "no regular file"}},
      {{sandbox.path(huge)}, {"File name too long"}},
      {{""}, {"--output"}},
  };
  for (const auto& [path, words] : cases) {
    SCOPED_TRACE("-o " + path[0].substr(0, 60));
    const Command command{{"run", "-q", "-t", "pipe", "-S", "verify", "-o", path[0]}, {}, {}, ""};
    expect_rejection(sandbox, command, words);
  }
  EXPECT_EQ(sandbox.read("file"), "text");
  EXPECT_EQ(sandbox.leftovers(), Words());
}

TEST(CommandLine, RejectsAStateDirectoryThatCannotBe) {
  const Sandbox sandbox;
  const std::string file = sandbox.write("file", "");
  expect_rejection(
      sandbox,
      {{"run", "-q", "-t", "pipe", "-S", "verify"}, {{"XDG_STATE_HOME", file + "/below"}}, {}, ""},
      {"file/below", "-o"});
}

TEST(CommandLine, RejectsWrongEnvironments) {
  const Sandbox sandbox;
  const std::vector<std::array<std::string, 3>> cases{
      {"IPCBENCH_SIZE", "abc", "size 'abc'"},         {"IPCBENCH_REPEATS", "-4", "--repeats '-4'"},
      {"IPCBENCH_TRANSPORT", "pype", "no transport"}, {"IPCBENCH_SUITE", "huge", "no suite 'huge'"},
      {"IPCBENCH_COLOR", "maybe", "--color 'maybe'"}, {"IPCBENCH_WARMUP", "5", "--warmup '5'"},
  };
  for (const auto& [name, value, word] : cases)
    expect_rejection(sandbox, {{"run", "-n"}, {{name, value}}, {}, ""}, {word});
}

/// A small results document that is all right.
Json valid_results() {
  return Json::parse(R"({
    "schema": "ipcbench/1",
    "context": {"program": "ipcbench", "version": "0.1.0", "command": ["ipcbench"],
                "started": "2026-11-20T12:00:00Z", "machine": {}, "complete": true},
    "plan": {"seed": 1, "repeats": 1, "depth": 64, "warmup_ns": 0, "min_time_ns": 1000000,
             "timeout_ns": 1000000000, "count": 0,
             "cells": [{"key": "ping_pong/pipe/size:64/place:none", "transport": "pipe",
                        "scenario": "ping_pong", "size": 64, "placement": "none",
                        "cpus": [-1, -1], "skipped": null}],
             "order": [[0, 1]]},
    "runs": [{"key": "ping_pong/pipe/size:64/place:none", "transport": "pipe",
              "scenario": "ping_pong", "size": 64, "placement": "none", "repeat": 1, "order": 0,
              "status": "ok", "reason": null, "count": 100, "elapsed_ns": 400000, "depth": null,
              "round_trip_source": "each", "round_trip_p50_ns": 4000, "round_trip_p90_ns": 4100,
              "round_trip_p99_ns": null, "round_trip_p999_ns": null,
              "histogram": {"unit": "ns", "sub_bucket_bits": 7, "value_bits": 36,
                            "bins": [[700, 90], [702, 10]]},
              "cpu_ns_per_message": 1000.5}]})");
}

TEST(CommandLine, RejectsFilesThatAreNoResults) {
  const Sandbox sandbox;
  const std::string whole = valid_results().dump();
  const std::vector<std::tuple<const char*, std::string, Words>> cases{
      {"empty", "", {"is empty"}},
      {"white", " \n\n", {"cut short"}},
      {"truncated", whole.substr(0, whole.size() / 2), {"cut short"}},
      {"half", "{", {"cut short"}},
      {"tail", whole + "}", {"JSON"}},
      {"binary",
       std::string("\x7f"
                   "ELF\0\1\2\3\xff\xfe\n\n",
                   12),
       {"JSON"}},
      {"utf8",
       R"({"schema": "ipcbench/1", "x": ")"
       "\xff\xc0\x80"
       R"("})",
       {"UTF-8"}},
      {"escape",
       R"({"schema": "ipcbench/1)"
       "\033[31m"
       R"("})",
       {"JSON"}},
      {"list", "[]", {"no \"schema\""}},
      {"number", "5", {"no \"schema\""}},
      {"null", "null", {"no \"schema\""}},
      {"object", "{}", {"no \"schema\""}},
      {"foreign", R"({"context": {}, "benchmarks": []})", {"no \"schema\"", "ipcbench"}},
      {"typed", R"({"schema": 1})", {"no \"schema\""}},
      {"other", R"({"schema": "somebody/1"})", {"'somebody/1'", "'ipcbench/1'"}},
      {"newer", R"({"schema": "ipcbench/2"})", {"'ipcbench/2'", "'ipcbench/1'", "newer"}},
      {"long", R"({"schema": ")" + huge + R"("})", {"schema 'xxx"}},
      {"raw", R"({"schema": "\u001b[31m\n\u009b"})", {"schema '?[31m?\?\?'"}},
      {"bare", R"({"schema": "ipcbench/1"})", {"no \"context\""}},
      {"runless", R"({"schema": "ipcbench/1", "context": {}, "plan": {}})", {"no \"runs\""}},
      {"nested", std::string(5'000, '[') + std::string(5'000, ']'), {"nested"}},
      {"deep",
       R"({"schema": "ipcbench/1", "context": )" + std::string(2'000'000, '[') +
           std::string(2'000'000, ']') + R"(, "plan": {}, "runs": []})",
       {"nested"}},
      {"overflow",
       R"({"schema": "ipcbench/1", "context": {}, "plan": 1e999, "runs": []})",
       {"JSON"}},
  };
  for (const auto& [name, text, words] : cases) {
    SCOPED_TRACE(name);
    expect_rejection(sandbox, {{"table", sandbox.write(name, text)}, {}, {}, ""}, words);
  }
  for (const auto& [path, words] : std::vector<std::pair<std::string, Words>>{
           {sandbox.path("missing"), {"No such file", "results file"}},
           {sandbox.path(huge), {"too long"}},
           {sandbox.state(), {"is a directory"}},
           {"/dev/zero", {"/dev/zero", "no file"}},
           {"", {"results file"}},
           {sandbox.path("\033[31m\n"), {"?[31m?", "No such file"}}}) {
    SCOPED_TRACE(path.substr(0, 60));
    expect_rejection(sandbox, {{"table", path}, {}, {}, ""}, words);
  }
}

struct Edit {
  const char* pointer;
  std::string value;  ///< as JSON, or "" where the member is removed
  Words words;
};

TEST(CommandLine, RejectsResultsWithWrongFields) {
  const Sandbox sandbox;
  const std::string all_right = sandbox.write("valid.json", valid_results().dump());
  ASSERT_EQ(run_program(sandbox, {"table", all_right}).status, 0);
  std::vector<Edit> changes{
      {"/context", "[]", {"context", "object"}},
      {"/context", "5", {"context", "object"}},
      {"/context", "", {"\"context\""}},
      {"/plan", "", {"\"plan\""}},
      {"/runs", "5", {"runs", "list"}},
      {"/runs", "{}", {"runs", "list"}},
      {"/runs", "null", {"runs", "list"}},
      {"/runs", "[5]", {"runs[0]", "object"}},
      {"/runs", "[null]", {"runs[0]", "object"}},
      {"/runs", "[[]]", {"runs[0]", "object"}},
      {"/runs", "[{}]", {"runs[0]"}},
      {"/runs/0/size", "-1", {"runs[0].size", "-1"}},
      {"/runs/0/size", "64.5", {"runs[0].size", "64.5"}},
      {"/runs/0/size", "\"64\"", {"runs[0].size"}},
      {"/runs/0/size", "18446744073709551615", {"runs[0].size"}},
      {"/runs/0/size", "1e30", {"runs[0].size"}},
      {"/runs/0/size", "", {"runs[0].size", "nothing"}},
      {"/runs/0/repeat", "-1", {"runs[0].repeat"}},
      {"/runs/0/repeat", "1e9", {"runs[0].repeat"}},
      {"/runs/0/repeat", "true", {"runs[0].repeat"}},
      {"/runs/0/status", "\"fine\"", {"runs[0].status", "fine", "ok, skipped, failed or suspect"}},
      {"/runs/0/status", "0", {"runs[0].status"}},
      {"/runs/0/status", "", {"runs[0].status"}},
      {"/runs/0/reason", "5", {"runs[0].reason"}},
      {"/runs/0/round_trip_source", "5", {"runs[0].round_trip_source"}},
      {"/runs/0/round_trip_p50_ns", "\"4000\"", {"runs[0].round_trip_p50_ns"}},
      {"/runs/0/round_trip_p50_ns", "-4000", {"runs[0].round_trip_p50_ns"}},
      {"/runs/0/cpu_ns_per_message", "[1]", {"runs[0].cpu_ns_per_message"}},
      {"/runs/0/histogram", "5", {"runs[0].histogram"}},
      {"/runs/0/histogram", "{}", {"runs[0].histogram"}},
      {"/runs/0/histogram/sub_bucket_bits", "8", {"runs[0].histogram", "sub-bucket"}},
      {"/runs/0/histogram/bins", "{}", {"runs[0].histogram"}},
      {"/runs/0/histogram/bins", "[5]", {"runs[0].histogram", "[index, count]"}},
      {"/runs/0/histogram/bins", "[[1]]", {"runs[0].histogram", "[index, count]"}},
      {"/runs/0/histogram/bins", "[[1,2,3]]", {"runs[0].histogram"}},
      {"/runs/0/histogram/bins", "[[3840,1]]", {"runs[0].histogram"}},
      {"/runs/0/histogram/bins", "[[-1,1]]", {"runs[0].histogram"}},
      {"/runs/0/histogram/bins", "[[1,-1]]", {"runs[0].histogram"}},
      {"/runs/0/histogram/bins", "[[1,1.5]]", {"runs[0].histogram"}},
      {"/runs/0/histogram/bins", "[[\"1\",1]]", {"runs[0].histogram"}},
      {"/runs/0/histogram/bins", "[[1,18446744073709551615]]", {"runs[0].histogram"}},
  };
  for (const char* name : {"/runs/0/transport", "/runs/0/scenario", "/runs/0/placement"}) {
    const std::string key = name + sizeof "/runs/0";
    changes.push_back({name, "", {key, "nothing"}});
    changes.push_back({name, "5", {key, "string"}});
    changes.push_back({name, Json(std::string(10'000'000, 'x')).dump(), {key, "at most"}});
  }
  for (const auto& [pointer, value, words] : changes) {
    SCOPED_TRACE(std::string(pointer) + " = " + value.substr(0, 60));
    Json document = valid_results();
    const Json::json_pointer at(pointer);
    if (value.empty())
      document.at(at.parent_pointer()).erase(at.back());
    else
      document.at(at) = Json::parse(value);
    expect_rejection(sandbox, {{"table", sandbox.write("wrong.json", document.dump())}, {}, {}, ""},
                     words);
  }
}

TEST(CommandLine, RejectsWrongTableFlags) {
  const Sandbox sandbox;
  const std::string file = sandbox.write("valid.json", valid_results().dump());
  const std::vector<WrongUsage> cases{
      {{"table"}, {"file is required"}},
      {{"table", file, "--format", "yaml"}, {"--format 'yaml'", "text, md, csv, latex or json"}},
      {{"table", file, "--format", ""}, {"--format"}},
      {{"table", file, "--format", huge}, {"--format 'xxx"}},
      {{"table", file, "--rows", "trasport"}, {"'trasport'", "did you mean 'transport'?"}},
      {{"table", file, "--rows", "size", "--columns", "size"}, {"twice"}},
      {{"table", file, "--value", "p98"}, {"'p98'", "p99"}},
      {{"table", file, "--sort", "speed"}, {"'speed'", "round trip p50"}},
      {{"table", file, "--reference", "tcp"}, {"'tcp'"}},
      {{"table", file, "--filter", "flood/"}, {"'flood/'", "no cell"}},
      {{"table", file, "--filter", "("}, {"regular expression"}},
      {{"table", file, "--format", "csv", "--sort", "p99"}, {"--columns"}},
      {{"choose", file, "--need", "boundry"}, {"'boundry'", "did you mean 'boundary'?"}},
      {{"choose", file, "--p99", "50"}, {"--p99 '50'"}},
      {{"choose", file, "--rate", "fast"}, {"--rate 'fast'"}},
      {{"choose", file, "--cpu", "high"}, {"--cpu 'high'"}},
      {{"choose", file, "--format", "csv"}, {"text, md or json"}},
      {{"choose", file, "--measure"}, {"--measure"}},
      {{"export", file}, {"--format"}},
      {{"export", file, "--format", "xml"}, {"'xml'", "gbench"}},
      {{"export", file, file, "--format", "bmf"}, {"one results file"}},
      {{"reproduce", file, "--here", sandbox.path("missing")}, {"missing", "No such file"}},
      {{"reproduce", file, "--format", "csv"}, {"text, md or json"}},
      {{"history", sandbox.path("missing")}, {"missing", "No such file"}},
      {{"history", file, "--metric", "speed"}, {"'speed'"}},
      {{"history", file, "--margin", "-1"}, {"--margin"}},
      {{"table", file, "--color", "maybe"}, {"--color 'maybe'"}},
      {{"table", file, "--json"}, {"--json"}},
      {{"table", file, sandbox.path("missing")}, {"missing", "No such file"}},
  };
  for (const auto& [arguments, words] : cases) {
    SCOPED_TRACE(arguments.back().substr(0, 60));
    expect_rejection(sandbox, {arguments, {}, {}, ""}, words);
  }
}

TEST(CommandLine, EscapeSequencesOfAFileDoNotReachTheTerminal) {
  const Sandbox sandbox;
  Json document = valid_results();
  const std::string hostile = "a\033[2Jb\r\n\x7f\xc2\x9b|<c";
  Json& run = document["runs"][0];
  for (const char* key : {"transport", "placement", "scenario"}) run[key] = hostile;
  run["status"] = "failed";
  run["reason"] = hostile;
  document["runs"].push_back(valid_results()["runs"][0]);
  document["runs"][1]["placement"] = hostile;
  for (const char* key : {"version", "started"}) document["context"][key] = hostile;
  document["context"]["machine"]["identity"]["cpu_model"] = hostile;
  const std::string file = sandbox.write("hostile.json", document.dump());
  for (const char* format : {"text", "md"}) {
    const Finished finished = run_program(sandbox, {"table", "--format", format, file});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_FALSE(contains(finished.out, "\033")) << finished.out;
    EXPECT_FALSE(contains(finished.out, "\r")) << finished.out;
    EXPECT_FALSE(contains(finished.out, "\x7f")) << finished.out;
    EXPECT_FALSE(contains(finished.out, "\xc2\x9b")) << finished.out;
    EXPECT_TRUE(contains(finished.out, "a?[2Jb")) << finished.out;
  }
}

/// What --resume finds where the journal should be.
TEST(CommandLine, RejectsWhatCannotBeResumed) {
  const Sandbox sandbox;
  const std::string file = sandbox.path("x.json");
  const Json valid = valid_results();
  const Json head{
      {"schema", "ipcbench-journal/1"}, {"context", valid["context"]}, {"plan", valid["plan"]}};
  const auto changed = [&](const char* pointer, const Json& value) {
    Json other = head;
    other.at(Json::json_pointer(pointer)) = value;
    return other.dump() + "\n";
  };
  const std::string whole = head.dump() + "\n";
  const Json run = valid["runs"][0];
  const auto with_run = [&](const char* key, const Json& value) {
    Json other = run;
    other[key] = value;
    return whole + other.dump() + "\n";
  };
  Json headless = head;
  headless.erase("plan");
  const std::vector<std::tuple<const char*, std::string, Words>> cases{
      {"another machine", whole, {"another machine"}},
      {"nothing", "", {"no whole line"}},
      {"half a line", whole.substr(0, 100), {"no whole line"}},
      {"results", valid.dump() + "\n", {"'ipcbench/1'", "'ipcbench-journal/1'"}},
      {"garbage", "garbage\n", {"JSON"}},
      {"newer", changed("/schema", "ipcbench-journal/2"), {"'ipcbench-journal/2'"}},
      {"other", changed("/schema", "somebody/1"), {"'somebody/1'"}},
      {"context", changed("/context", 5), {"context", "object"}},
      {"plan", changed("/plan", 5), {"plan"}},
      {"no plan", headless.dump() + "\n", {"plan"}},
      {"seed", changed("/plan/seed", -1), {"plan"}},
      {"repeats", changed("/plan/repeats", "many"), {"plan"}},
      {"time", changed("/plan/timeout_ns", -5), {"plan"}},
      {"size", changed("/plan/cells/0/size", -5), {"plan"}},
      {"big size", changed("/plan/cells/0/size", 1e18), {"plan"}},
      {"cells", changed("/plan/cells", 5), {"plan"}},
      {"cell", changed("/plan/cells/0", Json::object()), {"plan"}},
      {"cpus", changed("/plan/cells/0/cpus", Json::array({0})), {"plan"}},
      {"cpu", changed("/plan/cells/0/cpus", Json::array({0, 1'000'000'000})), {"plan"}},
      {"order", changed("/plan/order", Json::array({Json::array({7, 1})})), {"order", "cell 7"}},
      {"negative order", changed("/plan/order", Json::array({Json::array({-1, 1})})), {"order"}},
      {"order of words", changed("/plan/order", "random"), {"plan"}},
      {"a run of nothing", whole + "5\n", {"runs[0]"}},
      {"a run of garbage", whole + "{\"key\"\n" + run.dump() + "\n", {"JSON"}},
      {"a run too many", whole + run.dump() + "\n" + run.dump() + "\n", {"runs[1]", "plan"}},
      {"a run of another cell", with_run("transport", "tcp"), {"runs[0]", "plan"}},
      {"a run of another repeat", with_run("repeat", 2), {"runs[0]", "plan"}},
  };
  for (const auto& [name, text, words] : cases) {
    SCOPED_TRACE(name);
    sandbox.write("x.json.journal", text);
    expect_rejection(sandbox, {{"run", "--resume", "-o", file}, {}, {}, ""}, words);
    EXPECT_EQ(sandbox.read("x.json.journal"), text) << "the journal was touched";
  }
  sandbox.write("x.json.journal", whole);
  const std::vector<WrongUsage> usage{
      {{"run", "--resume"}, {"--resume", "-o FILE"}},
      {{"run", "--resume", "-o", "-"}, {"--resume", "-o FILE"}},
      {{"run", "--resume", "-o", sandbox.path("y.json")}, {"y.json.journal", "No such file"}},
      {{"run", "--resume", "-o", file, "-s", "64"}, {"--resume", "leave out --size"}},
      {{"run", "--resume", "-o", file, "-r", "5", "--seed", "4"}, {"--repeats, --seed"}},
  };
  for (const auto& [arguments, words] : usage)
    expect_rejection(sandbox, {arguments, {}, {}, ""}, words);
}

TEST(CommandLine, HelpBeginsWithExamples) {
  const Sandbox sandbox;
  for (const Words& arguments : {Words{"--help"}, Words{"-h"}, Words{"run", "--help"}}) {
    const Finished finished = run_program(sandbox, arguments);
    EXPECT_EQ(finished.status, 0);
    EXPECT_EQ(finished.err, "");
    const std::size_t examples = finished.out.find("Examples:\n  ipcbench run ");
    EXPECT_NE(examples, std::string::npos) << finished.out;
    EXPECT_LT(examples, finished.out.find("Options:")) << finished.out;
  }
  EXPECT_TRUE(contains(run_program(sandbox, {"run", "--help"}).out, "IPCBENCH_SIZE"));
}

TEST(CommandLine, SaysItsVersion) {
  const Sandbox sandbox;
  const Finished finished = run_program(sandbox, {"--version"});
  EXPECT_EQ(finished.status, 0);
  EXPECT_TRUE(finished.out.starts_with("ipcbench 0.")) << finished.out;
}

TEST(CommandLine, SuitesNameWhatThereIs) {
#ifdef IPCBENCH_SANITIZED
  GTEST_SKIP() << "built without some transports";
#endif
  const Sandbox sandbox;
  for (const char* suite : {"all", "default", "full", "middleware", "quick"}) {
    const Finished plan = run_program(sandbox, {"run", "--suite", suite, "-n"});
    EXPECT_EQ(plan.status, 0) << suite << ": " << plan.err;
  }
}

TEST(CommandLine, ListsWhatThereIs) {
  const Sandbox sandbox;
  const Finished text = run_program(sandbox, {"list"});
  EXPECT_EQ(text.status, 0);
  EXPECT_EQ(text.err, "");
  EXPECT_TRUE(contains(text.out, "\npipe ")) << text.out;
  std::istringstream lines(text.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(width_of(line), 100U) << line;
  const Finished json = run_program(sandbox, {"list", "--json"});
  EXPECT_EQ(json.status, 0);
  const Json list = Json::parse(json.out);
  ASSERT_TRUE(list.is_array());
  for (const Json& transport : list) {
    EXPECT_TRUE(contains(text.out, transport["name"].get<std::string>())) << transport;
    EXPECT_EQ(transport["available"].get<bool>(), transport["reason"].is_null()) << transport;
    for (const auto& [scenario, answer] : transport["scenarios"].items())
      EXPECT_EQ(answer["fits"].get<bool>(), answer["reason"].is_null()) << transport;
  }
}

TEST(CommandLine, DescribesATransport) {
  const Sandbox sandbox;
  const Json pipe = Json::parse(run_program(sandbox, {"describe", "pipe", "--json"}).out);
  EXPECT_EQ(pipe["name"], "pipe");
  EXPECT_EQ(pipe["boundary"], "byte stream");
  EXPECT_EQ(pipe["scenarios"]["ping_pong"]["fits"], true);
  EXPECT_EQ(pipe["scenarios"]["contend"]["fits"], false);
  EXPECT_GT(Json::parse(run_program(sandbox, {"describe", "shm_posix", "--json"}).out).size(), 1U);
  const Finished text = run_program(sandbox, {"describe", "pipe"});
  EXPECT_TRUE(contains(text.out, "contend          no: contend needs a lock")) << text.out;
}

TEST(CommandLine, ExaminesTheMachine) {
  const Sandbox sandbox;
  EXPECT_EQ(run_program(sandbox, {"doctor"}).status, 0);
  const Finished finished = run_program(sandbox, {"doctor", "--json"});
  EXPECT_EQ(finished.status, 0);
  const Json document = Json::parse(finished.out);
  EXPECT_TRUE(document["machine"]["identity_digest"].is_string());
  EXPECT_FALSE(document["findings"].empty());
}

TEST(CommandLine, SweepsWhatDeadRunsLeft) {
  const Sandbox sandbox;
  EXPECT_EQ(run_program(sandbox, {"sweep"}).out, "nothing was left behind\n");
  std::filesystem::create_directory(sandbox.temporary() + "/ipcbench-0-dead");
  const Finished finished = run_program(sandbox, {"sweep"});
  EXPECT_EQ(finished.status, 0);
  EXPECT_TRUE(contains(finished.out, "removed ")) << finished.out;
  EXPECT_EQ(sandbox.leftovers(), Words());
}

/// A plan that takes next to no time.
Words tiny(Words more) {
  Words arguments{"run",  "-t", "pipe", "-S",         "ping_pong", "-s",       "64", "--placement",
                  "none", "-r", "2",    "--min-time", "1ms",       "--warmup", "0ms"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(CommandLine, ADryRunPrintsThePlanAndRunsNothing) {
  const Sandbox sandbox;
  const Finished text = run_program(sandbox, tiny({"-n", "-o", sandbox.path("x.json")}));
  EXPECT_EQ(text.status, 0);
  EXPECT_TRUE(text.out.starts_with("ping_pong/pipe/size:64/place:none\n1 cells")) << text.out;
  EXPECT_FALSE(std::filesystem::exists(sandbox.path("x.json")));
  EXPECT_TRUE(std::filesystem::is_empty(sandbox.state()));
  const Json plan = Json::parse(run_program(sandbox, tiny({"-n", "--json", "--seed", "7"})).out);
  EXPECT_EQ(plan["seed"], 7);
  EXPECT_EQ(plan["order"].size(), 2U);
}

TEST(CommandLine, WhatIsNamedTwiceIsPlannedOnce) {
  const Sandbox sandbox;
  const Finished finished = run_program(
      sandbox, {"run", "-n", "-t", "pipe,p*pe,pipe", "-S", "flood,f*", "-s", "64,64,0064"});
  EXPECT_EQ(finished.status, 2) << "a size with leading zeros may be meant as octal";
  const Json plan = Json::parse(
      run_program(sandbox, {"run", "-n", "--json", "-t", "pipe,p*pe,pipe", "-S", "flood,floo?",
                            "-s", "1024,1KiB,1k", "--placement", "none,none", "-r", "1"})
          .out);
  EXPECT_EQ(plan["cells"].size(), 1U) << plan;
}

TEST(CommandLine, FlagsGoBeforeEnvironmentAndThatBeforeTheSuite) {
  const Sandbox sandbox;
  const auto repeats = [&](Words flags, std::map<std::string, std::string> environment) {
    Words arguments{"run", "-n", "--json", "-t", "pipe", "--suite", "quick"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const Finished finished = run_program(sandbox, Command{arguments, environment, {}, ""});
    return Json::parse(finished.out)["repeats"].get<int>();
  };
  EXPECT_EQ(repeats({}, {}), 6);
  EXPECT_EQ(repeats({}, {{"IPCBENCH_REPEATS", "3"}}), 3);
  EXPECT_EQ(repeats({"-r", "2"}, {{"IPCBENCH_REPEATS", "3"}}), 2);
  EXPECT_EQ(repeats({"-r", "2"}, {}), 2);
  EXPECT_EQ(repeats({}, {{"IPCBENCH_REPEATS", ""}}), 6) << "an empty variable is none";
}

TEST(CommandLine, ResultsBecomeTables) {
  const Sandbox sandbox;
  const std::string file = sandbox.path("x.json");
  const Finished finished = run_program(sandbox, tiny({"-o", file}));
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_TRUE(contains(finished.out, "\npipe ")) << finished.out;
  EXPECT_TRUE(contains(finished.err, "results: " + file)) << finished.err;
  EXPECT_FALSE(std::filesystem::exists(file + ".journal"));
  EXPECT_EQ(sandbox.leftovers(), Words());
  const Json document = Json::parse(sandbox.read("x.json"));
  EXPECT_EQ(document["schema"], "ipcbench/1");
  EXPECT_EQ(document["context"]["complete"], true);
  EXPECT_EQ(document["runs"].size(), 2U);

  EXPECT_EQ(run_program(sandbox, {"table", file}).out, finished.out);
  const Finished md = run_program(sandbox, {"table", file, "--format", "md"});
  EXPECT_EQ(md.status, 0);
  EXPECT_TRUE(contains(md.out, "| pipe |")) << md.out;
  const Finished csv = run_program(sandbox, {"table", file, "--format", "csv"});
  EXPECT_EQ(csv.status, 0);
  EXPECT_TRUE(contains(csv.out, file + ",pipe,ping_pong,64,none,")) << csv.out;
  const Finished both = run_program(sandbox, {"table", file, file});
  EXPECT_EQ(both.status, 0);
  EXPECT_EQ(both.out, file + "\n\n" + finished.out + "\n" + file + "\n\n" + finished.out);
}

TEST(CommandLine, OutputToStdoutIsJsonAlone) {
  const Sandbox sandbox;
  for (const Words& flags : {Words{"-o", "-"}, Words{"--json"}}) {
    const Finished finished = run_program(sandbox, tiny(flags));
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ(Json::parse(finished.out)["schema"], "ipcbench/1");
  }
  const Finished quiet = run_program(sandbox, tiny({"-q"}));
  EXPECT_EQ(quiet.status, 0);
  EXPECT_EQ(quiet.out + quiet.err, "");
  EXPECT_EQ(sandbox.leftovers(), Words());
}

TEST(CommandLine, ReadsAResultsFileFromAPipe) {
  const Sandbox sandbox;
  const std::string file = sandbox.write("valid.json", valid_results().dump());
  const Finished finished =
      run_program(sandbox, Command{{"table", "/dev/stdin"},
                                   {},
                                   [&] {
                                     // Its text is smaller than a pipe's buffer.
                                     int fds[2];
                                     if (::pipe(fds) != 0) ::_exit(125);
                                     const std::string text = sandbox.read("valid.json");
                                     check(::write(fds[1], text.data(), text.size()), "write");
                                     ::close(fds[1]);
                                     ::dup2(fds[0], STDIN_FILENO);
                                   },
                                   ""});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(finished.out, run_program(sandbox, {"table", file}).out);
}

TEST(CommandLine, SaysWhenNothingCanRun) {
  const Sandbox sandbox;
  const std::string file = sandbox.path("x.json");
  const Finished finished =
      run_program(sandbox, {"run", "-t", "posix_mq", "-S", "flood", "-s", "16MiB", "-o", file});
  EXPECT_EQ(finished.status, 77);
  EXPECT_EQ(finished.out, "");
  EXPECT_TRUE(contains(finished.err, "nothing of this can run here")) << finished.err;
  EXPECT_TRUE(contains(finished.err, "16777216 bytes")) << finished.err;
  EXPECT_FALSE(std::filesystem::exists(file));
  // A pattern that fits no cell at all.
  EXPECT_EQ(run_program(sandbox, {"run", "-t", "pipe", "-S", "contend"}).status, 77);
}

TEST(CommandLine, AFailedRunIsReportedAndTheOthersAreKept) {
  const Sandbox sandbox;
  const std::string file = sandbox.path("x.json");
  const Finished failed = run_program(
      sandbox, {"run", "-t", "pipe", "-S", "ping_pong", "-s", "64", "--placement", "none", "-r",
                "2", "--min-time", "60s", "--timeout", "0.01s", "-o", file});
  EXPECT_EQ(failed.status, 3) << failed.err;
  EXPECT_TRUE(contains(failed.err, "failed: not done after 0.01 s")) << failed.err;
  EXPECT_TRUE(contains(failed.err, "ipcbench: 2 of 2 runs failed")) << failed.err;
  const Json document = Json::parse(sandbox.read("x.json"));
  EXPECT_EQ(document["context"]["complete"], true);
  for (const Json& run : document["runs"]) {
    EXPECT_EQ(run["status"], "failed");
    EXPECT_TRUE(contains(run["reason"], "not done"));
  }
  EXPECT_TRUE(contains(run_program(sandbox, {"table", file}).out, "failed: not done"));
  EXPECT_TRUE(sandbox.processes().empty());
  EXPECT_EQ(sandbox.leftovers(), Words());
}

TEST(CommandLine, ColorsWhereItIsAsked) {
  const Sandbox sandbox;
  const std::string file = sandbox.write("valid.json", valid_results().dump());
  const auto is_bold = [&](Words flags, std::map<std::string, std::string> environment) {
    flags.insert(flags.begin(), {"table", file});
    const Finished finished = run_program(sandbox, Command{flags, environment, {}, ""});
    EXPECT_EQ(finished.status, 0) << finished.err;
    return contains(finished.out, "\033[1m");
  };
  EXPECT_FALSE(is_bold({}, {})) << "stdout is no terminal";
  EXPECT_TRUE(is_bold({"--color", "always"}, {}));
  EXPECT_TRUE(is_bold({"--color", "always"}, {{"NO_COLOR", "1"}}));
  EXPECT_TRUE(is_bold({}, {{"FORCE_COLOR", "1"}}));
  EXPECT_FALSE(is_bold({}, {{"FORCE_COLOR", "1"}, {"NO_COLOR", "1"}}));
  EXPECT_FALSE(is_bold({"--color", "never"}, {{"FORCE_COLOR", "1"}}));
  EXPECT_TRUE(is_bold({}, {{"IPCBENCH_COLOR", "always"}}));
  EXPECT_FALSE(is_bold({"--color", "always", "--format", "md"}, {}));
  EXPECT_FALSE(is_bold({"--color", "always", "--format", "csv"}, {}));
}

TEST(CommandLine, AStdoutThatTakesNothingIsAnError) {
  const Sandbox sandbox;
  const std::string file = sandbox.write("valid.json", valid_results().dump());
  for (const Words& arguments : {Words{"list"}, Words{"table", file}, Words{"run", "-n"}}) {
    const Finished finished = run_program(sandbox, Command{arguments, {}, {}, "/dev/full"});
    EXPECT_EQ(finished.status, 3) << arguments[0];
    EXPECT_TRUE(finished.err.starts_with("ipcbench: ")) << finished.err;
    EXPECT_TRUE(finished.err.ends_with(": No space left on device\n")) << finished.err;
  }
}

}  // namespace
}  // namespace ipcbench
