#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/volume.h"

/// A plane of the patient seen as a picture, still without a drawing toolkit.
namespace retromass::outputs {

/// A picture plane in patient space: pixel (x, y) lies at origin + x * right + y * down (mm per pixel steps).
struct PicturePlane {
    PatientPoint origin;   ///< centre of the top-left pixel
    PatientPoint right;    ///< one pixel to the right, mm
    PatientPoint down;     ///< one pixel down, mm
    int width = 0;
    int height = 0;
    double mm_per_pixel = 1;

    PatientPoint at(double x, double y) const { return origin + x * right + y * down; }
    /// Where a point falls in the picture, projected along the plane's normal; pixels.
    std::array<double, 2> seen(PatientPoint point) const;
};

enum class View { axial, coronal, sagittal };

/// The two unit directions of a view in radiological orientation: axial seen from the feet, coronal from the front, sagittal
/// with the front at the left. Axial follows the grid's own plane nearest axial.
std::array<PatientPoint, 2> directions_of(View view, const VolumeGeometry& geometry);
/// L, R, A, P, H or F: the side of the patient a direction points to.
char letter_of(PatientPoint direction);

/// Extent in a plane, mm along its two directions from a centre.
struct Field {
    double left = 0, right = 0, top = 0, bottom = 0;
    double width() const { return right - left; }
    double height() const { return bottom - top; }
};
/// What lies above -250 HU (the body, without most of the air round it) in the plane through `centre`; 1.5 mm steps.
Field body_field(const CtVolume& ct, PatientPoint centre, const std::array<PatientPoint, 2>& directions);
/// The mask's extent along two directions from `centre`.
Field mask_field(const Mask& mask, const VolumeGeometry& geometry, PatientPoint centre, const std::array<PatientPoint, 2>& directions);

/// Grey values 0..255 of the plane through window `centre`/`width`, trilinear; padding and outside are 0.
std::vector<std::uint8_t> grey_values(const CtVolume& ct, const PicturePlane& plane, double window_centre, double window_width);
/// 1 where the pixel's centre lies in a voxel of the mask.
std::vector<std::uint8_t> mask_pixels(const Mask& mask, const VolumeGeometry& geometry, const PicturePlane& plane);

struct PixelEdge {
    int x0, y0, x1, y1;  ///< in pixel corners
};
/// The outline of a binary picture along its pixel edges, in straight runs.
std::vector<PixelEdge> outline_of(const std::vector<std::uint8_t>& inside, int width, int height);

}  // namespace retromass::outputs
