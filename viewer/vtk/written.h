#pragma once

#include <vtkRenderWindow.h>

#include <filesystem>

#include "core/result.h"

namespace retromass::viewer {

/// What a window has rendered, as a PNG.
Status written(vtkRenderWindow* window, const std::filesystem::path& png);

}  // namespace retromass::viewer
