#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpeg/djrplol.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <mutex>

#include "core/parallel.h"
#include "sample_data/phantom.h"
#include "sample_data/random.h"

namespace retromass::sample_data {
namespace {

/// A UID under 2.25 (a UUID as a decimal number, PS3.5 B.2) made from a text: the same text gives the same UID.
std::string uid(const std::string& text)
{
    unsigned __int128 value = (static_cast<unsigned __int128>(hash_of(text, 1)) << 64) | hash_of(text, 2);
    std::string digits;
    while (value > 0) {
        digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
        value /= 10;
    }
    return "2.25." + digits;
}

/// A decimal string of at most 16 characters (VR DS).
std::string ds(double value)
{
    char buffer[64];
    for (int digits = 10; digits > 3; --digits) {
        std::snprintf(buffer, sizeof buffer, "%.*g", digits, std::abs(value) < 1e-9 ? 0.0 : value);
        if (std::string(buffer).size() <= 16) break;
    }
    return buffer;
}

std::string day(Date date)
{
    auto text = iso(date);
    text.erase(std::remove(text.begin(), text.end(), '-'), text.end());
    return text;
}

void register_encoder()
{
    static std::once_flag once;
    std::call_once(once, [] {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        DJEncoderRegistration::registerCodecs(ECC_lossyYCbCr, EUC_never);  // a lossless copy keeps its UID (PS3.3 C.12.1.1)
    });
}

constexpr int kIntercept = -1024;

}  // namespace

std::string image_uid(const DicomDescription& series, int slice) { return uid("image " + series.uid_seed + " " + std::to_string(slice)); }

Status write_dicom(const std::filesystem::path& folder, const CtVolume& ct, const DicomDescription& d, int threads)
{
    register_encoder();
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return Error{Code::io, folder.string() + " cannot be created: " + error.message(), "sample_data"};
    const auto& g = ct.geometry;
    const auto n = g.size();
    std::mutex guard;
    std::string failed;
    const double thickness = d.slice_thickness_mm > 0 ? d.slice_thickness_mm : g.slab_mm(0);
    parallel_for(n.slices, threads, [&](int k) {
        DcmFileFormat file;
        auto& data = *file.getDataset();
        const auto put = [&](const DcmTagKey& key, const std::string& value) { data.putAndInsertString(key, value.c_str()); };
        put(DCM_SpecificCharacterSet, "ISO_IR 192");
        put(DCM_ImageType, "ORIGINAL\\PRIMARY\\AXIAL");
        put(DCM_SOPClassUID, UID_CTImageStorage);
        put(DCM_SOPInstanceUID, image_uid(d, k));
        put(DCM_StudyDate, day(d.date));
        put(DCM_SeriesDate, day(d.date));
        put(DCM_AcquisitionDate, day(d.date));
        put(DCM_ContentDate, day(d.date));
        put(DCM_StudyTime, "100000");
        put(DCM_SeriesTime, "100000");
        put(DCM_AcquisitionTime, "100000");
        put(DCM_ContentTime, "100000");
        put(DCM_AccessionNumber, "");
        put(DCM_Modality, "CT");
        put(DCM_Manufacturer, "Retromass phantom generator");
        put(DCM_ReferringPhysicianName, "");
        put(DCM_StudyDescription, d.study_description);
        put(DCM_SeriesDescription, d.series_description);
        put(DCM_ManufacturerModelName, "SYNTHETIC");
        put(DCM_PatientName, "SYNTHETIC^RETROMASS");
        put(DCM_PatientID, d.patient_id);
        put(DCM_PatientBirthDate, "");
        put(DCM_PatientSex, "F");
        put(DCM_ContrastBolusAgent, d.contrast_agent);
        put(DCM_BodyPartExamined, "ABDOMEN");
        put(DCM_SliceThickness, ds(thickness));
        put(DCM_KVP, ds(d.kvp));
        put(DCM_ProtocolName, d.protocol.empty() ? "SYNTHETIC" : d.protocol);
        put(DCM_ConvolutionKernel, d.kernel);
        put(DCM_PatientPosition, "HFS");
        put(DCM_StudyInstanceUID, uid("study " + d.uid_seed));
        put(DCM_SeriesInstanceUID, uid("series " + d.uid_seed));
        put(DCM_StudyID, "1");
        put(DCM_SeriesNumber, std::to_string(d.series_number));
        put(DCM_AcquisitionNumber, "1");
        put(DCM_InstanceNumber, std::to_string(k + 1));
        const auto o = g.slice_origin(k);
        put(DCM_ImagePositionPatient, ds(o.x) + "\\" + ds(o.y) + "\\" + ds(o.z));
        const auto c = g.column_step();
        const auto r = g.row_step();
        put(DCM_ImageOrientationPatient, ds(c.x) + "\\" + ds(c.y) + "\\" + ds(c.z) + "\\" + ds(r.x) + "\\" + ds(r.y) + "\\" + ds(r.z));
        put(DCM_FrameOfReferenceUID, uid("frame " + (d.frame_of_reference_seed.empty() ? d.uid_seed : d.frame_of_reference_seed)));
        put(DCM_PositionReferenceIndicator, "");
        data.putAndInsertUint16(DCM_SamplesPerPixel, 1);
        put(DCM_PhotometricInterpretation, "MONOCHROME2");
        data.putAndInsertUint16(DCM_Rows, static_cast<Uint16>(n.rows));
        data.putAndInsertUint16(DCM_Columns, static_cast<Uint16>(n.columns));
        put(DCM_PixelSpacing, ds(g.row_spacing_mm()) + "\\" + ds(g.column_spacing_mm()));
        data.putAndInsertUint16(DCM_BitsAllocated, 16);
        data.putAndInsertUint16(DCM_BitsStored, 16);
        data.putAndInsertUint16(DCM_HighBit, 15);
        data.putAndInsertUint16(DCM_PixelRepresentation, 0);
        put(DCM_QualityControlImage, "YES");
        put(DCM_BurnedInAnnotation, "NO");
        put(DCM_RescaleIntercept, std::to_string(kIntercept));
        put(DCM_RescaleSlope, "1");
        put(DCM_RescaleType, "HU");
        std::vector<Uint16> pixels(n.plane());
        const auto plane = ct.hu.plane(k);
        for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<Uint16>(std::clamp(plane[i] - kIntercept, 0, 65535));
        data.putAndInsertUint16Array(DCM_PixelData, pixels.data(), pixels.size());
        E_TransferSyntax syntax = EXS_LittleEndianExplicit;
        OFCondition status = EC_Normal;
        if (d.lossless_jpeg) {
            DJ_RPLossless parameters(1, 0);
            syntax = EXS_JPEGProcess14SV1;
            status = data.chooseRepresentation(syntax, &parameters);
        }
        char name[32];
        std::snprintf(name, sizeof name, "CT%05d.dcm", k + 1);
        if (status.good()) status = file.saveFile((folder / name).c_str(), syntax);
        if (status.bad()) {
            const std::scoped_lock lock(guard);
            failed = std::string(name) + ": " + status.text();
        }
    });
    if (!failed.empty()) return Error{Code::io, folder.string() + ": " + failed, "sample_data"};
    return Done{};
}

}  // namespace retromass::sample_data
