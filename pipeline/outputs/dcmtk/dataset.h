#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <initializer_list>
#include <memory>
#include <string>

#include "pipeline/outputs/outputs.h"

/// What all DICOM objects share: the patient and study of the CT, a series of their own, an instance named by its content.
namespace retromass::outputs {

inline constexpr const char* kNoDate = "19000101";  ///< a date is type 1 in places; a CT without any gets one nobody takes for real

/// A failure of the library, as ours.
Error failure(const std::string& what, const OFCondition& condition);

#define RETROMASS_DCM(call, what)                               \
    do {                                                        \
        const OFCondition condition_ = (call);                  \
        if (condition_.bad()) return failure(what, condition_); \
    } while (false)

/// A decimal string: the most digits that fit into the 16 characters of the value representation.
OFString ds(double value);
/// The libraries' own remarks stay out of the program's output; every failure comes back as a condition.
void silence_toolkit();
OFString text_of(DcmItem& item, const DcmTagKey& tag);
OFString first_of(DcmItem& item, std::initializer_list<DcmTagKey> tags, const char* otherwise);
Status put(DcmItem& item, const DcmTagKey& tag, const std::string& value);
/// A new item at the end of a sequence, which is made where it lacks.
Result<DcmItem*> add_item(DcmItem& parent, const DcmTagKey& sequence);
/// One item with Code Value, Coding Scheme Designator and Code Meaning.
Status put_code(DcmItem& parent, const DcmTagKey& sequence, const std::string& value, const std::string& scheme, const std::string& meaning);

/// The header of the CT's first image, up to the pixels. Has a frame of reference in any case: one of our own, the same at every run, where
/// the CT names none. Of a case whose people are hidden it holds nothing but what its de-identified objects may (PS3.15 table E.1-1): see docs/stages/outputs.md.
Result<std::unique_ptr<DcmFileFormat>> header_of(const ingest::CtSeries& ct, const ObjectParameters& parameters);
/// Makes the header hold our `texts`: UTF-8 if one is not ASCII. Refuses (case_file) what no character set holds: control characters, and bytes that are no UTF-8.
Status hold_texts(DcmItem& header, const std::vector<std::string>& texts);
/// Copies Specific Character Set and the attributes of patient and study, as they stand in the CT.
Status copy_patient_and_study(DcmItem& from, DcmItem& to);

/// The kinds of object, and what their series are called.
struct Kind {
    const char* name;           ///< names the series UID
    const char* modality;
    const char* description;    ///< after "RESEARCH "
    int series_number;          ///< added to the CT's, clear of the scanner's own numbers
};
/// Series and equipment attributes, dates as the CT's. The series is one of its own for each CT, owner, kind and review state.
Status put_series(DcmItem& out, DcmItem& source, const ingest::CtSeries& ct, const Kind& kind, const ObjectParameters& parameters);
/// What others refer to the object by.
ObjectReference reference_to(DcmItem& data);
/// Complete, final and verified by a reader (PS3.3 C.17.2).
Status put_verification(DcmItem& out, const std::string& organization, const std::string& reader, const std::string& iso_time);
/// Names the document that this one replaces in the Predecessor Documents Sequence.
Status put_predecessor_document(DcmItem& out, const ObjectReference& predecessor);
/// Names every image of the CT in a Referenced Series Sequence.
Status reference_series(DcmItem& out, const ingest::CtSeries& ct);

/// Whether the file, read back, holds exactly these attributes; fails with verification_failed.
Status same_on_disk(DcmDataset& data, const std::filesystem::path& file);
/// Writes the object under a SOP Instance UID made of everything it holds: other content is another instance. Then reads it back and compares.
Result<ObjectReference> save(DcmFileFormat& object, const std::filesystem::path& file, const ObjectParameters& parameters, E_TransferSyntax syntax = EXS_LittleEndianExplicit);

}  // namespace retromass::outputs
