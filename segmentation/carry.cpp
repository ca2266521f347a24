#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/parallel.h"
#include "core/units.h"
#include "segmentation/components.h"
#include "segmentation/distance.h"
#include "segmentation/filters.h"
#include "segmentation/segment.h"
#include "segmentation/upright.h"
#include "segmentation/working_grid.h"

namespace retromass::segmentation {
namespace {

// What is looked at.
constexpr double kCellOfRadius = 1.0 / 25;   ///< of the radius of the ball of the old volume
constexpr double kFinestCell_mm = 1.5;
constexpr double kCoarsestCell_mm = 3;
constexpr double kMarginOfRadius = 0.5;      ///< three times the volume is 0.44 of the radius on each side
constexpr double kLeastMargin_mm = 8;
constexpr double kAround_mm = 25;            ///< what lies about the old lesion
constexpr double kSmooth_mm = 1;              ///< little: at a blurred edge the lesion passes through the HU of other tissues
constexpr double kEvidenceSigma_mm = 2.5;

// When the registration is believed.
constexpr double kLeastCovered = 0.9;
constexpr double kLeastSimilarity = 0.6;
constexpr double kMostRoundTrip_mm = 12;  ///< of a giant mass, whose place is found all the same
constexpr double kRoundTripOfRadius = 0.75;  ///< a lesion that may lie wholly beside its place is not found by it

// When what is found is believed.
constexpr double kLeastEvidence = 1;         ///< mean log-likelihood ratio of what is found
constexpr double kMostSecond = 0.35;         ///< of the volume of what was found, in one other piece
constexpr double kMostAtEdge = 0.04;         ///< of the surface of what was found, at the end of the place looked at
constexpr double kLeastInOld = 0.4;          ///< of what was found, within the old outline
constexpr double kLeastAgreement = 0.75;     ///< Dice's coefficient of what was found and what its prompt gave
constexpr double kLeastKnown = 0.8;          ///< the same for what would be found on the earlier scan and the lesion as it is known there

Error ask(const std::string& why) { return Error{Code::prompt_missing, why + "; give a prompt", "segmentation: carry"}; }

double count_of(const Mask& mask) { return static_cast<double>(std::count_if(mask.values().begin(), mask.values().end(), [](auto v) { return v != 0; })); }

double radius_of(double volume_mm3) { return std::cbrt(0.75 * volume_mm3 / std::numbers::pi); }

double cell_of(const WorkingGrid& grid) { return std::cbrt(grid.spacing_mm[0] * grid.spacing_mm[1] * grid.spacing_mm[2]); }

/// Voxels of a box with a margin.
struct Box {
    ContinuousIndex low{1e9, 1e9, 1e9};
    ContinuousIndex high{-1e9, -1e9, -1e9};

    void add(ContinuousIndex i)
    {
        low = {std::min(low.column, i.column), std::min(low.row, i.row), std::min(low.slice, i.slice)};
        high = {std::max(high.column, i.column), std::max(high.row, i.row), std::max(high.slice, i.slice)};
    }
    Box grown(double mm, const VolumeGeometry& g) const
    {
        const ContinuousIndex by{mm / g.column_spacing_mm(), mm / g.row_spacing_mm(), mm / mean_gap_mm(g)};
        return {{low.column - by.column, low.row - by.row, low.slice - by.slice}, {high.column + by.column, high.row + by.row, high.slice + by.slice}};
    }
};

/// Calls use(index) for every voxel of the mask.
template <class Use>
void for_each_voxel(const Mask& mask, Use use)
{
    const auto& n = mask.size();
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            const auto* const row = mask.data() + mask.offset(0, r, k);
            for (int c = 0; c < n.columns; ++c) {
                if (row[c]) use(Index{c, r, k});
            }
        }
    }
}

/// A place on a scan: its pixels, and how deep in the lesion's old outline each cell lies.
struct Place {
    WorkingGrid grid;
    Grid<float> smooth;      ///< HU
    Grid<float> depth_mm;    ///< in the old outline, negative outside
};

