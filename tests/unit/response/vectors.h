#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/units.h"
#include "tests/support/real_data.h"

namespace retromass::test {

/// The folder of response vectors.
inline std::filesystem::path vectors_folder() { return folder_of("RETROMASS_RESPONSE_VECTORS", RETROMASS_VECTORS_FOLDER); }

using Row = std::map<std::string, std::string>;

/// RFC 4180 with a header row.
inline std::vector<Row> read_rows(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    std::vector<std::vector<std::string>> lines{{""}};
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        auto& cell = lines.back().back();
        if (quoted) {
            if (c != '"') {
                cell += c;
            } else if (i + 1 < text.size() && text[i + 1] == '"') {
                cell += text[++i];
            } else {
                quoted = false;
            }
        } else if (c == '"') {
            quoted = true;
        } else if (c == ',') {
            lines.back().emplace_back();
        } else if (c == '\n') {
            lines.push_back({""});
        } else if (c != '\r') {
            cell += c;
        }
    }
    std::vector<Row> rows;
    for (std::size_t l = 1; l < lines.size(); ++l) {
        if (lines[l].size() == 1 && lines[l][0].empty()) continue;
        Row row;
        for (std::size_t c = 0; c < lines[0].size(); ++c) row[lines[0][c]] = c < lines[l].size() ? lines[l][c] : "";
        rows.push_back(std::move(row));
    }
    return rows;
}

/// "a|b|c" by its separator; an empty text has no parts.
inline std::vector<std::string> parts_of(const std::string& text, char separator)
{
    std::vector<std::string> out;
    if (text.empty()) return out;
    std::string part;
    std::istringstream in(text);
    while (std::getline(in, part, separator)) out.push_back(part);
    return out;
}

/// Column `name` of a row; a column that is not there is a failure, so that no row passes by being misread.
inline const std::string& cell(const Row& row, const std::string& name)
{
    static const std::string nothing;
    const auto found = row.find(name);
    if (found == row.end()) {
        ADD_FAILURE() << "no column " << name;
        return nothing;
    }
    return found->second;
}

/// A length in millimetres; one that cannot be read is a failure.
inline Length length(const std::string& text)
{
    const auto parsed = Length::parse(text);
    EXPECT_TRUE(parsed.has_value()) << "not a length: " << text;
    return parsed.value_or(Length{});
}

}  // namespace retromass::test

/// First line of a test of the vectors: skips loudly without their folder, fails where data is required.
#define RETROMASS_NEEDS_VECTORS()                                                                                      \
    if (!std::filesystem::exists(retromass::test::vectors_folder())) {                                                 \
        retromass::test::note_in_ledger("skipped");                                                                    \
        if (retromass::test::data_required()) FAIL() << "response vectors required, but absent: " << retromass::test::vectors_folder(); \
        GTEST_SKIP() << "response vectors absent: " << retromass::test::vectors_folder();                              \
    }                                                                                                                  \
    retromass::test::note_in_ledger("run")

/// The same, and `rows` are those of the file; a file without rows is a failure.
#define RETROMASS_VECTOR_ROWS(rows, file)                                                                              \
    RETROMASS_NEEDS_VECTORS();                                                                                         \
    const auto rows = retromass::test::read_rows(retromass::test::vectors_folder() / (file));                          \
    ASSERT_FALSE(rows.empty()) << (retromass::test::vectors_folder() / (file)) << " holds no row"
