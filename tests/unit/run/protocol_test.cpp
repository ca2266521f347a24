#include "pipeline/run/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/run/protocol_limits.h"
#include "tests/support/scratch.h"

namespace retromass::run {
namespace {

using testing::HasSubstr;

constexpr const char* kProtocol = R"(
protocol: TRIAL-1
version: 1
readers: [R1, R2]
response: {primary: recist-1.1, policies: {confirmation: required, sd_min_days: 49}}
recorded_precision_mm: 1
)";

constexpr const char* kCase = R"(
case: P-1
protocol: protocol.yaml
timepoints: [{id: first, reader: R1}]
lesions: [{id: T1}]
)";

std::string with(const std::string& text, const std::string& what, const std::string& instead)
{
    auto out = text;
    const auto found = out.find(what);
    EXPECT_NE(found, std::string::npos) << what;
    return out.replace(found, what.size(), instead);
}

Result<Protocol> read(const std::string& text)
{
    const test::Scratch scratch;
    return read_protocol(scratch.write("protocol.yaml", text));
}

std::string refusal_of(const std::string& text)
{
    const auto protocol = read(text);
    return protocol ? "accepted" : protocol.error().message;
}

/// A result folder as far as its lock goes: case.json with the settings of a protocol.
std::filesystem::path result_under(const test::Scratch& scratch, const Protocol& protocol)
{
    std::string settings;
    for (const auto& [name, value] : settings_of(protocol)) settings += (settings.empty() ? "" : ",") + ("{\"name\":\"" + name + "\",\"value\":\"" + value + "\"}");
    scratch.write("case.json", "{\"settings\":[" + settings + "]}");
    return scratch.path();
}

}  // namespace

TEST(Protocol, ItsRulesAreThoseOfTheCaseThatNamesIt)
{
    const test::Scratch scratch;
    scratch.write("protocol.yaml", kProtocol);
    const auto file = read_case(scratch.write("case.yaml", kCase));
    ASSERT_TRUE(file.ok()) << file.error().message;
    EXPECT_EQ(file->policies.at("confirmation"), "required");
    EXPECT_EQ(file->policies.at("sd_min_days"), "49");
    EXPECT_EQ(file->recorded_precision_mm, 1);
    ASSERT_TRUE(file->protocol.has_value());
    EXPECT_EQ(file->protocol->sha256.size(), 64u);
}

TEST(Protocol, ACaseThatNamesItStatesNoRulesOfItsOwnAndNoOtherReader)
{
    const test::Scratch scratch;
    scratch.write("protocol.yaml", kProtocol);
    const auto own = read_case(scratch.write("own.yaml", std::string(kCase) + "response: {policies: {confirmation: none}}\n"));
    ASSERT_FALSE(own.ok());
    EXPECT_THAT(own.error().message, HasSubstr("states response"));
    const auto other = read_case(scratch.write("other.yaml", with(kCase, "reader: R1", "reader: R3")));
    ASSERT_FALSE(other.ok());
    EXPECT_THAT(other.error().message, HasSubstr("reader 'R3' is not a reader of protocol TRIAL-1"));
}

TEST(Protocol, AFaultNamesLineFoundExpectedAndTheNearestWord)
{
    EXPECT_THAT(refusal_of(with(kProtocol, "readers", "raeders")), testing::AllOf(HasSubstr("line 4"), HasSubstr("'raeders'"), HasSubstr("'readers'")));
    EXPECT_THAT(refusal_of(with(kProtocol, "sd_min_days", "sd_min_day")), testing::AllOf(HasSubstr("line 5"), HasSubstr("'sd_min_days'")));
    EXPECT_THAT(refusal_of(with(kProtocol, "version: 1", "version: one")), testing::AllOf(HasSubstr("line 3"), HasSubstr("whole number"), HasSubstr("'one'")));
    EXPECT_THAT(refusal_of(with(kProtocol, "version: 1\n", "")), HasSubstr("needs 'version'"));
    EXPECT_THAT(refusal_of(with(kProtocol, "recorded_precision_mm: 1", "recorded_precision_mm: 0.5")), testing::AllOf(HasSubstr("line 6"), HasSubstr("0.1 or 1"), HasSubstr("'0.5'")));
}

