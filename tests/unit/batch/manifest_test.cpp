#include "pipeline/batch/manifest.h"

#include <gmock/gmock.h>

#include <ctime>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/scratch.h"

namespace retromass::batch {
namespace {

using testing::ElementsAre;

/// A scan of series with one image each: its file and its study.
ingest::Scan scan_of(const std::vector<std::pair<std::filesystem::path, std::string>>& images)
{
    ingest::Scan scan;
    for (const auto& [file, study] : images) {
        auto& series = scan.series.emplace_back();
        series.slices.emplace_back().file = file;
        series.facts.study_instance_uid = study;
    }
    return scan;
}

/// The study found for each row of a manifest in `folder`, "" where there is none.
std::vector<std::string> studies_found(const test::Scratch& folder, const std::string& manifest, const ingest::Scan& scan)
{
    auto rows = read_manifest(folder.write("manifest.csv", manifest));
    if (!rows) return {rows.error().message};
    find_studies(*rows, scan);
    std::vector<std::string> out;
    for (const auto& row : *rows) out.push_back(row.study_uid);
    return out;
}

TEST(FindStudies, TakesAllSeriesAtAnyDepthBelowAFolder)
{
    const test::Scratch scratch;
    const auto& root = scratch.path();
    const auto scan = scan_of({{root / "a/first/1.dcm", "1.1"}, {root / "a/first/thin/deep/2.dcm", "1.1"}, {root / "a/second/3.dcm", "1.2"}, {root / "b/4.dcm", "1.3"}});
    EXPECT_THAT(studies_found(scratch, "folder\na/first\na/second\na/first/thin\na\nb\n", scan), ElementsAre("1.1", "1.2", "1.1", "", "1.3"));  // below `a` are two studies
}

TEST(FindStudies, TakesAFolderHoweverItIsWritten)
{
    const test::Scratch scratch;
    const auto& root = scratch.path();
    const auto scan = scan_of({{root / "one/./x/../1.dcm", "1.1"}, {(root / "two/2.dcm").lexically_relative(std::filesystem::current_path()), "1.2"}, {root / "three/3.dcm", "1.3"}, {root / "of 4, it/4.dcm", "1.4"}});
    EXPECT_THAT(studies_found(scratch, "folder\none/\n./elsewhere/../two//\n" + (root / "three").string() + "\n\"of 4, it\"\n", scan), ElementsAre("1.1", "1.2", "1.3", "1.4"));
}

TEST(FindStudies, TakesNoFolderByTheBeginningOfItsNameNorAnImageForOne)
{
    const test::Scratch scratch;
    const auto& root = scratch.path();
    const auto scan = scan_of({{root / "first visit/1.dcm", "1.1"}});
    EXPECT_THAT(studies_found(scratch, "folder\nfirst\nfirst visit/1.dcm\nfirst visit/1\nempty\n/\n", scan), ElementsAre("", "", "", "", ""));
}

TEST(FindStudies, LeavesARowWithAUidAndOneWhoseImagesStateNone)
{
    const test::Scratch scratch;
    auto scan = scan_of({{scratch.path() / "a/1.dcm", "1.1"}, {scratch.path() / "b/2.dcm", ""}});
    scan.series.emplace_back().facts.study_instance_uid = "1.3";  // a series without an image lies nowhere
    EXPECT_THAT(studies_found(scratch, "study_uid,folder\n1.1,\n,a\n,b\n1.9,\n", scan), ElementsAre("1.1", "1.1", "", "1.9"));
}

TEST(FindStudies, LooksAtEachSeriesOnceHoweverManyRowsThereAre)
{
    constexpr int kStudies = 10000;
    std::vector<ManifestRow> rows(kStudies);
    std::vector<std::pair<std::filesystem::path, std::string>> images;
    for (int i = 0; i < kStudies; ++i) {
        const auto name = std::to_string(i);
        rows[static_cast<std::size_t>(i)].folder = "/archive/site/" + name;
        images.emplace_back("/archive/site/" + name + "/CT/1.dcm", "1." + name);
    }
    const auto scan = scan_of(images);
    const auto start = std::clock();
    find_studies(rows, scan);
    // Processor time. Each row against each series took minutes; once around is a fraction of a second, also under a sanitizer.
    EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, 10.0);
    for (int i = 0; i < kStudies; ++i) ASSERT_EQ(rows[static_cast<std::size_t>(i)].study_uid, "1." + std::to_string(i));
}

/// Rows that stand in these places and are about these studies.
std::vector<ManifestRow> rows_of(const std::vector<std::pair<std::string, std::string>>& given)
{
    std::vector<ManifestRow> rows;
    for (const auto& [place, study] : given) {
        auto& row = rows.emplace_back();
        row.place = place;
        row.study_uid = study;
    }
    return rows;
}

TEST(OpenRows, GivesEachRowOfAStudyOnceTheFirstOneFirst)
{
    OpenRows open(rows_of({{"line 2", "1.2"}, {"line 3", "1.1"}, {"line 4", "1.2"}}));  // by its UID and by its folder
    EXPECT_EQ(open.take("1.2").value_or(ManifestRow()).place, "line 2");
    EXPECT_EQ(open.take("1.2").value_or(ManifestRow()).place, "line 4");
    EXPECT_FALSE(open.take("1.2"));
    EXPECT_FALSE(open.take("1.3"));
}

TEST(OpenRows, ListsWhatNoStudyTookInTheOrderOfTheManifest)
{
    OpenRows open(rows_of({{"line 2", "1.9"}, {"line 3", ""}, {"line 4", "1.1"}, {"line 5", "1.1"}, {"line 6", "1.0"}}));
    EXPECT_FALSE(open.take(""));  // images that state no study are not those of a folder in which none was found
    EXPECT_TRUE(open.take("1.1"));
    std::vector<std::string> places;
    for (const auto& row : open.left()) places.push_back(row.place);
    EXPECT_THAT(places, ElementsAre("line 2", "line 3", "line 5", "line 6"));
}

}  // namespace
}  // namespace retromass::batch
