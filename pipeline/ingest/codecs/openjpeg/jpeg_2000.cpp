#include <openjpeg.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "pipeline/ingest/codecs/jpeg_2000.h"

namespace retromass::ingest {
namespace {

/// The stream as OpenJPEG reads it: from memory, never past its end.
struct Source {
    Bytes bytes;
    std::size_t at = 0;
};

OPJ_SIZE_T read(void* buffer, OPJ_SIZE_T size, void* user)
{
    auto& source = *static_cast<Source*>(user);
    const std::size_t count = std::min<std::size_t>(size, source.bytes.size() - source.at);
    if (count == 0) return static_cast<OPJ_SIZE_T>(-1);
    std::memcpy(buffer, source.bytes.data() + source.at, count);
    source.at += count;
    return count;
}

OPJ_OFF_T skip(OPJ_OFF_T size, void* user)
{
    auto& source = *static_cast<Source*>(user);
    if (size < 0 || static_cast<std::size_t>(size) > source.bytes.size() - source.at) return -1;
    source.at += static_cast<std::size_t>(size);
    return size;
}

OPJ_BOOL seek(OPJ_OFF_T position, void* user)
{
    auto& source = *static_cast<Source*>(user);
    if (position < 0 || static_cast<std::size_t>(position) > source.bytes.size()) return OPJ_FALSE;
    source.at = static_cast<std::size_t>(position);
    return OPJ_TRUE;
}

/// Keeps the first complaint.
void note(const char* message, void* user)
{
    auto& first = *static_cast<std::string*>(user);
    if (first.empty()) first = message;
    while (!first.empty() && first.back() == '\n') first.pop_back();
}

}  // namespace

Status decode_jpeg_2000(Bytes given, const FrameShape& shape, std::span<std::uint16_t> stored)
{
    RETROMASS_TRY_ASSIGN(const auto stream, survey_jpeg_2000(given, shape));
    const std::unique_ptr<opj_codec_t, void (*)(opj_codec_t*)> codec(opj_create_decompress(OPJ_CODEC_J2K), opj_destroy_codec);
    constexpr std::size_t most_buffer = 1 << 20;
    const std::unique_ptr<opj_stream_t, void (*)(opj_stream_t*)> input(
        opj_stream_create(std::min(stream.bytes.size(), most_buffer), OPJ_TRUE), opj_stream_destroy);
    if (!codec || !input) return Error{Code::internal, "no memory for a JPEG 2000 decoder", "codecs"};

    std::string complaint;
    opj_set_error_handler(codec.get(), note, &complaint);
    opj_set_warning_handler(codec.get(), note, &complaint);
    Source source{stream.bytes};
    opj_stream_set_user_data(input.get(), &source, nullptr);
    opj_stream_set_user_data_length(input.get(), stream.bytes.size());
    opj_stream_set_read_function(input.get(), read);
    opj_stream_set_skip_function(input.get(), skip);
    opj_stream_set_seek_function(input.get(), seek);

    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    opj_image_t* made = nullptr;
    const bool headers = opj_setup_decoder(codec.get(), &parameters) && opj_decoder_set_strict_mode(codec.get(), OPJ_TRUE) &&
                         opj_read_header(input.get(), codec.get(), &made);
    const std::unique_ptr<opj_image_t, void (*)(opj_image_t*)> image(made, opj_image_destroy);
    const bool decoded = headers && opj_decode(codec.get(), input.get(), image.get()) && opj_end_decompress(codec.get(), input.get());
    // OpenJPEG goes on after damage with a warning; such an image is not the one that was written.
    if (!decoded || !complaint.empty()) return damaged("JPEG 2000 stream cannot be decoded: " + complaint);
    const auto& component = image->comps[0];
    if (image->numcomps != 1 || !component.data || component.w != static_cast<OPJ_UINT32>(shape.columns) ||
        component.h != static_cast<OPJ_UINT32>(shape.rows)) {
        return damaged("JPEG 2000 stream gave another image than its header announced");
    }

    // Depth from the stream, sign from the header: a 13-bit unsigned stream of a signed image is real.
    const std::uint32_t mask = (std::uint32_t{1} << stream.precision) - 1;
    const std::uint32_t sign = shape.is_signed ? std::uint32_t{1} << (stream.precision - 1) : 0;
    for (std::size_t i = 0; i < stored.size(); ++i) {
        const std::uint32_t bits = static_cast<std::uint32_t>(component.data[i]) & mask;
        stored[i] = static_cast<std::uint16_t>((bits ^ sign) - sign);
    }
    if (stream.precision > shape.bits_stored && shape.high_bit == shape.bits_stored - 1) {
        // Bits Stored would cut what the stream holds.
        const int lowest = shape.is_signed ? -(1 << (shape.bits_stored - 1)) : 0;
        const int beyond = lowest + (1 << shape.bits_stored);
        for (const auto cell : stored) {
            const int value = shape.is_signed ? static_cast<std::int16_t>(cell) : static_cast<int>(cell);
            if (value < lowest || value >= beyond) {
                return damaged("JPEG 2000 stream holds the value " + std::to_string(value) + ", which Bits Stored " +
                               std::to_string(shape.bits_stored) + " cannot hold");
            }
        }
    }
    return Done{};
}

}  // namespace retromass::ingest
