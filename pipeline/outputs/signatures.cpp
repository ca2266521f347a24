#include "pipeline/outputs/signatures.h"

#include <algorithm>
#include <map>
#include <set>

#include "pipeline/outputs/case_folder.h"
#include "pipeline/outputs/event_log.h"
#include "pipeline/outputs/objects.h"
#include "pipeline/outputs/outputs.h"
#include "pipeline/outputs/standing.h"
#include "pipeline/outputs/words.h"

namespace retromass::outputs {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::string text_at(const ordered_json& object, const char* key)
{
    if (!object.is_object() || !object.contains(key) || !object[key].is_string()) return {};
    return object[key].get<std::string>();
}

bool is_blinded(const ordered_json& object) { return object.is_object() && object.contains("blinded") && object["blinded"] == true; }

ordered_json parsed(const fs::path& file) { return ordered_json::parse(text_of_file(file), nullptr, false); }

std::string pretty(const ordered_json& json) { return json.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n"; }

const std::string kBegin = "<!--signatures-->";
const std::string kEnd = "<!--/signatures-->";

/// Words of a blinded reading that cannot be of one: their reader had not yet signed every study before, of those the case had then. By line of the log.
std::vector<std::string> faults_of_blinded_readings(const std::vector<ordered_json>& events)
{
    std::vector<std::string> out;
    std::vector<std::string> studies;           // that have a report to sign, in their order
    std::map<std::string, std::string> signers; // of each
    for (std::size_t i = 0; i < events.size(); ++i) {
        const auto what = text_at(events[i], "event");
        const auto timepoint = text_at(events[i], "timepoint");
        if (what == "case-started") studies.clear();
        if (what == "sr-verified") studies.push_back(timepoint);
        if (what == "signature-void") signers.erase(timepoint);
        if (is_blinded(events[i]) && std::find(studies.begin(), studies.end(), timepoint) != studies.end()) {
            for (const auto& before : studies) {
                if (before == timepoint) break;
                if (signers.contains(before) && signers[before] == text_at(events[i], "reader")) continue;
                out.push_back("events.jsonl, line " + std::to_string(i + 1) + ": a blinded reading of " + timepoint + " before " + before + " was signed by its reader");
                break;
            }
        }
        if (what == "signed") signers[timepoint] = text_at(events[i], "reader");
    }
    return out;
}

Status put_into_page(const fs::path& file, const Signatures& signatures, const Voided& voided)
{
    auto page = page_as_written(text_of_file(file));
    const auto begin = page.find(kBegin);
    const auto end = page.find(kEnd);
    if (begin == std::string::npos || end == std::string::npos || end < begin) return Error{Code::malformed, "report.html has no place for signatures; was it written by another version?", "outputs: sign_case"};
    std::string words;
    for (const auto& [timepoint, s] : signatures) {
        words += "<p><strong>Signed</strong>: " + html(timepoint) + " by " + html(text_at(s, "reader")) + ", " + html(text_at(s, "role")) + ", " + html(text_at(s, "time")) +
                 (is_blinded(s) ? ", read blinded" : "") + (text_at(s, "reason").empty() ? "" : "; " + html(text_at(s, "reason"))) + ". Pictures show the state of review before.</p>\n";
    }
    for (const auto& [timepoint, why] : voided) words += "<p><strong>No longer signed</strong>: " + html(timepoint) + ": " + html(why) + ".</p>\n";
    page.replace(begin + kBegin.size(), end - begin - kBegin.size(), words);
    return write_text(file, page);
}

}  // namespace

Signatures signatures_in(const fs::path& folder)
{
    Signatures out;
    const auto written = parsed(folder / "case.json");
    if (!written.is_object() || !written.contains("timepoints") || !written["timepoints"].is_array()) return out;
    for (const auto& timepoint : written["timepoints"]) {
        if (timepoint.is_object() && timepoint.contains("signature") && timepoint["signature"].is_object()) out[text_at(timepoint, "id")] = timepoint["signature"];
    }
    return out;
}

Status put_signatures(const fs::path& folder, const Signatures& signatures, const Voided& voided)
{
    auto written = parsed(folder / "case.json");
    if (!written.is_object() || !written.contains("timepoints")) return Error{Code::malformed, (folder / "case.json").string() + " is no case", "outputs: sign_case"};
    for (auto& timepoint : written["timepoints"]) {
        const auto id = text_at(timepoint, "id");
        const auto signature = signatures.find(id);
        timepoint["signature"] = signature == signatures.end() ? ordered_json() : signature->second;
        if (const auto lost = voided.find(id); lost != voided.end()) timepoint["notices"].push_back({{"code", name(Code::unreviewed)}, {"text", lost->second}});
    }
    RETROMASS_TRY(write_text(folder / "case.json", pretty(written)));
    return put_into_page(folder / "report.html", signatures, voided);
}

Result<ordered_json> outputs_listed(const fs::path& folder)
{
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file() && entry.path() != folder / "provenance.json") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    auto out = ordered_json::array();
    for (const auto& file : files) {
        RETROMASS_TRY_ASSIGN(const auto hash, sha256_of_file(file));
        out.push_back({{"file", file.lexically_relative(folder).generic_string()}, {"bytes", fs::file_size(file)}, {"sha256", hash}});
    }
    return out;
}

