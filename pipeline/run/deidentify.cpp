#include "pipeline/run/deidentify.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <regex>

#include "pipeline/run/protocol.h"

namespace retromass::run {
namespace {

class Hider {
public:
    Hider(const outputs::Deidentification& hiding, std::string root) : hiding_(hiding), root_(std::move(root)) {}

    void date(std::optional<Date>& date) const
    {
        if (date) *date += std::chrono::days(hiding_.days);
    }
    void uid(std::string& uid) const { uid = outputs::hidden_uid(hiding_, uid, root_); }
    void reader(std::string& name)
    {
        if (name.empty()) return;
        words_[name] = outputs::hidden_name(hiding_, name);
        name = words_[name];
    }
    /// A word of the case file that may name somebody, wherever it was repeated.
    void leave_out(const std::string& word, const char* instead)
    {
        if (!word.empty()) words_[word] = instead;
    }

    /// Of a sentence: the words that were replaced, UIDs and dates.
    void text(std::string& sentence) const
    {
        std::vector<std::pair<std::string, std::string>> longest(words_.begin(), words_.end());
        std::sort(longest.begin(), longest.end(), [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
        for (const auto& [word, instead] : longest) {
            for (std::size_t at = 0; (at = sentence.find(word, at)) != std::string::npos;) {
                const auto letter = [&](std::size_t i) { return i < sentence.size() && (std::isalnum(static_cast<unsigned char>(sentence[i])) || (sentence[i] & 0x80) != 0); };
                const bool inside = (at > 0 && letter(at - 1)) || letter(at + word.size());  // of a longer word
                if (!inside) sentence.replace(at, word.size(), instead);
                at += inside ? word.size() : instead.size();
            }
        }
        static const std::regex special(R"(\b[0-2](\.[0-9]+){2,}|[0-9]{4}-[0-9]{2}-[0-9]{2})");
        std::string out;
        auto from = sentence.cbegin();
        for (std::sregex_iterator found(sentence.cbegin(), sentence.cend(), special), end; found != end; ++found) {
            out.append(from, (*found)[0].first);
            const auto is = found->str();
            auto day = parse_date(is);
            if (day) *day += std::chrono::days(hiding_.days);
            out += day ? iso(*day) : outputs::hidden_uid(hiding_, is, root_);
            from = (*found)[0].second;
        }
        out.append(from, sentence.cend());
        sentence = std::move(out);
    }
    void notices(std::vector<Notice>& all) const
    {
        for (auto& notice : all) {
            if (notice.code == Code::series_chosen) notice.text = "one of several series of the study was chosen by the stated ranking";  // the scanner's descriptions stand in it
            text(notice.text);
        }
    }

private:
    const outputs::Deidentification& hiding_;
    std::string root_;
    std::map<std::string, std::string> words_;
};

void hide_ct(ingest::CtSeries& ct, const Hider& hider)
{
    auto& facts = ct.facts;
    for (auto* uid : {&facts.study_instance_uid, &facts.series_instance_uid, &facts.frame_of_reference_uid}) hider.uid(*uid);
    for (auto* date : {&facts.acquisition_date, &facts.series_date, &facts.study_date}) hider.date(*date);
    for (auto* words : {&facts.study_description, &facts.series_description, &facts.manufacturer, &facts.model, &facts.body_part}) words->clear();
    if (!facts.contrast_agent.empty()) facts.contrast_agent = "given";
    facts.patient = {};
    for (auto& slice : ct.slices) hider.uid(slice.sop_instance_uid);
    hider.notices(ct.notices);
}

}  // namespace

void hide(CaseFile& file, outputs::CaseResult& result, const outputs::Deidentification& hiding)
{
    Hider hider(hiding, result.uid_root);
    for (auto& timepoint : file.timepoints) {
        hider.date(timepoint.date);
        hider.reader(timepoint.reader);
    }
    for (auto& lesion : file.lesions) {
        for (auto& [unused, at] : lesion.timepoints) {
            hider.date(at.status_date);
            hider.reader(at.reader);
            hider.reader(at.reported_by);
            hider.leave_out(at.reported_source, "a report");
            for (const auto& name : {at.mask_file, at.prior_file, at.marks_file, at.edits_file}) hider.leave_out(name, "a file");
        }
    }
    for (auto& treatment : file.treatments) {
        hider.date(treatment.start);
        hider.date(treatment.end);
    }
    for (auto& event : file.events) event.date += std::chrono::days(hiding.days);
    result.treatments = file.treatments;
    result.events = file.events;
    for (auto& timepoint : result.timepoints) {
        hider.date(timepoint.date);
        hider.reader(timepoint.reader);
        hider.notices(timepoint.notices);
        if (timepoint.ct) hide_ct(*timepoint.ct, hider);
        for (auto& lesion : timepoint.lesions) {
            hider.uid(lesion.tracking_uid);
            hider.reader(lesion.reviewer);
            hider.text(lesion.reason);
            hider.text(lesion.conflict);
            for (auto& guess : lesion.suggested) hider.text(guess.text);
            hider.notices(lesion.notices);
        }
    }
    if (file.protocol) {  // whose rules list its readers
        for (auto& name : file.protocol->readers) hider.reader(name);
        for (auto& [name, value] : result.settings) {
            if (name == kProtocolRules) hider.text(value);
        }
    }
    for (auto& [input, hash] : result.inputs) {
        hider.text(input);
        hash = outputs::hidden_hash(hiding, hash);
    }
    hider.notices(result.notices);
}

}  // namespace retromass::run
