#include "tests/fuzz/reader_input.h"

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <type_traits>

#include "pipeline/batch/batch.h"
#include "pipeline/batch/manifest.h"
#include "pipeline/ingest/ingest.h"
#include "pipeline/outputs/objects.h"
#include "pipeline/outputs/outputs.h"
#include "pipeline/run/run.h"
#include "tests/support/dicom_builder.h"
#include "tests/unit/outputs/dcmtk/ct_files.h"
#include "tests/unit/outputs/sample_case.h"

namespace retromass::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCase = R"(case: "P-1"
accept: [uneven-slices]
timepoints:
  - {id: a, ct: "../a", files: "a.txt", series: "1.2.3#1", new_lesions: none, reader: R1, phase: portal-venous}
  - {id: b, date: 2020-06-01, day: 150, visit: "W 20", contrast: given}
treatments: [{kind: systemic, line: 1, start: 2020-01-02, agents: [x, y]}, {kind: radiotherapy, start: 2020-02-01, end: 2020-03-01, lesions: [T1], dose_gy: 50, fractions: 25}]
events: [{kind: last-contact, date: 2021-01-01}]
lesions:
  - id: T1
    role: target
    organ: "liver"
    timepoints:
      a: {line: [[1, 2, 3], [4, 5, 6]], short_line: [[2, 2, 3], [3, 1, 3]], exclude: [[0, 0, 0]]}
      b: {reported: {long_axis_mm: 12.5, source: x, by: R1}, interval_mm: [11, 14], interval_hu: [30, 50]}
  - {id: T2, role: non-target, timepoints: {a: {status: present, reader: R1, date: 2020-01-01}, b: {mask: m.nii.gz, label: "GTV"}}}
response: {primary: recist-1.1, criteria: [choi, who], policies: {local_therapy: keep}}
)";
constexpr const char* kSettings = "settings: 1\nname: site A\nversion: 3\nmethod: energy\npolicies: {confirmation: required, sd_min_days: 49}\naccept: [missing-slices]\nuid_root: 1.2.826.0.1\n";
constexpr const char* kProtocol = "protocol: TRIAL-1\nversion: 2\nreaders: [R1, R2]\nresponse: {primary: who, policies: {confirmation: required, sd_min_days: 49}}\ndiameter_from: mask\nrecorded_precision_mm: 1\n"
    "acquisition: {slice_thickness_max_mm: 5, phases: [portal-venous], kvp: [100, 140], lossy: refused}\nseries: [portal-venous, soft, thinnest]\nvisits: [{name: WEEK 8, from_day: 49, to_day: 63}]\n";
constexpr const char* kTable = "case,timepoint,date,lesion,role,site,organ,nodal,status,long_axis_mm,short_axis_mm,volume_ml,hu_mean\n"
                               "P-1,a,2020-01-01,T1,target,\"li,ver\",liver,0,measured,54.3,40.25,60,41.5\r\nP-1,b,2020-06-01,T1,target,,liver,0,,TOO SMALL TO MEASURE,,,\n";
constexpr const char* kLines = "sop_instance_uid,x1,y1,x2,y2,lesion,frame\n1.2.3,10,20.5,30,40,T1,1\n1.2.4,1e1,2,3,4,\"T \"\"2\"\"\",\n";
constexpr const char* kManifest = "study_uid,folder,studyid,usubjid,visit,day,site,reader\n1.2.3,,TRIAL-1,P-1,\"W 0, base\",-1,S1,R1\n,archive/b/../c/,TRIAL-1,P-2,,56,,\r\n";
constexpr const char* kDecisions = R"({"schema": "retromass-batch-decisions/1", "plan": "00", "reader": "R1", "cases": [
 {"case": "P-1", "result": "01", "opened": true, "decision": "accept", "note": "", "prompt": null},
 {"case": "P-2", "result": "02", "opened": false, "decision": null, "note": "", "prompt": null},
 {"case": "P-3", "result": "03", "opened": true, "decision": "needs-prompt", "note": "rim \u00e4", "prompt": {"lesion": "T1", "timepoint": "a", "points": [1, 2.5, -3e1]}}]}
)";

void promise(bool kept, const char* what)
{
    if (kept) return;
    std::fprintf(stderr, "broken promise: %s\n", what);
    std::abort();
}

