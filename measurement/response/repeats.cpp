#include "measurement/response/repeats.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <random>

#include "measurement/response/criteria.h"
#include "measurement/response/recist.h"

namespace retromass::response {
namespace {

constexpr int kRepeats = 4000;               // the share of a category is then known to 0.8 of 100
constexpr int kJudgedRepeats = 2000;         // of a period that is judged as a whole: to 1.1 of 100
constexpr std::uint64_t kSeed = 20090115;
constexpr double kTwoSided95 = 1.959963984540054;
constexpr double kAxesTogether = 0.3;        // correlation of the errors of a lesion's two axes (docs/stages/response.md, "Will it flip")

/// On which scale the errors of a quantity are alike for small and large values.
enum class Scale { ratio, difference };

/// A value that a repeat would change.
struct Varying {
    double size = 0;                         ///< mm, ml or HU
    double shrink = 0;                       ///< standard deviation below the value, and above it, as the interval has it: of the logarithm on the scale of ratios
    double grow = 0;
    double repeat = 1;                       ///< by how much a repeat spreads farther than that
    Scale scale = Scale::ratio;

    double within(double z) const { return moved(by(z)); }          ///< where the interval has it
    double repeated(double z) const { return moved(repeat * by(z)); }

private:
    double by(double z) const { return z * (z > 0 ? grow : shrink); }
    double moved(double step) const { return scale == Scale::ratio ? size * std::exp(step) : size + step; }
};

/// Nothing where the interval is missing or does not hold the size. Our own intervals hold the truth; a repeat errs from it as the first measurement did.
/// Others say where repeats land.
std::optional<Varying> varying_of(double size, const std::optional<OwnInterval>& interval, double widening, Scale scale = Scale::ratio)
{
    if (!interval) return std::nullopt;
    const auto [low, high] = interval->ends;
    if ((scale == Scale::ratio && low <= 0) || low > size || high < size) return std::nullopt;
    const auto apart = [&](double from, double to) { return scale == Scale::ratio ? std::log(to / from) : to - from; };
    return Varying{size, apart(low, size) / kTwoSided95 * widening, apart(size, high) / kTwoSided95 * widening, interval->calibrated ? std::numbers::sqrt2 : 1, scale};
}

std::optional<OwnInterval> interval_of_length(const Observation& observation)
{
    if (!observation.length_mm) return std::nullopt;
    return OwnInterval{*observation.length_mm, observation.length_validated, observation.length_calibrated};
}

/// What is known of one time point's targets, by lesion; nothing for a value that no repeat changes.
struct Readings {
    std::vector<TargetReading> readings;
    std::vector<std::optional<Varying>> varying;
    std::string not_validated;               ///< lesions whose interval was calibrated on others, "T1 at week 8"
    bool calibrated = true;                  ///< every interval is one of the program's own
};

class Normal {
public:
    double operator()()
    {
        if (spare_) return std::exchange(spare_, std::nullopt).value();
        const double radius = std::sqrt(-2 * std::log(uniform()));
        const double angle = 2 * std::numbers::pi * uniform();
        spare_ = radius * std::sin(angle);
        return radius * std::cos(angle);
    }

private:
    double uniform() { return (static_cast<double>(engine_() >> 11) + 0.5) / 9007199254740992.0; }  // the library's distributions differ between compilers

