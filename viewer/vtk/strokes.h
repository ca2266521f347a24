#pragma once

#include <vtkActor.h>
#include <vtkCellArray.h>
#include <vtkNew.h>
#include <vtkPoints.h>
#include <vtkPolyData.h>
#include <vtkRenderer.h>
#include <vtkSmartPointer.h>
#include <vtkTextActor.h>

#include <array>

#include "viewer/view.h"

/// Lines and letters of the viewer's pictures, and their colours.
namespace retromass::viewer {

struct Colour {
    double red, green, blue;
};
inline constexpr Colour kOutline{1, 200 / 255.0, 0};  // the test counts its pixels (tests/unit/viewer/picture_test.cpp)
inline constexpr Colour kLongAxis{0, 1, 1};
inline constexpr Colour kShortAxis{1, 0, 1};
inline constexpr Colour kCraniocaudal{0, 1, 0};
inline constexpr Colour kPrompt{1, 0.35, 0.35};
inline constexpr Colour kCursor{0.25, 0.35, 0.55};
inline constexpr Colour kText{0.85, 0.85, 0.85};
inline constexpr Colour kSurface{0.9, 0.72, 0.35};
inline constexpr Colour kBand{0.5, 0.1, 0.05};

Colour colour_of(CaliperKind kind);

/// Straight lines of one colour.
class Lines {
public:
    Lines(vtkRenderer* renderer, Colour colour, float width);
    void clear();
    void add(const std::array<double, 3>& a, const std::array<double, 3>& b);
    void fade(double opacity);
    void done();

private:
    vtkNew<vtkPolyData> lines_;
    vtkNew<vtkActor> actor_;
    vtkSmartPointer<vtkPoints> points_;
    vtkSmartPointer<vtkCellArray> cells_;
};

vtkSmartPointer<vtkTextActor> text_in(vtkRenderer* renderer, int size, Colour colour);
/// At a place of the viewport, 0..1 from its lower left corner; the justifications as the toolkit numbers them.
void place(vtkTextActor* text, double x, double y, int horizontal, int vertical);

inline std::array<double, 3> xyz(PatientPoint p) { return {p.x, p.y, p.z}; }

}  // namespace retromass::viewer
