#pragma once

#include <optional>

#include "segmentation/appearance.h"
#include "segmentation/energy.h"
#include "segmentation/fat_plane.h"
#include "segmentation/filters.h"
#include "segmentation/segment.h"
#include "segmentation/shape.h"
#include "segmentation/working_grid.h"

namespace retromass::segmentation {

inline constexpr double kGrow_r = 1.9;   ///< the mask may grow to here; evidence is gathered up to a little further

/// What the prompt and the pixels say of every cell of the working grid, before anything is decided.
struct Scene {
    Shape shape;
    WorkingGrid grid;
    double length_mm = 0;    ///< of the unfitted shape
    double cell_mm = 0;      ///< wanted cell
    double smooth_mm = 0;    ///< sigma of `smooth`
    Grid<float> r;
    Mask core;
    Grid<float> fine;        ///< HU after half of smooth_mm
    Grid<float> smooth;      ///< HU after smooth_mm
    Appearance appearance;
    Shape fit;               ///< the ellipsoid that gathers most evidence; the shape follows it where an edge is clear
    Edges fit_edges{};       ///< what its ends look like
    std::optional<FatPlanes> planes;   ///< that end the lesion where nobody marked its end
    Mask beyond;             ///< cells beyond them; empty where there are none
    double rim_step = 0;     ///< mean of the six edge steps: how clearly the lesion ends all round
    Geodesic path;           ///< from the core
};

/// The grid a shape is worked on and its shape coordinate, without a look at any pixel but for the size behind a point.
enum class Pixels { unseen, seen };
Scene bare_scene(const CtVolume& ct, const Prompt& prompt, int threads, Pixels pixels = Pixels::seen);

/// Cells that the mask may grow to.
Mask active_cells(const Scene& scene, const Grid<float>& r);

/// Adds what the pixels say; unmarked axes follow them where the lesion stands out.
void look(Scene& scene, const CtVolume& ct, const EnergyConstants& constants, int threads);

}  // namespace retromass::segmentation
