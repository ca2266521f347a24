#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/pacs/pacs.h"
#include "pipeline/pacs/spool.h"

/// One association of the storage node, in a process of its own: whatever a peer does to it, the node lives on.
namespace retromass::pacs {

/// What the process of an association asks and tells the node.
struct NodeLine {
    std::function<bool()> admitted;                                      ///< asked once: is there room for one more association?
    std::function<std::uint64_t()> room;                                 ///< bytes the spool may still take; asked for each object
    std::function<void(const std::string& study_uid)> arriving;          ///< told before an object of the study gets its place
    std::function<void(std::uint64_t bytes)> stored;                     ///< told after it has one
};

/// Whether key, certificate and authorities can be read and belong together.
Status check_tls(const Tls& tls);

/// Serves the peer at the other end of the socket until it releases, is cut off or goes away. Answers one line for the log.
std::string serve_association(int socket, const ListenParameters& parameters, const Spool& spool, const NodeLine& node, const Log& log);

}  // namespace retromass::pacs
