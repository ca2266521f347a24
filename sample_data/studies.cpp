#include "sample_data/studies.h"

#include <cmath>
#include <numbers>
#include <sstream>

#include "core/units.h"
#include "sample_data/random.h"

namespace retromass::sample_data {
namespace {

enum class Pattern { irregular, even };

/// Sizes are those of the case report (docs/stages/sample_data.md); the half axes give them.
struct Row {
    const char* id;
    const char* date;
    PatientPoint centre;
    std::array<double, 3> half_mm;
    double turn_deg;
    double lobes;
    Pattern pattern;
    double girth;
    double necrosis;
    Prompt as_drawn;
};

// Lines and extents are what a reader drew on patient 1: one slice off the best one, 5 % short, turned by 5 degrees,
// with 1.5 mm of jitter; top and bottom one slice short. They are fixed here and never derived from the truth at run time.
const Row kRows[] = {
    {"presentation", "2013-01-07", {-40, -20, 245}, {106.387, 75.997, 141.411}, -20, 0.22, Pattern::irregular, 1.06, 0.22,
     {{{{71.0, -32.5, 265.0}, {-145.8, -4.0, 265.0}}}, {{{-41.3, -21.6, 385.0}, {-39.6, -20.1, 92.5}}}}},
    {"residual", "2013-02-05", {-41, 46, 268}, {9.07, 9.387, 9.822}, 35, 0.08, Pattern::even, 0.98, 0.6,
     {{{{-48.3, 50.2, 270.0}, {-31.2, 41.9, 270.0}}}, {{{-39.8, 44.7, 275.0}, {-39.7, 44.3, 262.5}}}}},
    {"day-38", "2013-03-15", {-42, -17, 245}, {102.017, 70.849, 108.415}, -20, 0.22, Pattern::irregular, 1.05, 0.2,
     {{{{63.5, -34.0, 257.5}, {-145.2, -0.3, 257.5}}}, {{{-42.5, -17.2, 350.0}, {-42.7, -17.3, 127.5}}}}},
    {"after-5-cycles", "2013-07-05", {-64, 16, 247}, {35.64, 35.626, 62.24}, 0, 0.12, Pattern::even, 0.98, 0.12,
     {{{{-95.0, 39.6, 245.0}, {-33.5, -5.5, 245.0}}}, {{{-61.1, 15.4, 310.0}, {-65.0, 15.3, 187.5}}}}},
    {"after-radiotherapy", "2013-09-10", {-62, 20, 250}, {24.608, 28.58, 47.494}, 10, 0.14, Pattern::even, 0.97, 0.1,
     {{{{-76.0, 47.3, 247.5}, {-46.4, -4.5, 247.5}}}, {{{-61.9, 19.2, 297.5}, {-61.1, 22.0, 205.0}}}}},
};

/// Whether all of the mass lies inside the muscles of the wall.
bool lies_within(const Wall& wall, const LobulatedMass& mass)
{
    constexpr int points = 600;
    for (int i = 0; i < points; ++i) {
        const double w = -1 + (2 * i + 1.0) / points;
        const double rim = std::sqrt(1 - w * w);
        const PatientPoint d{rim * std::cos(2.4 * i), rim * std::sin(2.4 * i), w};  // the golden angle spreads them evenly
        const auto p = mass.unscaled(mass.surface(d) * d);
        if (wall.depth(p) < wall.muscle_mm(p)) return false;
    }
    return true;
}

LobulatedMass mass_of(const Row& row, const Body& body)
{
    auto lobes = row.pattern == Pattern::even ? even_lobes(row.lobes) : irregular_lobes(row.lobes);
    if (body.seed == 1) return {row.centre, row.half_mm, row.turn_deg, std::move(lobes)};
    // Another patient's mass has other lobes, proportions and place; it always fits its body.
    for (std::size_t i = 0; i < lobes.size(); ++i) {
        const int at = 100 + 10 * static_cast<int>(i);
        lobes[i].direction = lobes[i].direction + 0.45 * PatientPoint{body.varied(at), body.varied(at + 1), body.varied(at + 2)};
        lobes[i].direction = (1 / norm(lobes[i].direction)) * lobes[i].direction;
        lobes[i].height *= 1 + 0.35 * body.varied(at + 3);
        lobes[i].sharpness += 1.2 * body.varied(at + 4);
    }
    const bool small = row.half_mm[0] < 20;
    const double size = small ? 1.1 + 0.25 * body.varied(40) : 0.82 + 0.12 * body.varied(40);
    const std::array<double, 3> half{row.half_mm[0] * size * body.width * (1 + 0.1 * body.varied(41)), row.half_mm[1] * size * body.depth * (1 + 0.1 * body.varied(42)),
                                     row.half_mm[2] * size * body.height * (1 + 0.1 * body.varied(43))};
    const auto centre = body.at(row.centre.x, row.centre.y, row.centre.z) + PatientPoint{4 * body.varied(44), 4 * body.varied(45), 14 * body.varied(46)};
    auto around = body;
    around.girth = row.girth;
    for (double shrunk = 1;; shrunk *= 0.96) {
        const LobulatedMass mass(centre, {half[0] * shrunk, half[1] * shrunk, half[2] * shrunk}, row.turn_deg + 12 * body.varied(47), lobes);
        if (lies_within(Wall(around), mass)) return mass;
    }
}

std::string coordinate(double mm)
{
    auto text = fixed(mm, 2);
    if (text.back() == '0') text.pop_back();
    return text;
}

std::string point(PatientPoint p) { return '[' + coordinate(p.x) + ", " + coordinate(p.y) + ", " + coordinate(p.z) + ']'; }
std::string points(const std::array<PatientPoint, 2>& ends) { return '[' + point(ends[0]) + ", " + point(ends[1]) + ']'; }

}  // namespace

std::vector<Study> studies_of(const Body& body)
{
    std::vector<Study> out;
    for (const auto& row : kRows) out.push_back({row.id, row.date, mass_of(row, body), row.girth, row.necrosis, row.as_drawn});
    return out;
}

Prompt drawn(const MassTruth& truth, const LobulatedMass& mass, const VolumeGeometry& g, std::uint64_t seed)
{
    constexpr double turn = 5 * std::numbers::pi / 180;
    constexpr double jitter_mm = 1.5;
    const auto frame = measuring_frame(g);
    const auto jitter = [&](int which) { return jitter_mm * (2.0 * uniform_of(mixed(seed + static_cast<std::uint64_t>(which))) - 1); };
    const bool in_slices = std::abs(dot(frame.z, g.normal())) > 0.999;
    const double step = in_slices ? *g.slice_spacing_mm() : g.row_spacing_mm();  // a coronal scan's axial planes are its rows
    const double best = dot(0.5 * (truth.long_axis.a + truth.long_axis.b) - g.slice_origin(0), frame.z);
    const double plane = (std::round(best / step) + 1) * step + dot(g.slice_origin(0), frame.z);
    const auto middle = 0.5 * (truth.long_axis.a + truth.long_axis.b);
    auto half = frame.local((0.475 * (truth.long_axis.b - truth.long_axis.a)));
    half = {std::cos(turn) * half.x - std::sin(turn) * half.y, std::sin(turn) * half.x + std::cos(turn) * half.y, 0};
    const auto end = [&](double sign, int which) {
        auto p = frame.local(middle + sign * frame.patient(half));
        return frame.patient({p.x + jitter(which), p.y + jitter(which + 1), plane});
    };
    const auto tip = [&](PatientPoint p, double sign, int which) {
        const double from = dot(g.slice_origin(0), frame.z);
        const double last = sign > 0 ? std::floor((dot(p, frame.z) - from) / step) : std::ceil((dot(p, frame.z) - from) / step);
        const double level = from + (last - sign) * step;
        return mass.middle_of(frame.z, level - dot(mass.centre(), frame.z)) + jitter(which) * frame.x + jitter(which + 1) * frame.y;
    };
    return {{end(1, 0), end(-1, 2)}, {tip(truth.highest, 1, 4), tip(truth.lowest, -1, 6)}};
}

std::string case_text(const std::vector<Study>& studies, const std::vector<Prompt>& prompts, std::uint64_t seed)
{
    std::ostringstream out;
    out << "# The sample patient: SYNTHETIC studies after a published case (docs/stages/sample_data.md).\n"
           "# One line a time point as a reader drew it, and the top and bottom slice; positions in LPS mm.\n"
           "case: RPS-" << (seed < 100 ? seed < 10 ? "00" : "0" : "") << seed << "\ntimepoints:\n";
    for (const auto& s : studies) out << "  - {id: " << s.id << ", ct: ct/" << s.id << ", new_lesions: none, reader: R1}\n";
    out << "treatments:\n"
           "  - {kind: surgery, date: 2013-02-05, lesions: [T1], note: debulking}\n"
           "  - {kind: systemic, line: 1, start: 2013-03-24, agents: [doxorubicin, ifosfamide]}\n"
           "  - {kind: radiotherapy, start: 2013-07-10, end: 2013-08-13, lesions: [T1], dose_gy: 50, fractions: 25}\n"
           "events: [{kind: last-contact, date: 2014-09-01}]\n"
           "lesions:\n  - id: T1\n    role: target\n    site: retroperitoneum\n    organ: retroperitoneum\n    nodal: false\n    timepoints:\n";
    for (std::size_t i = 0; i < studies.size(); ++i) out << "      " << studies[i].id << ": {line: " << points(prompts[i].line) << ", extent: " << points(prompts[i].extent) << "}\n";
    out << "response: {primary: recist-1.1, policies: {local_therapy: keep}}\n";
    return out.str();
}

std::string lines_text(const std::vector<Prompt>& prompts, const std::vector<DicomDescription>& series, const VolumeGeometry& geometry)
{
    constexpr double in_slice = 0.01;  // of a slice: coordinates are written to a hundredth of a mm
    std::string out = "sop_instance_uid,x1,y1,x2,y2,lesion\n";
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        const auto a = geometry.to_index(prompts[i].line[0]);
        const auto b = geometry.to_index(prompts[i].line[1]);
        const double slice = std::round(a.slice);
        if (std::abs(a.slice - slice) > in_slice || std::abs(b.slice - slice) > in_slice) return {};
        out += image_uid(series[i], static_cast<int>(slice));
        for (const double v : {a.column, a.row, b.column, b.row}) (out += ',') += fixed(v + 0.5, 3);  // from the outer corner of the first pixel
        out += ",T1\n";
    }
    return out;
}

