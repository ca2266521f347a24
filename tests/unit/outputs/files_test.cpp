#include <gmock/gmock.h>
#include <zlib.h>

#include <cstring>

#include "pipeline/ingest/ingest.h"
#include "pipeline/outputs/outputs.h"
#include "tests/support/scratch.h"

namespace retromass {
namespace {

std::string unzipped(const std::filesystem::path& file)
{
    std::string out;
    gzFile in = gzopen(file.c_str(), "rb");
    char block[4096];
    for (int n; (n = gzread(in, block, sizeof block)) > 0;) out.append(block, static_cast<std::size_t>(n));
    gzclose(in);
    return out;
}

template <class T>
T value_at(const std::string& bytes, std::size_t offset)
{
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

std::string bytes_of(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Sha256, OfAbcIsThePublishedDigest)
{
    // FIPS 180-2, appendix B.1
    EXPECT_EQ(outputs::sha256_of_text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const test::Scratch scratch;
    EXPECT_EQ(*outputs::sha256_of_file(scratch.write("abc", "abc")), outputs::sha256_of_text("abc"));
    EXPECT_EQ(outputs::sha256_of_file(scratch.path() / "absent").error().code, Code::io);
}

TEST(DerivedUid, IsTheSameForTheSameNameAndOfDicomsForm)
{
    const auto uid = outputs::derived_uid("a");
    EXPECT_EQ(uid, outputs::derived_uid("a"));
    EXPECT_NE(uid, outputs::derived_uid("b"));
    for (int i = 0; i < 200; ++i) {  // PS3.5 9.1: at most 64 characters, components without leading zero
        EXPECT_THAT(outputs::derived_uid(std::to_string(i)), testing::MatchesRegex("2\\.25\\.[1-9][0-9]*"));
        EXPECT_LE(outputs::derived_uid(std::to_string(i)).size(), 44U);
    }
}

TEST(UidRoot, IsPutBeforeEveryUidAndLeavesThemLegal)
{
    EXPECT_TRUE(outputs::check_uid_root("1.2.826.0.1.3680043.9.1").ok());
    EXPECT_TRUE(outputs::check_uid_root("2.25").ok());
    for (int i = 0; i < 50; ++i) {  // PS3.5 9.1
        const auto uid = outputs::derived_uid(std::to_string(i), "1.2.826.0.1.3680043.9.1");
        EXPECT_THAT(uid, testing::StartsWith("1.2.826.0.1.3680043.9.1."));
        EXPECT_LE(uid.size(), 64U);
    }
    EXPECT_EQ(outputs::fault_of_uid("1.2.840.10008.0"), "");
    EXPECT_EQ(outputs::fault_of_uid("1." + std::string(62, '9')), "");
    EXPECT_NE(outputs::fault_of_uid("1." + std::string(63, '9')), "");
    for (const char* bad : {"", "1.", "..", "1.02", "T1", "1.2 ", "urn:oid:1.2"}) EXPECT_NE(outputs::fault_of_uid(bad), "") << bad;
    for (const std::string bad : {"", "1.", ".1", "1..2", "1.02", "1.a", "1.2.826.0.1.3680043.10.99999"}) EXPECT_EQ(outputs::check_uid_root(bad).error().code, Code::usage) << bad;
}

TEST(WriteNifti, MapsVoxelsToRightAnteriorSuperior)
{
    const test::Scratch scratch;
    const auto geometry = VolumeGeometry::axial({3, 4, 5}, 0.5, 0.75, 2, {10, 20, -30});
    Mask mask(geometry.size());
    mask.at(1, 2, 3) = 1;
    ASSERT_TRUE(outputs::write_nifti(scratch.path() / "m.nii.gz", mask, geometry).ok());
    const auto bytes = unzipped(scratch.path() / "m.nii.gz");
    ASSERT_EQ(bytes.size(), 352U + 60U);
    EXPECT_EQ(value_at<std::int16_t>(bytes, 252), 0);  // qform
    EXPECT_EQ(value_at<std::int16_t>(bytes, 254), 1);  // sform
    const float rows[3][4] = {{-0.5F, 0, 0, -10}, {0, -0.75F, 0, -20}, {0, 0, 2, -30}};  // x and y change sign from LPS to RAS
    for (std::size_t r = 0; r < 3; ++r) {
        for (std::size_t c = 0; c < 4; ++c) EXPECT_EQ(value_at<float>(bytes, 280 + 16 * r + 4 * c), rows[r][c]) << r << ' ' << c;
    }
    EXPECT_EQ(bytes[352 + 1 + 3 * (2 + 4 * 3)], 1);
}

TEST(WriteNifti, KeepsTheShearOfATiltedSeries)
{
    const test::Scratch scratch;
    std::vector<PatientPoint> origins;
    for (int k = 0; k < 4; ++k) origins.push_back({0, 0.8 * k, 2.5 * k});
    const auto geometry = VolumeGeometry::from_slices(2, 2, {1, 0, 0}, {0, 1, 0}, 1, 1, origins);
    ASSERT_TRUE(outputs::write_nifti(scratch.path() / "m.nii.gz", Mask(geometry->size(), 1), *geometry).ok());
    const auto bytes = unzipped(scratch.path() / "m.nii.gz");
    EXPECT_FLOAT_EQ(value_at<float>(bytes, 280 + 16 + 8), -0.8F);  // the slice step's y, in RAS
    const auto read = ingest::read_labels(scratch.path() / "m.nii.gz");
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_TRUE(same_grid(read->geometry, *geometry));
}

TEST(WriteNifti, RefusesUnevenSlices)
{
    const test::Scratch scratch;
    const auto geometry = VolumeGeometry::from_slices(2, 2, {1, 0, 0}, {0, 1, 0}, 1, 1, {{0, 0, 0}, {0, 0, 4}, {0, 0, 11}});
    const auto status = outputs::write_nifti(scratch.path() / "m.nii.gz", Mask(geometry->size(), 1), *geometry);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::uneven_slices);
    EXPECT_FALSE(std::filesystem::exists(scratch.path() / "m.nii.gz"));
}

TEST(WriteNifti, WritesTheSameBytesTwice)
{
    const test::Scratch scratch;
    const auto geometry = VolumeGeometry::axial({30, 30, 30}, 1, 1, 1);
    Grid<float> values(geometry.size());
    for (std::size_t i = 0; i < values.values().size(); ++i) values[i] = static_cast<float>(i % 17) / 16;
    for (const char* name : {"a", "b"}) ASSERT_TRUE(outputs::write_nifti(scratch.path() / name, values, geometry).ok());
    EXPECT_EQ(bytes_of(scratch.path() / "a"), bytes_of(scratch.path() / "b"));
    EXPECT_EQ(value_at<float>(unzipped(scratch.path() / "a"), 352 + 4 * 5), 5.0F / 16);
}

}  // namespace
}  // namespace retromass
