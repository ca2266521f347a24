#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dctk.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <unistd.h>

#include "tests/fuzz/ingest_input.h"
#include "tests/support/dcmtk_codecs.h"
#include "tests/support/stream_writers.h"

namespace retromass::fuzz {
namespace {

constexpr int kColumns = 8;
constexpr int kRows = 6;

void require(const OFCondition& condition)
{
    if (condition.bad()) throw std::runtime_error(condition.text());
}

void put_text(DcmItem& item, const DcmTagKey& key, const std::string& value) { require(item.putAndInsertString(key, value.c_str())); }

void put_image(DcmDataset& data, const char* sop_class)
{
    put_text(data, DCM_SpecificCharacterSet, "ISO_IR 192");
    put_text(data, DCM_ImageType, "ORIGINAL\\PRIMARY\\AXIAL");
    put_text(data, DCM_SOPClassUID, sop_class);
    put_text(data, DCM_SOPInstanceUID, "2.25.1");
    put_text(data, DCM_StudyInstanceUID, "2.25.2");
    put_text(data, DCM_SeriesInstanceUID, "2.25.3");
    put_text(data, DCM_FrameOfReferenceUID, "2.25.4");
    put_text(data, DCM_Modality, "CT");
    put_text(data, DCM_AcquisitionDate, "20260105");
    put_text(data, DCM_PatientID, "P");
    put_text(data, DCM_SeriesDescription, "portal venous");
    put_text(data, DCM_PhotometricInterpretation, "MONOCHROME2");
    for (const auto& [key, value] : {std::pair{DCM_SamplesPerPixel, 1}, {DCM_Rows, kRows}, {DCM_Columns, kColumns}, {DCM_BitsAllocated, 16},
                                     {DCM_BitsStored, 12}, {DCM_HighBit, 11}, {DCM_PixelRepresentation, 0}}) {
        require(data.putAndInsertUint16(key, static_cast<Uint16>(value)));
    }
    require(data.putAndInsertUint16(DCM_PixelPaddingValue, 0));
}

void put_plane(DcmItem& item, int slice)
{
    put_text(item, DCM_ImagePositionPatient, "-10\\-10\\" + std::to_string(slice * 2));
}

void put_geometry(DcmItem& item)
{
    put_text(item, DCM_ImageOrientationPatient, "1\\0\\0\\0\\1\\0");
    put_text(item, DCM_PixelSpacing, "0.7\\0.7");
    put_text(item, DCM_RescaleSlope, "1");
    put_text(item, DCM_RescaleIntercept, "-1024");
    put_text(item, DCM_RescaleType, "HU");
}

DcmItem& item_of(DcmItem& parent, const DcmTagKey& sequence, long index = 0)
{
    DcmItem* item = nullptr;
    require(parent.findOrCreateSequenceItem(sequence, item, index));
    return *item;
}

Input saved(DcmFileFormat& format, E_TransferSyntax syntax, E_EncodingType lengths = EET_ExplicitLength)
{
    const auto path = std::filesystem::temp_directory_path() / ("retromass-seed-" + std::to_string(getpid()));
    require(format.saveFile(path.c_str(), syntax, lengths));
    std::ifstream file(path, std::ios::binary);
    const Input bytes{std::istreambuf_iterator<char>(file), {}};
    std::filesystem::remove(path);
    return bytes;
}

Input ct_file(E_TransferSyntax syntax, E_EncodingType lengths = EET_ExplicitLength)
{
    DcmFileFormat format;
    auto& data = *format.getDataset();
    put_image(data, UID_CTImageStorage);
    put_plane(data, 0);
    put_geometry(data);
    auto& deep = item_of(item_of(item_of(data, DCM_ReferencedImageSequence), DCM_PurposeOfReferenceCodeSequence), DCM_PurposeOfReferenceCodeSequence);
    put_text(deep, DCM_CodeValue, "1");
    const auto pixels = test::awkward_images(kColumns, kRows, 12, 2).back().second;
    require(data.putAndInsertUint16Array(DCM_PixelData, pixels.data(), pixels.size()));
    return saved(format, syntax, lengths);
}

Input compressed_file(const test::CompressedFrame& frame, std::size_t piece)
{
    DcmFileFormat format;
    auto& data = *format.getDataset();
    put_image(data, UID_CTImageStorage);
    put_plane(data, 0);
    put_geometry(data);
    auto* const sequence = new DcmPixelSequence(DCM_PixelSequenceTag);
    sequence->insert(new DcmPixelItem(DCM_PixelItemTag));
    auto stream = frame.fragments.front();
    if (stream.size() % 2) stream.push_back(std::byte{0});
    for (std::size_t at = 0; at < stream.size(); at += piece) {
        auto* const item = new DcmPixelItem(DCM_PixelItemTag);
        require(item->putUint8Array(reinterpret_cast<const Uint8*>(stream.data()) + at, std::min(piece, stream.size() - at)));
        sequence->insert(item);
    }
    const E_TransferSyntax syntax = DcmXfer(frame.syntax.c_str()).getXfer();
    auto* const pixels = new DcmPixelData(DCM_PixelData);
    pixels->putOriginalRepresentation(syntax, nullptr, sequence);
    require(data.insert(pixels));
    return saved(format, syntax);
}

Input enhanced_file(E_TransferSyntax syntax, bool shared)
{
    DcmFileFormat format;
    auto& data = *format.getDataset();
    put_image(data, UID_EnhancedCTImageStorage);
    put_text(data, DCM_NumberOfFrames, "3");
    for (int frame = 0; frame < 3; ++frame) {
        auto& group = item_of(data, DCM_PerFrameFunctionalGroupsSequence, frame);
        put_plane(item_of(group, DCM_PlanePositionSequence), 2 - frame);
        put_text(item_of(group, DCM_FrameContentSequence), DCM_StackID, "1");
        if (frame > 0 && shared) continue;
        auto& home = shared ? item_of(data, DCM_SharedFunctionalGroupsSequence) : group;
        put_text(item_of(home, DCM_PlaneOrientationSequence), DCM_ImageOrientationPatient, "1\\0\\0\\0\\1\\0");
        put_text(item_of(home, DCM_PixelMeasuresSequence), DCM_PixelSpacing, "0.7\\0.7");
        auto& transformation = item_of(home, DCM_PixelValueTransformationSequence);
        put_text(transformation, DCM_RescaleSlope, "1");
        put_text(transformation, DCM_RescaleIntercept, "-1024");
        put_text(transformation, DCM_RescaleType, "HU");
    }
    const std::vector<Uint16> pixels(std::size_t{3} * kColumns * kRows, 1000);
    require(data.putAndInsertUint16Array(DCM_PixelData, pixels.data(), pixels.size()));
    return saved(format, syntax, EET_UndefinedLength);
}

}  // namespace

std::vector<Input> file_seeds()
{
    std::vector<Input> seeds;
    for (const auto syntax : {EXS_LittleEndianExplicit, EXS_LittleEndianImplicit, EXS_BigEndianExplicit, EXS_DeflatedLittleEndianExplicit}) {
        seeds.push_back(ct_file(syntax));
    }
    seeds.push_back(ct_file(EXS_LittleEndianExplicit, EET_UndefinedLength));
    seeds.push_back(ct_file(EXS_LittleEndianImplicit, EET_UndefinedLength));
    auto bare = ct_file(EXS_LittleEndianImplicit);
    const auto image = test::awkward_images(kColumns, kRows, 12, 2).back().second;
    bare.erase(bare.begin(), bare.begin() + 132);  // without preamble
    seeds.push_back(bare);
    const ingest::FrameShape shape{kColumns, kRows, 16, 12, 11, false, 1};
    for (const char* const syntax : {"1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.51"}) {
        const auto frame = test::compressed_by_dcmtk(image, shape, {.syntax = syntax});
        seeds.push_back(compressed_file(frame, std::size_t{1} << 20));
        seeds.push_back(compressed_file(frame, 64));
    }
    seeds.push_back(compressed_file({"1.2.840.10008.1.2.4.80", shape, {test::jpeg_ls(image, kColumns, kRows, 12, 0)}}, 32));
    seeds.push_back(compressed_file({"1.2.840.10008.1.2.4.90", shape, {test::jpeg_2000(image, kColumns, kRows, {.precision = 12})}}, std::size_t{1} << 20));
    seeds.push_back(enhanced_file(EXS_LittleEndianExplicit, true));
    seeds.push_back(enhanced_file(EXS_LittleEndianExplicit, false));
    seeds.push_back(enhanced_file(EXS_DeflatedLittleEndianExplicit, true));
    return seeds;
}

}  // namespace retromass::fuzz
