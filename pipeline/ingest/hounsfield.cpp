#include "pipeline/ingest/hounsfield.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "core/units.h"
#include "core/volume.h"

namespace retromass::ingest {
namespace {

constexpr double kLeastSpan_hu = 200;           // fat to muscle; stored values that reach less far hold no CT
constexpr double kWholeSpan_hu = 1000;          // air to water
constexpr int kSampleSide = 32;                 // a thousand pixels a slice
constexpr std::size_t kImagesSampled = 5;       // where the header does not say what the values are
constexpr int kTissueLow_hu = -200;             // fat and lung's edge ...
constexpr int kTissueHigh_hu = 300;             // ... to enhanced vessels
constexpr int kDense_hu = 500;                  // bone, contrast, metal
constexpr int kBelowAir_hu = -1100;             // air with its noise
constexpr double kLeastTissue = 0.02;
constexpr double kMostDense = 0.5;
constexpr double kMostDenseWithoutAir = 0.15;   // no air, no fat: the inside of a body, of which bone is a small part
constexpr double kLeastAir = 0.001;
constexpr double kMostBelowAir = 0.05;
// An image between two others differs from both by no more than they from each other: 1.02 times at most in the 30 real series at hand,
// breathing and metal included.
constexpr double kSticksOut = 1.5;
constexpr double kSticksOut_hu = 10;            // below the noise of CT nothing sticks out
constexpr std::size_t kOneRescale = 10;         // of so many slices one may have another rescale and the series still have one
constexpr double kNoise_hu = 2;                 // two images of a scan differ by their noise at least
constexpr double kOffset_hu = 10;               // of the median: noise has none

std::string share(double part) { return fixed(100 * part, 0) + " %"; }

std::string upper(std::string text)
{
    for (auto& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
}

/// Lowest and highest HU that padding stands for.
std::pair<double, double> padding_hu(const StoredPixels& stored)
{
    const double a = *stored.padding * stored.slope + stored.intercept;
    const double b = stored.padding_limit.value_or(*stored.padding) * stored.slope + stored.intercept;
    return std::minmax(a, b);
}

/// What some of the images hold, taken as HU.
std::vector<std::int16_t> sample_of(const Images& images, SliceDecoder& decoder)
{
    std::vector<std::int16_t> out;
    const auto count = std::min(images.size(), kImagesSampled);
    for (std::size_t i = 0; i < count; ++i) {
        const auto& h = *images[(2 * i + 1) * images.size() / (2 * count)];
        std::vector<std::int16_t> hu(static_cast<std::size_t>(h.rows) * static_cast<std::size_t>(h.columns));
        if (!decoder.decode(h.source, h.columns, h.rows, hu)) continue;  // loading it will say why
        const auto some = sampled(hu, h.columns, h.rows);
        out.insert(out.end(), some.begin(), some.end());
    }
    return out;
}

/// The mean distance of two samples, padding left out.
double mean_distance(const std::vector<std::int16_t>& a, const std::vector<std::int16_t>& b)
{
    std::int64_t sum = 0;
    std::int64_t count = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const bool both = (a[i] != kPaddingHu) & (b[i] != kPaddingHu);
        sum += both ? std::abs(a[i] - b[i]) : 0;
        count += both;
    }
    return count ? static_cast<double>(sum) / static_cast<double>(count) : 0;
}

double median(std::vector<double> values)
{
    const auto half = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), half, values.end());
    return *half;
}

/// By how much the middle sample lies above the mean of its neighbours at half of its places.
double median_offset(const std::vector<std::int16_t>& before, const std::vector<std::int16_t>& middle, const std::vector<std::int16_t>& after)
{
    std::vector<double> all;
    for (std::size_t i = 0; i < middle.size(); ++i) {
        if (before[i] == kPaddingHu || middle[i] == kPaddingHu || after[i] == kPaddingHu) continue;
        all.push_back(middle[i] - (before[i] + after[i]) / 2.0);
    }
    return all.empty() ? 0 : median(std::move(all));
}

bool same_rescale(const StoredPixels& a, const StoredPixels& b) { return a.slope == b.slope && a.intercept == b.intercept && a.is_signed == b.is_signed; }

