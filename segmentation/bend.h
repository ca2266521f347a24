#pragma once

#include <optional>

#include "segmentation/pulls.h"

namespace retromass::segmentation {

/// A displacement that bends the whole patient at once: a polynomial of third degree along each axis. What one edge shows of it counts everywhere, so that it also moves what shows no edge, such as the
/// skin, which a displacement found cell by cell leaves behind.
class Bend {
public:
    /// None, on a grid of this size.
    explicit Bend(Dimensions size) : size_(size) {}
    /// The same bend on cells of another size, of which the same body fills `size`; `times` as many along each axis.
    Bend on(Dimensions size, double times) const;

    /// In the memory of a field that is not needed any more, where one is given.
    Field field(int threads, Field memory = {}) const;
    /// A step of Gauss and Newton; the pulls are of the moving picture as this bend lays it. `stiffness` of 1 is for pictures that may be far from alike yet; nearly alike
    /// they can be followed more closely. False where the step before made them less alike or led out of the scan: it is taken back, and nothing is left to improve; and where the pictures show nothing.
    bool improve(const Pulls& pulls, double stiffness);
    /// What `improve` looks at first; after the last step it is asked by itself.
    bool take_back_if_worse(const Pulls& pulls);

private:
    static constexpr std::size_t kTerms = 20;
    using Terms = std::array<double, kTerms>;
    Terms terms_at(double i, double j, double k) const;

    using Parts = std::array<double, 3 * kTerms>;   ///< of each term along the three axes, cells
    struct Before {
        Parts parts;
        double covered;
        double apart;
    };
    Dimensions size_;
    Parts parts_{};
    std::optional<Before> before_;   ///< the last step
};

}  // namespace retromass::segmentation
