#pragma once

#include <vtkRenderWindow.h>
#include <vtkSmartPointer.h>

#include <array>
#include <memory>
#include <optional>

#include "viewer/view.h"

namespace retromass::viewer {

/// Three planes, the surface, the captions above and the band below, laid out in one render window.
class Panes {
public:
    explicit Panes(vtkRenderWindow* window);
    ~Panes();

    /// Draws this view of the scene (without rendering). What has not changed since the last call is kept.
    void draw(const Scene& scene, const View& view);

    /// The plane under a position of the window and the patient's point there; nothing over the surface or the texts.
    struct Hit {
        Plane plane;
        PatientPoint point;
    };
    std::optional<Hit> hit(int x, int y) const;
    /// Whether the position is over the 3-D surface.
    bool over_surface(int x, int y) const;

private:
    class PlanePane;
    class SurfacePane;
    class TextStrip;
    std::array<std::unique_ptr<PlanePane>, 3> planes_;
    std::unique_ptr<SurfacePane> surface_;
    std::unique_ptr<TextStrip> captions_;
    std::unique_ptr<TextStrip> band_;
};

}  // namespace retromass::viewer