/// The rescale that nearly all slices have; nothing where many have one of their own.
const StoredPixels* common_rescale(const std::vector<SliceSource>& slices)
{
    const StoredPixels* out = nullptr;  // the one of more than half, if any is (Boyer and Moore's vote)
    std::size_t votes = 0;
    for (const auto& slice : slices) {
        if (votes == 0) out = &slice.stored;
        votes = same_rescale(slice.stored, *out) ? votes + 1 : votes - 1;
    }
    const auto others = static_cast<std::size_t>(std::count_if(slices.begin(), slices.end(), [&](const auto& s) { return !same_rescale(s.stored, *out); }));
    return others * kOneRescale <= slices.size() ? out : nullptr;
}

std::string listed(const std::vector<std::size_t>& slices)
{
    constexpr std::size_t shown = 8;
    std::string out;
    for (std::size_t i = 0; i < slices.size() && i < shown; ++i) out += (i ? ", " : "") + std::to_string(slices[i] + 1);
    return out + (slices.size() > shown ? " and " + std::to_string(slices.size() - shown) + " more" : "");
}

}  // namespace

std::vector<std::int16_t> sampled(std::span<const std::int16_t> plane, int columns, int rows)
{
    const auto step = [](int side) { return std::max(1, side / kSampleSide); };
    std::vector<std::int16_t> out;
    out.reserve(static_cast<std::size_t>(4) * kSampleSide * kSampleSide);
    for (int r = step(rows) / 2; r < rows; r += step(rows)) {
        for (int c = step(columns) / 2; c < columns; c += step(columns)) out.push_back(plane[static_cast<std::size_t>(r) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(c)]);
    }
    return out;
}

std::string implausible(std::span<const std::int16_t> hu)
{
    int least = 32767;
    for (const auto v : hu) {
        if (v != kPaddingHu) least = std::min<int>(least, v);
    }
    double all = 0;
    double tissue = 0;
    double dense = 0;
    double air = 0;
    double below = 0;
    for (const auto v : hu) {
        if (v == kPaddingHu || (v == least && v < kBelowAir_hu)) continue;  // the least value may be padding that no header states
        ++all;
        tissue += v >= kTissueLow_hu && v <= kTissueHigh_hu;
        dense += v > kDense_hu;
        air += v < kTissueLow_hu;
        below += v < kBelowAir_hu;
    }
    if (all == 0) return "there is nothing but padding";
    if (below > kMostBelowAir * all) return share(below / all) + " of the values lie below air";
    if (dense > kMostDense * all || (dense > kMostDenseWithoutAir * all && air < kLeastAir * all)) return share(dense / all) + " of the values are as dense as bone";
    if (tissue < kLeastTissue * all) return "hardly any value is one of soft tissue or fat";
    return {};
}

