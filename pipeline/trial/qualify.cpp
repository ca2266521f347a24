#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <set>

#include "core/units.h"
#include "pipeline/trial/case_record.h"
#include "pipeline/trial/trial.h"

namespace retromass::trial {
namespace {

using nlohmann::ordered_json;

constexpr double kTwoSided95 = 1.959963984540054;  // of the normal distribution
constexpr double kNoSpread = 1e-9;                 // of logarithms: what rounding makes of equal values; the last recorded digit is above 1e-5
constexpr int kLeastFreedom = 5;                   // with fewer the interval of a spread reaches beyond its double

const std::vector<std::string> kQuantities{"long_axis_mm", "short_axis_mm", "craniocaudal_mm", "volume_ml"};

/// What the repeats of one lesion measured, by quantity.
using Repeats = std::map<std::string, std::map<std::string, std::vector<double>>>;  // quantity -> lesion -> values

Result<Repeats> repeats_in_table(const std::filesystem::path& file)
{
    auto known = kQuantities;
    known.insert(known.begin(), {"case", "lesion", "repeat"});
    RETROMASS_TRY_ASSIGN(const auto rows, run::read_rows(file, known, {"lesion", "repeat"}));
    Repeats out;
    std::map<std::string, std::string> places;
    for (const auto& row : rows) {
        const auto cell = [&](const std::string& column) {
            const auto found = row.cells.find(column);
            return found == row.cells.end() ? std::string() : found->second;
        };
        const auto lesion = cell("case") + " " + cell("lesion");
        const auto [before, fresh] = places.emplace(lesion + " " + cell("repeat"), row.place);
        if (!fresh) return Error{Code::table, row.place + ": repeat " + cell("repeat") + " of this lesion stands in " + before->second + " already", "trial: qualify"};
        for (const auto& quantity : kQuantities) {
            const auto text = cell(quantity);
            if (text.empty()) continue;
            char* end = nullptr;
            const double value = std::strtod(text.c_str(), &end);
            if (*end != '\0' || !(value > 0) || !std::isfinite(value)) return Error{Code::table, row.place + ": " + quantity + ": expected a number above 0, found '" + text + "'", "trial: qualify"};
            out[quantity][lesion].push_back(value);
        }
    }
    return out;
}

/// The same lesion of the same case at the same time point in each of the results.
Result<Repeats> repeats_in_results(const std::vector<std::filesystem::path>& results)
{
    Repeats out;
    std::set<std::filesystem::path> named;
    for (const auto& folder : results) {
        std::error_code error;
        const auto place = std::filesystem::canonical(folder, error);
        if (!error && !named.insert(place).second) return Error{Code::usage, folder.string() + " is named twice, and is no repeat of itself", "trial: qualify"};
    }
    for (const auto& folder : results) {
        RETROMASS_TRY_ASSIGN(const auto cases, read_case_records({folder}));
        for (const auto& [id, record] : cases) {
            for (const auto& timepoint : record.timepoints) {
                for (const auto& lesion : timepoint.lesions) {
                    if (lesion.status != "measured" || lesion.cut) continue;  // a cut lesion's values are lower bounds
                    for (const auto& [quantity, value] : lesion.quantities) {
                        if (value > 0) out[quantity][id + " " + timepoint.id + " " + lesion.id].push_back(value);
                    }
                }
            }
        }
    }
    return out;
}

double repeatability_pct(double sd_log) { return 100 * (std::exp(kTwoSided95 * std::numbers::sqrt2 * sd_log) - 1); }

ordered_json json_of(const Estimate& estimate, double (*as)(double))
{
    return {{"value", as(estimate.value)}, {"low", as(*estimate.low)}, {"high", as(*estimate.high)}};
}

}  // namespace

Result<Qualification> qualify(const std::vector<std::filesystem::path>& from, const QualifyParameters& parameters)
{
    const std::vector<std::string> kinds{"repeated-reads", "repeated-prompts", "test-retest"};
    if (std::find(kinds.begin(), kinds.end(), parameters.kind) == kinds.end()) return Error{Code::usage, "kind '" + parameters.kind + "' is not known; it is one of repeated-reads, repeated-prompts, test-retest", "trial: qualify"};
    if (!std::is_sorted(parameters.limits_mm.begin(), parameters.limits_mm.end()) || std::any_of(parameters.limits_mm.begin(), parameters.limits_mm.end(), [](double mm) { return !(mm > 0); })) {
        return Error{Code::usage, "the limits of size classes rise and are above 0 mm", "trial: qualify"};
    }
    const bool table = from.size() == 1 && !std::filesystem::is_directory(from.front());
    RETROMASS_TRY_ASSIGN(const auto repeats, table ? repeats_in_table(from.front()) : repeats_in_results(from));
    Qualification out;
    ordered_json json{{"schema", "retromass-repeatability/1"}, {"name", parameters.name}, {"kind", parameters.kind}, {"quantities", ordered_json::object()}, {"left_out", ordered_json::array()}};
    for (const auto& quantity : kQuantities) {
        const auto found = repeats.find(quantity);
        if (found == repeats.end()) continue;
        // A volume's classes are those of balls of the same diameters.
        std::vector<double> limits;
        for (const double mm : parameters.limits_mm) limits.push_back(quantity == "volume_ml" ? std::numbers::pi / 6 * mm * mm * mm / 1000 : mm);
        std::vector<std::vector<std::vector<double>>> classes(limits.size() + 1);
        for (const auto& [lesion, values] : found->second) {
            const auto size = std::upper_bound(limits.begin(), limits.end(), mean_of(values)) - limits.begin();
            std::vector<double> logs;
            for (const double v : values) logs.push_back(std::log(v));
            classes[static_cast<std::size_t>(size)].push_back(std::move(logs));
        }
        auto rows = ordered_json::array();
        for (std::size_t c = 0; c < classes.size(); ++c) {
            const double begins = c == 0 ? 0 : limits[c - 1];
            const auto spread = within_spread(classes[c]);
            const auto range = fixed(begins, 1) + (c < limits.size() ? " to " + fixed(limits[c], 1) : " and more");
            if (!spread || spread->freedom < kLeastFreedom) {
                if (!classes[c].empty()) json["left_out"].push_back(quantity + " " + range + ": " + std::to_string(spread ? spread->freedom : 0) + " repeats, fewer than " + std::to_string(kLeastFreedom));
                continue;
            }
            if (spread->sd.value < kNoSpread) {  // a program that is asked twice says the same twice
                json["left_out"].push_back(quantity + " " + range + ": every repeat is the same to the last digit, so it is no measurement of its own");
                continue;
            }
            rows.push_back({{"from", begins}, {"to", c < limits.size() ? ordered_json(limits[c]) : ordered_json()}, {"lesions", spread->lesions}, {"freedom", spread->freedom},
                            {"sd_log", json_of(spread->sd, [](double sd) { return sd; })}, {"repeatability_coefficient_pct", json_of(spread->sd, repeatability_pct)}});
            out.rows.push_back({quantity, range, std::to_string(spread->lesions), std::to_string(spread->freedom), fixed(repeatability_pct(spread->sd.value), 1), fixed(repeatability_pct(*spread->sd.low), 1),
                                fixed(repeatability_pct(*spread->sd.high), 1)});
        }
        if (!rows.empty()) json["quantities"][quantity] = rows;
    }
    for (const auto& why : json["left_out"]) out.left_out.push_back(why);
    if (out.rows.empty()) return Error{Code::table, "no size class holds " + std::to_string(kLeastFreedom) + " repeats that differ: nothing can be said of repeatability", "trial: qualify"};
    out.json = json.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
    return out;
}

}  // namespace retromass::trial
