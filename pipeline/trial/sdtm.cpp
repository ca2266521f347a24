#include <algorithm>
#include <cctype>
#include <set>

#include "pipeline/trial/case_record.h"
#include "pipeline/trial/trial.h"

namespace retromass::trial {
namespace {

using Cells = std::map<std::string, std::string>;

const std::vector<std::string> kTu{"STUDYID", "DOMAIN", "USUBJID", "TUSEQ", "TUREFID", "TUSPID", "TULNKID", "TUTESTCD", "TUTEST", "TUORRES", "TUSTRESC", "TULOC", "TUMETHOD", "TUEVAL", "TUEVALID", "VISITNUM", "VISIT", "TUDTC"};
const std::vector<std::string> kTr{"STUDYID", "DOMAIN", "USUBJID", "TRSEQ", "TRGRPID", "TRREFID", "TRSPID", "TRLNKID", "TRLNKGRP", "TRTESTCD", "TRTEST", "TRORRES", "TRORRESU", "TRSTRESC", "TRSTRESN", "TRSTRESU", "TRSTAT", "TRREASND", "TRMETHOD", "TREVAL", "TREVALID", "VISITNUM", "VISIT", "TRDTC"};
const std::vector<std::string> kRs{"STUDYID", "DOMAIN", "USUBJID", "RSSEQ", "RSLNKGRP", "RSTESTCD", "RSTEST", "RSCAT", "RSORRES", "RSSTRESC", "RSSTAT", "RSREASND", "RSEVAL", "RSEVALID", "VISITNUM", "VISIT", "RSDTC"};
const std::vector<std::string> kSupp{"STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QLABEL", "QVAL", "QORIG", "QEVAL"};
constexpr std::size_t kLongestReason = 200;        // SDTM: a character variable holds 200
constexpr Length kTooSmall = Length::mm(5);        // E09; the standardised value of TOO SMALL TO MEASURE
constexpr Length kNodePathological = Length::mm(10);  // E09: a node below is normal

std::string upper(std::string text)
{
    for (auto& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
}

/// How a lesion is known from the baseline of the period on.
struct Identified {
    std::string as;                            ///< TARGET, NON-TARGET, NEW
    std::size_t at = 0;                        ///< of the period's time points
};

bool seen(const LesionRecord* lesion)
{
    static const std::set<std::string> words{"measured", "too-small", "present", "increased", "unequivocal-progression", "equivocal"};
    return lesion && words.contains(lesion->status);
}

struct Sdtm {
    std::vector<Cells> tu;
    std::vector<Cells> tr;
    std::vector<Cells> rs;
    std::vector<std::vector<std::string>> missing;  ///< case, time point, variable, why
    std::map<std::string, std::string> protocols;   ///< by case; none where it is under none
    std::size_t left_out = 0;
};

/// The rows of one case.
class CaseTables {
public:
    CaseTables(const CaseRecord& record, const SdtmParameters& parameters, const std::string& study, Sdtm& out) : case_(record), parameters_(parameters), study_(study), out_(out) {}

    Status add()
    {
        RETROMASS_TRY(choose_period());
        if (rows_.empty() || !rows_.front().first->is_baseline) {  // what is a target, and what new, is known from the baseline alone
            out_.missing.push_back({case_.case_id, "", "every one", rows_.empty() ? "no time point in " + period_->period : rows_.front().first->reason});
            ++out_.left_out;
            return Done{};
        }
        std::size_t before = 0;  // a part is known by its whole, which may be listed after it, and be a part itself
        do {
            before = known_.size();
            for (const auto& lesion : case_.lesions) {
                if (!known_.contains(lesion.id)) identify(lesion);
            }
        } while (known_.size() > before);
        for (std::size_t t = 0; t < rows_.size(); ++t) add_timepoint(t);
        add_best();
        return Done{};
    }

private:
    /// The one treatment line, or the one named: a study that ends one period and begins the next has one response in each.
    Status choose_period()
    {
        std::vector<const PeriodRecord*> fits;
        for (const auto& period : case_.periods) {
            if (parameters_.line ? period.line == *parameters_.line : period.line > 0) fits.push_back(&period);
        }
        if (fits.empty() && !parameters_.line && case_.periods.size() == 1) fits.push_back(&case_.periods.front());
        if (fits.size() != 1) {
            std::string all;
            for (const auto& period : case_.periods) all += (all.empty() ? "" : "; ") + period.period;
            return Error{Code::usage, "case " + case_.case_id + ": " + (fits.empty() ? "no such treatment line" : "several treatment lines") + "; say --line N (" + (all.empty() ? "no period has a baseline" : all) + ")", "trial: sdtm"};
        }
        period_ = fits.front();
        for (const auto& row : case_.recist) {
            if (row.period != period_->period) continue;
            const auto* timepoint = case_.timepoint(row.timepoint);
            if (timepoint) rows_.emplace_back(&row, timepoint);
        }
        return Done{};
    }

    /// The lesion that this one is a part of, and its place among the parts.
    std::pair<const ListedLesion*, std::size_t> whole_of(const std::string& part) const
    {
        for (const auto& timepoint : case_.timepoints) {
            for (const auto& lesion : timepoint.lesions) {
                const auto found = std::find(lesion.split_into.begin(), lesion.split_into.end(), part);
                if (found != lesion.split_into.end()) return {case_.lesion(lesion.id), static_cast<std::size_t>(found - lesion.split_into.begin()) + 1};
            }
        }
        return {nullptr, 0};
    }

    bool split_by(const std::string& lesion, std::size_t t) const
    {
        for (std::size_t earlier = 0; earlier <= t; ++earlier) {
            const auto* record = rows_[earlier].second->lesion(lesion);
            if (record && !record->split_into.empty()) return true;
        }
        return false;
    }

    void identify(const ListedLesion& lesion)
    {
        const auto whole = whole_of(lesion.id).first;
        for (std::size_t t = 0; t < rows_.size(); ++t) {
            const auto* record = rows_[t].second->lesion(lesion.id);
            const auto word = lesion.role == "target" ? "TARGET" : "NON-TARGET";
            if (whole) {  // known as its whole is, from the split on
                if (split_by(whole->id, t) && known_.contains(whole->id)) {
                    known_[lesion.id] = {known_[whole->id].as, t};
                    return;
                }
                continue;
            }
            if (t == 0 && record && record->status == "not-evaluable" && lesion.role != "new") {
                known_[lesion.id] = {word, 0};
                return;
            }
            if (!seen(record)) continue;
            // Absent at the baseline: new when it is seen. New before it: non-target disease from it on.
            known_[lesion.id] = {t > 0 ? "NEW" : word, t};
            return;
        }
    }

    /// "T1"; "T4.1" for a part; "T2/T3" where others merged into it.
    std::string link_of(const std::string& lesion, std::size_t t) const
    {
        std::vector<std::string> names;
        for (const auto& listed : case_.lesions) {
            const auto* record = rows_[t].second->lesion(listed.id);
            const bool merged_here = record && record->status == "merged" && record->merged_into == lesion;
            if (listed.id != lesion && !merged_here) continue;
            const auto [whole, place] = whole_of(listed.id);
            names.push_back(whole ? whole->id + "." + std::to_string(place) : listed.id);
        }
        std::string out;
        for (const auto& name : names) out += (out.empty() ? "" : "/") + name;
        return out;
    }

    /// A row with what every row of the domain states; `domain` TU, TR or RS.
    Cells row_of(const std::string& domain, std::size_t t)
    {
        const auto& timepoint = *rows_[t].second;
        Cells out{{"STUDYID", study_}, {"DOMAIN", domain}, {"USUBJID", case_.case_id}, {domain + "SEQ", std::to_string(++sequence_[domain])}};
        const auto evaluator = !parameters_.protocol ? setting("evaluator") : parameters_.protocol->evaluator;
        out[domain + "EVAL"] = evaluator;
        out[domain + "EVALID"] = timepoint.reader;
        out["VISIT"] = timepoint.visit;
        out[domain + "DTC"] = timepoint.date;
        if (parameters_.protocol) {
            const auto& visits = parameters_.protocol->visits;
            const auto found = std::find_if(visits.begin(), visits.end(), [&](const auto& visit) { return visit.name == timepoint.visit; });
            if (found != visits.end()) out["VISITNUM"] = std::to_string(found - visits.begin() + 1);
        }
        const auto need = [&](const std::string& variable, const char* why) {
            if (out[variable].empty()) missing(timepoint.id, variable, why);
        };
        need(domain + "EVAL", "the protocol states no evaluator");
        need(domain + "EVALID", "the time point names no reader");
        need("VISIT", "the time point names no visit, and its day lies in no visit window of a protocol");
        need("VISITNUM", "no protocol numbers this visit");
        need(domain + "DTC", "the time point has no date");
        return out;
    }

    /// Once for each time point and variable, not for each row.
    void missing(const std::string& timepoint, const std::string& variable, const std::string& why)
    {
        if (!named_.insert(timepoint + " " + variable).second) return;
        out_.missing.push_back({case_.case_id, timepoint, variable, why});
    }

    std::string setting(const std::string& name) const
    {
        const auto found = case_.settings.find(name);
        return found == case_.settings.end() ? std::string() : found->second;
    }

    void add_identification(const ListedLesion& lesion, std::size_t t, const std::string& link, const char* code, const char* test)
    {
        const auto& timepoint = *rows_[t].second;
        auto row = row_of("TU", t);
        const auto* record = timepoint.lesion(lesion.id);
        const auto site = lesion.nodal ? "LYMPH NODE" : upper(lesion.site.empty() ? lesion.organ : lesion.site);
        row["TUREFID"] = timepoint.series_uid;
        row["TUSPID"] = record ? record->tracking_uid : "";
        row["TULNKID"] = link;
        row["TUTESTCD"] = code;
        row["TUTEST"] = test;
        row["TUORRES"] = row["TUSTRESC"] = known_[lesion.id].as;
        row["TULOC"] = site;
        row["TUMETHOD"] = timepoint.series_uid.empty() ? "" : "CT SCAN";
        if (site.empty()) missing(timepoint.id, "TULOC of " + lesion.id, "the case file names neither site nor organ");
        if (row["TUMETHOD"].empty()) missing(timepoint.id, "TUMETHOD", "no images: the sizes were reported");
        linked_.insert(link);
        out_.tu.push_back(std::move(row));
    }

    Cells result_row(std::size_t t, const ListedLesion& lesion, const std::string& link, const char* code, const char* test)
    {
        const auto& timepoint = *rows_[t].second;
        const auto* record = timepoint.lesion(lesion.id);
        auto row = row_of("TR", t);
        row["TRGRPID"] = known_[lesion.id].as;
        row["TRREFID"] = timepoint.series_uid;
        row["TRSPID"] = record ? record->tracking_uid : "";
        row["TRLNKID"] = link;
        row["TRLNKGRP"] = group(t);
        row["TRTESTCD"] = code;
        row["TRTEST"] = test;
        row["TRMETHOD"] = timepoint.series_uid.empty() ? "" : "CT SCAN";
        return row;
    }

    static std::string group(std::size_t t) { return "A" + std::to_string(t + 1); }

    static void not_done(Cells& row, const std::string& domain, const std::string& why)
    {
        row[domain + "STAT"] = "NOT DONE";
        row[domain + "REASND"] = why.substr(0, kLongestReason);
    }

    static void standardised(Cells& row, Length value)
    {
        row["TRSTRESC"] = row["TRSTRESN"] = value.text();
        row["TRSTRESU"] = "mm";
    }

    void add_length(std::size_t t, const ListedLesion& lesion, const LesionRecord& record, const std::string& link)
    {
        auto row = result_row(t, lesion, link, lesion.nodal ? "LPERP" : "LDIAM", lesion.nodal ? "Longest Perpendicular" : "Longest Diameter");
        if (record.status == "absent") {
            row["TRORRES"] = "0";
            row["TRORRESU"] = "mm";
            standardised(row, {});
        } else if (record.status == "too-small") {
            row["TRORRES"] = "TOO SMALL TO MEASURE";
            standardised(row, record.counted.value_or(kTooSmall));
        } else if (record.counted && seen(&record)) {
            row["TRORRES"] = record.counted->text();
            row["TRORRESU"] = "mm";
            standardised(row, *record.counted);
        } else {
            const auto why = record.status == "not-evaluable" ? record.reason : record.status + (record.reason.empty() ? "" : ": " + record.reason);
            not_done(row, "TR", "NOT EVALUABLE" + (why.empty() ? "" : ": " + why));
        }
        out_.tr.push_back(std::move(row));
    }

    void add_node_state(std::size_t t, const ListedLesion& lesion, const LesionRecord& record, const std::string& link)
    {
        auto row = result_row(t, lesion, link, "LNSTATE", "Lymph Node State");
        const bool normal = record.status == "normal-node" || record.status == "absent" || record.status == "too-small" || (record.counted && *record.counted < kNodePathological);
        if (normal || seen(&record)) row["TRORRES"] = row["TRSTRESC"] = normal ? "NON-PATHOLOGICAL" : "PATHOLOGICAL";
        else not_done(row, "TR", "NOT EVALUABLE" + (record.reason.empty() ? "" : ": " + record.reason));
        out_.tr.push_back(std::move(row));
    }

    void add_state(std::size_t t, const ListedLesion& lesion, const LesionRecord& record, const std::string& link)
    {
        auto row = result_row(t, lesion, link, "TUMSTATE", "Tumor State");
        const bool is_new = known_[lesion.id].as == "NEW";
        const auto say = [&](const std::string& original, const std::string& standard) {
            row["TRORRES"] = original;
            row["TRSTRESC"] = standard;
        };
        if (record.status == "absent" || record.status == "normal-node") say("ABSENT", "ABSENT");
        else if (record.status == "unequivocal-progression") say("UNEQUIVOCAL PROGRESSION", "UNEQUIVOCAL PROGRESSION");
        else if (record.status == "equivocal") say("EQUIVOCAL", "EQUIVOCAL");
        else if (record.status == "increased") say("INCREASED", is_new ? "UNEQUIVOCAL" : "PRESENT");
        else if (seen(&record)) say(is_new ? "UNEQUIVOCAL" : "PRESENT", is_new ? "UNEQUIVOCAL" : "PRESENT");
        else not_done(row, "TR", "NOT EVALUABLE" + (record.reason.empty() ? (record.status == "not-evaluable" ? "" : ": " + record.status) : ": " + record.reason));
        out_.tr.push_back(std::move(row));
    }

    void add_lesion(std::size_t t, const ListedLesion& lesion)
    {
        const auto known = known_.find(lesion.id);
        if (known == known_.end() || t < known->second.at) return;
        if (split_by(lesion.id, t)) return;  // its parts stand for it
        const auto* record = rows_[t].second->lesion(lesion.id);
        if (!record) return;
        if (record->status == "merged") return;  // read in its partner
        const auto link = link_of(lesion.id, t);
        if (!linked_.contains(link)) {
            const bool merged = link.find('/') != std::string::npos;
            const bool part = whole_of(lesion.id).first != nullptr;
            if (merged) add_identification(lesion, t, link, "TUMERGE", "Tumor Merged");
            else if (part) add_identification(lesion, t, link, "TUSPLIT", "Tumor Split");
            else add_identification(lesion, t, link, "TUMIDENT", "Tumor Identification");
        }
        const auto& as = known->second.as;
        if (as == "TARGET") add_length(t, lesion, *record, link);
        if (lesion.nodal && as != "NEW") add_node_state(t, lesion, *record, link);
        if (as == "NON-TARGET" && !lesion.nodal) add_state(t, lesion, *record, link);
        if (as == "NEW") {
            add_state(t, lesion, *record, link);
            if (record->counted && seen(record)) add_length(t, lesion, *record, link);
        }
    }

    /// What the sum says; the lesions' rows re-add to it.
    void add_sum(std::size_t t)
    {
        const auto& recist = *rows_[t].first;
        const bool targets = std::any_of(known_.begin(), known_.end(), [&](const auto& known) { return known.second.as == "TARGET"; });
        if (!targets) return;
        const auto add = [&](const char* code, const char* test, const std::string& value, const char* unit) {
            auto row = row_of("TR", t);
            row["TRGRPID"] = "TARGET";
            row["TRLNKGRP"] = group(t);
            row["TRTESTCD"] = code;
            row["TRTEST"] = test;
            if (value.empty()) {
                not_done(row, "TR", "NOT EVALUABLE: " + recist.reason);
            } else {
                row["TRORRES"] = row["TRSTRESC"] = row["TRSTRESN"] = value;
                row["TRORRESU"] = row["TRSTRESU"] = unit;
            }
            out_.tr.push_back(std::move(row));
        };
        add("SUMDIAM", "Sum of Diameter", recist.sum ? recist.sum->text() : "", "mm");
        if (!recist.sum || recist.is_baseline) return;
        if (recist.nadir) add("ACNSD", "Absolute Change Nadir in Sum of Diam", signed_text(recist.sum->hundredths - recist.nadir->hundredths), "mm");
        if (recist.from_baseline_pct) add("PCBSD", "Percent Change Baseline in Sum of Diam", fixed(*recist.from_baseline_pct, 2), "%");
        if (recist.from_nadir_pct) add("PCNSD", "Percent Change Nadir in Sum of Diam", fixed(*recist.from_nadir_pct, 2), "%");
    }

    static std::string signed_text(std::int64_t hundredths) { return (hundredths < 0 ? "-" : "") + Length{std::abs(hundredths)}.text(); }

    void add_response(std::size_t t, const char* code, const char* test, const std::string& original, const std::string& standard, const std::string& why_not)
    {
        auto row = row_of("RS", t);
        if (std::string_view(code) == "OVRLRESP") row["RSLNKGRP"] = group(t);  // the sum and lesions it rests on
        row["RSTESTCD"] = code;
        row["RSTEST"] = test;
        row["RSCAT"] = "RECIST 1.1";
        row["RSORRES"] = original;
        row["RSSTRESC"] = standard;
        if (original.empty()) not_done(row, "RS", why_not);
        out_.rs.push_back(std::move(row));
    }

    void add_timepoint(std::size_t t)
    {
        for (const auto& lesion : case_.lesions) add_lesion(t, lesion);
        add_sum(t);
        const auto& recist = *rows_[t].first;
        if (recist.is_baseline) return;
        if (recist.target != "NA" && !recist.target.empty()) add_response(t, "TRGRESP", "Target Response", recist.target, recist.target, "");
        if (recist.non_target != "NA" && !recist.non_target.empty()) add_response(t, "NTRGRESP", "Non-target Response", recist.non_target, recist.non_target, "");
        const auto& stated = recist.new_lesions;
        const std::string indicator = stated == "none" ? "N" : stated == "unequivocal" || stated == "equivocal" ? "Y" : "";
        add_response(t, "NEWLIND", "New Lesion Indicator", indicator, indicator, stated.empty() ? "NOT STATED" : "NOT ASSESSED");
        if (indicator == "Y") add_response(t, "NEWLPROG", "New Lesion Progression", upper(stated), upper(stated), "");
        add_response(t, "OVRLRESP", "Overall Response", recist.overall, recist.overall, recist.reason);
    }

    void add_best()
    {
        if (rows_.empty() || period_->best.empty()) return;
        auto row = row_of("RS", rows_.size() - 1);
        row["RSTESTCD"] = "BESTRESP";
        row["RSTEST"] = "Best Response";
        row["RSCAT"] = "RECIST 1.1";
        row["RSORRES"] = row["RSSTRESC"] = period_->best;
        row["RSDTC"] = period_->best_date;
        row["VISIT"] = row["VISITNUM"] = "";  // of no single visit
        out_.rs.push_back(std::move(row));
    }

    const CaseRecord& case_;
    const SdtmParameters& parameters_;
    const std::string& study_;
    Sdtm& out_;
    const PeriodRecord* period_ = nullptr;
    std::vector<std::pair<const ResponseRecord*, const TimepointRecord*>> rows_;  ///< of the period, baseline first
    std::map<std::string, Identified> known_;
    std::map<std::string, int> sequence_;
    std::set<std::string> linked_;
    std::set<std::string> named_;
};

std::string table_text(const std::vector<std::string>& columns, const std::vector<Cells>& rows)
{
    auto out = outputs::csv_line(columns);
    for (const auto& row : rows) {
        std::vector<std::string> cells;
        for (const auto& column : columns) {
            const auto cell = row.find(column);
            cells.push_back(cell == row.end() ? std::string() : cell->second);
        }
        out += outputs::csv_line(cells);
    }
    return out;
}

/// The supplemental qualifiers of a domain: the protocol that each record was made under, for which the domain itself has no variable.
std::string qualifiers_text(const std::string& domain, const std::vector<Cells>& rows, const std::map<std::string, std::string>& protocols)
{
    std::vector<Cells> out;
    for (const auto& row : rows) {
        const auto protocol = protocols.find(row.at("USUBJID"));
        if (protocol == protocols.end()) continue;
        out.push_back({{"STUDYID", row.at("STUDYID")}, {"RDOMAIN", domain}, {"USUBJID", row.at("USUBJID")}, {"IDVAR", domain + "SEQ"}, {"IDVARVAL", row.at(domain + "SEQ")}, {"QNAM", "PROTRULE"},
                       {"QLABEL", "Protocol, Version and SHA-256 of Rules"}, {"QVAL", protocol->second}, {"QORIG", "Assigned"}, {"QEVAL", ""}});
    }
    return table_text(kSupp, out);
}

}  // namespace

Result<SdtmFiles> sdtm_tables(const std::vector<std::filesystem::path>& results, const SdtmParameters& parameters)
{
    RETROMASS_TRY_ASSIGN(const auto cases, read_case_records(results));
    RETROMASS_TRY(one_set_of_rules({&cases}, parameters.protocol));
    Sdtm tables;
    for (const auto& [id, record] : cases) {
        if (!record.protocol.empty()) tables.protocols[id] = record.protocol;
        auto study = parameters.study;
        const auto of_protocol = record.settings.find("protocol id");
        if (study.empty() && of_protocol != record.settings.end()) study = of_protocol->second;
        if (study.empty()) return Error{Code::usage, "case " + id + " is under no protocol: say which study it belongs to (--study)", "trial: sdtm"};
        if (parameters.protocol && parameters.protocol->id != study) return Error{Code::usage, "case " + id + " belongs to study " + study + ", the protocol is of " + parameters.protocol->id, "trial: sdtm"};
        RETROMASS_TRY(CaseTables(record, parameters, study, tables).add());
    }
    auto named = outputs::csv_line({"USUBJID", "timepoint", "variable", "why", "protocol"});
    for (auto row : tables.missing) {
        const auto protocol = tables.protocols.find(row.front());
        row.push_back(protocol == tables.protocols.end() ? "" : protocol->second);
        named += outputs::csv_line(row);
    }
    SdtmFiles out;
    out.missing = tables.missing.size() - tables.left_out;
    out.left_out = tables.left_out;
    out.files = {{"tu.csv", table_text(kTu, tables.tu)}, {"tr.csv", table_text(kTr, tables.tr)}, {"rs.csv", table_text(kRs, tables.rs)}, {"missing.csv", named}};
    if (tables.protocols.empty()) return out;
    out.files["supptu.csv"] = qualifiers_text("TU", tables.tu, tables.protocols);
    out.files["supptr.csv"] = qualifiers_text("TR", tables.tr, tables.protocols);
    out.files["supprs.csv"] = qualifiers_text("RS", tables.rs, tables.protocols);
    return out;
}

}  // namespace retromass::trial
