#include "tests/fuzz/reader_input.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "pipeline/ingest/ingest.h"
#include "pipeline/outputs/outputs.h"
#include "pipeline/run/run.h"
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
      b: {reported: {long_axis_mm: 12.5, source: x, by: R1}, interval_mm: [11, 14]}
  - {id: T2, role: non-target, timepoints: {a: {status: present, reader: R1, date: 2020-01-01}, b: {mask: m.nii.gz, label: "GTV"}}}
response: {primary: recist-1.1, criteria: [choi, who], policies: {local_therapy: keep}}
)";
constexpr const char* kProtocol = "protocol: TRIAL-1\nversion: 2\nreaders: [R1, R2]\nresponse: {primary: who, policies: {confirmation: required, sd_min_days: 49}}\ndiameter_from: mask\nrecorded_precision_mm: 1\n";
constexpr const char* kTable = "case,timepoint,date,lesion,role,site,organ,nodal,status,long_axis_mm,short_axis_mm,volume_ml,hu_mean\n"
                               "P-1,a,2020-01-01,T1,target,\"li,ver\",liver,0,measured,54.3,40.25,60,41.5\r\nP-1,b,2020-06-01,T1,target,,liver,0,TOO SMALL TO MEASURE,,,,\n";
constexpr const char* kLines = "sop_instance_uid,x1,y1,x2,y2,lesion,frame\n1.2.3,10,20.5,30,40,T1,1\n1.2.4,1e1,2,3,4,\"T \"\"2\"\"\",\n";
constexpr const char* kNrrd = "NRRD0004\ntype: uint8\ndimension: 3\nspace: left-posterior-superior\nsizes: 4 3 2\nspace directions: (1,0,0) (0,1,0) (0,0,2.5)\nkinds: domain domain domain\n"
                              "encoding: ascii\nspace origin: (-1,-2,-3)\n\n0 1 1 0 0 1 1 0 0 0 0 0 0 2 2 0 0 0 0 0 0 0 0 0\n";

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

/// What a reader answers, as a text that two readings have in common.
std::string answer(const std::string& reader, const fs::path& file)
{
    const auto refused = [](const Error& error) { return std::string(name(error.code)); };
    if (reader == "case") {
        const auto read = run::read_case(file);
        if (!read) return refused(read.error());
        promise(!read->case_id.empty() && !read->timepoints.empty(), "a case has a name and time points");
        return read->case_id;
    }
    if (reader == "protocol") {
        const auto read = run::read_protocol(file);
        if (!read) return refused(read.error());
        promise(read->sha256.size() == 64 && read->version > 0, "a protocol has a hash and a version");
        return read->sha256;
    }
    if (reader == "table") {
        const auto read = run::read_table({file, {}, {}});
        return read ? std::to_string(read->size()) : refused(read.error());
    }
    if (reader == "marks") {
        const auto read = ingest::read_marks(file);
        if (!read) return refused(read.error());
        return std::to_string(read->all.size());
    }
    const auto read = ingest::read_labels(file);
    if (!read) return refused(read.error());
    std::string out;
    for (const auto& label : read->present) out += std::to_string(label.value) + " ";
    return out;
}

Input bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

std::vector<Input> files_ending(const fs::path& folder, const std::string& ending)
{
    std::vector<Input> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.path().string().ends_with(ending)) continue;
        std::ifstream in(entry.path(), std::ios::binary);
        out.push_back(bytes_of({std::istreambuf_iterator<char>(in), {}}));
    }
    return out;
}

/// A whole case as the program writes it: its DICOM objects and masks.
std::vector<Input> written(std::initializer_list<const char*> endings)
{
    const auto scratch = fs::temp_directory_path() / ("retromass-fuzz-" + std::to_string(getpid()));
    std::vector<Input> out;
    fs::create_directories(scratch);
    const auto done = outputs::write_case(scratch / "case", test::sample_case(scratch / "ct"), {});
    promise(done.ok(), "the sample case can be written");
    for (const auto* ending : endings) {
        auto found = files_ending(scratch / "case", ending);
        if (!found.empty()) out.push_back(std::move(found.front()));
    }
    fs::remove_all(scratch);
    return out;
}

}  // namespace

void run_reader(const std::string& reader, std::span<const std::uint8_t> input)
{
    const MemoryFile file(input);
    promise(answer(reader, file.path()) == answer(reader, file.path()), "the same bytes give the same answer");
}

std::vector<Input> reader_seeds(const std::string& reader)
{
    if (reader == "case") return {bytes_of(kCase)};
    if (reader == "protocol") return {bytes_of(kProtocol)};
    if (reader == "table") return {bytes_of(kTable)};
    if (reader == "marks") {
        auto out = written({"-sr.dcm"});
        out.push_back(bytes_of(kLines));
        return out;
    }
    auto out = written({"-seg.dcm", "-rtstruct.dcm", ".nii.gz"});
    out.push_back(bytes_of(kNrrd));
    return out;
}

}  // namespace retromass::fuzz
