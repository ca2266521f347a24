#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <system_error>

#include "core/units.h"
#include "pipeline/batch/batch.h"
#include "pipeline/batch/files.h"
#include "pipeline/batch/manifest.h"
#include "pipeline/batch/state.h"
#include "pipeline/outputs/outputs.h"
#include "pipeline/run/run.h"

namespace retromass::batch {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::size_t kUnreadNamed = 20;  // of the folders and files that cannot be read; their number is said in any case

constexpr const char* kSchema = "retromass-batch-plan/1";

/// One patient's part of the archive.
struct Patient {
    std::string key;            ///< a hash of who the images say it is; empty where they do not
    ingest::Scan scan;
    std::set<std::string> studies;
};

/// Patients in the order of their first study's UID: no name, ID or folder decides. `shared` are studies whose images name several.
std::vector<Patient> patients_of(ingest::Scan scan, std::set<std::string>& shared)
{
    std::map<std::string, std::size_t> place;  // of a patient, or of a study that states none
    std::map<std::string, std::size_t> patient_of_study;
    std::vector<Patient> out;
    const auto at = [&](const std::string& key) {
        const auto [found, is_new] = place.emplace(key, out.size());
        if (is_new) out.emplace_back();
        return found->second;
    };
    for (auto& series : scan.series) {
        const auto& who = series.facts.patient;
        const auto& study = series.facts.study_instance_uid;
        const auto key = who.id ? "patient " + std::to_string(who.id) + " " + std::to_string(who.issuer) : "study " + study;
        const auto patient = at(key);
        if (who.id) out[patient].key = outputs::sha256_of_text(key).substr(0, 16);
        const auto [first, is_first] = patient_of_study.emplace(study, patient);
        if (!is_first && first->second != patient) shared.insert(study);
        out[patient].studies.insert(study);
        out[patient].scan.series.push_back(std::move(series));
    }
    for (auto& excluded : scan.excluded) {
        const auto found = excluded.code == Code::not_an_image ? patient_of_study.find(excluded.study_instance_uid) : patient_of_study.end();
        if (found != patient_of_study.end()) out[found->second].scan.excluded.push_back(std::move(excluded));
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return *a.studies.begin() < *b.studies.begin(); });
    return out;
}

/// The files of each study that shares its folder with others: their cases are to depend on, and read, their own files alone. What of a study was
/// set aside is among them: a duplicate or a damaged slice has to be seen again when the case is run.
std::map<std::string, std::vector<fs::path>> files_in_shared_folders(const ingest::Scan& scan)
{
    std::map<std::string, std::vector<fs::path>> files;
    const auto add = [&](const std::string& study, const fs::path& file) {
        if (!study.empty()) files[study].push_back(fs::absolute(file).lexically_normal());
    };
    for (const auto& series : scan.series) {
        for (const auto& slice : series.slices) add(series.facts.study_instance_uid, slice.file);
    }
    for (const auto& excluded : scan.excluded) add(excluded.study_instance_uid, excluded.file);
    std::map<std::string, std::string> study_below;  // a folder -> the one study below it; "" = several
    for (auto& [study, own] : files) {
        std::sort(own.begin(), own.end());
        own.erase(std::unique(own.begin(), own.end()), own.end());
        std::set<std::string> folders;
        for (const auto& file : own) {
            for (auto folder = file.parent_path(); folders.insert(folder.string()).second && folder.has_relative_path(); folder = folder.parent_path()) {}
        }
        for (const auto& folder : folders) {
            const auto [found, is_new] = study_below.emplace(folder, study);
            if (!is_new) found->second.clear();
        }
    }
    std::erase_if(files, [&](const auto& entry) {
        const auto& own = entry.second;
        const bool one_a_line = std::all_of(own.begin(), own.end(), [](const auto& file) { return file.string().find('\n') == std::string::npos; });
        auto common = own.front().parent_path();  // of the first and the last in order, and so of all between them
        while (common.has_relative_path() && std::mismatch(common.begin(), common.end(), own.back().begin(), own.back().end()).first != common.end()) common = common.parent_path();
        const bool shared = study_below[common.string()].empty();
        return !one_a_line || !shared;
    });
    return files;
}

/// Lines on images: rows of the given tables, by the study their image is of.
struct Lines {
    std::map<std::string, std::string> by_study;  ///< study UID -> CSV rows
    std::vector<std::string> unmatched;
};

