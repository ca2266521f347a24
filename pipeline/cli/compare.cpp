#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/units.h"
#include "pipeline/cli/commands.h"
#include "pipeline/trial/trial.h"

namespace retromass::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
    std::string a;
    std::string b;
    std::string output;
    bool json = false;
};

ordered_json json_of(const trial::Estimate& estimate) { return {{"value", estimate.value}, {"low", *estimate.low}, {"high", *estimate.high}}; }

ordered_json json_of(const trial::ReaderComparison& found)
{
    ordered_json out{{"schema", "retromass/1"}, {"cases", found.cases}};
    for (const char* list : {"pairs", "unpaired", "agreement", "adjudication"}) out[list] = ordered_json::array();
    for (const auto& p : found.pairs) {
        ordered_json row{{"case", p.case_id}, {"timepoint", {{"a", p.timepoint_a}, {"b", p.timepoint_b}}}, {"lesion", {{"a", p.lesion_a}, {"b", p.lesion_b}}}, {"role", {{"a", p.role_a}, {"b", p.role_b}}},
                         {"same_series", p.same_series}, {"dice", p.dice}};
        for (const auto& [quantity, values] : p.quantities) row[quantity] = {{"a", values.first}, {"b", values.second}};
        out["pairs"].push_back(row);
    }
    for (const auto& u : found.unpaired) out["unpaired"].push_back({{"case", u.case_id}, {"reader", std::string(1, u.reader)}, {"lesion", u.lesion}, {"role", u.role}, {"why", u.why}});
    for (const auto& row : found.agreement) {
        const auto& d = row.differences;
        out["agreement"].push_back({{"quantity", row.quantity}, {"pairs", d.pairs}, {"sd", d.sd}, {"bias", json_of(d.bias)}, {"lower_limit", json_of(d.lower)}, {"upper_limit", json_of(d.upper)}});
    }
    out["kappa"] = nullptr;
    if (const auto& k = found.kappa) out["kappa"] = {{"pairs", k->pairs}, {"observed", k->observed}, {"by_chance", k->by_chance}, {"kappa", json_of(k->kappa)}};
    out["categories"] = found.categories;
    for (const auto& d : found.discordances) {
        out["adjudication"].push_back({{"case", d.case_id}, {"timepoint", {{"a", d.timepoint_a}, {"b", d.timepoint_b}}}, {"date", d.date}, {"period", d.period}, {"category", {{"a", d.category_a}, {"b", d.category_b}}},
                                       {"reasons", d.reasons}, {"text", d.text}});
    }
    out["not_compared"] = found.not_compared;
    out["protocols"] = found.protocols;
    return out;
}

std::string text_of(const trial::Estimate& estimate) { return fixed(estimate.value, 3) + " (" + fixed(*estimate.low, 3) + " to " + fixed(*estimate.high, 3) + ")"; }

void print(const trial::ReaderComparison& found)
{
    std::cout << found.cases << " cases, " << found.pairs.size() << " lesions paired by overlap, " << found.unpaired.size() << " unpaired\n";
    for (const auto& row : found.agreement) {
        const auto& d = row.differences;
        std::cout << row.quantity << " (" << d.pairs << " pairs, B against A): bias " << text_of(d.bias) << ", limits of agreement " << text_of(d.lower) << " and " << text_of(d.upper) << '\n';
    }
    if (!found.agreement.empty()) std::cout << "  (95 % intervals in brackets; lesions of one patient count as independent, which makes the intervals too narrow)\n";
    if (const auto& k = found.kappa) std::cout << "categories (" << k->pairs << "): " << fixed(100 * k->observed, 1) << " % agree, kappa " << text_of(k->kappa) << '\n';
    else std::cout << "categories (" << found.categories.size() << "): no kappa, for there is none, or one category alone\n";
    for (const auto& u : found.unpaired) std::cout << "unpaired: " << u.case_id << ", " << u.lesion << " (" << u.role << ") of " << u.reader << ": " << u.why << '\n';
    for (const auto& d : found.discordances) {
        std::cout << "to adjudicate: " << d.case_id << ", " << (d.timepoint_a.empty() ? "best overall response" : d.timepoint_a) << " (" << d.period << "): " << d.category_a << " by A, " << d.category_b << " by B: " << d.text << '\n';
    }
    for (const auto& what : found.not_compared) std::cerr << "not compared: " << what << '\n';
}

Status compare(const Options& options, Context& context)
{
    RETROMASS_TRY_ASSIGN(const auto found, trial::compare_readers(options.a, options.b));
    if (!options.output.empty()) RETROMASS_TRY(write_folder(options.output, trial::comparison_tables(found)));
    if (options.json) std::cout << json_of(found).dump(1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
    else print(found);
    if (!found.not_compared.empty()) context.exit = Exit::some_failed;
    return Done{};
}

}  // namespace

void add_compare(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("compare", "Compare two readers' results: lesions paired by overlap, agreement, and what has to be adjudicated");
    command->add_option("A", options->a, "Result folder of `run`, or a folder of them")->required();
    command->add_option("B", options->b, "The other reader's")->required();
    command->add_option("-o,--output", options->output, "Folder for pairs.csv, unpaired.csv, agreement.csv and adjudication.csv");
    command->add_flag("--json", options->json, "Print JSON");
    command->footer("Exit code 3 where a case or time point is of one reader only.\nExample: retromass compare reader-1 reader-2 -o agreement");
    command->callback([options, &context] {
        const auto status = compare(*options, context);
        if (!status) context.exit = complain(status.error());
    });
}

}  // namespace retromass::cli