template <class Inside>
Place place_of(const CtVolume& ct, const Box& box, double cell_mm, double smooth_mm, int threads, Inside inside)
{
    Place out;
    out.grid = working_grid(ct.geometry, box.low, box.high, cell_mm);
    out.smooth = gaussian(block_average(ct, out.grid, threads), out.grid.spacing_mm, smooth_mm, threads);
    Mask outline(out.grid.size);
    parallel_for(out.grid.size.slices, threads, [&](int k) {
        for (int j = 0; j < out.grid.size.rows; ++j) {
            for (int i = 0; i < out.grid.size.columns; ++i) outline.at(i, j, k) = inside(ct.geometry.to_patient(out.grid.ct_index(i, j, k)));
        }
    });
    out.depth_mm = signed_distance(outline, out.grid.spacing_mm);
    return out;
}

/// How likely an HU is in the old lesion against what lay around it, as log-likelihood ratio.
class Looks {
public:
    Looks(const Place& old, double edge_mm)
    {
        Counts inside{}, around{};
        for (std::size_t i = 0; i < old.smooth.values().size(); ++i) {
            const float depth = old.depth_mm[i];
            if (depth > edge_mm) inside[bin_of(old.smooth[i])] += 1;
            if (depth < -edge_mm && depth > -kAround_mm) around[bin_of(old.smooth[i])] += 1;
        }
        const auto f = spread(inside), b = spread(around);
        for (std::size_t i = 0; i < kBins; ++i) ratio_[i] = static_cast<float>(std::clamp(std::log(f[i] / b[i]), -3.0, 3.0));
    }
    float operator()(float hu) const { return ratio_[bin_of(hu)]; }

private:
    static constexpr std::size_t kBins = 100;    // 6 HU each, from -200 on
    using Counts = std::array<double, kBins>;
    static std::size_t bin_of(float hu) { return static_cast<std::size_t>(std::clamp((hu + 200) / 6, 0.0F, static_cast<float>(kBins - 1))); }
    static Counts spread(const Counts& counts)
    {
        constexpr double sigma = 1.2;
        constexpr double floor = 0.002;
        constexpr int reach = 4;
        Counts out{};
        double sum = 0;
        for (int i = 0; i < static_cast<int>(kBins); ++i) {
            for (int t = -reach; t <= reach; ++t) {
                const int j = std::clamp(i + t, 0, static_cast<int>(kBins) - 1);
                out[static_cast<std::size_t>(i)] += counts[static_cast<std::size_t>(j)] * std::exp(-0.5 * t * t / (sigma * sigma));
            }
            sum += out[static_cast<std::size_t>(i)];
        }
        for (auto& v : out) v = v / std::max(sum, 1.0) + floor;
        return out;
    }
    std::array<float, kBins> ratio_{};
};

Mask above(const Grid<float>& values, double bound)
{
    Mask out(values.size());
    for (std::size_t i = 0; i < out.values().size(); ++i) out[i] = values[i] > bound;
    return out;
}

Mask both(const Mask& a, const Mask& b)
{
    Mask out(a.size());
    for (std::size_t i = 0; i < out.values().size(); ++i) out[i] = a[i] && b[i];
    return out;
}

/// What looks like the lesion at a place, and how it lies to the old outline.
struct Found {
    Mask cells;
    double evidence = 0;    ///< mean
    double within = 0;      ///< part of it in the old outline
    double at_edge = 0;     ///< part of its surface at the end of the place looked at
    double second = 0;      ///< another piece, of the volume of what was found
};

