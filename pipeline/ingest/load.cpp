#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

#include "core/parallel.h"
#include "pipeline/ingest/hounsfield.h"
#include "pipeline/ingest/pixels.h"

namespace retromass::ingest {
namespace {

/// Asks for large pages: touching a volume for the first time costs more than reading its files otherwise.
void prefer_large_pages(std::span<std::int16_t> values)
{
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(values.data());
    const auto end = begin + values.size_bytes();
    const auto first = (begin + page - 1) / page * page;
    if (first < end) madvise(reinterpret_cast<void*>(first), (end - first) / page * page, MADV_HUGEPAGE);  // a wish: refusing it changes nothing
}

}  // namespace

Result<CtSeries> load(const SeriesCandidate& series, int threads, const Progress& progress)
{
    if (series.refused) return *series.refused;
    const auto size = series.geometry.size();
    CtSeries out{series.facts, {series.geometry, Grid<std::int16_t>(size)}, series.slices, series.notices};
    prefer_large_pages(out.volume.hu.values());
    SliceDecoder decoder;
    std::vector<std::vector<std::int16_t>> samples(static_cast<std::size_t>(size.slices));
    std::mutex guard;
    std::optional<Error> failed;
    std::atomic<bool> stop{false};
    std::atomic<int> done{0};
    parallel_for(size.slices, threads, [&](int k) {
        if (stop) return;
        const auto status = decoder.decode(series.slices[static_cast<std::size_t>(k)], size.columns, size.rows, out.volume.hu.plane(k));
        samples[static_cast<std::size_t>(k)] = sampled(out.volume.hu.plane(k), size.columns, size.rows);  // while it is in the cache
        const int finished = ++done;
        const bool asked = progress != nullptr;
        if (status.ok() && !asked) return;
        const std::scoped_lock lock(guard);
        if (!status && !failed) failed = status.error();
        else if (!failed && !goes_on(progress, "decoding slices", static_cast<double>(finished) / size.slices)) failed = Error{Code::cancelled, "stopped while decoding slices", "ingest"};
        if (failed) stop = true;
    });
    if (failed) {
        failed->message = "series " + series.facts.series_instance_uid + ": " + failed->message;
        return *failed;
    }
    for (auto& doubt : doubts(samples, out.slices)) out.notices.push_back(std::move(doubt));
    return out;
}

}  // namespace retromass::ingest
