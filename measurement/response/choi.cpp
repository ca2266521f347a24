#include "measurement/response/choi.h"

#include <cmath>

namespace retromass::response {
namespace {

struct Branches {
    bool size_response = false;
    bool size_progression = false;
    bool density_judged = false;
    bool density_response = false;
    bool at_limit = false;
};

/// Whether `left` reaches `right` from above; exactly on it by the reading of the limits.
bool at_most(std::int64_t left, std::int64_t right, ChoiLimits limits, bool& at_limit)
{
    at_limit = at_limit || left == right;
    return limits == ChoiLimits::inclusive ? left <= right : left < right;
}

Branches branches_of(const ChoiFacts& facts, ChoiLimits limits)
{
    Branches out;
    out.size_response = facts.current < facts.baseline && at_most(10 * facts.current.hundredths, 9 * facts.baseline.hundredths, limits, out.at_limit);                   // -10 %
    out.size_progression = facts.current > facts.growth_reference && at_most(11 * facts.growth_reference.hundredths, 10 * facts.current.hundredths, limits, out.at_limit);       // +10 %
    // A relative change from 0 HU or below has no meaning.
    out.density_judged = facts.baseline_hu && facts.current_hu && facts.baseline_hu->hundredths > 0;
    if (out.density_judged) out.density_response = at_most(20 * facts.current_hu->hundredths, 17 * facts.baseline_hu->hundredths, limits, out.at_limit);  // -15 %
    return out;
}

/// What both readings share: progression outside the size, and complete response.
std::optional<Outcome> settled(const ChoiFacts& facts, const std::string& criterion)
{
    if (facts.new_lesion) return Outcome{Category::pd, criterion + " 10.1 new lesion", "an unequivocal new lesion is progression"};
    if (facts.nodule) return Outcome{Category::pd, criterion + " 10.1 intratumoral nodule", "a new or growing nodule inside the tumour is progression"};
    if (facts.non_target_progression) return Outcome{Category::pd, criterion + " 10.1 other disease", "disease that is not measured progressed"};
    if (facts.all_gone) return Outcome{Category::cr, criterion + " 10.1 complete response", "all lesions are gone"};
    if (facts.baseline == Length{} && facts.current == Length{}) return Outcome{Category::ne, criterion + " 10.1 not evaluable", "there was no size at the baseline to compare with"};
    return std::nullopt;
}

std::string change_text(const ChoiFacts& facts, const Branches& b)
{
    const auto percent = [](double now, double before) {
        std::string out = now > before ? "+" : "";
        out += fixed(100 * (now - before) / before, 1) + " %";
        return out;
    };
    std::string out = "size " + (facts.baseline == Length{} ? "0 to " + facts.current.text() + " mm" : percent(facts.current.as_mm(), facts.baseline.as_mm()));
    if (!b.density_judged) return out + "; density not judged";
    return out + ", density " + percent(static_cast<double>(facts.current_hu->hundredths), static_cast<double>(facts.baseline_hu->hundredths));
}

}  // namespace

Density Density::recorded(double hu) { return {std::llround(hu * 100)}; }

std::string Density::text() const { return fixed(static_cast<double>(hundredths) / 100, 2) + " HU"; }

ChoiOutcome choi(const ChoiFacts& facts, ChoiLimits limits)
{
    if (auto outcome = settled(facts, "Choi")) return {*std::move(outcome)};
    const auto b = branches_of(facts, limits);
    ChoiOutcome out{{}, b.density_judged, b.at_limit, false};
    const std::string change = " (" + change_text(facts, b) + ")";
    if (b.size_response || b.density_response) {
        out.responds_while_growing = facts.current > facts.baseline;
        out.outcome = {Category::pr, "Choi 10.1 partial response",
                       (b.size_response && b.density_response ? "size fell by 10 % and density by 15 % or more" : b.size_response ? "size fell by 10 % or more" : "density fell by 15 % or more") + change};
    } else if (b.size_progression) {
        out.outcome = {Category::pd, "Choi 10.1 progressive disease", "size grew by 10 % or more without a response by density" + change};
    } else {
        out.outcome = {Category::sd, "Choi 10.1 stable disease", "neither size nor density reached a limit" + change};
    }
    return out;
}

ChoiOutcome modified_choi(const ChoiFacts& facts, ChoiLimits limits)
{
    if (auto outcome = settled(facts, "modified Choi")) return {*std::move(outcome)};
    const auto b = branches_of(facts, limits);
    ChoiOutcome out{{}, b.density_judged, b.at_limit, false};
    const std::string change = " (" + change_text(facts, b) + ")";
    if (b.size_response && !b.density_judged) {
        out.outcome = {Category::ne, "modified Choi 10.6 not evaluable", "size fell by 10 % or more, but a response needs the density too" + change};
    } else if (b.size_response && b.density_response) {
        out.outcome = {Category::pr, "modified Choi 10.6 partial response", "size fell by 10 % and density by 15 % or more" + change};
    } else if (b.size_progression && b.density_response) {
        out.outcome = {Category::ne, "modified Choi 10.6 not settled", "size grew by 10 % while density fell by 15 %: the source does not say how that reads" + change};
    } else if (b.size_progression) {
        out.outcome = {Category::pd, "modified Choi 10.6 progressive disease", "size grew by 10 % or more" + change};
    } else {
        out.outcome = {Category::sd, "modified Choi 10.6 stable disease", "size and density did not both reach their limits" + change};
    }
    return out;
}

}  // namespace retromass::response