    std::mt19937_64 engine_{kSeed};
    std::optional<double> spare_;
};

/// What a difference of acquisition does to one kind of quantity.
using Effect = std::string StudyDifference::*;
/// Acquisition differences that widen one of the kinds, against the baseline.
int widened_by(const std::vector<Comparison>& comparisons, const std::string& baseline, const std::string& timepoint, std::initializer_list<Effect> kinds = {&StudyDifference::of_size})
{
    for (const auto& comparison : comparisons) {
        if (comparison.from != baseline || comparison.to != timepoint) continue;
        const auto widens = [&](const StudyDifference& d) { return std::any_of(kinds.begin(), kinds.end(), [&](Effect kind) { return d.*kind != "named"; }); };
        return static_cast<int>(std::count_if(comparison.differences.begin(), comparison.differences.end(), widens));
    }
    return 0;
}

Readings readings_of(const PeriodContext& context, std::size_t t, double widening, std::string& unknown)
{
    Readings out;
    for (auto& target : targets_at(context, t)) {
        std::optional<Varying> varying;
        const double mm = total(target.reading).as_mm();
        if (!target.reading.merged && mm > 0) {
            const auto interval = interval_of_length(*target.observation);
            const bool default_size = target.observation->status == LesionStatus::too_small && !interval;
            varying = varying_of(mm, interval, widening);
            if (varying) {
                if (!interval->validated) append(out.not_validated, target.lesion->id + " at " + context.timepoint(t).id);
                out.calibrated = out.calibrated && interval->calibrated;
            } else if (!default_size) {
                append(unknown, target.lesion->id + " at " + context.timepoint(t).id);
            }
        }
        out.readings.push_back(std::move(target.reading));
        out.varying.push_back(varying);
    }
    return out;
}

/// The targets of one time point as drawn: where their intervals have them, and where a repeat would.
struct Drawn {
    std::vector<TargetReading> within;
    std::vector<TargetReading> repeat;

