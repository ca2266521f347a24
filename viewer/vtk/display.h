#pragma once

namespace retromass::viewer {

/// Whether a window can be opened. VTK ends the process where it cannot, so it is asked first.
bool display_reachable();

}  // namespace retromass::viewer
