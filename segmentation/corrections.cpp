#include "segmentation/corrections.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "core/parallel.h"
#include "segmentation/section.h"

namespace retromass::segmentation {
namespace {

// A mark in the middle of an error has as much of it behind as before it, where the boundary is. So nothing moves beyond twice that distance,
// and the change is little more than the place lacks: of those tried the most that lowered the Dice of no phantom and no sarcoma.
constexpr double kReachOfDepth = 2;
constexpr double kReachBeyond_mm = 10;  // beyond the boundary, at most: a mark deep in a large error says little of what lies behind it
constexpr double kOfLack = 10.0 / 9;
constexpr double kFadeOfWay = 0.5;      // of the way from the last contour to the end of the lesion, what it changed has faded
constexpr double kAcross = 0.02;        // logit just across one half

double logit(float p)
{
    const double q = std::clamp(static_cast<double>(p), 1e-5, 1 - 1e-5);
    return std::log(q / (1 - q));
}

float sigmoid(double z) { return static_cast<float>(1 / (1 + std::exp(-z))); }

/// 1 in the middle, 0 from 1 on.
double bump(double s) { return s < 1 ? (1 - s * s) * (1 - s * s) : 0; }

Index voxel_at(const VolumeGeometry& g, PatientPoint p)
{
    const auto i = g.to_index(p);
    const auto n = g.size();
    const auto on = [](double x, int count) { return std::clamp(static_cast<int>(std::lround(x)), 0, count - 1); };
    return {on(i.column, n.columns), on(i.row, n.rows), on(i.slice, n.slices)};
}

/// Calls `visit` with every voxel within `reach_mm` of a place and its distance.
template <class Visit>
void around(const VolumeGeometry& g, PatientPoint place, double reach_mm, Visit visit)
{
    const auto n = g.size();
    for (int k = 0; k < n.slices; ++k) {
        const auto from = place - g.slice_origin(k);
        const double height = dot(from, g.normal());
        if (std::abs(height) > reach_mm) continue;
        const double x = dot(from, g.column_step()) / g.column_spacing_mm();
        const double y = dot(from, g.row_step()) / g.row_spacing_mm();
        const double rows = reach_mm / g.row_spacing_mm();
        const double columns = reach_mm / g.column_spacing_mm();
        for (int r = std::max(0, static_cast<int>(std::ceil(y - rows))); r <= std::min(n.rows - 1, static_cast<int>(std::floor(y + rows))); ++r) {
            for (int c = std::max(0, static_cast<int>(std::ceil(x - columns))); c <= std::min(n.columns - 1, static_cast<int>(std::floor(x + columns))); ++c) {
                const double d = distance(place, g.to_patient(Index{c, r, k}));
                if (d <= reach_mm) visit(c, r, k, d);
            }
        }
    }
}

/// How far the nearest voxel of the other kind is.
double depth_at(const Mask& mask, const VolumeGeometry& g, PatientPoint place, bool in_mask)
{
    double least = std::numeric_limits<double>::max();
    // Nearest first: rings that double until one holds what is looked for.
    for (double reach = 4 * std::max(g.column_spacing_mm(), g.row_spacing_mm()); least > reach && reach < 4000; reach *= 2) {
        around(g, place, reach, [&](int c, int r, int k, double d) {
            if ((mask.at(c, r, k) != 0) != in_mask) least = std::min(least, d);
        });
    }
    return least;
}

/// The mask's slice becomes `section`. What that changes of the signed distance to its outline moves the slices beside it towards the same outline, the less the farther, up to the next
/// settled slice on either side, or half way to the end of the lesion.
void follow(Mask& mask, const VolumeGeometry& g, int slice, const Mask& section, const std::set<int>& settled)
{
    const auto wanted = section_distance(section, g);
    if (!wanted) return;  // thinner than a pixel: nothing to follow
    auto change = section_distance(plane_of(mask, slice), g);
    for (std::size_t v = 0; change && v < change->values().size(); ++v) (*change)[v] = (*wanted)[v] - (*change)[v];
    std::copy(section.values().begin(), section.values().end(), mask.plane(slice).begin());
    const auto shows = [&](int k) { return std::any_of(mask.plane(k).begin(), mask.plane(k).end(), [](auto v) { return v != 0; }); };
    for (const int step : {-1, 1}) {
        int end = slice;         // the settled slice on this side, or the last one that shows the lesion
        bool to_settled = false;
        for (int k = slice + step; k >= 0 && k < g.size().slices && !to_settled; k += step) {
            to_settled = settled.contains(k);
            if (to_settled || shows(k)) end = k;
        }
        const double reach = (to_settled ? 1 : kFadeOfWay) * std::abs(g.slice_position_mm(end) - g.slice_position_mm(slice));
        const auto far = to_settled ? section_distance(plane_of(mask, end), g) : std::nullopt;
        for (int k = slice + step; (k - end) * step < (to_settled ? 0 : 1); k += step) {
            const double weight = std::max(1 - std::abs(g.slice_position_mm(k) - g.slice_position_mm(slice)) / reach, 0.0);
            const double narrower = to_settled ? weight : 1;   // beyond the last contour a lesion tapers
            auto d = section_distance(plane_of(mask, k), g);
            if (d && change) {
                for (std::size_t v = 0; v < d->values().size(); ++v) {  // towards what was drawn, not beyond it
                    const auto [low, high] = std::minmax({(*d)[v], (*wanted)[v]});
                    (*d)[v] = std::clamp((*d)[v] + static_cast<float>((*change)[v] < 0 ? narrower : weight) * (*change)[v], low, high);
                }
            } else if (far) {    // the mask ended before the contour: from outline to outline, beside what there is
                auto joined = *far;
                for (std::size_t v = 0; v < joined.values().size(); ++v) {
                    joined[v] += static_cast<float>(weight) * ((*wanted)[v] - joined[v]);
                    if (d) joined[v] = std::max(joined[v], (*d)[v]);
                }
                d = std::move(joined);
            } else {
                continue;
            }
            auto plane = mask.plane(k);
            for (std::size_t v = 0; v < plane.size(); ++v) plane[v] = (*d)[v] >= 0;
        }
    }
}

}  // namespace

std::vector<Correction> corrections_of(const Segmentation& made, const VolumeGeometry& g, const Prompt& prompt)
{
    struct Mark {
        PatientPoint at;
        Index voxel;
        bool inside;
    };
    std::vector<Mark> marks;
    const auto add = [&](const std::vector<PatientPoint>& points, bool inside) {
        for (const auto& p : points) {
            const auto voxel = voxel_at(g, p);
            marks.push_back({g.to_patient(voxel), voxel, inside});
        }
    };
    add(prompt.points, true);
    add(prompt.exclude, false);
    std::vector<Correction> out;
    // Marks correct a mask; where nothing was found there is none, and they must not make one.
    if (marks.empty() || std::none_of(made.mask.values().begin(), made.mask.values().end(), [](auto v) { return v != 0; })) return out;
    for (const auto& mark : marks) {
        const bool inside = made.mask.at(mark.voxel.column, mark.voxel.row, mark.voxel.slice) != 0;
        if (inside == mark.inside) continue;
        const double depth_mm = depth_at(made.mask, g, mark.at, inside);
        double reach = std::min(kReachOfDepth * depth_mm, depth_mm + kReachBeyond_mm);
        for (const auto& other : marks) {  // a mark of the other kind keeps its place
            if (other.inside != mark.inside) reach = std::min(reach, distance(mark.at, other.at));
        }
        const double lacking = (mark.inside ? kAcross : -kAcross) - logit(made.probability.at(mark.voxel.column, mark.voxel.row, mark.voxel.slice));
        out.push_back({mark.at, reach, kOfLack * lacking});
    }
    return out;
}

double change_at(const std::vector<Correction>& corrections, PatientPoint p)
{
    double sum = 0;
    for (const auto& correction : corrections) {
        const double s = distance(p, correction.at) / correction.reach_mm;
        sum += correction.logit * bump(s);
    }
    return sum;
}

void correct(Segmentation& made, const VolumeGeometry& g, const std::vector<Correction>& corrections, int threads)
{
    if (corrections.empty()) return;
    const auto n = g.size();
    parallel_for(n.slices, threads, [&](int k) {
        const double height = g.slice_position_mm(k);
        const bool touched = std::any_of(corrections.begin(), corrections.end(), [&](const auto& c) { return std::abs(dot(c.at, g.normal()) - height) < c.reach_mm; });
        for (int r = 0; r < n.rows && touched; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                const double change = change_at(corrections, g.to_patient(Index{c, r, k}));
                if (change == 0) continue;
                const auto i = made.mask.offset(c, r, k);
                const double z = logit(made.probability[i]) + change;
                made.mask[i] = z >= 0;
                made.probability[i] = sigmoid(z);
            }
        }
    });
}

