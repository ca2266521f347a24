#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <system_error>

#include "core/units.h"
#include "pipeline/batch/batch.h"
#include "pipeline/batch/files.h"
#include "pipeline/batch/review_page.h"
#include "pipeline/batch/state.h"
#include "pipeline/outputs/outputs.h"
#include "pipeline/run/run.h"

namespace retromass::batch {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Notices that no look at pictures settles, or that a case gets whatever it looks like. Every other one, also one that is new to this list, is a flag.
constexpr std::array kNothingToSee{Code::unreviewed, Code::interval_not_validated, Code::new_lesions_not_stated, Code::no_valid_baseline, Code::series_chosen, Code::treated_locally,
                                   Code::treatment_effect, Code::fast_growth_pair, Code::patient_not_compared, Code::synthetic_patient, Code::outside_protocol};
constexpr double kDiffers = 0.10;     ///< one repeat in ten of another category is near a limit
constexpr double kNear_pct = 3;       ///< without an interval: one pixel of 0.8 mm more or less on 30 mm
constexpr double kPartialResponse_pct = -30, kProgression_pct = 20;  // RECIST 1.1

std::string text(const json& from, const char* key) { return from.is_object() && from.contains(key) && from[key].is_string() ? from[key].get<std::string>() : std::string(); }

json at(const json& from, const char* key) { return from.is_object() && from.contains(key) ? from[key] : json(); }

/// What speaks for a look, in the order of need.
struct Need {
    Rank rank = Rank::random;
    std::set<std::string> why;

