#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <numbers>

#include "core/parallel.h"
#include "core/units.h"
#include "sample_data/body.h"
#include "sample_data/mass.h"
#include "sample_data/phantom.h"
#include "sample_data/random.h"
#include "sample_data/scan.h"
#include "sample_data/scanner.h"
#include "sample_data/studies.h"
#include "sample_data/texture.h"

namespace retromass::sample_data {
namespace {

constexpr int kSide = 512;
constexpr double kUsualPixel_mm = 0.8;
constexpr double kTable_mm = 45;      // what the picture must hold below the back
constexpr double kAirNoise = 0.35;    // of the noise inside the body

Error refuse(std::string why) { return Error{Code::usage, std::move(why), "sample_data: write_patient"}; }

/// The bodies of a study in painting order. The order is from behind to before: what hangs free covers what is fixed.
std::vector<Solid> anatomy_of(const Body& body, const Wall& wall, const Tissue& tissue, const LobulatedMass* mass, std::uint64_t study)
{
    std::vector<Solid> out;
    add_lungs(out, body, wall);
    add_muscles(out, body, tissue);
    add_organs(out, body, wall, tissue, mass);
    add_bowel(out, body, wall, tissue, mass, study);
    add_vessels(out, body, tissue, mass);
    add_skeleton(out, body);
    return out;
}

struct Rendered {
    CtVolume ct;
    Mask mask;
};

Rendered render(const Study& study, const Body& body, const VolumeGeometry& geometry, const PatientOptions& options)
{
    Rendered out;
    out.ct.geometry = geometry;
    out.ct.hu = Grid<std::int16_t>(geometry.size());
    out.mask = Mask(geometry.size());
    const auto& mass = study.mass;
    const LobulatedMass* shown = options.invisible_mass ? nullptr : &mass;
    const auto& tissue = tissue_in(options.phase);
    const Wall wall(body);
    const auto solids = anatomy_of(body, wall, tissue, shown, hash_of(study.id, options.seed + 17));
    const std::uint64_t grain = hash_of(study.id, options.seed);
    const std::uint64_t pattern = mixed(options.seed);
    constexpr double far_mm = 12;  // beyond this nothing asks how near the mass is
    const PatientPoint around{mass.reach() + far_mm, mass.reach() + far_mm, mass.reach() + far_mm};
    parallel_for(geometry.size().slices, options.threads, [&](int k) {
        Canvas canvas(geometry, k);
        const auto near = canvas.window(mass.centre() - around, mass.centre() + around);
        std::vector<float> depths;
        const int width = near.last_column - near.first_column + 1;
        for (int r = near.first_row; !near.empty() && r <= near.last_row; ++r) {
            for (int c = near.first_column; c <= near.last_column; ++c) {
                const double depth = mass.depth_mm(canvas.at(c, r));
                depths.push_back(static_cast<float>(depth));
                out.mask.at(c, r, k) = depth > 0;
                if (shown && depth < 0) canvas.outside_mass_mm[out.mask.offset(c, r, 0)] = static_cast<float>(-depth);
                if (shown && depth >= 0) canvas.outside_mass_mm[out.mask.offset(c, r, 0)] = 0;
            }
        }
        wall.paint(canvas, tissue);
        for (const auto& solid : solids) canvas.paint(solid);
        for (int r = near.first_row; shown && !near.empty() && r <= near.last_row; ++r) {
            for (int c = near.first_column; c <= near.last_column; ++c) {
                const double depth = depths[static_cast<std::size_t>(r - near.first_row) * static_cast<std::size_t>(width) + static_cast<std::size_t>(c - near.first_column)];
                if (depth < -canvas.reach_mm()) continue;
                const auto p = canvas.at(c, r);
                const double covered = canvas.coverage(p, depth, [&](PatientPoint q) { return mass.depth_mm(q); });
                if (covered <= 0) continue;
                float& hu = canvas.hu[out.mask.offset(c, r, 0)];
                hu += static_cast<float>(covered * (mass_hu(mass, p, depth, tissue, study.necrosis, pattern) - static_cast<double>(hu)));
            }
        }
        blur(canvas.hu, canvas.columns(), canvas.rows());
        auto target = out.ct.hu.plane(k);
        const auto added = options.noise_hu > 0 ? noise(grain, k, canvas.columns(), canvas.rows()) : std::vector<float>(target.size(), 0.0F);
        for (std::size_t i = 0; i < target.size(); ++i) {
            const float sd = static_cast<float>(canvas.hu[i] < -900 ? kAirNoise * options.noise_hu : options.noise_hu);
            target[i] = static_cast<std::int16_t>(std::clamp(std::lrint(canvas.hu[i] + sd * added[i]), -1024L, 3071L));
        }
    });
    return out;
}

/// The grid that holds the whole trunk, the same at every time point.
Result<VolumeGeometry> grid_of(const Body& body, const PatientOptions& options)
{
    auto girthed = body;
    girthed.girth = 1.06;  // of the largest study
    const Wall wall(girthed);
    const PatientPoint extent{wall.widest_mm() + 2, wall.deepest_mm() + kTable_mm, kHeight_mm * body.height};
    auto scan = options.scan;
    const auto& o = scan.orientation;
    const auto along = [&](std::size_t at) {  // the trunk's extent along the axis that this direction follows
        const std::array<double, 3> d{std::abs(o[at]), std::abs(o[at + 1]), std::abs(o[at + 2])};
        return d[0] >= d[1] && d[0] >= d[2] ? extent.x : d[1] >= d[2] ? extent.y : extent.z;
    };
    const double needed = std::max(along(0), along(3));
    const double usual = std::max(kUsualPixel_mm, std::ceil(needed / kSide * 50) / 50);
    if (scan.column_spacing_mm == 0) scan.column_spacing_mm = usual;
    if (scan.row_spacing_mm == 0) scan.row_spacing_mm = usual;
    for (const auto& [spacing, trunk] : {std::pair{scan.column_spacing_mm, along(0)}, {scan.row_spacing_mm, along(3)}}) {
        if (!(spacing > 0)) return refuse("spacings must be greater than 0 mm");
        if (spacing * kSide < trunk) {
            return refuse("512 pixels of " + fixed(spacing, 2) + " mm are " + fixed(spacing * kSide, 0) + " mm and would cut this patient's " + fixed(trunk, 0) + " mm; take at least " + fixed(std::ceil(trunk / kSide * 100) / 100, 2) + " mm");
        }
        if (spacing > 2) return refuse("pixels of more than 2 mm are no diagnostic CT");
    }
    if (!(scan.slice_spacing_mm >= 0.5 && scan.slice_spacing_mm <= 10)) return refuse("slices are 0.5 to 10 mm apart");
    const double across = extent.x * extent.y * extent.z / along(0) / along(3);
    const int slices = static_cast<int>(std::lround(across / scan.slice_spacing_mm));
    const bool axial = across == extent.z;
    const double front = (wall.deepest_mm() + kTable_mm) / 2;
    const PatientPoint middle{0, axial ? 5.0 : front - 0.47 * wall.deepest_mm(), axial ? 0.5 * (slices - 1) * scan.slice_spacing_mm : 0.5 * extent.z};
    return scan_geometry(scan, {kSide, kSide, slices}, middle);
}

bool holds(const VolumeGeometry& geometry, const LobulatedMass& mass)
{
    for (int i = 0; i < 60; ++i) {
        for (int j = 0; j < 60; ++j) {
            const double w = -1 + (2 * i + 1) / 60.0;
            const double phi = 2 * std::numbers::pi * j / 60;
            const double rim = std::sqrt(1 - w * w);
            const PatientPoint d{rim * std::cos(phi), rim * std::sin(phi), w};
            const auto p = mass.unscaled(mass.surface(d) * d);
            if (!geometry.contains(p)) return false;
        }
    }
    return true;
}

Status write_mask(const std::filesystem::path& file, const Mask& mask, const VolumeGeometry& g)
{
    unsigned char h[352] = {};
    const auto put = [&](std::size_t at, auto value) { std::memcpy(h + at, &value, sizeof value); };
    const auto n = g.size();
    put(0, std::int32_t{348});
    const std::int16_t dims[8] = {3, static_cast<std::int16_t>(n.columns), static_cast<std::int16_t>(n.rows), static_cast<std::int16_t>(n.slices), 1, 1, 1, 1};
    std::memcpy(h + 40, dims, sizeof dims);
    put(70, std::int16_t{2});
    put(72, std::int16_t{8});
    const float spacing[4] = {1, static_cast<float>(g.column_spacing_mm()), static_cast<float>(g.row_spacing_mm()), static_cast<float>(*g.slice_spacing_mm())};
    std::memcpy(h + 76, spacing, sizeof spacing);
    put(108, 352.0F);
    put(112, 1.0F);
    h[123] = 2;  // mm
    put(254, std::int16_t{1});
    const auto affine = *g.affine_lps();
    for (std::size_t e = 0; e < 12; ++e) put(280 + 4 * e, static_cast<float>(e < 8 ? -affine[e] : affine[e]));
    std::memcpy(h + 344, "n+1", 4);
    gzFile out = gzopen(file.c_str(), "wb3");
    bool good = out && gzwrite(out, h, sizeof h) == static_cast<int>(sizeof h);
    for (int k = 0; good && k < n.slices; ++k) good = gzwrite(out, mask.plane(k).data(), static_cast<unsigned>(n.plane())) == static_cast<int>(n.plane());
    if (out) good = gzclose(out) == Z_OK && good;
    if (!good) return Error{Code::io, file.string() + " cannot be written", "sample_data"};
    return Done{};
}

Status write_text(const std::filesystem::path& file, const std::string& text)
{
    std::ofstream out(file, std::ios::binary);
    out << text;
    out.flush();
    if (!out) return Error{Code::io, file.string() + " cannot be written", "sample_data"};
    return Done{};
}

}  // namespace

std::optional<Phase> phase_named(std::string_view text)
{
    for (const auto phase : {Phase::unenhanced, Phase::arterial, Phase::portal_venous}) {
        if (name(phase) == text) return phase;
    }
    return std::nullopt;
}

std::string_view name(Phase phase) { return phase == Phase::unenhanced ? "unenhanced" : phase == Phase::arterial ? "arterial" : "portal-venous"; }

Result<std::vector<StudyTruth>> write_patient(const std::filesystem::path& folder, const PatientOptions& options, const Progress& progress)
{
    if (!(options.noise_hu >= 0 && options.noise_hu <= 200)) return refuse("noise is a standard deviation of 0 to 200 HU");
    const auto body = body_of(options.seed);
    const auto studies = studies_of(body);
    RETROMASS_TRY_ASSIGN(const auto geometry, grid_of(body, options));
    for (const auto& study : studies) {
        if (!holds(geometry, study.mass)) return refuse("this scan would cut the mass at " + study.id + "; the truth would not hold");
    }
    const auto frame = measuring_frame(geometry);
    const auto usual = grid_of(body, PatientOptions{});
    const bool as_drawn = options.seed == 1 && usual && *usual == geometry;
    std::error_code error;
    std::filesystem::create_directories(folder / "truth", error);
    if (error) return Error{Code::io, folder.string() + " cannot be created: " + error.message(), "sample_data"};
    std::string scan;
    for (const double v : {geometry.column_spacing_mm(), geometry.row_spacing_mm(), *geometry.slice_spacing_mm(), options.scan.gantry_tilt_deg, options.noise_hu}) scan += " " + fixed(v, 4);
    for (const double v : options.scan.orientation) scan += " " + fixed(v, 6);
    std::string phase(name(options.phase));
    std::replace(phase.begin(), phase.end(), '-', ' ');
    std::vector<StudyTruth> truths;
    std::vector<Prompt> prompts;
    std::vector<DicomDescription> series;
    int series_number = 1;
    for (const auto& study : studies) {
        if (!goes_on(progress, "writing " + study.id, static_cast<double>(truths.size()) / static_cast<double>(studies.size()))) {
            return Error{Code::cancelled, "stopped while writing the sample patient", "sample_data"};
        }
        auto now = body;
        now.girth = study.girth;
        const auto rendered = render(study, now, geometry, options);
        const auto truth = truth_of(study.mass, frame);
        DicomDescription d;
        d.patient_id = "RETROMASS-DEMO-" + std::to_string(options.seed);
        std::string slice = fixed(options.scan.slice_spacing_mm, 2);
        while (slice.back() == '0') slice.pop_back();
        if (slice.back() == '.') slice.pop_back();
        d.series_description = "SYNTHETIC " + phase + " " + slice + " B30f";
        d.study_description = "SYNTHETIC CT abdomen and pelvis";
        d.date = *parse_date(study.date);
        d.series_number = ++series_number;
        d.uid_seed = "retromass demo " + std::to_string(options.seed) + (options.invisible_mass ? " invisible " : " ") + study.id + " " + phase + scan;
        d.contrast_agent = options.phase == Phase::unenhanced ? "" : "SYNTHETIC iodine";
        d.lossless_jpeg = options.lossless_jpeg;
        d.slice_thickness_mm = *geometry.slice_spacing_mm();
        const auto ct_folder = folder / "ct" / study.id;
        std::filesystem::remove_all(ct_folder, error);
        RETROMASS_TRY(write_dicom(ct_folder, rendered.ct, d, options.threads));
        RETROMASS_TRY(write_mask(folder / "truth" / (study.id + ".nii.gz"), rendered.mask, rendered.ct.geometry));
        truths.push_back({study.id, d.date, truth.truth});
        series.push_back(d);
        prompts.push_back(as_drawn ? study.as_drawn : drawn(truth, study.mass, geometry, hash_of(study.id, options.seed)));
    }
    RETROMASS_TRY(write_text(folder / "case.yaml", case_text(studies, prompts, options.seed)));
    const auto lines = lines_text(prompts, series, geometry);
    std::filesystem::remove(folder / "lines.csv", error);
    if (!lines.empty()) RETROMASS_TRY(write_text(folder / "lines.csv", lines));
    RETROMASS_TRY(write_text(folder / "truth.json", truth_text(truths, frame, options)));
    return truths;
}

}  // namespace retromass::sample_data
