#include <set>

#include "measurement/response/choi.h"
#include "measurement/response/growth.h"
#include "measurement/response/growth_fit.h"
#include "measurement/response/irecist.h"
#include "measurement/response/volumetric.h"
#include "measurement/response/who.h"
#include "tests/unit/response/vectors.h"

// Every row of the published vectors of the criteria beside RECIST 1.1, under its stated policy. A failing row is named by its id.

namespace retromass::response {
namespace {

using test::cell;
using test::length;
using test::parts_of;
using test::Row;

long whole(const std::string& text)
{
    EXPECT_FALSE(text.empty() || text.find_first_not_of("-0123456789") != std::string::npos) << "not a whole number: " << text;
    return text.empty() ? 0 : std::stol(text);
}

bool flag(const Row& row, const std::string& column)
{
    const auto& text = cell(row, column);
    EXPECT_TRUE(text == "0" || text == "1") << column << " is neither 0 nor 1: " << text;
    return text == "1";
}

std::string joined(const std::vector<std::string>& parts)
{
    std::string out;
    for (const auto& part : parts) out.append(out.empty() ? "" : "|").append(part);
    return out;
}

std::optional<Density> density(const std::string& text)
{
    if (text.empty()) return std::nullopt;
    const bool negative = text.front() == '-';
    const auto size = length(negative ? text.substr(1) : text);  // a decimal of two places, as a length is
    return Density{negative ? -size.hundredths : size.hundredths};
}

ImmuneNonTarget non_target(const std::string& word)
{
    const std::map<std::string, ImmuneNonTarget> words{{"NA", ImmuneNonTarget::none_at_baseline}, {"ABS", ImmuneNonTarget::absent},      {"PRES", ImmuneNonTarget::present},
                                                       {"UNE", ImmuneNonTarget::unequivocal},     {"INC", ImmuneNonTarget::increased}, {"NE", ImmuneNonTarget::not_evaluable}};
    const auto found = words.find(word);
    EXPECT_NE(found, words.end()) << "not a state of non-target disease: " << word;
    return found == words.end() ? ImmuneNonTarget::not_evaluable : found->second;
}

ImmuneTimepoint immune_timepoint(const std::string& text, bool has_targets)
{
    const auto parts = parts_of(text, ':');
    EXPECT_EQ(parts.size(), 6u) << text;
    ImmuneTimepoint out;
    if (parts.size() != 6) return out;
    out.date = Date{std::chrono::days{whole(parts[0])}};
    out.has_targets = has_targets;
    if (parts[1] != "NE" && parts[1] != "NA" && parts[1] != "-") out.sum = length(parts[1]);
    out.targets_gone = out.sum == Length{};
    out.non_target = non_target(parts[2]);
    out.new_lesions = whole(parts[3]);
    if (parts[4] != "-" && parts[4] != "NE") out.new_target_sum = length(parts[4]);
    EXPECT_TRUE(parts[5] == "-" || parts[5] == "SAME" || parts[5] == "INC") << "not a state of new non-target lesions: " << parts[5];
    out.new_non_target = parts[5] != "-";
    out.new_non_target_increased = parts[5] == "INC";
    return out;
}

TEST(ResponseVectors, ImmuneTimePointsHoldOnEveryRow)
{
    RETROMASS_VECTOR_ROWS(rows, "irecist_tp.csv");
    for (const auto& row : rows) {
        SCOPED_TRACE(cell(row, "id"));
        const auto& baseline = cell(row, "baseline_sum_mm");
        const bool has_targets = !baseline.empty() && baseline != "NA" && baseline != "-";
        std::vector<ImmuneTimepoint> timepoints;
        for (const auto& text : parts_of(cell(row, "timepoints"), '|')) timepoints.push_back(immune_timepoint(text, has_targets));
        ImmuneRules rules;
        if (cell(row, "notes").find("carry-forward") != std::string::npos) rules.persistence = PrPersistence::carry_forward;
        const auto outcomes = immune_responses(has_targets ? length(baseline) : Length{}, timepoints, rules);
        std::vector<std::string> categories;
        for (const auto& outcome : outcomes) categories.emplace_back(name(outcome.outcome.category));
        EXPECT_EQ(joined(categories), cell(row, "expected_itpr"));
        const auto progression = immune_progression(outcomes);
        const bool confirmed = progression && progression->confirmed;
        EXPECT_EQ(confirmed ? std::to_string(timepoints[progression->index].date.time_since_epoch().count()) : "", cell(row, "expected_ipd_day"));
    }
}

TEST(ResponseVectors, ImmuneBestResponseHoldsOnEveryRow)
{
    RETROMASS_VECTOR_ROWS(rows, "irecist_ibor.csv");
    for (const auto& row : rows) {
        SCOPED_TRACE(cell(row, "id"));
        std::vector<DatedResponse> series;
        for (const auto& word : parts_of(cell(row, "itpr_series"), '|')) {
            const auto category = category_named(word);
            EXPECT_TRUE(category.has_value()) << word;
            series.push_back({Date{std::chrono::days{56 * static_cast<long>(series.size() + 1)}}, category.value_or(Category::none)});
        }
        BestResponseRules rules;
        rules.sd_min_days = 0;  // the vectors take the minimum as met
        EXPECT_EQ(name(immune_best_response(Date{}, series, rules).category), cell(row, "expected_ibor"));
    }
}

TEST(ResponseVectors, ChoiHoldsOnEveryRow)
{
    RETROMASS_VECTOR_ROWS(rows, "choi.csv");
    for (const auto& row : rows) {
        SCOPED_TRACE(cell(row, "id"));
        ChoiFacts facts;
        facts.baseline = facts.growth_reference = length(cell(row, "base_size_mm"));
        facts.current = length(cell(row, "cur_size_mm"));
        facts.baseline_hu = density(cell(row, "base_hu"));
        facts.current_hu = density(cell(row, "cur_hu"));
        facts.all_gone = flag(row, "all_disappeared");
        facts.new_lesion = flag(row, "new_lesion");
        facts.non_target_progression = flag(row, "nontarget_pd");
        facts.nodule = flag(row, "intratumoral_nodule");
        EXPECT_EQ(name(choi(facts).outcome.category), cell(row, "expected_choi"));
        const auto modified = modified_choi(facts).outcome.category;
        if (cell(row, "expected_mchoi").empty()) {
            EXPECT_NE(modified, Category::pr) << "a row that is not settled is no response";
        } else {
            EXPECT_EQ(name(modified), cell(row, "expected_mchoi"));
        }
    }
}

std::map<std::string, Product> products_of(const std::string& text)
{
    std::map<std::string, Product> out;
    for (const auto& item : parts_of(text, ',')) {
        const auto colon = item.find(':');
        const auto by = item.find('x', colon);
        EXPECT_TRUE(colon != std::string::npos && by != std::string::npos) << item;
        if (colon == std::string::npos || by == std::string::npos) continue;
        out[item.substr(0, colon)] = Product::of(length(item.substr(colon + 1, by - colon - 1)), length(item.substr(by + 1)));
    }
    return out;
}

TEST(ResponseVectors, WhoHoldsOnEveryRowByLesionAndBySum)
{
    RETROMASS_VECTOR_ROWS(rows, "who.csv");
    for (const auto& row : rows) {
        SCOPED_TRACE(cell(row, "id"));
        const auto baseline = products_of(cell(row, "baseline"));
        const auto nadir = products_of(cell(row, "nadir"));
        const auto current = products_of(cell(row, "current"));
        std::vector<WhoLesion> lesions;
        Product nadir_sum;
        for (const auto& [id, product] : baseline) {
            ASSERT_TRUE(nadir.contains(id)) << id;
            WhoLesion lesion{id, product, nadir.at(id), {}, false};
            if (current.contains(id)) lesion.current = current.at(id);
            nadir_sum = nadir_sum + lesion.nadir;
            lesions.push_back(lesion);
        }
        const bool new_lesion = flag(row, "new_lesion");
        const auto answer = [&](WhoProgression mode) { return new_lesion ? Category::pd : who_response(lesions, nadir_sum, mode).category; };
        EXPECT_EQ(name(answer(WhoProgression::per_lesion)), cell(row, "expected_perlesion_pd"));
        EXPECT_EQ(name(answer(WhoProgression::sum_over_nadir)), cell(row, "expected_spd_pd"));
    }
}

/// A decimal of at most six places in millionths: no volume of the vectors passes through a double.
std::int64_t millionths(const std::string& text)
{
    const auto point = text.find('.');
    auto fraction = point == std::string::npos ? std::string() : text.substr(point + 1);
    EXPECT_LE(fraction.size(), 6u) << text;
    fraction.resize(6, '0');
    return whole(text.substr(0, point)) * 1'000'000L + whole(fraction);
}

TEST(ResponseVectors, VolumeHoldsOnEveryRowUnderEachRule)
{
    RETROMASS_VECTOR_ROWS(rows, "volumetric.csv");
    const std::map<std::string, std::string> rules{{"expected_exact_sphere", "exact-sphere"}, {"expected_65_73", "65/73"}, {"expected_66_73", "66/73"}, {"expected_ellipsoid_30_20", "ellipsoid-30/20"}};
    for (const auto& row : rows) {
        SCOPED_TRACE(cell(row, "id"));
        const VolumeSums sums{millionths(cell(row, "baseline_volume")), millionths(cell(row, "nadir_volume")), millionths(cell(row, "current_volume"))};
        for (const auto& [column, rule] : rules) {
            ASSERT_EQ(volume_rule(rule).name, rule);
            EXPECT_EQ(name(volume_response(sums, volume_rule(rule)).category), cell(row, column)) << rule;
        }
    }
}

/// "V1=100;V2=200" by name, and "f=1@0,0.5@60" as a series.
struct Inputs {
    std::map<std::string, double> of;
    std::vector<SizeAtDay> series;

