#include <dcmtk/dcmfg/fgderimg.h>
#include <dcmtk/dcmfg/fgfracon.h>
#include <dcmtk/dcmfg/fgpixmsr.h>
#include <dcmtk/dcmfg/fgplanor.h>
#include <dcmtk/dcmfg/fgplanpo.h>
#include <dcmtk/dcmiod/iodmacro.h>
#include <dcmtk/dcmseg/segdoc.h>
#include <dcmtk/dcmseg/segment.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <span>

#include "pipeline/outputs/dcmtk/dataset.h"
#include "pipeline/outputs/objects.h"

namespace retromass::outputs {
namespace {

constexpr Kind kSeg{"seg", "SEG", "lesion segmentation", 9000};
constexpr Kind kProbability{"probability", "SEG", "lesion probability", 14000};

constexpr Kind kRectified{"seg-rectified", "SEG", "lesion masks, rectified", 15000};

/// The values of one segment from one slice on: a mask's, or a probability map's.
struct Layer {
    int first_slice;
    const Grid<std::uint8_t>* values;
    std::span<const std::uint8_t> plane(int slice) const
    {
        const int k = slice - first_slice;
        return k >= 0 && k < values->size().slices ? values->plane(k) : std::span<const std::uint8_t>();
    }
};

/// Colours of the Okabe-Ito palette as CIELab (L, a, b), told apart by the colour-blind.
struct Lab { double L, a, b; };
constexpr Lab kColours[] = {{72, 18, 75}, {70, -13, -32}, {57, -43, 13}, {90, -10, 74}, {46, 3, -46}, {55, 51, 63}, {64, 38, -13}};

Status add_segment(DcmSegmentation& seg, const SegDescription& description, std::size_t index, const std::string& uid_root)
{
    DcmSegment* segment = nullptr;
    const CodeSequenceMacro category("49755003", "SCT", "Morphologically Abnormal Structure");
    const CodeSequenceMacro type("4147007", "SCT", "Mass");
    constexpr std::size_t kLongString = 64;
    RETROMASS_DCM(DcmSegment::create(segment, OFString(description.lesion.substr(0, kLongString).c_str()), category, type, DcmSegTypes::SAT_SEMIAUTOMATIC, OFString("Retromass ") + RETROMASS_VERSION),
                  "the segment " + description.lesion);
    std::unique_ptr<DcmSegment> owned(segment);
    RETROMASS_DCM(segment->setTrackingID(description.lesion.c_str()), "the tracking identifier");
    const auto uid = description.tracking_uid.empty() ? derived_uid("tracking " + description.lesion, uid_root) : description.tracking_uid;
    RETROMASS_DCM(segment->setTrackingUID(uid.c_str()), "the tracking UID");
    const auto& colour = kColours[index % std::size(kColours)];
    const auto scaled = [](double value, double low, double range) { return static_cast<Uint16>(std::lround((value - low) * 65535 / range)); };
    RETROMASS_DCM(segment->setRecommendedDisplayCIELabValue(scaled(colour.L, 0, 100), scaled(colour.a, -128, 255), scaled(colour.b, -128, 255)), "the colour");
    if (description.site.find("retroperiton") != std::string::npos) {
        RETROMASS_DCM(segment->getGeneralAnatomyCode().getAnatomicRegion().set("82849001", "SCT", "Retroperitoneal space"), "the anatomic region");
    }
    Uint16 number = 0;
    RETROMASS_DCM(seg.addSegment(segment, number), "the segment " + description.lesion);
    static_cast<void>(owned.release());  // the document's now
    return Done{};
}

Status add_shared_groups(DcmSegmentation& seg, const ingest::CtSeries& ct)
{
    const auto& geometry = ct.volume.geometry;
    const auto c = geometry.column_step();
    const auto r = geometry.row_step();
    std::unique_ptr<FGPlaneOrientationPatient> orientation(FGPlaneOrientationPatient::createMinimal(ds(c.x), ds(c.y), ds(c.z), ds(r.x), ds(r.y), ds(r.z)));
    if (!orientation) return Error{Code::internal, "the plane orientation was not accepted", "outputs: write_seg"};
    FGPixelMeasures measures;
    RETROMASS_DCM(measures.setPixelSpacing(ds(geometry.row_spacing_mm()) + "\\" + ds(geometry.column_spacing_mm())), "the pixel spacing");
    const double slab = geometry.slice_spacing_mm().value_or(geometry.slab_mm(0));
    RETROMASS_DCM(measures.setSliceThickness(ds(ct.facts.slice_thickness_mm.value_or(slab))), "the slice thickness");
    // Uneven series have no one distance; readers then have the positions of the frames, which rule in any case.
    if (geometry.slice_spacing_mm()) RETROMASS_DCM(measures.setSpacingBetweenSlices(ds(slab)), "the spacing between slices");
    RETROMASS_DCM(seg.addForAllFrames(*orientation), "the plane orientation");
    RETROMASS_DCM(seg.addForAllFrames(measures), "the pixel measures");
    return Done{};
}

using FrameCounts = std::map<std::string, int>;

/// What the library takes for the name of an image: its UID, or another one where that is none (leading zeros; it checks what it copies).
std::string stand_in(const std::string& uid)
{
    return DcmUniqueIdentifier::checkStringValue(uid.c_str(), "1").good() ? uid : derived_uid("image called " + uid);
}

Status add_frame(DcmSegmentation& seg, const ingest::CtSeries& ct, std::span<const std::uint8_t> plane, int slice, std::size_t segment, Uint32 position_rank, const FrameCounts& uses)
{
    FGFrameContent content;
    RETROMASS_DCM(content.setFrameAcquisitionNumber(1), "the frame content");
    RETROMASS_DCM(content.setDimensionIndexValues(static_cast<Uint32>(segment), 0), "the dimension index");
    RETROMASS_DCM(content.setDimensionIndexValues(position_rank, 1), "the dimension index");

    const auto origin = ct.volume.geometry.slice_origin(slice);
    std::unique_ptr<FGPlanePosPatient> position(FGPlanePosPatient::createMinimal(ds(origin.x), ds(origin.y), ds(origin.z)));
    if (!position) return Error{Code::internal, "a plane position was not accepted", "outputs: write_seg"};

    const auto& source = ct.slices[static_cast<std::size_t>(slice)];
    ImageSOPInstanceReferenceMacro reference;
    RETROMASS_DCM(reference.setReferencedSOPClassUID(stand_in(source.sop_class_uid).c_str()), "the source image");
    RETROMASS_DCM(reference.setReferencedSOPInstanceUID(stand_in(source.sop_instance_uid).c_str()), "the source image");
    if (uses.at(source.sop_instance_uid) > 1) RETROMASS_DCM(reference.addReferencedFrameNumber(static_cast<Uint16>(source.frame + 1)), "the source frame");
    OFVector<ImageSOPInstanceReferenceMacro> references;
    references.push_back(reference);
    std::unique_ptr<FGDerivationImage> derivation(FGDerivationImage::createMinimal(references, "", CodeSequenceMacro("113076", "DCM", "Segmentation"),
                                                                                   CodeSequenceMacro("121322", "DCM", "Source image for image processing operation")));
    if (!derivation) return Error{Code::internal, "a source image was not accepted", "outputs: write_seg"};
    for (auto* item : derivation->getDerivationImageItems()) {
        for (auto* image : item->getSourceImageItems()) {  // createMinimal leaves the purpose out
            RETROMASS_DCM(image->getPurposeOfReferenceCode().set("121322", "DCM", "Source image for image processing operation"), "the purpose of reference");
        }
    }
    OFVector<FGBase*> groups;
    groups.push_back(&content);
    groups.push_back(position.get());
    groups.push_back(derivation.get());
    std::vector<Uint8> pixels(plane.begin(), plane.end());
    RETROMASS_DCM(seg.addFrame(pixels.data(), static_cast<Uint16>(segment), groups), "frame of slice " + std::to_string(slice));
    return Done{};
}

/// References to images that call themselves something else than a UID.
Status name_sources(DcmItem& out, const ingest::CtSeries& ct)
{
    std::map<std::string, std::string> called;
    for (const auto& slice : ct.slices) {
        for (const auto& uid : {slice.sop_class_uid, slice.sop_instance_uid}) {
            if (stand_in(uid) != uid) called[stand_in(uid)] = uid;
        }
    }
    if (called.empty()) return Done{};
    DcmSequenceOfItems* frames = nullptr;
    RETROMASS_DCM(out.findAndGetSequence(DCM_PerFrameFunctionalGroupsSequence, frames), "the frames");
    for (DcmObject* frame = nullptr; (frame = frames->nextInContainer(frame)) != nullptr;) {
        DcmItem* derivation = nullptr;
        DcmItem* image = nullptr;
        RETROMASS_DCM(static_cast<DcmItem*>(frame)->findAndGetSequenceItem(DCM_DerivationImageSequence, derivation), "the derivation");
        RETROMASS_DCM(derivation->findAndGetSequenceItem(DCM_SourceImageSequence, image), "the source image");
        for (const auto& tag : {DCM_ReferencedSOPClassUID, DCM_ReferencedSOPInstanceUID}) {
            if (const auto found = called.find(text_of(*image, tag).c_str()); found != called.end()) RETROMASS_TRY(put(*image, tag, found->second));
        }
    }
    return Done{};
}

/// The planes as one string of bits, lowest bit first, without gaps between frames (PS3.5 8.1.1). The document class of
/// DCMTK 3.6.7 misplaces frames whose pixels do not fill whole bytes, so its pixel data is replaced by this.
class PackedFrames {
public:
    void add(std::span<const std::uint8_t> plane)
    {
        for (const auto value : plane) {
            if (used_ % 8 == 0) bytes_.push_back(0);
            if (value != 0) bytes_.back() = static_cast<Uint8>(bytes_.back() | 1U << used_ % 8);
            ++used_;
        }
    }
    Status put_into(DcmDataset& out)
    {
        if (bytes_.size() % 2 != 0) bytes_.push_back(0);
        RETROMASS_DCM(out.putAndInsertUint8Array(DCM_PixelData, bytes_.data(), static_cast<unsigned long>(bytes_.size())), "the pixel data");
        return Done{};
    }

private:
    std::vector<Uint8> bytes_;
    std::size_t used_ = 0;
};

/// What the document classes set from the clock or leave out.
Status complete(DcmDataset& out, DcmDataset& source, const ingest::CtSeries& ct, const Kind& kind, const ObjectParameters& parameters)
{
    RETROMASS_TRY(copy_patient_and_study(source, out));  // the document class takes over some of it only
    RETROMASS_TRY(put_series(out, source, ct, kind, parameters));
    if (text_of(source, DCM_LossyImageCompression) == "01") {
        for (const auto& tag : {DCM_LossyImageCompression, DCM_LossyImageCompressionRatio, DCM_LossyImageCompressionMethod}) {
            OFString value;
            if (source.findAndGetOFStringArray(tag, value).good() && !value.empty()) RETROMASS_TRY(put(out, tag, value.c_str()));
        }
    }
    return reference_series(out, ct);
}

Status check(const ingest::CtSeries& ct, const std::vector<Layer>& layers, const std::vector<SegDescription>& segments)
{
    if (layers.empty() || layers.size() != segments.size()) return Error{Code::internal, "one description a mask is needed", "outputs: write_seg"};
    const auto& size = ct.volume.geometry.size();
    if (size.slices < 1 || ct.slices.size() != static_cast<std::size_t>(size.slices)) return Error{Code::internal, "the CT does not name the image of each of its slices", "outputs: write_seg"};
    if (size.columns > 65535 || size.rows > 65535) return Error{Code::oversized, "a DICOM image holds at most 65535 columns and rows", "outputs: write_seg"};
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const auto& own = layers[i].values->size();
        if (own.columns != size.columns || own.rows != size.rows || layers[i].first_slice < 0 || layers[i].first_slice + own.slices > size.slices) return Error{Code::mask_grid, "the mask of " + segments[i].lesion + " is not on the grid of the CT", "outputs: write_seg"};
        const auto values = layers[i].values->values();
        if (std::none_of(values.begin(), values.end(), [](auto v) { return v != 0; })) return Error{Code::empty_mask, "the mask of " + segments[i].lesion + " is empty", "outputs: write_seg"};
    }
    return Done{};
}

Result<ObjectReference> build_and_save(const std::filesystem::path& file, const ingest::CtSeries& ct, const std::vector<Layer>& layers, const std::vector<SegDescription>& segments,
                                       const Kind& kind, const ObjectParameters& parameters)
{
    std::vector<std::string> texts;
    for (const auto& segment : segments) texts.push_back(segment.lesion);
    RETROMASS_TRY_ASSIGN(const auto source, header_of(ct, parameters));
    RETROMASS_TRY(hold_texts(*source->getDataset(), texts));
    const auto& size = ct.volume.geometry.size();
    DcmSegmentation* made = nullptr;
    const IODGeneralEquipmentModule::EquipmentInfo equipment("Retromass", "retromass", "0", RETROMASS_VERSION);
    const ContentIdentificationMacro content("1", "LESIONS", "RESEARCH: lesion masks of a CT series", "Retromass^");
    const bool binary = &kind != &kProbability;
    const auto rows = static_cast<Uint16>(size.rows);
    const auto columns = static_cast<Uint16>(size.columns);
    RETROMASS_DCM(binary ? DcmSegmentation::createBinarySegmentation(made, rows, columns, equipment, content)
                         : DcmSegmentation::createFractionalSegmentation(made, rows, columns, DcmSegTypes::SFT_PROBABILITY, 255, equipment, content),
                  "the segmentation");
    const std::unique_ptr<DcmSegmentation> seg(made);
    RETROMASS_DCM(seg->importFromSourceImage(*source->getDataset()), "patient and study of the CT");
    RETROMASS_DCM(seg->getSeries().setSeriesNumber("1"), "the series number");  // asked for here; put_series rules
    for (std::size_t i = 0; i < segments.size(); ++i) RETROMASS_TRY(add_segment(*seg, segments[i], i, parameters.uid_root));
    RETROMASS_TRY(add_shared_groups(*seg, ct));
    const auto organisation = derived_uid("dimensions " + ct.facts.series_instance_uid, parameters.uid_root);
    RETROMASS_DCM(seg->getDimensions().addDimensionIndex(DCM_ReferencedSegmentNumber, organisation.c_str(), DCM_SegmentIdentificationSequence, "ReferencedSegmentNumber"), "the dimensions");
    RETROMASS_DCM(seg->getDimensions().addDimensionIndex(DCM_ImagePositionPatient, organisation.c_str(), DCM_PlanePositionSequence, "ImagePositionPatient"), "the dimensions");

    std::set<std::pair<std::string, int>> frames;  // a rectified grid takes one image for several slices
    for (const auto& slice : ct.slices) frames.emplace(slice.sop_instance_uid, slice.frame);
    FrameCounts uses;
    for (const auto& [instance, frame] : frames) ++uses[instance];
    std::vector<std::vector<bool>> holds(layers.size(), std::vector<bool>(static_cast<std::size_t>(size.slices)));
    std::vector<Uint32> rank(static_cast<std::size_t>(size.slices));  // 1 for the first slice any segment is in
    Uint32 used = 0;
    for (int slice = 0; slice < size.slices; ++slice) {
        const auto s = static_cast<std::size_t>(slice);
        for (std::size_t i = 0; i < layers.size(); ++i) {
            const auto plane = layers[i].plane(slice);
            holds[i][s] = std::any_of(plane.begin(), plane.end(), [](auto v) { return v != 0; });
        }
        if (std::any_of(holds.begin(), holds.end(), [s](const auto& h) { return h[s]; })) rank[s] = ++used;
    }
    PackedFrames packed;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        for (int slice = 0; slice < size.slices; ++slice) {
            const auto s = static_cast<std::size_t>(slice);
            if (!holds[i][s]) continue;
            RETROMASS_TRY(add_frame(*seg, ct, layers[i].plane(slice), slice, i + 1, rank[s], uses));
            if (binary) packed.add(layers[i].plane(slice));
        }
    }

