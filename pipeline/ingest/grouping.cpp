#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "core/units.h"
#include "pipeline/ingest/header.h"

namespace retromass::ingest {
namespace {

constexpr double kSameOrientation = 1e-3;       // per component (docs/stages/ingest.md)
constexpr double kSamePosition_mm = 0.01;       // two slices this close share a position
constexpr double kSpacing_mm = 0.01;            // or 1 % of the median (docs/stages/ingest.md)
constexpr double kSpacingRelative = 0.01;
constexpr double kGapFactor = 1.5;              // a larger gap may be a missing slice (docs/stages/ingest.md)
constexpr double kTiltNotice_deg = 0.05;
constexpr double kAxial_deg = 30;               // definitions 2.5
constexpr int kEligibleSlices = 20;

bool near(PatientPoint a, PatientPoint b) { return std::abs(a.x - b.x) < kSameOrientation && std::abs(a.y - b.y) < kSameOrientation && std::abs(a.z - b.z) < kSameOrientation; }

PatientPoint normal_of(const Header& h) { return cross(*h.column_step, *h.row_step); }

bool says(const Header& h, const char* word)
{
    return std::any_of(h.image_type.begin(), h.image_type.end(), [&](const auto& value) { return value.find(word) != std::string::npos; });
}

/// Why an image is no slice of a volume, if it is none.
std::optional<Exclusion> unfit(const Header& h)
{
    const auto out = [&](Code code, std::string why) { return Exclusion{h.file, code, std::move(why)}; };
    if (h.image_type.size() > 2 && h.image_type[2] == "LOCALIZER") return out(Code::localizer, "Image Type says LOCALIZER");
    if (h.samples_per_pixel != 1) return out(Code::screenshot, "a colour picture stored as CT");
    for (const char* word : {"SCREEN", "DOSE", "3D", "CSA"}) {
        if (!h.position && says(h, word)) return out(Code::screenshot, "Image Type says " + h.facts.image_type);
    }
    if (h.rows == 0 || h.columns == 0) return out(Code::malformed, "Rows or Columns is missing");
    if (h.bits_allocated == 8 && !h.position) return out(Code::screenshot, "an 8-bit picture without position");
    if (h.bits_allocated != 16 && h.bits_allocated != 8) return out(Code::malformed, "Bits Allocated is " + std::to_string(h.bits_allocated) + ", expected 16");
    if (h.frames > 1) return out(Code::unsupported_syntax, "multi-frame CT with " + std::to_string(h.frames) + " frames is not read by this version");
    return std::nullopt;
}

SeriesCandidate refused(const std::vector<Header>& headers, Code code, const std::string& why)
{
    SeriesCandidate out;
    out.facts = headers.front().facts;
    for (const auto& h : headers) out.slices.push_back({h.file, h.sop_class_uid, h.sop_instance_uid, 0});
    std::sort(out.slices.begin(), out.slices.end(), [](const auto& a, const auto& b) { return a.sop_instance_uid < b.sop_instance_uid; });
    out.refused = Error{code, "series " + out.facts.series_instance_uid + ": " + why, "ingest"};
    out.why_not_eligible = why;
    return out;
}

std::string at_mm(double s) { return fixed(s, 2) + " mm"; }

/// A volume from images of one orientation, one frame of reference, distinct positions, sorted.
SeriesCandidate stack(const std::vector<Header>& sorted, const std::vector<double>& s, const ScanParameters& parameters, std::vector<Notice> notices)
{
    const auto accepted = [&](Code code) { return std::find(parameters.accepted.begin(), parameters.accepted.end(), code) != parameters.accepted.end(); };
    const Header& first = sorted.front();
    if (sorted.size() < 2) return refused(sorted, Code::single_slice, "one slice gives no volume; expected at least two");
    std::vector<PatientPoint> origins;
    for (const auto& h : sorted) origins.push_back(*h.position);
    auto geometry = VolumeGeometry::from_slices(first.columns, first.rows, *first.column_step, *first.row_step, *first.column_spacing_mm, *first.row_spacing_mm, origins);
    if (!geometry) return refused(sorted, geometry.error().code, geometry.error().message);

    std::vector<double> gaps;
    for (std::size_t k = 1; k < s.size(); ++k) gaps.push_back(s[k] - s[k - 1]);
    auto ordered = gaps;
    std::sort(ordered.begin(), ordered.end());
    const double median = ordered[ordered.size() / 2];
    const double tolerance = std::max(kSpacing_mm, kSpacingRelative * median);
    std::string missing;
    bool uneven = false;
    for (std::size_t k = 0; k < gaps.size(); ++k) {
        if (std::abs(gaps[k] - median) <= tolerance) continue;
        const double ratio = gaps[k] / median;
        const bool multiple = ratio > kGapFactor && std::abs(ratio - std::round(ratio)) < 0.1;
        if (multiple) {
            missing += (missing.empty() ? "" : "; ") + std::to_string(static_cast<int>(std::round(ratio)) - 1) + " after slice " + std::to_string(k + 1) + " at " + at_mm(s[k]) + " (gap " +
                       at_mm(gaps[k]) + ", expected " + at_mm(median) + ")";
        } else {
            uneven = true;
        }
    }
    // Many different gaps are a design (head CT of 4 and 7 mm), a few that are multiples of the usual one are lost slices.
    if (!missing.empty() && !uneven) {
        if (!accepted(Code::missing_slices)) {
            auto out = refused(sorted, Code::missing_slices, "slices are missing: " + missing + "; send the series again, or say --accept missing-slices");
            out.geometry = *geometry;
            out.notices = notices;
            return out;
        }
        notices.push_back({Code::missing_slices, "slices are missing: " + missing + " (accepted)"});
    } else if (uneven || !missing.empty()) {
        notices.push_back({Code::uneven_slices, "slice distance runs from " + at_mm(ordered.front()) + " to " + at_mm(ordered.back()) + "; volumes are sums of area times slab"});
    }
    if (geometry->tilt_deg() > kTiltNotice_deg) {
        notices.push_back({Code::gantry_tilt, "the stack leans " + fixed(geometry->tilt_deg(), 2) + " degrees against the slice normal; slices are " + at_mm(median) + " apart along it"});
    }
    const double off_axial = geometry->angle_to_axial_deg();
    if (off_axial > kAxial_deg) notices.push_back({Code::not_axial, "the slice normal is " + fixed(off_axial, 1) + " degrees from the patient's long axis"});
    if (std::any_of(sorted.begin(), sorted.end(), [](const auto& h) { return h.lossy; })) notices.push_back({Code::lossy, "the images were compressed with loss"});
    if (!first.facts.date()) notices.push_back({Code::anonymised_dates, "the series carries no date"});

    SeriesCandidate out;
    out.facts = first.facts;
    out.geometry = std::move(geometry).value();
    for (const auto& h : sorted) out.slices.push_back({h.file, h.sop_class_uid, h.sop_instance_uid, 0});
    out.notices = std::move(notices);
    if (!out.geometry.uniform()) out.why_not_eligible = "slice distance is not uniform";
    else if (off_axial > kAxial_deg) out.why_not_eligible = "not axial";
    else if (static_cast<int>(sorted.size()) < kEligibleSlices) out.why_not_eligible = std::to_string(sorted.size()) + " slices, fewer than " + std::to_string(kEligibleSlices);
    out.eligible = out.why_not_eligible.empty();
    return out;
}

/// Images that share orientation: duplicates set aside, phases told apart where positions collide, then stacked.
std::vector<SeriesCandidate> stacks(std::vector<Header> images, const ScanParameters& parameters, std::vector<Exclusion>& excluded, std::vector<Notice> notices)
{
    const PatientPoint n = normal_of(images.front());
    const auto position = [&](const Header& h) { return dot(*h.position, n); };
    std::sort(images.begin(), images.end(), [&](const Header& a, const Header& b) {
        return std::make_tuple(position(a), a.sop_instance_uid, a.file) < std::make_tuple(position(b), b.sop_instance_uid, b.file);
    });
    // Duplicates: the same identity or the same place, and the same pixels.
    std::vector<Header> kept;
    bool collide = false;
    std::map<std::string, std::string> digests;
    const auto digest = [&](const Header& h) -> const std::string& {
        auto& d = digests[h.file.string()];
        if (d.empty()) {
            const auto read = pixel_digest(h.file);
            d = read.ok() ? *read : "unreadable " + h.file.string();
        }
        return d;
    };
    for (auto& h : images) {
        bool duplicate = false;
        for (auto other = kept.rbegin(); other != kept.rend() && !duplicate; ++other) {
            const bool same_place = std::abs(position(h) - position(*other)) < kSamePosition_mm && distance(*h.position, *other->position) < kSamePosition_mm;
            const bool same_uid = h.sop_instance_uid == other->sop_instance_uid;
            if (!same_place && !same_uid) {
                if (position(h) - position(*other) > kSamePosition_mm) break;
                continue;
            }
            if (digest(h) == digest(*other)) {
                duplicate = true;
                excluded.push_back({h.file, Code::duplicate_file, "the same image as " + other->file.filename().string()});
            } else if (same_uid) {
                return {refused(images, Code::conflicting_duplicate, "SOP Instance UID " + h.sop_instance_uid + " stands on two different images; ask the sender which is right")};
            } else {
                collide = true;
            }
        }
        if (!duplicate) kept.push_back(std::move(h));
    }
    const auto finish = [&](const std::vector<Header>& sorted, std::vector<Notice> own) {
        std::vector<double> s;
        for (const auto& h : sorted) s.push_back(position(h));
        return stack(sorted, s, parameters, std::move(own));
    };
    if (!collide) return {finish(kept, notices)};

    // Positions collide: the first key that gives stacks without collision tells the phases apart (docs/stages/ingest.md).
    using Key = std::function<std::string(const Header&)>;
    const std::vector<std::pair<const char*, Key>> keys{
        {"Acquisition Number", [](const Header& h) { return h.acquisition_number; }},
        {"Temporal Position", [](const Header& h) { return h.temporal_position; }},
        {"acquisition time", [](const Header& h) { return h.acquisition_time; }},
        {"Image Type", [](const Header& h) { return h.facts.image_type; }},
    };
    std::set<long> places;
    for (const auto& h : kept) places.insert(std::lround(position(h) / kSamePosition_mm));
    if (places.size() < 2) return {refused(kept, Code::bolus_monitoring, std::to_string(kept.size()) + " images at " + std::to_string(places.size()) + " position: not a volume but one place over time")};
    for (const auto& [what, key] : keys) {
        std::map<std::string, std::vector<Header>> groups;
        for (const auto& h : kept) groups[key(h)].push_back(h);
        if (groups.size() < 2) continue;
        bool clean = true;
        for (const auto& [unused, group] : groups) {
            for (std::size_t k = 1; k < group.size(); ++k) clean = clean && position(group[k]) - position(group[k - 1]) > kSamePosition_mm;
            clean = clean && group.size() >= 2;
        }
        if (!clean) continue;
        std::vector<SeriesCandidate> out;
        auto own = notices;
        own.push_back({Code::several_phases, std::to_string(groups.size()) + " stacks share the positions, told apart by " + what});
        for (const auto& [unused, group] : groups) out.push_back(finish(group, own));
        return out;
    }
    return {refused(kept, Code::conflicting_duplicate, "different images share a position and no tag tells them apart (" + std::to_string(kept.size()) + " images at " + std::to_string(places.size()) + " positions)")};
}

std::vector<SeriesCandidate> volumes_of(std::vector<Header> images, const ScanParameters& parameters, std::vector<Exclusion>& excluded)
{
    for (const auto& h : images) {
        if (h.facts.patient_key != images.front().facts.patient_key) return {refused(images, Code::two_patients, "the images belong to two patients; ask the sender")};
    }
    const auto& type = images.front();
    for (const char* word : {"PERFUSION", "RCBF", "RCBV", "MTT", "IODINE", "VNC", "VIRTUAL_NON_CONTRAST", "MATERIAL", "Z_EFF"}) {
        if (says(type, word)) return {refused(images, Code::material_map, "Image Type " + type.facts.image_type + " is a map, not Hounsfield units")};
    }
    std::vector<Header> placed;
    for (auto& h : images) {
        if (!h.position || !h.column_step || !h.row_step || !h.column_spacing_mm || !h.row_spacing_mm) continue;
        placed.push_back(h);
    }
    if (placed.empty()) return {refused(images, Code::no_geometry, "Image Position, Image Orientation or Pixel Spacing is missing")};
    for (const auto& h : images) {
        if (!h.position || !h.column_step || !h.row_step || !h.column_spacing_mm || !h.row_spacing_mm) excluded.push_back({h.file, Code::no_geometry, "no position, orientation or pixel spacing"});
    }
    if (std::any_of(placed.begin(), placed.end(), [](const auto& h) { return !h.rescaled || (!h.rescale_type.empty() && h.rescale_type != "HU" && h.rescale_type != "US"); })) {
        return {refused(placed, Code::not_hu, "Rescale Slope and Intercept are missing, or Rescale Type is not HU")};
    }
    // By frame of reference, then orientation.
    std::map<std::string, std::vector<Header>> frames;
    for (auto& h : placed) frames[h.facts.frame_of_reference_uid].push_back(std::move(h));
    std::vector<SeriesCandidate> out;
    for (auto& [uid, group] : frames) {
        std::vector<Notice> notices;
        if (frames.size() > 1) notices.push_back({Code::two_frames_of_reference, "the series holds " + std::to_string(frames.size()) + " frames of reference"});
        std::vector<std::vector<Header>> oriented;
        for (auto& h : group) {
            auto found = std::find_if(oriented.begin(), oriented.end(), [&](const auto& set) {
                return near(*set.front().column_step, *h.column_step) && near(*set.front().row_step, *h.row_step);
            });
            if (found == oriented.end()) oriented.push_back({std::move(h)});
            else found->push_back(std::move(h));
        }
        std::stable_sort(oriented.begin(), oriented.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
        for (std::size_t o = 0; o < oriented.size(); ++o) {
            auto& set = oriented[o];
            if (o > 0 && set.size() < 3) {
                for (const auto& h : set) excluded.push_back({h.file, Code::mixed_orientation, "oriented otherwise than the " + std::to_string(oriented.front().size()) + " images it came with"});
                continue;
            }
            bool same_size = true;
            bool same_spacing = true;
            for (const auto& h : set) {
                same_size = same_size && h.rows == set.front().rows && h.columns == set.front().columns;
                same_spacing = same_spacing && std::abs(*h.column_spacing_mm - *set.front().column_spacing_mm) < 1e-4 && std::abs(*h.row_spacing_mm - *set.front().row_spacing_mm) < 1e-4;
            }
            if (!same_size) out.push_back(refused(set, Code::mixed_size, "Rows or Columns differ between the images"));
            else if (!same_spacing) out.push_back(refused(set, Code::mixed_spacing, "Pixel Spacing differs between the images"));
            else {
                for (auto& volume : stacks(set, parameters, excluded, notices)) out.push_back(std::move(volume));
            }
        }
    }
    return out;
}

}  // namespace

Scan group(std::vector<Header> headers, std::vector<Exclusion> excluded, const ScanParameters& parameters)
{
    std::map<std::pair<std::string, std::string>, std::vector<Header>> series;
    for (auto& h : headers) {
        if (auto why = unfit(h)) excluded.push_back(std::move(*why));
        else series[{h.facts.study_instance_uid, h.facts.series_instance_uid}].push_back(std::move(h));
    }
    Scan out;
    for (auto& [unused, images] : series) {
        // Content decides every order from here on, never the file name.
        std::sort(images.begin(), images.end(), [](const auto& a, const auto& b) { return std::tie(a.sop_instance_uid, a.file) < std::tie(b.sop_instance_uid, b.file); });
        auto volumes = volumes_of(std::move(images), parameters, excluded);
        for (std::size_t v = 0; v < volumes.size(); ++v) {
            volumes[v].volume_index = static_cast<int>(v);
            out.series.push_back(std::move(volumes[v]));
        }
    }
    std::stable_sort(out.series.begin(), out.series.end(), [](const auto& a, const auto& b) {
        return std::tie(a.facts.study_instance_uid, a.facts.series_number, a.facts.series_instance_uid, a.volume_index) <
               std::tie(b.facts.study_instance_uid, b.facts.series_number, b.facts.series_instance_uid, b.volume_index);
    });
    std::sort(excluded.begin(), excluded.end(), [](const auto& a, const auto& b) { return a.file < b.file; });
    out.excluded = std::move(excluded);
    return out;
}

}  // namespace retromass::ingest