Result<Audit> audit_case(const fs::path& folder)
{
    if (!fs::is_regular_file(folder / "case.json")) return Error{Code::io, folder.string() + " holds no finished case", "outputs: audit_case"};
    Audit out;
    const EventLog log(text_of_file(folder / "events.jsonl"));
    out.faults = log.faults();
    const auto events = log.events();
    out.events = events.size();
    for (auto& fault : faults_of_blinded_readings(events)) out.faults.push_back(std::move(fault));

    const auto provenance = parsed(folder / "provenance.json");
    if (!provenance.is_object() || !provenance.contains("outputs") || !provenance["outputs"].is_array()) return Error{Code::malformed, "provenance.json lists no outputs", "outputs: audit_case"};
    std::vector<std::string> listed;
    for (const auto& output : provenance["outputs"]) listed.push_back(text_at(output, "file"));
    out.files = listed.size();
    auto damage = damage_of(folder, Depth::every_byte);
    const bool page_is_whole = std::none_of(damage.begin(), damage.end(), [](const auto& what) { return what.starts_with("report.html "); });
    for (auto& what : damage) out.faults.push_back(std::move(what));
    if (page_is_whole && text_of_file(folder / "report.html") != page_now(folder, log.text())) out.faults.push_back("report.html shows another state of review than the log gives; the next review or signature brings it up");
    RETROMASS_TRY_ASSIGN(const auto present, outputs_listed(folder));
    for (const auto& file : present) {
        if (std::find(listed.begin(), listed.end(), text_at(file, "file")) == listed.end()) out.faults.push_back(text_at(file, "file") + " was added");
    }

    const auto signatures = signatures_in(folder);
    std::map<std::string, std::string> last;  // time point to the instance that the log says is signed; empty once it no longer is
    std::set<std::string> blinded;            // time points whose last signature was given in a blinded session
    for (const auto& event : events) {
        if (text_at(event, "event") == "signed") {
            last[text_at(event, "timepoint")] = text_at(event, "sop_instance_uid");
            if (is_blinded(event)) blinded.insert(text_at(event, "timepoint"));
            else blinded.erase(text_at(event, "timepoint"));
        }
        if (text_at(event, "event") == "signature-void") last[text_at(event, "timepoint")].clear();
    }
    for (const auto& [timepoint, signature] : signatures) {
        ++out.signatures;
        const auto report = folder / text_at(signature, "report");
        const auto identity = identity_of(report);
        const auto hash = fs::is_regular_file(report) ? sha256_of_file(report) : Result<std::string>(std::string());
        if (last[timepoint] != text_at(signature, "sop_instance_uid")) out.faults.push_back("time point " + timepoint + ": the log knows nothing of its signature");
        if (is_blinded(signature) != blinded.contains(timepoint)) out.faults.push_back("time point " + timepoint + ": the log says " + (blinded.contains(timepoint) ? "it was signed in a blinded reading, the case does not" : "nothing of a blinded reading, the case does"));
        if (!hash || *hash != text_at(signature, "sha256") || !identity || identity->self.sop_instance_uid != text_at(signature, "sop_instance_uid")) out.faults.push_back("time point " + timepoint + ": the report is not the one that was signed");
        last.erase(timepoint);
    }
    for (const auto& [timepoint, instance] : last) {
        if (!instance.empty()) out.faults.push_back("time point " + timepoint + ": the log says it was signed, the case does not");
    }
    return out;
}

