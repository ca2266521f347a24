// How long does it take from a folder of DICOM files to a volume in HU? The peer reads the same files one by one with DCMTK
// and rescales; it does less (no grouping, no checks of geometry), which favours it.

#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djdecode.h>

#include <cstdlib>
#include <filesystem>

#include "bench/timing.h"
#include "pipeline/ingest/ingest.h"
#include "sample_data/phantom.h"

namespace fs = std::filesystem;
using namespace retromass;

namespace {

[[noreturn]] void stop(const std::string& why)
{
    std::cerr << why << '\n';
    std::exit(1);
}

void load_with_ingest(const fs::path& folder)
{
    const auto scan = ingest::scan({folder});
    if (!scan) stop(scan.error().message);
    const auto series = ingest::one_series(*scan);
    if (!series) stop(series.error().message);
    const auto loaded = ingest::load(*series);
    if (!loaded) stop(loaded.error().message);
    if (loaded->volume.hu.values().empty()) stop("no voxels");
}

void load_with_dcmtk(const fs::path& folder)
{
    std::vector<std::int16_t> volume;
    for (const auto& file : fs::directory_iterator(folder)) {
        DcmFileFormat format;
        if (format.loadFile(file.path().c_str()).bad()) stop("DCMTK could not read a file");
        auto* data = format.getDataset();
        if (data->chooseRepresentation(EXS_LittleEndianExplicit, nullptr).bad()) stop("DCMTK could not decode a file");
        Float64 slope = 1;
        Float64 intercept = 0;
        data->findAndGetFloat64(DCM_RescaleSlope, slope);
        data->findAndGetFloat64(DCM_RescaleIntercept, intercept);
        const Uint16* pixels = nullptr;
        unsigned long count = 0;
        if (data->findAndGetUint16Array(DCM_PixelData, pixels, &count).bad()) stop("DCMTK found no pixels");
        for (unsigned long i = 0; i < count; ++i) {
            volume.push_back(static_cast<std::int16_t>(slope * static_cast<std::int16_t>(pixels[i]) + intercept));
        }
    }
    if (volume.empty()) stop("no voxels");
}

}  // namespace

int main()
{
    DJDecoderRegistration::registerCodecs();
    const fs::path root = fs::temp_directory_path() / "retromass-bench-load";
    fs::remove_all(root);
    sample_data::ShapeSpecification specification;
    specification.size_mm = {200, 150, 180};
    specification.grid = {512, 512, 100};
    specification.column_spacing_mm = specification.row_spacing_mm = 0.75;
    specification.slice_spacing_mm = 3;
    specification.noise_hu = 12;
    const auto phantom = sample_data::make_shape(specification);
    if (!phantom) stop(phantom.error().message);
    for (const bool compressed : {false, true}) {
        const fs::path folder = root / (compressed ? "jpeg" : "plain");
        sample_data::DicomDescription description;
        description.lossless_jpeg = compressed;
        const auto written = sample_data::write_dicom(folder, phantom->ct, description);
        if (!written) stop(written.error().message);
        bench::answer({.text = compressed ? "load 100 slices 512 x 512, JPEG lossless" : "load 100 slices 512 x 512, uncompressed",
                       .limit_s = 10,
                       .ours = [&] { load_with_ingest(folder); },
                       .peer = "DCMTK, file by file",
                       .peers = [&] { load_with_dcmtk(folder); }});
    }
    fs::remove_all(root);
    return 0;
}
