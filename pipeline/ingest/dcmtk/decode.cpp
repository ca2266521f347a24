#include "pipeline/ingest/dcmtk/decode.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>

#include <algorithm>
#include <memory>
#include <mutex>

namespace retromass::ingest::dcmtk {
namespace {

void register_codecs()
{
    static std::once_flag once;
    std::call_once(once, [] {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        DJDecoderRegistration::registerCodecs();
        DJLSDecoderRegistration::registerCodecs();
        DcmRLEDecoderRegistration::registerCodecs();
    });
}

}  // namespace

bool can_decode(std::string_view uid)
{
    const DcmXfer syntax(std::string(uid).c_str());
    const auto jpeg2000 = syntax.getXfer() == EXS_JPEG2000 || syntax.getXfer() == EXS_JPEG2000LosslessOnly;
    return syntax.getXfer() != EXS_Unknown && syntax.isEncapsulated() && !jpeg2000 && std::string_view(syntax.getXferID()) == uid;
}

Status decode_frame(std::string_view uid, std::span<const std::span<const std::byte>> fragments, const FrameShape& shape, std::span<std::uint16_t> stored)
{
    register_codecs();
    const auto fail = [](Code code, const std::string& why) { return Error{code, why, "ingest"}; };
    const DcmXfer from(std::string(uid).c_str());
    DcmDataset data;
    data.putAndInsertUint16(DCM_SamplesPerPixel, static_cast<Uint16>(shape.samples_per_pixel));
    data.putAndInsertString(DCM_PhotometricInterpretation, "MONOCHROME2");
    data.putAndInsertUint16(DCM_Rows, static_cast<Uint16>(shape.rows));
    data.putAndInsertUint16(DCM_Columns, static_cast<Uint16>(shape.columns));
    data.putAndInsertUint16(DCM_BitsAllocated, static_cast<Uint16>(shape.bits_allocated));
    data.putAndInsertUint16(DCM_BitsStored, static_cast<Uint16>(shape.bits_stored));
    data.putAndInsertUint16(DCM_HighBit, static_cast<Uint16>(shape.high_bit));
    data.putAndInsertUint16(DCM_PixelRepresentation, shape.is_signed ? 1 : 0);
    data.putAndInsertString(DCM_SOPClassUID, UID_CTImageStorage);
    auto sequence = std::make_unique<DcmPixelSequence>(DcmTag(DCM_PixelData, EVR_OB));
    sequence->insert(new DcmPixelItem(DcmTag(DCM_Item, EVR_OB)));  // an empty offset table
    for (const auto& fragment : fragments) {
        auto* item = new DcmPixelItem(DcmTag(DCM_Item, EVR_OB));
        if (item->putUint8Array(reinterpret_cast<const Uint8*>(fragment.data()), static_cast<unsigned long>(fragment.size())).bad()) {
            delete item;
            return fail(Code::malformed, "a fragment of odd length");
        }
        sequence->insert(item);
    }
    auto* pixels = new DcmPixelData(DcmTag(DCM_PixelData, EVR_OB));
    pixels->putOriginalRepresentation(from.getXfer(), nullptr, sequence.release());
    data.insert(pixels, OFTrue);
    const auto status = data.chooseRepresentation(EXS_LittleEndianExplicit, nullptr);
    if (status.bad()) return fail(Code::malformed, std::string("the compressed pixels cannot be decoded: ") + status.text());
    unsigned long count = 0;
    Uint16 allocated = 0;  // the stream's own depth decides the cells
    if (data.findAndGetUint16(DCM_BitsAllocated, allocated).bad()) return fail(Code::malformed, "the decoder does not say how it stores pixels");
    const Uint16* words = nullptr;
    if (allocated == 16) {
        if (data.findAndGetUint16Array(DCM_PixelData, words, &count).bad() || !words || count < stored.size()) return fail(Code::truncated_pixels, "the compressed pixels hold fewer values than the image");
        std::copy_n(words, stored.size(), stored.begin());
        return Done{};
    }
    const Uint8* bytes = nullptr;
    if (data.findAndGetUint8Array(DCM_PixelData, bytes, &count).bad() || !bytes || count < stored.size()) return fail(Code::truncated_pixels, "the compressed pixels hold fewer values than the image");
    std::copy_n(bytes, stored.size(), stored.begin());
    return Done{};
}

}  // namespace retromass::ingest::dcmtk
