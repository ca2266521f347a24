#include "pipeline/outputs/dcmtk/dataset.h"

#include <dcmtk/dcmdata/dcspchrs.h>

#include <algorithm>
#include <set>

#include "pipeline/outputs/words.h"

namespace retromass::outputs {

Error failure(const std::string& what, const OFCondition& condition) { return {Code::io, what + ": " + condition.text(), "outputs: dicom"}; }

OFString ds(double value) { return decimal_text(value).c_str(); }

void silence_toolkit()
{
    static const bool once = [] {
        for (const char* name : {"dcmtk.dcmseg", "dcmtk.dcmfg", "dcmtk.dcmiod", "dcmtk.dcmdata"}) OFLog::getLogger(name).setLogLevel(OFLogger::OFF_LOG_LEVEL);
        return true;
    }();
    (void)once;
}

OFString text_of(DcmItem& item, const DcmTagKey& tag)
{
    OFString value;
    item.findAndGetOFString(tag, value);
    return value;
}

OFString first_of(DcmItem& item, std::initializer_list<DcmTagKey> tags, const char* otherwise)
{
    for (const auto& tag : tags) {
        auto value = text_of(item, tag);
        if (!value.empty()) return value;
    }
    return otherwise;
}

Status put(DcmItem& item, const DcmTagKey& tag, const std::string& value)
{
    RETROMASS_DCM(item.putAndInsertOFStringArray(tag, OFString(value.c_str(), value.size())), DcmTag(tag).getTagName());
    return Done{};
}

Result<DcmItem*> add_item(DcmItem& parent, const DcmTagKey& sequence)
{
    DcmItem* item = nullptr;
    RETROMASS_DCM(parent.findOrCreateSequenceItem(sequence, item, -2), DcmTag(sequence).getTagName());
    return item;
}

Status put_code(DcmItem& parent, const DcmTagKey& sequence, const std::string& value, const std::string& scheme, const std::string& meaning)
{
    RETROMASS_TRY_ASSIGN(auto* const item, add_item(parent, sequence));
    RETROMASS_TRY(put(*item, DCM_CodeValue, value));
    RETROMASS_TRY(put(*item, DCM_CodingSchemeDesignator, scheme));
    return put(*item, DCM_CodeMeaning, meaning);
}

Result<std::unique_ptr<DcmFileFormat>> header_of(const ingest::CtSeries& ct, const ObjectParameters& parameters, const std::vector<std::string>& texts)
{
    if (ct.slices.empty()) return Error{Code::internal, "the CT names no image", "outputs: dicom"};
    const auto& file = ct.slices.front().file;
    auto source = std::make_unique<DcmFileFormat>();
    if (source->loadFileUntilTag(file.c_str(), EXS_Unknown, EGL_noChange, DCM_MaxReadLength, ERM_autoDetect, DCM_PixelData).bad()) {
        return Error{Code::io, "cannot read " + file.string(), "outputs: dicom"};
    }
    auto& data = *source->getDataset();
    if (text_of(data, DCM_FrameOfReferenceUID).empty()) {
        RETROMASS_TRY(put(data, DCM_FrameOfReferenceUID, derived_uid("frame of reference " + ct.facts.series_instance_uid, parameters.uid_root)));
    }
    const auto ascii = [](const std::string& text) { return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; }); };
    if (!std::all_of(texts.begin(), texts.end(), ascii)) RETROMASS_DCM(data.convertToUTF8(), "the CT's character set");
    return source;
}

Status copy_patient_and_study(DcmItem& from, DcmItem& to)
{
    // Patient (PS3.3 C.7.1.1), Clinical Trial Subject, General Study (C.7.2.1), Patient Study (C.7.2.2), Clinical Trial Study.
    const DcmTagKey copied[] = {
        DCM_SpecificCharacterSet, DCM_PatientName, DCM_PatientID, DCM_IssuerOfPatientID, DCM_IssuerOfPatientIDQualifiersSequence, DCM_TypeOfPatientID, DCM_PatientBirthDate,
        DCM_PatientBirthTime, DCM_PatientSex, DCM_QualityControlSubject, DCM_OtherPatientIDsSequence, DCM_OtherPatientNames, DCM_EthnicGroup, DCM_PatientComments,
        DCM_PatientSpeciesDescription, DCM_PatientIdentityRemoved, DCM_DeidentificationMethod, DCM_DeidentificationMethodCodeSequence, DCM_ClinicalTrialSponsorName,
        DCM_ClinicalTrialProtocolID, DCM_ClinicalTrialProtocolName, DCM_ClinicalTrialSiteID, DCM_ClinicalTrialSiteName, DCM_ClinicalTrialSubjectID, DCM_ClinicalTrialSubjectReadingID,
        DCM_StudyInstanceUID, DCM_StudyDate, DCM_StudyTime, DCM_ReferringPhysicianName, DCM_StudyID, DCM_AccessionNumber, DCM_IssuerOfAccessionNumberSequence,
        DCM_StudyDescription, DCM_PhysiciansOfRecord, DCM_NameOfPhysiciansReadingStudy, DCM_ReferencedStudySequence, DCM_ProcedureCodeSequence, DCM_PatientAge, DCM_PatientSize,
        DCM_PatientWeight, DCM_Occupation, DCM_AdditionalPatientHistory, DCM_AdmissionID, DCM_MedicalAlerts, DCM_Allergies, DCM_PregnancyStatus, DCM_PatientState,
        DCM_ClinicalTrialTimePointID, DCM_ClinicalTrialTimePointDescription, DCM_LongitudinalTemporalInformationModified};
    for (const auto& tag : copied) {
        DcmElement* element = nullptr;
        if (from.findAndGetElement(tag, element, OFFalse, OFTrue).bad() || !element) continue;
        RETROMASS_DCM(to.insert(element, OFTrue), DcmTag(tag).getTagName());
    }
    for (const auto& tag : {DCM_PatientName, DCM_PatientID, DCM_PatientBirthDate, DCM_PatientSex, DCM_StudyDate, DCM_StudyTime, DCM_ReferringPhysicianName, DCM_StudyID, DCM_AccessionNumber}) {
        if (!to.tagExists(tag)) RETROMASS_DCM(to.insertEmptyElement(tag), DcmTag(tag).getTagName());  // type 2: present, if empty
    }
    return Done{};
}

