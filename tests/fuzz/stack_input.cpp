#include "tests/fuzz/stack_input.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <set>

#include "pipeline/ingest/header.h"

namespace retromass::fuzz {
namespace {

[[noreturn]] void wrong(const std::string& what)
{
    std::cerr << what << '\n';
    std::abort();
}

std::string numbered(const char* prefix, long number)
{
    std::string text = prefix;
    text += std::to_string(number);
    return text;
}

constexpr double kPositions_mm[] = {0, 0.005, 0.5, 1, 1.0000001, 2.5, 5, -5, 1e4, -1e4, 1e300, 1e-300};

ingest::Header header_of(std::span<const std::uint8_t> bytes, std::size_t index)
{
    ingest::Header h;
    h.source.file = numbered("image-", static_cast<long>(index));
    h.source.sop_class_uid = "1.2.840.10008.5.1.4.1.1.2";
    h.source.sop_instance_uid = numbered("1.", bytes[11] & 0x80 ? bytes[11] & 0x0F : static_cast<long>(index) + 100);
    h.source.stored.transfer_syntax = "1.2.840.10008.1.2.1";
    h.facts.modality = "CT";
    h.facts.study_instance_uid = numbered("2.", bytes[0] & 1);
    h.facts.series_instance_uid = numbered("3.", bytes[0] >> 1 & 3);
    h.facts.frame_of_reference_uid = numbered("4.", bytes[0] >> 3 & 1);
    h.facts.patient.id = bytes[0] & 0x10 ? 2 : 1;
    h.facts.image_type = bytes[0] & 0x20 ? "ORIGINAL\\PRIMARY\\AXIAL" : "DERIVED\\PRIMARY";
    h.facts.series_number = bytes[0] >> 6;
    h.columns = 4 + (bytes[1] & 1);
    h.rows = 4 + (bytes[1] >> 1 & 1);
    h.rescaled = !(bytes[1] & 4);
    h.rescale_type = bytes[1] & 8 ? "US" : "HU";
    h.lossy = bytes[1] & 0x10;
    h.multi_frame = bytes[1] & 0x20;
    if (!(bytes[1] & 0x40)) {
        const double z = kPositions_mm[bytes[2] % std::size(kPositions_mm)] + 0.5 * static_cast<std::int8_t>(bytes[3]);
        h.position = PatientPoint{0.25 * static_cast<std::int8_t>(bytes[4]), 0.25 * static_cast<std::int8_t>(bytes[5]), z};
    }
    const double tilt = 0.02 * static_cast<std::int8_t>(bytes[6]);
    switch (bytes[7] % 8) {
    case 0: h.column_step = PatientPoint{0, 1, 0}, h.row_step = PatientPoint{0, 0, -1}; break;
    case 1: h.column_step = PatientPoint{1, 0, 0}, h.row_step = PatientPoint{0, -1, 0}; break;
    case 2: break;
    case 3: h.column_step = PatientPoint{2, 0, 0}, h.row_step = PatientPoint{1, 0, 0}; break;
    default: h.column_step = PatientPoint{1, 0, 0}, h.row_step = PatientPoint{0, std::cos(tilt), std::sin(tilt)}; break;
    }
    if (!(bytes[7] & 0x80)) h.column_spacing_mm = h.row_spacing_mm = 0.5 + 0.1 * (bytes[7] >> 5 & 3);
    h.acquisition_number = std::to_string(bytes[8] & 3);
    h.temporal_position = bytes[8] & 4 ? std::to_string(bytes[8] >> 3 & 3) : "";
    h.acquisition_time = bytes[8] & 0x20 ? numbered("1000", bytes[8] >> 6) : "";
    h.contrast_time = bytes[9] & 1 ? std::to_string(bytes[9] >> 1 & 3) : "";
    h.stack_id = bytes[9] & 8 ? std::to_string(bytes[9] >> 4 & 1) : "";
    h.concatenation_parts = bytes[9] >> 5 & 3;
    h.concatenation_uid = h.concatenation_parts ? "5.1" : "";
    if (bytes[9] & 0x80) h.problem = Code::truncated_pixels, h.problem_text = "cut";
    h.instance_number = bytes[10] - (bytes[10] & 0x80 ? 256L : 0L);
    return h;
}

/// What must be the same in any order of the files.
std::string summary(const ingest::Scan& scan)
{
    std::string text;
    for (const auto& series : scan.series) {
        text += series.facts.series_instance_uid + '/' + std::to_string(series.volume_index) + (series.eligible ? " eligible" : "");
        if (series.refused) text += ' ' + std::string(name(series.refused->code)) + ' ' + series.refused->message;
        for (const auto& slice : series.slices) text += ' ' + slice.file.string();
        for (const auto& notice : series.notices) text += ' ' + std::string(name(notice.code));
        text += '\n';
    }
    for (const auto& excluded : scan.excluded) text += excluded.file.string() + ' ' + std::string(name(excluded.code)) + '\n';
    return text;
}

void check(const ingest::Scan& scan, const std::vector<ingest::Header>& headers)
{
    std::set<std::string> seen;
    bool refused = false;
    for (const auto& series : scan.series) {
        refused = refused || series.refused.has_value();
        for (const auto& slice : series.slices) {
            if (!seen.insert(slice.file.string()).second) wrong("an image is in two volumes");
        }
        if (series.refused) continue;
        const auto& geometry = series.geometry;
        if (geometry.size().slices < 1 || series.slices.size() != static_cast<std::size_t>(geometry.size().slices)) wrong("a volume without its slices");
        for (int k = 1; k < geometry.size().slices; ++k) {
            const double gap = dot(geometry.slice_origin(k) - geometry.slice_origin(k - 1), geometry.normal());
            if (!(gap > 0) || !std::isfinite(gap)) wrong("slices of a volume do not rise");
        }
    }
    for (const auto& excluded : scan.excluded) seen.insert(excluded.file.string());
    if (refused) return;  // a refusal answers for the images of its series
    for (const auto& header : headers) {
        if (!seen.contains(header.source.file.string())) wrong("an image is lost: " + header.source.file.string());
    }
}

}  // namespace

void run_stack(std::span<const std::uint8_t> input)
{
    constexpr std::size_t most = 24;
    if (input.empty()) return;
    ingest::ScanParameters parameters;
    parameters.threads = 1;
    if (input[0] & 1) parameters.accepted = {Code::missing_slices, Code::uneven_slices, Code::conflicting_duplicate, Code::single_slice};
    std::vector<ingest::Header> headers;
    for (auto rest = input.subspan(1); rest.size() >= kHeaderBytes && headers.size() < most; rest = rest.subspan(kHeaderBytes)) {
        headers.push_back(header_of(rest, headers.size()));
    }
    const auto files = [](const auto& images) {
        std::vector<ingest::HeaderFile> one_each;
        for (const auto& image : images) one_each.push_back({.images = {image}});
        return one_each;
    };
    const auto forward = ingest::group(files(headers), {}, parameters);
    if (!forward) wrong("grouping failed: " + forward.error().message);
    check(*forward, headers);
    const auto backward = ingest::group(files(std::vector(headers.rbegin(), headers.rend())), {}, parameters);
    if (!backward || summary(*forward) != summary(*backward)) {
        wrong("the order of the files changes the result:\n" + summary(*forward) + "---\n" + (backward ? summary(*backward) : ""));
    }
}

std::vector<Input> stack_seeds()
{
    std::vector<Input> seeds;
    for (int kind = 0; kind < 8; ++kind) {
        Input seed{static_cast<std::uint8_t>(kind & 1)};
        for (int i = 0; i < 22; ++i) {
            std::array<std::uint8_t, kHeaderBytes> h{};
            h[3] = static_cast<std::uint8_t>(i * 2);
            h[7] = 4;
            h[10] = static_cast<std::uint8_t>(i);
            if (kind == 1 && i == 9) continue;                                     // a slice is missing
            if (kind == 2) h[3] = static_cast<std::uint8_t>(i % 11 * 2), h[8] = static_cast<std::uint8_t>(i / 11);  // two acquisitions
            if (kind == 3) h[6] = 10, h[5] = static_cast<std::uint8_t>(i);          // tilted
            if (kind == 4) h[3] = static_cast<std::uint8_t>(i % 11 * 2);            // the same positions twice
            if (kind == 5) h[7] = static_cast<std::uint8_t>(i % 3 ? 4 : 0);         // two orientations
            if (kind == 6) h[11] = 0x81;                                            // one UID on all
            if (kind == 7) h[0] = static_cast<std::uint8_t>(i % 2 ? 0x10 : 0);      // two patients
            seed.insert(seed.end(), h.begin(), h.end());
        }
        seeds.push_back(seed);
    }
    return seeds;
}

}  // namespace retromass::fuzz
