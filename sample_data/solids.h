#pragma once

#include <vector>

#include "sample_data/canvas.h"

namespace retromass::sample_data {

using Colour = std::function<double(PatientPoint, double depth_mm)>;
Colour plain(double hu);
/// `shell_mm` of cortical bone round cancellous bone.
Colour bone(double shell_mm, double cancellous_hu = 210);

/// An ellipsoid turned about z, then leaned about x.
Solid ellipsoid(PatientPoint centre, PatientPoint radii, Colour hu, double turn_deg = 0, double lean_deg = 0);

struct Node {
    PatientPoint p;
    double radius;
};
/// A round tube along straight pieces.
Solid piece(const Node& a, const Node& b, Colour hu);
void add_tube(std::vector<Solid>& out, const std::vector<Node>& nodes, const Colour& hu, double gap_mm);
/// More nodes on a smooth curve through the given ones (Catmull-Rom), about `step_mm` apart.
std::vector<Node> smooth(const std::vector<Node>& nodes, double step_mm);

}  // namespace retromass::sample_data
