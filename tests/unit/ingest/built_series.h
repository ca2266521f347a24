#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "pipeline/ingest/ingest.h"
#include "tests/support/dicom_builder.h"
#include "tests/support/scratch.h"

/// Series from DicomBuilder, written, scanned and loaded.
namespace retromass::ingest {

inline constexpr int kSlices = 24;

inline test::DicomBuilder ct(int slices = kSlices) { return test::DicomBuilder::ct_series(slices); }

inline Scan scanned(const test::DicomBuilder& series, const ScanParameters& parameters = {}, test::Writing writing = test::Writing::explicit_little)
{
    const test::Scratch scratch;
    auto found = scan({series.write_to(scratch.path() / "ct", writing)}, parameters);
    EXPECT_TRUE(found.ok());
    return std::move(found).value();
}

/// The code a lone series is refused with; nothing if it loads.
inline std::optional<Code> refusal(const Scan& found)
{
    EXPECT_EQ(found.series.size(), 1u);
    if (found.series.empty() || !found.series[0].refused) return std::nullopt;
    return found.series[0].refused->code;
}

inline int excluded(const Scan& found, Code code)
{
    return static_cast<int>(std::count_if(found.excluded.begin(), found.excluded.end(), [&](const auto& e) { return e.code == code; }));
}

/// Writes, scans and loads: HU of every voxel in the order of the volume.
inline CtSeries loaded(const test::DicomBuilder& series, test::Writing writing = test::Writing::explicit_little, const ScanParameters& parameters = {})
{
    const test::Scratch scratch;
    const auto found = scan({series.write_to(scratch.path() / "ct", writing)}, parameters);
    EXPECT_TRUE(found.ok() && found->series.size() == 1u);
    auto out = load(found->series.at(0));
    EXPECT_TRUE(out.ok()) << out.error().message;
    return std::move(out).value();
}

/// The volume is what the builder wrote.
inline void expect_the_built_values(const CtSeries& series)
{
    using test::DicomBuilder;
    ASSERT_EQ(series.volume.geometry.size(), (Dimensions{DicomBuilder::kColumns, DicomBuilder::kRows, kSlices}));
    for (int k = 0; k < kSlices; ++k) {
        for (int r = 0; r < DicomBuilder::kRows; ++r) {
            for (int c = 0; c < DicomBuilder::kColumns; ++c) ASSERT_EQ(series.volume.hu.at(c, r, k), DicomBuilder::stored_value(c, r, k) - 1024);
        }
    }
    EXPECT_NEAR(*series.volume.geometry.slice_spacing_mm(), 2, 1e-9);
    EXPECT_NEAR(series.volume.geometry.column_spacing_mm(), 0.5, 1e-12);  // Pixel Spacing names the distance of rows first
    EXPECT_NEAR(series.volume.geometry.row_spacing_mm(), 0.75, 1e-12);
    EXPECT_NEAR(distance(series.volume.geometry.slice_origin(0), {-10, 20, -100}), 0, 1e-12);
}

}  // namespace retromass::ingest
