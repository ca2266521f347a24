#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

#include "core/parallel.h"
#include "core/units.h"
#include "sample_data/anatomy.h"
#include "sample_data/mass.h"
#include "sample_data/phantom.h"
#include "sample_data/random.h"

namespace retromass::sample_data {
namespace {

constexpr int kSide = 512;
constexpr int kSlices = 180;
constexpr double kPixel_mm = 0.8;
constexpr double kSlice_mm = 2.5;
constexpr double kNoise_hu = 12;
constexpr double kAirNoise_hu = 4;

/// One study of the seed patient. Sizes are those of the case report (docs/stages/sample_data.md); the half axes give them.
struct Study {
    const char* id;
    const char* date;
    PatientPoint centre;
    std::array<double, 3> half_mm;
    double turn_deg;
    double lobes;
    LobulatedMass::Pattern pattern;
    double pressure;
    double girth;
    double necrosis;  ///< threshold of the noise above which tissue is dead: lower = more
    const char* line;
    const char* extent;
};

// Lines and extents are what a reader drew on the default patient: one slice off the best one, 5 % short, turned by 5 degrees,
// with 1.5 mm of jitter; top and bottom one slice short. They are fixed here and never derived from the truth at run time.
const Study kStudies[] = {
    {"presentation", "2013-01-07", {-40, -12, 215}, {106.387, 75.997, 141.411}, -20, 0.22, LobulatedMass::Pattern::irregular, 1, 1.06, 0.22,
     "[[71.0, -24.5, 235.0], [-145.8, 4.0, 235.0]]", "[[-41.3, -13.6, 355.0], [-39.6, -12.1, 62.5]]"},
    {"residual", "2013-02-05", {-41, 46, 268}, {9.07, 9.387, 9.822}, 35, 0.08, LobulatedMass::Pattern::even, 0, 0.98, 0.6,
     "[[-48.3, 50.2, 270.0], [-31.2, 41.9, 270.0]]", "[[-39.8, 44.7, 275.0], [-39.7, 44.3, 262.5]]"},
    {"day-38", "2013-03-15", {-42, -9, 225}, {102.017, 70.849, 108.415}, -20, 0.22, LobulatedMass::Pattern::irregular, 0.9, 1.05, 0.2,
     "[[63.5, -26.0, 237.5], [-145.2, 7.7, 237.5]]", "[[-42.5, -9.2, 330.0], [-42.7, -9.3, 107.5]]"},
    {"after-5-cycles", "2013-07-05", {-64, 16, 232}, {35.64, 35.626, 62.24}, 0, 0.12, LobulatedMass::Pattern::even, 0.4, 0.98, 0.12,
     "[[-95.0, 39.6, 230.0], [-33.5, -5.5, 230.0]]", "[[-61.1, 15.4, 295.0], [-65.0, 15.3, 172.5]]"},
    {"after-radiotherapy", "2013-09-10", {-62, 20, 235}, {24.608, 28.58, 47.494}, 10, 0.14, LobulatedMass::Pattern::even, 0.2, 0.97, 0.1,
     "[[-76.0, 47.3, 232.5], [-46.4, -4.5, 232.5]]", "[[-61.9, 19.2, 282.5], [-61.1, 22.0, 190.0]]"},
};

double mass_hu(const LobulatedMass& mass, PatientPoint p, double depth, const Study& study, std::uint64_t seed)
{
    constexpr double kSolid = 64;
    constexpr double kRim_mm = 6;      // living tissue at the edge
    const PatientPoint q = mass.scaled(p);
    double hu = kSolid + 5 * value_noise(7.0 * q, seed + 1);
    if (depth < kRim_mm) return hu;
    const double inner = std::min(1.0, (depth - kRim_mm) / 4);  // fades in over 4 mm
    const auto blend = [&](double amount, double to) { hu += std::clamp(amount, 0.0, 1.0) * inner * (to - hu); };
    blend(6 * (value_noise(2.6 * q, seed + 2) + 0.4 * value_noise(6.0 * q, seed + 3) - study.necrosis), 17);
    blend(8 * (value_noise(3.4 * q, seed + 4) - 0.62), -55);
    if (value_noise(2.2 * q, seed + 5) > 0.25) blend(8 * (value_noise(11.0 * q, seed + 6) - 0.55), 215);  // clusters filled with contrast
    return hu;
}

/// Blurs a plane by the scanner's point spread, about one pixel wide.
void blur(std::vector<float>& plane, int passes)
{
    std::vector<float> line(kSide);
    for (int pass = 0; pass < passes; ++pass) {
        for (int axis = 0; axis < 2; ++axis) {
            const int stride = axis == 0 ? 1 : kSide;
            for (int l = 0; l < kSide; ++l) {
                float* at = plane.data() + static_cast<std::ptrdiff_t>(l) * (axis == 0 ? kSide : 1);
                for (int t = 0; t < kSide; ++t) line[static_cast<std::size_t>(t)] = at[t * stride];
                for (int t = 0; t < kSide; ++t) {
                    const float before = line[static_cast<std::size_t>(std::max(0, t - 1))];
                    const float after = line[static_cast<std::size_t>(std::min(kSide - 1, t + 1))];
                    at[t * stride] = 0.25F * before + 0.5F * line[static_cast<std::size_t>(t)] + 0.25F * after;
                }
            }
        }
    }
}

struct Rendered {
    CtVolume ct;
    Mask mask;
};

Rendered render(const Study& study, const LobulatedMass& mass, const PatientOptions& options)
{
    Rendered out;
    const PatientPoint origin{-kPixel_mm * (kSide - 1) / 2, -kPixel_mm * (kSide - 1) / 2 + 5, 0};
    out.ct.geometry = VolumeGeometry::axial({kSide, kSide, kSlices}, kPixel_mm, kPixel_mm, kSlice_mm, origin);
    out.ct.hu = Grid<std::int16_t>(out.ct.geometry.size());
    out.mask = Mask(out.ct.geometry.size());
    const Anatomy anatomy{study.pressure, study.girth};
    const Anatomy untouched{0, study.girth};
    const std::uint64_t seed = hash_of(study.id, options.seed);
    const std::uint64_t tissue = mixed(options.seed);
    // The noise of a reconstruction is smoothed by its kernel: two passes of the blur leave 0.19 of white noise's deviation.
    constexpr float kKept = 0.1914F;
    parallel_for(kSlices, options.threads, [&](int k) {
        std::vector<float> plane(static_cast<std::size_t>(kSide) * kSide);
        std::vector<float> noise(plane.size());
        for (int r = 0; r < kSide; ++r) {
            for (int c = 0; c < kSide; ++c) {
                const auto i = static_cast<std::size_t>(r) * kSide + static_cast<std::size_t>(c);
                const auto p = out.ct.geometry.to_patient(Index{c, r, k});
                const double depth = mass.depth_mm(p);
                const double coverage = options.invisible_mass ? 0 : std::clamp(0.5 + depth / kPixel_mm, 0.0, 1.0);
                double hu = 0;
                if (coverage < 1) hu += (1 - coverage) * (options.invisible_mass ? untouched.hu(p, 1e9) : anatomy.hu(p, std::max(0.0, -depth)));
                if (coverage > 0) hu += coverage * mass_hu(mass, p, depth, study, tissue);
                plane[i] = static_cast<float>(hu);
                noise[i] = normal_of(mixed(seed ^ mixed(static_cast<std::uint64_t>(k) << 40 | i)));
                out.mask.at(c, r, k) = depth > 0;
            }
        }
        blur(plane, 1);
        blur(noise, 2);
        auto target = out.ct.hu.plane(k);
        for (std::size_t i = 0; i < plane.size(); ++i) {
            const double sd = plane[i] < -900 ? kAirNoise_hu : kNoise_hu;
            target[i] = static_cast<std::int16_t>(std::clamp(std::lround(plane[i] + sd * noise[i] / kKept), -1024L, 3071L));
        }
    });
    return out;
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
    gzFile out = gzopen(file.c_str(), "wb6");
    bool good = out && gzwrite(out, h, sizeof h) == static_cast<int>(sizeof h);
    for (int k = 0; good && k < n.slices; ++k) good = gzwrite(out, mask.plane(k).data(), static_cast<unsigned>(n.plane())) == static_cast<int>(n.plane());
    if (out) good = gzclose(out) == Z_OK && good;
    if (!good) return Error{Code::io, file.string() + " cannot be written", "sample_data"};
    return Done{};
}

std::string case_file()
{
    std::ostringstream out;
    out << "# The sample patient: SYNTHETIC studies after a published case (docs/stages/sample_data.md).\n"
           "# One line a time point as a reader drew it, and the top and bottom slice; positions in LPS mm.\n"
           "case: RPS-001\ntimepoints:\n";
    for (const auto& s : kStudies) out << "  - {id: " << s.id << ", ct: ct/" << s.id << ", new_lesions: none, reader: R1}\n";
    out << "treatments:\n"
           "  - {kind: surgery, date: 2013-02-05, lesions: [T1], note: debulking}\n"
           "  - {kind: systemic, line: 1, start: 2013-03-24, agents: [doxorubicin, ifosfamide]}\n"
           "  - {kind: radiotherapy, start: 2013-07-10, end: 2013-08-13, lesions: [T1], dose_gy: 50, fractions: 25}\n"
           "events: [{kind: last-contact, date: 2014-09-01}]\n"
           "lesions:\n  - id: T1\n    role: target\n    site: retroperitoneum\n    organ: retroperitoneum\n    nodal: false\n    timepoints:\n";
    for (const auto& s : kStudies) out << "      " << s.id << ": {line: " << s.line << ", extent: " << s.extent << "}\n";
    out << "response: {primary: recist-1.1, policies: {local_therapy: keep}}\n";
    return out.str();
}

std::string truth_file(const std::vector<StudyTruth>& truths)
{
    std::ostringstream out;
    out << "{\"schema\": \"retromass/1\", \"timepoints\": [\n";
    for (std::size_t i = 0; i < truths.size(); ++i) {
        const auto& t = truths[i].truth;
        out << " {\"timepoint\": \"" << truths[i].timepoint << "\", \"date\": \"" << iso(truths[i].date) << "\", \"long_axis_mm\": " << fixed(t.long_axis_mm, 3)
            << ", \"short_axis_mm\": " << fixed(t.short_axis_mm, 3) << ", \"craniocaudal_mm\": " << fixed(t.craniocaudal_mm, 3) << ", \"max_3d_diameter_mm\": " << fixed(t.max_3d_diameter_mm, 3)
            << ", \"volume_ml\": " << fixed(t.volume_ml, 4) << ", \"how\": \"" << t.how << "\"}" << (i + 1 < truths.size() ? ",\n" : "\n");
    }
    out << "]}\n";
    return out.str();
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

Result<std::vector<StudyTruth>> write_patient(const std::filesystem::path& folder, const PatientOptions& options, const Progress& progress)
{
    std::error_code error;
    std::filesystem::create_directories(folder / "truth", error);
    if (error) return Error{Code::io, folder.string() + " cannot be created: " + error.message(), "sample_data"};
    std::vector<StudyTruth> truths;
    int series_number = 1;
    for (const auto& study : kStudies) {
        if (!goes_on(progress, std::string("writing ") + study.id, static_cast<double>(truths.size()) / std::size(kStudies))) {
            return Error{Code::cancelled, "stopped while writing the sample patient", "sample_data"};
        }
        const LobulatedMass mass(study.centre, study.half_mm, study.turn_deg, study.lobes, study.pattern);
        const auto rendered = render(study, mass, options);
        DicomDescription d;
        d.patient_id = "RETROMASS-DEMO-" + std::to_string(options.seed);
        d.series_description = "SYNTHETIC portal venous 2.5 B30f";
        d.study_description = "SYNTHETIC CT abdomen and pelvis";
        d.date = *parse_date(study.date);
        d.series_number = ++series_number;
        d.uid_seed = "retromass demo " + std::to_string(options.seed) + (options.invisible_mass ? " invisible " : " ") + study.id;
        d.contrast_agent = "SYNTHETIC iodine";
        d.lossless_jpeg = options.lossless_jpeg;
        d.slice_thickness_mm = kSlice_mm;
        const auto ct_folder = folder / "ct" / study.id;
        std::filesystem::remove_all(ct_folder, error);
        RETROMASS_TRY(write_dicom(ct_folder, rendered.ct, d, options.threads));
        RETROMASS_TRY(write_mask(folder / "truth" / (std::string(study.id) + ".nii.gz"), rendered.mask, rendered.ct.geometry));
        truths.push_back({study.id, d.date, mass.truth()});
    }
    RETROMASS_TRY(write_text(folder / "case.yaml", case_file()));
    RETROMASS_TRY(write_text(folder / "truth.json", truth_file(truths)));
    return truths;
}

}  // namespace retromass::sample_data