std::optional<std::string> not_hounsfield(const Images& images, const ScanParameters& parameters, SliceDecoder& decoder, std::vector<Notice>& notices)
{
    const bool accepted = accepts(parameters, Code::not_hu);
    const auto doubt = [&](const std::string& text) { notices.push_back({Code::not_hu, text}); };
    // Where some of the rescale is stated, the rest was lost.
    const bool none_stated = std::none_of(images.begin(), images.end(), [](const auto* h) { return h->rescale_begun; });
    bool missing = false;
    bool unspecified = false;
    bool padded_tissue = false;
    bool windowed = false;
    for (const auto* h : images) {
        const auto type = upper(h->rescale_type);
        const auto& stored = h->source.stored;
        if (!type.empty() && type != "HU" && type != "US") return "Rescale Type is " + h->rescale_type + ", not HU";
        if (h->modality_lut) return "a Modality LUT maps the stored values, not a slope and an intercept";
        if (!(stored.slope > 0) || !(std::abs(stored.intercept) < 1e6)) return "Rescale Slope " + fixed(stored.slope, 5) + " and Intercept " + fixed(stored.intercept, 0) + " give no HU";
        if (std::ldexp(stored.slope, stored.bits_stored) < kLeastSpan_hu) {
            return "Rescale Slope " + fixed(stored.slope, 5) + " lets " + std::to_string(stored.bits_stored) + " bits reach over no more than " + fixed(std::ldexp(stored.slope, stored.bits_stored), 0) + " HU";
        }
        if (std::ldexp(stored.slope, stored.bits_stored) < kWholeSpan_hu && !windowed) {
            windowed = true;
            doubt("the " + std::to_string(stored.bits_stored) + " stored bits reach over " + fixed(std::ldexp(stored.slope, stored.bits_stored), 0) + " HU: values beyond were cut off");
        }
        if (stored.padding && !padded_tissue) {
            const auto [low, high] = padding_hu(stored);
            if (high > kTissueLow_hu && low < kTissueHigh_hu) {
                padded_tissue = true;
                doubt("Pixel Padding Value stands for " + fixed(low, 0) + (low < high ? " to " + fixed(high, 0) : "") + " HU, which tissue has: its voxels are left out");
            }
        }
        unspecified = unspecified || type == "US";
        if (h->rescaled) continue;
        missing = true;
        // Signed values may be HU as they stand; unsigned ones cannot hold air.
        if (!(none_stated && stored.is_signed) && !accepted) {
            return std::string("Rescale Slope or Intercept is missing ") + (none_stated ? "and stored values are unsigned" : "in part of the series") + "; --accept not-hu takes 1 and 0 for what is missing";
        }
    }
    if (!missing && !unspecified) return std::nullopt;
    if (!accepted) {
        if (const auto why = implausible(sample_of(images, decoder)); !why.empty()) {
            return (missing ? "Rescale Slope and Intercept are missing" : std::string("Rescale Type is US, unspecified")) + ", and the stored values are no HU: " + why + "; --accept not-hu takes them for HU";
        }
    }
    if (missing) doubt(std::string("Rescale Slope or Intercept is missing: ") + (accepted ? "1 and 0 are taken for it (accepted)" : "the stored values are taken for HU (they are signed, and look like it)"));
    else doubt("Rescale Type is US, unspecified: the values are taken for HU");
    return std::nullopt;
}

std::vector<Notice> doubts(const std::vector<std::vector<std::int16_t>>& samples, const std::vector<SliceSource>& slices)
{
    std::vector<Notice> out;
    std::vector<std::int16_t> all;
    for (const auto& sample : samples) all.insert(all.end(), sample.begin(), sample.end());
    if (const auto why = implausible(all); !why.empty()) out.push_back({Code::not_hu, "the values do not look like HU: " + why});
    std::vector<double> distances;  // of each slice to the next
    for (std::size_t k = 1; k < samples.size(); ++k) distances.push_back(mean_distance(samples[k - 1], samples[k]));
    std::vector<std::size_t> shifted;
    std::vector<std::size_t> strange;
    std::vector<std::size_t> repeated;
    const auto* rescale = common_rescale(slices);
    const double usual = distances.empty() ? 0 : median(distances);
    for (std::size_t k = 0; k < distances.size(); ++k) {
        const bool flat = std::all_of(samples[k].begin(), samples[k].end(), [&](auto v) { return v == samples[k].front(); });
        if (distances[k] == 0 && usual > kNoise_hu && !flat) repeated.push_back(k + 1);
    }
    for (std::size_t k = 1; k < distances.size(); ++k) {
        const double before = distances[k - 1];
        const double after = distances[k];
        const bool own_rescale = rescale && !same_rescale(slices[k].stored, *rescale);
        if (own_rescale && std::abs(median_offset(samples[k - 1], samples[k], samples[k + 1])) > kOffset_hu) shifted.push_back(k);
        else if (std::min(before, after) > kSticksOut * mean_distance(samples[k - 1], samples[k + 1]) + kSticksOut_hu) strange.push_back(k);
    }
    if (!shifted.empty()) out.push_back({Code::not_hu, "the rescale of slice " + listed(shifted) + " is not that of the others, and its values differ throughout"});
    if (!repeated.empty()) out.push_back({Code::slice_out_of_place, "slice " + listed(repeated) + " shows the same as the slice before, noise included"});
    if (!strange.empty()) out.push_back({Code::slice_out_of_place, "slice " + listed(strange) + " is unlike the slices on both sides, which are like each other"});
    return out;
}

}  // namespace retromass::ingest
