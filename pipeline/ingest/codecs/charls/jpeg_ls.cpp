#include <charls/charls.h>
#include <dlfcn.h>

#include <memory>

#include "pipeline/ingest/codecs/streams.h"

namespace retromass::ingest {
namespace {

/// CharLS, opened by hand instead of linked: it still exports the functions of its first version, and DCMTK's own copy of that
/// version exports them with other parameters. Whichever library a linker put first would take the other's calls.
struct CharLs {
    decltype(&charls_jpegls_decoder_create) create = nullptr;
    decltype(&charls_jpegls_decoder_destroy) destroy = nullptr;
    decltype(&charls_jpegls_decoder_set_source_buffer) set_source_buffer = nullptr;
    decltype(&charls_jpegls_decoder_read_header) read_header = nullptr;
    decltype(&charls_jpegls_decoder_get_frame_info) frame_info = nullptr;
    decltype(&charls_jpegls_decoder_decode_to_buffer) decode_to_buffer = nullptr;
    decltype(&charls_get_error_message) error_message = nullptr;
    bool complete = false;

    CharLs()
    {
        void* const opened = dlopen("libcharls.so.2", RTLD_NOW | RTLD_LOCAL);  // stays open for the life of the program
        if (!opened) return;
        complete = true;
        const auto load = [&](auto& function, const char* symbol) {
            function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(opened, symbol));
            complete = complete && function;
        };
        load(create, "charls_jpegls_decoder_create");
        load(destroy, "charls_jpegls_decoder_destroy");
        load(set_source_buffer, "charls_jpegls_decoder_set_source_buffer");
        load(read_header, "charls_jpegls_decoder_read_header");
        load(frame_info, "charls_jpegls_decoder_get_frame_info");
        load(decode_to_buffer, "charls_jpegls_decoder_decode_to_buffer");
        load(error_message, "charls_get_error_message");
    }
};

}  // namespace

Status decode_jpeg_ls(Bytes stream, const FrameShape& shape, std::span<std::uint16_t> stored)
{
    static const CharLs library;
    if (!library.complete) {
        return Error{Code::unsupported_syntax, "JPEG-LS needs the library CharLS 2 (package libcharls2), which is not installed", "codecs"};
    }
    const std::unique_ptr<charls_jpegls_decoder, void (*)(const charls_jpegls_decoder*)> decoder(library.create(), library.destroy);
    if (!decoder) return Error{Code::internal, "no memory for a JPEG-LS decoder", "codecs"};
    constexpr auto success = charls::jpegls_errc::success;
    const auto failed = [](charls::jpegls_errc code) -> Status {
        const std::string why = std::string("JPEG-LS stream cannot be decoded: ") + library.error_message(code);
        return code == charls::jpegls_errc::source_buffer_too_small ? cut_short(why) : damaged(why);
    };
    if (const auto code = library.set_source_buffer(decoder.get(), stream.data(), stream.size()); code != success) return failed(code);
    if (const auto code = library.read_header(decoder.get()); code != success) return failed(code);
    charls_frame_info found{};
    if (const auto code = library.frame_info(decoder.get(), &found); code != success) return failed(code);
    if (found.component_count != 1) return damaged("JPEG-LS stream has " + std::to_string(found.component_count) + " components, expected 1");
    if (found.width != static_cast<std::uint32_t>(shape.columns) || found.height != static_cast<std::uint32_t>(shape.rows)) {
        return damaged("JPEG-LS stream holds " + std::to_string(found.width) + " x " + std::to_string(found.height) +
                       " pixels, the header says " + std::to_string(shape.columns) + " x " + std::to_string(shape.rows));
    }
    if (found.bits_per_sample < 2 || found.bits_per_sample > shape.bits_allocated) {
        return damaged("JPEG-LS stream has " + std::to_string(found.bits_per_sample) + " bits a pixel, the header allocates " +
                       std::to_string(shape.bits_allocated));
    }
    const bool bytes = found.bits_per_sample <= 8;
    const std::size_t size = stored.size() * (bytes ? 1 : 2);
    if (const auto code = library.decode_to_buffer(decoder.get(), byte_cells(stored), size, 0); code != success) return failed(code);
    if (bytes) widen_byte_cells(stored);
    return Done{};
}

}  // namespace retromass::ingest
