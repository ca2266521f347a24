#include <algorithm>

#include "measurement/response/best_response.h"
#include "measurement/response/growth.h"
#include "measurement/response/recist.h"
#include "tests/unit/response/vectors.h"

// Every row of the published vectors under its stated policy. A failing row is named by its id.

namespace retromass::response {
namespace {

using test::cell;
using test::length;
using test::parts_of;
using test::Row;

Category category(const std::string& text)
{
    const auto parsed = category_named(text);
    EXPECT_TRUE(parsed.has_value()) << "not a category: " << text;
    return parsed.value_or(Category::none);
}

Date date(const std::string& text)
{
    const auto parsed = parse_date(text);
    EXPECT_TRUE(parsed.has_value()) << "not a date: " << text;
    return parsed.value_or(Date{});
}

std::optional<Date> maybe_date(const std::string& text) { return text.empty() ? std::nullopt : std::optional<Date>(date(text)); }

std::vector<DatedResponse> series_of(const std::string& text)
{
    std::vector<DatedResponse> out;
    for (const auto& item : parts_of(text, '|')) {
        const auto parts = parts_of(item, ':');
        EXPECT_EQ(parts.size(), 2u) << item;
        if (parts.size() == 2) out.push_back({date(parts[0]), category(parts[1])});
    }
    return out;
}

TEST(ResponseVectors, TheFolderHoldsVectors)
{
    RETROMASS_NEEDS_VECTORS();
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(test::vectors_folder())) files += entry.path().extension() == ".csv";
    EXPECT_GT(files, 0u) << test::vectors_folder() << " holds no vector file";
}

TEST(ResponseVectors, MeasurabilityHoldsOnEveryRow)
{
    RETROMASS_VECTOR_ROWS(rows, "measurability.csv");
    for (const auto& row : rows) {
        SCOPED_TRACE(cell(row, "id"));
        auto facts = disease_named(cell(row, "kind"));
        const auto imaging = imaging_named(cell(row, "modality"));
        EXPECT_TRUE(facts && imaging) << "not known: " << cell(row, "kind") << ' ' << cell(row, "modality");
        if (!facts || !imaging) continue;
        facts->imaging = *imaging;
        facts->long_axis = length(cell(row, "long_axis_mm"));
        facts->short_axis = length(cell(row, "short_axis_mm"));
        if (!cell(row, "slice_mm").empty()) facts->slice = length(cell(row, "slice_mm"));
        EXPECT_EQ(name(measurability(*facts)), cell(row, "expected"));
    }
}

TEST(ResponseVectors, BaselineSelectionHoldsOnEveryRow)
{
    RETROMASS_VECTOR_ROWS(rows, "baseline_selection.csv");
    for (const auto& row : rows) {
        SCOPED_TRACE(cell(row, "id"));
        std::vector<Candidate> candidates;
        for (const auto& text : parts_of(cell(row, "candidates"), ',')) {
            const auto parts = parts_of(text, ':');
            ASSERT_EQ(parts.size(), 4u) << text;
            const auto facts = disease_named(parts[2]);
            ASSERT_TRUE(facts) << text;
            candidates.push_back({parts[0], parts[1], facts->kind, length(parts[3])});
        }
        std::vector<std::string> chosen;
        Length sum{};
        for (const auto& target : baseline_targets(candidates)) {
            chosen.push_back(target.id);
            sum = sum + target.size;
        }
        auto expected = parts_of(cell(row, "expected_targets"), ',');
        std::sort(chosen.begin(), chosen.end());
        std::sort(expected.begin(), expected.end());
        EXPECT_EQ(chosen, expected);
        EXPECT_EQ(sum, length(cell(row, "expected_sum_mm")));
    }
}

TEST(ResponseVectors, TargetSumsHoldOnEveryRowPerTimePointAndCarriedForward)
{
    RETROMASS_VECTOR_ROWS(rows, "target_sums.csv");
    for (const auto& row : rows) {
        SCOPED_TRACE(cell(row, "id"));
        const TargetSums sums{length(cell(row, "baseline_sum_mm")), length(cell(row, "nadir_sum_mm")), length(cell(row, "current_sum_mm")), cell(row, "prior_pr") == "1"};
        EXPECT_EQ(name(target_from_sums(sums, PrPersistence::per_timepoint)), cell(row, "expected_per_timepoint"));
        EXPECT_EQ(name(target_from_sums(sums, PrPersistence::carry_forward)), cell(row, "expected_carry_forward"));
    }
}

/// A token of the vectors as the observation assess() would be given.
TargetReading reading_of(const std::string& id, bool nodal, const std::string& token)
{
    Observation observation;
    observation.lesion = id;
    if (token == "ABS") {
        observation.status = LesionStatus::absent;
    } else if (token == "TSTM") {
        observation.status = LesionStatus::too_small;
    } else if (token.starts_with("=")) {
        observation.status = LesionStatus::merged;
        observation.merged_into = token.substr(1);
    } else if (token != "NE") {
        observation.status = LesionStatus::measured;
        for (const auto& part : parts_of(token, '+')) observation.fragments.push_back(length(part));
        (nodal ? observation.short_axis : observation.long_axis) = observation.fragments.front();
        observation.fragments.erase(observation.fragments.begin());
    }
    return target_reading({id, Role::target, "", "", nodal}, &observation);
}

std::string joined(const std::vector<std::string>& parts)
{
    std::string out;
    for (const auto& part : parts) out.append(out.empty() ? "" : "|").append(part);
    return out;
}

TEST(ResponseVectors, TargetLesionsHoldOnEveryRow)
{
    RETROMASS_VECTOR_ROWS(rows, "target_lesions.csv");
    for (const auto& row : rows) {
        SCOPED_TRACE(cell(row, "id"));
        std::map<std::string, bool> nodal;
        TargetHistory history;
        for (const auto& text : parts_of(cell(row, "baseline_lesions"), ',')) {
            const auto parts = parts_of(text, ':');
            ASSERT_EQ(parts.size(), 3u) << text;
            nodal[parts[0]] = parts[1] == "nodal";
            history.baseline = history.baseline + length(parts[2]);
        }
        history.nadir = history.baseline;
        std::vector<std::string> sums;
        std::vector<std::string> responses;
        for (const auto& followup : parts_of(cell(row, "followups"), '|')) {
            std::vector<TargetReading> readings;
            for (const auto& text : parts_of(followup, ',')) {
                const auto parts = parts_of(text, ':');
                ASSERT_EQ(parts.size(), 2u) << text;
                readings.push_back(reading_of(parts[0], nodal.at(parts[0]), parts[1]));
            }
            const auto outcome = target_response(readings, history, PrPersistence::per_timepoint);
            sums.push_back(outcome.sum ? outcome.sum->text() : "NE");
            responses.emplace_back(name(outcome.category));
            if (outcome.sum) history.nadir = std::min(history.nadir, *outcome.sum);
            history.overall_cr = history.overall_cr || outcome.category == Category::cr;  // only target disease exists
        }
        std::vector<std::string> expected_sums;
        for (const auto& sum : parts_of(cell(row, "expected_sums_mm"), '|')) expected_sums.push_back(sum == "NE" ? sum : length(sum).text());
        EXPECT_EQ(joined(sums), joined(expected_sums));
        EXPECT_EQ(joined(responses), cell(row, "expected_target_response"));
    }
}

TEST(ResponseVectors, OverallResponseHoldsOnEveryRow)
{
    RETROMASS_VECTOR_ROWS(rows, "tp_overall.csv");
    const std::map<std::string, NewLesions> statements{{"NO", NewLesions::none}, {"YES", NewLesions::unequivocal}, {"EQUIVOCAL", NewLesions::equivocal}};
    for (const auto& row : rows) {
        SCOPED_TRACE(cell(row, "id"));
        const auto outcome = overall_response(category(cell(row, "target")), category(cell(row, "nontarget")), statements.at(cell(row, "new_lesion")));
        EXPECT_EQ(name(outcome.category), cell(row, "expected"));
    }
}

BestResponseRules rules_of(const Row& row, CrThenLess cr_then_less)
{
    BestResponseRules rules;
    rules.confirm = cell(row, "confirm") == "Y";
    rules.sd_min_days = std::stol(cell(row, "sd_min_days"));
    rules.confirm_min_days = std::stol(cell(row, "confirm_min_days"));
    rules.max_ne = std::stol(cell(row, "max_ne"));
    rules.accept_sd = std::stol(cell(row, "accept_sd"));
    rules.cr_then_less = cr_then_less;
    // The suite prints MISSING unless the row's note states the other setting.
    rules.without_assessment = cell(row, "notes").find("missing counted as NE") == std::string::npos ? Category::missing : Category::ne;
    return rules;
}

TEST(ResponseVectors, BestOverallResponseHoldsOnEveryRow)
{
    RETROMASS_VECTOR_ROWS(rows, "bor.csv");
    using enum CrThenLess;
    // COMMON rows hold under the primary source and under admiralonco alike.
    const std::map<std::string, std::vector<CrThenLess>> policies{{"COMMON", {recist_table_3, admiralonco}},
                                                                  {"ADMIRALONCO", {admiralonco}},
                                                                  {"RECIST_T3", {recist_table_3}},
                                                                  {"RECIST_T3_CR_REREAD_AS_PR", {reread_as_pr}},
                                                                  {"ADMIRALONCO_NO_PD_CUT", {recist_table_3, admiralonco}}};
    for (const auto& row : rows) {
        const auto policy = policies.find(cell(row, "policy"));
        EXPECT_NE(policy, policies.end()) << cell(row, "id") << ": unknown policy " << cell(row, "policy");
        if (policy == policies.end()) continue;
        for (const auto cr_then_less : policy->second) {
            SCOPED_TRACE(cell(row, "id") + " " + cell(row, "policy"));
            const auto best = best_overall_response(date(cell(row, "ref_date")), series_of(cell(row, "series")), rules_of(row, cr_then_less));
            if (cell(row, "policy") == "ADMIRALONCO_NO_PD_CUT") {
                EXPECT_NE(name(best.category), cell(row, "expected_bor")) << "nothing after progression counts";
                continue;
            }
            EXPECT_EQ(name(best.category), cell(row, "expected_bor")) << best.reason;
            if (!cell(row, "expected_date").empty()) {
                EXPECT_EQ(best.date ? iso(*best.date) : "", cell(row, "expected_date"));
            }
        }
    }
}

void expect_time(const Row& row, const std::string& prefix, const TimeToEvent& time)
{
    EXPECT_EQ(time.event ? "1" : "0", cell(row, prefix + "_event"));
    EXPECT_EQ(iso(time.end), cell(row, prefix + "_date"));
    EXPECT_EQ(std::to_string(time.days), cell(row, prefix + "_days"));
}

TEST(ResponseVectors, TimesToEventsHoldOnEveryRow)
{
    RETROMASS_VECTOR_ROWS(rows, "tte.csv");
    for (const auto& row : rows) {
        SCOPED_TRACE(cell(row, "id"));
        FollowUp follow_up{date(cell(row, "start_date")), maybe_date(cell(row, "death_date")), maybe_date(cell(row, "new_therapy_date")), {}};
        if (!cell(row, "missed_rule_interval_days").empty()) follow_up.visit_interval_days = std::stol(cell(row, "missed_rule_interval_days"));
        const auto series = series_of(cell(row, "series"));
        const auto pfs = progression_free_survival(series, follow_up);
        expect_time(row, "pfs", pfs);
        EXPECT_EQ(fixed(static_cast<double>(pfs.days) / 30.4375, 4), cell(row, "pfs_months"));
        expect_time(row, "ttp", time_to_progression(series, follow_up));
        BestResponseRules rules;
        rules.confirm = cell(row, "confirm") == "Y";
        rules.max_ne = 0;
        const auto duration = duration_of_response(series, follow_up, rules);
        EXPECT_EQ(duration ? iso(duration->start) : "", cell(row, "dor_start"));
        if (duration) expect_time(row, "dor", duration->end);
    }
}

}  // namespace
}  // namespace retromass::response
