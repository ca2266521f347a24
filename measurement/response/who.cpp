#include "measurement/response/who.h"

#include <algorithm>

namespace retromass::response {
namespace {

/// At least 25 % more; from 0 any growth is. Equal sizes, also 0 and 0, never grew.
bool grew(Product now, Product before) { return now > before && 4 * now.value >= 5 * before.value; }

std::string mm2(Product product) { return fixed(product.as_mm2(), 1) + " mm2"; }

}  // namespace

Outcome who_response(std::span<const WhoLesion> lesions, Product nadir_sum, WhoProgression progression)
{
    Product baseline, current;
    std::string missing, grown;
    bool gone = true;
    for (const auto& lesion : lesions) {
        baseline = baseline + lesion.baseline;
        if (!lesion.current) {
            missing += (missing.empty() ? "" : ", ") + lesion.id;
            continue;
        }
        current = current + *lesion.current;
        gone = gone && (lesion.gone || lesion.current == Product{});
        if (grew(*lesion.current, lesion.nadir)) grown += (grown.empty() ? "" : ", ") + lesion.id + " (" + mm2(lesion.nadir) + " to " + mm2(*lesion.current) + ")";
    }
    if (baseline == Product{} && current == Product{}) return {Category::ne, "WHO 11.1 not evaluable", "there was no product at the baseline to compare with"};
    const std::string change = " (sum of products " + mm2(current) + ", baseline " + mm2(baseline) + ", nadir " + mm2(nadir_sum) + ")";
    if (missing.empty() && gone) return {Category::cr, "WHO 11.1 complete response", "all lesions are gone"};
    if (progression == WhoProgression::per_lesion && !grown.empty()) {
        return {Category::pd, "WHO 11.1 progressive disease", "at least one lesion grew by 25 % or more over its nadir: " + grown};
    }
    if (progression == WhoProgression::sum_over_nadir && grew(current, nadir_sum)) {
        return {Category::pd, "WHO 11.2 progressive disease", "the sum of products is 25 % or more above the nadir" + change};
    }
    if (!missing.empty()) return {Category::ne, "WHO 11.1 not evaluable", "no product is known of " + missing};
    if (2 * current.value <= baseline.value) return {Category::pr, "WHO 11.1 partial response", "the sum of products is at least 50 % below the baseline" + change};
    return {Category::sd, "WHO 11.1 no change", "neither 50 % below the baseline nor 25 % above the nadir" + change};
}

}  // namespace retromass::response
