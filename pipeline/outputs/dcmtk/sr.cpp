#include <set>

#include "pipeline/outputs/dcmtk/dataset.h"
#include "pipeline/outputs/objects.h"
#include "pipeline/outputs/sr_content.h"

namespace retromass::outputs {
namespace {

constexpr Kind kReport{"sr", "SR", "lesion measurements", 10000};

Status put_concept(DcmItem& item, const DcmTagKey& sequence, const CodedConcept& named)
{
    return put_code(item, sequence, named.value, named.scheme, named.meaning);
}

/// Every text that the content holds.
std::vector<std::string> texts_of(const ContentItem& item)
{
    std::vector<std::string> out{item.text, item.name.meaning, item.code.meaning};
    for (const auto& child : item.children) {
        for (auto& text : texts_of(child)) out.push_back(std::move(text));
    }
    return out;
}

/// One content item and all below it (PS3.3 C.17.3).
Status put_content(DcmItem& out, const ContentItem& item)
{
    if (!item.relationship.empty()) RETROMASS_TRY(put(out, DCM_RelationshipType, item.relationship));
    RETROMASS_TRY(put(out, DCM_ValueType, item.type));
    if (!item.name.value.empty()) RETROMASS_TRY(put_concept(out, DCM_ConceptNameCodeSequence, item.name));
    if (item.type == "CONTAINER") {
        RETROMASS_TRY(put(out, DCM_ContinuityOfContent, "SEPARATE"));
        if (!item.template_id.empty()) {
            RETROMASS_TRY_ASSIGN(auto* const used, add_item(out, DCM_ContentTemplateSequence));
            RETROMASS_TRY(put(*used, DCM_MappingResource, "DCMR"));
            RETROMASS_TRY(put(*used, DCM_TemplateIdentifier, item.template_id));
        }
    }
    if (item.type == "CODE") RETROMASS_TRY(put_concept(out, DCM_ConceptCodeSequence, item.code));
    if (item.type == "TEXT") RETROMASS_TRY(put(out, DCM_TextValue, item.text));
    if (item.type == "PNAME") RETROMASS_TRY(put(out, DCM_PersonName, item.text));
    if (item.type == "UIDREF") RETROMASS_TRY(put(out, DCM_UID, item.text));
    if (item.type == "NUM") {
        RETROMASS_TRY_ASSIGN(auto* const measured, add_item(out, DCM_MeasuredValueSequence));
        RETROMASS_TRY(put(*measured, DCM_NumericValue, item.text));
        RETROMASS_TRY(put_concept(*measured, DCM_MeasurementUnitsCodeSequence, item.code));
    }
    if (item.type == "SCOORD" || item.type == "SCOORD3D") {
        RETROMASS_TRY(put(out, DCM_GraphicType, item.graphic_type));
        RETROMASS_DCM(out.putAndInsertFloat32Array(DCM_GraphicData, item.points.data(), static_cast<unsigned long>(item.points.size())), "the graphic data");
        if (item.type == "SCOORD3D") RETROMASS_TRY(put(out, DCM_ReferencedFrameOfReferenceUID, item.frame_of_reference_uid));
    }
    if (item.type == "IMAGE") {
        RETROMASS_TRY_ASSIGN(auto* const image, add_item(out, DCM_ReferencedSOPSequence));
        RETROMASS_TRY(put(*image, DCM_ReferencedSOPClassUID, item.object.sop_class_uid));
        RETROMASS_TRY(put(*image, DCM_ReferencedSOPInstanceUID, item.object.sop_instance_uid));
        if (item.frame > 0) RETROMASS_TRY(put(*image, DCM_ReferencedFrameNumber, std::to_string(item.frame)));
        if (item.segment > 0) RETROMASS_DCM(image->putAndInsertUint16(DCM_ReferencedSegmentNumber, static_cast<Uint16>(item.segment)), "the segment");
    }
    for (const auto& child : item.children) {
        RETROMASS_TRY_ASSIGN(auto* const below, add_item(out, DCM_ContentSequence));
        RETROMASS_TRY(put_content(*below, child));
    }
    return Done{};
}

Status put_instance(DcmItem& series, const std::string& sop_class, const std::string& instance)
{
    RETROMASS_TRY_ASSIGN(auto* const item, add_item(series, DCM_ReferencedSOPSequence));
    RETROMASS_TRY(put(*item, DCM_ReferencedSOPClassUID, sop_class));
    return put(*item, DCM_ReferencedSOPInstanceUID, instance);
}

Result<DcmItem*> add_series(DcmItem& study, const std::string& series_uid)
{
    RETROMASS_TRY_ASSIGN(auto* const series, add_item(study, DCM_ReferencedSeriesSequence));
    RETROMASS_TRY(put(*series, DCM_SeriesInstanceUID, series_uid));
    return series;
}

/// Everything the report speaks of: the CT's images and the segmentation.
Status put_evidence(DcmItem& out, const ingest::CtSeries& ct, const std::optional<ObjectReference>& seg)
{
    RETROMASS_TRY_ASSIGN(auto* const study, add_item(out, DCM_CurrentRequestedProcedureEvidenceSequence));
    RETROMASS_TRY(put(*study, DCM_StudyInstanceUID, ct.facts.study_instance_uid));
    RETROMASS_TRY_ASSIGN(auto* const images, add_series(*study, ct.facts.series_instance_uid));
    std::set<std::string> seen;
    for (const auto& slice : ct.slices) {
        if (seen.insert(slice.sop_instance_uid).second) RETROMASS_TRY(put_instance(*images, slice.sop_class_uid, slice.sop_instance_uid));
    }
    if (!seg) return Done{};
    RETROMASS_TRY_ASSIGN(auto* const segments, add_series(*study, seg->series_uid));
    return put_instance(*segments, seg->sop_class_uid, seg->sop_instance_uid);
}

Status put_state(DcmItem& out, DcmItem& source, const std::optional<Signature>& signature, const ObjectParameters& parameters)
{
    if (signature) {
        RETROMASS_TRY(put_verification(out, first_of(source, {DCM_InstitutionName}, "not stated").c_str(), signature->reader, signature->time));
    } else {
        RETROMASS_TRY(put(out, DCM_CompletionFlag, "PARTIAL"));
        RETROMASS_TRY(put(out, DCM_PreliminaryFlag, "PRELIMINARY"));
        RETROMASS_TRY(put(out, DCM_VerificationFlag, "UNVERIFIED"));
    }
    if (parameters.predecessor) return put_predecessor_document(out, *parameters.predecessor);
    return Done{};
}

Result<ObjectReference> build_and_save(const std::filesystem::path& file, const CaseResult& result, const TimepointResult& timepoint, const std::vector<std::string>& segmented,
                                       const std::optional<ObjectReference>& seg, const ObjectParameters& parameters)
{
    const auto& ct = *timepoint.ct;
    RETROMASS_TRY_ASSIGN(const auto source, header_of(ct, parameters));
    auto& header = *source->getDataset();
    const auto content = measurement_report(result, timepoint, segmented, seg, text_of(header, DCM_FrameOfReferenceUID).c_str());
    auto texts = texts_of(content);
    if (const auto signature = signature_of(timepoint)) texts.push_back(signature->reader);
    RETROMASS_TRY(hold_texts(header, texts));

    DcmFileFormat out;
    auto& data = *out.getDataset();
    RETROMASS_TRY(put(data, DCM_SOPClassUID, UID_Comprehensive3DSRStorage));
    RETROMASS_TRY(copy_patient_and_study(header, data));
    RETROMASS_TRY(put_series(data, header, ct, kReport, parameters));
    RETROMASS_TRY(put(data, DCM_InstanceNumber, "1"));
    for (const auto& tag : {DCM_ReferencedPerformedProcedureStepSequence, DCM_PerformedProcedureCodeSequence}) RETROMASS_DCM(data.insertEmptyElement(tag), "an empty sequence");
    RETROMASS_TRY(put_state(data, header, signature_of(timepoint), parameters));
    RETROMASS_TRY(put_evidence(data, ct, seg));
    RETROMASS_TRY(put_content(data, content));
    return save(out, file, parameters);
}

}  // namespace

Result<ObjectReference> write_report(const std::filesystem::path& file, const CaseResult& result, const TimepointResult& timepoint, const std::vector<std::string>& segmented,
                                     const std::optional<ObjectReference>& seg, const ObjectParameters& parameters)
{
    if (!timepoint.ct || timepoint.ct->slices.empty()) return Error{Code::internal, "a report needs the CT it speaks of", "outputs: write_report"};
    silence_toolkit();
    try {
        return build_and_save(file, result, timepoint, segmented, seg, parameters);
    } catch (const std::exception& error) {
        return Error{Code::internal, std::string("DICOM SR: ") + error.what(), "outputs: write_report"};
    }
}

}  // namespace retromass::outputs
