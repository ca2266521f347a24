#include <zlib.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>

#include "pipeline/outputs/outputs.h"

namespace retromass::outputs {
namespace {

static_assert(std::endian::native == std::endian::little, "the header is written in the machine's own order");

constexpr std::int16_t kUint8 = 2;     // NIfTI datatype codes
constexpr std::int16_t kFloat32 = 16;
constexpr std::size_t kHeader_bytes = 348;
constexpr std::size_t kOffset_bytes = 352;  // header and four bytes that say "no extension"

/// The NIfTI-1 header by its published byte offsets.
class Header {
public:
    template <class T>
    void put(std::size_t offset, T value)
    {
        std::memcpy(bytes_.data() + offset, &value, sizeof value);
    }
    void put_text(std::size_t offset, std::string_view text) { std::memcpy(bytes_.data() + offset, text.data(), text.size()); }
    const std::array<char, kOffset_bytes>& bytes() const { return bytes_; }

private:
    std::array<char, kOffset_bytes> bytes_{};
};

Result<Header> header_of(const VolumeGeometry& geometry, std::int16_t datatype, std::int16_t bits)
{
    const auto affine = geometry.affine_lps();
    if (!affine) return Error{Code::uneven_slices, "the slices are not evenly spaced; NIfTI cannot hold them, DICOM SEG can", "outputs: write_nifti"};
    const auto& size = geometry.size();
    if (std::max({size.columns, size.rows, size.slices}) > std::numeric_limits<std::int16_t>::max()) {
        return Error{Code::oversized, "a NIfTI-1 axis holds at most 32767 voxels", "outputs: write_nifti"};
    }
    Header header;
    header.put<std::int32_t>(0, kHeader_bytes);
    const std::int16_t dim[8] = {3, static_cast<std::int16_t>(size.columns), static_cast<std::int16_t>(size.rows), static_cast<std::int16_t>(size.slices), 1, 1, 1, 1};
    for (std::size_t i = 0; i < 8; ++i) header.put(40 + 2 * i, dim[i]);
    header.put(70, datatype);
    header.put(72, bits);
    header.put<float>(76, 1.0F);
    for (std::size_t column = 0; column < 3; ++column) {  // voxel edge lengths: the norms of the affine's columns
        const double edge = std::hypot((*affine)[column], (*affine)[4 + column], (*affine)[8 + column]);
        header.put(80 + 4 * column, static_cast<float>(edge));
    }
    header.put(108, static_cast<float>(kOffset_bytes));
    header.put<float>(112, 1.0F);                 // scl_slope
    header.put<std::int8_t>(123, 2);              // millimetres
    header.put_text(148, "retromass");
    header.put<std::int16_t>(252, 0);             // qform
    header.put<std::int16_t>(254, 1);             // sform: scanner coordinates
    for (std::size_t row = 0; row < 3; ++row) {
        const double sign = row < 2 ? -1 : 1;     // LPS to RAS
        for (std::size_t column = 0; column < 4; ++column) {
            const double value = sign * (*affine)[4 * row + column];
            header.put(280 + 16 * row + 4 * column, static_cast<float>(value == 0 ? 0 : value));
        }
    }
    header.put_text(344, std::string_view("n+1\0", 4));
    return header;
}

/// gzip with an empty file name and time 0, so that the same content is the same file.
class GzipFile {
public:
    explicit GzipFile(const std::filesystem::path& file) : out_(file, std::ios::binary)
    {
        constexpr int kGzip = 16 + MAX_WBITS;
        constexpr int kLevel = 4;  // masks shrink to a thousandth at any level; higher ones only cost time
        ready_ = deflateInit2(&stream_, kLevel, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    }
    ~GzipFile() { if (ready_) deflateEnd(&stream_); }
    GzipFile(const GzipFile&) = delete;
    GzipFile& operator=(const GzipFile&) = delete;

    void write(const char* bytes, std::size_t count, bool last)
    {
        constexpr std::size_t kAtOnce = std::size_t{1} << 30;  // zlib counts in 32 bits
        do {
            const auto now = std::min(count, kAtOnce);
            stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes));
            stream_.avail_in = static_cast<uInt>(now);
            bytes += now;
            count -= now;
            drain(last && count == 0 ? Z_FINISH : Z_NO_FLUSH);
        } while (count > 0);
    }
    bool good() { return ready_ && out_.flush().good(); }

private:
    void drain(int flush)
    {
        do {
            stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
            stream_.avail_out = static_cast<uInt>(buffer_.size());
            deflate(&stream_, flush);
            out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size() - stream_.avail_out));
        } while (stream_.avail_out == 0);
    }
    std::ofstream out_;
    z_stream stream_{};
    std::vector<char> buffer_ = std::vector<char>(1 << 18);
    bool ready_ = false;
};

template <class T>
Status write(const std::filesystem::path& file, const Grid<T>& values, const VolumeGeometry& geometry, std::int16_t datatype)
{
    if (values.size() != geometry.size()) return Error{Code::mask_grid, "the values and their grid differ in size", "outputs: write_nifti"};
    RETROMASS_TRY_ASSIGN(const auto header, header_of(geometry, datatype, static_cast<std::int16_t>(8 * sizeof(T))));
    GzipFile out(file);
    out.write(header.bytes().data(), header.bytes().size(), false);
    out.write(reinterpret_cast<const char*>(values.data()), values.values().size() * sizeof(T), true);
    if (!out.good()) return Error{Code::io, "cannot write " + file.string(), "outputs: write_nifti"};
    return Done{};
}

}  // namespace

Status write_nifti(const std::filesystem::path& file, const Mask& mask, const VolumeGeometry& geometry) { return write(file, mask, geometry, kUint8); }
Status write_nifti(const std::filesystem::path& file, const Grid<float>& values, const VolumeGeometry& geometry) { return write(file, values, geometry, kFloat32); }

}  // namespace retromass::outputs
