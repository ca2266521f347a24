#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/progress.h"
#include "pipeline/pacs/object_header.h"
#include "pipeline/pacs/pacs.h"

namespace retromass::pacs {

/// The folder of a retrieval. An instance is written under a name that ends in `.part`, checked to be what was asked for, brought to
/// the disk and renamed: a file with its final name is whole. Only instances that were expected are taken.
/// After the last `expect` it may be used from several threads: during a C-MOVE one receives while another waits for the answer.
class Inbox {
public:
    /// Creates and locks the folder, and clears what an interrupted retrieval left half-written.
    static Result<Inbox> open(const GetRequest& request, Progress progress);
    Inbox(Inbox&& other) noexcept;
    Inbox& operator=(Inbox&&) = delete;
    ~Inbox();

    /// Fails with malformed where one of them is no UID: it never becomes part of a path.
    Status expect(const std::string& series_instance_uid, const std::string& sop_instance_uid);

    /// Whether the instance was expected and has not come yet.
    bool wants(const std::string& sop_instance_uid) const;
    std::vector<std::string> missing() const;
    std::size_t listed_of(const std::string& series_instance_uid) const;
    std::vector<std::string> missing_of(const std::string& series_instance_uid) const;

    /// Where to write an instance that is wanted.
    Result<std::filesystem::path> part(const std::string& sop_instance_uid);
    /// Where to write an object that nobody asked for: what comes over the network has to go somewhere before it can be refused.
    std::filesystem::path refuse_part() const { return request_.folder / ".refused.part"; }
    /// Takes the part as the instance, if it is: otherwise removes it and says why. Disk trouble also breaks the inbox.
    Status keep(const std::string& sop_instance_uid);
    /// The same for an instance in memory.
    Status take(const std::string& sop_instance_uid, std::span<const std::byte> bytes);
    /// Removes a part that did not become whole. A disk that takes no more was the reason: that breaks the inbox.
    void lose(const std::string& sop_instance_uid);

    /// The disk failed: nothing more can be taken.
    std::optional<Error> broken() const;

    /// How many instances came whole.
    std::size_t received() const;

    /// False after Ctrl-C.
    bool goes_on() const;

    /// A reason for what is missing, in words; each is kept once.
    void say(const std::string& reason);

    Retrieval result() const;

private:
    struct Place {
        std::string series;
        bool here = false;
    };
    explicit Inbox(const GetRequest& request) : request_(request) {}
    std::filesystem::path folder_of(const std::string& sop_instance_uid) const;
    std::filesystem::path part_path(const std::string& sop_instance_uid) const;
    void drop(const std::string& sop_instance_uid);
    Status trouble(const std::filesystem::path& file, int error_number);

    using Lock = std::scoped_lock<std::recursive_mutex>;

    std::unique_ptr<std::recursive_mutex> guard_ = std::make_unique<std::recursive_mutex>();
    GetRequest request_;
    Progress progress_;
    std::map<std::string, Place> places_;
    std::vector<std::string> reasons_;
    std::optional<Error> broken_;
    std::size_t already_ = 0;
    std::size_t received_ = 0;
    int lock_ = -1;
};

}  // namespace retromass::pacs
