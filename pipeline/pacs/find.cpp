#include "pipeline/pacs/peer.h"

namespace retromass::pacs {
namespace {

/// A filter that the level has no attribute for is refused, not passed over: the reader would believe in it.
Status applies(const Query& query)
{
    if (query.level != Level::patients) return Done{};
    const std::pair<bool, const char*> beyond[] = {{!query.study_instance_uid.empty(), "a study"}, {!query.accession_number.empty(), "an accession number"}, {!query.description.empty(), "a description"},
                                                   {!query.modality.empty(), "a modality"}, {query.from || query.to, "a date"}};
    for (const auto& [given, what] : beyond) {
        if (given) return Error{Code::usage, std::string(what) + " is no attribute of a patient; look for studies or series", "pacs: find"};
    }
    return Done{};
}

Status append(Peer& peer, const Query& query, Depth depth, const Match& above, std::vector<Match>& out, const Progress& progress)
{
    RETROMASS_TRY_ASSIGN(const auto answers, peer.query(depth, keys_of(query, depth), progress));
    for (const auto& answer : answers) {
        auto match = match_of(answer);
        if (depth == Depth::series) {
            match.patient_id = above.patient_id;
            match.patient_name = above.patient_name;
            match.study_instance_uid = query.study_instance_uid;
            match.study_date = above.study_date;
            match.accession_number = above.accession_number;
            match.study_description = above.study_description;
        }
        if (fits(query, match)) out.push_back(std::move(match));
    }
    return Done{};
}

}  // namespace

Result<std::vector<Match>> find(const Profile& profile, const Query& query, const Progress& progress)
{
    RETROMASS_TRY(applies(query));
    const auto peer = peer_of(profile);
    std::vector<Match> out;
    if (query.level != Level::series) {
        RETROMASS_TRY(append(*peer, query, query.level == Level::patients ? Depth::patient : Depth::study, {}, out, progress));
        return out;
    }
    // Series are asked for study by study: nothing else is required of a peer (PS3.4 C.4.1.2.1).
    auto studies_query = query;
    studies_query.level = Level::studies;
    studies_query.description.clear();
    std::vector<Match> studies;
    RETROMASS_TRY(append(*peer, studies_query, Depth::study, {}, studies, progress));
    for (const auto& study : studies) {
        if (!is_uid(study.study_instance_uid)) return Error{Code::malformed, "the peer lists a study whose identifier is no UID", "pacs: find"};
        auto series_query = query;
        series_query.study_instance_uid = study.study_instance_uid;
        RETROMASS_TRY(append(*peer, series_query, Depth::series, study, out, progress));
    }
    return out;
}

}  // namespace retromass::pacs