std::string truth_text(const std::vector<StudyTruth>& truths, const Frame& frame, const PatientOptions& options)
{
    std::ostringstream out;
    out << "{\"schema\": \"retromass/1\", \"patient\": " << options.seed << ", \"phase\": \"" << name(options.phase) << "\", \"plane_normal\": [" << fixed(frame.z.x, 6) << ", " << fixed(frame.z.y, 6)
        << ", " << fixed(frame.z.z, 6) << "], \"timepoints\": [\n";
    for (std::size_t i = 0; i < truths.size(); ++i) {
        const auto& t = truths[i].truth;
        out << " {\"timepoint\": \"" << truths[i].timepoint << "\", \"date\": \"" << iso(truths[i].date) << "\", \"long_axis_mm\": " << fixed(t.long_axis_mm, 3)
            << ", \"short_axis_mm\": " << fixed(t.short_axis_mm, 3) << ", \"craniocaudal_mm\": " << fixed(t.craniocaudal_mm, 3) << ", \"max_3d_diameter_mm\": " << fixed(t.max_3d_diameter_mm, 3)
            << ", \"volume_ml\": " << fixed(t.volume_ml, 4) << ", \"how\": \"" << t.how << "\"}" << (i + 1 < truths.size() ? ",\n" : "\n");
    }
    out << "]}\n";
    return out.str();
}

}  // namespace retromass::sample_data
