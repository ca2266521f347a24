#include "measurement/response/irecist.h"

#include <algorithm>

namespace retromass::response {
namespace {

constexpr Length kConfirmingGrowth = Length::mm(5);

/// A progression that waits for its confirmation.
struct Block {
    std::size_t first = 0;
    bool by_target = false;              ///< waits for its confirmation
    bool by_non_target = false;
    bool by_new_lesion = false;
    bool target_had = false;             ///< progressed in this block, even if it fell back since
    bool non_target_had = false;
    std::optional<Length> sum;           ///< at the first iUPD by the targets
    long new_lesions = 0;
    std::optional<Length> new_target_sum;
    Category before = Category::ne;      ///< the targets' and non-targets' response without the new lesion, at `first`
    bool non_target_held = false;        ///< non-target disease never fell back from the unequivocal level
    bool non_target_increased = false;   ///< since `first`, scans too early to confirm included
    bool new_non_target_increased = false;
};

std::string days(long count) { return std::to_string(count) + " days"; }

Category immune(Category category)
{
    switch (category) {
    case Category::cr: return Category::icr;
    case Category::pr: return Category::ipr;
    case Category::sd: return Category::isd;
    case Category::non_cr_non_pd: return Category::non_icr_non_iupd;
    case Category::pd: return Category::iupd;
    default: return category;
    }
}

int rank(Category category)
{
    switch (category) {
    case Category::cr: return 0;
    case Category::pr: return 1;
    case Category::sd:
    case Category::non_cr_non_pd: return 2;
    case Category::pd: return 3;
    default: return 4;
    }
}

Category non_target_category(ImmuneNonTarget now)
{
    switch (now) {
    case ImmuneNonTarget::none_at_baseline: return Category::na;
    case ImmuneNonTarget::absent: return Category::cr;
    case ImmuneNonTarget::unequivocal: return Category::pd;
    case ImmuneNonTarget::not_evaluable: return Category::ne;
    default: return Category::non_cr_non_pd;
    }
}

bool gone(const ImmuneTimepoint& t) { return t.new_lesions_gone || (t.new_target_sum == Length{} && !t.new_non_target); }

/// Walks through the time points of one patient and period.
class Walk {
public:
    Walk(Length baseline, const ImmuneRules& rules) : rules_(rules), baseline_(baseline), nadir_(baseline) {}

    ImmuneOutcome next(const ImmuneTimepoint& now, std::size_t index)
    {
        index_ = index;
        target_ = target_of(now);
        non_target_ = non_target_of(now);
        if (confirmed_) return after_confirmation(now);
        if (block_) return within_block(now);
        return fresh(now);
    }

private:
    Category target_of(const ImmuneTimepoint& now) const
    {
        if (!now.has_targets) return Category::na;
        if (after_cr() && (now.target_seen || (now.sum && !now.targets_gone))) return Category::pd;
        if (!now.sum) return progressed(now.partial, nadir_) ? Category::pd : Category::ne;
        if (now.targets_gone) return Category::cr;
        return target_from_sums({baseline_, nadir_, *now.sum, pr_stands()}, rules_.persistence);
    }

    /// A response stands once assigned; where confirmation is required, once confirmed.
    bool pr_stands() const
    {
        for (std::size_t i = 0; i < targets_.size(); ++i) {
            if (targets_[i].category != Category::pr && targets_[i].category != Category::cr) continue;
            if (!rules_.confirmation || confirmation(targets_, i, *rules_.confirmation)) return true;
        }
        return false;
    }

    Category non_target_of(const ImmuneTimepoint& now) const
    {
        const auto category = non_target_category(now.non_target);
        return after_cr() && category == Category::non_cr_non_pd ? Category::pd : category;
    }

    /// Any disease of the baseline that is back is then progression (rules 4.7, 6.6).
    bool after_cr() const { return overall_cr_ && rules_.disease_after_cr_progresses; }

    /// What the lesions of the baseline alone would be.
    Outcome without_new_lesions() const { return overall_response(target_, non_target_, NewLesions::none); }

