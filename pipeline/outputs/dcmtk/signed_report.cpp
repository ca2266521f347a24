#include "pipeline/outputs/dcmtk/dataset.h"
#include "pipeline/outputs/objects.h"

namespace retromass::outputs {
namespace {

/// The series of signed reports stands beside the one of unsigned ones.
Status put_signed_series(DcmItem& data, const std::string& uid_root)
{
    const std::string series = text_of(data, DCM_SeriesInstanceUID).c_str();
    std::string description = text_of(data, DCM_SeriesDescription).c_str();
    description = description.substr(0, description.rfind(", ")) + ", signed";
    RETROMASS_TRY(put(data, DCM_SeriesInstanceUID, derived_uid("signed series " + series, uid_root)));
    return put(data, DCM_SeriesDescription, description);
}

Result<ObjectReference> read_and_sign(const std::filesystem::path& report, const std::filesystem::path& signed_file, const Verifier& verifier, const std::string& uid_root)
{
    DcmFileFormat object;
    RETROMASS_DCM(object.loadFile(report.c_str()), "cannot read " + report.string());
    auto& data = *object.getDataset();
    if (text_of(data, DCM_SOPClassUID) != UID_Comprehensive3DSRStorage) return Error{Code::malformed, report.string() + " is no report", "outputs: sign_report"};
    const auto before = reference_to(data);
    RETROMASS_TRY(hold_texts(data, {verifier.reader}));
    RETROMASS_TRY(put_verification(data, "not stated", verifier.reader, verifier.time));
    data.findAndDeleteElement(DCM_PredecessorDocumentsSequence);  // that of the instance before; it leads on to older ones
    RETROMASS_TRY(put_predecessor_document(data, before));
    RETROMASS_TRY(put_signed_series(data, uid_root));
    ObjectParameters parameters;
    parameters.uid_root = uid_root;
    return save(object, signed_file, parameters);
}

}  // namespace

Result<ObjectReference> sign_report(const std::filesystem::path& report, const std::filesystem::path& signed_file, const Verifier& verifier, const std::string& uid_root)
{
    silence_toolkit();
    try {
        return read_and_sign(report, signed_file, verifier, uid_root);
    } catch (const std::exception& error) {
        return Error{Code::internal, std::string("DICOM SR: ") + error.what(), "outputs: sign_report"};
    }
}

}  // namespace retromass::outputs
