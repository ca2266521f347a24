#include "measurement/response/criteria.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "measurement/response/choi.h"
#include "measurement/response/immune_period.h"
#include "measurement/response/summary.h"
#include "measurement/response/volumetric.h"
#include "measurement/response/who.h"

namespace retromass::response {
namespace {

constexpr std::array<std::string_view, 6> kNames{"recist-1.1", "irecist", "choi", "modified-choi", "who", "volume"};
constexpr std::array<std::string_view, 6> kTitles{"RECIST 1.1", "iRECIST", "Choi", "modified Choi", "WHO", "volume"};
constexpr Length kTooSmall = Length::mm(5);      // E09: default of a lesion too small to measure
constexpr Length kNormalNode = Length::mm(10);
constexpr double kMostKvpDifference = 20;        // clinical.md 6.6

/// One criterion on its way through a period.
struct Walk {
    const PeriodContext& context;
    const RecistPeriod& recist;
    CriterionPeriod out;
    std::vector<DatedResponse> series;

    std::size_t at(std::size_t row) const { return row == 0 ? *context.period.baseline : context.period.follow_ups[row - 1]; }
};

CriterionTimepoint started(const Walk& walk, std::size_t row)
{
    const auto& from = walk.recist.rows[row];
    CriterionTimepoint out;
    out.timepoint = from.timepoint;
    out.date = from.date;
    out.day = from.day;
    out.is_baseline = from.is_baseline;
    out.decision.criterion = walk.out.criterion;
    out.decision.category = Category::none;
    if (from.is_baseline) {
        out.decision.rule = std::string(criterion_title(walk.out.criterion)) + " baseline";
        out.decision.reason = "baseline of " + walk.out.period;
        return out;
    }
    if (from.overall.category == Category::none) {  // the follow-up ended before
        out.decision.rule = from.overall.rule;
        out.decision.reason = from.overall.reason;
    }
    for (const auto& notice : from.overall.notices) {
        if (notice.code == Code::treated_locally || notice.code == Code::treatment_effect || notice.code == Code::new_lesions_not_stated) out.decision.notices.push_back(notice);
    }
    return out;
}

/// The targets' answer joined with other disease and new lesions.
void decide(Walk& walk, std::size_t row, CriterionTimepoint& point, const Outcome& target)
{
    const auto& from = walk.recist.rows[row];
    point.target = target.category;
    const auto overall = joined(from, target.category, false);
    auto& decision = point.decision;
    decision.category = overall.category;
    const bool by_targets = overall.category == target.category && from.new_lesions != NewLesions::unequivocal;
    decision.rule = by_targets ? target.rule : std::string(criterion_title(walk.out.criterion)) + "; " + overall.rule;
    decision.reason = by_targets ? target.reason : overall.reason + "; targets: " + target.reason;
    decision.inputs.emplace_back("non-target", std::string(name(from.non_target)));
    decision.inputs.emplace_back("new lesions", from.new_lesions ? std::string(name(*from.new_lesions)) : "not stated");
    walk.series.push_back({walk.context.timeline.when[walk.at(row)], decision.category, !has(from.overall.notices, Code::treated_locally), progressed_on(walk.context, walk.at(row), from, target.category)});
}

/// Quantity now, at the baseline and at the nadir, with their dates, into the decision's inputs.
void add_values(const Walk& walk, CriterionTimepoint& point, std::size_t nadir_at, int decimals)
{
    const auto with_unit = [&](double value) { return fixed(value, decimals) + " " + walk.out.unit; };
    auto& inputs = point.decision.inputs;
    if (point.value) inputs.emplace_back(walk.out.quantity, with_unit(*point.value));
    if (point.is_baseline) return;
    inputs.emplace_back("baseline", with_unit(*point.baseline) + " (" + walk.context.named(walk.at(0)) + ")");
    inputs.emplace_back("nadir", with_unit(*point.nadir) + " (" + walk.context.named(nadir_at) + ")");
    point.nadir_timepoint = walk.context.timepoint(nadir_at).id;
    if (!point.value) return;
    point.change_from_baseline_pct = change_pct(*point.value, *point.baseline);
    point.change_from_nadir_pct = change_pct(*point.value, *point.nadir);
}

void finish(Walk& walk, const BestResponseRules& rules)
{
    const auto& name = walk.out.criterion;
    std::size_t judged = 0;
    for (auto& point : walk.out.timepoints) {
        if (point.is_baseline || point.decision.category == Category::none) continue;
        const auto category = point.decision.category;
        if (category == Category::cr || category == Category::pr) point.confirmed = confirmation(walk.series, judged, rules).has_value();
        ++judged;
    }
    walk.out.summary = summarised(walk.context, walk.series, {name, std::string(criterion_title(name))}, rules);
}

bool gone(const TargetAt& target)
{
    const auto& reading = target.reading;
    return reading.merged || (!reading.parts.empty() && (target.lesion->nodal ? total(reading) < kNormalNode : total(reading) == Length{}));
}

/// Long axis times short axis; empty with the reason where it is not known.
std::optional<Product> product_of(const TargetAt& target, std::string& why)
{
    const auto& reading = target.reading;
    if (reading.merged) return Product{};  // its disease is measured in the partner
    if (reading.parts.empty()) {
        why = reading.reason;
        return std::nullopt;
    }
    if (total(reading) == Length{}) return Product{};
    const auto& o = *target.observation;
    if (o.status == LesionStatus::too_small && (!o.long_axis || !o.short_axis)) return Product::of(kTooSmall, kTooSmall);
    if (!o.fragments.empty()) why = "split, and its parts have no second axis";
    else if (!o.long_axis || !o.short_axis) why = o.long_axis ? "no short axis" : "no long axis";
    if (!why.empty()) return std::nullopt;
    return Product::of(*o.long_axis, *o.short_axis);
}

void judge_who(Walk& walk)
{
    const auto mode = walk.context.policies.value("who_pd") == "per-lesion" ? WhoProgression::per_lesion : WhoProgression::sum_over_nadir;
    std::vector<WhoLesion> lesions;
    std::vector<bool> merged;   // into another, as each of them was last seen
    Product baseline, nadir;
    std::size_t nadir_at = walk.at(0);
    for (std::size_t row = 0; row < walk.recist.rows.size(); ++row) {
        auto point = started(walk, row);
        const bool ended = !point.is_baseline && walk.recist.rows[row].overall.category == Category::none;
        if (ended) {
            walk.out.timepoints.push_back(std::move(point));
            continue;
        }
        Product sum;
        bool complete = true;
        const auto targets = targets_at(walk.context, walk.at(row));
        for (std::size_t l = 0; l < targets.size(); ++l) {
            std::string why;
            const auto product = product_of(targets[l], why);
            if (row == 0 && !product) {
                walk.out.not_applicable = targets[l].lesion->id + " has no product of two axes at the baseline: " + why;
                return;
            }
            if (row == 0) {
                lesions.push_back({targets[l].lesion->id, *product, *product, {}, false});
                merged.push_back(false);
            }
            lesions[l].current = product;
            lesions[l].gone = gone(targets[l]);
            if (targets[l].reading.merged && !merged[l]) {  // its partner now stands for both (rule 3.4)
                const auto partner = std::find_if(lesions.begin(), lesions.end(), [&](const auto& other) { return other.id == targets[l].observation->merged_into; });
                if (partner != lesions.end()) partner->nadir = partner->nadir + lesions[l].nadir;
            }
            merged[l] = targets[l].reading.merged;
            if (product) sum = sum + *product;
            complete = complete && product.has_value();
            point.decision.inputs.emplace_back(lesions[l].id + " long x short axis", product ? fixed(product->as_mm2(), 2) + " mm2" : "not evaluable: " + why);
        }
        if (row == 0) baseline = nadir = sum;
        if (complete) point.value = sum.as_mm2();
        point.baseline = baseline.as_mm2();
        point.nadir = nadir.as_mm2();
        add_values(walk, point, nadir_at, 2);
        if (row > 0) {
            point.decision.inputs.emplace_back("limit of PR", "at most " + fixed(baseline.as_mm2() / 2, 2) + " mm2");
            point.decision.inputs.emplace_back("limit of PD", mode == WhoProgression::per_lesion ? "one lesion at 1.25 of its own nadir" : "at least " + fixed(1.25 * nadir.as_mm2(), 2) + " mm2");
            decide(walk, row, point, who_response(lesions, nadir, mode));
        }
        for (std::size_t l = 0; l < lesions.size(); ++l) {
            auto& lesion = lesions[l];
            if (lesion.current && !merged[l]) lesion.nadir = std::min(lesion.nadir, *lesion.current);
        }
        if (complete && sum < nadir) {
            nadir = sum;
            nadir_at = walk.at(row);
        }
        walk.out.timepoints.push_back(std::move(point));
    }
    auto rules = best_response_rules(walk.context.policies);
    rules.confirm = true;  // rule 11.1: WHO asks for it, whatever RECIST is told
    finish(walk, rules);
}

/// Recorded volume in hundredths of a millilitre; empty with the reason where it is not known.
std::optional<std::int64_t> volume_of(const TargetAt& target, std::string& why)
{
    constexpr double kMl_per_mm3 = 1e-3;
    constexpr double kPi_sixth = 0.52359877559829887;
    const auto& reading = target.reading;
    if (reading.merged) return 0;
    if (reading.parts.empty()) {
        why = reading.reason;
        return std::nullopt;
    }
    if (total(reading) == Length{}) return 0;
    const auto& o = *target.observation;
    if (o.volume_ml) return std::llround(recorded_ml(*o.volume_ml) * 100);
    if (o.status == LesionStatus::too_small) return std::llround(recorded_ml(kPi_sixth * std::pow(kTooSmall.as_mm(), 3) * kMl_per_mm3) * 100);  // a sphere of 5 mm
    why = "no volume";
    return std::nullopt;
}

void judge_volume(Walk& walk)
{
    const auto& rule = volume_rule(walk.context.policies.value("volume_rule"));
    VolumeSums sums;
    std::size_t nadir_at = walk.at(0);
    for (std::size_t row = 0; row < walk.recist.rows.size(); ++row) {
        auto point = started(walk, row);
        if (!point.is_baseline && walk.recist.rows[row].overall.category == Category::none) {
            walk.out.timepoints.push_back(std::move(point));
            continue;
        }
        sums.current = 0;
        std::string missing;
        bool all_gone = true;
        for (const auto& target : targets_at(walk.context, walk.at(row))) {
            std::string why;
            const auto volume = volume_of(target, why);
            if (row == 0 && !volume) {
                walk.out.not_applicable = target.lesion->id + " has no volume at the baseline: " + why;
                return;
            }
            sums.current += volume.value_or(0);
            all_gone = all_gone && gone(target);
            if (!volume) append(missing, target.lesion->id + " (" + why + ")");
            point.decision.inputs.emplace_back(target.lesion->id + " volume", volume ? fixed(static_cast<double>(*volume) / 100, 2) + " ml" : "not evaluable: " + why);
        }
        if (row == 0) sums.baseline = sums.nadir = sums.current;
        const auto ml = [](std::int64_t hundredths) { return static_cast<double>(hundredths) / 100; };
        if (missing.empty()) point.value = ml(sums.current);
        point.baseline = ml(sums.baseline);
        point.nadir = ml(sums.nadir);
        add_values(walk, point, nadir_at, 2);
        if (row > 0) {
            auto& inputs = point.decision.inputs;
            inputs.emplace_back("limit of PR", "at most " + fixed(static_cast<double>(rule.response_permille) / 1000 * ml(sums.baseline), 2) + " ml");
            inputs.emplace_back("limit of PD", "at least " + fixed(static_cast<double>(rule.progression_permille) / 1000 * ml(sums.nadir), 2) + " ml");
            auto outcome = volume_response(sums, rule);
            if (!all_gone && outcome.category == Category::cr) outcome = {Category::pr, "volume 12 partial response", "the volume is recorded as 0, but a target is still there"};
            if (missing.empty() && all_gone) outcome = {Category::cr, "volume 12 complete response", "every target is gone, and nodes are below 10 mm"};
            if (!missing.empty() && outcome.category != Category::pd) outcome = {Category::ne, "volume 12 not evaluable", "the volume is incomplete: " + missing};
            if (missing.empty() && !all_gone) {
                const auto& other = volume_rule(rule.name == "ellipsoid-30/20" ? "exact-sphere" : "ellipsoid-30/20");
                inputs.emplace_back("by " + std::string(other.name), std::string(name(volume_response(sums, other).category)));
            }
            decide(walk, row, point, outcome);
        }
        if (missing.empty() && sums.current < sums.nadir) {
            sums.nadir = sums.current;
            nadir_at = walk.at(row);
        }
        walk.out.timepoints.push_back(std::move(point));
    }
    finish(walk, best_response_rules(walk.context.policies));
}

/// Mean attenuation of the targets that are there, weighted by volume; empty with the reason where it is not known.
std::optional<Density> density_at(const Walk& walk, std::size_t t, std::string& why)
{
    double weighted = 0, weight = 0;
    std::size_t there = 0;
    bool lacks_volume = false;
    for (const auto& target : targets_at(walk.context, t)) {
        if (target.reading.merged || (!target.reading.parts.empty() && total(target.reading) == Length{})) continue;
        if (!target.observation || !target.observation->hu_mean) {
            why = target.lesion->id + " has no mean HU at " + walk.context.timepoint(t).id;
            return std::nullopt;
        }
        ++there;
        lacks_volume = lacks_volume || !target.observation->volume_ml;
        const double share = target.observation->volume_ml.value_or(1);
        weighted += share * *target.observation->hu_mean;
        weight += share;
    }
    if (there > 1 && lacks_volume) why = "several targets, and not every volume is known at " + walk.context.timepoint(t).id + " to weight their HU by";
    else if (!(weight > 0)) why = "no target is left to measure HU in";
    if (!why.empty()) return std::nullopt;
    return Density::recorded(weighted / weight);
}

/// Why the densities of two studies cannot be compared; empty = they can (clinical.md 6.6).
std::string density_obstacle(const Walk& walk, std::size_t before, std::size_t now)
{
    const auto& a = walk.context.timepoint(before).study;
    const auto& b = walk.context.timepoint(now).study;
    const auto stated = [](const std::string& text) { return text.empty() ? std::string("not stated") : text; };
    if (walk.context.policies.value("choi_phases") == "portal-venous" && (a.phase != "portal-venous" || b.phase != "portal-venous")) {
        return "not both studies are stated portal-venous (" + stated(a.phase) + ", " + stated(b.phase) + ")";
    }
    if (!a.kvp || !b.kvp) return "kVp is not stated of both studies";
    if (std::abs(*a.kvp - *b.kvp) > kMostKvpDifference) return "kVp differs by more than 20 (" + fixed(*a.kvp, 0) + ", " + fixed(*b.kvp, 0) + ")";
    if (a.image_kind.empty() || b.image_kind.empty()) return "the kind of image is not stated of both studies";
    if (a.image_kind != b.image_kind) return "the kind of image differs (" + stated(a.image_kind) + ", " + stated(b.image_kind) + ")";
    if (a.image_kind != "attenuation" && a.image_kind != "monoenergetic") return "the images are " + a.image_kind + ", not attenuation";
    return "";
}

void judge_choi(Walk& walk, bool modified)
{
    const auto limits = walk.context.policies.value("choi_limits") == "strict" ? ChoiLimits::strict : ChoiLimits::inclusive;
    const bool from_nadir = walk.context.policies.value("choi_reference") == "nadir";
    std::string no_baseline_hu;
    const auto baseline_hu = density_at(walk, walk.at(0), no_baseline_hu);
    std::size_t nadir_at = walk.at(0);
    bool ever_judged = false;
    std::string obstacle_of_all;
    for (std::size_t row = 0; row < walk.recist.rows.size(); ++row) {
        const auto& from = walk.recist.rows[row];
        auto point = started(walk, row);
        if (!point.is_baseline && from.overall.category == Category::none) {
            walk.out.timepoints.push_back(std::move(point));
            continue;
        }
        if (from.sum) point.value = from.sum->as_mm();
        point.baseline = from.baseline_sum->as_mm();
        point.nadir = from.is_baseline ? from.baseline_sum->as_mm() : from.nadir_sum->as_mm();
        add_values(walk, point, nadir_at, 2);
        if (row == 0) {
            point.by_density = baseline_hu.has_value();
            point.decision.inputs.emplace_back("mean HU", baseline_hu ? baseline_hu->text() : no_baseline_hu);
            walk.out.timepoints.push_back(std::move(point));
            continue;
        }
        std::string obstacle = baseline_hu ? density_obstacle(walk, walk.at(0), walk.at(row)) : no_baseline_hu;
        std::optional<Density> hu;
        if (obstacle.empty()) hu = density_at(walk, walk.at(row), obstacle);
        ChoiFacts facts;
        facts.baseline = *from.baseline_sum;
        facts.growth_reference = from_nadir ? *from.nadir_sum : *from.baseline_sum;
        facts.current = from.sum.value_or(Length{});
        facts.all_gone = from.target == Category::cr;
        facts.new_lesion = from.new_lesions == NewLesions::unequivocal;
        facts.non_target_progression = from.non_target == Category::pd;
        for (const auto& observation : walk.context.timepoint(walk.at(row)).observations) facts.nodule = facts.nodule || observation.nodule;
        if (obstacle.empty()) {
            facts.baseline_hu = baseline_hu;
            facts.current_hu = hu;
        }
        auto& inputs = point.decision.inputs;
        point.by_density = hu.has_value();
        inputs.emplace_back("mean HU", hu ? hu->text() : "not judged");
        if (baseline_hu) inputs.emplace_back("baseline mean HU", baseline_hu->text());
        inputs.emplace_back("limits of PR", "at most " + fixed(0.9 * facts.baseline.as_mm(), 2) + " mm" + (hu ? ", " + fixed(0.85 * static_cast<double>(baseline_hu->hundredths) / 100, 2) + " HU" : ""));
        inputs.emplace_back("limit of PD", "at least " + fixed(1.1 * facts.growth_reference.as_mm(), 2) + " mm");
        if (facts.nodule) inputs.emplace_back("nodule inside the tumour", "new or growing");
        auto answer = modified ? modified_choi(facts, limits) : choi(facts, limits);
        const bool elsewhere = facts.new_lesion || facts.nodule || facts.non_target_progression;
        if (!from.sum && !elsewhere) answer = {{Category::ne, std::string(criterion_title(walk.out.criterion)) + " 10.1 not evaluable", "the sum is incomplete"}};
        const bool settled = elsewhere || facts.all_gone;  // without a look at the density
        if (!answer.density_judged && !settled) {
            point.decision.notices.push_back({Code::density_not_comparable, "density is not judged, size alone is: " + (obstacle.empty() ? "the baseline is not above 0 HU" : obstacle)});
            if (obstacle_of_all.empty()) obstacle_of_all = obstacle.empty() ? "the baseline is not above 0 HU" : obstacle;
        }
        ever_judged = ever_judged || answer.density_judged || settled;
        if (answer.responds_while_growing) point.decision.notices.push_back({Code::response_while_growing, "a response by density while the size grows"});
        if (answer.at_limit) point.decision.notices.push_back({Code::at_limit, "the change lies exactly on a limit; the source writes both \"at least\" and \"more than\", and choi_limits=" + walk.context.policies.value("choi_limits") + " decided"});
        decide(walk, row, point, answer.outcome);
        if (from.sum && *from.sum < *from.nadir_sum) nadir_at = walk.at(row);
        walk.out.timepoints.push_back(std::move(point));
    }
    if (modified && !ever_judged && !obstacle_of_all.empty()) walk.out.not_applicable = "its density was comparable at no study: " + obstacle_of_all;
    finish(walk, best_response_rules(walk.context.policies));
}

void judge_immune(Walk& walk)
{
    if (walk.context.policies.value("irecist_for") == "immunotherapy-lines") {
        const auto& treatments = walk.context.patient.treatments;
        const bool stated = walk.context.period.is_line && std::any_of(treatments.begin(), treatments.end(), [&](const auto& t) { return t.line == walk.context.period.line && t.immunotherapy; });
        if (!stated) {
            walk.out.not_applicable = walk.context.period.label + " is not stated as immunotherapy";
            return;
        }
    }
    const auto immune = immune_period(walk.context, walk.recist.rows);
    const auto rules = best_response_rules(walk.context.policies);
    std::size_t judged = 0;
    for (std::size_t row = 0; row < walk.recist.rows.size(); ++row) {
        const auto& from = walk.recist.rows[row];
        auto point = started(walk, row);
        if (from.sum) point.value = from.sum->as_mm();
        if (from.baseline_sum) point.baseline = from.baseline_sum->as_mm();
        if (from.nadir_sum) point.nadir = from.nadir_sum->as_mm();
        point.nadir_timepoint = from.nadir_timepoint;
        point.change_from_baseline_pct = from.change_from_baseline_pct;
        point.change_from_nadir_pct = from.change_from_nadir_pct;
        if (!from.is_baseline && from.overall.category != Category::none) {
            const auto& outcome = immune.outcomes[judged];
            point.target = from.target;
            point.decision.category = outcome.outcome.category;
            point.decision.rule = outcome.outcome.rule;
            point.decision.reason = outcome.outcome.reason;
            point.decision.inputs = from.overall.inputs;
            point.decision.inputs.insert(point.decision.inputs.end(), immune.inputs[judged].begin(), immune.inputs[judged].end());
            if (outcome.first) {
                const auto opened = walk.context.period.follow_ups[*outcome.first];
                point.decision.inputs.emplace_back("progression first seen", walk.context.named(opened));
            }
            const auto category = outcome.outcome.category;
            if (category == Category::icr || category == Category::ipr) point.confirmed = confirmation(immune.plain, judged, rules).has_value();
            ++judged;
        }
        walk.out.timepoints.push_back(std::move(point));
    }
    walk.out.summary = summarised(walk.context, immune.for_times, {"irecist", "iRECIST"}, rules, immune_best_response(walk.context.period.start, immune.series, rules));
    auto& best = walk.out.summary.best_overall_response;
    best.inputs.clear();
    for (const auto& s : immune.series) best.inputs.emplace_back(walk.context.timeline.text(s.date), std::string(name(s.category)));
}

CriterionPeriod judged(const PeriodContext& context, const RecistPeriod& recist, const std::string& criterion)
{
    Walk walk{context, recist, {}, {}};
    auto& out = walk.out;
    out.criterion = criterion;
    out.line = context.period.line;
    out.period = context.period.label;
    const bool products = criterion == "who", volumes = criterion == "volume";
    out.quantity = products ? "sum of products" : volumes ? "sum of volumes" : "sum of diameters";
    out.unit = products ? "mm2" : volumes ? "ml" : "mm";
    out.summary.line = out.line;
    out.summary.period = out.period;
    out.summary.best_overall_response.criterion = criterion;
    out.summary.best_overall_response.category = Category::none;
    if (!context.period.baseline) {
        out.not_applicable = "no valid baseline: " + context.period.without_baseline;
    } else if (context.lesions.targets.empty() && criterion != "irecist") {
        out.not_applicable = "no target disease at the baseline";
    } else if (products) {
        judge_who(walk);
    } else if (volumes) {
        judge_volume(walk);
    } else if (criterion == "irecist") {
        judge_immune(walk);
    } else {
        judge_choi(walk, criterion == "modified-choi");
    }
    if (!out.not_applicable.empty()) {
        out.timepoints.clear();
        out.summary.best_overall_response.reason = "not applicable: " + out.not_applicable;
    }
    return std::move(walk.out);
}

/// What two criteria must share to agree; empty for what says nothing.
std::string_view meaning(Category category)
{
    switch (category) {
    case Category::cr:
    case Category::icr: return "complete response";
    case Category::pr:
    case Category::ipr: return "partial response";
    case Category::sd:
    case Category::isd: return "stable disease";
    case Category::non_cr_non_pd:
    case Category::non_icr_non_iupd: return "disease that persists";
    case Category::pd:
    case Category::icpd: return "progression";
    case Category::iupd: return "unconfirmed progression";
    default: return "";
    }
}

struct Row {
    std::string timepoint;
    std::string period;
    int line = 0;
    const Decision* decision = nullptr;
};

std::vector<Row> rows_of(const std::string& criterion, const std::vector<RecistTimepoint>& recist, const std::vector<CriterionPeriod>& others)
{
    std::vector<Row> out;
    if (criterion == kNames.front()) {
        for (const auto& row : recist) out.push_back({row.timepoint, row.period, row.line, &row.overall});
    }
    for (const auto& period : others) {
        if (period.criterion != criterion) continue;
        for (const auto& point : period.timepoints) out.push_back({point.timepoint, period.period, period.line, &point.decision});
    }
    return out;
}

}  // namespace

std::span<const std::string_view> criterion_names() { return kNames; }

std::string_view criterion_title(std::string_view name)
{
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return kTitles[i];
    }
    return name;
}

