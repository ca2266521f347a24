#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zlib.h>

#include <cstring>
#include <fstream>
#include <limits>

#include "pipeline/ingest/ingest.h"
#include "tests/support/scratch.h"

namespace retromass::ingest {
namespace {

constexpr Dimensions kSize{6, 5, 4};

/// A NIfTI-1 label volume of bytes with the given RAS affine rows, one voxel (4, 1, 2) labelled 3.
std::filesystem::path nifti(const test::Scratch& scratch, const float (&ras)[12])
{
    unsigned char h[352] = {};
    const auto put = [&](std::size_t at, auto value) { std::memcpy(h + at, &value, sizeof value); };
    put(0, std::int32_t{348});
    const std::int16_t dims[8] = {3, kSize.columns, kSize.rows, kSize.slices, 1, 1, 1, 1};
    std::memcpy(h + 40, dims, sizeof dims);
    put(70, std::int16_t{2});
    put(108, 352.0F);
    put(254, std::int16_t{1});
    std::memcpy(h + 280, ras, sizeof ras);
    std::memcpy(h + 344, "n+1", 4);
    std::vector<unsigned char> voxels(kSize.voxels(), 0);
    voxels[static_cast<std::size_t>((2 * kSize.rows + 1) * kSize.columns + 4)] = 3;
    const auto path = scratch.path() / "mask.nii.gz";
    gzFile out = gzopen(path.c_str(), "wb");
    gzwrite(out, h, sizeof h);
    gzwrite(out, voxels.data(), static_cast<unsigned>(voxels.size()));
    gzclose(out);
    return path;
}

}  // namespace

TEST(ReadLabels, PutsARasVoxelWhereItLiesInTheLpsGrid)
{
    const test::Scratch scratch;
    // Columns run to the left, rows to the back, slices to the head: RAS x and y are the negatives of LPS.
    const auto read = read_labels(nifti(scratch, {-2, 0, 0, 10, 0, -2, 0, 20, 0, 0, 3, -5}));
    ASSERT_TRUE(read.ok()) << read.error().message;
    ASSERT_EQ(read->present.size(), 1u);
    EXPECT_EQ(read->present[0].value, 3);
    const auto grid = VolumeGeometry::axial(kSize, 2, 2, 3, {-10, -20, -5});
    const auto laid = on_grid(*read, grid);
    ASSERT_TRUE(laid.ok()) << laid.error().message;
    EXPECT_EQ(laid->at(4, 1, 2), 3);
}

TEST(ReadLabels, TurnsAStackWhoseSlicesRunToTheFeet)
{
    const test::Scratch scratch;
    const auto read = read_labels(nifti(scratch, {-2, 0, 0, 10, 0, -2, 0, 20, 0, 0, -3, 4}));
    ASSERT_TRUE(read.ok()) << read.error().message;
    const auto laid = on_grid(*read, VolumeGeometry::axial(kSize, 2, 2, 3, {-10, -20, -5}));
    ASSERT_TRUE(laid.ok()) << laid.error().message;
    EXPECT_EQ(laid->at(4, 1, 1), 3);  // z = 4 - 2 * 3 = -2 mm
}

TEST(OnGrid, RefusesAMaskThatIsOffByMoreThanHalfAVoxel)
{
    const test::Scratch scratch;
    const auto read = read_labels(nifti(scratch, {-2, 0, 0, 10, 0, -2, 0, 20, 0, 0, 3, -5}));
    const auto laid = on_grid(*read, VolumeGeometry::axial(kSize, 2.5, 2, 3, {-10, -20, -5}));
    ASSERT_FALSE(laid.ok());
    EXPECT_EQ(laid.error().code, Code::mask_grid);
}

TEST(ReadLabels, RefusesATruncatedFileAndOneThatIsNoMask)
{
    const test::Scratch scratch;
    EXPECT_EQ(read_labels(scratch.write("a.nii", "not an image")).error().code, Code::malformed);
    EXPECT_EQ(read_labels(scratch.path() / "none.nii").error().code, Code::io);
    std::ifstream in(nifti(scratch, {-2, 0, 0, 10, 0, -2, 0, 20, 0, 0, 3, -5}), std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    EXPECT_EQ(read_labels(scratch.write("b.nii.gz", bytes.substr(0, bytes.size() / 2))).error().code, Code::malformed);
}

TEST(ReadLabels, RefusesVoxelsThatBeginNowhere)
{
    const test::Scratch scratch;
    std::string bytes(352 + kSize.voxels(), '\0');
    gzFile packed = gzopen(nifti(scratch, {-2, 0, 0, 10, 0, -2, 0, 20, 0, 0, 3, -5}).c_str(), "rb");
    gzread(packed, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(packed);
    for (const float offset : {7e22F, std::numeric_limits<float>::infinity(), 2e6F}) {
        std::memcpy(bytes.data() + 108, &offset, sizeof offset);
        EXPECT_EQ(read_labels(scratch.write("a.nii", bytes)).error().code, Code::malformed) << offset;
    }
}

TEST(ReadLabels, TakesNoMemoryOnTheWordOfAHeader)
{
    const test::Scratch scratch;
    const auto most_kib = [] {
        rusage used{};
        getrusage(RUSAGE_SELF, &used);
        return used.ru_maxrss;
    };
    std::string header(352, '\0');
    gzFile packed = gzopen(nifti(scratch, {-2, 0, 0, 10, 0, -2, 0, 20, 0, 0, 3, -5}).c_str(), "rb");
    gzread(packed, header.data(), 352);
    gzclose(packed);
    const std::int16_t dims[3] = {2000, 1000, 1000};  // 4 GB as labels
    std::memcpy(header.data() + 42, dims, sizeof dims);
    const auto before = most_kib();
    EXPECT_EQ(read_labels(scratch.write("a.nii", header)).error().code, Code::malformed);
    EXPECT_EQ(read_labels(scratch.write("a.nrrd", "NRRD0004\ntype: uint16\ndimension: 3\nsizes: 2000 1000 1000\nspacings: 1 1 1\nencoding: gzip\n\nx")).error().code, Code::malformed);
    EXPECT_LT(most_kib() - before, 100'000);
}

}  // namespace retromass::ingest
