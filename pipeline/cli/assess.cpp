#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>

#include "core/parallel.h"
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
    std::string protocol;
    response::Criteria criteria;
    std::vector<std::string> others;
    std::string response_file;
    std::string waterfall_file;
    std::string spider_file;
    bool list_policies = false;
    bool assume_no_new_lesions = false;
    bool json = false;
    int threads = 0;
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

void print_row(std::ostream& out, const response::RecistTimepoint& row)
{
    out << "  " << row.timepoint << "  " << (row.is_baseline ? "baseline" : row.overall.category == response::Category::none ? "-" : response::name(row.overall.category));
    if (row.sum) out << "  sum " << row.sum->text() << " mm";
    if (row.change_from_baseline_pct) out << "  " << fixed(*row.change_from_baseline_pct, 1) << " %";
    if (row.confirmed) out << (*row.confirmed ? "  confirmed" : "  unconfirmed");
    out << "\n      " << row.overall.reason << " [" << row.overall.rule << "]\n";
    for (const auto& notice : row.overall.notices) out << "      notice " << name(notice.code) << ": " << notice.text << '\n';
    if (!row.repeats.text.empty()) out << "      repeats: " << row.repeats.text << '\n';
}

void print_criterion(std::ostream& out, const response::CriterionPeriod& period)
{
    const std::string title(response::criterion_title(period.criterion));
    if (!period.not_applicable.empty()) {
        out << "  " << title << ": not applicable: " << period.not_applicable << '\n';
        return;
    }
    for (const auto& point : period.timepoints) {
        if (point.is_baseline) continue;
        out << "  " << title << "  " << point.timepoint << "  " << (point.decision.category == response::Category::none ? "-" : response::name(point.decision.category));
        if (point.value) out << "  " << period.quantity << ' ' << fixed(*point.value, 2) << ' ' << period.unit;
        if (point.change_from_baseline_pct) out << "  " << fixed(*point.change_from_baseline_pct, 1) << " %";
        if (point.confirmed) out << (*point.confirmed ? "  confirmed" : "  unconfirmed");
        out << "\n      " << point.decision.reason << " [" << point.decision.rule << "]\n";
        for (const auto& notice : point.decision.notices) out << "      notice " << name(notice.code) << ": " << notice.text << '\n';
        if (!point.repeats.text.empty()) out << "      repeats: " << point.repeats.text << '\n';
    }
    const auto& best = period.summary.best_overall_response;
    out << "  " << title << " best overall response: " << (best.category == response::Category::none ? "-" : response::name(best.category)) << ", " << best.reason << "; progression-free survival: " << period.summary.pfs_text << '\n';
}

void print_beside(std::ostream& out, const response::Assessment& assessment)
{
    for (const auto& d : assessment.disagreements) out << "  criteria-disagree at " << d.timepoint << " (" << d.period << "): " << d.reason << '\n';
    for (const auto& comparison : assessment.comparisons) {
        if (comparison.differences.empty()) continue;
        out << "  " << comparison.from << " and " << comparison.to << ": sizes " << comparison.size << ", densities " << comparison.density << '\n';
        for (const auto& d : comparison.differences) out << "      " << d.what << (d.before.empty() ? "" : " " + d.before + ", then " + d.now) << ": sizes " << d.of_size << ", densities " << d.of_density << "; " << d.text << '\n';
    }
    for (const auto& note : assessment.identity) {
        if (note.what == "conflict") continue;  // among the notices
        out << "  " << (note.suggested ? "suggested: " : "") << note.what << " at " << note.timepoint << ": " << note.text << '\n';
    }
    for (const auto& kinetics : assessment.kinetics) {
        for (const auto& step : kinetics.steps) out << "  growth rate of the sum " << step.from << " to " << step.to << ": " << fixed(step.growth_rate_pct_month, 1) << " % of volume a month\n";
        out << "  " << kinetics.period << ": " << kinetics.text << '\n';
    }
}

