#include "pipeline/ingest/dcmtk/charset.h"
#include "pipeline/ingest/dcmtk/frames.h"
#include "pipeline/ingest/dcmtk/items.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/units.h"
#include "pipeline/ingest/contours.h"
#include "pipeline/ingest/header.h"

namespace retromass::ingest {
namespace {

constexpr const char* kLabelMapSegmentation = "1.2.840.10008.5.1.4.1.1.66.7";  // newer than the library's table
constexpr double kSamePosition_mm = 0.01;
constexpr int kMostSlices = 8192;  ///< slices that empty frames may add: more is no CT

Error fail(Code code, std::string why) { return Error{code, "DICOM SEG: " + std::move(why), "ingest"}; }

std::optional<PatientPoint> triple(DcmItem& item, const DcmTagKey& key, unsigned long first)
{
    Float64 v[3];
    for (unsigned long i = 0; i < 3; ++i) {
        if (item.findAndGetFloat64(key, v[i], first + i).bad()) return std::nullopt;
    }
    return PatientPoint{v[0], v[1], v[2]};
}

/// The first item of a functional group, in this frame's or the shared groups.
DcmItem* group(DcmItem* frame, DcmItem* shared, const DcmTagKey& key)
{
    DcmItem* found = nullptr;
    if (frame && frame->findAndGetSequenceItem(key, found).good()) return found;
    if (shared && shared->findAndGetSequenceItem(key, found).good()) return found;
    return nullptr;
}

enum class Kind { binary, fractional, label_map };

/// The pixels of all frames, read as the kind says.
struct Pixels {
    Kind kind = Kind::binary;
    std::size_t plane = 0;
    const Uint8* bytes = nullptr;
    const Uint16* words = nullptr;
    std::vector<std::uint16_t> decoded;  ///< owns `words` of compressed frames
    int half = 128;        ///< fractional: the least value that is inside
    int background = 0;    ///< label map