    bool new_lesions_progress(const ImmuneTimepoint& now, std::string& why) const
    {
        if (now.new_lesions > known_new_) {
            why = std::to_string(now.new_lesions - known_new_) + (now.new_lesions - known_new_ == 1 ? " new lesion" : " new lesions");
        } else if (now.new_target_sum && new_nadir_ && progressed(*now.new_target_sum, *new_nadir_)) {
            why = "the new lesions grew by 20 % and 5 mm over their own nadir, to " + now.new_target_sum->text() + " mm";
        } else if (now.new_non_target_unequivocal) {
            why = "the new lesions that are not measured progressed unequivocally";
        }
        return !why.empty();
    }

    ImmuneOutcome open(const ImmuneTimepoint& now, const std::string& why, bool by_new)
    {
        Block block;
        block.first = index_;
        block.by_target = target_ == Category::pd;
        block.by_non_target = non_target_ == Category::pd;
        block.by_new_lesion = by_new;
        block.target_had = block.by_target;
        block.non_target_had = block.by_non_target;
        if (block.by_target) block.sum = now.sum;
        block.new_lesions = now.new_lesions;
        block.new_target_sum = now.new_target_sum;
        block.before = without_new_lesions().category;
        block.non_target_held = block.by_non_target;
        block_ = block;
        block_date_ = now.date;
        remember(now);
        return {{Category::iupd, "iRECIST 9.1 unconfirmed progression", "progression by RECIST 1.1 that a later study has to confirm: " + why}, index_};
    }

    /// Outside any waiting progression.
    ImmuneOutcome fresh(const ImmuneTimepoint& now)
    {
        std::string why;
        const bool by_new = new_lesions_progress(now, why);
        if (target_ == Category::pd) why.append(why.empty() ? "" : "; ").append(after_cr() ? "a target is seen again after an overall complete response" : "the targets reached the limit above the nadir");
        if (non_target_ == Category::pd) why.append(why.empty() ? "" : "; ").append(after_cr() ? "non-target disease is seen again after an overall complete response" : "non-target disease progressed unequivocally");
        if (!why.empty()) return open(now, why, by_new);
        return assign(now, "iRECIST 9.1 ");
    }

    /// The response of the baseline's lesions; new lesions that are still there bar only a complete one.
    ImmuneOutcome assign(const ImmuneTimepoint& now, const std::string& rule)
    {
        auto outcome = without_new_lesions();
        remember(now);
        if (!now.new_lesions_known && outcome.category != Category::ne) {
            return {{Category::ne, "definitions 5.2 new lesions not stated", "not evaluable: new lesions not stated; without new lesions " + std::string(name(immune(outcome.category)))}, {}};
        }
        if (outcome.category == Category::cr && now.new_lesions > 0 && !gone(now)) {
            outcome.category = Category::pr;
            outcome.reason = "all lesions of the baseline are gone, but a new lesion is still there";
        }
        overall_cr_ = overall_cr_ || outcome.category == Category::cr;
        return {{immune(outcome.category), rule + std::string(name(immune(outcome.category))), outcome.reason}, {}};
    }

    ImmuneOutcome within_block(const ImmuneTimepoint& now)
    {
        auto& block = *block_;
        const long since = days_between(block_date_, now.date);
        if (now.non_target == ImmuneNonTarget::increased || now.non_target_grew) block.non_target_increased = block.non_target_increased || block.non_target_held;
        block.new_non_target_increased = block.new_non_target_increased || now.new_non_target_increased || now.new_non_target_unequivocal;
        const bool early_confirms = now.new_symptom && now.new_lesions > block.new_lesions;
        if (since < rules_.min_days && !early_confirms) {
            return {{Category::iupd, "iRECIST 9.2 too early to confirm", "only " + days(since) + " after the unconfirmed progression, " + days(rules_.min_days) + " are needed: repeat"}, block.first};
        }
        if (auto why = confirmed_by(now); !why.empty()) {
            confirmed_ = true;
            remember(now);
            return {{Category::icpd, "iRECIST 9.3 confirmed progression", "the progression is confirmed after " + days(since) + ": " + why}, block.first};
        }
        if (auto why = persists(now); !why.empty()) {
            // A part that fell back is no longer waiting: should it progress again, it does so anew.
            if (non_target_ == Category::cr || (non_target_ == Category::non_cr_non_pd && now.non_target == ImmuneNonTarget::present)) block.by_non_target = block.non_target_held = false;
            if (target_ != Category::pd && target_ != Category::ne) block.by_target = false;
            // What was incomplete at the first iUPD is counted from the first complete sum after it.
            if (block.target_had && !block.sum) block.sum = now.sum;
            if (!block.new_target_sum) block.new_target_sum = now.new_target_sum;
            remember(now);
            return {{Category::iupd, "iRECIST 9.7 progression still unconfirmed", why}, block.first};
        }
        const auto outcome = without_new_lesions();
        const bool unseen = (block.by_target && target_ == Category::ne) || (block.by_non_target && now.non_target == ImmuneNonTarget::not_evaluable) ||
                            (block.by_new_lesion && !now.new_lesions_known);
        if (outcome.category == Category::ne || unseen) {
            remember(now);
            return {{Category::ne, "iRECIST 9.2 not evaluable", "what progressed was not evaluated, so the progression is neither confirmed nor refuted"}, {}};
        }
        block_.reset();
        return assign(now, "iRECIST 9.6 reset to ");
    }

