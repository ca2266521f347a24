#include "tests/fuzz/header_input.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "pipeline/ingest/header.h"
#include "tests/support/dicom_builder.h"

namespace retromass::fuzz {
namespace {

constexpr std::size_t kMostFiles = 8;

/// A file in memory that has a path.
class MemoryFile {
public:
    explicit MemoryFile(std::span<const std::uint8_t> bytes) : descriptor_(memfd_create("header", 0))
    {
        if (write(descriptor_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
    }
    ~MemoryFile() { close(descriptor_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    int descriptor_;
};

void promise(bool kept, const char* what)
{
    if (kept) return;
    std::fprintf(stderr, "broken promise: %s\n", what);
    std::abort();
}

}  // namespace

Input header_input(const std::vector<std::string>& files)
{
    Input out;
    for (const auto& file : files) {
        for (int i = 0; i < 4; ++i) out.push_back(static_cast<std::uint8_t>(file.size() >> 8 * i));
        out.insert(out.end(), file.begin(), file.end());
    }
    return out;
}

void run_headers(std::span<const std::uint8_t> input)
{
    std::vector<std::unique_ptr<MemoryFile>> files;
    std::vector<ingest::HeaderFile> headers;
    std::vector<ingest::Exclusion> excluded;
    while (input.size() > 4 && files.size() < kMostFiles) {
        const std::size_t stated = input[0] | input[1] << 8 | input[2] << 16;
        const auto size = std::min(stated, input.size() - 4);
        files.push_back(std::make_unique<MemoryFile>(input.subspan(4, size)));
        input = input.subspan(4 + size);
        auto read = ingest::read_headers(files.back()->path());
        if (!read) {
            promise(!read.error().message.empty(), "a reason for every file set aside");
            continue;
        }
        if (read->directory) (void)ingest::resolve("/nonexistent/DICOMDIR", read->referenced);
        for (auto& image : read->images) image.source.file = files.back()->path();
        if (!read->directory && !read->no_image) headers.push_back(std::move(*read));
    }
    ingest::ScanParameters parameters;
    parameters.largest_volume_bytes = 1 << 20;
    const auto scan = ingest::group(std::move(headers), std::move(excluded), parameters);
    promise(scan.ok(), "grouping never fails");
    (void)ingest::rank(*scan);
    for (const auto& series : scan->series) {
        if (series.refused) continue;
        const auto slices = series.geometry.size().slices;
        promise(slices >= 2 && series.slices.size() == static_cast<std::size_t>(slices), "one image for each slice");
        for (int k = 1; k < slices; ++k) promise(series.geometry.slice_position_mm(k) > series.geometry.slice_position_mm(k - 1), "slices sorted along the normal");
        (void)ingest::load(series, 1);
    }
}

std::vector<Input> header_seeds()
{
    using test::DicomBuilder;
    using test::Writing;
    const auto files_of = [](const DicomBuilder& series, Writing writing) {
        std::vector<std::string> files;
        for (const auto& image : series.images) files.push_back(test::file_of(image, writing));
        return files;
    };
    std::vector<Input> out;
    for (const auto writing : {Writing::explicit_little, Writing::implicit_little, Writing::explicit_big, Writing::deflated, Writing::no_preamble, Writing::no_meta, Writing::undefined_lengths}) {
        out.push_back(header_input(files_of(DicomBuilder::ct_series(4), writing)));
        DicomBuilder enhanced;
        enhanced.images = {DicomBuilder::enhanced(DicomBuilder::ct_series(4), {2, 0, 3, 1})};
        out.push_back(header_input(files_of(enhanced, writing)));
    }
    auto phases = DicomBuilder::ct_series(3);
    auto second = DicomBuilder::ct_series(3).with(0x00200012, "IS", "2");
    second.each([](test::BuiltImage& image, int k) { image.text(0x00080018, "UI", "1.2.3.5." + std::to_string(k)).text(0x00281052, "DS", "-1000"); });
    out.push_back(header_input(files_of(phases.and_also(second), Writing::explicit_little)));
    test::BuiltImage record;
    record.text(0x00041430, "CS", "IMAGE").text(0x00041500, "CS", "IMAGES\\..\\IM1");
    test::BuiltImage directory;
    directory.sequence(0x00041220, {record, record});
    out.push_back(header_input({test::file_of(directory, Writing::undefined_lengths)}));
    for (auto& seed : compressed_seeds()) out.push_back(std::move(seed));
    return out;
}

}  // namespace retromass::fuzz
