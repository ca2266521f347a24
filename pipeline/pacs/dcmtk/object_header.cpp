#include "pipeline/pacs/object_header.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include "pipeline/pacs/dcmtk/toolkit.h"
#include "pipeline/pacs/query.h"

namespace retromass::pacs {

Result<ObjectHeader> read_object_header(const std::filesystem::path& file)
{
    const std::string where = "pacs: read_object_header";
    silence_toolkit();
    DcmFileFormat format;
    // The last attribute of interest is (0028,0300); the pixels stay where they are.
    const auto read = format.loadFileUntilTag(file.c_str(), EXS_Unknown, EGL_noChange, DCM_MaxReadLength, ERM_fileOnly, DcmTagKey(0x0028, 0x0301));
    if (read.bad()) return Error{read == EC_FileMetaInfoHeaderMissing ? Code::not_dicom : Code::malformed, file.string() + " is not read as DICOM: " + read.text(), where};
    auto& data = *format.getDataset();
    const auto text = [&](DcmItem& item, const DcmTagKey& tag) {
        OFString value;
        item.findAndGetOFString(tag, value);
        return std::string(value.c_str(), value.size());
    };
    ObjectHeader out;
    out.transfer_syntax = text(*format.getMetaInfo(), DCM_TransferSyntaxUID);
    out.sop_class_uid = text(data, DCM_SOPClassUID);
    out.sop_instance_uid = text(data, DCM_SOPInstanceUID);
    out.study_instance_uid = text(data, DCM_StudyInstanceUID);
    out.series_instance_uid = text(data, DCM_SeriesInstanceUID);
    out.synthetic = text(data, DCM_QualityControlImage) == "YES" || text(data, DCM_QualityControlSubject) == "YES";
    for (const auto& [value, name] : {std::pair{&out.transfer_syntax, "transfer syntax"}, {&out.sop_class_uid, "SOP class"}, {&out.sop_instance_uid, "SOP instance"},
                                      {&out.study_instance_uid, "study"}, {&out.series_instance_uid, "series"}}) {
        if (!is_uid(*value)) return Error{Code::malformed, file.string() + ": the UID of its " + name + " is missing or is none", where};
    }
    return out;
}

}  // namespace retromass::pacs
