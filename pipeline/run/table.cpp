#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/nearest.h"
#include "pipeline/run/run.h"

namespace retromass::run {
namespace {

using response::Lesion;
using response::LesionStatus;
using response::NewLesions;
using response::Observation;
using response::Patient;
using response::Role;
using response::Timepoint;

/// One row of a table, CSV or JSON, by column. All rows of a table share the names: a map in each costs more than what is read.
struct Row {
    std::string place;  ///< "table.csv line 5"
    std::shared_ptr<std::vector<std::string>> columns;
    std::vector<std::string> cells;

    const std::string& operator[](std::string_view column) const
    {
        static const std::string nothing;
        const auto found = std::find(columns->begin(), columns->end(), column);
        const auto place_in_row = static_cast<std::size_t>(found - columns->begin());
        return place_in_row < cells.size() ? cells[place_in_row] : nothing;
    }
};

Error fault(const std::string& place, const std::string& message) { return {Code::table, place + ": " + message, "run: read_table"}; }

Error fault(const Row& row, std::string_view column, const std::string& message) { return fault(row.place, "column " + std::string(column) + ": " + message); }

struct Line {
    std::size_t number = 1;  ///< where the row starts in the file
    std::vector<std::string> cells{""};
};

/// RFC 4180: quoted cells may hold commas, line breaks and doubled quotes.
Result<std::vector<Line>> csv_lines(const std::string& text, const std::string& file)
{
    std::vector<Line> out{Line{}};
    std::size_t number = 1;
    bool quoted = false;
    bool closed = false;  // the cell's quotes are closed
    std::size_t i = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    for (; i < text.size(); ++i) {
        const char c = text[i];
        auto& cell = out.back().cells.back();
        if (c == '\n') ++number;
        if (quoted) {
            if (c != '"') {
                cell += c;
            } else if (i + 1 < text.size() && text[i + 1] == '"') {
                cell += text[++i];
            } else {
                quoted = false;
                closed = true;
            }
        } else if (c == ',') {
            out.back().cells.emplace_back();
            closed = false;
        } else if (c == '\n') {
            out.push_back({number, {""}});
            closed = false;
        } else if (c == '\r' && (i + 1 == text.size() || text[i + 1] == '\n')) {
            continue;
        } else if (c == '"' && cell.empty() && !closed) {
            quoted = true;
        } else if (c == '"' || closed) {
            return fault(file + " line " + std::to_string(number), "a quote stands inside a cell; quote the whole cell and double the quotes in it");
        } else {
            cell += c;
        }
    }
    if (quoted) return fault(file + " line " + std::to_string(out.back().number), "a quoted cell is not closed");
    std::erase_if(out, [](const Line& line) { return std::all_of(line.cells.begin(), line.cells.end(), [](const auto& cell) { return cell.empty(); }); });
    return out;
}

std::string trimmed(const std::string& text)
{
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string::npos) return "";
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

Status check_column(const std::string& place, const std::string& column, const std::vector<std::string>& known)
{
    if (std::find(known.begin(), known.end(), column) != known.end()) return Done{};
    return fault(place, "column '" + column + "' is not known; did you mean '" + nearest(column, known) + "'?");
}

Result<std::vector<Row>> csv_rows(const std::string& text, const std::string& file, const std::vector<std::string>& known)
{
    RETROMASS_TRY_ASSIGN(const auto lines, csv_lines(text, file));
    if (lines.empty()) return fault(file, "the table is empty; its first line names the columns");
    const auto columns = std::make_shared<std::vector<std::string>>();
    auto& header = *columns;
    for (const auto& cell : lines.front().cells) {
        header.push_back(trimmed(cell));
        const std::string place = file + " line " + std::to_string(lines.front().number);
        if (header.size() == 1 && header[0].find(';') != std::string::npos) return fault(place, "columns are separated by ';'; the table must use commas");
        RETROMASS_TRY(check_column(place, header.back(), known));
        if (std::count(header.begin(), header.end(), header.back()) > 1) return fault(place, "column '" + header.back() + "' stands twice");
    }
    std::vector<Row> rows;
    for (std::size_t l = 1; l < lines.size(); ++l) {
        Row row{file + " line " + std::to_string(lines[l].number), columns, {}};
        if (lines[l].cells.size() != header.size()) {
            return fault(row.place, "has " + std::to_string(lines[l].cells.size()) + " cells, the header names " + std::to_string(header.size()) + " columns");
        }
        row.cells.reserve(header.size());
        for (const auto& cell : lines[l].cells) row.cells.push_back(trimmed(cell));
        rows.push_back(std::move(row));
    }
    return rows;
}

Result<std::vector<Row>> json_rows(const std::string& text, const std::string& file, const std::vector<std::string>& known)
{
    const auto root = nlohmann::json::parse(text, nullptr, false);
    if (root.is_discarded()) return fault(file, "is not valid JSON");
    const auto& list = root.is_object() && root.contains("rows") ? root["rows"] : root;
    if (!list.is_array()) return fault(file, "is neither a list of rows nor {\"rows\": [...]}");
    std::vector<Row> rows;
    const auto columns = std::make_shared<std::vector<std::string>>(known);
    for (std::size_t i = 0; i < list.size(); ++i) {
        Row row{file + " row " + std::to_string(i + 1), columns, std::vector<std::string>(known.size())};
        if (!list[i].is_object()) return fault(row.place, "is not an object of columns");
        for (const auto& [column, value] : list[i].items()) {
            RETROMASS_TRY(check_column(row.place, column, known));
            if (value.is_structured()) return fault(row, column, "holds a list or an object; it takes one value");
            auto& cell = row.cells[static_cast<std::size_t>(std::find(known.begin(), known.end(), column) - known.begin())];
            cell = value.is_null() ? "" : value.is_boolean() ? (value.get<bool>() ? "1" : "0") : value.is_string() ? trimmed(value.get<std::string>()) : value.dump();
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

Result<std::vector<Row>> rows_of(const std::filesystem::path& file, const std::vector<std::string>& known, const std::vector<std::string>& needed)
{
    const auto label = file.filename().string();
    std::ifstream in(file, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    if (!in.is_open() || in.bad()) return Error{Code::io, label + " cannot be read", "run: read_table"};
    RETROMASS_TRY_ASSIGN(auto rows, file.extension() == ".json" ? json_rows(text, label, known) : csv_rows(text, label, known));
    for (const auto& row : rows) {
        for (const auto& column : needed) {
            if (row[column].empty()) return fault(row, column, "is empty, and every row needs it");
        }
    }
    return rows;
}

template <class T>
Result<T> one_of(const Row& row, std::string_view column, std::initializer_list<T> values)
{
    std::vector<std::string> known;
    for (const auto value : values) {
        known.emplace_back(response::name(value));
        if (known.back() == row[column]) return value;
    }
    std::string all;
    for (const auto& word : known) all += (all.empty() ? "" : ", ") + word;
    return fault(row, column, "'" + row[column] + "' is not known; it takes " + all);
}

Result<std::optional<Date>> date_of(const Row& row, std::string_view column)
{
    if (row[column].empty()) return std::optional<Date>{};
    const auto date = parse_date(row[column]);
    if (!date) return fault(row, column, "'" + row[column] + "' is not a date; write 2013-03-15");
    return std::optional<Date>{date};
}

Result<std::optional<Length>> length_of(const Row& row, std::string_view column)
{
    if (row[column].empty()) return std::optional<Length>{};
    const auto length = Length::parse(row[column]);
    if (!length) return fault(row, column, "'" + row[column] + "' is not a length in mm with at most two decimals");
    return std::optional<Length>{length};
}

template <class Number>
Result<std::optional<Number>> number_of(const Row& row, std::string_view column, std::optional<Number> least = {})
{
    const auto& text = row[column];
    if (text.empty()) return std::optional<Number>{};
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc{} && end == text.data() + text.size() && value - value == 0;  // neither NaN nor infinite
    if (!whole || (least && value < *least)) return fault(row, column, "'" + text + "' is not a number it can take");
    return std::optional<Number>{value};
}

Result<std::optional<bool>> flag_of(const Row& row, std::string_view column)
{
    const auto& text = row[column];
    if (text.empty()) return std::optional<bool>{};
    if (text != "0" && text != "1") return fault(row, column, "'" + text + "' is neither 0 nor 1");
    return std::optional<bool>{text == "1"};
}

/// A value that all rows of a time point share: fills an empty one, and refuses two that differ.
template <class T>
Status share(const Row& row, std::string_view column, std::optional<T>& shared, const std::optional<T>& stated)
{
    if (stated && shared && *stated != *shared) return fault(row, column, "differs from an earlier row of time point '" + row["timepoint"] + "'");
    if (stated) shared = stated;
    return Done{};
}

Status share(const Row& row, std::string_view column, std::string& shared)
{
    if (row[column].empty()) return Done{};
    if (!shared.empty() && shared != row[column]) return fault(row, column, "differs from an earlier row of time point '" + row["timepoint"] + "'");
    shared = row[column];
    return Done{};
}

template <class T>
T& with_id(std::vector<T>& list, const std::string& id)
{
    const auto found = std::find_if(list.begin(), list.end(), [&](const auto& item) { return item.id == id; });
    if (found != list.end()) return *found;
    list.emplace_back();
    list.back().id = id;
    return list.back();
}

/// What bears on comparing studies; one word for each time point.
Status add_study(const Row& row, response::StudyFacts& study)
{
    RETROMASS_TRY_ASSIGN(const auto kvp, number_of<double>(row, "kvp", 0.0));
    RETROMASS_TRY(share(row, "kvp", study.kvp, kvp));
    RETROMASS_TRY_ASSIGN(const auto thickness, number_of<double>(row, "slice_mm", 0.0));
    RETROMASS_TRY(share(row, "slice_mm", study.slice_thickness_mm, thickness));
    RETROMASS_TRY_ASSIGN(const auto spacing, number_of<double>(row, "slice_spacing_mm", 0.0));
    RETROMASS_TRY(share(row, "slice_spacing_mm", study.slice_spacing_mm, spacing));
    RETROMASS_TRY_ASSIGN(const auto lossy, flag_of(row, "lossy"));
    RETROMASS_TRY(share(row, "lossy", study.lossy, lossy));
    RETROMASS_TRY(share(row, "phase", study.phase));
    RETROMASS_TRY(share(row, "contrast", study.contrast));
    RETROMASS_TRY(share(row, "kernel", study.kernel));
    return share(row, "image_kind", study.image_kind);
}

Status add_timepoint(const Row& row, Timepoint& timepoint)
{
    RETROMASS_TRY_ASSIGN(const auto date, date_of(row, "date"));
    RETROMASS_TRY(share(row, "date", timepoint.date, date));
    RETROMASS_TRY_ASSIGN(const auto day, number_of<long>(row, "day"));
    RETROMASS_TRY(share(row, "day", timepoint.day, day));
    RETROMASS_TRY(share(row, "visit", timepoint.visit));
    RETROMASS_TRY_ASSIGN(const auto marker, flag_of(row, "marker_normal"));
    RETROMASS_TRY(share(row, "marker_normal", timepoint.marker_normal, marker));
    if (!row["modality"].empty()) timepoint.modality = row["modality"];
    RETROMASS_TRY(add_study(row, timepoint.study));
    if (!row["new_lesions"].empty()) {
        using enum NewLesions;
        RETROMASS_TRY_ASSIGN(const auto stated, one_of(row, "new_lesions", {none, equivocal, unequivocal, not_assessed}));
        RETROMASS_TRY(share(row, "new_lesions", timepoint.new_lesions, std::optional<NewLesions>{stated}));
    }
    return Done{};
}

Status add_lesion(const Row& row, Patient& patient)
{
    const bool first = std::none_of(patient.lesions.begin(), patient.lesions.end(), [&](const auto& l) { return l.id == row["lesion"]; });
    auto& lesion = with_id(patient.lesions, row["lesion"]);
    using enum Role;
    if (row["role"].empty()) {
        if (first) return fault(row, "role", "is empty; a lesion's first row states target, non-target or new");
    } else {
        RETROMASS_TRY_ASSIGN(const auto role, one_of(row, "role", {target, non_target, new_lesion}));
        if (!first && role != lesion.role) return fault(row, "role", "lesion '" + lesion.id + "' was " + std::string(response::name(lesion.role)) + " in an earlier row");
        lesion.role = role;
    }
    RETROMASS_TRY_ASSIGN(const auto nodal, flag_of(row, "nodal"));
    if (nodal && first) lesion.nodal = *nodal;  // another word later is a conflict of that time point
    if (lesion.site.empty()) lesion.site = row["site"];
    if (lesion.organ.empty()) lesion.organ = row["organ"].empty() ? row["site"] : row["organ"];
    return Done{};
}

/// A status that stands where a length is expected, as in the result columns of trial tables.
std::optional<LesionStatus> status_in_words(const Row& row, const Lesion& lesion)
{
    std::string text = row[lesion.nodal ? "short_axis_mm" : "long_axis_mm"];
    for (char& c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    if (text == "TOO SMALL TO MEASURE") return LesionStatus::too_small;
    if (text == "NOT EVALUABLE") return LesionStatus::not_evaluable;
    return std::nullopt;
}

/// Where 95 of 100 repeats of a recorded value land. `least`: what the lower end must be above.
Result<std::optional<response::Interval>> interval_of(const Row& row, const char* low_column, const char* high_column, const char* what, const std::optional<double>& value, std::optional<double> least)
{
    RETROMASS_TRY_ASSIGN(const auto low, number_of<double>(row, low_column));
    RETROMASS_TRY_ASSIGN(const auto high, number_of<double>(row, high_column));
    if (!low && !high) return std::optional<response::Interval>{};
    if (!low || !high) return fault(row, low ? high_column : low_column, "is empty; an interval has two ends");
    if (!value || (least && *low <= *least) || *low > *value || *high < *value) return fault(row, low_column, "the interval " + std::string(least ? "is not above 0 or " : "") + "does not hold the " + what);
    return std::optional<response::Interval>{response::Interval{*low, *high}};
}

Status add_intervals(const Row& row, bool nodal, Observation& now)
{
    const auto mm = [](const std::optional<Length>& length) { return length ? std::optional<double>(length->as_mm()) : std::nullopt; };
    RETROMASS_TRY_ASSIGN(now.length_mm, interval_of(row, "length_low_mm", "length_high_mm", "length", mm(nodal ? now.short_axis : now.long_axis), 0.0));
    RETROMASS_TRY_ASSIGN(const auto other, interval_of(row, "other_axis_low_mm", "other_axis_high_mm", "other axis", mm(nodal ? now.long_axis : now.short_axis), 0.0));
    if (other) now.other_axis_mm = response::OwnInterval{*other};
    RETROMASS_TRY_ASSIGN(const auto hu, interval_of(row, "hu_low", "hu_high", "mean HU", now.hu_mean, std::nullopt));
    if (hu) now.hu_interval = response::OwnInterval{*hu};
    return Done{};
}

Status add_observation(const Row& row, const Lesion& lesion, Timepoint& timepoint)
{
    Observation now;
    now.lesion = lesion.id;
    const auto word = status_in_words(row, lesion);
    if (!word || lesion.nodal) {
        RETROMASS_TRY_ASSIGN(now.long_axis, length_of(row, "long_axis_mm"));
    }
    if (!word || !lesion.nodal) {
        RETROMASS_TRY_ASSIGN(now.short_axis, length_of(row, "short_axis_mm"));
    }
    RETROMASS_TRY_ASSIGN(now.craniocaudal, length_of(row, "craniocaudal_mm"));
    RETROMASS_TRY_ASSIGN(now.volume_ml, number_of<double>(row, "volume_ml", 0.0));
    RETROMASS_TRY_ASSIGN(now.hu_mean, number_of<double>(row, "hu_mean"));
    RETROMASS_TRY_ASSIGN(now.slice_mm, number_of<double>(row, "slice_mm", 0.0));
    RETROMASS_TRY_ASSIGN(const auto nodule, flag_of(row, "intratumoral_nodule"));
    now.nodule = nodule.value_or(false);
    RETROMASS_TRY_ASSIGN(const auto treated, flag_of(row, "treated"));
    now.organ = row["organ"];
    now.treated = treated.value_or(false);
    now.merged_into = row["merged_into"];
    now.source = row["source"].empty() ? "reported" : row["source"];
    if (now.source != "mask" && now.source != "reader" && now.source != "reported") return fault(row, "source", "'" + now.source + "' is not known; it takes mask, reader, reported");
    const auto& length = lesion.nodal ? now.short_axis : now.long_axis;
    if (row["status"].empty() && word) {
        now.status = *word;
        now.reason = "the table says '" + row[lesion.nodal ? "short_axis_mm" : "long_axis_mm"] + "'";
    } else if (row["status"].empty()) {
        // A value speaks for itself; silence is not evaluable, never 0 mm.
        now.status = !now.merged_into.empty() ? LesionStatus::merged : length ? LesionStatus::measured : LesionStatus::not_evaluable;
        if (now.status == LesionStatus::not_evaluable) now.reason = "neither value nor status stated";
    } else {
        using enum LesionStatus;
        RETROMASS_TRY_ASSIGN(now.status, one_of(row, "status", {measured, absent, too_small, not_evaluable, present, increased, unequivocal_progression,
                                                                equivocal, merged, resected, normal_node}));
    }
    if (now.status == LesionStatus::measured && !length && lesion.role == Role::target) {
        return fault(row, lesion.nodal ? "short_axis_mm" : "long_axis_mm", "is empty, but the status is measured");
    }
    RETROMASS_TRY(add_intervals(row, lesion.nodal, now));
    RETROMASS_TRY_ASSIGN(const auto nodal, flag_of(row, "nodal"));
    if (nodal && *nodal != lesion.nodal) {
        now.conflict = std::string("stated ") + (*nodal ? "a node" : "no node") + " here and " + (lesion.nodal ? "a node" : "no node") + " before: which axis counts is not known";
        now.status = LesionStatus::not_evaluable;
        now.reason = now.conflict;
    }
    if (now.status == LesionStatus::merged && now.merged_into.empty()) return fault(row, "merged_into", "is empty, but the status is merged");

    const auto same = std::find_if(timepoint.observations.begin(), timepoint.observations.end(), [&](const auto& o) { return o.lesion == lesion.id; });
    if (same == timepoint.observations.end()) {
        timepoint.observations.push_back(std::move(now));
        return Done{};
    }
    if (row["fragment"].empty()) {
        return fault(row, "lesion", "'" + lesion.id + "' stands twice at time point '" + timepoint.id + "'; name the parts of a split lesion in the column fragment");
    }
    if (!length || now.status != LesionStatus::measured || same->status != LesionStatus::measured) return fault(row, "fragment", "the parts of a split lesion must all be measured");
    same->fragments.push_back(*length);
    if (same->volume_ml && now.volume_ml) {
        *same->volume_ml += *now.volume_ml;
    } else {
        same->volume_ml.reset();
    }
    return Done{};
}

void sort_by_time(Patient& patient)
{
    auto& points = patient.timepoints;
    const bool dated = std::all_of(points.begin(), points.end(), [](const auto& t) { return t.date.has_value(); });
    const bool counted = std::all_of(points.begin(), points.end(), [](const auto& t) { return t.day.has_value(); });
    if (!dated && !counted) return;  // assess refuses, naming the time point
    std::stable_sort(points.begin(), points.end(), [&](const auto& a, const auto& b) { return dated ? *a.date < *b.date : *a.day < *b.day; });
}

Result<Patient*> patient_of(const Row& row, std::vector<Patient>& patients)
{
    for (auto& patient : patients) {
        if (patient.id == row["case"]) return &patient;
    }
    return fault(row, "case", "'" + row["case"] + "' is not a case of the table");
}

std::vector<std::string> listed(const std::string& text)
{
    std::vector<std::string> out;
    std::string word;
    for (const char c : text + ";") {
        if (c != ';' && c != '|' && c != ' ' && c != ',') {
            word += c;
        } else if (!word.empty()) {
            out.push_back(word);
            word.clear();
        }
    }
    return out;
}

Status check_word(const Row& row, std::string_view column, const std::vector<std::string>& known)
{
    if (std::find(known.begin(), known.end(), row[column]) != known.end()) return Done{};
    return fault(row, column, "'" + row[column] + "' is not known; did you mean '" + nearest(row[column], known) + "'?");
}

Status add_treatments(const std::filesystem::path& file, std::vector<Patient>& patients)
{
    RETROMASS_TRY_ASSIGN(const auto rows, rows_of(file, {"case", "kind", "line", "start", "end", "date", "lesions", "immunotherapy", "note"}, {"case", "kind"}));
    for (const auto& row : rows) {
        RETROMASS_TRY_ASSIGN(auto* const patient, patient_of(row, patients));
        response::Treatment treatment;
        RETROMASS_TRY(check_word(row, "kind", {"systemic", "radiotherapy", "surgery", "ablation", "embolisation"}));
        treatment.kind = row["kind"];
        RETROMASS_TRY_ASSIGN(const auto line, number_of<int>(row, "line", 0));
        treatment.line = line.value_or(0);
        RETROMASS_TRY_ASSIGN(treatment.start, date_of(row, row["start"].empty() ? "date" : "start"));
        RETROMASS_TRY_ASSIGN(treatment.end, date_of(row, "end"));
        if (!treatment.start) return fault(row, "start", "is empty; a treatment needs the day it began");
        if (treatment.end && *treatment.end < *treatment.start) return fault(row, "end", "lies before the start");
        treatment.lesions = listed(row["lesions"]);
        for (const auto& id : treatment.lesions) {
            const bool known = std::any_of(patient->lesions.begin(), patient->lesions.end(), [&](const auto& l) { return l.id == id; });
            if (!known) return fault(row, "lesions", "'" + id + "' is not a lesion of case '" + patient->id + "'");
        }
        RETROMASS_TRY_ASSIGN(const auto immunotherapy, flag_of(row, "immunotherapy"));
        treatment.immunotherapy = immunotherapy.value_or(false);
        treatment.note = row["note"];
        patient->treatments.push_back(std::move(treatment));
    }
    return Done{};
}

Status add_events(const std::filesystem::path& file, std::vector<Patient>& patients)
{
    RETROMASS_TRY_ASSIGN(const auto rows, rows_of(file, {"case", "kind", "date", "note"}, {"case", "kind", "date"}));
    for (const auto& row : rows) {
        RETROMASS_TRY_ASSIGN(auto* const patient, patient_of(row, patients));
        RETROMASS_TRY(check_word(row, "kind", {"randomisation", "new-anticancer-therapy", "clinical-progression", "death", "last-contact", "off-study"}));
        RETROMASS_TRY_ASSIGN(const auto date, date_of(row, "date"));
        patient->events.push_back({row["kind"], *date});
    }
    return Done{};
}

}  // namespace

Result<std::vector<Patient>> read_table(const TableFiles& files)
{
    RETROMASS_TRY_ASSIGN(const auto rows,
                         rows_of(files.table,
                                 {"case", "timepoint", "date", "lesion", "role", "site", "organ", "nodal", "status", "long_axis_mm", "short_axis_mm", "volume_ml", "hu_mean",
                                  "craniocaudal_mm", "day", "visit", "new_lesions", "slice_mm", "slice_spacing_mm", "modality", "phase", "contrast", "kvp", "kernel",
                                  "image_kind", "lossy", "length_low_mm", "length_high_mm", "other_axis_low_mm", "other_axis_high_mm", "hu_low", "hu_high", "fragment", "merged_into", "treated",
                                  "intratumoral_nodule", "marker_normal", "reader", "source", "protocol"},
                                 {"case", "timepoint"}));
    std::vector<SeenProtocol> seen{{files.protocol, "--protocol"}};
    for (const auto& row : rows) {
        if (!row["protocol"].empty()) seen.push_back({row["protocol"], row.place});
    }
    RETROMASS_TRY(check_versions(seen));
    std::vector<Patient> patients;
    std::map<std::string, std::size_t> place;  // of each case: a table of ten thousand is read in one pass
    for (const auto& row : rows) {
        const auto [found, is_new] = place.emplace(row["case"], patients.size());
        if (is_new) patients.emplace_back().id = row["case"];
        auto& patient = patients[found->second];
        auto& timepoint = with_id(patient.timepoints, row["timepoint"]);
        RETROMASS_TRY(add_timepoint(row, timepoint));
        if (row["lesion"].empty()) continue;  // a statement about the time point alone
        RETROMASS_TRY(add_lesion(row, patient));
        RETROMASS_TRY(add_observation(row, with_id(patient.lesions, row["lesion"]), timepoint));
    }
    if (patients.empty()) return fault(files.table.filename().string(), "holds no row");
    for (auto& patient : patients) sort_by_time(patient);
    if (!files.treatments.empty()) RETROMASS_TRY(add_treatments(files.treatments, patients));
    if (!files.events.empty()) RETROMASS_TRY(add_events(files.events, patients));
    return patients;
}

Result<std::vector<TableRow>> read_rows(const std::filesystem::path& file, const std::vector<std::string>& known, const std::vector<std::string>& needed)
{
    RETROMASS_TRY_ASSIGN(auto rows, rows_of(file, known, needed));
    std::vector<TableRow> out;
    out.reserve(rows.size());
    for (auto& row : rows) {
        auto& now = out.emplace_back();
        now.place = std::move(row.place);
        for (std::size_t c = 0; c < row.cells.size(); ++c) now.cells.emplace((*row.columns)[c], std::move(row.cells[c]));
    }
    return out;
}

}  // namespace retromass::run
