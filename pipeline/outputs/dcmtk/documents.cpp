#include <fstream>
#include <iterator>

#include "pipeline/outputs/dcmtk/dataset.h"
#include "pipeline/outputs/objects.h"

namespace retromass::outputs {
namespace {

constexpr Kind kPictures{"pictures", "OT", "key images", 12000};
constexpr Kind kPdf{"pdf", "DOC", "report", 13000};

/// The object without what it shows: patient, study, series.
Status begin(DcmFileFormat& out, const ingest::CtSeries& ct, const char* sop_class, const Kind& kind, const std::string& title, const ObjectParameters& parameters)
{
    RETROMASS_TRY_ASSIGN(const auto source, header_of(ct, parameters));
    RETROMASS_TRY(hold_texts(*source->getDataset(), {title}));
    auto& data = *out.getDataset();
    RETROMASS_TRY(put(data, DCM_SOPClassUID, sop_class));
    RETROMASS_TRY(copy_patient_and_study(*source->getDataset(), data));
    RETROMASS_TRY(put_series(data, *source->getDataset(), ct, kind, parameters));
    RETROMASS_TRY(put(data, DCM_ConversionType, "WSD"));
    return put(data, DCM_BurnedInAnnotation, parameters.hiding ? "NO" : "YES");  // what is drawn: the pseudonym, and dates as the case has them
}

}  // namespace

Result<ObjectReference> write_capture(const std::filesystem::path& file, const ingest::CtSeries& ct, const RgbPicture& picture, const std::string& title, int number,
                                      const ObjectParameters& parameters)
{
    silence_toolkit();
    DcmFileFormat out;
    RETROMASS_TRY(begin(out, ct, UID_SecondaryCaptureImageStorage, kPictures, title, parameters));
    auto& data = *out.getDataset();
    RETROMASS_TRY(put(data, DCM_InstanceNumber, std::to_string(number)));
    RETROMASS_TRY(put(data, DCM_ImageType, "DERIVED\\SECONDARY"));
    RETROMASS_TRY(put(data, DCM_ImageComments, title));
    for (const auto& tag : {DCM_PatientOrientation, DCM_Laterality}) RETROMASS_DCM(data.insertEmptyElement(tag), "the orientation");  // it stands in the picture
    RETROMASS_TRY(put(data, DCM_PhotometricInterpretation, "RGB"));
    const struct { DcmTagKey tag; int value; } numbers[] = {{DCM_SamplesPerPixel, 3}, {DCM_PlanarConfiguration, 0}, {DCM_Rows, picture.height}, {DCM_Columns, picture.width},
                                                            {DCM_BitsAllocated, 8}, {DCM_BitsStored, 8}, {DCM_HighBit, 7}, {DCM_PixelRepresentation, 0}};
    for (const auto& [tag, value] : numbers) RETROMASS_DCM(data.putAndInsertUint16(tag, static_cast<Uint16>(value)), "the picture");
    auto pixels = picture.pixels;
    if (pixels.size() % 2 != 0) pixels.push_back(0);
    RETROMASS_DCM(data.putAndInsertUint8Array(DCM_PixelData, pixels.data(), static_cast<unsigned long>(pixels.size())), "the pixels");
    return save(out, file, parameters);
}

Result<ObjectReference> write_encapsulated_pdf(const std::filesystem::path& file, const ingest::CtSeries& ct, const std::filesystem::path& pdf, const std::string& title,
                                               const ObjectParameters& parameters)
{
    silence_toolkit();
    std::ifstream in(pdf, std::ios::binary);
    std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
    if (bytes.empty()) return Error{Code::io, "cannot read " + pdf.string(), "outputs: write_encapsulated_pdf"};
    DcmFileFormat out;
    RETROMASS_TRY(begin(out, ct, UID_EncapsulatedPDFStorage, kPdf, title, parameters));
    auto& data = *out.getDataset();
    RETROMASS_TRY(put(data, DCM_InstanceNumber, "1"));
    RETROMASS_DCM(data.insertEmptyElement(DCM_AcquisitionDateTime), "the acquisition time");
    RETROMASS_TRY(put(data, DCM_DocumentTitle, title));
    RETROMASS_TRY(put_code(data, DCM_ConceptNameCodeSequence, "126000", "DCM", "Imaging Measurement Report"));
    RETROMASS_TRY(put(data, DCM_VerificationFlag, "UNVERIFIED"));
    if (parameters.predecessor) RETROMASS_TRY(put_predecessor_document(data, *parameters.predecessor));
    RETROMASS_TRY(put(data, DCM_MIMETypeOfEncapsulatedDocument, "application/pdf"));
    RETROMASS_DCM(data.putAndInsertUint32(DCM_EncapsulatedDocumentLength, static_cast<Uint32>(bytes.size())), "the length");
    if (bytes.size() % 2 != 0) bytes.push_back(0);
    RETROMASS_DCM(data.putAndInsertUint8Array(DCM_EncapsulatedDocument, reinterpret_cast<const Uint8*>(bytes.data()), static_cast<unsigned long>(bytes.size())), "the document");
    return save(out, file, parameters);
}

}  // namespace retromass::outputs