    /// The segment at a pixel of a frame, whose own segment (binary, fractional) is `own`; 0 outside.
    int segment(std::size_t frame, std::size_t pixel, int own) const
    {
        const std::size_t i = frame * plane + pixel;
        if (kind == Kind::binary) return (bytes[i / 8] >> (i % 8) & 1) ? own : 0;  // frames follow each other bit by bit, not byte-aligned
        if (kind == Kind::fractional) return value(i) >= half ? own : 0;
        return value(i) == background ? 0 : value(i);
    }
    int value(std::size_t i) const { return words ? words[i] : bytes[i]; }
};

/// The values themselves: `words` or `bytes` point into the data set, or at what was decoded.
Status find_values(DcmDataset& data, const FrameShape& shape, std::size_t frames, Pixels& out)
{
    const std::size_t wanted = out.plane * frames;
    if (is_encapsulated(data)) {
        if (shape.bits_allocated == 1) return fail(Code::unsupported_syntax, "single bits in transfer syntax " + std::string(DcmXfer(data.getOriginalXfer()).getXferName()) + " have no decoder here; store it uncompressed");
        auto decoded = decoded_frames(data, shape, frames);
        if (!decoded) return fail(decoded.error().code, decoded.error().message);
        out.decoded = std::move(*decoded);
        out.words = out.decoded.data();
        return Done{};
    }
    unsigned long found = 0;
    if (shape.bits_allocated == 16) {
        if (data.findAndGetUint16Array(DCM_PixelData, out.words, &found).bad() || !out.words || found < wanted) return fail(Code::truncated_pixels, "pixel data is shorter than its frames");
    } else if (data.findAndGetUint8Array(DCM_PixelData, out.bytes, &found).bad() || !out.bytes || found < (shape.bits_allocated == 1 ? (wanted + 7) / 8 : wanted)) {
        return fail(Code::truncated_pixels, "pixel data is shorter than its frames");
    }
    return Done{};
}

Result<Pixels> pixels_of(DcmDataset& data, int columns, int rows, std::size_t frames)
{
    Pixels out;
    out.plane = static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows);
    const std::string type = text(data, DCM_SegmentationType);
    if (type == "BINARY") out.kind = Kind::binary;
    else if (type == "FRACTIONAL") out.kind = Kind::fractional;
    else if (type == "LABELMAP") out.kind = Kind::label_map;
    else return fail(Code::mask_labels, "segmentation type \"" + type + "\" is not read (BINARY, FRACTIONAL and LABELMAP are)");
    Uint16 allocated = 0;
    data.findAndGetUint16(DCM_BitsAllocated, allocated);
    if (allocated != (out.kind == Kind::binary ? 1 : 8) && !(out.kind == Kind::label_map && allocated == 16)) {
        return fail(Code::malformed, std::to_string(allocated) + " bits allocated do not fit a " + type + " segmentation");
    }
    RETROMASS_TRY(find_values(data, {columns, rows, allocated, allocated, allocated - 1, false, 1}, frames, out));
    Uint16 value = 0;
    if (out.kind == Kind::fractional) {
        if (data.findAndGetUint16(DCM_MaximumFractionalValue, value).bad() || value == 0) return fail(Code::malformed, "MaximumFractionalValue (0062,000E) is not stated: what is one half cannot be told");
        for (std::size_t i = 0; i < out.plane * frames; ++i) {
            if (out.value(i) > value) return fail(Code::malformed, "it holds the value " + std::to_string(out.value(i)) + " above its MaximumFractionalValue " + std::to_string(value));
        }
        out.half = (value + 1) / 2;
    }
    if (out.kind == Kind::label_map && data.findAndGetUint16(DCM_PixelPaddingValue, value).good()) out.background = value;
    return out;
}

struct Frame {
    PatientPoint origin;
    double position = 0;
    int segment = 0;
};

struct Layout {
    std::vector<Frame> frames;
    PatientPoint column_step, row_step;
    double row_spacing_mm = 0, column_spacing_mm = 0;
    double slice_spacing_mm = 0;  ///< as stated; 0 = not
};

Result<Layout> layout_of(DcmDataset& data, std::size_t frames, Kind kind)
{
    const auto shared_items = items(data, DCM_SharedFunctionalGroupsSequence);
    const auto own_items = items(data, DCM_PerFrameFunctionalGroupsSequence);
    DcmItem* const shared = shared_items.empty() ? nullptr : shared_items.front();
    Layout out;
    for (std::size_t f = 0; f < frames; ++f) {
        const std::string name = "frame " + std::to_string(f + 1);
        DcmItem* const own = f < own_items.size() ? own_items[f] : nullptr;
        auto* const place = group(own, shared, DCM_PlanePositionSequence);
        auto* const orientation = group(own, shared, DCM_PlaneOrientationSequence);
        auto* const measures = group(own, shared, DCM_PixelMeasuresSequence);
        auto* const identification = group(own, shared, DCM_SegmentIdentificationSequence);
        if (!place || !orientation || !measures) return fail(Code::no_geometry, name + " lacks position, orientation or spacing");
        const auto origin = triple(*place, DCM_ImagePositionPatient, 0);
        const auto column = triple(*orientation, DCM_ImageOrientationPatient, 0);
        const auto row = triple(*orientation, DCM_ImageOrientationPatient, 3);
        Uint16 segment = 0;
        if (identification) identification->findAndGetUint16(DCM_ReferencedSegmentNumber, segment);
        if (!origin || !column || !row) return fail(Code::no_geometry, name + " has no place");
        if (kind != Kind::label_map && segment == 0) return fail(Code::mask_labels, name + " does not say which segment it shows");
        double row_spacing = 0, column_spacing = 0;
        measures->findAndGetFloat64(DCM_PixelSpacing, row_spacing, 0);
        measures->findAndGetFloat64(DCM_PixelSpacing, column_spacing, 1);
        if (f > 0 && (distance(out.column_step, *column) > 1e-3 || distance(out.row_step, *row) > 1e-3)) return fail(Code::mixed_orientation, "frames are oriented differently");
        if (f > 0 && (row_spacing != out.row_spacing_mm || column_spacing != out.column_spacing_mm)) return fail(Code::mixed_spacing, "pixel spacing differs between frames");
        out.column_step = *column;
        out.row_step = *row;
        out.row_spacing_mm = row_spacing;
        out.column_spacing_mm = column_spacing;
        measures->findAndGetFloat64(DCM_SpacingBetweenSlices, out.slice_spacing_mm);
        out.frames.push_back({*origin, dot(*origin, cross(*column, *row)), segment});
    }
    return out;
}

/// Where the slices lie, sorted along row x column. Frames of empty slices are commonly left out: whole multiples of the slice distance are
/// filled up, and one empty slice is added at each end, so that slabs are as thick as they were and the ends of the object are not taken for the
/// ends of the scan. Where the distance is not known nothing is added.
std::vector<PatientPoint> slices_of(const Layout& layout)
{
    std::vector<const Frame*> sorted;
    for (const auto& f : layout.frames) sorted.push_back(&f);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->position < b->position; });
    std::vector<const Frame*> distinct;
    for (const auto* f : sorted) {
        if (distinct.empty() || f->position - distinct.back()->position >= kSamePosition_mm) distinct.push_back(f);
    }
    double spacing = std::abs(layout.slice_spacing_mm);
    double least = 0;
    for (std::size_t i = 1; i < distinct.size(); ++i) {
        const double gap = distinct[i]->position - distinct[i - 1]->position;
        least = i == 1 ? gap : std::min(least, gap);
    }
    constexpr double same_spacing = 0.01;  // 1 %, as for a CT (docs/stages/ingest.md)
    if (least > 0 && (spacing == 0 || least < (1 - same_spacing) * spacing)) spacing = least;  // frames nearer than stated speak for themselves
    std::vector<PatientPoint> origins;
    PatientPoint step = spacing * cross(layout.column_step, layout.row_step);
    for (std::size_t i = 0; i < distinct.size(); ++i) {
        if (i > 0 && spacing > 0) {
            const PatientPoint from = distinct[i - 1]->origin;
            const PatientPoint way = distinct[i]->origin - from;
            const double gap = distinct[i]->position - distinct[i - 1]->position;
            const double whole = std::round(gap / spacing);
            if (std::abs(gap - whole * spacing) <= 0.05 * spacing && whole < kMostSlices) {
                for (double part = 1; part < whole; ++part) origins.push_back(from + (part / whole) * way);
                step = (1 / whole) * way;  // a tilted stack leans
            }
        }
        origins.push_back(distinct[i]->origin);
    }
    if (spacing > 0) {
        origins.push_back(origins.back() + step);
        origins.insert(origins.begin(), origins.front() - step);
    }
    return origins;
}

