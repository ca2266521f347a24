#include <algorithm>
#include <cmath>

#include "core/units.h"
#include "segmentation/segment.h"

namespace retromass::segmentation {
namespace {

constexpr double kAir_hu = -500;
constexpr double kMostAir = 0.8;    // a tumour in lung has some air under its line; a line across the lung is air
constexpr double kSampling_mm = 1;

std::string place(PatientPoint p) { return fixed(p.x, 1) + "," + fixed(p.y, 1) + "," + fixed(p.z, 1) + " mm (LPS)"; }

Error refuse(Code code, std::string why) { return Error{code, std::move(why), "segmentation: check_prompt"}; }

/// Samples along what is certainly inside, to see whether there is any tissue.
std::vector<PatientPoint> inner_samples(const Prompt& prompt)
{
    std::vector<PatientPoint> out = prompt.points;
    for (const auto& line : prompt.lines) {
        const double length = distance(line.a, line.b);
        for (double t = 0.2 * length; t <= 0.8 * length; t += kSampling_mm) out.push_back(line.a + (t / length) * (line.b - line.a));
    }
    if (prompt.box && out.empty()) {
        const auto& [a, b] = *prompt.box;
        for (int i = 0; i < 125; ++i) {
            const int step[3] = {i % 5, i / 5 % 5, i / 25};
            const double f[3] = {0.3 + 0.1 * step[0], 0.3 + 0.1 * step[1], 0.3 + 0.1 * step[2]};
            out.push_back({a.x + f[0] * (b.x - a.x), a.y + f[1] * (b.y - a.y), a.z + f[2] * (b.z - a.z)});
        }
    }
    for (const auto& contour : prompt.contours) {
        PatientPoint centre;
        for (const auto& p : contour) centre = centre + (1.0 / static_cast<double>(contour.size())) * p;
        for (const auto& p : contour) out.push_back(0.5 * (centre + p));
        out.push_back(centre);
    }
    return out;
}

}  // namespace

Status check_prompt(const CtVolume& ct, const std::string& frame_of_reference_uid, const Prompt& prompt)
{
    const auto& g = ct.geometry;
    if (!prompt.frame_of_reference_uid.empty() && prompt.frame_of_reference_uid != frame_of_reference_uid) {
        return refuse(Code::prompt_frame_of_reference, "the prompt was drawn in frame of reference " + prompt.frame_of_reference_uid + ", the CT lies in " +
                                                           (frame_of_reference_uid.empty() ? std::string("none") : frame_of_reference_uid));
    }
    if (prompt.points.empty() && prompt.lines.empty() && !prompt.box && prompt.contours.empty() && !prompt.prior) {
        return refuse(Code::prompt_missing, "nothing says where the lesion is: give a line, point, box, contour or mask");
    }
    const auto inside = [&](PatientPoint p, const char* what) -> Status {
        if (g.contains(p)) return Done{};
        const auto i = g.to_index(p);
        const auto n = g.size();
        return refuse(Code::prompt_outside, std::string(what) + " at " + place(p) + " lies outside the scanned volume: column " + fixed(i.column, 0) + ", row " + fixed(i.row, 0) + ", slice " +
                                                fixed(i.slice, 0) + " of " + std::to_string(n.columns) + " x " + std::to_string(n.rows) + " x " + std::to_string(n.slices));
    };
    for (const auto& p : prompt.points) RETROMASS_TRY(inside(p, "the point"));
    for (const auto& line : prompt.lines) {
        RETROMASS_TRY(inside(line.a, "the line's end"));
        RETROMASS_TRY(inside(line.b, "the line's end"));
    }
    for (const auto& contour : prompt.contours) {
        for (const auto& p : contour) RETROMASS_TRY(inside(p, "a contour point"));
    }
    if (prompt.box) RETROMASS_TRY(inside(0.5 * ((*prompt.box)[0] + (*prompt.box)[1]), "the box's centre"));
    if (prompt.extent) {
        for (const auto& p : *prompt.extent) RETROMASS_TRY(inside(p, "an end of the extent"));
    }
    for (const auto& p : prompt.exclude) RETROMASS_TRY(inside(p, "an excluded point"));
    if (prompt.prior && prompt.prior->size() != g.size()) return refuse(Code::mask_grid, "the prior mask is not on the CT's grid");
    if (prompt.prior && std::none_of(prompt.prior->values().begin(), prompt.prior->values().end(), [](auto v) { return v != 0; })) {
        return refuse(Code::empty_mask, "the prior mask holds no voxel");
    }

    const auto contradict = [](std::string why) { return refuse(Code::prompt_contradictory, std::move(why)); };
    const PatientPoint n = g.normal();
    const auto slab_at = [&](PatientPoint p) { return g.slab_mm(std::clamp(static_cast<int>(std::lround(g.to_index(p).slice)), 0, g.size().slices - 1)); };
    if (prompt.lines.size() > 2) return contradict(std::to_string(prompt.lines.size()) + " lines: a lesion has one long axis and one short axis");
    for (const auto& line : prompt.lines) {
        const double length = distance(line.a, line.b);
        if (length < g.column_spacing_mm()) return contradict("a line of " + fixed(length, 2) + " mm is shorter than a pixel (" + fixed(g.column_spacing_mm(), 2) + " mm)");
        if (std::abs(dot(line.b - line.a, n)) > 1.01 * slab_at(line.a)) {
            return contradict("the line's ends lie " + fixed(std::abs(dot(line.b - line.a, n)), 1) + " mm apart across the slices: draw it on one slice");
        }
    }
    if (prompt.lines.size() == 2) {
        const auto& a = prompt.lines[0];
        const auto& b = prompt.lines[1];
        const double apart = std::abs(dot(0.5 * (a.a + a.b) - 0.5 * (b.a + b.b), n));
        if (apart > 1.01 * slab_at(a.a)) return contradict("the two lines lie " + fixed(apart, 1) + " mm apart across the slices: long and short axis belong on one slice");
        if (distance(b.a, b.b) > 1.05 * distance(a.a, a.b) + g.column_spacing_mm()) {
            return contradict("the second line (" + fixed(distance(b.a, b.b), 1) + " mm) is longer than the first (" + fixed(distance(a.a, a.b), 1) + " mm), but the short axis comes second");
        }
    }
    if (prompt.extent) {
        const double top = std::max(dot((*prompt.extent)[0], n), dot((*prompt.extent)[1], n));
        const double bottom = std::min(dot((*prompt.extent)[0], n), dot((*prompt.extent)[1], n));
        for (const auto& line : prompt.lines) {
            const double at = dot(line.a, n);
            if (at > top + 1.51 * slab_at(line.a) || at < bottom - 1.51 * slab_at(line.a)) return contradict("the line lies outside the marked top and bottom slice");
        }
        for (const auto& p : prompt.points) {
            if (dot(p, n) > top + 1.51 * slab_at(p) || dot(p, n) < bottom - 1.51 * slab_at(p)) return contradict("the point lies outside the marked top and bottom slice");
        }
    }
    for (const auto& contour : prompt.contours) {
        if (contour.size() < 3) return contradict("a contour needs at least three points");
        for (const auto& p : contour) {
            if (std::abs(dot(p - contour[0], n)) > 1.01 * slab_at(p)) return contradict("a contour's points lie on different slices");
        }
    }
    if (prompt.box) {
        for (const auto& p : prompt.points) {
            const auto& [a, b] = *prompt.box;
            const bool in = p.x >= std::min(a.x, b.x) && p.x <= std::max(a.x, b.x) && p.y >= std::min(a.y, b.y) && p.y <= std::max(a.y, b.y) && p.z >= std::min(a.z, b.z) && p.z <= std::max(a.z, b.z);
            if (!in) return contradict("the point at " + place(p) + " lies outside the box");
        }
    }
    const auto voxel = [&g](PatientPoint p) {
        const auto i = g.to_index(p);
        return Index{static_cast<int>(std::lround(i.column)), static_cast<int>(std::lround(i.row)), static_cast<int>(std::lround(i.slice))};
    };
    for (const auto& e : prompt.exclude) {
        for (const auto& p : prompt.points) {
            if (distance(e, p) < 2 * g.column_spacing_mm() || voxel(e) == voxel(p)) return contradict("the same place is marked inside and outside: " + place(e));
        }
        for (const auto& line : prompt.lines) {
            const PatientPoint d = line.b - line.a;
            const double t = std::clamp(dot(e - line.a, d) / dot(d, d), 0.2, 0.8);
            if (distance(e, line.a + t * d) < 2 * g.column_spacing_mm()) return contradict("an excluded point lies on the line: " + place(e));
        }
    }

    double air = 0;
    double samples = 0;
    for (const auto& p : inner_samples(prompt)) {
        const auto i = g.to_index(p);
        const auto c = static_cast<int>(std::lround(i.column));
        const auto r = static_cast<int>(std::lround(i.row));
        const auto k = static_cast<int>(std::lround(i.slice));
        if (!g.size().contains(c, r, k)) continue;
        ++samples;
        const auto hu = ct.hu.at(c, r, k);
        air += hu == kPaddingHu || hu < kAir_hu;
    }
    if (samples > 0 && air > kMostAir * samples) {
        return refuse(Code::prompt_in_air, fixed(100 * air / samples, 0) + " % of the prompt lies in air (below " + fixed(kAir_hu, 0) + " HU); is it on the right series?");
    }
    return Done{};
}

}  // namespace retromass::segmentation
