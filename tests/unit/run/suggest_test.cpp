#include "pipeline/run/suggest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/run/patient_of.h"
#include "tests/support/scratch.h"

namespace retromass::run {
namespace {

using response::LesionStatus;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const VolumeGeometry kGrid = VolumeGeometry::axial({60, 40, 30}, 1, 1, 1);

/// A cube by its lowest voxel and its edge; voxels of 1 mm3, so that an edge of 8 is 0.512 ml and one of 7 is 0.343 ml.
void add_cube(Mask& mask, Index low, int edge)
{
    for (int k = low.slice; k < low.slice + edge; ++k) {
        for (int r = low.row; r < low.row + edge; ++r) {
            for (int c = low.column; c < low.column + edge; ++c) mask.at(c, r, k) = 1;
        }
    }
}

struct Cube {
    Index low;
    int edge;
};

outputs::LesionResult made_of(const std::string& id, const std::vector<Cube>& cubes)
{
    outputs::LesionResult out;
    out.lesion = id;
    out.reason = "neither prompt nor status is given";
    if (cubes.empty()) return out;
    out.reason.clear();
    Mask mask(kGrid.size());
    for (const auto& cube : cubes) add_cube(mask, cube.low, cube.edge);
    out.measurements = measurement::measure(mask, kGrid, nullptr).value();
    out.mask = std::move(mask);
    out.status = LesionStatus::measured;
    return out;
}

/// A case of lesions T1, T2 ... whose masks are cubes, at time points "a", "b", "c".
struct Case {
    CaseFile file;
    outputs::CaseResult result;