    /// Why the waiting progression is confirmed; empty = it is not.
    std::string confirmed_by(const ImmuneTimepoint& now) const
    {
        const auto& block = *block_;
        const auto sum = now.sum.value_or(now.partial);  // of an incomplete one what was measured alone may be enough
        if (block.target_had && block.sum && sum - *block.sum >= kConfirmingGrowth) {
            return "the targets grew by a further " + (sum - *block.sum).text() + " mm, to " + sum.text() + " mm";
        }
        if (block.by_non_target && block.non_target_increased) return "non-target disease increased further";
        if (now.new_lesions > block.new_lesions) return block.by_new_lesion ? "there are more new lesions" : "a new lesion appeared";
        if (block.by_new_lesion && block.new_target_sum && now.new_target_sum && *now.new_target_sum - *block.new_target_sum >= kConfirmingGrowth) {
            return "the new lesions grew by " + (*now.new_target_sum - *block.new_target_sum).text() + " mm";
        }
        if (block.by_new_lesion && block.new_non_target_increased) return "a new lesion that is not measured increased";
        if (std::string why; !block.by_new_lesion && new_lesions_progress(now, why)) return why;
        if (!block.target_had && target_ == Category::pd) return "now the targets progressed as well";
        if (!block.non_target_had && non_target_ == Category::pd) return "now non-target disease progressed as well";
        return "";
    }

    /// Why it stands unconfirmed; empty = it does not stand.
    std::string persists(const ImmuneTimepoint& now) const
    {
        const auto& block = *block_;
        if (target_ == Category::pd) return "the targets are still progression and did not grow by a further 5 mm";
        if (non_target_ == Category::pd) return "non-target disease is still progression and did not increase further";
        // A stable new lesion gives way only to a response of the baseline's lesions that came after it (rule 9.8).
        const auto category = without_new_lesions().category;
        if (block.by_new_lesion && !gone(now) && category != Category::ne && rank(category) >= rank(block.before)) return "the new lesion is unchanged, and the lesions of the baseline did not respond since";
        return "";
    }

    ImmuneOutcome after_confirmation(const ImmuneTimepoint& now)
    {
        const auto outcome = without_new_lesions();
        if (outcome.category == Category::pd || !persists(now).empty()) {
            return {{Category::icpd, "iRECIST 9.11 after confirmed progression", "progression was confirmed before; it persists"}, block_->first};
        }
        auto out = assign(now, "iRECIST 9.11 after confirmed progression: ");
        out.outcome.reason += "; after a confirmed progression nothing counts";
        return out;
    }

    void remember(const ImmuneTimepoint& now)
    {
        if (now.sum) nadir_ = std::min(nadir_, *now.sum);
        if (target_ == Category::pd) targets_.clear();  // a response stands until progression
        targets_.push_back({now.date, target_, now.may_confirm});
        if (now.new_lesions > known_new_) new_nadir_.reset();  // a sum of fewer lesions is no nadir of more
        known_new_ = std::max(known_new_, now.new_lesions);
        if (now.new_target_sum && now.new_lesions > 0 && (!new_nadir_ || *now.new_target_sum < *new_nadir_)) new_nadir_ = now.new_target_sum;
    }