Result<std::vector<std::string>> sign_case(const ResultLock& lock, const SignParameters& parameters)
{
    const auto& folder = lock.result();
    const auto refuse = [](const std::string& why) { return Error{Code::usage, why, "outputs: sign_case"}; };
    if (parameters.reader.empty() || parameters.role.empty()) return refuse("a signature needs a reader and a role");
    for (const auto& text : {parameters.reader, parameters.role, parameters.reason}) {
        if (kind_of(text) == TextKind::not_text) return refuse("'" + printable(text) + "' holds control characters or bytes that are no UTF-8");
    }
    RETROMASS_TRY(settle(folder));
    RETROMASS_TRY_ASSIGN(const auto audit, audit_case(folder));
    if (!audit.faults.empty()) return Error{Code::verification_failed, "not signed, for the case is not what was written: " + audit.faults.front() + " (retromass audit lists all)", "outputs: sign_case"};

    auto target = fs::absolute(folder).lexically_normal();
    if (!target.has_filename()) target = target.parent_path();
    try {
        PartialFolder partial(beside(target, "partial"));
        std::error_code error;
        fs::remove_all(partial.path(), error);
        fs::copy(target, partial.path(), fs::copy_options::recursive, error);
        if (error) return io_error("cannot copy the case to " + partial.path().string(), error);
        EventLog log(text_of_file(target / "events.jsonl"));
        auto signatures = signatures_in(target);
        std::vector<std::string> signed_now;
        bool named = false;
        const auto written_case = parsed(target / "case.json");
        for (const auto& timepoint : written_case["timepoints"]) {
            const auto id = text_at(timepoint, "id");
            if (!parameters.timepoint.empty() && id != parameters.timepoint) continue;
            named = true;
            const auto report = fs::path("dicom") / (file_name_of(id) + "-sr.dcm");
            const auto earlier = signatures.find(id);
            if (earlier != signatures.end() || !fs::exists(target / report)) {
                if (parameters.timepoint.empty()) continue;
                return refuse("time point " + id + (earlier == signatures.end() ? " has no report to sign: it has no CT" : " is signed already, by " + text_at(earlier->second, "reader") + " at " + text_at(earlier->second, "time")));
            }
            for (const auto& event : log.events()) {
                if (text_at(event, "event") != "signed" || text_at(event, "timepoint") != id || !parameters.reason.empty()) continue;
                return refuse("time point " + id + " was signed by " + text_at(event, "reader") + " at " + text_at(event, "time") + " and has changed since; say why it is signed again: --reason TEXT");
            }
            RETROMASS_TRY_ASSIGN(const auto read_by_reader, sha256_of_file(target / report));
            RETROMASS_TRY_ASSIGN(const auto kept, keep_superseded(target / report, partial.path()));
            RETROMASS_TRY_ASSIGN(const auto written, sign_report(target / report, partial.path() / report, {parameters.reader, parameters.timestamp}, parameters.uid_root));
            RETROMASS_TRY_ASSIGN(const auto hash, sha256_of_file(partial.path() / report));
            RETROMASS_TRY_ASSIGN(const auto marks, ingest::read_marks(partial.path() / report));
            if (marks.verification != "VERIFIED" || marks.completion != "COMPLETE") return Error{Code::verification_failed, "the signed report of " + id + ", read back, is not verified", "outputs: sign_case"};
            ordered_json signature{{"reader", parameters.reader}, {"role", parameters.role}, {"time", parameters.timestamp}, {"reason", parameters.reason}, {"report", report.generic_string()},
                                   {"sop_instance_uid", written.sop_instance_uid}, {"sha256", hash}, {"replaces", {{"file", kept}, {"sha256", read_by_reader}}}};
            if (parameters.blinded) signature["blinded"] = true;
            ordered_json event{{"timepoint", id}};
            event.update(signature);
            log.note(parameters.timestamp, "signed", event);
            signatures[id] = std::move(signature);
            signed_now.push_back(id);
        }
        if (!named) return refuse("the case has no time point " + parameters.timepoint);
        if (signed_now.empty()) return refuse("every time point that has a report is signed already");
        RETROMASS_TRY(put_signatures(partial.path(), signatures));
        RETROMASS_TRY(write_text(partial.path() / "events.jsonl", log.text()));
        auto provenance = parsed(target / "provenance.json");
        RETROMASS_TRY_ASSIGN(provenance["outputs"], outputs_listed(partial.path()));
        RETROMASS_TRY(write_text(partial.path() / "provenance.json", pretty(provenance)));
        RETROMASS_TRY(show_standing(partial.path()));  // the page is listed as it was without
        RETROMASS_TRY(move_into_place(partial, target));
        return signed_now;
    } catch (const std::exception& thrown) {
        return Error{Code::io, std::string("signing failed: ") + thrown.what(), "outputs: sign_case"};
    }
}

}  // namespace retromass::outputs
