#pragma once

#include <string>
#include <vector>

namespace retromass::batch {

/// A table of texts, its columns named.
struct TextTable {
    std::string name;
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;

    std::string csv() const;
};
/// What a row holds in a column; empty where the table has none of that name.
std::string cell(const TextTable& table, const std::vector<std::string>& row, const std::string& wanted);

}  // namespace retromass::batch
