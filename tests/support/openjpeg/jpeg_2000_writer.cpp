#include <openjpeg.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "tests/support/stream_writers.h"

namespace retromass::test {
namespace {

struct Sink {
    std::vector<std::byte> bytes;
    std::size_t at = 0;

    void make_room(std::size_t end)
    {
        if (bytes.size() < end) bytes.resize(end);
    }
};

OPJ_SIZE_T write(void* buffer, OPJ_SIZE_T size, void* user)
{
    auto& sink = *static_cast<Sink*>(user);
    sink.make_room(sink.at + size);
    std::memcpy(sink.bytes.data() + sink.at, buffer, size);
    sink.at += size;
    return size;
}

OPJ_OFF_T skip(OPJ_OFF_T size, void* user)
{
    auto& sink = *static_cast<Sink*>(user);
    sink.at += static_cast<std::size_t>(size);
    sink.make_room(sink.at);
    return size;
}

OPJ_BOOL seek(OPJ_OFF_T position, void* user)
{
    auto& sink = *static_cast<Sink*>(user);
    sink.at = static_cast<std::size_t>(position);
    sink.make_room(sink.at);
    return OPJ_TRUE;
}

}  // namespace

std::vector<std::byte> jpeg_2000(const Pixels& pixels, int columns, int rows, const Jpeg2000& how)
{
    opj_cparameters_t parameters;
    opj_set_default_encoder_parameters(&parameters);
    parameters.tcp_numlayers = how.layers;
    parameters.cp_disto_alloc = 1;
    parameters.irreversible = how.ratio > 1;
    for (int i = 0; i < how.layers; ++i) parameters.tcp_rates[i] = (how.ratio > 1 ? how.ratio : 0) * static_cast<float>(how.layers - i);
    int levels = how.levels;  // no more than the image or tile can be halved
    while (levels > 0 && std::min({columns, rows, how.tile > 0 ? how.tile : columns}) < 1 << levels) --levels;
    parameters.numresolution = levels + 1;
    if (how.tile > 0) {
        parameters.tile_size_on = OPJ_TRUE;
        parameters.cp_tdx = parameters.cp_tdy = how.tile;
    }
    if (how.precinct > 0) {
        parameters.csty |= 1;
        parameters.res_spec = 1;
        parameters.prcw_init[0] = parameters.prch_init[0] = how.precinct;
    }
    opj_image_cmptparm_t description{};
    description.dx = description.dy = 1;
    description.w = static_cast<OPJ_UINT32>(columns);
    description.h = static_cast<OPJ_UINT32>(rows);
    description.prec = static_cast<OPJ_UINT32>(how.precision);
    description.sgnd = how.is_signed;
    const std::unique_ptr<opj_image_t, void (*)(opj_image_t*)> image(opj_image_create(1, &description, OPJ_CLRSPC_GRAY), opj_image_destroy);
    image->x1 = description.w;
    image->y1 = description.h;
    const unsigned mask = (1u << how.precision) - 1;
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        const unsigned bits = pixels[i] & mask;
        const unsigned sign = how.is_signed ? 1u << (how.precision - 1) : 0;
        image->comps[0].data[i] = static_cast<OPJ_INT32>((bits ^ sign) - sign);
    }
    const std::unique_ptr<opj_codec_t, void (*)(opj_codec_t*)> codec(opj_create_compress(OPJ_CODEC_J2K), opj_destroy_codec);
    const std::unique_ptr<opj_stream_t, void (*)(opj_stream_t*)> output(opj_stream_default_create(OPJ_FALSE), opj_stream_destroy);
    Sink sink;
    opj_stream_set_user_data(output.get(), &sink, nullptr);
    opj_stream_set_write_function(output.get(), write);
    opj_stream_set_skip_function(output.get(), skip);
    opj_stream_set_seek_function(output.get(), seek);
    if (!opj_setup_encoder(codec.get(), &parameters, image.get()) || !opj_start_compress(codec.get(), image.get(), output.get()) ||
        !opj_encode(codec.get(), output.get()) || !opj_end_compress(codec.get(), output.get())) {
        throw std::runtime_error("OpenJPEG could not write a stream");
    }
    return sink.bytes;
}

}  // namespace retromass::test
