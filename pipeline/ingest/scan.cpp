#include <algorithm>
#include <atomic>
#include <mutex>

#include "core/parallel.h"
#include "core/units.h"
#include "pipeline/ingest/header.h"

namespace retromass::ingest {
namespace {

namespace fs = std::filesystem;

Result<std::vector<fs::path>> files_below(const std::vector<fs::path>& paths)
{
    std::vector<fs::path> files;
    for (const auto& path : paths) {
        std::error_code error;
        if (fs::is_directory(path, error)) {
            for (auto it = fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, error);
                 !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
                if (it->is_regular_file(error)) files.push_back(it->path());
            }
        } else if (fs::is_regular_file(path, error)) {
            if (path.filename() == "DICOMDIR") {  // the folder below it holds what it lists
                RETROMASS_TRY_ASSIGN(auto below, files_below({path.has_parent_path() ? path.parent_path() : fs::path(".")}));
                files.insert(files.end(), below.begin(), below.end());
            } else {
                files.push_back(path);
            }
        } else {
            return Error{Code::io, path.string() + " does not exist or cannot be read", "ingest"};
        }
    }
    std::sort(files.begin(), files.end());
    files.erase(std::unique(files.begin(), files.end()), files.end());
    return files;
}

std::string describe(const SeriesCandidate& series)
{
    const auto& f = series.facts;
    return "series " + std::to_string(f.series_number) + " \"" + f.series_description + "\" (" + std::to_string(series.slices.size()) + " slices, " + f.series_instance_uid +
           (series.volume_index ? ", volume " + std::to_string(series.volume_index) : std::string()) + ")";
}

}  // namespace

Result<Scan> scan(const std::vector<fs::path>& paths, const ScanParameters& parameters, const Progress& progress)
{
    RETROMASS_TRY_ASSIGN(const auto files, files_below(paths));
    std::vector<std::optional<Result<Header>>> read(files.size());
    std::atomic<bool> stopped{false};
    std::atomic<std::size_t> done{0};
    parallel_for(static_cast<int>(files.size()), parameters.threads, [&](int i) {
        if (stopped) return;
        const auto at = static_cast<std::size_t>(i);
        read[at] = read_header(files[at]);
        const auto count = ++done;
        if (count % 64 == 0 && !goes_on(progress, "reading headers", static_cast<double>(count) / static_cast<double>(files.size()))) stopped = true;
    });
    if (stopped) return Error{Code::cancelled, "stopped while reading headers", "ingest"};
    std::vector<Header> headers;
    std::vector<Exclusion> excluded;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (read[i]->ok()) headers.push_back(std::move(**read[i]));
        else excluded.push_back({files[i], read[i]->error().code, read[i]->error().message});
    }
    return group(std::move(headers), std::move(excluded), parameters);
}

Result<SeriesCandidate> one_series(const Scan& scan, const std::string& series_uid)
{
    std::vector<const SeriesCandidate*> loadable;
    std::string refused;
    const Error* only = nullptr;
    for (const auto& series : scan.series) {
        if (!series_uid.empty() && series.facts.series_instance_uid != series_uid) continue;
        if (!series.refused) {
            loadable.push_back(&series);
            continue;
        }
        refused += (refused.empty() ? "" : "; ") + describe(series) + ": " + series.refused->message;
        only = only || !loadable.empty() ? nullptr : &*series.refused;
    }
    if (loadable.empty()) {
        if (refused.empty()) {
            return Error{Code::no_series, "no CT series found" + std::string(scan.excluded.empty() ? "" : " (" + std::to_string(scan.excluded.size()) + " files set aside; retromass series shows why)"), "ingest"};
        }
        return Error{only ? only->code : Code::no_series, refused, "ingest"};
    }
    std::vector<const SeriesCandidate*> eligible;
    for (const auto* series : loadable) {
        if (series->eligible) eligible.push_back(series);
    }
    const auto& choice = eligible.empty() ? loadable : eligible;
    if (choice.size() == 1) return *choice.front();
    std::string list;
    for (const auto* series : choice) list += (list.empty() ? "" : "; ") + describe(*series);
    return Error{Code::several_series, "several CT series fit, name one by its Series Instance UID: " + list, "ingest"};
}

Result<CtSeries> load(const SeriesCandidate& series, int threads, const Progress& progress)
{
    if (series.refused) return *series.refused;
    CtSeries out{series.facts, {series.geometry, Grid<std::int16_t>(series.geometry.size())}, series.slices, series.notices};
    const int count = series.geometry.size().slices;
    std::mutex guard;
    std::optional<Error> failed;
    std::atomic<bool> stop{false};
    std::atomic<int> done{0};
    parallel_for(count, threads, [&](int k) {
        if (stop) return;
        const auto status = decode_slice(series.slices[static_cast<std::size_t>(k)], series.geometry.size().columns, series.geometry.size().rows, out.volume.hu.plane(k));
        if (!status) {
            const std::scoped_lock lock(guard);
            if (!failed) failed = status.error();
            stop = true;
        }
        const int finished = ++done;
        if (finished % 8 == 0 && !goes_on(progress, "decoding slices", static_cast<double>(finished) / count)) {
            const std::scoped_lock lock(guard);
            if (!failed) failed = Error{Code::cancelled, "stopped while decoding slices", "ingest"};
            stop = true;
        }
    });
    if (failed) {
        failed->message = "series " + series.facts.series_instance_uid + ": " + failed->message;
        return *failed;
    }
    return out;
}

}  // namespace retromass::ingest
