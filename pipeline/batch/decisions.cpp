#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "pipeline/batch/batch.h"
#include "pipeline/batch/files.h"
#include "pipeline/batch/state.h"
#include "pipeline/outputs/outputs.h"
#include "pipeline/run/run.h"

namespace retromass::batch {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kSchema = "retromass-batch-decisions/1";
constexpr std::size_t kLongestNote = 200;

struct Prompt {
    std::string lesion;
    std::string timepoint;
    std::vector<double> points;
};

/// One entry of the file.
struct Entry {
    std::string id;
    std::string hash;
    bool opened = false;
    std::string decision;  ///< empty = none
    std::string note;
    std::optional<Prompt> prompt;
};

struct Review {
    std::string plan;  ///< SHA-256 of the plan that the page was made of
    std::string reader;
    std::vector<Entry> entries;
};

Result<Review> read_decisions(const fs::path& file)
{
    const auto refuse = [&](const std::string& why) { return Error{Code::table, file.string() + " holds no decisions: " + why, "batch: review"}; };
    const auto text = text_of(file);
    if (!text) return Error{Code::io, file.string() + " cannot be read", "batch: review"};
    try {
        const auto root = json::parse(*text);
        if (root.at("schema") != kSchema) return refuse("it is not what a review page saves (" + std::string(kSchema) + ")");
        Review out;
        out.plan = root.at("plan").get<std::string>();
        out.reader = root.at("reader").get<std::string>();
        if (out.reader.empty()) return refuse("it does not say who decided; name the reader on the page and save again");
        for (const auto& item : root.at("cases")) {
            Entry entry;
            entry.id = item.at("case").get<std::string>();
            entry.hash = item.at("result").get<std::string>();
            entry.opened = item.at("opened").get<bool>();
            if (!item.at("decision").is_null()) entry.decision = item.at("decision").get<std::string>();
            if (!entry.decision.empty() && entry.decision != "accept" && entry.decision != "reject" && entry.decision != "needs-prompt") return refuse("case " + entry.id + " has the decision '" + entry.decision + "'");
            entry.note = item.at("note").get<std::string>().substr(0, kLongestNote);
            const auto& prompt = item.at("prompt");
            if (!prompt.is_null()) entry.prompt = Prompt{prompt.at("lesion").get<std::string>(), prompt.at("timepoint").get<std::string>(), prompt.at("points").get<std::vector<double>>()};
            out.entries.push_back(std::move(entry));
        }
        return out;
    } catch (const json::exception& thrown) {
        return refuse(thrown.what());
    }
}

/// The reader's word in the case's own log, for every lesion that was measured.
Status note_in_case(const outputs::ResultLock& lock, const std::string& state, const std::string& reader, const std::string& time)
{
    const auto& folder = lock.result();
    const auto result = json::parse(text_of(folder / "case.json").value_or(""), nullptr, false);
    if (!result.is_object()) return Error{Code::table, (folder / "case.json").string() + " cannot be read", "batch: review"};
    std::vector<outputs::Review> said;
    for (const auto& timepoint : result.value("timepoints", json::array())) {
        for (const auto& lesion : timepoint.value("lesions", json::array())) {
            if (lesion.value("status", "") == "measured") said.push_back({time, timepoint.value("id", ""), lesion.value("id", ""), state, reader});
        }
    }
    return outputs::note_reviews(lock, said);
}

/// What the page's numbers say of the lesion, LPS mm: a point, a line, a long and a short line; nothing where they are none of these.
std::optional<run::LesionAtTimepoint> prompt_of(const Prompt& prompt)
{
    const auto& n = prompt.points;
    if (!std::all_of(n.begin(), n.end(), [](double x) { return std::isfinite(x); })) return std::nullopt;
    const auto point = [&](std::size_t at) { return PatientPoint{n[at], n[at + 1], n[at + 2]}; };
    run::LesionAtTimepoint out;
    out.has_prompt = true;
    if (n.size() == 3) out.prompt.points = {point(0)};
    else if (n.size() == 6) out.prompt.lines = {{point(0), point(3)}};
    else if (n.size() == 12) out.prompt.lines = {{point(0), point(3)}, {point(6), point(9)}};
    else return std::nullopt;
    return out;
}

class Taking {
public:
    Taking(const Plan& plan, const Review& review, const std::string& time) : plan_(plan), review_(review), time_(time) {}

