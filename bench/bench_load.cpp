// What does a user pay to get from a folder of 300 slices to a volume in HU, in each transfer syntax? Whole programs in processor
// time and memory: ours, the least there is (read the bytes, copy them), DCMTK file by file, ITK's series reader on GDCM,
// dcm2niix and pydicom. DCMTK's loop does less than a loader must: no grouping, no order, no checks.

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "bench/ct_like.h"
#include "bench/dicom_files.h"
#include "bench/processes.h"
#include "pipeline/ingest/ingest.h"
#include "tests/support/stream_writers.h"

namespace fs = std::filesystem;
using namespace retromass;

namespace {

constexpr int kEdge = 512;
constexpr unsigned kSlices = 300;

[[noreturn]] void stop(const std::string& why)
{
    std::cerr << why << '\n';
    std::exit(1);
}

void load(const fs::path& folder)
{
    const auto scan = ingest::scan({folder});
    if (!scan) stop(scan.error().message);
    const auto series = ingest::one_series(*scan);
    if (!series) stop(series.error().message);
    const auto loaded = ingest::load(*series);
    if (!loaded) stop(loaded.error().message);
    if (loaded->volume.hu.values().size() != std::size_t{kSlices} * kEdge * kEdge) stop("not the whole volume");
}

/// The least any reader must do: read every byte, and put the pixels into one volume. The volume is not cleared first and lies on
/// large pages, so that it costs no more than its memory must.
void read_and_copy(const fs::path& folder)
{
    constexpr std::size_t size = std::size_t{kSlices} * kEdge * kEdge * 2;
    constexpr std::size_t large_page = std::size_t{2} << 20;
    auto* const volume = static_cast<char*>(std::aligned_alloc(large_page, (size + large_page - 1) / large_page * large_page));
    madvise(volume, size, MADV_HUGEPAGE);
    std::vector<char> bytes(std::size_t{1} << 20);
    std::size_t at = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const int file = open(entry.path().c_str(), O_RDONLY);
        const auto got = static_cast<std::size_t>(std::max<ssize_t>(read(file, bytes.data(), bytes.size()), 0));
        close(file);
        const std::size_t pixels = std::min({got, std::size_t{kEdge} * kEdge * 2, size - at});
        std::memcpy(volume + at, bytes.data() + (got - pixels), pixels);
        at += pixels;
    }
    if (at == 0) stop("no bytes");
    std::free(volume);
}

void write_series(const fs::path& folder, const std::string& syntax)
{
    fs::create_directories(folder);
    for (unsigned i = 0; i < kSlices; ++i) {
        const auto image = bench::ct_like_slice(i);
        const ingest::FrameShape shape{kEdge, kEdge, 16, 12, 11, false, 1};
        test::CompressedFrame frame{syntax, shape, {}};
        if (syntax.ends_with(".4.80")) {
            frame.fragments = {test::jpeg_ls(image, kEdge, kEdge, 12, 0)};
        } else if (syntax.ends_with(".4.90")) {
            frame.fragments = {test::jpeg_2000(image, kEdge, kEdge, {.precision = 12})};
        } else if (syntax == "1.2.840.10008.1.2.1") {
            const auto* const words = reinterpret_cast<const std::byte*>(image.data());
            frame.fragments = {std::vector<std::byte>(words, words + image.size() * 2)};
        } else {
            frame = test::compressed_by_dcmtk(image, shape, {.syntax = syntax});
        }
        bench::write_ct(folder / (std::string("IM").append(std::to_string(1000 + i))), frame, {"2.25.2001", static_cast<int>(i), i * 1.0});
    }
}

constexpr const char* kPydicom = R"(
import glob, sys
import numpy, pydicom
files = sorted((pydicom.dcmread(f) for f in glob.glob(sys.argv[1] + '/*')), key=lambda d: float(d.ImagePositionPatient[2]))
volume = numpy.stack([(d.pixel_array * float(d.RescaleSlope) + float(d.RescaleIntercept)).astype('int16') for d in files])
assert volume.size == 300 * 512 * 512
)";

}  // namespace

int main(int count, char** arguments)
{
    if (count == 3) {  // run as one of the programs to compare
        const std::string what = arguments[1];
        if (what == "load") load(arguments[2]);
        else if (what == "read") read_and_copy(arguments[2]);
        else if (what == "dcmtk") return bench::volume_by_dcmtk(arguments[2]) > 0 ? 0 : 1;
        else return 2;
        return 0;
    }
    const fs::path root = fs::temp_directory_path() / std::string("retromass-bench-load-").append(std::to_string(getpid()));
    fs::remove_all(root);
    fs::create_directories(root / "nifti");
    const std::string self = fs::canonical("/proc/self/exe");
    const std::string itk = fs::path(self).parent_path() / "peer_itk";
    struct Series {
        const char* name;
        const char* syntax;
        int repeats;
        double dcmtk, itk, dcm2niix, least;  ///< most that ours may cost, as a part of the peer's; 0 = no promise
    };
    for (const auto& series : {Series{"uncompressed", "1.2.840.10008.1.2.1", 5, 0, 1.0 / 8, 0, 1.5},
                               Series{"JPEG lossless", "1.2.840.10008.1.2.4.70", 5, 1 / 1.8, 0, 0, 0},
                               Series{"RLE", "1.2.840.10008.1.2.5", 5, 0, 0, 1.0 / 3, 0},
                               Series{"JPEG-LS", "1.2.840.10008.1.2.4.80", 3, 1.05, 0, 0, 0},
                               Series{"JPEG 2000", "1.2.840.10008.1.2.4.90", 2, 0, 1.05, 1.05, 0}}) {
        const std::string folder = root / series.syntax;
        write_series(folder, series.syntax);
        bench::answer("load 300 slices 512 x 512, " + std::string(series.name), {self, "load", folder},
                      {{"read and copy the bytes", {self, "read", folder}, series.least},
                       {"DCMTK, file by file", {self, "dcmtk", folder}, series.dcmtk},
                       {"ITK series reader (GDCM)", {itk, folder}, series.itk},
                       {"dcm2niix", {"dcm2niix", "-b", "n", "-z", "n", "-w", "1", "-f", "x", "-o", (root / "nifti").string(), folder}, series.dcm2niix},
                       {"pydicom", {"/usr/bin/python3", "-c", kPydicom, folder}, 0}},
                      series.repeats);
        fs::remove_all(folder);
    }
    fs::remove_all(root);
    return 0;
}
