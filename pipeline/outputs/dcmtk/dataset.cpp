#include "pipeline/outputs/dcmtk/dataset.h"

#include <dcmtk/dcmdata/dcspchrs.h>

#include <algorithm>
#include <set>

#include "pipeline/outputs/objects.h"
#include "pipeline/outputs/words.h"

namespace retromass::outputs {
namespace {

/// How many values the dictionary lets an attribute have, in the words of DCMTK's checks.
OFString multiplicity_of(const DcmTagKey& tag)
{
    const auto& dictionary = dcmDataDict.rdlock();
    const auto* const entry = dictionary.findEntry(tag, nullptr);
    const bool one = entry && entry->getVMMin() == 1 && entry->getVMMax() == 1;
    dcmDataDict.rdunlock();
    return one ? "1" : "1-n";
}

/// Whether a value may stand in an object. Texts that are not ASCII are for the character set to judge.
bool is_valid(DcmElement& element)
{
    OFString value;
    if (!element.isaString() || element.getOFStringArray(value).bad() || value.empty()) return true;
    if (std::any_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80 || c == '\x1b'; })) return true;
    const auto tag = element.getTag().getXTag();
    const auto one_of = [&](std::initializer_list<const char*> terms) { return std::any_of(terms.begin(), terms.end(), [&](const char* term) { return value == term; }); };
    if (tag == DCM_PatientSex) return one_of({"M", "F", "O"});
    if (tag == DCM_PatientIdentityRemoved || tag == DCM_QualityControlSubject) return one_of({"YES", "NO"});
    if (tag == DCM_LongitudinalTemporalInformationModified) return one_of({"UNMODIFIED", "MODIFIED", "REMOVED"});
    const std::size_t longest = element.ident() == EVR_SH ? 16 : element.ident() == EVR_LO ? 64 : value.size();  // PS3.5 6.2; the library leaves these lengths alone
    for (std::size_t from = 0, end = 0; end != OFString_npos; from = end + 1) {
        end = value.find('\\', from);
        if ((end == OFString_npos ? value.size() : end) - from > longest) return false;
    }
    return element.checkValue(multiplicity_of(tag)).good();
}

/// What a scanner or archive wrote against its value representation cannot be copied into an object that is to be valid. What says whose
/// study it is stays as it is in any case: an object that is filed with another patient is worse than an invalid one.
void drop_invalid(DcmDataset& header)
{
    const auto identifies = [](const DcmTagKey& tag) { return tag == DCM_PatientName || tag == DCM_PatientID || tag == DCM_IssuerOfPatientID || tag == DCM_AccessionNumber; };
    std::vector<DcmTagKey> dropped;
    for (DcmObject* object = nullptr; (object = header.nextInContainer(object)) != nullptr;) {
        const auto tag = object->getTag().getXTag();
        if (!object->isLeaf() || object->ident() == EVR_UI || identifies(tag)) continue;
        if (tag == DCM_SpecificCharacterSet ? object->getLength() == 0 : !is_valid(*static_cast<DcmElement*>(object))) dropped.push_back(tag);
    }
    for (const auto& tag : dropped) header.findAndDeleteElement(tag);
}

/// "2013-03-16T09:00:00Z" as DICOM writes it: "20130316090000+0000".
std::string dicom_time(const std::string& iso)
{
    std::string out;
    for (const char c : iso) {
        if (c == 'Z') out += "+0000";
        else if ((c >= '0' && c <= '9') || c == '+' || (c == '-' && out.size() > 8)) out += c;
    }
    return out;
}

std::string shifted(const OFString& date, int days)
{
    const auto day = parse_date({date.c_str(), date.size()});
    if (!day) return {};
    std::string out;
    for (const char c : iso(*day + std::chrono::days(days))) {
        if (c != '-') out += c;
    }
    return out;
}

