#include "measurement/response/identity.h"

#include <algorithm>

#include "measurement/response/readings.h"

namespace retromass::response {
namespace {

bool seen(const Lesion& lesion, const Observation& observation)
{
    const auto disease = disease_of(lesion, &observation);
    return disease == Disease::present || disease == Disease::progressed;
}

std::string lowered(std::string text)
{
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

/// One lesion through time.
class Story {
public:
    Story(const Patient& patient, const Lesion& lesion, Assessment& out) : patient_(patient), lesion_(lesion), out_(out) {}

    void tell()
    {
        for (const auto& timepoint : patient_.timepoints) {
            const auto* const now = observation_of(timepoint, lesion_.id);
            if (!now) continue;
            stated(timepoint, *now);
            conflicts(timepoint, *now);
            for (const auto& guess : now->suggested) {
                note(timepoint, guess.what, true, guess.text);
                ask(timepoint, guess.text);
            }
            if (now->status != LesionStatus::not_evaluable) {
                before_ = now;
                before_at_ = timepoint.id;
            }
            was_seen_ = was_seen_ || seen(lesion_, *now);
        }
    }

private:
    void note(const Timepoint& timepoint, const std::string& what, bool suggested, const std::string& text) { out_.identity.push_back({lesion_.id, timepoint.id, what, suggested, lesion_.id + ": " + text}); }

    void ask(const Timepoint& timepoint, const std::string& text) { out_.notices.push_back({Code::identity_suggested, timepoint.id + ", " + lesion_.id + ": " + text}); }

    void conflict(const Timepoint& timepoint, const std::string& text)
    {
        note(timepoint, "conflict", false, text);
        out_.notices.push_back({Code::identity_conflict, timepoint.id + ", " + lesion_.id + ": " + text});
    }

    void stated(const Timepoint& timepoint, const Observation& now)
    {
        if (now.status == LesionStatus::absent && before_ && seen(lesion_, *before_)) note(timepoint, "vanished", false, "stated absent, seen at " + before_at_);
        if (now.status == LesionStatus::resected && before_ && before_->status != LesionStatus::resected) note(timepoint, "resected", false, "stated resected");
        if (now.status == LesionStatus::merged && !(before_ && before_->status == LesionStatus::merged)) note(timepoint, "merged", false, "stated merged into " + now.merged_into);
        if (!now.fragments.empty()) note(timepoint, "split", false, "stated split into " + std::to_string(now.fragments.size() + 1) + " parts, whose diameters are added");
        if (was_seen_ && before_ && before_->status == LesionStatus::absent && seen(lesion_, now)) {
            const auto text = "seen again after it was absent at " + before_at_ + ": counted as this lesion come back, not as a new one (rule 6), and nothing has to be written for that; if it is another one, list it under an id of its own with role new";
            note(timepoint, "reappeared", false, text);
            ask(timepoint, text);
        }
        if (lesion_.role == Role::new_lesion && !was_seen_ && seen(lesion_, now)) note(timepoint, "new", false, "listed as new and seen here first");
    }

    void conflicts(const Timepoint& timepoint, const Observation& now)
    {
        if (!now.conflict.empty()) conflict(timepoint, now.conflict);
        if (!now.organ.empty() && lowered(now.organ) != lowered(lesion_.organ)) conflict(timepoint, "its organ is stated '" + now.organ + "' here and '" + lesion_.organ + "' before; '" + lesion_.organ + "' is kept until a reader decides");
        if (now.status == LesionStatus::merged) {
            const bool known = std::any_of(patient_.lesions.begin(), patient_.lesions.end(), [&](const auto& l) { return l.id == now.merged_into && l.id != lesion_.id; });
            if (!known) conflict(timepoint, "merged into '" + now.merged_into + "', which is not another lesion of the case");
        }
        if (before_ && before_->status == LesionStatus::merged && seen(lesion_, now)) conflict(timepoint, "measured by itself after it was merged into " + before_->merged_into + " at " + before_at_);
        if (before_ && before_->status == LesionStatus::resected && seen(lesion_, now)) conflict(timepoint, "measured after it was resected at " + before_at_ + ": the same lesion, or a recurrence?");
        if (lesion_.role == Role::new_lesion && &timepoint == &patient_.timepoints.front() && seen(lesion_, now)) conflict(timepoint, "listed as new, but seen at the first time point");
    }

    const Patient& patient_;
    const Lesion& lesion_;
    Assessment& out_;
    const Observation* before_ = nullptr;
    std::string before_at_;
    bool was_seen_ = false;
};

}  // namespace

void add_identity(const Patient& patient, Assessment& out)
{
    for (const auto& lesion : patient.lesions) Story(patient, lesion, out).tell();
}

}  // namespace retromass::response
