#include "pipeline/run/suggest.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <optional>
#include <utility>

#include "core/units.h"
#include "pipeline/run/draft.h"

namespace retromass::run {
namespace {

constexpr double kPart_ml = 0.5;          ///< a ball of 10 mm has 0.52 ml; below it nothing is measured (RECIST 1.1, rule 1)
constexpr double kLiesThere = 0.5;        ///< of the smaller of two masks, within the other
constexpr double kStray = 0.05;           ///< the same, of a lesion that is not where it was: masks are not exact at the rim
constexpr std::size_t kSamples = 4096;    ///< of a mask, to know a share to 1 %

/// The voxels of a mask, from `low` to `high`.
struct Box {
    Index low;
    Index high{-1, -1, -1};

    bool empty() const { return high.slice < low.slice || high.row < low.row || high.column < low.column; }
};

Box box_of(const Mask& mask)
{
    const auto& n = mask.size();
    Box out{{n.columns, n.rows, n.slices}, {-1, -1, -1}};
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            const auto row = mask.values().subspan(mask.offset(0, r, k), static_cast<std::size_t>(n.columns));
            std::uint8_t any = 0;
            for (const auto v : row) any |= v;  // many voxels at once: nearly all rows of a scan are empty
            if (any == 0) continue;
            const auto set = [](auto v) { return v != 0; };
            const auto first = std::find_if(row.begin(), row.end(), set);
            const auto last = std::find_if(row.rbegin(), row.rend(), set);
            out.low = {std::min(out.low.column, static_cast<int>(first - row.begin())), std::min(out.low.row, r), std::min(out.low.slice, k)};
            out.high = {std::max(out.high.column, static_cast<int>(row.rend() - last) - 1), std::max(out.high.row, r), k};
        }
    }
    return out;
}

/// What of `a` may meet `b`: within it, or beside it.
Box near(const Box& a, const Box& b)
{
    return {{std::max(a.low.column, b.low.column - 1), std::max(a.low.row, b.low.row - 1), std::max(a.low.slice, b.low.slice - 1)},
            {std::min(a.high.column, b.high.column + 1), std::min(a.high.row, b.high.row + 1), std::min(a.high.slice, b.high.slice + 1)}};
}

Contact contact_of(const Mask& a, const Mask& b, const Box& box)
{
    constexpr std::array<Index, 6> sides{{{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}}};
    Contact out;
    for (int k = box.low.slice; k <= box.high.slice; ++k) {
        for (int r = box.low.row; r <= box.high.row; ++r) {
            for (int c = box.low.column; c <= box.high.column; ++c) {
                if (!a.at(c, r, k)) continue;
                if (b.at(c, r, k)) {
                    ++out.voxels;
                    continue;
                }
                for (const auto& side : sides) {
                    const Index at{c + side.column, r + side.row, k + side.slice};
                    if (!b.size().contains(at.column, at.row, at.slice)) continue;
                    out.faces += b.at(at.column, at.row, at.slice) && !a.at(at.column, at.row, at.slice);
                }
            }
        }
    }
    return out;
}

const LesionAtTimepoint* said_at(const CaseFile& file, std::size_t lesion, std::size_t timepoint)
{
    const auto& said = file.lesions[lesion].timepoints;
    const auto at = said.find(file.timepoints[timepoint].id);
    return at == said.end() ? nullptr : &at->second;
}

/// Whether the reader states something of the lesion at that time point or before it.
template <class Is>
bool stated_by(const CaseFile& file, std::size_t lesion, std::size_t timepoint, Is is)
{
    for (std::size_t t = 0; t <= timepoint; ++t) {
        if (const auto* const at = said_at(file, lesion, t); at && is(*at)) return true;
    }
    return false;
}

/// The lesion that this one is a part of, wherever that is stated.
std::optional<std::size_t> whole_of(const CaseFile& file, std::size_t part)
{
    for (std::size_t l = 0; l < file.lesions.size(); ++l) {
        for (const auto& [timepoint, at] : file.lesions[l].timepoints) {
            if (std::find(at.split_into.begin(), at.split_into.end(), file.lesions[part].lesion.id) != at.split_into.end()) return l;
        }
    }
    return std::nullopt;
}

