#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "pipeline/run/run.h"

namespace retromass::run {
namespace {

constexpr double kTwoSided95 = 1.959963984540054;  // of the normal distribution

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

}  // namespace

Result<Repeatability> read_repeatability(const std::filesystem::path& file)
{
    std::ifstream in(file);
    if (!in) return Error{Code::io, file.string() + " cannot be read", "run: repeatability"};
    try {
        auto out = repeatability_of(nlohmann::json::parse(in));
        RETROMASS_TRY_ASSIGN(out.sha256, outputs::sha256_of_file(file));
        return out;
    } catch (const std::exception& error) {  // of the JSON library, and ours above
        return Error{Code::table, file.string() + " is no file of retromass qualify: " + error.what(), "run: repeatability"};
    }
}

std::string name_of(const Repeatability& repeatability) { return "repeatability " + repeatability.name + " (" + repeatability.kind + "), SHA-256 " + repeatability.sha256; }

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
