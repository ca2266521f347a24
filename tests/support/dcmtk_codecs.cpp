#include "tests/support/dcmtk_codecs.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmdata/dcrlerp.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djcparam.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpeg/djdijg12.h>
#include <dcmtk/dcmjpeg/djdijg16.h>
#include <dcmtk/dcmjpeg/djdijg8.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpeg/djrplol.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <openssl/evp.h>

#include <mutex>
#include <stdexcept>

namespace retromass::test {
namespace {

void register_codecs()
{
    static std::once_flag once;
    std::call_once(once, [] {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        DJDecoderRegistration::registerCodecs();
        DJLSDecoderRegistration::registerCodecs();
        DcmRLEDecoderRegistration::registerCodecs();
        DJEncoderRegistration::registerCodecs();
        DcmRLEEncoderRegistration::registerCodecs();
    });
}

void require(const OFCondition& condition)
{
    if (condition.bad()) throw std::runtime_error(condition.text());
}

void put_shape(DcmDataset& data, const ingest::FrameShape& shape)
{
    const auto put = [&](const DcmTagKey& key, int value) { require(data.putAndInsertUint16(key, static_cast<Uint16>(value))); };
    require(data.putAndInsertString(DCM_SOPClassUID, UID_CTImageStorage));
    require(data.putAndInsertString(DCM_PhotometricInterpretation, "MONOCHROME2"));
    put(DCM_SamplesPerPixel, shape.samples_per_pixel);
    put(DCM_Rows, shape.rows);
    put(DCM_Columns, shape.columns);
    put(DCM_BitsAllocated, shape.bits_allocated);
    put(DCM_BitsStored, shape.bits_stored);
    put(DCM_HighBit, shape.high_bit);
    put(DCM_PixelRepresentation, shape.is_signed);
}

Pixels native_pixels(DcmDataset& data, std::size_t wanted)
{
    Uint16 allocated = 16;
    require(data.findAndGetUint16(DCM_BitsAllocated, allocated));
    Pixels pixels(wanted);
    unsigned long count = 0;
    if (allocated == 8) {  // the decoder changes the header where the stream has eight bits
        const Uint8* bytes = nullptr;
        require(data.findAndGetUint8Array(DCM_PixelData, bytes, &count));
        if (count < wanted) throw std::runtime_error("too few pixels");
        std::copy(bytes, bytes + wanted, pixels.begin());
    } else {
        const Uint16* words = nullptr;
        require(data.findAndGetUint16Array(DCM_PixelData, words, &count));
        if (count < wanted) throw std::runtime_error("too few pixels");
        std::copy(words, words + wanted, pixels.begin());
    }
    return pixels;
}

std::vector<std::vector<std::byte>> items_of(DcmPixelSequence& sequence)
{
    std::vector<std::vector<std::byte>> items;
    for (unsigned long i = 0; i < sequence.card(); ++i) {
        DcmPixelItem* item = nullptr;
        require(sequence.getItem(item, i));
        Uint8* bytes = nullptr;
        const Uint32 length = item->getLength();
        if (length > 0) require(item->getUint8Array(bytes));
        const auto* const begin = reinterpret_cast<const std::byte*>(bytes);
        items.emplace_back(begin, begin + length);
    }
    return items;
}

DcmPixelSequence* sequence_of(DcmDataset& data, const DcmRepresentationParameter* parameter = nullptr, E_TransferSyntax wanted = EXS_Unknown)
{
    DcmElement* element = nullptr;
    require(data.findAndGetElement(DCM_PixelData, element));
    auto* const pixels = dynamic_cast<DcmPixelData*>(element);
    if (!pixels) return nullptr;
    E_TransferSyntax syntax = wanted;
    const DcmRepresentationParameter* any = parameter;
    if (wanted == EXS_Unknown) pixels->getCurrentRepresentationKey(syntax, any);
    DcmPixelSequence* sequence = nullptr;
    if (!DcmXfer(syntax).isEncapsulated() || pixels->getEncapsulatedRepresentation(syntax, any, sequence).bad()) return nullptr;
    return sequence;
}

template <class Base>
class Listening : public Base {
public:
    using Base::Base;
    void emitMessage(int level) const override { warned = warned || level < 0; }
    mutable bool warned = false;
};

template <class Base, class Cell>
std::optional<IjgImage> ijg(const CompressedFrame& frame)
{
    const DJCodecParameter as_stored(ECC_lossyYCbCr, EDC_never, EUC_never, EPC_colorByPixel);
    Listening<Base> decoder(as_stored, OFFalse);
    std::vector<std::byte> stream;
    for (const auto& fragment : frame.fragments) stream.insert(stream.end(), fragment.begin(), fragment.end());
    std::vector<Cell> cells(static_cast<std::size_t>(frame.shape.columns) * static_cast<std::size_t>(frame.shape.rows));
    if (decoder.init().bad()) return std::nullopt;
    const auto condition = decoder.decode(reinterpret_cast<Uint8*>(stream.data()), static_cast<Uint32>(stream.size()),
                                          reinterpret_cast<Uint8*>(cells.data()), static_cast<Uint32>(cells.size() * sizeof(Cell)), OFFalse);
    if (condition.bad()) return std::nullopt;
    return IjgImage{Pixels(cells.begin(), cells.end()), decoder.warned};
}

}  // namespace

Result<Pixels> decoded(const CompressedFrame& frame)
{
    Pixels pixels(static_cast<std::size_t>(frame.shape.columns) * static_cast<std::size_t>(frame.shape.rows), 0xDEAD);
    const auto spans = frame.spans();
    RETROMASS_TRY(ingest::decode_frame(frame.syntax, spans, frame.shape, pixels));
    return pixels;
}

std::optional<Pixels> decoded_by_dcmtk(const CompressedFrame& frame)
{
    register_codecs();
    try {
        DcmDataset data;
        put_shape(data, frame.shape);
        auto* const sequence = new DcmPixelSequence(DCM_PixelSequenceTag);
        sequence->insert(new DcmPixelItem(DCM_PixelItemTag));
        for (const auto& fragment : frame.fragments) {
            auto* const item = new DcmPixelItem(DCM_PixelItemTag);
            std::vector<std::byte> even = fragment;
            if (even.size() % 2) even.push_back(std::byte{0});
            require(item->putUint8Array(reinterpret_cast<const Uint8*>(even.data()), even.size()));
            sequence->insert(item);
        }
        const E_TransferSyntax syntax = DcmXfer(frame.syntax.c_str()).getXfer();
        auto* const pixels = new DcmPixelData(DCM_PixelData);
        pixels->putOriginalRepresentation(syntax, nullptr, sequence);
        require(data.insert(pixels));
        require(data.chooseRepresentation(EXS_LittleEndianExplicit, nullptr));
        return native_pixels(data, static_cast<std::size_t>(frame.shape.columns) * static_cast<std::size_t>(frame.shape.rows));
    } catch (const std::runtime_error&) {
        return std::nullopt;
    }
}

std::optional<IjgImage> decoded_by_ijg(const CompressedFrame& frame, int precision)
{
    register_codecs();
    if (precision <= 8) return ijg<DJDecompressIJG8Bit, Uint8>(frame);
    if (precision <= 12) return ijg<DJDecompressIJG12Bit, Uint16>(frame);
    return ijg<DJDecompressIJG16Bit, Uint16>(frame);
}

CompressedFrame compressed_by_dcmtk(const Pixels& pixels, const ingest::FrameShape& shape, const Compression& compression)
{
    register_codecs();
    DcmDataset data;
    put_shape(data, shape);
    if (shape.bits_allocated == 16) {
        require(data.putAndInsertUint16Array(DCM_PixelData, pixels.data(), pixels.size()));
    } else {
        const std::vector<Uint8> bytes(pixels.begin(), pixels.end());
        require(data.putAndInsertUint8Array(DCM_PixelData, bytes.data(), bytes.size()));
    }
    const E_TransferSyntax syntax = DcmXfer(compression.syntax.c_str()).getXfer();
    const DJ_RPLossless lossless(compression.predictor, 0);
    const DcmRLERepresentationParameter rle;
    const DcmRepresentationParameter* parameter = nullptr;
    if (syntax == EXS_RLELossless) parameter = &rle;
    else if (syntax == EXS_JPEGProcess14 || syntax == EXS_JPEGProcess14SV1) parameter = &lossless;
    require(data.chooseRepresentation(syntax, parameter));
    auto* const sequence = sequence_of(data, parameter, syntax);
    if (!sequence) throw std::runtime_error("DCMTK compressed nothing");
    CompressedFrame frame{compression.syntax, shape, items_of(*sequence)};
    frame.fragments.erase(frame.fragments.begin());  // the offset table
    return frame;
}

std::vector<CompressedFrame> frames_of(const std::filesystem::path& file)
{
    register_codecs();
    DcmFileFormat format;
    if (format.loadFile(file.c_str(), EXS_Unknown, EGL_noChange, DCM_MaxReadLength, ERM_autoDetect).bad()) return {};
    auto& data = *format.getDataset();
    if (!DcmXfer(data.getOriginalXfer()).isEncapsulated() || !data.tagExists(DCM_PixelData)) return {};
    auto* const sequence = sequence_of(data);
    if (!sequence) return {};
    const auto integer = [&](const DcmTagKey& key, int otherwise) {
        Uint16 value = 0;
        return data.findAndGetUint16(key, value).good() ? value : otherwise;
    };
    CompressedFrame frame{DcmXfer(data.getOriginalXfer()).getXferID(), {}, {}};
    frame.shape.columns = integer(DCM_Columns, 0);
    frame.shape.rows = integer(DCM_Rows, 0);
    frame.shape.bits_allocated = integer(DCM_BitsAllocated, 16);
    frame.shape.bits_stored = integer(DCM_BitsStored, frame.shape.bits_allocated);
    frame.shape.high_bit = integer(DCM_HighBit, frame.shape.bits_stored - 1);
    frame.shape.is_signed = integer(DCM_PixelRepresentation, 0) == 1;
    frame.shape.samples_per_pixel = integer(DCM_SamplesPerPixel, 1);
    Sint32 count = 1;
    if (data.findAndGetSint32(DCM_NumberOfFrames, count).bad()) count = 1;
    const auto items = items_of(*sequence);
    const auto& table = items.front();
    std::vector<CompressedFrame> frames;
    std::size_t offset = 0;
    for (std::size_t i = 1; i < items.size(); ++i) {
        const auto& item = items[i];
        const auto entry = [&](std::size_t index) -> std::size_t {
            std::size_t value = 0;
            for (std::size_t b = 0; b < 4; ++b) value |= std::to_integer<std::size_t>(table[4 * index + b]) << (8 * b);
            return value;
        };
        bool starts = frames.empty() || items.size() - 1 == static_cast<std::size_t>(count);
        if (!starts && count > 1) {
            starts = frames.size() * 4 < table.size() ? entry(frames.size()) == offset
                                                      : item.size() > 2 && item[0] == std::byte{0xFF} && item[1] == std::byte{0xD8};
        }
        if (starts) frames.push_back(frame);
        frames.back().fragments.push_back(item);
        offset += item.size() + 8;
    }
    return frames;
}

std::string md5_of(const Pixels& pixels, int bits_allocated)
{
    std::vector<unsigned char> bytes;
    for (const auto value : pixels) {
        bytes.push_back(static_cast<unsigned char>(value));
        if (bits_allocated == 16) bytes.push_back(static_cast<unsigned char>(value >> 8));
    }
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest, &length, EVP_md5(), nullptr);
    std::string text;
    for (unsigned int i = 0; i < length; ++i) {
        constexpr char digits[] = "0123456789abcdef";
        text += digits[digest[i] >> 4];
        text += digits[digest[i] & 15];
    }
    return text;
}

}  // namespace retromass::test
