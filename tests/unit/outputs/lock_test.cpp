#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "pipeline/outputs/outputs.h"
#include "tests/support/scratch.h"

namespace retromass {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using outputs::ResultLock;
using testing::HasSubstr;

constexpr const char* kTime = "2020-01-02T03:04:05Z";

std::string host()
{
    char name[256] = {};
    gethostname(name, sizeof name - 1);
    return name;
}

/// A process that has ended and was waited for.
pid_t ended()
{
    const pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, nullptr, 0);
    return child;
}

std::string lock_of(const std::string& where, pid_t pid, const char* work = "view")
{
    return json{{"host", where}, {"user", "somebody"}, {"pid", pid}, {"work", work}, {"reader", "R9"}, {"since", kTime}}.dump();
}

std::vector<json> events_of(const fs::path& folder)
{
    std::vector<json> out;
    std::ifstream in(folder / "events.jsonl");
    for (std::string line; std::getline(in, line);) out.push_back(json::parse(line));
    return out;
}

TEST(ResultLock, IsForOneAndTellsTheSecondWhoHasItAndWhatToDo)
{
    const test::Scratch scratch;
    const auto first = ResultLock::take(scratch.path() / "result", "sign", kTime, "R1");
    ASSERT_TRUE(first.ok());
    const auto second = ResultLock::take(scratch.path() / "result" / "", "run", kTime);  // another way to write the path
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code, Code::io);
    for (const auto& word : {host(), std::string("R1"), std::string("sign"), std::string(kTime), (scratch.path() / "result.lock").string(), std::string("remove")}) EXPECT_THAT(second.error().message, HasSubstr(word));
}

TEST(ResultLock, IsOneForAllPathsToTheResult)
{
    const test::Scratch scratch;
    fs::create_directories(scratch.path() / "archive" / "result");
    fs::create_directory_symlink(scratch.path() / "archive", scratch.path() / "link");
    const auto first = ResultLock::take(scratch.path() / "archive" / "result", "view", kTime);
    EXPECT_FALSE(ResultLock::take(scratch.path() / "link" / "result", "sign", kTime).ok());
}

TEST(ResultLock, GoesWithTheObjectAndIsNotAnothers)
{
    const test::Scratch scratch;
    const auto file = scratch.path() / "result.lock";
    {
        auto first = ResultLock::take(scratch.path() / "result", "sign", kTime);
        ASSERT_TRUE(first.ok());
        const auto moved = std::move(*first);
        EXPECT_TRUE(fs::exists(file));
    }
    EXPECT_FALSE(fs::exists(file));
    {
        const auto first = ResultLock::take(scratch.path() / "result", "sign", kTime);
        scratch.write("result.lock", lock_of("elsewhere", 1));  // somebody removed it by hand, and another took it
    }
    EXPECT_TRUE(fs::exists(file));
}

TEST(ResultLock, OfAProgramThatHasEndedHereIsTakenOverAndOfAnotherHostIsNot)
{
    const test::Scratch scratch;
    scratch.write("here.lock", lock_of(host(), ended()));
    EXPECT_TRUE(ResultLock::take(scratch.path() / "here", "sign", kTime).ok());
    scratch.write("there.lock", lock_of("elsewhere", ended()));
    const auto there = ResultLock::take(scratch.path() / "there", "sign", kTime);
    ASSERT_FALSE(there.ok());
    EXPECT_THAT(there.error().message, HasSubstr("somebody@elsewhere"));
    scratch.write("alive.lock", lock_of(host(), getpid()));
    EXPECT_FALSE(ResultLock::take(scratch.path() / "alive", "sign", kTime).ok());
    scratch.write("cut.lock", "{\"host\":");
    const auto cut = ResultLock::take(scratch.path() / "cut", "sign", kTime);
    ASSERT_FALSE(cut.ok());
    EXPECT_THAT(cut.error().message, HasSubstr("remove " + (scratch.path() / "cut.lock").string()));
}

/// What a program writes here and now, changed as told.
json own_lock(const test::Scratch& scratch)
{
    const auto lock = ResultLock::take(scratch.path() / "own", "view", kTime);
    std::ifstream in(scratch.path() / "own.lock");
    return json::parse(in);
}

TEST(ResultLock, KnowsItsProgramByMoreThanItsProcessId)
{
    const test::Scratch scratch;
    const auto own = own_lock(scratch);
    for (const char* key : {"boot", "processes", "began"}) ASSERT_FALSE(own[key].get<std::string>().empty()) << key;
    const auto taken = [&](const json& lock) {
        scratch.write("result.lock", lock.dump());
        return ResultLock::take(scratch.path() / "result", "sign", kTime);
    };
    EXPECT_FALSE(taken(own).ok()) << "it is at work";
    auto ids_given_out_again = own;
    ids_given_out_again["began"] = "1";
    EXPECT_TRUE(taken(ids_given_out_again).ok());
    auto gone = own;
    gone["pid"] = ended();
    EXPECT_TRUE(taken(gone).ok());
    // A container's neighbour of the same name, which cannot be seen from here, whether or not its process id means something here.
    auto neighbour = gone;
    neighbour["processes"] = "pid:[1]";
    EXPECT_FALSE(taken(neighbour).ok());
    auto started_anew = gone;
    started_anew["boot"] = "00000000-0000-0000-0000-000000000000";
    const auto refused = taken(started_anew);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, HasSubstr("started anew"));
    EXPECT_THAT(refused.error().message, HasSubstr("remove"));
}

