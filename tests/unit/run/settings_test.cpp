#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "pipeline/run/run.h"

using namespace retromass;

namespace {

std::filesystem::path written(const std::string& text)
{
    const auto file = std::filesystem::temp_directory_path() / ("retromass-settings-" + std::to_string(::getpid()) + ".yaml");
    std::ofstream(file) << text;
    return file;
}

const std::string kSound = "settings: 1\nname: site A\nversion: 3\nmethod: energy\npolicies: {confirmation: required, sd_min_days: 49}\naccept: [missing-slices]\nuid_root: 1.2.826.9\n";

TEST(Settings, SayWhatEveryCaseIsRunWithAndWhichVersionTheyAre)
{
    const auto read = run::read_settings(written(kSound));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->name, "site A");
    EXPECT_EQ(read->version, 3);
    EXPECT_EQ(read->method, segmentation::Method::energy);
    EXPECT_EQ(read->policies, (std::map<std::string, std::string>{{"confirmation", "required"}, {"sd_min_days", "49"}}));
    EXPECT_EQ(read->accepted, std::vector{Code::missing_slices});
    EXPECT_EQ(read->uid_root, "1.2.826.9");
    EXPECT_EQ(run::name_of(*read).substr(0, 26), "site A version 3, SHA-256 ");
    EXPECT_NE(read->sha256, run::read_settings(written(kSound + "\n"))->sha256);
}

TEST(Settings, NameTheLineAndWhatWasExpected)
{
    const auto replaced = [](const std::string& what, const std::string& by) {
        auto text = kSound;
        return text.replace(text.find(what), what.size(), by);
    };
    const auto refuses = [&](const std::string& text, const std::string& why) {
        const auto read = run::read_settings(written(text));
        ASSERT_FALSE(read) << text;
        EXPECT_NE(read.error().message.find(why), std::string::npos) << read.error().message;
    };
    refuses(replaced("settings: 1", "settings: 2"), "line 1: these are settings of format 2; this program reads format 1");
    refuses(replaced("settings: 1\n", ""), "'settings: 1'");
    refuses(replaced("name: site A\n", ""), "the settings file needs 'name'");
    refuses(replaced("version: 3\n", ""), "the settings file needs 'version'");
    refuses(replaced("version: 3", "version: 0"), "line 3: expected a whole number from 1");
    refuses(replaced("method: energy", "method: enregy"), "line 4: unknown method 'enregy'; did you mean 'energy'?");
    refuses(replaced("sd_min_days", "sd_min_day"), "sd_min_days");
    refuses(replaced("missing-slices", "missing"), "line 6: 'missing' is no code");
    refuses(replaced("missing-slices", "not-dicom"), "cannot be accepted");
    refuses(replaced("uid_root", "uid_roots"), "did you mean 'uid_root'?");
}

}  // namespace
