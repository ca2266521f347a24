#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

/// Where a storage node keeps what it received:
///
///     lock                                  held while a node runs: two nodes never share a spool
///     incoming/                             objects on their way; emptied at every start
///     objects/STUDY/SERIES/SOP.dcm          whole objects, on disk before they are acknowledged
///     objects/STUDY/conflicting/SOP-N.dcm   another object that came under a SOP Instance UID that is there
///     handled/STUDY                         what came of the study, and of which objects
namespace retromass::pacs {

/// A name for logs that tells studies apart and nothing else: the first 12 digits of the UID's SHA-256.
std::string log_key(std::string_view uid);

struct ObjectName {
    std::string study_uid;
    std::string series_uid;
    std::string sop_uid;
};

enum class Placed { stored, identical, conflicting, conflicting_again };  // the last: one of those kept beside, nothing new

/// Opened once by the node; its value may be copied to the processes that receive.
class Spool {
public:
    /// Makes the folders, takes the lock and empties incoming/. Fails with io where that cannot be done.
    static Result<Spool> open(const std::filesystem::path& folder);

    /// For a process the node made: the spool is the node's, and free when that ends.
    void leave_lock() { lock_.reset(); }

    const std::filesystem::path& folder() const { return folder_; }
    std::filesystem::path study_folder(const std::string& study_uid) const { return folder_ / "objects" / study_uid; }
    /// Where an object is written while it comes in; `owner` tells processes apart.
    std::filesystem::path incoming(long owner, int nth) const;
    void drop_incoming(long owner) const;

    /// Moves a whole file to its place, synced to the disk: when this answers, the object outlives a power cut. What is there is
    /// never replaced: the same data set is dropped as identical, another one is kept as conflicting.
    Result<Placed> place(const std::filesystem::path& file, const ObjectName& name) const;

    /// Bytes of all objects.
    std::uint64_t bytes() const;
    std::vector<std::string> studies() const;

    /// What lies in a study now: how many objects, and a digest of their names.
    struct Content {
        std::size_t objects = 0;
        std::string digest;
        friend bool operator==(const Content&, const Content&) = default;
    };
    Content content(const std::string& study_uid) const;

    /// Whether the study was handled as it is now. A new object makes it unhandled.
    bool handled(const std::string& study_uid) const;
    /// Notes, whole or not at all, what came of the study with that content.
    Status note_handled(const std::string& study_uid, const Content& content, const std::string& outcome) const;
    /// The outcome noted last; empty = none.
    std::string outcome(const std::string& study_uid) const;

private:
    explicit Spool(std::filesystem::path folder) : folder_(std::move(folder)) {}
    std::filesystem::path folder_;
    std::shared_ptr<const void> lock_;  ///< held by the last copy
};

}  // namespace retromass::pacs
