#include <algorithm>
#include <set>
#include <utility>

#include "pipeline/outputs/case_folder.h"
#include "pipeline/outputs/event_log.h"
#include "pipeline/outputs/outputs.h"
#include "pipeline/outputs/standing.h"
#include "pipeline/outputs/words.h"

// Readers' decisions on single lesions: into the audit log, from a window as they are made, or from a file that a page saved.

namespace retromass::outputs {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kSchema = "retromass/review/1";
constexpr const char* kRoom = "outputs: apply_reviews";

ordered_json event_of(const Review& review)
{
    ordered_json out{{"timepoint", review.timepoint}, {"lesion", review.lesion}, {"state", review.state}, {"reader", review.reader}};
    if (!review.comment.empty()) out["comment"] = review.comment;
    if (review.needs_prompt) out["needs_prompt"] = true;
    if (review.blinded) out["blinded"] = true;
    return out;
}

/// A file that takes the place of another at once, or goes.
class PartialFile {
public:
    explicit PartialFile(fs::path file) : file_(std::move(file)), partial_(beside(file_, "partial")) {}
    ~PartialFile()
    {
        std::error_code ignored;
        fs::remove(partial_, ignored);
    }
    PartialFile(const PartialFile&) = delete;
    PartialFile& operator=(const PartialFile&) = delete;
    Status write(const std::string& text) const { return write_text(partial_, text); }
    Status move_into_place() const
    {
        std::error_code error;
        RETROMASS_TRY(sync(partial_));  // a rename may reach the disk before what it names
        fs::rename(partial_, file_, error);
        if (error) return io_error("cannot replace " + file_.string(), error);
        return sync(file_.parent_path());
    }

private:
    fs::path file_;
    fs::path partial_;
};

/// The log, and the report's page with what it now says. Both are written before either takes its place; a page that is behind is brought up by the next word.
Status write_log(const fs::path& folder, const EventLog& log)
{
    const PartialFile events(folder / "events.jsonl");
    const PartialFile page(folder / "report.html");
    RETROMASS_TRY(events.write(log.text()));
    const auto now = page_now(folder, log.text());
    const bool changes = !now.empty() && now != text_of_file(folder / "report.html");
    if (changes) RETROMASS_TRY(page.write(now));
    RETROMASS_TRY(events.move_into_place());
    return changes ? page.move_into_place() : Status(Done{});
}

/// A text of a review file: there, of letters, and not without end.
Result<std::string> text_in(const ordered_json& object, const char* key)
{
    constexpr std::size_t kLongest_bytes = 4000;
    const auto wrong = [&](const std::string& what) { return Error{Code::malformed, std::string("the review file's '") + key + "' " + what, kRoom}; };
    if (!object.is_object() || !object.contains(key) || !object[key].is_string()) return wrong("is missing");
    auto text = object[key].get<std::string>();
    if (text.size() > kLongest_bytes) return wrong("is too long");
    if (kind_of(text) == TextKind::not_text) return wrong("holds control characters or bytes that are no UTF-8");
    return text;
}

Result<Review> review_in(const ordered_json& row, const std::string& reader, const std::string& time)
{
    Review out;
    RETROMASS_TRY_ASSIGN(out.timepoint, text_in(row, "timepoint"));
    RETROMASS_TRY_ASSIGN(out.lesion, text_in(row, "lesion"));
    RETROMASS_TRY_ASSIGN(out.comment, text_in(row, "comment"));
    RETROMASS_TRY_ASSIGN(const auto verdict, text_in(row, "verdict"));
    if (verdict != "accepted" && verdict != "rejected" && verdict != "needs-a-prompt") return Error{Code::malformed, "the review file holds the verdict '" + printable(verdict) + "'; known are accepted, rejected and needs-a-prompt", kRoom};
    out.needs_prompt = verdict == "needs-a-prompt";
    out.state = out.needs_prompt ? "rejected" : verdict;
    out.reader = reader;
    out.time = time;
    return out;
}

/// The result that the log says was written last, and those before it.
std::vector<std::string> results_in(const EventLog& log)
{
    std::vector<std::string> out;
    for (const auto& event : log.events()) {
        if (event.is_object() && event.value("event", "") == "case-written") out.push_back(event.value("result", ""));
    }
    return out;
}

}  // namespace

