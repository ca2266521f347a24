#include <atomic>
#include <mutex>

#include "core/parallel.h"
#include "pipeline/ingest/pixels.h"

namespace retromass::ingest {

Result<CtSeries> load(const SeriesCandidate& series, int threads, const Progress& progress)
{
    if (series.refused) return *series.refused;
    const auto size = series.geometry.size();
    CtSeries out{series.facts, {series.geometry, Grid<std::int16_t>(size)}, series.slices, series.notices};
    SliceDecoder decoder;
    std::mutex guard;
    std::optional<Error> failed;
    std::atomic<bool> stop{false};
    std::atomic<int> done{0};
    parallel_for(size.slices, threads, [&](int k) {
        if (stop) return;
        const auto status = decoder.decode(series.slices[static_cast<std::size_t>(k)], size.columns, size.rows, out.volume.hu.plane(k));
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
    return out;
}

}  // namespace retromass::ingest