void print(std::ostream& out, const response::Assessment& assessment)
{
    out << "case " << assessment.patient << '\n';
    for (const auto& notice : assessment.notices) out << "  notice " << name(notice.code) << ": " << notice.text << '\n';
    for (const auto& line : assessment.lines) {
        out << " " << line.period << '\n';
        for (const auto& row : assessment.recist) {
            if (row.period == line.period) print_row(out, row);
        }
        const auto& best = line.best_overall_response;
        out << "  best overall response: " << (best.category == response::Category::none ? "-" : response::name(best.category)) << ", " << best.reason << '\n';
        out << "  progression-free survival: " << line.pfs_text << '\n';
        for (const auto& notice : line.notices) out << "  notice " << name(notice.code) << ": " << notice.text << '\n';
        for (const auto& period : assessment.criteria) {
            if (period.period == line.period) print_criterion(out, period);
        }
    }
    print_beside(out, assessment);
    for (const auto& pair : assessment.growth) {
        out << "  growth of " << pair.lesion << " (" << pair.basis << ") " << pair.from << " to " << pair.to << ": " << fixed(pair.fold, 3) << "-fold in " << fixed(pair.days, 0) << " days";
        if (pair.doubling_time_days) {
            out << (*pair.doubling_time_days > 0 ? ", doubling time " : ", halving time ") << fixed(std::abs(*pair.doubling_time_days), 1) << " days";
        }
        out << '\n';
        for (const auto& notice : pair.notices) out << "      notice " << name(notice.code) << ": " << notice.text << '\n';
    }
    if (!assessment.protocol.empty()) out << "  protocol: " << assessment.protocol << '\n';
    const response::Policies defaults;
    std::string changed;
    for (const auto& [policy, value] : assessment.policies) {
        if (defaults.value(policy) != value) changed += " " + policy + "=" + value;
    }
    out << "  policies: " << (changed.empty() ? " all defaults" : changed) << '\n';
}

Status write_table(const std::string& file, const std::string& text)
{
    if (file.empty()) return Done{};
    std::ofstream out(file, std::ios::binary);
    out << text;
    out.close();
    if (!out) return Error{Code::io, file + " cannot be written", "cli: assess"};
    return Done{};
}

/// Categories over all cases, so that a long table can be looked over.
void print_summary(const std::vector<response::Assessment>& assessments, std::size_t failed)
{
    std::map<std::string, std::map<std::string, std::size_t>> best;
    std::map<std::string, std::size_t> barred;
    std::size_t disagreeing = 0;
    for (const auto& assessment : assessments) {
        for (const auto& line : assessment.lines) ++best["recist-1.1"][std::string(response::name(line.best_overall_response.category))];
        for (const auto& period : assessment.criteria) {
            if (period.not_applicable.empty()) ++best[period.criterion][std::string(response::name(period.summary.best_overall_response.category))];
            else ++barred[period.criterion];
        }
        disagreeing += !assessment.disagreements.empty();
    }
    std::cout << "\n" << assessments.size() << " cases assessed, " << failed << " refused; criteria disagree in " << disagreeing << '\n';
    for (const auto name : response::criterion_names()) {
        const std::string key(name);
        if (best[key].empty() && barred[key] == 0) continue;
        std::cout << "  best overall response by " << response::criterion_title(name) << ':';
        for (const auto& [category, count] : best[key]) std::cout << "  " << (category.empty() ? "none" : category) << ' ' << count;
        if (barred[key]) std::cout << "  not applicable " << barred[key];
        std::cout << '\n';
    }
}

/// One case on its way out.
struct Answer {
    std::optional<Error> error;
    std::optional<response::Assessment> assessment;
    std::string text;
};

Answer answer_of(response::Patient patient, const response::Policies& policies, const response::Criteria& criteria, const std::optional<run::Protocol>& protocol, bool json)
{
    Answer out;
    std::vector<std::vector<Notice>> outside;
    if (protocol) outside = run::notices_outside(*protocol, patient);
    auto assessment = response::assess(patient, policies, criteria);
    if (!assessment) {
        out.error = std::move(assessment).error();
        out.error->message = "case " + patient.id + ": " + out.error->message;
        return out;
    }
    if (protocol) assessment->protocol = run::name_of(*protocol);
    for (std::size_t t = 0; t < outside.size(); ++t) run::add_outside(*assessment, patient.timepoints[t].id, outside[t]);
    if (json) {
        out.text = outputs::assessment_json(*assessment);
    } else {
        std::ostringstream text;
        print(text, *assessment);
        out.text = text.str();
    }
    out.assessment = std::move(assessment).value();
    return out;
}

