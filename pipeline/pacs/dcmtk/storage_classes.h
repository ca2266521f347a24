#pragma once

#include <string>
#include <vector>

#include "pipeline/pacs/peer.h"

namespace retromass::pacs {

/// The SOP classes to take: those the peer said, else what the project reads and writes.
std::vector<std::string> storage_classes(const Wanted& wanted);

}  // namespace retromass::pacs
