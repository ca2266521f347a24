// What does it cost to find the series in a folder of 5,000 mixed files? Whole programs: ours, the least there is (open, read 4 KiB, close),
// and DCMTK's headers one after the other, which are not even grouped.

#include <filesystem>
#include <fstream>
#include <random>

#include "bench/dicom_files.h"
#include "bench/processes.h"
#include "pipeline/ingest/ingest.h"
#include "tests/support/stream_writers.h"

namespace fs = std::filesystem;
using namespace retromass;

namespace {

constexpr int kSeries = 13;
constexpr int kSlices = 300;
constexpr int kJunk = 1100;

/// 13 series of 300 images (three of them compressed) in folders of their own, and 1,100 files that are no images, in and between them.
void write_folder(const fs::path& root, bench::Elements elements)
{
    constexpr int edge = 64;
    const auto images = test::awkward_images(edge, edge, 12, 1);
    const ingest::FrameShape shape{edge, edge, 16, 12, 11, false, 1};
    for (int s = 0; s < kSeries; ++s) {
        const fs::path folder = root / std::string("study").append(std::to_string(s % 4)) / std::string("series").append(std::to_string(s));
        fs::create_directories(folder);
        const std::string syntax = s < 10 ? "1.2.840.10008.1.2.1" : s < 12 ? "1.2.840.10008.1.2.4.70" : "1.2.840.10008.1.2.5";
        test::CompressedFrame frame{syntax, shape, {}};
        const auto& image = images.back().second;
        if (s < 10) {
            const auto* const words = reinterpret_cast<const std::byte*>(image.data());
            frame.fragments = {std::vector<std::byte>(words, words + image.size() * 2)};
        } else {
            frame = test::compressed_by_dcmtk(image, shape, {.syntax = syntax});
        }
        for (int i = 0; i < kSlices; ++i) bench::write_ct(folder / (std::string("IM").append(std::to_string(1000 + i))), frame, {std::string("2.25.3").append(std::to_string(100 + s)), i, i * 1.0}, elements);
    }
    std::mt19937 random(1);
    std::vector<fs::path> folders{root};
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        if (entry.is_directory()) folders.push_back(entry.path());
    }
    for (int i = 0; i < kJunk; ++i) {
        std::ofstream file(folders[static_cast<std::size_t>(i) % folders.size()] / std::string("junk").append(std::to_string(i)), std::ios::binary);
        std::string bytes(static_cast<std::size_t>(random() % 20000), '\0');
        switch (i % 5) {
        case 0: bytes.clear(); break;
        case 1: std::ranges::generate(bytes, [&] { return static_cast<char>(random()); }); break;
        case 2: std::ranges::generate(bytes, [&] { return static_cast<char>('a' + random() % 26); }); break;
        case 3: bytes = "\x89PNG\r\n\x1a\n" + bytes; break;
        default: bytes = std::string(128, '\0') + "DICM"; break;
        }
        file << bytes;
    }
}

std::size_t open_and_read(const fs::path& folder)
{
    std::size_t total = 0;
    char bytes[4096];
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        const int file = open(entry.path().c_str(), O_RDONLY);
        total += static_cast<std::size_t>(std::max<ssize_t>(read(file, bytes, sizeof bytes), 0));
        close(file);
    }
    return total;
}

}  // namespace

int main(int count, char** arguments)
{
    if (count == 3) {  // run as one of the programs to compare
        const std::string what = arguments[1];
        if (what == "read") return open_and_read(arguments[2]) > 0 ? 0 : 1;
        if (what == "dcmtk") return bench::headers_by_dcmtk(arguments[2]) == kSeries * kSlices ? 0 : 1;
        const auto scan = ingest::scan({arguments[2]});
        return scan && scan->series.size() == kSeries ? 0 : 1;
    }
    const fs::path root = fs::temp_directory_path() / std::string("retromass-bench-scan-").append(std::to_string(getpid()));
    const std::string self = fs::canonical("/proc/self/exe");
    // Without a scanner's private elements most of the cost is opening files, which is DCMTK's too: no promise there.
    struct Headers {
        const char* name;
        bench::Elements elements;
        double most_of_dcmtk;
    };
    for (const auto& headers : {Headers{"of 150 elements", bench::Elements::of_a_scanner, 1.0 / 7}, Headers{"of 50 elements", bench::Elements::needed, 0}}) {
        fs::remove_all(root);
        write_folder(root, headers.elements);
        bench::answer(std::string("scan 5,000 mixed files, headers ") + headers.name, {self, "scan", root},
                      {{"open, read 4 KiB, close", {self, "read", root}, 0}, {"DCMTK loadFileUntilTag", {self, "dcmtk", root}, headers.most_of_dcmtk}}, 7);
    }
    fs::remove_all(root);
    return 0;
}