/// Puts a label on the first layer where the voxel is free.
void set_label(LabelVolume& volume, std::size_t voxel, std::uint16_t label)
{
    auto* layer = &volume.labels;
    for (std::size_t next = 0; (*layer)[voxel] != 0 && (*layer)[voxel] != label; ++next) {
        if (next == volume.overlaps.size()) volume.overlaps.emplace_back(volume.labels.size());
        layer = &volume.overlaps[next];
    }
    (*layer)[voxel] = label;
}

Result<LabelVolume> seg_of(DcmDataset& data)
{
    const std::string sop_class = text(data, DCM_SOPClassUID);
    if (sop_class != UID_SegmentationStorage && sop_class != kLabelMapSegmentation) return fail(Code::not_an_image, "SOP class " + sop_class + " is no segmentation");
    Uint16 rows = 0;
    Uint16 columns = 0;
    Sint32 frames = 0;
    data.findAndGetUint16(DCM_Rows, rows);
    data.findAndGetUint16(DCM_Columns, columns);
    data.findAndGetSint32(DCM_NumberOfFrames, frames);
    if (rows == 0 || columns == 0 || frames < 1) return fail(Code::malformed, "it has no frames");
    const std::size_t plane = std::size_t{rows} * columns;
    RETROMASS_TRY_ASSIGN(const auto pixels, pixels_of(data, columns, rows, static_cast<std::size_t>(frames)));
    RETROMASS_TRY_ASSIGN(const auto layout, layout_of(data, static_cast<std::size_t>(frames), pixels.kind));
    auto origins = slices_of(layout);
    const Dimensions size{columns, rows, static_cast<int>(origins.size())};
    if (size.slices > kMostSlices) return fail(Code::oversized, std::to_string(size.slices) + " slices");

    LabelVolume out;
    out.format = "DICOM SEG";
    out.frame_of_reference_uid = text(data, DCM_FrameOfReferenceUID);
    RETROMASS_TRY_ASSIGN(out.geometry, VolumeGeometry::from_slices(columns, rows, layout.column_step, layout.row_step, layout.column_spacing_mm, layout.row_spacing_mm, std::move(origins)));
    out.labels = Grid<std::uint16_t>(size);
    for (std::size_t f = 0; f < layout.frames.size(); ++f) {
        int k = 0;
        while (k + 1 < size.slices && std::abs(out.geometry.slice_position_mm(k + 1) - layout.frames[f].position) < std::abs(out.geometry.slice_position_mm(k) - layout.frames[f].position)) ++k;
        for (std::size_t i = 0; i < plane; ++i) {
            const int segment = pixels.segment(f, i, layout.frames[f].segment);
            if (segment != 0) set_label(out, static_cast<std::size_t>(k) * plane + i, static_cast<std::uint16_t>(segment));
        }
    }
    out.present = labels_present(out.labels);
    for (const auto& layer : out.overlaps) {
        for (const auto& label : labels_present(layer)) {
            if (std::none_of(out.present.begin(), out.present.end(), [&](const auto& l) { return l.value == label.value; })) out.present.push_back(label);
        }
    }
    std::sort(out.present.begin(), out.present.end(), [](const auto& a, const auto& b) { return a.value < b.value; });
    for (auto* segment : items(data, DCM_SegmentSequence)) {
        Uint16 number = 0;
        segment->findAndGetUint16(DCM_SegmentNumber, number);
        for (auto& label : out.present) {
            if (label.value != number) continue;
            label.name = to_utf8(text(*segment, DCM_SegmentLabel), character_set_of(data));
            label.tracking_uid = text(*segment, DCM_TrackingUID);
        }
    }
    if (pixels.kind == Kind::fractional) {
        out.notices.push_back({Code::fractional_mask, "the segmentation is fractional (" + text(data, DCM_SegmentationFractionalType) + "); voxels of at least one half count as inside"});
    }
    return out;
}

}  // namespace