/// A file in memory that has a path.
class MemoryFile {
public:
    explicit MemoryFile(std::span<const std::uint8_t> bytes) : descriptor_(memfd_create("input", 0)) { promise(write(descriptor_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()), "a file in memory"); }
    ~MemoryFile() { close(descriptor_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    fs::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    int descriptor_;
};

/// The CT that contours are filled on, and the grid of every mask among the seeds.
VolumeGeometry grid() { return VolumeGeometry::axial({7, 6, 4}, 1.5, 1.25, 3, {-4, -3, 10}); }

/// A body with a hole, and a second one beside it.
Mask two_bodies()
{
    Mask out(grid().size());
    for (int k = 1; k < 3; ++k) {
        for (int r = 1; r < 5; ++r) {
            for (int c = 1; c < 5; ++c) out.at(c, r, k) = c == 2 && r == 2 ? 0 : 1;
        }
    }
    out.at(6, 0, 3) = 1;
    return out;
}

/// What a reader makes of a file, as a text that two readings have in common.
Result<std::string> answer(const std::string& reader, const fs::path& file)
{
    if (reader == "case") {
        RETROMASS_TRY_ASSIGN(const auto read, run::read_case(file));
        promise(!read.case_id.empty() && !read.timepoints.empty(), "a case has a name and time points");
        return read.case_id;
    }
    if (reader == "settings") {
        RETROMASS_TRY_ASSIGN(const auto read, run::read_settings(file));
        promise(read.sha256.size() == 64 && read.version > 0 && !read.name.empty(), "settings have a hash, a version and a name");
        return run::name_of(read);
    }
    if (reader == "protocol") {
        RETROMASS_TRY_ASSIGN(const auto read, run::read_protocol(file));
        promise(read.sha256.size() == 64 && read.version > 0, "a protocol has a hash and a version");
        return read.sha256;
    }
    if (reader == "table") {
        RETROMASS_TRY_ASSIGN(const auto read, run::read_table({file, {}, {}}));
        return std::to_string(read.size());
    }
    if (reader == "marks") {
        RETROMASS_TRY_ASSIGN(const auto read, ingest::read_marks(file));
        return std::to_string(read.all.size());
    }
    if (reader == "manifest") {
        RETROMASS_TRY_ASSIGN(const auto read, batch::read_manifest(file));
        std::string out;
        for (const auto& row : read) {
            promise(row.study_uid.empty() != row.folder.empty(), "a row names its study in one way");
            promise(row.subject.find('/') == std::string::npos && row.subject != "..", "a subject can be the name of a folder");
            out += row.study_uid + row.folder + ' ' + row.subject + '\n';
        }
        return out;
    }
    if (reader == "decisions") {  // taken into a plan without cases: the file is read whole, and nothing is there to be changed
        RETROMASS_TRY_ASSIGN(const auto read, batch::apply_decisions({"/nonexistent", {}, {}, {}}, file, "2020-01-01T00:00:00Z"));
        promise(read.changed.empty() && read.again.empty() && read.accepted + read.rejected + read.need_prompt == 0, "a case that the plan has not is not decided on");
        return std::to_string(read.on_page) + ' ' + std::to_string(read.opened) + ' ' + std::to_string(read.not_taken.size());
    }
    const auto ct = grid();
    RETROMASS_TRY_ASSIGN(const auto read, ingest::read_labels(file, &ct));
    promise(read.labels.size() == read.geometry.size(), "labels have the size of their grid");
    for (const auto& layer : read.overlaps) promise(layer.size() == read.geometry.size(), "so have those that overlap");
    for (int k = 0; k < read.geometry.size().slices; ++k) promise(std::isfinite(norm(read.geometry.slice_origin(k))), "every slice has a place");
    std::string out = read.format;
    for (const auto& label : read.present) out += ' ' + std::to_string(label.value);
    return out;
}

Input bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

Input content_of(const fs::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// A folder that goes with its user.
class Scratch {
public:
    Scratch() { fs::create_directories(path); }
    ~Scratch()
    {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    const fs::path path = fs::temp_directory_path() / ("retromass-fuzz-" + std::to_string(getpid()));
};

/// The report of a measured time point as the program writes it.
Input report()
{
    const Scratch scratch;
    const auto result = test::sample_case(scratch.path / "ct");
    const auto& now = *std::find_if(result.timepoints.begin(), result.timepoints.end(), [](const auto& timepoint) { return !timepoint.lesions.empty() && timepoint.lesions[0].mask; });
    const auto seg = outputs::write_seg(scratch.path / "seg", *now.ct, {&*now.lesions[0].mask}, {{now.lesions[0].lesion, now.lesions[0].tracking_uid, ""}});
    promise(seg.ok() && outputs::write_report(scratch.path / "sr", result, now, {now.lesions[0].lesion}, *seg).ok(), "the sample case has a report");
    return content_of(scratch.path / "sr");
}

/// Two lines on one image, one in its pixels and one as displayed, and a circle that is no line.
Input presentation_state()
{
    const auto numbers = [](const char* vr, const auto&... values) {
        std::string bytes;
        for (const auto value : {values...}) bytes += std::string(reinterpret_cast<const char*>(&value), sizeof value);
        return test::BuiltElement{vr, bytes, {}};
    };
    const auto graphic = [&](const char* units, const char* type, float x1, float y1, float x2, float y2) {
        test::BuiltImage out;
        out.text(0x00700005, "CS", units).us(0x00700020, 2).us(0x00700021, 2).text(0x00700023, "CS", type);
        out.elements[0x00700022] = numbers("FL", x1, y1, x2, y2);
        return out;
    };
    test::BuiltImage image, annotation, area, state;
    image.text(0x00081150, "UI", "1.2.840.10008.5.1.4.1.1.2").text(0x00081155, "UI", "1.2.3.4");
    annotation.sequence(0x00081140, {image}).text(0x00700002, "CS", "L").sequence(0x00700009, {graphic("PIXEL", "POLYLINE", 1, 2, 8, 9), graphic("DISPLAY", "POLYLINE", 0, 0.5F, 1, 0.5F), graphic("PIXEL", "CIRCLE", 4, 4, 4, 6)});
    area.elements[0x00700052] = numbers("SL", std::int32_t{1}, std::int32_t{1});
    area.elements[0x00700053] = numbers("SL", std::int32_t{12}, std::int32_t{10});
    state.text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.11.1").text(0x00080018, "UI", "1.2.3.5").text(0x0020000D, "UI", "1.2.3").sequence(0x00700001, {annotation}).sequence(0x0070005A, {area});
    return bytes_of(test::file_of(state));
}

/// The voxels of a mask as whole numbers of a type, in the order that is asked for.
template <class T>
std::string voxels(const Mask& mask, std::endian order)
{
    std::string out;
    for (const auto value : mask.values()) {
        const auto word = static_cast<std::make_unsigned_t<T>>(value);
        for (std::size_t b = 0; b < sizeof(T); ++b) out += static_cast<char>(word >> 8 * (order == std::endian::big ? sizeof(T) - 1 - b : b) & 0xFF);
    }
    return out;
}

std::string gzipped(const std::string& text, const fs::path& scratch)
{
    gzFile out = gzopen(scratch.c_str(), "wb");
    promise(out && gzwrite(out, text.data(), static_cast<unsigned>(text.size())) == static_cast<int>(text.size()) && gzclose(out) == Z_OK, "a compressed file");
    const auto bytes = content_of(scratch);
    return {bytes.begin(), bytes.end()};
}

/// A NIfTI-1 file by its published byte offsets, not compressed: placed by a rotation, big endian, with a slope.
std::string nifti_by_quaternion(const Mask& mask)
{
    std::string h(352, '\0');
    const auto put = [&](std::size_t offset, auto value) {
        auto bytes = std::bit_cast<std::array<char, sizeof value>>(value);
        if constexpr (std::endian::native == std::endian::little) std::reverse(bytes.begin(), bytes.end());
        h.replace(offset, bytes.size(), bytes.data(), bytes.size());
    };
    const auto size = mask.size();
    put(0, std::int32_t{348});
    const int dim[5] = {3, size.columns, size.rows, size.slices, 1};
    for (std::size_t i = 0; i < 5; ++i) put(40 + 2 * i, static_cast<std::int16_t>(dim[i]));
    put(70, std::int16_t{4});
    put(72, std::int16_t{16});
    const float edges[4] = {-1, 1.5F, 1.25F, 3};
    for (std::size_t i = 0; i < 4; ++i) put(76 + 4 * i, edges[i]);
    put(108, 352.0F);
    put(112, 2.0F);
    put(252, std::int16_t{1});
    put(256, 0.6F);
    put(268, 12.5F);
    h.replace(344, 3, "n+1");
    return h + voxels<std::int16_t>(mask, std::endian::big);
}

/// Masks in every format that is read, small, so that a mutation meets header and geometry as often as voxels.
std::vector<Input> masks()
{
    const Scratch scratch;
    const auto geometry = grid();
    const auto mask = two_bodies();
    const auto ct = test::write_ct(scratch.path / "ct", {geometry, Grid<std::int16_t>(geometry.size(), 40)}, "fuzz", "2020-01-01");
    const std::vector<outputs::SegDescription> named{{"T1", outputs::derived_uid("t"), ""}};
    outputs::ProbabilityMap map{1, Grid<std::uint8_t>({7, 6, 2}, 100)};
    map.values.at(3, 3, 0) = 200;
    const auto at = [&](const char* name) { return scratch.path / name; };
    promise(outputs::write_seg(at("seg"), ct, {&mask}, named).ok(), "a mask can be written as SEG");
    promise(outputs::write_probability_seg(at("fractional"), ct, {&map}, named).ok(), "and as a fractional one");
    promise(outputs::write_structure_set(at("contours"), ct, {&mask}, named).ok(), "and as contours");
    promise(outputs::write_nifti(at("gzip.nii.gz"), mask, geometry).ok(), "and as NIfTI");
    std::vector<Input> out;
    for (const auto* name : {"seg", "fractional", "contours", "gzip.nii.gz"}) out.push_back(content_of(at(name)));
    std::string plain;  // the same NIfTI, which zlib does not guard: a changed byte is a changed field
    gzFile packed = gzopen(at("gzip.nii.gz").c_str(), "rb");
    promise(packed != nullptr, "a file that was written");
    for (int byte = 0; (byte = gzgetc(packed)) >= 0;) plain += static_cast<char>(byte);
    gzclose(packed);
    out.push_back(bytes_of(plain));
    out.push_back(bytes_of(nifti_by_quaternion(mask)));
    const std::string shape = "NRRD0004\ndimension: 3\nsizes: 7 6 4\n";
    const std::string oblique = "space: left-posterior-superior\nspace directions: (1.2,-0.9,0) (0.75,1,0) (0,0,-3)\nkinds: domain domain domain\nspace origin: (-4,-3,19)\n";
    out.push_back(bytes_of(shape + "type: uint8\n" + oblique + "encoding: raw\n\n" + voxels<std::uint8_t>(mask, std::endian::little)));
    out.push_back(bytes_of(shape + "type: signed short\nspace: RAS\nspacings: 1.5 1.25 3\n# a remark\nendian: big\r\nencoding: raw\nname:=value\n\n" + voxels<std::int16_t>(mask, std::endian::big)));
    out.push_back(bytes_of(shape + "type: unsigned int\n" + oblique + "endian: little\nencoding: gzip\n\n" + gzipped(voxels<std::uint32_t>(mask, std::endian::little), at("z"))));
    return out;
}

}  // namespace

void run_reader(const std::string& reader, std::span<const std::uint8_t> input)
{
    const MemoryFile file(input);
    const auto said = [&] {
        const auto read = answer(reader, file.path());
        return read ? "read: " + *read : "refused: " + std::string(name(read.error().code));
    };
    promise(said() == said(), "the same bytes give the same answer");
}

std::string refusal(const std::string& reader, std::span<const std::uint8_t> input)
{
    const MemoryFile file(input);
    const auto read = answer(reader, file.path());
    return read ? std::string() : std::string(name(read.error().code)) + ": " + read.error().message;
}

std::vector<Input> reader_seeds(const std::string& reader)
{
    if (reader == "case") return {bytes_of(kCase)};
    if (reader == "protocol") return {bytes_of(kProtocol)};
    if (reader == "settings") return {bytes_of(kSettings)};
    if (reader == "table") return {bytes_of(kTable)};
    if (reader == "manifest") return {bytes_of(kManifest)};
    if (reader == "decisions") return {bytes_of(kDecisions)};
    if (reader == "marks") return {report(), presentation_state(), bytes_of(kLines)};
    return masks();
}

}  // namespace retromass::fuzz
