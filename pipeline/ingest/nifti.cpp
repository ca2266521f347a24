#include <zlib.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "pipeline/ingest/header.h"

namespace retromass::ingest {
namespace {

constexpr std::size_t kHeaderBytes = 348;
constexpr double kMostBetween = 1 << 20;             // bytes of extensions
constexpr std::int64_t kMostVoxels = 4'000'000'000;  // what a 16-bit label volume may hold in memory here

struct Gz {
    explicit Gz(const std::filesystem::path& file) : handle(gzopen(file.c_str(), "rb")) {}
    ~Gz()
    {
        if (handle) gzclose(handle);
    }
    Gz(const Gz&) = delete;
    Gz& operator=(const Gz&) = delete;
    bool read(void* to, std::size_t bytes)
    {
        auto* at = static_cast<char*>(to);
        while (bytes > 0) {
            const auto part = static_cast<unsigned>(std::min<std::size_t>(bytes, 1u << 30));
            const int got = gzread(handle, at, part);
            if (got <= 0) return false;
            at += got;
            bytes -= static_cast<std::size_t>(got);
        }
        return true;
    }
    gzFile handle;
};

template <class T>
T field(const unsigned char* header, std::size_t offset, bool swap)
{
    unsigned char bytes[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes[i] = header[offset + (swap ? sizeof(T) - 1 - i : i)];
    return std::bit_cast<T>(bytes);
}

template <class T>
bool fill(Gz& gz, bool swap, double slope, double intercept, Grid<std::uint16_t>& out, std::string& why)
{
    std::vector<unsigned char> plane(out.size().plane() * sizeof(T));
    for (int k = 0; k < out.size().slices; ++k) {
        if (!gz.read(plane.data(), plane.size())) {
            why = "the file ends before slice " + std::to_string(k + 1) + " of " + std::to_string(out.size().slices);
            return false;
        }
        auto target = out.plane(k);
        for (std::size_t i = 0; i < target.size(); ++i) {
            const double value = static_cast<double>(field<T>(plane.data(), i * sizeof(T), swap)) * slope + intercept;
            const double whole = std::round(value);
            if (!(whole >= 0 && whole <= 65535) || std::abs(value - whole) > 1e-3) {
                why = "the voxels are not labels: found " + std::to_string(value);
                return false;
            }
            target[i] = static_cast<std::uint16_t>(whole);
        }
    }
    return true;
}

}  // namespace

Result<LabelVolume> read_nifti(const std::filesystem::path& file)
{
    const auto fail = [](std::string why) { return Error{Code::malformed, std::move(why), "ingest"}; };
    Gz gz(file);
    if (!gz.handle) return Error{Code::io, "cannot be read", "ingest"};
    unsigned char h[kHeaderBytes];
    if (!gz.read(h, sizeof h)) return fail("neither NIfTI, NRRD nor DICOM SEG");
    const bool swap = field<std::int32_t>(h, 0, false) != 348;
    if (field<std::int32_t>(h, 0, swap) != 348 || std::memcmp(h + 344, "n+1", 4) != 0) return fail("neither NIfTI-1, NRRD nor DICOM SEG");
    std::int64_t dims[8];
    for (std::size_t d = 0; d < 8; ++d) dims[d] = field<std::int16_t>(h, 40 + 2 * d, swap);
    if (dims[0] < 2 || dims[0] > 7) return fail("NIfTI dimension " + std::to_string(dims[0]));
    if (dims[0] == 2) dims[3] = 1;
    for (std::int64_t d = 1; d <= dims[0]; ++d) {
        if (dims[d] < 1 || (d > 3 && dims[d] != 1)) return fail("expected a three-dimensional mask");
    }
    if (dims[1] * dims[2] * dims[3] > kMostVoxels) return Error{Code::oversized, "the mask is too large", "ingest"};
    if (!may_hold(file, static_cast<double>(dims[1] * dims[2] * dims[3]))) return fail("the file ends before its last slice");
    std::array<double, 16> ras{};
    ras[15] = 1;
    if (field<std::int16_t>(h, 254, swap) > 0) {
        for (std::size_t e = 0; e < 12; ++e) ras[e] = field<float>(h, 280 + 4 * e, swap);
    } else if (field<std::int16_t>(h, 252, swap) > 0) {
        const double b = field<float>(h, 256, swap);
        const double c = field<float>(h, 260, swap);
        const double d = field<float>(h, 264, swap);
        const double a = std::sqrt(std::max(0.0, 1 - b * b - c * c - d * d));
        const double q = field<float>(h, 76, swap) < 0 ? -1 : 1;
        const double s[3] = {field<float>(h, 80, swap), field<float>(h, 84, swap), q * field<float>(h, 88, swap)};
        const double r[9] = {a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c), 2 * (b * c + a * d), a * a + c * c - b * b - d * d,
                             2 * (c * d - a * b),           2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c};
        for (std::size_t row = 0; row < 3; ++row) {
            for (std::size_t col = 0; col < 3; ++col) ras[row * 4 + col] = r[row * 3 + col] * s[col];
            ras[row * 4 + 3] = field<float>(h, 268 + 4 * row, swap);
        }
    } else {
        return fail("neither sform nor qform: the mask has no place in the patient");
    }
    auto lps = ras;
    for (std::size_t e = 0; e < 8; ++e) lps[e] = -ras[e];
    const double between = std::max(0.0, field<float>(h, 108, swap) - double(kHeaderBytes));  // header and voxels
    if (between > kMostBetween) return fail("the file ends inside its header");
    std::vector<char> skip(static_cast<std::size_t>(between));
    if (!skip.empty() && !gz.read(skip.data(), skip.size())) return fail("the file ends inside its header");
    double slope = field<float>(h, 112, swap);
    double intercept = field<float>(h, 116, swap);
    if (slope == 0 || !std::isfinite(slope)) slope = 1, intercept = 0;
    Grid<std::uint16_t> values(Dimensions{static_cast<int>(dims[1]), static_cast<int>(dims[2]), static_cast<int>(dims[3])});
    std::string why;
    bool good = false;
    switch (field<std::int16_t>(h, 70, swap)) {
    case 2: good = fill<std::uint8_t>(gz, swap, slope, intercept, values, why); break;
    case 4: good = fill<std::int16_t>(gz, swap, slope, intercept, values, why); break;
    case 8: good = fill<std::int32_t>(gz, swap, slope, intercept, values, why); break;
    case 16: good = fill<float>(gz, swap, slope, intercept, values, why); break;
    case 64: good = fill<double>(gz, swap, slope, intercept, values, why); break;
    case 256: good = fill<std::int8_t>(gz, swap, slope, intercept, values, why); break;
    case 512: good = fill<std::uint16_t>(gz, swap, slope, intercept, values, why); break;
    case 768: good = fill<std::uint32_t>(gz, swap, slope, intercept, values, why); break;
    case 1024: good = fill<std::int64_t>(gz, swap, slope, intercept, values, why); break;
    default: why = "NIfTI data type " + std::to_string(field<std::int16_t>(h, 70, swap)) + " is no label type";
    }
    if (!good) return fail(why);
    return labels_on_affine(std::move(values), lps, "NIfTI");
}

}  // namespace retromass::ingest