TEST(Protocol, TheHashIsOfWhatItSaysNotOfHowItIsWritten)
{
    const auto plain = read(kProtocol);
    // Another order, a comment, and a default spelled out (confirmation_min_days is 28 by the table of policies): the same rules.
    const auto other = read("# the same\nrecorded_precision_mm: 1\nresponse: {policies: {sd_min_days: 49, confirmation_min_days: 28, confirmation: required}}\nreaders: [R2, R1]\nversion: 1\nprotocol: TRIAL-1\n");
    const auto changed = read(with(kProtocol, "49", "42"));
    ASSERT_TRUE(plain.ok() && other.ok() && changed.ok());
    EXPECT_EQ(plain->sha256, other->sha256);
    EXPECT_NE(plain->sha256, changed->sha256);
}

TEST(Protocol, SaysWhatAStudyHasToBe)
{
    const auto protocol = read(std::string(kProtocol) + R"(evaluator: INDEPENDENT ASSESSOR
acquisition: {slice_thickness_max_mm: 5, phases: [portal-venous], kernel: soft, kvp: [100, 140], coverage_min_mm: 300, lossy: refused}
visits:
  - {name: BASELINE, from_day: -28, to_day: 0}
  - {name: WEEK 8, from_day: 49, to_day: 63}
)");
    ASSERT_TRUE(protocol.ok()) << protocol.error().message;
    EXPECT_EQ(protocol->evaluator, "INDEPENDENT ASSESSOR");
    EXPECT_EQ(protocol->acquisition.slice_thickness_max_mm, 5);
    EXPECT_EQ(protocol->acquisition.phases, std::vector<std::string>{"portal-venous"});
    ASSERT_NE(visit_on(*protocol, 49), nullptr);
    EXPECT_EQ(visit_on(*protocol, 49)->name, "WEEK 8");
    EXPECT_EQ(visit_on(*protocol, 0)->name, "BASELINE");
    EXPECT_EQ(visit_on(*protocol, 1), nullptr);
    EXPECT_EQ(visit_on(*protocol, 64), nullptr);
    const auto plain = read(kProtocol);
    ASSERT_TRUE(plain.ok());
    EXPECT_NE(protocol->sha256, plain->sha256) << "limits are rules";
}

TEST(Protocol, DaysOfVisitsCountFromTheOneLineOfTreatmentOrNotAtAll)
{
    auto protocol = read(std::string(kProtocol) + "visits: [{name: WEEK 8, from_day: 49, to_day: 63}]\n");
    ASSERT_TRUE(protocol.ok()) << protocol.error().message;
    CaseFile file;
    file.protocol = *protocol;
    const auto named = [&] {
        outputs::CaseResult result;
        result.timepoints.resize(1);
        result.timepoints[0].id = "second";
        result.timepoints[0].date = *parse_date("2020-03-06");  // 56 days after the trial's first dose
        note_outside(result, file);
        return std::pair{result.timepoints[0].visit, result.timepoints[0].notices};
    };
    response::Treatment trial{.kind = "systemic", .line = 2, .start = *parse_date("2020-01-10")};
    file.treatments = {trial};
    EXPECT_EQ(named().first, "WEEK 8");
    EXPECT_TRUE(named().second.empty());
    // With an earlier line in the file, day 0 would be two years too early; which line is the trial's nobody said.
    file.treatments.insert(file.treatments.begin(), response::Treatment{.kind = "systemic", .line = 1, .start = *parse_date("2018-01-10")});
    const auto [visit, notices] = named();
    EXPECT_EQ(visit, "");
    ASSERT_EQ(notices.size(), 1U);
    EXPECT_EQ(notices[0].code, Code::outside_protocol);
    EXPECT_THAT(notices[0].text, testing::AllOf(HasSubstr("the visit window was not checked"), HasSubstr("2 lines of treatment")));
}

TEST(Protocol, EveryLimitIsHeldToAndWhatIsNotStatedDoesNotMeetIt)
{
    const auto protocol = read(std::string(kProtocol) + "acquisition: {slice_thickness_max_mm: 5, slice_spacing_max_mm: 4, pixel_max_mm: 0.9, coverage_min_mm: 300, phases: [portal-venous, arterial], kernel: soft, kvp: [100, 140], lossy: refused}\n");
    ASSERT_TRUE(protocol.ok()) << protocol.error().message;
    ScannedAs fits{5, 4, 0.9, 300, "arterial", "soft", 140, false};
    const auto missed = [&](const ScannedAs& found) {
        std::string out;
        for (const auto& check : limit_checks(protocol->acquisition, found)) {
            if (!check.met) out += check.what + "|" + check.expected + "|" + check.found + ";";
        }
        return out;
    };
    EXPECT_EQ(limit_checks(protocol->acquisition, fits).size(), 8U);
    EXPECT_EQ(missed(fits), "") << "each lies exactly on its limit";
    EXPECT_EQ(missed({5.01, 4.01, 0.91, 299.99, "delayed", "sharp", 141, true}),
              "slice thickness|at most 5.00 mm|5.01 mm;largest slice distance|at most 4.00 mm|4.01 mm;pixel size|at most 0.90 mm|0.91 mm;scanned length|at least 300.00 mm|299.99 mm;"
              "contrast phase|arterial or portal-venous|delayed;reconstruction kernel|soft|sharp;tube voltage|100 to 140 kV|141 kV;compression|none with loss|with loss;");
    const auto silent = limit_checks(protocol->acquisition, {});
    EXPECT_TRUE(std::none_of(silent.begin(), silent.end(), [](const auto& check) { return check.met || !check.found.empty(); }));
    EXPECT_TRUE(limit_checks({}, fits).empty()) << "nothing is asked";
}