/// What looks like the lesion where it may be, without bridges; then the piece with most of it inside the old outline. Nothing where nothing does.
std::optional<Found> found_at(const Place& place, const Looks& looks, double radius, double margin_mm, int threads)
{
    Grid<float> evidence(place.grid.size);
    for (std::size_t i = 0; i < evidence.values().size(); ++i) evidence[i] = looks(place.smooth[i]);
    evidence = gaussian(evidence, place.grid.spacing_mm, std::min(kEvidenceSigma_mm, 0.15 * radius), threads);
    const double bridge_mm = std::min(4.0, 0.2 * radius);
    const auto alike = filled(both(above(evidence, 0), above(place.depth_mm, -margin_mm)));
    const auto thick = above(signed_distance(alike, place.grid.spacing_mm), bridge_mm);
    const auto in_old = both(thick, above(place.depth_mm, 0));
    if (count_of(in_old) == 0) return std::nullopt;
    const auto piece = seeded_components(thick, seeded_components(in_old, Mask(in_old.size())));
    const auto away = signed_distance(piece, place.grid.spacing_mm);
    Found out;
    out.cells = filled(both(alike, above(away, -(bridge_mm + 0.6 * cell_of(place.grid)))));

    Mask others(in_old.size());
    for (std::size_t i = 0; i < others.values().size(); ++i) others[i] = in_old[i] && !piece[i];
    if (count_of(others) > 0) out.second = count_of(seeded_components(others, Mask(others.size()))) / count_of(piece);
    const double rim = cell_of(place.grid), size = count_of(out.cells);
    double surface = 0;
    const auto depth_found = signed_distance(out.cells, place.grid.spacing_mm);
    for (std::size_t i = 0; i < out.cells.values().size(); ++i) {
        if (!out.cells[i]) continue;
        out.within += place.depth_mm[i] > 0;
        out.evidence += evidence[i];
        if (depth_found[i] > rim) continue;
        surface += 1;
        out.at_edge += place.depth_mm[i] < -margin_mm + 1.5 * rim;
    }
    out.within /= size;
    out.evidence /= size;
    out.at_edge /= std::max(surface, 1.0);
    return out;
}

/// Line, short axis, top and bottom of a mask of cells.
Prompt prompt_of(const Mask& cells, const WorkingGrid& grid, const VolumeGeometry& g)
{
    struct Cell {
        double x, y;    // of the grid; the rim lies half a cell from a centre
    };
    const auto& n = cells.size();
    int top = -1, bottom = n.slices;
    Prompt out;
    LineSegment longest{}, across{};
    double best = -1;
    const auto middle_of = [&](int k) {
        double x = 0, y = 0, count = 0;
        for (int j = 0; j < n.rows; ++j) {
            for (int i = 0; i < n.columns; ++i) {
                if (cells.at(i, j, k)) x += i, y += j, count += 1;
            }
        }
        auto at = grid.ct_index(static_cast<int>(std::lround(x / count)), static_cast<int>(std::lround(y / count)), k);
        return at;
    };
    for (int k = 0; k < n.slices; ++k) {
        std::vector<Cell> rim;
        for (int j = 0; j < n.rows; ++j) {
            for (int i = 0; i < n.columns; ++i) {
                if (!cells.at(i, j, k)) continue;
                const auto outside = [&](int x, int y) { return !n.contains(x, y, k) || !cells.at(x, y, k); };
                // The ends of a cell that lies at the rim of its row.
                if (outside(i - 1, j)) rim.push_back({i - 0.5, double(j)});
                if (outside(i + 1, j)) rim.push_back({i + 0.5, double(j)});
                if (outside(i, j - 1)) rim.push_back({double(i), j - 0.5});
                if (outside(i, j + 1)) rim.push_back({double(i), j + 0.5});
            }
        }
        if (rim.empty()) continue;
        top = k;
        bottom = std::min(bottom, k);
        const double sx = grid.spacing_mm[0], sy = grid.spacing_mm[1];
        const auto point = [&](Cell c) {
            auto at = grid.ct_index(0, 0, k);
            at.column += c.x * grid.block[0];
            at.row += c.y * grid.block[1];
            at.slice = std::round(at.slice);
            return g.to_patient(at);
        };
        for (std::size_t a = 0; a < rim.size(); ++a) {
            for (std::size_t b = a + 1; b < rim.size(); ++b) {
                const double d = std::hypot((rim[a].x - rim[b].x) * sx, (rim[a].y - rim[b].y) * sy);
                if (d <= best) continue;
                best = d;
                longest = {point(rim[a]), point(rim[b])};
                // The widest extent across it, through the middle of what lies there.
                const double ux = (rim[b].x - rim[a].x) * sx / d, uy = (rim[b].y - rim[a].y) * sy / d;
                double low = std::numeric_limits<double>::max(), high = -low, along_low = 0, along_high = 0;
                for (const auto& c : rim) {
                    const double v = -uy * (c.x - rim[a].x) * sx + ux * (c.y - rim[a].y) * sy;
                    const double u = ux * (c.x - rim[a].x) * sx + uy * (c.y - rim[a].y) * sy;
                    if (v < low) low = v, along_low = u;
                    if (v > high) high = v, along_high = u;
                }
                const double along = 0.5 * (along_low + along_high);
                const auto at = [&](double v) { return point({rim[a].x + (along * ux - v * uy) / sx, rim[a].y + (along * uy + v * ux) / sy}); };
                across = {at(low), at(high)};
            }
        }
    }
    out.lines = {longest, across};
    const auto end = [&](int k, int side) {
        auto at = middle_of(k);
        at.slice = std::clamp(at.slice + side * 0.5 * (grid.block[2] - 1), 0.0, static_cast<double>(g.size().slices - 1));
        at.slice = std::round(at.slice);
        return g.to_patient(at);
    };
    out.extent = {end(top, 1), end(bottom, -1)};
    return out;
}