/// Tables of lines that lie in the archive, beside those that were handed in.
std::vector<fs::path> tables_found(const ingest::Scan& scan, const std::vector<fs::path>& handed_in)
{
    std::vector<fs::path> out;
    for (const auto& excluded : scan.excluded) {
        auto ending = excluded.file.extension().string();
        std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        if (excluded.code != Code::not_dicom || ending != ".csv") continue;
        std::ifstream in(excluded.file);
        std::string header;
        if (!std::getline(in, header) || header.find("sop_instance_uid") == std::string::npos) continue;
        std::error_code error;
        if (std::none_of(handed_in.begin(), handed_in.end(), [&](const auto& table) { return fs::equivalent(table, excluded.file, error); })) out.push_back(excluded.file);
    }
    std::sort(out.begin(), out.end());
    return out;
}

Result<Lines> lines_of(const std::vector<fs::path>& handed_in, const ingest::Scan& scan)
{
    Lines out;
    const auto found = tables_found(scan, handed_in);
    if (handed_in.empty() && found.empty()) return out;
    std::map<std::string_view, const std::string*> study_of_image;
    for (const auto& series : scan.series) {
        for (const auto& slice : series.slices) study_of_image.emplace(slice.sop_instance_uid, &series.facts.study_instance_uid);
    }
    const auto read = [](const fs::path& table) { return run::read_rows(table, {"sop_instance_uid", "x1", "y1", "x2", "y2", "lesion", "frame"}, {"sop_instance_uid", "x1", "y1", "x2", "y2", "lesion"}); };
    std::set<std::string> taken;
    const auto take = [&](const std::vector<run::TableRow>& rows) {
        for (const auto& row : rows) {
            const auto study = study_of_image.find(row.cells.at("sop_instance_uid"));
            if (study == study_of_image.end()) {
                out.unmatched.push_back(row.place + ": image " + row.cells.at("sop_instance_uid") + " is not in the archive");
                continue;
            }
            std::string text;
            for (const auto* column : {"sop_instance_uid", "x1", "y1", "x2", "y2", "lesion", "frame"}) {
                const auto cell = row.cells.find(column);
                text += (text.empty() ? "" : ",") + csv_cell(cell == row.cells.end() ? std::string() : cell->second);
            }
            text += '\n';
            if (taken.insert(text).second) out.by_study[*study->second] += text;  // a copy of a table says nothing new
        }
    };
    for (const auto& table : handed_in) {
        RETROMASS_TRY_ASSIGN(const auto rows, read(table));
        take(rows);
    }
    for (const auto& table : found) {  // nobody asked for these: one that cannot be read stops nothing
        const auto rows = read(table);
        if (rows) take(*rows);
        else out.unmatched.push_back("not taken: " + rows.error().message);
    }
    return out;
}

/// What the manifest says of a patient's studies, by their UID. Takes those rows.
std::map<std::string, ManifestRow> stated_of(const Patient& patient, OpenRows& rows)
{
    std::map<std::string, ManifestRow> out;
    for (const auto& study : patient.studies) {
        if (auto row = rows.take(study)) out.emplace(study, std::move(*row));
    }
    return out;
}

class Planner {
public:
    Planner(const fs::path& folder, const PlanParameters& parameters) : parameters_(parameters) { plan_.folder = fs::absolute(folder).lexically_normal(); }

