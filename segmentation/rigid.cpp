#include "segmentation/rigid.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "segmentation/linear.h"

namespace retromass::segmentation {
namespace {

using Triple = std::array<double, 3>;

constexpr std::size_t kSearchPlaces = 1500;
constexpr std::size_t kPlaces = 12000;
constexpr double kStep_mm = 16;
constexpr int kSideways = 3;               ///< steps to each side of where the middles of the bodies meet
constexpr double kLeastCovered = 0.2;      ///< of the scan with less of the patient
constexpr std::size_t kStarts = 8;
constexpr double kApart_mm = 24;           ///< less than a vertebra, so that its neighbours are starts too

struct Places {
    PatientPoint middle;              ///< what the motion turns about
    std::vector<PatientPoint> at;
    std::vector<float> tissue;
};

/// Cells of the patient, thinned evenly.
Places places_of(const Anatomy& a, std::size_t most)
{
    const auto& n = a.tissue.size();
    const auto all = static_cast<std::size_t>(std::count(a.body.values().begin(), a.body.values().end(), 1));
    const std::size_t every = std::max<std::size_t>(1, all / most);
    Places out;
    std::size_t seen = 0;
    for (int k = 0; k < n.slices; ++k) {
        for (int j = 0; j < n.rows; ++j) {
            for (int i = 0; i < n.columns; ++i) {
                const auto at = a.body.offset(i, j, k);
                if (!a.body[at] || seen++ % every != 0 || a.weight[at] < 0.5F) continue;
                out.at.push_back(a.grid.centre(i, j, k));
                out.middle = out.middle + out.at.back();
                out.tissue.push_back(a.tissue[at]);
            }
        }
    }
    if (!out.tissue.empty()) out.middle = (1 / static_cast<double>(out.tissue.size())) * out.middle;
    return out;
}

/// Tissue between the cells around; negative outside the scan.
float tissue_at(const Anatomy& a, PatientPoint p)
{
    const auto at = (1 / a.grid.cell_mm) * (p - a.grid.origin);
    const double i = std::floor(at.x), j = std::floor(at.y), k = std::floor(at.z);
    const auto& n = a.tissue.size();
    if (i < 0 || j < 0 || k < 0 || i + 1 >= n.columns || j + 1 >= n.rows || k + 1 >= n.slices) return -1;
    const auto offset = a.tissue.offset(static_cast<int>(i), static_cast<int>(j), static_cast<int>(k));
    if (a.weight[offset] < 0.5F || a.weight[offset + n.plane()] < 0.5F) return -1;
    return linear(a.tissue.data() + offset, n, static_cast<float>(at.x - i), static_cast<float>(at.y - j), static_cast<float>(at.z - k));
}

struct Motion {
    Triple shift{};   ///< mm
    Triple turn{};    ///< radians

