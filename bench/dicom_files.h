#pragma once

#include <filesystem>
#include <string>

#include "tests/support/dcmtk_codecs.h"

namespace retromass::bench {

/// Where an image of a made-up series lies, and under which identity.
struct SlicePlace {
    std::string series_uid;
    int number = 0;
    double z_mm = 0;
};

/// How much a header holds beside what every image needs: the private elements of a scanner, or nothing, as after an anonymiser.
enum class Elements { of_a_scanner, needed };

/// A CT image with the header of an ordinary scanner: uncompressed where `frame.syntax` is Explicit VR Little Endian, whose one fragment
/// holds the words then.
void write_ct(const std::filesystem::path& file, const test::CompressedFrame& frame, const SlicePlace& place, Elements elements = Elements::of_a_scanner);

/// A pass over a folder as programs on DCMTK do it: every file by loadFileUntilTag up to its pixels; answers how many are CT.
int headers_by_dcmtk(const std::filesystem::path& folder);
/// Every file loaded and decoded by DCMTK and rescaled into one volume; answers its number of voxels.
std::size_t volume_by_dcmtk(const std::filesystem::path& folder);

}  // namespace retromass::bench
