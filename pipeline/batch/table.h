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

}  // namespace retromass::batch
