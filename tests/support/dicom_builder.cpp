#include "tests/support/dicom_builder.h"

#include <zlib.h>

#include <cstdio>
#include <fstream>

namespace retromass::test {
namespace {

struct Encoding {
    bool explicit_vr = true;
    bool big_endian = false;
    bool undefined = false;
};

void put(std::string& out, std::uint64_t value, int bytes, bool big_endian)
{
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * (big_endian ? bytes - 1 - i : i));
}

bool long_form(const std::string& vr)
{
    return vr == "OB" || vr == "OW" || vr == "SQ" || vr == "UN" || vr == "UT";
}

void put_tag(std::string& out, std::uint32_t tag, const Encoding& e)
{
    put(out, tag >> 16, 2, e.big_endian);
    put(out, tag & 0xFFFF, 2, e.big_endian);
}

std::string data_set(const BuiltImage& image, const Encoding& e);

std::string items_of(const std::vector<BuiltImage>& items, const Encoding& e)
{
    std::string out;
    for (const auto& item : items) {
        const auto inner = data_set(item, e);
        put_tag(out, 0xFFFEE000, e);
        put(out, e.undefined ? 0xFFFFFFFF : inner.size(), 4, e.big_endian);
        out += inner;
        if (!e.undefined) continue;
        put_tag(out, 0xFFFEE00D, e);
        put(out, 0, 4, e.big_endian);
    }
    if (e.undefined) {
        put_tag(out, 0xFFFEE0DD, e);
        put(out, 0, 4, e.big_endian);
    }
    return out;
}

std::string data_set(const BuiltImage& image, const Encoding& e)
{
    std::string out;
    for (const auto& [tag, element] : image.elements) {
        auto value = element.vr == "SQ" ? items_of(element.items, e) : element.bytes;
        if (value.size() % 2) value += element.vr == "UI" || element.vr == "OB" ? '\0' : ' ';
        if (e.big_endian && (element.vr == "US" || element.vr == "SS" || element.vr == "OW")) {
            for (std::size_t i = 0; i + 1 < value.size(); i += 2) std::swap(value[i], value[i + 1]);
        }
        const std::uint64_t length = e.undefined && element.vr == "SQ" ? 0xFFFFFFFF : value.size();
        put_tag(out, tag, e);
        if (!e.explicit_vr) {
            put(out, length, 4, false);
        } else {
            out += element.vr;
            if (long_form(element.vr)) put(out, 0, 2, e.big_endian);
            put(out, length, long_form(element.vr) ? 4 : 2, e.big_endian);
        }
        out += value;
    }
    return out;
}

std::string deflated(const std::string& bytes)
{
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

}  // namespace

std::string position(double x, double y, double z)
{
    char text[80];
    std::snprintf(text, sizeof text, "%.6g\\%.6g\\%.6g", x, y, z);
    return text;
}

BuiltImage& BuiltImage::text(std::uint32_t tag, const char* vr, const std::string& value)
{
    elements[tag] = {vr, value, {}};
    return *this;
}

BuiltImage& BuiltImage::us(std::uint32_t tag, int value)
{
    std::string bytes;
    put(bytes, static_cast<std::uint16_t>(value), 2, false);
    elements[tag] = {"US", bytes, {}};
    return *this;
}

BuiltImage& BuiltImage::sequence(std::uint32_t tag, std::vector<BuiltImage> items)
{
    elements[tag] = {"SQ", {}, std::move(items)};
    return *this;
}

BuiltImage& BuiltImage::pixels(const std::vector<std::uint16_t>& words)
{
    std::string bytes;
    for (const auto word : words) put(bytes, word, 2, false);
    elements[0x7FE00010] = {"OW", bytes, {}};
    return *this;
}

BuiltImage& BuiltImage::without(std::uint32_t tag)
{
    elements.erase(tag);
    return *this;
}

std::vector<std::uint16_t> DicomBuilder::words(int slice)
{
    std::vector<std::uint16_t> out;
    for (int r = 0; r < kRows; ++r) {
        for (int c = 0; c < kColumns; ++c) out.push_back(static_cast<std::uint16_t>(stored_value(c, r, slice)));
    }
    return out;
}

DicomBuilder DicomBuilder::ct_series(int slices)
{
    DicomBuilder out;
    for (int k = 0; k < slices; ++k) {
        BuiltImage image;
        image.text(0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL").text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2").text(0x00080018, "UI", "1.2.3.4." + std::to_string(k + 1));
        image.text(0x00080020, "DA", "20200102").text(0x00080060, "CS", "CT").text(0x0008103E, "LO", "ABDOMEN");
        image.text(0x00100010, "PN", "NOBODY").text(0x00100020, "LO", "ID-1");
        image.text(0x00180050, "DS", "2").text(0x00181210, "SH", "B30f");
        image.text(0x0020000D, "UI", "1.2.3.1").text(0x0020000E, "UI", "1.2.3.2").text(0x00200011, "IS", "1").text(0x00200013, "IS", std::to_string(k + 1));
        image.text(0x00200032, "DS", position(-10, 20, -100 + 2 * k)).text(0x00200037, "DS", "1\\0\\0\\0\\1\\0").text(0x00200052, "UI", "1.2.3.3");
        image.us(0x00280002, 1).text(0x00280004, "CS", "MONOCHROME2").us(0x00280010, kRows).us(0x00280011, kColumns).text(0x00280030, "DS", "0.75\\0.5");
        image.us(0x00280100, 16).us(0x00280101, 16).us(0x00280102, 15).us(0x00280103, 0).text(0x00281052, "DS", "-1024").text(0x00281053, "DS", "1");
        image.pixels(words(k));
        out.images.push_back(std::move(image));
    }
    return out;
}

BuiltImage DicomBuilder::enhanced(const DicomBuilder& series, const std::vector<int>& order)
{
    auto image = series.images.front();
    image.text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2.1").text(0x00080018, "UI", "1.2.3.9.1").text(0x00280008, "IS", std::to_string(order.size()));
    for (const std::uint32_t tag : {0x00200032U, 0x00200037U, 0x00280030U, 0x00281052U, 0x00281053U, 0x00180050U, 0x00181210U}) image.without(tag);
    const auto& first = series.images.front().elements;
    const auto group = [](std::uint32_t tag, BuiltImage item) { return std::pair(tag, BuiltElement{"SQ", {}, {std::move(item)}}); };
    const auto some = [](const std::map<std::uint32_t, BuiltElement>& from, std::initializer_list<std::uint32_t> tags) {
        BuiltImage item;
        for (const auto tag : tags) {
            if (const auto found = from.find(tag); found != from.end()) item.elements[tag] = found->second;
        }
        return item;
    };
    BuiltImage shared;
    shared.elements.insert(group(0x00209116, some(first, {0x00200037})));
    shared.elements.insert(group(0x00289110, some(first, {0x00180050, 0x00280030})));
    shared.elements.insert(group(0x00289145, some(first, {0x00281052, 0x00281053})));
    std::vector<BuiltImage> frames;
    std::string pixels;
    for (const int k : order) {
        const auto& from = series.images[static_cast<std::size_t>(k)].elements;
        BuiltImage frame;
        frame.elements.insert(group(0x00209113, some(from, {0x00200032})));
        frame.elements.insert(group(0x00209111, some(from, {0x00189074, 0x00209056, 0x00209128})));
        frames.push_back(std::move(frame));
        pixels += from.at(0x7FE00010).bytes;
    }
    image.sequence(0x52009229, {shared}).sequence(0x52009230, frames);
    image.elements[0x7FE00010] = {"OW", pixels, {}};
    return image;
}

DicomBuilder& DicomBuilder::each(const std::function<void(BuiltImage&, int)>& change)
{
    for (std::size_t k = 0; k < images.size(); ++k) change(images[k], static_cast<int>(k));
    return *this;
}

DicomBuilder& DicomBuilder::slice(int k, const std::function<void(BuiltImage&)>& change)
{
    change(images.at(static_cast<std::size_t>(k)));
    return *this;
}

DicomBuilder& DicomBuilder::with(std::uint32_t tag, const char* vr, const std::string& value)
{
    return each([&](BuiltImage& image, int) { image.text(tag, vr, value); });
}

DicomBuilder& DicomBuilder::without(std::uint32_t tag)
{
    return each([&](BuiltImage& image, int) { image.without(tag); });
}

DicomBuilder& DicomBuilder::without_slice(int k)
{
    images.erase(images.begin() + k);
    return *this;
}

DicomBuilder& DicomBuilder::and_also(const DicomBuilder& other)
{
    images.insert(images.end(), other.images.begin(), other.images.end());
    return *this;
}

std::string file_of(const BuiltImage& image, Writing writing, const std::string& transfer_syntax)
{
    const bool implicit = writing == Writing::implicit_little;
    const bool big = writing == Writing::explicit_big;
    const Encoding encoding{!implicit, big, writing == Writing::undefined_lengths};
    auto body = data_set(image, encoding);
    if (writing == Writing::no_meta) return body;
    const std::string syntax = !transfer_syntax.empty()              ? transfer_syntax
                               : implicit                             ? "1.2.840.10008.1.2"
                               : big                                  ? "1.2.840.10008.1.2.2"
                               : writing == Writing::deflated         ? "1.2.840.10008.1.2.1.99"
                                                                      : "1.2.840.10008.1.2.1";
    if (writing == Writing::deflated) body = deflated(body);
    BuiltImage meta;
    meta.text(0x00020010, "UI", syntax);
    const auto head = data_set(meta, {});
    if (writing == Writing::no_preamble) return head + body;
    return std::string(128, '\0') + "DICM" + head + body;
}

std::filesystem::path DicomBuilder::write_to(const std::filesystem::path& folder, Writing writing) const
{
    std::filesystem::create_directories(folder);
    for (std::size_t i = 0; i < images.size(); ++i) {
        const auto bytes = file_of(images[i], writing);
        std::ofstream(folder / ("image" + std::to_string(i)), std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
    return folder;
}

}  // namespace retromass::test
