#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/units.h"
#include "pipeline/run/run.h"

namespace retromass::run {
namespace {

/// What of a lesion at a time point is only how its mask comes about, and may be replaced.
constexpr std::array<const char*, 13> kHowItIsFound{"line", "short_line", "point", "points", "box", "extent", "contour", "contours", "exclude", "frame_of_reference", "marks", "mark", "prior"};
constexpr std::array<const char*, 2> kMaskKeys{"mask", "label"};

std::string triple(const std::vector<double>& points, std::size_t at)
{
    const auto number = [&](std::size_t i) { return fixed(points[at + i], 2); };  // a hundredth of a millimetre: a tenth of any pixel
    return "[" + number(0) + ", " + number(1) + ", " + number(2) + "]";
}

std::string entry_of(const std::vector<double>& points)
{
    const auto line = [&](std::size_t at) { return "[" + triple(points, at) + ", " + triple(points, at + 3) + "]"; };
    if (points.size() == 3) return "{point: " + triple(points, 0) + "}";
    return "{line: " + line(0) + (points.size() == 12 ? ", short_line: " + line(6) : std::string()) + "}";
}

/// Where a map in braces ends that starts at `at`; npos where it does not. Quoted braces are none.
std::size_t end_of_braces(const std::string& text, std::size_t at)
{
    int depth = 0;
    char quote = 0;
    for (std::size_t i = at; i < text.size(); ++i) {
        const char c = text[i];
        if (quote) {
            if (c == '\\' && quote == '"') ++i;
            else if (c == quote) quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '{' || c == '[') {
            ++depth;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return i + 1;
        }
    }
    return std::string::npos;
}

YAML::Node lesion_named(const YAML::Node& root, const std::string& id)
{
    for (const auto& lesion : root["lesions"]) {
        if (lesion["id"] && lesion["id"].as<std::string>() == id) return lesion;
    }
    return YAML::Node(YAML::NodeType::Undefined);
}

/// The file without what it says of the lesion at the time point.
std::string all_else(const std::string& text, const std::string& lesion, const std::string& timepoint)
{
    const auto root = YAML::Load(text);
    auto timepoints = lesion_named(root, lesion)["timepoints"];
    timepoints.remove(timepoint);
    if (timepoints.size() == 0) timepoints = YAML::Node(YAML::NodeType::Map);  // an empty map is written as its last form
    return YAML::Dump(root);
}

}  // namespace

Result<std::string> with_prompt(const std::string& text, const std::string& lesion, const std::string& timepoint, const std::vector<double>& points)
{
    const auto refuse = [&](const std::string& why) { return Error{Code::case_file, "the prompt of " + lesion + " at " + timepoint + " was not taken: " + why, "run: with_prompt"}; };
    const bool counts = points.size() == 3 || points.size() == 6 || points.size() == 12;
    if (!counts || !std::all_of(points.begin(), points.end(), [](double x) { return std::isfinite(x); })) return refuse("a point has 3 numbers, a line 6, a long and a short line 12");
    try {
        const auto root = YAML::Load(text);
        bool known = false;
        for (const auto& at : root["timepoints"]) known = known || (at["id"] && at["id"].as<std::string>() == timepoint);
        if (!known) return refuse("the case file has no such time point");
        const auto found = lesion_named(root, lesion);
        if (!found.IsDefined()) return refuse("the case file has no such lesion");
        const auto timepoints = found["timepoints"];
        if (!timepoints || !timepoints.IsMap()) return refuse("its time points are not listed in the case file");
        const auto other_form = [&] { return refuse("the case file is written in another form than drafts are; put the prompt there by hand"); };
        std::string out = text;
        if (const auto value = timepoints[timepoint]) {
            for (const auto& item : value) {
                const auto key = item.first.as<std::string>();
                const auto is = [&](const char* name) { return key == name; };
                if (std::none_of(kHowItIsFound.begin(), kHowItIsFound.end(), is) && std::none_of(kMaskKeys.begin(), kMaskKeys.end(), is)) return refuse("the case file also states '" + key + "' there; change it by hand");
            }
            const auto start = static_cast<std::size_t>(value.Mark().pos);
            if (start >= text.size() || text[start] != '{') return other_form();
            const auto end = end_of_braces(text, start);
            if (end == std::string::npos) return other_form();
            out.replace(start, end - start, entry_of(points));
        } else {
            const auto start = static_cast<std::size_t>(timepoints.Mark().pos);
            if (start >= text.size()) return other_form();
            const auto entry = "\"" + timepoint + "\": " + entry_of(points);
            if (text[start] == '{') {
                out.insert(start + 1, entry + (timepoints.size() ? ", " : ""));
            } else {
                const auto line = text.rfind('\n', start) + 1;
                out.insert(start, entry + "\n" + std::string(start - line, ' '));
            }
        }
        // Whatever was cut, the file has to say the same as before in every other place.
        const auto written = lesion_named(YAML::Load(out), lesion)["timepoints"][timepoint];
        if (!written || YAML::Dump(written) != YAML::Dump(YAML::Load(entry_of(points))) || all_else(out, lesion, timepoint) != all_else(text, lesion, timepoint)) return other_form();
        return out;
    } catch (const YAML::Exception& error) {
        return refuse("the case file cannot be read: line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
    }
}

}  // namespace retromass::run
