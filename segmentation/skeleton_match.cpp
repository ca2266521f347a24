#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <tuple>

#include "core/parallel.h"
#include "core/units.h"
#include "segmentation/linear.h"
#include "segmentation/segment.h"
#include "segmentation/upright.h"

namespace retromass::segmentation {
namespace {

using Bone = Grid<std::uint8_t>;
using Triple = std::array<double, 3>;

// The search, in whole cells of a grid three times as coarse.
constexpr int kCoarser = 3;
constexpr double kReach_mm = 80;           ///< sideways and front to back, from the middles of the bones laid on each other
constexpr double kApart_mm = 24;           ///< two starts; less than a vertebra, so that its neighbours are starts too
constexpr std::size_t kStarts = 8;
constexpr double kLeastCommon = 0.25;      ///< of the bone of the scan with less of it
constexpr std::uint8_t kCoarseBone = 20;   ///< 140 HU over 9 mm

// The places compared: bone, and one or two cells around it.
constexpr std::uint8_t kBoneCell = 60;     ///< 218 HU over 3 mm
constexpr std::size_t kMostPlaces = 6000;
constexpr std::size_t kFewestPlaces = 500;
constexpr double kElsewhere_mm = 15;       ///< this far away it is another place

// Pieces of 48 mm, about a vertebra with its neighbours' end plates.
constexpr int kPiece = 16;
constexpr std::size_t kBoneInPiece = 250;  ///< 7 ml
constexpr std::size_t kPiecePlaces = 1500;
constexpr double kPieceCovered = 0.95;     ///< of its places inside the other scan
constexpr double kPieceSlack = 0.80;       ///< ... still after its own motion
constexpr int kPieceReach = 4;             ///< 12 mm: a spine bends
constexpr double kPieceFits = 0.80;

// The verdict (measured in docs/stages/segmentation.md).
constexpr int kLeastPieces = 10;
constexpr double kSameRigid = 0.60;
constexpr double kSameAhead = 0.12;        ///< of any other place: shafts of long bones fit everywhere
constexpr double kSameFitting = 0.60;
constexpr double kSameTurn_deg = 20;
constexpr double kOtherStretched = 0.60;
constexpr double kOtherGain = 0.15;        ///< what other sizes must gain over the rigid motion
constexpr double kOtherSize = 0.03;
constexpr double kOtherCovered = 0.60;

/// Turned about the middle of the places, resized, then shifted.
struct Motion {
    Triple shift{};         ///< cells
    Triple turn{};          ///< about x, y, z, radians
    Triple size{1, 1, 1};

