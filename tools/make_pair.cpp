// make_pair CASE FACTOR OUT: from a scan with an expert's mask (CASE/ct, CASE/gtv.nii.gz) the scan of a later day, on which the lesion has FACTOR times its volume and the patient lies and breathes otherwise, in
// thicker slices with noise of their own. Writes OUT/after (DICOM), OUT/line.yaml (a reader's line at both time points), OUT/carry.yaml (at the first alone) and OUT/truth.json: the long axes of the expert's mask before
// and after, measured as the program measures masks.

#include <cmath>
#include <fstream>
#include <functional>
#include <random>

#include "measurement/measure.h"
#include "sample_data/phantom.h"
#include "segmentation/distance.h"
#include "tools/training_cases.h"

namespace fs = std::filesystem;
using namespace retromass;

namespace {

constexpr double kNoise_hu = 10;
constexpr double kJitter_mm = 1.5;       // of a reader's ends, as in the evaluation of masks
constexpr double kTurn = 0.04;           // radians
constexpr double kBend_mm = 5;
constexpr double kWave_mm = 90;
constexpr double kThickSlice_mm = 5;

PatientPoint middle_of(const Mask& mask, const VolumeGeometry& g)
{
    PatientPoint sum;
    double count = 0;
    for (int k = 0; k < mask.size().slices; ++k) {
        for (int r = 0; r < mask.size().rows; ++r) {
            for (int c = 0; c < mask.size().columns; ++c) {
                if (!mask.at(c, r, k)) continue;
                sum = sum + g.to_patient(Index{c, r, k});
                count += 1;
            }
        }
    }
    if (count == 0) tools::stop("the expert's mask is empty");
    return (1 / count) * sum;
}

double farthest_from(PatientPoint middle, const Mask& mask, const VolumeGeometry& g)
{
    double out = 0;
    for (int k = 0; k < mask.size().slices; ++k) {
        for (int r = 0; r < mask.size().rows; ++r) {
            for (int c = 0; c < mask.size().columns; ++c) {
                if (mask.at(c, r, k)) out = std::max(out, distance(middle, g.to_patient(Index{c, r, k})));
            }
        }
    }
    return out;
}

/// Where what is seen at a place of the later scan was on the earlier one.
struct Change {
    PatientPoint middle;    ///< of the lesion
    double part = 1;        ///< of a length of the lesion now that it was before
    double radius_mm = 0;   ///< the lesion now lies within it
    double reach_mm = 0;    ///< beyond it nothing has grown

    PatientPoint operator()(PatientPoint p) const
    {
        // The lesion as a whole is stretched; around it the stretching fades, slowly enough that nothing folds.
        const auto lain = p - middle;
        const PatientPoint turned{std::cos(kTurn) * lain.x - std::sin(kTurn) * lain.y, std::sin(kTurn) * lain.x + std::cos(kTurn) * lain.y, lain.z};
        const PatientPoint bend{std::sin(lain.y / kWave_mm) * std::cos(lain.z / kWave_mm), 0.6 * std::sin(lain.x / kWave_mm), std::sin((lain.x + lain.y) / kWave_mm)};
        const auto d = turned + kBend_mm * bend;
        const double r = norm(d);
        const double out = std::clamp((r - radius_mm) / (reach_mm - radius_mm), 0.0, 1.0);
        const double fades = 1 - out * out * (3 - 2 * out);
        return middle + (1 + (part - 1) * fades) * d;
    }
};

double linear_at(const VolumeGeometry& g, PatientPoint p, const std::function<double(int, int, int)>& value)
{
    const auto at = g.to_index(p);
    const int c = static_cast<int>(std::floor(at.column)), r = static_cast<int>(std::floor(at.row)), k = static_cast<int>(std::floor(at.slice));
    double sum = 0;
    for (int corner = 0; corner < 8; ++corner) {
        const int x = corner & 1, y = corner >> 1 & 1, z = corner >> 2 & 1;
        const auto part = [](double f, int i, int bit) { return bit ? f - i : 1 - (f - i); };
        sum += part(at.column, c, x) * part(at.row, r, y) * part(at.slice, k, z) * value(c + x, r + y, k + z);
    }
    return sum;
}

std::string line_text(const measurement::Axis& axis, std::mt19937& random)
{
    std::normal_distribution<double> off(0, kJitter_mm);
    std::ostringstream out;
    const auto end = [&](PatientPoint p) { out << '[' << p.x + off(random) << ", " << p.y + off(random) << ", " << p.z << ']'; };  // within its slice
    out << "{line: [";
    end(axis.a);
    out << ", ";
    end(axis.b);
    out << "]}";
    return out.str();
}

}  // namespace

