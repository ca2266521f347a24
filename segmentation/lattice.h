#pragma once

#include <optional>

#include "segmentation/pulls.h"

namespace retromass::segmentation {

/// A displacement by cubic B-splines on evenly spaced knots (free-form deformation, Rueckert et al., IEEE Trans Med Imaging 18, 1999), on top of another one. Curving costs: what shows no edge goes as the edges around it go.
class Lattice {
public:
    /// What the pulls are weighed against.
    struct Hold {
        double curving;    ///< what a squared second difference of the knots costs, cells
        double straying;   ///< what a knot's squared displacement from what lies beneath costs: far from what is seen, that stays
    };
    /// Adds nothing yet to what lies beneath; knots every `spacing` cells.
    Lattice(Field beneath, int spacing, Hold hold);

    /// What lies beneath and what the knots add; in the memory of a field that is not needed any more, where one is given.
    Field field(int threads, Field memory = {}) const;
    /// A step of Gauss and Newton; the pulls, in blocks that divide the spacing, are of the moving picture as this field lays it. False where the step before made matters worse: it is taken back, and
    /// nothing is left to improve; and where the pictures show nothing. The same for any number of threads.
    bool improve(const Pulls& pulls);
    /// What `improve` looks at first; after the last step it is asked by itself.
    bool take_back_if_worse(const Pulls& pulls);

private:
    using Knots = Grid<Four>;
    struct Before {
        Knots knots;
        double covered;
        double cost;   ///< a covered cell
    };
    Field beneath_;
    int spacing_;
    Hold hold_;
    Knots knots_;
    std::optional<Before> before_;   ///< the last step
};

}  // namespace retromass::segmentation
