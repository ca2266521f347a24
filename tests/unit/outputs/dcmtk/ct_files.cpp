#include "tests/unit/outputs/dcmtk/ct_files.h"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dctk.h>

#include <cstdio>

#include "pipeline/outputs/outputs.h"

namespace retromass::test {
namespace {

std::string ds(double value)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", value);
    return text;
}

std::string ds(PatientPoint p) { return ds(p.x) + "\\" + ds(p.y) + "\\" + ds(p.z); }

}  // namespace

ingest::CtSeries write_ct(const std::filesystem::path& folder, CtVolume volume, const std::string& seed, const std::string& date)
{
    std::filesystem::create_directories(folder);
    ingest::CtSeries series;
    series.facts.study_instance_uid = outputs::derived_uid("study " + seed);
    series.facts.series_instance_uid = outputs::derived_uid("series " + seed);
    series.facts.frame_of_reference_uid = outputs::derived_uid("frame " + seed);
    series.facts.series_number = 3;
    series.facts.modality = "CT";
    series.facts.kvp = 120;
    series.facts.kernel = "B30f";
    series.facts.contrast_phase = "portal-venous";
    series.facts.acquisition_date = parse_date(date);
    series.facts.synthetic = true;
    const auto& geometry = volume.geometry;
    const auto& size = geometry.size();
    series.facts.slice_thickness_mm = geometry.slab_mm(0);
    for (int k = 0; k < size.slices; ++k) {
        DcmFileFormat file;
        auto& out = *file.getDataset();
        const auto instance = outputs::derived_uid("image " + seed + " " + std::to_string(k));
        const auto put = [&out](const DcmTagKey& tag, const std::string& value) { out.putAndInsertOFStringArray(tag, value.c_str()); };
        put(DCM_SOPClassUID, UID_CTImageStorage);
        put(DCM_SOPInstanceUID, instance);
        put(DCM_StudyInstanceUID, series.facts.study_instance_uid);
        put(DCM_SeriesInstanceUID, series.facts.series_instance_uid);
        put(DCM_FrameOfReferenceUID, series.facts.frame_of_reference_uid);
        put(DCM_PatientName, "Phantom^Ball");
        put(DCM_PatientID, "PHANTOM");
        put(DCM_PatientBirthDate, "");
        put(DCM_PatientSex, "");
        put(DCM_StudyID, "1");
        put(DCM_AccessionNumber, "");
        put(DCM_ReferringPhysicianName, "");
        put(DCM_PositionReferenceIndicator, "");
        put(DCM_Modality, "CT");
        put(DCM_ImageType, "ORIGINAL\\PRIMARY\\AXIAL");
        std::string day;
        for (const char c : date) if (c != '-') day += c;
        for (const auto& tag : {DCM_StudyDate, DCM_SeriesDate, DCM_AcquisitionDate, DCM_ContentDate}) put(tag, day);
        for (const auto& tag : {DCM_StudyTime, DCM_ContentTime}) put(tag, "101500");
        put(DCM_SeriesNumber, "3");
        put(DCM_InstanceNumber, std::to_string(k + 1));
        put(DCM_KVP, "120");
        put(DCM_Manufacturer, "");
        put(DCM_PatientPosition, "HFS");
        put(DCM_AcquisitionNumber, "1");
        put(DCM_ImageOrientationPatient, ds(geometry.column_step()) + "\\" + ds(geometry.row_step()));
        put(DCM_ImagePositionPatient, ds(geometry.slice_origin(k)));
        put(DCM_PixelSpacing, ds(geometry.row_spacing_mm()) + "\\" + ds(geometry.column_spacing_mm()));
        put(DCM_SliceThickness, ds(geometry.slab_mm(k)));
        put(DCM_PhotometricInterpretation, "MONOCHROME2");
        put(DCM_RescaleIntercept, "-1024");
        put(DCM_RescaleSlope, "1");
        out.putAndInsertUint16(DCM_SamplesPerPixel, 1);
        out.putAndInsertUint16(DCM_Rows, static_cast<Uint16>(size.rows));
        out.putAndInsertUint16(DCM_Columns, static_cast<Uint16>(size.columns));
        out.putAndInsertUint16(DCM_BitsAllocated, 16);
        out.putAndInsertUint16(DCM_BitsStored, 16);
        out.putAndInsertUint16(DCM_HighBit, 15);
        out.putAndInsertUint16(DCM_PixelRepresentation, 0);
        std::vector<Uint16> pixels;
        for (const auto hu : volume.hu.plane(k)) pixels.push_back(static_cast<Uint16>(hu + 1024));
        out.putAndInsertUint16Array(DCM_PixelData, pixels.data(), pixels.size());
        const auto path = folder / ("ct" + std::to_string(1000 + k) + ".dcm");
        file.saveFile(path.c_str(), EXS_LittleEndianExplicit);
        series.slices.push_back({path, UID_CTImageStorage, instance, 0});
    }
    series.volume = std::move(volume);
    return series;
}

std::string attribute_of(const std::filesystem::path& file, unsigned group, unsigned element)
{
    DcmFileFormat read;
    OFString value;
    if (read.loadFile(file.c_str()).good()) read.getDataset()->findAndGetOFStringArray(DcmTagKey(static_cast<Uint16>(group), static_cast<Uint16>(element)), value);
    return value.c_str();
}

int items_of(const std::filesystem::path& file, unsigned group, unsigned element)
{
    DcmFileFormat read;
    DcmSequenceOfItems* sequence = nullptr;
    if (read.loadFile(file.c_str()).bad()) return -1;
    if (read.getDataset()->findAndGetSequence(DcmTagKey(static_cast<Uint16>(group), static_cast<Uint16>(element)), sequence).bad()) return 0;
    return static_cast<int>(sequence->card());
}

}  // namespace retromass::test