    Result<ReviewOutcome> take()
    {
        out_.plan_changed = review_.plan != plan_hash(plan_);
        out_.on_page = static_cast<int>(review_.entries.size());
        for (const auto& entry : review_.entries) {
            if (entry.opened) ++out_.opened;
            if (entry.decision.empty()) continue;
            const auto planned = std::find_if(plan_.cases.begin(), plan_.cases.end(), [&](const auto& c) { return c.id == entry.id; });
            if (planned == plan_.cases.end()) {
                out_.not_taken.push_back({entry.id, "the plan has no such case"});
                continue;
            }
            RETROMASS_TRY(take(entry, *planned));
        }
        return out_;
    }

private:
    Status take(const Entry& entry, const PlannedCase& planned)
    {
        const auto refuse = [&](const std::string& why) {
            out_.not_taken.push_back({entry.id, why});
            return Done{};
        };
        RETROMASS_TRY_ASSIGN(const auto claim, Claim::take(plan_, planned));
        if (!claim) return refuse("somebody is running it");
        const auto key = key_of(plan_, planned);
        if (!key) return refuse("its inputs cannot be read: " + key.error().message);
        Decision decision{entry.decision, review_.reader, time_, entry.note, *key};
        const auto before = decision_on(plan_, planned, *key);
        if (before && before->decision == decision.decision && before->reader == decision.reader && !entry.prompt) return Done{};  // the file was taken before
        auto state = state_of(plan_, planned, outputs::Depth::figures, true);
        if (state.state == State::outdated) {
            const auto inputs = inputs_now(plan_, planned);
            if (inputs && only_touched(plan_, planned, *inputs)) {
                RETROMASS_TRY(record_touched(plan_, planned, *inputs));
                state = state_of(plan_, planned, outputs::Depth::figures, true);
            }
        }
        if (review_hash(plan_, planned, state) != entry.hash) return refuse("it is not what was looked at any more; look at it on a new page");
        if (entry.decision == "needs-prompt" && entry.prompt) {
            const auto said = prompt_of(*entry.prompt);
            if (!said) return refuse("the prompt is none: a point has 3 numbers, a line 6, a long and a short line 12");
            if (const auto kept = run::change_case(planned.case_file, entry.prompt->timepoint, entry.prompt->lesion, *said); !kept) return refuse(kept.error().message);
            RETROMASS_TRY(record(plan_, planned, decision));
            out_.again.push_back(entry.id);
        } else {
            if (state.state == State::done && entry.decision != "needs-prompt") {
                const auto lock = outputs::ResultLock::take(result_folder(plan_, planned), "batch resume", time_, review_.reader);
                if (!lock) return refuse(lock.error().message);
                RETROMASS_TRY(note_in_case(*lock, entry.decision == "accept" ? "accepted" : "rejected", review_.reader, time_));
            }
            RETROMASS_TRY(record(plan_, planned, decision));
        }
        if (entry.decision == "accept") {
            ++out_.accepted;
            return Done{};
        }
        const auto why = entry.note.empty() ? "no reason was given" : entry.note;
        if (entry.decision == "reject") {
            ++out_.rejected;
            out_.changed.push_back({entry.id, "rejected, " + why});
        } else {
            ++out_.need_prompt;
            out_.changed.push_back({entry.id, (entry.prompt ? "a new prompt for " + entry.prompt->lesion + " at " + entry.prompt->timepoint + ", " : "waits for another prompt, ") + why});
        }
        return Done{};
    }

    const Plan& plan_;
    const Review& review_;
    const std::string& time_;
    ReviewOutcome out_;
};

}  // namespace

Result<ReviewOutcome> apply_decisions(const Plan& plan, const fs::path& file, const std::string& time)
{
    RETROMASS_TRY_ASSIGN(const auto review, read_decisions(file));
    return Taking(plan, review, time).take();
}

}  // namespace retromass::batch
