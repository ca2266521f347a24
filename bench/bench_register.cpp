// What does it cost to lay one scan of a patient on another, and how far off are the places found? Real chest, real liver and the sample patient's abdomen after a known motion and bend;
// every program reads the same two files. Errors are at places within the patient, every 12 mm. `bench_register register FOLDER` is ours as a program.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "bench/processes.h"
#include "core/parallel.h"
#include "pipeline/ingest/ingest.h"
#include "sample_data/phantom.h"
#include "segmentation/registration.h"

namespace fs = std::filesystem;
using namespace retromass;

namespace {

[[noreturn]] void stop(const std::string& why)
{
    std::cerr << why << '\n';
    std::exit(1);
}

CtVolume loaded(const fs::path& folder)
{
    const auto scan = ingest::scan({folder});
    if (!scan) stop(scan.error().message);
    const auto series = ingest::one_series(*scan);
    if (!series) stop(series.error().message);
    auto out = ingest::load(*series);
    if (!out) stop(out.error().message);
    return std::move(out->volume);
}

std::int16_t hu_at(const CtVolume& ct, PatientPoint p)
{
    const auto at = ct.geometry.to_index(p);
    const int c = static_cast<int>(std::floor(at.column)), r = static_cast<int>(std::floor(at.row)), k = static_cast<int>(std::floor(at.slice));
    const auto& n = ct.geometry.size();
    double sum = 0;
    for (int corner = 0; corner < 8; ++corner) {
        const int x = c + (corner & 1), y = r + (corner >> 1 & 1), z = k + (corner >> 2 & 1);
        const auto part = [&](double f, int i, int bit) { return corner >> bit & 1 ? f - i : 1 - (f - i); };
        const auto hu = n.contains(x, y, z) ? ct.hu.at(x, y, z) : kPaddingHu;
        sum += part(at.column, c, 0) * part(at.row, r, 1) * part(at.slice, k, 2) * (hu == kPaddingHu ? -1000 : hu);
    }
    return static_cast<std::int16_t>(std::lround(sum));
}

/// The patient has turned by 3 degrees, lies 9 mm elsewhere and is bent by up to 15 mm: a place now, and where it was.
struct Motion {
    PatientPoint middle;
    double wave_mm = 90;

