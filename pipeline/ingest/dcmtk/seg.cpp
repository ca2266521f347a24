#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "pipeline/ingest/header.h"

namespace retromass::ingest {
namespace {

std::string text(DcmItem& item, const DcmTagKey& key)
{
    OFString value;
    return item.findAndGetOFString(key, value).good() ? std::string(value.c_str()) : std::string();
}

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

struct Frame {
    PatientPoint origin;
    double position = 0;
    int segment = 0;
};

}  // namespace

Result<LabelVolume> read_seg(const std::filesystem::path& file)
{
    const auto fail = [](Code code, std::string why) { return Error{code, "DICOM SEG: " + std::move(why), "ingest"}; };
    DcmFileFormat format;
    if (format.loadFile(file.c_str()).bad()) return fail(Code::malformed, "cannot be read");
    auto& data = *format.getDataset();
    if (text(data, DCM_SOPClassUID) != UID_SegmentationStorage) return fail(Code::mask_labels, "SOP class " + text(data, DCM_SOPClassUID) + " is no segmentation");
    if (text(data, DCM_SegmentationType) != "BINARY") return fail(Code::mask_labels, "type " + text(data, DCM_SegmentationType) + " is not read as a mask (BINARY is)");
    data.chooseRepresentation(EXS_LittleEndianExplicit, nullptr);
    Uint16 rows = 0;
    Uint16 columns = 0;
    Sint32 frames = 0;
    data.findAndGetUint16(DCM_Rows, rows);
    data.findAndGetUint16(DCM_Columns, columns);
    data.findAndGetSint32(DCM_NumberOfFrames, frames);
    const Uint8* bytes = nullptr;
    unsigned long length = 0;
    if (data.findAndGetUint8Array(DCM_PixelData, bytes, &length).bad() || !bytes) return fail(Code::truncated_pixels, "no pixel data");
    const std::size_t plane = std::size_t{rows} * columns;
    if (rows == 0 || columns == 0 || frames < 1 || length < (plane * static_cast<std::size_t>(frames) + 7) / 8) return fail(Code::truncated_pixels, "pixel data is shorter than its frames");
    DcmItem* shared = nullptr;
    data.findAndGetSequenceItem(DCM_SharedFunctionalGroupsSequence, shared);
    std::vector<Frame> list;
    std::optional<PatientPoint> column_step;
    std::optional<PatientPoint> row_step;
    double row_spacing = 0;
    double column_spacing = 0;
    for (Sint32 f = 0; f < frames; ++f) {
        DcmItem* own = nullptr;
        data.findAndGetSequenceItem(DCM_PerFrameFunctionalGroupsSequence, own, f);
        auto* place = group(own, shared, DCM_PlanePositionSequence);
        auto* plane_orientation = group(own, shared, DCM_PlaneOrientationSequence);
        auto* measures = group(own, shared, DCM_PixelMeasuresSequence);
        auto* identification = group(own, shared, DCM_SegmentIdentificationSequence);
        if (!place || !plane_orientation || !measures || !identification) return fail(Code::no_geometry, "frame " + std::to_string(f + 1) + " lacks position, orientation, spacing or segment number");
        const auto origin = triple(*place, DCM_ImagePositionPatient, 0);
        const auto c = triple(*plane_orientation, DCM_ImageOrientationPatient, 0);
        const auto r = triple(*plane_orientation, DCM_ImageOrientationPatient, 3);
        Uint16 segment = 0;
        identification->findAndGetUint16(DCM_ReferencedSegmentNumber, segment);
        if (!origin || !c || !r || segment == 0) return fail(Code::no_geometry, "frame " + std::to_string(f + 1) + " has no place");
        if (column_step && (distance(*column_step, *c) > 1e-3 || distance(*row_step, *r) > 1e-3)) return fail(Code::mixed_orientation, "frames are oriented differently");
        column_step = c;
        row_step = r;
        measures->findAndGetFloat64(DCM_PixelSpacing, row_spacing, 0);
        measures->findAndGetFloat64(DCM_PixelSpacing, column_spacing, 1);
        list.push_back({*origin, dot(*origin, cross(*c, *r)), segment});
    }
    // Frames at one position are one slice.
    constexpr double same_mm = 0.01;
    std::vector<double> positions;
    for (const auto& f : list) positions.push_back(f.position);
    std::sort(positions.begin(), positions.end());
    positions.erase(std::unique(positions.begin(), positions.end(), [](double a, double b) { return b - a < same_mm; }), positions.end());
    const auto slice_of = [&](double p) {
        return static_cast<int>(std::min_element(positions.begin(), positions.end(), [&](double a, double b) { return std::abs(a - p) < std::abs(b - p); }) - positions.begin());
    };
    std::vector<PatientPoint> origins(positions.size());
    Grid<std::uint16_t> labels(Dimensions{columns, rows, static_cast<int>(positions.size())});
    for (std::size_t f = 0; f < list.size(); ++f) {
        const int k = slice_of(list[f].position);
        origins[static_cast<std::size_t>(k)] = list[f].origin;
        auto target = labels.plane(k);
        for (std::size_t i = 0; i < plane; ++i) {
            const std::size_t bit = f * plane + i;  // frames follow each other bit by bit, not byte-aligned
            if (!(bytes[bit / 8] >> (bit % 8) & 1)) continue;
            if (target[i] && target[i] != list[f].segment) return fail(Code::mask_labels, "segments " + std::to_string(target[i]) + " and " + std::to_string(list[f].segment) + " overlap");
            target[i] = static_cast<std::uint16_t>(list[f].segment);
        }
    }
    RETROMASS_TRY_ASSIGN(auto geometry, VolumeGeometry::from_slices(columns, rows, *column_step, *row_step, column_spacing, row_spacing, std::move(origins)));
    LabelVolume out;
    out.geometry = std::move(geometry);
    out.labels = std::move(labels);
    out.format = "DICOM SEG";
    out.frame_of_reference_uid = text(data, DCM_FrameOfReferenceUID);
    out.present = labels_present(out.labels);
    DcmItem* segment = nullptr;
    for (long s = 0; data.findAndGetSequenceItem(DCM_SegmentSequence, segment, s).good(); ++s) {
        Uint16 number = 0;
        segment->findAndGetUint16(DCM_SegmentNumber, number);
        for (auto& label : out.present) {
            if (label.value != number) continue;
            label.name = text(*segment, DCM_SegmentLabel);
            label.tracking_uid = text(*segment, DCM_TrackingUID);
        }
    }
    return out;
}

}  // namespace retromass::ingest