TEST(ResultLock, IsNeverSeenHalfWritten)
{
    const test::Scratch scratch;
    std::atomic<bool> done{false};
    std::thread reader([&] {
        while (!done) {
            std::ifstream in(scratch.path() / "result.lock");
            if (!in) continue;
            std::stringstream text;
            text << in.rdbuf();
            EXPECT_TRUE(json::accept(text.str())) << "'" << text.str() << "'";
        }
    });
    for (int i = 0; i < 300; ++i) EXPECT_TRUE(ResultLock::take(scratch.path() / "result", "sign", kTime).ok());
    done = true;
    reader.join();
    EXPECT_TRUE(fs::is_empty(scratch.path())) << "nothing is left beside it";
}

TEST(ResultLock, ThatWasLeftBehindIsTakenOverByOneOfManyWhoCome)
{
    const test::Scratch scratch;
    const auto dead = ended();
    constexpr int kComers = 8;
    for (int round = 0; round < 40; ++round) {
        scratch.write("result.lock", lock_of(host(), dead));
        std::barrier together(kComers);
        std::barrier all_asked(kComers);
        std::atomic<int> took{0};
        std::vector<std::thread> comers;
        for (int i = 0; i < kComers; ++i) {
            comers.emplace_back([&] {
                together.arrive_and_wait();
                const auto lock = ResultLock::take(scratch.path() / "result", "sign", kTime);
                if (lock.ok()) ++took;
                all_asked.arrive_and_wait();  // nobody lets it go before
            });
        }
        for (auto& comer : comers) comer.join();
        ASSERT_EQ(took, 1) << "round " << round;
        ASSERT_FALSE(fs::exists(scratch.path() / "result.lock"));
    }
    EXPECT_TRUE(fs::is_empty(scratch.path()));
}

TEST(ResultLock, OfAnEndedWorkerIsRemovedByItsProcessAndItsHost)
{
    const test::Scratch scratch;
    const auto file = scratch.write("result.lock", lock_of("node-7", 4711, "run"));
    outputs::remove_lock_of_ended_run(scratch.path() / "result", "471", "node-7");
    EXPECT_TRUE(fs::exists(file));
    scratch.write("result.lock", lock_of("node-7", 4711, "view"));
    outputs::remove_lock_of_ended_run(scratch.path() / "result", "4711", "node-7");
    EXPECT_TRUE(fs::exists(file));
    scratch.write("result.lock", lock_of("node-7", 4711, "run"));
    outputs::remove_lock_of_ended_run(scratch.path() / "result", "4711", "node-7");
    EXPECT_FALSE(fs::exists(file));
    scratch.write("result.lock", lock_of("another", 4711, "run"));  // of the same number, elsewhere
    outputs::remove_lock_of_ended_run(scratch.path() / "result", "4711", "node-7");
    EXPECT_TRUE(fs::exists(file));
    outputs::remove_lock_of_ended_run(scratch.path() / "result", "4711", "");  // a claim of before hosts were noted
    EXPECT_FALSE(fs::exists(file));
}

TEST(NoteReviews, TakesAwayWhatAKilledProgramLeftHalfWritten)
{
    const test::Scratch scratch;
    const auto folder = scratch.path() / "result";
    fs::create_directory(folder);
    for (const char* name : {"result/events.jsonl.partial-99", "result/report.html.partial-99"}) scratch.write(name, "{");
    const auto lock = ResultLock::take(folder, "view", kTime);
    ASSERT_TRUE(outputs::note_reviews(*lock, {{kTime, "t1", "T1", "accepted", "R1"}}).ok());
    EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 1) << "the log alone";
}

TEST(NoteReviews, OfManyWritersKeepsEveryWordAndTheChain)
{
    const test::Scratch scratch;
    const auto folder = scratch.path() / "result";
    fs::create_directory(folder);
    constexpr int kWriters = 6, kWords = 25;
    std::vector<std::thread> writers;
    for (int w = 0; w < kWriters; ++w) {
        writers.emplace_back([&, w] {
            for (int i = 0; i < kWords;) {
                const auto lock = ResultLock::take(folder, "review apply", kTime);
                if (!lock) continue;
                ASSERT_TRUE(outputs::note_reviews(*lock, {{kTime, "t" + std::to_string(i), "T1", "accepted", "R" + std::to_string(w)}}).ok());
                ++i;
            }
        });
    }
    for (auto& writer : writers) writer.join();
    const auto events = events_of(folder);
    ASSERT_EQ(events.size(), static_cast<std::size_t>(kWriters * kWords));
    std::set<std::pair<std::string, std::string>> words;
    for (const auto& event : events) words.insert({event["timepoint"].get<std::string>(), event["reader"].get<std::string>()});
    EXPECT_EQ(words.size(), events.size());
    std::ifstream in(folder / "events.jsonl");
    std::string before;
    for (std::string line; std::getline(in, line); before = line) EXPECT_EQ(json::parse(line)["previous"], before.empty() ? "" : outputs::sha256_of_text(before));
}

}  // namespace
}  // namespace retromass