std::vector<CriterionPeriod> further_criteria(const PeriodContext& context, const RecistPeriod& recist, const std::vector<std::string>& names)
{
    std::vector<CriterionPeriod> out;
    for (const auto& name : names) out.push_back(judged(context, recist, name));
    return out;
}

std::vector<Disagreement> disagreements(const std::string& primary, const std::vector<RecistTimepoint>& recist, const std::vector<CriterionPeriod>& others)
{
    std::vector<Disagreement> out;
    const auto own = rows_of(primary, recist, others);
    for (const auto other : kNames) {
        if (other == primary) continue;
        for (const auto& theirs : rows_of(std::string(other), recist, others)) {
            const auto found = std::find_if(own.begin(), own.end(), [&](const auto& o) { return o.timepoint == theirs.timepoint && o.period == theirs.period; });
            if (found == own.end()) continue;
            const auto mine = meaning(found->decision->category), their = meaning(theirs.decision->category);
            if (mine.empty() || their.empty() || mine == their) continue;
            Disagreement now{theirs.timepoint, theirs.line, theirs.period, primary, found->decision->category, std::string(other), theirs.decision->category, ""};
            now.reason = std::string(criterion_title(primary)) + " " + std::string(name(now.primary_category)) + ": " + found->decision->reason + "; but " + std::string(criterion_title(other)) + " " +
                         std::string(name(now.other_category)) + ": " + theirs.decision->reason;
            out.push_back(std::move(now));
        }
    }
    return out;
}

}  // namespace retromass::response
