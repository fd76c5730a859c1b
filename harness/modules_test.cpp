// Modules as a user meets them: what lists them, what loads them, and what comes of broken ones.
#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "harness/interface.h"
#include "harness/program_under_test.h"

namespace ipcbench {
namespace {

namespace fs = std::filesystem;
/// The modules that the build makes for these tests, with their manifests.
const std::string modules = IPCBENCH_TEST_MODULES;

class Modules : public testing::Test {
 protected:
  /// A copy of a test's module, under another name and without its manifest.
  std::string copy(const std::string& module, const std::string& name) const {
    const std::string path = sandbox.path(name);
    fs::create_directories(fs::path(path).parent_path());
    fs::copy_file(modules + "/" + module + ".so", path);
    return path;
  }
  Finished run(std::vector<std::string> arguments,
               std::map<std::string, std::string> environment = {}) const {
    return run_program(sandbox, Command{std::move(arguments), std::move(environment), {}, ""});
  }
  /// The description of one transport.
  nlohmann::json describe(const std::string& transport,
                          std::map<std::string, std::string> environment) {
    const Finished finished = run({"describe", transport, "--json"}, std::move(environment));
    EXPECT_EQ(finished.status, 0) << finished.err;
    return nlohmann::json::parse(finished.out, nullptr, false);
  }

