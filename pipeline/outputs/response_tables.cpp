#include <algorithm>
#include <functional>

#include "pipeline/outputs/words.h"

namespace retromass::outputs {
namespace {

using response::Assessment;
using response::Category;
using response::CriterionPeriod;
using response::CriterionTimepoint;
using response::RecistTimepoint;

std::string text_of(const std::optional<Length>& length) { return length ? length->text() : ""; }
std::string text_of(const std::optional<double>& value, int decimals) { return value ? fixed(*value, decimals) : ""; }
std::string text_of(const std::optional<long>& value) { return value ? std::to_string(*value) : ""; }
std::string flag(bool value) { return value ? "1" : "0"; }
std::string flag(const std::optional<bool>& value) { return value ? flag(*value) : ""; }
std::string role_of(const Assessment& assessment, std::string_view criterion) { return assessment.primary == criterion ? "primary" : "exploratory"; }

constexpr int kPlaces = 2;  // of a recorded value: 0.01 mm, 0.01 ml

/// What a table says beside the assessment itself.
struct Beside {
    std::function<std::string(const std::string& timepoint)> review_state;
    bool synthetic = false;
};

std::vector<std::string> header()
{
    return {"case", "criterion", "line", "period", "timepoint", "date", "review_state", "is_baseline", "sum_mm", "partial_sum_mm", "baseline_timepoint", "baseline_sum_mm",
            "nadir_timepoint", "nadir_sum_mm", "change_from_baseline_pct", "change_from_nadir_pct", "target", "non_target", "new_lesions", "category", "confirmed", "rule",
            "reason", "notices", "synthetic", "role", "day", "quantity", "unit", "value", "baseline_value", "nadir_value", "not_applicable", "disagrees_with_primary",
            "compared_with_baseline", "differences_from_baseline", "repeats_change_low_pct", "repeats_change_high_pct", "repeats_differ", "repeats", "protocol"};
}

/// The verdict on sizes, and each difference with what it does to sizes and to densities.
std::pair<std::string, std::string> compared_with(const Assessment& assessment, const std::string& from, const std::string& to)
{
    for (const auto& comparison : assessment.comparisons) {
        if (comparison.from != from || comparison.to != to) continue;
        std::string all;
        for (const auto& d : comparison.differences) {
            all.append(all.empty() ? "" : "; ").append(d.what);
            if (!d.before.empty()) all.append(" ").append(d.before).append(", then ").append(d.now);
            all.append(" (sizes ").append(d.of_size).append(", densities ").append(d.of_density).append(")");
        }
        return {comparison.size, all};
    }
    return {};
}

bool disagrees(const Assessment& assessment, std::string_view criterion, const std::string& period, const std::string& timepoint)
{
    return std::any_of(assessment.disagreements.begin(), assessment.disagreements.end(), [&](const auto& d) { return d.other == criterion && d.period == period && d.timepoint == timepoint; });
}

void add_recist(const Assessment& assessment, const Beside& beside, std::string& out)
{
    for (const auto& row : assessment.recist) {
        const auto& repeats = row.repeats;
        const auto [comparable, differences] = compared_with(assessment, row.baseline_timepoint, row.timepoint);
        out += csv_line({assessment.patient, row.overall.criterion, std::to_string(row.line), row.period, row.timepoint, date_text(row.date), beside.review_state(row.timepoint), flag(row.is_baseline),
                         text_of(row.sum), text_of(row.partial_sum), row.baseline_timepoint, text_of(row.baseline_sum), row.nadir_timepoint, text_of(row.nadir_sum),
                         signed_percent(row.change_from_baseline_pct), signed_percent(row.change_from_nadir_pct), std::string(name(row.target)), std::string(name(row.non_target)),
                         row.new_lesions ? std::string(name(*row.new_lesions)) : "not-stated", std::string(name(row.overall.category)), flag(row.confirmed), row.overall.rule, row.overall.reason,
                         codes_of(row.overall.notices), flag(beside.synthetic), role_of(assessment, row.overall.criterion), text_of(row.day), "sum of diameters", "mm", text_of(row.sum),
                         text_of(row.baseline_sum), text_of(row.nadir_sum), "", flag(disagrees(assessment, row.overall.criterion, row.period, row.timepoint)),
                         comparable, differences, repeats.change_pct ? fixed(repeats.change_pct->low, 1) : "",
                         repeats.change_pct ? fixed(repeats.change_pct->high, 1) : "", text_of(repeats.differs, 3), repeats.text, assessment.protocol});
    }
}

const RecistTimepoint* recist_row(const Assessment& assessment, const CriterionPeriod& period, const std::string& timepoint)
{
    for (const auto& row : assessment.recist) {
        if (row.period == period.period && row.timepoint == timepoint) return &row;
    }
    return nullptr;
}

void add_further(const Assessment& assessment, const Beside& beside, std::string& out)
{
    static const auto columns = header().size();
    for (const auto& period : assessment.criteria) {
        const auto role = role_of(assessment, period.criterion);
        if (!period.not_applicable.empty()) {
            std::vector<std::string> cells(columns);
            cells[0] = assessment.patient;
            cells[1] = period.criterion;
            cells[2] = std::to_string(period.line);
            cells[3] = period.period;
            cells[22] = "not applicable: " + period.not_applicable;
            cells[24] = flag(beside.synthetic);
            cells[25] = role;
            cells[32] = period.not_applicable;
            cells.back() = assessment.protocol;
            out += csv_line(cells);
            continue;
        }
        const bool diameters = period.unit == "mm";
        for (const auto& point : period.timepoints) {
            const auto [comparable, differences] = compared_with(assessment, period.summary.baseline_timepoint, point.timepoint);
            const auto* const recist = recist_row(assessment, period, point.timepoint);
            const auto sum = [&](const std::optional<double>& value) { return diameters ? text_of(value, kPlaces) : std::string(); };
            out += csv_line({assessment.patient, period.criterion, std::to_string(period.line), period.period, point.timepoint, date_text(point.date), beside.review_state(point.timepoint), flag(point.is_baseline),
                             sum(point.value), "", period.summary.baseline_timepoint, sum(point.baseline), point.nadir_timepoint, sum(point.nadir), signed_percent(point.change_from_baseline_pct),
                             signed_percent(point.change_from_nadir_pct), std::string(name(point.target)), recist ? std::string(name(recist->non_target)) : "",
                             !recist ? "" : recist->new_lesions ? std::string(name(*recist->new_lesions)) : "not-stated", std::string(name(point.decision.category)), flag(point.confirmed), point.decision.rule,
                             point.decision.reason, codes_of(point.decision.notices), flag(beside.synthetic), role, text_of(point.day), period.quantity, period.unit, text_of(point.value, kPlaces),
                             text_of(point.baseline, kPlaces), text_of(point.nadir, kPlaces), "", flag(disagrees(assessment, period.criterion, period.period, point.timepoint)),
                             comparable, differences, point.repeats.change_pct ? fixed(point.repeats.change_pct->low, 1) : "",
                             point.repeats.change_pct ? fixed(point.repeats.change_pct->high, 1) : "", text_of(point.repeats.differs, 3), point.repeats.text, assessment.protocol});
        }
    }
}

/// One line of a plot: a criterion over a period.
struct Course {
    std::string criterion;
    int line = 0;
    std::string period;
    struct Point {
        std::string timepoint;
        std::optional<Date> date;
        std::optional<long> day;
        std::optional<double> change_pct;
        const response::Decision* decision = nullptr;
        bool is_baseline = false;
    };
    std::vector<Point> points;
    const response::LineSummary* summary = nullptr;
};

std::vector<Course> courses_of(const Assessment& assessment)
{
    std::vector<Course> out;
    for (const auto& line : assessment.lines) {
        Course course{line.best_overall_response.criterion, line.line, line.period, {}, &line};
        for (const auto& row : assessment.recist) {
            if (row.period == line.period) course.points.push_back({row.timepoint, row.date, row.day, row.change_from_baseline_pct, &row.overall, row.is_baseline});
        }
        out.push_back(std::move(course));
    }
    for (const auto& period : assessment.criteria) {
        if (!period.not_applicable.empty()) continue;
        Course course{period.criterion, period.line, period.period, {}, &period.summary};
        for (const auto& point : period.timepoints) course.points.push_back({point.timepoint, point.date, point.day, point.change_from_baseline_pct, &point.decision, point.is_baseline});
        out.push_back(std::move(course));
    }
    return out;
}

bool progression(Category category) { return category == Category::pd || category == Category::icpd; }

}  // namespace

std::string response_csv(const CaseResult& result)
{
    const Beside beside{[&result](const std::string& id) {
                            const auto* timepoint = timepoint_named(result, id);
                            return timepoint ? review_state_of(*timepoint) : std::string("unreviewed");
                        },
                        result.synthetic};
    std::string out = csv_line(header());
    auto assessment = result.assessment;
    assessment.patient = result.case_id;
    add_recist(assessment, beside, out);
    add_further(assessment, beside, out);
    return out;
}

std::string response_csv(const std::vector<Assessment>& assessments)
{
    const Beside beside{[](const std::string&) { return std::string("unreviewed"); }, false};
    std::string out = csv_line(header());
    for (const auto& assessment : assessments) {
        add_recist(assessment, beside, out);
        add_further(assessment, beside, out);
    }
    return out;
}

std::string waterfall_csv(const std::vector<Assessment>& assessments)
{
    std::string out = csv_line({"case", "criterion", "role", "line", "period", "baseline_timepoint", "best_change_timepoint", "best_change_pct", "best_overall_response", "confirmed", "treated_locally", "protocol"});
    for (const auto& assessment : assessments) {
        for (const auto& course : courses_of(assessment)) {
            const Course::Point* best = nullptr;
            bool treated = false;
            for (const auto& point : course.points) {
                if (point.is_baseline) continue;
                if (point.change_pct && (!best || *point.change_pct < *best->change_pct)) best = &point;
                treated = treated || has(point.decision->notices, Code::treated_locally);
                if (progression(point.decision->category)) break;
            }
            out += csv_line({assessment.patient, course.criterion, role_of(assessment, course.criterion), std::to_string(course.line), course.period, course.summary->baseline_timepoint, best ? best->timepoint : "",
                             best ? signed_percent(best->change_pct) : "", std::string(name(course.summary->best_overall_response.category)), flag(course.summary->confirmed), flag(treated), assessment.protocol});
        }
    }
    return out;
}

std::string spider_csv(const std::vector<Assessment>& assessments)
{
    std::string out = csv_line({"case", "criterion", "role", "line", "period", "timepoint", "date", "day", "change_from_baseline_pct", "category", "notices", "protocol"});
    for (const auto& assessment : assessments) {
        for (const auto& course : courses_of(assessment)) {
            for (const auto& point : course.points) {
                const auto change = point.is_baseline ? std::string("0.0") : signed_percent(point.change_pct);
                out += csv_line({assessment.patient, course.criterion, role_of(assessment, course.criterion), std::to_string(course.line), course.period, point.timepoint, date_text(point.date), text_of(point.day), change,
                                 point.is_baseline ? "baseline" : std::string(name(point.decision->category)), codes_of(point.decision->notices), assessment.protocol});
            }
        }
    }
    return out;
}

}  // namespace retromass::outputs
