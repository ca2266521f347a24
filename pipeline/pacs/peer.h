#pragma once

#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "pipeline/pacs/inbox.h"
#include "pipeline/pacs/query.h"

/// What find, get and send need of a peer, whatever it speaks.
namespace retromass::pacs {

/// Instances of one series that are still missing here.
struct Wanted {
    std::string study_instance_uid;
    std::string series_instance_uid;
    std::vector<std::string> instances;
    std::set<std::string> sop_classes;  ///< of the instances, where the peer said them
    bool whole_series = false;          ///< all of them, so that naming the series is enough
};

/// A file on its way out. `settled` once the peer has answered, for good or bad.
struct Outgoing {
    std::filesystem::path file;
    ObjectHeader header;
    bool settled = false;
    bool sent = false;
    std::string answer;  ///< in words: why not, or what the peer changed
};

class Peer {
public:
    virtual ~Peer() = default;

    /// All answers, or an error: never some of them.
    virtual Result<std::vector<Attributes>> query(Depth depth, const Attributes& keys, const Progress& progress) = 0;
    /// Puts what comes into the inbox, which knows what is still missing. An error says why no more came.
    virtual Status fetch(const Wanted& wanted, Inbox& inbox) = 0;
    /// Sends what is not settled, in order. Fails where the connection broke; what was settled before stays so.
    virtual Status store(std::span<Outgoing> objects, const Progress& progress) = 0;
};

std::unique_ptr<Peer> dimse_peer(const Profile& profile);
std::unique_ptr<Peer> web_peer(const Profile& profile);

inline std::unique_ptr<Peer> peer_of(const Profile& profile) { return profile.web() ? web_peer(profile) : dimse_peer(profile); }

}  // namespace retromass::pacs
