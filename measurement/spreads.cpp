#include <algorithm>
#include <cmath>

#include "measurement/uncertainty.h"

namespace retromass::measurement {
namespace {

constexpr double kEdge = 0.41;        // of a pixel: two ends, each anywhere within one (sqrt(2 / 12))
constexpr double kCellsAlike = 27;    // neighbouring cells whose noise is one: 3 cells each way
constexpr double kLeastHu = 0.5;      // HU are whole numbers

using Values = std::array<double, kUncertain.size()>;

Values values_of(const LesionMeasurements& m)
{
    return {m.long_axis.exact_mm, m.short_axis.exact_mm, m.craniocaudal.exact_mm, m.volume_ml, m.hu ? m.hu->mean : 0};
}

/// How far `to` lies from `from` on the scale the quantity varies on.
double apart(std::size_t quantity, double from, double to) { return quantity == kUncertainHu ? to - from : std::log(to / from); }

/// The cells just outside a mask, two deep.
double mean_around(const Mask& mask, const Grid<std::int16_t>& hu)
{
    const auto n = mask.size();
    Mask near = mask;
    for (int pass = 0; pass < 2; ++pass) {
        const Mask from = near;
        for (int k = 0; k < n.slices; ++k) {
            for (int r = 0; r < n.rows; ++r) {
                for (int c = 0; c < n.columns; ++c) {
                    const auto set = [&](int dc, int dr, int dk) { return n.contains(c + dc, r + dr, k + dk) && from.at(c + dc, r + dr, k + dk); };
                    if (set(-1, 0, 0) || set(1, 0, 0) || set(0, -1, 0) || set(0, 1, 0) || set(0, 0, -1) || set(0, 0, 1)) near.at(c, r, k) = 1;
                }
            }
        }
    }
    double sum = 0;
    double count = 0;
    for (std::size_t i = 0; i < near.values().size(); ++i) {
        if (near[i] && !mask[i]) sum += hu[i], ++count;
    }
    return count > 0 ? sum / count : 0;
}

}  // namespace

double thickest_slab_mm(const LesionMeasurements& measured, const VolumeGeometry& ct)
{
    const auto slice = [&](PatientPoint end) { return std::clamp(static_cast<int>(std::lround(ct.to_index(end).slice)), 0, ct.size().slices - 1); };
    const int a = slice(measured.craniocaudal.a);
    const int b = slice(measured.craniocaudal.b);
    double thickest = 0;
    for (int k = std::min(a, b); k <= std::max(a, b); ++k) thickest = std::max(thickest, ct.slab_mm(k));
    return thickest;
}

double Spread::total() const { return std::sqrt(prompt * prompt + boundary * boundary + grid * grid + acquisition * acquisition); }

Result<Spreads> spreads_of(const LesionMeasurements& measured, const VolumeGeometry& ct, const MaskVariants& variants)
{
    MeasureParameters settings;
    settings.recorded_precision_mm = 0.1;
    const auto values = [&](const Mask& mask) -> Result<Values> {
        RETROMASS_TRY_ASSIGN(const auto m, measure(mask, variants.geometry, &variants.hu, settings));
        return values_of(m);
    };
    RETROMASS_TRY_ASSIGN(const auto base, values(variants.base));
    RETROMASS_TRY_ASSIGN(const auto grown, values(variants.grown));
    // What shrinks to nothing is as unsure below as it is above.
    const auto smaller = values(variants.shrunk);
    std::vector<Values> repeats;
    for (const auto& mask : variants.repeats) {
        if (auto repeat = values(mask)) repeats.push_back(*repeat);
    }
    if (2 * repeats.size() < variants.repeats.size() || repeats.size() < 2) return Error{Code::empty_mask, "most prompts another hand would have drawn find no lesion", "measurement"};

    const double pixel = std::sqrt(ct.column_spacing_mm() * ct.row_spacing_mm());
    const double slab = thickest_slab_mm(measured, ct);
    const Values now = values_of(measured);
    const double noise_hu = measured.hu ? measured.hu->sd : 0;
    const double contrast = measured.hu ? std::abs(base[kUncertainHu] - mean_around(variants.base, variants.hu)) : 0;
    const double unclear = contrast > 0 ? std::min(1.0, noise_hu / contrast) : 1;
    const double cell = std::sqrt(variants.geometry.column_spacing_mm() * variants.geometry.row_spacing_mm());
    double cells = 0;
    for (const auto v : variants.base.values()) cells += v != 0;

    Spreads out;
    for (std::size_t q = 0; q < out.size(); ++q) {
        double squares = 0;
        for (const auto& repeat : repeats) squares += apart(q, base[q], repeat[q]) * apart(q, base[q], repeat[q]);
        out[q].prompt = std::sqrt(squares / static_cast<double>(repeats.size()));
        out[q].boundary = smaller ? std::abs(apart(q, (*smaller)[q], grown[q])) / 2 : std::abs(apart(q, base[q], grown[q]));
    }
    const double edges[3] = {kEdge * pixel / now[0], kEdge * pixel / now[1], kEdge * slab / now[2]};
    const double blurred[3] = {kEdge * cell * unclear / now[0], kEdge * cell * unclear / now[1], kEdge * cell * unclear / now[2]};
    for (std::size_t q = 0; q < 3; ++q) {
        out[q].grid = edges[q];
        out[q].acquisition = blurred[q];
    }
    out[3].grid = std::hypot(edges[0], edges[1], edges[2]) / 2;            // a surface averages what an axis' two ends cannot
    out[3].acquisition = std::hypot(blurred[0], blurred[1], blurred[2]) / 2;
    out[4].grid = kLeastHu;
    out[4].acquisition = noise_hu / std::sqrt(std::max(1.0, cells / kCellsAlike));
    return out;
}

}  // namespace retromass::measurement
