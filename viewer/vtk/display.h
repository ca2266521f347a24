#pragma once

#include <memory>

#include "core/result.h"

namespace retromass::viewer {

/// A connection to the display, closed with its last owner. VTK ends the process where it cannot open one itself, and a
/// virtual display restarts when its last client leaves; so we open it, hold it, and hand it to VTK (SetDisplayId).
using DisplayConnection = std::shared_ptr<void>;

/// Null without a display. Tries for half a second: one that is just restarting refuses for some milliseconds.
DisplayConnection open_display();
Error no_display();

}  // namespace retromass::viewer
