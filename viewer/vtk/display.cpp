// Alone in its file: Xlib.h defines macros with everyday names (Status, None).
#include "viewer/vtk/display.h"

#include <X11/Xlib.h>

#include <chrono>
#include <thread>

namespace retromass::viewer {

DisplayConnection open_display()
{
    constexpr int kTries = 10;
    constexpr auto kBetween = std::chrono::milliseconds(50);
    for (int i = 0; i < kTries; ++i) {
        if (Display* display = XOpenDisplay(nullptr)) {
            return {display, [](void* opened) { XCloseDisplay(static_cast<Display*>(opened)); }};
        }
        std::this_thread::sleep_for(kBetween);
    }
    return nullptr;
}

Error no_display() { return {Code::no_display, "no display can be opened; on a machine without one, run under xvfb-run -a", "viewer"}; }

}  // namespace retromass::viewer