    void add(Rank r, const std::string& reason)
    {
        rank = std::min(rank, r);
        why.insert(reason);
    }
};

void take_notices(Need& need, const json& notices, const std::string& of)
{
    for (const auto& notice : notices) {
        const auto code = code_named(text(notice, "code"));
        if (code && std::find(kNothingToSee.begin(), kNothingToSee.end(), *code) != kNothingToSee.end()) continue;
        const auto rank = code == Code::at_limit ? Rank::threshold : code == Code::criteria_disagree ? Rank::disagreement : Rank::flag;
        need.add(rank, (of.empty() ? "" : of + ": ") + text(notice, "code") + ", " + text(notice, "text"));
    }
}

/// Whether it is known how often the category would differ in a repeat; often is a reason.
bool take_repeats(Need& need, const json& row)
{
    const auto differs = at(at(row, "repeats"), "differs");
    if (differs.is_number() && differs.get<double>() >= kDiffers) need.add(Rank::threshold, text(row, "timepoint") + ": another category in about " + fixed(100 * differs.get<double>(), 0) + " of 100 repeats");
    return differs.is_number();
}

/// A category that another measurement of the same scans might change.
void take_threshold(Need& need, const json& row)
{
    if (take_repeats(need, row)) return;
    const auto timepoint = text(row, "timepoint");
    const auto near = [&](const char* key, double limit) {
        const auto change = at(row, key);
        if (change.is_number() && std::abs(change.get<double>() - limit) <= kNear_pct) need.add(Rank::threshold, timepoint + ": " + fixed(change.get<double>(), 1) + " % is near the limit of " + fixed(limit, 0) + " %");
    };
    near("change_from_baseline_pct", kPartialResponse_pct);
    near("change_from_nadir_pct", kProgression_pct);
}

Need need_of(const json& result)
{
    Need need;
    take_notices(need, at(result, "notices"), "");
    for (const auto& timepoint : at(result, "timepoints")) {
        take_notices(need, at(timepoint, "notices"), text(timepoint, "id"));
        for (const auto& lesion : at(timepoint, "lesions")) {
            const auto where = text(timepoint, "id") + ", " + text(lesion, "id");
            take_notices(need, at(lesion, "notices"), where);
            if (text(lesion, "status") == "not-evaluable") need.add(Rank::flag, where + ": not evaluable, " + text(lesion, "reason"));
        }
    }
    const auto response = at(result, "response");
    for (const auto& row : at(response, "recist")) {
        take_notices(need, at(at(row, "overall"), "notices"), text(row, "timepoint"));
        take_threshold(need, row);
    }
    for (const auto& period : at(response, "criteria")) {
        if (text(period, "role") != "primary") continue;
        for (const auto& point : at(period, "timepoints")) take_repeats(need, point);
    }
    for (const auto& other : at(response, "disagreements")) {
        need.add(Rank::disagreement, text(other, "timepoint") + ": " + text(other, "primary") + " " + text(other, "primary_category") + ", " + text(other, "other") + " " + text(other, "other_category"));
    }
    return need;
}

std::string size_of(const json& lesion, const char* quantity, int decimals)
{
    const auto value = at(at(lesion, quantity), "value");
    if (!value.is_number()) return {};
    const auto notices = at(lesion, "notices");
    const bool cut = std::any_of(notices.begin(), notices.end(), [](const auto& notice) { return text(notice, "code") == name(Code::truncated); });
    return (cut ? ">= " : "") + fixed(value.get<double>(), decimals);
}

void take_figures(ReviewCard& card, const json& result)
{
    std::map<std::string, std::string> category;  // of the primary criterion; the last period of a time point counts
    for (const auto& row : at(at(result, "response"), "recist")) {
        const bool baseline = at(row, "is_baseline").is_boolean() && row["is_baseline"].get<bool>();
        category[text(row, "timepoint")] = baseline ? "baseline" : text(at(row, "overall"), "category");
    }
    for (const auto& timepoint : at(result, "timepoints")) {
        for (const auto& lesion : at(timepoint, "lesions")) {
            card.figures.push_back({text(timepoint, "id"), text(lesion, "id"), text(lesion, "status"), size_of(lesion, "long_axis_mm", 1), size_of(lesion, "short_axis_mm", 1), size_of(lesion, "craniocaudal_mm", 1),
                                    size_of(lesion, "volume_ml", 2), category[text(timepoint, "id")]});
        }
    }
    card.synthetic = at(result, "synthetic").is_boolean() && result["synthetic"].get<bool>();
}

/// The axial key images and sheets; other planes are behind the link to the report.
void take_pictures(ReviewCard& card, const fs::path& folder)
{
    std::error_code error;
    std::vector<fs::path> files;
    for (fs::directory_iterator it(folder / "images", error), end; !error && it != end; it.increment(error)) {
        if (it->path().filename().string().ends_with("-axial.png")) files.push_back(it->path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) card.pictures.push_back({file.stem().string(), text_of(file).value_or("")});
}

/// What a prompt can be given for, from the case file.
void take_places(ReviewCard& card, const PlannedCase& planned)
{
    const auto file = run::read_case(planned.case_file);
    if (!file) return;
    for (const auto& timepoint : file->timepoints) card.timepoints.push_back(timepoint.id);
    for (const auto& lesion : file->lesions) card.lesions.push_back(lesion.lesion.id);
}

}  // namespace

Status write_review(const Plan& plan, const fs::path& file, const ReviewParameters& parameters)
{
    ReviewPage page;
    page.plan_sha256 = plan_hash(plan);
    page.reader = parameters.reader;
    std::vector<ReviewCard> unremarkable;
    std::set<std::string> decided;  // of those
    for (const auto& planned : plan.cases) {
        const auto state = state_of(plan, planned);
        if (state.state == State::pending || state.state == State::running || state.state == State::outdated) {
            ++page.not_run;
            continue;
        }
        const auto key = key_of(plan, planned);
        const bool decided_before = key && decision_on(plan, planned, *key);
        page.decided_before += decided_before;
        if (decided_before && state.state != State::done) continue;
        ReviewCard card;
        card.id = planned.id;
        card.state = name(state.state);
        card.hash = review_hash(plan, planned, state);
        const auto folder = result_folder(plan, planned);
        if (state.state == State::done) {
            const auto result = json::parse(text_of(folder / "case.json").value_or(""), nullptr, false);
            if (const auto protocol = text(at(result, "response"), "protocol"); !protocol.empty()) page.protocols.insert(protocol);
            auto need = need_of(result);
            if (!result.is_object()) need.add(Rank::refusal, "case.json cannot be read: the result is damaged");
            card.rank = need.rank;
            card.why.assign(need.why.begin(), need.why.end());
            if (decided_before) {  // it counts for the share of those that nothing speaks against, or every further page would draw anew
                if (card.rank == Rank::random) decided.insert(card.id), unremarkable.push_back(std::move(card));
                continue;
            }
            take_figures(card, result);
            card.report = (folder / "report.html").lexically_relative(fs::absolute(file).lexically_normal().parent_path()).generic_string();
        } else {
            card.rank = Rank::refusal;
            card.why.push_back((state.code.empty() ? "" : state.code + ", ") + state.reason);
        }
        take_places(card, planned);
        (card.rank == Rank::random ? unremarkable : page.cards).push_back(std::move(card));
    }
    // A share of the cases that nothing speaks against: by the hash of seed and case, so that it is the same everywhere, and no one's choice.
    const auto place = [&](const ReviewCard& card) { return outputs::sha256_of_text(std::to_string(parameters.seed) + " " + card.id); };
    std::sort(unremarkable.begin(), unremarkable.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
    const auto wanted = static_cast<std::size_t>(std::ceil(static_cast<double>(unremarkable.size()) * parameters.share_pct / 100));
    int drawn = 0;
    for (std::size_t i = 0; i < std::min(wanted, unremarkable.size()); ++i) {
        if (decided.contains(unremarkable[i].id)) continue;
        ++drawn;
        unremarkable[i].why.push_back("nothing speaks against it; one of a random " + fixed(parameters.share_pct, 0) + " % (seed " + std::to_string(parameters.seed) + ")");
        page.cards.push_back(std::move(unremarkable[i]));
    }
    page.not_shown = static_cast<int>(unremarkable.size() - decided.size()) - drawn;
    std::stable_sort(page.cards.begin(), page.cards.end(), [](const auto& a, const auto& b) { return a.rank < b.rank; });
    const auto most = static_cast<std::size_t>(parameters.at_most);
    if (page.cards.size() > most) {
        page.later = static_cast<int>(page.cards.size() - most);
        page.cards.erase(page.cards.begin() + parameters.at_most, page.cards.end());
    }
    for (auto& card : page.cards) {
        if (!card.report.empty()) take_pictures(card, plan.folder / "results" / card.id);
    }
    return write_text(file, review_html(page));
}

}  // namespace retromass::batch
