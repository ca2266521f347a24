#include <map>

#include "pipeline/pacs/peer.h"

namespace retromass::pacs {
namespace {

constexpr const char* kWhere = "pacs: get";

std::string value_of(const Attributes& answer, Tag which)
{
    const auto found = answer.find(which);
    return found == answer.end() ? std::string() : found->second;
}

/// Asks for the instances of a series and expects them; the classes the peer says they have. `short_by`: how many fewer it lists than it counts.
Result<std::set<std::string>> expect_series(Peer& peer, const GetRequest& request, const Match& series, Inbox& inbox, std::size_t& short_by, const Progress& progress)
{
    const Attributes keys{{tag::study_instance_uid, request.study_instance_uid}, {tag::series_instance_uid, series.series_instance_uid}, {tag::sop_instance_uid, ""}, {tag::sop_class_uid, ""}};
    RETROMASS_TRY_ASSIGN(const auto instances, peer.query(Depth::image, keys, progress));
    std::set<std::string> classes;
    bool all_classes = true;
    for (const auto& instance : instances) {
        RETROMASS_TRY(inbox.expect(series.series_instance_uid, value_of(instance, tag::sop_instance_uid)));
        const auto sop_class = value_of(instance, tag::sop_class_uid);
        all_classes = all_classes && is_uid(sop_class);
        classes.insert(sop_class);
    }
    const auto counted = static_cast<std::size_t>(series.instances.value_or(0));
    const auto listed = inbox.listed_of(series.series_instance_uid);  // an answer that comes twice is one instance
    short_by += counted > listed ? counted - listed : 0;
    return all_classes ? classes : std::set<std::string>{};
}

}  // namespace

Result<Retrieval> get(const Profile& profile, const GetRequest& request, const Progress& progress)
{
    for (const auto& uid : {request.study_instance_uid, request.series_instance_uid}) {
        if (!uid.empty() && !is_uid(uid)) return Error{Code::usage, "'" + uid + "' is no UID (digits and dots, 64 at most); retromass pacs find shows them", kWhere};
    }
    const auto peer = peer_of(profile);
    const Attributes keys{{tag::study_instance_uid, request.study_instance_uid}, {tag::series_instance_uid, request.series_instance_uid}, {tag::instances_in_series, ""}};
    RETROMASS_TRY_ASSIGN(const auto answers, peer->query(Depth::series, keys, progress));
    std::vector<Match> series;
    for (const auto& answer : answers) {
        const auto match = match_of(answer);
        if (!is_uid(match.series_instance_uid)) return Error{Code::malformed, "the peer lists a series whose identifier is no UID; nothing is fetched", kWhere};
        if (request.series_instance_uid.empty() || match.series_instance_uid == request.series_instance_uid) series.push_back(match);
    }
    if (series.empty()) return Error{Code::not_at_peer, "the peer holds no such study or series: " + (request.series_instance_uid.empty() ? request.study_instance_uid : request.series_instance_uid), kWhere};

    RETROMASS_TRY_ASSIGN(auto inbox, Inbox::open(request, progress));
    std::map<std::string, std::set<std::string>> classes;
    std::size_t short_by = 0;
    for (const auto& one : series) {
        RETROMASS_TRY_ASSIGN(classes[one.series_instance_uid], expect_series(*peer, request, one, inbox, short_by, progress));
    }
    for (const auto& one : series) {
        // Once for the series, and once more by name for what did not come: peers drop single objects.
        for (int attempt = 0; attempt < 2; ++attempt) {
            const auto missing = inbox.missing_of(one.series_instance_uid);
            if (missing.empty() || !inbox.goes_on()) break;
            Wanted wanted{request.study_instance_uid, one.series_instance_uid, missing, classes[one.series_instance_uid]};
            wanted.whole_series = attempt == 0 && missing.size() == inbox.listed_of(one.series_instance_uid);
            const auto fetched = peer->fetch(wanted, inbox);
            if (fetched) continue;
            if (fetched.error().code == Code::cancelled) return fetched.error();
            inbox.say(fetched.error().message);
            if (fetched.error().code != Code::peer_refused) break;
        }
    }
    if (!inbox.goes_on() && !inbox.broken()) return Error{Code::cancelled, "stopped on request; what arrived is whole and is not fetched again", kWhere};
    if (short_by > 0) inbox.say("the peer counts " + std::to_string(short_by) + " instances more than it lists");
    auto result = inbox.result();
    result.unlisted = short_by;
    return result;
}

}  // namespace retromass::pacs
