#include <array>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <sstream>

#include "pipeline/run/keys.h"
#include "pipeline/run/run.h"

namespace retromass::run {
namespace {

namespace fs = std::filesystem;

/// Enough digits to read the same number back.
std::string digits(double value)
{
    for (int precision = 6; precision < 17; ++precision) {
        std::ostringstream out;
        out << std::setprecision(precision) << value;
        if (std::stod(out.str()) == value) return out.str();
    }
    std::ostringstream out;
    out << std::setprecision(17) << value;
    return out.str();
}

YAML::Node node_of(const PatientPoint& p)
{
    YAML::Node out(YAML::NodeType::Sequence);
    for (const double v : {p.x, p.y, p.z}) out.push_back(digits(v));
    out.SetStyle(YAML::EmitterStyle::Flow);
    return out;
}

template <class Points>
YAML::Node list_of(const Points& points)
{
    YAML::Node out(YAML::NodeType::Sequence);
    for (const auto& p : points) out.push_back(node_of(p));
    out.SetStyle(YAML::EmitterStyle::Flow);
    return out;
}

void put_prompt(YAML::Node& at, const segmentation::Prompt& prompt)
{
    const auto line = [](const segmentation::LineSegment& l) { return list_of(std::array{l.a, l.b}); };
    if (!prompt.lines.empty()) at["line"] = line(prompt.lines[0]);
    if (prompt.lines.size() > 1) at["short_line"] = line(prompt.lines[1]);
    if (!prompt.points.empty()) at["points"] = list_of(prompt.points);
    if (prompt.box) at["box"] = list_of(*prompt.box);
    if (prompt.extent) at["extent"] = list_of(*prompt.extent);
    if (!prompt.exclude.empty()) at["exclude"] = list_of(prompt.exclude);
    if (!prompt.frame_of_reference_uid.empty()) at["frame_of_reference"] = prompt.frame_of_reference_uid;
    if (prompt.contours.empty()) return;
    YAML::Node contours(YAML::NodeType::Sequence);
    for (const auto& contour : prompt.contours) contours.push_back(list_of(contour));
    contours.SetStyle(YAML::EmitterStyle::Flow);
    at["contours"] = contours;
}

void put(YAML::Node& at, const LesionAtTimepoint& said)
{
    for (const char* key : {"line", "short_line", "point", "points", "box", "extent", "contour", "contours", "include", "exclude", "frame_of_reference", "mask", "prior", "label", "edits", "marks",
                            "mark", "status", "date", "reader", "interval_mm", "interval_hu"}) {
        at.remove(key);
    }
    put_prompt(at, said.prompt);
    if (!said.mask_file.empty()) at["mask"] = said.mask_file;
    if (!said.prior_file.empty()) at["prior"] = said.prior_file;
    if (!said.label.empty()) at["label"] = said.label;
    if (!said.reader.empty()) at["reader"] = said.reader;
}

/// The text of the case file with the change; stops at a fault. With the name of a log, that alone and its reader change.
std::string changed_text(YAML::Node root, const std::string& timepoint, const std::string& lesion, const LesionAtTimepoint& said, const std::string& edits)
{
    for (auto item : root["lesions"]) {
        if (text(item, "id") != lesion) continue;
        YAML::Node timepoints = item["timepoints"];
        YAML::Node at = timepoints && timepoints[timepoint] ? timepoints[timepoint] : YAML::Node(YAML::NodeType::Map);
        if (edits.empty()) {
            put(at, said);
        } else {
            at["edits"] = edits;
            at["reader"] = said.reader;
        }
        item["timepoints"][timepoint] = at;
        YAML::Emitter out;
        out << root;
        return std::string(out.c_str()) + "\n";
    }
    fault(root["lesions"], "lesion '" + lesion + "' is not listed");
}

Error io_fault(const std::string& what, const std::error_code& error) { return {Code::io, what + ": " + error.message(), "run: change_case"}; }

Status write(const fs::path& file, const std::string& text)
{
    std::ofstream out(file, std::ios::binary);
    out << text;
    if (!out.flush()) return Error{Code::io, "cannot write " + file.string(), "run: change_case"};
    return Done{};
}

/// `<stem>.0001<extension>` and on: the first that is not taken.
fs::path free_name(const fs::path& file, const std::string& extension)
{
    for (int n = 1;; ++n) {
        std::ostringstream number;
        number << std::setw(4) << std::setfill('0') << n;
        auto name = file.parent_path() / (file.stem().string() + "." + number.str() + extension);
        if (!fs::exists(name)) return name;
    }
}

}  // namespace

Result<fs::path> change_case(const fs::path& case_file, const std::string& timepoint, const std::string& lesion, const LesionAtTimepoint& said,
                             const std::optional<segmentation::EditLog>& edits)
{
    const auto log = edits ? free_name(case_file, ".edits") : fs::path();
    RETROMASS_TRY_ASSIGN(const auto text,
                         read_keys(case_file, [&](const YAML::Node& root) { return changed_text(YAML::Clone(root), timepoint, lesion, said, log.filename().string()); }));
    const auto partial = case_file.parent_path() / (case_file.filename().string() + ".partial");
    RETROMASS_TRY(write(partial, text));
    if (edits) RETROMASS_TRY(write(log, segmentation::text_of(*edits)));
    std::error_code error;
    if (auto read = read_case(partial); !read) {  // what a run would refuse never takes the place of what it takes
        fs::remove(partial, error);
        if (edits) fs::remove(log, error);
        return std::move(read).error();
    }
    const auto kept = free_name(case_file, case_file.extension().string());
    fs::copy_file(case_file, kept, error);
    if (error) return io_fault("cannot keep " + kept.string(), error);
    fs::rename(partial, case_file, error);
    if (error) return io_fault("cannot write " + case_file.string(), error);
    return kept;
}

}  // namespace retromass::run