/// Dice's coefficient of cells and a mask on the CT.
double agreement(const Mask& cells, const WorkingGrid& grid, const Mask& mask)
{
    const auto other = block_majority(mask, grid);
    const double a = count_of(cells), b = count_of(other);
    return a + b > 0 ? 2 * count_of(both(cells, other)) / (a + b) : 0;
}

std::string percent(double part) { return fixed(100 * part, 0) + " %"; }

}  // namespace

std::string doubt_of(const RegistrationTrust& trust, double radius_mm)
{
    if (trust.covered < kLeastCovered) return "the scan shows only " + percent(trust.covered) + " of where the lesion was";
    if (trust.similarity < kLeastSimilarity) return "the surroundings of the lesion do not look alike (similarity " + fixed(trust.similarity, 2) + ", needed " + fixed(kLeastSimilarity, 2) + ")";
    if (trust.least_jacobian <= 0) return "the registration folds the surroundings of the lesion (a small volume grows " + fixed(trust.least_jacobian, 2) + " fold, needed above 0)";
    const double most_off = std::min(kMostRoundTrip_mm, kRoundTripOfRadius * radius_mm);
    if (trust.round_trip_mm > most_off) return "the registration is sure to " + fixed(trust.round_trip_mm, 1) + " mm only around a lesion of " + fixed(2 * radius_mm, 0) + " mm";
    return {};
}

