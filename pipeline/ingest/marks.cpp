#include "pipeline/ingest/marks.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <numbers>
#include <set>

#include "core/units.h"

namespace retromass::ingest {
namespace {

constexpr double kLeastAngle_deg = 60;  ///< a short axis is drawn perpendicular, by hand

struct Vector {
    double x, y;
};
Vector from_to(ImagePoint a, ImagePoint b) { return {b.column - a.column, b.row - a.row}; }
double turn(Vector a, Vector b) { return a.x * b.y - a.y * b.x; }
double length(const MarkedLine& line)
{
    const auto v = from_to(line.on_image[0], line.on_image[1]);
    return std::hypot(v.x, v.y);
}

/// Whether two lines on one image share a point, ends included.
bool cross(const MarkedLine& a, const MarkedLine& b)
{
    // Their boxes have to meet: of two lines that lie behind each other neither passes the other's sides.
    const auto apart = [&](double ImagePoint::*at) {
        const auto [al, ah] = std::minmax(a.on_image[0].*at, a.on_image[1].*at);
        const auto [bl, bh] = std::minmax(b.on_image[0].*at, b.on_image[1].*at);
        return ah < bl || bh < al;
    };
    if (apart(&ImagePoint::column) || apart(&ImagePoint::row)) return false;
    const auto sides = [](const MarkedLine& line, const MarkedLine& other) {
        const auto along = from_to(line.on_image[0], line.on_image[1]);
        return turn(along, from_to(line.on_image[0], other.on_image[0])) * turn(along, from_to(line.on_image[0], other.on_image[1]));
    };
    return sides(a, b) <= 0 && sides(b, a) <= 0;
}

double angle_deg(const MarkedLine& a, const MarkedLine& b)
{
    const auto u = from_to(a.on_image[0], a.on_image[1]);
    const auto v = from_to(b.on_image[0], b.on_image[1]);
    return std::atan2(std::abs(turn(u, v)), std::abs(u.x * v.x + u.y * v.y)) * 180 / std::numbers::pi;
}

/// What of `text` is a number, and nothing else.
std::optional<double> number(std::string_view text)
{
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
    return value;
}

std::vector<std::string> cells_of(std::string line)
{
    if (!line.empty() && line.back() == '\r') line.pop_back();
    std::vector<std::string> cells(1);
    for (const char c : line) {
        if (c == ',') cells.emplace_back();
        else if (c != '"' && (c != ' ' || !cells.back().empty())) cells.back() += c;
    }
    for (auto& cell : cells) {
        while (!cell.empty() && cell.back() == ' ') cell.pop_back();
    }
    return cells;
}

}  // namespace

std::vector<Mark> marks_of(const std::vector<NamedLine>& lines)
{
    const auto identity = [](const NamedLine& line) { return line.tracking_uid.empty() ? line.name : line.tracking_uid; };
    std::map<std::string, std::vector<std::size_t>> together;  // by lesion and image
    for (std::size_t i = 0; i < lines.size(); ++i) {
        together[identity(lines[i]) + "\n" + lines[i].line.sop_instance_uid + "\n" + std::to_string(lines[i].line.frame.value_or(-1))].push_back(i);
    }
    std::vector<int> partner(lines.size(), -1);
    std::vector<std::string> doubt(lines.size());
    for (const auto& [unused, group] : together) {
        for (const auto i : group) {
            std::vector<std::size_t> crossing;
            for (const auto j : group) {
                if (j != i && cross(lines[i].line, lines[j].line)) crossing.push_back(j);
            }
            if (crossing.size() == 1) partner[i] = static_cast<int>(crossing.front());
            if (crossing.size() > 1) doubt[i] = "it crosses " + std::to_string(crossing.size()) + " other lines";
            if (crossing.empty() && group.size() > 1 && !identity(lines[i]).empty()) doubt[i] = std::to_string(group.size()) + " lines of one name on one image do not cross";
        }
    }
    std::map<std::string, int> images;  // a name on several images would be several lesions, or one drawn twice
    for (const auto& [key, unused] : together) ++images[key.substr(0, key.find('\n'))];

    std::vector<Mark> out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const int p = partner[i];
        if (p >= 0 && static_cast<std::size_t>(p) < i && partner[static_cast<std::size_t>(p)] == static_cast<int>(i)) continue;  // listed with its partner
        Mark mark;
        mark.name = lines[i].name.empty() ? "line " + std::to_string(i + 1) : lines[i].name;
        mark.tracking_uid = lines[i].tracking_uid;
        mark.no_lines = doubt[i];
        const auto* a = &lines[i].line;
        if (p >= 0 && mark.no_lines.empty()) {
            const auto* b = &lines[static_cast<std::size_t>(p)].line;
            const double angle = angle_deg(*a, *b);
            if (partner[static_cast<std::size_t>(p)] != static_cast<int>(i)) mark.no_lines = "it crosses a line that crosses others";
            else if (angle < kLeastAngle_deg) mark.no_lines = "the two lines cross at " + fixed(angle, 0) + " degrees; a short axis is perpendicular";
            else if (length(*a) < length(*b)) std::swap(a, b);
            if (mark.no_lines.empty()) mark.short_axis = *b;
        }
        const auto own = identity(lines[i]);
        if (mark.no_lines.empty() && !own.empty() && images[own] > 1) mark.no_lines = "lines of this name stand on " + std::to_string(images[own]) + " images";
        if (mark.no_lines.empty()) mark.long_axis = *a;
        else mark.short_axis.reset();
        out.push_back(std::move(mark));
    }
    return out;
}

