#include "measurement/response/repeats.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <random>

namespace retromass::response {
namespace {

constexpr int kRepeats = 4000;               // the share of a category is then known to 0.8 of 100
constexpr std::uint64_t kSeed = 20090115;
constexpr double kTwoSided95 = 1.959963984540054;

/// A length of the sum that a repeat would change.
struct Varying {
    double mm = 0;
    double shrink = 0;                       ///< standard deviation of its logarithm below the value, and above it, as the interval has it
    double grow = 0;
    double repeat = 1;                       ///< by how much a repeat spreads farther than that
};

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

/// Acquisition differences that widen, against the baseline.
int widened_by(const std::vector<Comparison>& comparisons, const std::string& baseline, const std::string& timepoint)
{
    for (const auto& comparison : comparisons) {
        if (comparison.from != baseline || comparison.to != timepoint) continue;
        return static_cast<int>(std::count_if(comparison.differences.begin(), comparison.differences.end(), [](const auto& d) { return d.of_size != "named"; }));
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
            const auto& interval = target.observation->length_mm;
            const bool default_size = target.observation->status == LesionStatus::too_small && !interval;
            if (interval && interval->low > 0 && interval->low <= mm && interval->high >= mm) {
                if (!target.observation->length_validated) append(out.not_validated, target.lesion->id + " at " + context.timepoint(t).id);
                out.calibrated = out.calibrated && target.observation->length_calibrated;
                // Our own intervals hold the truth; a repeat errs from it as the first measurement did. Others say where repeats land.
                varying = Varying{mm, std::log(mm / interval->low) / kTwoSided95 * widening, std::log(interval->high / mm) / kTwoSided95 * widening,
                                  target.observation->length_calibrated ? std::numbers::sqrt2 : 1};
            } else if (!default_size) {
                append(unknown, target.lesion->id + " at " + context.timepoint(t).id);
            }
        }
        out.readings.push_back(std::move(target.reading));
        out.varying.push_back(varying);
    }
    return out;
}

/// One draw of every length: where its interval has it, and where a repeat would.
struct Drawn {
    std::vector<TargetReading> within;
    std::vector<TargetReading> repeat;
};
Drawn drawn(const Readings& from, const std::vector<double>& own, double correlation, Normal& normal)
{
    Drawn out{from.readings, from.readings};
    for (std::size_t l = 0; l < from.varying.size(); ++l) {
        if (!from.varying[l]) continue;
        const double z = std::sqrt(correlation) * own[l] + std::sqrt(1 - correlation) * normal();
        const auto& v = *from.varying[l];
        const double by = z * (z > 0 ? v.grow : v.shrink);
        out.within[l].parts = {Length::recorded(v.mm * std::exp(by))};
        out.repeat[l].parts = {Length::recorded(v.mm * std::exp(v.repeat * by))};
    }
    return out;
}

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

/// Repeats the whole period up to one row.
Repeats repeated(const PeriodContext& context, const RecistTimepoint& row, const std::vector<Readings>& until, const std::vector<const JudgedTargets*>& judged, bool after_cr, int widening)
{
    const double correlation = static_cast<double>(context.policies.number("interval_correlation_pct")) / 100;
    Normal normal;
    std::vector<double> changes;
    std::map<Category, int> counts;
    for (int i = 0; i < kRepeats; ++i) {
        std::vector<double> own(until.front().readings.size());
        for (auto& z : own) z = normal();
        const auto first = drawn(until.front(), own, correlation, normal);
        const auto baseline = sum_of(first.repeat);
        auto nadir = baseline;
        for (std::size_t k = 1; k < until.size(); ++k) {
            const auto readings = drawn(until[k], own, correlation, normal);
            auto history = judged[k - 1]->history;
            history.baseline = baseline;
            history.nadir = nadir;
            const bool last = k + 1 == until.size();
            const auto outcome = target_response(readings.repeat, history, judged[k - 1]->persistence);
            if (last) {
                ++counts[joined(row, outcome.category, after_cr).category];
                const auto before = sum_of(first.within);
                const auto now = target_response(readings.within, history, judged[k - 1]->persistence).sum;
                if (now && before > Length{}) changes.push_back(*change_pct(now->as_mm(), before.as_mm()));
            } else if (outcome.sum) {
                nadir = std::min(nadir, *outcome.sum);
            }
        }
    }
    std::string not_validated;
    for (const auto& readings : until) {
        if (!readings.not_validated.empty()) append(not_validated, readings.not_validated);
    }
    const bool calibrated = std::all_of(until.begin(), until.end(), [](const auto& readings) { return readings.calibrated; });
    Repeats out;
    if (!changes.empty()) {
        std::sort(changes.begin(), changes.end());
        const auto at = [&](double share) { return changes[static_cast<std::size_t>(share * static_cast<double>(changes.size() - 1))]; };
        out.change_pct = Interval{at(0.025), at(0.975)};
    }
    for (const auto& [category, count] : counts) out.share.emplace_back(category, static_cast<double>(count) / kRepeats);
    std::stable_sort(out.share.begin(), out.share.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    out.differs = 1.0 - static_cast<double>(counts[row.overall.category]) / kRepeats;
    out.text = std::string(name(row.overall.category)) + " by RECIST 1.1";
    if (row.change_from_baseline_pct) out.text += " (" + percent(*row.change_from_baseline_pct) + ")";
    out.text += ". ";
    if (out.change_pct) out.text += "Measurement interval of the change " + fixed(out.change_pct->low, 0) + " to " + fixed(out.change_pct->high, 0) + " %; if";
    else out.text += "If";
    out.text += " these scans were measured again in the same way the category would differ " + share_text(*out.differs) +
                ". Counts " + (calibrated ? "segmentation, prompt, slice thickness and acquisition" : "what the given intervals count, another reader only if they do") + (widening > 0 ? ", widened for " + std::to_string(widening) + (widening == 1 ? " difference" : " differences") + " of acquisition" : "") +
                "; does not count " + (calibrated ? "another reader, " : "") + "choice of lesions, new lesions or biology.";
    if (!not_validated.empty()) out.text += " Not validated: the intervals of " + not_validated + " were calibrated on other kinds of lesions, and the true share may be larger.";
    return out;
}

}  // namespace

void add_repeats(const PeriodContext& context, const std::vector<Comparison>& comparisons, RecistPeriod& recist)
{
    if (!context.period.baseline || context.lesions.targets.empty()) return;
    std::string unknown;
    std::vector<Readings> until{readings_of(context, *context.period.baseline, 1, unknown)};
    std::vector<const JudgedTargets*> judged;
    bool after_cr = false;
    std::size_t next = 0;
    for (std::size_t i = 1; i < recist.rows.size(); ++i) {
        auto& row = recist.rows[i];
        if (row.overall.category == Category::none) continue;
        const auto& now = recist.judged[next++];
        const int widening = widened_by(comparisons, row.baseline_timepoint, row.timepoint);
        until.push_back(readings_of(context, now.timepoint, std::sqrt(1.0 + widening), unknown));
        judged.push_back(&now);
        if (row.overall.category == Category::ne) {
            row.repeats.text = "not evaluable: there is no category that could differ in a repeat";
        } else if (!unknown.empty()) {
            row.repeats.text = "no measurement interval is known of " + unknown + ": how often the category would differ in a repeat cannot be said";
        } else {
            row.repeats = repeated(context, row, until, judged, after_cr && context.policies.value("cr_then_less") == "recist-table-3", widening);
        }
        after_cr = after_cr || row.overall.category == Category::cr;
    }
}

}  // namespace retromass::response
