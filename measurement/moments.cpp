#include "measurement/moments.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace retromass::measurement {
namespace {

using Matrix = std::array<std::array<double, 3>, 3>;

/// Eigenvalues of a symmetric 3 x 3 matrix, largest first (Jacobi's rotations).
std::array<double, 3> eigenvalues(Matrix m)
{
    for (int sweep = 0; sweep < 50; ++sweep) {
        double off = 0;
        for (std::size_t p = 0; p < 2; ++p) {
            for (std::size_t q = p + 1; q < 3; ++q) {
                off += std::abs(m[p][q]);
                if (m[p][q] == 0) continue;
                const double theta = (m[q][q] - m[p][p]) / (2 * m[p][q]);
                const double t = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
                const double c = 1 / std::sqrt(t * t + 1);
                const double s = t * c;
                for (std::size_t i = 0; i < 3; ++i) {
                    const double a = m[i][p];
                    const double b = m[i][q];
                    m[i][p] = c * a - s * b;
                    m[i][q] = s * a + c * b;
                }
                for (std::size_t i = 0; i < 3; ++i) {
                    const double a = m[p][i];
                    const double b = m[q][i];
                    m[p][i] = c * a - s * b;
                    m[q][i] = s * a + c * b;
                }
            }
        }
        if (off == 0) break;
    }
    std::array<double, 3> values{m[0][0], m[1][1], m[2][2]};
    std::sort(values.begin(), values.end(), std::greater<>());
    return values;
}

/// Sums of column and row over the voxels of a slice, counted from the middle of the box: exact.
struct PlaneSums {
    long long n = 0, c = 0, r = 0, cc = 0, cr = 0, rr = 0;
};

PlaneSums sums_of(const PackedMask& mask, int slice, Index middle)
{
    // Sum of the squares from 0 to m.
    const auto squares = [](long long m) { return m * (m + 1) * (2 * m + 1) / 6; };
    PlaneSums sums;
    for (int row = mask.low().row; row <= mask.high().row; ++row) {
        long long n = 0, c = 0, cc = 0;
        for_each_stretch(mask.row(row, slice), [&](int from, int to) {
            const long long first = mask.column_of(from) - middle.column;
            const long long last = mask.column_of(to) - middle.column;
            n += last - first + 1;
            c += (first + last) * (last - first + 1) / 2;
            cc += squares(last) - squares(first - 1);  // a polynomial: right for negative ends too
        });
        const long long r = row - middle.row;
        sums.n += n;
        sums.c += c;
        sums.r += n * r;
        sums.cc += cc;
        sums.cr += c * r;
        sums.rr += n * r * r;
    }
    return sums;
}

}  // namespace

Moments moments_of(const PackedMask& mask, const VolumeGeometry& geometry)
{
    const Index middle{(mask.low().column + mask.high().column) / 2, (mask.low().row + mask.high().row) / 2, (mask.low().slice + mask.high().slice) / 2};
    const PatientPoint start = geometry.to_patient(middle);
    const PatientPoint column = geometry.column_spacing_mm() * geometry.column_step();
    const PatientPoint row = geometry.row_spacing_mm() * geometry.row_step();
    PatientPoint sum{};
    Matrix products{};
    for (int k = mask.low().slice; k <= mask.high().slice; ++k) {
        const auto s = sums_of(mask, k, middle);
        const PatientPoint here = geometry.to_patient(Index{middle.column, middle.row, k}) - start;
        const auto n = static_cast<double>(s.n), c = static_cast<double>(s.c), r = static_cast<double>(s.r);
        sum = sum + n * here + c * column + r * row;
        const std::array<std::array<double, 3>, 3> v{{{here.x, here.y, here.z}, {column.x, column.y, column.z}, {row.x, row.y, row.z}}};
        const std::array<std::array<double, 3>, 3> weight{{{n, c, r}, {c, static_cast<double>(s.cc), static_cast<double>(s.cr)}, {r, static_cast<double>(s.cr), static_cast<double>(s.rr)}}};
        for (std::size_t i = 0; i < 3; ++i) {
            for (std::size_t j = 0; j < 3; ++j) {
                for (std::size_t a = 0; a < 3; ++a) {
                    for (std::size_t b = 0; b < 3; ++b) products[i][j] += weight[a][b] * v[a][i] * v[b][j];
                }
            }
        }
    }
    const auto count = static_cast<double>(mask.voxels());
    Moments out;
    const PatientPoint mean = (1 / count) * sum;
    out.centroid = start + mean;
    if (mask.voxels() < 2) return out;
    const std::array<double, 3> m{mean.x, mean.y, mean.z};
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) products[i][j] = (products[i][j] - count * m[i] * m[j]) / (count - 1);
    }
    const auto values = eigenvalues(products);
    for (std::size_t i = 0; i < 3; ++i) out.principal_axes_mm[i] = 4 * std::sqrt(std::max(0.0, values[i]));
    return out;
}

}  // namespace retromass::measurement
