#include "pipeline/ingest/dcmtk/charset.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcspchrs.h>

#include <algorithm>

namespace retromass::ingest {

std::string to_utf8(std::string_view text, std::string_view character_set)
{
    const auto plain = [](char c) { return static_cast<unsigned char>(c) < 0x80 && c != '\x1b'; };
    if (std::all_of(text.begin(), text.end(), plain)) return std::string(text);
    DcmSpecificCharacterSet converter;
    OFString out;
    if (converter.selectCharacterSet(OFString(character_set.data(), character_set.size()), "ISO_IR 192").good() &&
        converter.convertString(text.data(), text.size(), out, "\\=").good()) {
        return std::string(out.c_str(), out.length());
    }
    std::string fallback(text);
    for (auto& c : fallback) {
        if (!plain(c)) c = '?';
    }
    return fallback;
}

}  // namespace retromass::ingest
