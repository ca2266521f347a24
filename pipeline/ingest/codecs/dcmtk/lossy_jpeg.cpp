#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djcparam.h>
#include <dcmtk/dcmjpeg/djdijg12.h>
#include <dcmtk/dcmjpeg/djdijg8.h>

#include <limits>

#include "pipeline/ingest/codecs/jpeg.h"

// The lossy processes of JPEG go through DCMTK's copies of the IJG library: 8 and 12 bits, sequential and progressive.
namespace retromass::ingest {
namespace {

/// The library decodes damaged data to the end and only warns of it; here a warning is kept.
template <class Base>
class Strict : public Base {
public:
    using Base::Base;
    void emitMessage(int level) const override { warned = warned || level < 0; }
    mutable bool warned = false;
};

template <class Base>
Status decode(Bytes stream, const FrameShape& shape, std::span<std::uint16_t> stored, std::size_t bytes)
{
    const DJCodecParameter as_stored(ECC_lossyYCbCr, EDC_never, EUC_never, EPC_colorByPixel);
    Strict<Base> decoder(as_stored, OFFalse);
    auto condition = decoder.init();
    if (condition.good()) {
        auto* const data = reinterpret_cast<Uint8*>(const_cast<std::byte*>(stream.data()));
        condition = decoder.decode(data, static_cast<Uint32>(stream.size()), byte_cells(stored), static_cast<Uint32>(bytes),
                                   shape.is_signed ? OFTrue : OFFalse);
    }
    if (condition == EJ_Suspension) return cut_short("JPEG stream ends before its last row");
    if (condition.bad()) return damaged(std::string("JPEG stream cannot be decoded: ") + condition.text());
    if (decoder.warned) return damaged("JPEG stream is damaged");
    return Done{};
}

}  // namespace

Status decode_jpeg_lossy(Bytes stream, const JpegFrame& frame, const FrameShape& shape, std::span<std::uint16_t> stored)
{
    if (stream.size() > std::numeric_limits<Uint32>::max() || stored.size() > std::numeric_limits<Uint32>::max() / 2) {
        return Error{Code::oversized, "JPEG frame of more than 4 GB", "codecs"};
    }
    // A progressive stream costs one pass over the image a scan, and a scan can be ten bytes long. One component has 64
    // coefficients; encoders use about ten scans.
    constexpr int most_scans = 64;
    int scans = 0;
    for (std::size_t i = 0; i + 1 < stream.size(); ++i) scans += byte_at(stream, i) == 0xFF && byte_at(stream, i + 1) == jpeg::kSos;
    if (scans > most_scans) return damaged("JPEG stream has " + std::to_string(scans) + " scans");
    if (frame.precision == 12) return decode<DJDecompressIJG12Bit>(stream, shape, stored, stored.size() * 2);
    if (frame.precision != 8) {
        return Error{Code::unsupported_syntax, "lossy JPEG of " + std::to_string(frame.precision) + " bits is not decoded", "codecs"};
    }
    RETROMASS_TRY(decode<DJDecompressIJG8Bit>(stream, shape, stored, stored.size()));
    widen_byte_cells(stored);
    return Done{};
}

}  // namespace retromass::ingest
