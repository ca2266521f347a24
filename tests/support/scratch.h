#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace retromass::test {

/// A folder of this test's own, removed when the test ends.
class Scratch {
public:
    Scratch()
    {
        const auto* info = testing::UnitTest::GetInstance()->current_test_info();
        folder_ = std::filesystem::temp_directory_path() /
                  ("retromass-" + std::to_string(getpid()) + "-" + info->test_suite_name() + "-" + info->name());
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }
    ~Scratch()
    {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    const std::filesystem::path& path() const { return folder_; }
    std::filesystem::path write(const std::string& name, const std::string& text) const
    {
        std::ofstream(folder_ / name) << text;
        return folder_ / name;
    }

private:
    std::filesystem::path folder_;
};

}  // namespace retromass::test
