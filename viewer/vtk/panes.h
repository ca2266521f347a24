#pragma once

#include <vtkRenderWindow.h>
#include <vtkSmartPointer.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>

#include "viewer/view.h"

namespace retromass::viewer {

/// Three planes and the surface, or two planes of two time points; captions above, the band below, a table on the right; in one render window.
class Panes {
public:
    explicit Panes(vtkRenderWindow* window);
    ~Panes();

    /// Draws this view of the scene (without rendering). What has not changed since the last call is kept.
    void draw(const Scene& scene, const View& view);

    /// The plane under a position of the window and the patient's point there; nothing over the surface or the texts.
    struct Hit {
        Plane plane;
        PatientPoint point;   ///< of the time point looked at, also where it is the linked one of the time point beside
        bool beside = false;
    };
    std::optional<Hit> hit(int x, int y) const;
    /// Whether the position is over the 3-D surface.
    bool over_surface(int x, int y) const;
    /// The row of the table under a position.
    std::optional<TableRow> row(int x, int y) const;

private:
    void lay_out(const View& view);
    class PlanePane;
    class SurfacePane;
    class TextStrip;
    class TablePane;
    std::array<std::unique_ptr<PlanePane>, 3> planes_;
    std::array<std::unique_ptr<PlanePane>, 2> beside_;   ///< of the time point on the left
    std::function<PatientPoint(PatientPoint)> from_beside_;   ///< from a place there to the linked one here
    std::unique_ptr<TablePane> table_;
    std::unique_ptr<SurfacePane> surface_;
    std::unique_ptr<TextStrip> captions_;
    std::unique_ptr<TextStrip> band_;
};

}  // namespace retromass::viewer