TEST(Protocol, ATimePointOutsideItsWindowOrLimitsSaysSoAndItsDecisionToo)
{
    auto protocol = read(std::string(kProtocol) + "acquisition: {slice_thickness_max_mm: 5}\nvisits: [{name: WEEK 8, from_day: 49, to_day: 63}]\n");
    ASSERT_TRUE(protocol.ok()) << protocol.error().message;
    response::Patient patient;
    patient.treatments = {response::Treatment{.kind = "systemic", .line = 1, .start = *parse_date("2020-01-10")}};
    patient.timepoints.resize(2);
    patient.timepoints[0].id = "good";
    patient.timepoints[0].date = parse_date("2020-02-28");  // day 49, the first of the window
    patient.timepoints[0].study.slice_thickness_mm = 5;
    patient.timepoints[1].id = "bad";
    patient.timepoints[1].date = parse_date("2020-03-14");  // day 64, the first after it
    patient.timepoints[1].visit = "WEEK 8";
    patient.timepoints[1].study.slice_thickness_mm = 7;
    const auto outside = notices_outside(*protocol, patient);
    EXPECT_EQ(patient.timepoints[0].visit, "WEEK 8");
    EXPECT_TRUE(outside[0].empty());
    ASSERT_EQ(outside[1].size(), 2U);
    EXPECT_EQ(outside[1][0].text, "slice thickness 7.00 mm, protocol TRIAL-1 asks for at most 5.00 mm");
    EXPECT_EQ(outside[1][1].text, "day 64 of treatment lies in no visit window of protocol TRIAL-1; the time point is visit WEEK 8");
    response::Assessment assessment;
    assessment.primary = "who";
    assessment.recist.resize(1);
    assessment.recist[0].timepoint = "bad";
    assessment.criteria.resize(2);
    assessment.criteria[0].criterion = "who";
    assessment.criteria[1].criterion = "choi";
    for (auto& period : assessment.criteria) period.timepoints.resize(1);
    for (auto& period : assessment.criteria) period.timepoints[0].timepoint = "bad";
    add_outside(assessment, "bad", outside[1]);
    EXPECT_EQ(assessment.recist[0].overall.notices.size(), 2U);
    EXPECT_EQ(assessment.criteria[0].timepoints[0].decision.notices.size(), 2U) << "beside the primary criterion";
    EXPECT_TRUE(assessment.criteria[1].timepoints[0].decision.notices.empty());
}

TEST(Protocol, ItsSeriesRuleIsAListOfKnownWordsAndARuleOfItsHash)
{
    const auto plain = read(kProtocol);
    const auto one = read(std::string(kProtocol) + "series: [portal-venous, soft, thinnest]\n");
    const auto other = read(std::string(kProtocol) + "series: [soft, portal-venous, thinnest]\n");
    ASSERT_TRUE(plain.ok() && one.ok() && other.ok());
    EXPECT_EQ(one->series, (std::vector<std::string>{"portal-venous", "soft", "thinnest"}));
    EXPECT_NE(one->sha256, plain->sha256);
    EXPECT_NE(one->sha256, other->sha256) << "the order is the rule";
    EXPECT_THAT(refusal_of(std::string(kProtocol) + "series: [portal-venous, thinest]\n"), testing::AllOf(HasSubstr("line 7"), HasSubstr("'thinest'"), HasSubstr("did you mean 'thinnest'")));
    EXPECT_THAT(refusal_of(std::string(kProtocol) + "series: [soft, soft]\n"), HasSubstr("stands twice"));
    EXPECT_THAT(refusal_of(std::string(kProtocol) + "series: soft\n"), HasSubstr("a list of words"));
}