const std::string& id_of(const CaseFile& file, std::size_t lesion) { return file.lesions[lesion].lesion.id; }

bool merges_into(const CaseFile& file, std::size_t lesion, std::size_t other, std::size_t timepoint)
{
    return stated_by(file, lesion, timepoint, [&](const auto& at) { return at.merged_into == id_of(file, other); });
}

/// What a reader said already of the two: that they merged, or that they are of one lesion.
bool related(const CaseFile& file, std::size_t a, std::size_t b, std::size_t timepoint)
{
    const auto of_a = whole_of(file, a).value_or(a), of_b = whole_of(file, b).value_or(b);
    return of_a == of_b || merges_into(file, of_a, of_b, timepoint) || merges_into(file, of_b, of_a, timepoint) || merges_into(file, a, b, timepoint) || merges_into(file, b, a, timepoint);
}

/// A name as a case file takes it.
std::string word(const std::string& name)
{
    const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; });
    return plain && !name.empty() && name.front() != '-' ? name : quoted(name);
}

/// Names for the parts of a lesion that no lesion has yet: T1a, T1b ...
std::vector<std::string> names_of_parts(const CaseFile& file, const std::string& lesion, std::size_t parts)
{
    std::vector<std::string> out;
    for (std::size_t i = 0; out.size() < parts; ++i) {
        const auto name = lesion + (i < 26 ? std::string(1, static_cast<char>('a' + i)) : "-" + std::to_string(i + 1));
        const bool taken = std::any_of(file.lesions.begin(), file.lesions.end(), [&](const auto& l) { return l.lesion.id == name; });
        if (!taken) out.push_back(name);
    }
    return out;
}

std::string joined(const std::vector<std::string>& words, const std::string& last = ", ")
{
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i) out += (i == 0 ? "" : i + 1 == words.size() ? last : ", ") + words[i];
    return out;
}

std::vector<double> large_parts(const outputs::LesionResult& lesion)
{
    std::vector<double> out;
    for (const double ml : lesion.measurements->parts_ml) {
        if (ml >= kPart_ml) out.push_back(ml);
    }
    return out;
}

std::string split_text(const CaseFile& file, std::size_t lesion, const std::string& here, const std::vector<double>& parts, const std::string& before, std::size_t parts_before)
{
    std::vector<std::string> sizes, words;
    for (const double ml : parts) sizes.push_back(fixed(ml, 2));
    const auto names = names_of_parts(file, id_of(file, lesion), parts.size());
    for (const auto& name : names) words.push_back(word(name));
    return "its mask has " + std::to_string(parts.size()) + " separate parts of " + fixed(kPart_ml, 1) + " ml or more here (" + joined(sizes) + " ml) and had " + (parts_before == 1 ? "one" : "none") + " at " + before +
           ": has it split? If so, write under " + id_of(file, lesion) + ", in place of what stands there, \"" + word(here) + ": {split_into: [" + joined(words) + "]}\", and list " + joined(names, " and ") + " as lesions with a prompt each from there on";
}

/// `from` met `other`, and would merge into it, or into the lesion that it is a part of.
std::string merger_text(const CaseFile& file, const Contact& contact, std::size_t from, std::size_t other, const std::string& here, const std::string& before)
{
    const auto& met = id_of(file, other);
    const auto& into = id_of(file, whole_of(file, other).value_or(other));
    const auto how = contact.voxels > 0 ? "shares " + std::to_string(contact.voxels) + " voxels with " + met : "touches " + met + " (" + std::to_string(contact.faces) + " voxel faces in common)";
    return how + " here and lay apart from it at " + before + ": have they merged? If so, let the outline of " + met + " hold both and write under " + id_of(file, from) + ", in place of what stands there, \"" + word(here) +
           ": {status: merged, merged_into: " + word(into) + "}\"";
}

double volume_ml(const outputs::LesionResult& lesion) { return lesion.measurements ? lesion.measurements->volume_ml : 0; }

std::string percent(double part) { return fixed(100 * part, 0) + " %"; }

