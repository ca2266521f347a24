#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <span>

#include "pipeline/ingest/header.h"

namespace retromass::ingest {
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

double number(DcmItem& item, const DcmTagKey& key, double otherwise)
{
    Float64 value = 0;
    return item.findAndGetFloat64(key, value).good() ? value : otherwise;
}

int integer(DcmItem& item, const DcmTagKey& key, int otherwise)
{
    Uint16 value = 0;
    return item.findAndGetUint16(key, value).good() ? value : otherwise;
}

/// A padding value in its stored sense: signed and unsigned encodings of the same bits are the same value.
std::optional<int> padding(DcmItem& item, const DcmTagKey& key, bool is_signed)
{
    Sint16 s = 0;
    Uint16 u = 0;
    if (item.findAndGetUint16(key, u).good()) return is_signed ? static_cast<std::int16_t>(u) : static_cast<int>(u);
    if (item.findAndGetSint16(key, s).good()) return is_signed ? s : static_cast<int>(static_cast<std::uint16_t>(s));
    return std::nullopt;
}

struct Stored {
    int bits_stored;
    int high_bit;
    bool is_signed;

    /// The value of the stored bits, whatever else stands in the word.
    int value(unsigned word) const
    {
        const unsigned shifted = word >> (high_bit + 1 - bits_stored);
        const unsigned mask = bits_stored >= 32 ? ~0u : (1u << bits_stored) - 1;
        const unsigned bits = shifted & mask;
        if (is_signed && bits_stored < 32 && (bits >> (bits_stored - 1) & 1)) return static_cast<int>(bits | ~mask);
        return static_cast<int>(bits);
    }
};

Result<DcmFileFormat*> load(const std::filesystem::path& file, DcmFileFormat& format)
{
    register_codecs();
    const auto fail = [&](Code code, const std::string& why) { return Error{code, file.filename().string() + ": " + why, "ingest"}; };
    auto status = format.loadFile(file.c_str(), EXS_Unknown, EGL_noChange, DCM_MaxReadLength, ERM_autoDetect);
    if (status.bad()) return fail(Code::malformed, status.text());
    auto& data = *format.getDataset();
    const DcmXfer from(data.getOriginalXfer());
    status = data.chooseRepresentation(EXS_LittleEndianExplicit, nullptr);
    if (status.bad() || !data.canWriteXfer(EXS_LittleEndianExplicit)) {
        return fail(Code::unsupported_syntax, std::string("transfer syntax ") + from.getXferName() + " cannot be decoded: " + status.text());
    }
    return &format;
}

}  // namespace

Status decode_slice(const SliceSource& source, int columns, int rows, std::span<std::int16_t> hu)
{
    DcmFileFormat format;
    RETROMASS_TRY_ASSIGN(auto* const loaded, load(source.file, format));
    auto& data = *loaded->getDataset();
    const auto fail = [&](Code code, const std::string& why) { return Error{code, source.file.filename().string() + ": " + why, "ingest"}; };
    const int found_rows = integer(data, DCM_Rows, 0);
    const int found_columns = integer(data, DCM_Columns, 0);
    if (found_rows != rows || found_columns != columns) return fail(Code::mixed_size, "image size changed since the scan");
    const int allocated = integer(data, DCM_BitsAllocated, 16);
    Stored stored{integer(data, DCM_BitsStored, allocated), 0, integer(data, DCM_PixelRepresentation, 0) == 1};
    stored.high_bit = integer(data, DCM_HighBit, stored.bits_stored - 1);
    if ((allocated != 16 && allocated != 8) || stored.bits_stored < 1 || stored.bits_stored > allocated || stored.high_bit >= allocated ||
        stored.high_bit < stored.bits_stored - 1) {
        return fail(Code::malformed, "bits allocated " + std::to_string(allocated) + ", stored " + std::to_string(stored.bits_stored) + ", high bit " + std::to_string(stored.high_bit) + " cannot be");
    }
    const std::size_t wanted = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
    const auto short_by = [&](unsigned long count) {
        return fail(Code::truncated_pixels, "pixel data holds " + std::to_string(count) + " values, expected " + std::to_string(wanted));
    };
    const double slope = number(data, DCM_RescaleSlope, 1);
    const double intercept = number(data, DCM_RescaleIntercept, 0);
    const auto pad = padding(data, DCM_PixelPaddingValue, stored.is_signed);
    const auto limit = padding(data, DCM_PixelPaddingRangeLimit, stored.is_signed);
    const int pad_low = pad ? std::min(*pad, limit.value_or(*pad)) : 1;
    const int pad_high = pad ? std::max(*pad, limit.value_or(*pad)) : 0;
    const auto convert = [&](unsigned word) -> std::int16_t {
        const int value = stored.value(word);
        if (value >= pad_low && value <= pad_high) return kPaddingHu;
        return static_cast<std::int16_t>(std::clamp(std::lround(value * slope + intercept), -32767L, 32767L));
    };
    if (allocated == 16) {
        const Uint16* words = nullptr;
        unsigned long count = 0;
        if (data.findAndGetUint16Array(DCM_PixelData, words, &count).bad() || !words) return fail(Code::truncated_pixels, "no pixel data");
        if (count < wanted) return short_by(count);
        for (std::size_t i = 0; i < wanted; ++i) hu[i] = convert(words[i]);
    } else {
        const Uint8* bytes = nullptr;
        unsigned long count = 0;
        if (data.findAndGetUint8Array(DCM_PixelData, bytes, &count).bad() || !bytes) return fail(Code::truncated_pixels, "no pixel data");
        if (count < wanted) return short_by(count);
        for (std::size_t i = 0; i < wanted; ++i) hu[i] = convert(bytes[i]);
    }
    return Done{};
}

Result<std::string> pixel_digest(const std::filesystem::path& file)
{
    DcmFileFormat format;
    RETROMASS_TRY_ASSIGN(auto* const loaded, load(file, format));
    const Uint16* words = nullptr;
    unsigned long count = 0;
    auto& data = *loaded->getDataset();
    if (data.findAndGetUint16Array(DCM_PixelData, words, &count).bad() || !words) return Error{Code::truncated_pixels, file.filename().string() + ": no pixel data", "ingest"};
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    EVP_Digest(words, count * 2, out, &length, EVP_sha256(), nullptr);
    return std::string(reinterpret_cast<const char*>(out), length);
}

}  // namespace retromass::ingest