    friend bool operator==(const Motion&, const Motion&) = default;
};

/// Cells of one scan that are looked up in the other.
struct Places {
    Triple middle{};
    std::vector<std::array<float, 3>> from_middle;
    std::vector<float> bone;
    std::size_t size() const { return bone.size(); }
};

bool is_bone(std::uint8_t cell) { return cell != Skeleton::unknown && cell >= kBoneCell; }

/// Bone and its neighbours up to `margin` cells away in a box, thinned evenly to about `most`.
Places places_of(const Bone& grid, Index low, Dimensions box, int margin, std::size_t most)
{
    Mask near(box);
    Places out;
    double count = 0;
    for (int k = 0; k < box.slices; ++k) {
        for (int j = 0; j < box.rows; ++j) {
            for (int i = 0; i < box.columns; ++i) {
                if (!is_bone(grid.at(low.column + i, low.row + j, low.slice + k))) continue;
                count += 1;
                out.middle[0] += low.column + i;
                out.middle[1] += low.row + j;
                out.middle[2] += low.slice + k;
                for (int z = std::max(0, k - margin); z <= std::min(box.slices - 1, k + margin); ++z) {
                    for (int y = std::max(0, j - margin); y <= std::min(box.rows - 1, j + margin); ++y) {
                        for (int x = std::max(0, i - margin); x <= std::min(box.columns - 1, i + margin); ++x) near.at(x, y, z) = 1;
                    }
                }
            }
        }
    }
    if (count == 0) return out;
    for (auto& value : out.middle) value /= count;
    const auto all = static_cast<std::size_t>(std::count(near.values().begin(), near.values().end(), 1));
    const std::size_t every = std::max<std::size_t>(1, all / most);
    std::size_t seen = 0;
    for (int k = 0; k < box.slices; ++k) {
        for (int j = 0; j < box.rows; ++j) {
            for (int i = 0; i < box.columns; ++i) {
                const auto cell = grid.at(low.column + i, low.row + j, low.slice + k);
                if (!near.at(i, j, k) || cell == Skeleton::unknown || seen++ % every != 0) continue;
                out.from_middle.push_back({static_cast<float>(low.column + i - out.middle[0]), static_cast<float>(low.row + j - out.middle[1]), static_cast<float>(low.slice + k - out.middle[2])});
                out.bone.push_back(cell);
            }
        }
    }
    return out;
}

/// Between the eight cells around; negative outside the scan.
float bone_at(const Bone& grid, float x, float y, float z)
{
    const auto& n = grid.size();
    const float i = std::floor(x), j = std::floor(y), k = std::floor(z);
    if (i < 0 || j < 0 || k < 0 || i + 1 >= static_cast<float>(n.columns) || j + 1 >= static_cast<float>(n.rows) || k + 1 >= static_cast<float>(n.slices)) return -1;
    const auto* const v = grid.data() + grid.offset(static_cast<int>(i), static_cast<int>(j), static_cast<int>(k));
    const auto row = static_cast<std::size_t>(n.columns);
    for (const auto* const p : {v, v + row, v + n.plane(), v + n.plane() + row}) {
        if (p[0] == Skeleton::unknown || p[1] == Skeleton::unknown) return -1;
    }
    return linear(v, n, x - i, y - j, z - k);
}

struct Fit {
    Motion motion;
    double correlation = -1;
    double covered = 0;  ///< part of the places inside the other scan
};

/// Pearson's correlation of bone with bone at the places, moved.
Fit fit_of(const Bone& fixed, const Places& places, const Motion& motion)
{
    auto r = rotation(motion.turn);
    Triple to{};
    for (std::size_t a = 0; a < 3; ++a) {
        to[a] = places.middle[a] + motion.shift[a];
        for (std::size_t b = 0; b < 3; ++b) r[a][b] *= motion.size[b];
    }
    double n = 0, sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto& p = places.from_middle[i];
        const auto moved = [&](std::size_t axis) { return static_cast<float>(to[axis] + r[axis][0] * p[0] + r[axis][1] * p[1] + r[axis][2] * p[2]); };
        const double a = bone_at(fixed, moved(0), moved(1), moved(2));
        if (a < 0) continue;
        const double b = places.bone[i];
        n += 1;
        sum_a += a;
        sum_b += b;
        aa += a * a;
        bb += b * b;
        ab += a * b;
    }
    Fit out{motion, -1, n / static_cast<double>(places.size())};
    if (n < 2) return out;
    const double va = aa - sum_a * sum_a / n;
    const double vb = bb - sum_b * sum_b / n;
    out.correlation = va > 0 && vb > 0 ? (ab - sum_a * sum_b / n) / std::sqrt(va * vb) : 0;
    return out;
}

struct Climb {
    double step_cells = 1;
    double step = 0.06;          ///< radians, and part of the size
    double finest = 0.2;         ///< of the steps
    double least_covered = 0.25;
    bool resizes = false;
};

/// The best fit near `start`: one parameter after the other, with steps that halve.
Fit climbed(const Bone& fixed, const Places& places, const Motion& start, const Climb& climb)
{
    constexpr int most_rounds = 12;
    auto best = fit_of(fixed, places, start);
    for (double scale = 1; scale > climb.finest; scale /= 2) {
        for (int round = 0; round < most_rounds; ++round) {
            const Motion before = best.motion;
            for (int parameter = 0; parameter < (climb.resizes ? 9 : 6); ++parameter) {
                for (const double direction : {scale, -scale}) {
                    auto motion = best.motion;
                    auto& of = parameter < 3 ? motion.shift : parameter < 6 ? motion.turn : motion.size;
                    of[static_cast<std::size_t>(parameter % 3)] += direction * (parameter < 3 ? climb.step_cells : climb.step);
                    const auto now = fit_of(fixed, places, motion);
                    if (now.covered < climb.least_covered || now.correlation <= best.correlation) continue;
                    best = now;
                    break;
                }
            }
            if (best.motion == before) break;
        }
    }
    return best;
}

Bone coarse(const Bone& in)
{
    const auto& n = in.size();
    const auto cells = [](int count) { return (count + kCoarser - 1) / kCoarser; };
    Bone out({cells(n.columns), cells(n.rows), cells(n.slices)}, Skeleton::unknown);
    for (int k = 0; k < out.size().slices; ++k) {
        for (int j = 0; j < out.size().rows; ++j) {
            for (int i = 0; i < out.size().columns; ++i) {
                int sum = 0;
                int known = 0;
                for (int z = k * kCoarser; z < std::min((k + 1) * kCoarser, n.slices); ++z) {
                    for (int y = j * kCoarser; y < std::min((j + 1) * kCoarser, n.rows); ++y) {
                        for (int x = i * kCoarser; x < std::min((i + 1) * kCoarser, n.columns); ++x) {
                            const int cell = in.at(x, y, z);
                            if (cell == Skeleton::unknown) continue;
                            sum += cell;
                            ++known;
                        }
                    }
                }
                if (2 * known >= kCoarser * kCoarser * kCoarser) out.at(i, j, k) = static_cast<std::uint8_t>(sum / known);
            }
        }
    }
    return out;
}

/// Sums of squared bone over any box of cells, in a time that does not depend on its size.
class Squares {
public:
    explicit Squares(const Bone& grid) : n_(grid.size()), sums_({n_.columns + 1, n_.rows + 1, n_.slices + 1})
    {
        for (int k = 1; k <= n_.slices; ++k) {
            for (int j = 1; j <= n_.rows; ++j) {
                double row = 0;
                for (int i = 1; i <= n_.columns; ++i) {
                    const double cell = grid.at(i - 1, j - 1, k - 1) == Skeleton::unknown ? 0 : grid.at(i - 1, j - 1, k - 1);
                    row += cell * cell;
                    sums_.at(i, j, k) = row + sums_.at(i, j - 1, k) + sums_.at(i, j, k - 1) - sums_.at(i, j - 1, k - 1);
                }
            }
        }
    }
    double over(Index low, Dimensions box) const
    {
        const auto clip = [](int from, int size, int most) { return std::array{std::clamp(from, 0, most), std::clamp(from + size, 0, most)}; };
        const auto x = clip(low.column, box.columns, n_.columns);
        const auto y = clip(low.row, box.rows, n_.rows);
        const auto z = clip(low.slice, box.slices, n_.slices);
        const auto below = [&](int k) { return sums_.at(x[1], y[1], k) - sums_.at(x[0], y[1], k) - sums_.at(x[1], y[0], k) + sums_.at(x[0], y[0], k); };
        return below(z[1]) - below(z[0]);
    }

private:
    Dimensions n_;
    Grid<double> sums_;
};

struct Cell {
    int at[3];
    double bone;
};

std::vector<Cell> bones_of(const Bone& grid)
{
    std::vector<Cell> out;
    const auto& n = grid.size();
    for (int k = 0; k < n.slices; ++k) {
        for (int j = 0; j < n.rows; ++j) {
            for (int i = 0; i < n.columns; ++i) {
                const auto cell = grid.at(i, j, k);
                if (cell != Skeleton::unknown && cell >= kCoarseBone) out.push_back({{i, j, k}, static_cast<double>(cell)});
            }
        }
    }
    return out;
}

int middle_of(const std::vector<Cell>& cells, int axis)
{
    std::vector<int> places;
    for (const auto& cell : cells) places.push_back(cell.at[axis]);
    const auto middle = places.begin() + static_cast<std::ptrdiff_t>(places.size() / 2);
    std::nth_element(places.begin(), middle, places.end());
    return *middle;
}

/// Shifts, in whole coarse cells, that lay most bone on bone (Dice's coefficient over what both scans show), best first.
std::vector<Motion> starts_of(const Bone& fixed, const Bone& moving, int threads)
{
    constexpr double cell_mm = kCoarser * Skeleton::cell_mm;
    const int reach = static_cast<int>(std::ceil(kReach_mm / cell_mm));
    const auto there = bones_of(fixed);
    const auto cells = bones_of(moving);
    if (there.empty() || cells.empty()) return {};
    const int dx = middle_of(there, 0) - middle_of(cells, 0);
    const int dy = middle_of(there, 1) - middle_of(cells, 1);
    const Squares squares(fixed);
    const auto& n = fixed.size();
    const auto& m = moving.size();
    const double least = kLeastCommon * std::min(squares.over({}, n), Squares(moving).over({}, m));
    struct Start {
        double dice;
        std::array<int, 3> shift;
    };
    std::vector<std::vector<Start>> found(static_cast<std::size_t>(n.slices + m.slices));
    parallel_for(static_cast<int>(found.size()), threads, [&](int plane) {
        const int sz = plane - m.slices;
        for (int sy = dy - reach; sy <= dy + reach; ++sy) {
            for (int sx = dx - reach; sx <= dx + reach; ++sx) {
                const double aa = squares.over({sx, sy, sz}, m);
                if (aa < least) continue;
                double ab = 0, bb = 0;
                for (const auto& cell : cells) {
                    const int i = cell.at[0] + sx, j = cell.at[1] + sy, k = cell.at[2] + sz;
                    if (!n.contains(i, j, k)) continue;
                    const auto other = fixed.at(i, j, k);
                    if (other == Skeleton::unknown) continue;
                    ab += cell.bone * other;
                    bb += cell.bone * cell.bone;
                }
                if (bb >= least) found[static_cast<std::size_t>(plane)].push_back({2 * ab / (aa + bb), {sx, sy, sz}});
            }
        }
    });
    std::vector<Start> all;
    for (const auto& plane : found) all.insert(all.end(), plane.begin(), plane.end());
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.dice != b.dice ? a.dice > b.dice : a.shift < b.shift; });
    std::vector<Start> kept;
    for (const auto& start : all) {
        if (kept.size() == kStarts) break;
        const bool apart = std::all_of(kept.begin(), kept.end(), [&](const auto& k) {
            return std::hypot(k.shift[0] - start.shift[0], k.shift[1] - start.shift[1], k.shift[2] - start.shift[2]) * cell_mm >= kApart_mm;
        });
        if (apart) kept.push_back(start);
    }
    std::vector<Motion> out;
    for (const auto& start : kept) {
        Motion motion;
        for (std::size_t a = 0; a < 3; ++a) motion.shift[a] = start.shift[a] * kCoarser;
        out.push_back(motion);
    }
    return out;
}

