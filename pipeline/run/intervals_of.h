#pragma once

#include "pipeline/run/run.h"

/// Where the 95 % intervals of a lesion come from: made here, a site's repeatability, or its reader.
namespace retromass::run {

/// Intervals of what was measured, from other masks of the same lesion. A lesion cut by the edge of the scan has none: its values are lower bounds.
void add_intervals(outputs::LesionResult& result, const VolumeGeometry& geometry, const MaskVariants& variants);
/// A site's own repeatability in place of what was made here, for each quantity that has a class of that size.
void take_repeatability(outputs::LesionResult& result, const Repeatability& repeatability);
/// The interval that a reader states instead of one made here, where it holds what was measured; else a notice says why it is not used. Only a density may
/// not have been measured: nothing is left without the outermost voxels. `unit` is said after the figures.
void take_stated(outputs::LesionResult& result, const char* quantity, const response::Interval& interval, std::optional<double> measured, const std::string& unit);

}  // namespace retromass::run
