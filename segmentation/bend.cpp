#include "segmentation/bend.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"

namespace retromass::segmentation {
namespace {

constexpr double kRidge = 1e-3;          ///< every term holds with so much of all that the pictures say: what they do not show, such as how far a thigh moved along itself, does not bend

/// Symmetric and positive: solved in place by Cholesky. False where it is not.
bool solve(std::vector<double>& a, std::vector<double>& b)
{
    const std::size_t n = b.size();
    for (std::size_t u = 0; u < n; ++u) {
        for (std::size_t v = 0; v <= u; ++v) {
            double sum = a[u * n + v];
            for (std::size_t w = 0; w < v; ++w) sum -= a[u * n + w] * a[v * n + w];
            if (u == v && sum <= 0) return false;
            a[u * n + v] = u == v ? std::sqrt(sum) : sum / a[v * n + v];
        }
    }
    for (std::size_t u = 0; u < n; ++u) {
        for (std::size_t v = 0; v < u; ++v) b[u] -= a[u * n + v] * b[v];
        b[u] /= a[u * n + u];
    }
    for (std::size_t u = n; u-- > 0;) {
        for (std::size_t v = u + 1; v < n; ++v) b[u] -= a[v * n + u] * b[v];
        b[u] /= a[u * n + u];
    }
    return true;
}

/// Where the element of a symmetric 3 x 3 matrix stands among its six.
constexpr std::array<std::array<std::size_t, 3>, 3> kEntry{{{0, 1, 2}, {1, 3, 4}, {2, 4, 5}}};

}  // namespace

Bend::Terms Bend::terms_at(double i, double j, double k) const
{
    const auto scaled = [](double at, int count) { return (2 * at + 1 - count) / count; };  // -1 to 1
    const double x = scaled(i, size_.columns), y = scaled(j, size_.rows), z = scaled(k, size_.slices);
    return {1, x, y, z, x * x, y * y, z * z, x * y, x * z, y * z, x * x * x, y * y * y, z * z * z, x * x * y, x * x * z, y * y * x, y * y * z, z * z * x, z * z * y, x * y * z};
}

Bend Bend::on(Dimensions size, double times) const
{
    Bend out(size);
    for (std::size_t i = 0; i < parts_.size(); ++i) out.parts_[i] = times * parts_[i];
    return out;
}

Field Bend::field(int threads, Field memory) const
{
    auto out = memory.size() == size_ ? std::move(memory) : Field(size_);
    parallel_for(size_.slices, threads, [&](int k) {
        for (int j = 0; j < size_.rows; ++j) {
            for (int i = 0; i < size_.columns; ++i) {
                const auto terms = terms_at(i, j, k);
                auto& u = out.at(i, j, k);
                u[3] = 0;
                for (std::size_t a = 0; a < 3; ++a) {
                    double sum = 0;
                    for (std::size_t m = 0; m < kTerms; ++m) sum += terms[m] * parts_[kTerms * a + m];
                    u[a] = static_cast<float>(sum);
                }
            }
        }
    });
    return out;
}

bool Bend::take_back_if_worse(const Pulls& pulls)
{
    if (before_ && (pulls.covered < kStillCovered * before_->covered || pulls.apart > before_->apart)) {
        parts_ = before_->parts;
        return false;
    }
    before_ = Before{parts_, pulls.covered, pulls.apart};
    return true;
}

bool Bend::improve(const Pulls& pulls, double stiffness)
{
    if (!take_back_if_worse(pulls)) return false;
    constexpr std::size_t unknowns = 3 * kTerms;
    std::array<std::array<double, 6>, kTerms * kTerms> products{};   // of two terms, the second not before the first
    std::vector<double> a(unknowns * unknowns, 0), b(unknowns, 0);
    double weight = 0;
    const auto n = pulls.seen.size();
    for (int k = 0; k < n.slices; ++k) {
        for (int j = 0; j < n.rows; ++j) {
            for (int i = 0; i < n.columns; ++i) {
                const auto& seen = pulls.seen.at(i, j, k);
                const double all = double{seen[0]} + seen[3] + seen[5];
                if (all <= 0) continue;
                weight += all;
                const auto terms = terms_at(pulls.middle(i, size_.columns), pulls.middle(j, size_.rows), pulls.middle(k, size_.slices));
                for (std::size_t x = 0; x < 3; ++x) {
                    for (std::size_t m = 0; m < kTerms; ++m) b[kTerms * x + m] += terms[m] * pulls.pull.at(i, j, k)[x];
                }
                for (std::size_t m = 0; m < kTerms; ++m) {
                    for (std::size_t o = m; o < kTerms; ++o) {
                        const double both = terms[m] * terms[o];
                        auto& sum = products[m * kTerms + o];
                        for (std::size_t e = 0; e < 6; ++e) sum[e] += both * seen[e];
                    }
                }
            }
        }
    }
    for (std::size_t m = 0; m < kTerms; ++m) {
        for (std::size_t o = m; o < kTerms; ++o) {
            for (std::size_t x = 0; x < 3; ++x) {
                for (std::size_t y = 0; y < 3; ++y) {
                    const double part = products[m * kTerms + o][kEntry[x][y]];
                    a[(kTerms * x + m) * unknowns + kTerms * y + o] += part;
                    if (o != m) a[(kTerms * x + o) * unknowns + kTerms * y + m] += part;
                }
            }
        }
    }
    if (weight <= 0) return false;
    // The bend as a whole is looked for, not its change: the ridge holds it, however often it is improved.
    for (std::size_t u = 0; u < unknowns; ++u) {
        for (std::size_t v = 0; v < unknowns; ++v) b[u] += a[u * unknowns + v] * parts_[v];
    }
    for (std::size_t u = 0; u < unknowns; ++u) a[u * unknowns + u] += stiffness * kRidge * weight;
    if (!solve(a, b)) return false;
    std::copy(b.begin(), b.end(), parts_.begin());
    return true;
}

}  // namespace retromass::segmentation