/// Fits from several starts, best first.
std::vector<Fit> fits_of(const Bone& fixed, const Places& places, const std::vector<Motion>& starts, const Climb& climb, int threads)
{
    std::vector<Fit> out(starts.size());
    parallel_for(static_cast<int>(starts.size()), threads, [&](int i) { out[static_cast<std::size_t>(i)] = climbed(fixed, places, starts[static_cast<std::size_t>(i)], climb); });
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.correlation > b.correlation; });
    return out;
}

/// The best of them that ended at another place.
double elsewhere(const std::vector<Fit>& fits, const Motion& best)
{
    for (const auto& fit : fits) {
        const auto& s = fit.motion.shift;
        if (std::hypot(s[0] - best.shift[0], s[1] - best.shift[1], s[2] - best.shift[2]) * Skeleton::cell_mm > kElsewhere_mm) return fit.correlation;
    }
    return 0;
}

/// How well one piece of bone fits by itself, starting where the motion of the whole puts it; empty where it leaves the other scan.
std::optional<double> piece_fit(const Bone& fixed, const Places& piece, const Motion& whole, const Triple& middle)
{
    Motion start = whole;
    const auto r = rotation(whole.turn);
    for (std::size_t a = 0; a < 3; ++a) {
        start.shift[a] += middle[a] - piece.middle[a];
        for (std::size_t b = 0; b < 3; ++b) start.shift[a] += r[a][b] * (piece.middle[b] - middle[b]);
    }
    auto best = fit_of(fixed, piece, start);
    if (best.covered < kPieceCovered) return std::nullopt;
    constexpr int step = 2;
    for (int z = -kPieceReach; z <= kPieceReach; z += step) {
        for (int y = -kPieceReach; y <= kPieceReach; y += step) {
            for (int x = -kPieceReach; x <= kPieceReach; x += step) {
                auto motion = start;
                motion.shift[0] += x;
                motion.shift[1] += y;
                motion.shift[2] += z;
                const auto now = fit_of(fixed, piece, motion);
                if (now.covered >= kPieceSlack && now.correlation > best.correlation) best = now;
            }
        }
    }
    return climbed(fixed, piece, best.motion, {.step_cells = 1, .step = 0.08, .finest = 0.1, .least_covered = kPieceSlack}).correlation;
}