Status assess_table(const Options& options, Context& context)
{
    RETROMASS_TRY_ASSIGN(auto policies, policies_of(options));
    auto criteria = options.criteria;
    if (!options.others.empty()) criteria.others = options.others;
    std::optional<run::Protocol> protocol;
    if (!options.protocol.empty()) {
        const bool own = !options.policies.empty() || options.assume_no_new_lesions || !options.others.empty() || criteria.primary != response::Criteria{}.primary;
        if (own) return Error{Code::usage, "--protocol states the rules: leave out --policy, --primary, --criteria and --assume-no-new-lesions", "cli: assess"};
        RETROMASS_TRY_ASSIGN(protocol, run::read_protocol(options.protocol));
        for (const auto& [name, value] : protocol->policies) RETROMASS_TRY(policies.set(name, value));
        criteria.primary = protocol->primary;
        if (!protocol->criteria.empty()) criteria.others = protocol->criteria;
    }
    RETROMASS_TRY(response::check(criteria));
    RETROMASS_TRY_ASSIGN(const auto patients, run::read_table({options.table, options.treatments, options.events, protocol ? run::name_of(*protocol) : std::string()}));
    const bool tables = !options.response_file.empty() || !options.waterfall_file.empty() || !options.spider_file.empty();
    const bool summary = !options.json && patients.size() > 1;
    std::vector<response::Assessment> kept;
    std::size_t failed = 0;
    bool first = true;
    if (options.json) std::cout << "{\"schema\": \"retromass/1\", \"cases\": [";
    constexpr std::size_t kBlock = 512;  // cases at once: in order, without holding the text of all
    for (std::size_t from = 0; from < patients.size(); from += kBlock) {
        std::vector<Answer> answers(std::min(kBlock, patients.size() - from));
        parallel_for(static_cast<int>(answers.size()), options.threads, [&](int i) {
            const auto k = static_cast<std::size_t>(i);
            answers[k] = answer_of(patients[from + k], policies, criteria, protocol, options.json);
        });
        for (auto& answer : answers) {
            if (answer.error) {
                // A table goes on: the other cases are assessed, and the exit code says that one was not.
                ++failed;
                complain(*answer.error);
                continue;
            }
            std::cout << (options.json && !first ? ",\n" : "") << answer.text;
            first = false;
            if (tables || summary) kept.push_back(std::move(*answer.assessment));
        }
    }
    if (options.json) std::cout << "]}\n";
    if (summary) print_summary(kept, failed);
    RETROMASS_TRY(write_table(options.response_file, options.response_file.empty() ? "" : outputs::response_csv(kept)));
    RETROMASS_TRY(write_table(options.waterfall_file, options.waterfall_file.empty() ? "" : outputs::waterfall_csv(kept)));
    RETROMASS_TRY(write_table(options.spider_file, options.spider_file.empty() ? "" : outputs::spider_csv(kept)));
    if (failed) context.exit = failed == patients.size() ? Exit::refused : Exit::some_failed;
    return Done{};
}

}  // namespace

void add_assess(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("assess", "Response from measurements in a table, by every criterion, time point and treatment line; no images needed");
    command->add_option("TABLE", options->table, "CSV or JSON, a row for each lesion at each time point");
    command->add_option("--treatments", options->treatments, "CSV: case, kind, line, start, end, lesions, immunotherapy");
    command->add_option("--events", options->events, "CSV: case, kind, date");
    command->add_option("--protocol", options->protocol, "The trial's protocol file: its rules alone count");
    command->add_option("--policy", options->policies, "name=value; --list-policies shows them");
    command->add_option("--primary", options->criteria.primary, "The criterion that leads; the others are exploratory")->capture_default_str();
    command->add_option("--criteria", options->others, "The others to evaluate, by commas; all there are unless named")->delimiter(',');
    command->add_option("--response", options->response_file, "Write every category of every case as CSV");
    command->add_option("--waterfall", options->waterfall_file, "Write the best change of each case and period as CSV");
    command->add_option("--spider", options->spider_file, "Write the change at every time point as CSV");
    command->add_flag("--list-policies", options->list_policies, "Print every policy with its values, default and rule");
    command->add_flag("--assume-no-new-lesions", options->assume_no_new_lesions, "Silence about new lesions means none");
    command->add_flag("--json", options->json, "Print JSON");
    command->add_option("--threads", options->threads, "Threads (0 = all cores)")->check(CLI::NonNegativeNumber);
    command->footer("Example: retromass assess measurements.csv --treatments treatments.csv --policy confirmation=required --waterfall waterfall.csv");
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