Status put_series(DcmItem& out, DcmItem& source, const ingest::CtSeries& ct, const Kind& kind, const ObjectParameters& parameters)
{
    const auto date = first_of(source, {DCM_ContentDate, DCM_AcquisitionDate, DCM_SeriesDate, DCM_StudyDate}, kNoDate);
    const auto time = first_of(source, {DCM_ContentTime, DCM_AcquisitionTime, DCM_SeriesTime, DCM_StudyTime}, "000000");
    std::string description = ct.facts.synthetic ? "RESEARCH SYNTHETIC " : "RESEARCH ";
    description.append(kind.description).append(", ").append(parameters.review_state);
    RETROMASS_TRY(put(out, DCM_Modality, kind.modality));
    RETROMASS_TRY(put(out, DCM_SeriesInstanceUID, derived_uid(std::string(kind.name) + " series " + ct.facts.series_instance_uid + " " + parameters.owner + " " + description, parameters.uid_root)));
    RETROMASS_TRY(put(out, DCM_SeriesNumber, std::to_string(kind.series_number + ct.facts.series_number % 1000)));
    RETROMASS_TRY(put(out, DCM_SeriesDescription, description));
    RETROMASS_TRY(put(out, DCM_SeriesDate, date.c_str()));
    RETROMASS_TRY(put(out, DCM_SeriesTime, time.c_str()));
    RETROMASS_TRY(put(out, DCM_ContentDate, date.c_str()));
    RETROMASS_TRY(put(out, DCM_ContentTime, time.c_str()));
    RETROMASS_TRY(put(out, DCM_Manufacturer, "Retromass"));
    RETROMASS_TRY(put(out, DCM_ManufacturerModelName, "retromass"));
    RETROMASS_TRY(put(out, DCM_DeviceSerialNumber, "0"));
    RETROMASS_TRY(put(out, DCM_SoftwareVersions, kVersion));
    if (ct.facts.synthetic) RETROMASS_TRY(put(out, DCM_QualityControlSubject, "YES"));
    for (const auto& tag : {DCM_InstanceCreationDate, DCM_InstanceCreationTime}) out.findAndDeleteElement(tag);
    return Done{};
}

Status reference_series(DcmItem& out, const ingest::CtSeries& ct)
{
    RETROMASS_TRY_ASSIGN(auto* const referenced, add_item(out, DCM_ReferencedSeriesSequence));
    RETROMASS_TRY(put(*referenced, DCM_SeriesInstanceUID, ct.facts.series_instance_uid));
    std::set<std::string> seen;
    for (const auto& slice : ct.slices) {
        if (!seen.insert(slice.sop_instance_uid).second) continue;
        RETROMASS_TRY_ASSIGN(auto* const image, add_item(*referenced, DCM_ReferencedInstanceSequence));
        RETROMASS_TRY(put(*image, DCM_ReferencedSOPClassUID, slice.sop_class_uid));
        RETROMASS_TRY(put(*image, DCM_ReferencedSOPInstanceUID, slice.sop_instance_uid));
    }
    return Done{};
}

Result<ObjectReference> save(DcmFileFormat& object, const std::filesystem::path& file, const ObjectParameters& parameters, E_TransferSyntax syntax)
{
    auto& data = *object.getDataset();
    data.findAndDeleteElement(DCM_SOPInstanceUID);
    const auto write = [&](E_FileWriteMode mode) { return object.saveFile(file.c_str(), syntax, EET_ExplicitLength, EGL_recalcGL, EPD_withoutPadding, 0, 0, mode); };
    RETROMASS_DCM(write(EWM_dataset), "cannot write " + file.string());
    RETROMASS_TRY_ASSIGN(const auto content, sha256_of_file(file));
    RETROMASS_TRY(put(data, DCM_SOPInstanceUID, derived_uid("instance " + content, parameters.uid_root)));
    RETROMASS_DCM(write(EWM_fileformat), "cannot write " + file.string());
    return ObjectReference{text_of(data, DCM_SOPClassUID).c_str(), text_of(data, DCM_SOPInstanceUID).c_str(), text_of(data, DCM_SeriesInstanceUID).c_str()};
}

}  // namespace retromass::outputs