    PatientPoint operator()(PatientPoint p) const
    {
        const auto d = p - middle;
        constexpr double turn = 0.05, bend_mm = 15;
        const PatientPoint turned{std::cos(turn) * d.x - std::sin(turn) * d.y, std::sin(turn) * d.x + std::cos(turn) * d.y, d.z};
        const PatientPoint bend{0.5 * std::sin(d.y / wave_mm + 0.3) * std::cos(d.z / wave_mm), 0.5 * std::sin(d.x / wave_mm - 0.5) * std::cos(d.y / wave_mm), 0.6 * std::sin((d.x + d.y) / wave_mm)};
        return middle + turned + bend_mm * bend + PatientPoint{6, -5, 4};
    }
};

/// As a scanner with noise of its own would see it.
CtVolume scanned(const CtVolume& ct, const VolumeGeometry& grid, const std::function<PatientPoint(PatientPoint)>& from, unsigned seed)
{
    constexpr double noise_hu = 12;
    CtVolume out{grid, Grid<std::int16_t>(grid.size())};
    parallel_for(grid.size().slices, 0, [&](int k) {
        std::mt19937 random(seed * 100003 + static_cast<unsigned>(k));
        std::normal_distribution<float> noise(0, noise_hu);
        for (int r = 0; r < grid.size().rows; ++r) {
            for (int c = 0; c < grid.size().columns; ++c) out.hu.at(c, r, k) = static_cast<std::int16_t>(hu_at(ct, from(grid.to_patient(Index{c, r, k}))) + std::lround(noise(random)));
        }
    });
    return out;
}

void write_image(const fs::path& path, const CtVolume& ct)
{
    const auto& g = ct.geometry;
    const auto n = g.size();
    const auto o = g.slice_origin(0);
    std::ofstream header(path);
    header << "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nTransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = " << o.x << ' ' << o.y << ' ' << o.z << "\nElementSpacing = " << g.column_spacing_mm() << ' '
           << g.row_spacing_mm() << ' ' << *g.slice_spacing_mm() << "\nDimSize = " << n.columns << ' ' << n.rows << ' ' << n.slices << "\nElementType = MET_SHORT\nElementDataFile = " << path.stem().string() << ".raw\n";
    std::ofstream raw(fs::path(path).replace_extension(".raw"), std::ios::binary);
    raw.write(reinterpret_cast<const char*>(ct.hu.data()), static_cast<std::streamsize>(ct.hu.values().size() * sizeof(std::int16_t)));
}

/// Words after "KEY = " of a header.
std::istringstream field(const std::string& header, const std::string& key)
{
    const auto at = header.find(key + " = ");
    if (at == std::string::npos) stop("no " + key);
    return std::istringstream(header.substr(at + key.size() + 3, header.find('\n', at) - at - key.size() - 3));
}

CtVolume read_image(const fs::path& path)
{
    std::stringstream header;
    header << std::ifstream(path).rdbuf();
    PatientPoint origin, spacing;
    Dimensions size;
    field(header.str(), "Offset") >> origin.x >> origin.y >> origin.z;
    field(header.str(), "ElementSpacing") >> spacing.x >> spacing.y >> spacing.z;
    field(header.str(), "DimSize") >> size.columns >> size.rows >> size.slices;
    CtVolume out{VolumeGeometry::axial(size, spacing.x, spacing.y, spacing.z, origin), Grid<std::int16_t>(size)};
    std::ifstream raw(fs::path(path).replace_extension(".raw"), std::ios::binary);
    raw.read(reinterpret_cast<char*>(out.hu.data()), static_cast<std::streamsize>(out.hu.values().size() * sizeof(std::int16_t)));
    return out;
}

std::vector<PatientPoint> read_points(const fs::path& path)
{
    std::ifstream in(path);
    std::string word;
    std::size_t count = 0;
    in >> word >> count;  // as transformix reads them: "point", how many, then one a line
    std::vector<PatientPoint> out(count);
    for (auto& p : out) in >> p.x >> p.y >> p.z;
    return out;
}

void write_points(const fs::path& path, const std::vector<PatientPoint>& points)
{
    std::ofstream out(path);
    out << "point\n" << points.size() << '\n';
    for (const auto& p : points) out << p.x << ' ' << p.y << ' ' << p.z << '\n';
}

/// Ours as the program a user would run: two files in, the points moved.
int register_in(const fs::path& folder)
{
    const auto now = read_image(folder / "now.mhd"), before = read_image(folder / "before.mhd");
    const auto made = segmentation::register_scans({now}, {before});
    if (!made) stop(made.error().message);
    auto points = read_points(folder / "points.txt");
    for (auto& p : points) p = made->to_moving(p);
    write_points(folder / "ours.txt", points);
    return 0;
}

std::string elastix_stage(const std::string& transform, int levels, int iterations, const std::string& more)
{
    return "(FixedImageDimension 3)\n(MovingImageDimension 3)\n(FixedInternalImagePixelType \"float\")\n(MovingInternalImagePixelType \"float\")\n(Registration \"MultiResolutionRegistration\")\n"
           "(FixedImagePyramid \"FixedSmoothingImagePyramid\")\n(MovingImagePyramid \"MovingSmoothingImagePyramid\")\n(Interpolator \"LinearInterpolator\")\n(ResampleInterpolator \"FinalBSplineInterpolator\")\n(FinalBSplineInterpolationOrder 1)\n"
           "(Resampler \"DefaultResampler\")\n(Optimizer \"AdaptiveStochasticGradientDescent\")\n(Metric \"AdvancedMattesMutualInformation\")\n(NumberOfHistogramBins 32)\n(ImageSampler \"RandomCoordinate\")\n"
           "(NumberOfSpatialSamples 2048)\n(NewSamplesEveryIteration \"true\")\n(AutomaticParameterEstimation \"true\")\n(HowToCombineTransforms \"Compose\")\n(UseDirectionCosines \"true\")\n"
           "(WriteResultImage \"false\")\n(DefaultPixelValue -1000)\n(ErodeMask \"false\")\n(NumberOfResolutions " + std::to_string(levels) + ")\n(MaximumNumberOfIterations " + std::to_string(iterations) + ")\n(Transform \"" + transform + "\")\n" + more;
}

void write_peers(const fs::path& folder)
{
    std::ofstream(folder / "rigid.txt") << elastix_stage("EulerTransform", 3, 250, "(AutomaticScalesEstimation \"true\")\n(AutomaticTransformInitialization \"true\")\n(AutomaticTransformInitializationMethod \"GeometricalCenter\")\n");
    std::ofstream(folder / "bent.txt") << elastix_stage("BSplineTransform", 4, 500, "(FinalGridSpacingInPhysicalUnits 16)\n");
    std::ofstream(folder / "plastimatch.txt") << "[GLOBAL]\nfixed=" << (folder / "now.mhd").string() << "\nmoving=" << (folder / "before.mhd").string() << "\nvf_out=" << (folder / "field.mha").string()
                                              << "\n[STAGE]\nxform=rigid\noptim=versor\nimpl=itk\nmax_its=60\nres=4 4 2\n[STAGE]\nxform=bspline\noptim=lbfgsb\nimpl=plastimatch\nmetric=mse\nmax_its=60\ngrid_spac=40 40 40\nres=4 4 2\n"
                                                 "[STAGE]\nmax_its=60\ngrid_spac=20 20 20\nres=2 2 1\n";
}

/// Where elastix says the points lie, one a line after "OutputPoint = [".
std::vector<PatientPoint> elastix_points(const fs::path& path)
{
    std::ifstream in(path);
    std::vector<PatientPoint> out;
    for (std::string line; std::getline(in, line);) {
        const auto at = line.find("OutputPoint = [ ");
        if (at == std::string::npos) stop("transformix answers otherwise than expected: " + line);
        std::istringstream words(line.substr(at + std::strlen("OutputPoint = [ ")));
        auto& p = out.emplace_back();
        words >> p.x >> p.y >> p.z;
    }
    return out;
}

/// Points moved by a field of displacements on the fixed scan's grid, linear between its cells.
std::vector<PatientPoint> moved_by_field(const fs::path& path, const VolumeGeometry& g, std::vector<PatientPoint> points)
{
    std::stringstream file;
    file << std::ifstream(path, std::ios::binary).rdbuf();
    const auto bytes = file.str();
    const auto local = bytes.find("ElementDataFile = LOCAL\n");
    const std::size_t count = 3 * g.size().plane() * static_cast<std::size_t>(g.size().slices);
    if (local == std::string::npos || bytes.size() - local - 24 != count * sizeof(float)) stop("plastimatch writes its field otherwise than expected");
    std::vector<float> field(count);
    std::memcpy(field.data(), bytes.data() + local + 24, count * sizeof(float));
    for (auto& p : points) {
        const auto at = g.to_index(p);
        const int c = static_cast<int>(std::floor(at.column)), r = static_cast<int>(std::floor(at.row)), k = static_cast<int>(std::floor(at.slice));
        PatientPoint by;
        for (int corner = 0; corner < 8; ++corner) {
            const int x = c + (corner & 1), y = r + (corner >> 1 & 1), z = k + (corner >> 2 & 1);
            const auto part = [&](double f, int i, int bit) { return corner >> bit & 1 ? f - i : 1 - (f - i); };
            const double weight = part(at.column, c, 0) * part(at.row, r, 1) * part(at.slice, k, 2);
            const auto offset = 3 * (static_cast<std::size_t>(z) * g.size().plane() + static_cast<std::size_t>(y) * static_cast<std::size_t>(g.size().columns) + static_cast<std::size_t>(x));
            by = by + weight * PatientPoint{field[offset], field[offset + 1], field[offset + 2]};
        }
        p = p + by;
    }
    return points;
}

struct Errors {
    double median_mm;
    double p95_mm;
};

Errors errors_of(const std::vector<PatientPoint>& found, const std::vector<PatientPoint>& truth)
{
    if (found.size() != truth.size()) stop("points are missing");
    std::vector<double> off;
    for (std::size_t i = 0; i < truth.size(); ++i) off.push_back(distance(found[i], truth[i]));
    std::sort(off.begin(), off.end());
    return {off[off.size() / 2], off[off.size() * 95 / 100]};
}

/// Places within the patient, away from the ends of the scan.
std::vector<PatientPoint> places_in(const CtVolume& now, const CtVolume& before, const Motion& motion)
{
    constexpr double step_mm = 12, from_the_end_mm = 25;
    constexpr int solid_hu = -150;
    std::vector<PatientPoint> out;
    const auto n = now.geometry.size();
    const auto low = now.geometry.to_patient(Index{0, 0, 0}), high = now.geometry.to_patient(Index{n.columns - 1, n.rows - 1, n.slices - 1});
    for (double z = low.z + from_the_end_mm; z < high.z - from_the_end_mm; z += step_mm) {
        for (double y = low.y + from_the_end_mm; y < high.y - from_the_end_mm; y += step_mm) {
            for (double x = low.x + from_the_end_mm; x < high.x - from_the_end_mm; x += step_mm) {
                const PatientPoint p{x, y, z};
                if (hu_at(now, p) > solid_hu && before.geometry.contains(motion(p))) out.push_back(p);
            }
        }
    }
    return out;
}

/// False where ours is farther off than plastimatch, than elastix in the middle, or by more than a millimetre there. What it may cost is the rows' limit. Without the peers nothing is judged.
bool compared(const std::string& anatomy, const CtVolume& ct, const VolumeGeometry& grid, const fs::path& self)
{
    const auto folder = fs::temp_directory_path() / ("retromass-bench-register-" + std::to_string(getpid()));
    fs::create_directories(folder / "elastix");
    const auto n = grid.size();
    const Motion motion{grid.to_patient(Index{n.columns / 2, n.rows / 2, n.slices / 2})};
    const auto before = scanned(ct, grid, [](PatientPoint p) { return p; }, 1);
    const auto now = scanned(ct, grid, motion, 2);
    write_image(folder / "before.mhd", before);
    write_image(folder / "now.mhd", now);
    write_peers(folder);
    const auto places = places_in(now, before, motion);
    write_points(folder / "points.txt", places);
    std::vector<PatientPoint> truth;
    for (const auto& p : places) truth.push_back(motion(p));

    const auto question = "register " + anatomy + ", " + std::to_string(n.columns) + " x " + std::to_string(n.rows) + " x " + std::to_string(n.slices);
    const auto path = [&](const char* name) { return (folder / name).string(); };
    bench::answer(question, {self.string(), "register", folder.string()},
                  {{"elastix, rigid and B-splines of 16 mm", {"elastix", "-f", path("now.mhd"), "-m", path("before.mhd"), "-p", path("rigid.txt"), "-p", path("bent.txt"), "-out", path("elastix")}, 0.25},
                   {"plastimatch, rigid and B-splines of 20 mm", {"plastimatch", "register", path("plastimatch.txt")}, 0.25}},
                  1, false);
    if (!fs::exists(folder / "field.mha") || !fs::exists(folder / "elastix/TransformParameters.1.txt")) {
        std::cout << "SKIPPED: " << question << ", elastix or plastimatch is missing or fails" << std::endl;
        fs::remove_all(folder);
        return true;
    }
    if (!bench::cost_of({"transformix", "-def", path("points.txt"), "-tp", (folder / "elastix/TransformParameters.1.txt").string(), "-out", path("elastix")})) stop("transformix fails");
    const auto start = errors_of(places, truth);
    const auto ours = errors_of(read_points(folder / "ours.txt"), truth);
    const auto elastix = errors_of(elastix_points(folder / "elastix/outputpoints.txt"), truth);
    const auto plastimatch = errors_of(moved_by_field(folder / "field.mha", grid, places), truth);
    constexpr double most_mm = 1;   // half a voxel
    const bool holds = ours.median_mm <= std::min({most_mm, plastimatch.median_mm, elastix.median_mm}) && ours.p95_mm <= plastimatch.p95_mm;
    const bool nearest = holds && ours.p95_mm <= elastix.p95_mm;
    const auto words = [](const Errors& e) { return std::to_string(e.median_mm).substr(0, 5) + " / " + std::to_string(e.p95_mm).substr(0, 5); };
    std::cout << question << ": off by (median / 95th percentile, mm, " << truth.size() << " places) " << words(start) << " at first; ours " << words(ours) << ", elastix " << words(elastix) << ", plastimatch " << words(plastimatch)
              << (!holds ? "  TOO FAR OFF" : nearest ? "" : "  farther off than elastix") << std::endl;
    fs::remove_all(folder);
    return holds;
}

/// What the scan covers in so many voxels.
VolumeGeometry covering(const CtVolume& ct, Dimensions size)
{
    const auto& g = ct.geometry;
    const auto n = g.size();
    const auto a = g.to_patient(Index{0, 0, 0}), b = g.to_patient(Index{n.columns - 1, n.rows - 1, n.slices - 1});
    return VolumeGeometry::axial(size, (b.x - a.x) / (size.columns - 1), (b.y - a.y) / (size.rows - 1), (b.z - a.z) / (size.slices - 1), a);
}

}  // namespace

int main(int count, char** arguments)
{
    if (count == 3 && std::string(arguments[1]) == "register") return register_in(arguments[2]);
    const char* const given = std::getenv("RETROMASS_DATA");
    const fs::path data = given ? given : "../shared/data";
    const auto sample = fs::temp_directory_path() / ("retromass-bench-sample-" + std::to_string(getpid()));
    if (const auto written = sample_data::write_patient(sample); !written) stop(written.error().message);
    bool holds = true;
    for (const auto& [anatomy, folder] : {std::pair<std::string, fs::path>{"a chest", data / "lung_4d113/CT"}, {"a liver", data / "crlm/CRLM-CT-1004"}, {"the sample abdomen", sample / "ct/residual"}}) {
        if (!fs::exists(folder)) {
            std::cout << "SKIPPED: " << anatomy << ", no " << folder.string() << std::endl;
            continue;
        }
        const auto ct = loaded(folder);
        for (const auto& size : {Dimensions{256, 256, 150}, ct.geometry.size()}) holds = compared(anatomy, ct, covering(ct, size), fs::canonical("/proc/self/exe")) && holds;
    }
    fs::remove_all(sample);
    return holds ? 0 : 1;
}