/// Part of the pieces that fit, and their number.
std::pair<double, int> pieces_of(const Bone& fixed, const Bone& moving, const Motion& whole, const Triple& middle, int threads)
{
    const auto& n = moving.size();
    const Dimensions count{n.columns / kPiece, n.rows / kPiece, n.slices / kPiece};
    std::vector<std::optional<double>> fits(count.voxels());
    parallel_for(static_cast<int>(fits.size()), threads, [&](int p) {
        const Index low{p % count.columns * kPiece, p / count.columns % count.rows * kPiece, p / (count.columns * count.rows) * kPiece};
        std::size_t bone = 0;
        for (int k = 0; k < kPiece; ++k) {
            for (int j = 0; j < kPiece; ++j) {
                const auto* const row = moving.data() + moving.offset(low.column, low.row + j, low.slice + k);
                bone += static_cast<std::size_t>(std::count_if(row, row + kPiece, is_bone));
            }
        }
        if (bone >= kBoneInPiece) fits[static_cast<std::size_t>(p)] = piece_fit(fixed, places_of(moving, low, {kPiece, kPiece, kPiece}, 2, kPiecePlaces), whole, middle);
    });
    int pieces = 0;
    int fitting = 0;
    for (const auto& fit : fits) {
        if (!fit) continue;
        ++pieces;
        fitting += *fit >= kPieceFits;
    }
    return {pieces > 0 ? static_cast<double>(fitting) / pieces : 0, pieces};
}

