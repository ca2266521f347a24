#include <gmock/gmock.h>

#include <algorithm>

#include "pipeline/ingest/ingest.h"
#include "pipeline/outputs/objects.h"
#include "pipeline/outputs/report.h"
#include "pipeline/outputs/words.h"
#include "tests/support/scratch.h"
#include "tests/unit/outputs/sample_case.h"

// What the report says, before it is drawn; and that its paragraph and the DICOM report hold the same numbers.

namespace retromass {
namespace {

using testing::HasSubstr;
using testing::Not;

template <class T>
std::vector<T> all_of(const std::vector<outputs::Block>& blocks)
{
    std::vector<T> out;
    for (const auto& block : blocks) {
        if (const auto* found = std::get_if<T>(&block)) out.push_back(*found);
    }
    return out;
}

bool has_word(const std::vector<outputs::Remark>& remarks, const std::string& word)
{
    return std::any_of(remarks.begin(), remarks.end(), [&](const auto& remark) { return remark.word == word; });
}

struct Sample : testing::Test {
    test::Scratch scratch;
    outputs::CaseResult result = test::sample_case(scratch.path() / "ct", 8, 10);
};

TEST_F(Sample, FirstScreenHoldsTheCategoryTheSentenceAndWhatNeedsAttention)
{
    result.assessment.recist.back().repeats = {response::Interval{-70, -57}, {{response::Category::pr, 0.99}}, 0.01, "PR by RECIST 1.1 (-63.6 %). One of 100 repeats."};
    result.timepoints[3].lesions[0].notices.push_back({Code::interval_not_validated, "unlike the set"});
    result.assessment.comparisons.push_back({"day-38", "after-5-cycles", "not-comparable", "not-comparable", {}, {}});
    const auto document = outputs::report_document(result, {});
    const auto cards = all_of<outputs::Cards>(document.answer);
    ASSERT_FALSE(cards.empty());
    EXPECT_EQ(cards[0].items[0].label, "RECIST 1.1 now");
    EXPECT_EQ(cards[0].items[0].big, "PR");
    EXPECT_EQ(all_of<outputs::Words>(document.answer)[0].text, "PR by RECIST 1.1 (-63.6 %). One of 100 repeats.");
    ASSERT_EQ(all_of<outputs::Drawing>(document.answer).size(), 1U);
    const auto remarks = all_of<outputs::Remarks>(document.aside)[0].items;
    for (const char* word : {"unreviewed", "not evaluable", "not comparable", "interval-not-validated"}) EXPECT_TRUE(has_word(remarks, word)) << word;
}

TEST_F(Sample, LesionsShowTheirOwnChangeFromTheBaselineOfThePeriod)
{
    const auto tables = all_of<outputs::Table>(outputs::lesion_blocks(result, {}));
    ASSERT_FALSE(tables.empty());
    const auto& table = tables[0];
    const auto column = std::find_if(table.columns.begin(), table.columns.end(), [](const auto& c) { return c.title == "% from baseline"; }) - table.columns.begin();
    const auto mm = [&](std::size_t i) { return static_cast<double>(result.timepoints[i].lesions[0].measurements->long_axis.recorded.hundredths); };
    const auto& cell = table.rows[3][static_cast<std::size_t>(column)];
    EXPECT_EQ(cell.text, outputs::signed_percent(100 * (mm(3) - mm(2)) / mm(2)));  // of two recorded lengths
    EXPECT_EQ(cell.below, "from day-38");
}

TEST_F(Sample, TheParagraphHoldsTheNumbersOfTheDicomReportInMmAndCm)
{
    result.timepoints.pop_back();  // its last time point has no CT, so no DICOM report
    const auto& timepoint = result.timepoints.back();
    const auto file = scratch.path() / "sr.dcm";
    const auto seg = outputs::write_seg(scratch.path() / "seg.dcm", *timepoint.ct, {&*timepoint.lesions[0].mask}, {{"T1", timepoint.lesions[0].tracking_uid, "retroperitoneum"}});
    ASSERT_TRUE(seg.ok());
    ASSERT_TRUE(outputs::write_report(file, result, timepoint, {"T1"}, *seg).ok());
    const auto marks = ingest::read_marks(file);
    ASSERT_TRUE(marks.ok()) << marks.error().message;
    const auto text = outputs::report_paragraph(result);
    std::vector<double> reported_mm;
    for (const auto& mark : marks->all) {
        for (const auto& value : mark.values) {
            if (value.unit == "mm" && value.value) reported_mm.push_back(*value.value);
        }
    }
    const auto& m = *timepoint.lesions[0].measurements;
    for (const auto* axis : {&m.long_axis, &m.short_axis, &m.craniocaudal}) {
        const auto in_report = std::find(reported_mm.begin(), reported_mm.end(), axis->recorded.as_mm());
        ASSERT_NE(in_report, reported_mm.end()) << axis->recorded.text() << " mm is not in the DICOM report";
        EXPECT_THAT(text, HasSubstr(Length::recorded(*in_report).text()));
        EXPECT_THAT(text, HasSubstr(fixed(*in_report / 10, 1)));
    }
    EXPECT_THAT(text, HasSubstr("-63.6 % from baseline"));
    EXPECT_THAT(text, HasSubstr("RECIST 1.1: PR (unconfirmed)"));
    EXPECT_THAT(text, HasSubstr("unreviewed"));
}

TEST_F(Sample, TheParagraphSaysThatNobodyMarkedACarriedLesion)
{
    result.timepoints.pop_back();  // nothing is measured at its last time point
    EXPECT_THAT(outputs::report_paragraph(result), Not(HasSubstr("nobody marked it")));
    result.timepoints.back().lesions.at(0).carried_from = result.timepoints.front().id;
    EXPECT_THAT(outputs::report_paragraph(result), HasSubstr("found again from " + result.timepoints.front().id + " by registration, nobody marked it here"));
}

TEST_F(Sample, AStatedDescriptionIsAFindingAndACarriedOneAsksForConfirmation)
{
    result.timepoints.pop_back();
    auto& lesion = result.timepoints.back().lesions[0];
    lesion.description = outputs::Description{{{"abuts", "left kidney"}, {"encases", "<aorta>"}}, "", "left", "none"};
    const std::string words = "abuts left kidney; encases <aorta>; hydronephrosis left; ascites none";
    const auto facts_with = [&](const std::string& what) {
        std::string out;
        for (const auto& facts : all_of<outputs::Facts>(outputs::report_document(result, {}).body)) {
            for (const auto& [name, value] : facts.rows) out += name == what ? value : "";
        }
        return out;
    };
    EXPECT_THAT(outputs::report_paragraph(result), HasSubstr(words));
    EXPECT_EQ(facts_with("Reader's description"), words);
    EXPECT_FALSE(has_word(outputs::attention_of(result), "for confirmation"));
    lesion.described_at = "day-38";
    EXPECT_THAT(outputs::report_paragraph(result), Not(HasSubstr("kidney")));
    EXPECT_EQ(facts_with("Reader's description"), "");
    EXPECT_EQ(facts_with("For confirmation"), "stated at day-38, not here: " + words);
    EXPECT_TRUE(has_word(outputs::attention_of(result), "for confirmation"));
}

TEST_F(Sample, AllTilesOfASheetHaveOneSizeAndTheSmallLesionStaysSmall)
{
    const auto sheets = outputs::write_sheet(scratch.path(), result, "T1");
    ASSERT_TRUE(sheets.ok()) << sheets.error().message;
    ASSERT_EQ(sheets->size(), 4U);  // the fifth time point has no mask
    const auto picture = [&](std::size_t i, std::size_t view) {
        const auto& t = result.timepoints[i];
        return *outputs::read_picture(scratch.path() / sheets->at(outputs::stem_of(t, t.lesions[0]))[view]);
    };
    const auto amber = [](const outputs::RgbPicture& p) {  // pixels of the outline
        int count = 0;
        for (std::size_t i = 0; i + 2 < p.pixels.size(); i += 3) count += p.pixels[i] > 200 && p.pixels[i + 1] > 120 && p.pixels[i + 1] < 190 && p.pixels[i + 2] < 60;
        return count;
    };
    for (std::size_t view = 0; view < 3; ++view) {
        for (std::size_t i = 1; i < 4; ++i) {
            EXPECT_EQ(picture(i, view).width, picture(0, view).width);
            EXPECT_EQ(picture(i, view).height, picture(0, view).height);
        }
    }
    EXPECT_GT(amber(picture(0, 0)), 4 * amber(picture(1, 0)));  // 230 x 150 mm against 20 x 20: the outline is nine times as long, 4 leaves room for pixels
}

TEST_F(Sample, ThePageEscapesEveryTextAndLoadsNothing)
{
    result.timepoints[0].lesions[0].notices.push_back({Code::truncated, "<script>alert(1)</script>"});
    result.lesions[0].site = "<img src=x onerror=alert(2)>";
    const auto page = outputs::html_of(outputs::report_document(result, {}), {});
    ASSERT_TRUE(page.ok());
    EXPECT_THAT(*page, Not(HasSubstr("<script>alert")));
    EXPECT_THAT(*page, Not(HasSubstr("<img src=x")));
    EXPECT_THAT(*page, Not(HasSubstr("RPS-001 <b>")));
    EXPECT_THAT(*page, HasSubstr("not for clinical decisions without review"));
}

TEST_F(Sample, PaperIsTheSameBytesTwice)
{
    const auto document = outputs::report_document(result, {});
    for (const char* name : {"a.pdf", "b.pdf"}) ASSERT_TRUE(outputs::write_pdf(scratch.path() / name, document, {}, "2013-07-05").ok());
    EXPECT_EQ(*outputs::sha256_of_file(scratch.path() / "a.pdf"), *outputs::sha256_of_file(scratch.path() / "b.pdf"));
}

}  // namespace
}  // namespace retromass
