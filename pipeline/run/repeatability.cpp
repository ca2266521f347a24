#include <cmath>
#include <fstream>
#include <numbers>
#include <nlohmann/json.hpp>

#include "pipeline/run/run.h"

namespace retromass::run {
namespace {

constexpr double kTwoSided95 = 1.959963984540054;  // of the normal distribution

/// 95 % limits of agreement of the literature: how far a second measurement lies from the first, in percent.
struct Agreement {
    std::string_view quantity;
    double to;              ///< larger lesions were not among them
    double low_pct, high_pct;
};
struct Literature {
    std::string_view name, kind;
    std::array<Agreement, 2> agreements;   ///< a quantity that is empty is none
};
constexpr double kLargest_mm = 100;
constexpr double kLargest_ml = std::numbers::pi / 6 * kLargest_mm * kLargest_mm * kLargest_mm / 1000;   // of a ball of that size
constexpr std::array kLiterature{
    Literature{"yoon-2016-one-reader", "limits of agreement of one reader's two readings, meta-analysis of 12 studies, longest diameter of single lesions; manual, not this program", {{{"long_axis_mm", kLargest_mm, -17.8, 16.1}, {}}}},
    Literature{"yoon-2016-two-readers", "limits of agreement of two readers, meta-analysis of 12 studies, longest diameter of single lesions; manual, not this program", {{{"long_axis_mm", kLargest_mm, -22.1, 25.4}, {}}}},
    Literature{"rider-2009-rescan", "limits of agreement of two scans of one day, lung tumours, computer-aided; not this program", {{{"long_axis_mm", kLargest_mm, -7.3, 6.2}, {"volume_ml", kLargest_ml, -12.1, 13.4}}}},
};

Repeatability repeatability_of(const Literature& source)
{
    Repeatability out;
    out.name = source.name;
    out.kind = source.kind;
    for (const auto& agreement : source.agreements) {
        if (agreement.quantity.empty()) continue;
        // Limits of a difference of two: each of them errs by 1 / sqrt(2) of it.
        const double sd = std::log((1 + agreement.high_pct / 100) / (1 + agreement.low_pct / 100)) / (2 * kTwoSided95 * std::numbers::sqrt2);
        out.quantities[std::string(agreement.quantity)].push_back({.from = 0, .to = agreement.to, .sd_log = sd});
    }
    return out;
}

Repeatability repeatability_of(const nlohmann::json& json)
{
    Repeatability out;
    if (json.at("schema") != "retromass-repeatability/1") throw std::invalid_argument("schema is not retromass-repeatability/1");
    out.name = json.at("name");
    out.kind = json.at("kind");
    for (const auto& [quantity, classes] : json.at("quantities").items()) {
        auto& all = out.quantities[quantity];
        for (const auto& row : classes) {
            Repeatability::SizeClass size;
            size.from = row.at("from");
            if (!row.at("to").is_null()) size.to = row.at("to").get<double>();
            size.sd_log = row.at("sd_log").at("value");
            if (!(size.sd_log > 0) || !std::isfinite(size.sd_log)) throw std::invalid_argument("a class of " + quantity + " holds no spread");
            if (!all.empty() && (!all.back().to || size.from < *all.back().to)) throw std::invalid_argument("the classes of " + quantity + " overlap or are out of order");
            all.push_back(size);
        }
    }
    if (out.quantities.empty()) throw std::invalid_argument("it names no quantity");
    return out;
}

std::string literature_names()
{
    std::string out;
    for (const auto& source : kLiterature) out += (out.empty() ? "" : ", ") + std::string(source.name);
    return out;
}

}  // namespace

Result<Repeatability> read_repeatability(const std::filesystem::path& file)
{
    for (const auto& source : kLiterature) {
        if (file == source.name) return repeatability_of(source);
    }
    std::ifstream in(file);
    if (!in) return Error{Code::io, file.string() + " cannot be read, and is no source of the literature (" + literature_names() + ")", "run: repeatability"};
    try {
        auto out = repeatability_of(nlohmann::json::parse(in));
        RETROMASS_TRY_ASSIGN(out.sha256, outputs::sha256_of_file(file));
        return out;
    } catch (const std::exception& error) {  // of the JSON library, and ours above
        return Error{Code::table, file.string() + " is no file of retromass qualify: " + error.what(), "run: repeatability"};
    }
}

std::string name_of(const Repeatability& repeatability) { return "repeatability " + repeatability.name + " (" + repeatability.kind + ")" + (repeatability.sha256.empty() ? "" : ", SHA-256 " + repeatability.sha256); }

std::optional<response::Interval> repeats_of(const Repeatability& repeatability, const std::string& quantity, double value)
{
    const auto found = repeatability.quantities.find(quantity);
    if (found == repeatability.quantities.end() || !(value > 0)) return std::nullopt;
    for (const auto& size : found->second) {
        if (value < size.from || (size.to && value >= *size.to)) continue;
        const double factor = std::exp(kTwoSided95 * size.sd_log);
        return response::Interval{value / factor, value * factor};
    }
    return std::nullopt;
}

}  // namespace retromass::run
