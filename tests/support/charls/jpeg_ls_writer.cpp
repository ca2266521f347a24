#include <charls/charls.h>
#include <dlfcn.h>

#include <memory>
#include <stdexcept>

#include "tests/support/stream_writers.h"

namespace retromass::test {
namespace {

/// CharLS, opened by hand instead of linked: it still exports the functions of its first version, and DCMTK's own copy of that
/// version exports them with other parameters. Whichever library a linker put first would take the other's calls.
template <class Function>
Function* function(const char* symbol)
{
    static void* const library = dlopen("libcharls.so.2", RTLD_NOW | RTLD_LOCAL);
    void* const found = library ? dlsym(library, symbol) : nullptr;
    if (!found) throw std::runtime_error(std::string("CharLS lacks ") + symbol);
    return reinterpret_cast<Function*>(found);
}
#define CHARLS(name) function<decltype(charls_jpegls_encoder_##name)>("charls_jpegls_encoder_" #name)

void require(charls::jpegls_errc code)
{
    if (code != charls::jpegls_errc::success) throw std::runtime_error("CharLS could not write a stream");
}

}  // namespace

std::vector<std::byte> jpeg_ls(const Pixels& pixels, int columns, int rows, int precision, int near, const std::array<int, 5>& preset)
{
    const std::unique_ptr<charls_jpegls_encoder, void (*)(const charls_jpegls_encoder*)> encoder(CHARLS(create)(), CHARLS(destroy));
    const charls_frame_info frame{static_cast<std::uint32_t>(columns), static_cast<std::uint32_t>(rows), precision, 1};
    require(CHARLS(set_frame_info)(encoder.get(), &frame));
    require(CHARLS(set_near_lossless)(encoder.get(), near));
    if (preset != std::array<int, 5>{}) {
        const charls_jpegls_pc_parameters parameters{preset[0], preset[1], preset[2], preset[3], preset[4]};
        require(CHARLS(set_preset_coding_parameters)(encoder.get(), &parameters));
    }
    std::vector<std::byte> out(1024 + pixels.size() * 8);
    require(CHARLS(set_destination_buffer)(encoder.get(), out.data(), out.size()));
    if (precision <= 8) {
        const std::vector<std::uint8_t> bytes(pixels.begin(), pixels.end());
        require(CHARLS(encode_from_buffer)(encoder.get(), bytes.data(), bytes.size(), 0));
    } else {
        require(CHARLS(encode_from_buffer)(encoder.get(), pixels.data(), pixels.size() * 2, 0));
    }
    std::size_t written = 0;
    require(CHARLS(get_bytes_written)(encoder.get(), &written));
    out.resize(written);
    return out;
}

}  // namespace retromass::test