int main(int count, char** arguments)
{
    if (count != 4) tools::stop("make_pair CASE FACTOR OUT");
    const fs::path folder = fs::absolute(arguments[1]), target = arguments[3];
    const double factor = std::stod(arguments[2]);
    auto series = tools::taken(ingest::load(tools::taken(ingest::one_series(tools::taken(ingest::scan({folder / "ct"}))))));
    const auto labels = tools::taken(ingest::on_grid(tools::taken(ingest::read_labels(folder / "gtv.nii.gz")), series.volume.geometry));
    Mask expert(labels.size());
    for (std::size_t i = 0; i < labels.values().size(); ++i) expert[i] = labels[i] != 0;
    const auto& ct = series.volume;
    const auto& g = ct.geometry;
    const auto n = g.size();

    Change change;
    change.middle = middle_of(expert, g);
    change.part = 1 / std::cbrt(factor);
    change.radius_mm = farthest_from(change.middle, expert, g) / change.part;
    change.reach_mm = change.radius_mm + std::max(40.0, 3.5 * std::abs(change.part - 1) * change.radius_mm);

    const auto first = g.slice_origin(0), last = g.slice_origin(n.slices - 1);
    if (std::abs(last.x - first.x) > 0.5 || std::abs(last.y - first.y) > 0.5) tools::stop("not an axial series");
    const double slice_mm = std::max(kThickSlice_mm, std::abs(last.z - first.z) / (n.slices - 1));
    const int slices = static_cast<int>(std::abs(last.z - first.z) / slice_mm) + 1;
    const auto grid = VolumeGeometry::axial({n.columns, n.rows, slices}, g.column_spacing_mm(), g.row_spacing_mm(), slice_mm, {first.x, first.y, std::min(first.z, last.z)});
    CtVolume after{grid, Grid<std::int16_t>(grid.size())};
    Mask mask(grid.size());
    const auto name = folder.filename().string() + arguments[2];
    std::seed_seq seed(name.begin(), name.end());  // fixed by the standard, unlike std::hash: the same pair everywhere
    std::mt19937 random(seed);
    std::normal_distribution<double> noise(0, kNoise_hu);
    for (int k = 0; k < slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                const auto from = change(grid.to_patient(Index{c, r, k}));
                const auto hu = linear_at(g, from, [&](int x, int y, int z) { return n.contains(x, y, z) && ct.hu.at(x, y, z) != kPaddingHu ? ct.hu.at(x, y, z) : -1000; });
                after.hu.at(c, r, k) = static_cast<std::int16_t>(std::lround(hu + noise(random)));
                mask.at(c, r, k) = linear_at(g, from, [&](int x, int y, int z) { return n.contains(x, y, z) ? expert.at(x, y, z) : 0; }) >= 0.5;
            }
        }
    }
    const auto was = tools::taken(measurement::measure(expert, g, nullptr)), is = tools::taken(measurement::measure(mask, grid, nullptr));

    bool cut = false;  // by the end of the scan: no true size then
    for (const int k : {0, slices - 1}) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) cut = cut || mask.at(c, r, k);
        }
    }

    fs::create_directories(target);
    sample_data::DicomDescription description;
    description.patient_id = folder.filename().string();
    description.date = *parse_date("2020-06-01");
    description.uid_seed = folder.filename().string() + arguments[2];
    description.frame_of_reference_seed = description.uid_seed;
    description.kernel = series.facts.kernel;
    description.lossless_jpeg = false;
    if (const auto written = sample_data::write_dicom(target / "after", after, description); !written) tools::stop(written.error().message);
    std::ofstream(target / "truth.json") << "{\"before_mm\": " << was.long_axis.exact_mm << ", \"after_mm\": " << is.long_axis.exact_mm << ", \"before_ml\": " << was.volume_ml << ", \"after_ml\": " << is.volume_ml << ", \"cut\": " << (cut ? "true" : "false") << "}\n";
    const auto before_line = line_text(was.long_axis, random), after_line = line_text(is.long_axis, random);
    for (const bool both : {true, false}) {
        std::ofstream out(target / (both ? "line.yaml" : "carry.yaml"));
        out << "case: " << folder.filename().string() << "\ntimepoints:\n  - {id: before, ct: " << (folder / "ct").string() << ", date: 2020-01-01, new_lesions: none, reader: R1}\n  - {id: after, ct: after, date: 2020-06-01, new_lesions: none, reader: R1}\n"
            << "lesions:\n  - id: T1\n    site: soft tissue\n    timepoints:\n      before: " << before_line << '\n';
        if (both) out << "      after: " << after_line << '\n';
        out << "accept: [different-patient-ids]\n";
    }
    return 0;
}
