// How long does one decoder take for one frame, without files? Peers: DCMTK's decoders on the same streams, in this process. (Its JPEG 2000
// does not exist; bench_load has whole programs.)

#include <cstdlib>
#include <filesystem>

#include "bench/ct_like.h"
#include "bench/timing.h"
#include "tests/support/dcmtk_codecs.h"
#include "tests/support/stream_writers.h"

using namespace retromass;

namespace {

constexpr int kEdge = 512;
constexpr unsigned kFrames = 30;

void decode_all(const std::vector<test::CompressedFrame>& frames)
{
    static std::vector<std::uint16_t> cells(kEdge * kEdge);
    for (const auto& frame : frames) {
        if (!ingest::decode_frame(frame.syntax, frame.spans(), frame.shape, cells).ok()) std::exit(1);
    }
}

void decode_all_by_dcmtk(const std::vector<test::CompressedFrame>& frames)
{
    for (const auto& frame : frames) {
        if (!test::decoded_by_dcmtk(frame)) std::exit(1);
    }
}

}  // namespace

int main()
{
    const ingest::FrameShape shape{kEdge, kEdge, 16, 12, 11, false, 1};
    std::vector<test::Pixels> images;
    for (unsigned i = 0; i < kFrames; ++i) images.push_back(bench::ct_like_slice(i));
    const auto question = [&](const std::string& name, const std::vector<test::CompressedFrame>& frames, bool peer, int repeats) {
        std::size_t bytes = 0;
        for (const auto& frame : frames) bytes += frame.fragments.front().size();
        std::cout << name << ": " << static_cast<double>(kFrames) * kEdge * kEdge * 2 / static_cast<double>(bytes) << " to 1" << std::endl;
        bench::Question q{.text = "decode " + std::to_string(kFrames) + " frames 512 x 512, " + name, .repeats = repeats, .ours = [&] { decode_all(frames); }, .peer = "", .peers = {}};
        if (peer) {
            q.peer = "DCMTK";
            q.peers = [&] { decode_all_by_dcmtk(frames); };
        }
        bench::answer(q);
    };
    std::vector<test::CompressedFrame> frames(kFrames);
    const auto each = [&](auto write) {
        for (unsigned i = 0; i < kFrames; ++i) frames[i] = write(images[i]);
    };
    each([&](const auto& image) { return test::compressed_by_dcmtk(image, shape, {.syntax = "1.2.840.10008.1.2.4.70"}); });
    question("JPEG lossless", frames, true, 9);
    for (const int predictor : {4, 6, 7}) {
        each([&](const auto& image) { return test::compressed_by_dcmtk(image, shape, {.syntax = "1.2.840.10008.1.2.4.57", .predictor = predictor}); });
        question("JPEG lossless, predictor " + std::to_string(predictor), frames, true, 3);
    }
    each([&](const auto& image) { return test::compressed_by_dcmtk(image, shape, {.syntax = "1.2.840.10008.1.2.5"}); });
    question("RLE", frames, true, 9);
    each([&](const auto& image) { return test::CompressedFrame{"1.2.840.10008.1.2.4.80", shape, {test::jpeg_ls(image, kEdge, kEdge, 12, 0)}}; });
    question("JPEG-LS", frames, true, 3);
    each([&](const auto& image) { return test::CompressedFrame{"1.2.840.10008.1.2.4.90", shape, {test::jpeg_2000(image, kEdge, kEdge, {.precision = 12})}}; });
    question("JPEG 2000", frames, false, 3);
    return 0;
}