Status note_reviews(const ResultLock& lock, const std::vector<Review>& reviews)
{
    RETROMASS_TRY(settle(lock.result()));
    EventLog log(text_of_file(lock.result() / "events.jsonl"));
    for (const auto& review : reviews) log.note(review.time, "review", event_of(review));
    return write_log(lock.result(), log);
}

std::string written_result(const fs::path& folder)
{
    const auto results = results_in(EventLog(text_of_file(folder / "events.jsonl")));
    return results.empty() ? std::string() : results.back();
}

Result<std::vector<Review>> apply_reviews(const ResultLock& lock, const fs::path& file, const std::string& time)
try {
    const auto& folder = lock.result();
    const auto refuse = [&](const std::string& why) { return Error{Code::malformed, file.filename().string() + " " + why, kRoom}; };
    RETROMASS_TRY(settle(folder));
    RETROMASS_TRY_ASSIGN(const auto audit, audit_case(folder));
    if (!audit.faults.empty()) return Error{Code::verification_failed, "not applied, for the case is not what was written: " + audit.faults.front() + " (retromass audit lists all)", kRoom};
    if (!fs::is_regular_file(file)) return Error{Code::io, "no file " + file.string(), kRoom};
    const auto text = text_of_file(file);
    const auto given = ordered_json::parse(text, nullptr, false);
    if (!given.is_object() || given.value("schema", ordered_json()) != kSchema) return refuse("is no review saved from report.html");
    RETROMASS_TRY_ASSIGN(const auto reader, text_in(given, "reader"));
    RETROMASS_TRY_ASSIGN(const auto decided, text_in(given, "time"));
    RETROMASS_TRY_ASSIGN(const auto case_id, text_in(given, "case"));
    RETROMASS_TRY_ASSIGN(const auto result, text_in(given, "result"));
    if (reader.empty()) return refuse("names no reader");
    if (!given.contains("reviews") || !given["reviews"].is_array() || given["reviews"].empty()) return refuse("decides nothing");

    const auto written = ordered_json::parse(text_of_file(folder / "case.json"), nullptr, false);
    if (written.value("case", "") != case_id) return refuse("reviews another case than " + folder.string() + " holds");
    EventLog log(text_of_file(folder / "events.jsonl"));
    const auto results = results_in(log);
    if (results.empty() || results.back() != result) {
        const bool earlier = std::find(results.begin(), results.end(), result) != results.end();
        return refuse(earlier ? "reviews a result that has been superseded: open the report of today's and decide again" : "reviews another result of the case than " + folder.string() + " holds");
    }
    const auto hash = sha256_of_text(text);
    for (const auto& event : log.events()) {
        if (event.value("event", "") == "review" && event.value("file_sha256", "") == hash) return refuse("was applied already, at " + event.value("time", ""));
    }
    std::set<std::pair<std::string, std::string>> open;
    for (const auto& timepoint : written["timepoints"]) {
        for (const auto& lesion : timepoint["lesions"]) open.insert({timepoint["id"].get<std::string>(), lesion["id"].get<std::string>()});
    }
    std::vector<Review> out;
    for (const auto& row : given["reviews"]) {
        RETROMASS_TRY_ASSIGN(auto review, review_in(row, reader, time));
        if (!open.erase({review.timepoint, review.lesion})) return refuse("decides on " + printable(review.timepoint) + ", lesion " + printable(review.lesion) + ", which the case does not have, or twice");
        out.push_back(std::move(review));
    }
    for (const auto& review : out) {
        auto event = event_of(review);
        event["decided"] = decided;
        event["file_sha256"] = hash;
        log.note(time, "review", event);
    }
    RETROMASS_TRY(write_log(folder, log));
    return out;
} catch (const std::exception& thrown) {  // the file system and JSON libraries throw; nothing leaves this door
    return Error{Code::io, std::string("applying the review failed: ") + thrown.what(), kRoom};
}

}  // namespace retromass::outputs
