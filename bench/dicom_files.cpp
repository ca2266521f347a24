#include "bench/dicom_files.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>

#include <stdexcept>

namespace retromass::bench {
namespace {

void require(const OFCondition& condition)
{
    if (condition.bad()) throw std::runtime_error(condition.text());
}

}  // namespace

void write_ct(const std::filesystem::path& file, const test::CompressedFrame& frame, const SlicePlace& place, Elements elements)
{
    DcmFileFormat format;
    auto& data = *format.getDataset();
    const auto text = [&](const DcmTagKey& key, const std::string& value) { require(data.putAndInsertString(key, value.c_str())); };
    const auto number = [&](const DcmTagKey& key, int value) { require(data.putAndInsertUint16(key, static_cast<Uint16>(value))); };
    text(DCM_SpecificCharacterSet, "ISO_IR 100");
    text(DCM_ImageType, "ORIGINAL\\PRIMARY\\AXIAL\\CT_SOM5 SPI");
    text(DCM_SOPClassUID, UID_CTImageStorage);
    text(DCM_SOPInstanceUID, place.series_uid + "." + std::to_string(place.number + 1));
    for (const auto& key : {DCM_StudyDate, DCM_SeriesDate, DCM_AcquisitionDate, DCM_ContentDate}) text(key, "20260105");
    for (const auto& key : {DCM_StudyTime, DCM_SeriesTime, DCM_AcquisitionTime, DCM_ContentTime}) text(key, "101112.123456");
    text(DCM_Modality, "CT");
    text(DCM_Manufacturer, "Phantom");
    text(DCM_StudyDescription, "CT ABDOMEN");
    text(DCM_SeriesDescription, "Abdomen 1.0 B30f");
    text(DCM_PatientID, "BENCH");
    text(DCM_KVP, "120");
    text(DCM_SliceThickness, "1");
    text(DCM_ConvolutionKernel, "B30f");
    text(DCM_PatientPosition, "HFS");
    text(DCM_StudyInstanceUID, "2.25.1001");
    text(DCM_SeriesInstanceUID, place.series_uid);
    text(DCM_SeriesNumber, "2");
    text(DCM_AcquisitionNumber, "1");
    text(DCM_InstanceNumber, std::to_string(place.number + 1));
    text(DCM_ImagePositionPatient, "-191.625\\-191.625\\" + std::to_string(place.z_mm));
    text(DCM_ImageOrientationPatient, "1\\0\\0\\0\\1\\0");
    text(DCM_FrameOfReferenceUID, "2.25.1002");
    text(DCM_PixelSpacing, "0.75\\0.75");
    text(DCM_RescaleIntercept, "-1024");
    text(DCM_RescaleSlope, "1");
    text(DCM_RescaleType, "HU");
    text(DCM_WindowCenter, "40");
    text(DCM_WindowWidth, "400");
    // Real headers have 100 to 280 elements, most of them private, and a sequence or two: this one has about 150.
    const bool scanner = elements == Elements::of_a_scanner;
    for (Uint16 i = 0; scanner && i < 85; ++i) {
        require(data.putAndInsertString(DcmTag(0x0019, 0x0010, EVR_LO), "BENCH 01"));
        require(data.putAndInsertString(DcmTag(0x0019, static_cast<Uint16>(0x1001 + i), i % 2 ? EVR_DS : EVR_LO), i % 2 ? "123.456" : "PRIVATE VALUE"));
    }
    if (scanner) {
        require(data.putAndInsertString(DcmTag(0x0029, 0x0010, EVR_LO), "BENCH 02"));
        const std::vector<Uint8> opaque(1500, 0x20);
        require(data.putAndInsertUint8Array(DcmTag(0x0029, 0x1010, EVR_OB), opaque.data(), opaque.size()));
    }
    for (long i = 0; scanner && i < 2; ++i) {
        DcmItem* item = nullptr;
        require(data.findOrCreateSequenceItem(DCM_ReferencedImageSequence, item, i));
        require(item->putAndInsertString(DCM_ReferencedSOPClassUID, UID_CTImageStorage));
        require(item->putAndInsertString(DCM_ReferencedSOPInstanceUID, "2.25.77"));
        require(data.findOrCreateSequenceItem(DCM_ProcedureCodeSequence, item, i));
        require(item->putAndInsertString(DCM_CodeValue, "CTABD"));
        require(item->putAndInsertString(DCM_CodingSchemeDesignator, "99BENCH"));
        require(item->putAndInsertString(DCM_CodeMeaning, "CT of the abdomen"));
    }
    text(DCM_PhotometricInterpretation, "MONOCHROME2");
    number(DCM_SamplesPerPixel, 1);
    number(DCM_Rows, frame.shape.rows);
    number(DCM_Columns, frame.shape.columns);
    number(DCM_BitsAllocated, frame.shape.bits_allocated);
    number(DCM_BitsStored, frame.shape.bits_stored);
    number(DCM_HighBit, frame.shape.high_bit);
    number(DCM_PixelRepresentation, frame.shape.is_signed);
    const E_TransferSyntax syntax = DcmXfer(frame.syntax.c_str()).getXfer();
    const auto& stream = frame.fragments.front();
    if (!DcmXfer(syntax).isEncapsulated()) {
        require(data.putAndInsertUint16Array(DCM_PixelData, reinterpret_cast<const Uint16*>(stream.data()), stream.size() / 2));
    } else {
        auto* const sequence = new DcmPixelSequence(DCM_PixelSequenceTag);
        sequence->insert(new DcmPixelItem(DCM_PixelItemTag));
        for (const auto& fragment : frame.fragments) {
            auto even = fragment;
            if (even.size() % 2) even.push_back(std::byte{0});
            auto* const item = new DcmPixelItem(DCM_PixelItemTag);
            require(item->putUint8Array(reinterpret_cast<const Uint8*>(even.data()), even.size()));
            sequence->insert(item);
        }
        auto* const pixels = new DcmPixelData(DCM_PixelData);
        pixels->putOriginalRepresentation(syntax, nullptr, sequence);
        require(data.insert(pixels));
    }
    require(format.saveFile(file.c_str(), syntax));
}

int headers_by_dcmtk(const std::filesystem::path& folder)
{
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    int images = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        DcmFileFormat format;
        if (format.loadFileUntilTag(entry.path().c_str(), EXS_Unknown, EGL_noChange, DCM_MaxReadLength, ERM_autoDetect, DCM_PixelData).bad()) continue;
        OFString modality;
        images += format.getDataset()->findAndGetOFString(DCM_Modality, modality).good() && modality == "CT";
    }
    return images;
}

std::size_t volume_by_dcmtk(const std::filesystem::path& folder)
{
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    DJDecoderRegistration::registerCodecs();
    DJLSDecoderRegistration::registerCodecs();
    DcmRLEDecoderRegistration::registerCodecs();
    std::vector<std::int16_t> volume;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        DcmFileFormat format;
        require(format.loadFile(file.path().c_str()));
        auto* const data = format.getDataset();
        require(data->chooseRepresentation(EXS_LittleEndianExplicit, nullptr));
        Float64 slope = 1;
        Float64 intercept = 0;
        data->findAndGetFloat64(DCM_RescaleSlope, slope);
        data->findAndGetFloat64(DCM_RescaleIntercept, intercept);
        const Uint16* pixels = nullptr;
        unsigned long count = 0;
        require(data->findAndGetUint16Array(DCM_PixelData, pixels, &count));
        if (volume.empty()) volume.reserve(count * 300);
        const std::size_t start = volume.size();
        volume.resize(start + count);
        for (unsigned long i = 0; i < count; ++i) volume[start + i] = static_cast<std::int16_t>(slope * pixels[i] + intercept);
    }
    return volume.size();
}

}  // namespace retromass::bench