Result<Marks> read_lines_table(const std::filesystem::path& file)
{
    const auto refuse = [](int line, const std::string& why) { return Error{Code::table, "line " + std::to_string(line) + ": " + why, "ingest"}; };
    std::ifstream in(file);
    std::string text;
    if (!std::getline(in, text)) return refuse(1, "the table is empty");
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // as spreadsheets mark UTF-8
    const auto header = cells_of(text);
    std::map<std::string, std::size_t> column;
    for (std::size_t i = 0; i < header.size(); ++i) column[header[i]] = i;
    for (const char* needed : {"sop_instance_uid", "x1", "y1", "x2", "y2"}) {
        if (!column.contains(needed)) return refuse(1, std::string("no column ") + needed + "; expected sop_instance_uid,x1,y1,x2,y2 and optionally lesion, frame");
    }
    for (const auto& name : header) {
        static constexpr std::string_view known[] = {"sop_instance_uid", "x1", "y1", "x2", "y2", "lesion", "frame"};
        if (std::find(std::begin(known), std::end(known), name) == std::end(known)) return refuse(1, "unknown column " + name);
    }
    Marks out;
    out.format = "CSV";
    std::vector<NamedLine> lines;
    for (int row = 2; std::getline(in, text); ++row) {
        if (text.empty() || text == "\r") continue;
        const auto cells = cells_of(text);
        if (cells.size() != header.size()) return refuse(row, "expected " + std::to_string(header.size()) + " cells, found " + std::to_string(cells.size()));
        NamedLine named;
        named.line.sop_instance_uid = cells[column["sop_instance_uid"]];
        if (named.line.sop_instance_uid.empty()) return refuse(row, "sop_instance_uid is empty");
        double values[4];
        for (int i = 0; i < 4; ++i) {
            const char* const name = std::array{"x1", "y1", "x2", "y2"}[static_cast<std::size_t>(i)];
            const auto value = number(cells[column[name]]);
            if (!value) return refuse(row, std::string(name) + " '" + cells[column[name]] + "' is not a number");
            values[i] = *value;
        }
        named.line.on_image = {ImagePoint{values[0], values[1]}, ImagePoint{values[2], values[3]}};
        if (column.contains("lesion")) named.name = cells[column["lesion"]];
        if (column.contains("frame") && !cells[column["frame"]].empty()) {
            const auto frame = number(cells[column["frame"]]);
            if (!frame || *frame < 1 || *frame > 1e6 || *frame != std::floor(*frame)) return refuse(row, "frame is a whole number, counted from 1");
            named.line.frame = static_cast<int>(*frame) - 1;
        }
        lines.push_back(std::move(named));
    }
    out.all = marks_of(lines);
    return out;
}

