#include "pipeline/cli/method_option.h"

namespace retromass::cli {

Result<segmentation::Method> method_named(const std::string& name)
{
    std::string known;
    for (const auto& row : segmentation::methods()) {
        if (row.name == name) return row.method;
        known += (known.empty() ? "" : ", ") + std::string(row.name);
    }
    return Error{Code::usage, "--method " + name + ": known methods are " + known, "cli"};
}

}  // namespace retromass::cli
