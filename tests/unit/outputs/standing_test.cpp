#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "pipeline/outputs/outputs.h"
#include "pipeline/outputs/report.h"
#include "pipeline/outputs/standing.h"
#include "tests/support/scratch.h"
#include "tests/unit/outputs/sample_case.h"

namespace retromass {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using outputs::Standing;
using testing::HasSubstr;
using testing::Not;

ordered_json lesion(const char* id, const char* status = "measured") { return {{"id", id}, {"status", status}, {"review_state", "unreviewed"}, {"reviewer", ""}}; }

/// One lesion at two time points; T2 cannot be evaluated, and nobody has to accept it.
ordered_json written()
{
    return {{"deidentified", false}, {"timepoints", {{{"id", "before"}, {"signature", nullptr}, {"lesions", ordered_json::array({lesion("T1")})}}, {{"id", "after"}, {"signature", nullptr}, {"lesions", ordered_json::array({lesion("T1"), lesion("T2", "not-evaluable")})}}}}};
}
ordered_json with_signature(ordered_json of, int timepoint)
{
    of["timepoints"][timepoint]["signature"] = {{"reader", "S"}, {"time", "2020-05-05T00:00:00Z"}};
    return of;
}
ordered_json masked(const char* timepoint, const char* mask) { return {{"event", "measured"}, {"timepoint", timepoint}, {"lesion", "T1"}, {"mask_sha256", mask}}; }
ordered_json result(const char* hash) { return {{"event", "case-written"}, {"result", hash}}; }
ordered_json said(const char* timepoint, const char* state, const char* reader = "R1", const char* time = "2020-02-02T09:00:00Z")
{
    return {{"event", "review"}, {"timepoint", timepoint}, {"lesion", "T1"}, {"state", state}, {"reader", reader}, {"time", time}};
}
ordered_json signed_now(const char* timepoint) { return {{"event", "signed"}, {"timepoint", timepoint}, {"reader", "S"}, {"time", "2020-05-05T00:00:00Z"}}; }

std::vector<ordered_json> after_a_run(std::vector<ordered_json> more)
{
    std::vector<ordered_json> out{masked("before", "m1"), masked("after", "m2"), result("r1")};
    out.insert(out.end(), more.begin(), more.end());
    return out;
}
/// "time point (why)" of each that is open.
std::string open_in(const Standing& standing)
{
    std::string out;
    for (const auto& open : standing.open) out += (out.empty() ? "" : "; ") + open.timepoint + " (" + open.why + ")";
    return out;
}
std::string open_after(std::vector<ordered_json> more, const ordered_json& of = written()) { return open_in(outputs::standing_of(of, after_a_run(std::move(more)))); }

TEST(Standing, IsOpenUntilEveryMeasuredLesionIsAcceptedByANamedReader)
{
    EXPECT_FALSE(outputs::standing_of(written(), after_a_run({})).said);
    EXPECT_EQ(open_after({said("before", "accepted")}), "after (no reader has decided)");
    EXPECT_EQ(open_after({said("before", "accepted"), said("after", "accepted", "")}), "after (accepted, but nobody is named)");
    const auto done = outputs::standing_of(written(), after_a_run({said("before", "accepted"), said("after", "accepted", "R2", "2020-03-03T09:00:00Z")}));
    EXPECT_EQ(open_in(done), "");
    EXPECT_EQ(done.measured, 2U);
    EXPECT_THAT(done.readers, testing::ElementsAre("R1", "R2"));
    EXPECT_EQ(done.last, "2020-03-03T09:00:00Z");
}

TEST(Standing, TheLastWordCounts)
{
    const auto before = said("before", "accepted");
    EXPECT_EQ(open_after({before, said("after", "accepted"), said("after", "rejected", "R2")}), "after (rejected by R2)");
    EXPECT_EQ(open_after({before, said("after", "rejected", "R2"), said("after", "accepted")}), "");
    auto prompt = said("after", "rejected");
    prompt["needs_prompt"] = true;
    EXPECT_EQ(open_after({before, prompt}), "after (rejected by R1, needs a prompt)");
    EXPECT_EQ(open_after({before, said("after", "accepted"), said("after", "edited")}), "after (changed by R1 since the run: run the case again)");
}

TEST(Standing, WhatWasAcceptedIsTheResultThatWasSeenAndWhatWasRejectedIsTheMask)
{
    const auto accept = std::vector{said("before", "accepted"), said("after", "accepted")};
    auto again = accept;
    for (const auto& event : {masked("before", "m1"), masked("after", "m2"), result("r1")}) again.push_back(event);
    EXPECT_EQ(open_after(again), "") << "the same result again";
    auto other = accept;
    for (const auto& event : {masked("before", "m1"), masked("after", "m2"), result("r2")}) other.push_back(event);
    EXPECT_EQ(open_after(other), "before (accepted by R1 on an earlier result); after (accepted by R1 on an earlier result)");
    const auto reject = said("after", "rejected");
    EXPECT_EQ(open_after({said("before", "accepted"), reject, masked("before", "m1"), masked("after", "m2"), result("r2"), said("before", "accepted")}), "after (rejected by R1)");
    EXPECT_EQ(open_after({said("before", "accepted"), reject, masked("before", "m1"), masked("after", "m3"), result("r2"), said("before", "accepted")}), "after (no reader has decided)");
}

TEST(Standing, ASignatureCoversItsTimePointUntilAReaderRejectsThere)
{
    const auto of = with_signature(written(), 1);
    EXPECT_EQ(open_after({said("before", "accepted"), signed_now("after")}, of), "");
    EXPECT_EQ(open_after({said("before", "accepted"), said("after", "rejected"), signed_now("after")}, of), "");
    EXPECT_EQ(open_after({said("before", "accepted"), signed_now("after"), said("after", "rejected")}, of), "after (rejected by R1)");
    EXPECT_THAT(outputs::standing_of(of, after_a_run({said("before", "accepted"), signed_now("after")})).readers, testing::ElementsAre("R1", "S"));
}

TEST(Standing, WhatAReaderEditedIsNeitherAcceptedNorOpen)
{
    auto of = written();
    of["timepoints"][1]["lesions"][0]["review_state"] = "edited";
    of["timepoints"][1]["lesions"][0]["reviewer"] = "R1";
    const auto standing = outputs::standing_of(of, after_a_run({said("before", "accepted")}));
    EXPECT_EQ(open_in(standing), "");
    EXPECT_EQ(standing.edited, 1U);
}

/// A page of the program's own kind.
std::string page_of(const std::string& band)
{
    outputs::Document document;
    document.title = "Tumour response, case P-1";
    document.band = band;
    document.aside = {outputs::Remarks{{{"unreviewed", "", "no reader has accepted every outline; check each against its picture."}}}};
    return outputs::html_of(document, {}).value();
}

std::size_t times(const std::string& text, const std::string& wanted)
{
    std::size_t n = 0;
    for (auto at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) ++n;
    return n;
}

TEST(PageWithStanding, SaysReviewedInBothBandsAndTheTitleAndKeepsTheUse)
{
    const auto as_written = page_of("UNREVIEWED - RESEARCH USE ONLY - SYNTHETIC");
    const auto page = outputs::page_with(as_written, outputs::standing_of(written(), after_a_run({said("before", "accepted"), said("after", "accepted", "R<2>", "2020-03-03T09:00:00Z")})));
    EXPECT_EQ(times(page, ">REVIEWED BY 2 READERS, 2020-03-03 - RESEARCH USE ONLY - SYNTHETIC</div>"), 2U);
    EXPECT_THAT(page, HasSubstr(" - REVIEWED BY 2 READERS, 2020-03-03 - RESEARCH USE ONLY - SYNTHETIC</title>"));
    EXPECT_EQ(times(page, ">UNREVIEWED"), 0U);
    EXPECT_THAT(page, HasSubstr("(R1, R&lt;2&gt;)"));
    EXPECT_EQ(times(page, "<li hidden>"), 1U) << "that nobody accepted is no longer true";
    EXPECT_EQ(outputs::page_as_written(page), as_written);
}

TEST(PageWithStanding, SaysHowManyAreOpenAndWhich)
{
    const auto as_written = page_of("UNREVIEWED - RESEARCH USE ONLY");
    const auto page = outputs::page_with(as_written, outputs::standing_of(written(), after_a_run({said("before", "accepted"), said("after", "rejected")})));
    EXPECT_EQ(times(page, ">UNREVIEWED, 1 OF 2 OPEN - RESEARCH USE ONLY</div>"), 2U);
    EXPECT_THAT(page, HasSubstr("after, lesion T1 (rejected by R1)"));
    EXPECT_EQ(times(page, "<li hidden>"), 0U);
    EXPECT_EQ(outputs::page_as_written(page), as_written);
    const auto later = outputs::page_with(outputs::page_as_written(page), outputs::standing_of(written(), after_a_run({said("before", "accepted"), said("after", "accepted")})));
    EXPECT_EQ(times(later, ">REVIEWED BY 1 READER, 2020-02-02 - RESEARCH USE ONLY</div>"), 2U);
    EXPECT_EQ(outputs::page_with(as_written, outputs::standing_of(written(), after_a_run({}))), as_written);
    auto edited = written();
    for (auto& timepoint : edited["timepoints"]) timepoint["lesions"][0].update({{"review_state", "edited"}, {"reviewer", "R1"}});
    EXPECT_THAT(outputs::page_with(page_of("EDITED - RESEARCH USE ONLY"), outputs::standing_of(edited, after_a_run({said("before", "accepted")}))), HasSubstr(">EDITED, 1 OF 2 NOT ACCEPTED - RESEARCH USE ONLY</div>"));
}

TEST(PageWithStanding, NamesNobodyWhereThePeopleAreHidden)
{
    auto of = written();
    of["deidentified"] = true;
    for (const char* state : {"accepted", "rejected", "edited"}) {
        const auto page = outputs::page_with(page_of("UNREVIEWED - RESEARCH USE ONLY"), outputs::standing_of(of, after_a_run({said("before", "accepted", "Doe^Jane"), said("after", state, "Doe^Jane")})));
        EXPECT_THAT(page, HasSubstr("1 reader"));
        EXPECT_THAT(page, Not(HasSubstr("Doe"))) << state;
    }
}

std::string text_of(const fs::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST(NoteReviews, BringTheWrittenPageUpAndTheAuditHoldsItToTheLog)
{
    const test::Scratch scratch;
    const auto sample = test::sample_case(scratch.path() / "ct", 8, 10);
    const auto out = scratch.path() / "out";
    ASSERT_TRUE(outputs::write_case(out, sample, {false, "retromass run", "2020-01-01T00:00:00Z"}).ok());
    const auto as_written = text_of(out / "report.html");
    EXPECT_THAT(as_written, HasSubstr(">UNREVIEWED - RESEARCH USE ONLY - SYNTHETIC</div>"));
    std::vector<outputs::Review> all;
    for (const auto& timepoint : sample.timepoints) {
        for (const auto& one : timepoint.lesions) {
            if (one.status == response::LesionStatus::measured) all.push_back({"2020-02-02T00:00:00Z", timepoint.id, one.lesion, "accepted", "R1"});
        }
    }
    ASSERT_GT(all.size(), 1U);
    const auto lock = outputs::ResultLock::take(out, "view", "2020-02-02T00:00:00Z", "R1");
    ASSERT_TRUE(lock.ok());
    ASSERT_TRUE(outputs::note_reviews(*lock, all).ok());
    const auto page = text_of(out / "report.html");
    EXPECT_EQ(times(page, ">REVIEWED BY 1 READER, 2020-02-02 - RESEARCH USE ONLY - SYNTHETIC</div>"), 2U);
    EXPECT_EQ(times(page, "<li hidden>"), 1U);
    EXPECT_EQ(outputs::page_as_written(page), as_written);
    EXPECT_THAT(outputs::audit_case(out).value().faults, testing::IsEmpty());

    for (const auto& forged : {as_written + " ", page + " ", outputs::page_with(as_written, Standing{1, {}, 0, {"R9"}, "2020-09-09", true, true})}) {
        std::ofstream(out / "report.html", std::ios::binary) << forged;
        EXPECT_THAT(outputs::audit_case(out).value().faults, testing::ElementsAre(HasSubstr("report.html")));
    }
    std::ofstream(out / "report.html", std::ios::binary) << page;
    ASSERT_TRUE(outputs::note_reviews(*lock, {{"2020-03-03T00:00:00Z", all[0].timepoint, all[0].lesion, "rejected", "R2"}}).ok());
    EXPECT_THAT(text_of(out / "report.html"), HasSubstr(">UNREVIEWED, 1 OF " + std::to_string(all.size()) + " OPEN - RESEARCH USE ONLY - SYNTHETIC</div>"));
    EXPECT_THAT(outputs::audit_case(out).value().faults, testing::IsEmpty());
}

}  // namespace
}  // namespace retromass