    explicit Case(int lesions)
    {
        file.case_id = "P";
        for (int l = 1; l <= lesions; ++l) file.lesions.emplace_back().lesion = {"T" + std::to_string(l), response::Role::target, "liver", "liver", false};
        for (const auto& l : file.lesions) result.lesions.push_back(l.lesion);
    }
    Case& at(const std::vector<std::vector<Cube>>& cubes)
    {
        const auto n = result.timepoints.size();
        const std::string id(1, static_cast<char>('a' + n));
        file.timepoints.emplace_back().id = id;
        auto& now = result.timepoints.emplace_back();
        now.id = id;
        now.date = parse_date("2024-0" + std::to_string(n + 1) + "-01");
        now.new_lesions = response::NewLesions::none;
        now.ct.emplace().volume.geometry = kGrid;
        for (std::size_t l = 0; l < cubes.size(); ++l) now.lesions.push_back(made_of(file.lesions[l].lesion.id, cubes[l]));
        return *this;
    }
    LesionAtTimepoint& said(std::size_t lesion, const std::string& timepoint) { return file.lesions[lesion].timepoints[timepoint]; }
    std::vector<std::string> suggested()
    {
        suggest_splits(file, result.timepoints);
        suggest_mergers(file, result.timepoints);
        std::vector<std::string> out;
        for (const auto& timepoint : result.timepoints) {
            for (const auto& lesion : timepoint.lesions) {
                for (const auto& guess : lesion.suggested) out.push_back(timepoint.id + " " + lesion.lesion + " " + guess.what + ": " + guess.text);
            }
        }
        return out;
    }
};

constexpr Cube kLeft{{2, 2, 2}, 10}, kRight{{30, 2, 2}, 10}, kFar{{45, 20, 10}, 8};

TEST(SuggestSplits, NamesTheFiguresAndTheLineWhereAMaskFallsInTwo)
{
    // 8 x 8 x 8 and 10 x 10 x 10 voxels of 1 mm3.
    EXPECT_THAT(Case(1).at({{kLeft}}).at({{kFar, kRight}}).suggested(),
                ElementsAre(AllOf(HasSubstr("b T1 split: its mask has 2 separate parts of 0.5 ml or more here (1.00, 0.51 ml) and had one at a"), HasSubstr("\"b: {split_into: [T1a, T1b]}\""))));
}

TEST(SuggestSplits, IsSilentWhereOneMaskStaysInOnePieceOrLosesACrumb)
{
    EXPECT_THAT(Case(1).at({{kLeft}}).at({{kRight}}).suggested(), IsEmpty());
    EXPECT_THAT(Case(1).at({{kLeft}}).at({{kRight, {{45, 20, 10}, 7}}}).suggested(), IsEmpty()) << "0.34 ml is no lesion that could be measured";
}

TEST(SuggestSplits, SaysItOnceAndNotOfTheFirstTimePoint)
{
    EXPECT_THAT(Case(1).at({{kLeft, kRight}}).at({{kLeft, kRight}}).suggested(), IsEmpty()) << "in two parts from the start is no split";
    EXPECT_THAT(Case(1).at({{kLeft}}).at({{kLeft, kRight}}).at({{kLeft, kRight}}).suggested(), ElementsAre(HasSubstr("b T1 split")));
    EXPECT_THAT(Case(1).at({{kLeft}}).at({{}}).at({{kLeft, kRight}}).suggested(), ElementsAre(HasSubstr("had one at a"))) << "compared with where it was last measured";
}

TEST(SuggestSplits, IsSilentWhereAReaderSaidWhatBecameOfIt)
{
    Case split(3);
    split.at({{kLeft}, {}, {}}).at({{kLeft, kRight}, {}, {}});
    split.said(0, "b").split_into = {"T2", "T3"};
    EXPECT_THAT(split.suggested(), IsEmpty());

    Case part(3);
    part.at({{kLeft}, {}, {}}).at({{}, {kLeft}, {kFar}}).at({{}, {kLeft, kRight}, {kFar}});
    part.said(0, "b").split_into = {"T2", "T3"};
    EXPECT_THAT(part.suggested(), IsEmpty()) << "a part does not split by itself";

    Case merged(2);
    merged.at({{kLeft}, {kRight}}).at({{kLeft, kRight}, {}});
    merged.said(1, "b").merged_into = "T1";
    EXPECT_THAT(merged.suggested(), IsEmpty()) << "the outline holds both";
}

TEST(SuggestSplits, NamesPartsThatNoLesionIsNamedAfterYet)
{
    Case named(2);
    named.file.lesions[1].lesion.id = "T1a";
    EXPECT_THAT(named.at({{kLeft}, {}}).at({{kLeft, kRight}, {}}).suggested(), ElementsAre(HasSubstr("[T1b, T1c]")));
    Case spaced(1);
    spaced.file.lesions[0].lesion.id = "liver, left";
    EXPECT_THAT(spaced.at({{kLeft}}).at({{kLeft, kRight}}).suggested(), ElementsAre(HasSubstr("[\"liver, lefta\", \"liver, leftb\"]")));
}

constexpr Cube kBeside{{12, 2, 2}, 9};   ///< shares 9 x 9 faces with kLeft
constexpr Cube kWithin{{11, 2, 2}, 9};   ///< and this one 9 x 9 voxels
constexpr Cube kCorner{{12, 12, 12}, 9}; ///< meets kLeft at a corner alone

TEST(ContactsOf, CountsSharedVoxelsAndFacesAndNoCorners)
{
    const auto contacts = [](const Cube& a, const Cube& b) {
        const auto first = made_of("T1", {a}), second = made_of("T2", {b});
        return contacts_of({&*first.mask, nullptr, &*second.mask});
    };
    ASSERT_EQ(contacts(kLeft, kBeside).size(), 1u);
    EXPECT_EQ(contacts(kLeft, kBeside)[0].first, 0u);
    EXPECT_EQ(contacts(kLeft, kBeside)[0].second, 2u);
    EXPECT_EQ(contacts(kLeft, kBeside)[0].voxels, 0u);
    EXPECT_EQ(contacts(kLeft, kBeside)[0].faces, 81u);
    EXPECT_EQ(contacts(kBeside, kLeft)[0].faces, 81u);
    EXPECT_EQ(contacts(kLeft, kWithin)[0].voxels, 81u);
    EXPECT_THAT(contacts(kLeft, kCorner), IsEmpty());
    EXPECT_THAT(contacts(kLeft, {{13, 2, 2}, 9}), IsEmpty()) << "one voxel of other tissue lies between";
}

TEST(SuggestMergers, NamesTheFiguresAndTheLineWhereTwoLesionsMeet)
{
    EXPECT_THAT(Case(2).at({{kLeft}, {kRight}}).at({{kLeft}, {kBeside}}).suggested(),
                ElementsAre(AllOf(HasSubstr("b T2 merged: touches T1 (81 voxel faces in common) here and lay apart from it at a"), HasSubstr("write under T2"), HasSubstr("\"b: {status: merged, merged_into: T1}\""))));
    EXPECT_THAT(Case(2).at({{kRight}, {kLeft}}).at({{kWithin}, {kLeft}}).suggested(), ElementsAre(AllOf(HasSubstr("b T1 merged: shares 81 voxels with T2 here"), HasSubstr("merged_into: T2")))) << "the smaller into the larger";
}

TEST(SuggestMergers, IsSilentWhereTwoStayApartWereNeverApartOrWereNotBothThere)
{
    EXPECT_THAT(Case(2).at({{kLeft}, {kRight}}).at({{kLeft}, {kRight}}).suggested(), IsEmpty());
    EXPECT_THAT(Case(2).at({{kLeft}, {kBeside}}).at({{kLeft}, {kBeside}}).suggested(), IsEmpty());
    EXPECT_THAT(Case(2).at({{kLeft}, {}}).at({{kLeft}, {kBeside}}).suggested(), IsEmpty()) << "a new lesion beside an old one";
    EXPECT_THAT(Case(2).at({{kLeft}, {kRight}}).at({{kLeft}, {kBeside}}).at({{kLeft}, {kBeside}}).suggested(), ElementsAre(HasSubstr("b T2 merged"))) << "once";
    EXPECT_THAT(Case(2).at({{kLeft}, {kRight}}).at({{kLeft}, {}}).at({{kLeft}, {kBeside}}).suggested(), ElementsAre(HasSubstr("apart from it at a")));
}

TEST(SuggestMergers, IsSilentWhereAReaderSaidWhatTheTwoAre)
{
    Case merged(2);
    merged.at({{kLeft}, {kRight}}).at({{kLeft}, {kBeside}});
    merged.said(1, "b").merged_into = "T1";
    EXPECT_THAT(merged.suggested(), IsEmpty());

    Case parts(3);
    parts.at({{kLeft}, {}, {}}).at({{}, {kLeft}, {kRight}}).at({{}, {kLeft}, {kBeside}});
    parts.said(0, "b").split_into = {"T2", "T3"};
    EXPECT_THAT(parts.suggested(), IsEmpty()) << "parts of one lesion";
}

TEST(SuggestMergers, LetsALesionMergeIntoTheWholeOfAPart)
{
    Case with(4);  // T2 and T3 are parts of T1; T4 is another lesion, larger than the part it meets
    with.at({{kFar}, {}, {}, {{{20, 20, 2}, 12}}}).at({{}, {kFar}, {kRight}, {{{20, 20, 2}, 12}}}).at({{}, {kFar}, {kRight}, {{{30, 12, 2}, 12}}});
    with.said(0, "b").split_into = {"T2", "T3"};
    EXPECT_THAT(with.suggested(), ElementsAre(AllOf(HasSubstr("c T4 merged: touches T3 (100 voxel faces"), HasSubstr("let the outline of T3 hold both"), HasSubstr("merged_into: T1}"))));
}

/// The earlier scan's positions are those of the later one less 5 mm along x.
LaidOn shifted(bool believed = true)
{
    return {[](PatientPoint p) { return PatientPoint{p.x - 5, p.y, p.z}; }, [believed](const Mask&) { return believed; }};
}

Cube moved(Cube cube, int columns)
{
    cube.low.column += columns;
    return cube;
}

std::vector<std::string> exchanged(Case& given, const LaidOn& laid = shifted())
{
    suggest_exchanges(given.file, given.result.timepoints[0], given.result.timepoints[1], laid);
    std::vector<std::string> out;
    for (const auto& lesion : given.result.timepoints[1].lesions) {
        for (const auto& guess : lesion.suggested) out.push_back(lesion.lesion + " " + guess.what + ": " + guess.text);
    }
    return out;
}

TEST(SuggestExchanges, NamesTwoLesionsThatLieWhereTheOtherWas)
{
    Case two(2);
    two.at({{kLeft}, {kRight}}).at({{moved(kRight, 5)}, {moved(kLeft, 5)}});
    EXPECT_THAT(exchanged(two), ElementsAre(AllOf(HasSubstr("T1 exchanged: lies where T2 was at a (100 % of the smaller of the two, 0 % with T1 itself"), HasSubstr("write under T1 at b what now stands under T2, and the other way round"))));
}

TEST(SuggestExchanges, NamesOneThatLiesWhereAnotherWas)
{
    Case gone(2);
    gone.at({{kLeft}, {kRight}}).at({{moved(kRight, 5)}, {}});
    EXPECT_THAT(exchanged(gone), ElementsAre(AllOf(HasSubstr("T1 exchanged: lies where T2 was at a"), HasSubstr("is it T2? If so, write under T2 at b what now stands under T1"))));
}

TEST(SuggestExchanges, IsSilentWhereEachLiesWhereItWasOrNothingCanBeTold)
{
    Case same(2);
    same.at({{kLeft}, {kRight}}).at({{moved(kLeft, 5)}, {moved(kRight, 5)}});
    EXPECT_THAT(exchanged(same), IsEmpty());

    Case grown(2);  // over the place of the other
    grown.at({{kLeft}, {kBeside}}).at({{moved(kLeft, 5), moved(kBeside, 5)}, {}});
    EXPECT_THAT(exchanged(grown), IsEmpty());

    Case doubted(2);
    doubted.at({{kLeft}, {kRight}}).at({{moved(kRight, 5)}, {moved(kLeft, 5)}});
    EXPECT_THAT(exchanged(doubted, shifted(false)), IsEmpty()) << "the registration is not believed there";

    Case fresh(2);  // T1 has no place of its own to be missing from
    fresh.at({{}, {kRight}}).at({{moved(kRight, 5)}, {}});
    EXPECT_THAT(exchanged(fresh), IsEmpty());

    Case carried(2);
    carried.at({{kLeft}, {kRight}}).at({{moved(kRight, 5)}, {moved(kLeft, 5)}});
    for (auto& lesion : carried.result.timepoints[1].lesions) lesion.carried_from = "a";
    EXPECT_THAT(exchanged(carried), IsEmpty()) << "found by its place";

    Case merged(2);
    merged.at({{kLeft}, {kRight}}).at({{moved(kRight, 5)}, {}});
    merged.said(1, "b").merged_into = "T1";
    EXPECT_THAT(exchanged(merged), IsEmpty());
}

TEST(Suggest, ChangesNoSumCategoryMaskOrStatus)
{
    Case with(2);
    with.at({{kLeft}, {kRight}}).at({{kLeft, kFar}, {kBeside}});
    auto plain = with;
    ASSERT_EQ(with.suggested().size(), 2u) << "a split and a merger";
    ASSERT_EQ(exchanged(with).size(), 3u) << "T2 now lies over half of where T1 was, too";
    const auto judged = response::assess(patient_of(with.file, with.result)), before = response::assess(patient_of(plain.file, plain.result));
    ASSERT_TRUE(judged.ok() && before.ok());
    for (std::size_t t = 0; t < 2; ++t) {
        EXPECT_EQ(judged->recist.at(t).sum, before->recist.at(t).sum);
        EXPECT_EQ(judged->recist.at(t).overall.category, before->recist.at(t).overall.category);
        for (std::size_t l = 0; l < 2; ++l) {
            const auto &now = with.result.timepoints[t].lesions[l], &then = plain.result.timepoints[t].lesions[l];
            EXPECT_EQ(now.status, then.status);
            EXPECT_EQ(now.measurements->volume_ml, then.measurements->volume_ml);
            EXPECT_EQ(segmentation::fingerprint(*now.mask), segmentation::fingerprint(*then.mask));
        }
    }
    EXPECT_EQ(judged->identity.size(), 3u);
    EXPECT_TRUE(has(judged->notices, Code::identity_suggested));
    EXPECT_FALSE(has(before->notices, Code::identity_suggested));
}

/// The text between the first pair of quotes that stand round a line of a case file.
std::string line_in(const std::string& text)
{
    const auto from = text.find('"');
    return text.substr(from + 1, text.rfind('"') - from - 1);
}

TEST(Suggest, NamesLinesThatACaseFileTakes)
{
    const test::Scratch scratch;
    const auto read = [&](const std::string& lines, const std::string& more) {
        return read_case(scratch.write("case.yaml", "case: P\ntimepoints:\n  - {id: a, date: 2024-01-01}\n  - {id: b, date: 2024-02-01}\nlesions:\n" + lines + more));
    };
    const auto split = read("  - id: T1\n    timepoints:\n      " + line_in(Case(1).at({{kLeft}}).at({{kFar, kRight}}).suggested().at(0)) + "\n", "  - {id: T1a}\n  - {id: T1b}\n");
    ASSERT_TRUE(split.ok()) << split.error().message;
    EXPECT_THAT(split->lesions[0].timepoints.at("b").split_into, ElementsAre("T1a", "T1b"));
    const auto merged = read("  - {id: T1}\n  - id: T2\n    timepoints:\n      " + line_in(Case(2).at({{kLeft}, {kRight}}).at({{kLeft}, {kBeside}}).suggested().at(0)) + "\n", "");
    ASSERT_TRUE(merged.ok()) << merged.error().message;
    EXPECT_EQ(merged->lesions[1].timepoints.at("b").status, LesionStatus::merged);
    EXPECT_EQ(merged->lesions[1].timepoints.at("b").merged_into, "T1");
}

}  // namespace
}  // namespace retromass::run