TEST(Protocol, OneVersionIsOneSetOfRulesWhereverItIsSeen)
{
    const SeenProtocol a{"TRIAL-1 version 1, SHA-256 aa", "results/P-1"};
    EXPECT_TRUE(check_versions({a, {a.name, "results/P-2"}, {"", "results/P-3"}, {"TRIAL-1 version 2, SHA-256 bb", "results/P-4"}, {"TRIAL-2 version 1, SHA-256 cc", "results/P-5"}}).ok());
    const auto refused = check_versions({a, {a.name, "results/P-2"}, {a.name, "results/P-3"}, {"TRIAL-1 version 1, SHA-256 bb", "results/P-4"}});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Code::output_exists);
    EXPECT_THAT(refused.error().message, testing::AllOf(HasSubstr("TRIAL-1 version 1 stands for 2 sets of rules"), HasSubstr("SHA-256 aa in results/P-1 and 2 more"), HasSubstr("SHA-256 bb in results/P-4"), HasSubstr("higher version")));
    const auto named = read(kProtocol);
    ASSERT_TRUE(named.ok());
    const test::Scratch scratch;
    EXPECT_EQ(protocol_in(scratch.path()), "");
    EXPECT_EQ(protocol_in(result_under(scratch, *named)), name_of(*named));
}

TEST(Protocol, AFaultOfALimitOrAVisitNamesItsLine)
{
    EXPECT_THAT(refusal_of(std::string(kProtocol) + "acquisition: {phases: portal-venus}\n"), testing::AllOf(HasSubstr("line 7"), HasSubstr("'portal-venus'"), HasSubstr("did you mean 'portal-venous'")));
    EXPECT_THAT(refusal_of(std::string(kProtocol) + "acquisition: {slice_max_mm: 5}\n"), testing::AllOf(HasSubstr("'slice_max_mm'"), HasSubstr("did you mean")));
    EXPECT_THAT(refusal_of(std::string(kProtocol) + "acquisition: {slice_thickness_max_mm: -1}\n"), HasSubstr("above 0"));
    EXPECT_THAT(refusal_of(std::string(kProtocol) + "visits: [{name: A, from_day: 0, to_day: 5}, {name: B, from_day: 5, to_day: 9}]\n"), HasSubstr("before that of 'A' has ended"));
    EXPECT_THAT(refusal_of(std::string(kProtocol) + "visits: [{name: A, from_day: 0}]\n"), HasSubstr("needs 'to_day'"));
}

TEST(Protocol, AResultIsLockedToItUntilTheVersionRises)
{
    const auto first = read(kProtocol);
    const auto changed = read(with(kProtocol, "49", "42"));
    const auto risen = read(with(with(kProtocol, "49", "42"), "version: 1", "version: 2"));
    const auto another = read(with(kProtocol, "TRIAL-1", "TRIAL-2"));
    ASSERT_TRUE(first.ok() && changed.ok() && risen.ok() && another.ok());
    const test::Scratch scratch;  // after the reads above, which take and remove the same folder
    EXPECT_TRUE(check_lock(scratch.path(), *changed).ok()) << "no result yet";
    const auto result = result_under(scratch, *first);
    EXPECT_TRUE(check_lock(result, *first).ok());
    const auto refused = check_lock(result, *changed);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, testing::AllOf(HasSubstr("policy sd_min_days was 49, is 42"), HasSubstr("higher version")));
    EXPECT_TRUE(check_lock(result, *risen).ok());
    EXPECT_FALSE(check_lock(result, *another).ok());
    EXPECT_FALSE(check_lock(result, std::nullopt).ok()) << "the lock is not taken off by leaving the protocol out";
    const auto later = result_under(scratch, *risen);
    EXPECT_FALSE(check_lock(later, *first).ok()) << "an older version";
}

TEST(Protocol, PoliciesOfTheCommandLineCannotChangeIt)
{
    const test::Scratch scratch;
    scratch.write("protocol.yaml", kProtocol);
    const auto file = read_case(scratch.write("case.yaml", kCase));
    ASSERT_TRUE(file.ok()) << file.error().message;
    RunParameters parameters;
    EXPECT_TRUE(under_protocol(*file, scratch.path() / "out", parameters).ok());
    parameters.policies["confirmation"] = "none";
    EXPECT_FALSE(under_protocol(*file, scratch.path() / "out", parameters).ok());
    parameters.policies.clear();
    parameters.assume_no_new_lesions = true;
    EXPECT_FALSE(under_protocol(*file, scratch.path() / "out", parameters).ok());
}

}  // namespace retromass::run