    friend bool operator==(const Motion&, const Motion&) = default;
};

struct Fit {
    Motion motion;
    double correlation = -1;
    double covered = 0;
};

Rigid rigid_of(const Motion& m, PatientPoint middle) { return {rotation(m.turn), middle, middle + PatientPoint{m.shift[0], m.shift[1], m.shift[2]}}; }

Fit fit_of(const Anatomy& moving, const Places& places, const Motion& motion)
{
    const auto rigid = rigid_of(motion, places.middle);
    double n = 0, sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;
    for (std::size_t i = 0; i < places.tissue.size(); ++i) {
        const double a = tissue_at(moving, rigid(places.at[i]));
        if (a < 0) continue;
        const double b = places.tissue[i];
        n += 1, sum_a += a, sum_b += b, aa += a * a, bb += b * b, ab += a * b;
    }
    Fit out{motion, -1, n / static_cast<double>(places.tissue.size())};
    if (n < 2) return out;
    const double va = aa - sum_a * sum_a / n;
    const double vb = bb - sum_b * sum_b / n;
    out.correlation = va > 0 && vb > 0 ? (ab - sum_a * sum_b / n) / std::sqrt(va * vb) : 0;
    return out;
}

/// The best fit near `start`: one parameter after the other, with steps that halve.
Fit climbed(const Anatomy& moving, const Places& places, const Motion& start, double step_mm, double finest_mm, double least_covered)
{
    constexpr double arm_mm = 150;  // a turn by step / arm moves the middle of the body's rim as far as a shift by step
    constexpr int most_rounds = 12;
    auto best = fit_of(moving, places, start);
    for (double step = step_mm; step >= finest_mm; step /= 2) {
        for (int round = 0; round < most_rounds; ++round) {
            const Motion before = best.motion;
            for (int parameter = 0; parameter < 6; ++parameter) {
                for (const double sign : {1.0, -1.0}) {
                    auto motion = best.motion;
                    if (parameter < 3) motion.shift[static_cast<std::size_t>(parameter)] += sign * step;
                    else motion.turn[static_cast<std::size_t>(parameter - 3)] += sign * step / arm_mm;
                    const auto now = fit_of(moving, places, motion);
                    if (now.covered < least_covered || now.correlation <= best.correlation) continue;
                    best = now;
                    break;
                }
            }
            if (best.motion == before) break;
        }
    }
    return best;
}

double apart(const Motion& a, const Motion& b) { return std::hypot(a.shift[0] - b.shift[0], a.shift[1] - b.shift[1], a.shift[2] - b.shift[2]); }

double body_mm3(const Anatomy& a) { return a.grid.cell_mm * a.grid.cell_mm * a.grid.cell_mm * static_cast<double>(std::count(a.body.values().begin(), a.body.values().end(), 1)); }

}  // namespace

RigidFit rigid_fit(const Anatomy& fixed, const Anatomy& moving, int threads)
{
    RigidFit out;
    const auto few = places_of(fixed, kSearchPlaces);
    const auto there = places_of(moving, kSearchPlaces);
    if (few.tissue.empty() || there.tissue.empty()) return out;
    const double least = kLeastCovered * std::min(1.0, body_mm3(moving) / body_mm3(fixed));
    const auto middles = there.middle - few.middle;
    const double reach_mm = 0.5 * (fixed.grid.cell_mm * fixed.tissue.size().slices + moving.grid.cell_mm * moving.tissue.size().slices);
    const int levels = static_cast<int>(reach_mm / kStep_mm);
    std::vector<std::vector<Fit>> found(static_cast<std::size_t>(2 * levels + 1));
    parallel_for(static_cast<int>(found.size()), threads, [&](int level) {
        for (int y = -kSideways; y <= kSideways; ++y) {
            for (int x = -kSideways; x <= kSideways; ++x) {
                const Motion motion{{middles.x + kStep_mm * x, middles.y + kStep_mm * y, middles.z + kStep_mm * (level - levels)}, {}};
                const auto fit = fit_of(moving, few, motion);
                if (fit.covered >= least) found[static_cast<std::size_t>(level)].push_back(fit);
            }
        }
    });
    std::vector<Fit> starts;
    for (const auto& level : found) starts.insert(starts.end(), level.begin(), level.end());
    std::stable_sort(starts.begin(), starts.end(), [](const auto& a, const auto& b) { return a.correlation > b.correlation; });
    std::vector<Fit> kept;
    for (const auto& start : starts) {
        if (kept.size() == kStarts) break;
        if (std::all_of(kept.begin(), kept.end(), [&](const auto& k) { return apart(k.motion, start.motion) >= kApart_mm; })) kept.push_back(start);
    }
    if (kept.empty()) return out;
    parallel_for(static_cast<int>(kept.size()), threads, [&](int i) {
        auto& fit = kept[static_cast<std::size_t>(i)];
        fit = climbed(moving, few, fit.motion, 8, 2, least);
    });
    std::stable_sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.correlation > b.correlation; });
    auto many = places_of(fixed, kPlaces);
    many.middle = few.middle;
    const auto best = climbed(moving, many, kept.front().motion, 4, 0.2, least);
    out.motion = rigid_of(best.motion, few.middle);
    out.correlation = best.correlation;
    return out;
}

}  // namespace retromass::segmentation
