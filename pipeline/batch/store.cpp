#include "pipeline/batch/store.h"

#include <sqlite3.h>

#include <memory>
#include <system_error>

namespace retromass::batch {
namespace {

using Database = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;
using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

Error failure(sqlite3* database, const std::string& what)
{
    const int code = database ? sqlite3_errcode(database) : SQLITE_NOMEM;
    return {code == SQLITE_FULL ? Code::disk_space : Code::io, what + ": " + (database ? sqlite3_errmsg(database) : "out of memory"), "batch: store"};
}

/// An identifier; our own columns hold no quote.
std::string quoted(const std::string& name) { return '"' + name + '"'; }

Status execute(sqlite3* database, const std::string& text)
{
    if (sqlite3_exec(database, text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return failure(database, text.substr(0, text.find('(')));
    return Done{};
}

Status add(sqlite3* database, const TextTable& table)
{
    std::string columns;
    std::string places;
    for (const auto& column : table.columns) {
        columns += (columns.empty() ? "" : ", ") + quoted(column);
        places += places.empty() ? "?" : ", ?";
    }
    RETROMASS_TRY(execute(database, "CREATE TABLE " + quoted(table.name) + " (" + columns + ")"));
    sqlite3_stmt* prepared = nullptr;
    const auto text = "INSERT INTO " + quoted(table.name) + " VALUES (" + places + ")";
    if (sqlite3_prepare_v2(database, text.c_str(), -1, &prepared, nullptr) != SQLITE_OK) return failure(database, "table " + table.name);
    const Statement insert(prepared, &sqlite3_finalize);
    for (const auto& row : table.rows) {
        for (std::size_t c = 0; c < table.columns.size(); ++c) {
            const auto at = static_cast<int>(c) + 1;
            // An empty cell is not known, which is not an empty text.
            if (c >= row.size() || row[c].empty()) sqlite3_bind_null(insert.get(), at);
            else sqlite3_bind_text(insert.get(), at, row[c].c_str(), static_cast<int>(row[c].size()), SQLITE_STATIC);
        }
        if (sqlite3_step(insert.get()) != SQLITE_DONE) return failure(database, "table " + table.name);
        sqlite3_reset(insert.get());
    }
    if (!table.columns.empty() && table.columns.front() == "case") RETROMASS_TRY(execute(database, "CREATE INDEX " + quoted(table.name + "_by_case") + " ON " + quoted(table.name) + "(\"case\")"));
    return Done{};
}

}  // namespace

Status write_store(const std::filesystem::path& file, const std::vector<TextTable>& tables)
{
    const auto unfinished = file.string() + ".unfinished";
    std::error_code error;
    std::filesystem::remove(unfinished, error);
    {
        sqlite3* opened = nullptr;
        const int code = sqlite3_open(unfinished.c_str(), &opened);
        const Database database(opened, &sqlite3_close);
        if (code != SQLITE_OK) return failure(database.get(), file.string() + " cannot be written");
        RETROMASS_TRY(execute(database.get(), "BEGIN"));
        for (const auto& table : tables) RETROMASS_TRY(add(database.get(), table));
        RETROMASS_TRY(execute(database.get(), "COMMIT"));
    }
    std::filesystem::rename(unfinished, file, error);
    if (error) return Error{Code::io, file.string() + " cannot be written: " + error.message(), "batch: store"};
    return Done{};
}

}  // namespace retromass::batch
