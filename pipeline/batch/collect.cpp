#include <algorithm>
#include <system_error>
#include <utility>

#include "core/units.h"
#include "pipeline/batch/batch.h"
#include "pipeline/batch/cohort.h"
#include "pipeline/batch/files.h"
#include "pipeline/batch/state.h"
#include "pipeline/batch/store.h"
#include "pipeline/run/run.h"

namespace retromass::batch {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> split(const std::string& line)
{
    std::vector<std::string> out{""};
    for (const char c : line) {
        if (c == ',') out.emplace_back();
        else if (c != '\r') out.back() += c;
    }
    return out;
}

/// Appends a case's table. Fails where it cannot be read, or is of another version of the program than the others.
Status append(TextTable& table, const fs::path& file)
{
    const auto text = text_of(file);
    if (!text) return Error{Code::io, file.filename().string() + " is not there", "batch: collect"};
    const auto columns = split(text->substr(0, text->find('\n')));
    if (columns.front() != "case") return Error{Code::table, file.filename().string() + " is no table of a case: it is empty or damaged", "batch: collect"};
    if (table.columns.empty()) table.columns = columns;
    if (columns != table.columns) return Error{Code::table, file.filename().string() + " has other columns than the cases before: another version of the program wrote it", "batch: collect"};
    RETROMASS_TRY_ASSIGN(const auto rows, run::read_rows(file, columns, {}));
    for (const auto& row : rows) {
        std::vector<std::string> cells;
        for (const auto& column : columns) {
            const auto cell = row.cells.find(column);
            cells.push_back(cell == row.cells.end() ? std::string() : cell->second);
        }
        table.rows.push_back(std::move(cells));
    }
    return Done{};
}

}  // namespace

std::string TextTable::csv() const
{
    std::string out;
    const auto add = [&](const std::vector<std::string>& cells) {
        for (std::size_t i = 0; i < cells.size(); ++i) out += (i ? "," : "") + csv_cell(cells[i]);
        out += '\n';
    };
    add(columns);
    for (const auto& row : rows) add(row);
    return out;
}

Status collect(const Plan& plan, const fs::path& folder)
{
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return Error{Code::io, folder.string() + " cannot be made: " + error.message(), "batch: collect"};
    std::vector<TextTable> tables{{"cases", {"case", "state", "code", "reason", "attempts", "wall_s", "cpu_s", "peak_gb", "studyid", "site", "studies", "review", "reader", "protocol"}, {}},
                                  {"measurements", {}, {}}, {"response", {}, {}}, {"waterfall", {}, {}}, {"spider", {}, {}}};
    std::vector<CaseState> states;
    std::vector<run::SeenProtocol> seen;
    for (const auto& planned : plan.cases) {
        auto state = state_of(plan, planned);
        std::string protocol;
        if (state.state == State::done) {
            std::vector<std::pair<std::size_t, bool>> before;  // all of its tables or none: a result that cannot be read is no result
            for (const auto& table : tables) before.emplace_back(table.rows.size(), table.columns.empty());
            Status added = Done{};
            for (std::size_t t = 1; t < tables.size() && added; ++t) added = append(tables[t], result_folder(plan, planned) / (tables[t].name + ".csv"));
            if (!added) {
                for (std::size_t t = 1; t < tables.size(); ++t) {
                    tables[t].rows.resize(before[t].first);
                    if (before[t].second) tables[t].columns.clear();
                }
                state.state = State::failed;
                state.code = name(added.error().code);
                state.reason = added.error().message;
            } else if (const auto& measured = tables[1]; measured.rows.size() > before[1].first) {
                protocol = cell(measured, measured.rows.back(), "protocol");
                seen.push_back({protocol, result_folder(plan, planned).string()});
            }
        }
        const auto key = key_of(plan, planned);
        const auto decision = key ? decision_on(plan, planned, *key) : std::nullopt;
        std::string studies;
        for (const auto& study : planned.studies) studies += (studies.empty() ? "" : " ") + study;
        tables[0].rows.push_back({planned.id, std::string(name(state.state)), state.code, state.reason, std::to_string(state.attempts), fixed(state.wall_s, 2), fixed(state.cpu_s, 2),
                                  fixed(state.peak_gb, 3), planned.study, planned.site, studies, decision ? decision->decision : "", decision ? decision->reader : "", protocol});
        states.push_back(std::move(state));
    }
    RETROMASS_TRY(run::check_versions(seen));
    for (const auto& table : tables) {
        if (!table.columns.empty()) RETROMASS_TRY(write_text(folder / (table.name + ".csv"), table.csv()));
    }
    std::erase_if(tables, [](const auto& table) { return table.columns.empty(); });
    RETROMASS_TRY(write_store(folder / "results.sqlite", tables));
    const auto table_named = [&](const std::string& wanted) {
        const auto found = std::find_if(tables.begin(), tables.end(), [&](const auto& table) { return table.name == wanted; });
        return found == tables.end() ? TextTable{} : *found;
    };
    const auto results = (plan.folder / "results").lexically_relative(fs::absolute(folder).lexically_normal()).generic_string();
    return write_text(folder / "cohort.html", cohort_html(states, table_named("cases"), table_named("waterfall"), table_named("response"), results));
}

}  // namespace retromass::batch