void follow_contours(Segmentation& made, const VolumeGeometry& g, const std::vector<std::vector<PatientPoint>>& contours)
{
    std::map<int, Mask> drawn;   // by slice; two contours of one slice are two parts of one lesion
    int longest = -1;
    std::size_t most = 0;
    for (const auto& contour : contours) {
        const int k = voxel_at(g, contour[0]).slice;
        auto section = section_of(g, contour, k);
        const auto [at, first] = drawn.try_emplace(k, section);
        for (std::size_t i = 0; i < section.values().size() && !first; ++i) at->second[i] = at->second[i] || section[i];
        const auto pixels = static_cast<std::size_t>(std::count(at->second.values().begin(), at->second.values().end(), 1));
        if (pixels > most) most = pixels, longest = k;
    }
    std::vector<int> order;      // from the largest section outwards, whatever order they were drawn in
    for (const auto& [k, section] : drawn) order.push_back(k);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return std::abs(a - longest) < std::abs(b - longest); });
    const auto before = made.mask;
    std::set<int> settled;
    for (const int k : order) {
        follow(made.mask, g, k, drawn.at(k), settled);
        settled.insert(k);
    }
    for (std::size_t i = 0; i < before.values().size(); ++i) {
        if (made.mask[i] != before[i]) made.probability[i] = sigmoid(made.mask[i] ? kAcross : -kAcross);
    }
}

}  // namespace retromass::segmentation