/// A header of its own, with nothing of the CT's but dates, as chosen, and how it was compressed. What table E.1-1 lets stay empty or asks to be removed is not there at all.
Result<std::unique_ptr<DcmFileFormat>> hidden_header(DcmItem& from, const ingest::CtSeries& ct, const Deidentification& hiding)
{
    if (text_of(from, DCM_BurnedInAnnotation) == "YES") return Error{Code::usage, "the CT says that texts are burned into its pixels: pictures of it cannot be de-identified", "outputs: dicom"};
    auto made = std::make_unique<DcmFileFormat>();
    auto& out = *made->getDataset();
    RETROMASS_TRY(put(out, DCM_PatientName, hiding.pseudonym));
    RETROMASS_TRY(put(out, DCM_PatientID, hiding.pseudonym));
    RETROMASS_TRY(put(out, DCM_PatientIdentityRemoved, "YES"));
    RETROMASS_TRY(put(out, DCM_DeidentificationMethod, std::string("Retromass ") + RETROMASS_VERSION + ": PS3.15 basic profile"));
    RETROMASS_TRY(put_code(out, DCM_DeidentificationMethodCodeSequence, "113100", "DCM", "Basic Application Confidentiality Profile"));
    const bool kept = hiding.dates == Dates::keep;
    RETROMASS_TRY(kept ? put_code(out, DCM_DeidentificationMethodCodeSequence, "113106", "DCM", "Retain Longitudinal Temporal Information Full Dates Option")
                       : put_code(out, DCM_DeidentificationMethodCodeSequence, "113107", "DCM", "Retain Longitudinal Temporal Information Modified Dates Option"));
    RETROMASS_TRY(put(out, DCM_LongitudinalTemporalInformationModified, kept ? "UNMODIFIED" : "MODIFIED"));
    RETROMASS_TRY(put(out, DCM_StudyInstanceUID, ct.facts.study_instance_uid));
    RETROMASS_TRY(put(out, DCM_FrameOfReferenceUID, ct.facts.frame_of_reference_uid));
    for (const auto& tag : {DCM_StudyDate, DCM_SeriesDate, DCM_AcquisitionDate, DCM_ContentDate}) {
        if (const auto date = shifted(text_of(from, tag), hiding.days); !date.empty()) RETROMASS_TRY(put(out, tag, date));
    }
    for (const auto& tag : {DCM_StudyTime, DCM_SeriesTime, DCM_AcquisitionTime, DCM_ContentTime}) {  // a time of day tells patients of one day apart
        if (const auto time = text_of(from, tag); !time.empty()) RETROMASS_TRY(put(out, tag, kept ? time.c_str() : "000000"));
    }
    for (const auto& tag : {DCM_LossyImageCompression, DCM_LossyImageCompressionRatio, DCM_LossyImageCompressionMethod}) {
        OFString value;
        if (from.findAndGetOFStringArray(tag, value).good() && !value.empty()) RETROMASS_TRY(put(out, tag, value.c_str()));
    }
    RETROMASS_TRY(hold_texts(out, {hiding.pseudonym}));
    return made;
}

/// The rules that the object was made under, as what this program contributed to it (PS3.3 C.12.1.5). The Clinical Trial Subject module is the
/// patient's, asks for a sponsor, whom no protocol file states, and is copied as the CT has it.
Status put_protocol(DcmItem& out, const std::string& protocol)
{
    out.findAndDeleteElement(DCM_ContributingEquipmentSequence);
    RETROMASS_TRY_ASSIGN(auto* const equipment, add_item(out, DCM_ContributingEquipmentSequence));
    RETROMASS_TRY(put_code(*equipment, DCM_PurposeOfReferenceCodeSequence, "109102", "DCM", "Processing Equipment"));
    RETROMASS_TRY(put(*equipment, DCM_Manufacturer, "Retromass"));
    RETROMASS_TRY(put(*equipment, DCM_ManufacturerModelName, "retromass"));
    RETROMASS_TRY(put(*equipment, DCM_SoftwareVersions, RETROMASS_VERSION));
    return put(*equipment, DCM_ContributionDescription, "Made under protocol " + protocol);
}

/// Whether two items hold the same. The toolkit compares decimal strings value by value and looks for each from the start of the text: a contour of
/// a thousand points would cost a million steps.
bool same(DcmItem& a, DcmItem& b)
{
    DcmObject* x = a.nextInContainer(nullptr);
    DcmObject* y = b.nextInContainer(nullptr);
    for (; x && y; x = a.nextInContainer(x), y = b.nextInContainer(y)) {
        if (x->getTag() != y->getTag() || x->ident() != y->ident()) return false;
        if (x->ident() == EVR_SQ) {
            auto& xs = static_cast<DcmSequenceOfItems&>(*x);
            auto& ys = static_cast<DcmSequenceOfItems&>(*y);
            if (xs.card() != ys.card()) return false;
            DcmObject* xi = nullptr;
            DcmObject* yi = nullptr;
            while ((xi = xs.nextInContainer(xi)) && (yi = ys.nextInContainer(yi))) {
                if (!same(static_cast<DcmItem&>(*xi), static_cast<DcmItem&>(*yi))) return false;
            }
        } else if (x->ident() == EVR_DS) {
            OFString xt;
            OFString yt;
            if (static_cast<DcmElement*>(x)->getOFStringArray(xt).bad() || static_cast<DcmElement*>(y)->getOFStringArray(yt).bad() || xt != yt) return false;
        } else if (static_cast<DcmElement*>(x)->compare(static_cast<DcmElement&>(*y)) != 0) {
            return false;
        }
    }
    return !x && !y;
}

}  // namespace