    ImmuneRules rules_;
    Length baseline_;
    Length nadir_;                       ///< smallest complete sum before
    std::vector<DatedResponse> targets_; ///< what the targets were since their last progression
    bool overall_cr_ = false;            ///< an iCR was assigned before
    Category target_ = Category::na;
    Category non_target_ = Category::na;
    std::size_t index_ = 0;
    std::optional<Block> block_;
    Date block_date_;
    bool confirmed_ = false;
    long known_new_ = 0;
    std::optional<Length> new_nadir_;    ///< of the new lesions' own sum
};

}  // namespace

std::vector<ImmuneOutcome> immune_responses(Length baseline, std::span<const ImmuneTimepoint> timepoints, const ImmuneRules& rules)
{
    Walk walk(baseline, rules);
    std::vector<ImmuneOutcome> out;
    for (std::size_t i = 0; i < timepoints.size(); ++i) out.push_back(walk.next(timepoints[i], i));
    return out;
}

std::optional<ImmuneProgression> immune_progression(std::span<const ImmuneOutcome> outcomes)
{
    std::optional<ImmuneProgression> open;
    for (const auto& now : outcomes) {
        switch (now.outcome.category) {
        case Category::icpd: return ImmuneProgression{*now.first, true};
        case Category::iupd: open = ImmuneProgression{*now.first, false}; break;
        case Category::ne:
        case Category::none: break;  // refutes nothing
        default: open.reset();
        }
    }
    return open;
}

BestResponse immune_best_response(Date reference, std::span<const DatedResponse> given, const BestResponseRules& rules)
{
    std::vector<DatedResponse> series(given.begin(), given.end());
    const auto confirmed = std::find_if(series.begin(), series.end(), [](const auto& s) { return s.category == Category::icpd; });
    if (confirmed != series.end()) series.erase(confirmed + 1, series.end());
    if (series.empty()) return {rules.without_assessment, {}, {}, "iRECIST 9.12 no assessment", "nothing was assessed after the baseline"};
    // Confirmation asks RECIST's question; an unconfirmed progression between a response and its repeat breaks it.
    auto plain = series;
    for (auto& s : plain) {
        s.category = s.category == Category::icr ? Category::cr : s.category == Category::ipr ? Category::pr : s.category == Category::isd ? Category::sd
                     : s.category == Category::iupd || s.category == Category::icpd ? Category::pd : s.category;
    }
    for (const auto wanted : {Category::icr, Category::ipr}) {
        for (std::size_t i = 0; i < series.size(); ++i) {
            const bool better = wanted == Category::ipr && series[i].category == Category::icr;  // a CR that was not confirmed may be a PR that was
            if (series[i].category != wanted && !better) continue;
            plain[i].category = wanted == Category::icr ? Category::cr : Category::pr;
            const auto on = confirmation(plain, i, rules);
            if (rules.confirm && !on) continue;
            return {wanted, series[i].date, on, "iRECIST 9.12 best response", std::string(name(wanted)) + (on ? " confirmed at least " + days(rules.confirm_min_days) + " later" : " not confirmed by a later assessment; confirmation is not required")};
        }
    }
    const auto late = [&](const DatedResponse& s) { return days_between(reference, s.date) >= rules.sd_min_days; };
    const auto find = [&](auto test) { return std::find_if(series.begin(), series.end(), test); };
    const std::string minimum = days(rules.sd_min_days) + " after the start";
    if (const auto sd = find([&](const auto& s) { return late(s) && (s.category == Category::isd || s.category == Category::icr || s.category == Category::ipr); }); sd != series.end()) {
        return {Category::isd, sd->date, {}, "iRECIST 9.12 best response", sd->category == Category::isd ? "stable disease at least " + minimum : "a response was not confirmed, and stable disease was reached at least " + minimum};
    }
    if (const auto same = find([&](const auto& s) { return late(s) && s.category == Category::non_icr_non_iupd; }); same != series.end()) {
        return {Category::non_icr_non_iupd, same->date, {}, "iRECIST 9.12 best response", "non-target disease persisted at least " + minimum};
    }
    for (const auto worse : {Category::icpd, Category::iupd}) {
        if (const auto found = find([&](const auto& s) { return s.category == worse; }); found != series.end()) {
            return {worse, found->date, {}, "iRECIST 9.12 best response", worse == Category::icpd ? "progression was confirmed before any response or a sufficiently long stable disease" : "progression was never confirmed, and nothing better was seen"};
        }
    }
    return {Category::ne, series.front().date, {}, "iRECIST 9.12 not evaluable", "no assessment could be evaluated, or none lies " + minimum};
}

}  // namespace retromass::response