Result<Carried> carry(const Registration& registration, const EarlierLesion& before, const CtVolume& now, const std::string& frame_of_reference_uid, const SegmentParameters& parameters,
                      const Progress& progress)
{
    const int threads = parameters.threads;
    const auto& old_g = before.ct.geometry;
    const auto& g = now.geometry;
    Box old_box, box;
    double voxels = 0;
    std::size_t seen = 0;
    for_each_voxel(before.mask, [&](Index i) {
        old_box.add({double(i.column), double(i.row), double(i.slice)});
        voxels += 1;
    });
    if (voxels == 0) return Error{Code::empty_mask, "the earlier mask is empty", "segmentation: carry"};
    const double radius = radius_of(voxels * old_g.column_spacing_mm() * old_g.row_spacing_mm() * mean_gap_mm(old_g));

    Carried out;
    out.trust = registration.trust_around(before.mask, old_g);
    const auto& t = out.trust;
    out.text = "registration: " + percent(t.covered) + " of its surroundings seen, similarity " + fixed(t.similarity, 2) + ", there and back within " + fixed(t.round_trip_mm, 1) + " mm";
    if (const auto doubt = doubt_of(t, radius); !doubt.empty()) return ask(doubt);
    if (!goes_on(progress, "carrying", 0.1)) return Error{Code::cancelled, "stopped while carrying a lesion forward", "segmentation"};

    const double cell_mm = std::clamp(kCellOfRadius * radius, kFinestCell_mm, kCoarsestCell_mm);
    const double smooth_mm = std::min(kSmooth_mm, 0.1 * radius);
    const double margin_mm = std::max(kLeastMargin_mm, kMarginOfRadius * radius);
    const auto old = place_of(before.ct, old_box.grown(std::max(kAround_mm, margin_mm) + 5, old_g), cell_mm, smooth_mm, threads, [&](PatientPoint p) { return holds(before.mask, old_g, p); });
    constexpr std::size_t every = 37;  // a lesion of a few hundred voxels still has a dozen
    for_each_voxel(before.mask, [&](Index i) {
        if (seen++ % every == 0) box.add(g.to_index(registration.to_fixed(old_g.to_patient(i))));
    });
    const auto here = place_of(now, box.grown(margin_mm + 5, g), cell_mm, smooth_mm, threads, [&](PatientPoint p) { return holds(before.mask, old_g, registration.to_moving(p)); });
    const Looks looks(old, std::min(2.0, 0.2 * radius));
    // What would it have found on the scan on which the lesion is known?
    const auto again = found_at(old, looks, radius, margin_mm, threads);
    const double known = again ? agreement(again->cells, old.grid, before.mask) : 0;
    if (known < kLeastKnown) return ask("the lesion does not stand out from what lies around it: looked for on the earlier scan, it is found with agreement " + fixed(known, 2) + " only (needed " + fixed(kLeastKnown, 2) + ")");
    const auto now_found = found_at(here, looks, radius, margin_mm, threads);
    if (!now_found) return ask("nothing that looks like the lesion is left where it was");
    const auto& found = *now_found;
    out.text += "; on the earlier scan it finds the lesion again with agreement " + fixed(known, 2);
    out.text += "; found: evidence " + fixed(found.evidence, 2) + ", " + percent(found.within) + " within the old outline, " + percent(found.at_edge) + " at the end of the place looked at, next piece " + percent(found.second);
    if (found.at_edge > kMostAtEdge) return ask("what looks like the lesion reaches further than " + fixed(margin_mm, 0) + " mm beyond its old outline (" + out.text + ")");
    if (found.second > kMostSecond) return ask("more than one place looks like the lesion (" + out.text + ")");
    if (found.evidence < kLeastEvidence) return ask("nothing there stands out as the lesion did (" + out.text + ")");
    if (found.within < kLeastInOld) return ask("what looks like the lesion lies mostly outside its old outline (" + out.text + ")");

    out.prompt = prompt_of(found.cells, here.grid, g);
    out.prompt.frame_of_reference_uid = frame_of_reference_uid;
    auto segmented = segment(now, frame_of_reference_uid, out.prompt, parameters, progress);
    if (!segmented) {
        if (segmented.error().code == Code::cancelled) return std::move(segmented).error();
        return ask("what was found cannot be segmented: " + segmented.error().message);
    }
    out.segmentation = std::move(segmented).value();
    const double agreed = agreement(found.cells, here.grid, out.segmentation.mask);
    out.text += ", agreement " + fixed(agreed, 2);
    if (agreed < kLeastAgreement) return ask("what was found and what its segmentation gives differ (" + out.text + ")");
    return out;
}

}  // namespace retromass::segmentation
