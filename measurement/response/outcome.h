#pragma once

#include <string>

#include "measurement/response/response.h"

namespace retromass::response {

/// What one rule answers.
struct Outcome {
    Category category = Category::ne;
    std::string rule;
    std::string reason;
};

}  // namespace retromass::response
