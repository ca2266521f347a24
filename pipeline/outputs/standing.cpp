#include "pipeline/outputs/standing.h"

#include <algorithm>
#include <map>
#include <utility>

#include "pipeline/outputs/case_folder.h"
#include "pipeline/outputs/event_log.h"
#include "pipeline/outputs/outputs.h"

// What the bands of report.html say of reviews and signatures that came after the run. The page is changed, case.json is not: its hash says what was reviewed.

namespace retromass::outputs {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using Place = std::pair<std::string, std::string>;  // time point, lesion

std::string text_at(const ordered_json& object, const char* key)
{
    return object.is_object() && object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : std::string();
}

ordered_json member(const ordered_json& object, const char* key) { return object.is_object() && object.contains(key) ? object[key] : ordered_json(); }

struct Word {
    std::string state;
    std::string reader;
    std::string time;
    bool needs_prompt = false;
    bool on_earlier_result = false;
};

/// The last word on each lesion. A signature comes after what was said before it; a new mask takes every word with it; a result that came out
/// otherwise takes what was accepted, for nobody has accepted this one.
std::map<Place, Word> words_in(const std::vector<ordered_json>& events)
{
    std::map<Place, Word> words;
    std::map<Place, std::string> masks;
    std::string result;
    for (const auto& event : events) {
        const auto what = text_at(event, "event");
        const Place place{text_at(event, "timepoint"), text_at(event, "lesion")};
        if (what == "review") words[place] = {text_at(event, "state"), text_at(event, "reader"), text_at(event, "time"), member(event, "needs_prompt") == true};
        if (what == "signed") std::erase_if(words, [&](const auto& word) { return word.first.first == place.first; });
        if (what == "measured" || what == "status") {
            const auto mask = text_at(event, "mask_sha256");
            const auto word = words.find(place);
            if (word != words.end() && (word->second.state == "edited" || (masks.contains(place) && masks[place] != mask))) words.erase(word);
            masks[place] = mask;
        }
        if (what == "case-written") {
            const auto now = text_at(event, "result");
            for (auto& [_, word] : words) word.on_earlier_result = word.on_earlier_result || now.empty() || now != result;
            result = now;
        }
    }
    return words;
}

std::string day_of(const std::string& time) { return time.substr(0, time.find('T')); }

std::string counted(std::size_t n, const char* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

const std::string kUse = " - RESEARCH USE ONLY";
const std::string kBand = "<div class=\"band\"";
const std::string kWritten = " data-as-written=\"";
const std::string kBegin = "<!--standing-->";
const std::string kEnd = "<!--/standing-->";
const std::string kSignatures = "<!--signatures-->";
const std::string kRemark = "no reader has accepted every outline";  // report.cpp, attention_of
const std::string kRow = "<li>";
const std::string kHiddenRow = "<li hidden>";

/// Where the text of a band begins and ends; npos where there is no further one.
struct Band {
    std::size_t element = std::string::npos;
    std::size_t text = 0;
    std::size_t end = 0;
};
Band band_after(const std::string& page, std::size_t from)
{
    Band out;
    const auto at = page.find(kBand, from);
    const auto text = at == std::string::npos ? at : page.find('>', at);
    const auto end = text == std::string::npos ? text : page.find("</div>", text);
    if (end != std::string::npos) out = {at, text + 1, end};
    return out;
}

void replace_once(std::string& page, const std::string& from, const std::string& to)
{
    if (const auto at = page.find(from); at != std::string::npos) page.replace(at, from.size(), to);
}

/// At the head and at the foot of the page; scripts and data come after the second.
void put_bands(std::string& page, const std::string& band)
{
    std::size_t from = 0;
    for (int i = 0; i < 2; ++i) {
        const auto found = band_after(page, from);
        if (found.element == std::string::npos) return;
        page.replace(found.element, found.end - found.element, band);
        from = found.element + band.size();
    }
}

void put_remark(std::string& page, const std::string& from, const std::string& to)
{
    const auto words = page.find(kRemark);
    const auto row = words == std::string::npos ? words : page.rfind("<li", words);
    if (row != std::string::npos && page.compare(row, from.size(), from) == 0) page.replace(row, from.size(), to);
}

std::string title_end(const std::string& band) { return " - " + band + "</title>"; }

/// In capitals, as the band has it.
std::string state_of(const Standing& standing)
{
    if (!standing.open.empty()) return "UNREVIEWED, " + std::to_string(standing.open.size()) + " OF " + std::to_string(standing.measured) + " OPEN";
    if (standing.edited > 0) return "EDITED, " + std::to_string(standing.edited) + " OF " + std::to_string(standing.measured) + " NOT ACCEPTED";
    return "REVIEWED BY " + std::to_string(standing.readers.size()) + (standing.readers.size() == 1 ? " READER, " : " READERS, ") + day_of(standing.last);
}

/// Markup.
std::string words_of(const Standing& standing)
{
    std::string by;
    for (const auto& reader : standing.readers) by += (by.empty() ? "" : ", ") + html(reader);
    if (!standing.names) by.clear();
    const auto readers = counted(standing.readers.size(), "reader") + (by.empty() ? "" : " (" + by + ")");
    std::string out;
    if (standing.open.empty() && standing.edited == 0) {
        out = "<p><strong>Reviewed</strong>: every measurement (" + std::to_string(standing.measured) + ") was accepted or signed by " + readers + ", the last on " + html(day_of(standing.last)) + ".";
    } else {
        out = "<p><strong>" + std::string(standing.open.empty() ? "Edited" : "Unreviewed") + "</strong>: of " + counted(standing.measured, "measurement") + " " + std::to_string(standing.measured - standing.open.size() - standing.edited) + " accepted or signed" +
              (standing.readers.empty() ? "" : " by " + readers + ", the last on " + html(day_of(standing.last))) + (standing.edited == 0 ? "" : "; " + std::to_string(standing.edited) + " edited by a reader, not accepted") + (standing.open.empty() ? "." : "; " + std::to_string(standing.open.size()) + " open:");
        std::string rows;
        for (const auto& open : standing.open) rows += (rows.empty() ? " " : "; ") + html(open.timepoint + ", lesion " + open.lesion) + " (" + html(open.why) + ")";
        out += rows + (rows.empty() ? "" : ".");
    }
    return out + " The tables, lesions and pictures below, report.pdf and the DICOM objects, but for signed reports, show the state of review at the time of the run.</p>\n";
}

}  // namespace

Standing standing_of(const ordered_json& written, const std::vector<ordered_json>& events)
{
    Standing out;
    out.names = member(written, "deidentified") != true;
    const auto words = words_in(events);
    for (const auto& timepoint : member(written, "timepoints")) {
        const auto signature = member(timepoint, "signature");
        for (const auto& lesion : member(timepoint, "lesions")) {
            if (text_at(lesion, "status") != "measured") continue;
            ++out.measured;
            const Place place{text_at(timepoint, "id"), text_at(lesion, "id")};
            const auto covered = [&](const std::string& reader, const std::string& time) {
                out.readers.insert(reader);
                out.last = std::max(out.last, time);
            };
            const auto open = [&](const std::string& why) { out.open.push_back({place.first, place.second, why}); };
            const auto found = words.find(place);
            const bool spoken = found != words.end();
            const Word word = spoken ? found->second : Word{};
            out.said = out.said || spoken || signature.is_object();
            const auto by = out.names && !word.reader.empty() ? " by " + word.reader : std::string();
            if (word.state == "rejected") open("rejected" + by + (word.needs_prompt ? ", needs a prompt" : ""));
            else if (word.state == "edited") open("changed" + by + " since the run: run the case again");
            else if (word.state == "accepted" && !word.reader.empty() && !word.on_earlier_result) covered(word.reader, word.time);
            else if (signature.is_object()) covered(text_at(signature, "reader"), text_at(signature, "time"));
            else if (word.state == "accepted" && word.reader.empty()) open("accepted, but nobody is named");
            else if (word.state == "accepted") open("accepted" + by + " on an earlier result");
            else if (text_at(lesion, "review_state") == "edited" && !text_at(lesion, "reviewer").empty()) ++out.edited;
            else open("no reader has decided");
        }
    }
    return out;
}

std::string page_as_written(std::string page)
{
    const auto begin = page.find(kBegin), end = page.find(kEnd);
    if (begin != std::string::npos && end != std::string::npos && begin < end) page.erase(begin, end + kEnd.size() - begin);
    put_remark(page, kHiddenRow, kRow);
    const auto band = band_after(page, 0);
    const auto kept = band.element == std::string::npos ? band.element : page.find(kWritten, band.element);
    if (kept == std::string::npos || kept > band.text) return page;
    const auto from = kept + kWritten.size();
    const auto written = page.substr(from, page.find('"', from) - from);
    replace_once(page, title_end(page.substr(band.text, band.end - band.text)), title_end(written));
    put_bands(page, kBand + ">" + written);
    return page;
}

std::string page_with(std::string page, const Standing& standing)
{
    if (!standing.said || standing.measured == 0) return page;
    const auto first = band_after(page, 0);
    const auto place = page.find(kSignatures);
    if (first.element == std::string::npos || place == std::string::npos) return page;
    const auto before = page.substr(first.text, first.end - first.text);
    const auto use = before.find(kUse);
    if (use == std::string::npos) return page;
    const auto now = html(state_of(standing)) + before.substr(use);
    if (standing.open.empty() && standing.edited == 0) put_remark(page, kRow, kHiddenRow);
    page.insert(place, kBegin + words_of(standing) + kEnd);
    put_bands(page, kBand + kWritten + before + "\">" + now);
    replace_once(page, title_end(before), title_end(now));
    return page;
}

std::string page_now(const fs::path& folder, const std::string& log)
{
    const auto page = text_of_file(folder / "report.html");
    return page.empty() ? page : page_with(page_as_written(page), standing_of(ordered_json::parse(text_of_file(folder / "case.json"), nullptr, false), EventLog(log).events()));
}

Status show_standing(const fs::path& folder)
{
    const auto file = folder / "report.html";
    const auto page = page_now(folder, text_of_file(folder / "events.jsonl"));
    if (page.empty() || page == text_of_file(file)) return Done{};
    return write_text(file, page);
}

Status settle(const fs::path& folder)
{
    std::error_code error;
    std::vector<fs::path> halves;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        const auto name = it->path().filename().string();
        if (name.starts_with("events.jsonl.partial-") || name.starts_with("report.html.partial-")) halves.push_back(it->path());
    }
    if (error) return io_error("cannot read " + folder.string(), error);
    for (const auto& half : halves) {
        if (!fs::remove(half, error) && error) return io_error("cannot remove " + half.string(), error);
    }
    const auto page = text_of_file(folder / "report.html");
    const auto now = page_now(folder, text_of_file(folder / "events.jsonl"));
    if (now == page) return Done{};
    const auto provenance = ordered_json::parse(text_of_file(folder / "provenance.json"), nullptr, false);
    const auto written = sha256_of_text(page_as_written(page));
    for (const auto& output : member(provenance, "outputs")) {
        if (text_at(output, "file") != "report.html" || text_at(output, "sha256") != written) continue;
        const auto partial = beside(folder / "report.html", "partial");
        RETROMASS_TRY(write_text(partial, now));
        RETROMASS_TRY(sync(partial));
        fs::rename(partial, folder / "report.html", error);
        if (error) return io_error("cannot replace " + (folder / "report.html").string(), error);
    }
    return Done{};
}

}  // namespace retromass::outputs