int attributes_known()
{
    if (!dcmDataDict.isDictionaryLoaded()) return 0;
    const auto& dictionary = dcmDataDict.rdlock();
    const bool enough = dictionary.findEntry(DCM_PatientID, nullptr) && dictionary.findEntry(DCM_TrackingUID, nullptr);  // a table of private attributes alone has neither
    const int known = dictionary.numberOfNormalTagEntries();
    dcmDataDict.rdunlock();
    return enough ? known : 0;
}

ObjectReference reference_to(DcmItem& data)
{
    return {text_of(data, DCM_SOPClassUID).c_str(), text_of(data, DCM_SOPInstanceUID).c_str(), text_of(data, DCM_SeriesInstanceUID).c_str(), text_of(data, DCM_StudyInstanceUID).c_str()};
}

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

Result<std::unique_ptr<DcmFileFormat>> header_of(const ingest::CtSeries& ct, const ObjectParameters& parameters)
{
    if (ct.slices.empty()) return Error{Code::internal, "the CT names no image", "outputs: dicom"};
    const auto& file = ct.slices.front().file;
    auto source = std::make_unique<DcmFileFormat>();
    if (source->loadFileUntilTag(file.c_str(), EXS_Unknown, EGL_noChange, DCM_MaxReadLength, ERM_autoDetect, DCM_PixelData).bad()) {
        return Error{Code::io, "cannot read " + file.string(), "outputs: dicom"};
    }
    drop_invalid(*source->getDataset());
    if (parameters.hiding) {
        RETROMASS_TRY_ASSIGN(source, hidden_header(*source->getDataset(), ct, *parameters.hiding));
    }
    auto& data = *source->getDataset();
    if (text_of(data, DCM_FrameOfReferenceUID).empty()) {
        RETROMASS_TRY(put(data, DCM_FrameOfReferenceUID, derived_uid("frame of reference " + ct.facts.series_instance_uid, parameters.uid_root)));
    }
    RETROMASS_TRY(hold_texts(data, {parameters.protocol}));
    return source;
}