bool holds(const Mask& mask, const VolumeGeometry& geometry, PatientPoint point)
{
    const auto i = geometry.to_index(point);
    const auto c = std::lround(i.column), r = std::lround(i.row), k = std::lround(i.slice);
    const auto& n = mask.size();
    return c >= 0 && r >= 0 && k >= 0 && c < n.columns && r < n.rows && k < n.slices && mask.at(static_cast<int>(c), static_cast<int>(r), static_cast<int>(k)) != 0;
}

/// Where a lesion lies now among those of an earlier time point: for each of them the part of the smaller one's volume that both have.
std::vector<double> shares_of(const outputs::LesionResult& lesion, const VolumeGeometry& geometry, const outputs::TimepointResult& then, const std::function<PatientPoint(PatientPoint)>& to_earlier)
{
    const auto& n = lesion.mask->size();
    const std::size_t every = std::max<std::size_t>(1, lesion.measurements->voxels / kSamples);
    std::vector<double> inside(then.lesions.size(), 0);
    std::size_t seen = 0;
    double samples = 0;
    for (std::size_t v = 0; v < lesion.mask->values().size(); ++v) {
        if (!(*lesion.mask)[v] || seen++ % every != 0) continue;
        samples += 1;
        const auto in_slice = v % n.plane(), columns = static_cast<std::size_t>(n.columns);
        const auto p = to_earlier(geometry.to_patient(Index{static_cast<int>(in_slice % columns), static_cast<int>(in_slice / columns), static_cast<int>(v / n.plane())}));
        for (std::size_t l = 0; l < then.lesions.size(); ++l) {
            if (then.lesions[l].mask && holds(*then.lesions[l].mask, then.ct->volume.geometry, p)) inside[l] += 1;
        }
    }
    for (std::size_t l = 0; l < then.lesions.size(); ++l) {
        const double smaller = std::min(volume_ml(lesion), volume_ml(then.lesions[l]));
        inside[l] = smaller > 0 ? inside[l] / samples * volume_ml(lesion) / smaller : 0;
    }
    return inside;
}

}  // namespace

std::vector<Contact> contacts_of(const std::vector<const Mask*>& masks)
{
    if (std::count_if(masks.begin(), masks.end(), [](const auto* mask) { return mask != nullptr; }) < 2) return {};
    std::vector<Box> boxes;
    for (const auto* mask : masks) boxes.push_back(mask ? box_of(*mask) : Box{});
    std::vector<Contact> out;
    for (std::size_t a = 0; a < masks.size(); ++a) {
        for (std::size_t b = a + 1; b < masks.size(); ++b) {
            if (boxes[a].empty() || boxes[b].empty()) continue;
            auto contact = contact_of(*masks[a], *masks[b], near(boxes[a], boxes[b]));
            if (contact.voxels == 0 && contact.faces == 0) continue;
            contact.first = a;
            contact.second = b;
            out.push_back(contact);
        }
    }
    return out;
}

void suggest_splits(const CaseFile& file, std::vector<outputs::TimepointResult>& timepoints)
{
    for (std::size_t l = 0; l < file.lesions.size(); ++l) {
        const bool part = whole_of(file, l).has_value();  // a split lesion's parts are listed with the whole, and do not split themselves
        const auto merged_into_it = [&](std::size_t t) {
            for (std::size_t other = 0; other < file.lesions.size(); ++other) {
                if (merges_into(file, other, l, t)) return true;
            }
            return false;
        };
        std::optional<std::size_t> last;
        for (std::size_t t = 0; t < timepoints.size(); ++t) {
            auto& now = timepoints[t].lesions[l];
            if (!now.measurements) continue;
            const auto before = std::exchange(last, t);
            const auto parts = large_parts(now);
            if (part || !before || parts.size() < 2) continue;
            const auto parts_before = large_parts(timepoints[*before].lesions[l]).size();
            if (parts_before > 1 || merged_into_it(t) || stated_by(file, l, t, [](const auto& at) { return !at.split_into.empty(); })) continue;
            now.suggested.push_back({"split", split_text(file, l, timepoints[t].id, parts, timepoints[*before].id, parts_before)});
        }
    }
}

