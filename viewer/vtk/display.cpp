// Alone in its file: Xlib.h defines macros with everyday names (Status, None).
#include "viewer/vtk/display.h"

#include <X11/Xlib.h>

namespace retromass::viewer {

bool display_reachable()
{
    Display* display = XOpenDisplay(nullptr);
    if (!display) return false;
    XCloseDisplay(display);
    return true;
}

}  // namespace retromass::viewer
