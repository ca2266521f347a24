#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/oflog/oflog.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <span>

#include "pipeline/ingest/header.h"

namespace retromass::ingest {
namespace {

constexpr std::uintmax_t kLargestHeader = 64u << 20;   // a header of 64 MiB is no CT
constexpr int kDeepestNesting = 64;

std::string text(DcmItem& item, const DcmTagKey& key)
{
    OFString value;
    if (item.findAndGetOFStringArray(key, value).bad()) return {};
    std::string out(value.c_str(), value.length());
    const auto first = out.find_first_not_of(' ');
    const auto last = out.find_last_not_of(' ');
    return first == std::string::npos ? std::string() : out.substr(first, last - first + 1);
}

std::optional<double> number(DcmItem& item, const DcmTagKey& key, unsigned long position = 0)
{
    Float64 value = 0;
    if (item.findAndGetFloat64(key, value, position).bad()) return std::nullopt;
    return value;
}

std::optional<PatientPoint> triple(DcmItem& item, const DcmTagKey& key, unsigned long first = 0)
{
    const auto x = number(item, key, first);
    const auto y = number(item, key, first + 1);
    const auto z = number(item, key, first + 2);
    if (!x || !y || !z) return std::nullopt;
    return PatientPoint{*x, *y, *z};
}

std::string digest(const std::string& bytes)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    EVP_Digest(bytes.data(), bytes.size(), out, &length, EVP_sha256(), nullptr);
    static const char* hex = "0123456789abcdef";
    std::string result;
    for (unsigned int i = 0; i < length; ++i) result += {hex[out[i] >> 4], hex[out[i] & 15]};
    return result;
}

std::optional<Date> date(DcmItem& item, const DcmTagKey& key)
{
    const auto value = text(item, key);
    return parse_date(value.substr(0, std::min<std::size_t>(value.size(), 8)));
}

std::string lower(std::string value)
{
    for (auto& c : value) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return value;
}

/// Only what the header plainly states; everything else stays unstated (definitions 6.6).
std::string phase_of(const AcquisitionFacts& facts, const std::string& protocol)
{
    const auto words = lower(facts.series_description + " " + protocol);
    const auto says = [&](const char* word) { return words.find(word) != std::string::npos; };
    if (says("portal")) return "portal-venous";
    if (says("arterial")) return "arterial";
    if (says("delayed")) return "delayed";
    if (says("unenhanced") || says("non contrast") || says("non-contrast") || says("noncontrast") || says("native")) return "none";
    return {};
}

/// Cheap test before any parser sees the file: DICM mark, or plausible first tag of a file without preamble.
bool looks_like_dicom(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    char start[132] = {};
    in.read(start, sizeof start);
    const auto read = in.gcount();
    if (read >= 132 && std::string(start + 128, 4) == "DICM") return true;
    if (read < 8) return false;
    const auto group = static_cast<unsigned char>(start[0]) | static_cast<unsigned char>(start[1]) << 8;
    return group == 0x0002 || group == 0x0008;
}

/// DCMTK parses sequences by recursion; a file that nests thousands of them would exhaust the stack. Items open with FFFE,E000:
/// counting the longest run of openings without a close bounds the depth without parsing.
bool nests_too_deep(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    std::vector<char> bytes(1 << 20);
    long depth = 0;
    unsigned window = 0;
    while (in) {
        in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        for (std::streamsize i = 0; i < in.gcount(); ++i) {
            window = window << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
            if (window == 0xFEFF00E0 || window == 0xFFFEE000) ++depth;
            if (window == 0xFEFF0DE0 || window == 0xFFFEE00D) --depth;
            if (depth > 4096) return true;
        }
    }
    return false;
}

}  // namespace

