#include <cmath>
#include <iostream>
#include <memory>

#include "core/units.h"
#include "pipeline/cli/commands.h"
#include "pipeline/outputs/outputs.h"
#include "pipeline/run/run.h"

namespace retromass::cli {
namespace {

struct Options {
    std::string table;
    std::string treatments;
    std::string events;
    std::vector<std::string> policies;
    bool list_policies = false;
    bool assume_no_new_lesions = false;
    bool json = false;
};

Result<response::Policies> policies_of(const Options& options)
{
    response::Policies policies;
    for (const auto& text : options.policies) {
        const auto equals = text.find('=');
        if (equals == std::string::npos) return Error{Code::usage, "--policy " + text + ": expected name=value (--list-policies shows them)", "cli: assess"};
        RETROMASS_TRY(policies.set(text.substr(0, equals), text.substr(equals + 1)));
    }
    if (options.assume_no_new_lesions) RETROMASS_TRY(policies.set("new_lesions_unstated", "assume-none"));
    return policies;
}

void list_policies()
{
    for (const auto& entry : response::policy_table()) {
        std::cout << entry.name << " = " << entry.default_value << "  (" << entry.values << "; rule " << entry.rule << ")\n    " << entry.meaning << '\n';
    }
}

void print_row(const response::RecistTimepoint& row)
{
    std::cout << "  " << row.timepoint << "  " << (row.is_baseline ? "baseline" : row.overall.category == response::Category::none ? "-" : response::name(row.overall.category));
    if (row.sum) std::cout << "  sum " << row.sum->text() << " mm";
    if (row.change_from_baseline_pct) std::cout << "  " << fixed(*row.change_from_baseline_pct, 1) << " %";
    if (row.confirmed) std::cout << (*row.confirmed ? "  confirmed" : "  unconfirmed");
    std::cout << "\n      " << row.overall.reason << " [" << row.overall.rule << "]\n";
    for (const auto& notice : row.overall.notices) std::cout << "      notice " << name(notice.code) << ": " << notice.text << '\n';
}

void print(const response::Assessment& assessment)
{
    std::cout << "case " << assessment.patient << '\n';
    for (const auto& notice : assessment.notices) std::cout << "  notice " << name(notice.code) << ": " << notice.text << '\n';
    for (const auto& line : assessment.lines) {
        std::cout << " " << line.period << '\n';
        for (const auto& row : assessment.recist) {
            if (row.period == line.period) print_row(row);
        }
        const auto& best = line.best_overall_response;
        std::cout << "  best overall response: " << (best.category == response::Category::none ? "-" : response::name(best.category)) << ", " << best.reason << '\n';
        std::cout << "  progression-free survival: " << line.pfs_text << '\n';
        for (const auto& notice : line.notices) std::cout << "  notice " << name(notice.code) << ": " << notice.text << '\n';
    }
    for (const auto& pair : assessment.growth) {
        std::cout << "  growth of " << pair.lesion << " (" << pair.basis << ") " << pair.from << " to " << pair.to << ": " << fixed(pair.fold, 3) << "-fold in " << fixed(pair.days, 0) << " days";
        if (pair.doubling_time_days) {
            std::cout << (*pair.doubling_time_days > 0 ? ", doubling time " : ", halving time ") << fixed(std::abs(*pair.doubling_time_days), 1) << " days";
        }
        std::cout << '\n';
        for (const auto& notice : pair.notices) std::cout << "      notice " << name(notice.code) << ": " << notice.text << '\n';
    }
    const response::Policies defaults;
    std::string changed;
    for (const auto& [policy, value] : assessment.policies) {
        if (defaults.value(policy) != value) changed += " " + policy + "=" + value;
    }
    std::cout << "  policies: " << (changed.empty() ? " all defaults" : changed) << '\n';
}

Status assess_table(const Options& options, Context& context)
{
    RETROMASS_TRY_ASSIGN(const auto policies, policies_of(options));
    RETROMASS_TRY_ASSIGN(const auto patients, run::read_table({options.table, options.treatments, options.events}));
    std::string json;
    std::size_t failed = 0;
    for (const auto& patient : patients) {
        const auto assessment = response::assess(patient, policies);
        if (!assessment) {
            // A table goes on: the other cases are assessed, and the exit code says that one was not.
            auto error = assessment.error();
            error.message = "case " + patient.id + ": " + error.message;
            ++failed;
            complain(error);
            continue;
        }
        if (options.json) {
            json += (json.empty() ? "" : ",\n") + outputs::assessment_json(*assessment);
        } else {
            print(*assessment);
        }
    }
    if (options.json) std::cout << "{\"schema\": \"retromass/1\", \"cases\": [" << json << "]}\n";
    if (failed) context.exit = failed == patients.size() ? Exit::refused : Exit::some_failed;
    return Done{};
}

}  // namespace

void add_assess(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("assess", "Response from measurements in a table: RECIST 1.1 by time point and treatment line, no images needed");
    command->add_option("TABLE", options->table, "CSV or JSON, a row for each lesion at each time point");
    command->add_option("--treatments", options->treatments, "CSV: case, kind, line, start, end, lesions");
    command->add_option("--events", options->events, "CSV: case, kind, date");
    command->add_option("--policy", options->policies, "name=value; --list-policies shows them");
    command->add_flag("--list-policies", options->list_policies, "Print every policy with its values, default and rule");
    command->add_flag("--assume-no-new-lesions", options->assume_no_new_lesions, "Silence about new lesions means none");
    command->add_flag("--json", options->json, "Print JSON");
    command->footer("Example: retromass assess measurements.csv --treatments treatments.csv --policy confirmation=required --json");
    command->callback([options, &context] {
        if (options->list_policies) return list_policies();
        if (options->table.empty()) {
            context.exit = complain({Code::usage, "name the table of measurements", "cli: assess"});
            return;
        }
        const auto status = assess_table(*options, context);
        if (!status) context.exit = complain(status.error());
    });
}

}  // namespace retromass::cli
