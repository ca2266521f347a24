#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/trial/trial.h"

namespace retromass::trial {
namespace {

using testing::HasSubstr;

run::Protocol protocol()
{
    run::Protocol out;
    out.id = "TRIAL-1";
    out.acquisition.slice_thickness_max_mm = 5;
    out.acquisition.phases = {"portal-venous"};
    out.acquisition.kernel = "soft";
    out.acquisition.kvp = {100, 140};
    out.acquisition.coverage_min_mm = 100;
    out.acquisition.lossy = "refused";
    out.visits = {{"BASELINE", -28, 0}, {"WEEK 8", 49, 63}, {"WEEK 16", 105, 119}};
    return out;
}

/// A study that keeps every rule of the protocol above.
ingest::SeriesCandidate series(const std::string& study, const std::string& date)
{
    ingest::SeriesCandidate out;
    out.facts.study_instance_uid = study;
    out.facts.series_instance_uid = study + ".1";
    out.facts.series_number = 2;
    out.facts.study_date = parse_date(date);
    out.facts.slice_thickness_mm = 2.5;
    out.facts.contrast_phase = "portal-venous";
    out.facts.kernel = "B30f";
    out.facts.kvp = 120;
    out.facts.patient.id = 7;
    out.geometry = VolumeGeometry::axial({64, 64, 81}, 0.8, 0.8, 2.5);
    out.eligible = true;
    return out;
}

QcParameters started(const char* date)
{
    QcParameters out;
    out.start = parse_date(date);
    return out;
}

Qc checked(std::vector<ingest::SeriesCandidate> all, const QcParameters& parameters = started("2020-01-10"), const run::Protocol& rules = protocol())
{
    ingest::Scan scan;
    scan.series = std::move(all);
    const auto out = check_studies(scan, rules, parameters);
    EXPECT_TRUE(out.ok());
    return out.ok() ? *out : Qc{};
}

/// The texts of all that did not pass.
std::string open_points(const Qc& qc)
{
    std::string out;
    const auto add = [&](const auto& checks) {
        for (const auto& check : checks) {
            if (check.verdict != Verdict::pass) out += std::string(name(check.verdict)) + ": " + check.text + "\n";
        }
    };
    for (const auto& study : qc.studies) add(study.checks);
    add(qc.patient);
    return out;
}

}  // namespace

TEST(Qc, StudiesThatKeepTheProtocolPassInEveryPoint)
{
    const auto qc = checked({series("1.1", "2020-01-01"), series("1.2", "2020-03-06")});  // 9 days before, 56 days after the start
    EXPECT_EQ(open_points(qc), "");
    EXPECT_EQ(qc.queries + qc.not_checked, 0u);
    ASSERT_EQ(qc.studies.size(), 2u);
    EXPECT_EQ(qc.studies[0].visit, "BASELINE");
    EXPECT_EQ(qc.studies[1].visit, "WEEK 8");
    EXPECT_EQ(qc.studies[1].day, 56);
    EXPECT_GE(qc.studies[1].checks.size(), 8u) << "one line for each point: date, series and six of acquisition";
}

TEST(Qc, EachPointThatIsNotKeptIsOneQueryWithBothValues)
{
    const auto with = [](auto change) {
        auto changed = series("1.2", "2020-03-06");
        change(changed);
        return open_points(checked({series("1.1", "2020-01-01"), changed}));
    };
    EXPECT_THAT(with([](auto& s) { s.facts.slice_thickness_mm = 7.5; }), testing::StartsWith("query: Slice thickness is 7.50 mm; protocol TRIAL-1 asks for at most 5.00 mm. Please"));
    EXPECT_THAT(with([](auto& s) { s.facts.slice_thickness_mm.reset(); }), HasSubstr("Slice thickness is not stated in the images"));
    EXPECT_THAT(with([](auto& s) { s.facts.contrast_phase = "arterial"; }), HasSubstr("Contrast phase is arterial; protocol TRIAL-1 asks for portal-venous"));
    EXPECT_THAT(with([](auto& s) { s.facts.contrast_phase.clear(); }), HasSubstr("Please state the phase"));
    EXPECT_THAT(with([](auto& s) { s.facts.kernel = "B70f"; }), HasSubstr("Reconstruction kernel is sharp; protocol TRIAL-1 asks for soft"));
    EXPECT_THAT(with([](auto& s) { s.facts.kvp = 80; }), HasSubstr("Tube voltage is 80 kV"));
    EXPECT_THAT(with([](auto& s) { s.geometry = VolumeGeometry::axial({64, 64, 31}, 0.8, 0.8, 2.5); }), HasSubstr("Scanned length is 75.00 mm; protocol TRIAL-1 asks for at least 100.00 mm"));
    EXPECT_THAT(with([](auto& s) { s.notices.push_back({Code::lossy, ""}); }), HasSubstr("Compression is with loss"));
    EXPECT_THAT(with([](auto& s) { s.facts.study_date = parse_date("2020-03-20"); }), HasSubstr("day 70, in the window of no visit"));
    EXPECT_THAT(with([](auto& s) { s.facts.study_date = parse_date("2020-03-20"); }), HasSubstr("7 days late"));
    EXPECT_THAT(with([](auto& s) { s.facts.study_date.reset(); }), HasSubstr("Date is not stated"));
    EXPECT_THAT(with([](auto& s) { s.facts.patient.id = 8; }), HasSubstr("patient ID in the studies of 2020-01-01 and of 2020-03-06 contradict"));
    EXPECT_THAT(with([](auto& s) { s.notices.push_back({Code::slices_apart, ""}); }), HasSubstr("whether every image of the series was sent"));
}

TEST(Qc, TheSeriesRuleSaysWhichSeriesIsLookedAt)
{
    auto thin = series("1.1", "2020-01-01");
    thin.facts.series_instance_uid = "1.1.2";
    thin.facts.series_number = 3;
    thin.facts.slice_thickness_mm = 1;
    thin.geometry = VolumeGeometry::axial({64, 64, 201}, 0.8, 0.8, 1);
    auto rules = protocol();
    const auto looked_at = [&] { return checked({series("1.1", "2020-01-01"), thin}, started("2020-01-10"), rules).studies.at(0); };
    EXPECT_EQ(looked_at().series_instance_uid, "1.1.1") << "2.5 mm: the program's own ranking";
    rules.series = {"portal-venous", "thinnest"};
    const auto study = looked_at();
    EXPECT_EQ(study.series_instance_uid, "1.1.2");
    const auto found = std::find_if(study.checks.begin(), study.checks.end(), [](const auto& check) { return check.what == "series rule"; });
    ASSERT_NE(found, study.checks.end());
    EXPECT_EQ(found->text, "series rule series 3: portal-venous, 1.00 mm (chosen of 2 by portal-venous, thinnest)");
}

TEST(Qc, ASeriesWithAGapIsAskedForAgain)
{
    auto broken = series("1.2", "2020-03-06");
    broken.eligible = false;
    broken.why_not_eligible = "slices are missing: 1 after slice 11 at 20.00 mm (gap 5.00 mm, expected 2.50 mm); send the series again, or say --accept missing-slices";
    broken.refused = Error{Code::missing_slices, "series 1.2.1: " + broken.why_not_eligible, "ingest"};
    const auto text = open_points(checked({series("1.1", "2020-01-01"), broken}));
    EXPECT_THAT(text, HasSubstr("1 after slice 11"));
    EXPECT_THAT(text, testing::Not(HasSubstr("--accept"))) << "a site has no command line";
}

TEST(Qc, TheBaselineWindowAndAMissedVisitAreLookedAt)
{
    EXPECT_THAT(open_points(checked({series("1.1", "2019-12-01")})), HasSubstr("40 days older"));
    EXPECT_THAT(open_points(checked({series("1.1", "2020-03-06")})), HasSubstr("No study on or before the start of treatment on 2020-01-10"));
    EXPECT_THAT(open_points(checked({series("1.1", "2020-01-01"), series("1.2", "2020-05-01")})), HasSubstr("No study of visit WEEK 8"));
}

TEST(Qc, WhatCouldNotBeJudgedHasNotPassed)
{
    const auto qc = checked({series("1.1", "2020-01-01")}, {});
    EXPECT_THAT(open_points(qc), HasSubstr("not-checked: visit window was not checked: the start of treatment is not stated"));
    EXPECT_EQ(qc.queries, 0u);
    EXPECT_EQ(qc.not_checked, 2u) << "visit window and baseline window";
    EXPECT_FALSE(check_studies({}, protocol()).ok());
}

TEST(Qc, NothingTypedIntoAHeaderAndNoPathStandsInAText)
{
    auto named = series("1.1", "2020-01-01");
    named.facts.study_description = named.facts.series_description = "DOE JANE";
    named.facts.manufacturer = "DOE JANE";
    named.facts.kernel = "DOE JANE";
    named.facts.contrast_agent = "DOE JANE";
    ingest::Scan scan;
    scan.series = {named};
    scan.excluded.push_back({"/incoming/DOE JANE/1.dcm", Code::malformed, "/incoming/DOE JANE/1.dcm is malformed", ""});
    const auto qc = check_studies(scan, protocol(), started("2020-01-10"));
    ASSERT_TRUE(qc.ok());
    std::string all = open_points(*qc);
    for (const auto& check : qc->studies[0].checks) all += check.text + check.found + check.expected;
    EXPECT_THAT(all, testing::Not(HasSubstr("DOE")));
    EXPECT_THAT(all, HasSubstr("1 file could not be used (malformed)"));
}

}  // namespace retromass::trial
