#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace retromass::test {

/// The folder the variable names if it is absolute, else the one it gave when the build was configured (CMake resolves a relative
/// one against the source directory).
inline std::filesystem::path folder_of(const char* variable, const char* configured)
{
    const char* folder = std::getenv(variable);
    return folder && std::filesystem::path(folder).is_absolute() ? folder : configured;
}

/// The folder of real data.
inline std::filesystem::path data_folder() { return folder_of("RETROMASS_DATA", RETROMASS_DATA_FOLDER); }

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

/// First line of a test that an independent program judges: skips loudly without it, fails where real data is required, which is where
/// the test machine has to be whole.
#define RETROMASS_NEEDS_PROGRAM(name)                                                                       \
    do {                                                                                                    \
        if (std::system("command -v " name " >/dev/null 2>&1") != 0) {                                      \
            if (retromass::test::data_required()) FAIL() << name " is required, but not installed";         \
            GTEST_SKIP() << name " is not installed: nothing was judged by it";                             \
        }                                                                                                   \
    } while (false)