void suggest_mergers(const CaseFile& file, std::vector<outputs::TimepointResult>& timepoints)
{
    std::vector<std::vector<Contact>> contacts;
    for (std::size_t t = 0; t < timepoints.size(); ++t) {
        auto& lesions = timepoints[t].lesions;
        std::vector<const Mask*> masks;
        for (const auto& lesion : lesions) masks.push_back(lesion.mask ? &*lesion.mask : nullptr);
        contacts.push_back(contacts_of(masks));
        for (const auto& contact : contacts.back()) {
            const auto a = contact.first, b = contact.second;
            if (related(file, a, b, t)) continue;
            std::size_t before = t;
            while (before > 0 && !(timepoints[before - 1].lesions[a].mask && timepoints[before - 1].lesions[b].mask)) --before;
            if (before == 0) continue;  // never seen apart
            --before;
            if (std::any_of(contacts[before].begin(), contacts[before].end(), [&](const auto& c) { return c.first == a && c.second == b; })) continue;
            // The larger one stands for both. A part of a split lesion cannot merge by itself, but another lesion can into its whole.
            auto from = volume_ml(lesions[a]) < volume_ml(lesions[b]) ? a : b;
            if (whole_of(file, from)) from = from == a ? b : a;
            if (whole_of(file, from)) continue;  // parts of two lesions: the case file has no word for it
            const auto other = from == a ? b : a;
            lesions[from].suggested.push_back({"merged", merger_text(file, contact, from, other, timepoints[t].id, timepoints[before].id)});
        }
    }
}

void suggest_exchanges(const CaseFile& file, const outputs::TimepointResult& then, outputs::TimepointResult& now, const LaidOn& laid)
{
    if (!then.ct || !now.ct) return;
    const auto here = std::find_if(file.timepoints.begin(), file.timepoints.end(), [&](const auto& t) { return t.id == now.id; });
    const auto t = static_cast<std::size_t>(here - file.timepoints.begin());
    std::vector<std::vector<double>> shares(now.lesions.size());
    for (std::size_t l = 0; l < now.lesions.size(); ++l) {
        const bool pointed_at = now.lesions[l].mask && now.lesions[l].measurements && now.lesions[l].carried_from.empty();  // what was carried lies where it was
        if (pointed_at) shares[l] = shares_of(now.lesions[l], now.ct->volume.geometry, then, laid.to_earlier);
    }
    const auto left_for = [&](std::size_t a, std::size_t b) { return !shares[a].empty() && then.lesions[a].mask && then.lesions[b].mask && shares[a][b] >= kLiesThere && shares[a][a] <= kStray; };
    for (std::size_t a = 0; a < now.lesions.size(); ++a) {
        for (std::size_t b = 0; b < now.lesions.size(); ++b) {
            if (a == b || !left_for(a, b) || related(file, a, b, t) || !laid.believed(*then.lesions[b].mask)) continue;
            const bool both = left_for(b, a);
            if (both && b < a) continue;  // said once
            const auto& self = id_of(file, a);
            const auto& other = id_of(file, b);
            std::string text = "lies where " + other + " was at " + then.id + " (" + percent(shares[a][b]) + " of the smaller of the two, " + percent(shares[a][a]) + " with " + self + " itself, by registration)";
            if (both) {
                text += ", and " + other + " where " + self + " was (" + percent(shares[b][a]) + "): were the two exchanged? If so, write under " + self + " at " + now.id + " what now stands under " + other + ", and the other way round";
            } else {
                text += ": is it " + other + "? If so, write under " + other + " at " + now.id + " what now stands under " + self;
            }
            now.lesions[a].suggested.push_back({"exchanged", text});
        }
    }
}

void suggest_exchanges(const CaseFile& file, const outputs::TimepointResult& then, outputs::TimepointResult& now, const segmentation::Registration& registration)
{
    if (!then.ct) return;
    const auto believed = [&](const Mask& earlier) {
        const auto lesion = std::find_if(then.lesions.begin(), then.lesions.end(), [&](const auto& l) { return l.mask && &*l.mask == &earlier; });
        const double volume_mm3 = lesion == then.lesions.end() ? 0 : 1000 * volume_ml(*lesion);
        return segmentation::doubt_of(registration.trust_around(earlier, then.ct->volume.geometry), std::cbrt(0.75 * volume_mm3 / std::numbers::pi)).empty();
    };
    suggest_exchanges(file, then, now, {[&](PatientPoint p) { return registration.to_moving(p); }, believed});
}

}  // namespace retromass::run