    explicit Drawn(const Readings& from) : within(from.readings), repeat(from.readings)
    {
        for (std::size_t l = 0; l < from.varying.size(); ++l) {
            if (from.varying[l]) within[l].parts = repeat[l].parts = {Length{}};
        }
    }
    void draw(const Readings& from, const std::vector<double>& own, double correlation, Normal& normal)
    {
        for (std::size_t l = 0; l < from.varying.size(); ++l) {
            if (!from.varying[l]) continue;
            const double z = std::sqrt(correlation) * own[l] + std::sqrt(1 - correlation) * normal();
            const auto& v = *from.varying[l];
            within[l].parts[0] = Length::recorded(v.within(z));
            repeat[l].parts[0] = Length::recorded(v.repeated(z));
        }
    }
};

Length sum_of(const std::vector<TargetReading>& readings)
{
    Length sum{};
    for (const auto& reading : readings) sum = sum + total(reading);
    return sum;
}

std::string share_text(double share)
{
    const auto of_100 = std::lround(100 * share);
    return of_100 == 0 ? "in fewer than 1 of 100 repeats" : "in about " + std::to_string(of_100) + " of 100 repeats";
}

/// What is said of one category, from what its repeats gave.
struct Told {
    Category category = Category::none;
    std::string criterion;                   ///< "RECIST 1.1"
    std::optional<double> change_pct;        ///< as measured
    std::string not_validated;
    bool calibrated = true;
    int widening = 0;
};
Repeats told(const Told& of, std::vector<double>& changes, const std::map<Category, int>& counts, int repeats)
{
    Repeats out;
    if (!changes.empty()) {
        const auto at = [&](double share) {
            const auto place = changes.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(changes.size() - 1));
            std::nth_element(changes.begin(), place, changes.end());
            return *place;
        };
        out.change_pct = Interval{at(0.025), at(0.975)};
    }
    for (const auto& [category, count] : counts) out.share.emplace_back(category, static_cast<double>(count) / repeats);
    std::stable_sort(out.share.begin(), out.share.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    const auto same = counts.find(of.category);
    out.differs = 1.0 - static_cast<double>(same == counts.end() ? 0 : same->second) / repeats;
    out.text = std::string(name(of.category)) + " by " + of.criterion;
    if (of.change_pct) out.text += " (" + percent(*of.change_pct) + ")";
    out.text += ". ";
    if (out.change_pct) out.text += "Measurement interval of the change " + fixed(out.change_pct->low, 0) + " to " + fixed(out.change_pct->high, 0) + " %; if";
    else out.text += "If";
    out.text += " these scans were measured again in the same way the category would differ " + share_text(*out.differs) +
                ". Counts " + (of.calibrated ? "segmentation, prompt, slice thickness and acquisition" : "what the given intervals count, another reader only if they do") + (of.widening > 0 ? ", widened for " + std::to_string(of.widening) + (of.widening == 1 ? " difference" : " differences") + " of acquisition" : "") +
                "; does not count " + (of.calibrated ? "another reader, " : "") + "choice of lesions, new lesions or biology.";
    if (!of.not_validated.empty()) out.text += " Not validated: the intervals of " + of.not_validated + " were calibrated on other kinds of lesions, and the true share may be larger.";
    return out;
}

constexpr const char* kNothingToDiffer = "not evaluable: there is no category that could differ in a repeat";
std::string not_known(const std::string& unknown) { return "no measurement interval is known of " + unknown + ": how often the category would differ in a repeat cannot be said"; }

/// One judged time point of a period on its way through the repeats.
struct Course {
    RecistTimepoint& row;
    const JudgedTargets& judged;
    bool after_cr;
    int widening;
    Readings readings;
    std::string unknown;                     ///< what has no interval here and before
    std::vector<double> changes;
    std::map<Category, int> targets;         ///< how often they were judged so
};

/// Measures the whole period again and again.
void repeat(const PeriodContext& context, const Readings& baseline, std::vector<Course>& courses)
{
    const double correlation = static_cast<double>(context.policies.number("interval_correlation_pct")) / 100;
    Normal normal;
    Drawn first(baseline);
    std::vector<Drawn> drawn;
    for (const auto& course : courses) drawn.emplace_back(course.readings);
    std::vector<double> own(baseline.readings.size());
    for (int i = 0; i < kRepeats; ++i) {
        for (auto& z : own) z = normal();
        first.draw(baseline, own, correlation, normal);
        const auto before = sum_of(first.within), sum = sum_of(first.repeat);
        auto nadir = sum;
        for (std::size_t k = 0; k < courses.size(); ++k) {
            auto& course = courses[k];
            drawn[k].draw(course.readings, own, correlation, normal);
            const TargetHistory history{sum, nadir, course.judged.history.pr_stands, course.judged.history.overall_cr};
            const auto verdict = target_verdict(drawn[k].repeat, history, course.judged.persistence);
            ++course.targets[verdict.category];
            if (verdict.sum && before > Length{}) course.changes.push_back(*change_pct(sum_of(drawn[k].within).as_mm(), before.as_mm()));
            if (verdict.sum) nadir = std::min(nadir, *verdict.sum);
        }
    }
}

/// What of a target enters a criterion.
enum class Quantity { length, other_axis, volume, hu };
/// One or two of them, and how far the errors of the two go together within one measurement.
struct Quantities {
    Quantity first = Quantity::length;
    std::optional<Quantity> second;
    double together = 0;
};
Quantities quantities_of(const std::string& criterion)
{
    if (criterion == "volume") return {Quantity::volume, {}, 0};
    if (criterion == "who") return {Quantity::length, Quantity::other_axis, kAxesTogether};
    if (criterion == "choi" || criterion == "modified-choi") return {Quantity::length, Quantity::hu, 0};
    return {Quantity::length, {}, 0};
}

/// A target at one time point of a period, as another criterion than RECIST 1.1 takes it.
struct VaryingTarget {
    Observation* observation = nullptr;      ///< in the copy that is measured again
    const Observation* measured = nullptr;
    const Lesion* lesion = nullptr;
    std::size_t target = 0;                  ///< among the period's
    std::array<std::optional<Varying>, 2> values;  ///< of the criterion's quantities
    std::array<bool, 2> validated{true, true};   ///< the interval of each
    std::array<bool, 2> calibrated{true, true};
};

/// What has no interval.
struct Unknown {
    std::string sizes;
    std::string densities;
};

/// What is known of a target, in mm, ml or HU; empty where nothing is, and then no repeat changes it.
std::optional<double> value_of(Quantity quantity, const TargetAt& target)
{
    const auto& o = *target.observation;
    const auto& other = target.lesion->nodal ? o.long_axis : o.short_axis;
    switch (quantity) {
    case Quantity::length: return total(target.reading).as_mm();
    case Quantity::other_axis: return other ? std::optional<double>(other->as_mm()) : std::nullopt;
    case Quantity::volume: return o.volume_ml && *o.volume_ml > 0 ? o.volume_ml : std::nullopt;
    case Quantity::hu: return o.hu_mean;
    }
    return std::nullopt;
}

std::optional<OwnInterval> interval_of(Quantity quantity, const Observation& observation)
{
    switch (quantity) {
    case Quantity::length: return interval_of_length(observation);
    case Quantity::other_axis: return observation.other_axis_mm;
    case Quantity::volume: return observation.volume_interval_ml;
    case Quantity::hu: return observation.hu_interval;
    }
    return std::nullopt;
}

std::string named(Quantity quantity, const TargetAt& target, const std::string& timepoint)
{
    const auto lesion = target.lesion->id + " at " + timepoint;
    if (quantity == Quantity::hu) return "the mean HU of " + lesion;
    return quantity == Quantity::other_axis ? std::string(target.lesion->nodal ? "the long axis of " : "the short axis of ") + lesion : lesion;
}

/// By how much differences of acquisition spread sizes and densities.
struct Widening {
    double sizes = 1;
    double densities = 1;
};

/// The targets that a repeat would change at one time point. What has no interval is added to `unknown`.
std::vector<VaryingTarget> varying_at(const PeriodContext& context, std::size_t t, const Quantities& quantities, const Widening& widening, Timepoint& again, Unknown& unknown)
{
    std::vector<VaryingTarget> out;
    const auto& id = context.timepoint(t).id;
    const auto targets = targets_at(context, t);
    for (std::size_t l = 0; l < targets.size(); ++l) {
        const auto& target = targets[l];
        if (target.reading.merged || target.reading.parts.empty() || total(target.reading) == Length{}) continue;
        const auto& o = *target.observation;
        const bool product = quantities.second == Quantity::other_axis;
        if (product && (!o.long_axis || !o.short_axis || !o.fragments.empty())) continue;  // the default of what is too small, or no product
        VaryingTarget now;
        now.measured = &o;
        now.lesion = target.lesion;
        now.target = l;
        const auto add = [&](Quantity quantity, std::size_t place) {
            const auto size = value_of(quantity, target);
            if (!size) return true;
            const auto interval = interval_of(quantity, o);
            const bool length = quantity == Quantity::length || quantity == Quantity::other_axis;
            if (length && o.status == LesionStatus::too_small && !interval) return true;  // its default size
            const bool density = quantity == Quantity::hu;
            auto& value = now.values[place] = varying_of(*size, interval, density ? widening.densities : widening.sizes, density ? Scale::difference : Scale::ratio);
            if (!value) {
                append(density ? unknown.densities : unknown.sizes, named(quantity, target, id));
                return false;
            }
            now.validated[place] = interval->validated;
            now.calibrated[place] = interval->calibrated;
            return true;
        };
        if (add(quantities.first, 0) && quantities.second) add(*quantities.second, 1);
        const auto at = std::find_if(again.observations.begin(), again.observations.end(), [&](const auto& other) { return other.lesion == o.lesion; });
        if (at == again.observations.end() || (!now.values[0] && !now.values[1])) continue;
        now.observation = &*at;
        out.push_back(std::move(now));
    }
    return out;
}

/// The target as it would be measured with these values of the criterion's quantities.
void measure_again(const VaryingTarget& target, const Quantities& quantities, const std::array<double, 2>& values)
{
    const auto& from = *target.measured;
    auto& to = *target.observation;
    const auto& [first, second] = target.values;
    auto& other = target.lesion->nodal ? to.long_axis : to.short_axis;
    if (second && quantities.second == Quantity::hu) to.hu_mean = values[1];
    if (second && quantities.second == Quantity::other_axis) other = Length::recorded(values[1]);
    if (!first) return;
    if (quantities.first == Quantity::volume) {
        to.volume_ml = values[0];
        return;
    }
    const auto scaled = [&](const Length& length) { return Length::recorded(length.as_mm() * values[0] / first->size); };
    auto& counts = target.lesion->nodal ? to.short_axis : to.long_axis;
    counts = Length::recorded(values[0]);
    if (const auto& axis = target.lesion->nodal ? from.short_axis : from.long_axis) counts = scaled(*axis);  // with its fragments
    std::transform(from.fragments.begin(), from.fragments.end(), to.fragments.begin(), scaled);
}

/// Two normal numbers that go together so far.
std::array<double, 2> pair_of(Normal& normal, const Quantities& quantities)
{
    const double first = normal();
    if (!quantities.second) return {first, 0};
    return {first, quantities.together * first + std::sqrt(1 - quantities.together * quantities.together) * normal()};
}

}  // namespace

void add_repeats(const PeriodContext& context, const std::vector<Comparison>& comparisons, RecistPeriod& recist)
{
    if (!context.period.baseline || context.lesions.targets.empty()) return;
    std::string unknown;
    const auto baseline = readings_of(context, *context.period.baseline, 1, unknown);
    std::vector<Course> courses;
    bool after_cr = false;
    std::size_t next = 0;
    for (std::size_t i = 1; i < recist.rows.size(); ++i) {
        auto& row = recist.rows[i];
        if (row.overall.category == Category::none) continue;
        const auto& now = recist.judged[next++];
        const int widening = widened_by(comparisons, row.baseline_timepoint, row.timepoint);
        auto readings = readings_of(context, now.timepoint, std::sqrt(1.0 + widening), unknown);
        courses.push_back({row, now, after_cr && context.policies.value("cr_then_less") == "recist-table-3", widening, std::move(readings), unknown, {}, {}});
        after_cr = after_cr || row.overall.category == Category::cr;
    }
    const auto known = [](const Course& course) { return course.unknown.empty() && course.row.overall.category != Category::ne; };
    if (std::any_of(courses.begin(), courses.end(), known)) repeat(context, baseline, courses);
    std::string not_validated = baseline.not_validated;
    bool calibrated = baseline.calibrated;
    for (auto& course : courses) {
        auto& row = course.row;
        if (!course.readings.not_validated.empty()) append(not_validated, course.readings.not_validated);
        calibrated = calibrated && course.readings.calibrated;
        if (row.overall.category == Category::ne) {
            row.repeats.text = kNothingToDiffer;
        } else if (!course.unknown.empty()) {
            row.repeats.text = not_known(course.unknown);
        } else {
            std::map<Category, int> counts;
            for (const auto& [target, count] : course.targets) counts[joined(row, target, course.after_cr).category] += count;
            row.repeats = told({row.overall.category, "RECIST 1.1", row.change_from_baseline_pct, not_validated, calibrated, course.widening}, course.changes, counts, kRepeats);
        }
    }
}

void add_repeats(const PeriodContext& context, const std::vector<Comparison>& comparisons, CriterionPeriod& criterion)
{
    if (!context.period.baseline || context.lesions.targets.empty() || !criterion.not_applicable.empty()) return;
    const auto quantities = quantities_of(criterion.criterion);
    Patient patient = context.patient;
    const auto again = context_of(patient, context.policies, context.timeline, context.period);
    auto& rows = criterion.timepoints;
    std::vector<std::vector<VaryingTarget>> varying;
    std::vector<Told> of;
    Told sizes;  // what the intervals of sizes are, up to this row
    std::vector<std::string> unknown;
    std::string unknown_sizes, baseline_densities;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const auto t = row == 0 ? *context.period.baseline : context.period.follow_ups[row - 1];
        const bool by_density = quantities.second == Quantity::hu && rows[row].by_density;
        const auto widened = [&](std::initializer_list<Effect> kinds) { return row == 0 ? 0 : widened_by(comparisons, rows[0].timepoint, rows[row].timepoint, kinds); };
        const int of_sizes = widened({&StudyDifference::of_size});
        Unknown here;
        varying.push_back(varying_at(context, t, quantities, {std::sqrt(1.0 + of_sizes), std::sqrt(1.0 + widened({&StudyDifference::of_density}))}, patient.timepoints[t], here));
        if (!here.sizes.empty()) append(unknown_sizes, here.sizes);
        if (row == 0) baseline_densities = here.densities;
        unknown.push_back(unknown_sizes);
        for (const auto& densities : {baseline_densities, row == 0 ? std::string() : here.densities}) {
            if (by_density && !densities.empty()) append(unknown.back(), densities);
        }
        const auto join = [&](Told& all, std::size_t from, std::size_t place) {
            for (const auto& target : varying[from]) {
                const auto name = target.lesion->id + " at " + rows[from].timepoint;
                if (!target.validated[place] && (", " + all.not_validated + ", ").find(", " + name + ", ") == std::string::npos) append(all.not_validated, name);
                all.calibrated = all.calibrated && target.calibrated[place];
            }
        };
        join(sizes, row, 0);
        if (quantities.second == Quantity::other_axis) join(sizes, row, 1);
        Told now = sizes;
        if (by_density) join(now, 0, 1);
        if (by_density) join(now, row, 1);
        now.category = rows[row].decision.category;
        now.criterion = criterion_title(criterion.criterion);
        now.change_pct = rows[row].change_from_baseline_pct;
        now.widening = by_density ? widened({&StudyDifference::of_size, &StudyDifference::of_density}) : of_sizes;
        of.push_back(std::move(now));
    }
    std::vector<std::vector<double>> changes(rows.size());
    std::vector<std::map<Category, int>> counts(rows.size());
    const auto known = [&](std::size_t row) { return unknown[row].empty() && rows[row].decision.category != Category::none && rows[row].decision.category != Category::ne; };
    bool any = false;
    for (std::size_t row = 1; row < rows.size(); ++row) any = any || known(row);
    const int repeats = any ? kJudgedRepeats : 0;  // each costs a whole judgement
    const double correlation = static_cast<double>(context.policies.number("interval_correlation_pct")) / 100;
    const std::vector<std::string> names{criterion.criterion};
    Normal normal;
    for (int i = 0; i < repeats; ++i) {
        std::vector<std::array<double, 2>> own(context.lesions.targets.size());
        for (auto& z : own) z = pair_of(normal, quantities);
        std::vector<std::vector<std::array<double, 2>>> drawn(rows.size());
        for (std::size_t row = 0; row < rows.size(); ++row) {
            for (const auto& target : varying[row]) {
                auto z = pair_of(normal, quantities);
                for (std::size_t q = 0; q < z.size(); ++q) z[q] = std::sqrt(correlation) * own[target.target][q] + std::sqrt(1 - correlation) * z[q];
                drawn[row].push_back(z);
            }
        }
        for (const bool repeat : {false, true}) {
            for (std::size_t row = 0; row < rows.size(); ++row) {
                for (std::size_t v = 0; v < drawn[row].size(); ++v) {
                    std::array<double, 2> values{};
                    for (std::size_t q = 0; q < values.size(); ++q) {
                        if (const auto& value = varying[row][v].values[q]) values[q] = repeat ? value->repeated(drawn[row][v][q]) : value->within(drawn[row][v][q]);
                    }
                    measure_again(varying[row][v], quantities, values);
                }
            }
            const auto judged = further_criteria(again, judge_recist(again), names);
            for (std::size_t row = 1; row < rows.size() && row < judged.front().timepoints.size(); ++row) {
                const auto& point = judged.front().timepoints[row];
                if (repeat) ++counts[row][point.decision.category];
                else if (point.change_from_baseline_pct) changes[row].push_back(*point.change_from_baseline_pct);
            }
        }
    }
    for (std::size_t row = 1; row < rows.size(); ++row) {
        const auto category = rows[row].decision.category;
        if (category == Category::none) continue;
        if (category == Category::ne) rows[row].repeats.text = kNothingToDiffer;
        else if (!unknown[row].empty()) rows[row].repeats.text = not_known(unknown[row]);
        else rows[row].repeats = told(of[row], changes[row], counts[row], kJudgedRepeats);
    }
}

const Repeats* repeats_now(const Assessment& assessment)
{
    const Repeats* out = assessment.recist.empty() ? nullptr : &assessment.recist.back().repeats;
    for (const auto& period : assessment.criteria) {
        if (period.criterion != assessment.primary || period.timepoints.empty() || period.timepoints.back().repeats.text.empty()) continue;
        const auto& now = assessment.recist.back();
        if (period.timepoints.back().timepoint == now.timepoint && period.line == now.line && period.period == now.period) out = &period.timepoints.back().repeats;
    }
    return out;
}

}  // namespace retromass::response
