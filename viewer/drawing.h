#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "viewer/view.h"

namespace retromass::viewer {

/// What the left button draws: a prompt, or from `brush` on changes of the mask that is there. `none` moves the cursor.
enum class Tool { none, point, line, extent, box, contour, not_here, brush, rubber, add_contour, cut_contour, fill, keep };

/// The tool of a key: p l e b c n, d r i k f v.
std::optional<Tool> tool_of(std::string_view key);
bool edits_the_mask(Tool tool);
/// What to do with it, in words.
std::string_view hint(Tool tool);

/// What a reader says of one lesion, stroke by stroke: a prompt, or changes of the mask that is there.
class Drawing {
public:
    /// `normal` is the stack's: it tells the slices of contours apart.
    explicit Drawing(PatientPoint normal = {0, 0, 1}, segmentation::Prompt start = {}) : normal_(normal), said_{{std::move(start), {}, {}, 0}} {}
    /// Changes of the mask go on where `start` ends.
    Drawing(PatientPoint normal, segmentation::EditLog start) : normal_(normal), of_mask_(true), said_{{{}, std::move(start), {}, 0}} {}

    void press(Tool tool, Plane plane, PatientPoint point, double brush_mm = 0);
    void drag(PatientPoint point);
    /// Ends the stroke; empty where it says something new, else why not.
    std::string release();
    /// A step that needs no stroke.
    void smooth(double sigma_mm);
    /// One stroke back; beyond the first, one step of the log it began with. False where there is none.
    bool undo();
    bool redo();

    /// With the stroke that is being drawn. Positions are rounded to 0.001 mm, so that a file holds them as they are.
    segmentation::Prompt prompt() const;
    /// Changes of the mask that is there, not a prompt.
    bool of_mask() const { return of_mask_; }
    const segmentation::EditLog& edits() const { return said_[now_].edits; }
    /// The stroke that is being drawn, else the last one.
    std::vector<segmentation::Edit> last_edits() const;
    /// Whether there is something to make a mask of.
    bool whole() const;
    /// Whether all is as it began.
    bool empty() const { return now_ == began_ && stroke_.empty(); }

private:
    struct Said {
        segmentation::Prompt prompt;
        segmentation::EditLog edits;
        std::optional<PatientPoint> fill_from;   ///< a point on the first of two slices
        std::size_t last = 0;                    ///< edits before the last stroke
    };
    std::string add(Said& said) const;
    std::string add_edit(Said& said) const;
    void put(Said next);

    PatientPoint normal_;
    bool of_mask_ = false;
    std::vector<Said> said_;                    ///< after each stroke, in their order
    std::size_t now_ = 0;                       ///< what is said; what follows was taken back
    std::optional<std::size_t> began_ = 0;      ///< none: it was taken back and drawn over
    Tool tool_ = Tool::none;
    Plane plane_ = Plane::axial;
    double brush_mm_ = 0;
    std::vector<PatientPoint> stroke_;          ///< under way
};

}  // namespace retromass::viewer