    Result<Plan> make(const std::vector<fs::path>& archive, const Progress& progress)
    {
        for (const auto& root : archive) {
            auto whole = fs::absolute(root).lexically_normal().string();
            while (whole.size() > 1 && whole.back() == '/') whole.pop_back();
            if ((plan_.folder.string() + "/").starts_with(whole + "/")) {
                return Error{Code::usage, "the plan " + plan_.folder.string() + " would lie inside the archive " + whole + " and find its own results there; name a folder outside", "batch: plan"};
            }
        }
        RETROMASS_TRY(take_known());
        std::optional<std::string> settings;
        if (!parameters_.settings.empty()) {
            RETROMASS_TRY_ASSIGN(const auto read, run::read_settings(parameters_.settings));
            parameters_.accepted.insert(parameters_.accepted.end(), read.accepted.begin(), read.accepted.end());
            settings = text_of(parameters_.settings);
        }
        std::optional<std::string> protocol;
        RETROMASS_TRY(take_protocol());
        if (!parameters_.protocol.empty()) protocol = text_of(parameters_.protocol);
        std::vector<ManifestRow> manifest;
        if (!parameters_.manifest.empty()) {
            RETROMASS_TRY_ASSIGN(manifest, read_manifest(parameters_.manifest));
        }
        ingest::ScanParameters scanning;
        scanning.threads = parameters_.threads;
        scanning.accepted = parameters_.accepted;
        RETROMASS_TRY_ASSIGN(auto scan, ingest::scan(archive, scanning, progress));
        if (scan.series.empty()) return Error{Code::no_series, "no CT image was found in the archive (" + std::to_string(scan.excluded.size()) + " files set aside; retromass series says why)", "batch: plan"};
        find_studies(manifest, scan);
        OpenRows open(std::move(manifest));
        RETROMASS_TRY_ASSIGN(auto lines, lines_of(parameters_.marks, scan));
        plan_.run_arguments = parameters_.run_arguments;
        if (settings) plan_.run_arguments.insert(plan_.run_arguments.end(), {"--settings", kSettingsOfPlan});
        if (protocol) plan_.run_arguments.insert(plan_.run_arguments.end(), {"--protocol", kProtocolOfPlan});
        std::error_code error;
        fs::create_directories(plan_.folder, error);
        if (error) return Error{Code::io, plan_.folder.string() + " cannot be made: " + error.message(), "batch: plan"};
        const auto keep = [&](const char* name, const std::optional<std::string>& text) { return text && text_of(plan_.folder / name) != text ? write_text(plan_.folder / name, *text) : Status(Done{}); };
        const auto keep_settings = [&]() -> Status {
            RETROMASS_TRY(keep(kSettingsOfPlan, settings));
            return keep(kProtocolOfPlan, protocol);
        };
        const bool continued = fs::exists(plan_.folder / "plan.json", error);
        if (continued) RETROMASS_TRY(keep_settings());  // a list never names settings that are not there
        RETROMASS_TRY(write());                         // from here on it is a plan that can be continued
        RETROMASS_TRY(make_folders());
        RETROMASS_TRY(keep_settings());
        std::map<Code, std::size_t> aside;
        for (const auto& excluded : scan.excluded) {
            if (++aside[excluded.code] <= kUnreadNamed && excluded.code == Code::io) plan_.remarks.push_back(excluded.file.string() + " " + excluded.text);  // patients may be missing: where, has to be said
        }
        for (const auto& [code, count] : aside) plan_.remarks.push_back(std::to_string(count) + " files set aside [" + std::string(name(code)) + "]");
        files_ = files_in_shared_folders(scan);
        std::set<std::string> shared;
        auto patients = patients_of(std::move(scan), shared);
        for (const auto& study : shared) plan_.remarks.push_back((study.empty() ? std::string("images without a Study Instance UID: they") : "study " + study + ": its images") + " do not agree on the patient (ID or issuer); each part is a case of its own");
        for (std::size_t i = 0; i < patients.size(); ++i) {
            if (!goes_on(progress, "drafting cases", static_cast<double>(i) / static_cast<double>(patients.size()))) {
                RETROMASS_TRY(write());
                return Error{Code::cancelled, "stopped while drafting cases; what was drafted is kept, and the same command goes on", "batch: plan"};
            }
            RETROMASS_TRY(add(patients[i], stated_of(patients[i], open), lines));
        }
        for (const auto& row : open.left()) plan_.remarks.push_back(row.place + ": " + (row.folder.empty() ? "study " + row.study_uid : "folder " + row.folder) + " is not in the archive, has a row already, or is a folder of several studies");
        for (auto& line : lines.unmatched) plan_.remarks.push_back(std::move(line));
        std::sort(plan_.cases.begin(), plan_.cases.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
        RETROMASS_TRY(write());
        for (const auto& place : {plan_.folder, plan_.folder / "cases"}) remove_unfinished(place);
        return std::move(plan_);
    }

private:
    Status make_folders() const
    {
        for (const auto* part : {"cases", "state", "results", "logs"}) {
            std::error_code error;
            fs::create_directories(plan_.folder / part, error);
            if (error) return Error{Code::io, (plan_.folder / part).string() + " cannot be made: " + error.message(), "batch: plan"};
        }
        return Done{};
    }

    /// A plan stays under the protocol it was made under, or a later version of it: what was run of it is locked to that.
    Status take_protocol()
    {
        const auto refuse = [&](const std::string& why) { return Error{Code::output_exists, plan_.folder.string() + " " + why, "batch: plan"}; };
        std::error_code error;
        const auto kept = plan_.folder / kProtocolOfPlan;
        const bool has_one = fs::exists(kept, error);
        if (parameters_.protocol.empty()) return has_one ? Status(refuse("is planned under a protocol; name it (--protocol " + kept.string() + ")")) : Status(Done{});
        RETROMASS_TRY_ASSIGN(const auto now, run::read_protocol(parameters_.protocol));
        protocol_ = now;
        if (!has_one) return Done{};
        RETROMASS_TRY_ASSIGN(const auto before, run::read_protocol(kept));
        const auto was = "is planned under protocol " + run::name_of(before);
        if (before.id != now.id) return refuse(was + ", this is " + run::name_of(now) + "; plan into another folder");
        if (now.version < before.version) return refuse(was + "; version " + std::to_string(now.version) + " is older");
        return run::check_versions({{run::name_of(before), kept.string()}, {run::name_of(now), parameters_.protocol.string()}});
    }

    /// A plan that is there already is continued.
    Status take_known()
    {
        std::error_code error;
        if (!fs::exists(plan_.folder / "plan.json", error)) {
            bool others = false;  // beside what a call left that was killed before it had written its first list
            for (fs::directory_iterator it(plan_.folder, error), end; !error && it != end; it.increment(error)) others = others || !it->path().filename().string().starts_with("plan.json.unfinished-");
            if (others) return Error{Code::output_exists, plan_.folder.string() + " is there and is no plan; name a new folder", "batch: plan"};
            return Done{};
        }
        RETROMASS_TRY_ASSIGN(auto known, read_plan(plan_.folder));
        plan_.cases = std::move(known.cases);
        for (std::size_t i = 0; i < plan_.cases.size(); ++i) {
            const auto& c = plan_.cases[i];
            ids_.insert(c.id);
            if (!c.patient.empty()) known_of_patient_[c.patient].push_back(i);
            for (const auto& study : c.studies) known_of_study_[study].push_back(i);
        }
        return Done{};
    }

    /// The first case of the plan that was there and is this patient's: stated so by the images or, where one of the two states nobody, by a study in common.
    PlannedCase* known_of(const Patient& patient)
    {
        auto first = plan_.cases.size();
        const auto look = [&](const std::map<std::string, std::vector<std::size_t>>& known, const std::string& key, bool of_nobody) {
            const auto found = known.find(key);
            if (found == known.end()) return;
            for (const auto i : found->second) {
                if (i >= first) return;
                if (taken_.contains(plan_.cases[i].id)) continue;  // by another patient of this archive
                if (!of_nobody || plan_.cases[i].patient.empty()) first = i;
            }
        };
        if (!patient.key.empty()) look(known_of_patient_, patient.key, false);
        for (const auto& study : patient.studies) look(known_of_study_, study, !patient.key.empty());
        return first < plan_.cases.size() ? &plan_.cases[first] : nullptr;
    }

    std::string next_id() const
    {
        for (std::size_t n = plan_.cases.size() + 1;; ++n) {
            auto digits = std::to_string(n);
            auto id = "P-" + std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
            if (!ids_.contains(id)) return id;
        }
    }

    Status add(const Patient& patient, const std::map<std::string, ManifestRow>& stated, const Lines& lines)
    {
        auto* known = known_of(patient);
        std::string id = known ? known->id : "";
        for (const auto& [study, row] : stated) {
            if (row.subject.empty() || row.subject == id) continue;
            if (!id.empty()) {
                plan_.remarks.push_back(row.place + ": subject " + row.subject + ", but the patient is case " + id + " already; kept as " + id);
                continue;
            }
            if (ids_.contains(row.subject)) {
                plan_.remarks.push_back(row.place + ": subject " + row.subject + " is another patient's case already, by the images' patient ID; not used");
                continue;
            }
            id = row.subject;
        }
        if (id.empty()) id = next_id();
        if (!parameters_.manifest.empty()) {
            for (const auto& study : patient.studies) {
                if (!stated.contains(study)) plan_.remarks.push_back(id + ": study " + study + " is not in the manifest");
            }
        }
        run::DraftParameters drafting;
        drafting.case_id = id;
        drafting.folder = plan_.folder / "cases";
        drafting.accepted = parameters_.accepted;
        drafting.labels = parameters_.labels;
        drafting.protocol = protocol_;
        for (const auto& [study, row] : stated) drafting.visits[study] = {row.visit, row.day, row.reader};
        for (const auto& study : patient.studies) {
            if (files_.contains(study)) drafting.lists[study] = id + ".files-" + outputs::sha256_of_text(study).substr(0, 8) + ".txt";
        }
        int nth = 0;
        for (const auto& study : patient.studies) {
            const auto rows = lines.by_study.find(study);
            if (rows == lines.by_study.end()) continue;
            const auto table = drafting.folder / (id + ".lines-" + std::to_string(++nth) + ".csv");
            const auto text = "sop_instance_uid,x1,y1,x2,y2,lesion,frame\n" + rows->second;
            if (text_of(table) != text) RETROMASS_TRY(write_text(table, text));  // a file that is rewritten makes the result of its case outdated
            drafting.tables.push_back(table);
        }
        const bool is_new = !known;
        if (!known) {
            known = &plan_.cases.emplace_back();
            known->id = id;
            known->case_file = drafting.folder / (id + ".yaml");
        }
        known->patient = patient.key;
        ids_.insert(id);
        taken_.insert(id);
        const bool lacks = std::any_of(known->studies.begin(), known->studies.end(), [&](const auto& study) { return !patient.studies.contains(study); });
        if (!lacks) known->studies.assign(patient.studies.begin(), patient.studies.end());
        for (const auto& [study, row] : stated) {
            known->study = row.study;
            known->site = row.site;
        }
        const auto text = run::draft_case(patient.scan, drafting);
        if (!text) {
            known->code = name(text.error().code);
            known->why_not = text.error().message;
            plan_.remarks.push_back(id + ": " + known->why_not + " [" + known->code + "]");
            return Done{};
        }
        known->code = known->why_not = "";
        for (const auto& [study, list] : drafting.lists) {
            if (!lacks) RETROMASS_TRY(write_list(drafting.folder / list, files_[study]));
        }
        const auto& file = known->case_file;
        auto present = text_of(file);
        if (present && is_new) {  // no list names the case: a call was killed that drafted it, perhaps for another patient
            if (*present != *text) {
                RETROMASS_TRY(write_text(file.string() + ".before", *present));
                plan_.remarks.push_back(id + ": a case file was there that no list names, of a call that was killed; it is kept as " + id + ".yaml.before");
            }
            present.reset();
        }
        const auto digest = outputs::sha256_of_text(*text);
        if (present && lacks) {
            RETROMASS_TRY(write_text(drafting.folder / (id + ".draft.yaml"), *text));
            plan_.remarks.push_back(id + ": studies of this case are not in the archive that was given, and its case file is kept; the draft of what was given is " + id + ".draft.yaml. Give the whole archive to plan them together");
            return Done{};
        }
        known->left_out.clear();
        std::istringstream lines_of_draft(*text);
        for (std::string line; std::getline(lines_of_draft, line);) {
            for (const std::string mark : {"# not taken: ", "# ambiguous: ", "# a study without a series to measure: "}) {
                const auto at = line.find(mark);
                if (at != std::string::npos && line.find_first_not_of(' ') == at) known->left_out.push_back(line.substr(at + 2));
            }
        }
        for (const auto& what : known->left_out) plan_.remarks.push_back(id + ": " + what);
        if (present && outputs::sha256_of_text(*present) != known->draft_sha256 && *present != *text) {
            RETROMASS_TRY(write_text(drafting.folder / (id + ".draft.yaml"), *text));
            plan_.remarks.push_back(id + ": the case file was edited and is kept; the new draft is " + id + ".draft.yaml");
        } else {
            if (present != *text) RETROMASS_TRY(write_text(file, *text));
            known->draft_sha256 = digest;
        }
        known->memory_gb = memory_needed(plan_, *known);
        return Done{};
    }

    static Status write_list(const fs::path& file, const std::vector<fs::path>& files)
    {
        std::string text;
        for (const auto& path : files) text += path.lexically_relative(file.parent_path()).generic_string() + '\n';
        return text_of(file) == text ? Status(Done{}) : write_text(file, text);
    }

    Status write() const
    {
        ordered_json out;
        out["schema"] = kSchema;
        out["run_arguments"] = plan_.run_arguments;
        out["cases"] = ordered_json::array();
        for (const auto& c : plan_.cases) {
            out["cases"].push_back({{"id", c.id}, {"case_file", c.case_file.lexically_relative(plan_.folder).generic_string()}, {"studies", c.studies}, {"memory_gb", c.memory_gb}, {"draft_sha256", c.draft_sha256}, {"left_out", c.left_out}, {"patient", c.patient}, {"code", c.code}, {"why_not", c.why_not}, {"studyid", c.study}, {"site", c.site}});
        }
        out["remarks"] = plan_.remarks;
        return write_text(plan_.folder / "plan.json", out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n');
    }

    PlanParameters parameters_;
    Plan plan_;
    std::optional<run::Protocol> protocol_; ///< that every case is under
    std::map<std::string, std::vector<fs::path>> files_;  ///< of studies in shared folders
    std::set<std::string> ids_;    ///< of all cases
    std::set<std::string> taken_;  ///< cases that have their patient in this archive
    std::map<std::string, std::vector<std::size_t>> known_of_patient_;  ///< cases of the plan that was there, by their place in it
    std::map<std::string, std::vector<std::size_t>> known_of_study_;
};

}  // namespace

Result<Plan> make_plan(const std::vector<fs::path>& archive, const fs::path& folder, const PlanParameters& parameters, const Progress& progress)
{
    return Planner(folder, parameters).make(archive, progress);
}

Result<Plan> read_plan(const fs::path& folder)
{
    const auto file = folder / "plan.json";
    const auto text = text_of(file);
    if (!text) return Error{Code::io, file.string() + " cannot be read; retromass batch plan ARCHIVE -o " + folder.string() + " makes a plan", "batch"};
    try {
        const auto json = ordered_json::parse(*text);
        if (json.at("schema") != kSchema) return Error{Code::table, file.string() + " is of another version of the program", "batch"};
        Plan plan;
        plan.folder = fs::absolute(folder).lexically_normal();
        for (const auto& argument : json.at("run_arguments")) plan.run_arguments.push_back(argument.get<std::string>());
        for (const auto& remark : json.at("remarks")) plan.remarks.push_back(remark.get<std::string>());
        for (const auto& entry : json.at("cases")) {
            PlannedCase planned;
            planned.id = entry.at("id").get<std::string>();
            planned.case_file = (plan.folder / entry.at("case_file").get<std::string>()).lexically_normal();
            for (const auto& study : entry.at("studies")) planned.studies.push_back(study.get<std::string>());
            planned.memory_gb = entry.at("memory_gb").get<double>();
            planned.draft_sha256 = entry.at("draft_sha256").get<std::string>();
            for (const auto& what : entry.at("left_out")) planned.left_out.push_back(what.get<std::string>());
            planned.patient = entry.at("patient").get<std::string>();
            planned.code = entry.at("code").get<std::string>();
            planned.why_not = entry.at("why_not").get<std::string>();
            planned.study = entry.at("studyid").get<std::string>();
            planned.site = entry.at("site").get<std::string>();
            if (fs::path(planned.id).filename() != planned.id || planned.id.empty()) return Error{Code::table, file.string() + ": case id '" + planned.id + "' is no name", "batch"};
            plan.cases.push_back(std::move(planned));
        }
        return plan;
    } catch (const std::exception& thrown) {
        return Error{Code::table, file.string() + " is damaged (" + thrown.what() + "); put back a copy of it, or plan into a new folder", "batch"};
    }
}

double memory_needed(const Plan& plan, const PlannedCase& planned)
{
    const auto file = run::read_case(planned.case_file);
    if (!file) return 0;
    for (const auto& lesion : file->lesions) {
        for (const auto& [id, at] : lesion.timepoints) {
            for (const auto& name : {at.marks_file, at.edits_file}) {
                std::error_code error;
                if (!name.empty() && !fs::is_regular_file(file->folder / name, error)) return 0;  // a pipe would be waited for
            }
        }
    }
    run::RunParameters running;
    for (std::size_t i = 0; i + 1 < plan.run_arguments.size(); ++i) {
        if (plan.run_arguments[i] == "--settings") {
            const auto settings = run::read_settings(plan.folder / kSettingsOfPlan);
            if (settings) running.accepted.insert(running.accepted.end(), settings->accepted.begin(), settings->accepted.end());
        }
        if (plan.run_arguments[i] == "--protocol") {
            const auto protocol = run::read_protocol(plan.folder / kProtocolOfPlan);
            if (protocol) running.protocol = *protocol;
        }
        const auto code = plan.run_arguments[i] == "--accept" ? code_named(plan.run_arguments[i + 1]) : std::nullopt;
        if (code) running.accepted.push_back(*code);
    }
    running.overwrite = true;
    const auto needs = run::plan(*file, result_folder(plan, planned), running);
    return needs ? needs->memory_gb : 0;
}

double memory_now(const Plan& plan, const PlannedCase& planned)
{
    const auto text = text_of(planned.case_file);
    const bool edited = text && outputs::sha256_of_text(*text) != planned.draft_sha256;
    return std::max(planned.memory_gb, edited ? memory_needed(plan, planned) : 0.0);
}

}  // namespace retromass::batch
