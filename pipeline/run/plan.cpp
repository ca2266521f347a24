#include <algorithm>
#include <filesystem>

#include "core/units.h"
#include "pipeline/run/prompt_place.h"
#include "pipeline/run/series_of.h"
#include "pipeline/run/protocol.h"
#include "pipeline/run/run.h"
#include "pipeline/run/same_patient.h"

namespace retromass::run {
namespace {

constexpr double kGiga = 1e9;
constexpr double kBytesPerVoxelResident = 2 + 1 + 1;  ///< HU, one mask and its probability map, kept for every time point until the case is written
constexpr double kBytesPerVoxelWorking = 12;       ///< probability, working grids and a second mask, for one lesion at a time
constexpr double kBytesPerMaskByte = 4;            ///< a DICOM file of many segments is read whole: of eight fractional ones, 0.38 GB, 2.5 times that were taken
constexpr double kDiskPerVoxel = 1.05;             ///< the probability SEG has a byte a voxel; masks and binary SEG a few percent
constexpr double kDiskFixed_bytes = 50e6;          ///< report and pictures

bool accepts_other_patient(const CaseFile& file, const RunParameters& parameters)
{
    const auto names = [](const std::vector<Code>& codes) { return std::find(codes.begin(), codes.end(), Code::different_patient) != codes.end(); };
    return names(file.accepted) || names(parameters.accepted);
}

/// NIfTI and NRRD: one grid of labels, which takes less than the working grids that a mask does without, however large or small its file.
bool is_one_grid(const std::filesystem::path& mask)
{
    const auto name = mask.filename().string();
    const auto suffixes = {".nii", ".nii.gz", ".nrrd", ".nhdr"};
    return std::any_of(suffixes.begin(), suffixes.end(), [&](const auto* suffix) { return name.ends_with(suffix); });
}

}  // namespace

Status prompt_in_volume(const segmentation::Prompt& prompt, const VolumeGeometry& geometry)
{
    const auto check = [&](const PatientPoint& p, const char* what) -> Status {
        if (geometry.contains(p)) return Done{};
        const auto i = geometry.to_index(p);
        return Error{Code::prompt_outside,
                     std::string(what) + " at " + fixed(p.x, 1) + "," + fixed(p.y, 1) + "," + fixed(p.z, 1) + " mm (LPS) lies outside the scanned volume (column " +
                         fixed(i.column, 0) + ", row " + fixed(i.row, 0) + ", slice " + fixed(i.slice, 0) + " of " + std::to_string(geometry.size().columns) +
                         " x " + std::to_string(geometry.size().rows) + " x " + std::to_string(geometry.size().slices) + ")",
                     "run"};
    };
    for (const auto& line : prompt.lines) {
        RETROMASS_TRY(check(line.a, "a line's end"));
        RETROMASS_TRY(check(line.b, "a line's end"));
    }
    for (const auto& p : prompt.points) RETROMASS_TRY(check(p, "the point"));
    for (const auto& contour : prompt.contours) {
        for (const auto& p : contour) RETROMASS_TRY(check(p, "a contour point"));
    }
    if (prompt.extent) {
        for (const auto& p : *prompt.extent) RETROMASS_TRY(check(p, "an end of the extent"));
    }
    return Done{};
}

Result<Plan> plan(const CaseFile& given, const std::filesystem::path& out, const RunParameters& parameters, const Progress& progress)
{
    RETROMASS_TRY_ASSIGN(const auto file, under_protocol(given, out, parameters));
    Plan result;
    double resident = 0;
    double largest = 0;
    double largest_mask = 0;  // bytes of a file
    double voxels_of_all = 0;
    std::optional<ingest::AcquisitionFacts> baseline;
    SamePatient same_patient(accepts_other_patient(file, parameters));
    response::Patient dated;
    dated.treatments = file.treatments;
    dated.events = file.events;
    for (const auto& timepoint : file.timepoints) {
        dated.timepoints.push_back({.id = timepoint.id, .date = timepoint.date, .day = timepoint.day, .visit = timepoint.visit});
        if (timepoint.ct.empty()) {
            result.steps.push_back(timepoint.id + ": no CT; reader's statements and reported sizes only");
            continue;
        }
        RETROMASS_TRY_ASSIGN(const auto chosen, series_of(file, timepoint, baseline, parameters, progress));
        const auto& series = chosen.series;
        if (!baseline) baseline = series.facts;
        if (!timepoint.date) dated.timepoints.back().date = series.facts.date();
        RETROMASS_TRY(same_patient.compare(timepoint.id, series.facts.patient, result.notices));
        const auto& g = series.geometry;
        const double voxels = static_cast<double>(g.size().voxels());
        voxels_of_all += voxels;
        resident += voxels * kBytesPerVoxelResident;
        largest = std::max(largest, voxels);
        result.steps.push_back(timepoint.id + ": load " + std::to_string(g.size().slices) + " slices of series " + series.facts.series_instance_uid +
                               (series.facts.date() ? " of " + iso(*series.facts.date()) : std::string()));
        for (const auto& lesion : file.lesions) {
            const auto found = lesion.timepoints.find(timepoint.id);
            if (found == lesion.timepoints.end()) {
                result.steps.push_back(timepoint.id + ": " + lesion.lesion.id + " has neither prompt nor status: " + (file.carries_forward && dated.timepoints.size() > 1 ? "carried from the last time point where that can be trusted, else not evaluable" : "not evaluable"));
                continue;
            }
            const auto& at = found->second;
            for (const auto& name : {at.mask_file, at.prior_file}) {
                if (name.empty()) continue;
                const auto mask = file.folder / name;
                std::error_code unread;
                const auto bytes = std::filesystem::file_size(mask, unread);  // none of a folder or a pipe
                if (!unread && !is_one_grid(mask)) largest_mask = std::max(largest_mask, static_cast<double>(bytes));
                if (!std::filesystem::exists(mask)) return Error{Code::io, timepoint.id + ", " + lesion.lesion.id + ": mask file " + mask.string() + " is not there", "run: plan"};
            }
            if (!at.edits_file.empty()) {
                const auto edits = edits_in(file.folder / at.edits_file);
                if (!edits) return retromass::at(edits.error(), timepoint.id + ", " + lesion.lesion.id);
            }
            if (at.has_prompt) {
                const auto placed = prompt_in_volume(chosen.prompts.at(lesion.lesion.id), g);
                if (!placed) return retromass::at(placed.error(), timepoint.id + ", " + lesion.lesion.id);
                result.steps.push_back(timepoint.id + ": segment and measure " + lesion.lesion.id);
            } else if (!at.mask_file.empty()) {
                result.steps.push_back(timepoint.id + ": measure the given mask of " + lesion.lesion.id);
            } else if (at.status) {
                result.steps.push_back(timepoint.id + ": " + lesion.lesion.id + " is stated " + std::string(response::name(*at.status)));
            }
        }
    }
    RETROMASS_TRY(response::check_dates(dated));
    result.memory_gb = (resident + largest * kBytesPerVoxelWorking + largest_mask * kBytesPerMaskByte) / kGiga;
    if (parameters.available_memory_gb && result.memory_gb > *parameters.available_memory_gb) {
        return Error{Code::memory, "about " + fixed(result.memory_gb, 1) + " GB of memory are needed, " + fixed(*parameters.available_memory_gb, 1) +
                                       " GB are free; use a larger machine or fewer time points a case",
                     "run: plan"};
    }
    result.disk_gb = (voxels_of_all * kDiskPerVoxel + kDiskFixed_bytes) / kGiga;
    auto existing = out.empty() ? std::filesystem::current_path() : std::filesystem::absolute(out);
    while (!existing.empty() && !std::filesystem::exists(existing) && existing != existing.parent_path()) existing = existing.parent_path();
    std::error_code error;
    const auto space = std::filesystem::space(existing, error);
    result.free_disk_gb = error ? 0 : static_cast<double>(space.available) / kGiga;
    if (result.free_disk_gb < result.disk_gb) {
        return Error{Code::disk_space, "about " + fixed(result.disk_gb, 2) + " GB are needed below " + existing.string() + ", " + fixed(result.free_disk_gb, 2) + " GB are free",
                     "run: plan"};
    }
    if (std::filesystem::exists(out) && !parameters.overwrite) {
        return Error{Code::output_exists, out.string() + " is there already; choose another folder or say --overwrite", "run: plan"};
    }
    return result;
}

}  // namespace retromass::run
