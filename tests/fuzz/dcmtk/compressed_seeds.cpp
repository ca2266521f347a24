#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dctk.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <unistd.h>

#include "tests/fuzz/header_input.h"
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

void put_image(DcmDataset& data)
{
    put_text(data, DCM_SpecificCharacterSet, "ISO_IR 192");
    put_text(data, DCM_ImageType, "ORIGINAL\\PRIMARY\\AXIAL");
    put_text(data, DCM_SOPClassUID, UID_CTImageStorage);
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

void put_geometry(DcmItem& item, int slice)
{
    put_text(item, DCM_SOPInstanceUID, std::string("2.25.1").append(std::to_string(slice)));
    put_text(item, DCM_ImagePositionPatient, std::string("-10\\-10\\").append(std::to_string(slice * 2)));
    put_text(item, DCM_ImageOrientationPatient, "1\\0\\0\\0\\1\\0");
    put_text(item, DCM_PixelSpacing, "0.7\\0.7");
    put_text(item, DCM_RescaleSlope, "1");
    put_text(item, DCM_RescaleIntercept, "-1024");
    put_text(item, DCM_RescaleType, "HU");
}

std::string saved(DcmFileFormat& format, E_TransferSyntax syntax)
{
    const auto path = std::filesystem::temp_directory_path() / ("retromass-seed-" + std::to_string(getpid()));
    require(format.saveFile(path.c_str(), syntax));
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    std::filesystem::remove(path);
    return bytes;
}

std::string compressed_file(const test::CompressedFrame& frame, std::size_t piece, int slice)
{
    DcmFileFormat format;
    auto& data = *format.getDataset();
    put_image(data);
    put_geometry(data, slice);
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

}  // namespace

std::vector<Input> compressed_seeds()
{
    const auto image = test::awkward_images(kColumns, kRows, 12, 2).back().second;
    const ingest::FrameShape shape{kColumns, kRows, 16, 12, 11, false, 1};
    std::vector<Input> seeds;
    const auto add = [&](const test::CompressedFrame& frame, std::size_t piece) {
        seeds.push_back(header_input({compressed_file(frame, piece, 0), compressed_file(frame, piece, 1)}));
    };
    for (const char* const syntax : {"1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.51"}) {
        const auto frame = test::compressed_by_dcmtk(image, shape, {.syntax = syntax});
        add(frame, std::size_t{1} << 20);
        add(frame, 64);
    }
    add({"1.2.840.10008.1.2.4.80", shape, {test::jpeg_ls(image, kColumns, kRows, 12, 0)}}, 32);
    add({"1.2.840.10008.1.2.4.90", shape, {test::jpeg_2000(image, kColumns, kRows, {.precision = 12})}}, std::size_t{1} << 20);
    return seeds;
}

}  // namespace retromass::fuzz