Result<Marks> read_marks(const std::filesystem::path& file)
{
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return Error{Code::io, file.string() + " does not exist", "ingest: read_marks"};
    std::ifstream in(file, std::ios::binary);
    if (!in) return Error{Code::io, file.string() + " cannot be read", "ingest: read_marks"};
    char start[132] = {};
    in.read(start, sizeof start);
    const std::string_view head(start, static_cast<std::size_t>(in.gcount()));
    auto read = head.size() >= 132 && head.substr(128, 4) == "DICM" ? read_dicom_marks(file) : read_lines_table(file);
    if (read) return read;
    auto error = std::move(read).error();
    error.message = file.string() + ": " + error.message;
    return at(std::move(error), "ingest: read_marks");
}

Result<Mark> mark_named(const Marks& marks, const std::string& name)
{
    std::vector<const Mark*> fits;
    std::string listed;
    for (const auto& mark : marks.all) {
        const bool asked = mark.tracking_uid == name || mark.name == name;
        if (name.empty() ? mark.long_axis.has_value() : asked) fits.push_back(&mark);
        listed += (listed.empty() ? "" : ", ") + mark.name + (mark.tracking_uid.empty() ? "" : " (" + mark.tracking_uid + ")");
    }
    if (fits.size() > 1) {
        const auto with_lines = [](const Mark* m) { return m->long_axis.has_value(); };
        if (std::count_if(fits.begin(), fits.end(), with_lines) == 1) return **std::find_if(fits.begin(), fits.end(), with_lines);
    }
    if (fits.size() == 1) return *fits.front();
    return Error{Code::prompt_missing, (fits.empty() ? "no mark here " + (name.empty() ? std::string("has lines") : "is named " + name) : std::to_string(fits.size()) + " marks fit" + (name.empty() ? "" : " " + name)) +
                                           "; name one by its identifier or tracking UID: " + (listed.empty() ? "none is there" : listed), "ingest: mark_named"};
}

Result<PlacedLines> placed(const Mark& mark, const Scan& scan)
{
    if (!mark.long_axis) return Error{Code::prompt_missing, "mark " + mark.name + " gives no line" + (mark.no_lines.empty() ? std::string(" of a long axis") : ": " + mark.no_lines), "ingest: placed"};
    PlacedLines out;
    for (const auto* line : {&mark.long_axis, &mark.short_axis}) {
        if (!*line) continue;
        const auto& drawn = **line;
        if (drawn.sop_instance_uid.empty()) {
            out.lines.push_back(drawn.in_patient);
            out.frame_of_reference_uid = drawn.frame_of_reference_uid;
            continue;
        }
        if (!drawn.frame) {
            std::set<int> frames;
            for (const auto& series : scan.series) {
                for (const auto& slice : series.slices) {
                    if (slice.sop_instance_uid == drawn.sop_instance_uid) frames.insert(slice.frame);
                }
            }
            if (frames.size() > 1) {
                return Error{Code::prompt_contradictory, "mark " + mark.name + " was drawn on image " + drawn.sop_instance_uid + ", which has " + std::to_string(frames.size()) + " frames, and names not one of them", "ingest: placed"};
            }
        }
        bool found = false;
        for (const auto& series : scan.series) {
            for (std::size_t k = 0; k < series.slices.size() && !found; ++k) {
                const auto& slice = series.slices[k];
                if (slice.sop_instance_uid != drawn.sop_instance_uid || (drawn.frame && slice.frame != *drawn.frame) || series.geometry.size().slices == 0) continue;
                found = true;
                std::array<PatientPoint, 2> ends;
                for (std::size_t i = 0; i < 2; ++i) {  // a pixel's centre lies half a pixel from its outer corner
                    ends[i] = series.geometry.to_patient(ContinuousIndex{drawn.on_image[i].column - 0.5, drawn.on_image[i].row - 0.5, static_cast<double>(k)});
                }
                out.lines.push_back(ends);
                out.series_instance_uid = series.facts.series_instance_uid;
                out.frame_of_reference_uid = series.facts.frame_of_reference_uid;
            }
        }
        if (!found) return Error{Code::prompt_frame_of_reference, "mark " + mark.name + " was drawn on image " + drawn.sop_instance_uid + ", which is not among the images here", "ingest: placed"};
    }
    return out;
}

}  // namespace retromass::ingest
