#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include "pipeline/ingest/header.h"

namespace retromass::ingest {

std::vector<LabelVolume::Label> labels_present(const Grid<std::uint16_t>& labels)
{
    std::vector<bool> seen(65536, false);
    for (const auto v : labels.values()) seen[v] = true;
    std::vector<LabelVolume::Label> out;
    for (int v = 1; v < 65536; ++v) {
        if (seen[static_cast<std::size_t>(v)]) out.push_back({v, {}, {}});
    }
    return out;
}

bool may_hold(const std::filesystem::path& file, double bytes)
{
    constexpr double kMostPacked = 1032;  // deflate: 258 bytes in two bits
    std::error_code unknown;
    const auto there = std::filesystem::file_size(file, unknown);
    return unknown || bytes <= kMostPacked * static_cast<double>(there);
}

Result<LabelVolume> labels_on_affine(Grid<std::uint16_t> values, const std::array<double, 16>& m, const std::string& format)
{
    const auto column = [&](int c) { return PatientPoint{m[static_cast<std::size_t>(c)], m[static_cast<std::size_t>(4 + c)], m[static_cast<std::size_t>(8 + c)]}; };
    const PatientPoint i = column(0);
    const PatientPoint j = column(1);
    PatientPoint k = column(2);
    PatientPoint origin = column(3);
    const auto size = values.size();
    const double si = norm(i);
    const double sj = norm(j);
    if (!(si > 0) || !(sj > 0) || !(norm(k) > 0)) return Error{Code::malformed, "the mask's affine has a zero axis", "ingest"};
    if (dot(cross(i, j), k) < 0) {  // slices run against row x column: turn their order
        Grid<std::uint16_t> turned(size);
        for (int z = 0; z < size.slices; ++z) {
            const auto from = values.plane(z);
            std::copy(from.begin(), from.end(), turned.plane(size.slices - 1 - z).begin());
        }
        values = std::move(turned);
        origin = origin + (size.slices - 1.0) * k;
        k = -1.0 * k;
    }
    std::vector<PatientPoint> origins;
    for (int z = 0; z < size.slices; ++z) origins.push_back(origin + static_cast<double>(z) * k);
    RETROMASS_TRY_ASSIGN(auto geometry, VolumeGeometry::from_slices(size.columns, size.rows, (1 / si) * i, (1 / sj) * j, si, sj, std::move(origins)));
    LabelVolume out;
    out.present = labels_present(values);
    out.geometry = std::move(geometry);
    out.labels = std::move(values);
    out.format = format;
    return out;
}

Result<LabelVolume> read_labels(const std::filesystem::path& file, const VolumeGeometry* ct, const std::string& frame_of_reference_uid)
{
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return Error{Code::io, file.string() + " does not exist", "ingest: read_labels"};
    std::ifstream in(file, std::ios::binary);
    if (!in) return Error{Code::io, file.string() + " cannot be read", "ingest: read_labels"};
    char start[132] = {};
    in.read(start, sizeof start);
    const std::string_view head(start, static_cast<std::size_t>(in.gcount()));
    auto read = head.size() >= 132 && head.substr(128, 4) == "DICM" ? read_dicom_labels(file, ct, frame_of_reference_uid) : head.substr(0, 4) == "NRRD" ? read_nrrd(file) : read_nifti(file);
    if (read && !frame_of_reference_uid.empty() && !read->frame_of_reference_uid.empty() && read->frame_of_reference_uid != frame_of_reference_uid) {
        read = Error{Code::mask_grid, "the mask lies in frame of reference " + read->frame_of_reference_uid + ", the CT in " + frame_of_reference_uid, "ingest"};
    }
    if (!read) {
        auto error = std::move(read).error();
        error.message = file.string() + ": " + error.message;
        return at(std::move(error), "ingest: read_labels");
    }
    return read;
}

namespace {

/// Labels of one layer, copied by position.
Result<Grid<std::uint16_t>> laid(const Grid<std::uint16_t>& labels, const VolumeGeometry& own, const VolumeGeometry& grid)
{
    if (same_grid(own, grid)) return labels;
    const auto misfit = [](const std::string& why) { return Error{Code::mask_grid, "the mask does not lie on the CT's grid: " + why, "ingest: on_grid"}; };
    const auto from = own.size();
    const auto to = grid.size();
    Grid<std::uint16_t> out(to);
    // Every voxel of the mask must fall on a CT voxel within half a voxel; then its label is copied by position.
    for (int k = 0; k < from.slices; ++k) {
        const auto plane = labels.plane(k);
        if (std::all_of(plane.begin(), plane.end(), [](auto v) { return v == 0; })) continue;
        const auto first = grid.to_index(own.to_patient(Index{0, 0, k}));
        const auto right = grid.to_index(own.to_patient(Index{from.columns - 1, 0, k}));
        const auto down = grid.to_index(own.to_patient(Index{0, from.rows - 1, k}));
        const double slice = std::round(first.slice);
        const auto fits = [&](const ContinuousIndex& found, double column, double row) {
            return std::abs(found.column - column) <= 0.5 && std::abs(found.row - row) <= 0.5 && std::abs(found.slice - slice) <= 0.5;
        };
        const double c0 = std::round(first.column);
        const double r0 = std::round(first.row);
        const bool same_axes = fits(right, c0 + from.columns - 1, r0) && fits(down, c0, r0 + from.rows - 1);
        // The in-plane axes may run the other way round (NIfTI of another program).
        const double cs = right.column >= first.column ? 1 : -1;
        const double rs = down.row >= first.row ? 1 : -1;
        const bool flipped = fits(right, c0 + cs * (from.columns - 1), r0) && fits(down, c0, r0 + rs * (from.rows - 1));
        if (!same_axes && !flipped) return misfit("slice " + std::to_string(k + 1) + " is off by more than half a voxel or turned");
        const int z = static_cast<int>(slice);
        for (int r = 0; r < from.rows; ++r) {
            for (int c = 0; c < from.columns; ++c) {
                const auto value = labels.at(c, r, k);
                if (!value) continue;
                const int x = static_cast<int>(c0 + cs * c);
                const int y = static_cast<int>(r0 + rs * r);
                if (!to.contains(x, y, z)) return misfit("a labelled voxel lies outside the CT");
                out.at(x, y, z) = value;
            }
        }
    }
    return out;
}

}  // namespace

Result<Grid<std::uint16_t>> on_grid(const LabelVolume& labels, const VolumeGeometry& grid)
{
    if (!labels.overlaps.empty()) return Error{Code::mask_labels, "segments overlap: they do not fit one label map", "ingest: on_grid"};
    return laid(labels.labels, labels.geometry, grid);
}

Result<Mask> mask_on_grid(const LabelVolume& labels, int value, const VolumeGeometry& grid)
{
    Mask out(grid.size());
    const auto add = [&](const Grid<std::uint16_t>& layer) -> Status {
        const bool same = same_grid(labels.geometry, grid);
        Grid<std::uint16_t> moved;
        if (!same) {
            RETROMASS_TRY_ASSIGN(moved, laid(layer, labels.geometry, grid));
        }
        const auto& on_ct = same ? layer : moved;
        for (std::size_t i = 0; i < out.values().size(); ++i) {
            if (on_ct[i] == value) out[i] = 1;  // memory that is zero as it comes is not written: most of a scan
        }
        return Done{};
    };
    RETROMASS_TRY(add(labels.labels));
    for (const auto& layer : labels.overlaps) RETROMASS_TRY(add(layer));
    return out;
}

Result<LabelVolume::Label> label_named(const LabelVolume& labels, const std::string& name)
{
    std::vector<const LabelVolume::Label*> fits;
    std::string listed;
    for (const auto& label : labels.present) {
        if (name.empty() || label.name == name || label.tracking_uid == name || std::to_string(label.value) == name) fits.push_back(&label);
        listed += (listed.empty() ? "" : ", ") + std::to_string(label.value) + (label.name.empty() ? "" : " (" + label.name + ")");
    }
    if (labels.present.empty()) return Error{Code::empty_mask, "the mask holds no voxel; that is not 0 mm", "ingest: label_named"};
    if (fits.size() == 1) return *fits.front();
    return Error{Code::mask_labels, (fits.empty() ? "no label here is " + name : std::to_string(fits.size()) + " labels fit") + "; name one: " + listed, "ingest: label_named"};
}

}  // namespace retromass::ingest