    double operator[](const std::string& key) const
    {
        const auto found = of.find(key);
        EXPECT_NE(found, of.end()) << "no input " << key;
        return found == of.end() ? 0 : found->second;
    }
    bool holds(const std::string& key) const { return of.contains(key); }
};

Inputs inputs_of(const std::string& text)
{
    Inputs out;
    for (const auto& item : parts_of(text, ';')) {
        const auto equals = item.find('=');
        EXPECT_NE(equals, std::string::npos) << item;
        if (equals == std::string::npos) continue;
        if (item.find('@') == std::string::npos) {
            out.of[item.substr(0, equals)] = std::stod(item.substr(equals + 1));
            continue;
        }
        for (const auto& point : parts_of(item.substr(equals + 1), ',')) {
            const auto at = point.find('@');
            out.series.push_back({std::stod(point.substr(at + 1)), std::stod(point.substr(0, at))});
        }
    }
    return out;
}

/// pi/6 of the axes a, b, c with this ending.
double ellipsoid(const Inputs& in, const std::string& end) { return ellipsoid_mm3(in["a" + end], in["b" + end], in["c" + end]); }

/// The quantity; nothing where it is undefined. `known` becomes false for a quantity this test has no rule for.
std::optional<double> computed(const std::string& quantity, const Inputs& in, bool& known)
{
    constexpr double kMonth = 30.4375;
    const auto fit = [&](GrowthModel model) { return fit_growth(model, in.series); };
    if (quantity == "VDT") return volume_doubling_time(in["V1"], in["V2"], in["days"]);
    if (quantity == "VDT_DIAM") return volume_doubling_time_of_diameters(in["D1"], in["D2"], in["days"]);
    if (quantity == "SGR") return specific_growth_rate(in["V1"], in["V2"], in["days"]);
    if (quantity == "TGR") return tumour_growth_rate(in["D0"], in["Dt"], in["days"], kMonth);
    if (quantity == "TGR_30") return tumour_growth_rate(in["D0"], in["Dt"], in["days"], 30);
    if (quantity == "GD_F") return relative_size(GrowthModel::gd, in["g"], in["d"], 0, in["t"]);
    if (quantity == "GDPHI_F") return relative_size(GrowthModel::gdphi, in["g"], in["d"], in["phi"], in["t"]);
    if (quantity == "GD_TNADIR") return day_of_smallest_size(in["g"], in["d"]);
    if (quantity == "GD_FNADIR") return smallest_size(in["g"], in["d"]);
    if (quantity == "GX_G") return fit(GrowthModel::gx)->g->value;
    if (quantity == "DX_D") return fit(GrowthModel::dx)->d->value;
    if (quantity == "GD_FIT_G") return fit(GrowthModel::gd)->g->value;
    if (quantity == "GD_FIT_D") return fit(GrowthModel::gd)->d->value;
    if (quantity == "ELLIPSOID") return ellipsoid(in, "");
    if (quantity == "SPHERE") return ellipsoid_mm3(in["D"], in["D"], in["D"]);
    if (quantity == "FOLD") return in.holds("a1") ? fold(ellipsoid(in, "1"), ellipsoid(in, "2")) : fold(in["V1"], in["V2"]);
    if (quantity == "EQDIAM") return equivalent_diameter_mm(in.holds("V_ml") ? 1000 * in["V_ml"] : in["V"]);
    known = false;
    return std::nullopt;
}

TEST(ResponseVectors, GrowthKineticsHoldOnEveryRow)
{
    RETROMASS_VECTOR_ROWS(rows, "kinetics.csv");
    for (const auto& row : rows) {
        SCOPED_TRACE(cell(row, "id") + " " + cell(row, "quantity"));
        bool known = true;
        const auto value = computed(cell(row, "quantity"), inputs_of(cell(row, "inputs")), known);
        EXPECT_TRUE(known) << "unknown quantity";
        if (!known) continue;
        if (cell(row, "expected") == "UNDEFINED") {
            EXPECT_FALSE(value.has_value()) << "undefined, but gave " << value.value_or(0);
            continue;
        }
        ASSERT_TRUE(value.has_value()) << "gave nothing";
        const double expected = std::stod(cell(row, "expected"));
        EXPECT_NEAR(*value, expected, std::stod(cell(row, "rel_tol")) * std::max(std::abs(expected), 1e-12));  // the row's own tolerance
    }
}

}  // namespace
}  // namespace retromass::response
