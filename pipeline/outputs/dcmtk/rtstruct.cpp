#include <map>
#include <set>

#include "pipeline/outputs/dcmtk/dataset.h"
#include "pipeline/outputs/objects.h"
#include "pipeline/outputs/outline.h"
#include "pipeline/outputs/words.h"

namespace retromass::outputs {
namespace {

constexpr Kind kStructures{"rtstruct", "RTSTRUCT", "lesion contours", 11000};
constexpr const char* kStudyClass = "1.2.840.10008.3.1.2.3.1";  // Detached Study Management: retired, and still what the attribute asks for

Status put_image(DcmItem& parent, const DcmTagKey& sequence, const ingest::SliceSource& slice, bool of_many_frames)
{
    RETROMASS_TRY_ASSIGN(auto* const image, add_item(parent, sequence));
    RETROMASS_TRY(put(*image, DCM_ReferencedSOPClassUID, slice.sop_class_uid));
    RETROMASS_TRY(put(*image, DCM_ReferencedSOPInstanceUID, slice.sop_instance_uid));
    if (of_many_frames) RETROMASS_TRY(put(*image, DCM_ReferencedFrameNumber, std::to_string(slice.frame + 1)));
    return Done{};
}

Status put_frame_of_reference(DcmItem& out, const ingest::CtSeries& ct, const std::string& frame_of_reference)
{
    RETROMASS_TRY_ASSIGN(auto* const frame, add_item(out, DCM_ReferencedFrameOfReferenceSequence));
    RETROMASS_TRY(put(*frame, DCM_FrameOfReferenceUID, frame_of_reference));
    RETROMASS_TRY_ASSIGN(auto* const study, add_item(*frame, DCM_RTReferencedStudySequence));
    RETROMASS_TRY(put(*study, DCM_ReferencedSOPClassUID, kStudyClass));
    RETROMASS_TRY(put(*study, DCM_ReferencedSOPInstanceUID, ct.facts.study_instance_uid));
    RETROMASS_TRY_ASSIGN(auto* const series, add_item(*study, DCM_RTReferencedSeriesSequence));
    RETROMASS_TRY(put(*series, DCM_SeriesInstanceUID, ct.facts.series_instance_uid));
    std::set<std::string> seen;
    for (const auto& slice : ct.slices) {
        if (seen.insert(slice.sop_instance_uid).second) RETROMASS_TRY(put_image(*series, DCM_ContourImageSequence, slice, false));
    }
    return Done{};
}

/// The closed lines of one mask, slice by slice.
Status put_contours(DcmItem& region, const ingest::CtSeries& ct, const Mask& mask, const std::map<std::string, int>& uses)
{
    const auto& size = mask.size();
    for (int k = 0; k < size.slices; ++k) {
        for (const auto& loop : keyholes_of(outlines_of(mask.plane(k), size.columns, size.rows))) {
            const auto& slice = ct.slices[static_cast<std::size_t>(k)];
            RETROMASS_TRY_ASSIGN(auto* const contour, add_item(region, DCM_ContourSequence));
            RETROMASS_TRY(put_image(*contour, DCM_ContourImageSequence, slice, uses.at(slice.sop_instance_uid) > 1));
            RETROMASS_TRY(put(*contour, DCM_ContourGeometricType, "CLOSED_PLANAR"));
            RETROMASS_TRY(put(*contour, DCM_NumberOfContourPoints, std::to_string(loop.corners.size())));
            std::string points;
            for (const auto& [column, row] : loop.corners) {
                const auto p = ct.volume.geometry.to_patient(ContinuousIndex{column - 0.5, row - 0.5, static_cast<double>(k)});
                for (const double v : {p.x, p.y, p.z}) points.append(points.empty() ? "" : "\\").append(decimal_text(v));
            }
            RETROMASS_TRY(put(*contour, DCM_ContourData, points));
        }
    }
    return Done{};
}

Result<ObjectReference> build_and_save(const std::filesystem::path& file, const ingest::CtSeries& ct, const std::vector<const Mask*>& masks, const std::vector<SegDescription>& segments,
                                       const ObjectParameters& parameters)
{
    std::vector<std::string> texts;
    for (const auto& segment : segments) texts.push_back(segment.lesion);
    RETROMASS_TRY_ASSIGN(const auto source, header_of(ct, parameters));
    auto& header = *source->getDataset();
    RETROMASS_TRY(hold_texts(header, texts));
    const std::string frame_of_reference = text_of(header, DCM_FrameOfReferenceUID).c_str();

    DcmFileFormat out;
    auto& data = *out.getDataset();
    RETROMASS_TRY(put(data, DCM_SOPClassUID, UID_RTStructureSetStorage));
    RETROMASS_TRY(copy_patient_and_study(header, data));
    RETROMASS_TRY(put_series(data, header, ct, kStructures, parameters));
    for (const auto& tag : {DCM_ContentDate, DCM_ContentTime}) data.findAndDeleteElement(tag);  // a structure set has its own
    RETROMASS_DCM(data.insertEmptyElement(DCM_OperatorsName), "the operator");
    RETROMASS_TRY(put(data, DCM_InstanceNumber, "1"));
    RETROMASS_TRY(put(data, DCM_FrameOfReferenceUID, frame_of_reference));
    RETROMASS_DCM(data.insertEmptyElement(DCM_PositionReferenceIndicator), "the reference indicator");
    if (const auto indicator = text_of(header, DCM_PositionReferenceIndicator); !indicator.empty()) RETROMASS_TRY(put(data, DCM_PositionReferenceIndicator, indicator.c_str()));
    RETROMASS_TRY(put(data, DCM_StructureSetLabel, "RESEARCH"));
    RETROMASS_TRY(put(data, DCM_StructureSetName, "RESEARCH lesion contours, " + parameters.review_state));
    RETROMASS_TRY(put(data, DCM_StructureSetDate, text_of(data, DCM_SeriesDate).c_str()));
    RETROMASS_TRY(put(data, DCM_StructureSetTime, text_of(data, DCM_SeriesTime).c_str()));
    RETROMASS_TRY(put(data, DCM_ApprovalStatus, "UNAPPROVED"));
    if (parameters.predecessor) {
        RETROMASS_TRY_ASSIGN(auto* const before, add_item(data, DCM_PredecessorStructureSetSequence));
        RETROMASS_TRY(put(*before, DCM_ReferencedSOPClassUID, parameters.predecessor->sop_class_uid));
        RETROMASS_TRY(put(*before, DCM_ReferencedSOPInstanceUID, parameters.predecessor->sop_instance_uid));
    }
    RETROMASS_TRY(put_frame_of_reference(data, ct, frame_of_reference));
    std::map<std::string, int> uses;
    for (const auto& slice : ct.slices) ++uses[slice.sop_instance_uid];
    for (std::size_t i = 0; i < masks.size(); ++i) {
        const auto number = std::to_string(i + 1);
        RETROMASS_TRY_ASSIGN(auto* const roi, add_item(data, DCM_StructureSetROISequence));
        RETROMASS_TRY(put(*roi, DCM_ROINumber, number));
        RETROMASS_TRY(put(*roi, DCM_ReferencedFrameOfReferenceUID, frame_of_reference));
        RETROMASS_TRY(put(*roi, DCM_ROIName, segments[i].lesion));
        RETROMASS_TRY(put(*roi, DCM_ROIDescription, "tracking UID " + segments[i].tracking_uid));
        RETROMASS_TRY(put(*roi, DCM_ROIGenerationAlgorithm, "SEMIAUTOMATIC"));
        RETROMASS_TRY_ASSIGN(auto* const region, add_item(data, DCM_ROIContourSequence));
        RETROMASS_TRY(put(*region, DCM_ReferencedROINumber, number));
        RETROMASS_TRY(put(*region, DCM_ROIDisplayColor, "230\\159\\0"));  // the outline's orange of the key images
        RETROMASS_TRY(put_contours(*region, ct, *masks[i], uses));
        RETROMASS_TRY_ASSIGN(auto* const observation, add_item(data, DCM_RTROIObservationsSequence));
        RETROMASS_TRY(put(*observation, DCM_ObservationNumber, number));
        RETROMASS_TRY(put(*observation, DCM_ReferencedROINumber, number));
        for (const auto& tag : {DCM_RTROIInterpretedType, DCM_ROIInterpreter}) RETROMASS_DCM(observation->insertEmptyElement(tag), "an observation");
    }
    return save(out, file, parameters, EXS_LittleEndianImplicit);  // explicit VR has no room for Contour Data of more than 64 kB
}

}  // namespace

Result<ObjectReference> write_structure_set(const std::filesystem::path& file, const ingest::CtSeries& ct, const std::vector<const Mask*>& masks, const std::vector<SegDescription>& segments,
                                            const ObjectParameters& parameters)
{
    if (masks.empty() || masks.size() != segments.size()) return Error{Code::internal, "one description a mask is needed", "outputs: write_structure_set"};
    silence_toolkit();
    try {
        return build_and_save(file, ct, masks, segments, parameters);
    } catch (const std::exception& error) {
        return Error{Code::internal, std::string("RT Structure Set: ") + error.what(), "outputs: write_structure_set"};
    }
}

}  // namespace retromass::outputs