  Sandbox sandbox;
};

TEST_F(Modules, OneThatHangsAndOneThatCrashesDontSpoilTheOthers) {
  for (const char* broken_at_load : {"", "hanging", "crashing"}) {
    SCOPED_TRACE(broken_at_load);
    const Finished finished = run({"--plugin",
                                   modules + "/hanging.so",
                                   "--plugin",
                                   modules + "/crashing.so",
                                   "run",
                                   "-t",
                                   "hanging,crashing,pipe",
                                   "-S",
                                   "ping_pong",
                                   "-s",
                                   "64",
                                   "--placement",
                                   "none",
                                   "--timeout",
                                   "1s",
                                   "--warmup",
                                   "1ms",
                                   "--min-time",
                                   "1ms",
                                   "-r",
                                   "1",
                                   "--retries",
                                   "0",
                                   "-o",
                                   "-"},
                                  {{"IPCBENCH_BROKEN_AT_LOAD", broken_at_load}});
    EXPECT_EQ(finished.status, 3) << finished.err;
    const nlohmann::json results = nlohmann::json::parse(finished.out, nullptr, false);
    ASSERT_TRUE(results.contains("runs")) << finished.out << finished.err;
    EXPECT_EQ(results["runs"].size(), 3u);
    for (const nlohmann::json& run : results["runs"]) {
      const std::string reason = run.value("reason", nlohmann::json()).dump();
      if (run["transport"] == "pipe") {
        EXPECT_NE(run["status"], "failed") << reason;
      } else {
        EXPECT_EQ(run["status"], "failed");
        const bool hangs = run["transport"] == "hanging";
        EXPECT_NE(reason.find(hangs ? "not done after 1 s" : "runner killed by signal 11"),
                  std::string::npos)
            << reason;
      }
    }
  }
  EXPECT_TRUE(sandbox.leftovers().empty());
  EXPECT_TRUE(sandbox.processes().empty());
}

TEST_F(Modules, ListDescribeAndPlanLoadNothing) {
  const std::map<std::string, std::string> broken{{"IPCBENCH_BROKEN_AT_LOAD", "crashing"},
                                                  {"IPCBENCH_PLUGIN_PATH", modules}};
  const Finished list = run({"list"}, broken);
  EXPECT_EQ(list.status, 0) << list.err;
  EXPECT_NE(list.out.find("\ncrashing "), std::string::npos);
  EXPECT_TRUE(describe("crashing", broken)["available"].get<bool>());
  EXPECT_EQ(run({"run", "-t", "crashing", "-S", "ping_pong", "-n"}, broken).status, 0);
}

TEST_F(Modules, WithoutItsManifestAPluginIsAsked) {
  const std::string path = copy("hanging", "elsewhere/own.so");
  const Finished list = run({"list", "--plugin", path});
  EXPECT_EQ(list.status, 0) << list.err;
  EXPECT_NE(list.out.find("\nhanging "), std::string::npos);
  const Finished crashed =
      run({"list", "--plugin", path}, {{"IPCBENCH_BROKEN_AT_LOAD", "hanging"}, {"PATH", "/bin"}});
  EXPECT_EQ(crashed.status, 2) << "it hangs while it is asked";
}

TEST_F(Modules, OneThatHangsHasNoManifest) {
  const std::string path = modules + "/hanging.so";
  Program program(sandbox, Command{{"manifest", path, "-o", sandbox.path("x.json")},
                                   {{"IPCBENCH_BROKEN_AT_LOAD", "hanging"}},
                                   {},
                                   ""});
  ASSERT_TRUE(program.wait_for("hangs from here on")) << program.err;
  program.send(SIGALRM);  // as after a minute
  EXPECT_EQ(program.finish(), 3) << program.err;
  EXPECT_FALSE(program.was_killed);
  EXPECT_NE(program.err.find(path + ": is still being loaded after 60 s"), std::string::npos)
      << program.err;
  EXPECT_FALSE(fs::exists(sandbox.path("x.json")));
}

TEST_F(Modules, AnotherInterfaceIsToldBeforeAnythingIsLoaded) {
  const std::string path = copy("crashing", "old/crashing.so");
  std::string content = sandbox.read("old/crashing.so");
  const std::string version = interface_version;
  const std::size_t at = content.find(version);
  ASSERT_NE(at, std::string::npos);
  content.replace(at + version.size() - 12, 12, "0123456789ab");
  sandbox.write("old/crashing.so", content);
  const Finished manifest = run({"manifest", path});
  EXPECT_EQ(manifest.status, 3);
  EXPECT_NE(manifest.err.find("was built for interface"), std::string::npos) << manifest.err;
  EXPECT_NE(manifest.err.find("0123456789ab, this ipcbench has "), std::string::npos);
  EXPECT_NE(manifest.err.find("build it anew"), std::string::npos);
  // Of one that is found, the row stays and says so.
  nlohmann::json description = nlohmann::json::parse(std::ifstream(modules + "/crashing.json"));
  description["interface"] = "ipcbench-interface:0.0.1-0123456789ab";
  description["rows"][0]["facts"].erase("family");  // as an older one may have been
  sandbox.write("old/crashing.json", description.dump());
  const nlohmann::json row = describe("crashing", {{"IPCBENCH_PLUGIN_PATH", sandbox.path("old")}});
  EXPECT_FALSE(row["available"].get<bool>());
  EXPECT_NE(row["reason"].dump().find("0.0.1-0123456789ab"), std::string::npos) << row;
  EXPECT_TRUE(row["copies"].is_null()) << "nothing is made up of what isn't there";
}

TEST_F(Modules, WhatIsNoModuleIsAnError) {
  const std::string text = sandbox.write("text.so", "not a shared object");
  const std::string directory = sandbox.path("broken");
  fs::create_directory(directory);
  for (const std::string& path : {text, directory, sandbox.path("missing.so")}) {
    const Finished finished = run({"run", "--plugin", path, "-t", "pipe"});
    EXPECT_EQ(finished.status, 2);
    EXPECT_NE(finished.err.find(path), std::string::npos) << finished.err;
    EXPECT_NE(finished.err.find("expected a shared "), std::string::npos) << finished.err;
  }
  sandbox.write("broken/half.json", "{\"schema\": ");
  sandbox.write("broken/other.json", "{\"schema\": \"else/1\"}");
  fs::copy_file(modules + "/hanging.json", directory + "/gone.json");
  for (const char* name : {"half", "other", "hanging"}) {
    const nlohmann::json row = describe(name, {{"IPCBENCH_PLUGIN_PATH", directory}});
    EXPECT_FALSE(row.value("available", true)) << row;
  }
}

TEST_F(Modules, AManifestIsNoPlugin) {
  const std::string manifest = modules + "/hanging.json";
  for (const char* command : {"list", "run"}) {
    const Finished finished = run({command, "--plugin", manifest});
    EXPECT_EQ(finished.status, 2);
    EXPECT_NE(finished.err.find(manifest +
                                ": is the manifest of a module; expected the shared "
                                "module itself, " +
                                modules + "/hanging.so"),
              std::string::npos)
        << finished.err;
  }
}

TEST_F(Modules, APluginMustBringSomethingNew) {
  nlohmann::json description = nlohmann::json::parse(std::ifstream(modules + "/hanging.json"));
  description["rows"][0]["facts"]["name"] = "pipe";
  const std::string path = copy("hanging", "own.so");
  sandbox.write("own.json", description.dump());
  const Finished finished = run({"list", "--plugin", path});
  EXPECT_EQ(finished.status, 2);
  EXPECT_NE(finished.err.find("a transport 'pipe' already"), std::string::npos) << finished.err;
}

TEST_F(Modules, TheirLauncherStartsTheEnds) {
  const auto launch = [&](const std::string& broken_end) {
    const Finished finished = run({"--plugin",  modules + "/idle.so",
                                   "run",       "-t",
                                   "idle",      "-S",
                                   "ping_pong", "-s",
                                   "64",        "--start",
                                   "launch",    "--placement",
                                   "none",      "--warmup",
                                   "1ms",       "--min-time",
                                   "1ms",       "-r",
                                   "1",         "--retries",
                                   "0",         "-o",
                                   "-"},
                                  {{"IPCBENCH_BROKEN_END", broken_end}});
    EXPECT_EQ(finished.status, broken_end.empty() ? 0 : 3) << finished.err;
    nlohmann::json results = nlohmann::json::parse(finished.out, nullptr, false);
    EXPECT_EQ(results["runs"].size(), 1u) << finished.out << finished.err;
    return results["runs"][0];
  };
  const nlohmann::json sound = launch("");
  EXPECT_EQ(sound["start"], "launch");
  EXPECT_NE(sound["status"], "failed") << sound.dump(2);
  EXPECT_EQ(sound["ends"].size(), 2u);
  for (const nlohmann::json& end : sound["ends"]) EXPECT_GT(end["resident_max_bytes"], 0) << end;
  const auto why = [&](const char* broken_end) { return launch(broken_end)["reason"].dump(); };
  EXPECT_NE(why("producer").find("producer killed by signal 11"), std::string::npos);
  EXPECT_NE(why("launcher").find("bash has exited with 5; its log ends: out of order"),
            std::string::npos);
  EXPECT_TRUE(sandbox.leftovers().empty());
  EXPECT_TRUE(sandbox.processes().empty());
}

TEST_F(Modules, AStaleManifestIsFoundOutInTheRun) {
  nlohmann::json description = nlohmann::json::parse(std::ifstream(modules + "/hanging.json"));
  description["rows"][0]["facts"]["name"] = "renamed";
  const std::string path = copy("hanging", "own.so");
  sandbox.write("own.json", description.dump());
  const Finished finished = run({"--plugin", path, "run", "-t", "renamed", "-S", "ping_pong", "-r",
                                 "1", "--retries", "0", "-o", "-"});
  EXPECT_EQ(finished.status, 3) << finished.err;
  EXPECT_NE(finished.out.find("has no transport 'renamed'"), std::string::npos) << finished.out;
}

}  // namespace
}  // namespace ipcbench
