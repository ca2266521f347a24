#pragma once

#include <filesystem>
#include <string>

#include "core/result.h"

namespace retromass::cli {

/// The right to change a result, for one program at a time: `<OUT>.lock` beside the folder says who has it, on which host. It goes with this
/// object; one that a program on this host left behind when it died is taken over.
class CaseLock {
public:
    static Result<CaseLock> take(const std::filesystem::path& result, const std::string& reader);
    ~CaseLock();
    CaseLock(CaseLock&& other) noexcept;
    CaseLock& operator=(CaseLock&&) = delete;

    /// Who else has it, in words; empty = it is ours.
    const std::string& held_by() const { return held_by_; }

private:
    CaseLock(std::filesystem::path file, std::string held_by) : file_(std::move(file)), held_by_(std::move(held_by)) {}
    std::filesystem::path file_;  ///< empty = not ours to remove
    std::string held_by_;
};

/// `<OUT>.<what>` beside a result: `run` replaces the folder, and an audit knows every file in it.
std::filesystem::path beside_result(const std::filesystem::path& result, const std::string& what);

}  // namespace retromass::cli
