#include "pipeline/ingest/dcmtk/frames.h"

#include <dcmtk/dcmdata/dccodec.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>

namespace retromass::ingest {
namespace {

constexpr std::uint64_t kMostValues = std::uint64_t{1} << 31;  ///< of all frames, 4 GB: a whole-body scan has half a thousand million voxels

DcmPixelSequence* compressed(DcmDataset& data)
{
    DcmElement* element = nullptr;
    if (data.findAndGetElement(DCM_PixelData, element).bad()) return nullptr;
    auto* const pixels = dynamic_cast<DcmPixelData*>(element);
    E_TransferSyntax syntax = EXS_Unknown;
    const DcmRepresentationParameter* parameter = nullptr;
    if (!pixels) return nullptr;
    pixels->getOriginalRepresentationKey(syntax, parameter);
    DcmPixelSequence* out = nullptr;
    if (!DcmXfer(syntax).isEncapsulated() || pixels->getEncapsulatedRepresentation(syntax, parameter, out).bad()) return nullptr;
    return out;
}

}  // namespace

bool is_encapsulated(DcmDataset& data) { return DcmXfer(data.getOriginalXfer()).isEncapsulated(); }

Result<std::vector<std::uint16_t>> decoded_frames(DcmDataset& data, const FrameShape& shape, std::size_t frames)
{
    const auto refuse = [](Code code, const std::string& why) { return Error{code, why, "ingest"}; };
    const DcmXfer syntax(data.getOriginalXfer());
    if (!can_decode(syntax.getXferID())) return refuse(Code::unsupported_syntax, "its transfer syntax " + std::string(syntax.getXferName()) + " has no decoder here; store it uncompressed");
    auto* const sequence = compressed(data);
    if (!sequence || sequence->card() < 2) return refuse(Code::truncated_pixels, "its compressed pixel data is empty");
    const std::size_t plane = static_cast<std::size_t>(shape.columns) * static_cast<std::size_t>(shape.rows);
    if (plane * frames > kMostValues) return refuse(Code::oversized, std::to_string(frames) + " frames of " + std::to_string(plane) + " pixels");
    std::vector<Uint32> starts;  // fragments by frame: one each, or by the offset table
    for (std::size_t f = 0; f < frames; ++f) {
        Uint32 start = 1;
        if (f > 0 && DcmCodec::determineStartFragment(static_cast<Uint32>(f), static_cast<Sint32>(frames), sequence, start).bad()) {
            return refuse(Code::malformed, "which fragment holds frame " + std::to_string(f + 1) + " cannot be told");
        }
        starts.push_back(start);
    }
    starts.push_back(static_cast<Uint32>(sequence->card()));
    std::vector<std::uint16_t> out;
    for (std::size_t f = 0; f < frames; ++f) {
        std::vector<std::span<const std::byte>> fragments;
        for (Uint32 i = starts[f]; i < starts[f + 1]; ++i) {
            DcmPixelItem* item = nullptr;
            Uint8* bytes = nullptr;
            if (sequence->getItem(item, i).bad() || item->getUint8Array(bytes).bad() || !bytes) return refuse(Code::truncated_pixels, "a fragment of frame " + std::to_string(f + 1) + " is empty");
            fragments.push_back(std::as_bytes(std::span(bytes, item->getLength())));
        }
        out.resize((f + 1) * plane);
        RETROMASS_TRY(decode_frame(syntax.getXferID(), fragments, shape, std::span(out).subspan(f * plane)));
    }
    return out;
}

}  // namespace retromass::ingest