double largest_turn_deg(const Motion& motion)
{
    double out = 0;
    for (const double turn : motion.turn) out = std::max(out, std::abs(turn) * 180 / std::numbers::pi);
    return out;
}

/// How much farther than the moving scan, moved, the fixed one reaches towards the feet and towards the head, along the line through the middle of the moving bones.
std::array<double, 2> beyond_mm(const Bone& fixed, const Bone& moving, const Motion& motion, const Triple& middle)
{
    const double along = rotation(motion.turn)[2][2];
    const auto moved = [&](double slice) { return middle[2] + motion.shift[2] + along * (slice - middle[2]); };
    const double feet = moved(-0.5) + 0.5;
    const double head = fixed.size().slices - 0.5 - moved(moving.size().slices - 0.5);
    return {feet * Skeleton::cell_mm, head * Skeleton::cell_mm};
}

}  // namespace

SkeletonMatch match(const Skeleton& a, const Skeleton& b, int threads)
{
    const bool swapped = a.bone.size().slices < b.bone.size().slices;
    const auto& fixed = swapped ? b.bone : a.bone;
    const auto& moving = swapped ? a.bone : b.bone;
    SkeletonMatch out;
    const auto places = places_of(moving, {}, moving.size(), 1, kMostPlaces);
    const auto starts = places.size() < kFewestPlaces ? std::vector<Motion>() : starts_of(coarse(fixed), coarse(moving), threads);
    if (starts.empty()) {
        out.text = "the scans show too little bone in common";
        return out;
    }
    const auto fits = fits_of(fixed, places, starts, {.step_cells = 3}, threads);
    const auto best = climbed(fixed, places, fits.front().motion, {.step_cells = 0.5, .step = 0.01});
    out.rigid = best.correlation;
    out.elsewhere = elsewhere(fits, best.motion);
    std::tie(out.fitting, out.pieces) = pieces_of(fixed, moving, best.motion, places.middle, threads);
    out.text = "the bones correlate by " + retromass::fixed(out.rigid, 2) + ", at any other place by " + retromass::fixed(out.elsewhere, 2) + "; " +
               std::to_string(std::lround(out.fitting * out.pieces)) + " of " + std::to_string(out.pieces) + " pieces of bone fit";
    if (out.pieces < kLeastPieces) return out;
    if (out.rigid >= kSameRigid && out.rigid - out.elsewhere >= kSameAhead && out.fitting >= kSameFitting && largest_turn_deg(best.motion) <= kSameTurn_deg) {
        out.verdict = SkeletonMatch::Verdict::same;
        out.beyond_mm = beyond_mm(fixed, moving, best.motion, places.middle);
        for (auto& mm : out.beyond_mm) mm = swapped ? -mm : mm;
        return out;
    }
    // Bones of the same part of another body fit once they may grow or shrink; bones of another part do not even then.
    std::vector<Motion> from;
    for (const auto& fit : fits) from.push_back(fit.motion);
    const auto resized = fits_of(fixed, places, from, {.step_cells = 3, .finest = 0.1, .resizes = true}, threads);
    out.stretched = resized.front().correlation;
    out.size = resized.front().motion.size;
    const double change = std::max({std::abs(out.size[0] - 1), std::abs(out.size[1] - 1), std::abs(out.size[2] - 1)});
    const double ahead = out.stretched - std::max(out.rigid, elsewhere(resized, resized.front().motion));
    if (out.stretched >= kOtherStretched && ahead >= kOtherGain && change >= kOtherSize && resized.front().covered >= kOtherCovered) {
        out.verdict = SkeletonMatch::Verdict::different;
        out.text += "; with other sizes (x " + retromass::fixed(out.size[0], 2) + ", y " + retromass::fixed(out.size[1], 2) + ", z " + retromass::fixed(out.size[2], 2) + " times) they would correlate by " + retromass::fixed(out.stretched, 2);
    }
    return out;
}

}  // namespace retromass::segmentation
