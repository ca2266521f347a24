#include "pipeline/ingest/ingest.h"

#include <algorithm>
#include <deque>
#include <set>
#include <system_error>

namespace retromass::ingest {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kAskEvery = 16;  // a slow disk gives a hundred files a second

class Walk {
public:
    explicit Walk(const Progress& progress) : progress_(progress) {}

    Result<FilesBelow> from(const fs::path& folder)
    {
        folders_.push_back(folder);
        while (!folders_.empty() || !linked_.empty()) {  // a folder's own path comes before any link to it
            auto& next = folders_.empty() ? linked_ : folders_;
            const auto at = std::move(next.front());
            next.pop_front();
            if (!list(at)) return Error{Code::cancelled, "stopped while listing files", "ingest"};
        }
        std::sort(out_.files.begin(), out_.files.end(), [](const auto& a, const auto& b) { return a.native() < b.native(); });
        std::sort(out_.unread.begin(), out_.unread.end());
        return std::move(out_);
    }

private:
    bool list(const fs::path& folder)
    {
        std::error_code error;
        const auto real = fs::canonical(folder, error);
        if (!error && !seen_.insert(real.native()).second) return true;
        if (error) {
            unread(folder, error);
            return true;
        }
        std::deque<fs::path> links;
        fs::directory_iterator it(folder, error);
        for (; !error && it != fs::directory_iterator(); it.increment(error)) {
            if (++entries_ % kAskEvery == 0 && !goes_on(progress_, "listing files", 0)) return false;
            add(*it, links);
        }
        if (error) unread(folder, error);
        std::sort(links.begin(), links.end());
        linked_.insert(linked_.end(), links.begin(), links.end());
        return true;
    }

    void add(const fs::directory_entry& entry, std::deque<fs::path>& links)
    {
        std::error_code error;
        if (entry.is_regular_file(error)) {  // what the folder itself says of an entry costs no call, where it is no link
            out_.files.push_back(entry.path());
        } else if (entry.is_directory(error)) {
            (entry.is_symlink(error) ? links : folders_).push_back(entry.path());
        } else if (!entry.exists(error)) {
            unread(entry.path(), error ? error : std::make_error_code(std::errc::no_such_file_or_directory));
        }
    }

    void unread(const fs::path& path, const std::error_code& error)
    {
        out_.unread.emplace_back(path, "cannot be read: " + error.message() + "; what lies there was not looked at");
    }

    const Progress& progress_;
    std::deque<fs::path> folders_;
    std::deque<fs::path> linked_;
    std::set<fs::path::string_type> seen_;
    std::size_t entries_ = 0;
    FilesBelow out_;
};

}  // namespace

Result<FilesBelow> files_below(const fs::path& folder, const Progress& progress) { return Walk(progress).from(folder); }

}  // namespace retromass::ingest