    DcmFileFormat out;
    RETROMASS_DCM(seg->writeDataset(*out.getDataset()), "the segmentation");
    if (binary) RETROMASS_TRY(packed.put_into(*out.getDataset()));
    RETROMASS_TRY(name_sources(*out.getDataset(), ct));
    RETROMASS_TRY(complete(*out.getDataset(), *source->getDataset(), ct, kind, parameters));
    return save(out, file, parameters);
}

Result<ObjectReference> write_layers(const std::filesystem::path& file, const ingest::CtSeries& ct, const std::vector<Layer>& layers, const std::vector<SegDescription>& segments, const Kind& kind,
                                     const ObjectParameters& parameters)
{
    RETROMASS_TRY(check(ct, layers, segments));
    silence_toolkit();
    try {
        return build_and_save(file, ct, layers, segments, kind, parameters);
    } catch (const std::exception& error) {
        return Error{Code::internal, std::string("DICOM SEG: ") + error.what(), "outputs: write_seg"};
    }
}

}  // namespace

Result<ObjectReference> write_seg(const std::filesystem::path& file, const ingest::CtSeries& ct, const std::vector<const Mask*>& masks, const std::vector<SegDescription>& segments,
                                  const ObjectParameters& parameters)
{
    std::vector<Layer> layers;
    for (const auto* mask : masks) layers.push_back({0, mask});
    return write_layers(file, ct, layers, segments, kSeg, parameters);
}

Result<ObjectReference> write_rectified_seg(const std::filesystem::path& file, const ingest::CtSeries& grid, const std::vector<const Mask*>& masks, const std::vector<SegDescription>& segments,
                                            const ObjectParameters& parameters)
{
    std::vector<Layer> layers;
    for (const auto* mask : masks) layers.push_back({0, mask});
    return write_layers(file, grid, layers, segments, kRectified, parameters);
}

Result<ObjectReference> write_probability_seg(const std::filesystem::path& file, const ingest::CtSeries& ct, const std::vector<const ProbabilityMap*>& maps, const std::vector<SegDescription>& segments,
                                              const ObjectParameters& parameters)
{
    std::vector<Layer> layers;
    for (const auto* map : maps) layers.push_back({map->first_slice, &map->values});
    return write_layers(file, ct, layers, segments, kProbability, parameters);
}

}  // namespace retromass::outputs
