#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace retromass::test {

/// The folder of real data (RETROMASS_DATA, set by CMake for every test).
inline std::filesystem::path data_folder()
{
    const char* folder = std::getenv("RETROMASS_DATA");
    return folder ? folder : "";
}

/// Notes in the ledger (RETROMASS_DATA_LEDGER, set by `make test`) whether a real-data test ran, so that the run can end
/// with how many did.
inline void note_in_ledger(const char* what)
{
    const char* ledger = std::getenv("RETROMASS_DATA_LEDGER");
    if (!ledger) return;
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    std::ofstream(ledger, std::ios::app) << what << ' ' << info->test_suite_name() << '.' << info->name() << '\n';
}

inline bool data_required()
{
    const char* required = std::getenv("RETROMASS_REQUIRE_DATA");
    return required && std::string(required) == "1";
}

}  // namespace retromass::test

/// First line of a test that reads real data below RETROMASS_DATA: skips loudly where it is absent, fails where it is required.
#define RETROMASS_NEEDS_DATA(relative)                                                                      \
    do {                                                                                                    \
        const auto retromass_wanted_ = retromass::test::data_folder() / (relative);                         \
        if (!std::filesystem::exists(retromass_wanted_)) {                                                  \
            retromass::test::note_in_ledger("skipped");                                                     \
            if (retromass::test::data_required()) FAIL() << "real data required, but absent: " << retromass_wanted_; \
            GTEST_SKIP() << "real data absent: " << retromass_wanted_;                                      \
        }                                                                                                   \
        retromass::test::note_in_ledger("run");                                                             \
    } while (false)
