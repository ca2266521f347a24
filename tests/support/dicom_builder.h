#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

/// CT series written byte by byte, without any DICOM library, so that a test can break one thing by name.
namespace retromass::test {

struct BuiltImage;

struct BuiltElement {
    std::string vr;
    std::string bytes;                 ///< little endian, unpadded
    std::vector<BuiltImage> items;     ///< of a sequence
};

/// The elements of one data set.
struct BuiltImage {
    std::map<std::uint32_t, BuiltElement> elements;

    BuiltImage& text(std::uint32_t tag, const char* vr, const std::string& value);
    BuiltImage& us(std::uint32_t tag, int value);
    BuiltImage& sequence(std::uint32_t tag, std::vector<BuiltImage> items);
    BuiltImage& pixels(const std::vector<std::uint16_t>& words);
    BuiltImage& without(std::uint32_t tag);
};

enum class Writing { explicit_little, implicit_little, explicit_big, deflated, no_preamble, no_meta, undefined_lengths };

/// A series of `slices` images of 12 x 10 pixels, 0.5 x 0.75 mm, 2 mm apart from z = -100 on; stored value of column c, row r, slice k
/// is 1000 + 10 c + r + k, HU that less 1024.
class DicomBuilder {
public:
    static constexpr int kColumns = 12;
    static constexpr int kRows = 10;
    static DicomBuilder ct_series(int slices);
    /// One enhanced image whose frames are the slices, in the order given.
    static BuiltImage enhanced(const DicomBuilder& series, const std::vector<int>& order);

    static int stored_value(int column, int row, int slice) { return 1000 + 10 * column + row + slice; }
    static std::vector<std::uint16_t> words(int slice);

    DicomBuilder& each(const std::function<void(BuiltImage&, int)>& change);
    DicomBuilder& slice(int k, const std::function<void(BuiltImage&)>& change);
    DicomBuilder& with(std::uint32_t tag, const char* vr, const std::string& value);
    DicomBuilder& without(std::uint32_t tag);
    DicomBuilder& without_slice(int k);
    DicomBuilder& and_also(const DicomBuilder& other);

    std::vector<BuiltImage> images;

    std::filesystem::path write_to(const std::filesystem::path& folder, Writing writing = Writing::explicit_little) const;
};

/// Bytes of one file.
std::string file_of(const BuiltImage& image, Writing writing = Writing::explicit_little, const std::string& transfer_syntax = {});
std::string position(double x, double y, double z);

}  // namespace retromass::test
