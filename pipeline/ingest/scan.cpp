#include <algorithm>
#include <atomic>
#include <mutex>

#include "core/parallel.h"
#include "pipeline/ingest/header.h"

namespace retromass::ingest {
namespace {

namespace fs = std::filesystem;

/// How often a scan asks whether to go on: a slow disk gives a hundred files a second.
constexpr std::size_t kAskEvery = 16;

Error stopped_while(const std::string& doing) { return {Code::cancelled, "stopped while " + doing, "ingest"}; }

/// The files to look at: those below folders, those a DICOMDIR names (or, where none of them is there, those below its folder), and
/// single ones.
Result<std::vector<fs::path>> files_of(const std::vector<fs::path>& paths, std::vector<Exclusion>& excluded, const Progress& progress)
{
    std::vector<fs::path> files;
    const auto add_below = [&](const fs::path& folder) -> Status {
        RETROMASS_TRY_ASSIGN(auto below, files_below(folder, progress));
        files.insert(files.end(), std::make_move_iterator(below.files.begin()), std::make_move_iterator(below.files.end()));
        for (auto& [path, why] : below.unread) excluded.push_back({std::move(path), Code::io, std::move(why)});
        return Done{};
    };
    for (const auto& path : paths) {
        std::error_code error;
        if (fs::is_directory(path, error)) {
            RETROMASS_TRY(add_below(path));
        } else if (fs::is_regular_file(path, error)) {
            files.push_back(path);
            const auto header = read_headers(path);
            if (!header || !header->directory) continue;
            const auto named = resolve(path, header->referenced);
            files.insert(files.end(), named.present.begin(), named.present.end());
            if (named.present.empty()) RETROMASS_TRY(add_below(path.has_parent_path() ? path.parent_path() : fs::path(".")));
        } else {
            return Error{Code::io, path.string() + " does not exist or cannot be read", "ingest"};
        }
    }
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.native() < b.native(); });
    files.erase(std::unique(files.begin(), files.end()), files.end());
    return files;
}

}  // namespace

Result<Scan> scan(const std::vector<fs::path>& paths, const ScanParameters& parameters, const Progress& progress)
{
    std::vector<Exclusion> excluded;
    RETROMASS_TRY_ASSIGN(auto files, files_of(paths, excluded, progress));
    std::vector<std::optional<Result<HeaderFile>>> read(files.size());
    std::mutex guard;
    std::atomic<bool> stopped{false};
    std::atomic<std::size_t> done{0};
    parallel_for(static_cast<int>(files.size()), parameters.threads, [&](int i) {
        if (stopped) return;
        const auto at = static_cast<std::size_t>(i);
        read[at] = read_headers(files[at]);
        const auto count = ++done;
        if (count % kAskEvery != 0 || !progress) return;
        const std::scoped_lock lock(guard);
        if (!goes_on(progress, "reading headers", static_cast<double>(count) / static_cast<double>(files.size()))) stopped = true;
    });
    if (stopped) return stopped_while("reading headers");
    std::vector<HeaderFile> found;
    found.reserve(files.size());
    for (std::size_t i = 0; i < files.size(); ++i) {
        auto& file = *read[i];
        if (!file) {
            excluded.push_back({std::move(files[i]), file.error().code, file.error().message});
        } else if (file->directory) {
            excluded.push_back({files[i], Code::not_an_image, "a DICOMDIR; the files it names are read"});
            auto named = resolve(files[i], file->referenced);
            excluded.insert(excluded.end(), std::make_move_iterator(named.missing.begin()), std::make_move_iterator(named.missing.end()));
        } else if (file->no_image) {
            excluded.push_back({std::move(files[i]), file->no_image->code, file->no_image->message, std::move(file->study_instance_uid)});
        } else {
            auto& images = file->images;
            for (std::size_t f = 1; f < images.size(); ++f) images[f].source.file = files[i];
            images.front().source.file = std::move(files[i]);
            found.push_back(std::move(*file));
        }
    }
    return group(std::move(found), std::move(excluded), parameters, progress);
}

}  // namespace retromass::ingest
