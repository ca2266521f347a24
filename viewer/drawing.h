#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "viewer/view.h"

namespace retromass::viewer {

/// What the left button draws; `none` moves the cursor.
enum class Tool { none, point, line, extent, box, contour, not_here };

/// The tool of a key: p l e b c n.
std::optional<Tool> tool_of(std::string_view key);
/// What to do with it, in words.
std::string_view hint(Tool tool);

/// A prompt that grows stroke by stroke.
class Drawing {
public:
    /// `normal` is the stack's: it tells the slices of contours apart.
    explicit Drawing(PatientPoint normal = {0, 0, 1}, segmentation::Prompt start = {}) : normal_(normal), prompt_(std::move(start)) {}

    void press(Tool tool, Plane plane, PatientPoint point);
    void drag(PatientPoint point);
    /// Ends the stroke; empty where it says something new, else why not.
    std::string release();
    /// Takes the last stroke back.
    void take_back();

    /// With the stroke that is being drawn. Positions are rounded to 0.001 mm, so that a file holds them as they are.
    segmentation::Prompt prompt() const;
    /// Whether it says where the lesion is.
    bool whole() const;
    bool empty() const { return before_.empty() && stroke_.empty(); }

private:
    std::string add(segmentation::Prompt& prompt) const;

    PatientPoint normal_;
    segmentation::Prompt prompt_;
    std::vector<segmentation::Prompt> before_;  ///< before each stroke
    Tool tool_ = Tool::none;
    Plane plane_ = Plane::axial;
    std::vector<PatientPoint> stroke_;          ///< under way
};

}  // namespace retromass::viewer