Result<LabelVolume> read_dicom_labels(const std::filesystem::path& file, const VolumeGeometry* ct, const std::string& frame_of_reference_uid)
{
    DcmFileFormat format;
    if (!load(format, file)) return Error{Code::malformed, "cannot be read as DICOM", "ingest"};
    if (text(*format.getDataset(), DCM_SOPClassUID) != UID_RTStructureSetStorage) return seg_of(*format.getDataset());
    if (!ct) return Error{Code::mask_grid, "an RT Structure Set holds contours and no grid; give the CT it was drawn on", "ingest"};
    RETROMASS_TRY_ASSIGN(const auto set, read_structure_set(file));
    LabelVolume out;
    out.geometry = *ct;
    out.labels = Grid<std::uint16_t>(ct->size());
    out.format = "RT Structure Set";
    out.frame_of_reference_uid = set.frame_of_reference_uid;
    std::optional<Error> misfit;
    std::set<std::string> frames;
    const auto leave_out = [&](const Error& why) {  // one region that does not fit takes nothing from the others
        if (!misfit) misfit = why;
        out.notices.push_back({why.code, "left out: " + why.message});
    };
    for (std::size_t r = 0; r < set.regions.size(); ++r) {  // labelled in the order of the file: ROI Numbers may be anything
        const auto& region = set.regions[r];
        if (!frame_of_reference_uid.empty() && !region.frame_of_reference_uid.empty() && region.frame_of_reference_uid != frame_of_reference_uid) {
            leave_out(Error{Code::mask_grid, named(region) + "it lies in frame of reference " + region.frame_of_reference_uid + ", the CT in " + frame_of_reference_uid, "ingest"});
            continue;
        }
        const auto mask = filled(region, *ct);
        if (!mask) {
            leave_out(mask.error());
            continue;
        }
        if (!region.frame_of_reference_uid.empty()) frames.insert(region.frame_of_reference_uid);
        std::vector<Notice> notices;
        for (const auto& odd : region.odd_contours) notices.push_back({Code::mask_grid, named(region) + odd});
        if (const auto between = slices_between_contours(*mask); !between.empty()) notices.push_back({Code::mask_grid, named(region) + between});
        bool any = false;
        for (std::size_t i = 0; i < mask->values().size(); ++i) {
            if (!(*mask)[i]) continue;
            any = true;
            set_label(out, i, static_cast<std::uint16_t>(r + 1));
        }
        if (any) out.present.push_back({static_cast<int>(r + 1), region.name, {}, std::move(notices)});
    }
    if (out.present.empty() && misfit) return *misfit;
    if (frames.size() == 1) out.frame_of_reference_uid = *frames.begin();
    return out;
}

}  // namespace retromass::ingest