Status hold_texts(DcmItem& header, const std::vector<std::string>& texts)
{
    bool ascii = true;
    for (const auto& text : texts) {
        const auto kind = kind_of(text);
        if (kind == TextKind::not_text) return Error{Code::case_file, "a text of the case holds control characters or bytes that are no UTF-8, which no DICOM object can hold: " + printable(text), "outputs: dicom"};
        ascii = ascii && kind == TextKind::ascii;
    }
    if (!ascii) RETROMASS_DCM(header.convertToUTF8(), "the CT's character set");
    return Done{};
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
    if (text_of(to, DCM_PatientIdentityRemoved) == "YES" && text_of(to, DCM_DeidentificationMethod).empty() && !to.tagExistsWithValue(DCM_DeidentificationMethodCodeSequence)) {
        RETROMASS_TRY(put(to, DCM_DeidentificationMethod, "not stated by the CT"));  // type 1C: some CTs leave it empty
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
    RETROMASS_TRY(put(out, DCM_SoftwareVersions, RETROMASS_VERSION));
    if (ct.facts.synthetic) RETROMASS_TRY(put(out, DCM_QualityControlSubject, "YES"));
    if (!parameters.protocol.empty()) RETROMASS_TRY(put_protocol(out, parameters.protocol));
    for (const auto& tag : {DCM_InstanceCreationDate, DCM_InstanceCreationTime}) out.findAndDeleteElement(tag);
    return Done{};
}

Status put_verification(DcmItem& out, const std::string& organization, const std::string& reader, const std::string& iso_time)
{
    RETROMASS_TRY(put(out, DCM_CompletionFlag, "COMPLETE"));
    RETROMASS_TRY(put(out, DCM_PreliminaryFlag, "FINAL"));
    RETROMASS_TRY(put(out, DCM_VerificationFlag, "VERIFIED"));
    out.findAndDeleteElement(DCM_VerifyingObserverSequence);
    RETROMASS_TRY_ASSIGN(auto* const observer, add_item(out, DCM_VerifyingObserverSequence));
    RETROMASS_TRY(put(*observer, DCM_VerifyingOrganization, organization));
    RETROMASS_TRY(put(*observer, DCM_VerificationDateTime, dicom_time(iso_time)));
    RETROMASS_TRY(put(*observer, DCM_VerifyingObserverName, reader));
    RETROMASS_DCM(observer->insertEmptyElement(DCM_VerifyingObserverIdentificationCodeSequence), "the observer");
    return Done{};
}

Status put_predecessor_document(DcmItem& out, const ObjectReference& predecessor)
{
    RETROMASS_TRY_ASSIGN(auto* const study, add_item(out, DCM_PredecessorDocumentsSequence));
    RETROMASS_TRY(put(*study, DCM_StudyInstanceUID, predecessor.study_uid));
    RETROMASS_TRY_ASSIGN(auto* const series, add_item(*study, DCM_ReferencedSeriesSequence));
    RETROMASS_TRY(put(*series, DCM_SeriesInstanceUID, predecessor.series_uid));
    RETROMASS_TRY_ASSIGN(auto* const instance, add_item(*series, DCM_ReferencedSOPSequence));
    RETROMASS_TRY(put(*instance, DCM_ReferencedSOPClassUID, predecessor.sop_class_uid));
    return put(*instance, DCM_ReferencedSOPInstanceUID, predecessor.sop_instance_uid);
}

std::optional<ObjectIdentity> identity_of(const std::filesystem::path& file)
{
    DcmFileFormat format;
    if (format.loadFileUntilTag(file.c_str(), EXS_Unknown, EGL_noChange, DCM_MaxReadLength, ERM_autoDetect, DCM_PixelData).bad()) return std::nullopt;
    auto& data = *format.getDataset();
    ObjectIdentity out{reference_to(data), std::nullopt};
    if (out.self.sop_class_uid.empty() || out.self.sop_instance_uid.empty()) return std::nullopt;
    DcmItem* study = nullptr;
    DcmItem* series = nullptr;
    DcmItem* instance = nullptr;
    if (data.findAndGetSequenceItem(DCM_PredecessorDocumentsSequence, study).good() && study->findAndGetSequenceItem(DCM_ReferencedSeriesSequence, series).good() &&
        series->findAndGetSequenceItem(DCM_ReferencedSOPSequence, instance).good()) {
        out.predecessor = ObjectReference{text_of(*instance, DCM_ReferencedSOPClassUID).c_str(), text_of(*instance, DCM_ReferencedSOPInstanceUID).c_str(),
                                          text_of(*series, DCM_SeriesInstanceUID).c_str(), text_of(*study, DCM_StudyInstanceUID).c_str()};
    } else if (data.findAndGetSequenceItem(DCM_PredecessorStructureSetSequence, instance).good()) {
        out.predecessor = ObjectReference{text_of(*instance, DCM_ReferencedSOPClassUID).c_str(), text_of(*instance, DCM_ReferencedSOPInstanceUID).c_str(), "", ""};
    }
    return out;
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

Status same_on_disk(DcmDataset& data, const std::filesystem::path& file)
{
    const auto differs = [&](const std::string& why) { return Error{Code::verification_failed, file.filename().string() + ", read back, " + why, "outputs: dicom"}; };
    DcmFileFormat again;
    const auto loaded = again.loadFile(file.c_str());
    if (loaded.bad()) return differs(std::string("cannot be read: ") + loaded.text());
    RETROMASS_DCM(again.loadAllDataIntoMemory(), "reading back " + file.filename().string());
    if (!same(*again.getDataset(), data)) return differs("is not what was written");
    return Done{};
}

Result<ObjectReference> save(DcmFileFormat& object, const std::filesystem::path& file, const ObjectParameters& parameters, E_TransferSyntax syntax)
{
    auto& data = *object.getDataset();
    data.findAndDeleteElement(DCM_SOPInstanceUID);
    object.getMetaInfo()->clear();  // an object that was read names its own instance there
    const auto write = [&](E_FileWriteMode mode) { return object.saveFile(file.c_str(), syntax, EET_ExplicitLength, EGL_recalcGL, EPD_withoutPadding, 0, 0, mode); };
    RETROMASS_DCM(write(EWM_dataset), "cannot write " + file.string());
    RETROMASS_TRY_ASSIGN(const auto content, sha256_of_file(file));
    RETROMASS_TRY(put(data, DCM_SOPInstanceUID, derived_uid("instance " + content, parameters.uid_root)));
    RETROMASS_DCM(write(EWM_fileformat), "cannot write " + file.string());
    RETROMASS_TRY(same_on_disk(data, file));
    return reference_to(data);
}

}  // namespace retromass::outputs
