#include <zlib.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <tuple>

#include "pipeline/ingest/header.h"

namespace retromass::ingest {
namespace {

constexpr std::size_t kMostBytes = std::size_t{8} << 30;

Result<std::string> inflated(const std::string& packed, std::size_t expected)
{
    std::string out(expected, '\0');
    z_stream stream{};
    if (inflateInit2(&stream, 47) != Z_OK) return Error{Code::malformed, "gzip data cannot be read", "ingest"};  // 32 + 15: zlib or gzip
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    inflate(&stream, Z_FINISH);
    const auto made = stream.total_out;
    inflateEnd(&stream);
    if (made != expected) return Error{Code::malformed, "the compressed data is too short", "ingest"};
    return out;
}

std::vector<PatientPoint> vectors(const std::string& text)
{
    std::vector<PatientPoint> out;
    std::string cleaned;
    for (const char c : text) cleaned += c == '(' || c == ')' || c == ',' ? ' ' : c;
    std::istringstream in(cleaned);
    double x = 0;
    double y = 0;
    double z = 0;
    while (in >> x >> y >> z) out.push_back({x, y, z});
    return out;
}

}  // namespace

Result<LabelVolume> read_nrrd(const std::filesystem::path& file)
{
    const auto fail = [](std::string why) { return Error{Code::malformed, "NRRD: " + std::move(why), "ingest"}; };
    std::ifstream in(file, std::ios::binary);
    std::string line;
    std::getline(in, line);
    std::map<std::string, std::string> fields;
    while (std::getline(in, line)) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.empty()) break;
        if (line[0] == '#') continue;
        const auto colon = line.find(':');
        if (colon == std::string::npos) return fail("header line without a colon");
        auto value = line.substr(colon + 1);
        if (!value.empty() && value[0] == '=') value.erase(0, 1);
        const auto first = value.find_first_not_of(' ');
        fields[line.substr(0, colon)] = first == std::string::npos ? std::string() : value.substr(first);
    }
    if (fields.count("data file") || fields.count("datafile")) return fail("detached data files are not read");
    std::istringstream sizes(fields["sizes"]);
    Dimensions size;
    if (fields["dimension"] != "3" || !(sizes >> size.columns >> size.rows >> size.slices) || size.columns < 1 || size.rows < 1 || size.slices < 1) return fail("expected three dimensions");
    static const std::map<std::string, std::pair<int, bool>> types{{"uchar", {1, false}}, {"unsigned char", {1, false}}, {"uint8", {1, false}}, {"uint8_t", {1, false}},
        {"signed char", {1, true}}, {"int8", {1, true}}, {"int8_t", {1, true}}, {"short", {2, true}}, {"int16", {2, true}}, {"int16_t", {2, true}}, {"signed short", {2, true}},
        {"ushort", {2, false}}, {"unsigned short", {2, false}}, {"uint16", {2, false}}, {"uint16_t", {2, false}}, {"int", {4, true}}, {"int32", {4, true}}, {"int32_t", {4, true}},
        {"uint", {4, false}}, {"unsigned int", {4, false}}, {"uint32", {4, false}}, {"uint32_t", {4, false}}};
    const auto type = types.find(fields["type"]);
    if (type == types.end()) return fail("type '" + fields["type"] + "' is no label type");
    const auto [width, is_signed] = type->second;
    const double bytes_wanted = double(size.columns) * size.rows * size.slices * width;
    if (bytes_wanted > double(kMostBytes)) return Error{Code::oversized, "the mask is too large", "ingest"};
    if (!may_hold(file, bytes_wanted)) return fail("the data is too short");
    std::string data((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (fields["encoding"] == "gzip" || fields["encoding"] == "gz") {
        RETROMASS_TRY_ASSIGN(data, inflated(data, static_cast<std::size_t>(bytes_wanted)));
    } else if (fields["encoding"] != "raw") {
        return fail("encoding '" + fields["encoding"] + "' is not read (raw and gzip are)");
    }
    if (data.size() < static_cast<std::size_t>(bytes_wanted)) return fail("the data is too short");
    const bool big = fields["endian"] == "big";
    Grid<std::uint16_t> values(size);
    for (std::size_t i = 0; i < size.voxels(); ++i) {
        std::uint32_t word = 0;
        for (int b = 0; b < width; ++b) {
            const auto byte = static_cast<unsigned char>(data[i * static_cast<std::size_t>(width) + static_cast<std::size_t>(big ? width - 1 - b : b)]);
            word |= static_cast<std::uint32_t>(byte) << (8 * b);
        }
        const bool negative = is_signed && (word >> (8 * width - 1) & 1);
        if (negative || word > 65535) return fail("the voxels are not labels");
        values[i] = static_cast<std::uint16_t>(word);
    }
    std::vector<PatientPoint> axes = vectors(fields["space directions"]);
    std::vector<PatientPoint> origin = vectors(fields["space origin"]);
    if (axes.size() != 3) {
        std::istringstream spacings(fields["spacings"]);
        double a = 1;
        double b = 1;
        double c = 1;
        if (!(spacings >> a >> b >> c)) return fail("neither space directions nor spacings");
        axes = {{a, 0, 0}, {0, b, 0}, {0, 0, c}};
    }
    if (origin.empty()) origin = {{0, 0, 0}};
    double sx = 1;
    double sy = 1;
    const auto& space = fields["space"];
    if (space == "right-anterior-superior" || space == "RAS") sx = sy = -1;
    else if (space == "left-anterior-superior" || space == "LAS") sy = -1;
    else if (!space.empty() && space != "left-posterior-superior" && space != "LPS") return fail("space '" + space + "' is not known");
    const auto& [a, b, c] = std::tie(axes[0], axes[1], axes[2]);
    const auto& o = origin[0];
    const std::array<double, 16> lps{sx * a.x, sx * b.x, sx * c.x, sx * o.x, sy * a.y, sy * b.y, sy * c.y, sy * o.y, a.z, b.z, c.z, o.z, 0, 0, 0, 1};
    return labels_on_affine(std::move(values), lps, "NRRD");
}

}  // namespace retromass::ingest