Result<Header> read_header(const std::filesystem::path& file)
{
    static const bool quiet = [] {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        return true;
    }();
    (void)quiet;
    const auto fail = [](Code code, std::string why) { return Error{code, std::move(why), "ingest"}; };
    std::error_code ignored;
    const auto size = std::filesystem::file_size(file, ignored);
    if (ignored || size == 0) return fail(Code::not_dicom, "empty or unreadable file");
    if (!looks_like_dicom(file)) return fail(Code::not_dicom, "not a DICOM file");
    (void)kDeepestNesting;
    if (size < (16u << 20) && nests_too_deep(file)) return fail(Code::malformed, "sequences nest too deeply");
    DcmFileFormat format;
    const auto status = format.loadFileUntilTag(file.c_str(), EXS_Unknown, EGL_noChange, static_cast<Uint32>(std::min(size, kLargestHeader)), ERM_autoDetect, DCM_PixelData);
    if (status.bad()) return fail(Code::malformed, std::string("header cannot be read: ") + status.text());
    auto& data = *format.getDataset();
    Header out;
    out.file = file;
    out.sop_class_uid = text(data, DCM_SOPClassUID);
    out.sop_instance_uid = text(data, DCM_SOPInstanceUID);
    auto& facts = out.facts;
    facts.modality = text(data, DCM_Modality);
    if (text(data, DCM_MediaStorageSOPClassUID) == UID_MediaStorageDirectoryStorage || data.tagExists(DCM_DirectoryRecordSequence)) {
        return fail(Code::not_an_image, "a DICOMDIR; its folder is searched");
    }
    if (facts.modality != "CT" && out.sop_class_uid != UID_CTImageStorage && out.sop_class_uid != UID_EnhancedCTImageStorage) {
        return fail(Code::not_an_image, "modality " + (facts.modality.empty() ? std::string("not stated") : facts.modality) + ", not a CT image");
    }
    facts.study_instance_uid = text(data, DCM_StudyInstanceUID);
    facts.series_instance_uid = text(data, DCM_SeriesInstanceUID);
    facts.frame_of_reference_uid = text(data, DCM_FrameOfReferenceUID);
    data.convertToUTF8();
    facts.study_description = text(data, DCM_StudyDescription);
    facts.series_description = text(data, DCM_SeriesDescription);
    facts.series_number = static_cast<int>(number(data, DCM_SeriesNumber).value_or(0));
    facts.manufacturer = text(data, DCM_Manufacturer);
    facts.model = text(data, DCM_ManufacturerModelName);
    facts.image_type = text(data, DCM_ImageType);
    for (std::size_t at = 0; at <= facts.image_type.size();) {
        const auto end = std::min(facts.image_type.find('\\', at), facts.image_type.size());
        out.image_type.push_back(facts.image_type.substr(at, end - at));
        at = end + 1;
    }
    facts.kernel = text(data, DCM_ConvolutionKernel);
    facts.contrast_agent = text(data, DCM_ContrastBolusAgent);
    facts.contrast_phase = phase_of(facts, text(data, DCM_ProtocolName));
    facts.body_part = text(data, DCM_BodyPartExamined);
    facts.slice_thickness_mm = number(data, DCM_SliceThickness);
    facts.kvp = number(data, DCM_KVP);
    facts.acquisition_date = date(data, DCM_AcquisitionDate);
    facts.series_date = date(data, DCM_SeriesDate);
    facts.study_date = date(data, DCM_StudyDate);
    const auto identity = text(data, DCM_PatientID) + "|" + text(data, DCM_IssuerOfPatientID) + "|" + text(data, DCM_PatientBirthDate) + "|" + text(data, DCM_PatientSex);
    facts.patient_key = identity == "|||" ? std::string() : digest(identity);
    facts.synthetic = text(data, DCM_QualityControlImage) == "YES";
    facts.transfer_syntax = DcmXfer(data.getOriginalXfer()).getXferID();
    Uint16 value = 0;
    if (data.findAndGetUint16(DCM_Rows, value).good()) out.rows = value;
    if (data.findAndGetUint16(DCM_Columns, value).good()) out.columns = value;
    if (data.findAndGetUint16(DCM_BitsAllocated, value).good()) out.bits_allocated = value;
    if (data.findAndGetUint16(DCM_SamplesPerPixel, value).good()) out.samples_per_pixel = value;
    out.frames = static_cast<int>(number(data, DCM_NumberOfFrames).value_or(1));
    out.position = triple(data, DCM_ImagePositionPatient);
    out.column_step = triple(data, DCM_ImageOrientationPatient, 0);
    out.row_step = triple(data, DCM_ImageOrientationPatient, 3);
    out.row_spacing_mm = number(data, DCM_PixelSpacing, 0);      // DICOM: first the distance between rows
    out.column_spacing_mm = number(data, DCM_PixelSpacing, 1);
    out.rescaled = number(data, DCM_RescaleSlope) && number(data, DCM_RescaleIntercept);
    out.rescale_type = text(data, DCM_RescaleType);
    out.lossy = text(data, DCM_LossyImageCompression) == "01";
    out.acquisition_number = text(data, DCM_AcquisitionNumber);
    out.temporal_position = text(data, DCM_TemporalPositionIdentifier) + "|" + text(data, DCM_NominalPercentageOfCardiacPhase);
    out.acquisition_time = text(data, DCM_AcquisitionDate) + text(data, DCM_AcquisitionTime);
    out.content_key = text(data, DCM_InstanceNumber);
    out.has_pixels = out.rows > 0 && out.columns > 0;
    return out;
}

}  // namespace retromass::ingest
